"""Program 3, ReLU by maximum: the recipe, its slips, and real repairs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.bug_clinic.entrywise import common_slips, itself, with_backward
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def _backward(back: Any) -> Any:
    return with_backward(torch.relu, back)


OTHERS = {
    "softplus": F.softplus,
    "softplus, sharpened": lambda x: F.softplus(x, beta=100.0),
    "GELU": F.gelu,
    "SiLU": F.silu,
    "ELU": F.elu,
    "ReLU6, cut off at 6": F.relu6,
    "|x|": torch.abs,
    "the square of ReLU": lambda x: torch.relu(x) ** 2,
}
LEAKS = {
    f"{a:g} · x": (lambda x, a=a: torch.where(x > 0, x, a * x)) for a in (0.01, 0.1, 0.2, 1e-3)
}


def relu(before: Any = itself, formula: Any = torch.relu, after: Any = lambda y, x: y) -> Any:
    return lambda x: after(formula(before(x)), x)


ANSWERS = Answers(
    recipe=Recipe(relu),
    reference=torch.relu,
    variants={
        "as a textbook prints it: a condition": lambda x: torch.where(
            x > 0, x, torch.zeros_like(x)
        ),
        "where with a number": lambda x: torch.where(x > 0, x, 0.0),
        "as a blog prints it: a mask": lambda x: x * (x > 0),
        "a mask of numbers": lambda x: x * (x > 0).to(x.dtype),
        "masked_fill": lambda x: x.masked_fill(x <= 0, 0.0),
        "a copy written into": lambda x: x.clone().masked_fill_(x <= 0, 0.0),
        "clamp": lambda x: x.clamp(min=0),
        "threshold": lambda x: F.threshold(x, 0.0, 0.0),
        "leaky with the slope 0": lambda x: F.leaky_relu(x, 0.0),
        "as a course on frameworks writes it: a Function": _backward(lambda up, x, y: up * (y > 0)),
        "nn.ReLU": torch.nn.ReLU(),
    },
    slips=(
        slip(
            "half-at-zero",
            "At exactly 0 the gradient is ½, as with (x + |x|)/2 and with maximum, whose two equal "
            "arguments share it.",
            "Choose with a condition that is false at 0: x > 0.",
            formula=lambda x: torch.maximum(x, torch.zeros_like(x)),
        ),
        slip(
            "one-at-zero",
            "At exactly 0 the gradient is 1 now; PyTorch and this course take 0. (A maximum over "
            "a stack of x and 0 gives 1 as well.)",
            "Choose with a condition that is false at 0: x > 0.",
            formula=lambda x: torch.where(x >= 0, x, torch.zeros_like(x)),
        ),
        family(
            "floor-above-zero",
            "The tie is moved from 0 to {constant}, and now the value is that positive number where "
            "0 is meant; smaller inputs lose their gradient.",
            "Let the value and the gradient be exactly 0 for x ≤ 0.",
            (1e-12, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3),
            lambda c: {"formula": lambda x: torch.maximum(x, torch.full_like(x, c))},
        ),
        family(
            "floor-below-zero",
            "The floor lies at {constant} instead of 0: negative inputs give that number, and at "
            "exactly 0 the gradient is 1.",
            "Let the value and the gradient be exactly 0 for x ≤ 0.",
            (-1e-12, -1e-8, -1e-6, -1e-3, -1.0),
            lambda c: {"formula": lambda x: torch.maximum(x, torch.full_like(x, c))},
        ),
        family(
            "shifted",
            "The whole function is shifted to the right by {constant}: the value of a positive input "
            "is too small, and small positive inputs get no gradient.",
            "Do not move x; choose with x > 0.",
            (1e-12, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1.0),
            lambda c: {"formula": lambda x: torch.relu(x - c)},
        ),
        family(
            "shifted-to-the-left",
            "The whole function is shifted to the left by {constant}: at 0 its value is not 0, and "
            "its gradient is not 0.",
            "Do not move x; choose with x > 0.",
            (1e-12, 1e-8, 1e-7, 1e-6, 1e-5, 1e-3, 1.0),
            lambda c: {"formula": lambda x: torch.relu(x + c)},
        ),
        family(
            "threshold-above-zero",
            "Only x > {constant} passes, so smaller positive inputs give 0 and get no gradient.",
            "The corner is at 0: x > 0.",
            (1e-12, 1e-7, 1e-6, 1e-5, 1e-3, 0.5),
            lambda c: {"formula": lambda x: x * (x > c)},
        ),
        family(
            "leaks",
            "Negative inputs leak through as {constant}: that is LeakyReLU, not ReLU.",
            "For x ≤ 0 the value and the gradient are 0.",
            LEAKS,
            lambda name: {"formula": LEAKS[name]},
        ),
        slip(
            "visible-input-only",
            "Only an input of nothing but zeros is treated; a single zero among other numbers "
            "still gets ½.",
            "Treat each entry by itself: choose with x > 0.",
            formula=lambda x: torch.maximum(x, torch.zeros_like(x)) * (x != 0).any(),
        ),
        slip(
            "step",
            "Your result is 1 where x > 0: the slope of ReLU and not its value.",
            "Where x > 0 the value is x itself.",
            formula=lambda x: (x > 0).to(x.dtype),
        ),
        slip(
            "integers",
            "Your result is made of ones and zeros that are integers or True and False.",
            "Where x > 0 the value is x itself: x * (x > 0).",
            {"whole": lambda x: (x > 0) * 1},
            {"whole": lambda x: x > 0},
        ),
        slip(
            "wrong-side",
            "Negative inputs pass and positive ones give 0.",
            "Let x pass where x > 0.",
            {"formula": lambda x: torch.relu(-x), "after": lambda y, x: -y},
            {"formula": lambda x: torch.minimum(x, torch.zeros_like(x))},
        ),
        slip(
            "argument-negated",
            "Your function is ReLU of −x.",
            "Choose x where x > 0.",
            formula=lambda x: torch.where(x < 0, x, torch.zeros_like(x)),
            after=lambda y, x: -y,
        ),
        slip(
            "nan-at-zero",
            "You divide by x, or by |x|, and at x = 0 that is 0 / 0, which is NaN.",
            "Choose with x > 0, without a division.",
            {"formula": lambda x: x * (1 + x / x.abs()) / 2},
            {"formula": lambda x: torch.relu(x) / x * x},
        ),
        slip(
            "jitter",
            "Noise is added to x so that no tie is left; the values change with it.",
            "Leave x as it is, and choose with x > 0.",
            {"formula": lambda x: torch.relu(x + 1e-6 * torch.randn_like(x))},
            {"formula": lambda x: torch.relu(x + 1e-8 * torch.randn_like(x))},
            {"formula": lambda x: torch.relu(x + 1e-6 * torch.rand_like(x))},
        ),
        family(
            "another-function",
            "Your function is {constant}, which is another function than ReLU.",
            "Keep the corner at 0, and choose with x > 0.",
            OTHERS,
            lambda name: {"formula": OTHERS[name]},
        ),
        slip(
            "slope-is-the-value",
            "Your backward multiplies by the value where its slope is meant.",
            "The slope is 1 where x > 0, and 0 elsewhere.",
            formula=_backward(lambda up, x, y: up * y),
        ),
        slip(
            "sign-of-the-gradient",
            "Your backward asks whether the gradient that arrives is positive, and not whether x is.",
            "Keep x with ctx.save_for_backward, and multiply the gradient by x > 0.",
            formula=_backward(lambda up, x, y: torch.relu(up)),
        ),
        *common_slips(
            torch.relu,
            slope=lambda y: (y > 0).to(y.dtype),
            in_words="1 where x > 0, and 0 elsewhere",
        ),
    ),
)
