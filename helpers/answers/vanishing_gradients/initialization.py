"""The scales of Xavier's and Kaiming's initialisation: right and wrong answers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


def xavier_uniform_bound(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    return gain * math.sqrt(6 / (fan_in + fan_out))


def kaiming_normal_std(fan_in: int, negative_slope: float = 0.0) -> float:
    return nn.init.calculate_gain("leaky_relu", negative_slope) / math.sqrt(fan_in)


def _bound_from_std(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    std = gain * (2 / (fan_in + fan_out)) ** 0.5
    return std * 3**0.5


def _std_in_one_root(fan_in: int, negative_slope: float = 0.0) -> float:
    return math.sqrt(2 / ((1 + negative_slope**2) * fan_in))


def _bound_with_tensors(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    return (torch.tensor(6.0) / (fan_in + fan_out)).sqrt().mul(gain).item()


def _mean_of_fans(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
    fan = (fan_in + fan_out) / 2
    return gain * float(np.sqrt(3 / fan))


def _wrong_bound(formula: Callable[[int, int, float], float]) -> object:
    def bound(fan_in: int, fan_out: int, gain: float = 1.0) -> float:
        return formula(fan_in, fan_out, gain)

    return bound, kaiming_normal_std


def _wrong_std(formula: Callable[[int, float], float], default: float = 0.0) -> object:
    def std(fan_in: int, negative_slope: float = default) -> float:
        return formula(fan_in, negative_slope)

    return xavier_uniform_bound, std


XAVIER = "Var[w] = 2 / (fan_in + fan_out), and a uniform number in [−b, b] has variance b²/3."
KAIMING = "Var[w] = 2 / ((1 + α²) · fan_in) for the slope α; the standard deviation is its root."

ANSWERS = Answers(
    reference=(xavier_uniform_bound, kaiming_normal_std),
    variants={
        "by the standard deviation": (_bound_from_std, _std_in_one_root),
        "with tensors": (
            _bound_with_tensors,
            lambda n, negative_slope=0.0: _std_in_one_root(n, negative_slope),
        ),
        "NumPy's float": (
            lambda i, o, gain=1.0: np.float64(xavier_uniform_bound(i, o, gain)),
            lambda i, negative_slope=0: np.sqrt(2 / (1 + np.square(negative_slope)) / i),
        ),
        "mean of the fans": (_mean_of_fans, _std_in_one_root),
    },
    misconceptions=(
        Misconception(
            "bound-is-std",
            _wrong_bound(lambda i, o, g: g * math.sqrt(2 / (i + o))),
            "You returned the standard deviation; the bound of a uniform draw is √3 times as large.",
            XAVIER,
        ),
        Misconception(
            "half-bound",
            _wrong_bound(lambda i, o, g: g * math.sqrt(3 / (i + o))),
            "Your bound has 3 in place of 6: you set Var[w] to 1 / (fan_in + fan_out).",
            XAVIER,
        ),
        Misconception(
            "fan-in-only",
            _wrong_bound(lambda i, o, g: g * math.sqrt(6 / (2 * i))),
            "You used fan_in twice; Xavier's rule takes the mean of fan_in and fan_out.",
            XAVIER,
        ),
        Misconception(
            "six-over-fan-in",
            _wrong_bound(lambda i, o, g: g * math.sqrt(6 / i)),
            "You divided by fan_in alone: that is Kaiming's uniform bound for ReLU.",
            XAVIER,
        ),
        Misconception(
            "three-over-fan-out",
            _wrong_bound(lambda i, o, g: g * math.sqrt(3 / o)),
            "You used fan_out alone; Xavier's rule takes the mean of fan_in and fan_out.",
            XAVIER,
        ),
        Misconception(
            "no-root-in-bound",
            _wrong_bound(lambda i, o, g: g * 6 / (i + o)),
            "The square root is missing in the bound.",
            XAVIER,
        ),
        Misconception(
            "gain-ignored",
            _wrong_bound(lambda i, o, g: math.sqrt(6 / (i + o))),
            "Your bound does not depend on the gain.",
            "Multiply the whole bound by the gain.",
        ),
        Misconception(
            "gain-inside-root",
            _wrong_bound(lambda i, o, g: math.sqrt(g * 6 / (i + o))),
            "The gain stands inside the square root.",
            "Multiply the whole bound by the gain, outside the root.",
        ),
        Misconception(
            "divides-by-gain",
            _wrong_bound(lambda i, o, g: math.sqrt(6 / (i + o)) / g),
            "You divided by the gain.",
            "A function that shrinks the signal has a larger gain, and needs larger weights.",
        ),
        Misconception(
            "product-of-fans",
            _wrong_bound(lambda i, o, g: g * math.sqrt(6 / (i * o))),
            "You multiplied fan_in and fan_out.",
            "They are added.",
        ),
        Misconception(
            "root-of-first-fan",
            _wrong_bound(lambda i, o, g: g * math.sqrt(6 / i + o)),
            "Parentheses are missing: 6 / fan_in + fan_out divides by fan_in alone.",
            "Write 6 / (fan_in + fan_out).",
        ),
        Misconception(
            "returns-width",
            _wrong_bound(lambda i, o, g: 2 * g * math.sqrt(6 / (i + o))),
            "You returned the width of the interval, 2b.",
            "The interval is [−b, b], and b is asked for.",
        ),
        Misconception(
            "bound-is-tensor",
            _wrong_bound(lambda i, o, g: torch.tensor(xavier_uniform_bound(i, o, g))),
            "Your bound is a tensor where a float is meant.",
            "math.sqrt gives a float.",
        ),
        Misconception(
            "draws-weights",
            _wrong_bound(lambda i, o, g: nn.init.xavier_uniform_(torch.empty(o, i), gain=g)),
            "You returned weights; only the bound of the interval is asked for.",
            XAVIER,
        ),
        Misconception(
            "std-without-two",
            _wrong_std(lambda n, a: 1 / math.sqrt((1 + a * a) * n)),
            "The factor 2 is missing, which makes up for ReLU: that passes on half of the mean square.",
            KAIMING,
        ),
        Misconception(
            "std-is-variance",
            _wrong_std(lambda n, a: 2 / ((1 + a * a) * n)),
            "You returned the variance; the standard deviation is its root.",
            KAIMING,
        ),
        Misconception(
            "slope-ignored",
            _wrong_std(lambda n, a: math.sqrt(2 / n)),
            "Your standard deviation does not depend on the slope.",
            KAIMING,
        ),
        Misconception(
            "slope-not-squared",
            _wrong_std(lambda n, a: math.sqrt(2 / ((1 + a) * n))),
            "The slope is not squared.",
            KAIMING,
        ),
        Misconception(
            "slope-squares-sum",
            _wrong_std(lambda n, a: math.sqrt(2 / ((1 + a) ** 2 * n))),
            "You squared 1 + α; it is 1 + α².",
            KAIMING,
        ),
        Misconception(
            "slope-subtracted",
            _wrong_std(lambda n, a: math.sqrt(2 / (abs(1 - a * a) * n)) if a != 1 else 1.0),
            "You subtracted the slope's square; the negative side adds to the signal.",
            KAIMING,
        ),
        Misconception(
            "multiplies-by-slope",
            _wrong_std(lambda n, a: math.sqrt(2 * (1 + a * a) / n)),
            "You multiplied by 1 + α² in place of dividing.",
            KAIMING,
        ),
        Misconception(
            "uniform-bound",
            _wrong_std(lambda n, a: math.sqrt(6 / ((1 + a * a) * n))),
            "You returned the bound of the uniform variant; a normal draw needs no factor √3.",
            KAIMING,
        ),
        Misconception(
            "not-per-root",
            _wrong_std(lambda n, a: math.sqrt(2 / (1 + a * a)) / n),
            "You divided by fan_in, not by its root.",
            KAIMING,
        ),
        Misconception(
            "default-slope",
            _wrong_std(_std_in_one_root, default=0.01),
            "Your default for negative_slope is not 0.",
            "Keep the defaults that the skeleton gives.",
        ),
        Misconception(
            "default-slope-of-linear",
            _wrong_std(_std_in_one_root, default=math.sqrt(5)),
            "Your default for negative_slope is √5, as nn.init.kaiming_uniform_ is called in nn.Linear.",
            "Keep the defaults that the skeleton gives.",
        ),
    ),
)
