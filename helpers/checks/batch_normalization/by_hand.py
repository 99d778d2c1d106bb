"""Checks of batch normalisation written by hand: forward, and backward with the same forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check

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

DOUBLE = torch.float64


def value_aspect(call: str, wrong: str, **more: Any) -> Aspect:
    """For results: the tolerance is that of the dtype, relative to the largest entry. In float32 a
    mean of 1,000 leaves about four digits of a deviation from it.
    """
    return Aspect(call, wrong, of_largest=True, **more)


THREE = torch.tensor([[100.0, 1000.0], [200.0, 4000.0], [600.0, 2000.0]], dtype=DOUBLE)
GAMMA, BETA = torch.tensor([2.0, 3.0], dtype=DOUBLE), torch.tensor([0.5, -1.0], dtype=DOUBLE)


def _case(
    rng: torch.Generator,
    name: str,
    x: torch.Tensor,
    gamma: torch.Tensor | None = None,
    beta: torch.Tensor | None = None,
    dy: torch.Tensor | None = None,
    eps: float | None = None,
    inference: bool = False,
) -> Case:
    features = x.shape[1]

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=DOUBLE).to(x)

    return Case(
        name,
        x=x,
        gamma=draw(features) + 1.5 if gamma is None else gamma,
        beta=draw(features) * 2 if beta is None else beta,
        other=draw(*x.shape) * 2 + 1,
        gamma_other=draw(features) - 1.5,
        dy=draw(*x.shape) if dy is None else dy,
        dy_other=draw(*x.shape),
        eps=eps,
        more="" if eps is None else f", eps={eps}",
        inference=inference,
    )


def _hardly_varying(rng: torch.Generator) -> torch.Tensor:
    x = _drawn(rng, 5, 2)
    x[:, 1] *= 1e-3
    return x


def _far(rng: torch.Generator, spread: float) -> torch.Tensor:
    return torch.randn(16, 8, generator=rng, dtype=DOUBLE) * spread + 1e3


def _drawn(rng: torch.Generator, *shape: int, dtype: torch.dtype = DOUBLE) -> torch.Tensor:
    """Samples in rows; every feature has a mean and a spread of its own."""
    x = torch.randn(*shape, generator=rng, dtype=DOUBLE)
    spread = torch.rand(shape[1], generator=rng, dtype=DOUBLE) * 2 + 0.5
    return (x * spread + torch.randn(shape[1], generator=rng, dtype=DOUBLE) * 2).to(dtype)


def _forward_cases(rng: torch.Generator) -> Iterator[Case]:
    yield _case(rng, "three samples of two features", THREE, GAMMA, BETA)
    yield _case(rng, "a feature that hardly varies", _hardly_varying(rng))
    yield _case(rng, "a large eps", _drawn(rng, 6, 2), eps=0.5)
    yield _case(rng, "a batch of zeros", torch.zeros(3, 3, dtype=DOUBLE))
    yield _case(rng, "as many samples as features", _drawn(rng, 4, 4) * 20)
    yield _case(rng, "float32", _drawn(rng, 8, 3, dtype=torch.float32))
    yield _case(rng, "one sample", _drawn(rng, 1, 3))
    yield _case(rng, "mean 1000 and standard deviation 1", _far(rng, 1.0).float())
    yield _case(rng, "inside torch.inference_mode()", _drawn(rng, 5, 3), inference=True)
    yield _case(rng, "mean 1000 and standard deviation 0.001", _far(rng, 1e-3)).beyond()
    yield _case(rng, "a transposed matrix", _drawn(rng, 3, 5).t()).beyond()
    yield _case(rng, "an expanded column", _drawn(rng, 4, 1).expand(4, 3)).beyond()
    yield _case(rng, "half precision", _drawn(rng, 8, 3, dtype=torch.float16)).beyond()
    yield _case(rng, "tensors on another device", torch.zeros(4, 3, device="meta")).beyond()


def _observe_forward(forward: Any, case: Case) -> Iterator[tuple[str, Any]]:
    with torch.inference_mode(case.inference):
        if len(case.x) == 1:
            yield "one sample", outcome_of(lambda: _call_forward(forward, case, case.x))
        result = _call_forward(forward, case, case.x)
    is_pair = isinstance(result, (tuple, list))
    yield "results", len(result) if is_pair else _kind(result)
    if not is_pair or len(result) != 2:
        return
    y, cache = result
    yield "first result", _first(y, cache)
    if not isinstance(y, torch.Tensor):
        return
    yield "y", y
    yield "x afterwards", case.x
    yield "gamma afterwards", case.gamma
    yield "beta afterwards", case.beta


def _kind(value: Any) -> str:
    return "a tensor" if isinstance(value, torch.Tensor) else f"{value!r:.40}"


def _first(y: Any, cache: Any) -> str:
    if isinstance(y, torch.Tensor):
        return "a tensor"
    return "not the tensor, which comes second" if isinstance(cache, torch.Tensor) else "no tensor"


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
        "one sample": Aspect(_FORWARD, "A batch of one sample must work: y is beta."),
        "y": value_aspect(f"y, cache = {_FORWARD}, and then y", "y is wrong.", input="x"),
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
    values in float32 and float64, also for a mean of 1,000, a batch of zeros, N = 1 and inside
    `torch.inference_mode()`; x, gamma and beta stay as they are. What the cache holds is left to
    the student. Noted only: other strides, half precision, another device. Source: Ioffe and Szegedy 2015, algorithm 1.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.by_hand import hand_forward
    >>> check_batchnorm_forward(hand_forward)
    ✓ batchnorm_forward — every feature has its batch's mean taken off and its spread divided out.
    """
    run_check(BATCHNORM_FORWARD, batchnorm_forward)


