"""Check of apply_max_norm: long rows are cut to a length, in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checking.case import show


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def rows(*lengths: float, columns: int = 3, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        weight = torch.randn(len(lengths), columns, generator=rng, dtype=dtype)
        factor: torch.Tensor = torch.tensor(lengths)[:, None] / weight.norm(dim=1, keepdim=True)
        return weight * factor.to(dtype)

    def case(name: str, weight: torch.Tensor, max_norm: Any, held: str = "tensor") -> Case:
        data = {"weight": weight, "max_norm": max_norm, "held": held, "named": "weight"}
        data["given"] = show(weight, "weight")
        if held == "data":
            data["given"], data["named"] = "layer.weight.data", "layer.weight"
        gradient = torch.randn(weight.shape, generator=rng, dtype=weight.dtype) * 10
        return Case(name, gradient=gradient, **data)

    yield case("a long row and a short one", rows(5.0, 0.5, columns=2), 2.0)
    yield case("all rows are short", rows(0.5, 1.3, 0.25), 1.8)
    yield case("a row of zeros", rows(0.0, 4.0, 0.3), 1.0)
    yield case("all rows are long", rows(3.0, 40.0, columns=4), 0.5)
    yield case("a parameter with a gradient", rows(2.0, 0.1, 3.0, columns=2), 1.0, "parameter")
    yield case("float64", rows(2.0, 0.5, dtype=torch.float64), 0.9)
    yield case("rows from 0.05 to 100 long", rows(0.05, 1.0, 100.0, 9.0, columns=5), 0.7)
    yield case("a layer's weight.data", rows(2.0, 0.5, 4.0, columns=2), 1.2, "data")
    yield case("max_norm is an int", rows(2.9, 3.1, 1.0), 3).beyond()
    yield case("max_norm is NumPy's", rows(2.0, 0.5), np.float64(0.9)).beyond()
    yield case("a transposed matrix", rows(2.0, 0.2, 1.0).t(), 0.8).beyond()
    yield case("one column", rows(0.5, 2.0, columns=1), 1.0).beyond()
    yield case("rows of length 1e-4 and 5e-7", rows(1e-4, 2.0, 5e-7), 1.0).beyond()


def _observe(apply_max_norm: Any, case: Case) -> Iterator[tuple[str, Any]]:
    weight = case.weight if case.held == "tensor" else nn.Parameter(case.weight)
    given = weight.data if case.held == "data" else weight
    if case.held == "parameter":
        weight.grad = case.gradient
    apply_max_norm(given, case.max_norm)
    yield "weight", weight
    yield "trained", bool(weight.requires_grad)
    yield "leaf", bool(weight.is_leaf)
    if case.held == "parameter":
        yield "gradient afterwards", weight.grad
    apply_max_norm(given, case.max_norm)
    yield "weight after a second call", weight


CALL = "apply_max_norm({given}, {max_norm})"
LOOSE: Any = {"rtol": 1e-3, "atol": 1e-10}

MAX_NORM = Check(
    name="check_max_norm",
    lesson="weight_and_spectral_norm",
    topic="max norm",
    takes=(Argument("apply_max_norm"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "weight": Aspect(f"{CALL}, and then {{named}}", "The weight is wrong afterwards.", **LOOSE),
        "trained": Aspect(
            f"{CALL}, and then {{named}}.requires_grad",
            "Your code changed whether the weight asks for gradients.",
        ),
        "leaf": Aspect(
            f"{CALL}, and then {{named}}.is_leaf",
            "The weight is no longer a leaf of the graph, so no optimiser can train it.",
        ),
        "gradient afterwards": Aspect(
            f"{CALL}, and then {{named}}.grad", "Your code changed the gradient of the weight."
        ),
        "weight after a second call": Aspect(
            f"{CALL} for a second time, and then {{named}}",
            "A second call changes a weight whose rows already fit.",
            **LOOSE,
        ),
    },
    praise="long rows are cut to the limit, short ones keep every entry.",
    reread="A limit for each row",
    forbidden=frozenset({"renorm", "embedding_renorm"}),
)


def check_max_norm(apply_max_norm: Callable[[torch.Tensor, float], Any]) -> None:
    """Check `apply_max_norm(weight, max_norm)`: in place, each row of a (out, in) tensor or
    parameter that is longer than `max_norm` is scaled to that length; others are not touched.

    Short rows, rows of zeros, float32 and float64, a parameter with its gradient and a layer's
    `weight.data` count. What the function returns does not matter. Source: Srebro, Rennie and Jaakkola 2004,
    "Maximum-Margin Matrix Factorization"; used with dropout by Srivastava et al. 2014.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_and_spectral_norm.max_norm import apply_max_norm
    >>> check_max_norm(apply_max_norm)
    ✓ max norm — long rows are cut to the limit, short ones keep every entry.
    """
    run_check(MAX_NORM, apply_max_norm)
