"""Power iteration: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor
Result = tuple[Tensor, Tensor, Tensor]


def unit(x: Tensor) -> Tensor:
    return x / x.square().sum().sqrt()


def random_start(W: Tensor) -> Tensor:
    return torch.randn(W.shape[0], dtype=W.dtype, device=W.device)


def power_iteration(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    if u is None:
        u = random_start(W)
    for _ in range(num_iterations):
        v = unit(W.T @ u)
        u = unit(W @ v)
    return u @ W @ v, u, v


def with_constant_vectors(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    with torch.no_grad():
        u = torch.rand_like(W[:, 0]) if u is None else u
        for _ in range(num_iterations):
            v = F.normalize(W.t().mv(u), dim=0)
            u = F.normalize(W.mv(v), dim=0)
    return torch.einsum("i,ij,j->", u, W, v), u, v


def in_float64(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    start = random_start(W) if u is None else u
    results = power_iteration(W.double(), num_iterations, start.double())
    sigma, left, right = (t.to(W.dtype) for t in results)
    return sigma, left, right


def as_columns(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    column = (random_start(W) if u is None else u.clone()).reshape(-1, 1)  # (out, 1)
    for _ in range(num_iterations):
        row = torch.linalg.vector_norm(W.mT @ column)
        right = (W.mT @ column) / row
        length = torch.linalg.vector_norm(W @ right)
        column = (W @ right) / length
    return length, column.flatten(), right.flatten()


def made(
    finish: Callable[[Tensor, Tensor, Tensor], Any],
    count: Callable[[int], int] = lambda n: n,
    start: Callable[[Tensor], Tensor] = random_start,
) -> Callable[..., Any]:
    """A power iteration with another number of steps, another start or other results."""

    def power(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Any:
        u = start(W) if u is None else u
        _, u, v = power_iteration(W, count(num_iterations), u)
        return finish(W, u, v)

    return power


def _right(W: Tensor, u: Tensor, v: Tensor) -> Result:
    return u @ W @ v, u, v


def _old_u(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else unit(u)
    for _ in range(num_iterations):
        v = unit(W.T @ u)
        sigma = u @ W @ v
        u = unit(W @ v)
    return sigma, u, v


def _u_not_updated(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else unit(u)
    for i in range(num_iterations):
        v = unit(W.T @ u)
        if i < num_iterations - 1:
            u = unit(W @ v)
    return u @ W @ v, u, v


def _v_not_normalised(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = W.T @ u
        u = unit(W @ v)
    return u @ W @ v, u, v


def _never_normalised(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = W.T @ u
        u = W @ v
    return u @ W @ v, u, v


def _normalised_at_the_end(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = W.T @ u
        u = W @ v
    u, v = unit(u), unit(v)
    return u @ W @ v, u, v


def _one_norm(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = W.T @ u
        v = v / v.abs().sum()
        u = W @ v
        u = u / u.abs().sum()
    return u @ W @ v, u, v


def _same_order_of_old(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    """Both vectors from the old ones, as in a simultaneous assignment."""
    u = random_start(W) if u is None else u
    v = unit(W.T @ u)
    for _ in range(num_iterations):
        u, v = unit(W @ v), unit(W.T @ u)
    return u @ W @ v, u, v


def _u_or_random(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    return power_iteration(W, num_iterations, u or random_start(W))


def _ignores_u(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    return power_iteration(W, num_iterations)


def _writes_into_u(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = unit(W.T @ u)
        with torch.no_grad():
            u.copy_(unit(W @ v))
    return u @ W @ v, u.clone(), v


def _square_only(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Result:
    u = random_start(W) if u is None else u
    for _ in range(num_iterations):
        v = unit(W @ u)
        u = unit(W @ v)
    return u @ W @ v, u, v


def _always_the_same(W: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(W.shape[0], dtype=W.dtype, generator=generator).to(W.device)


ANSWERS = Answers(
    reference=power_iteration,
    variants={
        "constant vectors": with_constant_vectors,
        "float64 inside": in_float64,
        "columns, and sigma as the last length": as_columns,
    },
    misconceptions=(
        Misconception(
            "sigma-from-old-u",
            _old_u,
            "Your sigma is computed with the u from before its last update.",
            "Compute sigma after the loop, from the u and v that you return.",
        ),
        Misconception(
            "u-one-behind",
            _u_not_updated,
            "Your last step updates v and not u.",
            "Each step updates both: first v, then u.",
        ),
        Misconception(
            "one-step-less",
            made(_right, lambda n: max(1, n - 1)),
            "Your loop makes one step less than num_iterations.",
            "range(num_iterations) makes exactly that many.",
        ),
        Misconception(
            "one-step-more",
            made(_right, lambda n: n + 1),
            "Your loop makes one step more than num_iterations.",
            "range(num_iterations) makes exactly that many; do no step before or after the loop.",
        ),
        Misconception(
            "runs-to-the-end",
            made(_right, lambda n: 100),
            "Your loop does not look at num_iterations; it runs until nothing changes.",
            "Make exactly num_iterations steps, converged or not.",
        ),
        Misconception(
            "both-from-old",
            _same_order_of_old,
            "You compute u from the v before its update; the new v is meant.",
            "In each step: first v from u, then u from this new v.",
        ),
        Misconception(
            "v-not-normalised",
            _v_not_normalised,
            "Your v does not have length 1.",
            "Divide both by their lengths: v ← Wᵀu/‖Wᵀu‖, and u ← Wv/‖Wv‖.",
        ),
        Misconception(
            "never-normalised",
            _never_normalised,
            "You never divide by the lengths.",
            "Divide both by their lengths, in every step.",
        ),
        Misconception(
            "normalised-at-the-end",
            _normalised_at_the_end,
            "You divide by the lengths only at the end, and until then the entries overflow.",
            "Divide in every step.",
        ),
        Misconception(
            "one-norm",
            _one_norm,
            "You divide by the sum of the absolute values, which is the 1-norm.",
            "The length is the square root of the sum of the squares.",
        ),
        Misconception(
            "squared",
            made(lambda W, u, v: ((u @ W @ v) ** 2, u, v)),
            "Your sigma is the square: the largest eigenvalue of WᵀW.",
            "Sigma is uᵀWv, the square root of that eigenvalue.",
        ),
        Misconception(
            "u-and-v-swapped",
            made(lambda W, u, v: (u @ W @ v, v, u)),
            "You return v before u.",
            "Return sigma, u, v: u has one entry for each row of W.",
        ),
        Misconception(
            "only-sigma",
            made(lambda W, u, v: u @ W @ v),
            "You return sigma alone.",
            "Return all three: return sigma, u, v.",
        ),
        Misconception(
            "sigma-is-a-float",
            made(lambda W, u, v: ((u @ W @ v).item(), u, v)),
            "Your sigma is a Python number; .item() cuts it off from W.",
            "Return the 0-d tensor that u @ W @ v gives.",
        ),
        Misconception(
            "sigma-is-a-matrix",
            made(lambda W, u, v: ((u @ W @ v).reshape(1, 1), u, v)),
            "Your sigma has the shape (1, 1).",
            "With u and v as vectors, u @ W @ v is a 0-d tensor.",
        ),
        Misconception(
            "cut-off",
            torch.no_grad()(power_iteration),
            "Your sigma is cut off from W, by no_grad() or detach().",
            "Compute the last line, sigma = u @ W @ v, with W itself and outside no_grad().",
        ),
        Misconception(
            "ignores-u",
            _ignores_u,
            "You start at random although u is given.",
            "Draw a random start only if u is None.",
        ),
        Misconception(
            "truth-of-a-tensor",
            _u_or_random,
            "You ask whether u is true, and a tensor with several entries is neither true nor false.",
            "Write: if u is None.",
        ),
        Misconception(
            "writes-into-u",
            _writes_into_u,
            "You write the result into the u that you were given.",
            "Assign a new tensor: u = ..., without copy_ or an index.",
        ),
        Misconception(
            "starts-with-ones",
            made(_right, start=lambda W: torch.ones_like(W[:, 0])),
            "Without u you start with a vector of ones, which may be orthogonal to the right one.",
            "Draw the start at random, with torch.randn.",
        ),
        Misconception(
            "always-the-same-start",
            made(_right, start=_always_the_same),
            "Without u you draw the same start every time.",
            "Draw from PyTorch's own random numbers, without a seed of yours.",
        ),
        Misconception(
            "float32-start",
            made(_right, start=lambda W: torch.randn(W.shape[0], device=W.device)),
            "Without u your start is always float32.",
            "Give torch.randn the dtype of W: dtype=W.dtype.",
        ),
        Misconception(
            "start-on-the-cpu",
            made(_right, start=lambda W: torch.randn(W.shape[0], dtype=W.dtype)),
            "Without u your start lies on the CPU.",
            "Give torch.randn the device of W: device=W.device.",
        ),
        Misconception(
            "square-only",
            _square_only,
            "You multiply by W twice, which finds an eigenvector; W need not even be square.",
            "v ← Wᵀu/‖Wᵀu‖ goes back through the transposed matrix.",
        ),
    ),
)
