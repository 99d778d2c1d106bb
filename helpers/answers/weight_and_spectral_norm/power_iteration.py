"""Power iteration: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
Result = tuple[Tensor, Tensor, Tensor]


def unit(x: Tensor) -> Tensor:
    return x / x.square().sum().sqrt()


def random_start(W: Tensor) -> Tensor:
    return torch.randn(W.shape[0], dtype=W.dtype, device=W.device)


def as_given(x: Tensor) -> Tensor:
    return x


def powers(
    is_missing: Any = lambda u: u is None,
    start: Any = random_start,
    begin: Any = as_given,
    steps: Any = lambda n: n,
    towards_v: Any = lambda W, u: W.T @ u,
    towards_u: Any = lambda W, v: W @ v,
    from_v: Any = lambda old, new: new,
    unit_v: Any = unit,
    unit_u: Any = unit,
    store: Any = lambda u, new: new,
    last: Any = lambda W, v, u, old: (u, v),
    stretch: Any = lambda W, u, v, old: u @ W @ v,
    sigma: Any = lambda s: s,
    result: Any = lambda s, u, v: (s, u, v),
) -> Any:
    """The function from its parts; `old` is u or v from before the last step."""

    def power_iteration(W: Tensor, num_iterations: int, u: Tensor | None = None) -> Any:
        u = start(W) if is_missing(u) else begin(u)
        before = None
        for _ in range(steps(num_iterations)):
            old = u
            v = unit_v(towards_v(W, u))
            u = store(u, unit_u(towards_u(W, from_v(before, v))))
            before = v
        u, v = last(W, v, u, old)
        return result(sigma(stretch(W, u, v, old)), u, v)

    return power_iteration


power_iteration = powers()


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


def as_published(W: Tensor, num_iterations: int, u: Any = None) -> Any:
    """As code for generative networks has it: on .data, with 1e-12 beside the length."""

    def l2normalize(x: Tensor, eps: float = 1e-12) -> Tensor:
        return x / (x.norm() + eps)

    if u is None:
        u = l2normalize(W.data.new(W.shape[0]).normal_(0, 1))
    for _ in range(num_iterations):
        v = l2normalize(torch.mv(torch.t(W.data), u.data))
        u = l2normalize(torch.mv(W.data, v))
    return u.dot(W.mv(v)), u, v


def as_a_textbook(A: Tensor, steps: int, u: Tensor | None = None) -> Result:
    b = torch.randn(A.size(0)).to(A) if u is None else u
    for _ in range(steps):
        a = torch.matmul(A.transpose(0, 1), b)
        a = a / torch.sqrt(torch.dot(a, a))
        b = torch.matmul(A, a)
        b = b / torch.sqrt(torch.dot(b, b))
    return torch.dot(b, torch.matmul(A, a)), b, a


def lengths_by(norm: Any) -> dict[str, Any]:
    """Both vectors divided by another measure of their size."""
    return {"unit_v": lambda x: x / norm(x), "unit_u": lambda x: x / norm(x)}


def in_place(x: Tensor) -> Tensor:
    x /= x.norm()
    return x


def written_into(u: Tensor, new: Tensor) -> Tensor:
    with torch.no_grad():
        return u.copy_(new)


def always_the_same(W: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(W.shape[0], dtype=W.dtype, generator=generator).to(W.device)


def seeded(W: Tensor) -> Tensor:
    torch.manual_seed(0)
    return random_start(W)


ANSWERS = Answers(
    recipe=Recipe(powers),
    variants={
        "constant vectors": with_constant_vectors,
        "float64 inside": in_float64,
        "columns, and sigma as the last length": as_columns,
        "as published code prints it": as_published,
        "as a textbook prints it: dot and matmul": as_a_textbook,
    },
    slips=(
        slip(
            "sigma-from-old-u",
            "Your sigma is computed with the u from before its last update.",
            "Compute sigma after the loop, from the u and v that you return.",
            {"stretch": lambda W, u, v, old: unit(old) @ W @ v},
            {"stretch": lambda W, u, v, old: old @ W @ v},
        ),
        slip(
            "sigma-half-a-step-on",
            "Your sigma is ‖Wᵀu‖ with the new u, and so half a step further than the v you return.",
            "Compute u @ W @ v from the u and v that you return.",
            stretch=lambda W, u, v, old: (W.T @ u).norm(),
        ),
        slip(
            "u-one-behind",
            "Your last step updates v and not u.",
            "Each step updates both: first v, then u.",
            {"last": lambda W, v, u, old: (unit(old), v)},
            {"last": lambda W, v, u, old: (old, v)},
        ),
        slip(
            "v-one-ahead",
            "You update v once more after the last step.",
            "Each step ends with u: return the v from which that u was made.",
            last=lambda W, v, u, old: (u, unit(W.T @ u)),
        ),
        slip(
            "one-step-less",
            "Your loop makes one step less than num_iterations.",
            "range(num_iterations) makes exactly that many.",
            {"steps": lambda n: max(1, n - 1)},
            {"steps": lambda n: n - 1},
        ),
        slip(
            "one-step-more",
            "Your loop makes one step more than num_iterations.",
            "range(num_iterations) makes exactly that many; do no step before or after the loop.",
            steps=lambda n: n + 1,
        ),
        slip(
            "runs-to-the-end",
            "Your loop does not look at num_iterations; it runs until nothing changes.",
            "Make exactly num_iterations steps, converged or not.",
            steps=lambda n: 100,
        ),
        family(
            "fixed-steps",
            "The number of steps that you make is {constant}, whatever num_iterations is.",
            "Write `for _ in range(num_iterations):`, and return after the loop and not in it.",
            (1, 3),
            lambda k: {"steps": lambda n: k},
        ),
        slip(
            "both-from-old",
            "You compute u from the v before its update; the new v is meant.",
            "In each step: first v from u, then u from this new v.",
            from_v=lambda old, new: new if old is None else old,
        ),
        slip(
            "v-not-normalised",
            "Your v does not have length 1.",
            "Divide both by their lengths: v ← Wᵀu/‖Wᵀu‖, and u ← Wv/‖Wv‖.",
            unit_v=as_given,
        ),
        slip(
            "u-not-normalised",
            "Your u does not have length 1.",
            "Divide both by their lengths: v ← Wᵀu/‖Wᵀu‖, and u ← Wv/‖Wv‖.",
            unit_u=as_given,
        ),
        slip(
            "never-normalised",
            "You never divide by the lengths.",
            "Divide both by their lengths, in every step.",
            unit_v=as_given,
            unit_u=as_given,
        ),
        slip(
            "normalised-at-the-end",
            "You divide by the lengths only at the end, and until then the entries overflow.",
            "Divide in every step.",
            unit_v=as_given,
            unit_u=as_given,
            last=lambda W, v, u, old: (unit(u), unit(v)),
        ),
        slip(
            "one-norm",
            "You divide by the sum of the absolute values, which is the 1-norm.",
            "The length is the square root of the sum of the squares.",
            lengths_by(lambda x: x.abs().sum()),
        ),
        slip(
            "largest-entry",
            "You divide by the largest entry, and not by the length.",
            "The length is the square root of the sum of the squares.",
            lengths_by(lambda x: x.abs().max()),
        ),
        slip(
            "squared-length",
            "You divide by the squared length; the square root is missing.",
            "The length is the square root of the sum of the squares.",
            lengths_by(lambda x: x @ x),
        ),
        slip(
            "normalised-in-place",
            "You divide in place, as v /= v.norm() does, and write over what autograd needs for the "
            "gradient of that length.",
            "Make a new tensor, v = v / v.norm(), or run the loop inside `with torch.no_grad():` and "
            "compute sigma after it.",
            {"unit_v": in_place, "unit_u": in_place},
            {"unit_v": in_place},
            {"unit_u": in_place},
        ),
        slip(
            "squared",
            "Your sigma is the square: the largest eigenvalue of WᵀW.",
            "Sigma is uᵀWv, the square root of that eigenvalue.",
            {"sigma": lambda s: s**2},
        ),
        slip(
            "square-root",
            "Your sigma is the square root of the largest singular value.",
            "uᵀWv is the largest singular value itself: no root is left to take.",
            sigma=lambda s: s.sqrt(),
        ),
        slip(
            "sigma-is-a-float",
            "Your sigma is a Python number; .item() cuts it off from W.",
            "Return the 0-d tensor that u @ W @ v gives.",
            sigma=lambda s: s.item(),
        ),
        slip(
            "sigma-is-a-matrix",
            "Your sigma has an axis that it should not have.",
            "With u and v as vectors, u @ W @ v is a 0-d tensor.",
            {"sigma": lambda s: s.reshape(1, 1)},
            {"sigma": lambda s: s.reshape(1)},
        ),
        slip(
            "cut-off",
            "Your sigma is cut off from W, by no_grad() or detach().",
            "Compute the last line, sigma = u @ W @ v, with W itself and outside no_grad().",
            sigma=lambda s: s.detach(),
        ),
        slip(
            "u-and-v-swapped",
            "You return v before u.",
            "Return sigma, u, v: u has one entry for each row of W.",
            result=lambda s, u, v: (s, v, u),
        ),
        slip(
            "sigma-last",
            "You return u, v, sigma; sigma comes first.",
            "Write: return sigma, u, v.",
            result=lambda s, u, v: (u, v, s),
        ),
        slip(
            "only-sigma",
            "You return sigma alone.",
            "Return all three: return sigma, u, v.",
            result=lambda s, u, v: s,
        ),
        slip(
            "vectors-as-columns",
            "Your u and v are matrices with one column.",
            "Return vectors, (out,) and (in,): u.flatten() makes one of a column.",
            result=lambda s, u, v: (s, u.reshape(-1, 1), v.reshape(-1, 1)),
        ),
        slip(
            "ignores-u",
            "You start at random although u is given.",
            "Draw a random start only if u is None.",
            is_missing=lambda u: True,
        ),
        slip(
            "truth-of-a-tensor",
            "You ask whether u is true, and a tensor with several entries is neither true nor false.",
            "Write: if u is None.",
            is_missing=lambda u: not u,
        ),
        slip(
            "writes-into-u",
            "You write into the u that you were given.",
            "Assign a new tensor: u = u / u.norm(), without copy_, an index, or an operator like /=.",
            {"store": written_into},
            {"begin": in_place},
        ),
        slip(
            "starts-with-ones",
            "Without u you start with a vector of equal entries, which may be orthogonal to the right "
            "one.",
            "Draw the start at random, with torch.randn.",
            start=lambda W: torch.ones_like(W[:, 0]),
        ),
        slip(
            "starts-with-zeros",
            "Without u you start with zeros: their length is 0, and 0/0 is NaN.",
            "Draw the start at random, with torch.randn.",
            start=lambda W: torch.zeros_like(W[:, 0]),
        ),
        slip(
            "always-the-same-start",
            "Without u you draw the same start every time.",
            "Draw from PyTorch's own random numbers, without a seed of yours.",
            {"start": always_the_same},
            {"start": seeded},
        ),
        slip(
            "start-of-the-inputs",
            "Without u your start has one entry for each column of W.",
            "u has one entry for each row: W.shape[0].",
            start=lambda W: torch.randn(W.shape[1], dtype=W.dtype, device=W.device),
        ),
        slip(
            "float32-start",
            "Without u your start is always float32.",
            "Give torch.randn the dtype of W: dtype=W.dtype.",
            start=lambda W: torch.randn(W.shape[0], device=W.device),
        ),
        slip(
            "start-on-the-cpu",
            "Without u your start lies on the CPU.",
            "Give torch.randn the device of W: device=W.device.",
            start=lambda W: torch.randn(W.shape[0], dtype=W.dtype),
        ),
        slip(
            "square-only",
            "You multiply by W twice, which finds an eigenvector; W need not even be square.",
            "v ← Wᵀu/‖Wᵀu‖ goes back through the transposed matrix.",
            towards_v=lambda W, u: W @ u,
        ),
        slip(
            "transposed-twice",
            "You multiply by Wᵀ twice, which finds an eigenvector; W need not even be square.",
            "u ← Wv/‖Wv‖: the second multiplication is by W itself.",
            towards_u=lambda W, v: W.T @ v,
        ),
        slip(
            "roles-swapped",
            "You multiply by W first and by Wᵀ then; u has one entry for each row of W, so Wᵀ is first.",
            "First v ← Wᵀu/‖Wᵀu‖, and then u ← Wv/‖Wv‖.",
            towards_v=lambda W, u: W @ u,
            towards_u=lambda W, v: W.T @ v,
        ),
    ),
)
