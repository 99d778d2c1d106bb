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
    ENOUGH,
    FEW,
    IMAGES,
    MEDIUM,
    ROWS,
    alike,
    far_from_zero,
    gradient_aspects,
    mask_aspects,
    nonzero,
    outline,
    seen_of_gradient,
    seen_of_many_calls,
    seen_of_mask,
    seen_of_settled,
    settled_aspects,
    share_dropped,
    together,
)

tensor = torch.from_numpy


def _array(result: Any) -> Any:
    """NumPy makes a scalar of a 0-d array wherever it computes; that counts as the array."""
    return np.asarray(result) if isinstance(result, np.generic) else result


def _numpy_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, way: str, p: float, X: Any, dout: Any = None, **more: Any) -> Case:
        dout = nonzero(tuple(X.shape), rng).to(X.dtype) if dout is None else dout
        return Case(name, way=way, X=X.numpy(), dout=dout.numpy(), p=p, **more)

    small = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    dout = torch.tensor([[0.5, 1.0, -1.5], [2.0, -2.5, 3.0]])
    medium = nonzero(MEDIUM, rng, dtype=torch.float64)
    yield case("a matrix, in training", "draws", 0.25, medium)
    yield case("both modes in turn", "modes", 0.4, medium)
    yield case("nothing is dropped", "ends", 0.0, medium)
    yield case("all is dropped", "ends", 1.0, medium)
    yield case("evaluation in float32", "evaluation", 0.2, medium.float())
    yield case("all is dropped, in float32", "ends", 1.0, medium.float())
    yield case("NumPy's own generator", "seeds", 0.5, small, dout)
    yield case("two layers with different p", "two layers", 0.1, medium, other=0.9)
    yield case("an X of zeros", "zeros", 0.4, torch.zeros_like(medium))
    yield case("float32 numbers near 1000", "draws", 0.8, far_from_zero(MEDIUM, rng))
    yield case("a batch of images with channels", "draws", 0.35, nonzero(IMAGES, rng))
    yield case("ten entries, many times", "many calls", 0.4, nonzero(FEW, rng))
    yield case("a large matrix", "draws", 0.2, nonzero((ROWS, COLUMNS), rng))
    empty = torch.zeros(0, 3)
    yield case("no entries", "evaluation", 0.5, empty).beyond()
    yield case("no entries in training", "outline", 0.5, empty).beyond()
    yield case("one number", "outline", 0.5, torch.tensor(3.0)).beyond()
    yield case("half precision", "outline", 0.5, small.half(), dout.half()).beyond()


