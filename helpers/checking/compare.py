"""Compares what was observed of two implementations, from the coarse to the fine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from helpers.checking.case import Foreign

Kind = Literal["type", "shape", "dtype", "device", "not finite", "value"]

DEFAULT_RTOL = {torch.float64: 1e-6, torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 2e-2}
DEFAULT_ATOL = {torch.float64: 1e-9, torch.float32: 1e-6, torch.float16: 1e-3, torch.bfloat16: 1e-2}


@dataclass(frozen=True)
class Difference:
    """Where two observations first differ."""

    kind: Kind
    yours: Any
    expected: Any
    index: tuple[int, ...] | None = None
    """The first entry that differs, for tensors."""
    count: int = 0
    """How many entries differ, for tensors."""


def compare(
    yours: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    of_largest: bool = False,
) -> Difference | None:
    """The first difference in the order type, shape, dtype, device, finite, value; or None.

    >>> compare(1, 1.0) is None
    True
    >>> compare(torch.zeros(2), torch.zeros(3)).kind
    'shape'
    >>> compare(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0])).index
    (1,)
    """
    if of_largest and isinstance(expected, (torch.Tensor, np.ndarray)):
        rtol, atol = 0.0, _of_largest(torch.as_tensor(expected), rtol, atol)
    if isinstance(expected, torch.Tensor):
        if not isinstance(yours, torch.Tensor):
            return Difference("type", yours, expected)
        return _compare_tensors(yours, expected, rtol, atol)
    if isinstance(expected, np.ndarray):
        if not isinstance(yours, np.ndarray):
            return Difference("type", yours, expected)
        if yours.dtype != expected.dtype and yours.shape == expected.shape:
            return Difference("dtype", yours, expected)
        return _compare_tensors(torch.from_numpy(yours), torch.from_numpy(expected), rtol, atol)
    if _is_number(expected):
        if not _is_number(yours):
            return Difference("type", yours, expected)
        return _compare_numbers(float(yours), float(expected), rtol, atol)
    if isinstance(yours, Foreign) and isinstance(expected, Foreign):  # two wrong answers
        return None if yours == expected else Difference("value", yours, expected)
    if type(yours) is not type(expected):
        return Difference("type", yours, expected)
    return None if yours == expected else Difference("value", yours, expected)


def _of_largest(expected: torch.Tensor, rtol: float | None, atol: float | None) -> float:
    """The difference that is allowed in each entry, where it is measured by the largest one."""
    r = DEFAULT_RTOL.get(expected.dtype, 0.0) if rtol is None else rtol
    a = DEFAULT_ATOL.get(expected.dtype, 0.0) if atol is None else atol
    if expected.device.type == "meta" or expected.numel() == 0:
        return a
    size = expected.abs().double()
    size = size[torch.isfinite(size)]
    return a + r * float(size.max()) if size.numel() else a


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _compare_numbers(
    yours: float, expected: float, rtol: float | None, atol: float | None
) -> Difference | None:
    r = DEFAULT_RTOL[torch.float64] if rtol is None else rtol
    a = DEFAULT_ATOL[torch.float64] if atol is None else atol
    mine = torch.tensor(yours, dtype=torch.float64)
    theirs = torch.tensor(expected, dtype=torch.float64)
    if torch.isclose(mine, theirs, rtol=r, atol=a, equal_nan=True):
        return None
    finite = torch.isfinite(mine) or not torch.isfinite(theirs)
    return Difference("value" if finite else "not finite", yours, expected)


def _compare_tensors(
    yours: torch.Tensor, expected: torch.Tensor, rtol: float | None, atol: float | None
) -> Difference | None:
    if yours.shape != expected.shape:
        return Difference("shape", yours, expected)
    if yours.dtype != expected.dtype:
        return Difference("dtype", yours, expected)
    if yours.device != expected.device:
        return Difference("device", yours, expected)
    if expected.device.type == "meta" or expected.numel() == 0 or torch.equal(yours, expected):
        return None
    r = DEFAULT_RTOL.get(expected.dtype, 0.0) if rtol is None else rtol
    a = DEFAULT_ATOL.get(expected.dtype, 0.0) if atol is None else atol
    broken = ~torch.isfinite(yours) & torch.isfinite(expected)
    if broken.any():
        return Difference("not finite", yours, expected, _first(broken), int(broken.sum()))
    differs = ~torch.isclose(yours, expected, rtol=r, atol=a, equal_nan=True)
    if differs.any():
        return Difference("value", yours, expected, _first(differs), int(differs.sum()))
    return None


def _first(mask: torch.Tensor) -> tuple[int, ...]:
    return tuple(int(i) for i in mask.nonzero()[0])
