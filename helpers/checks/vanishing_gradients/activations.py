"""Activation modules for the checks of this lesson, by how they read in a message."""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import nn


class Wave(nn.Module):
    """An activation that no library has, as a student may write one."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(2 * x) + x / 2


FACTORIES: dict[str, Callable[[], nn.Module]] = {
    "nn.ReLU": nn.ReLU,
    "nn.Tanh": nn.Tanh,
    "nn.PReLU": nn.PReLU,
    "Wave": Wave,
    "partial(nn.LeakyReLU, 0.3)": functools.partial(nn.LeakyReLU, 0.3),
}


def fill_parameters(model: nn.Module, seed: int = 7) -> None:
    """Give every parameter values of its own, by name, whatever the order of creation was."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, parameter in sorted(model.named_parameters()):
            fan_in = parameter.shape[1] if parameter.dim() > 1 else 4
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(values * (1.5 / fan_in**0.5))
