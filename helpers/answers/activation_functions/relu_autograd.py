"""A ReLU of its own for autograd: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch

from helpers.answers.activation_functions.formulas import relu_by_where
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


class ReLUFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x > 0, x, torch.zeros_like(x))

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)


def function(
    takes: Any = lambda x: x,
    value: Any = relu_by_where,
    gives: Any = lambda y, x: y,
    keep: Any = lambda cls, ctx, x: ctx.save_for_backward(x),
    kept: Any = lambda cls, ctx: ctx.saved_tensors[0],
    slope: Any = lambda x: x > 0,
    chain: Any = lambda g, slope: g * slope,
    result: Any = lambda gradient, g, x: gradient,
) -> type:
    """ReLUFunction from its parts."""

    class Made(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Any:
            keep(Made, ctx, x)
            return gives(value(takes(x)), x)

        @staticmethod
        def backward(ctx: Any, grad_output: Tensor) -> Any:
            x = kept(Made, ctx)
            return result(chain(grad_output, slope(x)), grad_output, x)

    return Made


def written(forward: Any, backward: Any) -> type:
    """A class of two static methods, as students write it."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("ReLUFunction", (torch.autograd.Function,), methods)


def _saving(value: Any, what: Any = lambda x: x) -> Any:
    def forward(ctx: Any, x: Tensor) -> Any:
        ctx.save_for_backward(what(x))
        return value(x)

    return forward


def _output(ctx: Any, x: Tensor) -> Tensor:
    out = x.clamp(min=0)
    ctx.save_for_backward(out)
    return out


def _mask(ctx: Any, x: Tensor) -> Tensor:
    ctx.mask = x > 0
    return x * ctx.mask


def _on_a_copy(ctx: Any, g: Tensor) -> Tensor:
    (x,) = ctx.saved_tensors
    gradient = g.clone()
    gradient[x <= 0] = 0
    return gradient


def _by_mask(ctx: Any, g: Tensor) -> Tensor:
    return torch.where(ctx.mask, g, torch.zeros_like(g))


def _opened(cls: type, ctx: Any) -> Tensor:
    (x,) = ctx.saved_tensors
    return x


def _in_place_backward(gradient: Tensor, g: Tensor, x: Tensor) -> Tensor:
    return g.copy_(gradient)


def _in_place_forward(y: Tensor, x: Tensor) -> Tensor:
    return x.copy_(y)


ONE_EACH = "Return one gradient for each argument of forward apart from ctx."
MASK = "Multiply grad_output by the slope of ReLU: 1 where x is positive and 0 elsewhere."
FLAT = "For a negative x the result is 0."

