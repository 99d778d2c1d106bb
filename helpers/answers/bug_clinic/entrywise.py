"""What the right and wrong answers to programs 1 to 3, functions entry by entry, are made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from helpers.checking.recipe import Slip, slip

Tensor = torch.Tensor
Function = Callable[[Tensor], Tensor]


def itself(x: Any) -> Any:
    return x


def with_backward(value: Function, back: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Function:
    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            y = value(x)
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> Tensor:
            return back(upstream, *ctx.saved_tensors)

    function: Function = Made.apply
    return function


def in_float64(f: Function) -> Function:
    return lambda x: f(x.double()).to(x.dtype)


def with_a_hook(f: Function) -> Function:
    """NaN is swept away on the way back."""

    def swept(x: Tensor) -> Tensor:
        if x.requires_grad:
            x = x.view_as(x)
            x.register_hook(torch.nan_to_num)  # type: ignore[no-untyped-call]
        return f(x)

    return swept


def in_two_branches(right: Function, left: Function, left_of_zero: Any = None) -> Function:
    """A safe choice: each branch gets 0 where the other one is meant."""
    is_left = left_of_zero or (lambda x: x < 0)

    def chosen(x: Tensor) -> Tensor:
        zero = torch.zeros_like(x)
        here, there = torch.where(x >= 0, x, zero), torch.where(is_left(x), x, zero)
        return torch.where(x >= 0, right(here), left(there))

    return chosen


def _without_graph(f: Function) -> Function:
    @torch.no_grad()
    def cut(x: Tensor) -> Tensor:
        return f(x)

    return cut


def _through_numpy(f: Function) -> Function:
    return lambda x: f(torch.from_numpy(x.numpy()))


def _in_place(f: Function) -> Function:
    return lambda x: x.copy_(f(x))


def _by_comprehension(f: Function) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.tensor([f(entry) for entry in x])


def _if_positive(f: Function) -> Function:
    def asking(x: Tensor) -> Tensor:
        if x > 0:
            return f(x)
        return f(x.clone())

    return asking


def common_slips(right: Function, slope: Function, in_words: str) -> tuple[Slip, ...]:
    """What goes wrong in any function entry by entry; `slope` is its derivative, by its value."""
    return (
        slip(
            "ignores-upstream",
            "Your backward returns the slope alone; the chain rule multiplies it by the gradient "
            "that arrives.",
            "Multiply by grad_output.",
            formula=with_backward(right, lambda up, x, y: slope(y)),
        ),
        slip(
            "zero-gradient",
            "Your backward gives 0 everywhere. Far out on the left that is right, and elsewhere "
            "there is a slope.",
            f"The slope is {in_words}.",
            formula=with_backward(right, lambda up, x, y: torch.zeros_like(up)),
        ),
        slip(
            "gradient-of-one",
            "Your backward passes on what arrives, as if the slope were 1 everywhere.",
            f"The slope is {in_words}.",
            formula=with_backward(right, lambda up, x, y: up.clone()),
        ),
        slip(
            "wrong-sign",
            "Your result has the wrong sign.",
            "Compare it with the expected value at x = 2.",
            after=lambda y, x: -y,
        ),
        slip(
            "cut-off",
            "The value is cut off from x, by detach(), .data, NumPy or because gradients are "
            "switched off: no gradient passes at all.",
            "Compute with x itself, using PyTorch's operations.",
            {"around": _without_graph},
            {"around": _through_numpy},
        ),
        slip(
            "in-place",
            "You wrote the result into x itself, and changed what the caller gave you.",
            "Make a new tensor.",
            around=_in_place,
        ),
        slip(
            "always-float32",
            "The result is float32 also where x is float64.",
            "Keep the dtype of x: leave out .float(), and use torch.zeros_like(x) or "
            "x.new_tensor(...) for constants.",
            {"before": lambda x: x.float()},
            {"after": lambda y, x: y.float()},
        ),
        slip(
            "if-on-a-tensor",
            "Your code asks `if` (or Python's max) of a whole tensor, and each entry has another "
            "answer.",
            "Choose entry by entry, with torch.where.",
            around=_if_positive,
        ),
        slip(
            "function-of-one-number",
            "You use a function from Python's math, which takes one number and no tensor.",
            "Use the function of the same name from torch.",
            around=lambda f: lambda x: math.exp(x),
        ),
        slip(
            "one-by-one",
            "You compute entry by entry and make a new tensor of the numbers: it is cut off from x, "
            "and a matrix does not come out as a matrix.",
            "Use PyTorch's operations on x as a whole; they work entry by entry.",
            around=_by_comprehension,
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End every way through your code with `return`.",
            around=lambda f: lambda x: None,
        ),
        slip(
            "returns-one-number",
            "Your function returns one number for all of x; each entry has its own result.",
            "Leave out the sum or mean.",
            {"whole": lambda x: right(x).sum()},
            {"whole": lambda x: right(x).mean()},
        ),
    )
