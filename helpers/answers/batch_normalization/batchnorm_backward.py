"""Batch normalisation backwards: the recipe of both passes, its slips, and right answers written
differently, each with its forward.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch

from helpers.answers.batch_normalization import by_hand
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def both_passes(
    less: int = 0,
    root: Any = lambda var, eps: torch.sqrt(var + eps),
    store: Any = lambda: None,
    load: Any = lambda cache, stored: cache,
    received: Any = lambda dy: dy,
    normal: Any = lambda c: c.normal,
    dbeta: Any = lambda dy, c: dy.sum(0),
    dgamma: Any = lambda dy, n, c: (dy * n).sum(0),
    dnormal: Any = lambda dy, c: dy * c.gamma,
    average: Any = lambda total, n: total / n,
    through_mean: Any = lambda dn, average: average(dn.sum(0), len(dn)),
    through_variance: Any = lambda dn, n, c, average: n * average((dn * n).sum(0), len(dn)),
    sign_of_mean: int = -1,
    sign_of_variance: int = -1,
    bottom: Any = lambda c: c.std,
    result: Any = lambda dx, dgamma, dbeta: (dx, dgamma, dbeta),
) -> Any:
    """The forward and the backward, with the three paths from x to y as parts."""
    stored = store()

    def batchnorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
        mean = x.mean(0)
        var = ((x - mean) ** 2).sum(0) / (len(x) - less)
        std = root(var, eps)
        y = gamma * (x - mean) / std + beta
        cache = SimpleNamespace(
            x=x, y=y, centred=x - mean, var=var, std=std, normal=(x - mean) / std,
            gamma=gamma, beta=beta, eps=eps,
        )  # fmt: skip
        if stored is not None:
            stored.update(vars(cache))
        return y, cache

    def batchnorm_backward(dy: Tensor, cache: Any) -> Any:
        c, dy = load(cache, stored), received(dy)
        n, dn = normal(c), dnormal(dy, c)
        by_mean = through_mean(dn, average)
        by_variance = through_variance(dn, n, c, average)
        dx = (dn + sign_of_mean * by_mean + sign_of_variance * by_variance) / bottom(c)
        return result(dx, dgamma(dy, n, c), dbeta(dy, c))

    return batchnorm_forward, batchnorm_backward


def _staged(dy: Tensor, cache: Any) -> Any:
    """As a well-known course prints it: the graph read backwards, one node at a time."""
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    n, _ = dy.shape
    dbeta = torch.sum(dy, dim=0)
    dgamma = torch.sum(dy * xhat, dim=0)
    dxhat = dy * gamma
    divar = torch.sum(dxhat * xmu, dim=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / torch.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / n * torch.ones_like(dy) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * torch.sum(dxmu1 + dxmu2, dim=0)
    dx2 = 1.0 / n * torch.ones_like(dy) * dmu
    return dx1 + dx2, dgamma, dbeta


def _short(dy: Tensor, cache: Any) -> Any:
    """The short form of the same course."""
    xhat, gamma, _, ivar, *_ = cache
    n = dy.shape[0]
    dxhat = dy * gamma
    dx = (1.0 / n) * ivar * (n * dxhat - dxhat.sum(0) - xhat * (dxhat * xhat).sum(0))
    return dx, (dy * xhat).sum(0), dy.sum(0)


def _by_paper(dy: Tensor, cache: Any) -> Any:
    """The formulas of the paper's section 3, one after the other."""
    x, mean, var, eps, gamma = (cache[k] for k in ("x", "mean", "var", "eps", "gamma"))
    m = x.shape[0]
    dxhat = dy * gamma
    dvar = (dxhat * (x - mean) * (-1 / 2) * (var + eps) ** (-3 / 2)).sum(0)
    dmean = (dxhat * -1 / torch.sqrt(var + eps)).sum(0) + dvar * (-2 * (x - mean)).sum(0) / m
    dx = dxhat / torch.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, (dy * (x - mean) / torch.sqrt(var + eps)).sum(0), dy.sum(0)


def _book_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    xc = x - x.mean(dim=0)
    std = torch.sqrt(torch.mean(xc**2, dim=0) + eps)
    return gamma * (xc / std) + beta, (xc, xc / std, std, gamma)


