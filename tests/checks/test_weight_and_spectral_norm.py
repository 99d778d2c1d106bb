"""Lesson 08: the references against PyTorch's own layers, and answers that PyTorch gives away."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from helpers.answers.weight_and_spectral_norm import (
    max_norm,
    power_iteration,
    spectral_layers,
    weight_norm_linear,
)
from helpers.checking.check import Check
from helpers.checking.judging import answers_to, judge, observer
from helpers.checking.report import report_on
from helpers.checks.weight_and_spectral_norm import CHECKS
from helpers.checks.weight_and_spectral_norm.matrices import with_singular_values

WEIGHT, POWER, SPECTRAL, MAX = CHECKS
MANY_SEEDS = range(100, 140)


def gradients(layer: nn.Module, x: torch.Tensor, weights: list[torch.Tensor]) -> list[torch.Tensor]:
    out = layer(x)
    return [out, *torch.autograd.grad(out.pow(3).sum(), weights)]


def test_weight_norm_is_pytorchs() -> None:
    theirs = parametrizations.weight_norm(nn.Linear(5, 3))
    mine = weight_norm_linear.ByHand(5, 3)
    original = theirs.parametrizations.weight
    with torch.no_grad():
        original.original0.mul_(1.5)
        mine.g.copy_(original.original0)
        mine.v.copy_(original.original1)
        mine.bias.copy_(theirs.bias)
    x = torch.randn(7, 5)
    ours = gradients(mine, x, [mine.g, mine.v])
    expected = gradients(theirs, x, [original.original0, original.original1])
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        spectral_layers.PowerIteration,
        spectral_layers.AsInTheLesson,
        spectral_layers.AsInTorch,
    ],
)
def test_spectral_norm_is_pytorchs_at_convergence(make: Any) -> None:
    theirs = nn.Linear(5, 3)
    with torch.no_grad():
        rng = torch.Generator().manual_seed(0)
        theirs.weight.copy_(with_singular_values(rng, 3, 5, [3.0, 1.5, 1.0]))
    mine = make(5, 3)
    mine.load_state_dict(theirs.state_dict(), strict=False)
    theirs = parametrizations.spectral_norm(theirs)
    x = torch.randn(7, 5)
    for _ in range(60):
        theirs(x), mine(x)
    ours = gradients(mine, x, [mine.weight])
    expected = gradients(theirs, x, [theirs.parametrizations.weight.original])
    for a, b in zip(ours, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_power_iteration_is_a_power_of_the_singular_values() -> None:
    """With W = U S Vᵀ and the start u₀, after k steps u is along U S²ᵏ Uᵀu₀."""
    rng = torch.Generator().manual_seed(0)
    W = torch.randn(4, 6, generator=rng, dtype=torch.float64)
    start = torch.randn(4, generator=rng, dtype=torch.float64)
    left, values, right = torch.linalg.svd(W, full_matrices=False)
    for k in (1, 2, 5, 9):
        u = left @ (values ** (2 * k) * (left.T @ start))
        v = right.T @ (values ** (2 * k - 1) * (left.T @ start))
        u, v = u / u.norm(), v / v.norm()
        mine = power_iteration.power_iteration(W, k, start)
        for a, b in zip(mine, (u @ W @ v, u, v), strict=True):
            torch.testing.assert_close(a, b)


def test_max_norm_is_pytorchs() -> None:
    weight = torch.randn(6, 4)
    expected = torch.renorm(weight, 2, 0, 1.5)
    max_norm.apply_max_norm(weight, 1.5)
    torch.testing.assert_close(weight, expected, rtol=1e-5, atol=1e-6)


class ParametrizedInside(nn.Module):
    """Weight norm by PyTorch behind the right names."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        inner = parametrizations.weight_norm(nn.Linear(in_features, out_features))
        original = inner.parametrizations.weight
        self.g, self.v, self.bias = original.original0, original.original1, inner.bias
        self.inner = [inner]

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner[0](x)


ExactSpectralNorm = spectral_layers.RECIPE.made(
    stretch=lambda self, u, v: torch.linalg.matrix_norm(self.weight, 2)
)


class LengthsByTorch(spectral_layers.AsInTheLesson):
    """`torch.linalg.norm` of vectors, and of the rows of a matrix, is no singular value."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            for _ in range(self.n_power_iterations):
                v = self.weight.T @ self.u
                v = v / torch.linalg.norm(v, 2)
                u = self.weight @ v
                u = u / torch.linalg.norm(u[None], ord=2, dim=1)
                self.u = u if self.training else self.u
        return nn.functional.linear(x, self.weight / (u @ self.weight @ v), self.bias)


def by_svd(W: torch.Tensor, num_iterations: int, u: torch.Tensor | None = None) -> Any:
    left, values, right = torch.linalg.svd(W)
    return values[0], left[:, 0], right[0]


def by_renorm(weight: torch.Tensor, max_norm: float) -> None:
    with torch.no_grad():
        weight.copy_(weight.renorm(2, 0, max_norm))


@pytest.mark.parametrize(
    ("check", "implementation", "builtin"),
    [
        (WEIGHT, ParametrizedInside, "weight_norm"),
        (POWER, by_svd, "linalg_svd"),
        (SPECTRAL, ExactSpectralNorm, "linalg_matrix_norm"),
        (MAX, by_renorm, "renorm"),
    ],
)
def test_pytorchs_own_answer_is_named(check: Check, implementation: Any, builtin: str) -> None:
    verdict = judge(check, observer(check, implementation))
    assert verdict.outcome == "failed"
    assert builtin in verdict.builtins
    assert builtin in report_on(check, verdict).text().splitlines()[0]


def in_place_and_cut_off(W: torch.Tensor, num_iterations: int, u: Any = None) -> Any:
    """As a student writes it: in place, and right, since autograd does not look."""
    u = torch.randn(W.shape[0]).to(W) if u is None else u
    with torch.no_grad():
        for _ in range(num_iterations):
            v = W.T @ u
            v /= v.norm()
            u = W @ v
            u /= u.norm()
    return u @ W @ v, u, v


def rebound(weight: torch.Tensor, max_norm: float) -> None:
    factor = (max_norm / weight.norm(dim=1, keepdim=True)).clamp(max=1)
    weight = weight * factor


def new_data(weight: torch.Tensor, max_norm: float) -> None:
    weight.data = weight.data * (max_norm / weight.data.norm(dim=1, keepdim=True)).clamp(max=1)


class TwoIterations(spectral_layers.AsInTheLesson):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 2) -> None:
        super().__init__(in_features, out_features, n_power_iterations)


@pytest.mark.parametrize(
    ("check", "implementation"), [(SPECTRAL, LengthsByTorch), (POWER, in_place_and_cut_off)]
)
def test_what_looks_forbidden_is_accepted(check: Check, implementation: Any) -> None:
    verdict = judge(check, observer(check, implementation))
    assert verdict.outcome == "passed", report_on(check, verdict).text()


@pytest.mark.parametrize(
    ("check", "implementation", "id"),
    [
        (MAX, rebound, "not-in-place"),
        (MAX, new_data, "new-data"),
        (SPECTRAL, TwoIterations, "other-default"),
    ],
)
def test_answers_of_students_are_named(check: Check, implementation: Any, id: str) -> None:
    assert judge(check, observer(check, implementation)).misconception == id


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_right_answers_are_accepted_for_many_seeds(check: Check) -> None:
    variants = list(answers_to(check).variants.values())
    for seed in MANY_SEEDS:
        verdict = judge(check, observer(check, variants[seed % len(variants)]), seed)
        assert verdict.outcome == "passed", report_on(check, verdict).text()
