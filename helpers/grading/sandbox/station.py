"""The judge's side of the sandbox: talks to one child at a time.

PyTorch is imported here only when a child talks; see `start`.
"""

from __future__ import annotations

import atexit
import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

from helpers.grading.exam import Limits
from helpers.grading.sandbox import orders
from helpers.grading.sandbox.start import START_SECONDS, WHAT_TO_DO, Sandbox, SandboxError


class ChildEnded(Exception):
    """The child is gone, or was ended since it did not answer as it should."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how
        """`"time"`, `"died"` or `"babble"` for an answer that is none."""


class Child:
    """One forked process, with a student's code in it."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def wait_until_confined(self) -> None:
        """Before any student's code runs, the child says that every wall stands."""
        from helpers.grading import wire

        try:
            said = wire.receive(self._channel, START_SECONDS)
        except (EOFError, OSError, wire.WireError) as error:
            raise SandboxError(f"A sandboxed process ended at its start: {error}") from None
        if "refused" in said:
            why = f"The sandbox does not hold on this machine: {said['refused']}."
            raise SandboxError(f"{why} {WHAT_TO_DO}")

    def ask(self, question: dict[str, Any] | bytes, seconds: float) -> dict[str, Any]:
        """Ask, and wait for the answer at most so long.

        Raises:
            ChildEnded: there is no answer, or none that can be read.
        """
        from helpers.grading import wire

        end = time.monotonic() + seconds
        try:
            self._channel.settimeout(seconds)
            wire.send(self._channel, question)
            answer = wire.receive(self._channel, max(end - time.monotonic(), 0.001), trusted=False)
        except TimeoutError:
            raise ChildEnded("time") from None
        except (EOFError, OSError):
            raise ChildEnded("died") from None
        except wire.WireError:
            raise ChildEnded("babble") from None
        if "failed" in answer:  # it could not even answer, for want of memory as a rule
            raise ChildEnded("died")
        return answer


class Station:
    """A twin of the zygote, from which a judge gets one child after the other."""

    def __init__(self, control: socket.socket, sandbox: Sandbox | None = None) -> None:
        self._control = control
        self._sandbox = sandbox
        self._ready = False
        self._spare: tuple[Limits, socket.socket] | None = None
        """The next child's channel. It is forked while the judge works with the one before."""
        self._preloaded: set[str] = set()

    def wait_until_ready(self) -> None:
        """Wait until everything is imported behind the wall.

        Raises:
            SandboxError: the wall does not stand.
        """
        if self._ready:
            return
        self._control.settimeout(START_SECONDS)
        if orders.reply(self._control) != orders.READY:
            error = self._error()
            error.hopeless = self._sandbox is not None
            raise error
        self._ready = True

    @contextlib.contextmanager
    def child(self, limits: Limits) -> Iterator[Child]:
        """A fresh child; it is gone when the block ends.

        Raises:
            SandboxError: the child could not be confined, or the zygote is gone.
        """
        self.wait_until_ready()
        if self._spare is not None and self._spare[0] != limits:
            self._drop_spare()
        if self._spare is None:
            self._spare = self._order(limits)
            self._expect(orders.FORKED)
        channel = self._spare[1]
        self._spare = None
        with channel:
            try:
                child = Child(channel)
                child.wait_until_confined()
                spare = self._order(limits)
                try:
                    yield child
                finally:
                    self._expect(orders.FORKED)
                    self._spare = spare
            finally:
                self._give("end")

    def preload(self, imported: list[str]) -> None:
        """Import what a child has needed, so that the next children have it at once."""
        from helpers.grading.sandbox.imports import LIBRARIES

        new = set(imported) & set(LIBRARIES) - self._preloaded
        if new:
            self._drop_spare()
        for name in new:
            self._preloaded.add(name)
            self._give("load", (LIBRARIES.index(name),))
            self._expect(orders.LOADED)

    def _order(self, limits: Limits) -> tuple[Limits, socket.socket]:
        ours, theirs = socket.socketpair()
        cpu_seconds = int(limits.notebook_seconds) + 60
        with theirs:
            self._give("fork", (limits.memory, limits.scratch, cpu_seconds), theirs.fileno())
        return limits, ours

    def _drop_spare(self) -> None:
        if self._spare is not None:
            self._spare[1].close()
            self._spare = None
            self._give("end")

    def _give(
        self, kind: orders.Kind, numbers: tuple[int, ...] = (), file: int | None = None
    ) -> None:
        try:
            orders.give(self._control, kind, numbers, file)
        except OSError:
            raise self._error() from None

    def _expect(self, reply: bytes) -> None:
        if orders.reply(self._control) != reply:
            raise self._error()

    def _error(self) -> SandboxError:
        ended = f"The sandbox ended without a word. {WHAT_TO_DO}"
        return SandboxError(ended if self._sandbox is None else self._sandbox.why())

    def close(self) -> None:
        """End the twin and its children."""
        self._control.close()
        if self._spare is not None:
            self._spare[1].close()

    @property
    def alive(self) -> bool:
        return self._sandbox is None or self._sandbox.alive


_sandboxes: dict[bool, Sandbox] = {}
_stations: dict[bool, Station] = {}
"""What this process has, by whether it is confined."""


def sandbox_of_this_process(confined: bool) -> Sandbox:
    """The sandbox that this process has started; it is started if there is none.

    Raises:
        SandboxError: what the wall is made of is not installed.
    """
    sandbox = _sandboxes.get(confined)
    if sandbox is not None and not sandbox.alive:
        _sandboxes.pop(confined).close()
        sandbox = None
    if sandbox is None:
        sandbox = _sandboxes[confined] = Sandbox(confined)
    return sandbox


def station_for(confined: bool) -> Station:
    """The station of this process; it gets one, and a sandbox, if it has none.

    Raises:
        SandboxError: what the wall is made of is not installed.
    """
    station = _stations.get(confined)
    if station is None or not station.alive:
        close_sandbox()
        sandbox = sandbox_of_this_process(confined)
        station = _stations[confined] = Station(sandbox.twin(), sandbox)
    return station


def use_station(control: socket.socket, confined: bool) -> None:
    """From now on the station of this process is the twin at the end of this socket."""
    _stations[confined] = Station(control)


@atexit.register
def close_sandbox() -> None:
    """End the station and the sandbox of this process, where there are any."""
    while _stations:
        _stations.popitem()[1].close()
    while _sandboxes:
        _sandboxes.popitem()[1].close()
