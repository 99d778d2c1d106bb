"""The sigmoid to the strict standard: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import (
    HandSigmoid,
    Sigmoid,
    TextbookSigmoid,
    activation,
    as_float64,
    clamped_sigmoid,
    cut_off,
    expm1_tanh,
    in_float64,
    remembering,
    safe_sigmoid,
    safe_sigmoid_slope,
    softplus_sigmoid,
    textbook_sigmoid,
)
from helpers.checking.check import Answers, Misconception


def minus_in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.neg_()
    return safe_sigmoid(-x)


def sigmoid_by_absolute(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + e), e / (1 + e))


def by_mask(x: torch.Tensor) -> torch.Tensor:
    """Each half filled in by itself, which cannot run on the device meta."""
    result, right = torch.zeros_like(x), x >= 0
    result[right] = 1 / (1 + torch.exp(-x[right]))
    e = torch.exp(x[~right])
    result[~right] = e / (1 + e)
    return result


ANSWERS = Answers(
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
        "each half by a mask": activation(by_mask, lambda x: by_mask(x) * by_mask(-x)),
        "minus softplus": activation(lambda x: torch.exp(-F.softplus(-x)), safe_sigmoid_slope),
    },
    misconceptions=(
        Misconception(
            "textbook",
            TextbookSigmoid,
            "In 1/(1 + exp(−x)) the exponential overflows for very negative x: the value is still "
            "right, but autograd multiplies 0 by infinity and gets NaN.",
            "Let exp never see a large positive number: clamp what goes into it, or choose two safe branches.",
        ),
        Misconception(
            "exp-over-exp",
            activation(lambda x: torch.exp(x) / (1 + torch.exp(x)), safe_sigmoid_slope),
            "In exp(x)/(1 + exp(x)) both overflow for large positive x: infinity/infinity is NaN.",
            "Let exp never see a large positive number: clamp what goes into it, or choose two safe branches.",
        ),
        Misconception(
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
        Misconception(
            "float64-inside",
            activation(in_float64(textbook_sigmoid), safe_sigmoid_slope),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number: clamp what goes into it, or choose two safe branches.",
        ),
        Misconception(
            "absolute-value",
            activation(lambda x: 1 / (1 + torch.exp(-x.abs())), safe_sigmoid_slope),
            "You compute sigmoid(|x|), so negative x get the value of positive ones.",
            "For x below 0 use sigmoid(x) = 1 − sigmoid(−x), or e/(1 + e) with e = exp(x).",
        ),
        Misconception(
            "absolute-at-zero",
            activation(sigmoid_by_absolute, safe_sigmoid_slope),
            "|x| has the slope 0 at x = 0 for autograd, so exp(−|x|) gives the gradient 0 there; it "
            "must be ¼.",
            "Give each branch an x of its own, torch.where(x >= 0, x, 0) and the like, without |x|.",
        ),
        Misconception(
            "clamped-too-early",
            activation(lambda x: safe_sigmoid(x.clamp(-5, 5)), safe_sigmoid_slope),
            "You clamp x to [−5, 5], where the sigmoid still changes by almost 0.01.",
            "Clamp no nearer to 0 than about ±30 in float32.",
        ),
        Misconception(
            "nan-to-num",
            activation(
                lambda x: torch.nan_to_num(torch.exp(x) / (1 + torch.exp(x)), nan=1.0),
                safe_sigmoid_slope,
            ),
            "You replace NaN in the value, but the gradient behind it is still NaN or wrong.",
            "Avoid the overflow itself: let exp never see a large positive number.",
        ),
        Misconception(
            "derivative-of-input",
            activation(safe_sigmoid, lambda x: x * (1 - x)),
            "You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).",
            "Compute s = self(x) first, and use s in the formula.",
        ),
        Misconception(
            "derivative-of-last-call",
            remembering(safe_sigmoid, safe_sigmoid_slope),
            "Your derivative uses what the last call of the object left behind, not the x that it "
            "is given.",
            "Compute everything in derivative from its own argument x.",
        ),
        Misconception(
            "derivative-overflows",
            activation(safe_sigmoid, lambda x: torch.exp(-x) / (1 + torch.exp(-x)) ** 2),
            "Your derivative divides infinity by infinity for very negative x.",
            "Write the derivative with the output: s·(1 − s), s = self(x).",
        ),
        Misconception(
            "derivative-is-value",
            activation(safe_sigmoid, safe_sigmoid),
            "Your derivative returns the value of the sigmoid.",
            "Use the value s = self(x) in the formula s·(1 − s).",
        ),
        Misconception(
            "cut-off",
            activation(cut_off(safe_sigmoid), safe_sigmoid_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
        Misconception(
            "in-place",
            activation(minus_in_place, safe_sigmoid_slope),
            "Your forward changes x itself, with an operation that ends in an underscore.",
            "Use the operation without the underscore, which makes a new tensor.",
        ),
        Misconception(
            "returns-float64",
            activation(as_float64(safe_sigmoid), safe_sigmoid_slope),
            "Your result is float64 for a float32 input.",
            "Keep the dtype of x: make constants with torch.zeros_like(x).",
        ),
    ),
)
