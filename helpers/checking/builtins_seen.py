"""Notices which of PyTorch's own functions an implementation calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch.overrides import TorchFunctionMode


class NoticeBuiltins(TorchFunctionMode):
    """While active, remember calls of the named functions, however they are reached: as
    ``torch.relu``, ``F.relu``, ``x.relu()``, ``nn.ReLU()`` or ``torch.ops.aten.relu``.

    >>> import torch
    >>> with NoticeBuiltins({"relu"}) as noticed:
    ...     _ = torch.nn.ReLU()(torch.zeros(2))
    >>> noticed.names
    ['relu']
    """

    def __init__(self, forbidden: Collection[str]) -> None:
        super().__init__()
        self.forbidden = frozenset(forbidden)
        self.names: list[str] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = str(getattr(func, "__name__", "")).split(".")[0].rstrip("_")
        if name in self.forbidden and name not in self.names:
            self.names.append(name)
        return func(*args, **(kwargs or {}))
