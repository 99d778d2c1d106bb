"""Check of clipping the gradients by their joint norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check

Gradients = list[torch.Tensor | None]


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    def case(name: str, gradients: Gradients, max_norm: float, lazy: bool = False) -> Case:
        return Case(name, gradients=gradients, max_norm=max_norm, lazy=lazy)

    weight, bias, last = torch.tensor([[2.0, -1.0]]), torch.tensor([3.0, -3.0]), torch.tensor([1.0])
    yield case("a weight and two biases", [weight, bias, last], 1.5)
    yield case("a norm below the limit", [torch.tensor([0.3, -0.4]), torch.tensor([1.2])], 2.0)
    yield case("a norm of 5, a limit of 10", [torch.tensor([3.0, 4.0])], 10.0)
    yield case("a norm of 0.5, a limit of 1", [torch.tensor([0.3, 0.4])], 1.0)
    yield case("a parameter without a gradient", [None, draw(3) + 2, None, draw(2, 2)], 0.5)
    yield case("a generator of parameters", [draw(2, 3) + 1, draw(2) - 1], 0.7, lazy=True)
    yield case("gradients that are all zero", [torch.zeros(2), torch.zeros(2, 2)], 1.0)
    yield case("float64", [draw(3, dtype=torch.float64), draw(2, 2, dtype=torch.float64) * 4], 0.3)
    yield case("gradients near 1000", [1000 + draw(4, 3), 1000 + draw(5)], 1.0)
    yield case("only parameters without a gradient", [None, None], 1.0)
    yield case("no parameters", [], 1.0).beyond()
    yield case("a 0-d gradient", [torch.tensor(-3.0), draw(2)], 0.25).beyond()
    yield case("an empty gradient", [torch.zeros(0), draw(2) + 3], 0.25).beyond()
    yield case("a whole number as limit", [draw(3) * 4 + 9, draw(2, 3, 2)], 3).beyond()
    yield case("a limit of 0", [draw(2) + 1, draw(3)], 0.0).beyond()
    yield case("no limit at all", [draw(2) + 1, draw(3)], float("inf")).beyond()
    yield case("zeros and no limit", [torch.zeros(3)], float("inf")).beyond()
    yield case("a transposed gradient", [draw(2, 3).t(), draw(4)], 0.4).beyond()
    yield case("gradients near 1e25", [(draw(3) + 4) * 1e25, draw(2)], 0.5).beyond()


def _observe(clip_gradient_norm: Any, case: Case) -> Iterator[tuple[str, Any]]:
    parameters = []
    for gradient in case.gradients:
        size = gradient.shape if gradient is not None else (2,)
        dtype = gradient.dtype if gradient is not None else torch.float32
        parameter = nn.Parameter(torch.ones(size, dtype=dtype))
        parameter.grad = gradient
        parameters.append(parameter)
    held = [p.grad for p in parameters]  # the very tensors, as an optimiser may hold them
    given = (p for p in parameters) if case.lazy else parameters
    yield "norm", clip_gradient_norm(given, case.max_norm)
    yield "gradients", _flat(p.grad for p in parameters)
    yield "gradients that were there before", _flat(held)
    yield "which have gradients", " ".join("no" if p.grad is None else "yes" for p in parameters)
    yield "parameters afterwards", _flat(parameters)
    yield "number of parameters", len(parameters)
    yield "norm again", clip_gradient_norm(parameters, case.max_norm)
    yield "gradients again", _flat(p.grad for p in parameters)


def _flat(tensors: Any) -> torch.Tensor:
    parts = [t.detach().flatten() for t in tensors if t is not None]
    return torch.cat(parts) if parts else torch.zeros(0)


CALL = "clip_gradient_norm(parameters with the gradients {gradients}, {max_norm})"
LOOSE: dict[str, Any] = {"rtol": 2e-5, "atol": 1e-6}
"""PyTorch adds 1e-6 to the norm before it divides; with that or without it an answer is right."""

CLIPPING = Check(
    name="check_clip_gradient_norm",
    lesson="vanishing_gradients",
    topic="gradient clipping",
    takes=(Argument("clip_gradient_norm"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "norm": Aspect(CALL, "The norm that is returned is wrong.", **LOOSE),
        "gradients": Aspect(f"{CALL}, and then the gradients", "The gradients are wrong.", **LOOSE),
        "gradients that were there before": Aspect(
            f"{CALL}, and then the gradient tensors that were there before the call",
            "The gradient tensors themselves are to be changed, and yours are not.",
            **LOOSE,
        ),
        "which have gradients": Aspect(
            f"{CALL}, and then for each parameter: does it have a gradient?",
            "Your code added or removed gradients.",
        ),
        "parameters afterwards": Aspect(
            f"{CALL}, and then the parameters", "Your code changed the parameters."
        ),
        "number of parameters": Aspect(
            f"{CALL}, and then len(parameters)", "Your code changed the list that it was given."
        ),
        "norm again": Aspect(
            f"{CALL}, a second time", "The norm that a second call returns is wrong.", **LOOSE
        ),
        "gradients again": Aspect(
            f"{CALL}, a second time, and then the gradients",
            "The gradients are wrong after a second call.",
            **LOOSE,
        ),
    },
    praise="one norm over all gradients, one factor for all of them, and never up.",
    reread="When one step is too long: clipping",
    forbidden=frozenset({"clip_grad_norm"}),
)


def check_clip_gradient_norm(clip_gradient_norm: Callable[..., float]) -> None:
    """Check `clip_gradient_norm(parameters, max_norm) -> float`: scales all gradients in place so
    that their joint 2-norm is at most `max_norm`, never up, and returns the norm before, 0.0 where
    no parameter has a gradient (Pascanu, Mikolov and Bengio 2013).

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.vanishing_gradients.clip_gradient_norm import clip_gradient_norm
    >>> check_clip_gradient_norm(clip_gradient_norm)
    ✓ gradient clipping — one norm over all gradients, one factor for all of them, and never up.
    """
    run_check(CLIPPING, clip_gradient_norm)
