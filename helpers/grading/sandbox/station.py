"""The judge's side of the sandbox: starts the zygote, and talks to one child at a time.

PyTorch is imported here only when a child talks, so that a worker can start its zygote first and
import PyTorch while that does the same.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helpers
from helpers.grading.exam import Limits
from helpers.grading.sandbox import bubblewrap

START_SECONDS = 120.0
"""The first start on a slow disk reads a gigabyte of libraries."""

ENVIRONMENT = {
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "PATH": "/nowhere",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "COURSE_PROGRESS": "off",
    "NBGRADER_EXECUTION": "autograde",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONSAFEPATH": "1",
}
"""All that a child sees of the environment, beside its folders."""
FOLDERS = {"HOME": "", "TMPDIR": "", "MPLCONFIGDIR": "matplotlib", "IPYTHONDIR": "ipython"}
"""Below the one folder in which a child may write."""


WHAT_TO_DO = "Run `course sandbox` to see what is missing and how to get it."


class SandboxError(Exception):
    """The sandbox could not be started, or does not hold; the message says what is missing."""


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
    """A zygote behind the wall, from which children come."""

    def __init__(self, memory: int, scratch: int, cpu_seconds: int, confined: bool = True) -> None:
        self.confined = confined
        self._control, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = None if confined else tempfile.TemporaryDirectory(prefix="course-")
        self._process = self._start(theirs, memory, scratch, cpu_seconds)
        theirs.close()
        self._control.settimeout(START_SECONDS)
        self._ready = False
        self._preloaded: set[str] = set()

    def wait_until_ready(self) -> None:
        """Wait until everything is imported behind the wall.

        Raises:
            SandboxError: the wall does not stand.
        """
        if self._ready:
            return
        if self._read() != b"ready   ":
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)  # it may still be saying why
            self.close()
            raise SandboxError(self._why())
        self._ready = True

    def _start(
        self, theirs: socket.socket, memory: int, scratch: int, cpu: int
    ) -> subprocess.Popen[bytes]:
        numbers = map(str, (theirs.fileno(), int(self.confined), memory, scratch, cpu))
        program = [sys.executable, "-m", "helpers.grading.sandbox.zygote", *numbers]
        home = Path(bubblewrap.scratch() if self._folder is None else self._folder.name)
        folders = {name: str(home / folder) for name, folder in FOLDERS.items()}
        course = str(Path(helpers.__file__).resolve().parent.parent)
        environment = {**ENVIRONMENT, **folders, "PYTHONPATH": course}
        if self.confined:
            try:
                program = bubblewrap.command(program, environment)
            except FileNotFoundError as error:
                raise SandboxError(f"{error} {WHAT_TO_DO}") from None
        return subprocess.Popen(
            program,
            env=environment,
            cwd=None if self._folder is None else self._folder.name,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        """A fresh child; it is gone when the block ends.

        Raises:
            SandboxError: the child could not be confined, or the zygote is gone.
        """
        self.wait_until_ready()
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                try:
                    socket.send_fds(self._control, [b"fork    "], [theirs.fileno()])
                except OSError:
                    raise SandboxError(self._why()) from None
            if self._read() != b"forked  ":
                raise SandboxError(self._why())
            try:
                child = Child(ours)
                child.wait_until_confined()
                yield child
            finally:
                self._control.sendall(b"end     ")
                if len(self._read()) != 8:
                    raise SandboxError(self._why())
        finally:
            ours.close()

    def preload(self, imported: list[str]) -> None:
        """Import what a child has needed, so that the next children have it at once."""
        from helpers.grading.sandbox.imports import LIBRARIES

        for place, name in enumerate(LIBRARIES):
            if name in imported and name not in self._preloaded:
                self._preloaded.add(name)
                self._control.sendall(f"load{place:04d}".encode())
                if self._read() != b"loaded  ":
                    raise SandboxError(self._why())

    def _read(self) -> bytes:
        received = b""
        with contextlib.suppress(OSError):
            while len(received) < 8:
                part = self._control.recv(8 - len(received))
                if not part:
                    break
                received += part
        return received

    def _why(self) -> str:
        """What the zygote or the wall said before it went."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        why = lines[-1] if lines else "The sandbox ended without a word."
        return f"{why} {WHAT_TO_DO}"

    def close(self) -> None:
        """End the zygote and everything in it."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None


_open: dict[tuple[int, int, int, bool], Station] = {}
"""The station of this process; one at a time."""


def station_for(limits: Limits, confined: bool) -> Station:
    """The station of this process with these limits; it is started if there is none.

    Raises:
        SandboxError: what the wall is made of is not installed.
    """
    cpu_seconds = int(limits.notebook_seconds) + 60
    key = (limits.memory, limits.scratch, cpu_seconds, confined)
    station = _open.get(key)
    if station is None or not station.alive:
        close_sandbox()
        station = _open[key] = Station(*key)
    return station


@atexit.register
def close_sandbox() -> None:
    """End the sandbox of this process, if there is one."""
    while _open:
        _open.popitem()[1].close()
