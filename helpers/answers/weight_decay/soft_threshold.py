"""The proximal step of the L1 norm: the recipe, its slips, and other right answers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def soft_threshold(w: Tensor, threshold: float) -> Tensor:
    """PyTorch's own."""
    return F.softshrink(w, float(threshold))


def positive_part(a: Tensor, t: float) -> Tensor:
    return (a - t).clamp(min=0)


def soft(
    see: Any = lambda w: w,
    threshold: Any = lambda t: t,
    size: Any = lambda w: w.abs(),
    left: Any = positive_part,
    sign: Any = lambda w, t: w.sign(),
    join: Any = lambda w, s, r, t: s * r,
    result: Any = lambda u: u,
) -> Any:
    """sign(w)·max(|w| − t, 0): the sign, times what is left of the size."""

    def step(w: Tensor, t: float) -> Any:
        t = threshold(t)
        w = see(w)
        return result(join(w, sign(w, t), left(size(w), t), t))

    return step


by_sign = soft()


def two_sided(w: Tensor, threshold: float) -> Tensor:
    return torch.relu(w - threshold) - torch.relu(-w - threshold)


def minus_clipped(w: Tensor, threshold: float) -> Tensor:
    return w - w.clamp(-threshold, threshold)


def by_cases(w: Tensor, threshold: float) -> Tensor:
    return torch.where(w > threshold, w - threshold, torch.where(w < -threshold, w + threshold, 0))


def on_a_copy(w: Tensor, threshold: float) -> Tensor:
    out = w.clone()
    out[w.abs() <= threshold] = 0
    return out - threshold * out.sign()


def by_masks(w: Tensor, threshold: float) -> Tensor:
    """Each part by itself, which cannot run on the device meta."""
    result = torch.zeros_like(w)
    up, down = w > threshold, w < -threshold
    result[up] = w[up] - threshold
    result[down] = w[down] + threshold
    return result


def _writing_into(step: Any) -> Any:
    def in_place(w: Tensor, threshold: float) -> Any:
        result = step(w, threshold)
        if not w.requires_grad and isinstance(result, Tensor) and result.shape == w.shape:
            w.copy_(result)
        return result

    return in_place


def _clearing_small(step: Any) -> Any:
    def in_place(w: Tensor, threshold: float) -> Any:
        result = step(w, threshold)
        if not w.requires_grad:
            w[w.abs() <= threshold] = 0
        return result

    return in_place


def _whole_vector(w: Tensor, s: Tensor, r: Tensor, t: float) -> Tensor:
    return w * (1 - t / torch.linalg.vector_norm(w)).clamp(min=0)


