"""The cases of a check, and what the reference and every slip show in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch

from helpers.checking.case import Case, snapshot
from helpers.checking.check import Check
from helpers.checking.comparing import same
from helpers.checking.guard import run_guarded
from helpers.checking.observing import Observation, observe, seed_everything, trouble_from
from helpers.checking.recipe import Answers, Named

Observer = Callable[[Case], Observation]

REFERENCE_SECONDS = 60.0


class ReferenceFailed(RuntimeError):
    """The reference of a check stopped: a fault of the course, and of no student."""


def answers_to(check: Check) -> Answers:
    """The recipe, slips and right variants of a check."""
    module = import_module(f"helpers.answers.{check.lesson}.{check.name.removeprefix('check_')}")
    answers: Answers = module.ANSWERS
    return answers


def cases_of(check: Check, seed: int = 0) -> list[Case]:
    """The inputs of a check, those that count first. The seed 0 is the students'; a grader takes
    fresh secret ones.
    """
    cases = check.cases(torch.Generator().manual_seed(seed))
    return sorted(cases, key=lambda case: case.is_beyond)


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
    """The cases of a check, and what the reference and the slips show in them.

    Each is observed when it is first asked for and then kept, so that a grader does it once for a
    whole class.
    """

    def __init__(self, check: Check, seed: int = 0) -> None:
        self.check = check
        self.cases = cases_of(check, seed)
        self.counted = sum(not case.is_beyond for case in self.cases)
        """So many cases count; they are the first ones."""
        self.answers = answers_to(check)
        self.named = self.answers.named()
        self._seen: dict[tuple[tuple[tuple[str, int], ...], int], Observation] = {}
        self._free = replace(check, forbidden=frozenset())

    def expected(self, case: int) -> Observation:
        """What the reference shows in the case of this position."""
        seen = self.shown((), case)
        if seen.trouble is not None:
            raise ReferenceFailed(
                f"The reference of {self.check.name} fails on the case "
                f"{self.cases[case].name!r}: {seen.trouble}"
            )
        return seen

    def shown(self, slips: tuple[Named, ...], case: int) -> Observation:
        """What the answer with these slips shows in the case of this position; with none, what
        the reference shows.
        """
        key = (tuple((n.id, n.form) for n in slips), case)
        if key not in self._seen:
            free = self._free
            answer = self._answer(slips)
            look = measured(free, lambda c: observe(free, answer, c, REFERENCE_SECONDS))
            self._seen[key] = look(self.cases[case])
        return self._seen[key]

    def is_right_where_it_counts(self, named: Named) -> bool:
        """Whether an answer with this slip passes: what is wrong with it is only noted."""
        return all(
            same(self.check, self.shown((named,), case), self.expected(case))
            for case in range(self.counted)
        )

    def _answer(self, slips: tuple[Named, ...]) -> Any:
        return self.answers.with_slips(*slips) if slips else self.answers.right

    def screened(
        self,
        candidates: Iterable[tuple[Named, ...]],
        case: int,
        key: str,
        agrees: Callable[[Observation], bool],
        budget: Budget,
    ) -> Iterator[tuple[Named, ...]]:
        """Those candidates that agree in one key of one case, looked at no further than that key.

        All are run in one guarded thread, since most of the time of a single look goes into
        setting it up. The search ends when the budget is used up.
        """
        found: list[tuple[Named, ...]] = []

        def run() -> None:
            for slips in candidates:
                if budget.is_spent():
                    return
                with budget:
                    if agrees(self._until(key, slips, case)):
                        found.append(slips)

        run_guarded(run, REFERENCE_SECONDS)
        yield from found

    def _until(self, key: str, slips: tuple[Named, ...], case: int) -> Observation:
        """What the answer shows up to a key, seen from within a guarded thread."""
        seen = Observation()

        def look(fresh: Case) -> Observation:
            seed_everything()
            try:
                for name, value in self.check.observe(self._answer(slips), fresh):
                    seen.seen[name] = snapshot(value)
                    if name == key:
                        break
            except Exception as error:
                seen.trouble = trouble_from(error)
            return seen

        return measured(self._free, lambda c: look(c.fresh()))(self.cases[case])


class Budget:
    """Seconds of one processor that a search may take; used as a context around each step."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def is_spent(self) -> bool:
        return self.left <= 0

    def __enter__(self) -> None:
        self._start = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.left -= time.thread_time() - self._start
