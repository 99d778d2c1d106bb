"""Experiments of lesson 01: what a bend is good for, saturation, and centred outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.training import accuracy, seeded, train

Slope = Callable[[torch.Tensor], torch.Tensor]


def even_or_odd(name: str = "digits") -> Dataset:
    """Images whose class is 0 for an even digit and 1 for an odd one, as flat vectors."""
    data = load(name).flat()
    return replace(
        data,
        y_train=data.y_train % 2,
        y_val=data.y_val % 2,
        y_test=data.y_test % 2,
        classes=("even", "odd"),
    )


def stack(
    data: Dataset,
    activation: Callable[[], nn.Module] | None,
    depth: int,
    seed: int,
    width: int = 64,
) -> nn.Sequential:
    """`depth` linear layers, with an activation between each two of them, or with none."""
    sizes = [data.num_features, *[width] * (depth - 1), data.num_classes]
    layers: list[nn.Module] = []
    with seeded(seed):
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            if i and activation is not None:
                layers.append(activation())
            layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers).to(data.x_train.device)


def accuracy_after_training(
    data: Dataset,
    activation: Callable[[], nn.Module] | None,
    depth: int,
    seed: int,
    epochs: int = 30,
    lr: float = 0.1,
) -> float:
    """Test accuracy after training a stack; everything else is equal."""
    model = stack(data, activation, depth, seed)
    train(model, data, epochs=epochs, lr=lr, momentum=0.9, seed=seed, evaluate=False)
    return accuracy(model, data.x_test, data.y_test)


class Bend(nn.Module):
    """Any function of one number as an activation module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def saturated_share(
    slope: Slope, scales: Sequence[float], seed: int = 0, below: float = 0.05
) -> list[float]:
    """The share of units whose slope is below `below`, for random layers of growing weights.

    The layer has 256 units; its inputs are the test digits. Its weights are normal and such that
    the input of a unit has a standard deviation of about `scale` over images and units.
    """
    data = load("digits").flat()
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(256, data.num_features, generator=generator).to(data.x_test.device)
    inputs = data.x_test @ weight.T  # (397, 256)
    inputs = inputs / inputs.std()
    return [(slope(inputs * scale).abs() < below).float().mean().item() for scale in scales]


def one_sign_share(activation: Callable[[torch.Tensor], torch.Tensor], seed: int = 0) -> float:
    """The share of neurons behind an activation whose incoming weights no image pushes in both
    directions: for one image, none of their gradients is positive, or none is negative.

    One random layer of 64 units, the activation, and a layer of 10 outputs, over 100 images.
    """
    data = load("digits").flat()
    with seeded(seed):
        first, second = nn.Linear(64, 64), nn.Linear(64, 10)
    same = 0
    for x, y in zip(data.x_train[:100].cpu(), data.y_train[:100].cpu(), strict=True):
        hidden = activation(first(x)).detach()
        loss = F.cross_entropy(second(hidden), y)
        (gradient,) = torch.autograd.grad(loss, second.weight)  # (10, 64)
        same += int(((gradient >= 0).all(1) | (gradient <= 0).all(1)).sum())
    return same / (100 * 10)
