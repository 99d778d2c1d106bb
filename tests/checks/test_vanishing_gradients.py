"""Checks of lesson 02 on models, hooks and gradients that the generic tests do not reach."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from helpers.answers.vanishing_gradients.network import Network
from helpers.checking.check import Check
from helpers.checking.judging import answers_to, judge, observer
from helpers.checking.report import report_on
from helpers.checks.vanishing_gradients import (
    CHECKS,
    CLIPPING,
    GRADIENT_MAGNITUDE,
    NETWORK,
    RESIDUAL_BLOCK,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_right_answers_pass_on_many_secret_cases(check: Check) -> None:
    """A grader draws fresh cases, and rounding must never refuse a right answer."""
    for seed in range(100, 108):
        for name, variant in answers_to(check).variants.items():
            verdict = judge(check, observer(check, variant, seconds=60), seed)
            assert verdict.outcome == "passed", f"{name}: {report_on(check, verdict).text()}"


def test_another_order_of_summation_is_right() -> None:
    """Layers multiplied out by hand, in float64, differ from nn.Linear in the last digits."""

    class Exact(Network):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            def apply(layer: Any, x: torch.Tensor) -> torch.Tensor:
                wide = (x.double().unsqueeze(-2) * layer.weight.double()).sum(-1)
                return (wide + layer.bias.double()).to(x.dtype)

            x = self.activations[0](apply(self.input_layer, x))
            for layer, activation in zip(self.layers, self.activations[1:], strict=True):
                x = activation(apply(layer, x))
            return apply(self.output_layer, x)

    for seed in range(10):
        verdict = judge(NETWORK, observer(NETWORK, Exact, seconds=60), seed)
        assert verdict.outcome == "passed", report_on(NETWORK, verdict).text()


def test_two_mistakes_together_are_both_named() -> None:
    def signed_with_biases(model: nn.Module) -> dict[str, float]:
        return {n: p.grad.mean().item() for n, p in model.named_parameters() if p.grad is not None}

    verdict = judge(GRADIENT_MAGNITUDE, observer(GRADIENT_MAGNITUDE, signed_with_biases))
    assert verdict.misconception is not None
    assert set(verdict.misconception.split("+")) == {"no-absolute-value", "with-biases"}


def test_values_that_are_tensors_are_noted() -> None:
    def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
        return {
            n: p.grad.abs().mean()
            for n, p in model.named_parameters()
            if p.dim() > 1 and p.grad is not None
        }

    verdict = judge(GRADIENT_MAGNITUDE, observer(GRADIENT_MAGNITUDE, tensors))
    assert verdict.outcome == "passed" and {note.key for note in verdict.notes} == {"kinds"}


@pytest.mark.parametrize(
    "norm_of",
    [
        lambda gs: torch.cat([g.flatten() for g in gs]).norm(),
        lambda gs: torch.cat(list(gs)).norm(),
        lambda gs: torch.sqrt(sum((g**2).sum() for g in gs)).item(),
    ],
)
def test_clipping_that_fails_for_no_gradient_is_named(norm_of: Any) -> None:
    """Also where it fails for no parameters, and for a gradient without an axis, at once."""

    def clip(parameters: Any, max_norm: float) -> Any:
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = norm_of([g.reshape(-1) if g.dim() > 1 else g for g in gradients])
        if norm > max_norm:
            for g in gradients:
                g *= max_norm / norm
        return norm

    assert judge(CLIPPING, observer(CLIPPING, clip)).misconception == "fails-for-none"


def test_the_callers_parameters_keep_their_gradient_tensors() -> None:
    """What an optimiser or a logger holds is changed too, so replacing p.grad is refused."""

    def replaces(parameters: Any, max_norm: float) -> float:
        kept = [p for p in parameters if p.grad is not None]
        norm = float(torch.stack([p.grad.norm() for p in kept]).norm()) if kept else 0.0
        for p in kept:
            p.grad = copy.deepcopy(p.grad) * min(1.0, max_norm / norm if norm else 1.0)
        return norm

    verdict = judge(CLIPPING, observer(CLIPPING, replaces))
    assert verdict.misconception is not None and verdict.misconception == "new-tensors"


def test_a_block_without_module_is_refused_with_its_own_line() -> None:
    class Block:
        def __init__(self, dim: int, activation: Any) -> None:
            self.linear1, self.linear2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
            self.activation = activation()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.linear2(self.activation(self.linear1(x)))

    verdict = judge(RESIDUAL_BLOCK, observer(RESIDUAL_BLOCK, Block))
    assert verdict.outcome == "failed" and verdict.trouble is not None
