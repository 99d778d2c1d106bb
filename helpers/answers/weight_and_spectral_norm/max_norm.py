"""A limit for the length of each row: the recipe, its slips, and answers written differently."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def lengths(w: Tensor) -> Tensor:
    """The length of each row, (out, 1)."""
    return w.square().sum(dim=1, keepdim=True).sqrt()


def shortening(n: Tensor, c: float) -> Tensor:
    return (c / n).clamp(max=1)


def limiting(
    limit: Any = lambda c: c,
    length: Any = lengths,
    factor: Any = shortening,
    recording: Any = torch.no_grad,
    write: Any = lambda w, f, c: w.mul_(f),
    finish: Any = lambda w, c: None,
) -> Any:
    """The function from its parts, on a weight w with the limit c."""

    def apply_max_norm(weight: Tensor, max_norm: float) -> Any:
        c = limit(max_norm)
        with recording():
            result = write(weight, factor(length(weight), c), c)
        finish(weight, c)
        return result

    return apply_max_norm


apply_max_norm = by_clamping = limiting()


@torch.no_grad()
def row_by_row(weight: Tensor, max_norm: float) -> None:
    """So that nothing can go from one row to another."""
    for row in weight:
        length = row.square().sum().sqrt()
        if length > max_norm:
            row.mul_(max_norm / length)


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


def as_a_library(weight: Tensor, max_norm: float) -> None:
    norms = weight.data.pow(2).sum(1, keepdim=True).sqrt()
    desired = norms.clamp(0, max_norm)
    weight.data.mul_(desired / (norms + 1e-7))


def as_a_tutorial(weight: Tensor, max_norm: float) -> Tensor:
    with torch.no_grad():
        norm = weight.norm(2, dim=1, keepdim=True)
        weight[:] = torch.where(norm > max_norm, weight * max_norm / (norm + 1e-8), weight)
    return weight


def as_clipping(weight: Tensor, max_norm: float) -> None:
    for i in range(weight.size(0)):
        coefficient = max_norm / (weight.data[i].norm().item() + 1e-6)
        if coefficient < 1:
            weight.data[i] *= coefficient


def _no_write(w: Tensor, f: Tensor, c: float) -> Tensor:
    return w.detach() * f


def _new_data(w: Tensor, f: Tensor, c: float) -> None:
    w.data = w.data * f


def _scale_gradient(w: Tensor, c: float) -> None:
    if w.grad is not None:
        w.grad.mul_(shortening(lengths(w.grad), c))


def _clear_gradient(w: Tensor, c: float) -> None:
    w.grad = None


ANSWERS = Answers(
    recipe=Recipe(limiting),
    reference=row_by_row,
    variants={
        "by clamping": by_clamping,
        "row by row": row_by_row,
        "by index": by_index,
        "by copying": by_copying,
        "by clamped lengths": by_clamped_lengths,
        "as a library prints it: desired lengths": as_a_library,
        "as a tutorial prints it: where": as_a_tutorial,
        "as gradients are clipped": as_clipping,
    },
    slips=(
        slip(
            "by-columns",
            "You measure the columns; a row holds the weights of one output.",
            "The weight has the shape (out, in): take the norm along dim=1.",
            length=lambda w: w.norm(dim=0, keepdim=True),
        ),
        slip(
            "no-keepdim",
            "You measure the rows, and your factors have the shape (out,), which PyTorch lays along "
            "the columns.",
            "Take the norm with keepdim=True: the shape (out, 1) belongs to the rows.",
            length=lambda w: w.norm(dim=1),
        ),
        slip(
            "whole-matrix",
            "You measure the whole matrix at once; each row has a limit of its own.",
            "Take the norm along dim=1, with keepdim=True.",
            length=lambda w: w.norm(),
        ),
        slip(
            "one-factor-for-all",
            "You scale all rows by the factor of the longest one.",
            "Each row has its own factor: keep the axis of the rows.",
            length=lambda w: lengths(w).max(),
        ),
        slip(
            "one-norm",
            "You measure a row by the sum of its absolute values, which is the 1-norm.",
            "The length is the square root of the sum of the squares.",
            length=lambda w: w.abs().sum(dim=1, keepdim=True),
        ),
        slip(
            "largest-entry",
            "You measure a row by its largest entry.",
            "The length is the square root of the sum of the squares.",
            length=lambda w: w.abs().amax(dim=1, keepdim=True),
        ),
        slip(
            "mean-square",
            "You measure a row by the root of the mean of its squares; the sum is meant.",
            "The length is the square root of the sum of the squares.",
            length=lambda w: w.square().mean(dim=1, keepdim=True).sqrt(),
        ),
        slip(
            "squared-length",
            "You compare the squared length with max_norm; the square root is missing.",
            "The length is the square root of the sum of the squares.",
            length=lambda w: w.square().sum(dim=1, keepdim=True),
        ),
        slip(
            "scales-short-rows",
            "You bring every row to the length max_norm, also those that are shorter.",
            "Only rows longer than max_norm change: limit the factor by 1.",
            {"factor": lambda n, c: torch.where(n > 0, c / n, 1.0)},
            {"factor": lambda n, c: c / n},
        ),
        slip(
            "to-length-one",
            "You bring long rows to length 1; max_norm is meant.",
            "The factor of a long row is max_norm / its length.",
            factor=lambda n, c: torch.where(n > c, 1 / n, 1.0),
        ),
        slip(
            "times-max-norm",
            "You multiply long rows by max_norm and do not divide them by their length.",
            "The factor of a long row is max_norm / its length.",
            factor=lambda n, c: torch.where(n > c, c, 1.0).to(n.dtype),
        ),
        slip(
            "squared-factor",
            "You multiply long rows by the square of max_norm / length.",
            "The factor of a long row is max_norm / its length, once.",
            factor=lambda n, c: shortening(n, c) ** 2,
        ),
        slip(
            "upside-down",
            "Your factor is length / max_norm up to 1: short rows become shorter, long ones stay.",
            "The factor of a long row is max_norm / its length.",
            factor=lambda n, c: (n / c).clamp(max=1),
        ),
        slip(
            "lower-limit",
            "Your factor is at least 1: short rows become longer, and long ones stay.",
            "Limit the factor from above: clamp(max=1).",
            {"factor": lambda n, c: (c / n).clamp(min=1)},
            {"factor": lambda n, c: torch.where(n > 0, (c / n).clamp(min=1), 1.0)},
        ),
        slip(
            "zero-by-zero",
            "A row of zeros becomes NaN: you divide zero by zero.",
            "Divide max_norm by the length and limit that by 1, or look at the long rows only.",
            factor=lambda n, c: n.clamp(max=c) / n,
        ),
        slip(
            "zeroes-long-rows",
            "You set long rows to zero.",
            "The factor of a long row is max_norm / its length.",
            factor=lambda n, c: (n <= c).to(n.dtype),
        ),
        family(
            "adds-to-length",
            "You divide short rows, too, by their length plus {constant}, so rows that fit shrink.",
            "Limit the factor max_norm / length by 1: then short rows keep every entry.",
            (1e-3, 1e-5, 1e-6, 1e-7, 1e-8),
            lambda e: {"factor": lambda n, c: n.clamp(max=c) / (n + e)},
        ),
        family(
            "fixed-limit",
            "Your limit is {constant}, whatever max_norm is.",
            "Use the argument max_norm.",
            (1, 2, 3),
            lambda limit: {"limit": lambda c: limit},
        ),
        slip(
            "clamps-entries",
            "You limit each entry, which turns the row into another direction.",
            "Multiply the whole row by one factor.",
            write=lambda w, f, c: w.clamp_(-c, c),
        ),
        slip(
            "not-in-place",
            "The weight itself stays as it was.",
            "Change the tensor that you were given, for example with weight.mul_(factor): a line like "
            "weight = weight * factor only makes a new one.",
            write=_no_write,
        ),
        slip(
            "new-data",
            "You put a new tensor in place of weight.data, and whoever shares the old one keeps the "
            "long rows.",
            "Write into the old one: weight.mul_(factor) inside `with torch.no_grad():`.",
            write=_new_data,
        ),
        slip(
            "divides",
            "You divide by the factor and do not multiply: long rows become longer.",
            "Multiply by max_norm / length.",
            factor=lambda n, c: (n / c).clamp(min=1),
        ),
        slip(
            "scales-gradient",
            "You limit the gradient, and the weight itself stays as it was.",
            "Multiply weight, not weight.grad.",
            write=_no_write,
            finish=_scale_gradient,
        ),
        slip(
            "scales-both",
            "You limit the gradient as well as the weight.",
            "Leave weight.grad as it is.",
            finish=_scale_gradient,
        ),
        slip(
            "clears-gradient",
            "Your code throws the gradient of the weight away.",
            "Leave weight.grad as it is: that is zero_grad's work.",
            finish=_clear_gradient,
        ),
        slip(
            "not-for-parameters",
            "PyTorch refuses to change a parameter in place while it records a graph.",
            "Make the change inside `with torch.no_grad():`.",
            recording=nullcontext,
        ),
        slip(
            "freezes",
            "After your code the weight no longer asks for gradients.",
            "Use with torch.no_grad() and leave requires_grad alone.",
            finish=lambda w, c: w.requires_grad_(False),
        ),
        slip(
            "asks-for-gradients",
            "After your code the weight asks for gradients, and it did not before.",
            "Use with torch.no_grad() and leave requires_grad alone.",
            finish=lambda w, c: w.requires_grad_(),
        ),
        slip(
            "grad-mode-left-off",
            "Your code switches gradients off for all that follows.",
            "`with torch.no_grad():` switches them on again at its end.",
            finish=lambda w, c: torch.set_grad_enabled(False),
        ),
    ),
)
