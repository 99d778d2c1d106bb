"""Measures the time that code has had, so that a busy or slow computer is not held against it.

Linux counts for each thread how long it was ready to run and waited for a processor: that time is
not the code's. Where the system does not tell, it is estimated from the time computed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from os import listdir
from threading import get_native_id
from time import monotonic, process_time
from typing import NamedTuple

THREADS = "/proc/self/task"
"""A folder for each thread of this process. The grader's sandbox hides it, macOS has none."""

MOST_IMPORTING = 60.0
"""Seconds of imports that are not counted."""

BRIEF = 0.001
"""Seconds: a look that follows sooner is saved, since small cases are as short."""

BUSY, ASLEEP = 8.0, 0.1
"""Where waiting is estimated: code that gets an eighth of a processor, or more, is not hurried;
code that computes for less than a tenth of the time sleeps or waits."""


class Look(NamedTuple):
    """What there is to see at one moment."""

    clock: float
    computed: float
    modules: int
    waits: dict[str, int]


class Stopwatch:
    """Starts at once; `read` tells how many seconds the code of this process has had since.

    Time in which the processor works for other programs is not counted, nor is time in which
    Python imports modules, as PyTorch does when a part of it is used for the first time. Code that
    sleeps has all the time that passes.

    The code runs in other threads than the one that reads. If they are ready to run one at a time,
    as Python's threads are, all that they waited is left out; if several are at once, as PyTorch's
    are, the part of the time that they waited. Code that keeps every processor busy for a second
    has that second, though its threads wait for each other. A wait is known when it ends.
    """

    def __init__(self) -> None:
        self._processors = _processors()
        self._last = self._now()
        self._passed = self._computed = self._waited = self._importing = self._had = 0.0

    @staticmethod
    def _now() -> Look:
        return Look(monotonic(), process_time(), len(sys.modules), waits())

    def read(self) -> float:
        """Seconds. Look often: an interval in which a module is imported is left out whole, and
        of a thread that ends before the next look is not known what it waited.

        >>> import time
        >>> watch = Stopwatch()
        >>> time.sleep(0.1)
        >>> 0.09 < watch.read() < 60
        True
        """
        if monotonic() - self._last.clock < BRIEF:
            return self._had
        last, now = self._last, self._now()
        self._last = now
        if now.modules > last.modules and self._importing < MOST_IMPORTING:
            self._importing += now.clock - last.clock
        else:
            self._passed += now.clock - last.clock
            self._computed += now.computed - last.computed
            self._waited += _waited(last.waits, now.waits)
        if now.waits:
            ready = max(self._computed + self._waited, self._passed)
            had = self._passed * (1 - self._waited / ready) if ready else 0.0
            had = max(had, self._computed / self._processors)
        elif self._computed < ASLEEP * self._passed:
            had = self._passed
        else:
            had = max(self._computed, self._passed / BUSY)
        self._had = min(self._passed, had)
        return self._had


def waits() -> dict[str, int]:
    """For each thread of this process, the nanoseconds in which it was ready and waited for a
    processor; nothing where the system does not count them.
    """
    found: dict[str, int] = {}
    counts = False
    with suppress(OSError):
        for thread in listdir(THREADS):
            with (
                suppress(OSError, ValueError),  # the thread has ended
                open(f"{THREADS}/{thread}/schedstat", "rb", buffering=0) as file,
            ):
                _ran, waited, turns = map(int, file.read().split())
                found[thread] = waited
                counts = counts or turns > 0  # a kernel that does not count writes zeros
    return found if counts else {}


def _waited(before: dict[str, int], after: dict[str, int]) -> float:
    """Seconds of all threads but the one that asks, which waits while the code runs."""
    asks = str(get_native_id())
    return sum(max(after[one] - before.get(one, 0), 0) for one in after if one != asks) / 1e9


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
