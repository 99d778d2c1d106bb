"""Ways to clip gradients, right and wrong, as students write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

Parameters = Iterable[nn.Parameter]


def gradients_of(parameters: Parameters) -> list[torch.Tensor]:
    return [p.grad for p in parameters if p.grad is not None]


def joint_norm(gradients: Iterable[torch.Tensor]) -> float:
    return math.sqrt(sum(g.double().square().sum().item() for g in gradients))


def clip_gradient_norm(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    norm = joint_norm(gradients)
    if norm > max_norm:
        for g in gradients:
            g.mul_(max_norm / norm)
    return norm


def with_one_vector(parameters: Parameters, max_norm: float) -> float:
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    with torch.no_grad():
        norm = torch.cat([g.reshape(-1) for g in gradients]).norm()
        factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
        for g in gradients:
            g *= factor
    return norm.item()


def with_norm_of_norms(parameters: Parameters, max_norm: float) -> Any:
    """NumPy's float64 counts as a float; so does an int for no parameters."""
    kept: list[Any] = [p for p in parameters if p.grad is not None]
    if len(kept) == 0:
        return 0
    norm = np.linalg.norm([p.grad.norm().item() for p in kept])
    factor = min(1.0, max_norm / norm) if norm > 0 else 1.0
    for p in kept:
        p.grad.data = p.grad.data * factor
    return norm


def with_foreach(parameters: Parameters, max_norm: float) -> float:
    """All gradients at once, as fast optimisers do it."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    norm = torch.stack(torch._foreach_norm([g.double() for g in gradients])).norm().item()
    if norm > max_norm:
        torch._foreach_mul_(gradients, max_norm / norm)
    return norm


def with_norm(norm_of: Callable[[list[torch.Tensor]], float]) -> Callable[..., float]:
    """The right procedure with another norm."""

    def clip(parameters: Parameters, max_norm: float) -> float:
        gradients = gradients_of(parameters)
        norm = norm_of(gradients)
        if norm > max_norm:
            for g in gradients:
                g.mul_(max_norm / norm)
        return norm

    return clip


def scaled_by(factor_of: Callable[[float, float], float]) -> Callable[..., float]:
    """The right norm with another factor."""

    def clip(parameters: Parameters, max_norm: float) -> float:
        gradients = gradients_of(parameters)
        norm = joint_norm(gradients)
        factor = factor_of(norm, max_norm)
        for g in gradients:
            g.mul_(factor)
        return norm

    return clip


def each_alone(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    total = joint_norm(gradients)
    for g in gradients:
        norm = g.norm().item()
        if norm > max_norm:
            g.mul_(max_norm / norm)
    return total


def by_value(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    total = joint_norm(gradients)
    for g in gradients:
        g.clamp_(-max_norm, max_norm)
    return total


def new_tensors(parameters: Parameters, max_norm: float) -> float:
    kept: list[Any] = [p for p in parameters if p.grad is not None]
    norm = joint_norm(gradients_of(kept))
    if norm > max_norm:
        for p in kept:
            p.grad = p.grad * (max_norm / norm)
    return norm


def loses_result(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    norm = joint_norm(gradients)
    if norm > max_norm:
        for g in gradients:
            g = g * (max_norm / norm)
    return norm


def norm_after(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    clip_gradient_norm(kept, max_norm)
    return joint_norm(gradients_of(kept))


def reads_twice(parameters: Parameters, max_norm: float) -> float:
    norm = joint_norm(gradients_of(parameters))
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


def needs_list(parameters: Any, max_norm: float) -> float:
    if len(parameters) == 0:
        return 0.0
    return clip_gradient_norm(parameters, max_norm)


def trips_over_none(parameters: Parameters, max_norm: float) -> float:
    kept: list[Any] = list(parameters)
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in kept))
    if norm > max_norm:
        for p in kept:
            p.grad.mul_(max_norm / norm)
    return norm


def python_division(norm: float, max_norm: float) -> float:
    return min(1.0, max_norm / norm)


def tensor_division(norm: float, max_norm: float) -> float:
    return (max_norm / torch.tensor(norm, dtype=torch.float64)).item()


def squared_comparison(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    squared = joint_norm(gradients) ** 2
    if squared > max_norm:
        for g in gradients:
            g.mul_(max_norm / math.sqrt(squared))
    return math.sqrt(squared)


def without_root(gradients: list[torch.Tensor]) -> float:
    return joint_norm(gradients) ** 2


def weights(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    norm = joint_norm(gradients_of(kept))
    if norm > max_norm:
        for p in kept:
            p.data.mul_(max_norm / norm)
    return norm


def norm_of_weights(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    norm = joint_norm(p.detach() for p in kept)
    if norm > max_norm:
        for g in gradients_of(kept):
            g.mul_(max_norm / norm)
    return norm


def matrices_only(parameters: Parameters, max_norm: float) -> float:
    return clip_gradient_norm([p for p in parameters if p.dim() > 1], max_norm)


def one_axis_at_least(parameters: Parameters, max_norm: float) -> float:
    return clip_gradient_norm([p for p in parameters if p.dim() > 0], max_norm)


def no_empty_list(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    norm = torch.cat([g.reshape(-1).double() for g in gradients]).norm().item()
    if norm > max_norm:
        for g in gradients:
            g.mul_(max_norm / norm)
    return norm


def returns_factor(parameters: Parameters, max_norm: float) -> float:
    norm = clip_gradient_norm(parameters, max_norm)
    return min(1.0, max_norm / norm) if norm > 0 else 1.0


def root_mean_square(gradients: list[torch.Tensor]) -> float:
    count = sum(g.numel() for g in gradients)
    return joint_norm(gradients) / math.sqrt(count) if count else 0.0


def each_alone_returns_sum(parameters: Parameters, max_norm: float) -> float:
    return sum(each_alone([p], max_norm) for p in parameters)


def returns_tensor(parameters: Parameters, max_norm: float) -> Any:
    return torch.tensor(clip_gradient_norm(parameters, max_norm))


def returns_nothing(parameters: Parameters, max_norm: float) -> None:
    clip_gradient_norm(parameters, max_norm)


def clears_none(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    for p in kept:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    return clip_gradient_norm(kept, max_norm)