def _book(dout: Tensor, cache: Any) -> Any:
    """As a book that programs networks from scratch prints it."""
    xc, xn, std, gamma = cache
    dbeta = dout.sum(dim=0)
    dgamma = torch.sum(xn * dout, dim=0)
    dxn = gamma * dout
    dxc = dxn / std
    dstd = -torch.sum((dxn * xc) / (std * std), dim=0)
    dvar = 0.5 * dstd / std
    dxc += (2.0 / len(dout)) * xc * dvar
    dmu = torch.sum(dxc, dim=0)
    return dxc - dmu / len(dout), dgamma, dbeta


def _in_float64(dy: Tensor, cache: Any) -> Any:
    *inside, dtype = cache
    return [g.to(dtype) for g in by_hand.hand_backward(dy.double(), inside)]


def _of_columns(dy: Tensor, cache: Any) -> Any:
    made = [by_hand.hand_backward(dy[:, [j]], one) for j, one in enumerate(cache)]
    dx, dgamma, dbeta = zip(*made, strict=True)
    return torch.cat(dx, dim=1), torch.cat(dgamma), torch.cat(dbeta)


def _by_projection(dy: Tensor, cache: Any) -> Any:
    """Take the mean off, then the part along the normalised values."""
    normal, inverse, gamma = cache
    flat = dy - dy.mean(0, keepdim=True)
    along = torch.einsum("nd,nd->d", flat, normal) / dy.size(0)
    return (flat - normal * along) * inverse * gamma, (dy * normal).sum(0), dy.sum(0)


def _by_jacobian(dy: Tensor, cache: Any) -> Any:
    """With the whole Jacobian of each feature, (N, N)."""
    normal, inverse, gamma = cache
    n = len(dy)
    flat = torch.eye(n, dtype=dy.dtype) - 1 / n
    jacobian = flat[:, :, None] - normal[:, None] * normal[None] / n
    dx = torch.einsum("nkd,kd->nd", jacobian, dy) * inverse * gamma
    return dx, (dy * normal).sum(0), dy.sum(0)


def around_backward(change: Callable[[Any, Tensor, Any], Any]) -> Any:
    """`change(backward, dy, cache)` in the place of the backward."""
    return lambda pair: (pair[0], lambda dy, cache: change(pair[1], dy, cache))


def _changing_dy(value: Callable[[Tensor, Any], Tensor]) -> Any:
    def change(backward: Any, dy: Tensor, cache: Any) -> Any:
        result = backward(dy.clone(), cache)
        dy.copy_(value(dy, cache))
        return result

    return {"around": around_backward(change)}


def _changing_cache(name: str) -> Any:
    def change(backward: Any, dy: Tensor, cache: Any) -> Any:
        result = backward(dy, cache)
        setattr(cache, name, getattr(cache, name) * cache.gamma)
        return result

    return {"around": around_backward(change)}


def _dtype(dtype: torch.dtype) -> Any:
    def change(backward: Any, dy: Tensor, cache: Any) -> Any:
        result = backward(dy, cache)
        if isinstance(result, tuple):
            return tuple(g.to(dtype) for g in result)
        return result.to(dtype)

    return {"around": around_backward(change)}


def _of_the_last(*names: str) -> Any:
    """What the last forward left in a global variable, in the place of the cache's own."""

    def load(cache: Any, stored: dict[str, Any]) -> Any:
        wanted = {n: stored[n] for n in names or stored}
        return SimpleNamespace(**{**vars(cache), **wanted})

    return {"store": dict, "load": load}


def _power(k: int) -> Any:
    """The path through the variance, with a factor std^k too much."""
    return {"through_variance": lambda dn, n, c, avg: n * avg((dn * n).sum(0), len(dn)) * c.std**k}


