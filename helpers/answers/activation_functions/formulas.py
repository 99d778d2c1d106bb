"""Formulas from which the right and wrong answers of lesson 01 are made."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

Function = Callable[[torch.Tensor], torch.Tensor]


def activation(value: Function, derivative: Function) -> type:
    """A class without arguments whose instance has this value and this derivative."""

    class Made:
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return value(x)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return derivative(x)

    return Made


def remembering(value: Function, derivative: Function) -> type:
    """A class whose derivative is taken at the x of the last call, whatever it is given."""

    class Made:
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            self.x = x.detach()
            return value(x)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return derivative(self.x)

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


def hand_three(**wrong: type) -> tuple[type, type, type]:
    """The three right classes with one of them replaced."""
    return (
        wrong.get("relu", HandReLU),
        wrong.get("sigmoid", HandSigmoid),
        wrong.get("tanh", HandTanh),
    )
