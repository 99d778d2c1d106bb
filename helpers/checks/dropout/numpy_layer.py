"""Check of dropout with its own backward pass in NumPy, NumpyDropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.dropout.layer import NOT_BY_HAND
from helpers.checks.dropout.masks import (
    COLUMNS,
    IMAGES,
    ROWS,
    alike,
    gradient_aspects,
    mask_aspects,
    nonzero,
    outline,
    seen_of_gradient,
    seen_of_mask,
    share_changed,
    share_dropped,
)


def _array(result: Any) -> Any:
    """NumPy makes a scalar of a 0-d array wherever it computes; that counts as the array."""
    return np.asarray(result) if isinstance(result, np.generic) else result


def _numpy_cases(rng: torch.Generator) -> Iterator[Case]:
    small = np.array([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    dout = np.array([[0.5, 1.0, -1.5], [2.0, -2.5, 3.0]])
    x32, d32 = small.astype(np.float32), dout.astype(np.float32)
    yield Case("nothing is dropped", way="exact", X=small, dout=dout, p=0.0)
    yield Case("all is dropped", way="exact", X=small, dout=dout, p=1.0)
    medium, upstream = (nonzero((150, 200), rng).numpy() for _ in range(2))
    yield Case("both modes in turn", way="modes", X=medium, dout=upstream, p=0.5)
    yield Case("evaluation", way="evaluation", X=small, dout=dout, p=0.5)
    yield Case("evaluation in float32", way="evaluation", X=x32, dout=d32, p=0.2)
    for p, dtype in ((0.2, np.float64), (0.8, np.float32)):
        x = nonzero((ROWS, COLUMNS), rng).numpy().astype(dtype)
        g = nonzero((ROWS, COLUMNS), rng).numpy().astype(dtype)
        yield Case("a large matrix", way="draws", X=x, dout=g, p=p)
    x, g = (nonzero(IMAGES, rng).numpy() for _ in range(2))
    yield Case("a batch of images with channels", way="draws", X=x, dout=g, p=0.35)
    yield Case(
        "two layers with different p", way="two layers", X=medium, dout=upstream, p=0.1, other=0.9
    )
    yield Case("an X of zeros", way="zeros", X=np.zeros_like(medium), dout=upstream, p=0.5)
    yield Case("NumPy's own generator", way="seeds", X=small, dout=dout, p=0.5)
    yield Case("a transposed matrix", way="exact", X=x32.T, dout=d32.T, p=0)
    empty = np.zeros((0, 3))
    yield Case("no entries", way="evaluation", X=empty, dout=empty, p=0.5)
    yield Case("no entries in training", way="exact", X=empty, dout=empty, p=0.5)
    one = np.array(3.0)
    yield Case("one number", way="exact", X=one, dout=np.array(2.0), p=0.0)


def _observe_numpy(NumpyDropout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    layer = NumpyDropout(case.p)
    X, dout = case.X, case.dout
    if case.way == "exact":
        yield "values", _array(layer.forward(X))
        yield "gradient", _array(layer.backward(dout))
        yield "X afterwards", X
        yield "dout afterwards", dout
    elif case.way == "evaluation":
        yield "in evaluation", _array(layer.forward(X, training=False))
        yield "gradient in evaluation", _array(layer.backward(dout))
        yield "X afterwards", X
        yield "dout afterwards", dout
    elif case.way == "draws":
        yield from _seen_of_draws(layer, X, dout)
    elif case.way == "modes":
        yield from _seen_of_modes(layer, X, dout)
    elif case.way == "zeros":
        layer.forward(X)
        yield "share for zeros", share_dropped(torch.from_numpy(layer.backward(dout)))
    elif case.way == "seeds":
        yield "seeded", _seeds_numpy(NumpyDropout, case)
    else:
        second = NumpyDropout(case.other)
        result = np.array(layer.forward(X))
        yield "share in the first", share_dropped(torch.from_numpy(result))
        yield "share in the second", share_dropped(torch.from_numpy(second.forward(X)))
        gradient = layer.backward(dout.copy())
        yield from _seen_of_gradient(" of the first of two", gradient, dout, result)


def _seeds_numpy(NumpyDropout: Any, case: Case) -> bool:
    """Whether NumPy's numbers are the same after a layer was used, whatever the seed before."""
    drawn = []
    for seed in (1, 2):
        np.random.seed(seed)
        NumpyDropout(case.p).forward(case.X.copy())
        drawn.append(np.random.random())
    return drawn[0] == drawn[1]


def _seen_of_gradient(
    when: str, gradient: Any, dout: np.ndarray, Y: np.ndarray
) -> Iterator[tuple[str, Any]]:
    slope, upstream, result = (torch.from_numpy(np.asarray(a)) for a in (gradient, dout, Y))
    yield from seen_of_gradient(slope, upstream, result, when)


def _seen_of_draws(layer: Any, X: np.ndarray, dout: np.ndarray) -> Iterator[tuple[str, Any]]:
    before, upstream = X.copy(), dout.copy()
    result = layer.forward(X)
    yield "result", outline(_array(result))
    first = result.copy()
    yield from seen_of_mask(torch.from_numpy(before), torch.from_numpy(first))
    yield "share of X changed", share_changed(torch.from_numpy(before), torch.from_numpy(X))
    gradient = layer.backward(dout)
    yield "gradient's outline", outline(_array(gradient))
    yield from _seen_of_gradient("", gradient, upstream, first)
    yield "share of dout changed", share_changed(torch.from_numpy(upstream), torch.from_numpy(dout))
    again = layer.backward(upstream.copy())
    yield from _seen_of_gradient(" again", again, upstream, first)
    second = layer.forward(before.copy(), training=True)
    yield "calls alike", alike(torch.from_numpy(first), torch.from_numpy(second))
    second = second.copy()
    gradient = layer.backward(upstream.copy())
    yield from _seen_of_gradient(" of a second call", gradient, upstream, second)