def _observe_numpy(NumpyDropout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    layer = NumpyDropout(case.p)
    X, dout = case.X, case.dout
    if case.way == "draws":
        said = {} if case.p == 0.25 else {"training": True}
        yield from _seen_of_draws(layer, X, dout, **said)
    elif case.way == "modes":
        yield from _seen_of_modes(layer, X, dout)
    elif case.way == "ends":
        yield from seen_of_settled("values", _array(layer.forward(X)), case.p)
        yield from seen_of_settled("gradient", _array(layer.backward(dout)), case.p)
        yield "X afterwards", X
        yield "dout afterwards", dout
    elif case.way == "evaluation":
        yield from seen_of_settled("in evaluation", _array(layer.forward(X, training=False)))
        yield from seen_of_settled("gradient in evaluation", _array(layer.backward(dout)))
        yield "X afterwards", X
        yield "dout afterwards", dout
    elif case.way == "outline":
        yield "result", outline(_array(layer.forward(X)))
        yield "gradient's outline", outline(_array(layer.backward(dout)))
    elif case.way == "zeros":
        layer.forward(X)
        yield "share for zeros", share_dropped(layer.backward(dout))
    elif case.way == "seeds":
        yield "seeded", _seeds_numpy(NumpyDropout, case)
    elif case.way == "many calls":
        yield from seen_of_many_calls(lambda: layer.forward(X.copy()))
    else:
        yield from _seen_of_two(layer, NumpyDropout(case.other), X, dout)


def _seeds_numpy(NumpyDropout: Any, case: Case) -> bool:
    """Whether NumPy's numbers are the same after a layer was used, whatever the seed before."""
    drawn = []
    for seed in (1, 2):
        np.random.seed(seed)
        NumpyDropout(case.p).forward(case.X.copy())
        drawn.append(np.random.random())
    return drawn[0] == drawn[1]


def _seen_of_gradient(
    when: str, gradient: Any, dout: np.ndarray, X: np.ndarray, Y: np.ndarray
) -> Iterator[tuple[str, Any]]:
    if isinstance(gradient, np.ndarray):
        yield from seen_of_gradient(tensor(gradient), tensor(dout), tensor(X), tensor(Y), when)


def _is_like(result: Any, X: np.ndarray) -> bool:
    return isinstance(result, np.ndarray) and result.shape == X.shape


def _seen_of_draws(
    layer: Any, X: np.ndarray, dout: np.ndarray, **said: bool
) -> Iterator[tuple[str, Any]]:
    before, upstream = X.copy(), dout.copy()
    result = _array(layer.forward(X, **said))
    yield "result", outline(result)
    if not _is_like(result, before):
        return
    first = result.copy()
    yield from seen_of_mask(tensor(before), tensor(first))
    yield "X changed", not np.array_equal(before, X)
    draws = together(tensor(first) == 0)[2]
    if draws == 1:  # nothing is drawn for itself: there is no mask to look at
        return
    gradient = _array(layer.backward(dout))
    yield "gradient's outline", outline(gradient)
    if not _is_like(gradient, before):
        return
    yield from _seen_of_gradient("", gradient, upstream, before, first)
    yield "dout changed", not np.array_equal(upstream, dout)
    again = layer.backward(upstream.copy())
    yield from _seen_of_gradient(" again", again, upstream, before, first)
    second = layer.forward(before.copy(), training=True).copy()
    if draws >= ENOUGH:
        yield "calls alike", alike(tensor(first), tensor(second))
    gradient = layer.backward(upstream.copy())
    yield from _seen_of_gradient(" of a second call", gradient, upstream, before, second)


def _seen_of_modes(layer: Any, X: np.ndarray, dout: np.ndarray) -> Iterator[tuple[str, Any]]:
    before, upstream = X.copy(), dout.copy()
    yield "share in training", share_dropped(layer.forward(X.copy(), training=True))
    evaluated = layer.forward(X, training=False)
    yield from seen_of_settled("in evaluation after training", evaluated)
    if not _is_like(evaluated, before):
        return
    gradient = layer.backward(dout)
    yield from seen_of_settled("gradient in evaluation after training", gradient)
    if not _is_like(gradient, before):
        return
    yield "X afterwards", X
    result = layer.forward(before.copy())
    yield "share in training again", share_dropped(result)
    if not _is_like(result, before):
        return
    result = result.copy()
    gradient = layer.backward(upstream.copy())
    yield from _seen_of_gradient(" after all", gradient, upstream, before, result)


def _seen_of_two(
    first: Any, second: Any, X: np.ndarray, dout: np.ndarray
) -> Iterator[tuple[str, Any]]:
    result = first.forward(X.copy())
    yield "share in the first", share_dropped(result)
    if not _is_like(result, X):
        return
    result = result.copy()
    yield "share in the second", share_dropped(second.forward(X.copy()))
    yield from _seen_of_gradient(" of the first of two", first.backward(dout), dout, X, result)


FORWARD = "layer = NumpyDropout({p}); layer.forward(X)"
EVALUATE = "layer = NumpyDropout({p}); layer.forward(X, training=False)"
BOTH = "layer.forward(X, training=True); layer.forward(X, training=False)"
DRAWN = mask_aspects("NumpyDropout({p}).forward(X)")

TIMES = {
    "": "Y = layer.forward(X); layer.backward(G)",
    " again": "Y = layer.forward(X); layer.backward(G); layer.backward(G)",
    " of a second call": "layer.forward(X); Y = layer.forward(X); layer.backward(G)",
    " of the first of two": "Y = first.forward(X); second.forward(X); first.backward(G)",
    " after all": "layer.forward(X, training=False); Y = layer.forward(X); layer.backward(G)",
}
"""When a gradient is looked at."""


def _share(call: str, wrong: str) -> Aspect:
    return Aspect(f"the share of zeros in {call}", wrong, rtol=0, atol=0.22)


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
        **settled_aspects("values", FORWARD, "The values are wrong."),
        **settled_aspects("gradient", f"{FORWARD}; layer.backward(dout)", "The gradient is wrong."),
        **settled_aspects("in evaluation", EVALUATE, "In evaluation the result is not X."),
        **settled_aspects(
            "gradient in evaluation",
            f"{EVALUATE}; layer.backward(dout)",
            "After a forward pass in evaluation the gradient is not passed on unchanged.",
        ),
        "gradient's outline": Aspect(
            "Y = layer.forward(X); layer.backward(dout)", "The gradient is wrong."
        ),
        **_gradients(),
        "dout changed": Aspect(
            "layer.backward(dout), and then whether dout has changed", "Your code changed dout."
        ),
        "dout afterwards": Aspect("layer.backward(dout), and then dout", "Your code changed dout."),
        "share in training": _share(
            "NumpyDropout({p}).forward(X, training=True)",
            "In training the share of dropped entries is not p.",
        ),
        "share in training again": _share(
            f"layer.forward(X), after {BOTH}",
            "In training after an evaluation the share of dropped entries is not p.",
        ),
        **settled_aspects(
            "in evaluation after training",
            BOTH,
            "In evaluation the result is not X, once the layer has been used in training.",
        ),
        **settled_aspects(
            "gradient in evaluation after training",
            f"{BOTH}; layer.backward(dout)",
            "After a forward pass in evaluation the gradient is not passed on unchanged.",
        ),
        "share for zeros": _share(
            "layer.backward(dout), after layer.forward(X) for an X of zeros, with p = {p}",
            "The gradient at a zero of X does not follow the mask.",
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
    What is in `X` and `dout` stays there, and NumPy's random seed is the caller's. One number
    alone, empty arrays and half precision are only noted.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.numpy_dropout import NumpyDropout
    >>> check_numpy_dropout(NumpyDropout)
    ✓ NumpyDropout — backward passes exactly what forward let through.
    """
    run_check(NUMPY_DROPOUT, NumpyDropout)
