"""What goes beyond a lesson is noted by the grader, and counts where an instructor says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.course import lesson
from helpers.grading.exam import Exam, Finding, Findings
from helpers.grading.examiner import examine
from helpers.grading.sample_class import Answer, submission
from tests.grading.test_exact import exam_of, release

pytestmark = pytest.mark.slow

FAILS_ON_NOTHING = """
def numerical_gradient(f, x, h=1e-5):
    x = x.detach()
    steps = h * torch.eye(x.numel(), dtype=x.dtype).reshape(x.numel(), *x.shape)
    return torch.stack([
        torch.as_tensor(f(x + s) - f(x - s), dtype=x.dtype) / (2 * h) for s in steps
    ]).reshape(x.shape)
"""


@pytest.fixture(scope="module")
def exam() -> Exam:
    of = lesson("start_here")
    blank = {todo.check: Answer("blank") for todo in of.todos}
    one = submission("ada", of, release(of), blank)
    for cell in one.notebook["cells"]:
        if cell["id"] == "todo-0-1":
            cell["source"] = FAILS_ON_NOTHING
    return exam_of(of, one)


def found(exam: Exam, check: str = "check_numerical_gradient") -> Finding:
    return next(f for f in examine(exam).findings if f.check == check)


def test_a_note_costs_nothing_and_is_recorded(exam: Exam) -> None:
    one = found(exam)
    assert (one.outcome, one.share) == ("passed", 1.0)
    ((id, line),) = one.notes
    assert id == "gradient, no entries"
    assert line.startswith("◦ One thing more: Your code raises ")
    assert Findings.from_bytes(Findings(findings=(one,)).to_bytes()).findings == (one,)


def test_strict_lets_it_count(exam: Exam) -> None:
    one = found(replace(exam, strict=True))
    assert (one.outcome, one.share, one.case) == ("failed", 0.0, "no entries")


def test_the_setting_is_read(tmp_path: Path, monkeypatch: Any) -> None:
    from helpers.grading.layout import open_course

    config = tmp_path / "nbgrader_config.py"
    config.write_text("c = get_config()\nc.CourseGrade.strict = True\n", encoding="utf-8")
    assert open_course(tmp_path).settings.strict is True
    config.write_text("c = get_config()\n", encoding="utf-8")
    assert open_course(tmp_path).settings.strict is False
