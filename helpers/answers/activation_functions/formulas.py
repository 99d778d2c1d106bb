"""What the answers of lesson 01 share: activation functions made of parts, formulas, and slips."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checking.recipe import Slip, slip

Function = Callable[[torch.Tensor], torch.Tensor]


class Activation:
    """The parts of every activation function. A subclass adds `value` and `slope`, which may call
    the object itself, as students do.
    """

    value: Any
    slope: Any

    def __call__(self, x: torch.Tensor) -> Any:
        self.last = x.detach()
        return self.gives(self.value(self.takes(x)), x)

    def derivative(self, x: torch.Tensor) -> Any:
        return self.gives_slope(self.slope(self.at(x)), x)

    def takes(self, x: torch.Tensor) -> Any:
        """What goes into the formula of the value."""
        return x

    def gives(self, y: torch.Tensor, x: torch.Tensor) -> Any:
        """What is made of the value before it is returned."""
        return y

    def at(self, x: torch.Tensor) -> Any:
        """Where the slope is taken."""
        return x

    def gives_slope(self, d: torch.Tensor, x: torch.Tensor) -> Any:
        """What is made of the slope before it is returned."""
        return d


def of(f: Function) -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """A formula of x alone as a part."""
    return lambda self, x: f(x)


def activation(value: Function, slope: Callable[..., Any]) -> type:
    """A class without arguments from a value and a slope, both functions of x."""
    return type("Made", (Activation,), {"value": of(value), "slope": of(slope)})


def module(forward: Any, derivative: Any) -> type:
    """The same as students write it: an nn.Module whose derivative may call self."""
    return type("Made", (torch.nn.Module,), {"forward": forward, "derivative": derivative})


def by_autograd(value: Function) -> type:
    """A class whose derivative lets autograd find the slope of its value."""

    def derivative(self: Any, x: torch.Tensor) -> torch.Tensor:
        leaf = x.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(self(leaf).sum(), leaf)
        return slope

    return module(of(value), derivative)


# Formulas ---------------------------------------------------------------------------------------


def relu_by_where(x: torch.Tensor) -> torch.Tensor:
    return torch.where(x > 0, x, torch.zeros_like(x))


def relu_slope(x: torch.Tensor) -> torch.Tensor:
    return (x > 0).to(x.dtype)


def textbook_sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + torch.exp(-x))


def exp_over_exp(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(x) / (1 + torch.exp(x))


def safe_sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Both branches see a number that cannot overflow, so that neither spoils the gradient."""
    positive = x >= 0
    right = 1 / (1 + torch.exp(-torch.where(positive, x, 0)))
    e = torch.exp(torch.where(positive, 0, x))
    return torch.where(positive, right, e / (1 + e))


def sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    return safe_sigmoid(x) * safe_sigmoid(-x)


def textbook_tanh(x: torch.Tensor) -> torch.Tensor:
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


def safe_tanh(x: torch.Tensor) -> torch.Tensor:
    return 2 * safe_sigmoid(2 * x) - 1


def tanh_slope(x: torch.Tensor) -> torch.Tensor:
    return 4 * sigmoid_slope(2 * x)


def expm1_tanh(x: torch.Tensor) -> torch.Tensor:
    """tanh x = ±(−expm1(−2|x|)) / (2 + expm1(−2|x|)), one branch for each sign."""
    positive = x >= 0
    up = torch.expm1(-2 * torch.where(positive, x, 0))
    down = torch.expm1(2 * torch.where(positive, 0, x))
    return torch.where(positive, -up / (2 + up), down / (2 + down))


def two_branch_tanh(x: torch.Tensor) -> torch.Tensor:
    positive = x > 0
    a = torch.exp(-2 * torch.where(positive, x, 0))
    b = torch.exp(2 * torch.where(positive, 0, x))
    return torch.where(positive, (1 - a) / (1 + a), (b - 1) / (b + 1))


def normal_cdf(x: torch.Tensor) -> torch.Tensor:
    return 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def normal_density(x: torch.Tensor) -> torch.Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def in_float64(f: Function) -> Function:
    return lambda x: f(x.double()).to(x.dtype)


def cut_off(f: Function) -> Function:
    return lambda x: f(x.detach())


# Right answers, by hand -------------------------------------------------------------------------


class HandReLU(Activation):
    value = of(relu_by_where)
    slope = of(relu_slope)


class HandSigmoid(Activation):
    value = of(safe_sigmoid)

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        s = self(x)
        return s * (1 - s)


class HandTanh(Activation):
    value = of(safe_tanh)

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        return 1 - self(x) ** 2


