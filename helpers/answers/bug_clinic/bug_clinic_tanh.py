"""Program 1, tanh from exponentials: the recipe, its slips, and real repairs."""

from __future__ import annotations

import math
from typing import Any

import torch

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
    up, down = torch.exp(x), torch.exp(-x)
    return (up - down) / (up + down)


def on_the_right(x: Tensor) -> Tensor:
    return (1 - torch.exp(-2 * x)) / (1 + torch.exp(-2 * x))


def on_the_left(x: Tensor) -> Tensor:
    return (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)


def less_two(x: Tensor) -> Tensor:
    return 1 - 2 / (torch.exp(2 * x) + 1)


def less_one(x: Tensor) -> Tensor:
    return 2 / (1 + torch.exp(-2 * x)) - 1


def _sign_where_nan(y: Tensor, x: Tensor) -> Tensor:
    return torch.where(y.isnan(), torch.sign(x), y)


def _swept_twice(x: Tensor) -> Tensor:
    y = with_a_hook(broken)(x)
    return _sign_where_nan(y, x.detach())


def _special_case(limit: float) -> Any:
    return lambda x: torch.where(x.abs() >= limit, torch.sign(x.detach()), broken(x))


def _clamped(formula: Any, limit: float) -> Any:
    return {"formula": formula, "before": lambda x: x.clamp(-limit, limit)}


OTHERS = {
    "x / (1 + |x|)": lambda x: x / (1 + x.abs()),
    "x / √(1 + x²)": lambda x: x / (1 + x * x).sqrt(),
    "atan(x)": torch.atan,
    "2/π · atan(x)": lambda x: 2 / math.pi * torch.atan(x),
    "erf(x)": torch.erf,
    "sin(x)": torch.sin,
    "sinh(x)": lambda x: torch.sinh(x.clamp(-80, 80)),
}


def tanh(before: Any = itself, formula: Any = torch.tanh, after: Any = lambda y, x: y) -> Any:
    return lambda x: after(formula(before(x)), x)


