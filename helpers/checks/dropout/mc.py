"""Check of Monte-Carlo dropout, mc_dropout_predict.

Most models here hold an nn.Dropout that is not random at all: what it lets through follows a
script, one step for each forward pass in training mode. So mean and standard deviation are known
exactly, and are compared entry by entry. A layer of a class that no student of the lesson can know
is only noted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.training import seeded

CLASSES = 3


class Scripted(nn.Module):
    """Scales by 0.5, 1, 2, 0 and so on, one step a pass; the identity in evaluation mode."""

    SCRIPT = (0.5, 1.0, 2.0, 0.0, 1.5)
    passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        self.passes += 1
        return x * self.SCRIPT[(self.passes - 1) % len(self.SCRIPT)]


class Dropout(Scripted, nn.Dropout):
    """In every respect an nn.Dropout, but for its script."""


class GatedDropout2(Scripted):
    """One that nobody knows."""


def my_dropout(implementation: Any) -> nn.Module:
    """A scripted MyDropout: of the student's own class, where the function can see it, so that it
    may ask for that class as well as for its name.
    """
    own = getattr(implementation, "__globals__", {}).get("MyDropout")
    base = own if isinstance(own, type) and issubclass(own, nn.Module) else nn.Module
    layer: nn.Module = object.__new__(type("MyDropout", (Scripted, base), {}))
    nn.Module.__init__(layer)
    return layer


class Tally:
    """A number that copies of a model share, so that work on a copy counts as well."""

    def __init__(self) -> None:
        self.count = 0

    def __deepcopy__(self, memo: Any) -> Tally:
        return self


class CountingIdentity(nn.Module):
    """Counts forward passes, and doubles in training mode, as no layer of a prediction should."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = Tally()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes.count += 1
        return 2 * x if self.training else x


class BreaksDown(nn.Module):
    """Raises in every forward pass."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise OverflowError("the model breaks down")


class DropoutNetwork(nn.Module):
    """A network whose own class name contains Dropout; it adds 1 where it is in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(CLASSES)
        self.drop = Dropout()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.drop(self.norm(x))
        shift = torch.tensor([1.0, 0.0, 0.0], dtype=x.dtype)
        return out + shift if self.training else out


def _with_norm() -> nn.Module:
    model = nn.Sequential(
        nn.Linear(CLASSES, 4), nn.BatchNorm1d(4), Dropout(), nn.Linear(4, CLASSES)
    )
    model[1].running_mean.fill_(0.5)  # type: ignore[operator, union-attr]
    model[1].running_var.fill_(2.0)  # type: ignore[operator, union-attr]
    return model


def _shared() -> nn.Module:
    drop = Dropout()
    return nn.Sequential(drop, nn.Linear(CLASSES, CLASSES), nn.Sequential(drop))


ONE = "nn.Dropout alone, with known masks"
DEEP = "nn.Dropout with known masks, inside nn.Sequential inside nn.Sequential"
OWN = "MyDropout of TODO 5.3 alone, with known masks"
NORM = "linear, BatchNorm, nn.Dropout with known masks, linear"
SHARED = "one nn.Dropout in two places, with known masks"
RAISES = "nn.Dropout, and a layer that raises"
RANDOM = "nn.Dropout"
BEYOND = ("nn.Dropout2d", "nn.AlphaDropout")
NAMED = "a network whose class is called DropoutNetwork"
UNKNOWN = "a class that is called GatedDropout2"

MODELS: dict[str, Callable[[Any], nn.Module]] = {
    ONE: lambda given: nn.Sequential(Dropout()),
    DEEP: lambda given: nn.Sequential(CountingIdentity(), nn.Sequential(Dropout())),
    OWN: lambda given: nn.Sequential(my_dropout(given)),
    NORM: lambda given: _with_norm(),
    SHARED: lambda given: _shared(),
    RAISES: lambda given: nn.Sequential(Dropout(), BreaksDown()),
    RANDOM: lambda given: nn.Sequential(nn.Dropout(0.5)),
    "nn.Dropout2d": lambda given: nn.Sequential(
        nn.Unflatten(1, (CLASSES, 1, 1)), nn.Dropout2d(0.5), nn.Flatten()
    ),
    "nn.AlphaDropout": lambda given: nn.Sequential(nn.AlphaDropout(0.5)),
    NAMED: lambda given: DropoutNetwork(),
    UNKNOWN: lambda given: nn.Sequential(GatedDropout2()),
}


