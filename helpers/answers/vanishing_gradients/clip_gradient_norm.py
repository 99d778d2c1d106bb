"""Clipping gradients by their joint norm: the recipe, its slips, and answers written differently."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
Gradients = list[Tensor]


def with_gradient(parameters: Iterable[Any]) -> list[Any]:
    return [p for p in parameters if p.grad is not None]


def joint_norm(gradients: Gradients) -> float:
    return math.sqrt(sum(g.double().square().sum().item() for g in gradients))


def clipping(
    chosen: Any = with_gradient,
    of: Any = lambda p: p.grad,
    total: Any = joint_norm,
    exceeds: Any = lambda norm, limit: norm > limit,
    factor: Any = lambda limit, norm: limit / norm,
    again: Any = lambda kept, parameters: kept,
    own: Any = lambda p, factor, limit: factor,
    store: Any = lambda p, factor, limit: p.grad.mul_(factor),
    result: Any = lambda norm, kept, factor: norm,
) -> Any:
    """Clipping from its parts."""

    def clip_gradient_norm(parameters: Iterable[nn.Parameter], max_norm: float) -> Any:
        kept = chosen(parameters)
        norm = total([of(p) for p in kept])
        scale = 1.0
        if exceeds(norm, max_norm):
            scale = factor(max_norm, norm)
            for p in again(kept, parameters):
                store(p, own(p, scale, max_norm), max_norm)
        return result(norm, kept, scale)

    return clip_gradient_norm


clip_gradient_norm = clipping()


def one_vector(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    with torch.no_grad():
        norm = torch.cat([g.reshape(-1) for g in gradients]).norm()
        factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
        for g in gradients:
            g *= factor
    return norm.item()


def norm_of_norms(parameters: Iterable[nn.Parameter], max_norm: float) -> Any:
    """NumPy's float64 counts as a float; so does an int where there is no gradient."""
    kept = with_gradient(parameters)
    if len(kept) == 0:
        return 0
    norm = np.linalg.norm([p.grad.norm().item() for p in kept])
    factor = min(1.0, max_norm / norm) if norm > 0 else 1.0
    for p in kept:
        p.grad.data = p.grad.data * factor
    return norm


