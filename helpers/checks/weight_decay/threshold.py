"""Check of the proximal step of the L1 norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    double = torch.float64
    yield Case("positive, small and negative", w=torch.tensor([3.0, 0.5, -2.0]), threshold=1.0)
    yield Case("weights that are 0 already", w=torch.tensor([0.0, 1.5, -0.0, -0.3]), threshold=0.5)
    yield Case("exactly at the threshold", w=torch.tensor([1.5, -1.5, 4.0]), threshold=1.5)
    yield Case("a matrix", w=draw(4, 5), threshold=0.7)
    yield Case("float64", w=draw(6, dtype=double), threshold=0.3)
    yield Case("large numbers", w=draw(5, dtype=double) + 1000, threshold=2.5)
    yield Case("a threshold of 0", w=torch.tensor([1.5, 0.0, -0.5]), threshold=0.0).beyond()
    yield Case("an int as threshold", w=torch.tensor([3.5, -2.5, 1.0]), threshold=2).beyond()
    yield Case("NumPy's number", w=draw(6, dtype=double), threshold=np.float64(0.3)).beyond()
    yield Case("one number", w=torch.tensor(-0.9), threshold=0.25).beyond()
    yield Case("a transposed matrix", w=draw(2, 3).t(), threshold=0.5).beyond()
    yield Case("an expanded vector", w=draw(1, 3).expand(2, 3), threshold=0.5).beyond()
    yield Case("no entries", w=torch.zeros(0, 3), threshold=0.5).beyond()
    meta = torch.zeros(2, 3, device="meta")
    yield Case("a tensor on another device", w=meta, threshold=0.5).beyond()


def _observe(soft_threshold: Any, case: Case) -> Iterator[tuple[str, Any]]:
    leaf = case.fresh().w.requires_grad_()
    yield "value", soft_threshold(case.w, case.threshold)
    yield "w afterwards", case.w
    result = soft_threshold(leaf.clone(), case.threshold)
    yield "connected", bool(getattr(result, "requires_grad", False))
    if leaf.device.type == "meta" or not getattr(result, "requires_grad", False):
        return
    (gradient,) = torch.autograd.grad(result.sum(), leaf)
    smooth = (leaf.detach().abs() - case.threshold).abs() > 1e-4  # the corners have no slope
    yield "gradient", torch.where(smooth, gradient, 0.0)


SOFT_THRESHOLD = Check(
    name="check_soft_threshold",
    lesson="weight_decay",
    topic="soft threshold",
    takes=(Argument("soft_threshold"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "value": Aspect("soft_threshold({w}, {threshold})", "The value is wrong.", input="w"),
        "w afterwards": Aspect(
            "soft_threshold({w}, {threshold}), and then w", "Your code changed w."
        ),
        "connected": Aspect(
            "soft_threshold(w, {threshold}).requires_grad, for a w that asks for gradients",
            "Autograd cannot see through your function: its result is cut off from w.",
        ),
        "gradient": Aspect(
            "soft_threshold({w}, {threshold}).sum().backward(), and then w.grad",
            "The gradient is wrong.",
            input="w",
        ),
    },
    praise="everything moves towards 0 by the threshold, and what would cross 0 stays there.",
    reread="Why L1 gives exact zeros",
    forbidden=frozenset({"softshrink"}),
)


def check_soft_threshold(soft_threshold: Callable[..., torch.Tensor]) -> None:
    """Check `soft_threshold(w, threshold)`: the minimiser u of ½‖u − w‖² + threshold·‖u‖₁, entry
    by entry (Donoho 1995). Gradients are judged too, except at the corners.

    Noted, not counted: a threshold of 0, as an int or as NumPy's number; tensors of no axes, of
    no entries, transposed, expanded or on another device.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> check_soft_threshold(lambda w, threshold: w - w.clamp(-threshold, threshold))
    ✓ soft threshold — everything moves towards 0 by the threshold, and what would cross 0 stays there.
    """
    run_check(SOFT_THRESHOLD, soft_threshold)
