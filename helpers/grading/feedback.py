"""The pages that students get back, written by nbgrader's own converter."""

from __future__ import annotations

import glob
import hashlib
import json
from pathlib import Path
from types import TracebackType

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException

from helpers.grading.journal import write_whole
from helpers.grading.layout import Course
from helpers.grading.source import Source


class Feedback:
    """The pages of one assignment.

    A page is written if it is not there, and again when the notebook, a score, points by hand, a
    comment or a penalty have changed since; a page takes nbgrader as long as a submission takes the
    grader. What each page showed is kept in a file.
    """

    def __init__(self, course: Course, source: Source, memory: Path) -> None:
        self._course = course
        self._source = source
        self._memory = memory
        self._shown = _remembered(memory)
        self._gradebook = Gradebook(course.db_url, course.coursedir.course_id)

    def __enter__(self) -> Feedback:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._gradebook.close()
        write_whole(self._memory, json.dumps(self._shown).encode())

    def write(self, student: str) -> list[str]:
        """One student's pages, if they are not as they should be; says what went wrong, if
        anything did.
        """
        shows = self._to_show(student)
        page = self._course.folder("feedback", student, self._source.assignment)
        if self._shown.get(student) == shows and (page / f"{self._source.notebook}.html").is_file():
            return []
        trouble = write_feedback(self._course, self._source.assignment, student)
        if not trouble:
            self._shown[student] = shows
        return trouble

    def _to_show(self, student: str) -> str:
        """A hash of all that a page shows."""
        whole = hashlib.sha256()
        folder = self._course.folder("autograded", student, self._source.assignment)
        graded = folder / f"{self._source.notebook}.ipynb"
        if graded.is_file():
            whole.update(graded.read_bytes())
        found = self._gradebook.find_submission(self._source.assignment, student)
        for notebook in found.notebooks:
            whole.update(repr((notebook.score, notebook.late_submission_penalty)).encode())
            points = [(one.name, one.score, one.extra_credit) for one in notebook.grades]
            comments = [(one.name, one.comment) for one in notebook.comments]
            whole.update(repr((sorted(points, key=repr), sorted(comments, key=repr))).encode())
        self._gradebook.db.remove()
        return whole.hexdigest()


def _remembered(memory: Path) -> dict[str, str]:
    try:
        return dict(json.loads(memory.read_bytes()))
    except (OSError, ValueError, TypeError):  # there is none yet, or it is damaged
        return {}


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
