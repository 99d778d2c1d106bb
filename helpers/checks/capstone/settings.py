"""Check of the optimiser and the schedule of the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.capstone.task import has_numbers

FIFTH = 0.2
"""The rate of the last step is at most this part of the largest."""


class _Tied(nn.Module):
    """Two layers that share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.bn = nn.BatchNorm1d(4)
        self.norm = nn.LayerNorm(4)


class _Scaled(nn.Module):
    """A parameter with several axes that belongs to the model itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.scale = nn.Parameter(torch.ones(1, 4, 1, 1))
        self.embedding = nn.Embedding(3, 2)


def _network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)
    )


def _frozen() -> nn.Module:
    model = _network()
    next(model.children()).requires_grad_(False)
    return model


def _wide_norm() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.LayerNorm((4, 2)), nn.Flatten(), nn.Linear(8, 2))


def _every_kind() -> nn.Module:
    transposed = (nn.ConvTranspose2d(2, 3, 1), nn.ConvTranspose3d(3, 2, 1))
    return nn.Sequential(nn.Conv1d(2, 3, 1), nn.Conv3d(3, 2, 1), *transposed)


def _nested() -> nn.Module:
    block = nn.Sequential(nn.Conv1d(2, 3, 3), nn.GroupNorm(1, 3), nn.ConvTranspose1d(3, 2, 3))
    return nn.ModuleDict({"body": nn.ModuleList([block, nn.Sequential(block)]), "head": _Tied()})


def _misleading() -> nn.Module:
    layers = {"debias": nn.Linear(3, 2), "abnormal": nn.Conv1d(2, 2, 1), "bn": nn.Linear(2, 2)}
    return nn.ModuleDict(layers)


MODELS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "nn.Linear(3, 2)": (lambda: nn.Linear(3, 2), 21),
    "a convolution, BatchNorm and a linear layer": (_network, 33),
    "a frozen convolution": (_frozen, 57),
    "two layers that share a weight": (_Tied, 42),
    "a LayerNorm of two axes": (_wide_norm, 27),
    "a scale of the model's own": (_Scaled, 24),
    "convolutions of every kind": (_every_kind, 36),
    "layers inside layers, one used twice": (_nested, 120),
    "misleading names": (_misleading, 30),
}
"""Each with a number of steps, the smaller ones first."""

MANY, FEW = "another number of steps", "few steps"
WHAT_IS_DECAYED_ELSEWHERE = "a scale of the model's own, is it decayed?"


def _settings_cases(rng: torch.Generator) -> Iterator[Case]:
    """All numbers of steps are multiples of three: no tenth or twentieth of them is exactly one
    step, a rise at which OneCycleLR divides by zero.
    """
    for name, (_, total) in MODELS.items():
        case = Case(name, model=name, total_steps=total, elsewhere=False)
        yield case.beyond() if name == "misleading names" else case
    extra = 3 * int(torch.randint(8, 40, (1,), generator=rng))
    yield Case(MANY, model="nn.Linear(3, 2)", total_steps=extra, elsewhere=False)
    yield Case(FEW, model="nn.Linear(3, 2)", total_steps=9, elsewhere=False).beyond()
    scaled = "a scale of the model's own"
    name = WHAT_IS_DECAYED_ELSEWHERE
    yield Case(name, model=scaled, total_steps=24, elsewhere=True).beyond()


def _kind(optimizer: Any, scheduler: Any) -> str:
    first = "an optimizer" if isinstance(optimizer, torch.optim.Optimizer) else _name(optimizer)
    second = "a scheduler" if _is_scheduler(scheduler) else _name(scheduler)
    return f"{first} and {second}"


def _is_scheduler(thing: Any) -> bool:
    is_object = not isinstance(thing, (type, torch.optim.Optimizer))
    return is_object and hasattr(thing, "step")


def _name(thing: Any) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__} itself"
    return "None" if thing is None else f"a {type(thing).__name__}"


def _names(model: nn.Module) -> dict[int, str]:
    """Each parameter as a student can find it, such as '1.weight (BatchNorm2d)'."""
    kinds = {id(p): type(m).__name__ for m in model.modules() for p in m.parameters(False)}
    return {id(p): f"{name} ({kinds[id(p)]})" for name, p in model.named_parameters()}


def _elsewhere(model: nn.Module) -> set[int]:
    """Parameters of the model itself and of embeddings: whether they decay is only noted."""
    others = [m for m in model.modules() if isinstance(m, (_Scaled, nn.Embedding))]
    return {id(p) for m in others for p in m.parameters(False)}


def _list(found: list[str]) -> str:
    return ", ".join(found) or "none"


def _observe_settings(configure: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = MODELS[case.model][0]()
    names = _names(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    result = configure(model, case.total_steps)
    is_sequence = isinstance(result, (tuple, list))
    yield "result", f"{len(result)} results" if is_sequence else _name(result)
    if not is_sequence or len(result) != 2:
        return
    optimizer, scheduler = result
    yield "kinds", _kind(optimizer, scheduler)
    if not isinstance(optimizer, torch.optim.Optimizer):
        return
    held = [id(p) for group in optimizer.param_groups for p in group["params"]]
    yield "missing", _list([names[id(p)] for p in trained if id(p) not in held])
    yield "repeated", _list([names[id(p)] for p in trained if held.count(id(p)) > 1])
    others = dict.fromkeys(key for key in held if key not in {id(p) for p in trained})
    yield "others", _list([names.get(key, "a tensor that is not the model's") for key in others])
    decay = {
        id(p): group.get("weight_decay", 0.0)
        for group in optimizer.param_groups
        for p in group["params"]
    }
    unasked = set() if case.elsewhere else _elsewhere(model)
    asked = [p for p in trained if id(p) not in unasked]
    yield "decayed", _list([names[id(p)] for p in asked if decay.get(id(p), 0.0) > 0])
    yield "parameters afterwards", torch.cat([p.detach().flatten() for p in model.parameters()])
    yield "trained afterwards", torch.tensor([p.requires_grad for p in model.parameters()])
    yield "mode afterwards", "training" if model.training else "evaluation"
    yield "optimiser of the scheduler", getattr(scheduler, "optimizer", optimizer) is optimizer
    rates = []
    for _ in range(case.total_steps):
        rates.append([float(group["lr"]) for group in optimizer.param_groups if group["params"]])
        optimizer.step()
        scheduler.step()
    seen = torch.tensor(rates, dtype=torch.float64)  # (total_steps, groups)
    yield "course of the rate", seen
    yield "rates", seen


COMES_DOWN = "comes down"


def course_of_the_rate(rates: Any, case: Case) -> Any:
    """In words: 'comes down', or what it does instead."""
    if not has_numbers(rates) or rates.dim() != 2 or rates.numel() == 0:
        return rates
    if bool((rates < 0).any()):
        return "is negative at some steps"
    courses = {_course(rates[:, group]) for group in range(rates.shape[1])}
    if len(courses) == 1:
        return courses.pop()
    different = " and ".join(sorted(courses))
    return f"differs from group to group: {different}"


def _course(rates: torch.Tensor) -> str:
    if bool((rates == rates[0]).all()):
        return "is 0 at all steps" if rates[0] == 0 else "never changes"
    return COMES_DOWN if bool(rates[-1] < rates.max()) else "is largest at the end"


A_FIFTH = "a fifth or less"


def last_over_largest(rates: Any, case: Case) -> Any:
    """In words: the largest quotient of last and largest rate over the groups."""
    if not has_numbers(rates) or rates.dim() != 2 or rates.numel() == 0:
        return rates
    largest = rates.max(dim=0).values
    if not (largest > 0).all() or (rates < 0).any():
        return "no quotient, since not all rates are above 0"
    quotient = (rates[-1] / largest).max().item()
    return A_FIFTH if quotient <= FIFTH else f"{quotient:.3g}"


CONFIGURE_TRAINING = Check(
    name="check_configure_training",
    lesson="capstone",
    topic="configure_training",
    takes=(Argument("configure_training"),),
    cases=_settings_cases,
    observe=_observe_settings,
    aspects={
        "result": Aspect(
            "configure_training(model, {total_steps})",
            "Two results are expected: the optimiser and the scheduler.",
        ),
        "kinds": Aspect(
            "configure_training(model, {total_steps})",
            "What is returned is not an optimiser and then a scheduler.",
        ),
        "missing": Aspect(
            "configure_training(model, {total_steps}), which trainable parameters are not held",
            "The optimiser does not hold every trainable parameter.",
        ),
        "repeated": Aspect(
            "configure_training(model, {total_steps}), which parameters are held more than once",
            "The optimiser holds a parameter more than once.",
        ),
        "others": Aspect(
            "configure_training(model, {total_steps}), which other tensors are held",
            "The optimiser holds tensors that are no trainable parameters of the model.",
        ),
        "decayed": Aspect(
            "configure_training(model, {total_steps}), which trainable parameters are decayed",
            "Weight decay is not on the weights of convolutions and linear layers alone.",
        ),
        "parameters afterwards": Aspect(
            "configure_training(model, {total_steps}), and then the parameters",
            "Your code changed the parameters.",
        ),
        "trained afterwards": Aspect(
            "configure_training(model, {total_steps}), and then requires_grad",
            "Your code changed which parameters are trained.",
        ),
        "mode afterwards": Aspect(
            "configure_training(model, {total_steps}), and then model.training",
            "Your code changed the mode of the model.",
        ),
        "optimiser of the scheduler": Aspect(
            "configure_training(model, {total_steps}), scheduler.optimizer is optimizer",
            "The scheduler belongs to another optimiser.",
        ),
        "course of the rate": Aspect(
            "configure_training(model, {total_steps}), the learning rate over the steps",
            "The learning rate does not come down.",
            measure=course_of_the_rate,
        ),
        "rates": Aspect(
            "configure_training(model, {total_steps}), last learning rate / largest one",
            "The learning rate of the last step is more than a fifth of the largest one.",
            measure=last_over_largest,
        ),
    },
    praise="each parameter once, decay where it belongs, and a rate that comes down.",
    reread="The optimiser and the schedule",
)


def check_configure_training(configure_training: Callable[[nn.Module, int], Any]) -> None:
    """Check `configure_training(model, total_steps) -> (optimizer, scheduler)`.

    The optimiser holds every trainable parameter of the model exactly once, with weight decay on
    the weights of convolutions and linear layers, and none on biases and normalisation layers
    (Loshchilov and Hutter 2019; He et al. 2019). The scheduler is stepped after each of the
    `total_steps` steps, and the learning rate of the last step is at most a fifth of the largest.
    Only noted: misleading names, other parameters than those of layers, fewer than 20 steps.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest model that shows it, and the mistake where it is known.

    >>> from helpers.answers.capstone.settings import configure_training
    >>> check_configure_training(configure_training)
    ✓ configure_training — each parameter once, decay where it belongs, and a rate that comes down.
    """
    run_check(CONFIGURE_TRAINING, configure_training)
