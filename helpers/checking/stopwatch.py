"""Measures the time that code has had, so that a busy or slow computer is not held against it."""

from __future__ import annotations

import sys
from time import monotonic, process_time

BUSY = 8.0
"""Code that gets an eighth of a processor, or more, is not hurried."""

ASLEEP = 0.1
"""Code that computes for less than this part of the time sleeps or waits."""

MOST_IMPORTING = 60.0
"""Seconds of imports that are not counted."""


class Stopwatch:
    """Starts at once; `read` tells how many seconds the code of this process has had since.

    Time in which the processor works for other programs is not counted, nor is time in which
    Python imports modules, as PyTorch does when a part of it is used for the first time. Code that
    sleeps has all the time that passes.
    """

    def __init__(self) -> None:
        self._last = self._now()
        self._passed = self._computed = self._importing = 0.0

    @staticmethod
    def _now() -> tuple[float, float, int]:
        return monotonic(), process_time(), len(sys.modules)

    def read(self) -> float:
        """Seconds. Look often: an interval in which a module is imported is left out whole.

        >>> import time
        >>> watch = Stopwatch()
        >>> time.sleep(0.1)
        >>> 0.09 < watch.read() < 60
        True
        """
        now = self._now()
        passed, computed = now[0] - self._last[0], now[1] - self._last[1]
        if now[2] > self._last[2] and self._importing < MOST_IMPORTING:
            self._importing += passed
        else:
            self._passed += passed
            self._computed += computed
        self._last = now
        if self._computed < ASLEEP * self._passed:
            return self._passed
        return min(self._passed, max(self._computed, self._passed / BUSY))
