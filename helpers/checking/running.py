"""Runs a check for a student: judges, shows the message, records the progress."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from helpers import progress
from helpers.checking import texts
from helpers.checking.case import describe, show, snapshot
from helpers.checking.check import Argument, Check
from helpers.checking.errors import CheckFailed, NotAttempted
from helpers.checking.guard import run_guarded
from helpers.checking.judging import Verdict, judge, observer
from helpers.checking.observing import trouble_from
from helpers.checking.report import Report, failed, report_on
from helpers.course import LESSONS, todo_of
from helpers.display import in_notebook, show_figure, show_message


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
    refusal = _refuse(check, given)
    if refusal is not None:
        _record(check, "failed", None)
        raise CheckFailed(refusal, check.name)
    verdict = judge(check, observer(check, implementation), seed)
    found = verdict.misconception.id if verdict.misconception else None
    whole = verdict.grade is None or verdict.grade.share == 1
    _record(check, verdict.outcome if whole else "passed in part", found)
    report = report_on(check, verdict)
    _show_picture(check, implementation, verdict)
    if verdict.outcome == "passed":
        show_message(report.text(), report.html())
        return None if verdict.grade is None else verdict.grade.share * todo_of(check.name).points
    kind = NotAttempted if verdict.outcome == "not attempted" else CheckFailed
    case = verdict.case.name if verdict.case else None
    cause = verdict.trouble.exception if verdict.trouble else None
    raise kind(report, check.name, found, case) from cause


def _refuse(check: Check, given: tuple[Any, ...]) -> Report | None:
    """A message when an argument cannot be what the check takes, such as a number."""
    for argument, value in zip(check.takes, given, strict=True):
        problem: list[Report] = []

        def look(argument: Argument = argument, value: Any = value) -> None:
            found = _wrong_argument(check, argument, value)
            if found is not None:
                problem.append(found)  # noqa: B023

        error, _ = run_guarded(look, seconds=2)
        if error is not None and not problem:
            return _wrong_kind(check, argument, type(value).__name__)
        if problem:
            return problem[0]
    return None


def _wrong_argument(check: Check, argument: Argument, value: Any) -> Report | None:
    if argument.kind == "function":
        if isinstance(value, type) or not callable(value):
            return _wrong_kind(check, argument, _written(value))
        return None
    if not callable(value) or (not isinstance(value, type) and _is_instance(value, argument)):
        return _wrong_kind(check, argument, _written(value))
    if isinstance(value, type):
        for method in argument.methods:
            if not hasattr(value, method):
                what = texts.MISSING_METHOD.format(name=argument.name, method=method)
                step = texts.NEXT_METHOD.format(method=method)
                return failed(check, what, [(texts.NEXT, step)])
    return None


def _is_instance(value: Any, argument: Argument) -> bool:
    """Whether this is the object of the class and not the class or a factory of it."""
    return hasattr(value, "_modules") or any(hasattr(value, m) for m in argument.methods)


def _written(value: Any) -> str:
    plain = snapshot(value)
    return f"{show(plain, 'a tensor')}    {describe(plain)}"


def _wrong_kind(check: Check, argument: Argument, gave: str) -> Report:
    is_class = argument.kind == "class"
    what = texts.WRONG_KIND_CLASS if is_class else texts.WRONG_KIND_FUNCTION
    step = texts.NEXT_CLASS if is_class else texts.NEXT_FUNCTION
    names = ", ".join(a.name for a in check.takes)
    rows = [
        (texts.GAVE, gave),
        (texts.NEXT, step.format(call=f"{todo_of(check.name).call}{names})")),
    ]
    return failed(check, what.format(name=argument.name), rows)


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
    ⏸ This cell needs your `my_part`: finish its TODO first, then run it again.
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
