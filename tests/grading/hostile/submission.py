"""What a student hands in, as a small object: code in some cells, and what must come of it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

from helpers.course import lesson, todo_of
from helpers.grading.exam import Exam, Findings, Limits
from helpers.grading.examiner import examine

ROOT = Path(__file__).resolve().parents[3]
SEED = 7_461_237_461
"""The secret of every examination here; no child may find it."""
LIMITS = Limits(cell_seconds=240, notebook_seconds=600, memory=2**30, scratch=8 * 2**20)
"""Little memory and files, and more time than honest work takes on a busy machine: what is to run
out of time says so itself."""


@dataclass(frozen=True)
class Submission:
    """A notebook in which all TODOs are done right, but for what is said here."""

    name: str
    above: str = ""
    """The code of a cell of the student's own, below the imports."""
    below: str = ""
    """The code of a cell of the student's own, at the end."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """The code of solution cells, by grade id."""
    lesson: int = 0
    checks: tuple[str, ...] = ()
    """Only these checks stay in the notebook; none means all."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    """The share of the points that a check must give; of all others, all."""
    flags: tuple[str, ...] = ()
    """A part of each flag, in their order."""
    shows: tuple[str, ...] = ()
    """What must stand in the outputs of the cells."""
    seconds: float = LIMITS.cell_seconds
    """The time of one cell."""

    def __str__(self) -> str:
        return self.name

    def exam(self) -> Exam:
        home = lesson(self.lesson)
        source = _solution(home.folder, home.slug)
        cells: list[dict[str, Any]] = []
        for cell in json.loads(source)["cells"]:
            marks = cell["metadata"].get("nbgrader", {})
            grade_id = marks.get("grade_id", "")
            if self.checks and grade_id.startswith("check_") and grade_id not in self.checks:
                continue
            if grade_id in self.cells:
                cell["source"] = self.cells[grade_id]
            cells.append(cell)
        given = [c["id"] for c in cells if c["cell_type"] == "code" and not _marked(c)]
        if self.above:
            cells.insert(below_the_imports(cells), _own("own-above", self.above))
        if self.below:
            cells.append(_own("own-below", self.below))
        limits = replace(LIMITS, cell_seconds=self.seconds)
        notebook = {**json.loads(source), "cells": cells}
        return Exam(home.folder, notebook, tuple(given), dict(self.files), SEED, limits)

    def examine(self, sandbox: bool = True) -> Findings:
        return examine(self.exam(), sandbox)


@cache
def _solution(folder: str, slug: str) -> str:
    return (ROOT / "solutions" / folder / f"{slug}.ipynb").read_text(encoding="utf-8")


def _marked(cell: dict[str, Any]) -> bool:
    marks = cell["metadata"].get("nbgrader", {})
    return bool(marks.get("grade") or marks.get("solution"))


def below_the_imports(cells: list[dict[str, Any]]) -> int:
    codes = ("".join(c["source"]) if c["cell_type"] == "code" else "" for c in cells)
    return next(i for i, code in enumerate(codes) if "import torch\n" in code) + 1


def _own(name: str, code: str) -> dict[str, Any]:
    cell = nbformat.v4.new_code_cell(textwrap.dedent(code).strip("\n"), id=name)
    return dict(cell, metadata={})


def attack(name: str, code: str, **settings: Any) -> Submission:
    """Code that shows LEAKED when it worked, in a notebook that is right. All that stops it must
    be an exception, and not one that tells of a slip in the attack itself.
    """
    body = textwrap.indent(textwrap.dedent(code).strip("\n"), "    ")
    tried = f"try:\n{body}\nexcept BaseException as error:\n    print('STOPPED', repr(error)[:300])"
    return Submission(name, above=tried, **{"shows": ("STOPPED",), **settings})


TOGETHER = 20
"""So many attacks go into one notebook, each in a cell of its own."""


def examine_together(submissions: Iterable[Submission]) -> dict[str, str]:
    """What each submission's own cell showed, by name. They cost no point and raise no flag, and
    must leave nothing behind that another could meet; else they are examined alone.
    """
    shown = {}
    for some in _batches(list(submissions)):
        exam = Submission("many", checks=("check_count_parameters",)).exam()
        cells = exam.notebook["cells"]
        place = below_the_imports(cells)
        own = [_own(f"own-{number}", one.above) for number, one in enumerate(some)]
        cells[place:place] = own
        found = examine(exam)
        assert found.flags == ()
        assert [finding.share for finding in found.findings] == [1.0]
        for number, one in enumerate(some):
            output = found.outputs.get(f"own-{number}", [])
            assert all(set(item.get("data", {})) <= {"text/plain"} for item in output)
            shown[one.name] = json.dumps(output, ensure_ascii=False)
    return shown


def _batches(submissions: list[Submission]) -> list[list[Submission]]:
    starts = range(0, len(submissions), TOGETHER)
    return [submissions[start : start + TOGETHER] for start in starts]


SLIPS = ("NameError", "SyntaxError", "AttributeError", "TypeError", "IndexError", "ArgumentError")


def outputs_of(found: Findings) -> str:
    """All that the student's own cells showed, as one text."""
    own = [found.outputs.get(name, []) for name in ("own-above", "own-below")]
    return json.dumps(own, ensure_ascii=False)


def assert_shown(submission: Submission, shown: str) -> None:
    """An attack was stopped, and by the sandbox; other cells show what they must."""
    assert "LEAKED" not in shown
    for text in submission.shows:
        assert text in shown
    if "STOPPED" in submission.shows:
        assert not any(f"STOPPED {slip}" in shown for slip in SLIPS), shown


def assert_as_expected(submission: Submission, found: Findings) -> None:
    """Points, flags and outputs are those of the submission."""
    scores = {finding.check: finding.share for finding in found.findings}
    assert submission.scores.keys() <= scores.keys()
    assert scores == {**dict.fromkeys(scores, 1.0), **submission.scores}, found.findings
    for name, share in scores.items():
        assert 0 <= share <= 1
        assert todo_of(name)
    assert len(found.flags) == len(submission.flags), found.flags
    for flag, part in zip(found.flags, submission.flags, strict=True):
        assert part in flag
    assert_shown(submission, outputs_of(found))
    for cell in found.outputs.values():
        for output in cell:
            assert set(output.get("data", {})) <= {"text/plain"}


WRONG = {
    "todo-0-1": "def numerical_gradient(f, x, h=1e-5):\n    return torch.zeros_like(x)",
    "todo-0-2": "def count_parameters(model):\n    return 0",
}
"""Lesson 00 done wrong."""
NO_POINTS = {"check_numerical_gradient": 0.0, "check_count_parameters": 0.0}
