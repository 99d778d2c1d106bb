"""Programs 1 to 3: tanh from exponentials, the gradient of the sigmoid, ReLU by maximum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check

NAN = float("nan")


def _cases(rng: torch.Generator, points: list[float], with_nan: bool = True) -> Iterator[Case]:
    """The `upstream` gradient arrives at the function from what comes after it."""

    def case(name: str, x: torch.Tensor, upstream: torch.Tensor | None = None) -> Case:
        return Case(name, x=x, upstream=torch.ones_like(x) if upstream is None else upstream)

    yield case("negative, zero and positive", torch.tensor([-1.0, 0.0, 2.0]))
    yield case("zeros", torch.tensor([0.0, -0.0, 0.0]))
    yield case("x = −200 and x = 200", torch.tensor([-200.0, 200.0]))
    yield case("near zero and far from it", torch.tensor(points))
    yield case("the same in float64", torch.tensor(points, dtype=torch.float64))
    matrix = torch.randn(4, 3, generator=rng)
    yield case("a matrix", matrix, torch.randn(4, 3, generator=rng))
    yield case("one number", torch.tensor(-0.7)).beyond()
    yield case("a transposed matrix", torch.randn(2, 3, generator=rng).t()).beyond()
    yield case("no entries", torch.zeros(0, 3)).beyond()
    if with_nan:
        # Who sweeps NaN away, a bandage that the lesson names, sweeps away this one too.
        yield case("a NaN that comes back", torch.tensor([0.5, -1.0]), torch.tensor([NAN, 1.0]))
        yield case("a NaN that comes in", torch.tensor([NAN, 0.5])).beyond()


def _observe(function: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.name == "a NaN that comes in":
        yield "value", function(case.x)
        return
    if case.name != "a NaN that comes back":
        yield "value", function(case.x)
        yield "x afterwards", case.x
    leaf = case.fresh().x.clone().requires_grad_()
    y = function(leaf)
    yield "connected", bool(getattr(y, "requires_grad", False))
    (gradient,) = torch.autograd.grad(y, leaf, case.upstream)
    yield "gradient", gradient


def _aspects(name: str, rtol: float | None, atol: float) -> dict[str, Aspect]:
    return {
        "value": Aspect(f"{name}({{x}})", "The value is wrong.", rtol, atol, input="x"),
        "x afterwards": Aspect(f"{name}({{x}}), and then x", "Your function changed x."),
        "connected": Aspect(
            f"{name}(x).requires_grad, for an x that asks for gradients",
            "Autograd cannot see through your function: its result is cut off from x.",
        ),
        "gradient": Aspect(
            f"{name}({{x}}).backward({{upstream}}), and then x.grad",
            "The gradient is wrong.",
            rtol,
            atol,
            input="x",
        ),
    }


FAR = [1e-8, 7.0, 12.0, 30.0, 48.0, 60.0, 88.0, 89.0, 95.0, 100.0, 190.0, 750.0, 1e4]
"""Where repairs that hold for some x only are found out: exp(2x) overflows from 44.4 on and exp(x)
from 88.8, in float64 from 355 and from 710."""

BOTH_ENDS = [-x for x in reversed(FAR)] + FAR

SMALL = [1e-30, 1e-8, 3e-7, 3e-6, 3e-5, 3e-4, 3e-3]

TANH = clinic_check(
    "tanh",
    "program 1, tanh",
    "repaired_tanh",
    cases=lambda rng: _cases(rng, BOTH_ENDS),
    observe=_observe,
    aspects=_aspects("repaired_tanh", None, 1e-6),
    praise="right from −10,000 to 10,000, in the value and in the gradient.",
    reread="Program 1: a squashing function",
)
SIGMOID = clinic_check(
    "sigmoid",
    "program 2, the gradient of the sigmoid",
    "repaired_sigmoid",
    cases=lambda rng: _cases(rng, BOTH_ENDS),
    observe=_observe,
    aspects=_aspects("repaired_sigmoid", None, 1e-6),
    praise="the value was right all along; now the gradient is right as well.",
    reread="Program 2: a gate that is sure of itself",
)
RELU = clinic_check(
    "relu",
    "program 3, ReLU at zero",
    "repaired_relu",
    cases=lambda rng: _cases(
        rng, [-1e4, -1.0, *(-x for x in SMALL), -0.0, 0.0, *SMALL, 1.0, 1e4], with_nan=False
    ),
    observe=_observe,
    aspects=_aspects("repaired_relu", 1e-6, 0.0),
    praise="no gradient passes where the input is exactly 0.",
    reread="Program 3: padding that learns",
)
