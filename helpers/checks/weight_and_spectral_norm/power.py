"""Check of power_iteration: the largest singular value by repeated multiplication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checking.case import show
from helpers.checks.weight_and_spectral_norm.matrices import with_singular_values

OWN_DECOMPOSITIONS = frozenset(
    {
        *("svd", "linalg_svd", "linalg_svdvals", "svd_lowrank", "pca_lowrank", "lobpcg"),
        *("linalg_eig", "linalg_eigh", "linalg_eigvals", "linalg_eigvalsh"),
        *("linalg_matrix_norm", "linalg_cond", "spectral_norm"),
    }
)
"""PyTorch's own ways to the largest singular value."""

DRAWS = 5
CONVERGED = 40
"""After this many steps, with a second singular value of at most half the first, 2⁻⁸⁰ is left."""


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    def given(
        name: str, W: torch.Tensor, num_iterations: int, u: torch.Tensor | None = None
    ) -> Case:
        start = draw(W.shape[0], dtype=W.dtype) if u is None else u
        return with_u(name, W, num_iterations, start / start.norm())

    def with_u(name: str, W: torch.Tensor, num_iterations: int, u: torch.Tensor) -> Case:
        also = ", " + show(u, "u")
        return Case(name, kind="given u", W=W, num_iterations=num_iterations, u=u, also=also)

    def without(name: str, kind: str, W: torch.Tensor, num_iterations: int) -> Case:
        upstream = draw(1, dtype=W.dtype)[0]
        return Case(name, kind=kind, W=W, num_iterations=num_iterations, upstream=upstream, also="")

    yield given("one step on a wide matrix", draw(2, 3), 1)
    yield given("two steps on a tall matrix", draw(3, 2), 2)
    yield given("five steps on a square matrix", draw(3, 3), 5)
    yield given("float64", draw(3, 4, dtype=torch.float64), 3)
    yield given("entries near 1000", draw(3, 4) + 1e3, 2, draw(3).abs() + 0.5)
    yield given("large entries and many steps", draw(3, 4) * 1e3, 60)
    yield with_u("a start that is not of length 1", draw(3, 2), 2, draw(3) * 5)
    for name, dtype in (("no start is given", torch.float32), ("float64, no start", torch.float64)):
        W = with_singular_values(rng, 4, 3, [2.0, 1.0, 0.5], dtype)
        yield without(name, "converged", W, CONVERGED)
    yield without("a random start at each call", "starts", torch.eye(64), 1)
    yield given("one row", draw(1, 4), 1).beyond()
    yield given("one column", draw(4, 1), 2).beyond()
    yield given("a transposed matrix", draw(4, 3).t(), 3).beyond()
    yield without("on another device", "device", torch.empty(3, 4, device="meta"), 2).beyond()


def _observe(power_iteration: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.kind == "given u":
        result = power_iteration(case.W, case.num_iterations, case.u)
    elif case.kind == "starts":
        starts = [power_iteration(case.W, case.num_iterations)[1] for _ in range(DRAWS)]
        yield "level starts", sum(len(set(u.tolist())) == 1 for u in starts)
        yield "starts", len({tuple(u.tolist()) for u in starts})
        return
    else:
        result = power_iteration(case.W.requires_grad_(), case.num_iterations)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    sigma, u, v = result
    yield "sigma", sigma
    if case.kind == "converged":
        yield "u·vᵀ", torch.outer(u, v)  # u and v may both change sign
        yield "lengths", torch.stack([u.square().sum(), v.square().sum()])
        yield "connected", bool(sigma.requires_grad)
        (gradient,) = torch.autograd.grad(sigma, case.W, case.upstream)
        yield "gradient", gradient
    else:
        yield "u", u
        yield "v", v
    yield "W afterwards", case.W
    if case.kind == "given u":
        yield "u afterwards", case.u


CALL = "power_iteration({W}, {num_iterations}{also})"
LOOSE: Any = {"rtol": 1e-3, "atol": 1e-4}

POWER_ITERATION = Check(
    name="check_power_iteration",
    lesson="weight_and_spectral_norm",
    topic="power iteration",
    takes=(Argument("power_iteration"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "results": Aspect(CALL, "Three results are expected: sigma, u and v."),
        "sigma": Aspect(f"{CALL}, and then sigma", "Sigma is wrong.", **LOOSE),
        "u": Aspect(f"{CALL}, and then u", "The vector u is wrong.", **LOOSE),
        "v": Aspect(f"{CALL}, and then v", "The vector v is wrong.", **LOOSE),
        "u·vᵀ": Aspect(
            f"_, u, v = {CALL}, and then torch.outer(u, v)",
            "After many steps u and v are not the first singular vectors.",
            **LOOSE,
        ),
        "lengths": Aspect(
            f"_, u, v = {CALL}, and then their squared lengths",
            "The vectors u and v do not have length 1.",
            **LOOSE,
        ),
        "connected": Aspect(
            f"{CALL}, and then sigma.requires_grad, for a W that asks for gradients",
            "Sigma is cut off from W, so no gradient can flow.",
        ),
        "gradient": Aspect(
            f"{CALL}, sigma.backward({{upstream}}), and then W.grad",
            "The gradient of sigma is wrong.",
            **LOOSE,
        ),
        "level starts": Aspect(
            "power_iteration(torch.eye(64), 1) five times, and then the number of u whose "
            "entries are all the same",
            "Without u the start must be random.",
        ),
        "starts": Aspect(
            "power_iteration(torch.eye(64), 1) five times, and then the number of different u",
            "Without u each call must start from a new random vector.",
        ),
        "W afterwards": Aspect(f"{CALL}, and then W", "Your code changed W."),
        "u afterwards": Aspect(f"{CALL}, and then u", "Your code changed the u that it was given."),
    },
    praise="a few multiplications find the direction that W stretches most.",
    reread="The largest stretch",
    forbidden=OWN_DECOMPOSITIONS,
)


def check_power_iteration(power_iteration: Callable[..., Any]) -> None:
    """Check `power_iteration(W, num_iterations, u=None) -> (sigma, u, v)` for `W` of shape
    (out, in): exactly `num_iterations` times v ← Wᵀu/‖Wᵀu‖ and then u ← Wv/‖Wv‖;
    sigma = uᵀWv is a 0-d tensor with a gradient for W. Without `u` the start is random. W and the
    given u are not changed; float32 and float64 are kept.

    Source: R. von Mises and H. Pollaczek-Geiringer 1929, "Praktische Verfahren der
    Gleichungsauflösung".

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_and_spectral_norm.power_iteration import power_iteration
    >>> check_power_iteration(power_iteration)
    ✓ power iteration — a few multiplications find the direction that W stretches most.
    """
    run_check(POWER_ITERATION, power_iteration)
