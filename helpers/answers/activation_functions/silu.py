"""SiLU: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch

from helpers.answers.activation_functions.formulas import (
    HandSiLU,
    SiLU,
    activation,
    asks_once,
    by_autograd,
    exp_over_exp,
    in_float64,
    module,
    of,
    safe_sigmoid,
    shared,
    sigmoid_slope,
    textbook_sigmoid,
)
from helpers.answers.activation_functions.sigmoid import sigmoid_by_absolute
from helpers.checking.recipe import Answers, Recipe, family, slip


def _slope(x: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(x) + x * sigmoid_slope(x)


def _with(s: Any) -> Any:
    """A slope by a formula of x and the sigmoid at x."""
    return lambda self, x: s(x, self.sigmoid(x))


def _in_place(x: torch.Tensor) -> torch.Tensor:
    old = x.clone()
    with torch.no_grad():
        x.neg_()
    return old * textbook_sigmoid(old)


def sigmoid(wrong: Any) -> Any:
    """A wrong sigmoid in both methods, and in the value alone."""
    return {"sigmoid": of(wrong)}, {"value": lambda self, x: x * wrong(x)}


SAFE = "Use a sigmoid that is safe far from zero: your MySigmoid, or torch.sigmoid."
SILU = "SiLU(x) = x·sigmoid(x)."
PRODUCT = "(x·s)′ = s + x·s′, and s′ = s·(1 − s)."

ANSWERS = Answers(
    recipe=Recipe(HandSiLU),
    reference=SiLU,
    variants={
        "as a textbook prints it: x times its sigmoid": module(
            lambda self, x: x * torch.sigmoid(x),
            lambda self, x: torch.sigmoid(x) * (1 + x * (1 - torch.sigmoid(x))),
        ),
        "as the paper prints it: value plus s times one minus value": module(
            lambda self, x: x * torch.sigmoid(x),
            lambda self, x: self(x) + torch.sigmoid(x) * (1 - self(x)),
        ),
        "as a library has it: x.mul(x.sigmoid())": module(
            lambda self, x: x.mul(x.sigmoid()),
            lambda self, x: x.sigmoid().mul(1 + x.mul(1 - x.sigmoid())),
        ),
        "through nn.Sigmoid": module(
            lambda self, x: x * torch.nn.Sigmoid()(x), lambda self, x: _slope(x)
        ),
        "through special.expit": module(
            lambda self, x: torch.special.expit(x) * x, lambda self, x: _slope(x)
        ),
        "by hand": activation(
            lambda x: x * safe_sigmoid(x),
            lambda x: safe_sigmoid(x) * (1 + x * (1 - safe_sigmoid(x))),
        ),
        "through tanh": module(
            lambda self, x: x * 0.5 * (1 + torch.tanh(x / 2)), lambda self, x: _slope(x)
        ),
        "with exp(−|x|)": module(
            lambda self, x: x * sigmoid_by_absolute(x), lambda self, x: _slope(x)
        ),
        "with a clamp": module(
            lambda self, x: x / (1 + torch.exp((-x).clamp(max=60))), lambda self, x: _slope(x)
        ),
        "the slope by autograd": by_autograd(lambda x: x * torch.sigmoid(x)),
        "float64 inside": activation(in_float64(lambda x: x * torch.sigmoid(x)), _slope),
    },
    slips=(
        slip(
            "textbook",
            "In x/(1 + exp(−x)) the exponential overflows for very negative x, and the gradient "
            "becomes NaN.",
            SAFE,
            {"sigmoid": of(textbook_sigmoid)},
        ),
        slip(
            "exp-over-exp",
            "In x·exp(x)/(1 + exp(x)) both exponentials overflow: infinity/infinity is NaN.",
            SAFE,
            *sigmoid(exp_over_exp),
            {"slope": lambda self, x: exp_over_exp(x) * (1 + x * (1 - exp_over_exp(x)))},
        ),
        slip(
            "both-branches",
            "torch.where computes both branches, and the one that is not chosen still sends "
            "0 · infinity = NaN through the gradient.",
            SAFE,
            {
                "sigmoid": lambda self, x: torch.where(
                    x >= 0, 1 / (1 + torch.exp(-x)), torch.exp(x) / (1 + torch.exp(x))
                )
            },
        ),
        slip(
            "float64-inside",
            "Computing in float64 only moves the overflow from 89 to 710.",
            SAFE,
            {"sigmoid": of(in_float64(textbook_sigmoid))},
        ),
        slip(
            "clamped-too-late",
            "You clamp x too far away: in float32 exp overflows from about 89 on, so the gradient "
            "still becomes NaN.",
            SAFE,
            *(
                {"sigmoid": lambda self, x, c=c: textbook_sigmoid(x.clamp(-c, c))}
                for c in (100, 200, 500, 709)
            ),
        ),
        family(
            "clamped-too-early",
            "You clamp what goes into the sigmoid to about ±{constant}, and multiplied by a large x "
            "the difference matters.",
            SAFE,
            (1, 5, 6, 8, 10, 15, 20),
            lambda c: {"sigmoid": lambda self, x: torch.sigmoid(x.clamp(-c, c))},
        ),
        family(
            "clamps-x-too",
            "You clamp x itself to about ±{constant}, so that the result stops growing.",
            "For a large positive x the result is x: clamp at most what goes into the sigmoid.",
            (5, 6, 10, 20, 30, 50, 80, 88, 100, 500),
            lambda c: {"takes": lambda self, x: x.clamp(-c, c)},
        ),
        slip(
            "nan-to-num",
            "You replace NaN by a number, but the gradient behind it is still NaN or wrong.",
            SAFE,
            {"value": lambda self, x: torch.nan_to_num(x * exp_over_exp(x))},
            {"sigmoid": lambda self, x: torch.nan_to_num(exp_over_exp(x), nan=1.0)},
            {"sigmoid": lambda self, x: torch.nan_to_num(exp_over_exp(x))},
        ),
        slip(
            "only-sigmoid",
            "You returned sigmoid(x) without multiplying it by x.",
            SILU,
            value=lambda self, x: self.sigmoid(x),
        ),
        slip(
            "sigmoid-of-minus",
            "Your sigmoid falls from 1 to 0: the sign of x is the wrong way round.",
            SILU,
            *sigmoid(lambda x: torch.sigmoid(-x)),
            {"sigmoid": lambda self, x: 1 / (1 + torch.exp(x))},
        ),
        slip(
            "gelu-factor",
            "You used x·sigmoid(1.702·x), which approximates GELU.",
            "SiLU has no factor inside: x·sigmoid(x).",
            *sigmoid(lambda x: torch.sigmoid(1.702 * x)),
        ),
        slip(
            "tanh-for-sigmoid",
            "You multiplied x by tanh(x).",
            SILU,
            *sigmoid(torch.tanh),
        ),
        slip(
            "mish",
            "You computed x·tanh(softplus(x)), which is Mish.",
            SILU,
            value=lambda self, x: x * torch.tanh(torch.nn.functional.softplus(x)),
        ),
        slip(
            "hard",
            "Your sigmoid is three straight lines (hardsigmoid, hardswish).",
            SILU,
            *sigmoid(lambda x: (x / 6 + 0.5).clamp(0, 1)),
        ),
        slip(
            "absolute-value",
            "You compute sigmoid(|x|), so negative x get the factor of positive ones.",
            SILU,
            *sigmoid(lambda x: 1 / (1 + torch.exp(-x.abs()))),
        ),
        slip(
            "squared",
            "You multiplied x by its sigmoid twice, x·s².",
            SILU,
            value=lambda self, x: x * self.sigmoid(x) ** 2,
        ),
        slip(
            "adds",
            "You added x and sigmoid(x), where the product is meant.",
            SILU,
            value=lambda self, x: x + self.sigmoid(x),
        ),
        slip(
            "derivative-overflows",
            "Far from 0 exp overflows in your derivative: infinity − infinity and infinity/infinity are NaN.",
            "Write it with the sigmoid: s + x·s·(1 − s).",
            {
                "slope": lambda self, x: (
                    (1 + torch.exp(-x) + x * torch.exp(-x)) / (1 + torch.exp(-x)) ** 2
                )
            },
        ),
        slip(
            "derivative-without-product-rule",
            "Your derivative is sigmoid(x) alone: the second term of the product rule is missing.",
            PRODUCT,
            slope=_with(lambda x, s: s * 1),
        ),
        slip(
            "derivative-of-sigmoid",
            "Your derivative is s·(1 − s), the one of the sigmoid alone.",
            "Use the product rule: (x·s)′ = s + x·s′.",
            slope=_with(lambda x, s: s * (1 - s)),
        ),
        slip(
            "derivative-second-term-only",
            "Your derivative is x·s·(1 − s): the first term of the product rule is missing.",
            "(x·s)′ = s + x·s′.",
            slope=_with(lambda x, s: x * s * (1 - s)),
        ),
        slip(
            "derivative-lost-factor",
            "In your derivative the second term lacks a factor s: s′ is s·(1 − s).",
            "(x·s)′ = s + x·s·(1 − s).",
            slope=_with(lambda x, s: s + x * (1 - s)),
        ),
        slip(
            "derivative-without-x",
            "In your derivative s′ is not multiplied by x.",
            "(x·s)′ = s + x·s′.",
            slope=_with(lambda x, s: s + s * (1 - s)),
        ),
        slip(
            "derivative-minus",
            "Your derivative subtracts the second term, and the sum is meant.",
            PRODUCT,
            slope=_with(lambda x, s: s - x * s * (1 - s)),
        ),
        slip(
            "derivative-sign-inside",
            "In your derivative you wrote 1 + s where 1 − s is meant.",
            PRODUCT,
            slope=_with(lambda x, s: s + x * s * (1 + s)),
        ),
        slip(
            "derivative-exchanged",
            "In your derivative x stands at the wrong term: you computed x·s + s·(1 − s).",
            PRODUCT,
            slope=_with(lambda x, s: x * s + s * (1 - s)),
        ),
        slip(
            "derivative-of-input",
            "You used x·(1 − x) for the slope of the sigmoid, and s·(1 − s) is meant.",
            PRODUCT,
            {"slope": _with(lambda x, s: s + x * x * (1 - x))},
            {"slope": _with(lambda x, s: x * (1 - x))},
        ),
        slip(
            "derivative-parentheses",
            "Your parentheses stand wrong: you computed s·(1 + x)·(1 − s), where s·(1 + x·(1 − s)) "
            "is meant.",
            PRODUCT,
            slope=_with(lambda x, s: s * (1 + x) * (1 - s)),
        ),
        slip(
            "derivative-uses-value",
            "You used the value y = x·s where the sigmoid s is meant, as in y + x·y·(1 − y).",
            "Compute s = torch.sigmoid(x), and use s in the formula.",
            {"slope": lambda self, x: self(x) + x * self(x) * (1 - self(x))},
            {"slope": lambda self, x: self(x) * (1 - self(x))},
            {"slope": lambda self, x: self(x) * (1 + x * (1 - self(x)))},
        ),
        slip(
            "derivative-is-value",
            "Your derivative returns the value x·s.",
            PRODUCT,
            slope=lambda self, x: self(x),
        ),
        slip(
            "derivative-value-plus",
            "Your derivative is value + s, where value + s·(1 − value) is meant.",
            PRODUCT,
            slope=lambda self, x: self(x) + self.sigmoid(x),
        ),
        slip(
            "in-place",
            "Your forward writes into x itself, so the caller's x changes.",
            "Make a new tensor: no x *= ..., no x[...] = ... and no method that ends in an underscore.",
            {"value": of(_in_place)},
            {"value": lambda self, x: x.mul_(torch.sigmoid(x))},
        ),
        *asks_once(),
        *shared(),
    ),
)
