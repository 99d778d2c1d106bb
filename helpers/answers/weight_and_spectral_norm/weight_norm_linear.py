"""A linear layer with a length and a direction for each row: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor
Weight = Callable[[Tensor, Tensor], Tensor]


def lengths(v: Tensor) -> Tensor:
    """The length of each row, (out, 1)."""
    return v.square().sum(dim=1, keepdim=True).sqrt()


class _Base(nn.Module):
    """The parameters at their start; what to do with them is in the classes below."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        start = nn.Linear(in_features, out_features)
        self.v = nn.Parameter(start.weight.detach().clone())
        self.g = nn.Parameter(lengths(self.v.detach()))
        self.bias = nn.Parameter(start.bias.detach().clone())


class WeightNormLinear(_Base):
    """With the function that PyTorch's own weight norm calls, which students may not use."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, torch._weight_norm(self.v, self.g, 0), self.bias)


def layer(weight: Weight) -> type:
    """A layer whose weight is this function of (g, v)."""

    class Made(_Base):
        def forward(self, x: Tensor) -> Tensor:
            return F.linear(x, weight(self.g, self.v), self.bias)

    return Made


class ByHand(_Base):
    """The answer as the lesson writes it; the experiments' tests use it."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.g * self.v / self.v.norm(dim=1, keepdim=True)).T + self.bias


class ScalesOutputs(_Base):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.v) * (self.g / lengths(self.v)).squeeze(1) + self.bias


class StartsWithUnitRows(_Base):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        with torch.no_grad():
            self.v.copy_(F.normalize(torch.randn(out_features, in_features), dim=1))
            self.g.fill_(1.0)
            self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.stack([g * v / (v @ v) ** 0.5 for g, v in zip(self.g, self.v, strict=True)])
        return torch.einsum("...i,oi->...o", x, weight) + self.bias


def _in_float64(g: Tensor, v: Tensor) -> Tensor:
    direction = v.double() / torch.linalg.vector_norm(v.double(), dim=1, keepdim=True)
    return (g.double() * direction).to(v.dtype)


class _FlatG(_Base):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.g = nn.Parameter(self.g.detach().flatten())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.g[:, None] * F.normalize(self.v, dim=1), self.bias)


class _StartsAtOne(ByHand):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        nn.init.ones_(self.g)


class _FixedG(_Base):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        start = self.g.detach()
        del self.g
        self.g = start  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.g * F.normalize(self.v, dim=1), self.bias)


class _NormalisesV(_Base):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            self.v /= self.v.norm(dim=1, keepdim=True)
        return F.linear(x, self.g * F.normalize(self.v, dim=1), self.bias)


class _Stored(_Base):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.w = self.g * F.normalize(self.v, dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.w.to(x.dtype), self.bias)


class _ScalesBias(_Base):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, F.normalize(self.v, dim=1), self.bias) * self.g.squeeze(1)


class _NoBias(_Base):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.g * F.normalize(self.v, dim=1))


class _TrainingOnly(_Base):
    def forward(self, x: Tensor) -> Tensor:
        weight = self.g * F.normalize(self.v, dim=1) if self.training else self.v
        return F.linear(x, weight, self.bias)


