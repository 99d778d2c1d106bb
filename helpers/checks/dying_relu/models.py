"""The models on which `record_activations` is looked at, by how they read in a message."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class Softsquare(nn.Module):
    """An activation like those of lesson 01: torch does not know it, and it has a derivative."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(min=0) ** 2

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x.clamp(min=0)


class Doubling(nn.Module):
    """Changes its input in place, as some layers do to save memory."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mul_(2)


class Failing(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ArithmeticError("this layer always fails")


class Block(nn.Module):
    """A model that is no Sequential: its layers stand in a list and are added up."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
        self.activations = nn.ModuleList([nn.Tanh(), nn.Sequential(nn.Dropout(0.0), nn.SiLU())])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer, activation in zip(self.layers, self.activations, strict=True):
            x = x + activation(layer(x))
        return x


class Repeating(nn.Module):
    """Calls one activation module several times in one forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.activation = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(3):
            x = self.activation(self.linear(x))
        return x


def _shared() -> nn.Module:
    activation = nn.LeakyReLU(0.1)
    return nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 2), activation, nn.Linear(2, 2))


class Unused(nn.Module):
    """Has an activation that its forward pass leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.used = nn.GELU()
        self.spare = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.used(self.linear(x))
        return result


def _in_part(training: bool) -> nn.Module:
    """In one mode, except for one layer that is in the other."""
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    model.train(training)
    model[1].train(not training)
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "a linear layer and a ReLU": lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU()),
    "two hidden layers": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2)
    ),
    "many kinds of activations": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.Sigmoid(), nn.Linear(3, 3), nn.LeakyReLU(), nn.PReLU(), nn.Hardtanh()
    ),
    "an activation of the course's own kind": lambda: nn.Sequential(
        nn.Linear(3, 3), Softsquare(), nn.Linear(3, 3), nn.ReLU()
    ),
    "layers without parameters that are no activations": lambda: nn.Sequential(
        nn.Linear(3, 3),
        nn.Identity(),
        nn.ELU(),
        nn.Dropout(0.0),
        nn.Unflatten(1, (3, 1)),
        nn.Flatten(),
    ),
    "nested modules": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.ReLU(), Block(), nn.Sequential(nn.Sequential(nn.Softplus()))
    ),
    "a layer after the activation that works in place": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.Tanh(), Doubling(), nn.Linear(3, 2)
    ),
    "a ReLU in place, after a LeakyReLU": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.LeakyReLU(), nn.ReLU(inplace=True), nn.Linear(3, 2)
    ),
    "one activation module, called three times": Repeating,
    "one activation module in two places": _shared,
    "an activation that is never called": Unused,
    "dropout in training mode": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 2)
    ),
    "dropout in evaluation mode": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 2)
    ).eval(),
    "training mode, with one frozen layer": lambda: _in_part(training=True),
    "evaluation mode, except for one layer": lambda: _in_part(training=False),
    "images": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)),
    "a float64 model": lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU()).double(),
    "a model that fails after its first activation": lambda: nn.Sequential(
        nn.Linear(3, 3), nn.ReLU(), Failing(), nn.ReLU()
    ),
}
