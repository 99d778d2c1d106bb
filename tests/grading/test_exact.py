"""The scores are the true ones: classes of every lesson whose points are known beforehand.

In `make test` each lesson has a few students, of whom each has a known answer in every TODO.
`COURSE_STUDENTS=200 pytest tests/grading/test_exact.py` makes larger classes; a class of 40 holds
every right variant and every misconception of its lesson at least once.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.checking.judging import answers_to, judge, observer
from helpers.checking.report import note_on
from helpers.course import LESSONS, Lesson
from helpers.grading.exam import Exam, Finding
from helpers.grading.examiner import SEARCH_SECONDS, check_named, examine
from helpers.grading.sample_class import Answer, Submission, a_class

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
STUDENTS = int(os.environ.get("COURSE_STUDENTS", "6"))
SEED = 20_260_101


def as_in_the_notebook(found: Finding, answer: Answer) -> bool:
    """Whether the grader found what the check says in the student's own notebook, on the same
    cases: the outcome, the diagnosis or guess, the relation and the notes.
    """
    if answer.kind == "blank":
        return found.outcome == "not attempted" and found.misconception is None
    check = check_named(found.check)
    known = answers_to(check)
    if answer.kind == "right":
        given = known.variants[answer.name]
    else:
        given = known.with_slips(*known.called(answer.name))
    verdict = judge(check, observer(check, given), SEED, patience=SEARCH_SECONDS)
    notes = tuple((note.id, note_on(check, note)) for note in verdict.notes)
    return (
        found.outcome == verdict.outcome
        and found.misconception == verdict.misconception
        and found.perhaps == verdict.guess
        and found.relation == (verdict.relation.sentence if verdict.relation else None)
        and found.notes == notes
    )


def release(lesson: Lesson) -> dict[str, Any]:
    file = ROOT / "notebooks" / lesson.folder / f"{lesson.slug}.ipynb"
    notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return notebook


def exam_of(lesson: Lesson, one: Submission) -> Exam:
    cells = one.notebook["cells"]
    given = tuple(cell["id"] for cell in cells if not cell["metadata"].get("nbgrader"))
    return Exam(lesson.folder, one.notebook, given, one.files, SEED)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.slug)
def test_known_classes_get_their_true_points(lesson: Lesson) -> None:
    students = 3 if lesson.slug == "capstone" and STUDENTS < 20 else STUDENTS
    wrong: list[str] = []
    for one in a_class(lesson, release(lesson), students):
        findings = examine(exam_of(lesson, one))
        assert findings.flags == (), one.student
        for found in findings.findings:
            answer = one.answers[found.check]
            points = {True: 1.0, False: 0.0}[one.points[found.grade_id] > 0]
            if found.share != points or not as_in_the_notebook(found, answer):
                wrong.append(f"{one.student}: {answer} in {found}")
    assert not wrong, "\n".join(wrong)
