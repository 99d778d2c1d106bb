"""The optimiser and its schedule from their parts, from which right and wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
DECAYED = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)


def trained_parameters(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(n, p) for n, p in model.named_parameters() if p.requires_grad]


def two_groups(decayed: Any, spared: Any, decay: float, spare: float) -> list[dict[str, Any]]:
    return [
        {"params": decayed, "weight_decay": decay},
        {"params": spared, "weight_decay": spare},
    ]


def sgd(groups: Any, lr: float = 0.1) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True)


def adamw(groups: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=1e-2)


def one_cycle(optimizer: torch.optim.Optimizer, total: int) -> Any:
    return lr_scheduler.OneCycleLR(optimizer, 0.1, total, pct_start=0.25)


def configuring(
    prepare: Any = lambda model: model,
    trained: Any = trained_parameters,
    modules: Any = lambda model: model.modules(),
    kinds: Any = DECAYED,
    which: Any = lambda p, owner: p is owner.weight,
    decays: Any = lambda name, p, owner, known: known,
    decay: float = 5e-4,
    spare: float = 0.0,
    groups: Any = two_groups,
    optimizer: Any = sgd,
    scheduled: Any = lambda chosen: chosen,
    length: Any = lambda total: total,
    schedule: Any = lr_scheduler.CosineAnnealingLR,
    result: Any = lambda chosen, scheduler: (chosen, scheduler),
) -> Callable[[nn.Module, int], Any]:
    """Two groups, an optimiser and a schedule. `owner` is the module that holds a parameter, and
    `known` whether that is a layer of the `kinds` and the parameter one of `which`.
    """

    def configure_training(model: nn.Module, total_steps: int) -> Any:
        model = prepare(model)
        owners = {id(p): m for m in modules(model) for p in m.parameters(False)}
        decayed: list[nn.Parameter] = []
        spared: list[nn.Parameter] = []
        for name, p in trained(model):
            owner = owners.get(id(p))
            known = isinstance(owner, kinds) and which(p, owner)
            (decayed if decays(name, p, owner, known) else spared).append(p)
        chosen = optimizer(groups(decayed, spared, decay, spare))
        return result(chosen, schedule(scheduled(chosen), length(total_steps)))

    return configure_training


configure_training = configuring(schedule=one_cycle)
"""SGD with momentum; the rate rises for a quarter of the steps and then falls."""

adamw_training = configuring(decay=0.05, optimizer=adamw)
"""The lesson's own answer: AdamW, and half a cosine down to 0."""
