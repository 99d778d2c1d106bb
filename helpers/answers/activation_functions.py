"""Answers to lesson 01: activation functions, their derivatives, and stacks of linear layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception

Function = Callable[[torch.Tensor], torch.Tensor]


def activation(value: Function, derivative: Function) -> type:
    """A class without arguments whose instance has this value and this derivative."""

    class Made:
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return value(x)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return derivative(x)

    return Made


# References, from torch -----------------------------------------------------------------------


def relu_slope(x: torch.Tensor) -> torch.Tensor:
    return (x > 0).to(x.dtype)


def sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(x)
    return s * (1 - s)


def tanh_slope(x: torch.Tensor) -> torch.Tensor:
    return 1 - torch.tanh(x) ** 2


def normal_cdf(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def normal_density(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def gelu_slope(x: torch.Tensor) -> torch.Tensor:
    return normal_cdf(x) + x * normal_density(x)


def silu_slope(x: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(x)
    return s * (1 + x * (1 - s))


ReLU = activation(torch.relu, relu_slope)
Sigmoid = activation(torch.sigmoid, sigmoid_slope)
Tanh = activation(torch.tanh, tanh_slope)
GELU = activation(F.gelu, gelu_slope)
SiLU = activation(F.silu, silu_slope)


def leaky(
    value: Callable[[torch.Tensor, float], torch.Tensor],
    derivative: Callable[[torch.Tensor, float], torch.Tensor],
    default: float = 0.01,
) -> type:
    """A class with the setting `negative_slope` that has this value and this derivative."""

    class Made:
        def __init__(self, negative_slope: float = default) -> None:
            self.slope = negative_slope

        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return value(x, self.slope)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return derivative(x, self.slope)

    return Made


def leaky_slope(x: torch.Tensor, a: float) -> torch.Tensor:
    return torch.where(x > 0, torch.ones_like(x), torch.full_like(x, a))


LeakyReLU = leaky(F.leaky_relu, leaky_slope)

# Formulas by hand -----------------------------------------------------------------------------


def safe_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Both branches see a number that cannot overflow, so that neither spoils the gradient."""
    positive = x >= 0
    right = 1 / (1 + torch.exp(-torch.where(positive, x, 0)))
    e = torch.exp(torch.where(positive, 0, x))
    return torch.where(positive, right, e / (1 + e))


def safe_sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    s = safe_sigmoid(x)
    return s * (1 - s)


def clamped_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-torch.clamp(x, -80, 80)))


def softplus_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(F.logsigmoid(x))


def safe_tanh(x: torch.Tensor) -> torch.Tensor:
    return 2 * safe_sigmoid(2 * x) - 1


def safe_tanh_slope(x: torch.Tensor) -> torch.Tensor:
    return 1 - safe_tanh(x) ** 2


def expm1_tanh(x: torch.Tensor) -> torch.Tensor:
    """tanh x = ±(−expm1(−2|x|)) / (2 + expm1(−2|x|)), one branch for each sign."""
    positive = x >= 0
    up = torch.expm1(-2 * torch.where(positive, x, 0))
    down = torch.expm1(2 * torch.where(positive, 0, x))
    return torch.where(positive, -up / (2 + up), down / (2 + down))


def two_branch_tanh(x: torch.Tensor) -> torch.Tensor:
    positive = x > 0
    a = torch.exp(-2 * torch.where(positive, x, 0))
    b = torch.exp(2 * torch.where(positive, 0, x))
    return torch.where(positive, (1 - a) / (1 + a), (b - 1) / (b + 1))


def relu_by_where(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x, torch.zeros_like(x))


HandReLU = activation(relu_by_where, relu_slope)
HandSigmoid = activation(safe_sigmoid, safe_sigmoid_slope)
HandTanh = activation(safe_tanh, safe_tanh_slope)
HandGELU = activation(lambda x: x * normal_cdf(x), gelu_slope)
HandSiLU = activation(lambda x: x * torch.sigmoid(x), silu_slope)
HandLeakyReLU = leaky(lambda x, a: torch.where(x > 0, x, a * x), leaky_slope)


def textbook_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


def textbook_sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    return textbook_sigmoid(x) * (1 - textbook_sigmoid(x))


def textbook_tanh(x: torch.Tensor) -> torch.Tensor:
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


def textbook_tanh_slope(x: torch.Tensor) -> torch.Tensor:
    return 1 - textbook_tanh(x) ** 2


TextbookSigmoid = activation(textbook_sigmoid, textbook_sigmoid_slope)
TextbookTanh = activation(textbook_tanh, textbook_tanh_slope)


def in_float64(f: Function) -> Function:
    return lambda x: f(x.double()).to(x.dtype)


def as_float64(f: Function) -> Function:
    return lambda x: f(x).double()


def cut_off(f: Function) -> Function:
    return lambda x: f(x.detach())


def relu_in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x[x < 0] = 0
    return x * (x > 0)


def minus_in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.neg_()
    return safe_sigmoid(-x)


def _three(**wrong: type) -> tuple[type, type, type]:
    """The three right classes with one of them replaced."""
    return (
        wrong.get("relu", HandReLU),
        wrong.get("sigmoid", HandSigmoid),
        wrong.get("tanh", HandTanh),
    )


def _m(id: str, make: Any, diagnosis: str, hint: str) -> Misconception:
    return Misconception(id, make, diagnosis, hint)


