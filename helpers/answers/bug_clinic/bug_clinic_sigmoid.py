"""Program 2, the gradient of 1 / (1 + exp(−x)): real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import (
    cut_off,
    in_float64,
    safe_sigmoid,
    textbook_sigmoid,
)
from helpers.checking.check import Answers, Misconception


class SigmoidFunction(torch.autograd.Function):
    """The broken value was right; only the way back is new."""

    @staticmethod
    def forward(ctx, x):
        s = 1 / (1 + torch.exp(-x))
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx, upstream):
        (s,) = ctx.saved_tensors
        return upstream * s * (1 - s)


def with_backward(slope):
    """The right value with a slope that was set by hand."""

    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return torch.sigmoid(x)

        @staticmethod
        def backward(ctx, upstream):
            (x,) = ctx.saved_tensors
            return slope(upstream, x)

    return Made.apply


def hooked(x):
    if x.requires_grad:
        x = x.view_as(x)
        x.register_hook(torch.nan_to_num)
    return textbook_sigmoid(x)


def special_case(x):
    sure = x.abs() >= 200
    return torch.where(sure, (x > 0).to(x.dtype), textbook_sigmoid(torch.where(sure, 0, x)))


def nan_falls_through(x):
    """Two safe branches, and a NaN that belongs to neither."""
    falling = torch.exp(-torch.where(x >= 0, x, torch.zeros_like(x)))
    rising = torch.exp(torch.where(x < 0, x, torch.zeros_like(x)))
    return torch.where(x >= 0, 1 / (1 + falling), rising / (1 + rising))


ANSWERS = Answers(
    reference=torch.sigmoid,
    variants={
        "half of tanh": lambda x: 0.5 * (1 + torch.tanh(x / 2)),
        "exp of logsigmoid": lambda x: torch.exp(F.logsigmoid(x)),
        "Function": SigmoidFunction.apply,
        "clamped exponent": lambda x: 1 / (1 + torch.exp((-x).clamp(max=80))),
        "clamped x": lambda x: 1 / (1 + torch.exp(-x.clamp(-30, 30))),
        "double where": safe_sigmoid,
        "softmax": lambda x: torch.softmax(torch.stack([x, torch.zeros_like(x)]), 0)[0],
        "logaddexp": lambda x: torch.exp(-torch.logaddexp(torch.zeros_like(x), -x)),
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            textbook_sigmoid,
            "As in the broken program, exp(−x) overflows for very negative x. The value "
            "1 / infinity = 0 is right, but autograd multiplies 0 by infinity and gets NaN.",
            "Let exp never see a large positive number.",
        ),
        Misconception(
            "both-branches",
            lambda x: torch.where(
                x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x))
            ),
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe too, with a torch.where inside it.",
        ),
        Misconception(
            "absolute-value",
            lambda x: torch.where(
                x >= 0,
                1 / (1 + torch.exp(-x.abs())),
                torch.exp(-x.abs()) / (1 + torch.exp(-x.abs())),
            ),
            "Nothing overflows any more, but |x| has the slope 0 at x = 0, so the gradient there is "
            "0; it must be ¼.",
            "Make the arguments safe with torch.where or clamp, without abs.",
        ),
        Misconception(
            "exp-over-exp",
            lambda x: torch.exp(x) / (1 + torch.exp(x)),
            "This formula is safe for negative x, but for large positive x it is "
            "infinity / infinity: now even the value is NaN.",
            "Use this formula only for x < 0, and the old one for x ≥ 0.",
        ),
        Misconception(
            "float64-inside",
            in_float64(textbook_sigmoid),
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number; then float32 is enough.",
        ),
        Misconception(
            "gradient-hook",
            hooked,
            "NaN is replaced by 0 on the way back, also where it comes from somewhere else; a real "
            "fault would go unseen.",
            "Avoid the overflow, so that there is nothing to replace.",
        ),
        Misconception(
            "visible-input-only",
            special_case,
            "Only inputs as far out as the one that you saw are treated; exp overflows from 89 on, "
            "and in between the gradient is still NaN.",
            "Repair the formula for every x, not for the example.",
        ),
        Misconception(
            "nan-to-num",
            lambda x: torch.nan_to_num(textbook_sigmoid(x)),
            "nan_to_num cleans the value, which was right already and needed nothing; the gradient "
            "is as broken as before.",
            "Look at the gradient: print x.grad after backward().",
        ),
        Misconception(
            "zero-gradient",
            with_backward(lambda upstream, x: torch.zeros_like(upstream)),
            "Your backward gives 0 everywhere. That is right at −200, but at 0 the slope is ¼.",
            "The slope is s·(1 − s), s being the value.",
        ),
        Misconception(
            "zero-on-the-left",
            with_backward(
                lambda upstream, x: (
                    upstream * torch.where(x > 0, torch.sigmoid(x) * torch.sigmoid(-x), 0)
                )
            ),
            "Your gradient is 0 for every negative x; the sigmoid has a slope there as well.",
            "The slope is s·(1 − s) on both sides, s being the value.",
        ),
        Misconception(
            "slope-of-the-input",
            with_backward(lambda upstream, x: upstream * x * (1 - x)),
            "Your gradient is x·(1 − x) where s·(1 − s) is meant, s being the value.",
            "Keep the value with ctx.save_for_backward, and use it.",
        ),
        Misconception(
            "ignores-upstream",
            with_backward(lambda upstream, x: torch.sigmoid(x) * (1 - torch.sigmoid(x))),
            "Your backward returns the slope alone; the chain rule multiplies it by the gradient "
            "that arrives.",
            "Multiply by grad_output.",
        ),
        Misconception(
            "clamped-too-early",
            lambda x: textbook_sigmoid(x.clamp(-6, 6)),
            "The input is cut off at 6, where the sigmoid is not flat yet.",
            "Cut off further out (30, say), or rewrite the formula.",
        ),
        Misconception(
            "cut-off",
            cut_off(torch.sigmoid),
            "The value is cut off from x, by detach(), .data, NumPy or no_grad(): no gradient "
            "passes at all.",
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
            lambda x: textbook_sigmoid(x.clamp(-500, 500)),
            "The input is cut off where exp has overflowed already: in float32 that begins at 89.",
            "Cut off earlier, at −60 for example.",
        ),
    ),
)
