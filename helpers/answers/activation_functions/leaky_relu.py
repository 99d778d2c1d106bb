"""LeakyReLU: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    HandLeakyReLU,
    LeakyReLU,
    leaky,
    leaky_slope,
    relu_slope,
)
from helpers.checking.check import Answers, Misconception


def leaky_by_mask(x: torch.Tensor, slope: float) -> torch.Tensor:
    """In place on its own copy, which cannot run on the device meta."""
    result = x.clone(memory_format=torch.contiguous_format)
    result[x <= 0] *= slope
    return result


ANSWERS = Answers(
    reference=LeakyReLU,
    variants={
        "where": HandLeakyReLU,
        "mask": leaky(
            lambda x, a: x * (x > 0) + a * x * (x <= 0),
            lambda x, a: (x > 0).to(x.dtype) + a * (x <= 0).to(x.dtype),
        ),
        "factor": leaky(lambda x, a: x * torch.where(x > 0, 1.0, a).to(x.dtype), leaky_slope),
        "own copy by a mask": leaky(leaky_by_mask, leaky_slope),
        "float64 inside": leaky(
            lambda x, a: torch.where(x > 0, x.double(), a * x.double()).to(x.dtype), leaky_slope
        ),
    },
    misconceptions=(
        Misconception(
            "maximum",
            leaky(lambda x, a: torch.where(x > a * x, x, a * x), leaky_slope),
            "You take the larger of x and slope·x, which is right only for slopes from 0 to 1.",
            "Decide by the sign of x, not by which of the two is larger.",
        ),
        Misconception(
            "default-0.1",
            leaky(lambda x, a: torch.where(x > 0, x, a * x), leaky_slope, default=0.1),
            "Your default slope is 0.1; it is meant to be 0.01.",
            "Look at the signature: negative_slope=0.01.",
        ),
        Misconception(
            "ignores-slope",
            leaky(lambda x, a: torch.where(x > 0, x, 0.01 * x), leaky_slope),
            "Your forward always uses 0.01, whatever slope the object was made with.",
            "Keep negative_slope in __init__, as self.negative_slope, and use it.",
        ),
        Misconception(
            "slope-on-the-right",
            leaky(lambda x, a: torch.where(x > 0, a * x, x), leaky_slope),
            "You apply the slope to the positive numbers.",
            "Positive numbers pass unchanged; the slope belongs to the negative ones.",
        ),
        Misconception(
            "absolute",
            leaky(lambda x, a: torch.where(x > 0, x, -a * x), leaky_slope),
            "Your negative numbers come out with the opposite sign.",
            "For x below 0 the result is slope·x, which is negative for a positive slope.",
        ),
        Misconception(
            "constant-on-the-left",
            leaky(lambda x, a: torch.where(x > 0, x, x * 0 + a), leaky_slope),
            "Below 0 you return the slope itself.",
            "For x below 0 the result is the slope times x.",
        ),
        Misconception(
            "plain-relu",
            leaky(lambda x, a: torch.where(x > 0, x, 0 * x), leaky_slope),
            "Your function is plain ReLU: negative numbers become 0.",
            "For x below 0 the result is slope·x.",
        ),
        Misconception(
            "derivative-one-at-zero",
            leaky(
                lambda x, a: torch.where(x > 0, x, a * x),
                lambda x, a: torch.where(x >= 0, torch.ones_like(x), torch.full_like(x, a)),
            ),
            "Your derivative at 0 is 1; there the slope is meant, as in PyTorch.",
            "Compare with x > 0.",
        ),
        Misconception(
            "derivative-zero-on-the-left",
            leaky(lambda x, a: torch.where(x > 0, x, a * x), lambda x, a: relu_slope(x)),
            "Your derivative is 0 for negative x, as for plain ReLU.",
            "Below 0 the line is slope·x. How steep is it?",
        ),
        Misconception(
            "derivative-times-x",
            leaky(
                lambda x, a: torch.where(x > 0, x, a * x),
                lambda x, a: torch.where(x > 0, torch.ones_like(x), a * x),
            ),
            "Below 0 your derivative is slope·x, which is the value.",
            "The slope of the line slope·x is the slope alone.",
        ),
        Misconception(
            "zero-at-zero",
            leaky(lambda x, a: x.clamp(min=0) + a * x.clamp(max=0), leaky_slope),
            "You add max(0, x) and slope·min(0, x); at 0 autograd takes both as flat and gives 0.",
            "Choose with torch.where(x > 0, ...): at 0 the negative slope is meant, as in PyTorch.",
        ),
        Misconception(
            "average-at-zero",
            leaky(lambda x, a: (1 + a) / 2 * x + (1 - a) / 2 * x.abs(), leaky_slope),
            "Your formula with |x| gives the slope (1 + slope)/2 at 0.",
            "Choose with torch.where(x > 0, ...): at 0 the negative slope is meant, as in PyTorch.",
        ),
        Misconception(
            "maximum-of-both",
            leaky(lambda x, a: torch.maximum(x, a * x), leaky_slope),
            "torch.maximum is right only for slopes from 0 to 1, and it shares the slope where both "
            "are equal, at 0.",
            "Decide by the sign of x: torch.where(x > 0, ...).",
        ),
        Misconception(
            "one-at-zero",
            leaky(lambda x, a: torch.where(x >= 0, x, a * x), leaky_slope),
            "You compare with x >= 0, so autograd gives the slope 1 at 0.",
            "Compare with x > 0: at 0 the negative slope is meant, as in PyTorch.",
        ),
    ),
)
