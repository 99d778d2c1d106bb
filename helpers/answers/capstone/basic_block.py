"""The residual block: the recipe's slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.capstone.blocks import BasicBlock
from helpers.checking.recipe import Answers, Recipe, family, slip

Conv, Norm = nn.Conv2d, nn.BatchNorm2d


class Lazy(BasicBlock):
    """Every layer finds its number of input channels at the first image."""

    def first(self, i, o, stride):
        return nn.LazyConv2d(o, 3, stride, 1, bias=False)

    def norm(self, channels):
        return nn.LazyBatchNorm2d()

    def project(self, i, o, stride):
        return nn.Sequential(nn.LazyConv2d(o, 1, stride, bias=False), nn.LazyBatchNorm2d())


class Written(nn.Module):
    """As a well-known repository for CIFAR-10 prints it."""

    expansion = 1

    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = Conv(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = Norm(planes)
        self.conv2 = Conv(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = Norm(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != self.expansion * planes:
            self.shortcut = nn.Sequential(
                Conv(in_planes, planes, kernel_size=1, stride=stride, bias=False), Norm(planes)
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class InPlaceReLU(Written):
    """As libraries print it: one module of ReLU for both places, in place, and an `identity`."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if not isinstance(self.shortcut, nn.Identity):
            identity = self.shortcut(x)
        out += identity
        return self.relu(out)


class InOneSequential(BasicBlock):
    """As a course prints it: the branch is one container of the four layers."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__(in_channels, out_channels, stride)
        self.net = nn.Sequential(self.conv1, self.bn1, nn.ReLU(), self.conv2, self.bn2)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.net(x) + self.shortcut(x))


class Clamps(BasicBlock):
    """The sum in another order, the ReLU as a clamp, one Sequential for the identity too."""

    def attach(self, layers):
        super().attach({**layers, "shortcut": nn.Sequential(layers["shortcut"], nn.Identity())})

    def forward(self, x):
        branch = self.leave(self.enter(x).clamp(min=0))
        return torch.add(self.shortcut(x), branch).clamp(min=0)


class ShortcutOrNone(BasicBlock):
    """As a textbook prints it: `None` where nothing is to be done."""

    def attach(self, layers):
        is_plain = isinstance(layers["shortcut"], nn.Identity)
        super().attach(layers)
        self.shortcut = None if is_plain else layers["shortcut"]

    def forward(self, X):
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        if self.shortcut:
            X = self.shortcut(X)
        Y += X
        return F.relu(Y)


class InTwoModules(BasicBlock):
    """The shortcut is a module of its own, with the normalisation named first."""

    class Projection(nn.Module):
        def __init__(self, i, o, stride):
            super().__init__()
            self.norm = Norm(o)
            self.projection = Conv(i, o, (1, 1), (stride, stride), bias=False)

        def forward(self, x):
            return self.norm(self.projection(x))

    def project(self, i, o, stride):
        return self.Projection(i, o, stride)


class _WithoutWeights(nn.Module):
    """The paper's other shortcut: every s-th place, and channels of zeros."""

    def __init__(self, more, stride):
        super().__init__()
        self.more, self.stride = more, stride

    def forward(self, x):
        front = self.more // 2
        sides = (0, 0, 0, 0, front, self.more - front)
        return F.pad(x[:, :, :: self.stride, :: self.stride], sides)


def _renamed(new: str) -> dict[str, Any]:
    def attach(block, layers):
        for name, layer in layers.items():
            setattr(block, new if name == "shortcut" else name, layer)

    return {"attach": attach}


def _without_shortcut(block, layers):
    for name in ("conv1", "bn1", "conv2", "bn2"):
        setattr(block, name, layers[name])


def _in_container(new: str) -> dict[str, Any]:
    def attach(block, layers):
        shortcut = layers.pop("shortcut")
        block.shortcut = shortcut
        setattr(block, new, nn.Sequential(*layers.values()))

    return {"attach": attach}


def _one_norm(block, layers):
    for name, layer in layers.items():
        setattr(block, name, layers["bn1"] if name == "bn2" else layer)


