"""Check of the single affine map that equals a stack of linear layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

BOTH = ("weights", "biases")


def _linear_cases(rng: torch.Generator) -> Iterator[Case]:
    def stack(
        name: str, *sizes: int, dtype: torch.dtype = torch.float32, lazy: bool = False
    ) -> Case:
        pairs = list(zip(sizes[1:], sizes[:-1], strict=True))  # (out, in) of each layer
        return Case(
            name,
            weights=[torch.randn(o, i, generator=rng, dtype=dtype) for o, i in pairs],
            biases=[torch.randn(o, generator=rng, dtype=dtype) for o, _ in pairs],
            lazy=lazy,
        )

    yield Case(
        "two layers",
        weights=[
            torch.tensor([[1.0, 2.0], [0.0, 1.0], [-1.0, 3.0]]),
            torch.tensor([[2.0, 0.0, 1.0], [1.0, -1.0, 3.0]]),
        ],
        biases=[torch.tensor([1.0, -2.0, 0.5]), torch.tensor([3.0, -1.0])],
        lazy=False,
    )
    yield stack("two square layers", 2, 2, 2)
    yield stack("three layers of different widths", 4, 3, 5, 2)
    yield stack("one layer", 2, 3)
    yield stack("five layers in float64", 3, 4, 4, 2, 4, 3, dtype=torch.float64)
    large = stack("entries around 1000", 3, 2, 2).data
    yield Case(
        "entries around 1000", **{**large, **{k: [1000 + t for t in large[k]] for k in BOTH}}
    )
    yield stack("weights and biases that can be read once", 3, 2, 2, lazy=True).beyond()
    there = stack("tensors on another device", 3, 2, 2).data
    away = {key: [t.to("meta") for t in there[key]] for key in BOTH}
    yield Case("tensors on another device", **{**there, **away}).beyond()


def _observe_collapse(collapse: Any, case: Case) -> Iterator[tuple[str, Any]]:
    weights = [w.requires_grad_() for w in case.weights]
    biases = [b.requires_grad_() for b in case.biases]
    if case.lazy:
        result = collapse((w for w in weights), (b for b in biases))
    else:
        result = collapse(weights, biases)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    weight, bias = result
    yield "W", weight
    yield "b", bias
    yield "connected", bool(weight.requires_grad and bias.requires_grad)
    factors = torch.arange(1.0, weight.numel() + 1, device=weight.device).view(weight.shape)
    total = (weight * factors).sum() + bias.sum()
    leaves = weights + biases
    found = torch.autograd.grad(total, leaves, allow_unused=True)
    gradients = [
        torch.zeros_like(t) if g is None else g for g, t in zip(found, leaves, strict=True)
    ]
    yield "gradient", torch.cat([g.flatten() for g in gradients])
    yield "lengths afterwards", f"{len(weights)} weights and {len(biases)} biases"
    yield "weights afterwards", torch.cat([t.detach().flatten() for t in weights + biases])


COLLAPSE = Check(
    name="check_collapse_linear_layers",
    lesson="activation_functions",
    topic="a stack of linear layers",
    takes=(Argument("collapse_linear_layers"),),
    cases=_linear_cases,
    observe=_observe_collapse,
    aspects={
        "results": Aspect(
            "collapse_linear_layers(weights, biases)", "Two results are expected, W and b."
        ),
        "W": Aspect(
            "W, b = collapse_linear_layers({weights}, {biases}), and then W", "W is wrong."
        ),
        "b": Aspect(
            "W, b = collapse_linear_layers({weights}, {biases}), and then b", "b is wrong."
        ),
        "connected": Aspect(
            "W.requires_grad and b.requires_grad", "Autograd cannot see through your function."
        ),
        "gradient": Aspect(
            "the gradients of W and b with respect to all weights and biases",
            "A gradient is wrong.",
            of_largest=True,
        ),
        "lengths afterwards": Aspect(
            "collapse_linear_layers(weights, biases), and then their lengths",
            "Your code changed the lists that it was given.",
        ),
        "weights afterwards": Aspect(
            "collapse_linear_layers(weights, biases), and then their entries",
            "Your code changed the tensors that it was given.",
        ),
    },
    praise="however deep, a stack of linear layers is one linear layer.",
    reread="Why a network needs a bend",
)


def check_collapse_linear_layers(collapse_linear_layers: Callable[..., Any]) -> None:
    """Check `collapse_linear_layers(weights, biases) -> (W, b)`: the single affine map equal to
    a stack of linear layers; weights (out, in) and biases (out,), first layer first.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.collapse_linear_layers import (
    ...     collapse_linear_layers,
    ... )
    >>> check_collapse_linear_layers(collapse_linear_layers)
    ✓ a stack of linear layers — however deep, a stack of linear layers is one linear layer.
    """
    run_check(COLLAPSE, collapse_linear_layers)
