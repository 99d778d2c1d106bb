"""Values as JSON for what is small, and as raw bytes for the numbers of tensors.

Nothing here runs code that came over the wire, as pickle would, and every length and every shape
is checked before memory is taken for it. A tensor is {"$": "tensor", ...} and names its place among
the numbers: the storage of all tensors and arrays, one after the other.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch

from helpers.checking.case import Foreign

MOST_DIMENSIONS = 64
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
        *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
        *(torch.complex64, torch.complex128),
    )
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_ARRAYS = {
    name: np.dtype(name)
    for name in (
        *("float64", "float32", "float16", "int64", "int32", "int16", "int8"),
        *("uint64", "uint32", "uint16", "uint8", "bool"),
    )
}


class WireError(ValueError):
    """What came over the wire is not what may come over it."""


class Packer:
    """Turns values into JSON, and collects the numbers of tensors beside it."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.length = 0

    def pack(self, value: Any) -> Any:
        """A value as JSON.

        >>> Packer().pack({"a": (1, 2.5, None)})
        {'$': 'dict', 'items': [['a', {'$': 'tuple', 'items': [1, 2.5, None]}]]}
        """
        if value is None or type(value) in (bool, str):
            return value
        if type(value) is int:
            return (
                value if -(2**63) <= value < 2**63 else self.pack(Foreign("an int", "a long int"))
            )
        if type(value) is float:
            return value if math.isfinite(value) else {"$": "float", "text": repr(value)}
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, np.ndarray):
            if value.dtype.name not in _ARRAYS:
                return self.pack(Foreign("an array of an unusual kind", f"array{value.shape}"))
            return self._array(value.astype(value.dtype.newbyteorder("="), copy=False))
        if isinstance(value, np.generic) and value.dtype.name in _ARRAYS:
            return {**self._array(np.asarray(value)), "$": "scalar"}
        if isinstance(value, torch.dtype) and value in _NAMES:
            return {"$": "dtype", "name": _NAMES[value]}
        if isinstance(value, torch.Size):
            return {"$": "size", "items": list(value)}
        if type(value) in (list, tuple):
            return {"$": type(value).__name__, "items": [self.pack(v) for v in value]}
        if type(value) is dict:
            return {"$": "dict", "items": [[self.pack(k), self.pack(v)] for k, v in value.items()]}
        if isinstance(value, Foreign):
            return {"$": "foreign", "kind": value.kind[:200], "text": value.text[:200]}
        raise WireError(f"A {type(value).__name__} cannot be sent.")

    def _tensor(self, tensor: torch.Tensor) -> Any:
        if tensor.dtype not in _NAMES or tensor.layout != torch.strided:
            return self.pack(Foreign("a tensor of an unusual kind", f"tensor{tuple(tensor.shape)}"))
        what = {
            "$": "tensor",
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "grad": tensor.requires_grad,
        }
        if tensor.device.type == "meta":
            return {**what, "stride": list(tensor.stride()), "device": "meta"}
        plain = tensor.detach().cpu().resolve_conj().resolve_neg()
        storage = plain.untyped_storage()
        if storage.nbytes() > 2 * plain.numel() * plain.element_size():  # a small view of much
            plain = plain.contiguous().clone()
            storage = plain.untyped_storage()
        start = self._add(bytes(torch.empty(0, dtype=torch.uint8).set_(storage).numpy()))  # type: ignore[call-overload]
        where = {"start": start, "bytes": storage.nbytes(), "offset": plain.storage_offset()}
        return {**what, "stride": list(plain.stride()), "device": "cpu", **where}

    def _array(self, array: np.ndarray[Any, Any]) -> Any:
        turned = array.flags.f_contiguous and not array.flags.c_contiguous
        order: Literal["F", "C"] = "F" if turned else "C"
        numbers = array.tobytes(order)
        what = {"$": "array", "dtype": array.dtype.name, "shape": list(array.shape)}
        return {**what, "order": order, "start": self._add(numbers), "bytes": len(numbers)}

    def _add(self, numbers: bytes) -> int:
        start = self.length
        self.parts.append(numbers)
        self.length += len(numbers)
        return start


