"""A linear layer with a length and a direction for each row: the recipe, its slips, variants."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def lengths(v: Tensor) -> Tensor:
    """The length of each row, (out, 1)."""
    return v.square().sum(dim=1, keepdim=True).sqrt()


class ByHand(nn.Module):
    """The answer as the lesson writes it, in parts; the experiments' tests use it."""

    g: Any

    def __init__(self, in_features: int, out_features: int) -> None:
        self.prepare()
        start = nn.Linear(in_features, out_features)
        self.v = nn.Parameter(self.first_v(start))
        self.make_g(self.first_g(self.v.detach()))
        self.bias = nn.Parameter(start.bias.detach().clone())
        self.finish()

    def prepare(self) -> None:
        super().__init__()

    def first_v(self, start: nn.Linear) -> Tensor:
        return start.weight.detach().clone()

    def first_g(self, v: Tensor) -> Tensor:
        return lengths(v)

    def make_g(self, value: Tensor) -> None:
        self.g = nn.Parameter(value)

    def finish(self) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        self.before()
        return self.shifted(self.product(self.input(x), self.weight()))

    def before(self) -> None:
        pass

    def input(self, x: Tensor) -> Tensor:
        return x

    def weight(self) -> Tensor:
        return self.made()

    def made(self) -> Tensor:
        return self.joined(self.factor(), self.direction(self.v, self.length(self.v)))

    def length(self, v: Tensor) -> Tensor:
        return lengths(v)

    def direction(self, v: Tensor, n: Tensor) -> Tensor:
        return v / n

    def factor(self) -> Tensor:
        return self.g

    def joined(self, g: Tensor, d: Tensor) -> Tensor:
        return g * d

    def product(self, x: Tensor, w: Tensor) -> Tensor:
        return x @ w.T

    def shifted(self, y: Tensor) -> Tensor:
        return y + self.bias


RECIPE = Recipe(ByHand)


class WithTorchsFunction(ByHand):
    """With the function that PyTorch's own weight norm calls, which students may not use."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, torch._weight_norm(self.v, self.g, 0), self.bias)


class ScalesOutputs(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.v) * (self.g / lengths(self.v)).squeeze(1) + self.bias


class StartsWithUnitRows(ByHand):
    def finish(self) -> None:
        with torch.no_grad():
            self.v.copy_(F.normalize(torch.randn_like(self.v), dim=1))
            self.g.fill_(1.0)
            self.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.stack([g * v / (v @ v) ** 0.5 for g, v in zip(self.g, self.v, strict=True)])
        return torch.einsum("...i,oi->...o", x, weight) + self.bias


class AsTheHook(nn.Module):
    """As a library's former hook has it, which makes the norm of any number of axes."""

    g: Any
    v: Any
    bias: Any

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        linear = nn.Linear(in_features, out_features)
        weight = linear.weight
        self.register_parameter("bias", linear.bias)
        self.register_parameter("g", nn.Parameter(self.norm(weight).data))
        self.register_parameter("v", nn.Parameter(weight.data))

    def norm(self, p: Tensor) -> Tensor:
        return p.contiguous().view(p.size(0), -1).norm(dim=1).view(p.size(0), *[1] * (p.dim() - 1))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.v * (self.g / self.norm(self.v)), self.bias)


