"""A limit for the length of each row: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


@torch.no_grad()
def apply_max_norm(weight: Tensor, max_norm: float) -> None:
    """Row by row, so that nothing can go from one to another."""
    for row in weight:
        length = row.square().sum().sqrt()
        if length > max_norm:
            row.mul_(max_norm / length)


def lengths(weight: Tensor) -> Tensor:
    """The length of each row, (out, 1)."""
    return weight.square().sum(dim=1, keepdim=True).sqrt()


def by_clamping(weight: Tensor, max_norm: float) -> Tensor:
    with torch.no_grad():
        weight *= (max_norm / lengths(weight)).clamp(max=1)
    return weight


def by_index(weight: Tensor, max_norm: float) -> None:
    norms = torch.linalg.vector_norm(weight.data, dim=1)
    long = norms > max_norm
    weight.data[long] = weight.data[long] / norms[long, None] * max_norm


def by_copying(weight: Tensor, max_norm: float) -> None:
    with torch.no_grad():
        norms = lengths(weight.double())
        limit = torch.full_like(norms, float(max_norm))
        weight.copy_(weight.double() * torch.where(norms > limit, limit / norms, 1.0))


def by_clamped_lengths(weight: Tensor, max_norm: float) -> None:
    with torch.no_grad():
        norms = weight.norm(2, dim=1, keepdim=True).clamp(min=max_norm / 2)
        weight.mul_(torch.clamp(norms, max=max_norm) / norms)


def with_scale(scale: Any, grad: bool = False) -> Any:
    """A function that multiplies in place by this function of (weight, max_norm)."""

    def scaled(weight: Tensor, max_norm: float) -> None:
        with torch.set_grad_enabled(grad):
            weight.mul_(scale(weight, max_norm))

    return scaled


def _right(weight: Tensor, max_norm: float) -> Tensor:
    return (max_norm / lengths(weight)).clamp(max=1)


def _by_columns(weight: Tensor, max_norm: float) -> Tensor:
    return (max_norm / weight.norm(dim=0, keepdim=True)).clamp(max=1)


def _always(weight: Tensor, max_norm: float) -> Tensor:
    norms = lengths(weight)
    return torch.where(norms > 0, max_norm / norms, 1.0)


def _always_and_zero(weight: Tensor, max_norm: float) -> Tensor:
    return max_norm / lengths(weight)


def _to_length_one(weight: Tensor, max_norm: float) -> Tensor:
    norms = lengths(weight)
    return torch.where(norms > max_norm, 1 / norms, 1.0)


def _joint(weight: Tensor, max_norm: float) -> Tensor:
    return (max_norm / lengths(weight).max()).clamp(max=1)


def _one_norm(weight: Tensor, max_norm: float) -> Tensor:
    return (max_norm / weight.abs().sum(dim=1, keepdim=True)).clamp(max=1)


def _zero_by_zero(weight: Tensor, max_norm: float) -> Tensor:
    norms = lengths(weight)
    return norms.clamp(max=max_norm) / norms


def _clamps_entries(weight: Tensor, max_norm: float) -> None:
    with torch.no_grad():
        weight.clamp_(-max_norm, max_norm)


def _returns_a_copy(weight: Tensor, max_norm: float) -> Tensor:
    return weight.detach() * _right(weight.detach(), max_norm)


def _scales_gradient(weight: Tensor, max_norm: float) -> None:
    if weight.grad is not None:
        weight.grad.mul_(_right(weight.grad, max_norm))


def _scales_both(weight: Tensor, max_norm: float) -> None:
    by_clamping(weight, max_norm)
    if weight.grad is not None:
        weight.grad.mul_(_right(weight.grad, max_norm))


def _freezes(weight: Tensor, max_norm: float) -> None:
    weight.requires_grad_(False)
    by_clamping(weight, max_norm)


def _asks_for_gradients(weight: Tensor, max_norm: float) -> None:
    by_clamping(weight, max_norm)
    weight.requires_grad_()


ANSWERS = Answers(
    reference=apply_max_norm,
    variants={
        "by clamping": by_clamping,
        "by index": by_index,
        "by copying": by_copying,
        "by clamped lengths": by_clamped_lengths,
    },
    misconceptions=(
        Misconception(
            "by-columns",
            with_scale(_by_columns),
            "You measure the columns; a row holds the weights of one output.",
            "The weight has the shape (out, in): take the norm along dim=1.",
        ),
        Misconception(
            "whole-matrix",
            with_scale(lambda w, c: (c / w.norm()).clamp(max=1)),
            "You measure the whole matrix at once; each row has a limit of its own.",
            "Take the norm along dim=1, with keepdim=True.",
        ),
        Misconception(
            "scales-short-rows",
            with_scale(_always),
            "You bring every row to the length max_norm, also those that are shorter.",
            "Only rows longer than max_norm change: limit the factor by 1.",
        ),
        Misconception(
            "to-length-one",
            with_scale(_to_length_one),
            "You bring long rows to length 1; max_norm is meant.",
            "The factor of a long row is max_norm / its length.",
        ),
        Misconception(
            "one-factor-for-all",
            with_scale(_joint),
            "You scale all rows by the factor of the longest one.",
            "Each row has its own factor: keep the axis of the rows.",
        ),
        Misconception(
            "one-norm",
            with_scale(_one_norm),
            "You measure a row by the sum of its absolute values, which is the 1-norm.",
            "The length is the square root of the sum of the squares.",
        ),
        Misconception(
            "squared-length",
            with_scale(lambda w, c: (c / w.square().sum(1, keepdim=True)).clamp(max=1)),
            "You compare the squared length with max_norm; the square root is missing.",
            "The length is the square root of the sum of the squares.",
        ),
        Misconception(
            "clamps-entries",
            _clamps_entries,
            "You limit each entry, which turns the row into another direction.",
            "Multiply the whole row by one factor.",
        ),
        Misconception(
            "zero-by-zero",
            with_scale(_zero_by_zero),
            "A row of zeros becomes NaN: you divide zero by zero.",
            "Divide max_norm by the length and limit that by 1, or look at the long rows only.",
        ),
        Misconception(
            "not-for-parameters",
            with_scale(_right, grad=True),
            "PyTorch refuses to change a parameter in place while it records a graph.",
            "Make the change inside `with torch.no_grad():`.",
        ),
        Misconception(
            "returns-a-copy",
            _returns_a_copy,
            "You return a new tensor, and the weight itself stays as it was.",
            "Change the weight in place, for example with weight.mul_(factor).",
        ),
        Misconception(
            "scales-gradient",
            _scales_gradient,
            "You limit the gradient; the weight itself is meant.",
            "Multiply weight, not weight.grad.",
        ),
        Misconception(
            "scales-both",
            _scales_both,
            "You limit the gradient as well as the weight.",
            "Leave weight.grad as it is.",
        ),
        Misconception(
            "zeroes-long-rows",
            with_scale(lambda w, c: (lengths(w) <= c).to(w.dtype)),
            "You set long rows to zero.",
            "The factor of a long row is max_norm / its length.",
        ),
        Misconception(
            "freezes",
            _freezes,
            "You switch requires_grad off to change the weight, and leave it off.",
            "Use with torch.no_grad() instead: it leaves the weight's own setting alone.",
        ),
        Misconception(
            "asks-for-gradients",
            _asks_for_gradients,
            "You switch requires_grad on for a tensor that did not ask for gradients.",
            "Use with torch.no_grad() instead: it leaves the weight's own setting alone.",
        ),
        Misconception(
            "every-row-and-zero",
            with_scale(_always_and_zero),
            "You bring every row to the length max_norm, also those that are shorter, and a "
            "row of zeros becomes NaN.",
            "Only rows longer than max_norm change: limit the factor by 1.",
        ),
    ),
)
