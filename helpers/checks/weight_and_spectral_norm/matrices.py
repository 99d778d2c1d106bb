"""Matrices with chosen singular values, so that it is known how fast power iteration converges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


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


class NoticeMatrixNorms(TorchFunctionMode):
    """While active, notice torch.linalg.norm where it takes singular values: of a matrix, with
    ord=2 and the like. Of a vector, or along one axis, it is a length like any other.

    >>> with NoticeMatrixNorms() as noticed:
    ...     _ = torch.linalg.norm(torch.ones(3), 2), torch.linalg.norm(torch.eye(2), dim=1)
    >>> noticed.any
    False
    >>> with NoticeMatrixNorms() as noticed:
    ...     _ = torch.linalg.norm(torch.eye(2), ord=2)
    >>> noticed.any
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self.any = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "linalg_norm":
            A, order, axes = (*args, None, None, None)[:3]
            A, order = kwargs.get("A", kwargs.get("input", A)), kwargs.get("ord", order)
            axes = kwargs.get("dim", axes)
            along_one = isinstance(axes, int) or (axes is not None and len(axes) == 1)
            if A.dim() > 1 and not along_one and order in (2, -2, "nuc"):
                self.any = True
        return func(*args, **kwargs)
