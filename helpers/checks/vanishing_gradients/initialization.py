"""Check of the two scales at which deep networks start."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, fan_in: int, fan_out: int, gain: float, negative_slope: float) -> Case:
        return Case(name, fan_in=fan_in, fan_out=fan_out, gain=gain, negative_slope=negative_slope)

    def between(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=rng))

    yield case("5 inputs, 3 outputs", 5, 3, 2.5, 0.3)
    yield case("the gain of tanh", 3, 7, 5 / 3, 0.01)
    yield case("a slope of 1", 2, 4, 0.25, 1.0)
    yield case("more inputs than outputs", 784, 10, math.sqrt(2), 0.2)
    yield case("a slope of √5, as in nn.Linear", 64, 64, 0.5, math.sqrt(5))
    yield case("any sizes", between(10, 500), between(501, 900), 1.3, 0.37)


def _observe(functions: Any, case: Case) -> Iterator[tuple[str, Any]]:
    xavier_uniform_bound, kaiming_normal_std = functions
    yield "default bound", xavier_uniform_bound(case.fan_in, case.fan_out)
    yield "bound", xavier_uniform_bound(case.fan_in, case.fan_out, gain=case.gain)
    yield "default std", kaiming_normal_std(case.fan_in)
    yield "std", kaiming_normal_std(case.fan_in, negative_slope=case.negative_slope)


INITIALIZATION = Check(
    name="check_initialization",
    lesson="vanishing_gradients",
    topic="initialisation",
    takes=(Argument("xavier_uniform_bound"), Argument("kaiming_normal_std")),
    cases=_cases,
    observe=_observe,
    aspects={
        "default bound": Aspect(
            "xavier_uniform_bound({fan_in}, {fan_out})",
            "The bound of Xavier's uniform initialisation is wrong.",
            rtol=1e-5,
        ),
        "bound": Aspect(
            "xavier_uniform_bound({fan_in}, {fan_out}, gain={gain})",
            "The bound of Xavier's uniform initialisation is wrong with a gain.",
            rtol=1e-5,
        ),
        "default std": Aspect(
            "kaiming_normal_std({fan_in})",
            "The standard deviation of Kaiming's initialisation is wrong.",
            rtol=1e-5,
        ),
        "std": Aspect(
            "kaiming_normal_std({fan_in}, negative_slope={negative_slope})",
            "The standard deviation of Kaiming's initialisation is wrong with a slope.",
            rtol=1e-5,
        ),
    },
    praise="a layer with these weights keeps the size of what passes through it.",
    reread="How large should the weights be?",
)


def check_initialization(
    xavier_uniform_bound: Callable[..., float], kaiming_normal_std: Callable[..., float]
) -> None:
    """Check `xavier_uniform_bound(fan_in, fan_out, gain=1.0) -> float` (Glorot and Bengio 2010)
    and `kaiming_normal_std(fan_in, negative_slope=0.0) -> float` (He et al. 2015).

    Raises:
        NotAttempted: a stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> check_initialization(
    ...     lambda fan_in, fan_out, gain=1.0: gain * math.sqrt(6 / (fan_in + fan_out)),
    ...     lambda fan_in, negative_slope=0.0: math.sqrt(2 / ((1 + negative_slope**2) * fan_in)),
    ... )
    ✓ initialisation — a layer with these weights keeps the size of what passes through it.
    """
    run_check(INITIALIZATION, xavier_uniform_bound, kaiming_normal_std)
