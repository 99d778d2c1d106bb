"""The processes below the test's own, looked at from outside. Any of them may end meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def living(wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """The living processes below this one that are wanted, the oldest first.

    One that ends while it is looked at is not living.
    """
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            if process.status() != psutil.STATUS_ZOMBIE and wanted(process):
                found.append((process.create_time(), process.pid, process))
    return [process for *_, process in sorted(found, key=lambda one: one[:2])]


def status(process: psutil.Process) -> dict[str, str]:
    """What the kernel says of it in `/proc/PID/status`."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def soon(holds: Callable[[], bool], seconds: float = 240.0) -> bool:
    """Whether it holds within so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
