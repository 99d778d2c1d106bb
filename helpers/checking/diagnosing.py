"""Looks for the slip, or the two slips, that explain what a student's code shows.

A diagnosis is only made when the recipe with these slips shows the same as the student's code in
everything that counts. One slip is tried before two. Nearly all candidates fall at the first look:
at the key that failed, in the case that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, product

from helpers.checking.check import Check
from helpers.checking.comparing import lacks_numbers, same, same_at
from helpers.checking.known import Budget, Known
from helpers.checking.observing import Observation
from helpers.checking.recipe import Named, can_be_joined

Student = Callable[[int], Observation]
"""What the student's code shows in the case of a position."""

PATIENCE = 1.0
"""Seconds of one processor for the search for two slips."""

FOR_THE_UNLIKELY = 0.25
"""The part of them for slips of which one undoes something that the other shows."""


@dataclass(frozen=True)
class Diagnosis:
    """What explains a wrong answer: slips that explain all of it, or one that may be its cause."""

    slips: tuple[Named, ...] = ()
    perhaps: Named | None = None


def diagnose(
    known: Known, student: Student, position: int, key: str, patience: float = PATIENCE
) -> Diagnosis:
    """The slips that explain an answer which first fails in the case of this position, at this key.

    In a check whose cases take long only the first case is looked at, and no pairs are tried.
    """
    search = _Search(known, student, position, key)
    alone = [n for n in known.named if search.agrees_at((n,), position, key)]
    for named in alone:
        if search.agrees((named,)):
            return Diagnosis((named,))
    if not known.check.each_case_alone:
        for pair in search.pairs(patience):
            if search.agrees(pair):
                return Diagnosis(pair)
    return Diagnosis(perhaps=search.guess(alone))


class _Search:
    """One wrong answer, and what of it is looked at."""

    def __init__(self, known: Known, student: Student, position: int, key: str) -> None:
        self.known, self.student, self.position, self.key = known, student, position, key
        self.check: Check = known.check
        others = [i for i in range(known.counted) if i != position]
        self.order = [position] if self.check.each_case_alone else [position, *others]

    def agrees_at(self, slips: tuple[Named, ...], case: int, key: str) -> bool:
        mine = self.student(case)
        if lacks_numbers(mine, self.known.cases[case]):
            return True
        return same_at(self.check, key, mine, self.known.shown(slips, case))

    def agrees_in(self, slips: tuple[Named, ...], case: int) -> bool:
        mine = self.student(case)
        if lacks_numbers(mine, self.known.cases[case]):
            return True
        return same(self.check, mine, self.known.shown(slips, case))

    def agrees(self, slips: tuple[Named, ...]) -> bool:
        """Whether code with these slips shows the same in everything that counts."""
        return all(self.agrees_in(slips, case) for case in self.order)

    def guess(self, alone: list[Named]) -> Named | None:
        """The one slip that explains what failed, in all cases or at least in this one."""
        for cases in (self.order, [self.position]):
            found = [
                n for n in alone if all(self.agrees_at((n,), case, self.key) for case in cases)
            ]
            ids = {n.id for n in found}
            if ids:
                return found[0] if len(ids) == 1 else None
        return None

    def pairs(self, patience: float) -> Iterator[tuple[Named, ...]]:
        """Two slips of different parts that agree with the student where the answer failed.

        One of the two is seen in the case that failed. Where it alone shows all that is seen in
        this case, the other one is looked for in the next case that differs. A slip that is seen
        where the student's code is right comes last: only another slip could hide it.
        """
        visible, hidden, unlikely = self._suspects()
        budget = Budget(patience)
        for a in visible:
            if self.agrees_in((a,), self.position):
                yield from self._with_a_hidden_one(a, hidden, budget)
        likely = chain(combinations(visible, 2), product(visible, hidden))
        yield from self._agreeing(likely, budget)
        others = chain(
            product(visible, unlikely), combinations(unlikely, 2), product(unlikely, hidden)
        )
        yield from self._agreeing(others, Budget(patience * FOR_THE_UNLIKELY))

    def _agreeing(
        self, pairs: Iterable[tuple[Named, ...]], budget: Budget
    ) -> Iterator[tuple[Named, ...]]:
        joined = (pair for pair in pairs if can_be_joined(*pair))
        return self._screened(joined, self.position, self.key, budget)

    def _screened(
        self, candidates: Iterable[tuple[Named, ...]], case: int, key: str, budget: Budget
    ) -> Iterator[tuple[Named, ...]]:
        mine = self.student(case)

        def agrees(seen: Observation) -> bool:
            return same_at(self.check, key, mine, seen)

        return self.known.screened(candidates, case, key, agrees, budget)

    def _with_a_hidden_one(
        self, a: Named, hidden: list[Named], budget: Budget
    ) -> Iterator[tuple[Named, ...]]:
        case = next((c for c in self.order if not self.agrees_in((a,), c)), None)
        if case is None:
            return
        mine, alone = self.student(case), self.known.shown((a,), case)
        keys = list({**mine.seen, **alone.seen, **self.known.expected(case).seen})
        key = next((k for k in keys if not same_at(self.check, k, mine, alone)), keys[-1])
        couples = ((x, b) for x, b in product([a], hidden) if can_be_joined(x, b))
        yield from self._screened(couples, case, key, budget)

    def _suspects(self) -> tuple[list[Named], list[Named], list[Named]]:
        """The slips that are seen in the case that failed, and nowhere where the student's code is
        right; those that are not seen so far; and the others.
        """
        mine = self._faults_of(self.student(self.position), self.position)
        visible: list[Named] = []
        hidden: list[Named] = []
        unlikely: list[Named] = []
        for named in self.known.named:
            before = any(self._faults((named,), case) for case in range(self.position))
            faults = self._faults((named,), self.position)
            if before or not faults <= mine:
                unlikely.append(named)
            else:
                (visible if faults else hidden).append(named)
        return visible, hidden, unlikely

    def _faults(self, slips: tuple[Named, ...], case: int) -> set[str]:
        return self._faults_of(self.known.shown(slips, case), case)

    def _faults_of(self, seen: Observation, case: int) -> set[str]:
        expected = self.known.expected(case)
        keys = {**expected.seen, **seen.seen}
        return {key for key in keys if not same_at(self.check, key, seen, expected)}
