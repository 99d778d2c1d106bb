"""SiLU: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    HandSiLU,
    SiLU,
    activation,
    in_float64,
    safe_sigmoid,
    sigmoid_slope,
    silu_slope,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
    reference=SiLU,
    variants={
        "by hand": activation(
            lambda x: x * safe_sigmoid(x),
            lambda x: safe_sigmoid(x) * (1 + x * (1 - safe_sigmoid(x))),
        ),
        "torch's sigmoid": HandSiLU,
        "value plus": activation(
            lambda x: x * torch.sigmoid(x),
            lambda x: x * torch.sigmoid(x) + torch.sigmoid(x) * (1 - x * torch.sigmoid(x)),
        ),
        "float64 inside": activation(in_float64(lambda x: x * torch.sigmoid(x)), silu_slope),
    },
    misconceptions=(
        Misconception(
            "textbook",
            activation(lambda x: x / (1 + torch.exp(-x)), silu_slope),
            "In x/(1 + exp(−x)) the exponential overflows for very negative x, and the gradient "
            "becomes NaN.",
            "Use a sigmoid that is safe far from zero: your MySigmoid, or torch.sigmoid.",
        ),
        Misconception(
            "only-sigmoid",
            activation(torch.sigmoid, silu_slope),
            "You returned sigmoid(x) without multiplying it by x.",
            "SiLU(x) = x·sigmoid(x).",
        ),
        Misconception(
            "gelu-factor",
            activation(lambda x: x * torch.sigmoid(1.702 * x), silu_slope),
            "You used x·sigmoid(1.702·x), which approximates GELU.",
            "SiLU has no factor inside: x·sigmoid(x).",
        ),
        Misconception(
            "tanh-for-sigmoid",
            activation(lambda x: x * torch.tanh(x), silu_slope),
            "You multiplied x by tanh(x).",
            "SiLU(x) = x·sigmoid(x).",
        ),
        Misconception(
            "derivative-without-product-rule",
            activation(lambda x: x * torch.sigmoid(x), torch.sigmoid),
            "Your derivative is sigmoid(x) alone: the second term of the product rule is missing.",
            "(x·s)′ = s + x·s′, and s′ = s·(1 − s).",
        ),
        Misconception(
            "derivative-of-sigmoid",
            activation(lambda x: x * torch.sigmoid(x), sigmoid_slope),
            "Your derivative is s·(1 − s), the one of the sigmoid alone.",
            "Use the product rule: (x·s)′ = s + x·s′.",
        ),
        Misconception(
            "derivative-second-term-only",
            activation(lambda x: x * torch.sigmoid(x), lambda x: x * sigmoid_slope(x)),
            "Your derivative is x·s·(1 − s): the first term of the product rule is missing.",
            "(x·s)′ = s + x·s′.",
        ),
        Misconception(
            "derivative-lost-factor",
            activation(
                lambda x: x * torch.sigmoid(x),
                lambda x: torch.sigmoid(x) + x * (1 - torch.sigmoid(x)),
            ),
            "In your derivative the second term lacks a factor s: s′ is s·(1 − s).",
            "(x·s)′ = s + x·s·(1 − s).",
        ),
        Misconception(
            "derivative-without-x",
            activation(
                lambda x: x * torch.sigmoid(x), lambda x: torch.sigmoid(x) + sigmoid_slope(x)
            ),
            "In your derivative s′ is not multiplied by x.",
            "(x·s)′ = s + x·s′.",
        ),
        Misconception(
            "exp-over-exp",
            activation(lambda x: x * torch.exp(x) / (1 + torch.exp(x)), silu_slope),
            "In x·exp(x)/(1 + exp(x)) both exponentials overflow: infinity/infinity is NaN.",
            "Use a sigmoid that is safe far from zero: your MySigmoid, or torch.sigmoid.",
        ),
    ),
)
