"""The numerical gradient: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.checking.check import Answers, Misconception

Scalar = Callable[[torch.Tensor], Any]


@torch.no_grad()
def numerical_gradient(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    for index in np.ndindex(*x.shape):
        up, down = x.detach().clone(), x.detach().clone()
        up[index] += h
        down[index] -= h
        gradient[index] = (float(f(up)) - float(f(down))) / (2 * h)
    return gradient


@torch.no_grad()
def _differences(
    f: Scalar, x: torch.Tensor, ahead: float, behind: float, divisor: float
) -> torch.Tensor:
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    for index in np.ndindex(*x.shape):
        up, down = x.detach().clone(), x.detach().clone()
        up[index] += ahead
        down[index] -= behind
        gradient[index] = (float(f(up)) - float(f(down))) / divisor
    return gradient


def forward_difference(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return _differences(f, x, h, 0.0, h)


def backward_difference(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return _differences(f, x, 0.0, h, h)


def divides_by_h(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return _differences(f, x, h, h, h)


def multiplies_by_2h_wrongly(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return _differences(f, x, h, h, 1.0) / 2 * h


def ignores_h(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return numerical_gradient(f, x)


@torch.no_grad()
def all_entries_at_once(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    slope = (float(f(x + h)) - float(f(x - h))) / (2 * h)
    return torch.full(x.shape, slope, dtype=x.dtype)


@torch.no_grad()
def does_not_restore(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    gradient = torch.zeros(x.shape, dtype=x.dtype)
    values = x.detach().clone()
    for index in np.ndindex(*x.shape):
        values[index] += h
        ahead = float(f(values))
        values[index] -= 2 * h
        gradient[index] = (ahead - float(f(values))) / (2 * h)
        values[index] -= h
    return gradient


@torch.no_grad()
def changes_x(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    gradient = numerical_gradient(f, x, h)
    if x.numel():
        x.data = x.detach() - h
    return gradient


def in_float32(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return numerical_gradient(f, x.detach().float(), h).double()


def returns_float32(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return numerical_gradient(f, x, h).float()


def returns_flat(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return numerical_gradient(f, x, h).flatten()


def keeps_graph(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return numerical_gradient(f, x, h) + 0 * x


def wrong_sign(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    return _differences(f, x, -h, -h, 2 * h)


@torch.no_grad()
def by_basis_vectors(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    basis = torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    slopes = [(float(f(x + h * e)) - float(f(x - h * e))) / (2 * h) for e in basis]
    return torch.tensor(slopes, dtype=x.dtype).reshape(x.shape)


def by_numpy(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    values = x.detach().numpy().copy()
    result = np.zeros_like(values, order="C")
    for index in np.ndindex(*values.shape):
        at = values[index]
        values[index] = at + h
        ahead = float(f(torch.from_numpy(values)))
        values[index] = at - h
        result[index] = (ahead - float(f(torch.from_numpy(values)))) / (2 * h)
        values[index] = at
    return torch.from_numpy(result)


@torch.no_grad()
def in_place_on_a_copy(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    flat = x.detach().clone(memory_format=torch.contiguous_format).view(-1)
    gradient = torch.empty_like(flat)
    for i in range(flat.numel()):
        flat[i] += h
        ahead = float(f(flat.view(x.shape)))
        flat[i] -= 2 * h
        gradient[i] = (ahead - float(f(flat.view(x.shape)))) / (2 * h)
        flat[i] += h
    return gradient.view(x.shape)


@torch.no_grad()
def gives_f_a_vector(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    flat = x.flatten()
    return numerical_gradient(f, flat, h).reshape(x.shape)


def other_default(f: Scalar, x: torch.Tensor, h: float = 1e-6) -> torch.Tensor:
    return numerical_gradient(f, x, h)


def by_moving_one_number(f: Scalar, x: torch.Tensor, h: float = 1e-5) -> torch.Tensor:
    x = x.detach()

    def slope(i: int) -> float:
        step = (h * (torch.arange(x.numel()) == i)).to(x.dtype).view(x.shape)
        return float(f(x + step) - f(x - step)) / (2 * h)

    return torch.tensor([slope(i) for i in range(x.numel())], dtype=x.dtype).view(x.shape)


ANSWERS = Answers(
    reference=numerical_gradient,
    variants={
        "basis vectors": by_basis_vectors,
        "NumPy": by_numpy,
        "in place on its own copy": in_place_on_a_copy,
        "a list of slopes": by_moving_one_number,
    },
    misconceptions=(
        Misconception(
            "forward-difference",
            forward_difference,
            "You used (f(x + h) − f(x)) / h, the forward difference.",
            "Take one step ahead and one step back, and divide by the distance between them.",
        ),
        Misconception(
            "backward-difference",
            backward_difference,
            "You used (f(x) − f(x − h)) / h, the backward difference.",
            "Take one step ahead and one step back, and divide by the distance between them.",
        ),
        Misconception(
            "divided-by-h",
            divides_by_h,
            "Your result is twice the gradient: you divided by h instead of 2h.",
            "How far apart are x + h and x − h?",
        ),
        Misconception(
            "precedence",
            multiplies_by_2h_wrongly,
            "You wrote / 2 * h, which divides by 2 and then multiplies by h.",
            "Put the divisor in parentheses: / (2 * h).",
        ),
        Misconception(
            "ignores-h",
            ignores_h,
            "Your function does not use the step h that it is given.",
            "Replace the fixed step in your code by h.",
        ),
        Misconception(
            "all-at-once",
            all_entries_at_once,
            "You moved all entries of x together, which adds up their slopes.",
            "Move one entry at a time and leave the others where they are.",
        ),
        Misconception(
            "not-restored",
            does_not_restore,
            "You did not move an entry back before you went on to the next one.",
            "After the second value, put the entry back to where it was.",
        ),
        Misconception(
            "changes-x",
            changes_x,
            "Your code leaves x moved by a step.",
            "Work on a copy: x.clone().",
        ),
        Misconception(
            "float32-inside",
            in_float32,
            "You computed in float32, which is too coarse for a step of 1e-5.",
            "Keep the dtype of x.",
        ),
        Misconception(
            "returns-float32",
            returns_float32,
            "Your numbers are right, but they come back as float32.",
            "Make the result with torch.zeros_like(x), which takes over the dtype.",
        ),
        Misconception(
            "flat",
            returns_flat,
            "Your numbers are right, but the result is a flat vector.",
            "Make the result with torch.zeros_like(x), which takes over the shape.",
        ),
        Misconception(
            "gives-f-a-vector",
            gives_f_a_vector,
            "You give f a flat vector, and f may need the shape of x.",
            "Move one entry, and reshape to x.shape before you call f.",
        ),
        Misconception(
            "other-default",
            other_default,
            "Your default step is not 1e-5.",
            "Look at the signature: h=1e-5.",
        ),
        Misconception(
            "keeps-graph",
            keeps_graph,
            "Your result is connected to x, because you computed with an x that has a graph.",
            "Work inside torch.no_grad(), or on x.detach().",
        ),
        Misconception(
            "wrong-sign",
            wrong_sign,
            "Your result has the wrong sign: you computed f(x − h) − f(x + h).",
            "The step ahead comes first in the difference.",
        ),
    ),
)
