"""The sigmoid to the strict standard: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.activation_functions.formulas import (
    HandSigmoid,
    Sigmoid,
    activation,
    asks_once,
    both,
    by_autograd,
    clamped_too_early,
    exp_over_exp,
    expm1_tanh,
    in_float64,
    module,
    of,
    safe_sigmoid,
    shared,
    sigmoid_slope,
    textbook_sigmoid,
    textbook_tanh,
)
from helpers.checking.recipe import Answers, Recipe, family, slip

RIGHT_SLOPE = of(sigmoid_slope)


def wrong(value: Any) -> Any:
    """A wrong value, with the slope that is made of it or with the right one."""
    return both(of(value), slope=RIGHT_SLOPE)


def _by_output(formula: Any) -> Any:
    """A slope by a formula of the output s."""
    return lambda self, x: formula(self(x))


def _in_place(x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        x.neg_()
    return safe_sigmoid(-x)


def sigmoid_by_absolute(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(-x.abs())
    return torch.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _by_mask(x: torch.Tensor) -> torch.Tensor:
    """Each half filled in by itself, which cannot run on the device meta."""
    result, right = torch.zeros_like(x), x >= 0
    result[right] = 1 / (1 + torch.exp(-x[right]))
    e = torch.exp(x[~right])
    result[~right] = e / (1 + e)
    return result


def _clamped(x: torch.Tensor, most: float = 30) -> torch.Tensor:
    return textbook_sigmoid(torch.clamp(x, -most, most))


NEVER_LARGE = "Let exp never see a large positive number: clamp what goes into it, or choose two safe branches."
USE_OUTPUT = "Compute s = self(x) first, and use s in the formula s·(1 − s)."
QUARTER = "At x = 0 the slope of the sigmoid is ¼."

SLIPS = (
    slip(
        "missing-minus",
        "Your sigmoid falls from 1 to 0: the sign of x is the wrong way round, as in 1/(1 + exp(x)).",
        "For a large positive x the result must come close to 1.",
        *wrong(lambda x: 1 / (1 + torch.exp(x))),
        *wrong(lambda x: torch.exp(-x) / (1 + torch.exp(-x))),
        *wrong(lambda x: safe_sigmoid(-x)),
    ),
    slip(
        "minus-below",
        "Your denominator is 1 − exp(−x), where 1 + exp(−x) is meant.",
        "At x = 0 the value of the sigmoid is ½.",
        *wrong(lambda x: 1 / (1 - torch.exp(-x))),
    ),
    slip(
        "without-one",
        "Your denominator is exp(−x) alone: the 1 is missing.",
        "The result must stay below 1.",
        *wrong(lambda x: 1 / torch.exp(-x)),
        *wrong(torch.exp),
    ),
    slip(
        "not-divided",
        "You computed 1 + exp(−x), which is also what 1 / 1 + exp(−x) means.",
        "The whole sum stands below the line: put it in parentheses.",
        *wrong(lambda x: 1 + torch.exp(-x)),
    ),
    slip(
        "tanh-instead",
        "Your sigmoid is tanh, which goes from −1 to 1.",
        "The sigmoid goes from 0 to 1.",
        *wrong(textbook_tanh),
        *wrong(lambda x: 2 * safe_sigmoid(2 * x) - 1),
    ),
    slip(
        "double-argument",
        "You computed sigmoid(2x).",
        "There is no factor inside: 1/(1 + exp(−x)).",
        *wrong(lambda x: 1 / (1 + torch.exp(-2 * x))),
        *wrong(lambda x: safe_sigmoid(2 * x)),
    ),
    slip(
        "hard",
        "Your sigmoid is three straight lines (hardsigmoid); the sigmoid bends smoothly.",
        "Start from 1/(1 + exp(−x)).",
        *wrong(lambda x: (x / 6 + 0.5).clamp(0, 1)),
        *wrong(lambda x: (0.2 * x + 0.5).clamp(0, 1)),
    ),
    slip(
        "absolute-value",
        "You compute sigmoid(|x|), so negative x get the value of positive ones.",
        "For x below 0 use sigmoid(x) = 1 − sigmoid(−x), or e/(1 + e) with e = exp(x).",
        *wrong(lambda x: 1 / (1 + torch.exp(-x.abs()))),
    ),
    slip(
        "derivative-of-input",
        "You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).",
        "Compute s = self(x) first, and use s in the formula.",
        slope=lambda self, x: x * (1 - x),
    ),
    slip(
        "derivative-half-of-input",
        "You mixed x and the output s, as in x·(1 − s) or s·(1 − x), where s·(1 − s) is meant.",
        USE_OUTPUT,
        {"slope": lambda self, x: x * (1 - self(x))},
        {"slope": lambda self, x: self(x) * (1 - x)},
    ),
    slip(
        "derivative-plus",
        "You used s·(1 + s) where s·(1 − s) is meant.",
        QUARTER,
        slope=_by_output(lambda s: s * (1 + s)),
    ),
    slip(
        "derivative-square",
        "You used 1 − s², which is the rule for tanh; for the sigmoid it is s·(1 − s).",
        QUARTER,
        slope=_by_output(lambda s: 1 - s**2),
    ),
    slip(
        "derivative-is-value",
        "Your derivative returns the value of the sigmoid.",
        "Use the value s = self(x) in the formula s·(1 − s).",
        slope=_by_output(lambda s: s),
    ),
    slip(
        "derivative-one-minus",
        "Your derivative is 1 − s: the factor s is missing.",
        QUARTER,
        slope=_by_output(lambda s: 1 - s),
    ),
    slip(
        "derivative-negated",
        "Your derivative has the wrong sign, as in s·(s − 1).",
        "The sigmoid rises everywhere, so its slope is never negative.",
        {"slope": _by_output(lambda s: s * (s - 1))},
        {"slope": lambda self, x: -torch.exp(-x) / (1 + torch.exp(-x)) ** 2},
    ),
    slip(
        "derivative-no-parentheses",
        "You computed s·1 − s, which is 0 everywhere.",
        "Put the difference in parentheses: s * (1 - s).",
        slope=_by_output(lambda s: s * 1 - s),
    ),
    slip(
        "derivative-squared-once",
        "You used s² or (1 − s)² where the product s·(1 − s) is meant.",
        USE_OUTPUT,
        {"slope": _by_output(lambda s: s**2)},
        {"slope": _by_output(lambda s: (1 - s) ** 2)},
    ),
    slip(
        "derivative-twice",
        "Your derivative sends x through the sigmoid twice.",
        "Compute s = self(x) once, and use s in the formula s·(1 − s).",
        slope=lambda self, x: self(self(x)) * (1 - self(self(x))),
    ),
    slip(
        "in-place",
        "Your forward writes into x itself, so the caller's x changes.",
        "Make a new tensor: no x *= ..., no x[...] = ... and no method that ends in an underscore.",
        *both(of(_in_place), slope=RIGHT_SLOPE),
        *both(lambda self, x: x.neg_().exp_().add_(1).reciprocal_(), slope=RIGHT_SLOPE),
    ),
    *asks_once(),
    *shared(slope=sigmoid_slope),
)
"""What shows on ordinary numbers too."""

ANSWERS = Answers(
    recipe=Recipe(HandSigmoid),
    reference=Sigmoid,
    variants={
        "as a textbook prints it: one half for each sign": HandSigmoid,
        "as a course prints it: clip, then the formula": module(
            lambda self, x: 1 / (1 + torch.exp(-torch.clamp(x, -30, 30))),
            lambda self, x: self(x) * (1 - self(x)),
        ),
        "clamped on one side": module(
            lambda self, x: 1 / (1 + torch.exp((-x).clamp(max=80))),
            lambda self, x: self(x) - self(x) ** 2,
        ),
        "as a library has it: exp of minus softplus": module(
            lambda self, x: torch.exp(-F.softplus(-x)), lambda self, x: self(x) * self(-x)
        ),
        "as a statistician has it: exp of logsigmoid": module(
            lambda self, x: torch.exp(F.logsigmoid(x)), RIGHT_SLOPE
        ),
        "one of two in a softmax": module(
            lambda self, x: torch.stack([x, torch.zeros_like(x)]).softmax(0)[0],
            lambda self, x: self(x) * (1 - self(x)),
        ),
        "as a NumPy course has it: each half by a mask": module(
            lambda self, x: _by_mask(x), lambda self, x: _by_mask(x) * _by_mask(-x)
        ),
        "by hand through expm1": activation(lambda x: 0.5 * (1 + expm1_tanh(x / 2)), sigmoid_slope),
        "through logaddexp": module(
            lambda self, x: torch.exp(-torch.logaddexp(torch.zeros_like(x), -x)),
            lambda self, x: self(x) * (1 - self(x)),
        ),
        "the slope by autograd": by_autograd(safe_sigmoid),
        "clamp in float64": activation(in_float64(_clamped), sigmoid_slope),
        "a factory": lambda: HandSigmoid(),
    },
    slips=(
        slip(
            "textbook",
            "In 1/(1 + exp(−x)) the exponential overflows for very negative x: the value is still "
            "right, but autograd multiplies 0 by infinity and gets NaN.",
            NEVER_LARGE,
            value=of(textbook_sigmoid),
        ),
        slip(
            "exp-over-exp",
            "In exp(x)/(1 + exp(x)) both overflow for large positive x: infinity/infinity is NaN.",
            NEVER_LARGE,
            *wrong(exp_over_exp),
        ),
        slip(
            "both-branches",
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe as well, with a torch.where inside it.",
            {
                "value": lambda self, x: torch.where(
                    x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x))
                )
            },
        ),
        slip(
            "float64-inside",
            "Computing in float64 only moves the overflow from 89 to 710.",
            NEVER_LARGE,
            value=of(in_float64(textbook_sigmoid)),
        ),
        slip(
            "absolute-at-zero",
            "|x|, and x cut off at 0 by clamp or relu, have the slope 0 at x = 0 for autograd, so the "
            "gradient there is 0; it must be ¼.",
            "Give each branch an x of its own, torch.where(x >= 0, x, 0) and the like, without |x| or "
            "clamp.",
            value=of(sigmoid_by_absolute),
        ),
        clamped_too_early("the sigmoid", 30, (1, 2, 3, 4, 5, 6, 8, 10, 15, 16, 20), sigmoid_slope),
        slip(
            "clamped-too-late",
            "You clamp x too far away: in float32 exp overflows from about 89 on, so the gradient "
            "still becomes NaN.",
            "Clamp at about ±30.",
            *(
                {
                    "takes": lambda self, x, c=c: x.clamp(-c, c),
                    "value": of(textbook_sigmoid),
                }
                for c in (100, 200, 500, 709)
            ),
            *(
                {"value": lambda self, x, c=c: 1 / (1 + torch.exp((-x).clamp(max=c)))}
                for c in (100, 500)
            ),
        ),
        family(
            "output-clamped",
            "You keep the output {constant} away from 0 and 1; far from zero the sigmoid is nearer.",
            "Leave the output as it is, and guard a logarithm where it is taken.",
            (1e-7, 1e-6, 1e-5, 1e-8, 1e-4, 1e-3),
            lambda c: {"gives": lambda self, y, x: y.clamp(c, 1 - c), "value": of(safe_sigmoid)},
        ),
        slip(
            "nan-to-num",
            "You replace NaN in the value, but the gradient behind it is still NaN or wrong.",
            "Avoid the overflow itself: let exp never see a large positive number.",
            *wrong(lambda x: torch.nan_to_num(exp_over_exp(x), nan=1.0)),
            *wrong(lambda x: torch.nan_to_num(exp_over_exp(x))),
        ),
        slip(
            "derivative-overflows",
            "Your derivative divides infinity by infinity far from zero.",
            "Write the derivative with the output: s·(1 − s), s = self(x).",
            {"slope": lambda self, x: torch.exp(-x) / (1 + torch.exp(-x)) ** 2},
            {"slope": lambda self, x: torch.exp(x) / (1 + torch.exp(x)) ** 2},
            {"slope": lambda self, x: exp_over_exp(x) * (1 - exp_over_exp(x))},
        ),
        *SLIPS,
    ),
)