def _every_second(model: nn.Module, first: int) -> None:
    for i, module in enumerate(model.modules()):
        module.training = i % 2 == first


MODES: dict[str, Callable[[nn.Module], Any]] = {
    "train": lambda model: model.train(),
    "eval": lambda model: model.eval(),
    "mixed": lambda model: _every_second(model, 0),
    "mixed, the model itself in eval": lambda model: _every_second(model, 1),
}
"""Modes before the call. Modules of one model may be in different modes, as in fine-tuning."""


def _mc_cases(rng: torch.Generator) -> Iterator[Case]:
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 3.0, 1.0]])
    more = torch.randn(5, CLASSES, generator=rng)

    def case(name: str, model: str, mode: str, x: torch.Tensor, n: int, **more: Any) -> Case:
        way = more.pop("way", "exact")
        return Case(name, way=way, model=model, mode=mode, x=x, n_samples=n)

    yield case("two samples", ONE, "eval", logits, 2)
    yield case("five samples", ONE, "train", more, 5)
    yield case("four samples of a model in training", DEEP, "train", logits, 4)
    yield case("four samples of a model in evaluation", DEEP, "eval", logits, 4)
    yield case("BatchNorm in training mode", NORM, "train", more, 3)
    for mode in ("mixed", "mixed, the model itself in eval"):
        yield case("modules in different modes", NORM, mode, more, 3)
    yield case("a layer of one's own", OWN, "eval", logits, 3)
    yield case("a shared layer", SHARED, "mixed", more, 4)
    yield case("float64", ONE, "eval", more.double(), 3)
    yield case("one image", NORM, "eval", more[:1], 3)
    yield case("inside torch.no_grad()", ONE, "eval", logits, 2, way="no grad")
    for mode in MODES:
        yield case(f"modes before: {mode}", RAISES, mode, logits, 3, way="raises")
    many = torch.tensor([[2.0, 1.0, -1.0]]).repeat(1000, 1)
    yield case("random masks", RANDOM, "eval", many, 10, way="random")
    for name in BEYOND:
        yield case(f"{name} of PyTorch", name, "eval", many, 10, way="random").beyond()
    yield case("a dropout layer of someone else", UNKNOWN, "eval", logits, 2).beyond()
    yield case("modules inside a module named Dropout", NAMED, "train", more, 3).beyond()
    yield case("passes are counted", DEEP, "eval", logits, 4, way="passes").beyond()
    yield case("logits near 1000", ONE, "eval", logits + 1000, 2).beyond()


def _modes(model: nn.Module) -> str:
    return " ".join("train" if module.training else "eval" for module in model.modules())


def _count(model: nn.Module) -> int | None:
    return next((m.passes.count for m in model.modules() if isinstance(m, CountingIdentity)), None)


def _observe_mc(mc_dropout_predict: Any, case: Case) -> Iterator[tuple[str, Any]]:
    with seeded(0):  # the same weights, whatever is drawn elsewhere
        model = MODELS[case.model](mc_dropout_predict).to(case.x.dtype)
    MODES[case.mode](model)
    if case.way == "raises":
        yield "error", outcome_of(lambda: mc_dropout_predict(model, case.x, case.n_samples))
        yield "modes afterwards", _modes(model)
        return
    with torch.set_grad_enabled(case.way != "no grad"):
        result = mc_dropout_predict(model, case.x, case.n_samples)
    is_pair = isinstance(result, (tuple, list)) and len(result) == 2
    yield "results", "two" if is_pair else "another number of things"
    if not is_pair:
        return
    mean, std = result
    if case.way == "random":
        shape = str(tuple(getattr(mean, "shape", ())))
        yield "shape", shape
        if shape != str(tuple(case.x.shape)):
            return
        yield "typical mean", mean[:, 0].mean().item()
        yield "typical std", std[:, 0].mean().item()
        yield "modes afterwards", _modes(model)
        return
    if case.way == "passes":
        yield "passes", _count(model)
        return
    yield "mean", mean
    yield "std", std
    yield "graph", bool(mean.requires_grad or std.requires_grad)
    yield "modes afterwards", _modes(model)
    for name, buffer in model.named_buffers():
        yield name.split(".")[-1], buffer
    parameters = [p.detach().flatten() for p in model.parameters()]
    yield "parameters afterwards", torch.cat([case.x.flatten()[:0], *parameters])
    yield "frozen", " ".join(str(int(p.requires_grad)) for p in model.parameters())
    yield "x afterwards", case.x