class _KeptForEvaluation(_Base):
    """In evaluation it uses the weight of the last pass in training."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training or not hasattr(self, "kept"):
            self.kept = self.g * F.normalize(self.v, dim=1)
        return F.linear(x, self.kept, self.bias)


class _NeedsTwoAxes(_Base):
    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x, (self.g * F.normalize(self.v, dim=1)).T)


class _NotTransposed(_Base):
    def forward(self, x: Tensor) -> Tensor:
        return x @ (self.g * F.normalize(self.v, dim=1)) + self.bias


class _ExponentialG(_Base):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        self.g = nn.Parameter(self.g.detach().log())

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.g.exp() * F.normalize(self.v, dim=1), self.bias)


class _NormalisesInput(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.normalize(x, dim=-1))


ANSWERS = Answers(
    reference=WeightNormLinear,
    variants={
        "by hand": ByHand,
        "normalize": layer(lambda g, v: g * F.normalize(v, dim=1)),
        "scales the outputs": ScalesOutputs,
        "starts with unit rows": StartsWithUnitRows,
        "float64 inside": layer(_in_float64),
        "a tiny epsilon": layer(lambda g, v: g * v / (lengths(v) + 1e-12)),
    },
    misconceptions=(
        Misconception(
            "whole-matrix",
            layer(lambda g, v: g * v / v.norm()),
            "You divide by the length of the whole matrix; each row has a length of its own.",
            "Take the norm along one axis: dim=1 with keepdim=True gives the shape (out, 1).",
        ),
        Misconception(
            "by-columns",
            layer(lambda g, v: g * v / v.norm(dim=0, keepdim=True)),
            "You take the length of the columns; a row of v is the weights of one output.",
            "v has the shape (out, in): sum over the axis of the inputs.",
        ),
        Misconception(
            "not-normalised",
            layer(lambda g, v: g * v),
            "For autograd your weight is g·v: v is not divided by the length of its rows, or only "
            "where autograd does not see it.",
            "w = g·v/‖v‖: then the length of v no longer matters.",
        ),
        Misconception(
            "without-g",
            layer(lambda g, v: v / lengths(v) + 0 * g),
            "Your weight has rows of length 1: g is missing.",
            "Multiply the direction v/‖v‖ by g.",
        ),
        Misconception(
            "uses-v",
            layer(lambda g, v: v + 0 * g),
            "Your weight is v itself.",
            "v gives only the direction: w = g·v/‖v‖.",
        ),
        Misconception(
            "squared-length",
            layer(lambda g, v: g * v / v.square().sum(dim=1, keepdim=True)),
            "You divide by the squared length; the square root is missing.",
            "‖v‖ is the square root of the sum of the squares.",
        ),
        Misconception(
            "one-norm",
            layer(lambda g, v: g * v / v.abs().sum(dim=1, keepdim=True)),
            "You divide by the sum of the absolute values, which is the 1-norm.",
            "‖v‖ is the square root of the sum of the squares.",
        ),
        Misconception(
            "large-epsilon",
            layer(lambda g, v: g * v / (lengths(v) + 1e-5)),
            "You add a number to the length, and next to a short row that number is not small.",
            "A row may be as short as 1e-4: leave the number out, or take 1e-12.",
        ),
        Misconception(
            "epsilon-in-root",
            layer(lambda g, v: g * v / (v.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()),
            "You add a number below the root, and next to the square of a short row it is not small.",
            "A row may be as short as 1e-4, and then its square is 1e-8: leave the number out.",
        ),
        Misconception(
            "constant-length",
            layer(lambda g, v: g * v / lengths(v).detach()),
            "You cut the length off from v, so its gradient lacks the part through ‖v‖.",
            "Compute the length from v itself, without detach(), .data or no_grad().",
        ),
        Misconception(
            "cut-off-v",
            layer(lambda g, v: g * (v / lengths(v)).detach()),
            "You cut the direction off from v, so v gets no gradient.",
            "Compute with v itself, without detach(), .data or no_grad().",
        ),
        Misconception(
            "cut-off",
            layer(lambda g, v: (g * v / lengths(v)).detach()),
            "You cut the weight off from its parameters: g and v get no gradient.",
            "Compute w in forward from g and v, without detach(), .data or no_grad().",
        ),
        Misconception(
            "absolute-g",
            layer(lambda g, v: g.abs() * v / lengths(v)),
            "You use the absolute value of g; g may be negative, and then w points against v.",
            "Multiply by g as it is.",
        ),
        Misconception(
            "exponential-g",
            _ExponentialG,
            "Your g is the logarithm of the length.",
            "Here g is the length itself: w = g·v/‖v‖.",
        ),
        Misconception(
            "flat-g",
            _FlatG,
            "Your g has the shape (out,).",
            "Give g the shape (out, 1): keepdim=True does that.",
        ),
        Misconception(
            "g-starts-at-one",
            _StartsAtOne,
            "Your g starts at 1, so at the start w is not v.",
            "Let g start as the length of the rows of v.",
        ),
        Misconception(
            "g-not-a-parameter",
            _FixedG,
            "Your g is a plain tensor, so no optimiser finds it.",
            "Wrap it: self.g = nn.Parameter(...).",
        ),
        Misconception(
            "normalises-v",
            _NormalisesV,
            "Your forward shortens v itself to length 1.",
            "Leave v as it is, and compute the weight as a new tensor.",
        ),
        Misconception(
            "stored-weight",
            _Stored,
            "You compute the weight once, in the constructor, so it does not follow g and v.",
            "Compute it in forward.",
        ),
        Misconception(
            "scales-bias",
            _ScalesBias,
            "You multiply the bias by g as well.",
            "Only the weight has a length and a direction: add the bias at the end.",
        ),
        Misconception(
            "no-bias",
            _NoBias,
            "You leave out the bias.",
            "Add self.bias at the end.",
        ),
        Misconception(
            "training-only",
            _TrainingOnly,
            "In evaluation mode you use v itself.",
            "Weight norm is the same in both modes: do not ask for self.training.",
        ),
        Misconception(
            "kept-for-evaluation",
            _KeptForEvaluation,
            "In evaluation mode you use the weight of the last pass in training, and g and v may "
            "have changed since, by an optimiser's step or a loaded file.",
            "Compute w from g and v in each pass.",
        ),
        Misconception(
            "needs-two-axes",
            _NeedsTwoAxes,
            "Your layer takes inputs with exactly two axes.",
            "F.linear(x, w, bias), or x @ w.T + bias, takes any number of leading axes.",
        ),
        Misconception(
            "not-transposed",
            _NotTransposed,
            "You multiply x by w; w has the shape (out, in).",
            "x @ w.T, or F.linear(x, w, bias).",
        ),
        Misconception(
            "normalises-input",
            _NormalisesInput,
            "You divide the input by its length too.",
            "Only the rows of v are divided by their length.",
        ),
    ),
)
