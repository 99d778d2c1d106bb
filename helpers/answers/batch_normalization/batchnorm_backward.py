"""Batch normalisation backwards: right and wrong answers, each with its forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from helpers.answers.batch_normalization import by_hand
from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def _forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    """Right, with everything in the cache that a backward could want."""
    var, mean = torch.var_mean(x, dim=0, correction=0)
    std = torch.sqrt(var + eps)
    y = gamma * (x - mean) / std + beta
    return y, {"x": x, "n": (x - mean) / std, "std": std, "var": var, "gamma": gamma, "y": y}


def _of(
    dx: Callable[[Tensor, Any], Any] | None = None,
    dgamma: Callable[[Tensor, Any], Any] | None = None,
    dbeta: Callable[[Tensor, Any], Any] | None = None,
) -> Any:
    """A forward and a backward in which these gradients are wrong."""

    def batchnorm_backward(dy: Tensor, cache: Any) -> Any:
        right = by_hand.hand_backward(dy, (cache["n"], 1 / cache["std"], cache["gamma"]))
        wrong = (dx, dgamma, dbeta)
        return tuple(r if w is None else w(dy, cache) for r, w in zip(right, wrong, strict=True))

    return _forward, batchnorm_backward


def _back(backward: Callable[[Tensor, Any], Any]) -> Any:
    return _forward, backward


def _right(dy: Tensor, c: Any) -> Any:
    return by_hand.hand_backward(dy, (c["n"], 1 / c["std"], c["gamma"]))


def _dx(dy: Tensor, c: Any, first: float = 1, second: float = 1, inverse: Any = None) -> Tensor:
    """The closed form with a factor at each of its two corrections."""
    inverse = 1 / c["std"] if inverse is None else inverse
    mean, along = dy.mean(0), (dy * c["n"]).mean(0)
    return c["gamma"] * inverse * (dy - first * mean - second * c["n"] * along)


def _in_place(dy: Tensor, c: Any) -> Any:
    result = _right(dy.clone(), c)
    dy *= c["gamma"]
    return result


def _consumes(dy: Tensor, c: Any) -> Any:
    result = _right(dy, c)
    c["n"] = c["n"] * c["gamma"]
    return result


def _global_cache() -> Any:
    kept: dict[str, Any] = {}

    def forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
        y, cache = _forward(x, gamma, beta, eps)
        kept.update(cache)
        return y, cache

    return forward, lambda dy, cache: _right(dy, kept)


def _global_gamma() -> Any:
    """The cache holds all but gamma, which is that of the last forward."""
    kept: dict[str, Any] = {}

    def forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
        kept["gamma"] = gamma
        return _forward(x, gamma, beta, eps)

    return forward, lambda dy, cache: _right(dy, {**cache, **kept})


def _unbiased_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    normal = (x - x.mean(0)) / torch.sqrt(x.var(0) + eps)
    return gamma * normal + beta, (normal, 1 / torch.sqrt(x.var(0) + eps), gamma)


def _rows_sum(dy: Tensor, c: Any) -> Tensor:
    return dy.sum(1) if dy.shape[0] == dy.shape[1] else dy.sum(0)


def _n_minus_one(dy: Tensor, c: Any) -> Tensor:
    n = max(len(dy) - 1, 1)
    return _dx(dy, c, first=len(dy) / n, second=len(dy) / n)


ANSWERS = Answers(
    reference=(by_hand.batchnorm_forward, by_hand.batchnorm_backward),
    variants={
        "closed form": (by_hand.hand_forward, by_hand.hand_backward),
        "node by node": (by_hand.forward_with_dict, by_hand.backward_in_steps),
        "float64 inside": (by_hand.forward_in_float64, by_hand.backward_in_float64),
        "feature by feature": (by_hand.forward_of_columns, by_hand.backward_of_columns),
        "by projection": (by_hand.hand_forward, by_hand.backward_by_projection),
    },
    misconceptions=(
        Misconception(
            "statistics-constant",
            _of(dx=lambda dy, c: _dx(dy, c, 0, 0)),
            "You treated the mean and the variance as constants; both depend on x.",
            "x reaches y by three paths: directly, through the mean, and through the variance.",
        ),
        Misconception(
            "mean-constant",
            _of(dx=lambda dy, c: _dx(dy, c, first=0)),
            "The path through the mean is missing in your dx.",
            "Subtract the batch's mean of dy·gamma as well.",
        ),
        Misconception(
            "variance-constant",
            _of(dx=lambda dy, c: _dx(dy, c, second=0)),
            "The path through the variance is missing in your dx.",
            "Subtract the normalised value times the mean of dy times the normalised value.",
        ),
        Misconception(
            "adds-corrections",
            _of(dx=lambda dy, c: _dx(dy, c, -1, -1)),
            "You added the two corrections in dx; they are subtracted.",
            "Derive the sign: a larger mean makes every y smaller.",
        ),
        Misconception(
            "half-variance-path",
            _of(dx=lambda dy, c: _dx(dy, c, second=0.5)),
            "The path through the variance counts half in your dx.",
            "The derivative of the variance with respect to x is 2(x − mean)/N: is the 2 there?",
        ),
        Misconception(
            "sums-not-means",
            _of(dx=lambda dy, c: _dx(dy, c, len(dy), len(dy))),
            "You subtracted sums over the batch where means are meant.",
            "Divide both sums by N.",
        ),
        Misconception(
            "n-minus-one",
            _of(dx=_n_minus_one),
            "You divided by N − 1 in dx; the variance of the forward divides by N.",
            "Divide both sums by N.",
        ),
        Misconception(
            "gamma-missing",
            _of(dx=lambda dy, c: _dx(dy, c) / c["gamma"]),
            "gamma is missing in your dx.",
            "y = gamma · normalised + beta, so the gradient of the normalised value is dy · gamma.",
        ),
        Misconception(
            "inverse-std-missing",
            _of(dx=lambda dy, c: _dx(dy, c, inverse=1.0)),
            "The division by the standard deviation is missing in your dx.",
            "Normalising divides by sqrt(var + eps); so does its gradient.",
        ),
        Misconception(
            "divides-by-variance",
            _of(dx=lambda dy, c: _dx(dy, c, inverse=1 / c["std"] ** 2)),
            "You divided dx by the variance; the standard deviation is meant.",
            "Normalising divides by sqrt(var + eps); so does its gradient.",
        ),
        Misconception(
            "eps-missing",
            _of(dx=lambda dy, c: _dx(dy, c, inverse=1 / c["var"].clamp(min=1e-30).sqrt())),
            "Your dx divides by the root of the variance without eps.",
            "Keep sqrt(var + eps) of the forward in the cache and use it again.",
        ),
        Misconception(
            "dgamma-with-x",
            _of(dgamma=lambda dy, c: (dy * c["x"]).sum(0)),
            "Your dgamma multiplies dy by x; the normalised x is what gamma multiplies.",
            "Keep the normalised values in the cache.",
        ),
        Misconception(
            "dgamma-with-y",
            _of(dgamma=lambda dy, c: (dy * c["y"]).sum(0)),
            "Your dgamma multiplies dy by y; the normalised x is what gamma multiplies.",
            "Keep the normalised values in the cache.",
        ),
        Misconception(
            "dgamma-times-gamma",
            _of(dgamma=lambda dy, c: (dy * c["n"] * c["gamma"]).sum(0)),
            "Your dgamma contains gamma itself.",
            "The derivative of gamma · n with respect to gamma is n.",
        ),
        Misconception(
            "means-for-parameters",
            _of(
                dgamma=lambda dy, c: (dy * c["n"]).mean(0),
                dbeta=lambda dy, c: dy.mean(0),
            ),
            "Your dgamma and dbeta are means over the batch; sums are meant.",
            "gamma acts on every sample, so the samples' gradients add up.",
        ),
        Misconception(
            "dbeta-mean",
            _of(dbeta=lambda dy, c: dy.mean(0)),
            "Your dbeta is a mean over the batch; a sum is meant.",
            "beta is added to every sample, so the samples' gradients add up.",
        ),
        Misconception(
            "not-summed",
            _of(dgamma=lambda dy, c: dy * c["n"], dbeta=lambda dy, c: dy.clone()),
            "Your dgamma and dbeta still have a row for each sample.",
            "A gradient has the shape of its parameter, (D,): sum over dim=0.",
        ),
        Misconception(
            "dbeta-over-features",
            _of(dbeta=_rows_sum),
            "Your dbeta sums over the features.",
            "Sum over the samples, dim=0.",
        ),
        Misconception(
            "kept-dimension",
            _of(
                dgamma=lambda dy, c: (dy * c["n"]).sum(0, keepdim=True),
                dbeta=lambda dy, c: dy.sum(0, keepdim=True),
            ),
            "Your dgamma and dbeta have the shape (1, D).",
            "A gradient has the shape of its parameter, (D,): leave keepdim out.",
        ),
        Misconception(
            "dgamma-dbeta-swapped",
            _back(lambda dy, c: tuple(_right(dy, c)[i] for i in (0, 2, 1))),
            "You returned dbeta before dgamma.",
            "The order is dx, dgamma, dbeta.",
        ),
        Misconception(
            "only-dx",
            _back(lambda dy, c: _right(dy, c)[0]),
            "Your backward returns dx alone.",
            "Return three gradients: dx, dgamma, dbeta.",
        ),
        Misconception(
            "ignores-dy",
            _back(lambda dy, c: _right(torch.ones_like(dy), c)),
            "Your backward does not use dy.",
            "By the chain rule every gradient contains dy.",
        ),
        Misconception(
            "in-place",
            _back(_in_place),
            "Your backward multiplies dy by gamma in place, so the caller's dy is changed.",
            "Make a new tensor: dn = dy * gamma.",
        ),
        Misconception(
            "changes-cache",
            _back(_consumes),
            "Your backward changes what is in the cache.",
            "Compute with new tensors and leave the cache as it was.",
        ),
        Misconception(
            "gamma-of-the-last-forward",
            _global_gamma(),
            "Your backward uses the gamma of the last forward, whatever the cache.",
            "Put gamma into the cache.",
        ),
        Misconception(
            "one-cache-for-all",
            _global_cache(),
            "Your backward uses what the last forward left in a global variable, not its cache.",
            "Read everything from the argument cache.",
        ),
        Misconception(
            "unbiased-forward",
            (_unbiased_forward, by_hand.hand_backward),
            "Your forward divides by the unbiased variance, with N − 1.",
            "Repair the forward first: its check stands above.",
        ),
    ),
)
