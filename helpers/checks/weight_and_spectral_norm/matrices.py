"""Matrices with chosen singular values, so that it is known how fast power iteration converges."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def with_singular_values(
    rng: torch.Generator,
    rows: int,
    columns: int,
    values: Sequence[float],
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """A random (rows, columns) matrix with these singular values; missing ones are zero.

    >>> W = with_singular_values(torch.Generator().manual_seed(0), 3, 2, [2.0, 1.0])
    >>> torch.allclose(torch.linalg.svdvals(W), torch.tensor([2.0, 1.0]))
    True
    """
    count = len(values)
    left = torch.linalg.qr(torch.randn(rows, count, generator=rng, dtype=torch.float64)).Q
    right = torch.linalg.qr(torch.randn(columns, count, generator=rng, dtype=torch.float64)).Q
    scale = torch.tensor(values, dtype=torch.float64)
    matrix: torch.Tensor = (left * scale) @ right.T
    return matrix.to(dtype)
