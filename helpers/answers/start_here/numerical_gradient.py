"""The numerical gradient: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
Scalar = Callable[[Tensor], Any]
Points = Iterator[tuple[tuple[int, ...], Tensor, Tensor]]


def both_sides(x: Tensor, h: float, ahead: float = 1.0, behind: float = -1.0) -> Points:
    """For each entry its index, and two copies of x in which this entry alone has moved."""
    for index in np.ndindex(*x.shape):
        up, down = x.detach().clone(), x.detach().clone()
        up[index] += ahead * h
        down[index] += behind * h
        yield index, up, down


def without_moving_back(x: Tensor, h: float) -> Points:
    values = x.detach().clone()
    for index in np.ndindex(*x.shape):
        values[index] += h
        up = values.clone()
        values[index] -= 2 * h
        yield index, up, values.clone()


def all_together(x: Tensor, h: float) -> Points:
    for index in np.ndindex(*x.shape):
        yield index, x.detach() + h, x.detach() - h


def central(
    prepare: Any = lambda x: x,
    step: Any = lambda h: h,
    points: Any = both_sides,
    call: Any = lambda f, x, like: float(f(x)),
    slope: Any = lambda ahead, behind, h: (ahead - behind) / (2 * h),
    result: Any = lambda x: torch.zeros(x.shape, dtype=x.dtype),
    finish: Any = lambda gradient, x: gradient,
    default: float = 1e-5,
) -> Any:
    """Central differences from their parts."""

    def numerical_gradient(f: Scalar, x: Tensor, h: float = default) -> Any:
        with torch.no_grad():
            used, h = prepare(x), step(h)
            gradient = result(x)
            for index, up, down in points(used, h):
                gradient[index] = slope(call(f, up, x), call(f, down, x), h)
        return finish(gradient, x)

    return numerical_gradient


def leaving_x_moved(gradient: Any) -> Any:
    def numerical_gradient(f: Scalar, x: Tensor, *h: float) -> Any:
        result = gradient(f, x, *h)
        if x.numel():
            x.data = x.detach() - (h[0] if h else 1e-5)
        return result

    return numerical_gradient


def _by_backward(f: Scalar, x: Tensor, h: float = 1e-5) -> Any:
    leaf = x.detach().clone().requires_grad_()
    f(leaf).backward()
    return leaf.grad


def _by_autograd(f: Scalar, x: Tensor, h: float = 1e-5) -> Any:
    leaf = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(leaf), leaf)[0]


numerical_gradient = central()


@torch.no_grad()
def by_basis_vectors(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
    basis = torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    slopes = [(float(f(x + h * e)) - float(f(x - h * e))) / (2 * h) for e in basis]
    return torch.tensor(slopes, dtype=x.dtype).reshape(x.shape)


def by_numpy(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
    """With an iterator over a copy, and the old value put back, as a course prints it."""
    values = x.detach().numpy().copy()
    result = np.zeros_like(values)
    entries = np.nditer(values, flags=["multi_index"], op_flags=["readwrite"])  # type: ignore[call-overload]
    while not entries.finished:
        index = entries.multi_index
        old = values[index]
        values[index] = old + h
        ahead = float(f(torch.from_numpy(values)))
        values[index] = old - h
        behind = float(f(torch.from_numpy(values)))
        values[index] = old
        result[index] = (ahead - behind) / (2 * h)
        entries.iternext()
    return torch.from_numpy(result)


@torch.no_grad()
def in_place_on_a_copy(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
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
def in_place_on_x(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
    gradient = torch.zeros_like(x)
    flat, slopes = x.view(-1), gradient.view(-1)
    for i in range(x.numel()):
        old = flat[i].item()
        flat[i] = old + h
        ahead = f(x)
        flat[i] = old - h
        behind = f(x)
        flat[i] = old
        slopes[i] = (ahead - behind) / (2 * h)
    return gradient


def by_moving_one_number(f: Scalar, x: Tensor, h: float = 1e-5) -> Tensor:
    x = x.detach()

    def slope(i: int) -> float:
        step = (h * (torch.arange(x.numel()) == i)).to(x.dtype).view(x.shape)
        return float(f(x + step) - f(x - step)) / (2 * h)

    return torch.tensor([slope(i) for i in range(x.numel())], dtype=x.dtype).view(x.shape)


ANSWERS = Answers(
    recipe=Recipe(central),
    variants={
        "basis vectors": by_basis_vectors,
        "as a course prints it: an iterator over a NumPy copy": by_numpy,
        "in place on its own copy": in_place_on_a_copy,
        "in place on x, and put back": in_place_on_x,
        "a list of slopes": by_moving_one_number,
    },
    slips=(
        slip(
            "forward-difference",
            "You used (f(x + h) − f(x)) / h, the forward difference.",
            "Take one step ahead and one step back, and divide by the distance between them.",
            points=lambda x, h: both_sides(x, h, 1, 0),
            slope=lambda ahead, behind, h: (ahead - behind) / h,
        ),
        slip(
            "backward-difference",
            "You used (f(x) − f(x − h)) / h, the backward difference.",
            "Take one step ahead and one step back, and divide by the distance between them.",
            points=lambda x, h: both_sides(x, h, 0, -1),
            slope=lambda ahead, behind, h: (ahead - behind) / h,
        ),
        slip(
            "half-way",
            "Only one of your two points has moved, and you divide by 2h, so the result is half of "
            "the slope. It happens too if `old = x[i]` is kept as a view, which moves with x.",
            "Keep the number itself, with x[i].item() or x[i].clone(), and look at both points.",
            {"points": lambda x, h: both_sides(x, h, 1, 0)},
            {"points": lambda x, h: both_sides(x, h, 0, -1)},
        ),
        slip(
            "moved-back-by-h",
            "Your second point is 2h away from x: x + h and x − 2h are compared, or x + 2h and x − h.",
            "After the step ahead go back by 2h, which is h behind x.",
            {"points": lambda x, h: both_sides(x, h, 1, -2)},
            {"points": lambda x, h: both_sides(x, h, 2, -1)},
        ),
        slip(
            "divided-by-h",
            "Your result is twice the gradient: you divided by h instead of 2h.",
            "How far apart are x + h and x − h?",
            slope=lambda ahead, behind, h: (ahead - behind) / h,
        ),
        slip(
            "divided-by-2",
            "You divided by 2 and not by 2h.",
            "How far apart are x + h and x − h?",
            slope=lambda ahead, behind, h: (ahead - behind) / 2,
        ),
        slip(
            "not-divided",
            "You did not divide the difference by the distance 2h.",
            "How far apart are x + h and x − h?",
            slope=lambda ahead, behind, h: ahead - behind,
        ),
        slip(
            "precedence",
            "You wrote / 2 * h, which divides by 2 and then multiplies by h.",
            "Put the divisor in parentheses: / (2 * h).",
            slope=lambda ahead, behind, h: (ahead - behind) / 2 * h,
        ),
        slip(
            "sum-not-difference",
            "You added the two values, and their difference is meant.",
            "A slope is a difference divided by a distance.",
            slope=lambda ahead, behind, h: (ahead + behind) / (2 * h),
        ),
        slip(
            "difference-without-parentheses",
            "You divided only the second value: a − b / (2h) is not (a − b) / (2h).",
            "Put the difference in parentheses.",
            slope=lambda ahead, behind, h: ahead - behind / (2 * h),
        ),
        slip(
            "wrong-sign",
            "Your result has the wrong sign: you computed f(x − h) − f(x + h).",
            "The step ahead comes first in the difference.",
            slope=lambda ahead, behind, h: (behind - ahead) / (2 * h),
        ),
        slip(
            "absolute",
            "You took the absolute value of the difference, so negative slopes lose their sign.",
            "A slope may be negative: leave the sign.",
            slope=lambda ahead, behind, h: abs(ahead - behind) / (2 * h),
        ),
        slip(
            "asks-autograd",
            "You ask autograd for the gradient, and it is to be found from values of f alone.",
            "Move one entry ahead and back by h, and divide the difference of the values by 2h.",
            {"whole": _by_backward},
            {"whole": _by_autograd},
        ),
        family(
            "ignores-h",
            "Your function takes the step {constant}, whatever h it is given.",
            "Replace the fixed step in your code by h.",
            (1e-5, 1e-4, 1e-3),
            lambda c: {"step": lambda h: c},
        ),
        family(
            "other-default",
            "Your default step is {constant}, and 1e-5 is meant.",
            "Look at the signature: h=1e-5.",
            (1e-6, 1e-4, 1e-3, 1e-2),
            lambda c: {"default": c},
        ),
        slip(
            "all-at-once",
            "You moved all entries of x together, which adds up their slopes.",
            "Move one entry at a time and leave the others where they are.",
            points=all_together,
        ),
        slip(
            "not-restored",
            "You did not move an entry back before you went on to the next one.",
            "After the second value, put the entry back to where it was.",
            points=without_moving_back,
        ),
        slip(
            "first-row-only",
            "Your loop goes over the first axis alone, so the entries of a row move together.",
            "Go over every index: np.ndindex(*x.shape), or the entries of x.view(-1).",
            points=lambda x, h: (
                (i, *moved) for i in range(len(x)) for moved in [_row_moved(x, i, h)]
            ),
        ),
        slip(
            "not-the-last",
            "Your loop leaves out the last entry.",
            "range(n) ends before n already: do not subtract 1.",
            points=lambda x, h: list(both_sides(x, h))[:-1],
        ),
        slip(
            "changes-x",
            "Your code leaves x moved by a step.",
            "Work on a copy: x.clone().",
            around=leaving_x_moved,
        ),
        slip(
            "float32-inside",
            "You computed in float32, which is too coarse for a step of 1e-5.",
            "Keep the dtype of x.",
            prepare=lambda x: x.detach().float(),
        ),
        slip(
            "returns-float32",
            "Your result comes back as float32, and x is float64.",
            "Make the result with torch.zeros_like(x), which takes over the dtype.",
            {"result": lambda x: torch.zeros(x.shape)},
            {"finish": lambda gradient, x: gradient.float()},
        ),
        slip(
            "whole-numbers",
            "Your result holds whole numbers, so every slope is cut off.",
            "Make the result with torch.zeros_like(x), which takes over the dtype.",
            result=lambda x: torch.zeros(x.shape, dtype=torch.int64),
        ),
        slip(
            "flat",
            "Your result is a flat vector, and has lost the shape of x.",
            "Make the result with torch.zeros_like(x), which takes over the shape.",
            finish=lambda gradient, x: gradient.flatten(),
        ),
        slip(
            "adds-up",
            "You return one number, the sum of all slopes.",
            "One slope for each entry: the result has the shape of x.",
            finish=lambda gradient, x: gradient.sum(),
        ),
        slip(
            "returns-numpy",
            "You return a NumPy array, and a tensor is meant.",
            "torch.from_numpy makes a tensor of it.",
            finish=lambda gradient, x: gradient.numpy(),
        ),
        slip(
            "returns-list",
            "You return a list of slopes, and a tensor of the shape of x is meant.",
            "Make the result with torch.zeros_like(x).",
            finish=lambda gradient, x: gradient.flatten().tolist(),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End it with `return gradient`.",
            finish=lambda gradient, x: None,
        ),
        slip(
            "gives-f-a-vector",
            "You give f a flat vector, and f may need the shape of x.",
            "Move one entry, and reshape to x.shape before you call f.",
            call=lambda f, x, like: float(f(x.flatten())),
        ),
        slip(
            "gives-f-one-number",
            "You give f a single entry of x, and f takes the whole of x.",
            "Copy x, move one entry of the copy, and give f the copy.",
            points=lambda x, h: (
                (i, x.detach()[i] + h, x.detach()[i] - h) for i in np.ndindex(*x.shape)
            ),
        ),
        slip(
            "keeps-graph",
            "Your result is connected to x, because you computed with an x that has a graph.",
            "Work inside torch.no_grad(), or on x.detach().",
            finish=lambda gradient, x: gradient + (0 * x).to(gradient.dtype),
        ),
    ),
)


def _row_moved(x: Tensor, row: int, h: float) -> tuple[Tensor, Tensor]:
    up, down = x.detach().clone(), x.detach().clone()
    up[row] += h
    down[row] -= h
    return up, down
