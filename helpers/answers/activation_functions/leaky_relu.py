"""LeakyReLU: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import Activation, asks_once, shared
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def where(x: Tensor, right: Any, left: Any) -> Tensor:
    """A number for x > 0 and another one elsewhere, as a tensor like x."""
    return torch.where(x > 0, right * torch.ones_like(x), left * torch.ones_like(x))


class HandLeakyReLU(Activation):
    """`default` is what `negative_slope` is by default, `keep` takes the setting in; `a` and
    `a_of_slope` are what the two methods use of it.
    """

    default = 0.01

    def __init__(self, *given: Any, **named: Any) -> None:
        self.begin(*given, **named)

    def begin(self, negative_slope: float | None = None) -> None:
        self.keep(self.default if negative_slope is None else negative_slope)

    def keep(self, negative_slope: float) -> None:
        self.negative_slope = negative_slope

    def a(self) -> float:
        return self.negative_slope

    def a_of_slope(self) -> float:
        return self.negative_slope

    def value(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.a() * x)

    def slope(self, x: Tensor) -> Tensor:
        return where(x, 1, self.a_of_slope())


class LeakyReLU(HandLeakyReLU):
    """PyTorch's own, which answers are compared with."""

    def value(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)


def leaky(value: Any, slope: Any) -> type:
    """The class as students write it, from two functions of x and the slope."""

    class MyLeakyReLU(torch.nn.Module):
        def __init__(self, negative_slope: float = 0.01) -> None:
            super().__init__()
            self.negative_slope = negative_slope

        def forward(self, x: Tensor) -> Tensor:
            return value(x, self.negative_slope)

        def derivative(self, x: Tensor) -> Tensor:
            return slope(x, self.negative_slope)

    return MyLeakyReLU


def _right(x: Tensor, a: float) -> Tensor:
    return torch.where(x > 0, x, a * x)


def _by_mask(x: Tensor, slope: float) -> Tensor:
    """In place on its own copy, which cannot run on the device meta."""
    result = x.clone(memory_format=torch.contiguous_format)
    result[x <= 0] *= slope
    return result


def _by_autograd(x: Tensor, a: float) -> Tensor:
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(_right(leaf, a).sum(), leaf)[0]


def _in_place(self: Any, x: Tensor) -> Tensor:
    x[x <= 0] *= self.a()
    return x


def _in_place_unseen(self: Any, x: Tensor) -> Tensor:
    out = torch.where(x > 0, x, self.a() * x)
    x.data.copy_(out)
    return out


def _another_name(self: Any, alpha: float = 0.01) -> None:
    self.negative_slope = alpha


def _no_default(self: Any, negative_slope: float) -> None:
    self.negative_slope = negative_slope


for _method in (_another_name, _no_default):  # what Python says in its TypeError
    _method.__qualname__ = "MyLeakyReLU.__init__"


def _on_class(self: Any, negative_slope: float) -> None:
    type(self).negative_slope = negative_slope


BY_SIGN = "Decide by the sign of x, not by which of the two is larger."
AT_ZERO = "Choose with torch.where(x > 0, ...): at 0 the negative slope is meant, as in PyTorch."
LINE = "Below 0 the line is slope·x. How steep is it?"
LEFT = "For x below 0 the result is slope·x."
KEEP = "Keep negative_slope in __init__, as self.negative_slope, and use it."
SIGNATURE = "Look at the signature: negative_slope=0.01."

