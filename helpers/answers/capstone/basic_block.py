"""The residual block: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.capstone.block_slips import SLIPS, Lazy
from helpers.answers.capstone.blocks import BasicBlock
from helpers.checking.check import Answers, Misconception


class Written(nn.Module):
    """As most students write it."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.relu(out)


class Clamps(BasicBlock):
    """The sum in another order, the ReLU as a clamp, one Sequential for the identity too."""

    def make_shortcut(self, i, o, stride):
        made = super().make_shortcut(i, o, stride)
        return nn.Sequential(made, nn.Identity())

    def forward(self, x):
        return torch.add(self.shortcut(x), self.around(x)).clamp(min=0)


class ShortcutOrNone(BasicBlock):
    def make_shortcut(self, i, o, stride):
        made = super().make_shortcut(i, o, stride)
        return None if isinstance(made, nn.Identity) else made

    def forward(self, x):
        return F.relu(self.around(x) + (x if self.shortcut is None else self.shortcut(x)))


class InTwoModules(BasicBlock):
    """The shortcut is a module of its own, with the normalisation named first."""

    class Projection(nn.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.norm = nn.BatchNorm2d(o)
            self.projection = nn.Conv2d(i, o, (1, 1), (stride, stride), bias=False)

        def forward(self, x):
            return self.norm(self.projection(x))

    def make_shortcut(self, i, o, stride):
        same = stride == 1 and i == o
        return nn.Identity() if same else self.Projection(i, o, stride)


class _ConvBias(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1)


class _ShortcutBias(BasicBlock):
    def make_shortcut(self, i, o, stride):
        if i == o and stride == 1:
            return nn.Identity()
        return nn.Sequential(nn.Conv2d(i, o, 1, stride), nn.BatchNorm2d(o))


class _NoFinalReLU(BasicBlock):
    def forward(self, x):
        return self.around(x) + self.shortcut(x)


class _ReLUBeforeSum(BasicBlock):
    def forward(self, x):
        return F.relu(self.around(x)) + self.shortcut(x)


class _ReLUBeforeAndAfter(BasicBlock):
    def forward(self, x):
        return F.relu(F.relu(self.around(x)) + self.shortcut(x))


class _NoInnerReLU(BasicBlock):
    def around(self, x):
        return self.bn2(self.conv2(self.bn1(self.conv1(x))))


class _NoShortcut(BasicBlock):
    def forward(self, x):
        return F.relu(self.around(x))


class _AlwaysProjects(BasicBlock):
    def make_shortcut(self, i, o, stride):
        return nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))


class _ShortcutWithoutNorm(BasicBlock):
    def make_shortcut(self, i, o, stride):
        if i == o and stride == 1:
            return nn.Identity()
        return nn.Conv2d(i, o, 1, stride, bias=False)


class _ThreeByThree(BasicBlock):
    def make_shortcut(self, i, o, stride):
        if i == o and stride == 1:
            return nn.Identity()
        return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o))


class _StrideSecond(BasicBlock):
    first_stride, second_stride = False, True


class _BothStrides(BasicBlock):
    second_stride = True


