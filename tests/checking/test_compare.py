"""The order of comparison, and what counts as equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from helpers.checking.case import Case, Foreign, describe, show, snapshot
from helpers.checking.compare import compare

ONE = torch.tensor([1.0, 2.0])


@pytest.mark.parametrize(
    ("yours", "expected", "kind"),
    [
        ([1.0, 2.0], ONE, "type"),
        (1.0, ONE, "type"),
        (ONE, 1.0, "type"),
        ("1", 1, "type"),
        (None, 1.0, "type"),
        (True, 1, "type"),
        (1, True, "type"),
        (torch.zeros(2, 1), ONE, "shape"),
        (torch.zeros(2, 1, dtype=torch.float64), ONE, "shape"),
        (ONE.double(), ONE, "dtype"),
        (ONE.long(), ONE, "dtype"),
        (ONE, torch.empty(2, device="meta"), "device"),
        (torch.tensor([1.0, float("nan")]), ONE, "not finite"),
        (torch.tensor([float("inf"), 0.0]), ONE, "not finite"),
        (float("nan"), 1.0, "not finite"),
        (torch.tensor([1.0, 2.1]), ONE, "value"),
        (1.5, 1.0, "value"),
        ("a", "b", "value"),
        (np.ones(2, dtype=np.float32), np.ones(2), "dtype"),
        (np.zeros(2), np.ones(2), "value"),
        (torch.ones(2), np.ones(2), "type"),
    ],
)
def test_first_difference(yours: Any, expected: Any, kind: str) -> None:
    found = compare(snapshot(yours), snapshot(expected))
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    ("yours", "expected"),
    [
        (ONE.clone(), ONE),
        (ONE + 1e-6, ONE),
        (np.float64(1.0), 1.0),
        (np.int64(3), 3),
        (2, 2.0),
        (float("nan"), float("nan")),
        (torch.tensor([float("nan")]), torch.tensor([float("nan")])),
        (torch.tensor([float("inf")]), torch.tensor([float("inf")])),
        (torch.zeros(0, 3), torch.zeros(0, 3)),
        (torch.nn.Parameter(ONE), ONE),
        (torch.tensor([True, False]), torch.tensor([True, False])),
        (None, None),
        ("ValueError", "ValueError"),
    ],
)
def test_equal(yours: Any, expected: Any) -> None:
    assert compare(snapshot(yours), snapshot(expected)) is None


def test_two_wrong_types_can_be_the_same_mistake() -> None:
    assert compare(snapshot([1]), snapshot([1])) is None
    assert compare(snapshot([1]), snapshot([2])) is not None


def test_says_where_and_how_many() -> None:
    found = compare(torch.tensor([[1.0, 2.0], [9.0, 9.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert found is not None
    assert (found.index, found.count) == ((1, 0), 2)


def test_snapshot_is_not_changed_later() -> None:
    x = torch.zeros(2)
    kept = snapshot(x)
    x += 1
    assert kept.tolist() == [0.0, 0.0]
    assert isinstance(snapshot([1]), Foreign)
    assert snapshot(torch.zeros(1).expand(10**12)).kind.startswith("a tensor too large")


def test_snapshot_of_an_object_that_cannot_be_printed() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    assert snapshot(Bad()).text == "an object that cannot be printed"


@pytest.mark.parametrize(
    "x",
    [
        torch.randn(2, 3).t(),
        torch.randn(1, 3).expand(2, 3),
        torch.randn(6)[1::2],
        torch.tensor(1.0),
        torch.zeros(0, 2),
        torch.ones(2, requires_grad=True),
        torch.zeros(2, 3, device="meta"),
    ],
)
def test_a_fresh_case_keeps_strides_and_shares_nothing(x: torch.Tensor) -> None:
    case = Case("any", x=x, many=[x, x])
    fresh = case.fresh()
    assert fresh.x.stride() == x.stride()
    assert fresh.x.requires_grad == x.requires_grad
    if x.device.type != "meta":
        assert torch.equal(fresh.x, x)
        fresh.x.data.fill_(7)
        fresh.many[0].data.fill_(7)
        assert not (x == 7).any()


def test_how_values_read() -> None:
    assert show(torch.tensor([-1.0, 0.5])) == "tensor([-1., 0.5])"
    assert show(torch.tensor(3)) == "tensor(3)"
    assert show(torch.zeros(9), "x") == "x"
    assert show([torch.zeros(1), 2]) == "[tensor([0.]), 2]"
    assert describe(torch.zeros(2, dtype=torch.float64)) == "shape (2,), float64"
    assert describe(torch.zeros(2, device="meta")) == "shape (2,), float32, on meta"
    assert describe(None) == "None"
    assert describe(3) == "an int"