class Unpacker:
    """Turns JSON and numbers into values again; whatever they are, it raises at most WireError."""

    def __init__(self, numbers: bytes | bytearray, views: bool = True) -> None:
        self.numbers = memoryview(numbers)
        self.left = len(numbers)
        """Bytes that are still to be copied: no two tensors may share any."""
        self.views = views
        """Whether a tensor may show one number many times, as an expanded one does."""

    def unpack(self, value: Any) -> Any:
        """The value that `Packer.pack` was given.

        >>> packer = Packer()
        >>> sent = packer.pack([torch.tensor([1.0, 2.0]), math.inf])
        >>> Unpacker(b"".join(packer.parts)).unpack(sent)
        [tensor([1., 2.]), inf]
        """
        try:
            return self._unpack(value)
        except WireError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError) as error:
            raise WireError(f"A value could not be read: {error}") from None

    def _unpack(self, value: Any) -> Any:
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise WireError("A number is too long.")
        if value is None or type(value) in (bool, str, int, float):
            return value
        kind = value["$"]
        if kind == "tensor":
            return self._tensor(value)
        if kind in ("array", "scalar"):
            array = self._array(value)
            return array[()] if kind == "scalar" else array
        if kind == "float":
            return {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}[value["text"]]
        if kind == "foreign":
            return Foreign(text_of(value["kind"], 200), text_of(value["text"], 200))
        if kind == "dtype":
            return DTYPES[value["name"]]
        if kind == "dict":
            return {self._unpack(k): self._unpack(v) for k, v in value["items"]}
        if kind == "size":
            return torch.Size(_whole(v) for v in value["items"])
        items = [self._unpack(v) for v in value["items"]]
        return {"list": list, "tuple": tuple}[kind](items)

    def _tensor(self, what: Any) -> torch.Tensor:
        dtype = DTYPES[what["dtype"]]
        shape = [_whole(n) for n in what["shape"]]
        stride = [_whole(n) for n in what["stride"]]
        if len(shape) > MOST_DIMENSIONS or len(stride) != len(shape):
            raise WireError("A tensor has an impossible shape.")
        if what["device"] == "meta":
            new = torch.empty_strided(shape, stride, dtype=dtype, device="meta")
        else:
            offset = _whole(what["offset"])
            numbers = self._slice(what)
            reach = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
            entries = len(numbers) // dtype.itemsize
            if math.prod(shape) and reach >= entries:
                raise WireError("A tensor reaches beyond its numbers.")
            if not self.views and math.prod(shape) > entries:
                raise WireError("A tensor has more entries than numbers.")
            flat = torch.empty(entries, dtype=dtype)
            if entries:
                flat.view(torch.uint8).copy_(
                    torch.frombuffer(bytearray(numbers), dtype=torch.uint8)[: flat.nbytes]
                )
            new = flat.as_strided(shape, stride, offset)
        return new.requires_grad_() if what["grad"] is True else new

    def _array(self, what: Any) -> np.ndarray[Any, Any]:
        dtype = _ARRAYS[what["dtype"]]
        shape = [_whole(n) for n in what["shape"]]
        numbers = self._slice(what)
        if len(shape) > MOST_DIMENSIONS or math.prod(shape) * dtype.itemsize != len(numbers):
            raise WireError("An array does not fit its numbers.")
        order: Literal["F", "C"] = "F" if what["order"] == "F" else "C"
        flat: np.ndarray[Any, Any] = np.frombuffer(bytes(numbers), dtype=dtype)
        return flat.reshape(tuple(shape), order=order).copy(order)

    def _slice(self, what: Any) -> memoryview:
        start, length = _whole(what["start"]), _whole(what["bytes"])
        self.left -= length
        if start + length > len(self.numbers) or self.left < 0:
            raise WireError("Numbers are missing.")
        return self.numbers[start : start + length]


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**40:
        raise WireError("A length is not a whole number.")
    return value


def text_of(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise WireError("A text is missing.")
    return value[:most]