ANSWERS = Answers(
    recipe=Recipe(function),
    reference=ReLUFunction,
    variants={
        "as the tutorial prints it: clamp, and a copy of grad_output": written(
            _saving(lambda x: x.clamp(min=0)), _on_a_copy
        ),
        "as a textbook prints it: grad_output times a mask": ReLUFunction,
        "saves the output": written(_output, lambda ctx, g: g * (ctx.saved_tensors[0] > 0)),
        "keeps a mask on ctx": written(_mask, _by_mask),
        "saves the mask": written(
            _saving(lambda x: x.clamp(min=0), lambda x: x > 0),
            lambda ctx, g: g.masked_fill(~ctx.saved_tensors[0], 0.0),
        ),
        "saves the slope": written(
            _saving(relu_by_where, lambda x: (x > 0).to(x.dtype)),
            lambda ctx, g: g.mul(ctx.saved_tensors[0]),
        ),
        "a tuple of one gradient": written(
            _saving(relu_by_where), lambda ctx, g: (g * (ctx.saved_tensors[0] > 0),)
        ),
        "float64 inside": function(chain=lambda g, slope: (g.double() * slope).to(g.dtype)),
        "in place on a copy of x": written(
            _saving(lambda x: x.clone().clamp_(min=0)),
            lambda ctx, g: torch.where(ctx.saved_tensors[0] > 0, g, 0.0),
        ),
    },
    slips=(
        slip(
            "ignores-upstream",
            "Your backward returns the slope of ReLU alone and drops grad_output.",
            "The chain rule: multiply the slope by grad_output.",
            chain=lambda g, slope: slope.to(g.dtype),
        ),
        slip(
            "passes-upstream",
            "Your backward passes grad_output on unchanged, also where ReLU is flat.",
            "Multiply it by the slope of ReLU, which is 0 for negative x.",
            chain=lambda g, slope: g * 1,
        ),
        slip(
            "adds-upstream",
            "Your backward adds the slope and grad_output, where the product is meant.",
            "The chain rule: multiply the slope by grad_output.",
            chain=lambda g, slope: g + slope,
        ),
        slip(
            "one-at-zero",
            "Your backward takes the slope 1 at x = 0.",
            "Compare with x > 0: at 0 the slope is taken as 0.",
            slope=lambda x: x >= 0,
        ),
        slip(
            "half-at-zero",
            "Your backward takes the slope ½ at x = 0.",
            "Compare with x > 0: at 0 the slope is taken as 0.",
            slope=lambda x: torch.heaviside(x, torch.full_like(x, 0.5)),
        ),
        slip(
            "mask-of-upstream",
            "Your backward looks at the sign of grad_output; the sign of x decides.",
            "Keep x (or a mask of it) with ctx.save_for_backward, and use it in backward.",
            chain=lambda g, slope: g.clamp(min=0),
        ),
        slip(
            "both-signs",
            "Your backward keeps the gradient only where grad_output is positive too (that is guided "
            "backpropagation).",
            "The sign of x decides alone.",
            chain=lambda g, slope: g.clamp(min=0) * slope,
        ),
        slip(
            "in-place-upstream",
            "Your backward writes into grad_output, which other parts of the graph also use.",
            "Work on grad_output.clone(), or multiply by a mask.",
            result=_in_place_backward,
        ),
        slip(
            "in-place-forward",
            "Your forward changes x itself.",
            "Make a new tensor, for example with torch.where.",
            {"gives": _in_place_forward, "slope": lambda x: x > 0},
        ),
        slip(
            "kept-on-class",
            "You keep what backward needs on the class, so a second call overwrites it.",
            "Keep it on ctx: ctx.save_for_backward(x).",
            keep=lambda cls, ctx, x: setattr(cls, "x", x.detach()),
            kept=lambda cls, ctx: cls.x,
        ),
        slip(
            "nothing-kept",
            "Your backward looks for what forward did not keep: ctx.saved_tensors is empty.",
            "Write ctx.save_for_backward(x) in forward.",
            {"keep": lambda cls, ctx, x: None},
            {"keep": lambda cls, ctx, x: None, "kept": _opened},
        ),
        slip(
            "tuple-not-opened",
            "ctx.saved_tensors is a tuple, also when one tensor was saved.",
            "Open it: (x,) = ctx.saved_tensors.",
            {"kept": lambda cls, ctx: ctx.saved_tensors, "slope": lambda x: x > 0},
        ),
        slip(
            "times-x",
            "Your backward multiplies by the value of ReLU where its slope is meant.",
            "To the right of 0 the slope of ReLU is 1.",
            slope=lambda x: x.clamp(min=0),
        ),
        slip(
            "returns-value",
            "Your backward returns max(0, x), the value of ReLU, and drops grad_output.",
            MASK,
            slope=lambda x: x.clamp(min=0),
            chain=lambda g, slope: slope,
        ),
        slip(
            "times-input",
            "Your backward multiplies grad_output by x itself.",
            MASK,
            slope=lambda x: x,
        ),
        slip(
            "sign",
            "Your backward multiplies grad_output by the sign of x, which is −1 for negative x.",
            MASK,
            slope=torch.sign,
        ),
        slip(
            "wrong-side",
            "Your backward keeps the gradient where x is negative.",
            "Keep it where x is positive.",
            {"slope": lambda x: x < 0},
            {"slope": lambda x: x <= 0},
        ),
        family(
            "leaks",
            "Your backward lets {constant} times the gradient through for negative x.",
            MASK,
            (0.01, 0.1),
            lambda a: {"slope": lambda x: torch.where(x > 0, torch.ones_like(x), a)},
        ),
        slip(
            "always-zero",
            "Your backward returns zeros.",
            MASK,
            {"slope": torch.zeros_like},
            {"slope": lambda x: x > x.max()},
        ),
        slip(
            "negated",
            "Your backward has the wrong sign.",
            MASK,
            chain=lambda g, slope: -g * slope,
        ),
        slip(
            "returns-none",
            "Your backward returns nothing.",
            ONE_EACH,
            result=lambda gradient, g, x: None,
        ),
        slip(
            "two-gradients",
            "Your backward returns two gradients, and forward has one argument apart from ctx.",
            ONE_EACH,
            {"result": lambda gradient, g, x: (gradient, x)},
        ),
        slip(
            "sums-up",
            "Your backward returns one number, where a gradient for each entry of x is meant.",
            "Return grad_output times the slope, in the shape of x.",
            {"result": lambda gradient, g, x: gradient.sum()},
            {"result": lambda gradient, g, x: gradient.mean()},
        ),
        slip(
            "zeros-on-cpu",
            "Your backward makes a tensor on the CPU, wherever grad_output is.",
            "torch.zeros_like(grad_output) takes over its dtype and device.",
            {
                "slope": lambda x: x > 0,
                "chain": lambda g, slope: torch.where(
                    slope, g, torch.zeros(g.shape, dtype=g.dtype)
                ),
            },
        ),
        slip(
            "forward-absolute",
            "Your forward returns |x|.",
            FLAT,
            value=torch.abs,
        ),
        slip(
            "forward-identity",
            "Your forward returns x, negative numbers too.",
            FLAT,
            value=lambda x: x * 1,
        ),
        slip(
            "forward-only-the-step",
            "Your forward returns 1 for a positive x, which is the slope of ReLU.",
            "For a positive x the value is x itself.",
            value=lambda x: (x > 0).to(x.dtype),
        ),
        slip(
            "forward-wrong-side",
            "Your forward keeps the negative numbers.",
            FLAT,
            value=lambda x: x.clamp(max=0),
        ),
        family(
            "forward-leaks",
            "Your forward lets {constant} times the negative numbers through: that is LeakyReLU.",
            FLAT,
            (0.01, 0.1),
            lambda a: {"value": lambda x: torch.where(x > 0, x, a * x)},
        ),
        slip(
            "forward-boolean",
            "Your forward returns True and False.",
            "It returns max(0, x).",
            gives=lambda y, x: y > 0,
        ),
        slip(
            "forward-asks-once",
            "Your forward asks one yes-or-no question about the whole tensor, with `if` or Python's "
            "max.",
            "Each entry has its own answer: use torch.where(x > 0, x, 0) or the like.",
            value=lambda x: x if x > 0 else 0 * x,
        ),
        slip(
            "forward-returns-float64",
            "Your forward returns float64 for a float32 input.",
            "Keep the dtype of x.",
            gives=lambda y, x: y.double(),
        ),
        slip(
            "forward-returns-float32",
            "Your forward returns float32 for a float64 input.",
            "Keep the dtype of x.",
            gives=lambda y, x: y.float(),
        ),
        slip(
            "forward-keeps-for-itself",
            "Your forward returns more than the value.",
            "What backward needs goes to ctx.save_for_backward; forward returns the value alone.",
            {"gives": lambda y, x: (y, x)},
            {"gives": lambda y, x: (y, x > 0)},
        ),
    ),
)