def _backward_cases(rng: torch.Generator) -> Iterator[Case]:
    dy = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, -1.0]], dtype=DOUBLE)
    yield _case(rng, "three samples of two features", THREE, GAMMA, BETA, dy)
    yield _case(rng, "a feature that hardly varies", _hardly_varying(rng))
    yield _case(rng, "a large eps", _drawn(rng, 6, 2), eps=0.5)
    gamma = torch.tensor([0.0, 1.0], dtype=DOUBLE)
    yield _case(rng, "a gamma that is zero", _drawn(rng, 4, 2), gamma)
    yield _case(rng, "a batch of zeros", torch.zeros(3, 3, dtype=DOUBLE))
    yield _case(rng, "as many samples as features", _drawn(rng, 4, 4) * 20)
    yield _case(rng, "float32", _drawn(rng, 8, 3, dtype=torch.float32))
    yield _case(rng, "two samples", _drawn(rng, 2, 3))
    yield _case(rng, "one sample", _drawn(rng, 1, 3))
    yield _case(rng, "mean 1000 and standard deviation 1", _far(rng, 1.0).float())
    yield _case(rng, "inside torch.inference_mode()", _drawn(rng, 5, 3), inference=True)
    yield _case(rng, "mean 1000 and standard deviation 0.001", _far(rng, 1e-3)).beyond()
    wide, dy = _drawn(rng, 3, 5).t(), _drawn(rng, 3, 5).t()
    yield _case(rng, "transposed matrices", wide, dy=dy).beyond()
    dy = _drawn(rng, 1, 3).expand(4, 3)
    yield _case(rng, "an expanded dy", _drawn(rng, 4, 3), dy=dy).beyond()
    yield _case(rng, "half precision", _drawn(rng, 8, 3, dtype=torch.float16)).beyond()


def _observe_backward(pair: Any, case: Case) -> Iterator[tuple[str, Any]]:
    forward, backward = pair
    with torch.inference_mode(case.inference):
        y, cache = _call_forward(forward, case, case.x)
    yield "y", y
    with torch.inference_mode(case.inference):
        _, later = _call_forward(forward, case, case.other, case.gamma_other)
        result = backward(case.dy, cache)
    are_three = isinstance(result, (tuple, list))
    yield "results", len(result) if are_three else _kind(result)
    if not are_three or len(result) != 3:
        return
    yield from zip(("dx", "dgamma", "dbeta"), result, strict=True)
    yield "dy afterwards", case.dy
    with torch.inference_mode(case.inference):
        second = backward(case.dy_other, later)
        again = backward(case.dy, cache)
    yield "dx of the second", second[0]
    yield "dgamma of the second", second[1]
    yield "dx again", again[0]
    yield "dgamma again", again[1]
    yield "x afterwards", case.x
    yield "gamma afterwards", case.gamma


_FIRST = f"y, cache = {_FORWARD}"
_BACKWARD = "batchnorm_backward({dy}, cache)"
_TWO = "y, cache = batchnorm_forward(x, ...); y2, cache2 = batchnorm_forward(x2, ...)"
_SECOND = f"{_TWO}; batchnorm_backward(dy2, cache2), and then its"
_AGAIN = "batchnorm_backward(dy, cache) twice, and then the second"

BATCHNORM_BACKWARD = Check(
    name="check_batchnorm_backward",
    lesson="batch_normalization",
    topic="batchnorm_backward",
    takes=(Argument("batchnorm_forward"), Argument("batchnorm_backward")),
    cases=_backward_cases,
    observe=_observe_backward,
    aspects={
        "y": value_aspect(
            f"{_FIRST}, and then y",
            "The y of your batchnorm_forward is wrong, so its gradients cannot be judged.",
            input="x",
        ),
        "results": Aspect(
            f"{_FIRST}; {_BACKWARD}", "Three results are expected, dx, dgamma and dbeta."
        ),
        **{
            key: value_aspect(
                f"{_FIRST}; dx, dgamma, dbeta = {_BACKWARD}, and then {key}", f"{key} is wrong."
            )
            for key in ("dx", "dgamma", "dbeta")
        },
        "dy afterwards": Aspect(f"{_BACKWARD}, and then dy", "Your backward changed dy."),
        **{
            f"{key} of the second": value_aspect(
                f"{_SECOND} {key}", f"{key} of the second of two forward passes is wrong."
            )
            for key in ("dx", "dgamma")
        },
        **{
            f"{key} again": value_aspect(
                f"{_AGAIN} {key}", f"The same cache gives another {key} the second time."
            )
            for key in ("dx", "dgamma")
        },
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
    own `batchnorm_forward` against autograd: in float32 and float64, also for N = 1 and N = 2, a
    batch of zeros, a gamma of 0, a mean of 1,000, and inside `torch.inference_mode()`.

    A cache belongs to the forward that made it: two forwards run before the first backward, and
    nothing that is given is changed. Noted only: other strides, half precision, a spread of 0.001
    around 1,000. Source: Ioffe and Szegedy 2015, section 3.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.by_hand import hand_backward, hand_forward
    >>> check_batchnorm_backward(hand_forward, hand_backward)
    ✓ batchnorm_backward — all three paths from x to y are in it, and it agrees with autograd in float64.
    """
    run_check(BATCHNORM_BACKWARD, batchnorm_forward, batchnorm_backward)
