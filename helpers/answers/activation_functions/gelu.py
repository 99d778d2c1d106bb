"""GELU: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.distributions import Normal

from helpers.answers.activation_functions.formulas import (
    GELU,
    HandGELU,
    activation,
    asks_once,
    by_autograd,
    in_float64,
    module,
    normal_cdf,
    normal_density,
    of,
    shared,
)
from helpers.checking.recipe import Answers, Recipe, slip


def _slope(x: torch.Tensor) -> torch.Tensor:
    return normal_cdf(x) + x * normal_density(x)


def _tanh_part(x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))


def _tanh_slope(x: torch.Tensor) -> torch.Tensor:
    """The derivative of the approximation with tanh."""
    t = _tanh_part(x)
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t**2) * inner


def _sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    s = torch.sigmoid(1.702 * x)
    return s + 1.702 * x * s * (1 - s)


def _in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.div_(math.sqrt(2))
    return math.sqrt(2) * x * 0.5 * (1 + torch.erf(x))


def inner(wrong: Any) -> Any:
    """A wrong argument of erf in both methods, in the value alone, and in the derivative alone."""
    return {"inner": of(wrong)}, *apart(lambda self, x: self.of_erf(torch.erf(wrong(x))))


def of_erf(wrong: Any) -> Any:
    """A wrong Φ, by a formula of erf, in the same places."""
    return {"of_erf": of(wrong)}, *apart(lambda self, x: wrong(torch.erf(self.inner(x))))


def apart(cdf: Any) -> Any:
    return (
        {"value": lambda self, x: x * cdf(self, x)},
        {"slope": lambda self, x: cdf(self, x) + x * self.density(x)},
    )


PHI = "Φ(x) = ½·(1 + erf(x/√2))."
DENSITY = "φ(x) = exp(−x²/2) / √(2π)."
PRODUCT = "(x·Φ(x))′ = Φ(x) + x·φ(x), with the density φ = Φ′."

ANSWERS = Answers(
    recipe=Recipe(HandGELU),
    reference=GELU,
    variants={
        "by hand": HandGELU,
        "as a textbook prints it: half x times one plus erf": module(
            lambda self, x: 0.5 * x * (1.0 + torch.erf(x / 2**0.5)),
            lambda self, x: (
                0.5 * (1 + torch.erf(x / 2**0.5))
                + x * torch.exp(-0.5 * x.pow(2)) / (2 * math.pi) ** 0.5
            ),
        ),
        "as a library has it: M_SQRT1_2": module(
            lambda self, x: x * 0.5 * (1 + torch.erf(x * 0.7071067811865476)),
            lambda self, x: _slope(x),
        ),
        "the normal distribution's own cdf": module(
            lambda self, x: x * Normal(0.0, 1.0).cdf(x),
            lambda self, x: Normal(0.0, 1.0).cdf(x) + x * Normal(0.0, 1.0).log_prob(x).exp(),
        ),
        "erfc": activation(
            lambda x: 0.5 * x * torch.erfc(-x / math.sqrt(2)),
            lambda x: 0.5 * torch.erfc(-x / math.sqrt(2)) + x * normal_density(x),
        ),
        "ndtr": activation(
            lambda x: x * torch.special.ndtr(x),
            lambda x: torch.special.ndtr(x) + x * normal_density(x),
        ),
        "the root as a tensor": module(
            lambda self, x: x * 0.5 * (1 + torch.erf(x / torch.sqrt(torch.tensor(2.0)))),
            lambda self, x: (
                0.5 * (1 + torch.erf(x / torch.sqrt(torch.tensor(2.0))))
                + x * torch.exp(-(x**2) / 2) / torch.sqrt(torch.tensor(2.0 * torch.pi))
            ),
        ),
        "the slope by autograd": by_autograd(lambda x: x * normal_cdf(x)),
        "float64 inside": activation(in_float64(lambda x: x * normal_cdf(x)), _slope),
    },
    slips=(
        slip(
            "tanh-approximation",
            "You used the approximation with tanh; the exact form with erf is asked for.",
            "Φ(x) = ½·(1 + erf(x/√2)); PyTorch has torch.erf.",
            {"value": lambda self, x: 0.5 * x * (1 + _tanh_part(x))},
            {"value": lambda self, x: 0.5 * x * (1 + _tanh_part(x)), "slope": of(_tanh_slope)},
            {"cdf": lambda self, x: 0.5 * (1 + _tanh_part(x))},
            {"slope": of(_tanh_slope)},
        ),
        slip(
            "sigmoid-approximation",
            "You used the approximation x·sigmoid(1.702·x); the exact form with erf is asked for.",
            "Φ(x) = ½·(1 + erf(x/√2)); PyTorch has torch.erf.",
            {"value": lambda self, x: x * torch.sigmoid(1.702 * x)},
            {
                "value": lambda self, x: x * torch.sigmoid(1.702 * x),
                "slope": of(_sigmoid_slope),
            },
            {"cdf": lambda self, x: torch.sigmoid(1.702 * x)},
            {"slope": of(_sigmoid_slope)},
        ),
        slip(
            "silu-instead",
            "You computed x·sigmoid(x), which is SiLU.",
            "GELU(x) = x·Φ(x), with " + PHI,
            {"cdf": of(torch.sigmoid)},
            {"value": lambda self, x: x * torch.sigmoid(x)},
        ),
        slip(
            "erf-without-root",
            "In Φ you wrote erf(x); it is erf(x/√2).",
            "Divide x by math.sqrt(2) inside erf.",
            *inner(lambda x: x),
        ),
        slip(
            "erf-of-half",
            "In Φ you wrote erf(x/2); it is erf(x/√2).",
            "Divide x by math.sqrt(2) inside erf.",
            *inner(lambda x: x / 2),
        ),
        slip(
            "erf-times-root",
            "In Φ you wrote erf(√2·x); it is erf(x/√2).",
            "Divide x by math.sqrt(2) inside erf.",
            *inner(lambda x: x * math.sqrt(2)),
        ),
        slip(
            "without-half",
            "The factor ½ of Φ is missing, so your Φ goes from 0 to 2.",
            PHI,
            *of_erf(lambda e: 1 + e),
        ),
        slip(
            "without-one",
            "In Φ the 1 is missing, so your Φ goes from −½ to ½.",
            PHI,
            *of_erf(lambda e: 0.5 * e),
        ),
        slip(
            "no-parentheses",
            "You computed ½·1 + erf(x/√2), where ½ times the whole sum is meant.",
            "Put 1 + erf(...) in parentheses.",
            *of_erf(lambda e: 0.5 + e),
            {"value": lambda self, x: 0.5 * x + torch.erf(x / math.sqrt(2))},
        ),
        slip(
            "minus-erf",
            "You computed 1 − erf(x/√2), which is Φ(−x) and falls.",
            PHI,
            *of_erf(lambda e: 0.5 * (1 - e)),
        ),
        slip(
            "only-cdf",
            "You returned Φ(x) without multiplying it by x.",
            "GELU(x) = x·Φ(x).",
            value=lambda self, x: self.cdf(x),
        ),
        slip(
            "times-density",
            "You multiplied x by the density φ(x), and the share Φ(x) is meant.",
            "GELU(x) = x·Φ(x), with " + PHI,
            value=lambda self, x: x * self.density(x),
        ),
        slip(
            "root-of-a-number",
            "torch.sqrt takes tensors, and you gave it a plain number.",
            "Write math.sqrt(2).",
            *(
                {part: lambda self, x, n=n: x / torch.sqrt(n)}
                for n in (2, 2.0)
                for part in ("value", "inner")
            ),
        ),
        slip(
            "derivative-without-product-rule",
            "Your derivative is Φ(x) alone: the second term of the product rule is missing.",
            PRODUCT,
            slope=lambda self, x: self.cdf(x),
        ),
        slip(
            "derivative-density-without-x",
            "In your derivative the density φ(x) is not multiplied by x.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
            slope=lambda self, x: self.cdf(x) + self.density(x),
        ),
        slip(
            "density-only",
            "Your derivative is x·φ(x) alone: the first term of the product rule is missing.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
            slope=lambda self, x: x * self.density(x),
        ),
        slip(
            "derivative-of-cdf",
            "Your derivative is φ(x), the slope of Φ alone.",
            PRODUCT,
            slope=lambda self, x: self.density(x),
        ),
        slip(
            "derivative-minus",
            "Your derivative subtracts x·φ(x), and the sum is meant.",
            PRODUCT,
            slope=lambda self, x: self.cdf(x) - x * self.density(x),
        ),
        slip(
            "derivative-exchanged",
            "In your derivative x stands at the wrong term: you computed x·Φ(x) + φ(x).",
            PRODUCT,
            slope=lambda self, x: x * self.cdf(x) + self.density(x),
        ),
        slip(
            "derivative-of-both",
            "Your derivative multiplies the slopes, 1·φ(x) or Φ(x)·φ(x): that is not the product rule.",
            PRODUCT,
            slope=lambda self, x: self.cdf(x) * self.density(x),
        ),
        slip(
            "derivative-is-value",
            "Your derivative returns the value x·Φ(x).",
            PRODUCT,
            slope=lambda self, x: x * self.cdf(x),
        ),
        slip(
            "density-without-half",
            "In the density you wrote exp(−x²); it is exp(−x²/2).",
            DENSITY,
            exponent=lambda self, x: -x * x,
        ),
        slip(
            "density-of-x",
            "In the density you wrote exp(−x/2) or exp(−|x|/2), without the square; it is exp(−x²/2).",
            DENSITY,
            {"exponent": lambda self, x: -x / 2},
            {"exponent": lambda self, x: -x.abs() / 2},
        ),
        slip(
            "density-grows",
            "In the density the minus sign before x²/2 is missing, so it grows without limit.",
            DENSITY,
            exponent=lambda self, x: x * x / 2,
        ),
        slip(
            "density-not-normalised",
            "Your density is not divided by √(2π).",
            DENSITY,
            norm=lambda self: 1,
        ),
        slip(
            "density-without-root",
            "You divide the density by 2π and not by its root.",
            DENSITY,
            norm=lambda self: 2 * math.pi,
        ),
        slip(
            "density-of-erf",
            "Your density is exp(−x²/2)/√π: the factor 1/√2 is missing, which is the slope of x/√2.",
            DENSITY,
            norm=lambda self: math.sqrt(math.pi),
        ),
        slip(
            "density-twice",
            "Your density is twice as large as it should be: the ½ before erf stays when you derive.",
            DENSITY,
            norm=lambda self: math.sqrt(2 * math.pi) / 2,
        ),
        slip(
            "density-times-root",
            "You multiply by √(2π), or by a part of it, where you should divide.",
            "Put the whole denominator in parentheses: exp(−x²/2) / √(2π).",
            {"norm": lambda self: 1 / math.sqrt(2 * math.pi)},
            {"norm": lambda self: math.sqrt(2) / math.sqrt(math.pi)},
        ),
        slip(
            "in-place",
            "Your forward writes into x itself, so the caller's x changes.",
            "Make a new tensor: no x *= ..., no x[...] = ... and no method that ends in an underscore.",
            {"value": of(_in_place)},
            {"value": lambda self, x: x.mul_(self.cdf(x))},
        ),
        *asks_once(),
        *shared(),
    ),
)
