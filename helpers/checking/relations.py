"""True relations between what was returned and what was expected, from a closed list.

A relation is an observation, such as 'every entry is twice the expected one', and no cause. Each is
one small function from what was seen to a sentence, or to nothing. The first that holds is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.checking import texts
from helpers.checking.compare import Difference

Tensor = torch.Tensor


@dataclass(frozen=True)
class Relation:
    """How two results are related."""

    id: str
    sentence: str


@dataclass(frozen=True)
class Seen:
    """Two results that differ, as tensors in float64, and what else was in sight."""

    yours: Tensor
    expected: Tensor
    inputs: Mapping[str, Tensor]
    """The tensors of the case, by name."""
    others: Mapping[str, Tensor]
    """What was expected under the other keys."""
    step: float
    """The relative distance of neighbouring numbers in the dtype that is expected."""

    @property
    def tolerance(self) -> float:
        return 1e-9 if self.step < 1e-10 else 2e-5

    @property
    def is_one_number(self) -> bool:
        return self.expected.numel() == 1

    @property
    def rows(self) -> int | None:
        """The number of rows that the largest input has, where inputs have rows."""
        sizes = {x.shape[0] for x in self.inputs.values() if x.dim() >= 2}
        return sizes.pop() if len(sizes) == 1 else None


def relate(
    difference: Difference, key: str, data: Mapping[str, Any], expected: Mapping[str, Any]
) -> Relation | None:
    """The first relation that holds between the two sides of a difference, or None.

    >>> found = relate(Difference("value", torch.tensor([2.0, 4.0]), torch.tensor([1.0, 2.0])),
    ...                "value", {}, {})
    >>> found.sentence
    'Every entry of yours is 2 times the expected one.'
    """
    seen = _seen(difference, key, data, expected)
    if seen is None:
        return None
    relations = RELATIONS.get(difference.kind, ())
    with torch.no_grad():
        for relation in relations:
            sentence = relation(seen)
            if sentence is not None:
                return Relation(relation.__name__.replace("_", "-"), sentence)
    return None


def _seen(
    difference: Difference, key: str, data: Mapping[str, Any], expected: Mapping[str, Any]
) -> Seen | None:
    mine, theirs = _as_tensor(difference.yours), _as_tensor(difference.expected)
    if mine is None or theirs is None or theirs.numel() == 0:
        return None
    tensors = {name: t for name, x in data.items() if (t := _as_tensor(x, only=True)) is not None}
    others = {
        name: t for name, x in expected.items() if (t := _as_tensor(x, only=True)) is not None
    }
    others.pop(key, None)
    return Seen(mine, theirs, tensors, others, _step(difference.expected))


def _as_tensor(value: Any, only: bool = False) -> Tensor | None:
    """A tensor in float64, or None; numbers too, unless only tensors are asked for."""
    if isinstance(value, bool) or (only and not isinstance(value, (Tensor, np.ndarray))):
        return None
    if not isinstance(value, (int, float, Tensor, np.ndarray)):
        return None
    tensor = torch.as_tensor(value)
    if tensor.device.type == "meta" or tensor.is_complex() or tensor.dtype == torch.bool:
        return None
    return tensor.detach().cpu().double()


def _step(value: Any) -> float:
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        return torch.finfo(dtype).eps
    return 1e-7 if dtype == np.float32 else 2.3e-16


def _close(one: Tensor, other: Tensor, seen: Seen, rtol: float | None = None) -> bool:
    """Whether two tensors are equal, as far as the dtype can tell, in entries that say something."""
    if one.shape != other.shape:
        return False
    r = seen.tolerance if rtol is None else rtol
    return bool(torch.isclose(one, other, rtol=r, atol=r * 1e-2, equal_nan=True).all())


# Shapes and kinds --------------------------------------------------------------------------------


def table_for_a_row(seen: Seen) -> str | None:
    n = seen.expected.numel()
    if seen.expected.dim() == 1 and n > 1 and tuple(seen.yours.shape) == (n, n):
        return texts.TABLE_FOR_A_ROW.format(n=n)
    return None


def transposed(seen: Seen) -> str | None:
    e = seen.expected
    if e.dim() == 2 and 1 not in e.shape and _close(seen.yours, e.t(), seen):
        return texts.TRANSPOSED
    return None


def same_numbers_in_another_shape(seen: Seen) -> str | None:
    y, e = seen.yours, seen.expected
    if y.numel() == e.numel() and y.shape != e.shape and _close(y.flatten(), e.flatten(), seen):
        return texts.SAME_NUMBERS.format(yours=tuple(y.shape), expected=tuple(e.shape))
    return None


def same_numbers_in_another_dtype(seen: Seen) -> str | None:
    return texts.SAME_BUT_DTYPE if _close(seen.yours, seen.expected, seen, 1e-5) else None


# Values ------------------------------------------------------------------------------------------


def equal_to_seven_digits(seen: Seen) -> str | None:
    if seen.step < 1e-10 and torch.isfinite(seen.yours).all():
        size = float(seen.expected.abs().max())
        gap = float((seen.yours - seen.expected).abs().max())
        if 0 < gap <= 4e-6 * size:
            return texts.SEVEN_DIGITS
    return None


def yours_is_an_input(seen: Seen) -> str | None:
    if seen.is_one_number or _is_constant(seen.yours):
        return None
    for name, x in seen.inputs.items():
        if _close(seen.yours, x, seen):
            return texts.IS_INPUT.format(name=name)
    return None


def yours_is_another_result(seen: Seen) -> str | None:
    if seen.is_one_number or _is_constant(seen.yours):
        return None
    for name, x in seen.others.items():
        if _close(seen.yours, x, seen):
            return texts.IS_ANOTHER.format(name=name)
    return None


def zero_everywhere(seen: Seen) -> str | None:
    if seen.expected.numel() > 1 and not seen.yours.any():
        return texts.ZERO_EVERYWHERE
    return None


def in_reverse(seen: Seen) -> str | None:
    y, e = seen.yours, seen.expected
    for axis in range(e.dim()):
        if e.shape[axis] > 1 and _close(y, e.flip(axis), seen):
            return texts.REVERSED.format(axis=axis)
    return None


def rows_in_another_order(seen: Seen) -> str | None:
    y, e = seen.yours, seen.expected
    if e.dim() not in (1, 2) or len(e) < 3 or not torch.isfinite(y).all():
        return None
    left = list(range(len(e)))
    for row in y:
        match = next((i for i in left if _close(row, e[i], seen)), None)
        if match is None:
            return None
        left.remove(match)
    return texts.OTHER_ORDER


def the_same_factor(seen: Seen) -> str | None:
    y, e = seen.yours, seen.expected
    told = e.abs() > 1e-9 * e.abs().max()
    if not told.any() or not torch.isfinite(y).all() or not y.any():
        return None
    factor = float((y[told] * e[told]).sum() / (e[told] ** 2).sum())
    if not _close(y, factor * e, seen) or abs(factor - 1) < 1e-6:
        return None
    name = _factor_named(factor, seen)
    if name is None and seen.is_one_number:  # any two numbers have some factor
        return None
    if seen.is_one_number:
        return texts.FACTOR_OF_ONE.format(factor=name)
    return texts.FACTOR.format(factor=name or f"{factor:.4g}")


def _factor_named(factor: float, seen: Seen) -> str | None:
    plain = {2.0: "2", 0.5: "½", -1.0: "−1", 4.0: "4", 0.25: "¼", -2.0: "−2", -0.5: "−½"}
    n = seen.rows
    if n and n > 2:
        plain |= {
            float(n): texts.ROWS.format(n=n),
            1 / n: texts.ONE_OVER_ROWS.format(n=n),
            n / (n - 1): texts.ROWS_BY_LESS.format(n=n, less=n - 1),
            (n - 1) / n: texts.LESS_BY_ROWS.format(n=n, less=n - 1),
        }
    for value, name in plain.items():
        if abs(factor / value - 1) < 1e-5:
            return name
    return None


def the_same_offset(seen: Seen) -> str | None:
    if seen.is_one_number or not torch.isfinite(seen.yours).all():
        return None
    offset = float((seen.yours - seen.expected).mean())
    if (
        offset
        and not _is_constant(seen.expected)
        and _close(seen.yours, seen.expected + offset, seen)
    ):
        return texts.OFFSET.format(offset=f"{offset:.4g}")
    return None


def complements(seen: Seen) -> str | None:
    total = float((seen.yours + seen.expected).mean())
    if seen.is_one_number or _is_constant(seen.expected) or abs(total - 1) > 1e-5:
        return None
    return texts.COMPLEMENT if _close(seen.yours, 1 - seen.expected, seen) else None


def the_square(seen: Seen) -> str | None:
    return _of_numbers(seen, seen.expected**2, texts.SQUARE)


def the_root(seen: Seen) -> str | None:
    if (seen.expected < 0).any() or (seen.yours < 0).any():
        return None
    return _of_numbers(seen, seen.expected.sqrt(), texts.ROOT)


def the_reciprocal(seen: Seen) -> str | None:
    return _of_numbers(seen, 1 / seen.expected, texts.RECIPROCAL)


def _of_numbers(seen: Seen, other: Tensor, sentence: str) -> str | None:
    ordinary = ((seen.expected.abs() - 1).abs() > 1e-3) & (seen.expected != 0)
    return sentence if ordinary.any() and _close(seen.yours, other, seen) else None


def _is_constant(x: Tensor) -> bool:
    return bool((x == x.flatten()[0]).all()) if x.numel() else True


# Where it differs --------------------------------------------------------------------------------


def elsewhere_equal(seen: Seen) -> str | None:
    """All entries that differ lie where an input is zero, negative or positive, or in one row."""
    y, e = seen.yours, seen.expected
    if seen.is_one_number:
        return None
    wrong = ~torch.isclose(y, e, rtol=seen.tolerance, atol=1e-6, equal_nan=True)
    if not wrong.any() or wrong.all():
        return None
    for name, x in seen.inputs.items():
        if x.shape != e.shape:
            continue
        places = (("= 0", x == 0), ("< 0", x < 0), ("> 0", x > 0), ("≤ 0", x <= 0), ("≥ 0", x >= 0))
        for sign, place in places:
            if torch.equal(wrong, place):
                return texts.DIFFERS_WHERE.format(name=name, sign=sign)
        far = float(x[wrong].abs().min())
        if far >= 10 and torch.equal(wrong, x.abs() >= far):
            return texts.DIFFERS_FAR.format(name=name, far=f"{far:g}")
    return _one_row(wrong)


def _one_row(wrong: Tensor) -> str | None:
    if len(wrong) < 3:
        return None
    rows = wrong.flatten(1).any(1) if wrong.dim() > 1 else wrong
    bad = rows.nonzero().flatten().tolist()
    if len(bad) != 1:
        return None
    row = int(bad[0])
    if row == 0:
        return texts.DIFFERS_FIRST
    return texts.DIFFERS_LAST if row == len(wrong) - 1 else texts.DIFFERS_ROW.format(row=row)


RELATIONS: dict[str, tuple[Callable[[Seen], str | None], ...]] = {
    "shape": (table_for_a_row, transposed, same_numbers_in_another_shape),
    "type": (),
    "dtype": (same_numbers_in_another_dtype,),
    "not finite": (elsewhere_equal,),
    "value": (
        equal_to_seven_digits,
        yours_is_an_input,
        yours_is_another_result,
        zero_everywhere,
        transposed,
        in_reverse,
        the_same_factor,
        the_same_offset,
        complements,
        rows_in_another_order,
        the_square,
        the_root,
        the_reciprocal,
        elsewhere_equal,
    ),
}
"""The closed list, by the kind of difference; what says more comes first."""
