"""The scales of Xavier's and Kaiming's initialisation: the recipe, its slips, and other forms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, Slip, family, slip


def scales(
    six: float = 6,
    share: Any = lambda six, i, o: six / (i + o),
    inside: Any = lambda share, gain: share,
    root: Any = math.sqrt,
    outside: Any = lambda bound, gain: gain * bound,
    default_gain: float = 1.0,
    bound: Any = lambda b, i, o: b,
    two: float = 2,
    slope: Any = lambda a: 1 + a * a,
    variance: Any = lambda two, slope, n: two / (slope * n),
    root_of_variance: Any = math.sqrt,
    default_slope: float = 0.0,
    std: Any = lambda s, n: s,
    names: Any = lambda bound, std: (bound, std),
) -> Any:
    """The two functions from their parts."""

    def xavier_uniform_bound(fan_in: int, fan_out: int, gain: float = default_gain) -> Any:
        b = outside(root(inside(share(six, fan_in, fan_out), gain)), gain)
        return bound(b, fan_in, fan_out)

    def kaiming_normal_std(fan_in: int, negative_slope: float = default_slope) -> Any:
        return std(root_of_variance(variance(two, slope(negative_slope), fan_in)), fan_in)

    return names(xavier_uniform_bound, kaiming_normal_std)


xavier_uniform_bound, kaiming_normal_std = scales()


def std_by_gain(fan_in: int, negative_slope: float = 0.0) -> float:
    return nn.init.calculate_gain("leaky_relu", negative_slope) / math.sqrt(fan_in)


def bound_by_std(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    std = gain * (2 / (fan_in + fan_out)) ** 0.5
    return std * 3**0.5


def bound_with_tensors(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    return (torch.tensor(6.0) / (fan_in + fan_out)).sqrt().mul(gain).item()


def bound_by_variance(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    variance = 2 * gain**2 / (fan_in + fan_out)
    return math.sqrt(3 * variance)


def mean_of_fans(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    fan = (fan_in + fan_out) / 2
    return gain * float(np.sqrt(3 / fan))


XAVIER = "Var[w] = 2 / (fan_in + fan_out), and a uniform number in [−b, b] has variance b²/3."
KAIMING = "Var[w] = 2 / ((1 + α²) · fan_in) for the slope α; the standard deviation is its root."
GAIN = "Multiply the whole bound by the gain, outside the root."


def results_of(part: str, name: str) -> Iterator[Slip]:
    """What may be wrong with the result of one of the two functions."""
    yield slip(
        f"{part}-not-returned",
        f"Your {name} returns nothing.",
        "End it with return.",
        {part: lambda value, *_: None},
    )
    yield slip(
        f"{part}-rounded",
        f"Your {name} rounds its result.",
        "Return the number as it is, and round only where it is printed.",
        *({part: lambda value, *_, d=digits: round(value, d)} for digits in (4, 3, 2)),
    )
    yield slip(
        f"{part}-as-text",
        f"Your {name} returns a text, and a number is meant.",
        "Return the number, and format it only where it is printed.",
        {part: lambda value, *_: str(value)},
        {part: lambda value, *_: f"{value:.4f}"},
    )


ANSWERS = Answers(
    recipe=Recipe(scales),
    reference=(xavier_uniform_bound, std_by_gain),
    variants={
        "by the standard deviation": (bound_by_std, kaiming_normal_std),
        "with tensors": (bound_with_tensors, kaiming_normal_std),
        "NumPy's float": (
            lambda i, o, gain=1.0: np.float64(xavier_uniform_bound(i, o, gain)),
            lambda i, negative_slope=0: np.sqrt(2 / (1 + np.square(negative_slope)) / i),
        ),
        "as a library prints it: the mean of the fans": (mean_of_fans, std_by_gain),
        "as a textbook prints it: the gain in the variance": (
            bound_by_variance,
            lambda n, negative_slope=0.0: (2 / n) ** 0.5 / (1 + negative_slope**2) ** 0.5,
        ),
        "as a course prints it: roots of tensors, without item()": (
            lambda i, o, gain=1.0: gain * torch.sqrt(torch.tensor(6.0 / (i + o))),
            lambda n, negative_slope=0.0: torch.tensor(2 / (1 + negative_slope**2) / n).sqrt(),
        ),
    },
    slips=(
        slip(
            "bound-is-std",
            "You returned the standard deviation; the bound of a uniform draw is √3 times as large.",
            XAVIER,
            six=2,
        ),
        slip(
            "half-bound",
            "Your bound has 3 in place of 6: you set Var[w] to 1 / (fan_in + fan_out).",
            XAVIER,
            six=3,
        ),
        slip(
            "twelve",
            "Your bound has 12 in place of 6: the 6 belongs to the sum of fan_in and fan_out, and "
            "over their mean stands 3.",
            XAVIER,
            six=12,
        ),
        family(
            "other-constant",
            "Your bound is √({constant} / (fan_in + fan_out)) times the gain, and the constant is 6.",
            XAVIER,
            (1, 4, 5, 8, 1.5),
            lambda c: {"six": c},
        ),
        slip(
            "returns-width",
            "You returned the width of the interval, 2b.",
            "The interval is [−b, b], and b is asked for.",
            six=24,
        ),
        slip(
            "root-of-fans-only",
            "The root in your bound covers the fans only: 6 / √(fan_in + fan_out).",
            "The root covers the whole fraction: √(6 / (fan_in + fan_out)).",
            six=36,
        ),
        slip(
            "root-of-six-only",
            "The root in your bound covers the 6 only: √6 / (fan_in + fan_out).",
            "The root covers the whole fraction: √(6 / (fan_in + fan_out)).",
            share=lambda six, i, o: six / (i + o) ** 2,
        ),
        slip(
            "fan-in-only",
            "You used fan_in twice; Xavier's rule takes the mean of fan_in and fan_out.",
            XAVIER,
            share=lambda six, i, o: six / (2 * i),
        ),
        slip(
            "six-over-fan-in",
            "You divided by fan_in alone: that is Kaiming's uniform bound for ReLU.",
            XAVIER,
            share=lambda six, i, o: six / i,
        ),
        slip(
            "fan-out-only",
            "You used fan_out alone; Xavier's rule takes the mean of fan_in and fan_out.",
            XAVIER,
            {"share": lambda six, i, o: six / (2 * o)},
            {"share": lambda six, i, o: six / o},
        ),
        slip(
            "product-of-fans",
            "You multiplied fan_in and fan_out.",
            "They are added.",
            share=lambda six, i, o: six / (i * o),
        ),
        slip(
            "fans-without-parentheses",
            "Parentheses are missing: 6 / fan_in + fan_out divides by fan_in alone.",
            "Write 6 / (fan_in + fan_out).",
            share=lambda six, i, o: six / i + o,
        ),
        slip(
            "larger-fan",
            "You divided by the larger of the two fans; Xavier's rule takes both.",
            XAVIER,
            {"share": lambda six, i, o: six / max(i, o)},
            {"share": lambda six, i, o: six / (2 * max(i, o))},
        ),
        slip(
            "whole-division",
            "You divided with //, which cuts off what stands after the point.",
            "Divide with a single /.",
            share=lambda six, i, o: six // (i + o),
        ),
        slip(
            "no-root-in-bound",
            "The square root is missing in the bound.",
            XAVIER,
            {"root": lambda share: share},
            {"root": lambda share: share, "outside": lambda bound, gain: gain**2 * bound},
        ),
        slip(
            "gain-ignored",
            "Your bound does not depend on the gain.",
            "Multiply the whole bound by the gain.",
            outside=lambda bound, gain: bound,
        ),
        slip(
            "gain-inside-root",
            "The gain stands inside the square root.",
            GAIN,
            inside=lambda share, gain: gain * share,
            outside=lambda bound, gain: bound,
        ),
        slip(
            "gain-squared",
            "Your bound grows with the square of the gain.",
            "Multiply by the gain once, outside the root.",
            {"outside": lambda bound, gain: gain**2 * bound},
        ),
        slip(
            "gain-twice",
            "The gain stands inside the square root and before it.",
            GAIN,
            inside=lambda share, gain: gain * share,
        ),
        slip(
            "divides-by-gain",
            "You divided by the gain.",
            "A function that shrinks the signal has a larger gain, and needs larger weights.",
            outside=lambda bound, gain: bound / gain,
        ),
        slip(
            "gain-added",
            "You added the gain to the bound.",
            "The gain is a factor.",
            outside=lambda bound, gain: bound + gain,
        ),
        family(
            "default-gain",
            "Your default for gain is {constant} and not 1.",
            "Keep the defaults that the skeleton gives.",
            (5 / 3, math.sqrt(2), 2, 0, 0.5),
            lambda c: {"default_gain": c},
        ),
        slip(
            "negative-bound",
            "Your bound is negative: it is the lower end of the interval.",
            "The interval is [−b, b], and b is asked for.",
            bound=lambda b, i, o: -b,
        ),
        slip(
            "both-ends",
            "You returned both ends of the interval, and b alone is asked for.",
            "Return b, the upper end.",
            {"bound": lambda b, i, o: (-b, b)},
            {"bound": lambda b, i, o: [-b, b]},
        ),
        slip(
            "draws-weights",
            "You returned weights; only the bound of the interval is asked for.",
            "Return the number b itself, and draw nothing.",
            {"bound": lambda b, i, o: torch.empty(o, i).uniform_(-b, b)},
            {"bound": lambda b, i, o: torch.empty(i, o).uniform_(-b, b)},
        ),
        *results_of("bound", "xavier_uniform_bound"),
        slip(
            "std-without-two",
            "The factor 2 is missing in your standard deviation. It makes up for ReLU, which passes "
            "on half of the mean square.",
            KAIMING,
            two=1,
        ),
        slip(
            "uniform-bound",
            "You returned the bound of the uniform variant; a normal draw needs no factor √3.",
            KAIMING,
            two=6,
        ),
        slip(
            "std-three",
            "Your standard deviation has 3 in place of the 2: 3 belongs to the bound of a uniform draw.",
            KAIMING,
            two=3,
        ),
        slip(
            "root-without-two",
            "The root in your standard deviation does not cover the 2.",
            KAIMING,
            two=4,
        ),
        slip(
            "std-is-variance",
            "You returned the variance; the standard deviation is its root.",
            KAIMING,
            root_of_variance=lambda v: v,
        ),
        slip(
            "slope-ignored",
            "Your standard deviation does not depend on the slope.",
            KAIMING,
            slope=lambda a: 1,
        ),
        slip(
            "slope-not-squared",
            "The slope is not squared.",
            KAIMING,
            {"slope": lambda a: 1 + a},
            {"slope": lambda a: 1 + 2 * a},
        ),
        slip(
            "slope-squares-sum",
            "You squared 1 + α; it is 1 + α².",
            KAIMING,
            slope=lambda a: (1 + a) ** 2,
        ),
        slip(
            "slope-subtracted",
            "You subtracted the slope's square; the negative side adds to the signal.",
            KAIMING,
            slope=lambda a: 1 - a**2,
        ),
        slip(
            "slope-outside-root",
            "Your 1 + α² stands outside of the root.",
            KAIMING,
            slope=lambda a: (1 + a**2) ** 2,
        ),
        slip(
            "slope-without-one",
            "You divide by α², and 1 + α² is meant: the positive side passes everything on.",
            KAIMING,
            slope=lambda a: a**2,
        ),
        slip(
            "multiplies-by-slope",
            "You multiplied by 1 + α² in place of dividing.",
            KAIMING,
            {"slope": lambda a: 1 / (1 + a * a)},
            {"slope": lambda a: 1 / (1 + a * a) ** 2},
        ),
        slip(
            "not-per-root",
            "You divided by fan_in, not by its root.",
            KAIMING,
            variance=lambda two, slope, n: two / slope / n**2,
        ),
        slip(
            "times-fan-in",
            "You multiply by fan_in: in 2 / (1 + α²) * fan_in the division comes first.",
            "Put the whole denominator into parentheses: 2 / ((1 + α²) * fan_in).",
            variance=lambda two, slope, n: two / slope * n,
        ),
        slip(
            "fan-in-for-slope-only",
            "In 1 + α² * fan_in the multiplication comes first, so that only α² is multiplied.",
            "Put 1 + α² into parentheses: 2 / ((1 + α²) * fan_in).",
            variance=lambda two, slope, n: two / (1 + (slope - 1) * n),
        ),
        slip(
            "fan-in-ignored",
            "Your standard deviation does not depend on fan_in: that is the gain alone.",
            KAIMING,
            variance=lambda two, slope, n: two / slope,
        ),
        family(
            "default-slope",
            "Your default for negative_slope is {constant} and not 0.",
            "Keep the defaults that the skeleton gives.",
            (0.01, 0.1, 0.2, 1.0),
            lambda c: {"default_slope": c},
        ),
        slip(
            "default-slope-of-linear",
            "Your default for negative_slope is √5, as nn.init.kaiming_uniform_ is called in nn.Linear.",
            "Keep the defaults that the skeleton gives.",
            default_slope=math.sqrt(5),
        ),
        *results_of("std", "kaiming_normal_std"),
        slip(
            "two-names-swapped",
            "Your two functions stand under each other's name.",
            "xavier_uniform_bound takes both fans and a gain, kaiming_normal_std one fan and a slope.",
            names=lambda bound, std: (std, bound),
        ),
    ),
)
