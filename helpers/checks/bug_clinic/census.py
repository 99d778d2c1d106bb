"""Programs 10 and 11: a death rate with three defects, and BatchNorm with batch statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check, how_many

# 10. The death rate ------------------------------------------------------------------------------

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "nn.ReLU": nn.ReLU,
    "nn.LeakyReLU": nn.LeakyReLU,
    "nn.Hardtanh": nn.Hardtanh,
}


Units = list[tuple[float, float]]
"""Hidden units as (slope, bias)."""


def _mixed(rng: torch.Generator, sizes: tuple[int, ...], units: int) -> tuple[Any, Units]:
    """Batches of these sizes, and units of which some are 0 for all of a ReLU's samples, and some
    more for one batch.
    """
    while True:
        batches = [(2 * torch.randn(size, generator=rng)).tolist() for size in sizes]
        slopes = torch.randint(-1, 2, (units,), generator=rng).float()
        biases = 2 * torch.randn(units, generator=rng) - 0.5
        units_of = [torch.tensor(b)[:, None] * slopes + biases for b in batches]
        if torch.cat(units_of).abs().min() < 0.01:  # no value is nearly 0
            continue
        zero = [(h <= 0).all(0) for h in units_of]
        dead = torch.stack(zero).all(0).sum()
        if 1 < dead < units // 2 and len({int(z.sum()) for z in zero} | {int(dead)}) > len(sizes):
            return batches, list(zip(slopes.tolist(), biases.tolist(), strict=True))


def _census_cases(rng: torch.Generator) -> Iterator[Case]:
    """Each column of `weight` and `bias` is a unit; the inputs are 1 and a number around 0."""

    def case(name: str, batches: list[list[float]], units: Units, **more: Any) -> Case:
        weight = torch.tensor([[slope, 0.0] for slope, _ in units])
        return Case(
            name,
            batches=[torch.stack([torch.tensor(b), torch.ones(len(b))], 1) for b in batches],
            weight=weight,
            bias=torch.tensor([bias for _, bias in units]),
            output=torch.randn(1, len(units), generator=rng),
            activation=more.get("activation", "nn.ReLU"),
            times=more.get("times", "once"),
        )

    half, never, dead, second = (1.0, 0.0), (0.0, 1.0), (0.0, -1.0), (1.0, -2.5)
    two = [[-1.0, 1.0], [-2.0, 3.0]]
    yield case("eleven units and two batches", *_mixed(rng, (4, 3), 11))
    yield case("no dead unit", two, [half, never])
    yield case("all units dead", two, [dead, dead])
    yield case("thirteen units and three batches", *_mixed(rng, (4, 2, 3), 13))
    yield case("a unit that lives in the second batch only", two, [second, dead, never, half])
    yield case("a unit that lives in the first batch only", two[::-1], [second, dead, never, never])
    nothing = [half, (1.0, -0.5), dead]
    yield case("samples for which all units are 0", [[-1.0, 1.0, 2.0], [-2.0, 3.0]], nothing)
    rare, one = [[-1.0] * 36 + [0.5] * 3 + [1.0], [-2.0] * 10], (1.0, -0.75)
    yield case("units that live for one and four samples of fifty", rare, [half, one, dead, never])
    often = [[1.0] * 39 + [-1.0], [2.0] * 10]
    yield case("a unit that is 0 for one sample of fifty", often, [half, dead, never, never])
    leaky = [dead, half, never, (0.0, 0.0), (1.0, 1.0), (-1.0, 0.0), never]
    yield case("LeakyReLU", two, leaky, activation="nn.LeakyReLU")
    cancel = [dead, half, (0.0, 0.0), never, never]
    yield case("values that cancel", [[-1.0, 1.0], [2.0, -2.0]], cancel, activation="nn.Hardtanh")
    tiny = [dead, half, half, half, never, (0.0, 1e-9)]
    yield case("a unit whose values are tiny", two, tiny).beyond()
    yield case("batches that can be read once", two, [half, dead], times="once only").beyond()


def _observe_census(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    units = len(case.bias)
    model = make(2, units, 1, ACTIVATIONS[case.activation])
    with torch.no_grad():
        model.hidden.weight.copy_(case.weight)
        model.hidden.bias.copy_(case.bias)
        model.output.weight.copy_(case.output)
        model.output.bias.fill_(0.5)
    x = case.batches[0]
    y = model(x)
    yield "output", y
    (gradient,) = torch.autograd.grad(y.sum(), model.hidden.weight)
    yield "gradient", gradient
    given = (b for b in case.batches) if case.times == "once only" else case.batches
    yield "rate", model.death_rate(given)


_MADE = "model = RepairedCensus(2, units, 1, {activation})"
DEATHS = clinic_check(
    "deaths",
    "program 10, the death rate",
    "RepairedCensus",
    methods=("forward", "death_rate"),
    cases=_census_cases,
    observe=_observe_census,
    aspects={
        "output": Aspect(f"{_MADE}; model(x)", "The output of the network is wrong."),
        "gradient": Aspect(
            f"{_MADE}; model(x).sum().backward()", "The gradient of the hidden weights is wrong."
        ),
        "rate": Aspect(f"{_MADE}; model.death_rate({{batches}})", "The death rate is wrong."),
    },
    praise="dead means zero for every sample, in percent, in the network that is trained.",
    reread="Program 10: half of the units are dead, it says",
)

# 11. Batch statistics ----------------------------------------------------------------------------


def _norm(dropout: float = 0.0) -> nn.Module:
    layers = [nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 2)]
    return nn.Sequential(*[layer for layer in layers if getattr(layer, "p", 1) > 0])


FITTED: dict[str, Callable[[], nn.Module]] = {
    "a network with BatchNorm": _norm,
    "a network with BatchNorm and dropout": lambda: _norm(0.5),
}


def _fit_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, images: int, epochs: int, model: str = "a network with BatchNorm") -> Case:
        return Case(
            name,
            model=model,
            seed=int(torch.randint(1_000_000, (1,), generator=rng)),
            xs=[torch.randn(6, 3, generator=rng) * 2 + 1 for _ in range(2)],
            ys=[torch.randint(2, (6,), generator=rng) for _ in range(2)],
            images=torch.randn(images, 3, generator=rng) * 2 + 1,
            epochs=epochs,
        )

    yield case("one epoch", 3, 1)
    yield case("two epochs", 4, 2)
    yield case("one image", 1, 1)
    yield case("with dropout", 3, 2, "a network with BatchNorm and dropout")


def _observe_fit(fit: Any, case: Case) -> Iterator[tuple[str, Any]]:
    torch.default_generator.manual_seed(case.seed)  # torch.manual_seed takes far longer
    model = FITTED[case.model]()
    batches = list(zip(case.xs, case.ys, strict=True))
    predictions = fit(model, batches, case.images, case.epochs, 0.1)
    sized = hasattr(predictions, "__len__")
    yield "number", f"{len(predictions)} results" if sized else how_many(predictions)
    for epoch, value in zip((1, 2, 3), predictions, strict=False):
        yield f"logits {epoch}", value
    yield "graph", bool(getattr(predictions[-1], "requires_grad", False))
    buffers = [b.double().flatten() for b in model.buffers()]
    yield "buffers", torch.cat(buffers) if buffers else "there are none"
    yield "weights", torch.cat([p.detach().flatten() for p in model.parameters()])
    yield "mode", "training" if all(m.training for m in model.modules()) else "evaluation"


_CALL = "repaired_fit(model, batches, images, epochs={epochs}, lr=0.1)"
BATCHNORM = clinic_check(
    "batchnorm",
    "program 11, BatchNorm in evaluation",
    "repaired_fit",
    cases=_fit_cases,
    observe=_observe_fit,
    aspects={
        "number": Aspect(f"len({_CALL})", "One tensor of logits for each epoch is expected."),
        **{
            f"logits {epoch}": Aspect(
                f"{_CALL}[{epoch - 1}]", f"The logits after epoch {epoch} are wrong.", 1e-3, 1e-5
            )
            for epoch in (1, 2, 3)
        },
        "graph": Aspect(f"{_CALL}[-1].requires_grad", "The logits carry a graph; nobody needs it."),
        "buffers": Aspect(
            f"{_CALL}, and then the running statistics of the model",
            "The running statistics are wrong.",
            1e-3,
            1e-5,
        ),
        "weights": Aspect(
            f"{_CALL}, and then the weights of the model", "The weights are wrong.", 1e-3, 1e-5
        ),
        "mode": Aspect(f"{_CALL}, and then model.training", "The model is left in another mode."),
    },
    praise="an image is judged by itself, and training goes on as before.",
    reread="Program 11: an image is judged by its neighbours",
)