ANSWERS = Answers(
    recipe=Recipe(soft),
    reference=soft_threshold,
    variants={
        "by masks": by_masks,
        "by sign": by_sign,
        "two ReLUs": two_sided,
        "minus the clipped part": minus_clipped,
        "by cases": by_cases,
        "on its own copy": on_a_copy,
        "as a textbook prints it: the positive part by a maximum": lambda w, t: (
            torch.sign(w) * torch.maximum(torch.abs(w) - t, torch.zeros_like(w))
        ),
        "as a solver prints it: two positive parts": lambda w, t: (
            (w - t).clamp(min=0) - (-w - t).clamp(min=0)
        ),
        "a small number in the division": lambda w, t: (
            w / (w.abs() + 1e-12) * (w.abs() - t).clamp(min=0)
        ),
    },
    slips=(
        slip(
            "zero-by-zero",
            "You divide by a number that is 0 where both w and the threshold are 0.",
            "w.sign() is 0 there, without any division.",
            sign=lambda w, t: w / (w.abs() + 1e-12 * t),
        ),
        slip(
            "divides-by-size",
            "You divide by |w|, which is 0 where w is 0: the value or the gradient becomes NaN.",
            "Do without a division: sign(w) times what is left of |w| after the threshold.",
            {"join": lambda w, s, r, t: w * (1 - t / w.abs()).clamp(min=0)},
            {"sign": lambda w, t: w / w.abs()},
        ),
        slip(
            "hard-threshold",
            "You set small weights to 0 and keep the others as they are: the hard threshold.",
            "Weights that survive also move towards 0, by the threshold.",
            {"left": lambda a, t: torch.where(a > t, a, 0.0)},
            {"left": lambda a, t: torch.where(a >= t, a, 0.0)},
        ),
        slip(
            "only-positive",
            "Your code is made for positive weights; negative ones have no case of their own.",
            "Do the same on the other side: a large negative weight moves up.",
            size=lambda w: w,
            sign=lambda w, t: torch.ones_like(w),
        ),
        slip(
            "loses-sign",
            "Your result is never negative: you did not give back the sign.",
            "Multiply by w.sign() at the end.",
            {"sign": lambda w, t: torch.ones_like(w)},
        ),
        slip(
            "times-w",
            "You multiply by w itself, where its sign is meant.",
            "w.sign() is −1, 0 or 1.",
            sign=lambda w, t: w,
        ),
        slip(
            "crosses-zero",
            "Small weights jump over 0 to the other side in your code.",
            "What would cross 0 must stay there: max(|w| − threshold, 0).",
            {"left": lambda a, t: a - t},
        ),
        slip(
            "clamped-on-the-wrong-side",
            "You keep what is below 0 of |w| − threshold, and what is above 0 is meant.",
            "max(|w| − threshold, 0) is clamp(min=0).",
            {"left": lambda a, t: (a - t).clamp(max=0)},
        ),
        slip(
            "reversed-difference",
            "You subtract |w| from the threshold, where the threshold is taken from |w|.",
            "What is left of |w| is |w| − threshold.",
            {"left": lambda a, t: (t - a).clamp(min=0)},
        ),
        slip(
            "clips",
            "You cut the weights off at the threshold, which is what should be taken away.",
            "Subtract the clipped part from w.",
            {"left": lambda a, t: a.clamp(max=t)},
        ),
        slip(
            "proportional",
            "You shrink every weight by the same factor, which is the step of the L2 penalty.",
            "L1 subtracts the same amount from each weight, whatever its size.",
            {"left": lambda a, t: a / (1 + t)},
            {"left": lambda a, t: a * (1 - t)},
            {"join": lambda w, s, r, t: w / (1 + t)},
            {"join": lambda w, s, r, t: w * (1 - t)},
        ),
        slip(
            "subtracts-everywhere",
            "You subtract the threshold from negative weights too, which makes them larger in size.",
            "A negative weight moves up: use the sign of w.",
            left=positive_part,
            join=lambda w, s, r, t: torch.where(r > 0, w - t, 0.0),
        ),
        slip(
            "one-sided-zero",
            "You leave weights below minus the threshold as they are.",
            "A weight below −threshold moves up by the threshold.",
            left=positive_part,
            join=lambda w, s, r, t: torch.where(w < -t, w, s * r),
        ),
        slip(
            "adds",
            "Weights that survive move away from 0 in your code.",
            "Shrink: |w| becomes |w| − threshold.",
            {"left": lambda a, t: torch.where(a > t, a + t, 0.0)},
        ),
        slip(
            "adds-everywhere",
            "You add the threshold to the size of every weight.",
            "Shrink: |w| becomes |w| − threshold, and never less than 0.",
            {"left": lambda a, t: (a + t).clamp(min=0)},
        ),
        slip(
            "keeps-small",
            "You leave small weights as they are, and they have to become 0.",
            "Where |w| is at most the threshold, the result is 0.",
            {"left": lambda a, t: torch.where(a > t, a - t, a)},
        ),
        slip(
            "half-threshold",
            "You use half of the threshold.",
            "What minimises ½(u − w)² + θ·|u| lies θ nearer to 0 than w.",
            threshold=lambda t: t / 2,
        ),
        slip(
            "double-threshold",
            "You use twice the threshold.",
            "What minimises ½(u − w)² + θ·|u| lies θ nearer to 0 than w.",
            threshold=lambda t: 2 * t,
        ),
        slip(
            "squared-threshold",
            "You square the threshold.",
            "The threshold has the unit of a weight: compare it with |w| itself.",
            threshold=lambda t: t**2,
        ),
        family(
            "fixed-threshold",
            "Your code uses the number {constant} and not the argument threshold.",
            "Compare |w| with the threshold that is given.",
            (1.0, 0.5, 0.1),
            lambda c: {"threshold": lambda t: c},
        ),
        slip(
            "whole-vector",
            "You shrink the whole tensor by its norm, so no single weight becomes 0.",
            "Treat each entry by itself.",
            {"join": _whole_vector},
        ),
        slip(
            "changes-w",
            "Your code changes w itself.",
            "Functions whose name ends in _ and assignments to w[...] work in place; make a new "
            "tensor instead.",
            {"around": _writing_into},
            {"around": _clearing_small},
        ),
        slip(
            "cut-off",
            "Your result is cut off from w, by detach() or .data or no_grad().",
            "Compute with w itself.",
            {"see": lambda w: w.detach()},
        ),
        slip(
            "float64",
            "Your result is float64 whatever the dtype of w is.",
            "Keep to operations on w, which keep its dtype.",
            result=lambda u: u.double(),
        ),
        slip(
            "float32",
            "Your result is float32 whatever the dtype of w is.",
            "Keep to operations on w, which keep its dtype.",
            {"result": lambda u: u.float()},
        ),
    ),
)