CALL = "mc_dropout_predict(model, {x}, {n_samples}), the model being: {model}; mode: {mode}"
BUFFER = f"{CALL}, and then a buffer of BatchNorm"
BUFFERS_CHANGED = "Your code changed what BatchNorm has stored: it was not in evaluation mode."

MC_DROPOUT = Check(
    name="check_mc_dropout",
    lesson="dropout",
    topic="mc_dropout_predict",
    takes=(Argument("mc_dropout_predict"),),
    cases=_mc_cases,
    observe=_observe_mc,
    aspects={
        "results": Aspect(CALL, "Two results are expected, mean and std."),
        "mean": Aspect(
            f"mean, std = {CALL}, and then mean", "The mean is wrong.", rtol=1e-3, atol=1e-5
        ),
        "std": Aspect(
            f"mean, std = {CALL}, and then std",
            "The standard deviation is wrong.",
            rtol=1e-3,
            atol=5e-4,
        ),
        "graph": Aspect(
            f"mean, std = {CALL}, and then requires_grad of both",
            "The results carry a graph, and a prediction needs none.",
        ),
        "passes": Aspect(
            f"{CALL}, and then the number of forward passes",
            "The number of forward passes is not n_samples.",
        ),
        "shape": Aspect(
            f"mean, std = {CALL}, and then the shape of mean", "The mean has the wrong shape."
        ),
        "typical mean": Aspect(
            f"mean, std = {CALL}, and then the mean of class 0, averaged over equal rows",
            "The mean is far from what PyTorch's dropout gives.",
            rtol=0.1,
            atol=0.02,
        ),
        "typical std": Aspect(
            f"mean, std = {CALL}, and then the std of class 0, averaged over equal rows",
            "The standard deviation is far from what PyTorch's dropout gives.",
            rtol=0.1,
            atol=0.02,
        ),
        "error": Aspect(CALL, "An error in the model must reach the caller."),
        "modes afterwards": Aspect(
            f"{CALL}, and then the modes of all modules",
            "Your code left a module in another mode than it found it in.",
        ),
        "running_mean": Aspect(BUFFER, BUFFERS_CHANGED),
        "running_var": Aspect(BUFFER, BUFFERS_CHANGED),
        "num_batches_tracked": Aspect(BUFFER, BUFFERS_CHANGED),
        "parameters afterwards": Aspect(
            f"{CALL}, and then the parameters", "Your code changed the parameters of the model."
        ),
        "frozen": Aspect(
            f"{CALL}, and then requires_grad of the parameters",
            "Your code changed which parameters are trained.",
        ),
        "x afterwards": Aspect(f"{CALL}, and then x", "Your code changed x."),
    },
    praise="many thinned networks vote, and the model is left as it was.",
    reread="Many networks, one prediction",
    seconds=10.0,
)


def check_mc_dropout(mc_dropout_predict: Callable[..., Any]) -> None:
    """Check `mc_dropout_predict(model, x, n_samples) -> (mean, std)` (Gal and Ghahramani 2016).

    Mean and standard deviation (with n - 1) of the class probabilities over `n_samples` forward
    passes of `x` with the dropout layers on, PyTorch's and any whose class name contains
    Dropout, and everything else in evaluation mode. All modes are put back, also when the model
    raises; the results carry no graph. Judged with `nn.Dropout` and with the lesson's `MyDropout`;
    other dropout layers, modules inside of them and logits near 1000 are only noted.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.mc_dropout import mc_dropout_predict
    >>> check_mc_dropout(mc_dropout_predict)
    ✓ mc_dropout_predict — many thinned networks vote, and the model is left as it was.
    """
    run_check(MC_DROPOUT, mc_dropout_predict)
