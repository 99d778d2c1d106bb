"""Each relation holds for what it says, and for nothing else; the sentences as students read them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from helpers.checking.compare import compare
from helpers.checking.relations import RELATIONS, relate

x = torch.tensor([[-2.0, 0.0, 1.0], [0.5, 3.0, -1.5], [4.0, -0.25, 2.5], [1.25, -3.0, 0.75]])
square = x[:3]
row = torch.tensor([1.0, 2.5, -3.0, 0.5])
double = torch.tensor([1.5, -2.25, 3.125], dtype=torch.float64)

HOLDS: list[tuple[str, Any, Any, dict[str, Any], str]] = [
    ("table-for-a-row", torch.ones(4, 4), row, {},
     "Your result has shape (4, 4) where (4,) is meant: a row was combined with a column."),
    ("transposed", x.t(), x, {}, "Your result is the expected one, transposed."),
    ("transposed", square.t(), square, {}, "Your result is the expected one, transposed."),
    ("same-numbers-in-another-shape", row[:, None], row, {},
     "The numbers are right, in the shape (4, 1) instead of (4,)."),
    ("same-numbers-in-another-dtype", x.double(), x, {},
     "The numbers are right; only the dtype differs."),
    ("equal-to-seven-digits", (double.float() / 3).double(), double / 3, {},
     "Yours and expected agree to about seven digits: some step of your code computes in float32, "
     "and this case is in float64."),
    ("yours-is-an-input", x, 2 * x + 1, {"x": x}, "Your result equals the argument x."),
    ("yours-is-another-result", x, 2 * x + 1, {"seen": {"mean": x}},
     "Your result equals what is expected for: mean."),
    ("zero-everywhere", torch.zeros(4), row, {}, "Your result is zero in every entry."),
    ("in-reverse", row.flip(0), row, {},
     "Your result is the expected one in reverse order along axis 0."),
    ("the-same-factor", 2 * x, x, {}, "Every entry of yours is 2 times the expected one."),
    ("the-same-factor", -x, x, {}, "Every entry of yours is −1 times the expected one."),
    ("the-same-factor", x / 4, x, {}, "Every entry of yours is ¼ times the expected one."),
    ("the-same-factor", 5 * row, row, {"x": torch.ones(5, 2)},
     "Every entry of yours is 5 (the number of rows) times the expected one."),
    ("the-same-factor", 4 / 3 * row, row, {"x": x},
     "Every entry of yours is 4/3 (4 is the number of rows) times the expected one."),
    ("the-same-factor", 1.7 * x, x, {}, "Every entry of yours is 1.7 times the expected one."),
    ("the-same-factor", 6.0, 3.0, {}, "Yours is 2 times the expected number."),
    ("the-same-offset", x + 0.5, x, {}, "Every entry of yours is the expected one plus 0.5."),
    ("complements", 1 - row, row, {}, "Yours and expected add up to 1 in every entry."),
    ("rows-in-another-order", x[[2, 0, 3, 1]], x, {},
     "Your result holds the expected rows in another order."),
    ("the-square", row**2, row, {}, "Yours is the square of the expected one."),
    ("the-root", row.abs().sqrt(), row.abs(), {}, "Yours is the square root of the expected one."),
    ("the-reciprocal", 1 / row, row, {}, "Yours is 1 divided by the expected one."),
    ("elsewhere-equal", torch.where(x == 0, 9.0, x.exp()), x.exp(), {"x": x},
     "The results differ just where x = 0, and are equal elsewhere."),
    ("elsewhere-equal", torch.where(x < 0, 9.0, x.exp()), x.exp(), {"x": x},
     "The results differ just where x < 0, and are equal elsewhere."),
    ("elsewhere-equal", torch.tensor([0.5, float("nan"), float("nan")]),
     torch.tensor([0.5, 1.0, 1.0]), {"x": torch.tensor([0.0, 100.0, 200.0])},
     "The results differ just where x > 0, and are equal elsewhere."),
    ("elsewhere-equal", torch.cat([x[:1] + torch.rand(1, 3), x[1:]]), x, {},
     "The results differ in the first row only."),
    ("elsewhere-equal", torch.cat([x[:3], x[3:].exp()]), x, {},
     "The results differ in the last row only."),
    ("the-same-factor", np.array([2.0, 4.0]), np.array([1.0, 2.0]), {},
     "Every entry of yours is 2 times the expected one."),
]  # fmt: skip


def relation(yours: Any, expected: Any, more: dict[str, Any]) -> Any:
    difference = compare(yours, expected)
    if difference is None:  # such as float32 in float64, which a finer tolerance would see
        difference = compare(yours, expected, rtol=1e-12, atol=0.0)
    assert difference is not None
    data = {name: value for name, value in more.items() if name != "seen"}
    return relate(difference, "value", data, {"value": expected, **more.get("seen", {})})


@pytest.mark.parametrize(("id", "yours", "expected", "more", "sentence"), HOLDS)
def test_is_told(id: str, yours: Any, expected: Any, more: dict[str, Any], sentence: str) -> None:
    found = relation(yours, expected, more)
    assert found is not None
    assert (found.id, found.sentence) == (id, sentence)


def test_every_relation_is_tried() -> None:
    all_of_them = {f.__name__.replace("_", "-") for fs in RELATIONS.values() for f in fs}
    assert all_of_them == {id for id, *_ in HOLDS}


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (torch.randn(5, generator=torch.Generator().manual_seed(1)), torch.arange(5.0)),
        (3.1, 7.7),
        (torch.tensor([1.0, float("inf"), 3.0]), torch.tensor([3.0, 1.0, 2.0])),
        (torch.zeros(0), torch.zeros(0, 2)),
        ("a", "b"),
        (True, False),
        (None, torch.ones(3)),
        (torch.zeros(3, device="meta"), torch.ones(2)),
    ],
)
def test_nothing_is_told_where_nothing_holds(yours: Any, expected: Any) -> None:
    assert relation(yours, expected, {"x": torch.ones(3, 2)}) is None


def test_a_factor_of_nearly_one_is_no_relation() -> None:
    noise = torch.tensor([1.0, 2.0, 3.0]) * torch.tensor([1.01, 0.98, 1.0])
    assert relation(noise, torch.tensor([1.0, 2.0, 3.0]), {}) is None