def _seen_of_modes(layer: Any, X: np.ndarray, dout: np.ndarray) -> Iterator[tuple[str, Any]]:
    before, upstream = X.copy(), dout.copy()
    drawn = layer.forward(X.copy(), training=True)
    evaluated = layer.forward(X, training=False)
    gradient = layer.backward(dout)
    result = np.array(layer.forward(before.copy()))
    last = layer.backward(upstream.copy())
    shares = [float(np.mean(array == 0)) for array in (drawn, evaluated, gradient, result)]
    yield "shares", np.array(shares)
    yield "in evaluation after training", evaluated
    yield "gradient in evaluation after training", gradient
    yield from _seen_of_gradient(" after all", last, upstream, result)


FORWARD = "layer = NumpyDropout({p}); layer.forward({X})"
EVALUATE = "layer = NumpyDropout({p}); layer.forward({X}, training=False)"
DRAWN = mask_aspects("layer.forward(X)")

TIMES = {
    "": "Y = layer.forward(X); layer.backward(G)",
    " again": "Y = layer.forward(X); layer.backward(G); layer.backward(G)",
    " of a second call": "layer.forward(X); Y = layer.forward(X); layer.backward(G)",
    " of the first of two": "Y = first.forward(X); second.forward(X); first.backward(G)",
    " after all": "layer.forward(X, training=False); Y = layer.forward(X); layer.backward(G)",
}
"""When a gradient is looked at."""


def _share(call: str, wrong: str) -> Aspect:
    return Aspect(f"the share of zeros in {call}", wrong, rtol=0, atol=0.11)


def _gradients() -> dict[str, Aspect]:
    aspects: dict[str, Aspect] = {}
    for when, call in TIMES.items():
        aspects |= gradient_aspects(call, "the result", when)
    return aspects


NUMPY_DROPOUT = Check(
    name="check_numpy_dropout",
    lesson="dropout",
    topic="NumpyDropout",
    takes=(Argument("NumpyDropout", "class", methods=("forward", "backward")),),
    cases=_numpy_cases,
    observe=_observe_numpy,
    aspects={
        **DRAWN,
        "values": Aspect(FORWARD, "The values are wrong."),
        "gradient": Aspect(f"{FORWARD}; layer.backward({{dout}})", "The gradient is wrong."),
        "in evaluation": Aspect(EVALUATE, "In evaluation the result is not X."),
        "gradient in evaluation": Aspect(
            f"{EVALUATE}; layer.backward({{dout}})",
            "After a forward pass in evaluation the gradient is not passed on unchanged.",
        ),
        "gradient's outline": Aspect(
            "Y = layer.forward(X); layer.backward(dout)", "The gradient is wrong."
        ),
        **_gradients(),
        "share of dout changed": Aspect(
            "layer.backward(dout), and then the share of dout's entries that changed",
            "Your code changed dout.",
            rtol=0,
            atol=0.1,
        ),
        "dout afterwards": Aspect("layer.backward(dout), and then dout", "Your code changed dout."),
        "shares": Aspect(
            "layer.forward(X, training=True), layer.forward(X, training=False), "
            "layer.backward(dout), layer.forward(X), and then the share of zeros in each result",
            "The share of dropped entries does not follow the flag.",
            rtol=0,
            atol=0.2,
        ),
        "in evaluation after training": Aspect(
            "layer.forward(X, training=True); layer.forward(X, training=False)",
            "In evaluation the result is not X, once the layer has been used in training.",
        ),
        "gradient in evaluation after training": Aspect(
            "layer.forward(X, training=True); layer.forward(X, training=False); "
            "layer.backward(dout)",
            "After a forward pass in evaluation the gradient is not passed on unchanged.",
        ),
        "share for zeros": Aspect(
            "layer = NumpyDropout({p}); layer.forward(X) for an X of zeros, and then the share of "
            "zeros in layer.backward(dout)",
            "The gradient at a zero of X does not follow the mask.",
            rtol=0,
            atol=0.11,
        ),
        "seeded": Aspect(
            "np.random.seed(1), and later np.random.seed(2); each time NumpyDropout({p}).forward(X),"
            " and then whether np.random.random() gives the same number",
            "Your code sets NumPy's random seed, which belongs to the caller.",
        ),
        "share in the first": _share(
            "first.forward(X), with first = NumpyDropout({p}), second = NumpyDropout({other})",
            "Each layer has its own p: the first one drops a wrong share.",
        ),
        "share in the second": _share(
            "second.forward(X), with first = NumpyDropout({p}), second = NumpyDropout({other})",
            "Each layer has its own p: the second one drops a wrong share.",
        ),
    },
    praise="backward passes exactly what forward let through.",
    reread="The backward pass by hand",
    forbidden=NOT_BY_HAND | {"rand", "rand_like", "randn", "bernoulli", "tensor", "as_tensor"},
    seconds=20.0,
)


def check_numpy_dropout(NumpyDropout: Callable[..., Any]) -> None:
    """Check `NumpyDropout(drop_prob)` with `forward(X, training=True)` and `backward(dout)`.

    Inverted dropout (Srivastava et al. 2014) with NumPy alone: arrays in and out, of one dtype.
    `backward` passes the mask and the scale of the last forward pass; after
    `forward(X, training=False)`, which returns X's values, it passes the gradient unchanged.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.numpy_dropout import ByHand
    >>> check_numpy_dropout(ByHand)
    ✓ NumpyDropout — backward passes exactly what forward let through.
    """
    run_check(NUMPY_DROPOUT, NumpyDropout)
