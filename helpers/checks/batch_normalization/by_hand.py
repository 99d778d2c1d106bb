"""Checks of batch normalisation written by hand: forward, and backward with the same forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

NORMALISERS = frozenset(
    {
        "batch_norm",
        "native_batch_norm",
        "_native_batch_norm_legit",
        "_native_batch_norm_legit_no_training",
        "_batch_norm_impl_index",
        "cudnn_batch_norm",
        "miopen_batch_norm",
        "native_batch_norm_backward",
        "batch_norm_stats",
        "batch_norm_elemt",
        "layer_norm",
        "native_layer_norm",
        "group_norm",
        "native_group_norm",
        "instance_norm",
    }
)
"""PyTorch's own normalisations, which the exercises of this lesson ask to do without."""

LOOSE, LOOSE_GRADIENT = 5e-3, 2e-2
"""Absolute tolerances in float32, where a mean of 1,000 leaves about four digits of a deviation
from it; gradients add up such errors over a batch. All else is judged strictly, in float64."""

DOUBLE = torch.float64


def aspects_for_both_dtypes(aspects: dict[str, Aspect]) -> dict[str, Aspect]:
    """The same aspects twice: strict ones for float64, loose ones for float32."""
    loose = {
        f"{key} in float32": Aspect(
            one.call,
            one.wrong,
            rtol=1e-3,
            atol=LOOSE_GRADIENT if key.startswith(("gradient", "dx", "dgamma")) else LOOSE,
            input=one.input,
        )
        for key, one in aspects.items()
    }
    return {**aspects, **loose}


def of_dtype(key: str, x: torch.Tensor) -> str:
    """The name under which a result is observed, so that float64 is compared strictly."""
    return f"{key} in float32" if x.dtype == torch.float32 else key


def _case(
    rng: torch.Generator, name: str, x: torch.Tensor, eps: float | None = None, **data: Any
) -> Case:
    features = x.shape[1]

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=DOUBLE).to(x)

    return Case(
        name,
        x=x,
        gamma=data.pop("gamma", None) if "gamma" in data else draw(features) + 1.5,
        beta=data.pop("beta", None) if "beta" in data else draw(features) * 2,
        other=draw(*x.shape) * 2 + 1,
        gamma_other=draw(features) - 1.5,
        dy=data.pop("dy", None) if "dy" in data else draw(*x.shape),
        dy_other=draw(*x.shape),
        eps=eps,
        more="" if eps is None else f", eps={eps}",
        inference=data.pop("inference", False),
    )


def _drawn(rng: torch.Generator, *shape: int, dtype: torch.dtype = DOUBLE) -> torch.Tensor:
    """Samples in rows; every feature has a mean and a spread of its own."""
    x = torch.randn(*shape, generator=rng, dtype=DOUBLE)
    spread = torch.rand(shape[1], generator=rng, dtype=DOUBLE) * 2 + 0.5
    return (x * spread + torch.randn(shape[1], generator=rng, dtype=DOUBLE) * 2).to(dtype)


def _forward_cases(rng: torch.Generator) -> Iterator[Case]:
    single = torch.float32
    yield _case(
        rng,
        "two samples of one feature",
        torch.tensor([[1.0], [3.0]]),
        gamma=torch.tensor([2.0]),
        beta=torch.tensor([0.5]),
    )
    yield _case(rng, "four samples of two features", _drawn(rng, 4, 2, dtype=single))
    yield _case(rng, "as many samples as features", _drawn(rng, 4, 4))
    yield _case(rng, "float64", _drawn(rng, 8, 3))
    yield _case(rng, "a large eps", _drawn(rng, 6, 2), eps=0.5)
    yield _case(rng, "one sample", _drawn(rng, 1, 3, dtype=single))
    yield _case(rng, "one sample in float64", _drawn(rng, 1, 3))
    constant = _drawn(rng, 5, 2)
    constant[:, 0] = 3.0
    yield _case(rng, "a feature that is constant", constant)
    far = torch.randn(16, 8, generator=rng, dtype=DOUBLE) + 1e3
    yield _case(rng, "mean 1000 and standard deviation 1", far.to(single))
    fine = torch.randn(8, 3, generator=rng, dtype=DOUBLE) * 1e-3 + 1e3
    yield _case(rng, "mean 1000 and standard deviation 0.001", fine)
    yield _case(rng, "a transposed matrix", _drawn(rng, 3, 5).t())
    yield _case(rng, "an expanded column", _drawn(rng, 4, 1).expand(4, 3))
    yield _case(rng, "inside torch.inference_mode()", _drawn(rng, 5, 3), inference=True)
    yield _case(rng, "tensors on another device", torch.zeros(4, 3, device="meta"))