class TorchStyleSigmoid(torch.nn.Module):
    """The form that most students write: an nn.Module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1 / (1 + torch.exp(-x))

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        s = self(x)
        return s * (1 - s)


ACTIVATION_FUNCTION = Answers(
    reference=(ReLU, Sigmoid, Tanh),
    variants={
        "textbook formulas": _three(sigmoid=TextbookSigmoid, tanh=TextbookTanh),
        "a module": _three(sigmoid=TorchStyleSigmoid),
        "factories": tuple((lambda c=c: c()) for c in _three()),
        "clamp": _three(relu=activation(lambda x: x.clamp(min=0), relu_slope)),
        "absolute value": _three(relu=activation(lambda x: (x + x.abs()) / 2, relu_slope)),
        "float64 inside": _three(tanh=activation(in_float64(textbook_tanh), tanh_slope)),
    },
    misconceptions=(
        _m(
            "relu-absolute",
            _three(relu=activation(torch.abs, relu_slope)),
            "Your ReLU is |x|: it turns negative numbers into positive ones.",
            "For a negative x the result is 0.",
        ),
        _m(
            "relu-derivative-is-value",
            _three(relu=activation(relu_by_where, relu_by_where)),
            "Your derivative of ReLU returns max(0, x) again, which is its value.",
            "To the right of 0 ReLU is the line y = x. What is the slope of that line?",
        ),
        _m(
            "relu-derivative-always-one",
            _three(relu=activation(relu_by_where, torch.ones_like)),
            "Your derivative of ReLU is 1 everywhere, also where ReLU is flat.",
            "Look at the plot to the left of 0: how steep is it there?",
        ),
        _m(
            "relu-derivative-sign",
            _three(relu=activation(relu_by_where, torch.sign)),
            "Your derivative of ReLU is the sign of x, which is −1 for negative x.",
            "To the left of 0 ReLU is flat, so its slope there is 0.",
        ),
        _m(
            "sigmoid-missing-minus",
            _three(sigmoid=activation(lambda x: 1 / (1 + torch.exp(x)), safe_sigmoid_slope)),
            "Your sigmoid falls from 1 to 0: the minus sign in exp(−x) is missing.",
            "For a large positive x the result must come close to 1.",
        ),
        _m(
            "sigmoid-derivative-of-input",
            _three(sigmoid=activation(safe_sigmoid, lambda x: x * (1 - x))),
            "You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).",
            "Compute s = self(x) first, and use s in the formula.",
        ),
        _m(
            "sigmoid-derivative-plus",
            _three(
                sigmoid=activation(safe_sigmoid, lambda x: safe_sigmoid(x) * (1 + safe_sigmoid(x)))
            ),
            "You used s·(1 + s) where s·(1 − s) is meant.",
            "At x = 0 the slope of the sigmoid is ¼.",
        ),
        _m(
            "sigmoid-derivative-square",
            _three(sigmoid=activation(safe_sigmoid, lambda x: 1 - safe_sigmoid(x) ** 2)),
            "You used 1 − s², which is the rule for tanh; for the sigmoid it is s·(1 − s).",
            "At x = 0 the slope of the sigmoid is ¼.",
        ),
        _m(
            "sigmoid-derivative-is-value",
            _three(sigmoid=activation(safe_sigmoid, safe_sigmoid)),
            "Your derivative of the sigmoid returns its value.",
            "Use the value s = self(x) in the formula s·(1 − s).",
        ),
        _m(
            "tanh-missing-minus",
            _three(
                tanh=activation(
                    lambda x: (
                        (torch.exp(x) + torch.exp(-x)) / (torch.exp(x) - torch.exp(-x))
                    ),
                    safe_tanh_slope,
                )
            ),
            "Your tanh has numerator and denominator exchanged.",
            "The difference of the exponentials stands above the line, their sum below.",
        ),
        _m(
            "tanh-half-argument",
            _three(tanh=activation(lambda x: 2 * safe_sigmoid(x) - 1, safe_tanh_slope)),
            "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
            "tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        _m(
            "tanh-is-sinh",
            _three(
                tanh=activation(lambda x: (torch.exp(x) - torch.exp(-x)) / 2, safe_tanh_slope)
            ),
            "You computed sinh(x): the difference of the exponentials is divided by 2.",
            "Divide by the sum of the exponentials, so that the result stays between −1 and 1.",
        ),
        _m(
            "tanh-derivative-of-input",
            _three(tanh=activation(safe_tanh, lambda x: 1 - x**2)),
            "You used 1 − x² where 1 − t² is meant, t being the output tanh(x).",
            "Compute t = self(x) first, and use t in the formula.",
        ),
        _m(
            "tanh-derivative-sigmoid-rule",
            _three(tanh=activation(safe_tanh, lambda x: safe_tanh(x) * (1 - safe_tanh(x)))),
            "You used t·(1 − t), which is the rule for the sigmoid; for tanh it is 1 − t².",
            "At x = 0 the slope of tanh is 1.",
        ),
        _m(
            "tanh-derivative-not-squared",
            _three(tanh=activation(safe_tanh, lambda x: 1 - safe_tanh(x))),
            "You used 1 − t where 1 − t² is meant: the square is missing.",
            "At x = −10 the slope of tanh is nearly 0, and yours is nearly 2.",
        ),
    ),
)

RELU = Answers(
    reference=ReLU,
    variants={
        "where": HandReLU,
        "mask": activation(lambda x: x * (x > 0), lambda x: (x > 0).to(x.dtype)),
        "float64 inside": activation(
            in_float64(relu_by_where), lambda x: torch.heaviside(x, torch.zeros_like(x))
        ),
        "own copy in place": activation(
            lambda x: x.clone().masked_fill_(x <= 0, 0.0), relu_slope
        ),
        "a factory": lambda: HandReLU(),
    },
    misconceptions=(
        _m(
            "half-at-zero",
            activation(lambda x: torch.maximum(x, torch.zeros_like(x)), relu_slope),
            "torch.maximum shares the slope when both arguments are equal, so you get ½ at 0.",
            "Choose with torch.where(x > 0, ...), which takes the zero branch at x = 0.",
        ),
        _m(
            "one-at-zero",
            activation(
                lambda x: torch.where(x >= 0, x, torch.zeros_like(x)), relu_slope
            ),
            "You compare with x >= 0, so autograd gives the slope 1 at 0.",
            "Compare with x > 0: at 0 itself the slope is taken as 0.",
        ),
        _m(
            "derivative-one-at-zero",
            activation(relu_by_where, lambda x: (x >= 0).to(x.dtype)),
            "Your derivative is 1 at x = 0, because it compares with x >= 0.",
            "Compare with x > 0: at 0 itself the slope is taken as 0.",
        ),
        _m(
            "derivative-half-at-zero",
            activation(
                relu_by_where, lambda x: torch.heaviside(x, torch.full_like(x, 0.5))
            ),
            "Your derivative is ½ at x = 0.",
            "PyTorch takes the slope at 0 as 0, and this course follows it.",
        ),
        _m(
            "floor-above-zero",
            activation(lambda x: torch.maximum(x, torch.full_like(x, 1e-3)), relu_slope),
            "Your ReLU never falls below a small positive number.",
            "For a negative x the result is exactly 0.",
        ),
        _m(
            "leaks",
            activation(lambda x: torch.where(x > 0, x, 0.01 * x), relu_slope),
            "Your ReLU lets a part of the negative numbers through: that is LeakyReLU.",
            "For a negative x the result is exactly 0.",
        ),
        _m(
            "derivative-boolean",
            activation(relu_by_where, lambda x: x > 0),
            "Your derivative is a tensor of True and False where numbers are meant.",
            "Turn it into numbers with .to(x.dtype).",
        ),
        _m(
            "in-place",
            activation(relu_in_place, relu_slope),
            "Your ReLU sets the negative entries of x itself to 0, so the caller's x changes.",
            "Make a new tensor, for example with torch.where.",
        ),
        _m(
            "cut-off",
            activation(cut_off(relu_by_where), relu_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
        _m(
            "returns-float64",
            activation(as_float64(relu_by_where), relu_slope),
            "Your result is float64 for a float32 input.",
            "Keep the dtype of x: make constants with torch.zeros_like(x).",
        ),
        _m(
            "capped",
            activation(lambda x: x.clamp(0, 6), relu_slope),
            "Your ReLU stops growing at 6: that is ReLU6.",
            "For a positive x the result is x, however large.",
        ),
    ),
)

SIGMOID = Answers(
    reference=Sigmoid,
    variants={
        "two safe branches": HandSigmoid,
        "clamped exponent": activation(clamped_sigmoid, safe_sigmoid_slope),
        "exp of logsigmoid": activation(softplus_sigmoid, safe_sigmoid_slope),
        "by hand through expm1": activation(
            lambda x: 0.5 * (1 + expm1_tanh(x / 2)), safe_sigmoid_slope
        ),
        "clamp in float64": activation(in_float64(clamped_sigmoid), safe_sigmoid_slope),
        "a factory": lambda: HandSigmoid(),
    },
    misconceptions=(
        _m(
            "textbook",
            TextbookSigmoid,
            "In 1/(1 + exp(−x)) the exponential overflows for very negative x: the value is still "
            "right, but autograd multiplies 0 by infinity and gets NaN.",
            "Let exp never see a large positive number: use exp(−|x|), or clamp the exponent.",
        ),
        _m(
            "exp-over-exp",
            activation(lambda x: torch.exp(x) / (1 + torch.exp(x)), safe_sigmoid_slope),
            "In exp(x)/(1 + exp(x)) both overflow for large positive x: infinity/infinity is NaN.",
            "Let exp never see a large positive number: use exp(−|x|), or clamp the exponent.",
        ),
        _m(
            "both-branches",
            activation(
                lambda x: torch.where(
                    x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x))
                ),
                safe_sigmoid_slope,
            ),
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe as well, with a torch.where inside it.",
        ),
        _m(
            "float64-inside",
            activation(in_float64(textbook_sigmoid), safe_sigmoid_slope),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number: use exp(−|x|), or clamp the exponent.",
        ),
        _m(
            "absolute-value",
            activation(lambda x: 1 / (1 + torch.exp(-x.abs())), safe_sigmoid_slope),
            "You compute sigmoid(|x|), so negative x get the value of positive ones.",
            "For x below 0 use sigmoid(x) = 1 − sigmoid(−x), or e/(1 + e) with e = exp(x).",
        ),
        _m(
            "clamped-too-early",
            activation(lambda x: safe_sigmoid(x.clamp(-5, 5)), safe_sigmoid_slope),
            "You clamp x to [−5, 5], where the sigmoid still changes by almost 0.01.",
            "Clamp no nearer to 0 than about ±30 in float32.",
        ),
        _m(
            "nan-to-num",
            activation(
                lambda x: torch.nan_to_num(torch.exp(x) / (1 + torch.exp(x)), nan=1.0),
                safe_sigmoid_slope,
            ),
            "You replace NaN in the value, but the gradient behind it is still NaN or wrong.",
            "Avoid the overflow itself: let exp never see a large positive number.",
        ),
        _m(
            "derivative-of-input",
            activation(safe_sigmoid, lambda x: x * (1 - x)),
            "You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).",
            "Compute s = self(x) first, and use s in the formula.",
        ),
        _m(
            "derivative-overflows",
            activation(safe_sigmoid, lambda x: torch.exp(-x) / (1 + torch.exp(-x)) ** 2),
            "Your derivative divides infinity by infinity for very negative x.",
            "Write the derivative with the output: s·(1 − s), s = self(x).",
        ),
        _m(
            "derivative-is-value",
            activation(safe_sigmoid, safe_sigmoid),
            "Your derivative returns the value of the sigmoid.",
            "Use the value s = self(x) in the formula s·(1 − s).",
        ),
        _m(
            "cut-off",
            activation(cut_off(safe_sigmoid), safe_sigmoid_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
        _m(
            "in-place",
            activation(minus_in_place, safe_sigmoid_slope),
            "Your forward changes x itself, with an operation that ends in an underscore.",
            "Use the operation without the underscore, which makes a new tensor.",
        ),
        _m(
            "returns-float64",
            activation(as_float64(safe_sigmoid), safe_sigmoid_slope),
            "Your result is float64 for a float32 input.",
            "Keep the dtype of x: make constants with torch.zeros_like(x).",
        ),
    ),
)

TANH = Answers(
    reference=Tanh,
    variants={
        "twice a sigmoid": HandTanh,
        "expm1": activation(expm1_tanh, safe_tanh_slope),
        "double where": activation(two_branch_tanh, safe_tanh_slope),
        "clamp": activation(
            lambda x: textbook_tanh(x.clamp(-30, 30)), lambda x: 1 - textbook_tanh(x.clamp(-30, 30)) ** 2
        ),
        "float64 with a clamp": activation(
            in_float64(lambda x: textbook_tanh(x.clamp(-30, 30))), safe_tanh_slope
        ),
    },
    misconceptions=(
        _m(
            "textbook",
            TextbookTanh,
            "In (exp(x) − exp(−x)) / (exp(x) + exp(−x)) one exponential overflows far from 0: "
            "infinity/infinity is NaN.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        _m(
            "one-exponential",
            activation(lambda x: 1 - 2 / (torch.exp(2 * x) + 1), safe_tanh_slope),
            "Your value is right, but for large x exp(2x) overflows, and autograd multiplies 0 by "
            "infinity and gets NaN.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        _m(
            "both-branches",
            activation(
                lambda x: torch.where(
                    x > 0,
                    (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x)),
                    (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
                ),
                safe_tanh_slope,
            ),
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe as well, with a torch.where inside it.",
        ),
        _m(
            "sign-and-absolute",
            activation(
                lambda x: (
                    torch.sign(x)
                    * (1 - torch.exp(-2 * x.abs()))
                    / (1 + torch.exp(-2 * x.abs()))
                ),
                safe_tanh_slope,
            ),
            "sign(x) and |x| have the slope 0 at x = 0, so autograd gives 0 there; it must be 1.",
            "Use 2·sigmoid(2x) − 1, or two branches chosen by torch.where.",
        ),
        _m(
            "nan-to-num",
            activation(lambda x: torch.nan_to_num(textbook_tanh(x), nan=1.0), safe_tanh_slope),
            "You replace NaN by 1, which gives +1 at x = −100, where −1 is right.",
            "Avoid the overflow itself: let exp never see a large positive number.",
        ),
        _m(
            "float64-inside",
            activation(in_float64(textbook_tanh), safe_tanh_slope),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        _m(
            "half-argument",
            activation(lambda x: 2 * safe_sigmoid(x) - 1, safe_tanh_slope),
            "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
            "tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        _m(
            "clamped-value",
            activation(lambda x: x.clamp(-1, 1), safe_tanh_slope),
            "You cut x off at −1 and 1 (that is hardtanh); tanh bends smoothly.",
            "Start from tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        _m(
            "derivative-of-input",
            activation(safe_tanh, lambda x: 1 - x**2),
            "You used 1 − x² where 1 − t² is meant, t being the output tanh(x).",
            "Compute t = self(x) first, and use t in the formula.",
        ),
        _m(
            "derivative-sigmoid-rule",
            activation(safe_tanh, lambda x: safe_tanh(x) * (1 - safe_tanh(x))),
            "You used t·(1 − t), which is the rule for the sigmoid; for tanh it is 1 − t².",
            "At x = 0 the slope of tanh is 1.",
        ),
        _m(
            "derivative-overflows",
            activation(safe_tanh, lambda x: 4 / (torch.exp(x) + torch.exp(-x)) ** 2 * torch.exp(x) / torch.exp(x)),
            "Your derivative divides infinity by infinity far from 0.",
            "Write the derivative with the output: 1 − t², t = self(x).",
        ),
        _m(
            "cut-off",
            activation(cut_off(safe_tanh), safe_tanh_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
    ),
)

LEAKY_RELU = Answers(
    reference=LeakyReLU,
    variants={
        "where": HandLeakyReLU,
        "mask": leaky(
            lambda x, a: x * (x > 0) + a * x * (x <= 0),
            lambda x, a: (x > 0).to(x.dtype) + a * (x <= 0).to(x.dtype),
        ),
        "factor": leaky(
            lambda x, a: x * torch.where(x > 0, 1.0, a).to(x.dtype), leaky_slope
        ),
        "float64 inside": leaky(
            lambda x, a: torch.where(x > 0, x.double(), a * x.double()).to(x.dtype), leaky_slope
        ),
    },
    misconceptions=(
        _m(
            "maximum",
            leaky(lambda x, a: torch.where(x > a * x, x, a * x), leaky_slope),
            "You take the larger of x and slope·x, which is right only for slopes from 0 to 1.",
            "Decide by the sign of x, not by which of the two is larger.",
        ),
        _m(
            "default-0.1",
            leaky(lambda x, a: torch.where(x > 0, x, a * x), leaky_slope, default=0.1),
            "Your default slope is 0.1; it is meant to be 0.01.",
            "Look at the signature: negative_slope=0.01.",
        ),
        _m(
            "ignores-slope",
            leaky(lambda x, a: torch.where(x > 0, x, 0.01 * x), leaky_slope),
            "Your forward always uses 0.01, whatever slope the object was made with.",
            "Keep negative_slope in __init__, as self.negative_slope, and use it.",
        ),
        _m(
            "slope-on-the-right",
            leaky(lambda x, a: torch.where(x > 0, a * x, x), leaky_slope),
            "You apply the slope to the positive numbers.",
            "Positive numbers pass unchanged; the slope belongs to the negative ones.",
        ),
        _m(
            "absolute",
            leaky(lambda x, a: torch.where(x > 0, x, -a * x), leaky_slope),
            "Your negative numbers come out with the opposite sign.",
            "For x below 0 the result is slope·x, which is negative for a positive slope.",
        ),
        _m(
            "constant-on-the-left",
            leaky(lambda x, a: torch.where(x > 0, x, x * 0 + a), leaky_slope),
            "Below 0 you return the slope itself.",
            "For x below 0 the result is the slope times x.",
        ),
        _m(
            "plain-relu",
            leaky(lambda x, a: torch.where(x > 0, x, 0 * x), leaky_slope),
            "Your function is plain ReLU: negative numbers become 0.",
            "For x below 0 the result is slope·x.",
        ),
        _m(
            "derivative-one-at-zero",
            leaky(
                lambda x, a: torch.where(x > 0, x, a * x),
                lambda x, a: torch.where(x >= 0, torch.ones_like(x), torch.full_like(x, a)),
            ),
            "Your derivative at 0 is 1; there the slope is meant, as in PyTorch.",
            "Compare with x > 0.",
        ),
        _m(
            "derivative-zero-on-the-left",
            leaky(lambda x, a: torch.where(x > 0, x, a * x), lambda x, a: relu_slope(x)),
            "Your derivative is 0 for negative x, as for plain ReLU.",
            "Below 0 the line is slope·x. How steep is it?",
        ),
        _m(
            "derivative-times-x",
            leaky(
                lambda x, a: torch.where(x > 0, x, a * x),
                lambda x, a: torch.where(x > 0, torch.ones_like(x), a * x),
            ),
            "Below 0 your derivative is slope·x, which is the value.",
            "The slope of the line slope·x is the slope alone.",
        ),
        _m(
            "one-at-zero",
            leaky(lambda x, a: torch.where(x >= 0, x, a * x), leaky_slope),
            "You compare with x >= 0, so autograd gives the slope 1 at 0.",
            "Compare with x > 0: at 0 the negative slope is meant, as in PyTorch.",
        ),
    ),
)

GELU_ANSWERS = Answers(
    reference=GELU,
    variants={
        "by hand": HandGELU,
        "erfc": activation(
            lambda x: 0.5 * x * torch.erfc(-x / math.sqrt(2)),
            lambda x: 0.5 * torch.erfc(-x / math.sqrt(2)) + x * normal_density(x),
        ),
        "normal distribution": activation(
            lambda x: x * torch.special.ndtr(x),
            lambda x: torch.special.ndtr(x) + x * normal_density(x),
        ),
        "float64 inside": activation(in_float64(lambda x: x * normal_cdf(x)), gelu_slope),
    },
    misconceptions=(
        _m(
            "tanh-approximation",
            activation(
                lambda x: (
                    0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
                ),
                gelu_slope,
            ),
            "You used the approximation with tanh; the exact form with erf is asked for.",
            "Φ(x) = ½·(1 + erf(x/√2)); PyTorch has torch.erf.",
        ),
        _m(
            "sigmoid-approximation",
            activation(lambda x: x * torch.sigmoid(1.702 * x), gelu_slope),
            "You used the approximation x·sigmoid(1.702·x); the exact form with erf is asked for.",
            "Φ(x) = ½·(1 + erf(x/√2)); PyTorch has torch.erf.",
        ),
        _m(
            "erf-without-root",
            activation(lambda x: 0.5 * x * (1 + torch.erf(x)), gelu_slope),
            "In Φ you wrote erf(x); it is erf(x/√2).",
            "Divide x by math.sqrt(2) inside erf.",
        ),
        _m(
            "without-half",
            activation(lambda x: x * (1 + torch.erf(x / math.sqrt(2))), gelu_slope),
            "Your result is twice the expected value: the factor ½ of Φ is missing.",
            "Φ(x) = ½·(1 + erf(x/√2)).",
        ),
        _m(
            "only-cdf",
            activation(normal_cdf, gelu_slope),
            "You returned Φ(x) without multiplying it by x.",
            "GELU(x) = x·Φ(x).",
        ),
        _m(
            "derivative-without-product-rule",
            activation(lambda x: x * normal_cdf(x), normal_cdf),
            "Your derivative is Φ(x) alone: the second term of the product rule is missing.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x), with the density φ = Φ′.",
        ),
        _m(
            "derivative-density-without-x",
            activation(
                lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + normal_density(x)
            ),
            "In your derivative the density φ(x) is not multiplied by x.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
        ),
        _m(
            "density-without-half",
            activation(
                lambda x: x * normal_cdf(x),
                lambda x: normal_cdf(x) + x * torch.exp(-x * x) / math.sqrt(2 * math.pi),
            ),
            "In the density you wrote exp(−x²); it is exp(−x²/2).",
            "φ(x) = exp(−x²/2) / √(2π).",
        ),
        _m(
            "density-not-normalised",
            activation(
                lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * torch.exp(-x * x / 2)
            ),
            "Your density is not divided by √(2π).",
            "φ(x) = exp(−x²/2) / √(2π).",
        ),
        _m(
            "density-only",
            activation(lambda x: x * normal_cdf(x), lambda x: x * normal_density(x)),
            "Your derivative is x·φ(x) alone: the first term of the product rule is missing.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
        ),
    ),
)

SILU_ANSWERS = Answers(
    reference=SiLU,
    variants={
        "by hand": activation(
            lambda x: x * safe_sigmoid(x),
            lambda x: safe_sigmoid(x) * (1 + x * (1 - safe_sigmoid(x))),
        ),
        "torch's sigmoid": HandSiLU,
        "value plus": activation(
            lambda x: x * torch.sigmoid(x),
            lambda x: (
                x * torch.sigmoid(x) + torch.sigmoid(x) * (1 - x * torch.sigmoid(x))
            ),
        ),
        "float64 inside": activation(
            in_float64(lambda x: x * torch.sigmoid(x)), silu_slope
        ),
    },
    misconceptions=(
        _m(
            "textbook",
            activation(lambda x: x / (1 + torch.exp(-x)), silu_slope),
            "In x/(1 + exp(−x)) the exponential overflows for very negative x, and the gradient "
            "becomes NaN.",
            "Use a sigmoid that is safe far from zero: your MySigmoid, or torch.sigmoid.",
        ),
        _m(
            "only-sigmoid",
            activation(torch.sigmoid, silu_slope),
            "You returned sigmoid(x) without multiplying it by x.",
            "SiLU(x) = x·sigmoid(x).",
        ),
        _m(
            "gelu-factor",
            activation(lambda x: x * torch.sigmoid(1.702 * x), silu_slope),
            "You used x·sigmoid(1.702·x), which approximates GELU.",
            "SiLU has no factor inside: x·sigmoid(x).",
        ),
        _m(
            "tanh-for-sigmoid",
            activation(lambda x: x * torch.tanh(x), silu_slope),
            "You multiplied x by tanh(x).",
            "SiLU(x) = x·sigmoid(x).",
        ),
        _m(
            "derivative-without-product-rule",
            activation(lambda x: x * torch.sigmoid(x), torch.sigmoid),
            "Your derivative is sigmoid(x) alone: the second term of the product rule is missing.",
            "(x·s)′ = s + x·s′, and s′ = s·(1 − s).",
        ),
        _m(
            "derivative-of-sigmoid",
            activation(lambda x: x * torch.sigmoid(x), sigmoid_slope),
            "Your derivative is s·(1 − s), the one of the sigmoid alone.",
            "Use the product rule: (x·s)′ = s + x·s′.",
        ),
        _m(
            "derivative-second-term-only",
            activation(lambda x: x * torch.sigmoid(x), lambda x: x * sigmoid_slope(x)),
            "Your derivative is x·s·(1 − s): the first term of the product rule is missing.",
            "(x·s)′ = s + x·s′.",
        ),
        _m(
            "derivative-lost-factor",
            activation(
                lambda x: x * torch.sigmoid(x),
                lambda x: torch.sigmoid(x) + x * (1 - torch.sigmoid(x)),
            ),
            "In your derivative the second term lacks a factor s: s′ is s·(1 − s).",
            "(x·s)′ = s + x·s·(1 − s).",
        ),
        _m(
            "derivative-without-x",
            activation(
                lambda x: x * torch.sigmoid(x), lambda x: torch.sigmoid(x) + sigmoid_slope(x)
            ),
            "In your derivative s′ is not multiplied by x.",
            "(x·s)′ = s + x·s′.",
        ),
        _m(
            "exp-over-exp",
            activation(lambda x: x * torch.exp(x) / (1 + torch.exp(x)), silu_slope),
            "In x·exp(x)/(1 + exp(x)) both exponentials overflow: infinity/infinity is NaN.",
            "Use a sigmoid that is safe far from zero: your MySigmoid, or torch.sigmoid.",
        ),
    ),
)


# A function of its own for autograd -----------------------------------------------------------


class ReLUFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)


def relu_function(backward: Callable[[Any, torch.Tensor, torch.Tensor], Any], forward: Function | None = None) -> type:
    """A ReLUFunction whose backward is this function of (ctx, x, grad_output)."""
    value = forward or (lambda x: x.clamp(min=0))

    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> Any:  # type: ignore[override]
            (x,) = ctx.saved_tensors
            return backward(ctx, x, grad_output)

    return Made


def _in_place_backward(ctx: Any, x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    g[x <= 0] = 0
    return g.clone()


class KeepsOnClass(torch.autograd.Function):
    kept: torch.Tensor

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        KeepsOnClass.kept = x.detach()
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return grad_output * (KeepsOnClass.kept > 0)


class SavesOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        out = torch.where(x > 0, x, torch.zeros_like(x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (out,) = ctx.saved_tensors
        return torch.where(out > 0, grad_output, torch.zeros_like(grad_output))


class KeepsMask(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        ctx.mask = x > 0
        return x * ctx.mask

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        gradient = grad_output.clone()
        gradient[~ctx.mask] = 0
        return gradient


RELU_AUTOGRAD = Answers(
    reference=ReLUFunction,
    variants={
        "saves the output": SavesOutput,
        "keeps a mask": KeepsMask,
        "float64 inside": relu_function(lambda ctx, x, g: (g.double() * (x > 0)).to(g.dtype)),
    },
    misconceptions=(
        _m(
            "ignores-upstream",
            relu_function(lambda ctx, x, g: (x > 0).to(x.dtype)),
            "Your backward returns the slope of ReLU alone and drops grad_output.",
            "The chain rule: multiply the slope by grad_output.",
        ),
        _m(
            "passes-upstream",
            relu_function(lambda ctx, x, g: g.clone()),
            "Your backward passes grad_output on unchanged, also where ReLU is flat.",
            "Multiply it by the slope of ReLU, which is 0 for negative x.",
        ),
        _m(
            "one-at-zero",
            relu_function(lambda ctx, x, g: g * (x >= 0)),
            "Your backward lets the gradient through at x = 0.",
            "Compare with x > 0: at 0 the slope is taken as 0.",
        ),
        _m(
            "mask-of-upstream",
            relu_function(lambda ctx, x, g: g.clamp(min=0)),
            "Your backward looks at the sign of grad_output; the sign of x decides.",
            "Keep x (or a mask of it) with ctx.save_for_backward, and use it in backward.",
        ),
        _m(
            "in-place-upstream",
            relu_function(_in_place_backward),
            "Your backward writes into grad_output, which other parts of the graph also use.",
            "Work on grad_output.clone(), or multiply by a mask.",
        ),
        _m(
            "kept-on-class",
            KeepsOnClass,
            "You keep x on the class, so a second call overwrites what the first one needs.",
            "Keep it on ctx: ctx.save_for_backward(x).",
        ),
        _m(
            "times-x",
            relu_function(lambda ctx, x, g: g * x.clamp(min=0)),
            "Your backward multiplies by the value of ReLU where its slope is meant.",
            "To the right of 0 the slope of ReLU is 1.",
        ),
        _m(
            "wrong-side",
            relu_function(lambda ctx, x, g: g * (x < 0)),
            "Your backward keeps the gradient where x is negative.",
            "Keep it where x is positive.",
        ),
        _m(
            "returns-none",
            relu_function(lambda ctx, x, g: None),
            "Your backward returns nothing.",
            "Return one gradient for each argument of forward apart from ctx.",
        ),
        _m(
            "forward-absolute",
            relu_function(lambda ctx, x, g: g * (x > 0), forward=torch.abs),
            "Your forward returns |x|.",
            "For a negative x the result is 0.",
        ),
        _m(
            "two-gradients",
            relu_function(lambda ctx, x, g: (g * (x > 0), x)),
            "Your backward returns two gradients, and forward has one argument apart from ctx.",
            "Return one gradient for each argument of forward apart from ctx.",
        ),
    ),
)


# A stack of linear layers ---------------------------------------------------------------------

Tensors = Iterable[torch.Tensor]
Affine = tuple[torch.Tensor, torch.Tensor]


def collapse_linear_layers(weights: Tensors, biases: Tensors) -> Affine:
    pairs = list(zip(weights, biases, strict=True))
    weight, bias = pairs[0]
    for w, b in pairs[1:]:
        weight, bias = w @ weight, w @ bias + b
    return weight.clone(), bias.clone()


def collapse_by_probing(weights: Tensors, biases: Tensors) -> Affine:
    """Send zero and the unit vectors through the stack; what comes out is b and W's columns."""
    layers = list(zip(weights, biases, strict=True))

    def through(rows: torch.Tensor) -> torch.Tensor:
        for w, b in layers:
            rows = rows @ w.T + b
        return rows

    size, dtype = layers[0][0].shape[1], layers[0][0].dtype
    bias = through(torch.zeros(1, size, dtype=dtype))[0]
    return (through(torch.eye(size, dtype=dtype)) - bias).T, bias


