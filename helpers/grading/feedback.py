"""The pages that students get back, written by nbgrader's own converter."""

from __future__ import annotations

import glob

from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException

from helpers.grading.layout import Course


def write_feedback(course: Course, assignment: str, student: str) -> list[str]:
    """Writes one student's pages; the answer says what went wrong, if anything did."""
    course.coursedir.assignment_id = glob.escape(assignment)
    course.coursedir.student_id = glob.escape(student)
    converter = GenerateFeedback(coursedir=course.coursedir, parent=course.app, force=True)
    try:
        converter.start()
    except NbGraderException:
        return [
            "The grade is in the gradebook, but no feedback could be written. Run `nbgrader "
            f"generate_feedback {assignment} --student {student} --force` to see why."
        ]
    finally:
        course.coursedir.assignment_id, course.coursedir.student_id = "", "*"
    return []
