"""More wrong residual blocks, and a right one whose layers find their sizes by themselves."""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

from helpers.answers.capstone.blocks import BasicBlock
from helpers.checking.check import Misconception


class Lazy(BasicBlock):
    """Every layer finds its number of input channels at the first image."""

    def __init__(self, i, o, stride=1):
        nn.Module.__init__(self)
        self.conv1 = nn.LazyConv2d(o, 3, stride, 1, bias=False)
        self.bn1 = nn.LazyBatchNorm2d()
        self.conv2 = nn.LazyConv2d(o, 3, 1, 1, bias=False)
        self.bn2 = nn.LazyBatchNorm2d()
        self.shortcut = self.make_shortcut(i, o, stride)

    def make_shortcut(self, i, o, stride):
        if i == o and stride == 1:
            return nn.Identity()
        return nn.Sequential(nn.LazyConv2d(o, 1, stride, bias=False), nn.LazyBatchNorm2d())


class _BiasInSecond(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1)


class _ShortcutNeedsBoth(BasicBlock):
    def make_shortcut(self, i, o, stride):
        if stride != 1 and i != o:
            return super().make_shortcut(i, o, stride)
        return nn.Identity()


class _ShortcutWithReLU(BasicBlock):
    def make_shortcut(self, i, o, stride):
        made = super().make_shortcut(i, o, stride)
        return made if isinstance(made, nn.Identity) else nn.Sequential(*made, nn.ReLU())


class _ReLUOnShortcut(BasicBlock):
    def forward(self, x):
        return F.relu(self.around(x) + F.relu(self.shortcut(x)))


class _ShortcutFromInside(BasicBlock):
    def forward(self, x):
        inside = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inside)) + inside)


class _NormFirst(BasicBlock):
    """The order of the second paper (He et al. 2016), with the layers of the first."""

    def forward(self, x):
        inside = self.conv1(F.relu(self.bn1(x)))
        return self.conv2(F.relu(self.bn2(inside))) + self.shortcut(x)


class _AnotherActivation(BasicBlock):
    def forward(self, x):
        inside = F.leaky_relu(self.bn1(self.conv1(x)))
        return F.leaky_relu(self.bn2(self.conv2(inside)) + self.shortcut(x))


class _Wrapped(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.conv1 = nn.Sequential(self.conv1)
        self.conv2 = nn.Sequential(self.conv2)


SLIPS = (
    Misconception(
        "bias-in-second",
        _BiasInSecond,
        "Your conv2 has a bias; conv1 has none, as it should be.",
        "Give conv2 bias=False as well.",
    ),
    Misconception(
        "shortcut-needs-both",
        _ShortcutNeedsBoth,
        "Your shortcut changes the shape only when the stride and the channels both change. One of "
        "the two is enough to change the shape.",
        "Say `or` where you have `and`.",
    ),
    Misconception(
        "shortcut-ends-with-relu",
        _ShortcutWithReLU,
        "Your shortcut ends with a ReLU of its own, so that it can never be negative.",
        "End it with the BatchNorm.",
    ),
    Misconception(
        "relu-on-shortcut",
        _ReLUOnShortcut,
        "Your block applies a ReLU to the shortcut before the sum. The shortcut passes x on as it "
        "is.",
        "Add self.shortcut(x) itself; the only ReLU there comes after the sum.",
    ),
    Misconception(
        "shortcut-from-inside",
        _ShortcutFromInside,
        "Your block adds what comes out of the first convolution, not x. The path around both "
        "convolutions is missing.",
        "Keep x, and add self.shortcut(x).",
    ),
    Misconception(
        "normalises-first",
        _NormFirst,
        "In your block BatchNorm and ReLU come before each convolution, and no ReLU comes after the "
        "sum. That is the order of a later paper (He et al. 2016).",
        "The order here: conv, BatchNorm, ReLU, conv, BatchNorm, sum, ReLU.",
    ),
    Misconception(
        "another-activation",
        _AnotherActivation,
        "Your block uses LeakyReLU: negative numbers come out.",
        "Use ReLU in both places.",
    ),
    Misconception(
        "convolution-inside-sequential",
        _Wrapped,
        "Your conv1 or conv2 is not the convolution itself but a container around it.",
        "Let conv1 and conv2 be nn.Conv2d layers, and bn1 and bn2 the BatchNorms.",
    ),
)