class _NormTwice(BasicBlock):
    def around(self, x):
        return self.bn1(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class _NoSecondNorm(BasicBlock):
    def around(self, x):
        return self.conv2(F.relu(self.bn1(self.conv1(x))))


class _NormAfterReLU(BasicBlock):
    def around(self, x):
        return self.bn2(self.conv2(self.bn1(F.relu(self.conv1(x)))))


class _InPlace(BasicBlock):
    def forward(self, x):
        out = self.around(x)
        return F.relu(out + self.shortcut(F.relu(x, inplace=True)))


class _OnlyStride(BasicBlock):
    def make_shortcut(self, i, o, stride):
        return nn.Identity() if stride == 1 else super().make_shortcut(i, o, stride)


class _OnlyChannels(BasicBlock):
    def make_shortcut(self, i, o, stride):
        return nn.Identity() if i == o else super().make_shortcut(i, o, stride)


class _BatchStatistics(BasicBlock):
    def around(self, x):
        self.bn1.train()
        self.bn2.train()
        return super().around(x)


class _Detached(BasicBlock):
    def forward(self, x):
        return F.relu(self.around(x) + self.shortcut(x).detach())


class _DetachedBranch(BasicBlock):
    def forward(self, x):
        return F.relu(self.around(x).detach() + self.shortcut(x))


class _Average(BasicBlock):
    def forward(self, x):
        return F.relu((self.around(x) + self.shortcut(x)) / 2)


class _Downsample(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.downsample = self.shortcut
        del self.shortcut


class _NoPadding(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.conv1 = nn.Conv2d(i, o, 3, stride, bias=False)
        self.conv2 = nn.Conv2d(o, o, 3, bias=False)


class _SmallKernel(BasicBlock):
    def __init__(self, i, o, stride=1):
        super().__init__(i, o, stride)
        self.conv2 = nn.Conv2d(o, o, 1, bias=False)


ANSWERS = Answers(
    reference=BasicBlock,
    variants={
        "layers that find their sizes": Lazy,
        "as most write it": Written,
        "clamp": Clamps,
        "no module for the identity": ShortcutOrNone,
        "a module for the projection": InTwoModules,
    },
    misconceptions=(
        Misconception(
            "convolution-with-bias",
            _ConvBias,
            "Your 3×3 convolutions have a bias. The BatchNorm after each takes the mean away, so "
            "that this bias does nothing.",
            "Give both convolutions bias=False.",
        ),
        Misconception(
            "shortcut-with-bias",
            _ShortcutBias,
            "The convolution of your shortcut has a bias, which the BatchNorm after it cancels.",
            "Give the 1×1 convolution bias=False.",
        ),
        Misconception(
            "no-relu-after-sum",
            _NoFinalReLU,
            "Your block returns the sum itself. A ReLU comes after the sum.",
            "Wrap the sum in a ReLU before you return it.",
        ),
        Misconception(
            "relu-before-sum",
            _ReLUBeforeSum,
            "Your second ReLU comes before the sum, so that the branch can only add and never "
            "take away.",
            "Add the shortcut first, then apply the ReLU to the sum.",
        ),
        Misconception(
            "relu-before-and-after",
            _ReLUBeforeAndAfter,
            "Your block applies a ReLU before the sum as well as after it.",
            "Behind bn2 comes the sum at once, and only then the ReLU.",
        ),
        Misconception(
            "no-inner-relu",
            _NoInnerReLU,
            "Nothing bends between your two convolutions, so that the branch stays linear.",
            "Put a ReLU between bn1 and conv2.",
        ),
        Misconception(
            "no-shortcut",
            _NoShortcut,
            "Your block does not add the shortcut: it is a plain stack of two convolutions.",
            "Add self.shortcut(x) to the result of bn2.",
        ),
        Misconception(
            "always-projects",
            _AlwaysProjects,
            "Your shortcut has a convolution also where the shape stays the same.",
            "Use the identity where the stride is 1 and the channels are equal.",
        ),
        Misconception(
            "shortcut-without-batchnorm",
            _ShortcutWithoutNorm,
            "Your shortcut changes the shape by a convolution alone; a BatchNorm follows it.",
            "Put the 1×1 convolution and a BatchNorm into an nn.Sequential.",
        ),
        Misconception(
            "shortcut-three-by-three",
            _ThreeByThree,
            "Your shortcut uses a 3×3 convolution. A 1×1 convolution changes the shape as well and "
            "keeps the path short.",
            "Use a kernel of 1 without padding.",
        ),
        Misconception(
            "stride-in-second",
            _StrideSecond,
            "Your second convolution has the stride; the first one should have it.",
            "Give the stride to conv1 and leave conv2 at 1.",
        ),
        Misconception(
            "stride-in-both",
            _BothStrides,
            "Both of your convolutions have the stride, so that the branch shrinks twice.",
            "Give the stride to conv1 and leave conv2 at 1.",
        ),
        Misconception(
            "one-batchnorm-twice",
            _NormTwice,
            "Your block uses bn1 twice. It then mixes the statistics of two different places.",
            "Use bn2 after conv2.",
        ),
        Misconception(
            "no-second-batchnorm",
            _NoSecondNorm,
            "Your block has no BatchNorm between conv2 and the sum.",
            "Apply bn2 to the result of conv2.",
        ),
        Misconception(
            "batchnorm-after-relu",
            _NormAfterReLU,
            "Your first BatchNorm comes after the ReLU; in this block it comes before.",
            "The order is conv1, bn1, ReLU, conv2, bn2.",
        ),
        Misconception(
            "changes-its-input",
            _InPlace,
            "Your block applies a ReLU to x in place, and the shortcut gets what is left of x.",
            "Leave x as it is: an in-place ReLU belongs only on tensors that your block has made.",
        ),
        Misconception(
            "shortcut-by-stride-only",
            _OnlyStride,
            "Your shortcut is the identity whenever the stride is 1, also where the number of "
            "channels changes.",
            "Ask for both: the stride and the channels.",
        ),
        Misconception(
            "shortcut-by-channels-only",
            _OnlyChannels,
            "Your shortcut is the identity whenever the channels are equal, also where the stride "
            "shrinks the image.",
            "Ask for both: the stride and the channels.",
        ),
        Misconception(
            "batch-statistics-in-eval",
            _BatchStatistics,
            "Your block normalises by the present batch in evaluation mode too.",
            "Do not call train() inside forward; model.eval() reaches your layers by itself.",
        ),
        Misconception(
            "detached-shortcut",
            _Detached,
            "Your shortcut is detached, so that no gradient flows along it, which is its purpose.",
            "Add self.shortcut(x) without detach() and outside torch.no_grad().",
        ),
        Misconception(
            "detached-branch",
            _DetachedBranch,
            "Your two convolutions are detached from the sum and would never learn.",
            "Add the result of bn2 without detach() and outside torch.no_grad().",
        ),
        Misconception(
            "average-of-both",
            _Average,
            "Your block halves the sum. The block adds the shortcut as it is.",
            "Return the ReLU of the sum, without a factor.",
        ),
        Misconception(
            "downsample-for-shortcut",
            _Downsample,
            "Your shortcut is called `downsample`, as in torchvision; here it is `shortcut`.",
            "Rename the attribute.",
        ),
        Misconception(
            "no-padding",
            _NoPadding,
            "Your 3×3 convolutions have no padding, so that each takes away the border.",
            "Give both convolutions padding=1.",
        ),
        Misconception(
            "small-second-kernel",
            _SmallKernel,
            "Your second convolution has a kernel of 1; both have a kernel of 3.",
            "Use kernel_size=3 and padding=1 in conv2.",
        ),
        *SLIPS,
    ),
)