class SubclassOfLinear(nn.Linear):
    """As a course prints it: a subclass whose own weight is taken away."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features)
        w = self.weight.data
        del self.weight
        self.v = nn.Parameter(w)
        self.g = nn.Parameter(torch.sqrt((w**2).sum(1)).unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        norm = torch.sqrt((self.v**2).sum(1)).unsqueeze(1)
        return F.linear(x, self.g / norm * self.v, self.bias)


def _in_float64(v: Tensor, n: Tensor) -> Tensor:
    return (v.double() / torch.linalg.vector_norm(v.double(), dim=1, keepdim=True)).to(v.dtype)


def _with_log_g(self: Any) -> Tensor:
    return self.g.exp()  # type: ignore[no-any-return]


def _shorten_v(self: Any) -> None:
    with torch.no_grad():
        self.v /= self.v.norm(dim=1, keepdim=True)


def _measure_g(self: Any) -> None:
    with torch.no_grad():
        self.g.copy_(lengths(self.v))


def _store(self: Any) -> None:
    self.w = self.made()


def _keep(self: Any) -> Tensor:
    """In evaluation the weight of the last pass in training."""
    if self.training or not hasattr(self, "kept"):
        self.kept = self.made()
    return self.kept  # type: ignore[no-any-return]


ANSWERS = Answers(
    recipe=RECIPE,
    reference=WithTorchsFunction,
    variants={
        "by hand": ByHand,
        "normalize": RECIPE.made(direction=lambda self, v, n: F.normalize(v, dim=1)),
        "scales the outputs": ScalesOutputs,
        "starts with unit rows": StartsWithUnitRows,
        "float64 inside": RECIPE.made(direction=lambda self, v, n: _in_float64(v, n)),
        "a tiny epsilon": RECIPE.made(length=lambda self, v: lengths(v) + 1e-12),
        "as a library's hook prints it": AsTheHook,
        "as a course prints it: a subclass of nn.Linear": SubclassOfLinear,
    },
    slips=(
        slip(
            "whole-matrix",
            "You divide by the length of the whole matrix; each row has a length of its own.",
            "Take the norm along one axis: dim=1 with keepdim=True gives the shape (out, 1).",
            length=lambda self, v: v.norm(),
        ),
        slip(
            "by-columns",
            "You take the length of the columns; a row of v is the weights of one output.",
            "v has the shape (out, in): sum over the axis of the inputs.",
            length=lambda self, v: v.norm(dim=0, keepdim=True),
        ),
        slip(
            "no-keepdim",
            "Your lengths have the shape (out,), which PyTorch lays along the columns of v.",
            "Take the norm with keepdim=True: the shape (out, 1) belongs to the rows.",
            length=lambda self, v: v.norm(dim=1),
        ),
        slip(
            "not-normalised",
            "For autograd your weight is g·v: v is not divided by the length of its rows, or only "
            "where autograd does not see it.",
            "w = g·v/‖v‖: then the length of v no longer matters.",
            direction=lambda self, v, n: v,
        ),
        slip(
            "times-length",
            "You multiply v by its length and do not divide by it.",
            "w = g·v/‖v‖: then the length of v no longer matters.",
            direction=lambda self, v, n: v * n,
        ),
        slip(
            "without-g",
            "Your weight has rows of length 1: g is missing.",
            "Multiply the direction v/‖v‖ by g.",
            factor=lambda self: 1 + 0 * self.g,
        ),
        slip(
            "uses-v",
            "Your weight is v itself.",
            "v gives only the direction: w = g·v/‖v‖.",
            joined=lambda self, g, d: self.v + 0 * g,
        ),
        slip(
            "g-as-divisor",
            "You divide the direction by g and do not multiply.",
            "w = g·v/‖v‖: g is the length of the row.",
            joined=lambda self, g, d: d / g,
        ),
        slip(
            "squared-length",
            "You divide by the squared length; the square root is missing.",
            "‖v‖ is the square root of the sum of the squares.",
            length=lambda self, v: v.square().sum(dim=1, keepdim=True),
        ),
        slip(
            "mean-square",
            "You take the root of the mean of the squares; the sum is meant.",
            "‖v‖ is the square root of the sum of the squares.",
            length=lambda self, v: v.square().mean(dim=1, keepdim=True).sqrt(),
        ),
        slip(
            "one-norm",
            "You divide by the sum of the absolute values, which is the 1-norm.",
            "‖v‖ is the square root of the sum of the squares.",
            length=lambda self, v: v.abs().sum(dim=1, keepdim=True),
        ),
        family(
            "large-epsilon",
            "You add {constant} to the length, and next to a short row that number is not small.",
            "A row may be as short as 1e-4: leave the number out, or take 1e-12.",
            (1e-3, 1e-5, 1e-6),
            lambda e: {"length": lambda self, v: lengths(v) + e},
        ),
        family(
            "epsilon-in-root",
            "You add {constant} below the root, and next to the square of a short row it is not small.",
            "A row may be as short as 1e-4, and then its square is 1e-8: leave the number out.",
            (1e-5, 1e-6, 1e-8, 1e-10),
            lambda e: {
                "length": lambda self, v: (v.square().sum(dim=1, keepdim=True) + e).sqrt(),
            },
        ),
        slip(
            "constant-length",
            "You cut the length off from v, so its gradient lacks the part through ‖v‖.",
            "Compute the length from v itself, without detach(), .data or no_grad().",
            length=lambda self, v: lengths(v).detach(),
        ),
        slip(
            "cut-off-v",
            "You cut the direction off from v, so v gets no gradient.",
            "Compute with v itself, without detach(), .data or no_grad().",
            direction=lambda self, v, n: (v / n).detach(),
        ),
        slip(
            "cut-off-g",
            "You cut g off, so it gets no gradient.",
            "Compute with g itself, without detach(), .data or no_grad().",
            factor=lambda self: self.g.detach(),
        ),
        slip(
            "cut-off",
            "You cut the weight off from its parameters: g and v get no gradient.",
            "Compute w in forward from g and v, without detach(), .data or no_grad().",
            joined=lambda self, g, d: (g * d).detach(),
        ),
        slip(
            "cut-off-input",
            "You cut the input off, so the layers before this one get no gradient.",
            "Compute with x itself, without detach() or .data.",
            input=lambda self, x: x.detach(),
        ),
        slip(
            "absolute-g",
            "You use the absolute value of g; g may be negative, and then w points against v.",
            "Multiply by g as it is.",
            factor=lambda self: self.g.abs(),
        ),
        slip(
            "exponential-g",
            "Your g is the logarithm of the length.",
            "Here g is the length itself: w = g·v/‖v‖.",
            first_g=lambda self, v: lengths(v).log(),
            factor=_with_log_g,
        ),
        slip(
            "flat-g",
            "Your g has the shape (out,).",
            "Give g the shape (out, 1): keepdim=True does that.",
            first_g=lambda self, v: lengths(v).flatten(),
            factor=lambda self: self.g[:, None],
        ),
        slip(
            "one-g",
            "Your g has one entry for the whole matrix; each row has a length of its own.",
            "Take the norm along one axis: dim=1 with keepdim=True gives the shape (out, 1).",
            first_g=lambda self, v: v.norm().reshape(1, 1),
        ),
        slip(
            "g-starts-at-one",
            "Your g starts at 1, so at the start w is not v.",
            "Let g start as the length of the rows of v.",
            first_g=lambda self, v: torch.ones_like(v[:, :1]),
        ),
        slip(
            "g-starts-random",
            "Your g starts at random, so at the start w is not v.",
            "Let g start as the length of the rows of v.",
            first_g=lambda self, v: torch.randn_like(v[:, :1]),
        ),
        slip(
            "g-starts-squared",
            "Your g starts as the squared length, so at the start w is not v.",
            "‖v‖ is the square root of the sum of the squares.",
            first_g=lambda self, v: v.square().sum(dim=1, keepdim=True),
        ),
        slip(
            "g-not-a-parameter",
            "Your g is a plain tensor or a buffer, so no optimiser finds it.",
            "Wrap it: self.g = nn.Parameter(...).",
            {"make_g": lambda self, value: setattr(self, "g", value)},
            {"make_g": lambda self, value: self.register_buffer("g", value)},
        ),
        slip(
            "no-super",
            "Your constructor does not set up nn.Module before it makes parameters.",
            "Its first line is super().__init__().",
            prepare=lambda self: None,
        ),
        slip(
            "normalises-v",
            "Your forward shortens v itself to length 1.",
            "Leave v as it is, and compute the weight as a new tensor.",
            before=_shorten_v,
        ),
        slip(
            "resets-g",
            "Your forward writes the length of v into g, so what g has learned is lost.",
            "g starts as the length of v, in the constructor; afterwards it goes its own way.",
            before=_measure_g,
        ),
        slip(
            "stored-weight",
            "You compute the weight once, in the constructor, so it does not follow g and v.",
            "Compute it in forward.",
            finish=_store,
            weight=lambda self: self.w.to(self.v.dtype),
        ),
        slip(
            "scales-bias",
            "You multiply the bias by g as well.",
            "Only the weight has a length and a direction: add the bias at the end.",
            shifted=lambda self, y: y + self.bias * self.g.squeeze(1),
        ),
        slip(
            "no-bias",
            "You leave out the bias.",
            "Add self.bias at the end.",
            shifted=lambda self, y: y,
        ),
        slip(
            "training-only",
            "In evaluation mode you use v itself.",
            "Weight norm is the same in both modes: do not ask for self.training.",
            weight=lambda self: self.made() if self.training else self.v,
        ),
        slip(
            "kept-for-evaluation",
            "In evaluation mode you use the weight of the last pass in training, and g and v may "
            "have changed since, by an optimiser's step or a loaded file.",
            "Compute w from g and v in each pass.",
            weight=_keep,
        ),
        slip(
            "needs-two-axes",
            "Your layer takes inputs with exactly two axes.",
            "F.linear(x, w, bias), or x @ w.T + bias, takes any number of leading axes.",
            {"product": lambda self, x, w: torch.addmm(0 * self.bias, x, w.T)},
            {"product": lambda self, x, w: torch.mm(x, w.T)},
        ),
        slip(
            "not-transposed",
            "You multiply x by w; w has the shape (out, in).",
            "x @ w.T, or F.linear(x, w, bias).",
            product=lambda self, x, w: x @ w,
        ),
        slip(
            "normalises-input",
            "You divide the input by its length too.",
            "Only the rows of v are divided by their length.",
            input=lambda self, x: F.normalize(x, dim=-1),
        ),
    ),
)