def collapse_with_an_extra_column(weights: Tensors, biases: Tensors) -> Affine:
    """Affine maps as matrices with one more row and column."""
    total: torch.Tensor | None = None
    for w, b in zip(weights, biases, strict=True):
        last = torch.zeros(1, w.shape[1] + 1, dtype=w.dtype)
        last[0, -1] = 1
        layer = torch.cat([torch.cat([w, b[:, None]], dim=1), last])
        total = layer if total is None else layer @ total
    assert total is not None
    return total[:-1, :-1], total[:-1, -1]


def collapse_from_the_end(weights: Tensors, biases: Tensors) -> Affine:
    ws, bs = list(weights), list(biases)
    weight, bias = ws[-1], bs[-1]
    for w, b in zip(ws[-2::-1], bs[-2::-1], strict=True):
        bias = bias + weight @ b
        weight = weight @ w
    return weight * 1, bias * 1


def _reversed_order(weights: Tensors, biases: Tensors) -> Affine:
    ws, bs = list(weights), list(biases)
    weight, bias = ws[0], bs[0]
    for w, b in zip(ws[1:], bs[1:], strict=True):
        weight, bias = weight @ w, w @ bias + b
    return weight, bias


def _adds_biases(weights: Tensors, biases: Tensors) -> Affine:
    bs = list(biases)
    weight, _ = collapse_linear_layers(weights, bs)
    if len({b.shape for b in bs}) > 1:
        bias = bs[-1] + sum(b.sum() for b in bs[:-1])
    else:
        bias = torch.stack(bs).sum(0)
    return weight, bias


