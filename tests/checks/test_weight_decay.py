"""What the checks of lesson 04 must refuse and accept beyond their own lists of answers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_decay.parameter_groups import NORMS
from helpers.answers.weight_decay.penalties import l1_penalty, l2_penalty, penalties
from helpers.answers.weight_decay.sgd_step import with_new as sgd_from_formula
from helpers.checking.check import Check
from helpers.checking.judging import Verdict, answers_to, judge, observer
from helpers.checks.weight_decay import (
    ADAMW_STEP,
    CHECKS,
    PARAMETER_GROUPS,
    PENALTIES,
    RIDGE_SOLUTION,
    SGD_STEP,
    SOFT_THRESHOLD,
)


def verdict_on(check: Check, answer: Any, seed: int = 0) -> Verdict:
    return judge(check, observer(check, answer), seed, patience=60.0)


def sum_of(term: Any, start: Any = 0.0) -> Any:
    return lambda ps: sum((term(p) for p in ps), start)


def _first_papers_form(
    w: Any,
    grad: Any,
    m: Any,
    v: Any,
    t: int,
    lr: float = 1e-3,
    betas: Any = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Any:
    """The correction in the rate, and then the decay."""
    m = betas[0] * m + (1 - betas[0]) * grad
    v = betas[1] * v + (1 - betas[1]) * grad**2
    rate = lr * (1 - betas[1] ** t) ** 0.5 / (1 - betas[0] ** t)
    w = w - rate * m / (v.sqrt() + eps)
    return w - lr * weight_decay * w, m, v


TWO_MISTAKES: dict[str, tuple[Check, Any, str]] = {
    "no half, and an int to start from": (
        PENALTIES,
        (sum_of(lambda p: p.abs().sum(), 0), sum_of(lambda p: (p**2).sum(), 0)),
        "no-half+plain-zero-for-none",
    ),
    "both means, as data losses": (
        PENALTIES,
        (
            sum_of(lambda p: F.l1_loss(p, 0 * p), torch.tensor(0.0)),
            sum_of(lambda p: F.mse_loss(p, 0 * p), torch.tensor(0.0)),
        ),
        "mean-by-tensor+no-half",
    ),
    "a start of one entry, and no half": (
        PENALTIES,
        (
            sum_of(lambda p: p.abs().sum(), torch.Tensor([0])),
            sum_of(lambda p: (p**2).sum(), torch.Tensor([0])),
        ),
        "no-half+start-of-one-entry",
    ),
    "double, and without lr": (
        SGD_STEP,
        sgd_from_formula(lambda w, g, lr, wd: w - lr * g - 2 * wd * w),
        "decay-without-lr+factor-two",
    ),
    "the decay after the step, the correction in the rate": (
        ADAMW_STEP,
        _first_papers_form,
        "decay-after-step+eps-not-corrected",
    ),
    "both means and λ halved": (
        RIDGE_SOLUTION,
        lambda X, y, lam: torch.linalg.solve(
            X.double().T @ X.double() + lam / 2 * torch.eye(X.shape[1]),
            (X.T @ y).double() / len(X),
        ).to(X.dtype),
        "half-lambda+mean-on-one-side",
    ),
}


@pytest.mark.parametrize("name", TWO_MISTAKES)
def test_two_mistakes_together_are_named(name: str) -> None:
    check, wrong, expected = TWO_MISTAKES[name]
    found = verdict_on(check, wrong).misconception
    assert found is not None and set(found.split("+")) == set(expected.split("+"))


def _by_names(*words: str) -> Any:
    def groups(model: nn.Module, weight_decay: float) -> Any:
        free = lambda name: any(word in name for word in words)  # noqa: E731
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        return [
            {"params": [p for n, p in trained if not free(n)], "weight_decay": weight_decay},
            {"params": [p for n, p in trained if free(n)], "weight_decay": 0.0},
        ]

    return groups


def _by_axes(model: nn.Module, weight_decay: float) -> Any:
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]


MISTAKES_OF_MANY: dict[str, tuple[Check, Any, str]] = {
    "matrices decay": (PARAMETER_GROUPS, _by_axes, "by-axes"),
    "bias and LayerNorm.weight": (
        PARAMETER_GROUPS,
        _by_names("bias", "LayerNorm.weight"),
        "by-name-of-layer",
    ),
    "bias and _bn": (PARAMETER_GROUPS, _by_names("bias", "_bn"), "by-name-of-layer"),
    "a root and a square": (
        PENALTIES,
        (l1_penalty, sum_of(lambda p: 0.5 * (p**2).sum().sqrt() ** 2, torch.zeros(()))),
        "root-and-square-again",
    ),
    "a float to start from": (
        PENALTIES,
        (sum_of(lambda p: p.abs().sum()), sum_of(lambda p: (p**2).sum() / 2)),
        "plain-zero-for-none",
    ),
    "hard": (SOFT_THRESHOLD, lambda w, t: w * (w.abs() > t), "hard-threshold"),
    "an intercept that is not penalised": (
        RIDGE_SOLUTION,
        lambda X, y, lam: torch.linalg.solve(
            (X1 := torch.cat([X, torch.ones(len(X), 1).to(X)], 1)).T @ X1
            + lam * torch.diag(torch.tensor([1.0] * X.shape[1] + [0.0])).to(X),
            X1.T @ y,
        )[:-1],
        "with-intercept",
    ),
}


@pytest.mark.parametrize("name", MISTAKES_OF_MANY)
def test_a_mistake_of_many_is_named(name: str) -> None:
    check, wrong, expected = MISTAKES_OF_MANY[name]
    assert verdict_on(check, wrong).misconception == expected


NOTED: dict[str, tuple[Check, Any]] = {
    "a zero divided by zero": (
        SOFT_THRESHOLD,
        lambda w, t: (w.abs() - t).clamp(min=0) * (w / (w.abs() + 1e-12 * t)),
    ),
    "a list is needed": (PENALTIES, penalties(chosen=lambda ps: ps[:])),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_goes_beyond_the_lesson_is_noted(name: str) -> None:
    check, answer = NOTED[name]
    verdict = verdict_on(check, answer)
    assert verdict.outcome == "passed" and verdict.notes
    assert judge(check, observer(check, answer), strict=True).outcome == "failed"


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
        assert verdict_on(check, right, seed).outcome == "passed"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_reference_passes_for_many_seeds(check: Any) -> None:
    variants = answers_to(check).variants
    for seed in range(10, 20):
        for name, variant in variants.items():
            assert verdict_on(check, variant, seed).outcome == "passed", name


def test_l2_penalty_quadruples() -> None:
    weights = [torch.randn(3, 2), torch.randn(4)]
    double = l2_penalty([2 * w for w in weights])
    torch.testing.assert_close(double, 4 * l2_penalty(weights))
