"""What the checks of lesson 04 must refuse and accept beyond their own lists of answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_decay.adamw_step import _formula as adamw_from_parts
from helpers.answers.weight_decay.parameter_groups import NORMS
from helpers.answers.weight_decay.penalties import _sum as sum_of
from helpers.answers.weight_decay.penalties import l1_penalty, l2_penalty
from helpers.answers.weight_decay.ridge_solution import ridge_solution
from helpers.answers.weight_decay.sgd_step import _with_new as sgd_from_formula
from helpers.checking.judging import judge, observer
from helpers.checks.weight_decay import (
    ADAMW_STEP,
    CHECKS,
    PARAMETER_GROUPS,
    PENALTIES,
    RIDGE_SOLUTION,
    SGD_STEP,
    SOFT_THRESHOLD,
)

TWO_MISTAKES: dict[str, tuple[Any, Any]] = {
    "a mean and no half": (PENALTIES, (l1_penalty, sum_of(lambda p: F.mse_loss(p, 0 * p)))),
    "both means, as data losses": (
        PENALTIES,
        (sum_of(lambda p: F.l1_loss(p, 0 * p)), sum_of(lambda p: F.mse_loss(p, 0 * p))),
    ),
    "the root of half the square": (
        PENALTIES,
        (l1_penalty, sum_of(lambda p: (0.5 * (p**2).sum()).sqrt())),
    ),
    "double, and without lr": (
        SGD_STEP,
        sgd_from_formula(lambda w, g, lr, wd: w - lr * g - 2 * wd * w),
    ),
    "half the step and double the decay": (
        SGD_STEP,
        sgd_from_formula(lambda w, g, lr, wd: w - lr / 2 * (g + 2 * wd * w)),
    ),
    "no correction, eps under the root": (
        ADAMW_STEP,
        adamw_from_parts(
            correct=lambda m, v, b1, b2, t: (m, v),
            step=lambda mh, vh, eps: mh / (vh + eps).sqrt(),
        ),
    ),
    "coupled, and without lr": (
        ADAMW_STEP,
        adamw_from_parts(
            gradient=lambda g, w, wd: g + wd * w, update=lambda w, s, lr, wd: w - lr * s - wd * w
        ),
    ),
    "hard, and one-sided": (SOFT_THRESHOLD, lambda w, t: torch.where(w > t, w, 0.0)),
    "mean loss with half of λ": (
        RIDGE_SOLUTION,
        lambda X, y, lam: ridge_solution(X, y, lam * len(X) / 2),
    ),
}


@pytest.mark.parametrize("name", TWO_MISTAKES)
def test_two_mistakes_together_are_refused(name: str) -> None:
    check, wrong = TWO_MISTAKES[name]
    assert judge(check, observer(check, wrong)).outcome == "failed"


@torch.no_grad()
def _on_data_with_minus(parameters: Any, lr: float, weight_decay: float = 0.0) -> None:
    for p in filter(lambda p: p.grad is not None, parameters):
        p.data -= lr * (p.grad.data + weight_decay * p.data)


def _through_submodules(model: nn.Module, weight_decay: float) -> Any:
    groups: dict[float, list[nn.Parameter]] = {weight_decay: [], 0.0: []}
    for name, p in model.named_parameters():
        owner, _, own = name.rpartition(".")
        free = "bias" in own or isinstance(model.get_submodule(owner), NORMS) or p.ndim == 0
        if p.requires_grad:
            groups[0.0 if free else weight_decay].append(p)
    return [{"weight_decay": wd, "params": ps, "lr": 0.1} for wd, ps in groups.items()]


MORE_RIGHT_WAYS: dict[str, tuple[Any, Any]] = {
    "p.data -= ...": (SGD_STEP, _on_data_with_minus),
    "through submodules": (PARAMETER_GROUPS, _through_submodules),
    "norms squared": (
        PENALTIES,
        (
            lambda ps: sum((p.norm(1) for p in ps), torch.tensor(0.0, requires_grad=True)),
            lambda ps: sum((p.norm() ** 2 for p in ps), torch.tensor(0.0)) / 2,
        ),
    ),
    "maximum with a zero": (
        SOFT_THRESHOLD,
        lambda w, t: torch.sign(w) * torch.maximum(w.abs() - t, torch.zeros_like(w)),
    ),
    "an inverse of the smaller matrix": (
        RIDGE_SOLUTION,
        lambda X, y, lam: (
            X.T @ torch.inverse(X @ X.T + lam * torch.eye(len(X)).to(X.device, X.dtype)) @ y
        ),
    ),
}


@pytest.mark.parametrize("name", MORE_RIGHT_WAYS)
def test_more_right_ways_are_accepted(name: str) -> None:
    check, right = MORE_RIGHT_WAYS[name]
    for seed in range(3):
        assert judge(check, observer(check, right), seed).outcome == "passed"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_reference_passes_for_many_seeds(check: Any) -> None:
    from helpers.checking.judging import answers_to

    variants = answers_to(check).variants
    for seed in range(10, 20):
        for name, variant in variants.items():
            assert judge(check, observer(check, variant), seed).outcome == "passed", name


def test_l2_penalty_quadruples() -> None:
    weights = [torch.randn(3, 2), torch.randn(4)]
    double = l2_penalty([2 * w for w in weights])
    torch.testing.assert_close(double, 4 * l2_penalty(weights))