ANSWERS = Answers(
    recipe=Recipe(both_passes),
    reference=(by_hand.batchnorm_forward, by_hand.batchnorm_backward),
    variants={
        "closed form": (by_hand.hand_forward, by_hand.hand_backward),
        "as a course prints it: staged": (by_hand.step_by_step, _staged),
        "as a course prints it: the short form": (by_hand.step_by_step, _short),
        "as the paper prints it": (by_hand.with_dict, _by_paper),
        "as a book prints it": (_book_forward, _book),
        "float64 inside": (by_hand.in_float64, _in_float64),
        "feature by feature": (by_hand.of_columns, _of_columns),
        "by projection": (by_hand.hand_forward, _by_projection),
        "by the Jacobian": (by_hand.hand_forward, _by_jacobian),
    },
    slips=(
        slip(
            "unbiased-forward",
            "Your forward divides by the unbiased variance, with N − 1.",
            "Repair the forward first: its check stands above.",
            less=1,
        ),
        slip(
            "eps-outside-root",
            "Your forward adds eps to the standard deviation; it belongs under the root.",
            "Repair the forward first: its check stands above.",
            root=lambda var, eps: torch.sqrt(var) + eps,
        ),
        slip(
            "statistics-constant",
            "You treated the mean and the variance as constants; both depend on x.",
            "x reaches y by three paths: directly, through the mean, and through the variance.",
            through_mean=lambda dn, average: 0,
            through_variance=lambda dn, n, c, average: 0,
        ),
        slip(
            "mean-constant",
            "The path through the mean is missing in your dx.",
            "Subtract the batch's mean of dy·gamma as well.",
            through_mean=lambda dn, average: 0,
        ),
        slip(
            "variance-constant",
            "The path through the variance is missing in your dx.",
            "Subtract the normalised value times the mean of dy times the normalised value.",
            through_variance=lambda dn, n, c, average: 0,
        ),
        slip(
            "adds-corrections",
            "You added the two corrections in dx; they are subtracted.",
            "Derive the sign: a larger mean makes every y smaller.",
            sign_of_mean=1,
            sign_of_variance=1,
        ),
        slip(
            "adds-mean-path",
            "You added the path through the mean in dx; it is subtracted.",
            "Derive the sign: a larger mean makes every y smaller.",
            sign_of_mean=1,
        ),
        slip(
            "adds-variance-path",
            "You added the path through the variance in dx; it is subtracted.",
            "The derivative of (var + eps)^(−1/2) with respect to var is negative.",
            sign_of_variance=1,
        ),
        slip(
            "half-variance-path",
            "The path through the variance counts half in your dx.",
            "The derivative of the variance with respect to x is 2(x − mean)/N: is the 2 there?",
            through_variance=lambda dn, n, c, avg: 0.5 * n * avg((dn * n).sum(0), len(dn)),
        ),
        slip(
            "double-variance-path",
            "The path through the variance counts twice in your dx.",
            "The derivative of (var + eps)^(−1/2) is −½ (var + eps)^(−3/2): is the ½ there?",
            through_variance=lambda dn, n, c, avg: 2 * n * avg((dn * n).sum(0), len(dn)),
        ),
        slip(
            "power-in-variance-path",
            "In your path through the variance the standard deviation has the wrong power.",
            "The derivative of (var + eps)^(−1/2) is −½ (var + eps)^(−3/2), not a power −1 or −½.",
            *(_power(k) for k in (1, 2, -1, -3)),
        ),
        slip(
            "x-in-variance-path",
            "Your path through the variance uses x where x − mean is meant.",
            "The derivative of the variance with respect to x is 2(x − mean)/N.",
            {
                "through_variance": lambda dn, n, c, avg: (
                    c.x / c.std * avg((dn * c.x / c.std).sum(0), len(dn))
                )
            },
            {"through_variance": lambda dn, n, c, avg: c.x / c.std * avg((dn * n).sum(0), len(dn))},
            {"through_variance": lambda dn, n, c, avg: n * avg((dn * c.x / c.std).sum(0), len(dn))},
        ),
        slip(
            "variance-path-not-normalised",
            "In your path through the variance dy is not multiplied by the normalised x before "
            "it is summed.",
            "The sum is that of dy·gamma·x̂ over the samples.",
            through_variance=lambda dn, n, c, avg: n * avg(dn.sum(0), len(dn)),
        ),
        slip(
            "eps-missing-in-variance-path",
            "eps is missing in your path through the variance alone.",
            "Write (var + eps)^(−3/2) there, with the same eps as everywhere.",
            through_variance=lambda dn, n, c, avg: (
                c.centred * avg((dn * c.centred).sum(0), len(dn)) / c.var
            ),
        ),
        slip(
            "sums-not-means",
            "You subtracted sums over the batch where means are meant.",
            "Divide both sums by N.",
            average=lambda total, n: total,
        ),
        slip(
            "sum-in-mean-path",
            "In the path through the mean you subtracted a sum over the batch; a mean is meant.",
            "Divide that sum by N.",
            through_mean=lambda dn, average: dn.sum(0),
        ),
        slip(
            "sum-in-variance-path",
            "In the path through the variance you subtracted a sum over the batch; a mean is meant.",
            "Divide that sum by N.",
            through_variance=lambda dn, n, c, average: n * (dn * n).sum(0),
        ),
        slip(
            "n-minus-one",
            "You divided by N − 1 in dx; the variance of the forward divides by N.",
            "Divide both sums by N.",
            average=lambda total, n: total / (n - 1),
        ),
        slip(
            "divides-by-features",
            "You divided by the number of features in dx; the number of samples is meant.",
            "N is dy.shape[0].",
            average=lambda total, n: total / len(total),
        ),
        slip(
            "gamma-missing",
            "gamma is missing in your dx.",
            "y = gamma · normalised + beta, so the gradient of the normalised value is dy · gamma.",
            dnormal=lambda dy, c: dy,
        ),
        slip(
            "inverse-std-missing",
            "The division by the standard deviation is missing in your dx.",
            "Normalising divides by sqrt(var + eps); so does its gradient.",
            bottom=lambda c: 1,
        ),
        slip(
            "multiplies-by-std",
            "You multiplied dx by the standard deviation; you have to divide by it.",
            "Normalising divides by sqrt(var + eps); so does its gradient.",
            bottom=lambda c: 1 / c.std,
        ),
        slip(
            "divides-by-variance",
            "You divided dx by the variance; the standard deviation is meant.",
            "Normalising divides by sqrt(var + eps); so does its gradient.",
            bottom=lambda c: c.std**2,
        ),
        slip(
            "eps-missing",
            "Your dx divides by the root of the variance without eps.",
            "Keep sqrt(var + eps) of the forward in the cache and use it again.",
            bottom=lambda c: torch.sqrt(c.var),
        ),
        family(
            "fixed-eps",
            "Your backward uses the number {constant} and not the eps of its forward.",
            "Keep sqrt(var + eps) of the forward in the cache and use it again.",
            (1e-5, 1e-8, 1e-6),
            lambda e: {"bottom": lambda c: torch.sqrt(c.var + e)},
        ),
        slip(
            "normal-from-y",
            "You get the normalised x back as (y − beta)/gamma, which is 0/0 where gamma is 0.",
            "Keep the normalised x of the forward in the cache.",
            normal=lambda c: (c.y - c.beta) / c.gamma,
        ),
        slip(
            "dgamma-with-x",
            "Your dgamma multiplies dy by x; the normalised x is what gamma multiplies.",
            "Multiply dy by (x − mean) / sqrt(var + eps), and sum over the samples.",
            dgamma=lambda dy, n, c: (dy * c.x).sum(0),
        ),
        slip(
            "dgamma-with-y",
            "Your dgamma multiplies dy by y; the normalised x is what gamma multiplies.",
            "Keep the normalised values in the cache.",
            dgamma=lambda dy, n, c: (dy * c.y).sum(0),
        ),
        slip(
            "dgamma-with-centred",
            "Your dgamma multiplies dy by x − mean, without the division by the standard deviation.",
            "gamma multiplies the normalised x: (x − mean) / sqrt(var + eps).",
            dgamma=lambda dy, n, c: (dy * c.centred).sum(0),
        ),
        slip(
            "dgamma-times-gamma",
            "Your dgamma contains gamma itself.",
            "The derivative of gamma · n with respect to gamma is n.",
            dgamma=lambda dy, n, c: (dy * n * c.gamma).sum(0),
        ),
        slip(
            "means-for-parameters",
            "Your dgamma and dbeta are means over the batch; sums are meant.",
            "gamma acts on every sample, so the samples' gradients add up.",
            dgamma=lambda dy, n, c: (dy * n).mean(0),
            dbeta=lambda dy, c: dy.mean(0),
        ),
        slip(
            "dgamma-mean",
            "Your dgamma is a mean over the batch; a sum is meant.",
            "gamma acts on every sample, so the samples' gradients add up.",
            dgamma=lambda dy, n, c: (dy * n).mean(0),
        ),
        slip(
            "dbeta-mean",
            "Your dbeta is a mean over the batch; a sum is meant.",
            "beta is added to every sample, so the samples' gradients add up.",
            dbeta=lambda dy, c: dy.mean(0),
        ),
        slip(
            "dbeta-times-gamma",
            "Your dbeta contains gamma.",
            "The derivative of gamma · n + beta with respect to beta is 1.",
            dbeta=lambda dy, c: (dy * c.gamma).sum(0),
        ),
        slip(
            "not-summed",
            "Your dgamma and dbeta still have a row for each sample.",
            "A gradient has the shape of its parameter, (D,): sum over dim=0.",
            dgamma=lambda dy, n, c: dy * n,
            dbeta=lambda dy, c: dy.clone(),
        ),
        slip(
            "dbeta-over-features",
            "Your dbeta sums over the features.",
            "Sum over the samples, dim=0.",
            dbeta=lambda dy, c: dy.sum(1),
        ),
        slip(
            "sums-over-features",
            "Your dgamma and dbeta sum over the features.",
            "Sum over the samples, dim=0.",
            dgamma=lambda dy, n, c: (dy * n).sum(1),
            dbeta=lambda dy, c: dy.sum(1),
        ),
        slip(
            "sums-over-all",
            "Your dgamma and dbeta are one number each: you sum over all entries.",
            "Sum over the samples alone, dim=0: every feature has its own gamma and beta.",
            dgamma=lambda dy, n, c: (dy * n).sum(),
            dbeta=lambda dy, c: dy.sum(),
        ),
        slip(
            "kept-dimension",
            "Your dgamma and dbeta have the shape (1, D).",
            "A gradient has the shape of its parameter, (D,): leave keepdim out.",
            dgamma=lambda dy, n, c: (dy * n).sum(0, keepdim=True),
            dbeta=lambda dy, c: dy.sum(0, keepdim=True),
        ),
        slip(
            "dgamma-dbeta-swapped",
            "You returned dbeta before dgamma.",
            "The order is dx, dgamma, dbeta.",
            result=lambda dx, dgamma, dbeta: (dx, dbeta, dgamma),
        ),
        slip(
            "dx-last",
            "Your gradients come in another order, dx last.",
            "The order is dx, dgamma, dbeta.",
            result=lambda dx, dgamma, dbeta: (dgamma, dbeta, dx),
        ),
        slip(
            "only-dx",
            "Your backward returns dx alone.",
            "Return three gradients: dx, dgamma, dbeta.",
            result=lambda dx, dgamma, dbeta: dx,
        ),
        slip(
            "ignores-dy",
            "Your backward does not use dy.",
            "By the chain rule every gradient contains dy.",
            received=lambda dy: torch.ones_like(dy),
        ),
        slip(
            "in-place",
            "Your backward changes dy itself, for example with dy *= gamma.",
            "Make a new tensor: dn = dy * gamma.",
            _changing_dy(lambda dy, c: dy * c.gamma),
            _changing_dy(lambda dy, c: dy * c.gamma / c.std),
            _changing_dy(lambda dy, c: dy / c.std),
        ),
        slip(
            "changes-cache",
            "Your backward changes what is in the cache.",
            "Compute with new tensors and leave the cache as it was.",
            _changing_cache("normal"),
            _changing_cache("std"),
        ),
        slip(
            "gamma-of-the-last-forward",
            "Your backward uses the gamma of the last forward, whatever the cache.",
            "Put gamma into the cache.",
            **_of_the_last("gamma"),
        ),
        slip(
            "one-cache-for-all",
            "Your backward uses what the last forward left in a global variable, not its cache.",
            "Read everything from the argument cache.",
            **_of_the_last(),
        ),
        slip(
            "always-float32",
            "Your gradients are float32 whatever x is.",
            "Keep the dtype of x: use zeros_like and ones_like, and leave float() out.",
            _dtype(torch.float32),
        ),
        slip(
            "always-float64",
            "Your gradients are float64 whatever x is.",
            "Bring them back to the dtype of x.",
            _dtype(torch.float64),
        ),
    ),
)
