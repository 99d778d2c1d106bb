"""The proximal step of the L1 norm: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def soft_threshold(w: Tensor, threshold: float) -> Tensor:
    return F.softshrink(w, float(threshold))


def by_sign(w: Tensor, threshold: float) -> Tensor:
    return w.sign() * (w.abs() - threshold).clamp(min=0)


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


def _in_place(w: Tensor, threshold: float) -> Tensor:
    result = by_sign(w, threshold)
    w.data.copy_(result) if w._base is None and w.is_contiguous() else None
    return result


def _group(w: Tensor, threshold: float) -> Tensor:
    norm = torch.linalg.vector_norm(w).clamp(min=1e-12)
    return w * (1 - threshold / norm).clamp(min=0)


def by_masks(w: torch.Tensor, threshold: float) -> torch.Tensor:
    """Each part by itself, which cannot run on the device meta."""
    result = torch.zeros_like(w)
    up, down = w > threshold, w < -threshold
    result[up] = w[up] - threshold
    result[down] = w[down] + threshold
    return result


ANSWERS = Answers(
    reference=soft_threshold,
    variants={
        "by masks": by_masks,
        "by sign": by_sign,
        "two ReLUs": two_sided,
        "minus the clipped part": minus_clipped,
        "by cases": by_cases,
        "on its own copy": on_a_copy,
    },
    misconceptions=(
        Misconception(
            "divides-by-size",
            lambda w, threshold: w * (1 - threshold / w.abs()).clamp(min=0),
            "You divide by |w|: where w is 0 the gradient becomes NaN, and the value too for a "
            "threshold of 0.",
            "Do without a division: sign(w) times what is left of |w| after the threshold.",
        ),
        Misconception(
            "hard-threshold",
            lambda w, t: torch.where(w.abs() > t, w, 0.0),
            "You set small weights to 0 and keep the others as they are: the hard threshold.",
            "Weights that survive also move towards 0, by the threshold.",
        ),
        Misconception(
            "only-positive",
            lambda w, t: torch.relu(w - t),
            "You treat positive weights only; negative ones all become 0.",
            "Do the same on the other side: a large negative weight moves up.",
        ),
        Misconception(
            "loses-sign",
            lambda w, t: (w.abs() - t).clamp(min=0),
            "Your result is never negative: you did not give back the sign.",
            "Multiply by w.sign() at the end.",
        ),
        Misconception(
            "crosses-zero",
            lambda w, t: w - t * w.sign(),
            "Small weights jump over 0 to the other side in your code.",
            "What would cross 0 must stay there: max(|w| − threshold, 0).",
        ),
        Misconception(
            "clips",
            lambda w, t: w.clamp(-t, t),
            "You cut the weights off at the threshold, which is what should be taken away.",
            "Subtract the clipped part from w.",
        ),
        Misconception(
            "proportional",
            lambda w, t: w / (1 + t),
            "You shrink every weight by the same factor, which is the step of the L2 penalty.",
            "L1 subtracts the same amount from each weight, whatever its size.",
        ),
        Misconception(
            "subtracts-everywhere",
            lambda w, t: torch.where(w.abs() > t, w - t, 0.0),
            "You subtract the threshold from negative weights too, which makes them larger.",
            "A negative weight moves up: use the sign of w.",
        ),
        Misconception(
            "adds",
            lambda w, t: torch.where(w.abs() > t, w + t * w.sign(), 0.0),
            "Weights that survive move away from 0 in your code.",
            "Shrink: |w| becomes |w| − threshold.",
        ),
        Misconception(
            "half-threshold",
            lambda w, t: by_sign(w, t / 2),
            "You use half of the threshold.",
            "What minimises ½(u − w)² + θ·|u| lies θ nearer to 0 than w.",
        ),
        Misconception(
            "double-threshold",
            lambda w, t: by_sign(w, 2 * t),
            "You use twice the threshold.",
            "What minimises ½(u − w)² + θ·|u| lies θ nearer to 0 than w.",
        ),
        Misconception(
            "squared-threshold",
            lambda w, t: by_sign(w, t**2),
            "You square the threshold.",
            "The threshold has the unit of a weight: compare it with |w| itself.",
        ),
        Misconception(
            "whole-vector",
            _group,
            "You shrink the whole tensor by its norm, so no single weight becomes 0.",
            "Treat each entry by itself.",
        ),
        Misconception(
            "keeps-small",
            lambda w, t: torch.where(w.abs() > t, w - t * w.sign(), w),
            "You leave small weights as they are, and they have to become 0.",
            "Where |w| is at most the threshold, the result is 0.",
        ),
        Misconception(
            "in-place",
            _in_place,
            "Your value is right, but w itself has changed.",
            "Functions whose name ends in _ work in place; make a new tensor instead.",
        ),
        Misconception(
            "cut-off",
            lambda w, t: by_sign(w, t).detach(),
            "Your result is cut off from w, by detach() or .data or no_grad().",
            "Compute with w itself.",
        ),
        Misconception(
            "float64",
            lambda w, t: by_sign(w, t).double(),
            "Your result is float64 whatever the dtype of w is.",
            "Keep to operations on w, which keep its dtype.",
        ),
    ),
)
