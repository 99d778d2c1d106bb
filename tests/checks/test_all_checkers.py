"""For every checker: each slip is named, alone and with another one; each right answer passes."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from itertools import combinations
from typing import Any

import pytest

from helpers.checking.check import Check
from helpers.checking.judging import Known, Verdict, answers_to, judge, observer
from helpers.checking.recipe import WHOLE, Named, can_be_joined
from helpers.checking.report import report_on
from helpers.course import LESSONS

SEEDS = (0, 1, 2)
MANY_WAYS_TO_FAIL = ("dropout", "batch_normalization", "weight_and_spectral_norm")
"""Lessons whose checks need at least ten slips."""

PAIRS = int(os.environ.get("COURSE_PAIRS", "4"))
"""So many pairs of slips are tried for each check, the same ones each time; 0 means all of them,
which takes hours and is done once a week."""

PATIENCE = 60.0
"""Seconds for a search here: a busy machine must not decide whether a test passes."""

KnownFor = Callable[[Check, int], Known]
CHECKS = [
    check for lesson in LESSONS for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS
]


def _variants() -> list[Any]:
    return [
        pytest.param(check, variant, id=f"{check.name}-{name}")
        for check in CHECKS
        for name, variant in answers_to(check).variants.items()
    ]


def _slips() -> list[Any]:
    return [
        pytest.param(check, named, id=f"{check.name}-{named.id}-{named.form}")
        for check in CHECKS
        for named in answers_to(check).named()
    ]


def _pairs() -> list[Any]:
    params = []
    for check in CHECKS:
        if check.each_case_alone:
            continue
        pairs = [p for p in combinations(answers_to(check).named(), 2) if can_be_joined(*p)]
        random.Random(check.name).shuffle(pairs)
        for one, other in pairs[: PAIRS or None]:
            name = f"{check.name}-{one.id}-{one.form}+{other.id}-{other.form}"
            params.append(pytest.param(check, one, other, id=name))
    return params


def test_every_todo_has_its_check() -> None:
    todos = {todo.check for lesson in LESSONS for todo in lesson.todos}
    assert {check.name for check in CHECKS} == todos


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
class TestCheck:
    def test_reference_passes(self, check: Check) -> None:
        """The reference may call what students may not."""
        free = replace(check, forbidden=frozenset())
        for seed in SEEDS:
            verdict = judge(free, observer(free, answers_to(check).right), seed)
            assert verdict.outcome == "passed", report_on(check, verdict).text()
            assert not verdict.notes

    def test_the_recipe_itself_passes(self, check: Check) -> None:
        free = replace(check, forbidden=frozenset())
        verdict = judge(free, observer(free, answers_to(check).recipe.made()))
        assert verdict.outcome == "passed", report_on(check, verdict).text()
        assert not verdict.notes

    def test_has_enough_answers(self, check: Check) -> None:
        answers = answers_to(check)
        assert len(answers.slips) >= (10 if check.lesson in MANY_WAYS_TO_FAIL else 6)
        assert len(answers.variants) >= 3
        ids = [slip.id for slip in answers.slips]
        assert len(set(ids)) == len(ids)

    def test_has_a_word_for_everything_it_sees(self, check: Check) -> None:
        from helpers.checking.comparing import GLOBAL_ASPECTS
        from helpers.checking.judging import cases_of
        from helpers.checking.observing import observe

        for case in cases_of(check):
            seen = observe(check, answers_to(check).right, case, 60).seen
            assert set(seen) - set(GLOBAL_ASPECTS) <= set(check.aspects)
            for key in set(seen) - set(GLOBAL_ASPECTS):
                check.aspects[key].call.format_map(case.written())


@pytest.mark.parametrize(("check", "variant"), _variants())
def test_right_variant_is_accepted(check: Check, variant: object, known: KnownFor) -> None:
    for seed in SEEDS:
        verdict = judge(check, observer(check, variant), seed, known(check, seed))
        assert verdict.outcome == "passed", report_on(check, verdict).text()


@pytest.mark.parametrize(("check", "named"), _slips())
def test_slip_is_named(check: Check, named: Named, known: KnownFor) -> None:
    """By its own name, on the students' cases and on others; and the message reads well.

    Other forms of the same slip are tried on the students' cases alone.
    """
    for seed in SEEDS[: 1 if named.form else 2]:
        whole = known(check, seed)
        wrong = whole.answers.with_slips(named)
        verdict = judge(check, observer(check, wrong), seed, whole)
        text = report_on(check, verdict).text()
        if verdict.outcome == "passed":  # what is wrong is only noted
            assert [note.slip.id for note in verdict.notes if note.slip][:1] == [named.id], text
            assert text.splitlines()[1].startswith("◦ ")
            continue
        assert verdict.outcome == "failed", text
        assert verdict.misconception == named.id, text
        _reads_well(check, named, text)


def _reads_well(check: Check, named: Named, text: str) -> None:
    lines, words = text.splitlines(), " ".join(text.split())
    assert lines[0].startswith(f"✗ {check.topic} — ")
    assert lines[0].endswith(".")
    assert f"Likely cause {named.diagnosis}" in words
    assert words.endswith(f"Next step {named.hint}")
    assert max(map(len, lines)) < 200
    for sentence in (named.diagnosis, named.hint, check.praise):
        assert sentence.rstrip().endswith((".", "?", ")"))
        assert "{" not in sentence


@pytest.mark.parametrize(("check", "one", "other"), _pairs())
def test_two_slips_are_named(check: Check, one: Named, other: Named, known: KnownFor) -> None:
    """As the pair or, where one hides the other, as the one that shows."""
    whole = known(check, 0)
    wrong = whole.answers.with_slips(one, other)
    verdict = judge(check, observer(check, wrong), 0, whole, patience=PATIENCE)
    if verdict.outcome == "passed":
        noted = {note.slip.id for note in verdict.notes if note.slip}
        assert verdict.notes and noted <= {one.id, other.id}
        return
    text = report_on(check, verdict).text()
    assert verdict.slips, f"{one.id} and {other.id}: {text}"
    assert _explains(verdict, one, other), f"{one.id} and {other.id} are told as: {text}"


def _explains(verdict: Verdict, one: Named, other: Named) -> bool:
    """Both, one of them, a slip that is just the two together, or one of them beside a third that
    shows the same as the other does where the first one is: a loop that returns at once and one
    that adds up first entries look alike in a network of one layer, whatever else is wrong.
    """
    named = {slip.id for slip in verdict.slips}
    together = {*one.parts, *other.parts}
    single = verdict.slips[0].parts if len(verdict.slips) == 1 else {}
    return bool(named & {one.id, other.id}) or set(single) == together


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_slip_is_a_part(check: Check) -> None:
    """An answer that shares nothing with the right one is no slip; a few odd ones may be kept."""
    slips = answers_to(check).slips
    wholes = [slip.id for slip in slips if any(WHOLE in form for form in slip.forms)]
    assert len(wholes) <= len(slips) / 4, wholes