ANSWERS = Answers(
    recipe=Recipe(HandLeakyReLU),
    reference=LeakyReLU,
    variants={
        "as a textbook prints it: x where x > 0, else slope times x": leaky(
            _right,
            lambda x, a: torch.where(x > 0, torch.ones_like(x), torch.full_like(x, a)),
        ),
        "as a course prints it: two masks added": leaky(
            lambda x, a: x * (x > 0) + a * x * (x <= 0),
            lambda x, a: (x > 0).to(x.dtype) + a * (x <= 0).to(x.dtype),
        ),
        "as a library has it: a factor": leaky(
            lambda x, a: x * torch.where(x > 0, 1.0, a).to(x.dtype),
            lambda x, a: torch.where(x > 0, 1.0, a).to(x.dtype),
        ),
        "as a NumPy course has it: ones, and entries set": leaky(
            _by_mask, lambda x, a: torch.ones_like(x).masked_fill(x <= 0, a)
        ),
        "masked_fill": leaky(
            lambda x, a: torch.where(x <= 0, x * a, x),
            lambda x, a: torch.ones_like(x).masked_fill_(x <= 0, a),
        ),
        "one minus the rest": leaky(
            lambda x, a: x - (1 - a) * torch.where(x > 0, 0, x),
            lambda x, a: a + (1 - a) * (x > 0).to(x.dtype),
        ),
        "the slope by autograd": leaky(_right, _by_autograd),
        "float64 inside": leaky(
            lambda x, a: _right(x.double(), a).to(x.dtype), lambda x, a: where(x, 1, a)
        ),
    },
    slips=(
        slip(
            "maximum",
            "You take the larger of x and slope·x, which is right only for slopes up to 1.",
            BY_SIGN,
            value=lambda self, x: torch.where(x > self.a() * x, x, self.a() * x),
        ),
        slip(
            "maximum-of-both",
            "torch.maximum is right only for slopes up to 1, and it shares the gradient where both are "
            "equal, at 0.",
            "Decide by the sign of x: torch.where(x > 0, ...).",
            value=lambda self, x: torch.maximum(x, self.a() * x),
        ),
        slip(
            "minimum",
            "You take the smaller of x and slope·x, which for slopes from 0 to 1 exchanges the sides.",
            BY_SIGN,
            {"value": lambda self, x: torch.minimum(x, self.a() * x)},
            {"value": lambda self, x: torch.where(x < self.a() * x, x, self.a() * x)},
        ),
        slip(
            "zero-at-zero",
            "You add max(0, x) and slope·min(0, x); at 0 autograd takes both as flat and gives 0.",
            AT_ZERO,
            {"value": lambda self, x: x.clamp(min=0) + self.a() * x.clamp(max=0)},
            {"value": lambda self, x: F.relu(x) - self.a() * F.relu(-x)},
            {"value": lambda self, x: x * (x > 0) + self.a() * x * (x < 0)},
        ),
        slip(
            "sum-at-zero",
            "You add max(0, x) and slope·min(0, x) so that at 0 autograd counts both and gives "
            "1 + slope.",
            AT_ZERO,
            {"value": lambda self, x: x * (x >= 0) + self.a() * x * (x <= 0)},
        ),
        slip(
            "average-at-zero",
            "Your formula, as with |x| or with maximum and minimum, gives autograd the slope "
            "(1 + slope)/2 at 0.",
            AT_ZERO,
            {"value": lambda self, x: (1 + self.a()) / 2 * x + (1 - self.a()) / 2 * x.abs()},
            {
                "value": lambda self, x: (
                    torch.maximum(x, 0 * x.detach()) + self.a() * torch.minimum(x, 0 * x.detach())
                )
            },
        ),
        slip(
            "one-at-zero",
            "Your value lets autograd find the slope 1 at 0, as with x >= 0.",
            "Compare with x > 0: at 0 the negative slope is meant, as in PyTorch.",
            value=lambda self, x: torch.where(x >= 0, x, self.a() * x),
        ),
        slip(
            "slope-on-the-right",
            "You apply the slope to the positive numbers.",
            "Positive numbers pass unchanged; the slope belongs to the negative ones.",
            {"value": lambda self, x: torch.where(x > 0, self.a() * x, x)},
            {
                "value": lambda self, x: torch.where(x > 0, self.a() * x, x),
                "slope": lambda self, x: where(x, self.a_of_slope(), 1),
            },
        ),
        slip(
            "absolute",
            "Your negative numbers come out with the opposite sign.",
            "For x below 0 the result is slope·x, which is negative for a positive slope.",
            {"value": lambda self, x: torch.where(x > 0, x, -self.a() * x)},
            {
                "a": lambda self: -self.negative_slope,
                "a_of_slope": lambda self: -self.negative_slope,
            },
        ),
        slip(
            "constant-on-the-left",
            "Below 0 you return the slope itself.",
            "For x below 0 the result is the slope times x.",
            value=lambda self, x: torch.where(x > 0, x, x * 0 + self.a()),
        ),
        slip(
            "adds-slope",
            "Below 0 you add the slope to x, where the product is meant.",
            LEFT,
            value=lambda self, x: torch.where(x > 0, x, x + self.a()),
        ),
        slip(
            "divides-by-slope",
            "Below 0 you divide by the slope, where the product is meant.",
            LEFT,
            value=lambda self, x: torch.where(x > 0, x, x / self.a()),
        ),
        slip(
            "plain-relu",
            "Your function is plain ReLU: negative numbers become 0.",
            LEFT,
            {"value": lambda self, x: torch.where(x > 0, x, 0 * x)},
            {"value": lambda self, x: torch.where(x > 0, x, 0 * x), "a_of_slope": lambda self: 0},
        ),
        slip(
            "elu",
            "Below 0 you compute slope·(exp(x) − 1), which is ELU.",
            LEFT,
            value=lambda self, x: torch.where(x > 0, x, self.a() * (torch.exp(x.clamp(max=0)) - 1)),
        ),
        family(
            "default-slope",
            "Your default slope is {constant}; it is meant to be 0.01.",
            SIGNATURE,
            (0.1, 0.2, 0.3, 0.001, 0.02, 0.05, 0.25, 0.0, 1.0),
            lambda c: {"default": c},
        ),
        slip(
            "no-default",
            "Your slope has no default, so MyLeakyReLU() raises TypeError.",
            SIGNATURE,
            begin=_no_default,
        ),
        slip(
            "no-such-argument",
            "Your class takes no argument with the name negative_slope.",
            SIGNATURE,
            begin=_another_name,
        ),
        family(
            "ignores-slope",
            "Your forward always uses {constant}, whatever slope the object was made with.",
            KEEP,
            (0.01, 0.1),
            lambda c: {"a": lambda self: c},
        ),
        slip(
            "derivative-ignores-slope",
            "Your derivative always uses 0.01, whatever slope the object was made with.",
            KEEP,
            a_of_slope=lambda self: 0.01,
        ),
        slip(
            "setting-not-kept",
            "Your object always has the slope 0.01, whatever it was made with.",
            KEEP,
            keep=lambda self, negative_slope: setattr(self, "negative_slope", 0.01),
        ),
        slip(
            "kept-on-class",
            "You keep the slope on the class, so that a second object changes the first one.",
            "Keep it on the object: self.negative_slope = negative_slope.",
            keep=_on_class,
        ),
        slip(
            "or-in-the-constructor",
            "A slope of 0 becomes your default, as with negative_slope or 0.01.",
            "0 is a slope like any other.",
            keep=lambda self, negative_slope: setattr(
                self, "negative_slope", negative_slope or 0.01
            ),
        ),
        slip(
            "absolute-slope",
            "You take the absolute value of the slope, or a slope below 0 as 0 or so.",
            "The slope can be any number, also one below 0.",
            {
                "keep": lambda self, negative_slope: setattr(
                    self, "negative_slope", abs(negative_slope)
                )
            },
            {
                "keep": lambda self, negative_slope: setattr(
                    self, "negative_slope", max(negative_slope, 0.0)
                )
            },
        ),
        slip(
            "derivative-one-at-zero",
            "Your derivative at 0 is 1; there the slope is meant, as in PyTorch.",
            "Compare with x > 0.",
            slope=lambda self, x: torch.where(
                x >= 0, torch.ones_like(x), torch.full_like(x, self.a_of_slope())
            ),
        ),
        slip(
            "derivative-zero-at-zero",
            "Your derivative at 0 is 0; there the slope is meant, as in PyTorch.",
            "Compare with x > 0, and take the slope everywhere else.",
            slope=lambda self, x: (x > 0).to(x.dtype) + self.a_of_slope() * (x < 0),
        ),
        slip(
            "derivative-zero-on-the-left",
            "Your derivative is 0 for negative x, as for plain ReLU.",
            LINE,
            slope=lambda self, x: where(x, 1, 0),
        ),
        slip(
            "derivative-times-x",
            "Below 0 your derivative is slope·x, which is the value.",
            "The slope of the line slope·x is the slope alone.",
            slope=lambda self, x: torch.where(x > 0, torch.ones_like(x), self.a_of_slope() * x),
        ),
        slip(
            "derivative-is-value",
            "Your derivative returns the value again, as forward does.",
            "To the right of 0 the line is y = x. What is its slope?",
            slope=lambda self, x: self(x),
        ),
        slip(
            "derivative-is-x-on-the-right",
            "For positive x your derivative returns x itself, which is the value.",
            "To the right of 0 the line is y = x. What is its slope?",
            slope=lambda self, x: torch.where(x > 0, x, self.a_of_slope() * torch.ones_like(x)),
        ),
        slip(
            "derivative-exchanged",
            "Your derivative has its two sides exchanged.",
            LINE,
            {"slope": lambda self, x: where(x, self.a_of_slope(), 1)},
            {"slope": lambda self, x: where(-x, 1, self.a_of_slope())},
        ),
        slip(
            "derivative-negated",
            "Below 0 your derivative is −slope.",
            LINE,
            a_of_slope=lambda self: -self.negative_slope,
        ),
        slip(
            "derivative-always-one",
            "Your derivative is 1 everywhere.",
            LINE,
            slope=lambda self, x: torch.ones_like(x),
        ),
        slip(
            "in-place",
            "Your forward writes into x itself, so the caller's x changes.",
            "Make a new tensor, for example with torch.where.",
            {"value": _in_place},
            {"value": _in_place_unseen},
        ),
        *asks_once(),
        *shared(),
    ),
)