ANSWERS = Answers(
    recipe=Recipe(tanh),
    reference=torch.tanh,
    variants={
        "as a textbook prints it: 2·sigmoid(2x) − 1": lambda x: 2 * torch.sigmoid(2 * x) - 1,
        "as a library in C writes it: expm1 of −2|x|, and the sign back": in_two_branches(
            lambda x: -torch.expm1(-2 * x) / (2 + torch.expm1(-2 * x)),
            lambda x: torch.expm1(2 * x) / (2 + torch.expm1(2 * x)),
        ),
        "double where": in_two_branches(on_the_right, on_the_left),
        "clamp": lambda x: broken(x.clamp(-30, 30)),
        "clamp just before the overflow": lambda x: broken(x.clamp(-88, 88)),
        "float64 with a clamp": in_float64(lambda x: broken(x.clamp(-40, 40))),
        "as a course on frameworks writes it: a Function": with_backward(
            lambda x: torch.copysign(on_the_right(x.abs()), x), lambda up, x, t: up * (1 - t * t)
        ),
        "one exponential with a clamp": lambda x: 1 - 2 / (torch.exp((2 * x).clamp(max=60)) + 1),
        "far away by the sign": lambda x: torch.where(
            x.abs() > 20, torch.sign(x), broken(x.clamp(-20, 20))
        ),
        "softmax": lambda x: 2 * torch.softmax(torch.stack([2 * x, 0 * x]), 0)[0] - 1,
        "masks": lambda x: x.sign() * on_the_right(x.abs()) * (x != 0) + x * (x == 0),
    },
    slips=(
        slip(
            "unrepaired",
            "As in the broken program, exp(x) or exp(−x) overflows to infinity (as sinh(x) and "
            "cosh(x) do), and infinity / infinity is NaN.",
            "Let exp never see a large positive number.",
            {"formula": broken},
            {"formula": lambda x: torch.sinh(x) / torch.cosh(x)},
        ),
        slip(
            "one-exponential",
            "The value is right now, but exp still overflows on one side of 0, and on the way back "
            "autograd multiplies 0 by infinity: the gradient is NaN.",
            "Look at the gradient as well: on each side use only the exponential that becomes small.",
            {"formula": less_two},
            {"formula": less_one},
        ),
        slip(
            "safe-on-the-left",
            "This form is safe for negative x only: for large x exp(2x) overflows, and "
            "infinity / infinity is NaN.",
            "Use this form for x < 0, and the one with exp(−2x) for x ≥ 0.",
            formula=on_the_left,
        ),
        slip(
            "safe-on-the-right",
            "This form is safe for positive x only: for very negative x exp(−2x) overflows, and "
            "infinity / infinity is NaN.",
            "Use this form for x > 0, and the one with exp(2x) for x ≤ 0.",
            formula=on_the_right,
        ),
        slip(
            "both-branches",
            "torch.where computes both branches, and the one that is not chosen still overflows "
            "and sends 0 · infinity = NaN through the gradient.",
            "Make the argument of each exp safe too, with a torch.where inside it.",
            {"formula": lambda x: torch.where(x > 0, on_the_right(x), on_the_left(x))},
            {"formula": lambda x: torch.where(x > 0, on_the_right(x), less_two(x))},
        ),
        slip(
            "branches-exchanged",
            "The two branches are exchanged: each side uses the exponential that overflows there.",
            "For x > 0 use exp(−2x), for x < 0 use exp(2x).",
            formula=lambda x: torch.where(x > 0, on_the_left(x), on_the_right(x)),
        ),
        slip(
            "sign-and-absolute",
            "Nothing overflows any more, but sign(x), |x|, and x cut off at 0 by clamp or relu have "
            "the slope 0 at x = 0, so the gradient there is 0; it must be 1.",
            "Choose between two branches without sign, abs and clamp, or use 2·sigmoid(2x) − 1.",
            {"formula": lambda x: torch.sign(x) * on_the_right(x.abs())},
            {
                "formula": lambda x: torch.where(
                    x >= 0, on_the_right(x.abs()), on_the_left(-x.abs())
                )
            },
            {"formula": lambda x: torch.copysign(on_the_right(x.abs()), x)},
        ),
        slip(
            "sign-forgotten",
            "With |x| nothing overflows, but the sign of x is lost: tanh of a negative number is "
            "negative.",
            "tanh(−x) = −tanh(x).",
            after=lambda y, x: y.abs(),
        ),
        slip(
            "zero-over-zero",
            "You multiply or divide by |x| to get the sign back; at x = 0 that is 0 / 0, which is "
            "NaN.",
            "Choose between two branches, or use 2·sigmoid(2x) − 1.",
            formula=lambda x: x / x.abs() * on_the_right(x.abs()),
        ),
        slip(
            "nan-falls-through",
            "A NaN that comes in becomes a number, as with two branches x ≥ 0 and x < 0, of which "
            "it is neither.",
            "Choose with x < 0 in both places, so that the other branch keeps all else.",
            formula=in_two_branches(on_the_right, on_the_left),
        ),
        slip(
            "nan-to-num",
            "NaN is replaced by one number after the overflow has happened. That hides it where you "
            "look; at the other end the value is wrong, and the gradient is NaN.",
            "Avoid the overflow itself instead of its result.",
            *(
                {"formula": formula, "after": lambda y, x, c=c: torch.nan_to_num(y, nan=c)}
                for formula, c in (
                    (broken, 0.0),
                    (broken, 1.0),
                    (on_the_left, 0.0),
                    (on_the_right, 0.0),
                    (on_the_right, 1.0),
                )
            ),
        ),
        slip(
            "nan-to-sign",
            "NaN is replaced by the right sign after the overflow has happened; the gradient that "
            "goes back through it is still NaN.",
            "Avoid the overflow itself instead of its result.",
            {"formula": lambda x: _sign_where_nan(broken(x), x)},
            {"formula": lambda x: torch.where(x.abs() > 20, torch.sign(x), broken(x))},
        ),
        slip(
            "nan-hidden-twice",
            "NaN is swept away in the value and in the gradient, also where it comes from "
            "somewhere else; a real fault would go unseen.",
            "Avoid the overflow, so that there is nothing to sweep away.",
            {"formula": _swept_twice},
            {"formula": with_a_hook(less_two)},
        ),
        family(
            "visible-input-only",
            "Only the values for |x| ≥ {constant} are set by hand; exp overflows from 89 on, and "
            "there the gradient is still NaN.",
            "Repair the formula for every x, not for the example.",
            (100, 200, 1000),
            lambda c: {"formula": _special_case(c)},
        ),
        slip(
            "float64-inside",
            "Computing in float64 only moves the overflow from 89 to 710.",
            "Let exp never see a large positive number; then float32 is enough.",
            *(
                {"formula": in_float64(formula)}
                for formula in (broken, on_the_left, on_the_right, less_two, less_one)
            ),
        ),
        family(
            "clamped-too-early",
            "The input is cut off at ±{constant}, where tanh is not flat yet.",
            "Cut off further out (20, say), or rewrite the formula.",
            (1, 2, 3, 4, 5, 6),
            lambda c: {"before": lambda x: x.clamp(-c, c)},
        ),
        slip(
            "hardtanh",
            "x is cut off at −1 and 1, and that is all; tanh bends smoothly.",
            "Start from tanh(x) = 2·sigmoid(2x) − 1.",
            formula=lambda x: x.clamp(-1, 1),
        ),
        family(
            "clamped-too-late",
            "The input is cut off at ±{constant}, where an exponential has overflowed already: in "
            "float32 exp(x) begins to at 89, and exp(2x) at 45.",
            "Cut off where tanh is flat, at 20 for example.",
            (50, 80, 90, 100, 500),
            lambda c: _clamped(broken if c > 80 else less_two, c),
        ),
        slip(
            "half-argument",
            "Your function is tanh(x/2), as 2·sigmoid(x) − 1 is.",
            "tanh(x) = 2·sigmoid(2x) − 1.",
            before=lambda x: x / 2,
        ),
        slip(
            "double-argument",
            "Your function is tanh(2x).",
            "tanh(x) = 2·sigmoid(2x) − 1: the 2 is in the argument once.",
            before=lambda x: 2 * x,
        ),
        slip(
            "minus-one-forgotten",
            "Your function runs from 0 to 2: you left out the −1.",
            "tanh(x) = 2·sigmoid(2x) − 1.",
            {"formula": torch.sigmoid, "after": lambda y, x: 2 * y},
            {"after": lambda y, x: y + 1},
        ),
        slip(
            "sigmoid-instead",
            "Your function runs from 0 to 1: that is a sigmoid, and tanh runs from −1 to 1.",
            "tanh(x) = 2·sigmoid(2x) − 1.",
            {"formula": torch.sigmoid},
            {"after": lambda y, x: (y + 1) / 2},
        ),
        slip(
            "twice-as-large",
            "Your result is twice tanh(x).",
            "Divide by exp(x) + exp(−x), not by half of it.",
            after=lambda y, x: 2 * y,
        ),
        slip(
            "half-as-large",
            "Your result is half of tanh(x): it runs from −½ to ½.",
            "tanh(x) = 2·sigmoid(2x) − 1.",
            after=lambda y, x: y / 2,
        ),
        family(
            "another-curve",
            "Your function is {constant}, which is another function than tanh.",
            "Start from tanh(x) = 2·sigmoid(2x) − 1.",
            OTHERS,
            lambda name: {"formula": OTHERS[name]},
        ),
        slip(
            "slope-of-the-input",
            "Your gradient is 1 − x² where 1 − t² is meant, t being the value.",
            "Keep the value with ctx.save_for_backward, and use it.",
            formula=with_backward(torch.tanh, lambda up, x, t: up * (1 - x * x)),
        ),
        slip(
            "slope-of-the-sigmoid",
            "Your gradient is t·(1 − t), as for the sigmoid; for tanh it is 1 − t².",
            "The slope of tanh at 0 is 1.",
            formula=with_backward(torch.tanh, lambda up, x, t: up * t * (1 - t)),
        ),
        slip(
            "no-square",
            "Your gradient is 1 − t where 1 − t² is meant, t being the value.",
            "Square the value.",
            formula=with_backward(torch.tanh, lambda up, x, t: up * (1 - t)),
        ),
        *common_slips(torch.tanh, slope=lambda t: 1 - t * t, in_words="1 − t², t being the value"),
    ),
)
