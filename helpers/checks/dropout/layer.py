"""Check of inverted dropout as a function, dropout_layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checking.devices import unless_it_reads
from helpers.checks.dropout.masks import (
    COLUMNS,
    IMAGES,
    ROWS,
    mask_aspects,
    nonzero,
    outline,
    seen_of_draws,
    share_dropped,
)

CALLS_ON_ONE_NUMBER = 600

NOT_BY_HAND = frozenset(
    {
        *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "native_dropout"),
        *("feature_dropout", "feature_alpha_dropout"),
    }
)
"""PyTorch's own dropouts."""


def _layer_cases(rng: torch.Generator) -> Iterator[Case]:
    small = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    yield Case("nothing is dropped", way="exact", X=small, dropout=0.0)
    yield Case("all is dropped", way="exact", X=small, dropout=1.0)
    for p in (0.2, 0.8):
        x = nonzero((ROWS, COLUMNS), rng)
        yield Case("a large matrix", way="draws", X=x, dropout=p)
    images = nonzero(IMAGES, rng)
    yield Case("a batch of images with channels", way="draws", X=images, dropout=0.35)
    wide = nonzero((40, 60), rng, dtype=torch.float64)
    yield Case("float64", way="draws", X=wide, dropout=0.5)
    yield Case("below 0", way="error", X=small, dropout=-0.1)
    yield Case("above 1", way="error", X=small, dropout=1.1)
    on_device = torch.empty(3, 4, device="meta")
    yield Case("an X on another device than the CPU", way="outline", X=on_device, dropout=0.5)
    yield Case("no entries", way="outline", X=torch.zeros(0, 3), dropout=0.5)
    yield Case("a transposed matrix", way="exact", X=small.t(), dropout=0)
    yield Case("an expanded vector", way="outline", X=small[:1].expand(4, 3), dropout=0.5)
    yield Case("all of an expanded vector", way="exact", X=small[:1].expand(4, 3), dropout=1)
    yield Case("one number, many times", way="many calls", X=torch.tensor(3.0), dropout=0.4)


def _observe_layer(dropout_layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    X, p = case.X, case.dropout
    if case.way == "error":
        yield "error", outcome_of(lambda: dropout_layer(X, p))
    elif case.way == "outline":
        yield "result", unless_it_reads(lambda: outline(dropout_layer(X, p)), outline(X))
        if X.device.type != "meta":
            yield "X afterwards", X
    elif case.way == "many calls":
        yield from _seen_of_one_number(lambda: dropout_layer(X, p))
    elif case.way == "draws":
        yield from seen_of_draws(lambda x: dropout_layer(x, p), X)
    else:
        before = X.clone()
        yield "values", dropout_layer(X, p)
        yield "X afterwards", X
        result = dropout_layer(before.requires_grad_(), p)
        if p != 1:  # with p = 1 nothing is kept, and a result without a graph is right as well
            yield "connected", bool(result.requires_grad)
        if result.requires_grad:
            (gradient,) = torch.autograd.grad(result.sum(), before)
        else:
            gradient = torch.zeros_like(before)
        yield "gradient", gradient


def _seen_of_one_number(drop: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    results = [drop() for _ in range(CALLS_ON_ONE_NUMBER)]
    yield "result", outline(results[0])
    values = torch.stack(results)
    yield "share of calls", share_dropped(values)
    yield "smallest", values.min()
    yield "largest", values.max()


CALL = "dropout_layer({X}, {dropout})"

DROPOUT_LAYER = Check(
    name="check_dropout_layer",
    lesson="dropout",
    topic="dropout_layer",
    takes=(Argument("dropout_layer"),),
    cases=_layer_cases,
    observe=_observe_layer,
    aspects={
        **mask_aspects(CALL),
        "values": Aspect(CALL, "The values are wrong.", input="X"),
        "gradient": Aspect(
            f"{CALL}.sum().backward(), and then X.grad", "The gradient is wrong.", input="X"
        ),
        "error": Aspect(CALL, "A dropout probability outside 0 to 1 must raise ValueError."),
        "share of calls": Aspect(
            f"the share of 0 among {CALLS_ON_ONE_NUMBER} results of {CALL}",
            "One number alone is not dropped with the right probability.",
            rtol=0,
            atol=0.2,
        ),
        "smallest": Aspect(f"the smallest of many results of {CALL}", "The values are wrong."),
        "largest": Aspect(f"the largest of many results of {CALL}", "The values are wrong."),
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
    0 and 1, dtype and device. PyTorch's own dropout may not be called; any way to draw random
    numbers is right.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.dropout_layer import by_hand
    >>> check_dropout_layer(by_hand)
    ✓ dropout_layer — each entry is dropped for itself, and the mean is kept.
    """
    run_check(DROPOUT_LAYER, dropout_layer)
