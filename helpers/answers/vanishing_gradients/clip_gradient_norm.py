"""Clipping gradients by their joint norm: right and wrong answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.check import Answers, Misconception

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


def with_pytorch(parameters: Parameters, max_norm: float) -> float:
    return nn.utils.clip_grad_norm_(parameters, max_norm).item()


def _with_norm(norm_of: Callable[[list[torch.Tensor]], float]) -> Callable[..., float]:
    """The right procedure with another norm."""

    def clip(parameters: Parameters, max_norm: float) -> float:
        gradients = gradients_of(parameters)
        norm = norm_of(gradients)
        if norm > max_norm:
            for g in gradients:
                g.mul_(max_norm / norm)
        return norm

    return clip


def _scaled_by(factor_of: Callable[[float, float], float]) -> Callable[..., float]:
    """The right norm with another factor."""

    def clip(parameters: Parameters, max_norm: float) -> float:
        gradients = gradients_of(parameters)
        norm = joint_norm(gradients)
        factor = factor_of(norm, max_norm)
        for g in gradients:
            g.mul_(factor)
        return norm

    return clip


def _each_alone(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    total = joint_norm(gradients)
    for g in gradients:
        norm = g.norm().item()
        if norm > max_norm:
            g.mul_(max_norm / norm)
    return total


def _by_value(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    total = joint_norm(gradients)
    for g in gradients:
        g.clamp_(-max_norm, max_norm)
    return total


def _new_tensors(parameters: Parameters, max_norm: float) -> float:
    kept: list[Any] = [p for p in parameters if p.grad is not None]
    norm = joint_norm(gradients_of(kept))
    if norm > max_norm:
        for p in kept:
            p.grad = p.grad * (max_norm / norm)
    return norm


def _loses_result(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    norm = joint_norm(gradients)
    if norm > max_norm:
        for g in gradients:
            g = g * (max_norm / norm)
    return norm


def _norm_after(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    clip_gradient_norm(kept, max_norm)
    return joint_norm(gradients_of(kept))


def _reads_twice(parameters: Parameters, max_norm: float) -> float:
    norm = joint_norm(gradients_of(parameters))
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.mul_(max_norm / norm)
    return norm


def _needs_list(parameters: Any, max_norm: float) -> float:
    if len(parameters) == 0:
        return 0.0
    return clip_gradient_norm(parameters, max_norm)


def _trips_over_none(parameters: Parameters, max_norm: float) -> float:
    kept: list[Any] = list(parameters)
    norm = math.sqrt(sum(p.grad.square().sum().item() for p in kept))
    if norm > max_norm:
        for p in kept:
            p.grad.mul_(max_norm / norm)
    return norm


def _python_division(norm: float, max_norm: float) -> float:
    return min(1.0, max_norm / norm)


def _tensor_division(norm: float, max_norm: float) -> float:
    return (max_norm / torch.tensor(norm, dtype=torch.float64)).item()


def _squared_comparison(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    squared = joint_norm(gradients) ** 2
    if squared > max_norm:
        for g in gradients:
            g.mul_(max_norm / math.sqrt(squared))
    return math.sqrt(squared)


def _without_root(gradients: list[torch.Tensor]) -> float:
    return joint_norm(gradients) ** 2


def _weights(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    norm = joint_norm(gradients_of(kept))
    if norm > max_norm:
        for p in kept:
            p.data.mul_(max_norm / norm)
    return norm


def _norm_of_weights(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    norm = joint_norm(p.detach() for p in kept)
    if norm > max_norm:
        for g in gradients_of(kept):
            g.mul_(max_norm / norm)
    return norm


def _matrices_only(parameters: Parameters, max_norm: float) -> float:
    return clip_gradient_norm([p for p in parameters if p.dim() > 1], max_norm)


def _one_axis_at_least(parameters: Parameters, max_norm: float) -> float:
    return clip_gradient_norm([p for p in parameters if p.dim() > 0], max_norm)


def _no_empty_list(parameters: Parameters, max_norm: float) -> float:
    gradients = gradients_of(parameters)
    norm = torch.cat([g.reshape(-1).double() for g in gradients]).norm().item()
    if norm > max_norm:
        for g in gradients:
            g.mul_(max_norm / norm)
    return norm


def _returns_factor(parameters: Parameters, max_norm: float) -> float:
    norm = clip_gradient_norm(parameters, max_norm)
    return min(1.0, max_norm / norm) if norm > 0 else 1.0


def _root_mean_square(gradients: list[torch.Tensor]) -> float:
    count = sum(g.numel() for g in gradients)
    return joint_norm(gradients) / math.sqrt(count) if count else 0.0


def _each_alone_returns_sum(parameters: Parameters, max_norm: float) -> float:
    return sum(_each_alone([p], max_norm) for p in parameters)


def _returns_tensor(parameters: Parameters, max_norm: float) -> Any:
    return torch.tensor(clip_gradient_norm(parameters, max_norm))


def _returns_nothing(parameters: Parameters, max_norm: float) -> None:
    clip_gradient_norm(parameters, max_norm)


def _clears_none(parameters: Parameters, max_norm: float) -> float:
    kept = list(parameters)
    for p in kept:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    return clip_gradient_norm(kept, max_norm)


ANSWERS = Answers(
    reference=clip_gradient_norm,
    variants={
        "one long vector, and 1e-6 as in PyTorch": with_one_vector,
        "the norm of the norms, with NumPy": with_norm_of_norms,
        "PyTorch's own": with_pytorch,
    },
    misconceptions=(
        Misconception(
            "each-parameter-alone",
            _each_alone,
            "You clipped each gradient by its own norm, which changes the direction of the step.",
            "One norm over all gradients, and one factor for all of them.",
        ),
        Misconception(
            "each-alone-norms-added",
            _each_alone_returns_sum,
            "You clipped each gradient by its own norm, and added the norms up.",
            "The joint norm is the root of the sum of all squares.",
        ),
        Misconception(
            "scales-up",
            _scaled_by(lambda norm, limit: limit / norm if norm > 0 else 1.0),
            "You scale small gradients up to the limit.",
            "Scale only when the norm is above max_norm.",
        ),
        Misconception(
            "scales-up-and-divides-by-zero",
            _scaled_by(_tensor_division),
            "You scale whatever the norm is: small gradients grow, and zeros become NaN.",
            "Scale only when the norm is above max_norm.",
        ),
        Misconception(
            "divides-by-zero",
            _scaled_by(_python_division),
            "You divide by the norm before you know that it is not 0.",
            "Compare first: a norm of 0 is never above max_norm.",
        ),
        Misconception(
            "by-value",
            _by_value,
            "You cut each entry to [−max_norm, max_norm]; that is clipping by value.",
            "Multiply all gradients by max_norm / norm.",
        ),
        Misconception(
            "new-tensors",
            _new_tensors,
            "You put new tensors in place of the gradients; the old ones stay as they were.",
            "Change the tensor itself: p.grad.mul_(factor), or p.grad *= factor.",
        ),
        Misconception(
            "result-lost",
            _loses_result,
            "You computed the scaled gradient and did not store it.",
            "Change the tensor itself: g.mul_(factor).",
        ),
        Misconception(
            "norm-after",
            _norm_after,
            "You returned the norm after clipping.",
            "Compute the norm once, before the gradients change, and return that.",
        ),
        Misconception(
            "read-once",
            _reads_twice,
            "You walk through the parameters twice; a generator gives them only once.",
            "Begin with parameters = list(parameters).",
        ),
        Misconception(
            "needs-a-list",
            _needs_list,
            "Your code needs a list, and a generator has no length.",
            "Begin with parameters = list(parameters).",
        ),
        Misconception(
            "trips-over-none",
            _trips_over_none,
            "Your code assumes that every parameter has a gradient.",
            "Skip a parameter whose grad is None.",
        ),
        Misconception(
            "none-becomes-zero",
            _clears_none,
            "You gave zeros to parameters that had no gradient.",
            "Skip them: an optimiser treats a gradient of zero differently from none.",
        ),
        Misconception(
            "sum-of-norms",
            _with_norm(lambda gradients: sum(g.norm().item() for g in gradients)),
            "You added the norms; the joint norm is the root of the sum of all squares.",
            "Add squares, and take one root at the end.",
        ),
        Misconception(
            "largest-norm",
            _with_norm(lambda gradients: max((g.norm().item() for g in gradients), default=0.0)),
            "You took the largest of the norms.",
            "The joint norm is the root of the sum of all squares.",
        ),
        Misconception(
            "no-root",
            _with_norm(_without_root),
            "The square root is missing.",
            "The norm is the root of the sum of all squares.",
        ),
        Misconception(
            "sum-of-absolute-values",
            _with_norm(lambda gradients: sum(g.abs().sum().item() for g in gradients)),
            "You took the 1-norm.",
            "The 2-norm is the root of the sum of all squares.",
        ),
        Misconception(
            "largest-entry",
            _with_norm(
                lambda gradients: max(
                    (g.abs().max().item() for g in gradients if g.numel()), default=0.0
                )
            ),
            "You took the largest entry.",
            "The 2-norm is the root of the sum of all squares.",
        ),
        Misconception(
            "root-mean-square",
            _with_norm(_root_mean_square),
            "You took the root of the mean square.",
            "The norm is the root of the sum of all squares, not of their mean.",
        ),
        Misconception(
            "squared-compared",
            _squared_comparison,
            "You compare the squared norm with max_norm.",
            "Take the root before you compare.",
        ),
        Misconception(
            "no-max-norm-in-factor",
            _scaled_by(lambda norm, limit: 1 / norm if norm > limit else 1.0),
            "You scaled to norm 1, not to max_norm.",
            "The factor is max_norm / norm.",
        ),
        Misconception(
            "factor-upside-down",
            _scaled_by(lambda norm, limit: norm / max(limit, 1e-9) if norm > limit else 1.0),
            "Your factor is upside down, so large gradients grow.",
            "The factor is max_norm / norm.",
        ),
        Misconception(
            "scales-weights",
            _weights,
            "You scaled the parameters; the gradients are to be scaled.",
            "The gradient of a parameter p is p.grad.",
        ),
        Misconception(
            "norm-of-weights",
            _norm_of_weights,
            "You took the norm of the parameters, not of their gradients.",
            "The gradient of a parameter p is p.grad.",
        ),
        Misconception(
            "matrices-only",
            _matrices_only,
            "You left out parameters with fewer than two axes.",
            "Here every gradient counts, those of biases too.",
        ),
        Misconception(
            "no-scalars",
            _one_axis_at_least,
            "You left out gradients without an axis.",
            "A parameter with a single number has a gradient too.",
        ),
        Misconception(
            "no-empty-list",
            _no_empty_list,
            "Your code fails when there is no gradient at all.",
            "Return 0.0 when the list of gradients is empty.",
        ),
        Misconception(
            "returns-factor",
            _returns_factor,
            "You returned the factor; the norm before is asked for.",
            "Return the norm that you computed first.",
        ),
        Misconception(
            "returns-tensor",
            _returns_tensor,
            "Your norm is a tensor where a float is meant.",
            "item() makes a float of a tensor with one entry.",
        ),
        Misconception(
            "returns-nothing",
            _returns_nothing,
            "Your function returns nothing.",
            "Return the norm before clipping.",
        ),
    ),
)
