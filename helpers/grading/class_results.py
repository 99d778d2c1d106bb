"""Collects what is known about a graded class: points from the gradebook, findings from the journal."""

from __future__ import annotations

from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from helpers.grading.class_report import Student
from helpers.grading.exam import Findings
from helpers.grading.journal import read_entries, read_failures
from helpers.grading.layout import Course, open_course
from helpers.grading.trouble import CannotStart

NOT_YET = "It has not been graded yet."


def read_class(course_dir: Path, assignment: str) -> tuple[list[Student], dict[str, str]]:
    """Every graded student of an assignment, and why others who handed in have no grade.

    Points are those of the gradebook, so points given by hand count; a student whom another
    program graded has points but no findings.

    Raises:
        CannotStart: there is no gradebook, or no such assignment in it.
    """
    course = open_course(course_dir)
    findings = _findings(course, assignment)
    handed_in = course.submissions(assignment)
    failures = read_failures(course.state(assignment))
    failures = {name: why for name, why in failures.items() if name in handed_in}
    try:
        with Gradebook(course.db_url, course.coursedir.course_id) as gradebook:
            gradebook.find_assignment(assignment)
            graded = [
                _student(submission, findings.get(submission.student.id), failures)
                for submission in gradebook.assignment_submissions(assignment)
            ]
    except MissingEntry:
        raise CannotStart(
            f"The gradebook has no assignment {assignment!r}. Look for a slip in the name, or run "
            f"`nbgrader generate_assignment {assignment}` first."
        ) from None
    ungraded = sorted(handed_in.keys() - {student.name for student in graded})
    return graded, {name: failures.get(name, NOT_YET) for name in ungraded}


def _student(submission: object, found: Findings | None, failures: dict[str, str]) -> Student:
    name: str = submission.student.id  # type: ignore[attr-defined]
    return Student(
        name=name,
        score=submission.score,  # type: ignore[attr-defined]
        max_score=submission.max_score,  # type: ignore[attr-defined]
        waits_for_hand=bool(submission.needs_manual_grade),  # type: ignore[attr-defined]
        findings=found.findings if found else (),
        flags=found.flags if found else (),
        failure=failures.get(name, ""),
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
