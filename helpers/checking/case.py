"""Inputs of a check, as data: named values that are handed out as fresh copies."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch

_unseen = torch._C.DisableTorchFunction
"""Inside, no function mode looks on: what the engine does with tensors is none of its business."""

FEW_ENTRIES = 8
"""Tensors with at most this many entries are written out in a message."""


class Case:
    """One input to an implementation: what it is called, and its named data.

    >>> case = Case("negative numbers", x=torch.tensor([-1.0, -2.0]))
    >>> case.x
    tensor([-1., -2.])

    Tensors keep their strides when they are copied, so that a transposed or expanded input
    reaches every implementation as it was written.
    """

    def __init__(self, name: str, **data: Any) -> None:
        self.name = name
        self.data = data
        self.kept: Any = None
        """What only the judge may know, such as the labels of a test; copies do not have it."""
        self.is_beyond = False
        """Whether the case is judged and told, but costs no points."""

    def keeping(self, kept: Any) -> Case:
        """The same case with something that stays with the judge."""
        self.kept = kept
        return self

    def beyond(self) -> Case:
        """The same case as one that goes beyond what the lesson teaches: it is noted, not counted.

        >>> Case("no entries", x=torch.zeros(0)).beyond().is_beyond
        True
        """
        self.is_beyond = True
        return self

    def __getattr__(self, key: str) -> Any:
        try:
            return self.__dict__["data"][key]
        except KeyError:
            raise AttributeError(f"The case has no data named {key!r}.") from None

    def fresh(self) -> Case:
        """The same case with copies of everything that an implementation could change."""
        return Case(self.name, **{key: _fresh(value) for key, value in self.data.items()})

    def written(self) -> dict[str, str]:
        """Each value as it reads in a call, for the line 'Called with'; text stands as it is."""
        return {
            key: value if isinstance(value, str) else show(value, key)
            for key, value in self.data.items()
        }


def _fresh(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _fresh_tensor(value)
    if isinstance(value, (list, tuple)) and any(isinstance(v, torch.Tensor) for v in value):
        return type(value)(_fresh(v) for v in value)
    return copy.deepcopy(value)


def _fresh_tensor(tensor: torch.Tensor) -> torch.Tensor:
    with torch.no_grad(), _unseen():
        if tensor.device.type == "meta":
            new = torch.empty_strided(
                tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta"
            )
        else:
            new = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
            storage = tensor.detach().untyped_storage().clone()
            new.set_(storage, tensor.storage_offset(), tensor.shape, tensor.stride())  # type: ignore[call-overload]
    return new.requires_grad_(tensor.requires_grad)


def show(value: Any, name: str = "") -> str:
    """A value as it reads in a message: short ones written out, long ones by name and shape.

    >>> show(torch.tensor([1.0, 2.0]))
    'tensor([1., 2.])'
    >>> show(torch.zeros(100, 3), "x")
    'x'
    """
    if isinstance(value, torch.Tensor):
        if value.device.type != "meta" and value.numel() <= FEW_ENTRIES:
            return _entries(value)
        return name or "tensor(...)"
    if isinstance(value, np.ndarray):
        if value.size <= FEW_ENTRIES:
            return repr(value.tolist())
        return name or "array(...)"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(show(v, "...") for v in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _entries(tensor: torch.Tensor) -> str:
    numbers = tensor.detach().cpu()
    if numbers.numel() == 0:
        return f"tensor([], size={tuple(numbers.shape)})"
    with torch.no_grad():
        if numbers.dtype.is_floating_point:
            return f"tensor({_nested(numbers.tolist())})"
    return f"tensor({numbers.tolist()})"


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_nested(v) for v in value) + "]"
    text = f"{value:.5g}"
    return text if any(c in text for c in ".en") else text + "."


def describe(value: Any) -> str:
    """What kind of thing a value is: shape, dtype and, away from the CPU, the device.

    >>> describe(torch.zeros(2, 3))
    'shape (2, 3), float32'
    >>> describe(1.5)
    'a float'
    """
    if isinstance(value, torch.Tensor):
        dtype = str(value.dtype).removeprefix("torch.")
        where = "" if value.device.type == "cpu" else f", on {value.device}"
        return f"shape {tuple(value.shape)}, {dtype}{where}"
    if isinstance(value, np.ndarray):
        return f"NumPy array of shape {value.shape}, {value.dtype}"
    if isinstance(value, Foreign):
        return value.kind
    if value is None:
        return "None"
    return f"a{'n' if type(value).__name__[0] in 'aeiou' else ''} {type(value).__name__}"


class Foreign:
    """Stands for an object that is no plain data, such as a list or a module."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Foreign) and (self.kind, self.text) == (other.kind, other.text)

    def __hash__(self) -> int:
        return hash((self.kind, self.text))


MOST_ENTRIES = 50_000_000
"""A returned tensor with more entries than this is not copied."""


def is_too_large(value: Any) -> bool:
    """Whether a value is a tensor with more entries than are copied, such as an expanded one."""
    return isinstance(value, torch.Tensor) and value.numel() > MOST_ENTRIES


def snapshot(value: Any) -> Any:
    """A copy of an observed value as plain data that later code cannot change.

    Tensors and NumPy arrays are copied, NumPy's numbers become Python's, and anything else is
    kept only as the name of its type and a short text.

    >>> snapshot(np.float64(0.5))
    0.5
    >>> snapshot([1, 2])
    [1, 2]
    >>> snapshot([1, 2]).kind
    'a list'
    """
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or is_too_large(value):
            return Foreign(
                "a tensor too large or of an unusual layout", f"tensor{tuple(value.shape)}"
            )
        with torch.no_grad(), _unseen():
            return value.detach().as_subclass(torch.Tensor).clone()
    if isinstance(value, np.ndarray):
        return value.copy() if value.dtype.kind in "biuf" else Foreign("a NumPy array", "array")
    if isinstance(value, np.generic):
        return value.item()
    if value is None or type(value) in (bool, int, float, str):
        return value if not isinstance(value, str) else value[:1000]
    try:
        text = repr(value)
    except Exception:
        text = "an object that cannot be printed"
    name = type(value).__name__
    return Foreign(f"a{'n' if name[:1].lower() in 'aeiou' else ''} {name}", text[:120])
