"""Early stopping: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

import math
from typing import Any

from helpers.checking.recipe import Answers, Recipe, family, slip


class ByDefinition:
    """It keeps every value and looks back over all of them."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.values: list[float] = []
        self.best: float = math.inf

    def step(self, value: float) -> bool:
        self.values.append(value)
        self.best, last = math.inf, -1
        for i, earlier in enumerate(self.values):
            if earlier < self.best - self.min_delta:
                self.best, last = earlier, i
        return len(self.values) - 1 - last >= self.patience


class EarlyStopping:
    """The usual form, each of its small decisions a method."""

    start: Any = math.inf
    default: Any = 0.0
    count: Any = 0

    def __init__(self, patience: int, min_delta: Any = None) -> None:
        self.patience = patience
        self.min_delta = self.default if min_delta is None else min_delta
        self.best = self.start
        self.values: list[Any] = []
        self.last: Any = None
        self.before = 0

    def begin(self, value: Any) -> Any:
        """What is done with the first value before it is looked at."""

    def opens(self, value: Any) -> Any:
        """Whether a value is stored without a question, as a first one may be."""
        return False

    def against(self) -> Any:
        return self.best

    def limit(self, best: Any) -> Any:
        return best - self.min_delta

    def better(self, value: Any, limit: Any) -> Any:
        return value < limit

    def missed(self, value: Any, limit: Any) -> Any:
        """Whether a value that is not better counts as a step without improvement."""
        return True

    def store(self, value: Any, improved: Any) -> Any:
        return value if improved else self.best

    def back(self) -> Any:
        """The count after an improvement."""
        return 0

    def onward(self) -> Any:
        """The count after a step without one."""
        return self.count + 1

    def enough(self) -> Any:
        return self.count >= self.patience

    def answer(self, stop: Any, improved: Any, value: Any) -> Any:
        return stop

    def step(self, value: Any) -> Any:
        self.before = self.count
        if not self.values:
            self.begin(value)
        self.values.append(value)
        if self.opens(value):
            self.best = self.last = value
            return self.answer(False, True, value)
        limit = self.limit(self.against())
        improved = self.better(value, limit)
        if improved:
            self.count = self.back()
        elif self.missed(value, limit):
            self.count = self.onward()
        self.best, self.last = self.store(value, improved), value
        return self.answer(self.enough(), improved, value)


class Counting:
    """As a textbook's algorithm has it (Goodfellow, Bengio and Courville 2016)."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best, self.j = math.inf, 0

    def step(self, value: float) -> bool:
        if value < self.best - self.min_delta:
            self.j = 0
            self.best = value
        else:
            self.j = self.j + 1
        return not self.j < self.patience


class StartsWithNone:
    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best: float | None = None
        self.counter = 0

    def step(self, value: float) -> bool:
        if value != value:
            self.counter += 1
        elif self.best is None or self.best - value > self.min_delta:
            self.best, self.counter = value, 0
        else:
            self.counter += 1
        return self.counter >= self.patience


class CountsDown:
    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.full = self.left = patience
        self.min_delta, self.best = float(min_delta), float("inf")

    def step(self, value: float) -> bool:
        value = float(value)
        self.left -= 1
        if self.best - value > self.min_delta:
            self.best, self.left = value, self.full
        return self.left <= 0


class ByStepNumbers:
    """At first best is NaN."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step, self.now = float("nan"), 0, 0

    def step(self, value: float) -> bool:
        self.now += 1
        if value < (math.inf if math.isnan(self.best) else self.best) - self.min_delta:
            self.best, self.best_step = value, self.now
        return self.now - self.best_step >= self.patience


class OnlyOnce(Counting):
    def step(self, value: float) -> bool:
        super().step(value)
        return self.j == self.patience


class LikeACallback:
    """As a library's callback has it: wait first, and a sign for the direction."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, -abs(min_delta)
        self.wait, self.stopped, self.best = 0, False, float("inf")

    def is_improvement(self, value: float, reference: float) -> bool:
        return value - self.min_delta < reference

    def step(self, value: float) -> bool:
        self.wait += 1
        if self.is_improvement(value, self.best):
            self.best = value
            self.wait = 0
            return False
        if self.wait >= self.patience:
            self.stopped = True
        return self.stopped


class LikeAScheduler:
    """As a scheduler counts: bad steps that are tolerated, one less than the patience."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.tolerated, self.threshold = patience - 1, min_delta
        self.num_bad_epochs, self.best = 0, math.inf

    def step(self, metrics: float) -> bool:
        current = float(metrics)
        if current < self.best - self.threshold:
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        return self.num_bad_epochs > self.tolerated


