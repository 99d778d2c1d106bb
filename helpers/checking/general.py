"""Mistakes that look the same in every exercise: what an exception means, and results of a wrong type.

Each is told by what happened and nothing else, so that it is true whatever the exercise is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from helpers.checking.case import Foreign
from helpers.checking.compare import Difference
from helpers.checking.observing import Trouble
from helpers.checking.recipe import Named, Slip
from helpers.checking.signs import SIGNS, says

TORCHS_OWN = says(
    "calls-torchs-own",
    "Your code calls PyTorch's own version of what this exercise asks you to write.",
    "Write the formula with elementary operations.",
)
NOTHING = says(
    "returns-nothing",
    "Your code returns nothing here.",
    "Look whether every way through your code ends with `return`, then run this cell again.",
)
A_LIST = says(
    "returns-list",
    "You return a list or tuple, and something else is meant.",
    "Compare what you return with the docstring; torch.stack makes one tensor of a list of tensors.",
)
AN_ARRAY = says(
    "returns-array",
    "You return a NumPy array, and a tensor is meant.",
    "Compute with PyTorch's operations; torch.from_numpy makes a tensor of an array.",
)
A_NUMBER = says(
    "returns-number",
    "You return a Python number, and a tensor is meant.",
    "Leave out .item() and float(): they also cut off the gradient.",
)
A_TENSOR = says(
    "returns-tensor",
    "You return a tensor of several entries, and one plain number is meant.",
    "Look which sum or mean is missing, and end with .item().",
)
GENERAL: tuple[Slip, ...] = (
    TORCHS_OWN,
    NOTHING,
    A_LIST,
    AN_ARRAY,
    A_NUMBER,
    A_TENSOR,
    *(sign.slip for sign in SIGNS),
)


def meaning_of(trouble: Trouble) -> Named | None:
    """What an exception of the student's code means, where it always means the same.

    >>> meaning_of(Trouble("raised", "NameError", "name 'eps' is not defined")).id
    'name-not-defined'
    """
    if trouble.kind != "raised":
        return None
    return next((Named(sign.slip, 0) for sign in SIGNS if sign.fits(trouble)), None)


def wrong_type(difference: Difference | None) -> Named | None:
    """What a result of a wrong type is.

    >>> wrong_type(Difference("type", None, torch.ones(2))).id
    'returns-nothing'
    """
    if difference is None or difference.kind != "type":
        return None
    slip = _of_type(difference.yours, difference.expected)
    return Named(slip, 0) if slip is not None else None


def _of_type(yours: Any, expected: Any) -> Slip | None:
    if yours is None:
        return NOTHING
    if isinstance(yours, Foreign) and yours.kind in ("a list", "a tuple"):
        return A_LIST
    if isinstance(yours, np.ndarray) and isinstance(expected, torch.Tensor):
        return AN_ARRAY
    if isinstance(yours, (int, float)) and isinstance(expected, torch.Tensor):
        return A_NUMBER
    if isinstance(yours, torch.Tensor) and isinstance(expected, (int, float)):
        return A_TENSOR if yours.numel() > 1 else None
    return None
