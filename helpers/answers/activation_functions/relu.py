"""ReLU to the strict standard: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    HandReLU,
    ReLU,
    activation,
    as_float64,
    cut_off,
    in_float64,
    relu_by_where,
    relu_slope,
    remembering,
)
from helpers.checking.check import Answers, Misconception


def relu_in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x[x < 0] = 0
    return x * (x > 0)


ANSWERS = Answers(
    reference=ReLU,
    variants={
        "where": HandReLU,
        "mask": activation(lambda x: x * (x > 0), lambda x: (x > 0).to(x.dtype)),
        "float64 inside": activation(
            in_float64(relu_by_where), lambda x: torch.heaviside(x, torch.zeros_like(x))
        ),
        "own copy in place": activation(lambda x: x.clone().masked_fill_(x <= 0, 0.0), relu_slope),
        "a factory": lambda: HandReLU(),
    },
    misconceptions=(
        Misconception(
            "half-at-zero",
            activation(lambda x: torch.maximum(x, torch.zeros_like(x)), relu_slope),
            "torch.maximum shares the slope when both arguments are equal, so you get ½ at 0.",
            "Choose with torch.where(x > 0, ...), which takes the zero branch at x = 0.",
        ),
        Misconception(
            "one-at-zero",
            activation(lambda x: torch.where(x >= 0, x, torch.zeros_like(x)), relu_slope),
            "You compare with x >= 0, so autograd gives the slope 1 at 0.",
            "Compare with x > 0: at 0 itself the slope is taken as 0.",
        ),
        Misconception(
            "derivative-one-at-zero",
            activation(relu_by_where, lambda x: (x >= 0).to(x.dtype)),
            "Your derivative is 1 at x = 0, because it compares with x >= 0.",
            "Compare with x > 0: at 0 itself the slope is taken as 0.",
        ),
        Misconception(
            "derivative-half-at-zero",
            activation(relu_by_where, lambda x: torch.heaviside(x, torch.full_like(x, 0.5))),
            "Your derivative is ½ at x = 0.",
            "PyTorch takes the slope at 0 as 0, and this course follows it.",
        ),
        Misconception(
            "floor-above-zero",
            activation(lambda x: torch.maximum(x, torch.full_like(x, 1e-3)), relu_slope),
            "Your ReLU never falls below a small positive number.",
            "For a negative x the result is exactly 0.",
        ),
        Misconception(
            "leaks",
            activation(lambda x: torch.where(x > 0, x, 0.01 * x), relu_slope),
            "Your ReLU lets a part of the negative numbers through: that is LeakyReLU.",
            "For a negative x the result is exactly 0.",
        ),
        Misconception(
            "derivative-of-last-call",
            remembering(relu_by_where, relu_slope),
            "Your derivative uses what the last call of the object left behind, not the x that it "
            "is given.",
            "Compute everything in derivative from its own argument x.",
        ),
        Misconception(
            "derivative-boolean",
            activation(relu_by_where, lambda x: x > 0),
            "Your derivative is a tensor of True and False where numbers are meant.",
            "Turn it into numbers with .to(x.dtype).",
        ),
        Misconception(
            "in-place",
            activation(relu_in_place, relu_slope),
            "Your ReLU sets the negative entries of x itself to 0, so the caller's x changes.",
            "Make a new tensor, for example with torch.where.",
        ),
        Misconception(
            "cut-off",
            activation(cut_off(relu_by_where), relu_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
        Misconception(
            "returns-float64",
            activation(as_float64(relu_by_where), relu_slope),
            "Your result is float64 for a float32 input.",
            "Keep the dtype of x: make constants with torch.zeros_like(x).",
        ),
        Misconception(
            "capped",
            activation(lambda x: x.clamp(0, 6), relu_slope),
            "Your ReLU stops growing at 6: that is ReLU6.",
            "For a positive x the result is x, however large.",
        ),
    ),
)
