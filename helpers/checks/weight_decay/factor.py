"""Check of the weight decay that equals a penalty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, lam: float, penalty: Any, by_name: bool = False) -> Case:
        return Case(name, lam=lam, penalty=penalty, written_penalty=repr(penalty), by_name=by_name)

    drawn = 10.0 * torch.rand((), generator=rng, dtype=torch.float64).item()
    yield case("the penalty ½λ‖w‖²", 2.3, "half_squared")
    yield case("the penalty λ‖w‖²", 2.3, "squared")
    yield case("half, another number", drawn, "half_squared", by_name=True)
    yield case("squared, another number", drawn, "squared", by_name=True)
    yield case("no such penalty", 3.0, "norm")
    yield case("half, an int", 4, "half_squared").beyond()
    yield case("squared, NumPy's number", np.float64(drawn), "squared").beyond()
    yield case("no penalty", 0.0, "squared").beyond()
    for unknown in (" squared", "Squared", "half squared", "half", "l2_squared", "", None):
        yield case("no such penalty, though nearly", 3.0, unknown).beyond()


def _observe(weight_decay_for: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.penalty not in ("half_squared", "squared"):
        returned: list[Any] = []
        call = lambda: returned.append(weight_decay_for(case.lam, case.penalty))  # noqa: E731
        yield "outcome", outcome_of(call)
        if returned:  # tells wrong answers apart
            yield "returned", type(returned[0]).__name__
    elif case.by_name:
        yield "value", weight_decay_for(penalty=case.penalty, lam=case.lam)
    else:
        yield "value", weight_decay_for(case.lam, case.penalty)


WEIGHT_DECAY_FOR = Check(
    name="check_weight_decay_for",
    lesson="weight_decay",
    topic="the factor 2",
    takes=(Argument("weight_decay_for"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "value": Aspect("weight_decay_for({lam}, {written_penalty})", "The weight decay is wrong."),
        "outcome": Aspect(
            "weight_decay_for({lam}, {written_penalty})", "This must be a ValueError."
        ),
        "returned": Aspect(
            "weight_decay_for({lam}, {written_penalty})", "This must be a ValueError."
        ),
    },
    praise="½λ‖w‖² is weight_decay=λ, and λ‖w‖² is weight_decay=2λ.",
    reread="A factor of two",
)


def check_weight_decay_for(weight_decay_for: Callable[..., float]) -> None:
    """Check `weight_decay_for(lam, penalty) -> float`: the SGD `weight_decay` equal to ½λ‖w‖²
    (`"half_squared"`) or λ‖w‖² (`"squared"`); anything else is a ValueError.

    Noted, not counted: names that are nearly one of the two, λ as an int, as NumPy's number or 0.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_decay.weight_decay_for import weight_decay_for
    >>> check_weight_decay_for(weight_decay_for)
    ✓ the factor 2 — ½λ‖w‖² is weight_decay=λ, and λ‖w‖² is weight_decay=2λ.
    """
    run_check(WEIGHT_DECAY_FOR, weight_decay_for)
