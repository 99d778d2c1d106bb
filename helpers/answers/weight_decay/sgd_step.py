"""One step of SGD with weight decay: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from itertools import takewhile
from typing import Any

import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
Tensors = Iterable[Tensor]


def reference(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    """torch.optim.SGD."""
    listed = list(parameters)
    if listed:
        torch.optim.SGD(listed, lr=float(lr), weight_decay=float(weight_decay)).step()


def sgd(
    chosen: Any = lambda ps: ps,
    skips: Any = lambda p: p.grad is None,
    decay: Any = lambda w, g, wd: wd * w,
    step: Any = lambda p, lr, decay: lr * (p.grad + decay(p)),
    move: Any = lambda p, s: p - s,
    write: Any = lambda p, new: p.copy_(new),
    unrecorded: Any = torch.no_grad,
    afterwards: Any = lambda p: None,
    default_decay: float = 0.0,
) -> Callable[..., Any]:
    """SGD with weight decay from its parts: p is moved by lr times gradient and decay."""

    def sgd_step(parameters: Tensors, lr: float, weight_decay: float = default_decay) -> Any:
        with unrecorded():
            for p in chosen(parameters):
                if skips(p):
                    continue
                s = step(p, lr, lambda w, p=p: decay(w, p.grad, weight_decay))
                write(p, move(p, s))
                afterwards(p)

    return sgd_step


RIGHT = sgd()


def with_new(update: Callable[..., Any]) -> Callable[..., None]:
    """A step that sets each parameter to update(w, g, lr, weight_decay)."""

    @torch.no_grad()
    def step(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
        for p in parameters:
            if p.grad is not None:
                p.copy_(update(p, p.grad, lr, weight_decay))

    return step


@torch.no_grad()
def _decays_first(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p.mul_(1 - lr * weight_decay)
            p -= lr * p.grad


def _on_data(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p.data.add_(p.grad.data + weight_decay * p.data, alpha=-float(lr))


@torch.no_grad()
def _rebinds(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p.data = p.data - lr * (p.grad + weight_decay * p.data)


@torch.no_grad()
def _as_an_optimiser(params: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    """As optimisers print it: the decay goes into a new d_p, where there is any."""
    for param in params:
        if param.grad is None:
            continue
        d_p = param.grad
        if weight_decay != 0:
            d_p = d_p.add(param, alpha=weight_decay)
        param.add_(d_p, alpha=-lr)


@torch.no_grad()
def _reads_twice(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p *= 1 - lr * weight_decay
    for p in parameters:
        if p.grad is not None:
            p -= lr * p.grad


def _norm(p: Tensor) -> Tensor:
    return torch.linalg.vector_norm(p)


def _changes_gradient(p: Tensor, lr: float, decay: Any) -> Tensor:
    assert p.grad is not None
    p.grad += decay(p)
    return lr * p.grad


def _after_the_step(p: Tensor, lr: float, decay: Any) -> Tensor:
    return lr * p.grad + lr * decay(p - lr * p.grad)  # type: ignore[operator]


def _zeros_if_none(p: Tensor, lr: float, decay: Any) -> Tensor:
    return lr * ((torch.zeros_like(p) if p.grad is None else p.grad) + decay(p))


def _without_asking(step: Any) -> dict[str, Any]:
    return {"skips": lambda p: False, "step": step}


def _sets_none(p: Tensor) -> None:
    p.grad = None


def _decays(rule: Any) -> dict[str, Any]:
    return {"decay": rule}


ANSWERS = Answers(
    recipe=Recipe(sgd),
    reference=reference,
    variants={
        "by hand": RIGHT,
        "the decay first": _decays_first,
        "on .data, in place": _on_data,
        "a new tensor put into .data": _rebinds,
        "both factors": with_new(lambda w, g, lr, wd: (1 - lr * wd) * w - lr * g),
        "as an optimiser prints it: d_p with alpha": _as_an_optimiser,
    },
    slips=(
        slip(
            "reads-twice",
            "You loop over the parameters twice, and a generator is empty the second time.",
            "Do everything in one loop, or begin with parameters = list(parameters).",
            {"chosen": lambda ps: (list(ps), list(ps))[1]},
            {"whole": _reads_twice},
        ),
        slip(
            "needs-a-list",
            "Your code needs a list, and model.parameters() is an iterable without a length.",
            "Loop with for p in parameters.",
            {"chosen": lambda ps: [ps[i] for i in range(len(ps))]},
            {"chosen": lambda ps: ps[:]},
        ),
        slip(
            "ignores-weight-decay",
            "Your step does not use weight_decay.",
            "The gradient of ½λ‖w‖² is λw; add it to the gradient.",
            _decays(lambda w, g, wd: 0 * w),
        ),
        slip(
            "factor-two",
            "Your decay is twice too strong: that is the gradient of λ‖w‖².",
            "weight_decay=λ belongs to ½λ‖w‖², whose gradient is λw.",
            _decays(lambda w, g, wd: 2 * wd * w),
        ),
        slip(
            "half-decay",
            "Your decay is half as strong as it should be: a ½ is left in the gradient.",
            "Differentiate ½λw²: the 2 of the square cancels the ½.",
            _decays(lambda w, g, wd: 0.5 * wd * w),
        ),
        slip(
            "grows-weights",
            "Your decay has the wrong sign, so it makes the weights grow.",
            "The penalty's gradient is +λw, and the step subtracts it.",
            _decays(lambda w, g, wd: -wd * w),
        ),
        slip(
            "decays-by-sign",
            "You subtract λ·sign(w), the step of the L1 penalty.",
            "The gradient of ½λw² is λw: large weights shrink more.",
            _decays(lambda w, g, wd: wd * w.sign()),
        ),
        slip(
            "decays-by-size",
            "Your decay has the sign +, whatever the sign of the weight.",
            "The gradient of ½λw² is λw, which is negative for a negative weight.",
            _decays(lambda w, g, wd: wd * w.abs()),
            _decays(lambda w, g, wd: wd * w**2),
            _decays(lambda w, g, wd: 0.5 * wd * w**2),
        ),
        slip(
            "subtracts-a-number",
            "You subtract the same number from every weight.",
            "Each weight shrinks in proportion to itself: λw.",
            _decays(lambda w, g, wd: wd * _norm(w)),
            _decays(lambda w, g, wd: 0 * w + wd),
            _decays(lambda w, g, wd: wd * w.sum()),
            _decays(lambda w, g, wd: 0.5 * wd * (w**2).sum()),
            _decays(lambda w, g, wd: wd * (w**2).sum()),
        ),
        slip(
            "unit-direction",
            "You took the gradient of the norm ‖w‖, and the squared norm is meant.",
            "The gradient of ½λ‖w‖² is λw, without a division.",
            _decays(lambda w, g, wd: wd * w / _norm(w)),
        ),
        slip(
            "scaled-decay",
            "You multiply the gradient by weight_decay, where the weight is meant.",
            "Weight decay multiplies w, also when the gradient is 0.",
            _decays(lambda w, g, wd: wd * (0 * w if g is None else g)),
        ),
        slip(
            "decay-squared",
            "You square weight_decay.",
            "The gradient of ½λw² is λw: λ stands there once.",
            _decays(lambda w, g, wd: wd**2 * w),
        ),
        slip(
            "skips-biases",
            "You decay only tensors with two axes or more.",
            "torch.optim.SGD decays everything it is given; the caller sorts the parameters.",
            _decays(lambda w, g, wd: (wd if w.dim() > 1 else 0) * w),
        ),
        slip(
            "decay-without-lr",
            "You subtract weight_decay·w without the step size.",
            "In SGD the decay is part of the gradient, so lr multiplies it too.",
            step=lambda p, lr, decay: lr * p.grad + decay(p),
        ),
        slip(
            "decay-with-lr-twice",
            "Your decay is multiplied by the step size twice.",
            "Write w − lr·(g + λw): lr stands before the bracket only.",
            step=lambda p, lr, decay: lr * (p.grad + lr * decay(p)),
        ),
        slip(
            "gradient-without-lr",
            "You subtract the gradient without the step size.",
            "lr multiplies both: w − lr·(g + λw).",
            step=lambda p, lr, decay: p.grad + lr * decay(p),
        ),
        slip(
            "no-lr",
            "Your step does not use lr.",
            "The step is lr·(g + λw).",
            step=lambda p, lr, decay: p.grad + decay(p),
        ),
        slip(
            "no-gradient",
            "Your step does not use the gradient: it only decays.",
            "Add p.grad to the decay, and multiply both by lr.",
            step=lambda p, lr, decay: lr * decay(p),
        ),
        slip(
            "decay-after-step",
            "You decay the weight after the step, so that the step is decayed too.",
            "Use the weight from before the step in both terms.",
            step=_after_the_step,
        ),
        slip(
            "decays-the-result",
            "You multiply the result of the step by 1 − weight_decay, without the step size.",
            "(1 − lr·λ) multiplies the weight from before the step, and not the gradient.",
            decay=lambda w, g, wd: wd * w,
            step=lambda p, lr, decay: lr * p.grad + decay(p - lr * p.grad),
        ),
        slip(
            "uphill",
            "Your step adds the gradient, and so goes uphill.",
            "Subtract: w − lr·(g + λw).",
            {"move": lambda p, s: p + s},
            {"step": lambda p, lr, decay: lr * (decay(p) - p.grad)},
        ),
        slip(
            "only-the-step",
            "You put the step into the parameter, in place of the parameter minus the step.",
            "Subtract: p -= lr * (...).",
            move=lambda p, s: s,
        ),
        slip(
            "leaves-parameters",
            "Your code leaves the parameters as they were: it computes new tensors.",
            "In place is meant: inside torch.no_grad(), write p -= ..., and not p = p - ...",
            write=lambda p, new: None,
        ),
        slip(
            "skips-zero-gradients",
            "You skip parameters whose gradient is all zeros, and they have to decay.",
            "Ask whether p.grad is None, not whether it is zero.",
            skips=lambda p: p.grad is None or not p.grad.any(),
        ),
        slip(
            "decays-without-gradient",
            "You decay parameters that have no gradient.",
            "As in PyTorch, a parameter whose grad is None is left alone.",
            _without_asking(_zeros_if_none),
        ),
        slip(
            "needs-gradients",
            "Your code breaks on a parameter whose grad is None.",
            "Begin the loop with: if p.grad is None: continue.",
            {"skips": lambda p: False},
            _without_asking(lambda p, lr, decay: lr * p.grad + lr * decay(p)),
            _without_asking(lambda p, lr, decay: lr * (decay(p) + p.grad)),
            _without_asking(lambda p, lr, decay: lr * (p.grad.data + decay(p))),
            _without_asking(lambda p, lr, decay: lr * p.grad.add(decay(p))),
        ),
        slip(
            "stops-at-none",
            "Your loop ends at the first parameter without a gradient.",
            "Use continue, which goes on to the next one, and not break or return.",
            chosen=lambda ps: takewhile(lambda p: p.grad is not None, ps),
        ),
        slip(
            "first-only",
            "Your code changes the first parameter only.",
            "Look whether a return stands inside the loop.",
            chosen=lambda ps: list(ps)[:1],
        ),
        slip(
            "changes-gradients",
            "You add the decay to p.grad itself, so the next backward() adds to it.",
            "Make a new tensor: p.grad + weight_decay * p.",
            step=_changes_gradient,
        ),
        slip(
            "clears-gradients",
            "You set the gradients to zero, which is the business of zero_grad().",
            "Leave p.grad as it is.",
            afterwards=lambda p: p.grad.zero_(),
        ),
        slip(
            "removes-gradients",
            "You set p.grad to None, which is the business of zero_grad().",
            "Leave p.grad as it is.",
            afterwards=_sets_none,
        ),
        slip(
            "freezes",
            "You switch requires_grad off and leave it so: the model stops learning.",
            "Use torch.no_grad() instead.",
            afterwards=lambda p: p.requires_grad_(False),
        ),
        slip(
            "in-the-graph",
            "You change a parameter in place while autograd is recording, which it refuses.",
            "Put the loop inside with torch.no_grad().",
            {"unrecorded": nullcontext},
        ),
        family(
            "other-default",
            "Your default for weight_decay is {constant}, and 0 is meant.",
            "Keep the signature of the skeleton.",
            (0.01, 0.001, 1e-4, 5e-4, 0.1, 1.0),
            lambda c: {"default_decay": c},
        ),
    ),
)