def _last_bias(weights: Tensors, biases: Tensors) -> Affine:
    bs = list(biases)
    weight, _ = collapse_linear_layers(weights, bs)
    return weight, bs[-1] + 0 * sum(b.sum() for b in bs)


def _bias_before_weight(weights: Tensors, biases: Tensors) -> Affine:
    pairs = list(zip(weights, biases, strict=True))
    weight, bias = pairs[0]
    for w, b in pairs[1:]:
        weight, bias = w @ weight, w @ bias
    return weight, bias


def _transposed(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight.T, bias


def _cut_off(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight.detach(), bias.detach()


def _empties_lists(weights: Any, biases: Any) -> Affine:
    ws, bs = list(weights), list(biases)
    if isinstance(weights, list):
        weights.pop(0)
        biases.pop(0)
    return collapse_linear_layers(ws, bs)


def _reads_twice(weights: Tensors, biases: Tensors) -> Affine:
    count = len(weights)  # type: ignore[arg-type]
    assert count > 0
    return collapse_linear_layers(weights, biases)


def _only_weight(weights: Tensors, biases: Tensors) -> Any:
    return collapse_linear_layers(weights, biases)[0]


def _bias_as_column(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight, bias[:, None]


COLLAPSE = Answers(
    reference=collapse_linear_layers,
    variants={
        "probing": collapse_by_probing,
        "an extra column": collapse_with_an_extra_column,
        "from the end": collapse_from_the_end,
    },
    misconceptions=(
        _m(
            "reversed-order",
            _reversed_order,
            "You multiplied the weights in the wrong order: the first layer must stand rightmost.",
            "W₂(W₁x) = (W₂W₁)x, so each later weight is multiplied from the left.",
        ),
        _m(
            "adds-biases",
            _adds_biases,
            "You added the biases up; an earlier bias also passes through the later weights.",
            "Write out two layers: W₂(W₁x + b₁) + b₂.",
        ),
        _m(
            "last-bias",
            _last_bias,
            "You kept only the last bias.",
            "Write out two layers: W₂(W₁x + b₁) + b₂. What becomes of b₁?",
        ),
        _m(
            "drops-later-biases",
            _bias_before_weight,
            "You carried the first bias through, but left out the biases of the later layers.",
            "After multiplying the old bias by the weight, add the bias of this layer.",
        ),
        _m(
            "transposed",
            _transposed,
            "Your W is transposed: it has the shape (in, out).",
            "As in nn.Linear, W has the shape (out, in).",
        ),
        _m(
            "cut-off",
            _cut_off,
            "Your results are cut off from the weights, by detach() or .data or no_grad().",
            "Compute with the weights themselves.",
        ),
        _m(
            "empties-lists",
            _empties_lists,
            "Your code takes layers out of the lists that it was given.",
            "Loop over the lists, or copy them first with list(...).",
        ),
        _m(
            "needs-lists",
            _reads_twice,
            "Your code needs lists, and an iterable may be one that can be read only once.",
            "Begin with weights = list(weights), and the same for the biases.",
        ),
        _m(
            "only-weight",
            _only_weight,
            "Your function returns W alone.",
            "Return both: return W, b.",
        ),
        _m(
            "bias-as-column",
            _bias_as_column,
            "Your b is a column of shape (out, 1).",
            "As in nn.Linear, b has the shape (out,).",
        ),
    ),
)

ANSWERS = {
    "check_activation_function": ACTIVATION_FUNCTION,
    "check_relu": RELU,
    "check_sigmoid": SIGMOID,
    "check_tanh": TANH,
    "check_leaky_relu": LEAKY_RELU,
    "check_gelu": GELU_ANSWERS,
    "check_silu": SILU_ANSWERS,
    "check_relu_autograd": RELU_AUTOGRAD,
    "check_collapse_linear_layers": COLLAPSE,
}