def _observe_forward(forward: Any, case: Case) -> Iterator[tuple[str, Any]]:
    with torch.inference_mode(case.inference):
        result = _call_forward(forward, case, case.x)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    y, _ = result
    yield "first result", "a tensor" if isinstance(y, torch.Tensor) else f"a {type(y).__name__}"
    yield of_dtype("y", case.x), y
    yield "x afterwards", case.x
    yield "gamma afterwards", case.gamma
    yield "beta afterwards", case.beta


def _call_forward(
    forward: Any, case: Case, x: torch.Tensor, gamma: torch.Tensor | None = None
) -> Any:
    settings = {} if case.eps is None else {"eps": case.eps}
    return forward(x, case.gamma if gamma is None else gamma, case.beta, **settings)


_FORWARD = "batchnorm_forward({x}, {gamma}, {beta}{more})"

BATCHNORM_FORWARD = Check(
    name="check_batchnorm_forward",
    lesson="batch_normalization",
    topic="batchnorm_forward",
    takes=(Argument("batchnorm_forward"),),
    cases=_forward_cases,
    observe=_observe_forward,
    aspects={
        "results": Aspect(_FORWARD, "Two results are expected, y and the cache."),
        "first result": Aspect(_FORWARD, "The first of the two results must be y, a tensor."),
        **aspects_for_both_dtypes(
            {"y": Aspect(f"y, cache = {_FORWARD}, and then y", "y is wrong.", input="x")}
        ),
        "x afterwards": Aspect(f"{_FORWARD}, and then x", "Your function changed x."),
        "gamma afterwards": Aspect(f"{_FORWARD}, and then gamma", "Your function changed gamma."),
        "beta afterwards": Aspect(f"{_FORWARD}, and then beta", "Your function changed beta."),
    },
    praise="every feature has its batch's mean taken off and its spread divided out.",
    reread="What the layer computes",
    forbidden=NORMALISERS,
)


def check_batchnorm_forward(batchnorm_forward: Callable[..., Any]) -> None:
    """Check `batchnorm_forward(x, gamma, beta, eps=1e-5) -> (y, cache)` for `x` of shape (N, D):
    values for ordinary and badly scaled features, N = 1, a constant feature, and other strides.

    What the cache holds is left to the student. Source: Ioffe and Szegedy 2015, algorithm 1.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.by_hand import hand_forward
    >>> check_batchnorm_forward(hand_forward)
    ✓ batchnorm_forward — every feature has its batch's mean taken off and its spread divided out.
    """
    run_check(BATCHNORM_FORWARD, batchnorm_forward)


def _backward_cases(rng: torch.Generator) -> Iterator[Case]:
    yield _case(
        rng,
        "three samples of one feature",
        torch.tensor([[1.0], [2.0], [4.0]], dtype=DOUBLE),
        gamma=torch.tensor([2.0], dtype=DOUBLE),
        beta=torch.tensor([0.5], dtype=DOUBLE),
        dy=torch.tensor([[1.0], [0.0], [0.0]], dtype=DOUBLE),
    )
    yield _case(rng, "four samples of two features", _drawn(rng, 4, 2))
    yield _case(rng, "as many samples as features", _drawn(rng, 4, 4))
    yield _case(rng, "many samples", _drawn(rng, 20, 3))
    yield _case(rng, "two samples", _drawn(rng, 2, 3))
    yield _case(rng, "a large eps", _drawn(rng, 6, 2), eps=0.5)
    yield _case(rng, "one sample", _drawn(rng, 1, 3))
    constant = _drawn(rng, 5, 2)
    constant[:, 0] = 3.0
    yield _case(rng, "a feature that is constant", constant)
    fine = torch.randn(8, 3, generator=rng, dtype=DOUBLE) * 1e-3 + 1e3
    yield _case(rng, "mean 1000 and standard deviation 0.001", fine)
    pair = torch.randn(2, 3, generator=rng, dtype=DOUBLE) * 1e-3 + 1e3
    yield _case(rng, "two samples, mean 1000 and standard deviation 0.001", pair)
    yield _case(rng, "transposed matrices", _drawn(rng, 3, 5).t(), dy=_drawn(rng, 3, 5).t())
    yield _case(rng, "an expanded dy", _drawn(rng, 4, 3), dy=_drawn(rng, 1, 3).expand(4, 3))
    yield _case(rng, "float32", _drawn(rng, 6, 3, dtype=torch.float32))
    yield _case(rng, "inside torch.inference_mode()", _drawn(rng, 5, 3), inference=True)


