"""A ReLU of its own for autograd: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from helpers.answers.activation_functions.formulas import Function
from helpers.checking.check import Answers, Misconception


class ReLUFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)


def relu_function(
    backward: Callable[[Any, torch.Tensor, torch.Tensor], Any], forward: Function | None = None
) -> type:
    """A ReLUFunction whose backward is this function of (ctx, x, grad_output)."""
    value = forward or (lambda x: x.clamp(min=0))

    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
            ctx.save_for_backward(x)
            return value(x)

        @staticmethod
        def backward(ctx: Any, grad_output: torch.Tensor) -> Any:  # type: ignore[override]
            (x,) = ctx.saved_tensors
            return backward(ctx, x, grad_output)

    return Made


def _in_place_backward(ctx: Any, x: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    g[x <= 0] = 0
    return g.clone()


class KeepsOnClass(torch.autograd.Function):
    kept: torch.Tensor

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        KeepsOnClass.kept = x.detach()
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return grad_output * (KeepsOnClass.kept > 0)


class SavesOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        out = torch.where(x > 0, x, torch.zeros_like(x))
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        (out,) = ctx.saved_tensors
        return torch.where(out > 0, grad_output, torch.zeros_like(grad_output))


class KeepsMask(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        ctx.mask = x > 0
        return x * ctx.mask

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        gradient = grad_output.clone()
        gradient[~ctx.mask] = 0
        return gradient


ANSWERS = Answers(
    reference=ReLUFunction,
    variants={
        "saves the output": SavesOutput,
        "keeps a mask": KeepsMask,
        "float64 inside": relu_function(lambda ctx, x, g: (g.double() * (x > 0)).to(g.dtype)),
    },
    misconceptions=(
        Misconception(
            "ignores-upstream",
            relu_function(lambda ctx, x, g: (x > 0).to(x.dtype)),
            "Your backward returns the slope of ReLU alone and drops grad_output.",
            "The chain rule: multiply the slope by grad_output.",
        ),
        Misconception(
            "passes-upstream",
            relu_function(lambda ctx, x, g: g.clone()),
            "Your backward passes grad_output on unchanged, also where ReLU is flat.",
            "Multiply it by the slope of ReLU, which is 0 for negative x.",
        ),
        Misconception(
            "one-at-zero",
            relu_function(lambda ctx, x, g: g * (x >= 0)),
            "Your backward lets the gradient through at x = 0.",
            "Compare with x > 0: at 0 the slope is taken as 0.",
        ),
        Misconception(
            "mask-of-upstream",
            relu_function(lambda ctx, x, g: g.clamp(min=0)),
            "Your backward looks at the sign of grad_output; the sign of x decides.",
            "Keep x (or a mask of it) with ctx.save_for_backward, and use it in backward.",
        ),
        Misconception(
            "in-place-upstream",
            relu_function(_in_place_backward),
            "Your backward writes into grad_output, which other parts of the graph also use.",
            "Work on grad_output.clone(), or multiply by a mask.",
        ),
        Misconception(
            "kept-on-class",
            KeepsOnClass,
            "You keep x on the class, so a second call overwrites what the first one needs.",
            "Keep it on ctx: ctx.save_for_backward(x).",
        ),
        Misconception(
            "times-x",
            relu_function(lambda ctx, x, g: g * x.clamp(min=0)),
            "Your backward multiplies by the value of ReLU where its slope is meant.",
            "To the right of 0 the slope of ReLU is 1.",
        ),
        Misconception(
            "wrong-side",
            relu_function(lambda ctx, x, g: g * (x < 0)),
            "Your backward keeps the gradient where x is negative.",
            "Keep it where x is positive.",
        ),
        Misconception(
            "returns-none",
            relu_function(lambda ctx, x, g: None),
            "Your backward returns nothing.",
            "Return one gradient for each argument of forward apart from ctx.",
        ),
        Misconception(
            "zeros-on-cpu",
            relu_function(
                lambda ctx, x, g: torch.where(x > 0, g, torch.zeros(g.shape, dtype=g.dtype))
            ),
            "Your backward makes a tensor on the CPU, wherever grad_output is.",
            "torch.zeros_like(grad_output) takes over its dtype and device.",
        ),
        Misconception(
            "forward-absolute",
            relu_function(lambda ctx, x, g: g * (x > 0), forward=torch.abs),
            "Your forward returns |x|.",
            "For a negative x the result is 0.",
        ),
        Misconception(
            "two-gradients",
            relu_function(lambda ctx, x, g: (g * (x > 0), x)),
            "Your backward returns two gradients, and forward has one argument apart from ctx.",
            "Return one gradient for each argument of forward apart from ctx.",
        ),
    ),
)
