"""Notices which of PyTorch's own functions an implementation calls."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import FrameType
from typing import Any

from torch.overrides import TorchFunctionMode, get_overridable_functions

_NAMES_OF_PROPERTIES = frozenset({"__get__", "__set__", "__delete__"})
"""Most of what the mode sees: a look at a tensor's shape, dtype or device."""


@lru_cache(maxsize=1)
def seen_by_the_mode() -> frozenset[str]:
    """The names of PyTorch's functions that a function mode sees. Others take longer to notice.

    >>> "relu" in seen_by_the_mode()
    True
    """
    found = (getattr(f, "__name__", "") for fs in get_overridable_functions().values() for f in fs)
    return frozenset(found)


class NoticeBuiltins(TorchFunctionMode):
    """While active, remember calls of the named functions, however they are reached: as
    ``torch.relu``, ``F.relu``, ``x.relu()``, ``nn.ReLU()`` or ``torch.ops.aten.relu``.

    >>> import torch
    >>> with NoticeBuiltins({"relu"}) as noticed:
    ...     _ = torch.nn.ReLU()(torch.zeros(2))
    >>> noticed.names
    ['relu']

    Functions that PyTorch wrote in Python, such as ``clip_grad_norm_`` or the optimisers'
    ``sgd``, are no torch functions; they are seen by their frames, in this thread.

    >>> with NoticeBuiltins({"clip_grad_norm"}) as noticed:
    ...     _ = torch.nn.utils.clip_grad_norm_([torch.zeros(2)], 1.0)
    >>> noticed.names
    ['clip_grad_norm']
    """

    def __init__(self, forbidden: Collection[str]) -> None:
        super().__init__()
        self.forbidden = frozenset(forbidden)
        self.names: list[str] = []
        self._needs_frames = not self.forbidden <= seen_by_the_mode()

    def __enter__(self) -> NoticeBuiltins:
        super().__enter__()
        if self._needs_frames:
            sys.setprofile(self._on_call)
        return self

    def __exit__(self, *error: Any) -> None:
        if self._needs_frames:
            sys.setprofile(None)
        super().__exit__(*error)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = getattr(func, "__name__", "")
        if name not in _NAMES_OF_PROPERTIES:
            self._notice(str(name).split(".")[0])
        return func(*args, **(kwargs or {}))

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and str(frame.f_globals.get("__name__", "")).startswith("torch."):
            self._notice(frame.f_code.co_name)

    def _notice(self, called: str) -> None:
        name = called if called in self.forbidden else called.rstrip("_")
        if name in self.forbidden and name not in self.names:
            self.names.append(name)
