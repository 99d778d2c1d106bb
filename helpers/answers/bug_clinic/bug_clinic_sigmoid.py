"""Program 2, the gradient of 1 / (1 + exp(−x)): the recipe, its slips, and real repairs."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.bug_clinic.entrywise import (
    common_slips,
    in_float64,
    in_two_branches,
    itself,
    with_a_hook,
    with_backward,
)
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def broken(x: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-x))


def exp_over_exp(x: Tensor) -> Tensor:
    return torch.exp(x) / (1 + torch.exp(x))


def _backward(back: Any) -> Any:
    return with_backward(torch.sigmoid, back)


OTHERS = {
    "a straight line between 0 and 1": F.hardsigmoid,
    "½ (1 + x / (1 + |x|))": lambda x: 0.5 * (1 + F.softsign(x)),
    "½ + atan(x) / π": lambda x: 0.5 + torch.atan(x) / math.pi,
    "½ (1 + erf(x / √2))": lambda x: 0.5 * (1 + torch.erf(x / math.sqrt(2))),
}


def sigmoid(before: Any = itself, formula: Any = torch.sigmoid, after: Any = lambda y, x: y) -> Any:
    return lambda x: after(formula(before(x)), x)


ANSWERS = Answers(
    recipe=Recipe(sigmoid),
    reference=torch.sigmoid,
    variants={
        "as a textbook prints it: half of tanh": lambda x: 0.5 * (1 + torch.tanh(x / 2)),
        "as a course on NumPy prints it: two branches": in_two_branches(
            broken, lambda x: torch.exp(x) / (1 + torch.exp(x)), lambda x: ~(x >= 0)
        ),
        "two branches that lose NaN": in_two_branches(broken, exp_over_exp),
        "as a course on frameworks writes it: a Function": with_backward(
            broken, lambda up, x, s: up * s * (1 - s)
        ),
        "exp of logsigmoid": lambda x: torch.exp(F.logsigmoid(x)),
        "clamped exponent": lambda x: 1 / (1 + torch.exp((-x).clamp(max=80))),
        "clamped x": lambda x: broken(x.clamp(-30, 30)),
        "clamped x, earlier": lambda x: broken(x.clamp(-20, 20)),
        "clamp just before the overflow": lambda x: broken(x.clamp(-88, 88)),
        "float64 with a clamp": in_float64(lambda x: broken(x.clamp(-700, 700))),
        "softmax": lambda x: torch.softmax(torch.stack([x, torch.zeros_like(x)]), 0)[0],
        "logaddexp": lambda x: torch.exp(-torch.logaddexp(torch.zeros_like(x), -x)),
        "masked entries": lambda x: broken(x.masked_fill(x < -80, -80.0)),
        "nn.Sigmoid": torch.nn.Sigmoid(),
    },
    slips=(
        slip(
            "unrepaired",
            "As in the broken program, exp(−x) overflows for very negative x. The value "
            "1 / infinity = 0 is right, but on the way back 0 is multiplied by infinity: the gradient "
            "is NaN.",
            "Let exp never see a large positive number; what is done to the value afterwards comes "
            "too late.",
            formula=broken,
        ),
        slip(
            "both-branches",
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe too, with a torch.where inside it.",
            formula=lambda x: torch.where(x >= 0, broken(x), exp_over_exp(x)),
        ),
        slip(
            "absolute-value",
            "Nothing overflows any more, but |x|, and x cut off at 0 by clamp or relu, have the slope "
            "0 at x = 0, so the gradient there is 0; it must be ¼.",
            "Make the arguments safe with torch.where(x >= 0, x, 0) and the like, without abs or clamp.",
            formula=lambda x: torch.where(x >= 0, broken(x.abs()), exp_over_exp(-x.abs())),
        ),
        slip(
            "absolute-only",
            "With |x| nothing overflows, but negative inputs are treated as positive ones.",
            "For x < 0 the value is exp(x) / (1 + exp(x)), below ½.",
            formula=lambda x: torch.sigmoid(x.abs()),
        ),
        slip(
            "exp-over-exp",
            "This formula is safe for negative x, but for large positive x it is "
            "infinity / infinity: now even the value is NaN.",
            "Use this formula only for x < 0, and the old one for x ≥ 0.",
            formula=exp_over_exp,
        ),
        slip(
            "float64-inside",
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number; then float32 is enough.",
            {"formula": in_float64(broken)},
            {"formula": in_float64(exp_over_exp)},
        ),
        slip(
            "gradient-hook",
            "NaN is replaced by 0 on the way back, also where it comes from somewhere else; a real "
            "fault would go unseen.",
            "Avoid the overflow, so that there is nothing to replace.",
            {"formula": with_a_hook(broken)},
            {"formula": _backward(lambda up, x, s: torch.nan_to_num(up * s * (1 - s)))},
        ),
        family(
            "visible-input-only",
            "x is treated only from ±{constant} on, by a clamp or a choice; exp overflows from 89 on, "
            "and in between the gradient is NaN.",
            "Repair the formula for every x, not for the example: a clamp at ±60 is early enough.",
            (90, 100, 200, 500, 1000),
            lambda c: {"formula": lambda x: broken(x.clamp(-c, c))},
        ),
        slip(
            "nan-falls-through",
            "A NaN that comes in becomes a number, as with two branches x ≥ 0 and x < 0, of which "
            "it is neither.",
            "Choose with x < 0 in both places, so that the other branch keeps all else.",
            formula=in_two_branches(broken, exp_over_exp),
        ),
        slip(
            "nan-to-num",
            "nan_to_num cleans the value after the overflow, and leaves the gradient NaN.",
            "Look at the gradient: print x.grad after backward(), and avoid the overflow itself.",
            {"formula": exp_over_exp, "after": lambda y, x: torch.nan_to_num(y)},
            {"formula": exp_over_exp, "after": lambda y, x: torch.nan_to_num(y, nan=1.0)},
        ),
        family(
            "clamped-too-early",
            "The input is cut off at ±{constant}, where the sigmoid is not flat yet.",
            "Cut off further out (30, say), or rewrite the formula.",
            (1, 2, 3, 4, 5, 6, 8, 10),
            lambda c: {"before": lambda x: x.clamp(-c, c)},
        ),
        family(
            "clamped-output",
            "The value is kept {constant} away from 0 and 1, and gets no gradient there.",
            "The value was right; let it come as near to 0 and 1 as it does.",
            (1e-5, 1e-4, 1e-3, 1e-2),
            lambda c: {"after": lambda y, x: y.clamp(c, 1 - c)},
        ),
        slip(
            "argument-negated",
            "Your function is that of −x: it falls where it should rise.",
            "1 / (1 + exp(−x)), with the minus sign.",
            before=lambda x: -x,
        ),
        slip(
            "double-argument",
            "Your function is that of 2x, as ½ (1 + tanh(x)) is.",
            "The half is needed twice: ½ (1 + tanh(x/2)).",
            before=lambda x: 2 * x,
        ),
        slip(
            "half-argument",
            "Your function is that of x/2.",
            "½ (1 + tanh(x/2)): the 2 is in the argument of tanh, and only there.",
            before=lambda x: x / 2,
        ),
        slip(
            "twice-as-large",
            "Your result is twice as large: it runs from 0 to 2.",
            "½ (1 + tanh(x/2)), with the ½ in front.",
            after=lambda y, x: 2 * y,
        ),
        slip(
            "half-too-low",
            "Your result lies ½ too low: it runs from −½ to ½.",
            "½ (1 + tanh(x/2)), with the 1.",
            after=lambda y, x: y - 0.5,
        ),
        slip(
            "minus-one-to-one",
            "Your result runs from −1 to 1: that is tanh(x/2).",
            "½ (1 + tanh(x/2)).",
            after=lambda y, x: 2 * y - 1,
        ),
        slip(
            "tanh-instead",
            "Your function is tanh(x), which runs from −1 to 1.",
            "½ (1 + tanh(x/2)).",
            before=lambda x: 2 * x,
            after=lambda y, x: 2 * y - 1,
        ),
        slip(
            "rounded",
            "Your result is rounded to 0 or 1, so that no gradient passes.",
            "Return the probability itself.",
            after=lambda y, x: y.round(),
        ),
        slip(
            "logarithm",
            "Your result is the logarithm of the sigmoid.",
            "Take exp of it.",
            after=lambda y, x: torch.log(y.clamp(min=1e-38)),
        ),
        slip(
            "softmax-over-entries",
            "Your result adds up to 1 over the entries; each entry has its own sigmoid.",
            "Use torch.sigmoid, or a softmax over x and 0 for each entry.",
            formula=lambda x: torch.softmax(x, -1),
        ),
        family(
            "another-curve",
            "Your function is {constant}, which is another function than the sigmoid.",
            "Keep 1 / (1 + exp(−x)), and let exp never see a large positive number.",
            OTHERS,
            lambda name: {"formula": OTHERS[name]},
        ),
        slip(
            "zero-on-the-left",
            "Your gradient is 0 for every negative x; the sigmoid has a slope there as well.",
            "The slope is s·(1 − s) on both sides, s being the value.",
            formula=_backward(lambda up, x, s: up * torch.where(x > 0, s * (1 - s), 0)),
        ),
        slip(
            "slope-of-the-input",
            "Your gradient is x·(1 − x) where s·(1 − s) is meant, s being the value.",
            "Keep the value with ctx.save_for_backward, and use it.",
            formula=_backward(lambda up, x, s: up * x * (1 - x)),
        ),
        slip(
            "slope-of-tanh",
            "Your gradient is 1 − s², as for tanh; for the sigmoid it is s·(1 − s).",
            "The slope of the sigmoid at 0 is ¼.",
            formula=_backward(lambda up, x, s: up * (1 - s * s)),
        ),
        slip(
            "slope-with-plus",
            "Your gradient is s·(1 + s) where s·(1 − s) is meant, s being the value.",
            "Far out the slope is 0: look at the sign.",
            formula=_backward(lambda up, x, s: up * s * (1 + s)),
        ),
        slip(
            "slope-half-done",
            "Your gradient is s or 1 − s alone, and the product of both is meant.",
            "The slope is s·(1 − s), s being the value.",
            {"formula": _backward(lambda up, x, s: up * s)},
            {"formula": _backward(lambda up, x, s: up * (1 - s))},
        ),
        *common_slips(
            torch.sigmoid, slope=lambda s: s * (1 - s), in_words="s·(1 − s), s being the value"
        ),
    ),
)
