"""Early stopping: right and wrong answers."""

from __future__ import annotations

import math
from typing import Any

from helpers.checking.check import Answers, Misconception


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


class CountsAnew(Counting):
    def step(self, value):
        stop = super().step(value)
        if stop:
            self.waited = 0
        return stop


class NeverBack(Counting):
    stopped = False

    def step(self, value):
        self.stopped = super().step(value) or self.stopped
        return self.stopped


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


ANSWERS = Answers(
    reference=EarlyStopping,
    variants={
        "counting": Counting,
        "None at the start": StartsWithNone,
        "counting down": CountsDown,
        "numbers of steps": ByStepNumbers,
    },
    misconceptions=(
        Misconception(
            "one-too-late",
            OneTooLate,
            "You wait one step longer than patience.",
            "The patience-th step in a row without improvement is the one: compare with >=.",
        ),
        Misconception(
            "one-too-early",
            OneTooEarly,
            "You stop one step too early.",
            "Count from 0, and stop when the count reaches patience.",
        ),
        Misconception(
            "not-in-a-row",
            NotInARow,
            "You count all steps without improvement together, also those before a better value.",
            "Set the count back to 0 at each improvement.",
        ),
        Misconception(
            "ties-improve",
            TiesImprove,
            "You count a value that equals best − min_delta as an improvement.",
            "An improvement is strictly smaller: use <.",
        ),
        Misconception(
            "ignores-min-delta",
            IgnoresDelta,
            "Your code does not use min_delta.",
            "Compare the value with best - min_delta.",
        ),
        Misconception(
            "min-delta-added",
            DeltaAdded,
            "You added min_delta to best, so a value that is a little worse counts as better.",
            "Subtract it: a value has to fall below best - min_delta.",
        ),
        Misconception(
            "relative-min-delta",
            RelativeDelta,
            "You took min_delta as a share of best.",
            "min_delta is a difference: compare with best - min_delta.",
        ),
        Misconception(
            "any-change",
            AnyChange,
            "You count every change by more than min_delta as an improvement, upwards as well.",
            "Only smaller is better: do not take the absolute value.",
        ),
        Misconception(
            "larger-is-better",
            LargerIsBetter,
            "You count larger values as better, as one does for an accuracy.",
            "Here smaller is better, as for a loss.",
        ),
        Misconception(
            "compares-with-last",
            ComparesWithLast,
            "You compare with the value before, and store every value as best.",
            "Change best only when a value improves on it.",
        ),
        Misconception(
            "last-for-best",
            LastInsideBestOutside,
            "You compare with the value before, instead of the best one so far.",
            "Compare with best - min_delta.",
        ),
        Misconception(
            "best-drifts",
            BestDrifts,
            "You lower best at every smaller value, also when it falls by less than min_delta.",
            "Change best only when a value counts as an improvement.",
        ),
        Misconception(
            "first-for-best",
            BestNeverKept,
            "Your best stays the first value for ever.",
            "Store the value in best whenever it improves.",
        ),
        Misconception(
            "nan-improves",
            NanImproves,
            "You count NaN as an improvement, because it is not larger than best.",
            "Every comparison with NaN is false: ask value < ..., and do not ask the opposite.",
        ),
        Misconception(
            "first-value-always-best",
            FirstValueKept,
            "You store the first value as best even when it is NaN, and then nothing improves.",
            "Begin with best = float('inf').",
        ),
        Misconception(
            "nan-not-counted",
            NanNotCounted,
            "You skip NaN, and it has to count as a step without improvement.",
            "Treat NaN like any other value that does not improve.",
        ),
        Misconception(
            "nan-stops",
            NanStops,
            "You stop at the first NaN.",
            "NaN counts as one step without improvement, no more.",
        ),
        Misconception(
            "only-once",
            OnlyOnce,
            "You say True at one step only; the next step without improvement says False again.",
            "Compare with >= instead of ==.",
        ),
        Misconception(
            "counts-anew",
            CountsAnew,
            "You set the count back to 0 when you say True.",
            "Only an improvement sets the count back.",
        ),
        Misconception(
            "never-back",
            NeverBack,
            "Once you have said True you say it for ever, also after a better value.",
            "Compute the answer anew from the count at each step.",
        ),
        Misconception(
            "returns-none",
            ReturnsNone,
            "Your step returns None where False is meant.",
            "End with return self.count >= self.patience, which is a bool in both cases.",
        ),
        Misconception(
            "reversed-answer",
            Reversed,
            "Your answer is the wrong way round: True has to mean stop.",
            "Return whether the count has reached patience.",
        ),
        Misconception(
            "starts-at-zero",
            StartsAtZero,
            "Your best begins at 0, so a positive value never improves.",
            "Begin with best = float('inf').",
        ),
        Misconception(
            "starts-at-a-large-number",
            StartsAtLargeNumber,
            "Your best begins at a large number, and values may be larger than that.",
            "Begin with best = float('inf').",
        ),
        Misconception(
            "shared-memory",
            Shared,
            "Two objects of your class share their memory, because it belongs to the class.",
            "Set best and the count in __init__, as self.best = ... and self.count = ...",
        ),
    ),
)
