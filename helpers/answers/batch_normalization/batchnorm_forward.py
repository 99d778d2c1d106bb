"""Batch normalisation forwards: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from helpers.answers.batch_normalization import by_hand
from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def _with(formula: Callable[[Tensor, Tensor, Tensor, float], Tensor]) -> Any:
    """A forward with this formula for y and the cache of a right one."""

    def batchnorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
        return formula(x, gamma, beta, eps), (x, gamma, beta, eps)

    return batchnorm_forward


def _scaled(x: Tensor, eps: float) -> Tensor:
    return (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + eps)


def _in_place(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    y, cache = by_hand.hand_forward(x.clone(), gamma, beta, eps)
    x -= x.mean(0)
    return y, cache


def _in_place_gamma(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    y, cache = by_hand.hand_forward(x, gamma.clone(), beta, eps)
    gamma /= torch.sqrt(x.var(0, correction=0) + eps)
    return y, cache


def _one_pass(x: Tensor, g: Tensor, b: Tensor, eps: float) -> Tensor:
    mean = x.mean(0)
    var = (x**2).mean(0) - mean**2
    return g * (x - mean) / torch.sqrt(var.clamp(min=0) + eps) + b


def _rows(x: Tensor, g: Tensor, b: Tensor, eps: float) -> Tensor:
    std = torch.sqrt(x.var(1, keepdim=True, correction=0) + eps)
    return g * (x - x.mean(1, keepdim=True)) / std + b


ANSWERS = Answers(
    reference=by_hand.batchnorm_forward,
    variants={
        "step by step": by_hand.hand_forward,
        "a dict as cache": by_hand.forward_with_dict,
        "float64 inside": by_hand.forward_in_float64,
        "feature by feature": by_hand.forward_of_columns,
        "a list as result": lambda *a, **k: list(by_hand.hand_forward(*a, **k)),
        "one scale and one shift": _with(
            lambda x, g, b, e: torch.addcmul(
                b, x - x.mean(0), g * torch.rsqrt(x.var(0, unbiased=False) + e)
            )
        ),
    },
    misconceptions=(
        Misconception(
            "rows-not-columns",
            _with(_rows),
            "You normalised each sample over its features; each feature over the batch is meant.",
            "Take the mean and the variance over dim=0, the samples.",
        ),
        Misconception(
            "one-mean-for-all",
            _with(lambda x, g, b, e: g * (x - x.mean()) / (x.var(correction=0) + e).sqrt() + b),
            "You took one mean and one variance over all entries of x.",
            "Every feature has its own: use dim=0.",
        ),
        Misconception(
            "unbiased-variance",
            _with(lambda x, g, b, e: g * (x - x.mean(0)) / torch.sqrt(x.var(0) + e) + b),
            "You divided by the unbiased variance, with N − 1; the biased one, with N, is meant.",
            "x.var(dim=0) divides by N − 1 unless you ask for correction=0.",
        ),
        Misconception(
            "unbiased-and-eps-outside",
            _with(lambda x, g, b, e: g * (x - x.mean(0)) / (x.std(0) + e) + b),
            "x.std() divides by N − 1, and eps stands outside the root.",
            "Take the variance with correction=0, add eps, and only then the root.",
        ),
        Misconception(
            "eps-outside-root",
            _with(lambda x, g, b, e: g * (x - x.mean(0)) / (x.var(0, correction=0).sqrt() + e) + b),
            "You added eps to the standard deviation; it belongs under the root.",
            "Write sqrt(var + eps).",
        ),
        Misconception(
            "no-eps",
            _with(lambda x, g, b, e: g * _scaled(x, 0.0) + b),
            "You left eps out, so a constant feature divides by zero.",
            "Write sqrt(var + eps).",
        ),
        Misconception(
            "fixed-eps",
            _with(lambda x, g, b, e: g * _scaled(x, 1e-5) + b),
            "You wrote 1e-5 into the formula and ignore the argument eps.",
            "Use eps where the number stands now.",
        ),
        Misconception(
            "divides-by-variance",
            _with(
                lambda x, g, b, e: g * (x - x.mean(0)) / (x.var(0, correction=0) + e) + b,
            ),
            "You divided by the variance; the standard deviation is its square root.",
            "Write sqrt(var + eps).",
        ),
        Misconception(
            "not-centred",
            _with(lambda x, g, b, e: g * x / torch.sqrt(x.var(0, correction=0) + e) + b),
            "You did not subtract the mean.",
            "Normalise x − mean.",
        ),
        Misconception(
            "ignores-gamma",
            _with(lambda x, g, b, e: _scaled(x, e) + b),
            "gamma does nothing in your result.",
            "Multiply the normalised values by gamma.",
        ),
        Misconception(
            "ignores-beta",
            _with(lambda x, g, b, e: g * _scaled(x, e)),
            "beta does nothing in your result.",
            "Add beta after multiplying by gamma.",
        ),
        Misconception(
            "ignores-both",
            _with(lambda x, g, b, e: _scaled(x, e)),
            "gamma and beta do nothing in your result.",
            "Return gamma times the normalised values, plus beta.",
        ),
        Misconception(
            "gamma-and-beta-swapped",
            _with(lambda x, g, b, e: b * _scaled(x, e) + g),
            "You multiplied by beta and added gamma.",
            "gamma is the factor, beta is the shift.",
        ),
        Misconception(
            "shift-before-scale",
            _with(lambda x, g, b, e: g * (_scaled(x, e) + b)),
            "You multiplied beta by gamma too.",
            "First multiply by gamma, then add beta.",
        ),
        Misconception(
            "one-pass-variance",
            _with(_one_pass),
            "You computed the variance as mean(x²) − mean(x)², which loses nearly all digits when "
            "the mean is large.",
            "Subtract the mean first and take the mean of the squares then.",
        ),
        Misconception(
            "in-place",
            _in_place,
            "Your code subtracts the mean from x in place, so the caller's x is changed.",
            "Write x - mean instead of x -= mean.",
        ),
        Misconception(
            "in-place-gamma",
            _in_place_gamma,
            "Your code changes gamma in place.",
            "Make a new tensor for gamma divided by the standard deviation.",
        ),
        Misconception(
            "only-y",
            lambda *a, **k: by_hand.hand_forward(*a, **k)[0],
            "Your function returns y alone.",
            "Return two results: return y, cache.",
        ),
        Misconception(
            "cache-first",
            lambda *a, **k: by_hand.hand_forward(*a, **k)[::-1],
            "Your function returns the cache before y.",
            "Return y first: return y, cache.",
        ),
        Misconception(
            "always-float32",
            _with(lambda x, g, b, e: (g * _scaled(x, e) + b).float()),
            "Your result is float32 whatever x is.",
            "Keep the dtype of x.",
        ),
    ),
)
