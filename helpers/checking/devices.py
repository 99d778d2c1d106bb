"""On which device results lie, seen without a GPU: `meta` tensors stand in for one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch

READS_ENTRIES = (
    "cannot be called on meta tensors",
    "Cannot copy out of meta tensor",
    "torch.nonzero() raises unimplemented",
    "no fake impl or Meta kernel registered",
)
"""How PyTorch refuses to look into a meta tensor. A GPU would not refuse."""


@lru_cache(maxsize=1)
def load_meta() -> None:
    """Let PyTorch load what it computes meta tensors with: nine hundred modules, which can take
    seconds. Without this they would count as the time of the first student's code that needs them.
    """
    x = torch.zeros(2, device="meta")
    torch.where(torch.rand_like(x) > 0.5, torch.nn.functional.dropout(x, 0.5), 0.0)


def has_meta(value: Any) -> bool:
    """Whether a value, or a part of it, is a meta tensor.

    >>> has_meta([1, torch.zeros(2, device="meta")])
    True
    """
    if isinstance(value, (list, tuple)):
        return any(has_meta(part) for part in value)
    return isinstance(value, torch.Tensor) and value.device.type == "meta"


def unless_it_reads(call: Callable[[], Any], otherwise: Any) -> Any:
    """What a call with meta tensors returns.

    Code that looks at single entries, with `int(y[i])` or `x[x > 0]` for example, works on a GPU
    but not on meta tensors; then there is nothing to see, and the answer is `otherwise`.

    >>> x = torch.zeros(2, device="meta")
    >>> unless_it_reads(lambda: (x + 1).shape, "it reads")
    torch.Size([2])
    >>> unless_it_reads(lambda: x[x > 0], "it reads")
    'it reads'
    """
    try:
        return call()
    except (RuntimeError, NotImplementedError) as error:
        if any(words in str(error) for words in READS_ENTRIES):
            return otherwise
        raise


class _OnMeta:
    device = "meta"


_ON_META = _OnMeta()


def device_of(call: Callable[[], Any]) -> str:
    """The devices of the tensors that a call with meta tensors returns, as text.

    >>> device_of(lambda: torch.zeros(2, device="meta") + 1)
    'meta'
    >>> device_of(lambda: (torch.zeros(2, device="meta"), torch.zeros(2)))
    'cpu and meta'
    >>> device_of(lambda: int(torch.zeros(1, device="meta")[0]))
    'meta'
    """
    result = unless_it_reads(call, _ON_META)
    results = result if isinstance(result, (tuple, list)) else (result,)
    return " and ".join(sorted({str(getattr(r, "device", "no device")) for r in results}))
