"""ReLU to the strict standard: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import (
    HandReLU,
    ReLU,
    activation,
    asks_once,
    by_autograd,
    in_float64,
    module,
    of,
    relu_by_where,
    relu_slope,
    shared,
)
from helpers.checking.recipe import Answers, Recipe, family, slip


def _in_place(x: torch.Tensor) -> torch.Tensor:
    x[x < 0] = 0
    return x


def _in_place_unseen(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.clamp_(min=0)
    return x * 1


FLAT = "For a negative x the result is exactly 0."
SLOPES = "The slope of ReLU is 1 to the right of 0 and 0 to the left of it."

SLIPS = (
    slip(
        "absolute",
        "Your ReLU is |x|: it turns negative numbers into positive ones.",
        FLAT,
        {"value": of(torch.abs)},
        {"value": of(torch.abs), "slope": of(torch.sign)},
    ),
    slip(
        "wrong-side",
        "Your ReLU keeps the negative numbers and sets the positive ones to 0.",
        "It is max(0, x): the positive numbers pass.",
        {"value": lambda self, x: x.clamp(max=0)},
        {"value": lambda self, x: x * (x < 0), "slope": lambda self, x: (x < 0).to(x.dtype)},
    ),
    slip(
        "negated",
        "Your ReLU is −max(0, x).",
        "For a positive x the result is x itself.",
        value=lambda self, x: -relu_by_where(x),
    ),
    slip(
        "only-the-step",
        "Your ReLU returns 1 for a positive x, which is its slope.",
        "For a positive x the result is x itself.",
        value=of(relu_slope),
    ),
    slip(
        "identity",
        "Your ReLU returns x, negative numbers too.",
        FLAT,
        {"value": lambda self, x: x * 1},
        {"value": lambda self, x: x * 1, "slope": of(torch.ones_like)},
    ),
    family(
        "leaks",
        "Your ReLU lets {constant} times the negative numbers through: that is LeakyReLU.",
        FLAT,
        (0.01, 0.1, 0.2, 0.001),
        lambda a: {"value": lambda self, x: torch.where(x > 0, x, a * x)},
    ),
    family(
        "capped",
        "Your ReLU stops growing at {constant}.",
        "For a positive x the result is x, however large.",
        (6, 1),
        lambda c: {"value": lambda self, x: torch.where(x > 0, x, 0 * x).clamp(max=c)},
    ),
    slip(
        "soft",
        "Your function is smooth at 0, such as softplus or ELU; ReLU has a corner there.",
        "It is max(0, x): exactly 0 to the left, exactly x to the right.",
        {"value": of(F.softplus)},
        {"value": of(F.elu)},
        {"value": of(F.softplus), "slope": lambda self, x: 1 / (1 + torch.exp(-x))},
    ),
    slip(
        "derivative-is-value",
        "Your derivative returns max(0, x) again, which is its value.",
        "To the right of 0 ReLU is the line y = x. What is the slope of that line?",
        slope=of(relu_by_where),
    ),
    slip(
        "derivative-always-one",
        "Your derivative is 1 everywhere, also where ReLU is flat.",
        "Look at the plot to the left of 0: how steep is it there?",
        slope=of(torch.ones_like),
    ),
    slip(
        "derivative-sign",
        "Your derivative is the sign of x, which is −1 for negative x.",
        "To the left of 0 ReLU is flat, so its slope there is 0.",
        slope=of(torch.sign),
    ),
    slip(
        "derivative-wrong-side",
        "Your derivative is 1 for negative x and 0 for positive x.",
        SLOPES,
        {"slope": lambda self, x: (x < 0).to(x.dtype)},
        {"slope": lambda self, x: (x <= 0).to(x.dtype)},
    ),
    slip(
        "derivative-zero",
        "Your derivative is 0 everywhere.",
        SLOPES,
        slope=of(torch.zeros_like),
    ),
    slip(
        "derivative-negated",
        "Your derivative is −1 for positive x.",
        SLOPES,
        slope=lambda self, x: -relu_slope(x),
    ),
    family(
        "derivative-leaks",
        "Your derivative is {constant} for negative x, which is the slope of LeakyReLU.",
        SLOPES,
        (0.01, 0.1),
        lambda a: {"slope": lambda self, x: torch.where(x > 0, torch.ones_like(x), a)},
    ),
    slip(
        "derivative-of-smooth",
        "Your derivative rises smoothly from 0 to 1, as the sigmoid does.",
        SLOPES,
        slope=lambda self, x: 1 / (1 + torch.exp(-x)),
    ),
    slip(
        "derivative-clamped",
        "Your derivative cuts x off at 0 and 1, which between them is x itself.",
        SLOPES,
        slope=lambda self, x: x.clamp(0, 1),
    ),
    slip(
        "derivative-boolean",
        "Your derivative is a tensor of True and False where numbers are meant.",
        "Turn it into numbers with .to(x.dtype).",
        gives_slope=lambda self, d, x: d > 0.75,
    ),
    slip(
        "derivative-whole-numbers",
        "Your derivative is a tensor of whole numbers, int64, as (x > 0) * 1 and "
        "torch.where(x > 0, 1, 0) make them.",
        "Turn it into the dtype of x with .to(x.dtype).",
        {"gives_slope": lambda self, d, x: d.long()},
        {"gives_slope": lambda self, d, x: d.int()},
    ),
    slip(
        "in-place",
        "Your ReLU sets the negative entries of x itself to 0, so the caller's x changes.",
        "Make a new tensor, for example with torch.where.",
        {"value": of(_in_place)},
        {"value": of(_in_place_unseen)},
    ),
    *asks_once(),
    *shared(),
)
"""What shows on ordinary numbers too."""

AT_ZERO = (
    slip(
        "derivative-one-at-zero",
        "Your derivative is 1 at x = 0, as with x >= 0.",
        "Compare with x > 0: at 0 itself the slope is taken as 0.",
        slope=lambda self, x: (x >= 0).to(x.dtype),
    ),
    slip(
        "derivative-half-at-zero",
        "Your derivative is ½ at x = 0.",
        "PyTorch takes the slope at 0 as 0, and this course follows it.",
        slope=lambda self, x: torch.heaviside(x, torch.full_like(x, 0.5)),
    ),
)
"""What shows at 0 alone."""

ANSWERS = Answers(
    recipe=Recipe(HandReLU),
    reference=ReLU,
    variants={
        "as a textbook prints it: clamp": module(
            lambda self, x: torch.clamp(x, min=0.0),
            lambda self, x: torch.where(x > 0, torch.ones_like(x), torch.zeros_like(x)),
        ),
        "as a course prints it: x times a mask": module(
            lambda self, x: x * (x > 0), lambda self, x: (x > 0).to(x.dtype)
        ),
        "as a NumPy course has it: a copy, and entries set to 0": module(
            lambda self, x: x.clone().masked_fill_(x <= 0, 0.0),
            lambda self, x: torch.ones_like(x).masked_fill_(x <= 0, 0.0),
        ),
        "as a library has it: zeros where x <= 0": module(
            lambda self, x: x.masked_fill(x <= 0, 0), lambda self, x: (x > 0).type_as(x)
        ),
        "the slope by autograd": by_autograd(lambda x: torch.where(x > 0, x, 0.0)),
        "the slope as a quotient of the sign": module(
            lambda self, x: torch.where(x > 0, x, 0.0), lambda self, x: torch.sign(x).clamp(min=0)
        ),
        "through tensors of zeros": module(
            lambda self, x: torch.where(x <= 0, torch.zeros_like(x), x),
            lambda self, x: torch.gt(x, 0).to(x),
        ),
        "two halves added": module(
            lambda self, x: torch.where(x > 0, x, 0) + torch.where(x <= 0, 0 * x.detach(), 0),
            lambda self, x: 1 - (x <= 0).to(x.dtype),
        ),
        "float64 inside": activation(
            in_float64(relu_by_where), lambda x: torch.heaviside(x, torch.zeros_like(x))
        ),
        "a factory": lambda: HandReLU(),
    },
    slips=(
        slip(
            "half-at-zero",
            "Your value lets autograd find the slope ½ at 0, as torch.maximum(x, 0) and (x + |x|)/2 do.",
            "Choose with torch.where(x > 0, ...), which takes the zero branch at x = 0.",
            {"value": lambda self, x: torch.maximum(x, torch.zeros_like(x))},
        ),
        slip(
            "one-at-zero",
            "Your value lets autograd find the slope 1 at 0, as torch.where(x >= 0, x, 0) does.",
            "Compare with x > 0: at 0 itself the slope is taken as 0.",
            {"value": lambda self, x: torch.where(x >= 0, x, torch.zeros_like(x))},
        ),
        *AT_ZERO,
        slip(
            "derivative-divides-by-x",
            "Your derivative divides by x, and at x = 0 that is 0/0, which is NaN.",
            "Compare with 0 and turn the answer into numbers: (x > 0).to(x.dtype).",
            slope=lambda self, x: relu_by_where(x) / x,
        ),
        family(
            "floor-above-zero",
            "Your ReLU never falls below {constant}.",
            FLAT,
            (1e-3, 1e-2, 1e-4, 0.1, 1.0),
            lambda c: {"value": lambda self, x: torch.maximum(x, torch.full_like(x, c))},
        ),
        slip(
            "constant-on-cpu",
            "Your forward makes a tensor on the CPU, wherever x is.",
            "torch.zeros_like(x) takes over the device of x.",
            value=lambda self, x: torch.where(x > 0, x, torch.zeros(x.shape, dtype=x.dtype)),
        ),
        *SLIPS,
    ),
)
