"""GELU: right and wrong answers."""

from __future__ import annotations

import math

import torch

from helpers.answers.activation_functions.formulas import (
    GELU,
    HandGELU,
    activation,
    gelu_slope,
    in_float64,
    normal_cdf,
    normal_density,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
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
        Misconception(
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
        Misconception(
            "sigmoid-approximation",
            activation(lambda x: x * torch.sigmoid(1.702 * x), gelu_slope),
            "You used the approximation x·sigmoid(1.702·x); the exact form with erf is asked for.",
            "Φ(x) = ½·(1 + erf(x/√2)); PyTorch has torch.erf.",
        ),
        Misconception(
            "erf-without-root",
            activation(lambda x: 0.5 * x * (1 + torch.erf(x)), gelu_slope),
            "In Φ you wrote erf(x); it is erf(x/√2).",
            "Divide x by math.sqrt(2) inside erf.",
        ),
        Misconception(
            "without-half",
            activation(lambda x: x * (1 + torch.erf(x / math.sqrt(2))), gelu_slope),
            "Your result is twice the expected value: the factor ½ of Φ is missing.",
            "Φ(x) = ½·(1 + erf(x/√2)).",
        ),
        Misconception(
            "only-cdf",
            activation(normal_cdf, gelu_slope),
            "You returned Φ(x) without multiplying it by x.",
            "GELU(x) = x·Φ(x).",
        ),
        Misconception(
            "derivative-without-product-rule",
            activation(lambda x: x * normal_cdf(x), normal_cdf),
            "Your derivative is Φ(x) alone: the second term of the product rule is missing.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x), with the density φ = Φ′.",
        ),
        Misconception(
            "derivative-density-without-x",
            activation(lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + normal_density(x)),
            "In your derivative the density φ(x) is not multiplied by x.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
        ),
        Misconception(
            "density-without-half",
            activation(
                lambda x: x * normal_cdf(x),
                lambda x: normal_cdf(x) + x * torch.exp(-x * x) / math.sqrt(2 * math.pi),
            ),
            "In the density you wrote exp(−x²); it is exp(−x²/2).",
            "φ(x) = exp(−x²/2) / √(2π).",
        ),
        Misconception(
            "density-not-normalised",
            activation(
                lambda x: x * normal_cdf(x), lambda x: normal_cdf(x) + x * torch.exp(-x * x / 2)
            ),
            "Your density is not divided by √(2π).",
            "φ(x) = exp(−x²/2) / √(2π).",
        ),
        Misconception(
            "density-only",
            activation(lambda x: x * normal_cdf(x), lambda x: x * normal_density(x)),
            "Your derivative is x·φ(x) alone: the first term of the product rule is missing.",
            "(x·Φ(x))′ = Φ(x) + x·φ(x).",
        ),
    ),
)