def _observe_backward(pair: Any, case: Case) -> Iterator[tuple[str, Any]]:
    forward, backward = pair
    with torch.inference_mode(case.inference):
        y, cache = _call_forward(forward, case, case.x)
    yield of_dtype("y", case.x), y
    with torch.inference_mode(case.inference):
        _, later = _call_forward(forward, case, case.other, case.gamma_other)
        result = backward(case.dy, cache)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    for name, gradient in zip(("dx", "dgamma", "dbeta"), result, strict=True):
        yield of_dtype(name, case.x), gradient
    with torch.inference_mode(case.inference):
        second = backward(case.dy_other, later)
        again = backward(case.dy, cache)
    yield of_dtype("dx of the second", case.x), second[0]
    yield of_dtype("dgamma of the second", case.x), second[1]
    yield of_dtype("dx again", case.x), again[0]
    yield "dy afterwards", case.dy
    yield "x afterwards", case.x
    yield "gamma afterwards", case.gamma


_FIRST = f"y, cache = {_FORWARD}"
_BACKWARD = "batchnorm_backward({dy}, cache)"
_TWO = "y, cache = batchnorm_forward(x, ...); y2, cache2 = batchnorm_forward(x2, ...)"

BATCHNORM_BACKWARD = Check(
    name="check_batchnorm_backward",
    lesson="batch_normalization",
    topic="batchnorm_backward",
    takes=(Argument("batchnorm_forward"), Argument("batchnorm_backward")),
    cases=_backward_cases,
    observe=_observe_backward,
    aspects={
        "results": Aspect(
            f"{_FIRST}; {_BACKWARD}", "Three results are expected, dx, dgamma and dbeta."
        ),
        **aspects_for_both_dtypes(
            {
                "y": Aspect(
                    f"{_FIRST}, and then y",
                    "The y of your batchnorm_forward is wrong, so its gradients cannot be judged.",
                    input="x",
                ),
                "dx": Aspect(
                    f"{_FIRST}; dx, dgamma, dbeta = {_BACKWARD}, and then dx", "dx is wrong."
                ),
                "dgamma": Aspect(
                    f"{_FIRST}; dx, dgamma, dbeta = {_BACKWARD}, and then dgamma",
                    "dgamma is wrong.",
                ),
                "dbeta": Aspect(
                    f"{_FIRST}; dx, dgamma, dbeta = {_BACKWARD}, and then dbeta",
                    "dbeta is wrong.",
                ),
                "dx of the second": Aspect(
                    f"{_TWO}; batchnorm_backward(dy2, cache2), and then its dx",
                    "dx of the second of two forward passes is wrong.",
                ),
                "dgamma of the second": Aspect(
                    f"{_TWO}; batchnorm_backward(dy2, cache2), and then its dgamma",
                    "dgamma of the second of two forward passes is wrong.",
                ),
                "dx again": Aspect(
                    "batchnorm_backward(dy, cache) twice, and then the second dx",
                    "The same cache gives another dx the second time.",
                ),
            }
        ),
        "dy afterwards": Aspect(f"{_BACKWARD}, and then dy", "Your backward changed dy."),
        "x afterwards": Aspect(f"{_BACKWARD}, and then x", "Your code changed x."),
        "gamma afterwards": Aspect(f"{_BACKWARD}, and then gamma", "Your code changed gamma."),
    },
    praise="all three paths from x to y are in it, and it agrees with autograd in float64.",
    reread="The gradient by hand",
    forbidden=NORMALISERS | {"grad", "backward"},
)


def check_batchnorm_backward(
    batchnorm_forward: Callable[..., Any], batchnorm_backward: Callable[..., Any]
) -> None:
    """Check `batchnorm_backward(dy, cache) -> (dx, dgamma, dbeta)` together with the student's
    own `batchnorm_forward`, in float64 against autograd, N = 2 and badly scaled features
    (mean 1e3, standard deviation 1e-3) included, and inside `torch.inference_mode()`.

    A cache belongs to the forward that made it: two forwards run before the first backward.
    Source: Ioffe and Szegedy 2015, section 3.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.by_hand import hand_backward, hand_forward
    >>> check_batchnorm_backward(hand_forward, hand_backward)
    ✓ batchnorm_backward — all three paths from x to y are in it, and it agrees with autograd in float64.
    """
    run_check(BATCHNORM_BACKWARD, batchnorm_forward, batchnorm_backward)
