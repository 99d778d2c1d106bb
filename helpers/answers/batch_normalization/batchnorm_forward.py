"""Batch normalisation forwards: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from helpers.answers.batch_normalization import by_hand
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def normaliser(
    refuse: Any = lambda x: None,
    axis: Any = 0,
    mean: Any = lambda x, axis: x.mean(axis, keepdim=True),
    less: int = 0,
    variance: Any = lambda x, c, axis, total: total(c**2),
    bottom: Any = lambda var, eps: torch.sqrt(var + eps),
    divided: Any = lambda x, c, s: c / s,
    affine: Any = lambda n, gamma, beta: gamma * n + beta,
    result: Any = lambda y, cache: (y, cache),
    default_eps: float = 1e-5,
) -> Any:
    """The four formulas from their parts; `less` is taken from N in the variance."""

    def batchnorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = default_eps) -> Any:
        refuse(x)
        c = x - mean(x, axis)

        def average(squares: Tensor, over: Any = axis) -> Tensor:
            total = squares.sum(over, keepdim=True)
            return total / (squares.numel() // total.numel() - less)

        n = divided(x, c, bottom(variance(x, c, axis, average), eps))
        return result(affine(n, gamma, beta), (n, gamma))

    return batchnorm_forward


def _short(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    inverse = torch.rsqrt(x.var(0, unbiased=False) + eps)
    return torch.addcmul(beta, x - x.mean(0), gamma * inverse), None


def _book(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 10e-6) -> Any:
    """As a book that programs networks from scratch prints it."""
    mu = x.mean(dim=0)
    xc = x - mu
    var = torch.mean(xc**2, dim=0)
    std = torch.sqrt(var + eps)
    xn = xc / std
    return gamma * xn + beta, {"batch_size": x.shape[0], "xc": xc, "xn": xn, "std": std}


def _numbers(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    """As the paper prints its algorithm 1, with the sums written out."""
    m = x.shape[0]
    mu_b = sum(x[i] for i in range(m)) / m
    var_b = sum((x[i] - mu_b) ** 2 for i in range(m)) / m
    x_hat = torch.stack([(x[i] - mu_b) / (var_b + eps) ** 0.5 for i in range(m)])
    return gamma * x_hat + beta, (x, x_hat, mu_b, var_b)


def writing(position: int, value: Callable[..., Tensor]) -> Any:
    """Writes this value of (x, gamma, beta) into the argument of this position."""

    def around(forward: Any) -> Any:
        def batchnorm_forward(*arguments: Any, **settings: Any) -> Any:
            result = forward(*(a.clone() for a in arguments[:3]), *arguments[3:], **settings)
            arguments[position].copy_(value(*arguments[:3]))
            return result

        return batchnorm_forward

    return around


def on_y(change: Callable[[Tensor], Any]) -> Any:
    """Changes the y that is returned."""

    def around(forward: Any) -> Any:
        def batchnorm_forward(*arguments: Any, **settings: Any) -> Any:
            result = forward(*arguments, **settings)
            if isinstance(result, Tensor):
                return change(result)
            return tuple(change(r) if isinstance(r, Tensor) else r for r in result)

        return batchnorm_forward

    return around


def _refuse_one(x: Tensor) -> None:
    if len(x) == 1:
        raise ValueError("Expected more than one sample.")


def _mean_of_all(x: Tensor, axis: int) -> Tensor:
    return x.mean()


def _one_pass(x: Tensor, c: Tensor, axis: int, total: Any) -> Tensor:
    var = (x**2).mean(axis, keepdim=True) - x.mean(axis, keepdim=True) ** 2
    factor: Tensor = total(torch.ones_like(x))
    return var * factor


def _std(x: Tensor) -> Tensor:
    return torch.sqrt(x.var(0, correction=0) + 1e-5)


ANSWERS = Answers(
    recipe=Recipe(normaliser),
    reference=by_hand.batchnorm_forward,
    variants={
        "by hand": by_hand.hand_forward,
        "as a course prints it: step by step": by_hand.step_by_step,
        "as a book prints it: xc, xn and std": _book,
        "as the paper prints it: sums": _numbers,
        "a dict as cache": by_hand.with_dict,
        "float64 inside": by_hand.in_float64,
        "feature by feature": by_hand.of_columns,
        "a list as result": lambda *a, **k: list(by_hand.hand_forward(*a, **k)),
        "one scale and one shift": _short,
    },
    slips=(
        slip(
            "rows-not-columns",
            "You normalised each sample over its features; each feature over the batch is meant.",
            "Take the mean and the variance over dim=0, the samples.",
            {"axis": 1},
            {
                "mean": lambda x, axis: x.mean(1),
                "variance": lambda x, c, axis, total: total(
                    (x - x.mean(1, keepdim=True)) ** 2, 1
                ).flatten(),
            },
        ),
        slip(
            "one-mean-for-all",
            "You took the mean or the variance over all entries of x.",
            "Every feature has its own mean and its own variance: use dim=0.",
            {"mean": _mean_of_all, "variance": lambda x, c, axis, total: total(c**2, (0, 1))},
            {"mean": _mean_of_all, "variance": lambda x, c, axis, total: total(c**2)},
            {
                "mean": _mean_of_all,
                "variance": lambda x, c, axis, total: total((x - x.mean(axis, keepdim=True)) ** 2),
            },
            {"variance": lambda x, c, axis, total: total((x - x.mean()) ** 2, (0, 1))},
            {"variance": lambda x, c, axis, total: total(c**2, (0, 1))},
        ),
        slip(
            "unbiased-variance",
            "You used the unbiased variance, with N − 1; the biased one, with N, is meant.",
            "x.var(dim=0) and x.std(dim=0) divide by N − 1 unless you ask for correction=0.",
            less=1,
        ),
        slip(
            "sum-of-squares",
            "Your variance is the sum of the squared deviations; their mean is meant.",
            "Divide the sum by N, or use .mean(dim=0).",
            variance=lambda x, c, axis, total: (c**2).sum(axis, keepdim=True),
        ),
        slip(
            "one-pass-variance",
            "You computed the variance as mean(x²) − mean(x)², which loses nearly all digits when "
            "the mean is large.",
            "Subtract the mean first and take the mean of the squares then.",
            {"variance": _one_pass},
            {"variance": lambda *given: _one_pass(*given).clamp(min=0)},
        ),
        slip(
            "eps-outside-root",
            "You added eps to the standard deviation; it belongs under the root.",
            "Write sqrt(var + eps).",
            bottom=lambda var, eps: torch.sqrt(var) + eps,
        ),
        slip(
            "no-eps",
            "You left eps out, so a constant feature divides by zero.",
            "Write sqrt(var + eps).",
            bottom=lambda var, eps: torch.sqrt(var),
        ),
        family(
            "fixed-eps",
            "You add the number {constant} to the variance and ignore the argument eps.",
            "Use eps where the number stands now.",
            (1e-5, 1e-8, 1e-6, 1e-7, 1e-3, 1e-12),
            lambda c: {"bottom": lambda var, eps: torch.sqrt(var + c)},
        ),
        slip(
            "divides-by-variance",
            "You divided by the variance; the standard deviation is its square root.",
            "Write sqrt(var + eps).",
            bottom=lambda var, eps: var + eps,
        ),
        slip(
            "only-centred",
            "You subtracted the mean and did not divide by the standard deviation.",
            "Divide by sqrt(var + eps).",
            divided=lambda x, c, s: c,
        ),
        slip(
            "not-centred",
            "You did not subtract the mean.",
            "Normalise x − mean.",
            {"divided": lambda x, c, s: x / s},
            {"mean": lambda x, axis: 0},
        ),
        slip(
            "ignores-gamma",
            "gamma does nothing in your result.",
            "Multiply the normalised values by gamma.",
            affine=lambda n, gamma, beta: n + beta,
        ),
        slip(
            "ignores-beta",
            "beta does nothing in your result.",
            "Add beta after multiplying by gamma.",
            affine=lambda n, gamma, beta: gamma * n,
        ),
        slip(
            "ignores-both",
            "gamma and beta do nothing in your result.",
            "Return gamma times the normalised values, plus beta.",
            affine=lambda n, gamma, beta: n,
        ),
        slip(
            "gamma-and-beta-swapped",
            "You multiplied by beta and added gamma.",
            "gamma is the factor, beta is the shift.",
            affine=lambda n, gamma, beta: beta * n + gamma,
        ),
        slip(
            "shift-before-scale",
            "You multiplied beta by gamma too.",
            "First multiply by gamma, then add beta.",
            affine=lambda n, gamma, beta: gamma * (n + beta),
        ),
        slip(
            "beta-subtracted",
            "You subtracted beta.",
            "beta is added: gamma · x̂ + beta.",
            affine=lambda n, gamma, beta: gamma * n - beta,
        ),
        family(
            "other-default-eps",
            "Your default for eps is {constant}, and 1e-5 is meant.",
            "Keep the signature of the skeleton.",
            (1e-8, 1e-6, 1e-7, 1e-12),
            lambda c: {"default_eps": c},
        ),
        slip(
            "refuses-one-sample",
            "Your function refuses a batch of one sample; y is beta there.",
            "The formulas work for N = 1: the deviations are 0, and eps keeps the root above 0.",
            refuse=_refuse_one,
        ),
        slip(
            "in-place",
            "Your code changes x itself, for example with x -= mean.",
            "Make a new tensor: x - mean.",
            {"around": writing(0, lambda x, gamma, beta: x - x.mean(0))},
            {"around": writing(0, lambda x, gamma, beta: (x - x.mean(0)) / _std(x))},
            {"around": writing(0, lambda x, gamma, beta: gamma * (x - x.mean(0)) / _std(x) + beta)},
        ),
        slip(
            "in-place-gamma",
            "Your code changes gamma itself.",
            "Make a new tensor for gamma divided by the standard deviation.",
            around=writing(1, lambda x, gamma, beta: gamma / _std(x)),
        ),
        slip(
            "only-y",
            "Your function returns y alone.",
            "Return two results: return y, cache.",
            result=lambda y, cache: y,
        ),
        slip(
            "cache-first",
            "Your function returns the cache before y.",
            "Return y first: return y, cache.",
            result=lambda y, cache: (cache, y),
        ),
        slip(
            "not-a-tensor",
            "Your y is no tensor.",
            "Leave .numpy() and .tolist() out: the next layer needs a tensor.",
            around=on_y(lambda y: y.tolist()),
        ),
        slip(
            "always-float32",
            "Your result is float32 whatever x is.",
            "Keep the dtype of x.",
            around=on_y(lambda y: y.float()),
        ),
        slip(
            "always-float64",
            "Your result is float64 whatever x is.",
            "Bring it back to the dtype of x: y.to(x.dtype).",
            around=on_y(lambda y: y.double()),
        ),
    ),
)