def all_at_once(parameters: Iterable[nn.Parameter], max_norm: float) -> float:
    """As fast optimisers do it."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return 0.0
    norm = torch.stack(torch._foreach_norm([g.double() for g in gradients])).norm().item()
    if norm > max_norm:
        torch._foreach_mul_(gradients, max_norm / norm)
    return norm


def as_a_library(parameters: Any, max_norm: float) -> float:
    """The loop of older versions of PyTorch."""
    parameters = list(filter(lambda p: p.grad is not None, parameters))
    total_norm = 0.0
    for p in parameters:
        total_norm += p.grad.data.norm(2).item() ** 2
    total_norm = total_norm**0.5
    coefficient = max_norm / (total_norm + 1e-6)
    if coefficient < 1:
        for p in parameters:
            p.grad.data.mul_(coefficient)
    return total_norm


def as_a_textbook(parameters: Any, max_norm: float) -> Any:
    parameters = [p for p in parameters if p.grad is not None]
    norm = sum(torch.sum(p.grad**2) for p in parameters) ** 0.5
    if norm > max_norm:
        for p in parameters:
            p.grad[:] *= max_norm / norm
    return norm


def as_a_course(parameters: Any, max_norm: float) -> Any:
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = np.sqrt(sum((g.numpy() ** 2).sum() for g in gradients))
    rate = max_norm / (norm + 1e-6)
    if rate < 1:
        for g in gradients:
            g *= rate
    return norm


def one_by_one(parameters: Any, max_norm: float) -> float:
    kept, squares = [], 0.0
    for p in parameters:
        if p.grad is None:
            continue
        kept.append(p)
        squares += sum(x * x for x in p.grad.flatten().tolist())
    norm = math.sqrt(squares)
    for p in kept:
        if norm >= max_norm and norm > 0:
            p.grad.copy_(p.grad * max_norm / norm)
    return norm


def needing(name: str) -> Any:
    """Reads an attribute of every gradient, also of None."""

    def of_all(parameters: Iterable[Any]) -> list[Any]:
        kept = list(parameters)
        for p in kept:
            getattr(p.grad, name)
        return kept

    return of_all


def squaring(parameters: Iterable[Any]) -> list[Any]:
    kept = list(parameters)
    for p in kept:
        p.grad**2
    return kept


def filled(parameters: Iterable[Any]) -> list[Any]:
    kept = list(parameters)
    for p in kept:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    return kept


def by_its_own(p: Any, factor: float, limit: float) -> float:
    norm: float = p.grad.norm().item()
    return limit / norm if norm > limit else 1.0


def by_value(p: Any, factor: float, limit: float) -> None:
    p.grad.clamp_(-limit, limit)


def new_tensor(p: Any, factor: float, limit: float) -> None:
    if factor != 1.0:
        p.grad = p.grad * factor


def weight(p: Any, factor: float, limit: float) -> None:
    p.data.mul_(factor)


def both(p: Any, factor: float, limit: float) -> None:
    p.data.mul_(factor)
    p.grad.mul_(factor)


def norm_of_each(gradients: Gradients) -> list[float]:
    return [g.double().norm().item() for g in gradients]


def root_mean_square(gradients: Gradients) -> float:
    count = sum(g.numel() for g in gradients)
    return joint_norm(gradients) / math.sqrt(count) if count else 0.0


def always(norm: Any, limit: float) -> bool:
    return True


def as_tensor_division(limit: float, norm: float) -> float:
    """A tensor divided by zero is infinite, and raises nothing."""
    return (limit / torch.tensor(norm, dtype=torch.float64)).item()


ROOT = "The joint norm is the root of the sum of all squares."
FACTOR = "The factor is max_norm / norm."
LIST = "Begin with parameters = list(parameters)."
SKIP = "Skip a parameter whose grad is None."
ATTRIBUTES = (
    "data", "norm", "pow", "detach", "square", "double", "view", "reshape", "flatten", "abs",
    "layout", "clone", "float", "numpy", "mul_", "sum",
)  # fmt: skip

ANSWERS = Answers(
    recipe=Recipe(clipping),
    variants={
        "one long vector, and 1e-6 as in PyTorch": one_vector,
        "the norm of the norms, with NumPy": norm_of_norms,
        "all at once, with foreach": all_at_once,
        "entry by entry": one_by_one,
        "as a library prints it: a coefficient": as_a_library,
        "as a textbook prints it: grad[:]": as_a_textbook,
        "as a course prints it: NumPy's squares": as_a_course,
        "without item(), noted": clipping(
            total=lambda gs: sum(((g.double() ** 2).sum() for g in gs), torch.tensor(0.0)).sqrt()
        ),
    },
    slips=(
        slip(
            "squares-overflow",
            "You square in float32, and above 1e19 the square is more than float32 can hold.",
            "Square in float64: g.double().square().",
            total=lambda gs: math.sqrt(sum(g.square().sum().item() for g in gs)),
        ),
        slip(
            "no-scalars",
            "You left out gradients without an axis.",
            "A parameter with a single number has a gradient too.",
            chosen=lambda parameters: [p for p in with_gradient(parameters) if p.dim() > 0],
        ),
        slip(
            "each-parameter-alone",
            "You clipped each gradient by its own norm, which changes the direction of the step.",
            "One norm over all gradients, and one factor for all of them.",
            exceeds=always,
            factor=lambda limit, norm: 1.0,
            own=by_its_own,
        ),
        slip(
            "each-to-the-limit",
            "You scale each gradient to the limit by its own norm, which changes the direction of "
            "the step.",
            "One norm over all gradients, and one factor for all of them.",
            own=lambda p, factor, limit: limit / p.grad.norm().item(),
        ),
        slip(
            "scales-up",
            "You scale small gradients up to the limit.",
            "Scale only when the norm is above max_norm.",
            exceeds=lambda norm, limit: norm > 0,
        ),
        slip(
            "scales-up-and-divides-by-zero",
            "You scale whatever the norm is: small gradients grow, and zeros are divided by zero.",
            "Scale only when the norm is above max_norm.",
            {"exceeds": always},
            {"exceeds": always, "factor": as_tensor_division},
        ),
        slip(
            "divides-by-zero",
            "You divide by the norm before you know that it is not 0.",
            "Compare first: a norm of 0 is never above max_norm.",
            exceeds=always,
            factor=lambda limit, norm: min(1.0, limit / norm),
        ),
        slip(
            "compares-backwards",
            "You scale when the norm is below the limit, and not when it is above.",
            "Scale only when the norm is above max_norm.",
            exceeds=lambda norm, limit: 0 < norm < limit,
        ),
        slip(
            "squared-compared",
            "You compare the squared norm with max_norm.",
            "Take the root before you compare.",
            exceeds=lambda norm, limit: norm**2 > limit,
        ),
        slip(
            "compared-with-one",
            "You scale when the norm is above 1, whatever max_norm is.",
            "Compare the norm with max_norm.",
            exceeds=lambda norm, limit: norm > 1,
        ),
        slip(
            "by-value",
            "You cut each entry to [−max_norm, max_norm]; that is clipping by value.",
            "Multiply all gradients by max_norm / norm.",
            exceeds=always,
            factor=lambda limit, norm: 1.0,
            store=by_value,
        ),
        slip(
            "new-tensors",
            "You put new tensors in place of the gradients; the old ones stay as they were.",
            "Change the tensor itself: p.grad.mul_(factor), or p.grad *= factor.",
            store=new_tensor,
        ),
        slip(
            "result-lost",
            "The gradients stay as they are: what you scale, if anything, is not stored in them.",
            "Change the tensor itself: g.mul_(factor). A product such as g * factor is a new tensor.",
            store=lambda p, factor, limit: None,
        ),
        slip(
            "set-to-zero",
            "You set gradients that are too long to zero, so that nothing is learned in this step.",
            "Multiply all gradients by max_norm / norm.",
            store=lambda p, factor, limit: p.grad.zero_(),
        ),
        slip(
            "scales-first-only",
            "You scale the first gradient only, although the norm is that of all of them.",
            "One factor for all gradients: the return comes after the loop.",
            again=lambda kept, parameters: kept[:1],
        ),
        slip(
            "scales-weights",
            "You scaled the parameters; the gradients are to be scaled.",
            "The gradient of a parameter p is p.grad.",
            store=weight,
        ),
        slip(
            "scales-both",
            "You scaled the parameters beside their gradients.",
            "Leave p itself alone, and scale p.grad.",
            store=both,
        ),
        slip(
            "norm-of-weights",
            "You took the norm of the parameters, not of their gradients.",
            "The gradient of a parameter p is p.grad.",
            of=lambda p: p.detach(),
        ),
        slip(
            "no-max-norm-in-factor",
            "You scaled to norm 1, not to max_norm.",
            FACTOR,
            factor=lambda limit, norm: 1 / norm,
        ),
        slip(
            "factor-upside-down",
            "Your factor is upside down, so large gradients grow.",
            FACTOR,
            factor=lambda limit, norm: norm / limit,
        ),
        slip(
            "no-norm-in-factor",
            "You multiply by max_norm alone; a long gradient stays too long.",
            FACTOR,
            factor=lambda limit, norm: limit,
        ),
        slip(
            "factor-over-square",
            "You divide by the square of the norm.",
            FACTOR,
            factor=lambda limit, norm: limit / norm**2,
        ),
        slip(
            "root-of-factor",
            "Your factor is the root of max_norm / norm, so that a long gradient stays too long.",
            FACTOR,
            factor=lambda limit, norm: math.sqrt(limit / norm),
        ),
        slip(
            "read-once",
            "You walk through the parameters twice; a generator gives them only once.",
            LIST,
            again=lambda kept, parameters: with_gradient(parameters),
        ),
        slip(
            "needs-a-list",
            "Your code needs a list, and a generator has no length and no places.",
            LIST,
            {"chosen": lambda parameters: with_gradient(parameters) if len(parameters) else []},
            {"chosen": lambda ps: with_gradient(ps[i] for i in range(len(ps)))},
        ),
        slip(
            "trips-over-none",
            "Your code assumes that every parameter has a gradient.",
            SKIP,
            {"chosen": squaring},
            *({"chosen": needing(name)} for name in ATTRIBUTES),
            {"again": lambda kept, parameters: needing("mul_")(parameters)},
        ),
        slip(
            "truth-of-a-gradient",
            "`if p.grad:` asks whether the entries are true, and PyTorch says that only of one entry.",
            "Ask whether there is a gradient: if p.grad is not None.",
            chosen=lambda parameters: [p for p in parameters if p.grad],
        ),
        slip(
            "none-becomes-zero",
            "You gave zeros to parameters that had no gradient.",
            "Skip them: an optimiser treats a gradient of zero differently from none.",
            chosen=filled,
        ),
        slip(
            "matrices-only",
            "You left out parameters with fewer than two axes.",
            "Here every gradient counts, those of biases too.",
            chosen=lambda parameters: [p for p in with_gradient(parameters) if p.dim() > 1],
        ),
        slip(
            "first-only",
            "You looked at the first gradient alone.",
            "The joint norm is over all gradients: the return comes after the loop.",
            chosen=lambda parameters: with_gradient(parameters)[:1],
        ),
        slip(
            "last-norm",
            "Your norm is that of the last gradient alone: `=` where a sum is meant.",
            ROOT,
            total=lambda gradients: (norm_of_each(gradients) or [0.0])[-1],
        ),
        slip(
            "sum-of-norms",
            "You added the norms; the joint norm is the root of the sum of all squares.",
            "Add squares, and take one root at the end.",
            total=lambda gradients: sum(norm_of_each(gradients)),
        ),
        slip(
            "mean-of-norms",
            "You took the mean of the norms.",
            ROOT,
            total=lambda gs: sum(norm_of_each(gs)) / max(len(gs), 1),
        ),
        slip(
            "norms-not-squared",
            "You added the norms and took the root of that; their squares are to be added.",
            "Add squares, and take one root at the end.",
            total=lambda gradients: math.sqrt(sum(norm_of_each(gradients))),
        ),
        slip(
            "largest-norm",
            "You took the largest of the norms.",
            ROOT,
            total=lambda gradients: max(norm_of_each(gradients), default=0.0),
        ),
        slip(
            "no-root",
            "The square root is missing.",
            "The norm is the root of the sum of all squares.",
            total=lambda gradients: joint_norm(gradients) ** 2,
        ),
        slip(
            "sum-of-absolute-values",
            "You took the 1-norm.",
            "The 2-norm is the root of the sum of all squares.",
            total=lambda gradients: sum(g.abs().sum().item() for g in gradients),
        ),
        slip(
            "sum-of-entries",
            "You added the entries up, so that their signs cancel.",
            "Square each entry first, and take one root at the end.",
            {"total": lambda gradients: sum(g.sum().item() for g in gradients)},
            {"total": lambda gradients: abs(sum(g.sum().item() for g in gradients))},
        ),
        slip(
            "largest-entry",
            "You took the largest entry.",
            "The 2-norm is the root of the sum of all squares.",
            total=lambda gs: max((g.abs().max().item() for g in gs if g.numel()), default=0.0),
        ),
        slip(
            "root-mean-square",
            "You took the root of a mean of squares.",
            "The norm is the root of the sum of all squares, not of their mean.",
            {"total": root_mean_square},
            {"total": lambda gs: math.sqrt(sum(g.square().mean().item() for g in gs if g.numel()))},
        ),
        slip(
            "fails-for-none",
            "Your code fails when there is no gradient at all.",
            "Return 0.0 when the list of gradients is empty.",
            {"total": lambda gs: torch.cat([g.reshape(-1) for g in gs]).norm().item()},
            {"total": lambda gs: torch.stack([g.norm() for g in gs]).norm().item()},
            {"total": lambda gs: torch.sqrt(sum((g**2).sum() for g in gs)).item()},
            {"total": lambda gs: sum((g**2).sum() for g in gs).sqrt().item()},
            {"total": lambda gs: (sum((g**2).sum() for g in gs) ** 0.5).item()},
            {"total": lambda gs: sum((g**2).sum() for g in gs).item() ** 0.5},
            {
                "total": lambda gs: (
                    torch.cat(gs).norm().item() if gs[0].dim() < 2 else joint_norm(gs)
                )
            },
        ),
        slip(
            "norm-after",
            "You returned the norm after clipping.",
            "Compute the norm once, before the gradients change, and return that.",
            result=lambda norm, kept, factor: joint_norm([p.grad for p in kept]),
        ),
        slip(
            "returns-square",
            "You returned the square of the norm.",
            "Return the root of the sum of all squares.",
            result=lambda norm, kept, factor: norm**2,
        ),
        slip(
            "returns-factor",
            "You returned the factor; the norm before is asked for.",
            "Return the norm that you computed first.",
            result=lambda norm, kept, factor: factor,
        ),
        slip(
            "returns-only-when-clipped",
            "You return the norm only when it is above the limit, and nothing otherwise.",
            "The return stands after the `if`, and not inside of it.",
            result=lambda norm, kept, factor: norm if factor < 1 else None,
        ),
        slip(
            "returns-whether-clipped",
            "You returned whether anything was clipped; the norm before is asked for.",
            "Return the norm that you computed first.",
            result=lambda norm, kept, factor: factor < 1,
        ),
        slip(
            "returns-gradients",
            "You returned the gradients or the parameters; the norm before is asked for.",
            "Return the norm that you computed first; the gradients are changed in place.",
            {"result": lambda norm, kept, factor: [p.grad for p in kept]},
            {"result": lambda norm, kept, factor: kept},
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "Return the norm before clipping.",
            result=lambda norm, kept, factor: None,
        ),
        family(
            "rounded",
            "You rounded the norm to {constant} digits.",
            "Return the number as it is, and round only where it is printed.",
            (3, 2, 1),
            lambda c: {"result": lambda norm, kept, factor: round(norm, c)},
        ),
    ),
)
