"""The residual block from its parts, from which the right and wrong answers are made."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import conv1x1, conv3x3


class BasicBlock(nn.Module):
    """The block of He et al. (2015), from torchvision's convolutions."""

    default_stride = 1
    conv1: nn.Module
    bn1: nn.Module
    conv2: nn.Module
    bn2: nn.Module
    shortcut: Any

    def __init__(self, in_channels: int, out_channels: int, stride: int | None = None) -> None:
        super().__init__()
        s = self.default_stride if stride is None else stride
        i, o = in_channels, out_channels
        projects = self.changes(i, o, s)
        layers: dict[str, nn.Module] = {"conv1": self.first(i, o, s), "bn1": self.norm(o)}
        layers |= {"conv2": self.second(i, o, s), "bn2": self.norm(o)}
        layers["shortcut"] = self.project(i, o, s) if projects else nn.Identity()
        self.attach(layers)

    def first(self, i: int, o: int, stride: int) -> nn.Module:
        return conv3x3(i, o, stride)

    def second(self, i: int, o: int, stride: int) -> nn.Module:
        return conv3x3(o, o)

    def norm(self, channels: int) -> nn.Module:
        return nn.BatchNorm2d(channels)

    def changes(self, i: int, o: int, stride: int) -> bool:
        return stride != 1 or i != o

    def project(self, i: int, o: int, stride: int) -> nn.Module:
        return nn.Sequential(conv1x1(i, o, stride), nn.BatchNorm2d(o))

    def attach(self, layers: dict[str, nn.Module]) -> None:
        for name, layer in layers.items():
            setattr(self, name, layer)

    def enter(self, x: torch.Tensor) -> Any:
        return self.bn1(self.conv1(x))

    def bend(self, inside: torch.Tensor) -> Any:
        return F.relu(inside)

    def leave(self, inside: torch.Tensor) -> Any:
        return self.bn2(self.conv2(inside))

    def way(self, x: torch.Tensor, inside: torch.Tensor) -> Any:
        """What is added: the shortcut of x."""
        return self.shortcut(x)

    def join(self, branch: torch.Tensor, short: torch.Tensor) -> Any:
        return branch + short

    def last(self, total: torch.Tensor) -> Any:
        return F.relu(total)

    def forward(self, x: torch.Tensor) -> Any:
        inside = self.bend(self.enter(x))
        branch = self.leave(inside)
        return self.last(self.join(branch, self.way(x, inside)))
