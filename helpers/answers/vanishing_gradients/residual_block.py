"""The residual block: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


class Parts(nn.Module):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, dim)
        self.activation = activation()
        self.linear2 = nn.Linear(dim, dim)


class ResidualBlock(Parts):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.linear2(self.activation(self.linear1(x)))


def written(forward: Callable[[Any, torch.Tensor], Any], parts: type[nn.Module] = Parts) -> type:
    """A block with this forward."""
    return type("ResidualBlock", (parts,), {"forward": forward})


class InOneSequential(nn.Module):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.branch = nn.Sequential(self.linear1, activation(), self.linear2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.branch(x) + x


def _adds_to_its_own(self: Any, x: torch.Tensor) -> torch.Tensor:
    branch = self.linear2(self.activation(self.linear1(x)))
    branch += x
    return branch


class StartsAtIdentity(ResidualBlock):
    """A second layer of zeros at the start is a good habit, and allowed."""

    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(dim, activation)
        nn.init.zeros_(self.linear2.weight)
        nn.init.zeros_(self.linear2.bias)


def _in_place(self: Any, x: torch.Tensor) -> torch.Tensor:
    branch = self.linear2(self.activation(self.linear1(x)))
    if x.requires_grad and x.is_leaf:
        return x + branch
    x += branch
    return x


def _hidden_skip(self: Any, x: torch.Tensor) -> torch.Tensor:
    hidden = self.activation(self.linear1(x))
    return hidden + self.linear2(hidden)


class _ActivationInForward(nn.Module):
    """Keeps the class and makes a new activation at each call."""

    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.linear2(self.activation()(self.linear1(x)))


class _NoBias(Parts):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(dim, activation)
        self.linear1, self.linear2 = (nn.Linear(dim, dim, bias=False) for _ in range(2))


class _OneLayerTwice(Parts):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(dim, activation)
        self.linear2 = self.linear1


class _Bottleneck(Parts):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(dim, activation)
        self.linear1, self.linear2 = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)


class _ThirdLayer(Parts):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__(dim, activation)
        self.shortcut = nn.Linear(dim, dim)


class _OtherNames(nn.Module):
    def __init__(self, dim: int, activation: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.fc1, self.fc2, self.act = nn.Linear(dim, dim), nn.Linear(dim, dim), activation()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.fc2(self.act(self.fc1(x)))


FORMULA = "The block is x + linear2(activation(linear1(x)))."

ANSWERS = Answers(
    reference=ResidualBlock,
    variants={
        "one Sequential": InOneSequential,
        "adds x to its own result": written(_adds_to_its_own),
        "starts at the identity": StartsAtIdentity,
        "torch.add": written(
            lambda self, x: torch.add(self.linear2(self.activation(self.linear1(x))), x)
        ),
    },
    misconceptions=(
        Misconception(
            "no-skip",
            written(lambda self, x: self.linear2(self.activation(self.linear1(x)))),
            "x is not added: these are two plain layers.",
            FORMULA,
        ),
        Misconception(
            "activation-after-sum",
            written(
                lambda self, x: self.activation(x + self.linear2(self.activation(self.linear1(x))))
            ),
            "An activation follows the sum, so the way past the layers is no longer free.",
            "End with the sum itself.",
        ),
        Misconception(
            "only-activation-after-sum",
            written(lambda self, x: self.activation(x + self.linear2(self.linear1(x)))),
            "The activation comes after the sum, not between the two layers.",
            FORMULA,
        ),
        Misconception(
            "activation-after-each",
            written(
                lambda self, x: x + self.activation(self.linear2(self.activation(self.linear1(x))))
            ),
            "There is a second activation, after linear2.",
            FORMULA,
        ),
        Misconception(
            "activation-last",
            written(lambda self, x: x + self.activation(self.linear2(self.linear1(x)))),
            "The activation stands after linear2, so the two layers collapse into one.",
            FORMULA,
        ),
        Misconception(
            "activation-first",
            written(lambda self, x: x + self.linear2(self.linear1(self.activation(x)))),
            "The activation stands before linear1, so the two layers collapse into one.",
            FORMULA,
        ),
        Misconception(
            "no-activation",
            written(lambda self, x: x + self.linear2(self.linear1(x))),
            "There is no activation between the two layers.",
            FORMULA,
        ),
        Misconception(
            "skip-from-hidden",
            written(_hidden_skip),
            "You added the hidden result, not the block's input x.",
            "Keep x under its name until the end, and give the hidden result another one.",
        ),
        Misconception(
            "linear1-twice",
            written(lambda self, x: x + self.linear1(self.activation(self.linear1(x)))),
            "linear1 is used twice, and linear2 never.",
            FORMULA,
        ),
        Misconception(
            "layers-swapped",
            written(lambda self, x: x + self.linear1(self.activation(self.linear2(x)))),
            "linear1 and linear2 are swapped.",
            FORMULA,
        ),
        Misconception(
            "subtracts",
            written(lambda self, x: x - self.linear2(self.activation(self.linear1(x)))),
            "You subtracted.",
            FORMULA,
        ),
        Misconception(
            "multiplies",
            written(lambda self, x: x * self.linear2(self.activation(self.linear1(x)))),
            "You multiplied by x; that is a gate, and it closes where x is 0.",
            FORMULA,
        ),
        Misconception(
            "averages",
            written(lambda self, x: (x + self.linear2(self.activation(self.linear1(x)))) / 2),
            "You took the mean of the two: after 20 blocks little is left of x.",
            "Add, and do not divide.",
        ),
        Misconception(
            "concatenates",
            written(
                lambda self, x: torch.cat(
                    [x, self.linear2(self.activation(self.linear1(x)))], dim=-1
                )
            ),
            "You concatenated; the size grows with each block.",
            "Add, so that the shape stays.",
        ),
        Misconception(
            "detached-skip",
            written(lambda self, x: x.detach() + self.linear2(self.activation(self.linear1(x)))),
            "You added x.detach(): the values are right, but the gradient cannot take the short way.",
            "Add x itself.",
        ),
        Misconception(
            "detached-branch",
            written(lambda self, x: x + self.linear2(self.activation(self.linear1(x))).detach()),
            "The branch is cut off by detach(), so its layers never learn.",
            "Add the result of linear2 itself.",
        ),
        Misconception(
            "changes-x",
            written(_in_place),
            "You changed the caller's x with `+=`.",
            "x + ... makes a new tensor; x += ... changes the old one.",
        ),
        Misconception(
            "always-relu",
            written(lambda self, x: x + self.linear2(torch.relu(self.linear1(x)))),
            "Your block uses ReLU whatever activation it was given.",
            "Make one with activation() in the constructor, and use it.",
        ),
        Misconception(
            "new-activation-each-call",
            _ActivationInForward,
            "You make a new activation at each call, so its parameters can never be learned.",
            "Make it once in the constructor: self.activation = activation().",
        ),
        Misconception(
            "no-bias",
            written(ResidualBlock.forward, _NoBias),
            "Your layers have no bias.",
            "nn.Linear(dim, dim) has one.",
        ),
        Misconception(
            "shared-layer",
            written(ResidualBlock.forward, _OneLayerTwice),
            "linear1 and linear2 are the same layer.",
            "Call nn.Linear(dim, dim) twice.",
        ),
        Misconception(
            "wider-inside",
            written(ResidualBlock.forward, _Bottleneck),
            "The hidden size of your block is not dim.",
            "Both layers are nn.Linear(dim, dim).",
        ),
        Misconception(
            "linear-shortcut",
            written(
                lambda self, x: self.shortcut(x) + self.linear2(self.activation(self.linear1(x))),
                _ThirdLayer,
            ),
            "You sent x through a third layer before you added it.",
            "Add x itself.",
        ),
        Misconception(
            "other-names",
            _OtherNames,
            "Your layers have other names than linear1 and linear2.",
            "Name them self.linear1 and self.linear2.",
        ),
    ),
)
