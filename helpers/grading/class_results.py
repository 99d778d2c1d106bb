"""Collects what is known about a graded class: points from the gradebook, findings from the journal."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from helpers.grading.class_report import Student
from helpers.grading.exam import Findings
from helpers.grading.journal import read_entries
from helpers.grading.layout import Course, open_course
from helpers.grading.trouble import CannotStart


def read_class(course_dir: Path, assignment: str) -> tuple[list[Student], list[str]]:
    """Every graded student of an assignment, and those who handed in and have no grade.

    Points are those of the gradebook, so points given by hand count; a student whom another
    program graded has points but no findings.

    Raises:
        CannotStart: there is no gradebook, or no such assignment in it.
    """
    course = open_course(course_dir)
    findings = _findings(course, assignment)
    try:
        with Gradebook(course.db_url, course.coursedir.course_id) as gradebook:
            gradebook.find_assignment(assignment)
            graded = [
                _student(submission, findings.get(submission.student.id))
                for submission in gradebook.assignment_submissions(assignment)
            ]
    except MissingEntry:
        raise CannotStart(
            f"The gradebook has no assignment {assignment!r}. Look for a slip in the name, or run "
            f"`nbgrader generate_assignment {assignment}` first."
        ) from None
    names = {student.name for student in graded}
    return graded, [name for name in course.submissions(assignment) if name not in names]


def _student(submission: object, found: Findings | None) -> Student:
    return Student(
        name=submission.student.id,  # type: ignore[attr-defined]
        score=submission.score,  # type: ignore[attr-defined]
        max_score=submission.max_score,  # type: ignore[attr-defined]
        waits_for_hand=bool(submission.needs_manual_grade),  # type: ignore[attr-defined]
        findings=found.findings if found else (),
        flags=found.flags if found else (),
    )


def _findings(course: Course, assignment: str) -> dict[str, Findings]:
    """The last findings about each student, where they can be read."""
    state = course.state(assignment)
    entries, _ = read_entries(state / "journal.jsonl")
    found: dict[str, Findings] = {}
    for student, entry in entries.items():
        try:
            content = (state / "results" / f"{entry.key}.json").read_bytes()
            found[student] = Findings.from_bytes(content)
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return found
