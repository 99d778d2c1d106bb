"""Judges observations: finds the first difference and the misconception that explains it.

Only data is judged here. Where it comes from, a call in this process or a sandbox, is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import torch

from helpers.checking.case import Case
from helpers.checking.check import Answers, Aspect, Check, Grade, Misconception
from helpers.checking.compare import Difference, compare
from helpers.checking.devices import has_meta
from helpers.checking.observing import Observation, Trouble, observe
from helpers.checking.stopwatch import Stopwatch

Outcome = Literal["passed", "failed", "not attempted"]
Observer = Callable[[Case], Observation]

GLOBAL_ASPECTS = {
    "grad mode": Aspect("torch.is_grad_enabled()", "Your code switched grad mode and left it so."),
    "default dtype": Aspect(
        "torch.get_default_dtype()", "Your code changed PyTorch's default dtype."
    ),
    "random seed": Aspect(
        "torch.initial_seed()", "Your code set the random seed, which belongs to the caller."
    ),
}
REFERENCE_SECONDS = 60.0


class ReferenceFailed(RuntimeError):
    """The reference of a check stopped: a fault of the course, and of no student."""


@dataclass(frozen=True)
class Verdict:
    """The result of a check as data."""

    outcome: Outcome
    case: Case | None = None
    key: str = ""
    """Which observed thing failed."""
    difference: Difference | None = None
    trouble: Trouble | None = None
    builtins: tuple[str, ...] = ()
    misconception: Misconception | None = None
    printed: str = ""
    grade: Grade | None = None
    """For a check with tiers that passed: the part of the points, and what to say."""


def answers_to(check: Check) -> Answers:
    """The reference, misconceptions and right variants of a check."""
    module = import_module(f"helpers.answers.{check.lesson}.{check.name.removeprefix('check_')}")
    answers: Answers = module.ANSWERS
    return answers


def cases_of(check: Check, seed: int = 0) -> list[Case]:
    """The inputs of a check. The seed 0 is the students'; a grader takes fresh secret ones."""
    return list(check.cases(torch.Generator().manual_seed(seed)))


def observer(check: Check, implementation: Any, seconds: float | None = None) -> Observer:
    """Observes an implementation in this process; all calls share the check's time."""
    left = check.seconds if seconds is None else seconds

    def look(case: Case) -> Observation:
        nonlocal left
        watch = Stopwatch()
        seen = observe(check, implementation, case, max(left, 0.01), watch)
        left -= watch.read()
        return seen

    return look


def measured(check: Check, look: Observer) -> Observer:
    """The same observer with what the aspects compute from its observations in their place."""

    def look_and_measure(case: Case) -> Observation:
        observation = look(case)
        for key, value in observation.seen.items():
            aspect = check.aspects.get(key)
            if aspect is not None and aspect.measure is not None:
                observation.seen[key] = aspect.measure(value, case)
        return observation

    return look_and_measure


class Known:
    """The cases of a check, and what the reference and the wrong answers show in them.

    Each is observed when it is first asked for and then kept, so that a grader does it once for a
    whole class.
    """

    def __init__(self, check: Check, seed: int = 0) -> None:
        self.check = check
        self.cases = cases_of(check, seed)
        self._answers = answers_to(check)
        self._seen: dict[tuple[int, int], Observation] = {}

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        return self._answers.misconceptions

    def expected(self, case: int) -> Observation:
        """What the reference shows in the case of this position."""
        seen = self._observed(-1, self._answers.reference, case)
        if seen.trouble is not None:
            raise ReferenceFailed(
                f"The reference of {self.check.name} fails on the case "
                f"{self.cases[case].name!r}: {seen.trouble}"
            )
        return seen

    def wrong(self, misconception: int, case: int) -> Observation:
        """What the misconception of this position shows in the case of this position."""
        return self._observed(misconception, self.misconceptions[misconception].make, case)

    def _observed(self, who: int, implementation: Any, case: int) -> Observation:
        if (who, case) not in self._seen:
            look = measured(self.check, observer(self.check, implementation, REFERENCE_SECONDS))
            self._seen[who, case] = look(self.cases[case])
        return self._seen[who, case]


