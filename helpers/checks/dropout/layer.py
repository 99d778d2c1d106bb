"""Check of inverted dropout as a function, dropout_layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checking.devices import unless_it_reads
from helpers.checks.dropout.masks import (
    COLUMNS,
    FEW,
    IMAGES,
    MEDIUM,
    ROWS,
    far_from_zero,
    mask_aspects,
    nonzero,
    outline,
    seen_of_draws,
    seen_of_many_calls,
    seen_of_settled,
    settled_aspects,
)

NOT_BY_HAND = frozenset(
    {
        *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "native_dropout"),
        *("feature_dropout", "feature_alpha_dropout"),
    }
)
"""PyTorch's own dropouts."""

REFUSALS = ("ValueError", "AssertionError")
"""What code raises that refuses a probability."""


def _layer_cases(rng: torch.Generator) -> Iterator[Case]:
    small = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    medium = nonzero(MEDIUM, rng)
    yield Case("a matrix", way="draws", X=medium, dropout=0.25)
    yield Case("nothing is dropped", way="ends", X=medium, dropout=0.0)
    yield Case("all is dropped", way="ends", X=medium, dropout=1.0)
    yield Case("below 0", way="error", X=small, dropout=-0.1)
    yield Case("above 1", way="error", X=small, dropout=1.1)
    yield Case("numbers near 1000", way="draws", X=far_from_zero(MEDIUM, rng), dropout=0.8)
    images = nonzero(IMAGES, rng)
    yield Case("a batch of images with channels", way="draws", X=images, dropout=0.35)
    wide = nonzero((61, 71), rng, dtype=torch.float64)
    yield Case("float64", way="draws", X=wide, dropout=0.5)
    yield Case("ten entries, many times", way="many calls", X=nonzero(FEW, rng), dropout=0.4)
    large = nonzero((ROWS, COLUMNS), rng)
    yield Case("a large matrix", way="draws", X=large, dropout=0.2)
    for name, X in unusual(small):
        yield Case(name, way="outline", X=X, dropout=0.5).beyond()
    yield Case("float64, to ten digits", way="digits", X=wide[:5, :5], dropout=0.3).beyond()


def unusual(small: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Inputs beyond the lesson, by name."""
    yield "an X on another device than the CPU", torch.empty(3, 4, device="meta")
    yield "one number", torch.tensor(3.0)
    yield "no entries", torch.zeros(0, 3)
    yield "an expanded vector", small[:1].expand(4, 3)
    yield "half precision", small.half()


def seen_of_outline(drop: Callable[[Any], Any], X: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """Shape, dtype and device of a result, and whether X was left alone."""
    yield "result", unless_it_reads(lambda: outline(drop(X)), outline(X))
    if X.device.type != "meta":
        yield "X afterwards", X


def seen_of_digits(drop: Callable[[Any], Any], X: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """The exact scale; a step in float32 leaves seven digits of it."""
    result = drop(X)
    if isinstance(result, torch.Tensor):
        yield "exact scale", (result / X).max().item()


def seen_at_the_ends(
    drop: Callable[[Any], Any], X: torch.Tensor, p: float
) -> Iterator[tuple[str, Any]]:
    """Values and gradient where nothing is random. If all is dropped, a result without a graph is
    right as well.
    """
    before = X.clone()
    outcome = outcome_of(lambda: drop(X.clone()))
    yield "allowed", "refused" if outcome in REFUSALS else "allowed"
    if outcome in REFUSALS:
        return
    result = drop(X)
    yield from seen_of_settled("values", result, p)
    if not isinstance(result, torch.Tensor):
        return
    yield "X afterwards", X
    result = drop(before.requires_grad_())
    if p != 1:
        yield "connected", bool(result.requires_grad)
    if result.requires_grad:
        (gradient,) = torch.autograd.grad(result.sum(), before)
    else:
        gradient = torch.zeros_like(before)
    yield from seen_of_settled("gradient", gradient)


def _observe_layer(dropout_layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    X, p = case.X, case.dropout

    def drop(x: torch.Tensor) -> Any:
        return dropout_layer(x, p)

    if case.way == "error":
        yield "error", outcome_of(lambda: drop(X))
    elif case.way == "outline":
        yield from seen_of_outline(drop, X)
    elif case.way == "digits":
        yield from seen_of_digits(drop, X)
    elif case.way == "many calls":
        yield from seen_of_many_calls(lambda: drop(X.clone()))
    elif case.way == "draws":
        yield from seen_of_draws(drop, X)
    else:
        yield from seen_at_the_ends(drop, X, p)


CALL = "dropout_layer({X}, {dropout})"


def ends_aspects(call: str) -> dict[str, Aspect]:
    """How to speak about `seen_at_the_ends` and `seen_of_digits`."""
    return {
        "allowed": Aspect(call, "Your code refuses a probability that is allowed."),
        **settled_aspects("values", call, "The values are wrong.", input="X"),
        **settled_aspects(
            "gradient",
            f"X.grad after {call}.sum().backward()",
            "The gradient is wrong.",
            input="X",
        ),
        "exact scale": Aspect(
            f"Y = {call}, and then the largest Y / X",
            "A step of your code computes in float32, where X is float64.",
            rtol=1e-10,
        ),
    }


DROPOUT_LAYER = Check(
    name="check_dropout_layer",
    lesson="dropout",
    topic="dropout_layer",
    takes=(Argument("dropout_layer"),),
    cases=_layer_cases,
    observe=_observe_layer,
    aspects={
        **mask_aspects(CALL),
        **ends_aspects(CALL),
        "error": Aspect(CALL, "A dropout probability outside 0 to 1 must raise ValueError."),
    },
    praise="each entry is dropped for itself, and the mean is kept.",
    reread="Dropout as one line of maths",
    forbidden=NOT_BY_HAND,
    seconds=20.0,
)


def check_dropout_layer(dropout_layer: Callable[..., torch.Tensor]) -> None:
    """Check `dropout_layer(X, dropout) -> Tensor`: inverted dropout (Srivastava et al. 2014).

    Each entry is set to 0 with probability `dropout`, independently of all others and anew in
    each call; kept entries are divided by `1 - dropout`. Judged are the share dropped, the
    independence along every axis and between calls, the exact scale, the gradient, `dropout` of
    0 and 1, the ValueError outside, and float32 and float64. PyTorch's own dropout may not be
    called; any way to draw random numbers is right. Another device, half precision, one number
    alone and empty tensors are only noted.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.dropout_layer import by_hand
    >>> check_dropout_layer(by_hand)
    ✓ dropout_layer — each entry is dropped for itself, and the mean is kept.
    """
    run_check(DROPOUT_LAYER, dropout_layer)