def _both(first: Any, second: Any) -> tuple[dict[str, Any], ...]:
    """The same mistake in both 3×3 convolutions, or in one of them."""
    return {"first": first, "second": second}, {"first": first}, {"second": second}


ACTIVATIONS = {
    "LeakyReLU": F.leaky_relu,
    "LeakyReLU with slope 0.1": lambda x: F.leaky_relu(x, 0.1),
    "LeakyReLU with slope 0.2": lambda x: F.leaky_relu(x, 0.2),
    "GELU": F.gelu,
    "SiLU": F.silu,
    "ELU": F.elu,
    "tanh": torch.tanh,
    "the sigmoid": torch.sigmoid,
}
NAMES = ("downsample", "skip", "residual", "projection", "proj", "identity", "skip_connection")
CONTAINERS = ("net", "block", "layers", "conv", "main", "branch", "residual_function")

ANSWERS = Answers(
    recipe=Recipe(BasicBlock),
    variants={
        "layers that find their sizes": Lazy,
        "as a repository prints it": Written,
        "as a library prints it: one ReLU in place": InPlaceReLU,
        "as a course prints it: one container": InOneSequential,
        "as a textbook prints it: no module for the identity": ShortcutOrNone,
        "clamp": Clamps,
        "a module for the projection": InTwoModules,
    },
    slips=(
        slip(
            "convolution-with-bias",
            "A 3×3 convolution of yours has a bias. The BatchNorm after it takes the mean away, so "
            "that this bias does nothing.",
            "Give both convolutions bias=False.",
            *_both(
                lambda b, i, o, s: Conv(i, o, 3, s, 1),
                lambda b, i, o, s: Conv(o, o, 3, 1, 1),
            ),
        ),
        slip(
            "no-padding",
            "A 3×3 convolution of yours has no padding, so that it takes away the border.",
            "Give both convolutions padding=1.",
            *_both(
                lambda b, i, o, s: Conv(i, o, 3, s, bias=False),
                lambda b, i, o, s: Conv(o, o, 3, bias=False),
            ),
        ),
        slip(
            "kernel-of-one",
            "A convolution around which the shortcut leads has a kernel of 1; both have one of 3.",
            "Use kernel_size=3 and padding=1 in conv1 and conv2.",
            *_both(
                lambda b, i, o, s: Conv(i, o, 1, s, bias=False),
                lambda b, i, o, s: Conv(o, o, 1, bias=False),
            ),
        ),
        slip(
            "kernel-of-five",
            "A convolution around which the shortcut leads has a kernel of 5; both have one of 3.",
            "Use kernel_size=3 and padding=1 in conv1 and conv2.",
            *_both(
                lambda b, i, o, s: Conv(i, o, 5, s, 2, bias=False),
                lambda b, i, o, s: Conv(o, o, 5, 1, 2, bias=False),
            ),
        ),
        slip(
            "convolution-inside-sequential",
            "Your conv1 or conv2 is not the convolution itself but a container around it.",
            "Let conv1 and conv2 be nn.Conv2d layers, and bn1 and bn2 the BatchNorms.",
            *_both(
                lambda b, i, o, s: nn.Sequential(Conv(i, o, 3, s, 1, bias=False)),
                lambda b, i, o, s: nn.Sequential(Conv(o, o, 3, 1, 1, bias=False)),
            ),
        ),
        slip(
            "no-stride",
            "Your conv1 does not use the stride.",
            "Give the stride to conv1, as the shortcut has it.",
            first=lambda b, i, o, s: Conv(i, o, 3, 1, 1, bias=False),
        ),
        slip(
            "stride-in-second",
            "Your second convolution has the stride; the first one should have it.",
            "Give the stride to conv1 and leave conv2 at 1.",
            first=lambda b, i, o, s: Conv(i, o, 3, 1, 1, bias=False),
            second=lambda b, i, o, s: Conv(o, o, 3, s, 1, bias=False),
        ),
        slip(
            "stride-in-both",
            "Both of your convolutions have the stride, so that the branch shrinks twice.",
            "Give the stride to conv1 and leave conv2 at 1.",
            second=lambda b, i, o, s: Conv(o, o, 3, s, 1, bias=False),
        ),
        slip(
            "second-takes-in-channels",
            "Your conv2 takes in_channels, and what comes to it has out_channels.",
            "Make conv2 from out_channels to out_channels.",
            second=lambda b, i, o, s: Conv(i, o, 3, 1, 1, bias=False),
        ),
        slip(
            "other-default-stride",
            "Your default for stride is 2, and it is 1.",
            "Keep the signature of the skeleton.",
            default_stride=2,
        ),
        slip(
            "another-norm",
            "Your bn1 and bn2 are no BatchNorms: they normalise each image by itself.",
            "Use nn.BatchNorm2d(out_channels).",
            {"norm": lambda b, c: nn.GroupNorm(1, c)},
            {"norm": lambda b, c: nn.GroupNorm(c, c)},
            {"norm": lambda b, c: nn.InstanceNorm2d(c, affine=True)},
        ),
        slip(
            "norm-without-weights",
            "Your BatchNorms have no scale and shift.",
            "Leave affine=True, the default.",
            norm=lambda b, c: Norm(c, affine=False),
        ),
        slip(
            "batch-statistics-in-eval",
            "Your block normalises by the present batch in evaluation mode too.",
            "Leave modes and running statistics to nn.BatchNorm2d; model.eval() reaches it by itself.",
            {"norm": lambda b, c: Norm(c, track_running_stats=False)},
            {
                "enter": lambda b, x: b.bn1.train()(b.conv1(x)),
                "leave": lambda b, h: b.bn2.train()(b.conv2(h)),
            },
        ),
        slip(
            "shortcut-with-bias",
            "The convolution of your shortcut has a bias, which the BatchNorm after it cancels.",
            "Give the 1×1 convolution bias=False.",
            project=lambda b, i, o, s: nn.Sequential(Conv(i, o, 1, s), Norm(o)),
        ),
        slip(
            "shortcut-without-batchnorm",
            "Your shortcut changes the shape by a convolution alone; a BatchNorm follows it.",
            "Put the 1×1 convolution and a BatchNorm into an nn.Sequential.",
            {"project": lambda b, i, o, s: Conv(i, o, 1, s, bias=False)},
            {"project": lambda b, i, o, s: Conv(i, o, 1, s)},
        ),
        slip(
            "shortcut-normalises-first",
            "In your shortcut the BatchNorm comes before the convolution.",
            "First the 1×1 convolution, then the BatchNorm of out_channels.",
            project=lambda b, i, o, s: nn.Sequential(Norm(i), Conv(i, o, 1, s, bias=False)),
        ),
        slip(
            "shortcut-three-by-three",
            "Your shortcut uses a 3×3 convolution. A 1×1 convolution changes the shape as well and "
            "keeps the path short.",
            "Use a kernel of 1 without padding.",
            project=lambda b, i, o, s: nn.Sequential(Conv(i, o, 3, s, 1, bias=False), Norm(o)),
        ),
        slip(
            "shortcut-with-padding",
            "The 1×1 convolution of your shortcut has a padding, which makes the image larger.",
            "A kernel of 1 needs no padding.",
            project=lambda b, i, o, s: nn.Sequential(Conv(i, o, 1, s, 1, bias=False), Norm(o)),
        ),
        slip(
            "shortcut-without-stride",
            "Your shortcut does not use the stride, so that its image is larger than the branch's.",
            "Give the stride to the 1×1 convolution as well.",
            project=lambda b, i, o, s: nn.Sequential(Conv(i, o, 1, bias=False), Norm(o)),
        ),
        slip(
            "shortcut-ends-with-relu",
            "Your shortcut ends with a ReLU of its own, so that it can never be negative.",
            "End it with the BatchNorm.",
            project=lambda b, i, o, s: nn.Sequential(
                Conv(i, o, 1, s, bias=False), Norm(o), nn.ReLU()
            ),
        ),
        slip(
            "shortcut-without-weights",
            "Your shortcut has no weights where the shape changes. Here it is a convolution with a "
            "BatchNorm there.",
            "Use an nn.Sequential of a 1×1 convolution and a BatchNorm.",
            {"project": lambda b, i, o, s: _WithoutWeights(o - i, s)},
            {"project": lambda b, i, o, s: nn.AvgPool2d(s, ceil_mode=True)},
            {"project": lambda b, i, o, s: nn.MaxPool2d(s, ceil_mode=True)},
        ),
        slip(
            "shortcut-pools",
            "Your shortcut pools the image before its convolution. Here the convolution has the "
            "stride.",
            "Leave the pooling out, and give the stride to the 1×1 convolution.",
            {
                "project": lambda b, i, o, s: nn.Sequential(
                    nn.AvgPool2d(s, ceil_mode=True), Conv(i, o, 1, bias=False), Norm(o)
                )
            },
            {
                "project": lambda b, i, o, s: nn.Sequential(
                    nn.MaxPool2d(s, ceil_mode=True), Conv(i, o, 1, bias=False), Norm(o)
                )
            },
        ),
        slip(
            "always-projects",
            "Your shortcut has a convolution also where the shape stays the same.",
            "Use the identity where the stride is 1 and the channels are equal.",
            changes=lambda b, i, o, s: True,
        ),
        slip(
            "never-projects",
            "Your shortcut is the identity also where the stride or the channels change the shape.",
            "Use a 1×1 convolution and a BatchNorm there.",
            changes=lambda b, i, o, s: False,
        ),
        slip(
            "shortcut-by-stride-only",
            "Your shortcut is the identity whenever the stride is 1, also where the number of "
            "channels changes.",
            "Ask for both: the stride and the channels.",
            changes=lambda b, i, o, s: s != 1,
        ),
        slip(
            "shortcut-by-channels-only",
            "Your shortcut is the identity whenever the channels are equal, also where the stride "
            "shrinks the image.",
            "Ask for both: the stride and the channels.",
            changes=lambda b, i, o, s: i != o,
        ),
        slip(
            "shortcut-needs-both",
            "Your shortcut changes the shape only when the stride and the channels both change. One of "
            "the two is enough to change the shape.",
            "Say `or` where you have `and`.",
            changes=lambda b, i, o, s: s != 1 and i != o,
        ),
        slip(
            "shortcut-for-more-only",
            "Your shortcut is the identity also where there are fewer channels than before.",
            "Ask for in_channels != out_channels.",
            changes=lambda b, i, o, s: s != 1 or i < o,
        ),
        slip(
            "no-relu-after-sum",
            "Your block returns the sum itself. A ReLU comes after the sum.",
            "Wrap the sum in a ReLU before you return it.",
            last=lambda b, total: total,
        ),
        slip(
            "relu-before-sum",
            "Your second ReLU comes before the sum, so that the branch can only add and never "
            "take away.",
            "Add the shortcut first, then apply the ReLU to the sum.",
            leave=lambda b, h: F.relu(b.bn2(b.conv2(h))),
            last=lambda b, total: total,
        ),
        slip(
            "relu-before-and-after",
            "Your block applies a ReLU before the sum as well as after it.",
            "Behind bn2 comes the sum at once, and only then the ReLU.",
            leave=lambda b, h: F.relu(b.bn2(b.conv2(h))),
        ),
        slip(
            "no-inner-relu",
            "Nothing bends between your two convolutions, so that the branch stays linear.",
            "Put a ReLU between bn1 and conv2.",
            bend=lambda b, h: h,
        ),
        family(
            "another-activation",
            "Your block uses {constant} in both places, and a ReLU is meant.",
            "Use ReLU in both places.",
            ACTIVATIONS,
            lambda name: {
                "bend": lambda b, h: ACTIVATIONS[name](h),
                "last": lambda b, total: ACTIVATIONS[name](total),
            },
        ),
        slip(
            "batchnorm-after-relu",
            "Your first BatchNorm comes after the ReLU; in this block it comes before.",
            "The order is conv1, bn1, ReLU, conv2, bn2.",
            enter=lambda b, x: b.conv1(x),
            bend=lambda b, h: b.bn1(F.relu(h)),
        ),
        slip(
            "no-first-batchnorm",
            "Your block has no BatchNorm between conv1 and the ReLU.",
            "Apply bn1 to the result of conv1.",
            enter=lambda b, x: b.conv1(x),
        ),
        slip(
            "no-second-batchnorm",
            "Your block has no BatchNorm between conv2 and the sum.",
            "Apply bn2 to the result of conv2.",
            leave=lambda b, h: b.conv2(h),
        ),
        slip(
            "one-batchnorm-twice",
            "Your block uses one BatchNorm twice. It then mixes the statistics of two different "
            "places.",
            "Make two, and use bn2 after conv2.",
            {"leave": lambda b, h: b.bn1(b.conv2(h))},
            {"attach": _one_norm},
        ),
        slip(
            "normalises-first",
            "In your block BatchNorm and ReLU come before each convolution, and no ReLU comes after the "
            "sum. That is the order of a later paper (He et al. 2016).",
            "The order here: conv, BatchNorm, ReLU, conv, BatchNorm, sum, ReLU.",
            enter=lambda b, x: b.conv1(F.relu(b.bn1(x))),
            bend=lambda b, h: F.relu(b.bn2(h)),
            leave=lambda b, h: b.conv2(h),
            last=lambda b, total: total,
        ),
        slip(
            "relu-on-shortcut",
            "Your block applies a ReLU to the shortcut before the sum. The shortcut passes x on as it "
            "is.",
            "Add self.shortcut(x) itself; the only ReLU there comes after the sum.",
            way=lambda b, x, h: F.relu(b.shortcut(x)),
        ),
        slip(
            "no-shortcut",
            "Your block does not add the shortcut: it is a plain stack of two convolutions.",
            "Add self.shortcut(x) to the result of bn2.",
            way=lambda b, x, h: 0.0,
        ),
        slip(
            "adds-x-itself",
            "Your block adds x itself and never uses its shortcut.",
            "Add self.shortcut(x).",
            way=lambda b, x, h: x,
        ),
        slip(
            "shortcut-from-inside",
            "Your block adds what comes out of the first convolution, not x. The path around both "
            "convolutions is missing.",
            "Keep x, and add self.shortcut(x).",
            {"way": lambda b, x, h: h},
            {"way": lambda b, x, h: b.shortcut(h)},
        ),
        slip(
            "changes-its-input",
            "Your block changes x, the tensor of the caller, in place.",
            "An in-place operation belongs only on tensors that your block has made.",
            {"way": lambda b, x, h: b.shortcut(F.relu(x, inplace=True))},
            {"join": lambda b, branch, short: short.add_(branch)},
        ),
        slip(
            "average-of-both",
            "Your block halves the sum. The block adds the shortcut as it is.",
            "Return the ReLU of the sum, without a factor.",
            join=lambda b, branch, short: (branch + short) / 2,
        ),
        slip(
            "concatenates",
            "Your block puts the shortcut beside the branch, as more channels, and adds nothing.",
            "Use + instead of torch.cat.",
            join=lambda b, branch, short: torch.cat([branch, short], dim=1),
        ),
        slip(
            "detached-shortcut",
            "Your shortcut is detached, so that no gradient flows along it, which is its purpose.",
            "Add self.shortcut(x) without detach() and outside torch.no_grad().",
            way=lambda b, x, h: b.shortcut(x).detach(),
        ),
        slip(
            "detached-branch",
            "Your two convolutions are detached from the sum and would never learn.",
            "Add the result of bn2 without detach() and outside torch.no_grad().",
            leave=lambda b, h: b.bn2(b.conv2(h)).detach(),
        ),
        family(
            "shortcut-renamed",
            "Your shortcut is called `{constant}`; here it is `shortcut`.",
            "Rename the attribute.",
            NAMES,
            _renamed,
        ),
        slip(
            "no-attribute-shortcut",
            "Your block has no attribute `shortcut`.",
            "Let self.shortcut be nn.Identity() or the 1×1 convolution with its BatchNorm.",
            attach=_without_shortcut,
        ),
        family(
            "layers-in-a-container",
            "Your two convolutions and BatchNorms are inside `{constant}` and have no names of their "
            "own.",
            "Make the attributes conv1, bn1, conv2 and bn2; a container of them may come on top.",
            CONTAINERS,
            _in_container,
        ),
    ),
)