class HandGELU(Activation):
    """Φ and φ are parts of their own, since both methods use them, and so is what they are made of."""

    def inner(self, x: torch.Tensor) -> torch.Tensor:
        """The argument of erf."""
        return x / math.sqrt(2)

    def cdf(self, x: torch.Tensor) -> torch.Tensor:
        return self.of_erf(torch.erf(self.inner(x)))

    def of_erf(self, e: torch.Tensor) -> torch.Tensor:
        return 0.5 * (1 + e)

    def exponent(self, x: torch.Tensor) -> torch.Tensor:
        return -x * x / 2

    def norm(self) -> float:
        return math.sqrt(2 * math.pi)

    def density(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(self.exponent(x)) / self.norm()

    def value(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.cdf(x)

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        return self.cdf(x) + x * self.density(x)


class HandSiLU(Activation):
    def sigmoid(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)

    def value(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.sigmoid(x)

    def slope(self, x: torch.Tensor) -> torch.Tensor:
        s = self.sigmoid(x)
        return s + x * s * (1 - s)


# PyTorch's own, which answers are compared with -------------------------------------------------


class ReLU(HandReLU):
    value = of(torch.relu)


class Sigmoid(HandSigmoid):
    value = of(torch.sigmoid)


class Tanh(HandTanh):
    value = of(torch.tanh)


class GELU(HandGELU):
    def value(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(x)


class SiLU(HandSiLU):
    def value(self, x: torch.Tensor) -> torch.Tensor:
        return F.silu(x)


# Slips ------------------------------------------------------------------------------------------


def both(part: Any, value: str = "value", **slope: Any) -> tuple[Mapping[str, Any], ...]:
    """A wrong value in two forms: the slope is made of it, or is written by itself and right."""
    return {value: part}, {value: part, **slope}


def shared(*, slope: Any = None) -> tuple[Slip, ...]:
    """Slips of what is done to x and to the results, for every activation function.

    Where the slope is made of the value, `slope` is the right one written by itself.
    """

    def forms(**part: Any) -> tuple[Mapping[str, Any], ...]:
        return (part,) if slope is None else (part, {**part, "slope": of(slope)})

    def both_results(change: Any) -> tuple[Mapping[str, Any], ...]:
        """The slope that is made of the value is changed with it already."""
        part = lambda self, result, x: change(result)  # noqa: E731
        return ({"gives": part, "gives_slope": part},) if slope is None else ()

    return (
        slip(
            "derivative-of-last-call",
            "Your derivative uses what the last call of the object left behind, not the x that it "
            "is given.",
            "Compute everything in derivative from its own argument x.",
            at=lambda self, x: self.last,
        ),
        slip(
            "cut-off",
            "Your result is cut off from x, by detach(), .data, torch.no_grad() or a new tensor.",
            "Compute with x itself, using PyTorch's operations.",
            takes=lambda self, x: x.detach(),
        ),
        slip(
            "through-numpy",
            "Your forward turns x into a NumPy array, where autograd cannot follow it.",
            "Use PyTorch's operations, such as torch.exp and torch.where.",
            takes=lambda self, x: torch.from_numpy(np.array(x.numpy())),
        ),
        slip(
            "returns-numpy",
            "Your forward returns a NumPy array.",
            "Use PyTorch's operations, and return a tensor.",
            {"gives": lambda self, y, x: y.detach().numpy()},
            {
                "gives": lambda self, y, x: y.detach().numpy(),
                "gives_slope": lambda self, d, x: np.asarray(d),
            },
        ),
        slip(
            "returns-float64",
            "Your result is float64 for a float32 input.",
            "Keep the dtype of x: make constants with torch.zeros_like(x), or use plain numbers.",
            *forms(gives=lambda self, y, x: y.double()),
            *both_results(lambda r: r.double()),
        ),
        slip(
            "returns-float32",
            "Your result is float32 for a float64 input.",
            "Keep the dtype of x: no .float(), and constants as torch.zeros_like(x) or plain numbers.",
            *forms(gives=lambda self, y, x: y.float()),
            *both_results(lambda r: r.float()),
        ),
        slip(
            "derivative-float32",
            "Your derivative is float32, also when x is float64.",
            "Use .to(x.dtype) in the place of .float(), and torch.ones_like(x) for constants.",
            gives_slope=lambda self, d, x: d.float(),
        ),
        slip(
            "derivative-in-place",
            "Your derivative writes its result into x itself.",
            "Make a new tensor: no x[...] = ... and no method that ends in an underscore.",
            gives_slope=lambda self, d, x: x.copy_(d),
        ),
        slip(
            "derivative-in-one-number",
            "Your derivative is one number for the whole tensor, such as a sum or a mean.",
            "Return the slope at each entry, in the shape of x.",
            {"gives_slope": lambda self, d, x: d.sum()},
            {"gives_slope": lambda self, d, x: d.mean()},
        ),
    )


def clamped_too_early(what: str, limit: int, constants: Iterable[float], slope: Function) -> Slip:
    """One form for each constant where the slope is made of the value, and one where it is not."""
    given = tuple(constants)
    forms = [{"takes": lambda self, x, c=c: x.clamp(-c, c)} for c in given]
    return Slip(
        "clamped-too-early",
        f"You clamp x to about ±{{constant}}, where {what} still changes.",
        f"Clamp no nearer to 0 than about ±{limit}.",
        (*forms, *({**form, "slope": of(slope)} for form in forms)),
        tuple(map(str, given)) * 2,
    )


ASKS_ONCE = (
    "Your {where} asks one yes-or-no question about the whole tensor, with `if` or Python's max."
)


def asks_once(**parts: Any) -> tuple[Slip, ...]:
    """`if x > 0`, which PyTorch refuses for a tensor with several entries."""

    def ask(self: Any, x: torch.Tensor) -> Any:
        return x if x > 0 else x * 0

    hint = "Each entry has its own answer: use torch.where(x > 0, ..., ...)."
    return (
        slip("asks-once", ASKS_ONCE.format(where="forward"), hint, value=ask),
        slip("derivative-asks-once", ASKS_ONCE.format(where="derivative"), hint, slope=ask),
    )


def prefixed(
    name: str, cls: str, slips: Iterable[Slip], without: Iterable[str]
) -> tuple[Slip, ...]:
    """The same slips for a recipe of several classes, in which each part is called <name>_<part>."""
    left_out = set(without)
    return tuple(
        Slip(
            f"{name}-{s.id}",
            s.diagnosis.replace("Your forward", f"The forward of {cls}").replace(
                "Your derivative", f"The derivative of {cls}", 1
            ),
            s.hint,
            tuple({f"{name}_{part}": wrong for part, wrong in form.items()} for form in s.forms),
            s.constants,
        )
        for s in slips
        if s.id not in left_out
    )
