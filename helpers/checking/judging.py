"""Judges observations: finds the first difference, and what explains it.

Only data is judged here. Where it comes from, a call in this process or a sandbox, is a parameter.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Literal

from helpers.checking.case import Case
from helpers.checking.check import Check, Grade
from helpers.checking.compare import Difference
from helpers.checking.comparing import Fault, aspect_of, faults, same, same_at
from helpers.checking.diagnosing import PATIENCE, Diagnosis, diagnose
from helpers.checking.general import TORCHS_OWN, meaning_of, wrong_type
from helpers.checking.known import Known, Observer, ReferenceFailed, answers_to, cases_of, measured
from helpers.checking.observing import Observation, Trouble, observe
from helpers.checking.recipe import Named
from helpers.checking.relations import Relation, relate
from helpers.checking.stopwatch import Stopwatch

Outcome = Literal["passed", "failed", "not attempted"]

KNOWN_KEPT = 4
"""For so many checks this process remembers what the reference and the slips show."""


@dataclass(frozen=True)
class Note:
    """What a right answer could do better beyond what the lesson teaches; it costs nothing."""

    case: Case
    key: str
    difference: Difference | None = None
    trouble: Trouble | None = None
    slip: Named | None = None

    @property
    def id(self) -> str:
        """The slip's id, else the key, for counting notes over a class."""
        return self.slip.id if self.slip is not None else f"{self.key}, {self.case.name}"


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
    slips: tuple[Named, ...] = ()
    """The diagnosis: one slip or two that explain everything that was seen."""
    perhaps: tuple[Named, ...] = ()
    """A guess: a slip, or two, that explain what failed and most else, though not all."""
    relation: Relation | None = None
    """How what was returned is related to what was expected."""
    notes: tuple[Note, ...] = ()
    printed: str = ""
    grade: Grade | None = None
    """For a check with tiers that passed: the part of the points, and what to say."""

    @property
    def misconception(self) -> str | None:
        """The id of the diagnosis, two joined by a plus sign; None where there is none."""
        return _joined(self.slips)

    @property
    def guess(self) -> str | None:
        """The id of what `perhaps` holds, in the same form."""
        return _joined(self.perhaps)


def _joined(slips: tuple[Named, ...]) -> str | None:
    return "+".join(named.id for named in slips) or None


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


_kept: OrderedDict[tuple[int, int], Known] = OrderedDict()


def known_for(check: Check, seed: int = 0) -> Known:
    """What is known of a check with a seed, kept for the next time that somebody asks."""
    key = (id(check), seed)
    known = _kept.pop(key, None) or Known(check, seed)
    _kept[key] = known
    if len(_kept) > KNOWN_KEPT:
        _kept.popitem(last=False)
    return known


def judge(
    check: Check,
    theirs: Observer,
    seed: int = 0,
    known: Known | None = None,
    *,
    strict: bool = False,
    patience: float = PATIENCE,
) -> Verdict:
    """Compare what is observed of a student's implementation with the reference.

    The first case that differs decides, and within it the first key. Cases and keys that go beyond
    the lesson come last: what differs there is noted. With `strict` they count like all others.
    `known` is what a former judging of the same check with the same seed has found out already,
    `patience` the seconds that may go into the search for two slips.
    """
    return _Judgement(check, theirs, known or known_for(check, seed), patience).verdict(strict)


class _Judgement:
    """The judging of one implementation."""

    def __init__(self, check: Check, theirs: Observer, known: Known, patience: float) -> None:
        self.check, self.known, self.patience = check, known, patience
        self._look = measured(check, theirs)
        self._seen: list[Observation] = []

    def student(self, position: int) -> Observation:
        """What the student's code shows; the cases are looked at in their order, each once."""
        while len(self._seen) <= position:
            at = len(self._seen)
            if not self.check.each_case_alone:  # the reference first: it imports what is imported
                self.known.expected(at)  # late
            self._seen.append(self._look(self.known.cases[at]))
        return self._seen[position]

    def verdict(self, strict: bool) -> Verdict:
        notes: list[Note] = []
        for position, case in enumerate(self.known.cases):
            yours = self.student(position)
            expected = self.known.expected(position)
            if yours.builtins and not case.is_beyond:
                keys = list(expected.seen)
                key = keys[min(yours.builtins_after, len(keys) - 1)]
                own = Named(TORCHS_OWN, 0)
                return Verdict("failed", case, key, builtins=tuple(yours.builtins), slips=(own,))
            for fault, counts in faults(self.check, yours, expected, case):
                if counts or strict:
                    return self._failure(position, fault)
                notes.append(self._note(position, fault))
        last = self._seen[-1]
        grade = self.check.grade(last.seen) if self.check.grade is not None else None
        return Verdict("passed", notes=tuple(notes), grade=grade)

    def _failure(self, position: int, fault: Fault) -> Verdict:
        key, difference = fault
        case, yours = self.known.cases[position], self.student(position)
        trouble = yours.trouble if difference is None else None
        failed = Verdict("failed", case, key, difference, trouble, printed=yours.printed)
        if yours.trouble is not None and yours.trouble.kind == "not attempted":
            return replace(failed, outcome="not attempted", difference=None, trouble=yours.trouble)
        if yours.trouble is not None and yours.trouble.kind == "time limit":
            return replace(failed, difference=None, trouble=yours.trouble)
        found = self._diagnosis(position, key)
        if not found.slips:
            general = wrong_type(difference) or (meaning_of(trouble) if trouble else None)
            found = Diagnosis((general,)) if general is not None else found
        relation = None
        if difference is not None and not found.slips and not aspect_of(self.check, key).secret:
            expected = self.known.expected(position).seen
            relation = relate(difference, key, case.data, expected)
        return replace(failed, slips=found.slips, perhaps=found.perhaps, relation=relation)

    def _diagnosis(self, position: int, key: str) -> Diagnosis:
        """Nothing is looked for where nothing can be found: when a number is too small, such as an
        accuracy, which says nothing about its cause; in the later cases of a check whose cases
        take long, since its slips show in the first one; and in cases that do not count.
        """
        if aspect_of(self.check, key).at_least is not None:
            return Diagnosis()
        if (self.check.each_case_alone and position) or position >= self.known.counted:
            return Diagnosis()
        return diagnose(self.known, self.student, position, key, self.patience)

    def _note(self, position: int, fault: Fault) -> Note:
        key, difference = fault
        case, yours = self.known.cases[position], self.student(position)
        note = Note(case, key, difference, yours.trouble if difference is None else None)
        expected = self.known.expected(position)
        if not case.is_beyond or same(self.check, yours, expected):  # a number in disguise
            return note
        expected = self.known.expected(position)
        for named in self.known.named:
            shown = self.known.shown((named,), position)
            if same_at(self.check, key, shown, expected):  # it says nothing about what differs
                continue
            if same(self.check, yours, shown) and self.known.is_right_where_it_counts(named):
                return replace(note, slip=named)
        return note


__all__ = [
    "Known",
    "Note",
    "Observer",
    "Outcome",
    "ReferenceFailed",
    "Verdict",
    "answers_to",
    "cases_of",
    "judge",
    "known_for",
    "observer",
]
