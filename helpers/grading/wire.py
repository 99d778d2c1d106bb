"""How the judge and the sandbox talk. One message is

8 bytes   length of the JSON text, big-endian
8 bytes   length of the numbers
JSON      one object; `values` says how tensors stand in it
numbers   the storage of all tensors and arrays, one after the other
"""

from __future__ import annotations

import json
import socket
import struct
import time
from typing import Any

import numpy as np
import torch

from helpers.checking.arguments import Facts
from helpers.checking.case import Case, Foreign
from helpers.checking.observing import Observation, Trouble
from helpers.grading.values import Packer, Unpacker, WireError, text_of

MOST_TEXT = 16 * 2**20
"""Bytes of JSON in one message."""
MOST_NUMBERS = 256 * 2**20
"""Bytes of tensors in one message."""
MOST_ANSWER_TEXT = 4 * 2**20
"""Bytes of JSON in one message from a sandbox; as objects they take some thirty times as much."""
MOST_ANSWER_NUMBERS = 64 * 2**20
"""Bytes of tensors in one message from a sandbox."""
MOST_NUMBERS_TOGETHER = 8 * 2**20
"""When the observations of several cases have more bytes than this, the others are sent later."""
MOST_SEEN_NUMBERS = 16 * 2**20
"""Bytes of one observed tensor; of a larger one only its shape is sent."""
MOST_SEEN_TEXT = 2_000
_HEADER = struct.Struct(">QQ")


# ---- messages ------------------------------------------------------------------------------------


def message(what: dict[str, Any]) -> bytes:
    """A message as bytes; its values may hold tensors."""
    packer = Packer()
    text = json.dumps({key: packer.pack(value) for key, value in what.items()}).encode()
    return b"".join([_HEADER.pack(len(text), packer.length), text, *packer.parts])


def send(channel: socket.socket, what: dict[str, Any] | bytes) -> None:
    """Send one message."""
    channel.sendall(what if isinstance(what, bytes) else message(what))


def receive(
    channel: socket.socket, seconds: float | None = None, trusted: bool = True
) -> dict[str, Any]:
    """The next message, which must be complete after `seconds`.

    From a sandbox no views are taken: one number, shown a billion times, would take the judge's
    memory when it is copied. Its messages must also be shorter.

    Raises:
        TimeoutError: it is not complete in time.
        EOFError: the other side is gone.
        WireError: it is not a message.
    """
    end = None if seconds is None else time.monotonic() + seconds
    text_length, numbers_length = _HEADER.unpack(_exactly(channel, _HEADER.size, end))
    most_text = MOST_TEXT if trusted else MOST_ANSWER_TEXT
    most_numbers = MOST_NUMBERS if trusted else MOST_ANSWER_NUMBERS
    if text_length > most_text or numbers_length > most_numbers:
        raise WireError("A message is too long.")
    text = _exactly(channel, text_length, end)
    numbers = _exactly(channel, numbers_length, end)
    try:
        what = json.loads(text)
        if not isinstance(what, dict):
            raise WireError("A message is not an object.")
    except (ValueError, RecursionError):
        raise WireError("A message is not JSON.") from None
    unpacker = Unpacker(numbers, views=trusted)
    return {key: unpacker.unpack(value) for key, value in what.items()}


def _exactly(channel: socket.socket, length: int, end: float | None) -> bytearray:
    """Memory grows with what really came, not with what was announced."""
    received = bytearray()
    while len(received) < length:
        if end is not None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        part = channel.recv(min(length - len(received), 2**20))
        if not part:
            raise EOFError
        received += part
    return received


# ---- cases and observations ---------------------------------------------------------------------


def case_sent(case: Case) -> dict[str, Any]:
    """A case as it goes into the sandbox: without what only the judge may know."""
    return {"name": case.name, "data": dict(case.data)}


def case_received(what: dict[str, Any]) -> Case:
    return Case(what["name"], **what["data"])


def observation_sent(seen: Observation) -> dict[str, Any]:
    trouble = seen.trouble
    fields = ("kind", "type", "message", "line", "where")
    return {
        "seen": {key: _not_too_large(value) for key, value in seen.seen.items()},
        "trouble": None if trouble is None else {f: str(getattr(trouble, f)) for f in fields},
        "printed": seen.printed,
        "builtins": list(seen.builtins),
        "builtins_after": seen.builtins_after,
    }


def _not_too_large(value: Any) -> Any:
    if isinstance(value, (torch.Tensor, np.ndarray)) and value.nbytes > MOST_SEEN_NUMBERS:
        kind = "a tensor" if isinstance(value, torch.Tensor) else "an array"
        return Foreign(f"{kind} too large to compare", f"shape {tuple(value.shape)}")
    return value


def observations_received(answer: dict[str, Any], most: int) -> list[Observation]:
    """What a sandbox says it saw, at least in one case; anything else is a WireError."""
    observations = answer.get("observations")
    if not isinstance(observations, list) or not 0 < len(observations) <= most:
        raise WireError("The observations are missing.")
    return [_observation(one) for one in observations]


def _observation(what: Any) -> Observation:
    if not isinstance(what, dict):
        raise WireError("An observation is not an object.")
    seen, trouble, builtins = what.get("seen"), what.get("trouble"), what.get("builtins")
    if not isinstance(seen, dict) or not all(isinstance(key, str) for key in seen):
        raise WireError("An observation has no values.")
    if any(isinstance(value, (list, tuple, dict)) for value in seen.values()):
        raise WireError("An observed value is not plain.")
    after = what.get("builtins_after", 0)
    if (
        type(after) is not int
        or not isinstance(builtins, list)
        or not all(isinstance(name, str) for name in builtins)
    ):
        raise WireError("An observation is not complete.")
    return Observation(
        seen={k: v[:MOST_SEEN_TEXT] if isinstance(v, str) else v for k, v in seen.items()},
        trouble=None if trouble is None else _trouble(trouble),
        printed=text_of(what.get("printed"), 2_000),
        builtins=[name[:100] for name in builtins[:20]],
        builtins_after=min(max(after, 0), len(seen)),
    )


def facts_received(what: Any) -> Facts:
    """What a sandbox says about one argument of a check."""
    types = {name: type(value) for name, value in vars(Facts()).items()}
    if not isinstance(what, dict) or {k: type(v) for k, v in what.items()} != types:
        raise WireError("The facts about an argument cannot be read.")
    short: dict[str, Any] = {k: v[:200] if isinstance(v, str) else v for k, v in what.items()}
    return Facts(**short)


def _trouble(what: Any) -> Trouble:
    if not isinstance(what, dict) or what.get("kind") not in (
        "not attempted",
        "time limit",
        "raised",
    ):
        raise WireError("A trouble is of no known kind.")
    keys = ("type", "message", "line", "where")
    texts: dict[str, Any] = {k: " ".join(text_of(what.get(k), 300).splitlines()) for k in keys}
    return Trouble(what["kind"], **texts)


__all__ = [
    "WireError",
    "case_received",
    "case_sent",
    "facts_received",
    "message",
    "observation_sent",
    "observations_received",
    "receive",
    "send",
]