def judge(check: Check, theirs: Observer, seed: int = 0, known: Known | None = None) -> Verdict:
    """Compare what is observed of a student's implementation with the reference.

    The first case that differs decides, and within it the first key. A misconception is named
    only when it shows what the student's implementation shows. `known` is what a former judging
    of the same check with the same seed has found out already.
    """
    theirs = measured(check, theirs)
    known = known or Known(check, seed)
    observed: list[Observation] = []
    for position, case in enumerate(known.cases):
        if not check.each_case_alone:  # the reference first: it imports what PyTorch imports late
            known.expected(position)
        yours, expected = theirs(case), known.expected(position)
        observed.append(yours)
        fault = _first_fault(check, yours, expected, case)
        if fault is None:
            continue
        key, difference = fault
        if yours.builtins:
            return Verdict("failed", case, key, builtins=tuple(yours.builtins))
        if yours.trouble is not None and yours.trouble.kind == "not attempted":
            return Verdict("not attempted", case, key, trouble=yours.trouble)
        if yours.trouble is not None and yours.trouble.kind == "time limit":
            return Verdict("failed", case, key, trouble=yours.trouble, printed=yours.printed)
        misconception = _diagnose(known, theirs, observed, position, key)
        return Verdict(
            "failed",
            case,
            key,
            difference,
            yours.trouble if difference is None else None,
            misconception=misconception,
            printed=yours.printed,
        )
    grade = check.grade(observed[-1].seen) if check.grade is not None else None
    return Verdict("passed", grade=grade)


def _first_fault(
    check: Check, yours: Observation, expected: Observation, case: Case
) -> tuple[str, Difference | None] | None:
    """The first key that differs; without a difference, the key at which the code stopped."""
    first = next(iter(expected.seen))
    if yours.builtins:
        return first, None
    for key, value in expected.seen.items():
        if key not in yours.seen:
            return None if _lacks_numbers(yours, case) else (key, None)
        least = aspect_of(check, key).at_least
        if least is not None:
            difference = _shortfall(yours.seen[key], least)
        else:
            difference = _difference(check, key, yours.seen[key], value)
        if difference is not None:
            return key, difference
    return None


def _lacks_numbers(seen: Observation, case: Case) -> bool:
    """Whether the code stopped because tensors on the device meta have no numbers, as `x[x > 0]`
    and `if x.any()` need them. That says nothing against it: on a GPU the same code runs. Where
    the case has no such tensor, the same words are an exception like any other.
    """
    trouble = seen.trouble
    if trouble is None or not has_meta(list(case.data.values())):
        return False
    if trouble.type not in ("NotImplementedError", "RuntimeError"):
        return False
    needs = ("nonzero", "item()", "_local_scalar_dense", "masked_select", "is_nonzero")
    return "meta" in trouble.message.lower() and any(name in trouble.message for name in needs)


def aspect_of(check: Check, key: str) -> Aspect:
    return GLOBAL_ASPECTS[key] if key in GLOBAL_ASPECTS else check.aspects[key]


def _shortfall(yours: Any, least: float) -> Difference | None:
    if not isinstance(yours, (int, float)):
        return Difference("type", yours, least)
    return None if yours >= least else Difference("value", yours, least)


def _difference(check: Check, key: str, yours: Any, expected: Any) -> Difference | None:
    aspect = aspect_of(check, key)
    return compare(yours, expected, aspect.rtol, aspect.atol)


def _diagnose(
    known: Known, theirs: Observer, observed: list[Observation], position: int, key: str
) -> Misconception | None:
    """The misconception that shows the same as the student in every case: first in all that is
    observed, else in the thing that failed, provided that only one does.

    None is looked for where none can be found: when a number is too small, such as an accuracy,
    which says nothing about its cause; and in the later cases of a check whose cases take long,
    since its wrong answers show in the first one.
    """
    check, cases = known.check, known.cases
    if aspect_of(check, key).at_least is not None or (check.each_case_alone and position):
        return None

    def student(i: int) -> Observation:
        while len(observed) <= i:
            observed.append(theirs(cases[len(observed)]))
        return observed[i]

    others = [] if check.each_case_alone else [i for i in range(len(cases)) if i != position]
    order = [position, *others]
    by_key: list[Misconception] = []
    for which, misconception in enumerate(known.misconceptions):
        everything = True
        for i in order:
            mine, its = student(i), known.wrong(which, i)
            if _lacks_numbers(mine, cases[i]):
                continue
            if not _same_at(check, key, mine, its):
                break
            everything = everything and _same(check, mine, its)
        else:
            if everything:
                return misconception
            by_key.append(misconception)
    return by_key[0] if len(by_key) == 1 else None


def _same(check: Check, one: Observation, other: Observation) -> bool:
    return (
        list(one.seen) == list(other.seen)
        and _stopped_at(one) == _stopped_at(other)
        and all(_same_at(check, key, one, other) for key in one.seen)
    )


def _same_at(check: Check, key: str, one: Observation, other: Observation) -> bool:
    if (key in one.seen) != (key in other.seen):
        return False
    if key in one.seen:
        return _difference(check, key, one.seen[key], other.seen[key]) is None
    return _stopped_at(one) == _stopped_at(other)


def _stopped_at(one: Observation) -> tuple[str | None, str, str] | None:
    if one.trouble is None:
        return None
    return (next(reversed(one.seen), None), one.trouble.type, one.trouble.message)
