"""Check of LeakyReLU, the activation with a setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Aspect, Case, run_check
from helpers.checks.activation_functions.strict import (
    look_at,
    strict_aspects,
    strict_cases,
    strict_check,
)


def _leaky_cases(rng: torch.Generator) -> Iterator[Case]:
    x = torch.tensor([-2.0, 0.0, 3.0])

    def case(name: str, slope: float) -> Case:
        return Case(name, slope=slope, made=f"negative_slope={slope:g}", x=x)

    yield Case("the default slope", slope=None, made="", x=x)
    yield case("a slope of 0.2", 0.2)
    yield case("a slope above 1", 2.0)
    yield case("a negative slope", -0.5)
    yield case("a slope of 0", 0.0).beyond()
    yield from strict_cases(rng, slope=0.1, made="negative_slope=0.1")


def _observe_leaky(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    activation = make() if case.slope is None else make(negative_slope=case.slope)
    yield from look_at(activation, case)
    if case.slope is not None:
        by_position = make(case.slope + 0.5)
        yield "by position", by_position(case.fresh().x)
        yield "after another", activation(case.fresh().x)


LEAKY_RELU = strict_check(
    "check_leaky_relu",
    "LeakyReLU",
    "MyLeakyReLU",
    "the slope is kept below zero, whatever it is, and at zero too.",
    "Three younger functions",
    cases=_leaky_cases,
    observe=_observe_leaky,
    aspects={
        **strict_aspects("MyLeakyReLU", "{made}"),
        "by position": Aspect(
            "MyLeakyReLU({slope} + 0.5)({x})", "The value of MyLeakyReLU is wrong.", input="x"
        ),
        "after another": Aspect(
            "f = MyLeakyReLU({slope}); g = MyLeakyReLU({slope} + 0.5); f({x})",
            "The value of MyLeakyReLU is wrong when there is a second object.",
            input="x",
        ),
    },
    forbidden=frozenset({"leaky_relu", "prelu", "rrelu"}),
)


def check_leaky_relu(MyLeakyReLU: Any) -> None:
    """Check `MyLeakyReLU(negative_slope=0.01)` (Maas et al. 2013) to the strict standard of
    `check_relu`, for slopes below 0 and above 1 too; at 0 the derivative and autograd's gradient
    are the slope, as in PyTorch.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.leaky_relu import HandLeakyReLU
    >>> check_leaky_relu(HandLeakyReLU)
    ✓ LeakyReLU — the slope is kept below zero, whatever it is, and at zero too.
    """
    run_check(LEAKY_RELU, MyLeakyReLU)
