"""Program 1, tanh from exponentials: real repairs and half repairs."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    cut_off,
    expm1_tanh,
    in_float64,
    textbook_tanh,
    two_branch_tanh,
)
from helpers.checking.check import Answers, Misconception


class TanhFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        e = torch.exp(-2 * x.abs())
        t = torch.copysign((1 - e) / (1 + e), x)
        ctx.save_for_backward(t)
        return t

    @staticmethod
    def backward(ctx, upstream):
        (t,) = ctx.saved_tensors
        return upstream * (1 - t * t)


def special_case(x):
    y = textbook_tanh(x)
    return torch.where(x.abs() >= 100, torch.sign(x.detach()), y)


def with_gradient_hook(x):
    """The broken formula, with NaN swept away in the value and in the gradient."""
    y = textbook_tanh(x)
    y = torch.where(y.isnan(), torch.sign(x.detach()), y)
    if x.requires_grad:
        through = x.view_as(x)
        through.register_hook(torch.nan_to_num)
        y = textbook_tanh(through)
        y = torch.where(y.isnan(), torch.sign(x.detach()), y)
    return y


def nan_falls_through(x):
    """Two safe branches, and a NaN that belongs to neither."""
    positive = torch.where(x >= 0, x, torch.zeros_like(x))
    negative = torch.where(x < 0, x, torch.zeros_like(x))
    falling, rising = torch.exp(-2 * positive), torch.exp(2 * negative)
    return torch.where(x >= 0, (1 - falling) / (1 + falling), (rising - 1) / (rising + 1))


ANSWERS = Answers(
    reference=torch.tanh,
    variants={
        "twice a sigmoid": lambda x: 2 * torch.sigmoid(2 * x) - 1,
        "double where": two_branch_tanh,
        "expm1": expm1_tanh,
        "clamp": lambda x: textbook_tanh(x.clamp(-30, 30)),
        "float64 with a clamp": in_float64(lambda x: textbook_tanh(x.clamp(-40, 40))),
        "Function": TanhFunction.apply,
        "one exponential with a clamp": lambda x: 1 - 2 / (torch.exp((2 * x).clamp(max=60)) + 1),
        "far away by the sign": lambda x: torch.where(
            x.abs() > 20, torch.sign(x), textbook_tanh(x.clamp(-20, 20))
        ),
        "softmax": lambda x: 2 * torch.softmax(torch.stack([2 * x, 0 * x]), 0)[0] - 1,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            textbook_tanh,
            "As in the broken program, exp(x) or exp(−x) overflows to infinity, and "
            "infinity / infinity is NaN.",
            "Let exp never see a large positive number.",
        ),
        Misconception(
            "one-exponential",
            lambda x: 1 - 2 / (torch.exp(2 * x) + 1),
            "The value is right now, but exp(2x) still overflows for large x, and on the way back "
            "autograd multiplies 0 by infinity: the gradient is NaN.",
            "Look at the gradient as well; for x > 0 use only exp(−2x).",
        ),
        Misconception(
            "safe-on-the-left",
            lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
            "This form is safe for negative x only: for large x exp(2x) overflows, and "
            "infinity / infinity is NaN.",
            "Use this form for x < 0, and the one with exp(−2x) for x ≥ 0.",
        ),
        Misconception(
            "safe-on-the-right",
            lambda x: (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x)),
            "This form is safe for positive x only: for very negative x exp(−2x) overflows, and "
            "infinity / infinity is NaN.",
            "Use this form for x > 0, and the one with exp(2x) for x ≤ 0.",
        ),
        Misconception(
            "both-branches",
            lambda x: torch.where(
                x > 0,
                (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x)),
                (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
            ),
            "torch.where computes both branches, and the one that is not chosen still overflows "
            "and sends 0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe too, with a torch.where inside it.",
        ),
        Misconception(
            "sign-and-absolute",
            lambda x: torch.sign(x) * (1 - torch.exp(-2 * x.abs())) / (1 + torch.exp(-2 * x.abs())),
            "Nothing overflows any more, but sign(x) and |x| have the slope 0 at x = 0, so the "
            "gradient there is 0; it must be 1.",
            "Choose between two branches without sign and abs, or use 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "nan-to-num",
            lambda x: torch.nan_to_num(textbook_tanh(x), nan=1.0),
            "Every NaN is replaced by 1, which hides the overflow: at x = −200 the value must "
            "be −1.",
            "Avoid the overflow itself instead of its result.",
        ),
        Misconception(
            "nan-to-sign",
            lambda x: torch.where(textbook_tanh(x).isnan(), torch.sign(x), textbook_tanh(x)),
            "NaN is replaced by the right sign after the overflow has happened; the gradient that "
            "goes back through it is still NaN.",
            "Avoid the overflow itself instead of its result.",
        ),
        Misconception(
            "nan-hidden-twice",
            with_gradient_hook,
            "NaN is swept away in the value and in the gradient, also where it comes from "
            "somewhere else; a real fault would go unseen.",
            "Avoid the overflow, so that there is nothing to sweep away.",
        ),
        Misconception(
            "visible-input-only",
            special_case,
            "Only the inputs that you saw fail are treated; exp overflows from 89 on, and "
            "the gradient beyond 100 is still NaN.",
            "Repair the formula for every x, not for the example.",
        ),
        Misconception(
            "float64-inside",
            in_float64(textbook_tanh),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number; then float32 is enough.",
        ),
        Misconception(
            "clamped-too-early",
            lambda x: textbook_tanh(x.clamp(-3, 3)),
            "The input is cut off too early, where tanh is not flat yet.",
            "Cut off further out (20, say), or rewrite the formula.",
        ),
        Misconception(
            "hardtanh",
            lambda x: x.clamp(-1, 1),
            "The value is cut off at −1 and 1, which is another function; tanh bends smoothly.",
            "Start from tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "half-argument",
            lambda x: 2 * torch.sigmoid(x) - 1,
            "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
            "tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "cut-off",
            cut_off(torch.tanh),
            "The value is right, but it is cut off from x, by detach(), .data, NumPy or no_grad().",
            "Compute with x itself, using PyTorch's operations.",
        ),
        Misconception(
            "nan-falls-through",
            nan_falls_through,
            "Both branches are safe now, but a NaN in x is neither ≥ 0 nor < 0, and your code"
            " makes a number of it.",
            "Choose with x < 0 in both places, so that the other branch keeps all else.",
        ),
        Misconception(
            "clamped-too-late",
            lambda x: textbook_tanh(x.clamp(-500, 500)),
            "The input is cut off where exp has overflowed already: in float32 that begins at"
            " 89, and exp(2x) needs half of it.",
            "Cut off where tanh is flat, at 20 for example.",
        ),
    ),
)
