"""Check of one step of gradient descent with weight decay, over several steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

STEPS = 5


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    def case(
        name: str,
        *weights: torch.Tensor,
        lr: float = 0.3,
        decay: float | None = 0.2,
        without: tuple[int, ...] = (),
        frozen: tuple[int, ...] = (),
        lazy: bool = False,
        grads: list[torch.Tensor] | None = None,
    ) -> Case:
        if grads is None:
            grads = [draw(STEPS, *w.shape, dtype=w.dtype) for w in weights]
        options = f"lr={lr:g}" + ("" if decay is None else f", weight_decay={decay:g}")
        return Case(
            name,
            weights=list(weights),
            grads=grads,
            lr=lr,
            decay=decay,
            without=without + frozen,
            frozen=frozen,
            lazy=lazy,
            options=options,
        )

    double = torch.float64
    w, zeros = torch.tensor([1.0, -2.0]), torch.zeros(STEPS, 2)
    yield case("a gradient and weight decay", w, grads=[zeros + torch.tensor([2.0, 4.0])])
    gradient = (zeros + torch.tensor([2.0, 4.0])).double()
    yield case("without weight decay", w.double(), decay=None, grads=[gradient])
    yield case("a gradient of zeros and weight decay", w, grads=[zeros])
    yield case("weight and bias", draw(2, 3), draw(2))
    yield case("a parameter without a gradient", draw(2), draw(3), draw(2, 2), without=(1,))
    yield case("a frozen parameter", draw(3), draw(2), frozen=(1,))
    yield case("float64, large weights", draw(3, dtype=double) + 1000, lr=0.01, decay=3.0)
    yield case("parameters that can be read only once", draw(2, 2), draw(2), lazy=True).beyond()
    yield case(
        "one number, a transposed matrix, no entries", draw(), draw(2, 3).t(), draw(0)
    ).beyond()
    yield case("NumPy's numbers", draw(4), lr=np.float64(0.25), decay=np.float64(0.5)).beyond()
    yield case("an int as step size", draw(3), lr=1, decay=0).beyond()
    yield case("no parameters").beyond()


def _observe(sgd_step: Any, case: Case) -> Iterator[tuple[str, Any]]:
    leaves = [
        weight.detach().requires_grad_(i not in case.frozen)
        for i, weight in enumerate(case.weights)
    ]
    options = {"lr": case.lr} | ({} if case.decay is None else {"weight_decay": case.decay})
    gradients: list[torch.Tensor] = []
    for step in range(STEPS):
        for i, leaf in enumerate(leaves):
            leaf.grad = None if i in case.without else case.grads[i][step].clone()
        gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
        sgd_step((p for p in leaves) if case.lazy else leaves, **options)
        if step == 0:
            yield "after one step", _flat(leaves)
            yield "gradients afterwards", _flat(gradients)
            yield "grad afterwards", _which(leaf.grad is None for leaf in leaves)
    yield "after five steps", _flat(leaves)
    yield "leaves", _which(leaf.grad_fn is not None for leaf in leaves)
    yield "trained", _which(not leaf.requires_grad for leaf in leaves)


def _flat(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([t.detach().flatten() for t in tensors]) if tensors else torch.zeros(0)


def _which(flags: Iterator[bool]) -> str:
    found = [str(i) for i, flag in enumerate(flags) if flag]
    return "positions " + ", ".join(found) if found else "none"


CALL = "sgd_step({weights}, {options})"

SGD_STEP = Check(
    name="check_sgd_step",
    lesson="weight_decay",
    topic="SGD with weight decay",
    takes=(Argument("sgd_step"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "after one step": Aspect(CALL, "The parameters are wrong after one step."),
        "gradients afterwards": Aspect(
            f"{CALL}, and then the gradients", "Your code changed the gradients."
        ),
        "grad afterwards": Aspect(
            f"{CALL}, and then which parameters have no gradient",
            "Your code took gradients away or made new ones.",
        ),
        "after five steps": Aspect(
            f"five times {CALL}, with a new gradient each time",
            "The parameters are wrong after five steps.",
        ),
        "leaves": Aspect(
            f"{CALL}, and then which parameters have a grad_fn",
            "Your code records the step in the graph.",
        ),
        "trained": Aspect(
            f"{CALL}, and then which parameters are frozen",
            "Your code changed which parameters are trained.",
        ),
    },
    praise="the same as torch.optim.SGD, step after step, in place.",
    reread="Weight decay is a step",
    forbidden=frozenset({"sgd"}),
)


def check_sgd_step(sgd_step: Callable[..., Any]) -> None:
    """Check `sgd_step(parameters, lr, weight_decay=0.0)`: in place, as `torch.optim.SGD`.

    Judged over five steps. Parameters without a gradient are left alone, also by weight decay;
    gradients are left as they are; nothing is recorded in the graph.

    Noted, not counted: parameters that can be read only once, of no axes, of no entries or
    transposed, and settings that are NumPy's numbers or ints.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_decay.sgd_step import RIGHT
    >>> check_sgd_step(RIGHT)
    ✓ SGD with weight decay — the same as torch.optim.SGD, step after step, in place.
    """
    run_check(SGD_STEP, sgd_step)
