"""One step of SGD with weight decay: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from helpers.checking.check import Answers, Misconception

Tensors = Iterable[torch.Tensor]


def sgd_step(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    listed = list(parameters)
    if listed:
        torch.optim.SGD(listed, lr=float(lr), weight_decay=float(weight_decay)).step()


def _with_new(update: Callable[..., Any]) -> Callable[..., None]:
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
def _returns_new(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> Any:
    return [p if p.grad is None else p - lr * (p.grad + weight_decay * p) for p in parameters]


@torch.no_grad()
def _in_gradient(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p.grad.add_(weight_decay * p)
            p -= lr * p.grad


def _clears(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    listed = list(parameters)
    RIGHT(listed, lr, weight_decay)
    for p in listed:
        if p.grad is not None:
            p.grad.zero_()


def _sets_none(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    listed = list(parameters)
    RIGHT(listed, lr, weight_decay)
    for p in listed:
        p.grad = None


@torch.no_grad()
def _decays_all(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        gradient = 0.0 if p.grad is None else p.grad
        p -= lr * (gradient + weight_decay * p)


@torch.no_grad()
def _needs_gradients(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        p -= lr * (p.grad + weight_decay * p)  # type: ignore[operator]


@torch.no_grad()
def _stops_at_none(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is None:
            break
        p -= lr * (p.grad + weight_decay * p)


@torch.no_grad()
def _reads_twice(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p *= 1 - lr * weight_decay
    for p in parameters:
        if p.grad is not None:
            p -= lr * p.grad


def _needs_list(parameters: Any, lr: float, weight_decay: float = 0.0) -> None:
    RIGHT([parameters[i] for i in range(len(parameters))], lr, weight_decay)


def _with_graph(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p -= lr * (p.grad + weight_decay * p)


def _freezes(parameters: Tensors, lr: float, weight_decay: float = 0.0) -> None:
    for p in parameters:
        if p.grad is not None:
            p.requires_grad_(False)
            p -= lr * (p.grad + weight_decay * p)


def _norm(p: torch.Tensor) -> torch.Tensor:
    return torch.linalg.vector_norm(p)


RIGHT = _with_new(lambda w, g, lr, wd: w - lr * (g + wd * w))

ANSWERS = Answers(
    reference=sgd_step,
    variants={
        "by hand": RIGHT,
        "the decay first": _decays_first,
        "on .data, in place": _on_data,
        "a new tensor put into .data": _rebinds,
        "both factors": _with_new(lambda w, g, lr, wd: (1 - lr * wd) * w - lr * g),
    },
    misconceptions=(
        Misconception(
            "ignores-weight-decay",
            _with_new(lambda w, g, lr, wd: w - lr * g),
            "Your step does not use weight_decay.",
            "The gradient of ½λ‖w‖² is λw; add it to the gradient.",
        ),
        Misconception(
            "decay-without-lr",
            _with_new(lambda w, g, lr, wd: w - lr * g - wd * w),
            "You subtract weight_decay·w without the step size.",
            "In SGD the decay is part of the gradient, so lr multiplies it too.",
        ),
        Misconception(
            "factor-two",
            _with_new(lambda w, g, lr, wd: w - lr * (g + 2 * wd * w)),
            "Your decay is twice too strong: you took the gradient of λ‖w‖².",
            "weight_decay=λ belongs to ½λ‖w‖², whose gradient is λw.",
        ),
        Misconception(
            "half-decay",
            _with_new(lambda w, g, lr, wd: w - lr * (g + 0.5 * wd * w)),
            "Your decay is half as strong as it should be: you kept the ½ in the gradient.",
            "Differentiate ½λw²: the 2 of the square cancels the ½.",
        ),
        Misconception(
            "decay-after-step",
            _with_new(lambda w, g, lr, wd: (w - lr * g) * (1 - lr * wd)),
            "You decay the weight after the step, so that the step is decayed too.",
            "Use the weight from before the step in both terms.",
        ),
        Misconception(
            "wrong-direction",
            _with_new(lambda w, g, lr, wd: w + lr * (g + wd * w)),
            "Your step goes uphill.",
            "Subtract: w − lr·(g + λw).",
        ),
        Misconception(
            "grows-weights",
            _with_new(lambda w, g, lr, wd: w - lr * (g - wd * w)),
            "Your decay has the wrong sign, so it makes the weights grow.",
            "The penalty's gradient is +λw, and the step subtracts it.",
        ),
        Misconception(
            "decays-by-sign",
            _with_new(lambda w, g, lr, wd: w - lr * (g + wd * w.sign())),
            "You subtract λ·sign(w), the step of the L1 penalty.",
            "The gradient of ½λw² is λw: large weights shrink more.",
        ),
        Misconception(
            "decays-by-norm",
            _with_new(lambda w, g, lr, wd: w - lr * (g + wd * _norm(w))),
            "You subtract the same number, λ times the norm, from every weight.",
            "Each weight shrinks in proportion to itself: λw.",
        ),
        Misconception(
            "unit-direction",
            _with_new(lambda w, g, lr, wd: w - lr * (g + wd * w / _norm(w).clamp(min=1e-12))),
            "You took the gradient of the norm ‖w‖, and the squared norm is meant.",
            "The gradient of ½λ‖w‖² is λw, without a division.",
        ),
        Misconception(
            "scaled-decay",
            _with_new(lambda w, g, lr, wd: w - lr * (g + wd * g)),
            "You multiply the gradient by weight_decay, where the weight is meant.",
            "Weight decay multiplies w, also when the gradient is 0.",
        ),
        Misconception(
            "skips-zero-gradients",
            _with_new(lambda w, g, lr, wd: w - lr * (g + wd * w) if g.any() else w),
            "You skip parameters whose gradient is all zeros, and they have to decay.",
            "Ask whether p.grad is None, not whether it is zero.",
        ),
        Misconception(
            "skips-biases",
            _with_new(lambda w, g, lr, wd: w - lr * (g + (wd if w.dim() > 1 else 0) * w)),
            "You decay only tensors with two axes or more.",
            "torch.optim.SGD decays everything it is given; the caller sorts the parameters.",
        ),
        Misconception(
            "decays-without-gradient",
            _decays_all,
            "You decay parameters that have no gradient.",
            "As in PyTorch, a parameter whose grad is None is left alone.",
        ),
        Misconception(
            "needs-gradients",
            _needs_gradients,
            "Your code breaks on a parameter whose grad is None.",
            "Begin the loop with: if p.grad is None: continue.",
        ),
        Misconception(
            "stops-at-none",
            _stops_at_none,
            "Your loop ends at the first parameter without a gradient.",
            "Use continue, which goes on to the next one, and not break or return.",
        ),
        Misconception(
            "returns-new",
            _returns_new,
            "Your function computes new tensors and leaves the parameters as they were.",
            "In place is meant: inside torch.no_grad(), write p -= ...",
        ),
        Misconception(
            "changes-gradients",
            _in_gradient,
            "You add the decay to p.grad itself, so the next backward() adds to it.",
            "Make a new tensor: p.grad + weight_decay * p.",
        ),
        Misconception(
            "clears-gradients",
            _clears,
            "You set the gradients to zero, which is the business of zero_grad().",
            "Leave p.grad as it is.",
        ),
        Misconception(
            "removes-gradients",
            _sets_none,
            "You set p.grad to None, which is the business of zero_grad().",
            "Leave p.grad as it is.",
        ),
        Misconception(
            "reads-twice",
            _reads_twice,
            "You loop over the parameters twice, and a generator is empty the second time.",
            "Do everything in one loop, or begin with parameters = list(parameters).",
        ),
        Misconception(
            "needs-a-list",
            _needs_list,
            "Your code needs a list, and model.parameters() is an iterable without a length.",
            "Loop with for p in parameters.",
        ),
        Misconception(
            "in-the-graph",
            _with_graph,
            "You change a parameter in place while autograd is recording, which it refuses.",
            "Put the loop inside with torch.no_grad().",
        ),
        Misconception(
            "freezes",
            _freezes,
            "You switch requires_grad off and leave it so: the model stops learning.",
            "Use torch.no_grad() instead.",
        ),
    ),
)
