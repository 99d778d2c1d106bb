"""Compares two observations of a check: where they differ, and whether they are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from helpers.checking.case import Case
from helpers.checking.check import Aspect, Check
from helpers.checking.compare import Difference, compare
from helpers.checking.devices import has_meta
from helpers.checking.observing import Observation

GLOBAL_ASPECTS = {
    "grad mode": Aspect("torch.is_grad_enabled()", "Your code switched grad mode and left it so."),
    "default dtype": Aspect(
        "torch.get_default_dtype()", "Your code changed PyTorch's default dtype."
    ),
    "random seed": Aspect(
        "torch.initial_seed()", "Your code set the random seed, which belongs to the caller."
    ),
}


UNKNOWN = Aspect("the check", "Something else was seen than the check looks at.")
"""What a forged observation may hold."""


def aspect_of(check: Check, key: str) -> Aspect:
    return GLOBAL_ASPECTS.get(key) or check.aspects.get(key, UNKNOWN)


Fault = tuple[str, Difference | None]
"""A key, and how its value differs; without a difference, the code stopped before it."""


def faults(
    check: Check, yours: Observation, expected: Observation, case: Case
) -> list[tuple[Fault, bool]]:
    """What differs, in order, each with whether it counts.

    After the first thing that counts nothing more is looked at, and after the key at which the
    code stopped there is nothing more to see.
    """
    found: list[tuple[Fault, bool]] = []
    for key, value in expected.seen.items():
        aspect = aspect_of(check, key)
        counts = not (case.is_beyond or aspect.beyond)
        if key not in yours.seen:
            if not lacks_numbers(yours, case):
                found.append(((key, None), counts))
            break
        if aspect.at_least is not None:
            difference = _shortfall(yours.seen[key], aspect.at_least)
        else:
            difference = difference_at(check, key, yours.seen[key], value)
        if difference is not None:
            is_number = _is_number_in_disguise(check, key, difference)
            found.append(((key, difference), counts and not is_number))
            if counts and not is_number:
                break
    return found


def lacks_numbers(seen: Observation, case: Case) -> bool:
    """Whether the code stopped because tensors on the device meta have no numbers, as `x[x > 0]`
    and `if x.any()` need them. That says nothing against it: on a GPU the same code runs. Where
    the case has no such tensor, the same words are an exception like any other.
    """
    trouble = seen.trouble
    if trouble is None or not has_meta(list(case.data.values())):
        return False
    if trouble.type not in ("NotImplementedError", "RuntimeError"):
        return False
    needs = ("nonzero", "item()", "_local_scalar_dense", "masked_select", "is_nonzero")
    return "meta" in trouble.message.lower() and any(name in trouble.message for name in needs)


def _shortfall(yours: Any, least: float) -> Difference | None:
    if not isinstance(yours, (int, float)):
        return Difference("type", yours, least)
    return None if yours >= least else Difference("value", yours, least)


def _is_number_in_disguise(check: Check, key: str, difference: Difference) -> bool:
    """Whether a tensor or an array with one entry came, and a number with its value is meant."""
    yours, expected = difference.yours, difference.expected
    if difference.kind != "type" or not isinstance(expected, (bool, int, float)):
        return False
    if not isinstance(yours, (torch.Tensor, np.ndarray)) or getattr(yours, "ndim", 1) != 0:
        return False
    if isinstance(yours, torch.Tensor) and yours.device.type == "meta":
        return False
    value = yours.item()
    if isinstance(expected, bool) != isinstance(value, bool) or isinstance(value, complex):
        return False
    if isinstance(yours, torch.Tensor) and yours.dtype == torch.float32:
        return compare(torch.tensor(float(value)), torch.tensor(float(expected))) is None
    return difference_at(check, key, value, expected) is None


def difference_at(check: Check, key: str, yours: Any, expected: Any) -> Difference | None:
    aspect = aspect_of(check, key)
    return compare(yours, expected, aspect.rtol, aspect.atol, aspect.of_largest)


def same(check: Check, one: Observation, other: Observation) -> bool:
    """Whether two observations of one case show the same in everything that counts."""
    keys = [[key for key in seen.seen if counts_at(check, key)] for seen in (one, other)]
    return (
        keys[0] == keys[1]
        and _stopped_at(check, one) == _stopped_at(check, other)
        and all(same_at(check, key, one, other) for key in keys[0])
    )


def counts_at(check: Check, key: str) -> bool:
    return not aspect_of(check, key).beyond


def same_at(check: Check, key: str, one: Observation, other: Observation) -> bool:
    """Whether two observations of one case show the same under one key."""
    if (key in one.seen) != (key in other.seen):
        return False
    if key in one.seen:
        difference = difference_at(check, key, one.seen[key], other.seen[key])
        return difference is None or _is_number_in_disguise(check, key, difference)
    return _stopped_at(check, one) == _stopped_at(check, other)


def _stopped_at(check: Check, one: Observation) -> tuple[str | None, str, str] | None:
    if one.trouble is None:
        return None
    counted = [key for key in one.seen if counts_at(check, key)]
    return (counted[-1] if counted else None, one.trouble.type, one.trouble.message)
