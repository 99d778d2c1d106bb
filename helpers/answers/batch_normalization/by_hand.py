"""Batch normalisation of a matrix: by PyTorch, which is the reference, and by hand."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

Tensor = torch.Tensor


def _torch_norm(x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    if len(x) == 1:  # PyTorch refuses; the limit of the formula is meant
        return 0 * x + beta
    return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)


def batchnorm_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    y = _torch_norm(x.double(), gamma.double(), beta.double(), eps).to(x.dtype)
    return y, (x, gamma, beta, eps)


def batchnorm_backward(dy: Tensor, cache: Any) -> Any:
    """Autograd through PyTorch's own function, in float64."""
    x, gamma, beta, eps = cache
    with torch.inference_mode(False), torch.enable_grad():
        leaves = [t.detach().double().clone().requires_grad_() for t in (x, gamma, beta)]
        y = _torch_norm(leaves[0], leaves[1], leaves[2], eps)
        upstream = dy.detach().double().clone()
        gradients = torch.autograd.grad(y, leaves, upstream, materialize_grads=True)
    return tuple(g.to(x.dtype) for g in gradients)


def hand_forward(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    mean = x.mean(dim=0)  # (D,)
    centered = x - mean  # (N, D)
    inverse = ((centered**2).mean(dim=0) + eps) ** -0.5  # (D,)
    normal = centered * inverse  # (N, D)
    return gamma * normal + beta, (normal, inverse, gamma)


def hand_backward(dy: Tensor, cache: Any) -> Any:
    normal, inverse, gamma = cache
    dbeta = dy.sum(dim=0)
    dgamma = (dy * normal).sum(dim=0)
    dx = gamma * inverse * (dy - dbeta / len(dy) - normal * dgamma / len(dy))
    return dx, dgamma, dbeta


def in_float64(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    y, cache = hand_forward(x.double(), gamma.double(), beta.double(), eps)
    return y.to(x.dtype), [*cache, x.dtype]


def of_columns(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    """One feature after the other."""
    made = [
        hand_forward(x[:, [j]], gamma[j : j + 1], beta[j : j + 1], eps) for j in range(x.shape[1])
    ]
    return torch.cat([y for y, _ in made], dim=1), [cache for _, cache in made]


def step_by_step(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    """As a well-known course prints it: nine small steps, all kept in the cache."""
    n, _ = x.shape
    mu = 1.0 / n * torch.sum(x, dim=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / n * torch.sum(sq, dim=0)
    sqrtvar = torch.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    return gammax + beta, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def with_dict(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Any:
    var, mean = torch.var_mean(x, dim=0, correction=0)
    cache = {"x": x, "mean": mean, "var": var, "eps": eps, "gamma": gamma}
    return (x - mean) / torch.sqrt(var + eps) * gamma + beta, cache
