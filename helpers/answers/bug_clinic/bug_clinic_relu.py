"""Program 3, ReLU by maximum: real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import cut_off
from helpers.checking.check import Answers, Misconception


def in_place(x):
    if x.requires_grad:
        return torch.relu(x)
    x[x < 0] = 0
    return x


ANSWERS = Answers(
    reference=torch.relu,
    variants={
        "where": lambda x: torch.where(x > 0, x, torch.zeros_like(x)),
        "mask": lambda x: x * (x > 0),
        "masked_fill": lambda x: x.masked_fill(x <= 0, 0.0),
        "clamp": lambda x: x.clamp(min=0),
        "threshold": lambda x: F.threshold(x, 0.0, 0.0),
        "leaky with the slope 0": lambda x: F.leaky_relu(x, 0.0),
    },
    misconceptions=(
        Misconception(
            "half-at-zero",
            lambda x: torch.maximum(x, torch.zeros_like(x)),
            "At exactly 0 the gradient is ½: the two arguments of maximum are equal there and "
            "share it. (x + |x|)/2 gives ½ as well.",
            "Choose with a condition that is false at 0: x > 0.",
        ),
        Misconception(
            "one-at-zero",
            lambda x: torch.where(x >= 0, x, torch.zeros_like(x)),
            "At exactly 0 the gradient is 1 now; PyTorch and this course take 0. (A maximum over "
            "a stack of x and 0 gives 1 as well.)",
            "Choose with a condition that is false at 0: x > 0.",
        ),
        Misconception(
            "floor-above-zero",
            lambda x: torch.maximum(x, torch.full_like(x, 1e-12)),
            "The tie is moved away from 0, and now the value is a tiny positive number where 0 is "
            "meant; small inputs lose their gradient.",
            "Let the value and the gradient be exactly 0 for x ≤ 0.",
        ),
        Misconception(
            "shifted",
            lambda x: torch.relu(x - 1e-7),
            "The whole function is shifted to the right: every value is a little too small, and "
            "small positive inputs get no gradient.",
            "Do not move x; choose with x > 0.",
        ),
        Misconception(
            "leaks",
            lambda x: torch.where(x > 0, x, 0.01 * x),
            "Negative inputs leak through with a small slope: that is LeakyReLU, not ReLU.",
            "For x ≤ 0 the value and the gradient are 0.",
        ),
        Misconception(
            "softplus",
            lambda x: F.softplus(x, beta=100.0),
            "A smooth function near ReLU takes its place; its slope at 0 is ½ and its value 0.007.",
            "Keep the corner, and choose with x > 0.",
        ),
        Misconception(
            "visible-input-only",
            lambda x: torch.maximum(x, torch.zeros_like(x)) * (x != 0).any(),
            "Only an input of nothing but zeros is treated; a single zero among other numbers "
            "still gets ½.",
            "Treat each entry by itself: choose with x > 0.",
        ),
        Misconception(
            "in-place",
            in_place,
            "You wrote the zeros into x itself, and changed what the caller gave you.",
            "Make a new tensor, with torch.where or by multiplication.",
        ),
        Misconception(
            "cut-off",
            cut_off(torch.relu),
            "The value is cut off from x, by detach(), .data, NumPy or no_grad(): no gradient "
            "passes at all.",
            "Compute with x itself, using PyTorch's operations.",
        ),
    ),
)
