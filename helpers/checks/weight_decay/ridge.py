"""Check of ridge regression in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    double = torch.float64

    def case(
        name: str, n: int, d: int, lam: float, dtype: torch.dtype = torch.float32, mean: float = 0.0
    ) -> Case:
        X = torch.randn(n, d, generator=rng, dtype=dtype) + mean
        return Case(name, X=X, y=torch.randn(n, generator=rng, dtype=dtype), lam=lam)

    def other(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=double)

    X = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.0, -1.0], [1.0, 2.0]])
    yield Case("four samples, two features", X=X, y=torch.tensor([1.0, 2.0, 3.0, 5.0]), lam=0.7)
    yield case("more samples than features", 8, 3, 0.7)
    yield case("fewer samples than features", 3, 6, 2.3)
    yield case("fewer samples than features, float64, a small λ", 5, 12, 1e-3, double)
    yield case("data of mean 1000", 12, 3, 1.5, double, mean=1000.0)
    X = other(7, 3) * torch.tensor([1.0, 0.0, 1.0])
    yield Case("a feature that is always 0", X=X, y=other(7), lam=0.2)
    yield Case("one feature", X=other(4, 1), y=other(4), lam=0.4).beyond()
    yield Case("one sample", X=other(1, 3), y=other(1), lam=2.0).beyond()
    yield case("an int as λ", 6, 2, 3, double).beyond()
    yield Case("a transposed matrix", X=other(3, 7).t(), y=other(7), lam=np.float64(0.9)).beyond()
    meta = {"X": torch.zeros(4, 3, device="meta"), "y": torch.zeros(4, device="meta")}
    yield Case("tensors on another device", **meta, lam=1.0).beyond()


def _observe(ridge_solution: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.X.device.type == "meta":
        yield "w", _without_numbers(ridge_solution, case)
        return
    fresh = case.fresh()
    yield "w", ridge_solution(case.X, case.y, case.lam)
    yield "X afterwards", case.X
    yield "y afterwards", case.y
    if not case.X.any(dim=0).all():  # singular vectors have no slope there, though w has
        return
    X, y = fresh.X.requires_grad_(), fresh.y.requires_grad_()
    w = ridge_solution(X, y, case.lam)
    connected = bool(getattr(w, "requires_grad", False))
    yield "connected", connected
    if not connected or tuple(w.shape) != (X.shape[1],):
        return
    total = (w * torch.arange(1.0, len(w) + 1, dtype=w.dtype)).sum()
    gradients = torch.autograd.grad(total, [y, X], allow_unused=True)
    yield "gradient of y", torch.zeros_like(y) if gradients[0] is None else gradients[0]
    yield "gradient of X", torch.zeros_like(X) if gradients[1] is None else gradients[1]


def _without_numbers(ridge_solution: Any, case: Case) -> Any:
    """The result on meta tensors. Some right ways, such as `torch.linalg.lstsq`, have no version
    for them, and then nothing can be seen.
    """
    try:
        return ridge_solution(case.X, case.y, case.lam)
    except NotImplementedError as error:
        if "Meta" not in str(error):
            raise
        return torch.zeros(case.X.shape[1], device="meta")


CLOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-5, "of_largest": True}
"""For gradients, in which large terms cancel, and which a pseudo-inverse gives less exactly."""

RIDGE_SOLUTION = Check(
    name="check_ridge_solution",
    lesson="weight_decay",
    topic="ridge regression",
    takes=(Argument("ridge_solution"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "w": Aspect("ridge_solution({X}, {y}, {lam})", "The weights are wrong.", of_largest=True),
        "X afterwards": Aspect(
            "ridge_solution({X}, {y}, {lam}), and then X", "Your code changed X."
        ),
        "y afterwards": Aspect(
            "ridge_solution({X}, {y}, {lam}), and then y", "Your code changed y."
        ),
        "connected": Aspect(
            "ridge_solution(X, y, {lam}).requires_grad, for X and y that ask for gradients",
            "Autograd cannot see through your function.",
        ),
        "gradient of y": Aspect(
            "the gradient of 1·w[0] + 2·w[1] + ... with respect to y",
            "The gradient with respect to y is wrong.",
            **CLOSE,
        ),
        "gradient of X": Aspect(
            "the gradient of 1·w[0] + 2·w[1] + ... with respect to X",
            "The gradient with respect to X is wrong.",
            **CLOSE,
        ),
    },
    praise="it solves (XᵀX + λI)w = Xᵀy, also with fewer samples than features.",
    reread="One problem with an exact answer",
)


def check_ridge_solution(ridge_solution: Callable[..., torch.Tensor]) -> None:
    """Check `ridge_solution(X, y, lam) -> w`: the minimiser of ½‖Xw − y‖² + ½λ‖w‖² for λ > 0.

    X is (n, d), y is (n,), w is (d,); there is no intercept, and n < d is fine. Compared relative
    to the largest weight, so that any way of solving is right (Hoerl and Kennard 1970).

    Noted, not counted: one sample or one feature, a transposed X, λ as an int or as NumPy's
    number, and another device.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_decay.ridge_solution import ridge_solution
    >>> check_ridge_solution(ridge_solution)
    ✓ ridge regression — it solves (XᵀX + λI)w = Xᵀy, also with fewer samples than features.
    """
    run_check(RIDGE_SOLUTION, ridge_solution)
