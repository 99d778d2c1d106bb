"""Puts one mutant before its check, in a process of its own, for a limited time.

The process is forked from one in which the setup has run and the check has judged the solution
once, so that nothing is imported again. What a mutant leaves behind goes with its process.
"""

from __future__ import annotations

import contextlib
import io
import json
import linecache
import os
import select
import signal
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from helpers.checking import judging
from helpers.checking.diagnosing import Diagnosis

from .exercises import Exercise

Fate = Literal["killed", "noted", "survived", "broke"]
"""`noted`: all points, and a note. `broke`: the check raised something that is no verdict."""

NOTE = "◦"
"""A line of a check's message that begins with it says something that costs no points."""

LEAST_SECONDS = 60.0
"""Checks stop what they call after some seconds; longer takes only what they cannot stop."""


@dataclass(frozen=True)
class Result:
    """What became of one mutant."""

    id: str
    change: str
    fate: Fate
    why: str
    """The first line of the message."""


@dataclass(frozen=True)
class Results:
    """What became of all mutants of an exercise."""

    check: str
    seconds: float
    mutants: tuple[Result, ...]

    def of(self, fate: Fate) -> list[Result]:
        return [one for one in self.mutants if one.fate == fate]


class SolutionFails(RuntimeError):
    """The unchanged solution does not pass its own check, so its mutants say nothing."""


def try_all(exercise: Exercise) -> Results:
    """Judge every mutant of an exercise."""
    start = time.monotonic()
    setattr(judging, "diagnose", without_diagnosis)  # noqa: B010  which mistake it is does not matter
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in exercise.setup:
            exec(_compiled(cell, f"setup of {exercise.number}"), namespace)
    fate, why = _judge(exercise, exercise.cell, "solution", dict(namespace))
    if fate != "survived":
        raise SolutionFails(f"{exercise.check} does not pass the solution ({fate}): {why}")
    limit = LEAST_SECONDS + 10 * (time.monotonic() - start)
    results = []
    for one in exercise.mutants:
        judge = _judging(exercise, one.source, one.id, namespace)
        fate, why = in_a_fork(judge, limit)
        results.append(Result(one.id, one.change, fate, why))
    return Results(exercise.check, time.monotonic() - start, tuple(results))


def without_diagnosis(*_: Any) -> Diagnosis:
    return Diagnosis()


def _judging(exercise: Exercise, source: str, name: str, namespace: dict[str, Any]) -> Judging:
    return lambda: _judge(exercise, source, name, namespace)


Judging = Callable[[], tuple[Fate, str]]


def _judge(
    exercise: Exercise, source: str, name: str, namespace: dict[str, Any]
) -> tuple[Fate, str]:
    """Run a cell and then the check's cell, as a notebook does."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            exec(_compiled(source, name), namespace)
        except BaseException as error:
            return "killed", f"{type(error).__name__} when the cell runs"
        try:
            points = eval(exercise.call, namespace)
        except AssertionError as error:
            return "killed", _first_line(str(error))
        except BaseException as error:
            return "broke", f"{type(error).__name__}: {_first_line(str(error))}"
    if points is not None and points < exercise.points:
        return "killed", f"{points:g} of {exercise.points:g} points"
    said = printed.getvalue()
    notes = [line.strip() for line in said.splitlines() if line.strip().startswith(NOTE)]
    return ("noted", notes[0]) if notes else ("survived", _first_line(said))


def _compiled(source: str, name: str) -> Any:
    """The code of a cell; its lines can be looked up, as those of a notebook's cell can."""
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    return compile(source, file, "exec")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


def in_a_fork(judge: Judging, seconds: float) -> tuple[Fate, str]:
    """Judge in a copy of this process. A copy that dies or does not end counts as killed.

    >>> in_a_fork(lambda: ("noted", "◦"), seconds=10)
    ('noted', '◦')
    """
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads: those of the checks begin anew in the copy
        child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            os.write(writing, json.dumps(judge()).encode()[:4000])
        os._exit(0)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if answer is None:
        return "killed", f"no end in {seconds:.0f} seconds"
    if not answer:
        return "killed", "the process ended"
    fate, why = json.loads(answer)
    return fate, why


def _read(pipe: int, until: float) -> bytes | None:
    """All that is written into a pipe until it is closed; None when that takes too long."""
    answer = b""
    while (left := until - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            part = os.read(pipe, 4096)
            if not part:
                return answer
            answer += part
    return None
