"""Ways to drop that are right or wrong, as functions of (X, p), for the layer and the module."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import torch

Drop = Callable[[torch.Tensor, float], torch.Tensor]
"""Takes X and the probability of dropping, in [0, 1]; returns the result."""


def right(X: torch.Tensor, p: float) -> torch.Tensor:
    if p == 1:
        return X * 0
    return X * (torch.rand_like(X) >= p) / (1 - p)


def drop_with(*, swapped: bool = False, scaled: bool = True, cpu: bool = False) -> Drop:
    """A dropout with any of the three classical faults: it keeps where it should drop, forgets
    the scale, or makes its mask on the CPU."""

    def drop(X: torch.Tensor, p: float) -> torch.Tensor:
        if p == 1 and not swapped:
            return X * 0
        drawn = torch.rand(X.shape) if cpu else torch.rand_like(X)
        mask = drawn < p if swapped else drawn >= p
        scale = 1 / (1 - p) if scaled and p < 1 else 1.0
        return mask * X * scale

    return drop


def scaled_by(factor: Callable[[float], float]) -> Drop:
    """The right mask with another scale for the kept entries."""

    def drop(X: torch.Tensor, p: float) -> torch.Tensor:
        if p in (0, 1):
            return X * (1 - p)
        return X * (torch.rand_like(X) >= p) * factor(p)

    return drop


def masked_by(mask: Callable[[torch.Tensor, float], torch.Tensor]) -> Drop:
    """The right scale with another mask."""

    def drop(X: torch.Tensor, p: float) -> torch.Tensor:
        return X * 0 if p == 1 else X * mask(X, p) / (1 - p)

    return drop


def by_masked_fill(X: torch.Tensor, p: float) -> torch.Tensor:
    dropped = torch.rand(X.shape, device=X.device) < p
    return X.masked_fill(dropped, 0.0) * (1 / (1 - p) if p < 1 else 0.0)


def by_own_copy(X: torch.Tensor, p: float) -> torch.Tensor:
    result = X.clone() if p < 1 else torch.zeros_like(X)
    result[torch.rand_like(X) < p] = 0
    return result / (1 - p) if p < 1 else result


def by_bernoulli(X: torch.Tensor, p: float) -> torch.Tensor:
    kept = torch.bernoulli(torch.full_like(X, 1 - p))
    return kept * X / max(1 - p, 1e-12)


def by_numpy(X: torch.Tensor, p: float) -> torch.Tensor:
    kept = torch.from_numpy(np.asarray(np.random.default_rng().random(tuple(X.shape)) >= p))
    return X * kept.to(X) * (0.0 if p == 1 else 1 / (1 - p))


def by_entries(X: torch.Tensor, p: float) -> torch.Tensor:
    """One draw of Python's own generator for each entry."""
    kept = torch.tensor([random.random() >= p for _ in range(X.numel())], dtype=X.dtype)
    return torch.zeros_like(X) if p == 1 else X * kept.reshape(X.shape).to(X.device) / (1 - p)


def in_float64(X: torch.Tensor, p: float) -> torch.Tensor:
    return right(X.double(), p).to(X.dtype)


def in_place(X: torch.Tensor, p: float) -> torch.Tensor:
    if p == 1:
        return X * 0
    mask = torch.rand_like(X) >= p
    with torch.no_grad():
        X *= mask
    return X / (1 - p)


def cut_off(X: torch.Tensor, p: float) -> torch.Tensor:
    with torch.no_grad():
        return right(X, p)


def straight_through(X: torch.Tensor, p: float) -> torch.Tensor:
    """Values are dropped and the gradient is passed everywhere."""
    return X + (right(X, p) - X).detach()


def unscaled_gradient(X: torch.Tensor, p: float) -> torch.Tensor:
    if p == 1:
        return X * 0
    masked = X * (torch.rand_like(X) >= p)
    return masked + (masked / (1 - p) - masked).detach()


def zero_over_zero(X: torch.Tensor, p: float) -> torch.Tensor:
    mask = (torch.rand_like(X) >= p).to(X.dtype)
    return mask * X / torch.tensor(1.0 - p, dtype=X.dtype)


def wide(X: torch.Tensor, p: float) -> torch.Tensor:
    """A mask of NumPy's float64 makes the result float64."""
    mask = torch.from_numpy(np.asarray(np.random.random(tuple(X.shape)) >= p).astype(np.float64))
    return X * 0.0 * mask.to(X.device) if p == 1 else X * mask.to(X.device) / (1 - p)


def fixed_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(X.shape, generator=generator).to(X.device)
    return X * 0 if p == 1 else X * (drawn >= p) / (1 - p)


def rescaled_by_count(X: torch.Tensor, p: float) -> torch.Tensor:
    """Divides by the share that was kept by chance."""
    mask = (torch.rand_like(X) >= p).to(X.dtype)
    kept = mask.sum().clamp(min=1) / max(mask.numel(), 1)
    return X * 0 if p == 1 else X * mask / kept


def exact_number(X: torch.Tensor, p: float) -> torch.Tensor:
    """Drops exactly the share p of the entries, chosen at random."""
    if p == 1:
        return X * 0
    mask = torch.ones(X.numel(), dtype=X.dtype, device=X.device)
    mask[torch.randperm(X.numel(), device=X.device)[: round(p * X.numel())]] = 0
    return X * mask.reshape(X.shape) / (1 - p)


def rows_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    """One draw for each index of the first axis."""
    shape = [*X.shape[:1], *[1] * (X.dim() - 1)]
    return torch.rand(shape, device=X.device) >= p


def batch_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    """One mask for all samples."""
    return torch.rand(X.shape[1:], device=X.device) >= p


def channel_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    """One draw for each channel of each image; right for a matrix."""
    shape = [*X.shape[:2], *[1] * (X.dim() - 2)]
    return torch.rand(shape, device=X.device) >= p


def single_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    """One draw for the whole tensor."""
    return torch.rand((), device=X.device) >= p


def first_entries(X: torch.Tensor, p: float) -> torch.Tensor:
    """Always the same entries, the first ones."""
    place = torch.arange(X.numel(), device=X.device).reshape(X.shape)
    return place >= p * X.numel()


def normal_mask(X: torch.Tensor, p: float) -> torch.Tensor:
    return (torch.randn_like(X) >= p) | (p == 0)


def by_indexing(X: torch.Tensor, p: float) -> torch.Tensor:
    """Copies the kept entries alone. Meta tensors cannot be indexed so, and a GPU's can."""
    result = torch.zeros_like(X)
    kept = torch.rand_like(X) >= p
    result[kept] = X[kept] / max(1 - p, 1e-12)
    return result


def by_distribution(X: torch.Tensor, p: float) -> torch.Tensor:
    """Bernoulli looks at its probabilities, which meta tensors do not have and a GPU's have."""
    kept = torch.distributions.Bernoulli(torch.full_like(X, 1 - p)).sample()
    return kept * X / max(1 - p, 1e-12)


def shape_unpacked(X: torch.Tensor, p: float) -> torch.Tensor:
    drawn = torch.rand(*X.shape, device=X.device)
    return X * 0 if p == 1 else X * (drawn >= p) / (1 - p)
