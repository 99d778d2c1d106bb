"""Tanh to the strict standard: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import (
    HandTanh,
    Tanh,
    activation,
    asks_once,
    both,
    by_autograd,
    clamped_too_early,
    expm1_tanh,
    in_float64,
    module,
    of,
    safe_sigmoid,
    safe_tanh,
    shared,
    tanh_slope,
    textbook_sigmoid,
    textbook_tanh,
    two_branch_tanh,
)
from helpers.checking.recipe import Answers, Recipe, family, slip

RIGHT_SLOPE = of(tanh_slope)


def wrong(value: Any) -> Any:
    """A wrong value, with the slope that is made of it or with the right one."""
    return both(of(value), slope=RIGHT_SLOPE)


def _by_output(formula: Any) -> Any:
    """A slope by a formula of the output t."""
    return lambda self, x: formula(self(x))


def _in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.mul_(2)
    return 2 * safe_sigmoid(x) - 1


def _two_branches(x: torch.Tensor) -> torch.Tensor:
    return torch.where(
        x > 0,
        (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x)),
        (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
    )


def _by_absolute(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(-2 * x.abs())
    return torch.sign(x) * (1 - e) / (1 + e)


def _both_exponentials(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.exp(x), torch.exp(-x)


def exponentials(formula: Any) -> Any:
    """A value by a formula of exp(x) and exp(−x)."""
    return lambda x: formula(*_both_exponentials(x))


NEVER_LARGE = "Let exp never see a large positive number: for x > 0 use only exp(−2x)."
USE_OUTPUT = "Compute t = self(x) first, and use t in the formula."
ONE = "At x = 0 the slope of tanh is 1."
STRETCHED = "tanh(x) = 2·sigmoid(2x) − 1."

SLIPS = (
    slip(
        "upside-down",
        "Your tanh has numerator and denominator exchanged.",
        "The difference of the exponentials stands above the line, their sum below.",
        *wrong(exponentials(lambda up, down: (up + down) / (up - down))),
    ),
    slip(
        "half-argument",
        "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
        STRETCHED,
        *wrong(lambda x: 2 * safe_sigmoid(x) - 1),
        *wrong(lambda x: 2 * textbook_sigmoid(x) - 1),
    ),
    slip(
        "not-shifted",
        "You computed 2·sigmoid(2x), which goes from 0 to 2: the −1 is missing.",
        STRETCHED,
        *wrong(lambda x: 2 * safe_sigmoid(2 * x)),
    ),
    slip(
        "not-stretched",
        "You computed sigmoid(2x) − 1, which goes from −1 to 0: the factor 2 is missing.",
        STRETCHED,
        *wrong(lambda x: safe_sigmoid(2 * x) - 1),
    ),
    slip(
        "sigmoid-instead",
        "Your tanh is the sigmoid, which goes from 0 to 1.",
        "tanh goes from −1 to 1.",
        *wrong(textbook_sigmoid),
        *wrong(safe_sigmoid),
    ),
    slip(
        "is-sinh",
        "You computed the difference of the exponentials, or half of it (that is sinh), without "
        "dividing by their sum.",
        "Divide by the sum of the exponentials, so that the result stays between −1 and 1.",
        *wrong(exponentials(lambda up, down: (up - down) / 2)),
        *wrong(exponentials(lambda up, down: up - down)),
    ),
    slip(
        "no-parentheses",
        "You divide a single exponential, as exp(x) − exp(−x) / exp(x) + exp(−x) means.",
        "Put the whole numerator and the whole denominator in parentheses.",
        *wrong(exponentials(lambda up, down: up - down / up + down)),
        *wrong(exponentials(lambda up, down: (up - down) / up + down)),
        *wrong(exponentials(lambda up, down: up - down / (up + down))),
    ),
    slip(
        "falls",
        "Your tanh falls from 1 to −1: the sign is the wrong way round.",
        "For a large positive x the result must come close to 1.",
        *wrong(exponentials(lambda up, down: (down - up) / (up + down))),
        *wrong(lambda x: -safe_tanh(x)),
    ),
    slip(
        "hard",
        "You cut x off at −1 and 1 (that is hardtanh); tanh bends smoothly.",
        "Start from tanh(x) = 2·sigmoid(2x) − 1.",
        *wrong(lambda x: x.clamp(-1, 1)),
        {
            "value": lambda self, x: x.clamp(-1, 1),
            "slope": lambda self, x: (x.abs() < 1).to(x.dtype),
        },
    ),
    slip(
        "derivative-of-input",
        "You used 1 − x² where 1 − t² is meant, t being the output tanh(x).",
        USE_OUTPUT,
        slope=lambda self, x: 1 - x**2,
    ),
    slip(
        "derivative-sigmoid-rule",
        "You used t·(1 − t), which is the rule for the sigmoid; for tanh it is 1 − t².",
        ONE,
        slope=_by_output(lambda t: t * (1 - t)),
    ),
    slip(
        "derivative-not-squared",
        "You used 1 − t where 1 − t² is meant: the square is missing.",
        "At x = −10 the slope of tanh is nearly 0, and yours is nearly 2.",
        slope=_by_output(lambda t: 1 - t),
    ),
    slip(
        "derivative-times-two",
        "You used 1 − 2t where 1 − t² is meant: the square of t, not its double.",
        "Write t ** 2 or t * t.",
        slope=_by_output(lambda t: 1 - 2 * t),
    ),
    slip(
        "derivative-plus",
        "You used 1 + t² where 1 − t² is meant.",
        "Far from zero tanh is flat, so its slope must come close to 0.",
        slope=_by_output(lambda t: 1 + t**2),
    ),
    slip(
        "derivative-square-of-difference",
        "You used (1 − t)² where 1 − t² is meant.",
        "Only t is squared.",
        slope=_by_output(lambda t: (1 - t) ** 2),
    ),
    slip(
        "derivative-negated",
        "Your derivative has the wrong sign, as in t² − 1.",
        "tanh rises everywhere, so its slope is never negative.",
        slope=_by_output(lambda t: t**2 - 1),
    ),
    slip(
        "derivative-is-value",
        "Your derivative returns the value of tanh.",
        "Use the value t = self(x) in the formula 1 − t².",
        slope=_by_output(lambda t: t),
    ),
    slip(
        "derivative-square",
        "Your derivative is t², where 1 − t² is meant.",
        ONE,
        slope=_by_output(lambda t: t**2),
    ),
    slip(
        "derivative-root",
        "Your derivative is 1/cosh(x), which is the root of the slope.",
        "The slope is 1/cosh²(x), which is 1 − t².",
        {"slope": of(exponentials(lambda up, down: 2 / (up + down)))},
        {"slope": _by_output(lambda t: torch.sqrt(1 - t**2))},
    ),
    slip(
        "derivative-one-over-square",
        "Your derivative is 1/(exp(x) + exp(−x))², which is a quarter of the slope.",
        "With exponentials it is 4/(exp(x) + exp(−x))², which is 1 − t².",
        slope=of(exponentials(lambda up, down: 1 / (up + down) ** 2)),
    ),
    slip(
        "derivative-twice",
        "Your derivative sends x through tanh twice.",
        "Compute t = self(x) once, and use t in the formula 1 − t².",
        slope=lambda self, x: 1 - self(self(x)) ** 2,
    ),
    slip(
        "in-place",
        "Your forward writes into x itself, so the caller's x changes.",
        "Make a new tensor: no x *= ..., no x[...] = ... and no method that ends in an underscore.",
        *both(of(_in_place), slope=RIGHT_SLOPE),
        *both(lambda self, x: 2 * textbook_sigmoid(x.mul_(2)) - 1, slope=RIGHT_SLOPE),
    ),
    *asks_once(),
    *shared(slope=tanh_slope),
)
"""What shows on ordinary numbers too."""

ANSWERS = Answers(
    recipe=Recipe(HandTanh),
    reference=Tanh,
    variants={
        "as a textbook prints it: a stretched sigmoid": HandTanh,
        "as a course prints it: clip, then the fraction": module(
            lambda self, x: textbook_tanh(x.clamp(-30, 30)), lambda self, x: 1 - self(x).pow(2)
        ),
        "through expm1": activation(expm1_tanh, tanh_slope),
        "one half for each sign": module(
            lambda self, x: two_branch_tanh(x), lambda self, x: 1 - self(x) * self(x)
        ),
        "as a library has it: copysign of one half": module(
            lambda self, x: torch.where(x > 0, 1, -1) * two_branch_tanh(torch.where(x > 0, x, -x)),
            lambda self, x: (1 - self(x)) * (1 + self(x)),
        ),
        "a difference of two sigmoids": module(
            lambda self, x: safe_sigmoid(2 * x) - safe_sigmoid(-2 * x),
            lambda self, x: 1 - self(x) ** 2,
        ),
        "a difference in a softmax": module(
            lambda self, x: torch.stack([x, -x]).softmax(0)[0] * 2 - 1,
            lambda self, x: 4 / (torch.exp(x) + torch.exp(-x)) ** 2,
        ),
        "the slope as 1/cosh²": module(
            lambda self, x: 2 * torch.exp(F.logsigmoid(2 * x)) - 1,
            lambda self, x: 1 / torch.cosh(x) ** 2,
        ),
        "the slope by autograd": by_autograd(safe_tanh),
        "float64 with a clamp": activation(
            in_float64(lambda x: textbook_tanh(x.clamp(-30, 30))), tanh_slope
        ),
    },
    slips=(
        slip(
            "textbook",
            "In (exp(x) − exp(−x)) / (exp(x) + exp(−x)), or sinh/cosh, an exponential overflows far "
            "from 0: infinity/infinity is NaN.",
            NEVER_LARGE,
            *wrong(textbook_tanh),
            *wrong(lambda x: torch.sinh(x) / torch.cosh(x)),
        ),
        slip(
            "exp-over-exp",
            "In (exp(2x) − 1) / (exp(2x) + 1), or the same with exp(−2x), both overflow on one side: "
            "infinity/infinity is NaN.",
            "Let exp never see a large positive number: one formula for x > 0, the other one for x < 0.",
            *wrong(lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)),
            *wrong(lambda x: (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x))),
        ),
        slip(
            "one-exponential",
            "Your value is right, but exp overflows far from 0 on one side, and there autograd "
            "multiplies 0 by infinity and gets NaN.",
            "Let exp never see a large positive number: use a sigmoid that is safe, 2·s(2x) − 1.",
            *wrong(lambda x: 1 - 2 / (torch.exp(2 * x) + 1)),
            *wrong(lambda x: 2 * textbook_sigmoid(2 * x) - 1),
        ),
        slip(
            "both-branches",
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe as well, with a torch.where inside it.",
            value=of(_two_branches),
        ),
        slip(
            "sign-and-absolute",
            "sign(x), |x|, and x cut off at 0 by clamp or relu have the slope 0 at x = 0 for "
            "autograd, so the gradient there is 0; it must be 1.",
            "Use 2·sigmoid(2x) − 1, or two branches chosen by torch.where.",
            value=of(_by_absolute),
        ),
        clamped_too_early("tanh", 20, (1, 2, 3, 4, 5, 6, 7), tanh_slope),
        family(
            "slope-clamped-too-early",
            "You clamp x to about ±{constant}, where the slope of tanh still changes.",
            "Clamp no nearer to 0 than about ±20.",
            (8, 10),
            lambda c: {"takes": lambda self, x: x.clamp(-c, c), "slope": HandTanh.slope},
        ),
        slip(
            "clamped-too-late",
            "You clamp x too far away: in float32 exp overflows from about 89 on, so the result is "
            "still NaN.",
            "Clamp at about ±30.",
            *(
                {"takes": lambda self, x, c=c: x.clamp(-c, c), "value": of(textbook_tanh)}
                for c in (100, 200, 500, 709)
            ),
        ),
        slip(
            "nan-to-num",
            "You replace the NaN, but what you put in its place is right on one side at most, and "
            "the gradient behind it is still NaN or wrong.",
            "Avoid the overflow itself: let exp never see a large positive number.",
            *wrong(lambda x: torch.nan_to_num(textbook_tanh(x), nan=1.0)),
            *wrong(lambda x: torch.nan_to_num(textbook_tanh(x))),
        ),
        slip(
            "float64-inside",
            "Computing in float64 only moves the overflow from 89 to 710.",
            NEVER_LARGE,
            *wrong(in_float64(textbook_tanh)),
        ),
        slip(
            "derivative-overflows",
            "Your derivative divides infinity by infinity far from 0.",
            "Write the derivative with the output: 1 − t², t = self(x).",
            {"slope": lambda self, x: 1 - textbook_tanh(x) ** 2},
            {"slope": lambda self, x: 4 * torch.exp(2 * x) / (torch.exp(2 * x) + 1) ** 2},
            {"slope": lambda self, x: 4 * torch.exp(-2 * x) / (torch.exp(-2 * x) + 1) ** 2},
        ),
        *SLIPS,
    ),
)
