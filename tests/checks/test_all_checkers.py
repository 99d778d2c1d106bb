"""For every checker: each wrong answer is rejected by its own name, each right one accepted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from helpers.checking.check import Check, Misconception
from helpers.checking.judging import Known, answers_to, judge, observer
from helpers.checking.report import report_on
from helpers.course import LESSONS

SEEDS = (0, 1, 2)
MANY_WAYS_TO_FAIL = ("dropout", "batch_normalization", "weight_and_spectral_norm")
"""Lessons whose checks need at least ten misconceptions."""

KnownFor = Callable[[Check, int], Known]
CHECKS = [
    check for lesson in LESSONS for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS
]


def _of_every_check(what: str) -> list[Any]:
    params = []
    for check in CHECKS:
        answers = answers_to(check)
        items = answers.misconceptions if what == "misconceptions" else answers.variants.items()
        for item in items:
            name = item.id if isinstance(item, Misconception) else item[0]
            params.append(pytest.param(check, item, id=f"{check.name}-{name}"))
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
            verdict = judge(free, observer(free, answers_to(check).reference), seed)
            assert verdict.outcome == "passed", report_on(check, verdict).text()

    def test_has_enough_answers(self, check: Check) -> None:
        answers = answers_to(check)
        assert len(answers.misconceptions) >= (10 if check.lesson in MANY_WAYS_TO_FAIL else 6)
        assert len(answers.variants) >= 3
        ids = [m.id for m in answers.misconceptions]
        assert len(set(ids)) == len(ids)

    def test_has_a_word_for_everything_it_sees(self, check: Check) -> None:
        from helpers.checking.judging import GLOBAL_ASPECTS, cases_of
        from helpers.checking.observing import observe

        for case in cases_of(check):
            seen = observe(check, answers_to(check).reference, case, 60).seen
            assert set(seen) - set(GLOBAL_ASPECTS) <= set(check.aspects)
            for key in set(seen) - set(GLOBAL_ASPECTS):
                check.aspects[key].call.format_map(case.written())


@pytest.mark.parametrize(("check", "variant"), _of_every_check("variants"))
def test_right_variant_is_accepted(
    check: Check, variant: tuple[str, object], known: KnownFor
) -> None:
    for seed in SEEDS:
        verdict = judge(check, observer(check, variant[1]), seed, known(check, seed))
        assert verdict.outcome == "passed", report_on(check, verdict).text()


@pytest.mark.parametrize(("check", "misconception"), _of_every_check("misconceptions"))
def test_misconception_is_named(
    check: Check, misconception: Misconception, known: KnownFor
) -> None:
    """By its own name, on the students' cases and on others; and the message reads well."""
    for seed in SEEDS[:2]:
        verdict = judge(check, observer(check, misconception.make), seed, known(check, seed))
        text = report_on(check, verdict).text()
        assert verdict.outcome == "failed", text
        assert verdict.misconception is not None, text
        assert verdict.misconception.id == misconception.id, text
        lines, words = text.splitlines(), " ".join(text.split())
        assert lines[0].startswith(f"✗ {check.topic} — ")
        assert lines[0].endswith(".")
        assert f"Likely cause [{misconception.id}] {misconception.diagnosis}" in words
        assert words.endswith(f"Next step {misconception.hint}")
        assert max(map(len, lines)) < 200
    for sentence in (misconception.diagnosis, misconception.hint, check.praise):
        assert sentence.rstrip().endswith((".", "?", ")"))
        assert "{" not in sentence
