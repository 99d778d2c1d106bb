"""Check of a student's own node in the graph, ReLUFunction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _function_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, x: torch.Tensor) -> Case:
        upstream = torch.randn(x.shape, generator=rng, dtype=x.dtype) * 3
        return Case(name, x=x, upstream=upstream)

    yield case("three numbers", torch.tensor([-1.0, 0.0, 2.0]))
    yield case("a matrix", torch.randn(4, 3, generator=rng))
    yield case("a batch in float64", torch.randn(2, 3, 2, generator=rng, dtype=torch.float64))
    yield case("far from zero", torch.tensor([-1e4, -100.0, 100.0, 1e4]))
    yield case("one number", torch.tensor(1.5)).beyond()
    yield case("a transposed matrix", torch.randn(2, 3, generator=rng).t()).beyond()
    yield case("no entries", torch.zeros(0)).beyond()
    nowhere = torch.zeros(2, 3, device="meta")
    yield Case("a tensor on another device", x=nowhere, upstream=nowhere.clone()).beyond()


def _observe_function(function: Any, case: Case) -> Iterator[tuple[str, Any]]:
    leaf = case.x.detach().clone().requires_grad_()
    out = function.apply(leaf)
    yield "value", out
    yield "connected", bool(getattr(out, "requires_grad", False))
    other = function.apply(case.fresh().x + 1)  # a second call before the first one's backward
    (gradient,) = torch.autograd.grad(out, leaf, case.upstream)
    yield "gradient", gradient
    yield "second value", other
    yield "upstream afterwards", case.upstream
    yield "x afterwards", leaf


RELU_AUTOGRAD = Check(
    name="check_relu_autograd",
    lesson="activation_functions",
    topic="ReLUFunction",
    takes=(Argument("ReLUFunction", "class", methods=("forward", "backward", "apply")),),
    cases=_function_cases,
    observe=_observe_function,
    aspects={
        "value": Aspect("ReLUFunction.apply({x})", "The value is wrong.", input="x"),
        "connected": Aspect(
            "ReLUFunction.apply(x).requires_grad, for an x that asks for gradients",
            "Autograd cannot see through your ReLUFunction: its result is cut off from x.",
        ),
        "gradient": Aspect(
            "ReLUFunction.apply({x}).backward({upstream}), and then x.grad",
            "The gradient is wrong.",
            input="x",
        ),
        "second value": Aspect("ReLUFunction.apply({x} + 1)", "The value is wrong.", input="x"),
        "upstream afterwards": Aspect(
            "ReLUFunction.apply({x}).backward(g), and then g",
            "Your backward changed the gradient that it was given.",
        ),
        "x afterwards": Aspect("ReLUFunction.apply(x), and then x", "Your forward changed x."),
    },
    praise="forward and backward fit together, and each call keeps its own mask.",
    reread="Your own node in the graph",
    forbidden=frozenset({"relu"}),
)


def check_relu_autograd(ReLUFunction: Any) -> None:
    """Check `ReLUFunction(torch.autograd.Function)` with `forward(ctx, x)` and
    `backward(ctx, grad_output)`; differentiable once is enough.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.relu_autograd import ReLUFunction
    >>> check_relu_autograd(ReLUFunction)
    ✓ ReLUFunction — forward and backward fit together, and each call keeps its own mask.
    """
    run_check(RELU_AUTOGRAD, ReLUFunction)
