"""Optimisers and schedules from which the right and wrong answers of lesson 09 are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

DECAYED = (
    *(nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)


def decayed_weights(model: nn.Module) -> dict[int, nn.Parameter]:
    """The weights of convolutions and linear layers, by identity."""
    return {id(m.weight): m.weight for m in model.modules() if isinstance(m, DECAYED)}


def groups(model: nn.Module, weight_decay: float = 5e-4) -> list[dict[str, Any]]:
    weights = decayed_weights(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if id(p) in weights], "weight_decay": weight_decay},
        {"params": [p for p in trained if id(p) not in weights], "weight_decay": 0.0},
    ]


def sgd(chosen: Any, lr: float = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD(chosen, lr=lr, momentum=0.9, nesterov=True)


def one_cycle(optimizer: torch.optim.Optimizer, steps: int, lr: float = 0.1) -> Any:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps, pct_start=0.25)


def configure_training(model: nn.Module, total_steps: int) -> tuple[Any, Any]:
    """SGD with momentum; the rate rises for a quarter of the steps and then falls."""
    optimizer = sgd(groups(model))
    return optimizer, one_cycle(optimizer, total_steps)


def with_groups(choose: Callable[[nn.Module], Any]) -> Callable[[nn.Module, int], Any]:
    """The same with other groups of parameters."""

    def configure(model: nn.Module, total_steps: int) -> tuple[Any, Any]:
        optimizer = sgd(choose(model))
        return optimizer, one_cycle(optimizer, total_steps)

    return configure


def with_schedule(schedule: Callable[[Any, int], Any]) -> Callable[[nn.Module, int], Any]:
    """The same with another schedule."""

    def configure(model: nn.Module, total_steps: int) -> tuple[Any, Any]:
        optimizer = sgd(groups(model))
        return optimizer, schedule(optimizer, total_steps)

    return configure


def adamw_training(model: nn.Module, total_steps: int) -> tuple[Any, Any]:
    """The lesson's own answer: AdamW, and half a cosine down to 0."""
    optimizer = torch.optim.AdamW(groups(model, 0.05), lr=1e-2)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)
