"""Tanh to the strict standard: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    HandTanh,
    Tanh,
    TextbookTanh,
    activation,
    cut_off,
    expm1_tanh,
    in_float64,
    remembering,
    safe_sigmoid,
    safe_tanh,
    safe_tanh_slope,
    textbook_tanh,
    two_branch_tanh,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
    reference=Tanh,
    variants={
        "twice a sigmoid": HandTanh,
        "expm1": activation(expm1_tanh, safe_tanh_slope),
        "double where": activation(two_branch_tanh, safe_tanh_slope),
        "clamp": activation(
            lambda x: textbook_tanh(x.clamp(-30, 30)),
            lambda x: 1 - textbook_tanh(x.clamp(-30, 30)) ** 2,
        ),
        "float64 with a clamp": activation(
            in_float64(lambda x: textbook_tanh(x.clamp(-30, 30))), safe_tanh_slope
        ),
    },
    misconceptions=(
        Misconception(
            "textbook",
            TextbookTanh,
            "In (exp(x) − exp(−x)) / (exp(x) + exp(−x)) one exponential overflows far from 0: "
            "infinity/infinity is NaN.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        Misconception(
            "one-exponential",
            activation(lambda x: 1 - 2 / (torch.exp(2 * x) + 1), safe_tanh_slope),
            "Your value is right, but for large x exp(2x) overflows, and autograd multiplies 0 by "
            "infinity and gets NaN.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        Misconception(
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
        Misconception(
            "sign-and-absolute",
            activation(
                lambda x: (
                    torch.sign(x) * (1 - torch.exp(-2 * x.abs())) / (1 + torch.exp(-2 * x.abs()))
                ),
                safe_tanh_slope,
            ),
            "sign(x) and |x| have the slope 0 at x = 0, so autograd gives 0 there; it must be 1.",
            "Use 2·sigmoid(2x) − 1, or two branches chosen by torch.where.",
        ),
        Misconception(
            "nan-to-num",
            activation(lambda x: torch.nan_to_num(textbook_tanh(x), nan=1.0), safe_tanh_slope),
            "You replace NaN by 1, which gives +1 at x = −100, where −1 is right.",
            "Avoid the overflow itself: let exp never see a large positive number.",
        ),
        Misconception(
            "float64-inside",
            activation(in_float64(textbook_tanh), safe_tanh_slope),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number: for x > 0 use only exp(−2x).",
        ),
        Misconception(
            "half-argument",
            activation(lambda x: 2 * safe_sigmoid(x) - 1, safe_tanh_slope),
            "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
            "tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "clamped-value",
            activation(lambda x: x.clamp(-1, 1), safe_tanh_slope),
            "You cut x off at −1 and 1 (that is hardtanh); tanh bends smoothly.",
            "Start from tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "derivative-of-input",
            activation(safe_tanh, lambda x: 1 - x**2),
            "You used 1 − x² where 1 − t² is meant, t being the output tanh(x).",
            "Compute t = self(x) first, and use t in the formula.",
        ),
        Misconception(
            "derivative-sigmoid-rule",
            activation(safe_tanh, lambda x: safe_tanh(x) * (1 - safe_tanh(x))),
            "You used t·(1 − t), which is the rule for the sigmoid; for tanh it is 1 − t².",
            "At x = 0 the slope of tanh is 1.",
        ),
        Misconception(
            "derivative-of-last-call",
            remembering(safe_tanh, safe_tanh_slope),
            "Your derivative uses what the last call of the object left behind, not the x that it "
            "is given.",
            "Compute everything in derivative from its own argument x.",
        ),
        Misconception(
            "derivative-overflows",
            activation(
                safe_tanh,
                lambda x: 4 / (torch.exp(x) + torch.exp(-x)) ** 2 * torch.exp(x) / torch.exp(x),
            ),
            "Your derivative divides infinity by infinity far from 0.",
            "Write the derivative with the output: 1 − t², t = self(x).",
        ),
        Misconception(
            "cut-off",
            activation(cut_off(safe_tanh), safe_tanh_slope),
            "Your result is cut off from x, by detach(), .data, NumPy or torch.no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
    ),
)
