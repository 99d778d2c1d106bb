"""The residual block: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
Factory = Callable[[], nn.Module]


class Parts(nn.Module):
    """The constructor, in the two steps that may be wrong by themselves."""

    def layers(self, dim: int) -> Any:
        return nn.Linear(dim, dim), nn.Linear(dim, dim)

    def more(self, dim: int, activation: Factory) -> None:
        self.activation = activation()

    def __init__(self, dim: int, activation: Factory) -> None:
        super().__init__()
        self.linear1, self.linear2 = self.layers(dim)
        self.more(dim, activation)


class ResidualBlock(Parts):
    """The block from its parts."""

    def inner(self, x: Tensor) -> Any:
        return self.linear1(x)

    def between(self, h: Tensor) -> Any:
        return self.activation(h)

    def outer(self, h: Tensor) -> Any:
        return self.linear2(h)

    def skip(self, x: Tensor, hidden: Tensor) -> Any:
        return x

    def join(self, x: Tensor, branch: Tensor) -> Any:
        return x + branch

    def finish(self, y: Tensor) -> Any:
        return y

    def forward(self, x: Tensor) -> Any:
        hidden = self.between(self.inner(x))
        branch = self.outer(hidden)
        return self.finish(self.join(self.skip(x, hidden), branch))


def written(forward: Callable[[Any, Tensor], Any]) -> type:
    """A block with this forward."""
    return type("ResidualBlock", (Parts,), {"forward": forward})


class InOneSequential(nn.Module):
    def __init__(self, dim: int, activation: Factory) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.branch = nn.Sequential(self.linear1, activation(), self.linear2)

    def forward(self, x: Tensor) -> Any:
        return self.branch(x) + x


class AsALibrary(nn.Module):
    """The style of torchvision: the way past the layers has a name, and the rest is `out`."""

    def __init__(self, dim: int, activation: Factory = nn.ReLU) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features=dim, out_features=dim, bias=True)
        self.act = activation()
        self.linear2 = nn.Linear(in_features=dim, out_features=dim, bias=True)

    def forward(self, x: Tensor) -> Any:
        identity = x
        out = self.linear1(x)
        out = self.act(out)
        out = self.linear2(out)
        out += identity
        return out


class StartsAtIdentity(ResidualBlock):
    """A second layer of zeros at the start is a good habit, and allowed."""

    def __init__(self, dim: int, activation: Factory) -> None:
        super().__init__(dim, activation)
        nn.init.zeros_(self.linear2.weight)
        nn.init.zeros_(self.linear2.bias)


def other_names(self: Any, dim: int, activation: Factory) -> None:
    self.activation = activation()
    self.fc1, self.fc2 = self.linear1, self.linear2
    del self.linear1, self.linear2


def with_more(name: str, module: Callable[[int], nn.Module]) -> Any:
    """One module more than there should be."""

    def more(self: Any, dim: int, activation: Factory) -> None:
        self.activation = activation()
        setattr(self, name, module(dim))

    return more


def not_called(self: Any, dim: int, activation: Factory) -> None:
    self.activation = activation


def shared(self: Any, dim: int) -> Any:
    layer = nn.Linear(dim, dim)
    return layer, layer


def sized(*sizes: Callable[[int], int], bias: tuple[bool, bool] = (True, True)) -> Any:
    """Layers of these sizes: in, hidden and out."""

    def layers(self: Any, dim: int) -> Any:
        first, hidden, last = (size(dim) for size in sizes or [lambda d: d] * 3)
        return nn.Linear(first, hidden, bias=bias[0]), nn.Linear(hidden, last, bias=bias[1])

    return layers


def in_place(self: Any, x: Tensor, branch: Tensor) -> Tensor:
    x += branch
    return x


def without_graph(block: Any) -> Any:
    def forward(self: Any, x: Tensor) -> Any:
        with torch.no_grad():
            return block.forward(self, x)

    return type("ResidualBlock", (block,), {"forward": forward})


FUNCTIONS = {"ReLU": torch.relu, "tanh": torch.tanh, "the sigmoid": torch.sigmoid}
"""Functions that people write in the place of the module."""

FORMULA = "The block is x + linear2(activation(linear1(x)))."

ANSWERS = Answers(
    recipe=Recipe(ResidualBlock),
    variants={
        "one Sequential": InOneSequential,
        "as a library prints it: identity and out": AsALibrary,
        "starts at the identity": StartsAtIdentity,
        "torch.add": written(
            lambda self, x: torch.add(self.linear2(self.activation(self.linear1(x))), x)
        ),
        "as a textbook prints it: Y += X": written(
            lambda self, X: self.linear2(self.activation(self.linear1(X))).add_(X)
        ),
    },
    slips=(
        slip(
            "no-skip",
            "x is not added: these are two plain layers.",
            FORMULA,
            join=lambda self, x, branch: branch,
        ),
        slip(
            "only-x",
            "Your block returns x alone, without what the two layers give.",
            FORMULA,
            join=lambda self, x, branch: x,
        ),
        slip(
            "branch-twice",
            "You added the result of linear2 to itself, and x not at all.",
            "Keep x under its name until the end, and give what the layers return another one.",
            join=lambda self, x, branch: branch + branch,
        ),
        slip(
            "activation-after-each",
            "There is a second activation, after linear2.",
            FORMULA,
            outer=lambda self, h: self.activation(self.linear2(h)),
        ),
        slip(
            "activation-after-sum",
            "An activation follows the sum, so the way past the layers is no longer free.",
            "End with the sum itself.",
            finish=lambda self, y: self.activation(y),
        ),
        family(
            "function-after-sum",
            "You put {constant} after the sum, so the way past the layers is no longer free.",
            "End with the sum itself.",
            FUNCTIONS,
            lambda c: {"finish": lambda self, y: FUNCTIONS[c](y)},
        ),
        slip(
            "only-activation-after-sum",
            "The activation comes after the sum, not between the two layers.",
            FORMULA,
            between=lambda self, h: h,
            finish=lambda self, y: self.activation(y),
        ),
        slip(
            "activation-last",
            "The activation stands after linear2, so the two layers collapse into one.",
            FORMULA,
            between=lambda self, h: h,
            outer=lambda self, h: self.activation(self.linear2(h)),
        ),
        slip(
            "activation-first",
            "The activation stands before linear1, so the two layers collapse into one.",
            FORMULA,
            inner=lambda self, x: self.linear1(self.activation(x)),
            between=lambda self, h: h,
        ),
        slip(
            "activation-before-each",
            "An activation stands before each of the two layers, and only linear2 should have one.",
            FORMULA,
            inner=lambda self, x: self.linear1(self.activation(x)),
        ),
        slip(
            "no-activation",
            "There is no activation between the two layers.",
            FORMULA,
            between=lambda self, h: h,
        ),
        slip(
            "skip-from-hidden",
            "You added the hidden result, not the block's input x.",
            "Keep x under its name until the end, and give the hidden result another one.",
            {"skip": lambda self, x, hidden: hidden},
            {"skip": lambda self, x, hidden: self.inner(x)},
        ),
        slip(
            "skip-through-activation",
            "You sent x through the activation before you added it.",
            "Add x itself.",
            skip=lambda self, x, hidden: self.activation(x),
        ),
        slip(
            "linear1-twice",
            "linear1 is used twice, and linear2 never.",
            FORMULA,
            outer=lambda self, h: self.linear1(h),
        ),
        slip(
            "linear2-twice",
            "linear2 is used twice, and linear1 never.",
            FORMULA,
            inner=lambda self, x: self.linear2(x),
        ),
        slip(
            "layers-swapped",
            "linear1 and linear2 are swapped.",
            FORMULA,
            inner=lambda self, x: self.linear2(x),
            outer=lambda self, h: self.linear1(h),
        ),
        slip(
            "no-linear1",
            "linear1 is not used.",
            FORMULA,
            inner=lambda self, x: x,
        ),
        slip(
            "no-linear2",
            "linear2 is not used.",
            FORMULA,
            outer=lambda self, h: h,
        ),
        slip(
            "subtracts",
            "You subtracted.",
            FORMULA,
            {"join": lambda self, x, branch: x - branch},
            {"join": lambda self, x, branch: branch - x},
        ),
        slip(
            "multiplies",
            "You multiplied by x; that is a gate, and it closes where x is 0.",
            FORMULA,
            join=lambda self, x, branch: x * branch,
        ),
        slip(
            "averages",
            "You took the mean of the two: after 20 blocks little is left of x.",
            "Add, and do not divide.",
            join=lambda self, x, branch: (x + branch) / 2,
        ),
        slip(
            "scales",
            "You scaled the sum or one of its two terms by a constant.",
            "Add, and do not scale.",
            {"join": lambda self, x, branch: (x + branch) / 2**0.5},
            {"join": lambda self, x, branch: x + 0.1 * branch},
            {"join": lambda self, x, branch: x + 0.5 * branch},
            {"join": lambda self, x, branch: 2 * x + branch},
        ),
        slip(
            "concatenates",
            "You concatenated; the size grows with each block.",
            "Add, so that the shape stays.",
            {"join": lambda self, x, branch: torch.cat([x, branch], dim=-1)},
            {"join": lambda self, x, branch: torch.cat([branch, x], dim=-1)},
            {"join": lambda self, x, branch: torch.cat([x, branch])},
        ),
        slip(
            "detached-skip",
            "You added x.detach(): the values are right, but the gradient cannot take the short way.",
            "Add x itself.",
            skip=lambda self, x, hidden: x.detach(),
        ),
        slip(
            "detached-branch",
            "The branch is cut off from the graph, so its layers never learn.",
            "Add the result of linear2 itself, computed without detach() and no_grad().",
            outer=lambda self, h: self.linear2(h).detach(),
        ),
        slip(
            "detached",
            "Your result is cut off from the graph, so no gradient passes through the block.",
            "Compute without detach(), .data and no_grad().",
            {"finish": lambda self, y: y.detach()},
            {"around": without_graph},
        ),
        slip(
            "changes-x",
            "You changed the caller's x.",
            "x + ... makes a new tensor; x += ... changes the old one.",
            join=in_place,
        ),
        family(
            "always-the-same",
            "Your block uses {constant} whatever activation it was given.",
            "Make one with activation() in the constructor, and use it.",
            FUNCTIONS,
            lambda c: {"between": lambda self, h: FUNCTIONS[c](h)},
        ),
        slip(
            "new-activation-each-call",
            "You make a new activation at each call, so its parameters can never be learned.",
            "Make it once in the constructor: self.activation = activation().",
            more=not_called,
            between=lambda self, h: self.activation()(h),
        ),
        slip(
            "activation-not-called",
            "You gave the values to the class or factory of activations, and not to a module of it.",
            "Make one in the constructor, with parentheses: self.activation = activation().",
            more=not_called,
        ),
        slip(
            "no-bias",
            "Your layers have no bias.",
            "nn.Linear(dim, dim) has one.",
            *({"layers": sized(bias=b)} for b in ((False, False), (False, True), (True, False))),
        ),
        slip(
            "shared-layer",
            "linear1 and linear2 are the same layer.",
            "Call nn.Linear(dim, dim) twice.",
            layers=shared,
        ),
        slip(
            "other-size-inside",
            "The hidden size of your block is not dim.",
            "Both layers are nn.Linear(dim, dim).",
            {"layers": sized(lambda d: d, lambda d: 2 * d, lambda d: d)},
            {"layers": sized(lambda d: d, lambda d: 4 * d, lambda d: d)},
            {"layers": sized(lambda d: d, lambda d: max(d // 2, 1), lambda d: d)},
        ),
        slip(
            "linear-shortcut",
            "You sent x through a third layer before you added it.",
            "Add x itself.",
            more=with_more("shortcut", lambda dim: nn.Linear(dim, dim)),
            skip=lambda self, x, hidden: self.shortcut(x),
        ),
        slip(
            "normalises",
            "Your block has a normalisation, which is not asked for here.",
            FORMULA,
            {
                "more": with_more("norm", nn.LayerNorm),
                "finish": lambda self, y: self.norm(y),
            },
            {
                "more": with_more("norm", nn.LayerNorm),
                "inner": lambda self, x: self.linear1(self.norm(x)),
            },
        ),
        slip(
            "one-more-layer",
            "Your constructor makes a layer beside linear1, linear2 and the activation.",
            "Make what the block needs, and nothing else.",
            {"more": with_more("linear3", lambda dim: nn.Linear(dim, dim))},
            {"more": with_more("norm", nn.LayerNorm)},
        ),
        slip(
            "other-names",
            "Your layers have other names than linear1 and linear2.",
            "Name them self.linear1 and self.linear2.",
            more=other_names,
            inner=lambda self, x: self.fc1(x),
            outer=lambda self, h: self.fc2(h),
        ),
        slip(
            "not-returned",
            "Your forward returns nothing.",
            "End it with return.",
            finish=lambda self, y: None,
        ),
        slip(
            "returns-two-things",
            "Your forward returns two things, and the sum alone is meant.",
            "Return x plus what the layers give, and nothing else.",
            {"join": lambda self, x, branch: (x + branch, x)},
            {"join": lambda self, x, branch: (x, branch)},
        ),
    ),
)
