"""What a judge and the processes of the sandbox say to each other over a control socket."""

from __future__ import annotations

import socket
import struct
from typing import Literal, NamedTuple

Kind = Literal["twin", "fork", "end", "load"]

READY, FORKED, LOADED = b"ready   ", b"forked  ", b"loaded  "
"""The replies: to `twin`, `fork` and `load`. There is none to `end`."""
REPLY_BYTES = 8
_FORM = struct.Struct("8s3Q")


class Order(NamedTuple):
    """One order, with up to three numbers, and a file that comes with it."""

    kind: str
    numbers: tuple[int, int, int]
    file: int


def give(
    control: socket.socket, kind: Kind, numbers: tuple[int, ...] = (), file: int | None = None
) -> None:
    """Send an order.

    Raises:
        OSError: nobody is there to take it.
    """
    message = _FORM.pack(kind.encode(), *numbers, *[0] * (3 - len(numbers)))
    if file is None:
        control.sendall(message)
    else:
        socket.send_fds(control, [message], [file])


def next_order(control: socket.socket) -> Order | None:
    """The next order, or None when the judge has hung up."""
    message, files, _, _ = socket.recv_fds(control, _FORM.size, 1)
    if len(message) < _FORM.size:
        return None
    kind, *numbers = _FORM.unpack(message)
    first, second, third = numbers
    name = kind.rstrip(b"\0").decode()
    return Order(name, (first, second, third), files[0] if files else -1)


def reply(control: socket.socket) -> bytes:
    """The reply to an order; less than it should be, if the other side is gone."""
    received = b""
    while len(received) < REPLY_BYTES:
        try:
            part = control.recv(REPLY_BYTES - len(received))
        except OSError:
            break
        if not part:
            break
        received += part
    return received