class ByScores:
    """As a well-known script has it: a score that is to rise, and questions in the other order."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.delta = patience, min_delta
        self.counter, self.best_score, self.early_stop = 0, -math.inf, False

    @property
    def best(self) -> float:
        return -self.best_score

    def step(self, val_loss: float) -> bool:
        score = -val_loss
        if math.isnan(score) or score <= self.best_score + self.delta:
            self.counter += 1
            if self.counter >= self.patience:
                self.early_stop = True
        else:
            self.best_score = score
            self.counter = 0
        return self.early_stop


def sharing(stopping: Any) -> Any:
    """All objects of the class have one memory."""

    class EarlyStopping(stopping):  # type: ignore[misc]
        memory: Any = {}  # noqa: RUF012 - the mistake itself

        def __init__(self, *settings: Any, **named: Any) -> None:
            super().__init__(*settings, **named)
            self.memory.clear()

        def step(self, value: Any) -> Any:
            self.__dict__.update(self.memory)
            stop = super().step(value)
            self.memory.update(best=self.best, count=self.count, last=self.last)
            return stop

    return EarlyStopping


def negated(stopping: Any) -> Any:
    """What is stored is a score, which is to rise."""

    class EarlyStopping(without_best(stopping)):  # type: ignore[misc]
        @property
        def best(self) -> Any:
            return -self.inner.best if math.isfinite(self.inner.best) else math.inf

    return EarlyStopping


def without_best(stopping: Any) -> Any:
    """The best value has another name."""

    class EarlyStopping:
        def __init__(self, *settings: Any, **named: Any) -> None:
            self.inner = stopping(*settings, **named)

        def step(self, value: Any) -> Any:
            return self.inner.step(value)

    return EarlyStopping


ANSWERS = Answers(
    recipe=Recipe(EarlyStopping),
    reference=ByDefinition,
    variants={
        "as a textbook's algorithm has it": Counting,
        "None at the start": StartsWithNone,
        "counting down": CountsDown,
        "numbers of steps": ByStepNumbers,
        "True at that one step only": OnlyOnce,
        "as a library's callback has it": LikeACallback,
        "as a scheduler counts": LikeAScheduler,
        "as a script has it: scores": ByScores,
    },
    slips=(
        # When it stops.
        slip(
            "one-too-late",
            "You wait one step longer than patience.",
            "The patience-th step in a row without improvement is the one: compare with >=.",
            enough=lambda self: self.count > self.patience,
        ),
        slip(
            "one-too-early",
            "You stop one step too early.",
            "Count from 0, and stop when the count reaches patience.",
            {"enough": lambda self: self.count >= self.patience - 1},
            {"enough": lambda self: self.count + 1 >= self.patience and self.count > 0},
        ),
        slip(
            "asks-before-counting",
            "You compare the count with patience before you count the present step.",
            "Take the new value first, then return self.count >= self.patience.",
            {"enough": lambda self: self.before >= self.patience},
            {
                "enough": lambda self: self.before >= self.patience,
                "store": lambda self, value, improved: (
                    value if improved and self.before < self.patience else self.best
                ),
            },
        ),
        family(
            "fixed-patience",
            "You stop when the count is {constant}, whatever patience is.",
            "Compare the count with self.patience.",
            (1, 2, 3, 5, 7, 10),
            lambda c: {"enough": lambda self: self.count >= c},
        ),
        slip(
            "never-stops",
            "Your step never returns True.",
            "Return whether the count has reached patience.",
            enough=lambda self: False,
        ),
        slip(
            "looks-back-by-patience",
            "You compare the value with the one of patience steps before.",
            "Compare with the best one so far, and count the steps that do not improve on it.",
            enough=lambda self: (
                len(self.values) > self.patience
                and not self.values[-1] < self.values[-1 - self.patience] - self.min_delta
            ),
        ),
        # How it counts.
        slip(
            "not-in-a-row",
            "Your count never goes back to 0: steps without improvement from before a better value "
            "are counted too.",
            "Set the count back to 0 at each improvement.",
            back=lambda self: self.count,
        ),
        slip(
            "counts-all-steps",
            "You count every step, also one that improves.",
            "Set the count back to 0 at each improvement.",
            back=lambda self: self.count + 1,
        ),
        slip(
            "back-to-one",
            "After an improvement your count goes on from 1.",
            "Set it to 0: the step that improves is no step without improvement.",
            back=lambda self: 1,
        ),
        slip(
            "forgets-count",
            "Your count never passes 1, so only a patience of 1 is ever reached.",
            "Keep the count in the object: self.count += 1.",
            onward=lambda self: 1,
        ),
        slip(
            "counts-improvements",
            "You count the steps that improve, and begin again at a step that does not.",
            "It is the other way round: an improvement sets the count to 0.",
            back=lambda self: self.count + 1,
            onward=lambda self: 0,
        ),
        slip(
            "count-starts-elsewhere",
            "Before the first step your count is not 0, which shows when the first value is NaN.",
            "Begin with self.count = 0.",
            count=1,
        ),
        # Which steps count.
        slip(
            "tie-in-neither",
            "A value that equals best − min_delta is in neither of your two cases (nor is NaN): "
            "your count stays as it was.",
            "Write else for the second case: whatever does not improve is counted.",
            missed=lambda self, value, limit: value > limit,
        ),
        slip(
            "dead-zone",
            "A value that is better than best by no more than min_delta is in neither of your two "
            "cases: your count stays as it was.",
            "Write else for the second case: whatever does not improve is counted.",
            {"missed": lambda self, value, limit: value > self.best},
            {"missed": lambda self, value, limit: value >= self.best},
        ),
        slip(
            "worse-by-min-delta",
            "You count a step only where the value is worse than best by more than min_delta.",
            "Write else for the second case: whatever does not improve is counted.",
            {"missed": lambda self, value, limit: value > self.best + self.min_delta},
            {"missed": lambda self, value, limit: value >= self.best + self.min_delta},
        ),
        slip(
            "min-delta-on-the-other-side",
            "Every smaller value improves in your code, and only one that is worse by more than "
            "min_delta is counted. min_delta is meant for the improvement.",
            "A value improves when value < best - min_delta; whatever does not is counted.",
            {
                "limit": lambda self, best: best,
                "missed": lambda self, value, limit: value > limit + self.min_delta,
            },
            {
                "limit": lambda self, best: best,
                "missed": lambda self, value, limit: value >= limit + self.min_delta,
            },
        ),
        slip(
            "counts-rises",
            "You count only the steps at which the value rises above the value before.",
            "Whatever does not improve on best is counted.",
            missed=lambda self, value, limit: self.last is not None and value > self.last,
        ),
        slip(
            "nan-not-counted",
            "NaN is in neither of your two cases, and it has to count as a step without improvement.",
            "Write else for the second case: whatever does not improve is counted.",
            missed=lambda self, value, limit: not math.isnan(value),
        ),
        slip(
            "nan-stops",
            "You stop at the first NaN.",
            "NaN counts as one step without improvement, no more.",
            answer=lambda self, stop, improved, value: stop or (math.isnan(value) and not improved),
        ),
        # What improves.
        slip(
            "ties-improve",
            "You count a value that equals best − min_delta as an improvement.",
            "An improvement is strictly smaller: use <.",
            better=lambda self, value, limit: value <= limit,
        ),
        slip(
            "nan-improves",
            "You count NaN as an improvement, because it is not larger than best.",
            "Every comparison with NaN is false: ask value < ..., and do not ask the opposite.",
            better=lambda self, value, limit: not value >= limit,
        ),
        slip(
            "nan-and-ties-improve",
            "You ask for the opposite with >, so a value that equals best − min_delta counts as an "
            "improvement, and NaN as well.",
            "Ask value < self.best - self.min_delta, and put all else into else.",
            better=lambda self, value, limit: not value > limit,
        ),
        slip(
            "any-change",
            "You count every change by more than min_delta as an improvement, upwards as well.",
            "Only smaller is better: do not take the absolute value.",
            {"better": lambda self, value, limit: abs(value - self.best) > self.min_delta},
            {"better": lambda self, value, limit: not abs(value - self.best) < self.min_delta},
            {"better": lambda self, value, limit: not abs(value - self.best) <= self.min_delta},
        ),
        slip(
            "larger-is-better",
            "You count larger values as better, as one does for an accuracy.",
            "Here smaller is better, as for a loss.",
            *(
                {
                    **begin,
                    "limit": lambda self, best: best + self.min_delta,
                    "better": lambda self, value, limit: value > limit,
                }
                for begin in (
                    {"start": -math.inf},
                    {"start": 0.0},
                    {"opens": lambda self, value: self.last is None},
                )
            ),
        ),
        slip(
            "comparison-reversed",
            "You ask whether the value is larger than best − min_delta.",
            "Smaller is better: value < self.best - self.min_delta.",
            better=lambda self, value, limit: value > limit,
            opens=lambda self, value: self.last is None,
        ),
        slip(
            "never-improves",
            "In your code no value ever improves, so best stays infinite: it asks for a larger "
            "value, or compares with NaN, such as ∞ − ∞.",
            "Smaller is better: value < self.best - self.min_delta.",
            better=lambda self, value, limit: False,
            store=lambda self, value, improved: self.best,
        ),
        slip(
            "ignores-min-delta",
            "Your code does not use min_delta.",
            "Compare the value with best - min_delta.",
            limit=lambda self, best: best,
        ),
        family(
            "zero-min-delta-replaced",
            "You put {constant} in place of a min_delta of 0.",
            "0 is a number like any other, and counts as false in `or`: use min_delta as it is.",
            (1e-4, 1e-3, 1e-2),
            lambda c: {"limit": lambda self, best: best - (self.min_delta or c)},
        ),
        family(
            "other-default",
            "Your default for min_delta is {constant}, and 0 is meant.",
            "Keep the signature of the skeleton: min_delta=0.0.",
            (1e-4, 1e-3, 1e-2, 0.1, 1.0),
            lambda c: {"default": c},
        ),
        slip(
            "min-delta-added",
            "You added min_delta to best, so a value that is a little worse counts as better.",
            "Subtract it: a value has to fall below best - min_delta.",
            limit=lambda self, best: best + self.min_delta,
        ),
        slip(
            "relative-min-delta",
            "You took min_delta as a share of best.",
            "min_delta is a difference: compare with best - min_delta.",
            {"limit": lambda self, best: best * (1 - self.min_delta)},
            {
                "limit": lambda self, best: best - abs(best) * self.min_delta,
                "opens": lambda self, value: self.last is None,
            },
            {"limit": lambda self, best: best * (1 - self.min_delta / 100)},
        ),
        slip(
            "below-min-delta",
            "You compare the value with min_delta alone.",
            "Compare it with best - min_delta.",
            limit=lambda self, best: self.min_delta,
        ),
        # What is remembered.
        slip(
            "compares-with-last",
            "You store every value as best, so you compare with the value before.",
            "Change best only when a value improves on it.",
            store=lambda self, value, improved: value,
        ),
        slip(
            "last-for-best",
            "You compare with the value before, instead of the best one so far.",
            "Compare with best - min_delta.",
            *(
                {"against": lambda self: self.start if self.last is None else self.last, **more}
                for more in ({"store": lambda self, value, improved: min(self.best, value)}, {})
            ),
        ),
        slip(
            "counts-rises-in-a-row",
            "You count the steps at which the value rises above the value before, and begin again "
            "wherever it does not.",
            "Compare with best - min_delta, and begin again only at an improvement.",
            against=lambda self: self.start if self.last is None else self.last,
            limit=lambda self, best: best,
            better=lambda self, value, limit: not value > limit,
            store=lambda self, value, improved: min(self.best, value),
        ),
        slip(
            "stores-before-asking",
            "You lower best before you compare, so no value is smaller than best.",
            "Compare first, and store the value in best only where it improves.",
            *(
                {"better": better, "store": lambda self, value, improved: min(self.best, value)}
                for better in (
                    lambda self, value, limit: False,
                    lambda self, value, limit: value <= min(self.best, value) - self.min_delta,
                )
            ),
        ),
        slip(
            "compares-windows",
            "You compare the smallest of the last values with the smallest before them, so several "
            "small steps together count as an improvement.",
            "Change best only when a single value falls below best - min_delta.",
            enough=lambda self: (
                len(self.values) > self.patience
                and not min(self.values[-self.patience :])
                < min(self.values[: -self.patience]) - self.min_delta
            ),
            store=lambda self, value, improved: min(self.best, value),
        ),
        slip(
            "best-drifts",
            "You lower best at every smaller value, also when it falls by less than min_delta.",
            "Change best only when a value counts as an improvement.",
            {"store": lambda self, value, improved: min(self.best, value)},
            {"store": lambda self, value, improved: min(value, self.best)},
        ),
        slip(
            "first-for-best",
            "Your best stays the first value for ever.",
            "Store the value in best whenever it improves.",
            store=lambda self, value, improved: value if self.best == math.inf else self.best,
        ),
        slip(
            "best-not-stored",
            "Your best never changes: it stays infinite, and every number improves on it.",
            "Store the value in self.best whenever it improves.",
            store=lambda self, value, improved: self.best,
        ),
        slip(
            "stores-the-limit",
            "You store value − min_delta as best.",
            "best is the value itself; min_delta belongs to the comparison.",
            store=lambda self, value, improved: value - self.min_delta if improved else self.best,
        ),
        slip(
            "best-when-worse",
            "You store the values that do not improve.",
            "Store the value in best in the case in which it improves.",
            store=lambda self, value, improved: (
                self.best if improved and self.best < math.inf else value
            ),
        ),
        slip(
            "first-value-always-best",
            "You store the first value as best even when it is NaN, and then nothing improves.",
            'Begin with best = float("inf"), and ask of the first value what you ask of all.',
            opens=lambda self, value: self.last is None,
        ),
        slip(
            "first-step-counted",
            "You store the first value in best before you compare, so the first step counts as one "
            "without improvement.",
            'Begin with best = float("inf"): then the first value improves like any other.',
            begin=lambda self, value: setattr(self, "best", value),
        ),
        slip(
            "starts-at-zero",
            "Your best begins at 0, so a positive value never improves.",
            'Begin with best = float("inf").',
            start=0.0,
        ),
        slip(
            "starts-below-all",
            "Your best begins at −∞, and no value is smaller than that.",
            'Begin with best = float("inf").',
            start=-math.inf,
        ),
        slip(
            "starts-with-none",
            "Your best begins as None, with which numbers cannot be compared.",
            'Begin with best = float("inf").',
            start=None,
        ),
        family(
            "starts-at-a-large-number",
            "Your best begins at {constant}, and values may be larger than that.",
            'Begin with best = float("inf").',
            (1e9, 1e10, 1e6, 1e5, 1e4, 1e3, 100.0, 10.0, 1.0),
            lambda c: {"start": c},
        ),
        slip(
            "shared-memory",
            "Two objects of your class share their memory, because it belongs to the class.",
            "Set best and the count in __init__, as self.best = ... and self.count = ...",
            around=sharing,
        ),
        slip(
            "no-best",
            "Your object has no attribute best.",
            "Keep the best value as self.best.",
            around=without_best,
        ),
        slip(
            "best-negated",
            "Your best is the negative of the best value.",
            "Store the value itself in self.best.",
            around=negated,
        ),
        # What it answers.
        slip(
            "returns-none",
            "Your step returns None where False is meant.",
            "End with return self.count >= self.patience, which is a bool in both cases.",
            answer=lambda self, stop, improved, value: True if stop else None,
        ),
        slip(
            "returns-nothing",
            "Your step returns nothing.",
            "Return whether training should stop: return self.count >= self.patience.",
            answer=lambda self, stop, improved, value: None,
        ),
        slip(
            "reversed-answer",
            "Your answer is the wrong way round: True has to mean stop.",
            "Return whether the count has reached patience.",
            answer=lambda self, stop, improved, value: not stop,
        ),
        slip(
            "returns-improved",
            "You return whether the value improved, and True has to mean stop.",
            "Return whether the count has reached patience.",
            answer=lambda self, stop, improved, value: bool(improved),
        ),
        slip(
            "returns-count",
            "You return the count.",
            "Return whether it has reached patience: a bool.",
            answer=lambda self, stop, improved, value: self.count,
        ),
        slip(
            "returns-int",
            "You return 1 and 0 where True and False are meant.",
            "A comparison is a bool already: return self.count >= self.patience.",
            answer=lambda self, stop, improved, value: int(stop),
        ),
    ),
)
