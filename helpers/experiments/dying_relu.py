"""Experiments of lesson 03."""

from torch import nn


def is_activation(module: nn.Module) -> bool:
    torchs = any(c.__module__ == "torch.nn.modules.activation" for c in type(module).__mro__)
    return (torchs and not isinstance(module, nn.MultiheadAttention)) or callable(
        getattr(module, "derivative", None)
    )
