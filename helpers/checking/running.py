"""Runs a check for a student: judges, shows the message, records the progress."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from helpers import progress
from helpers.checking import texts
from helpers.checking.arguments import describe_argument, refusal
from helpers.checking.check import Check
from helpers.checking.errors import CheckFailed, NotAttempted
from helpers.checking.guard import run_guarded, unchanged_state
from helpers.checking.judging import Verdict, judge, observer
from helpers.checking.observing import trouble_from
from helpers.checking.report import Report, report_on
from helpers.course import LESSONS, todo_of
from helpers.display import in_notebook, show_figure, show_message
from helpers.kernel import stale_names

_graded_elsewhere = False


def leave_to_the_grader() -> None:
    """From now on every check in this process passes by in silence: a grader asks its own
    questions from outside, and keeps the answers there.
    """
    global _graded_elsewhere
    _graded_elsewhere = True


def run_check(check: Check, *given: Any, seed: int = 0) -> float | None:
    """Judge what a student gave; print one line of praise or raise CheckFailed.

    Returns:
        None; for a check with tiers the points, which are never 0. nbgrader takes a number that a
        graded cell ends with as its score, and None as all points.

    Raises:
        NotAttempted: the TODO still holds its stub.
        CheckFailed: the answer is not right yet; the message says why.
    """
    implementation = given[0] if len(given) == 1 else given
    if _graded_elsewhere:
        print(texts.GRADED_ELSEWHERE.format(topic=check.topic))
        return None
    lines = stale_names(argument.name for argument in check.takes)
    facts = [describe_argument(a, value) for a, value in zip(check.takes, given, strict=True)]
    refused = refusal(check, facts)
    if refused is not None:
        _record(check, "failed", None)
        raise _shown(CheckFailed(_with(refused, lines), check.name))
    with unchanged_state():  # a library that is imported for the first time may draw numbers
        verdict = judge(check, observer(check, implementation), seed)
    found = verdict.misconception
    whole = verdict.grade is None or verdict.grade.share == 1
    _record(check, verdict.outcome if whole else "passed in part", found)
    share = 1.0 if verdict.grade is None else verdict.grade.share
    standing = progress.standing(check.name, share) if verdict.outcome == "passed" else ()
    report = _with(report_on(check, verdict), (*lines, *standing))
    _show_picture(check, implementation, verdict)
    if verdict.outcome == "passed":
        show_message(report.text(), report.html())
        return None if verdict.grade is None else share * todo_of(check.name).points
    kind = NotAttempted if verdict.outcome == "not attempted" else CheckFailed
    case = verdict.case.name if verdict.case else None
    cause = verdict.trouble.exception if verdict.trouble else None
    raise _shown(
        kind(
            report,
            check.name,
            found,
            case,
            perhaps=verdict.guess,
            relation=verdict.relation.sentence if verdict.relation else None,
        )
    ) from cause


def _with(report: Report, lines: tuple[str, ...]) -> Report:
    return replace(report, lines=(*report.lines, *lines))


def _shown(error: CheckFailed) -> CheckFailed:
    """The error, whose message is shown at once where it can be shown better than errors are.

    nbgrader keeps errors for its pages, so there the error itself says everything.
    """
    if in_notebook() and "NBGRADER_EXECUTION" not in os.environ:
        show_message(error.report.text(), error.report.html())
        error.is_shown = True
    return error


def _show_picture(check: Check, implementation: Any, verdict: Verdict) -> None:
    """Draw yours beside the expected one, where the check has a picture and the code runs."""
    if check.picture is None or not in_notebook() or verdict.trouble or verdict.builtins:
        return
    figures: list[Any] = []
    draw = check.picture
    error, _ = run_guarded(lambda: figures.append(draw(implementation)), check.seconds)
    if error is None:
        figure, alt = figures[0]
        show_figure(figure, alt)


def _record(check: Check, outcome: str, misconception: str | None) -> None:
    reason = progress.record(check.name, outcome, misconception)
    if reason:
        print(texts.NOT_RECORDED.format(reason=reason))


@contextlib.contextmanager
def uses_your_code() -> Iterator[None]:
    """Marks an experiment that needs what the student writes: a TODO that is not done yet is
    named in one line instead of a traceback.

    >>> def my_part():
    ...     raise NotImplementedError()
    >>> with uses_your_code():
    ...     my_part()
    ○ This cell needs your my_part: finish its TODO first, then run it again.
    """
    try:
        yield
    except NotImplementedError as error:
        trouble = trouble_from(error)
        if trouble.kind != "not attempted":
            raise
        print(_waits_for(error))


def _waits_for(error: NotImplementedError) -> str:
    import linecache
    import re
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    lines = linecache.getlines(frame.filename)[: frame.lineno or 0]
    name = frame.name
    if name in ("forward", "backward", "derivative", "__init__", "step"):
        classes = [m[1] for line in lines if (m := re.match(r"class (\w+)", line))]
        name = f"{classes[-1]}.{name}" if classes else name
    marks = [m[1] for line in lines if (m := re.search(r"TODO (\d+\.\d+)", line))]
    known = {todo.number for lesson in LESSONS for todo in lesson.todos}
    if marks and marks[-1] in known:
        return texts.WAITS_TODO.format(name=name, number=marks[-1])
    return texts.WAITS.format(name=name)
