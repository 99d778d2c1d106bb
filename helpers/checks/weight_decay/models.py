"""The models whose parameters `parameter_groups` has to sort."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


class _Shared(nn.Module):
    """Two layers that share one weight, as an encoder and its decoder may."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight


class _Tied(nn.Module):
    """An embedding and an output layer that share one weight, as in language models."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.norm = nn.LayerNorm(4)
        self.again = self.norm
        self.output = nn.Linear(4, 5)
        self.output.weight = self.embedding.weight


class _Named(nn.Module):
    """Layers with the names that people give them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(3, 4)
        self.bn1 = nn.BatchNorm1d(4)
        self.hidden_bn = nn.BatchNorm1d(4)
        self.LayerNorm = nn.LayerNorm(4)
        self.ln = nn.LayerNorm(4)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 2)


class _Own(nn.Module):
    """Parameters that a module of one's own holds, with a bias of two axes."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(3, 4))
        self.bias = nn.Parameter(torch.zeros(1, 4))
        self.temperature = nn.Parameter(torch.ones(()))
        self.activation = nn.PReLU()
        self.factors = nn.ParameterList([torch.ones(2, 2), torch.ones(2, 3)])


class _MisleadingNames(nn.Module):
    """Names that say nothing about what a layer is."""

    def __init__(self) -> None:
        super().__init__()
        self.debias = nn.Linear(3, 3)
        self.norm_input = nn.Linear(3, 3)
        self.scale = nn.LayerNorm(3)


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width)
        )
        self.after = nn.ModuleDict({"norm": nn.LayerNorm(width), "out": nn.Linear(width, 2)})


def _frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    model[1].weight.requires_grad_(False)
    return model


def _attention() -> nn.Module:
    return nn.ModuleDict(
        {
            "attention": nn.MultiheadAttention(4, 2),
            "memory": nn.LSTM(4, 3, num_layers=1),
        }
    )


def _norms() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.GroupNorm(2, 4),
        nn.InstanceNorm2d(4, affine=True),
        nn.BatchNorm2d(4),
        nn.RMSNorm(4),
    )


NO_CHOICE: frozenset[str] = frozenset()

Model = Callable[[], tuple[nn.Module, frozenset[str]]]

MODELS: dict[str, Model] = {
    "nn.Linear(3, 2)": lambda: (nn.Linear(3, 2), NO_CHOICE),
    "a BatchNorm layer between two others": lambda: (
        nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)),
        NO_CHOICE,
    ),
    "a LayerNorm over two axes": lambda: (
        nn.Sequential(nn.Conv1d(2, 3, 1), nn.LayerNorm((3, 5))),
        NO_CHOICE,
    ),
    "nn.LayerNorm((3, 5)) alone": lambda: (nn.LayerNorm((3, 5)), NO_CHOICE),
    "normalisation layers of many kinds": lambda: (_norms(), NO_CHOICE),
    "a model whose first layers are frozen": lambda: (_frozen(), NO_CHOICE),
    "two layers that share a weight": lambda: (_Shared(), NO_CHOICE),
    "layers with names": lambda: (_Named(), NO_CHOICE),
    "modules inside modules": lambda: (nn.Sequential(_Block(3), _Block(3)), NO_CHOICE),
    "attention and an LSTM": lambda: (_attention(), NO_CHOICE),
}
"""Models by what they are, each with the names of the parameters that may stand in either group."""

UNUSUAL: dict[str, Model] = {
    "layers with misleading names": lambda: (_MisleadingNames(), NO_CHOICE),
    "an embedding whose weight is shared": lambda: (_Tied(), NO_CHOICE),
    "parameters held directly by a module": lambda: (
        _Own(),
        frozenset({"temperature", "activation.weight"}),
    ),
    "a model without parameters": lambda: (nn.ReLU(), NO_CHOICE),
}
"""Models for which a wrong group is only noted."""
