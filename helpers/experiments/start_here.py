"""Experiment of lesson 00: how the error of a numerical gradient depends on the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from helpers.data import load


def errors_by_step(
    numerical_gradient: Callable[..., torch.Tensor], steps: Sequence[float], seed: int = 0
) -> list[float]:
    """The largest error of the gradient of a real loss, for each step.

    The loss is the cross-entropy of a linear classifier on 100 handwritten digits, in float64,
    as a function of its ten biases and of the 64 weights of one class.
    """
    digits = load("digits", "cpu").flat()
    x, y = digits.x_train[:100].double(), digits.y_train[:100]  # (100, 64), (100,)
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(10, 64, generator=generator, dtype=torch.float64) / 8
    start = torch.randn(74, generator=generator, dtype=torch.float64)

    def loss(free: torch.Tensor) -> torch.Tensor:
        of_class_0 = free[:64].unsqueeze(0)  # (1, 64)
        logits = x @ torch.cat([of_class_0, weights[1:]]).T + free[64:]  # (100, 10)
        return F.cross_entropy(logits, y)

    leaf = start.clone().requires_grad_()
    (right,) = torch.autograd.grad(loss(leaf), leaf)
    return [(numerical_gradient(loss, start, h) - right).abs().max().item() for h in steps]
