"""Classes that stop a training, right ones first."""

from __future__ import annotations

import math
from typing import Any


class EarlyStopping:
    """From the definition: it keeps every value and looks back over all of them."""

    def __init__(self, patience, min_delta=0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.values: list[float] = []
        self.best: Any = math.inf

    def step(self, value) -> bool:
        self.values.append(value)
        self.best, last = math.inf, -1
        for i, earlier in enumerate(self.values):
            if earlier < self.best - self.min_delta:
                self.best, last = earlier, i
        return len(self.values) - 1 - last >= self.patience


class Counting:
    """The usual form. Wrong answers replace one of its three small decisions."""

    start: Any = math.inf

    def __init__(self, patience, min_delta=0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best, self.waited = self.start, 0

    def improves(self, value):
        return value < self.best - self.min_delta

    def enough(self):
        return self.waited >= self.patience

    def step(self, value):
        if self.improves(value):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.enough()


class StartsWithNone(Counting):
    start = None

    def improves(self, value):
        if math.isnan(value):
            return False
        return self.best is None or value < self.best - self.min_delta


class CountsDown:
    def __init__(self, patience, min_delta=0.0) -> None:
        self.full = self.left = patience
        self.min_delta, self.best = float(min_delta), float("inf")

    def step(self, value) -> bool:
        value = float(value)
        self.left -= 1
        if self.best - value > self.min_delta:
            self.best, self.left = value, self.full
        return self.left <= 0


class ByStepNumbers:
    def __init__(self, patience, min_delta=0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step, self.now = float("nan"), 0, 0

    def step(self, value) -> bool:
        self.now += 1
        if value < (math.inf if math.isnan(self.best) else self.best) - self.min_delta:
            self.best, self.best_step = value, self.now
        return self.now - self.best_step >= self.patience


class OneTooLate(Counting):
    def enough(self):
        return self.waited > self.patience


class OneTooEarly(Counting):
    def enough(self):
        return self.waited >= self.patience - 1


class NotInARow(Counting):
    def step(self, value):
        if self.improves(value):
            self.best = value
        else:
            self.waited += 1
        return self.enough()


class TiesImprove(Counting):
    def improves(self, value):
        return value <= self.best - self.min_delta


class IgnoresDelta(Counting):
    def improves(self, value):
        return value < self.best


class DeltaAdded(Counting):
    def improves(self, value):
        return value < self.best + self.min_delta


class RelativeDelta(Counting):
    def improves(self, value):
        return value < self.best * (1 - self.min_delta)


class AnyChange(Counting):
    def improves(self, value):
        return abs(value - self.best) > self.min_delta


class LargerIsBetter(Counting):
    start = -math.inf

    def improves(self, value):
        return value > self.best + self.min_delta


class ComparesWithLast(Counting):
    def step(self, value):
        self.waited = 0 if self.improves(value) else self.waited + 1
        self.best = value
        return self.enough()


class LastInsideBestOutside(Counting):
    """Keeps the right kind of best, but compares with the value before."""

    last: Any = math.inf

    def step(self, value):
        self.waited = 0 if value < self.last - self.min_delta else self.waited + 1
        self.last = value
        self.best = min(self.best, value)
        return self.enough()


class BestDrifts(Counting):
    def step(self, value):
        self.waited = 0 if self.improves(value) else self.waited + 1
        if value < self.best:
            self.best = value
        return self.enough()


class BestNeverKept(Counting):
    def step(self, value):
        if self.best == math.inf:
            self.best = value
        self.waited = 0 if self.improves(value) else self.waited + 1
        return self.enough()


class NanImproves(Counting):
    def improves(self, value):
        return not value >= self.best - self.min_delta


class FirstValueKept(Counting):
    start = None

    def improves(self, value):
        return self.best is None or value < self.best - self.min_delta


class NanNotCounted(Counting):
    def step(self, value):
        return self.enough() if math.isnan(value) else super().step(value)


class NanStops(Counting):
    def step(self, value):
        return True if math.isnan(value) else super().step(value)


class OnlyOnce(Counting):
    def enough(self):
        return self.waited == self.patience


class WantsMore(Counting):
    """Asks for an improvement by 0.0001 although min_delta is 0."""

    def improves(self, value):
        return value < self.best - (self.min_delta or 1e-4)


class ReturnsNone(Counting):
    def step(self, value):
        return True if super().step(value) else None


class Reversed(Counting):
    def step(self, value):
        return not super().step(value)


class StartsAtZero(Counting):
    start = 0.0


class StartsAtLargeNumber(Counting):
    start = 1e9


class Shared(Counting):
    memory: Any = {}  # noqa: RUF012 - the mistake itself

    def __init__(self, patience, min_delta=0.0) -> None:
        super().__init__(patience, min_delta)
        self.memory.clear()

    def step(self, value):
        self.best = self.memory.get("best", math.inf)
        self.waited = self.memory.get("waited", 0)
        stop = super().step(value)
        self.memory.update(best=self.best, waited=self.waited)
        return stop
