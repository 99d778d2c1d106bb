"""Residual blocks from which the right and wrong answers of lesson 09 are made."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models.resnet import conv1x1, conv3x3


class BasicBlock(nn.Module):
    """The block of He et al. (2015), from torchvision's convolutions."""

    first_stride, second_stride, bias = True, False, False

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = conv3x3(in_channels, out_channels, stride if self.first_stride else 1)
        self.bn1: nn.Module = nn.BatchNorm2d(out_channels)
        self.conv2 = conv3x3(out_channels, out_channels, stride if self.second_stride else 1)
        self.bn2: nn.Module = nn.BatchNorm2d(out_channels)
        self.shortcut = self.make_shortcut(in_channels, out_channels, stride)

    def make_shortcut(self, i: int, o: int, stride: int) -> nn.Module:
        if i == o and stride == 1:
            return nn.Identity()
        return nn.Sequential(conv1x1(i, o, stride), nn.BatchNorm2d(o))

    def around(self, x: torch.Tensor) -> torch.Tensor:
        """The two convolutions, without the shortcut."""
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.around(x) + self.shortcut(x))
