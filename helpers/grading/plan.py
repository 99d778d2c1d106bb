"""Turns a notebook into the steps of its grading: cells to run, and checks to judge."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from helpers.course import LESSONS
from helpers.grading.exam import Exam
from helpers.grading.needs import Names, names_of


@dataclass(frozen=True)
class Run:
    """A cell whose code runs in the sandbox."""

    cell: str
    code: str


@dataclass(frozen=True)
class Judge:
    """A graded cell: at its place in the notebook the check asks for observations."""

    cell: str
    grade_id: str
    points: float
    check: str
    names: tuple[str, ...]
    """The student's functions or classes that the check takes."""


Step = Run | Judge


class NoCheck(ValueError):
    """A graded cell holds something other than the call of one of the course's checks."""


def steps_of(exam: Exam) -> list[Step]:
    """The steps in the order of the notebook.

    Raises:
        NoCheck: a graded cell is no call of a check.
    """
    steps: list[Step] = []
    for cell in exam.notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        marks = cell["metadata"].get("nbgrader", {})
        if marks.get("grade") and not marks.get("solution"):
            check, names = call_of(source_of(cell))
            points = float(marks["points"])
            steps.append(Judge(cell["id"], marks["grade_id"], points, check, names))
        elif source_of(cell).strip():
            steps.append(Run(cell["id"], source_of(cell)))
    return steps


def question_of_needs(exam: Exam, steps: list[Step]) -> dict[str, Any]:
    """What `needs.needed` asks for: the given cells, the code of the others, the names that checks
    take, and the cells that were deleted. The names in the release's own text are found here, once
    for all students.
    """
    given: dict[str, Any] = {
        step.cell: _names_in(step.code).as_data() if step.cell in exam.unchanged else step.code
        for step in steps
        if isinstance(step, Run) and step.cell in exam.given
    }
    work = [s.code for s in steps if isinstance(s, Run) and s.cell not in given]
    names = [name for s in steps if isinstance(s, Judge) for name in s.names]
    lost = {cell: _names_in(code).as_data() for cell, code in exam.lost.items()}
    return {"given": given, "work": work, "names": names, "lost": lost}


@lru_cache(maxsize=1_000)
def _names_in(code: str) -> Names:
    return names_of(code)


def source_of(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def call_of(code: str) -> tuple[str, tuple[str, ...]]:
    """The check that a graded cell calls, and the names that it is given.

    >>> call_of("check_relu(MyReLU)")
    ('check_relu', ('MyReLU',))
    >>> call_of('check_bug_clinic("tanh", repaired_tanh)')
    ('check_bug_clinic_tanh', ('repaired_tanh',))

    Raises:
        NoCheck: it is something else.
    """
    known = {todo.check: todo for lesson in LESSONS for todo in lesson.todos}
    faces = {todo.face for todo in known.values() if todo.face}
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        body = []
    if len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Call):
        call = body[0].value
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        given = list(call.args)
        if name in faces and given and isinstance(given[0], ast.Constant):
            name = f"{name}_{given.pop(0).value}"  # type: ignore[attr-defined]
        names = tuple(a.id for a in given if isinstance(a, ast.Name))
        if name in known and len(names) == len(given) and not call.keywords:
            return name, names
    raise NoCheck(
        f"The graded cell {code.strip()[:60]!r} is not the call of one of the course's checks."
    )
