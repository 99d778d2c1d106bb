"""What the checks of this lesson's two layers have in common: how a layer is set and described."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def parameters_of(layer: Any) -> str:
    """Names, shapes and dtypes of all parameters, in alphabetical order.

    >>> parameters_of(nn.Linear(3, 2))
    'bias (2,) float32, weight (2, 3) float32'
    """
    described = [
        f"{name} {tuple(p.shape)} {str(p.dtype).removeprefix('torch.')}"
        for name, p in sorted(layer.named_parameters())
    ]
    return ", ".join(described) or "none"


def parts_of_torch(layer: Any) -> str:
    """The modules of `torch.nn.utils` inside a layer: parametrizations are made of them."""
    found = {
        type(module).__name__
        for module in layer.modules()
        if type(module).__module__.startswith("torch.nn.utils")
    }
    return ", ".join(sorted(found)) or "none"


def saved_among(layer: Any, names: tuple[str, ...]) -> str:
    """Which of these names are keys of the layer's state_dict; others may stand beside them."""
    keys = layer.state_dict().keys()
    return ", ".join(name for name in names if name in keys) or "none"


def assign(layer: Any, **values: torch.Tensor) -> None:
    """Write new values into a layer's parameters, as an optimiser or a loaded file does."""
    with torch.no_grad():
        for name, value in values.items():
            getattr(layer, name).copy_(value)


def in_a_model(layer: Any) -> nn.Module:
    """A parent, so that train() and eval() reach the layer as they do in a network."""
    return nn.Sequential(layer)
