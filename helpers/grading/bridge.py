"""Puts a result where nbgrader keeps results: its gradebook, by its own steps, and autograded/.

Doing it twice gives the same. Points given by hand stay, and nbgrader marks them for a new look.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import ExecutePreprocessor
from nbgrader.api import Gradebook, InvalidEntry, MissingEntry
from nbgrader.preprocessors import CheckCellMetadata, SaveAutoGrades
from nbgrader.utils import determine_grade
from sqlalchemy.exc import DatabaseError

from helpers.grading.exam import Findings
from helpers.grading.harmless import safe_file_name, safe_outputs
from helpers.grading.layout import Course
from helpers.grading.reading import Submission
from helpers.grading.source import Source
from helpers.grading.trouble import CannotGrade, Stopped

ATTEMPTS = 2
"""How often a locked gradebook is tried; each time SQLite itself waits for five seconds."""
_NOT_NEEDED = (ExecutePreprocessor, CheckCellMetadata)
"""Steps of nbgrader that are left out. The workers execute; and the metadata of every cell are the
source's own, which nbgrader has checked when it made the release."""
Result = TypeVar("Result")


@dataclass(frozen=True)
class Grade:
    """What the gradebook says about a submission."""

    score: float
    max_score: float
    needs_manual_grade: bool


class _SaveScores(SaveAutoGrades):
    """nbgrader's step, on the connection that is open: nbgrader opens one for each submission, and
    SQLAlchemy then prepares every statement anew.
    """

    def __init__(
        self, with_gradebook: Callable[[Callable[[Gradebook], Any]], Any], **settings: Any
    ):
        super().__init__(**settings)
        self._with_gradebook = with_gradebook

    def preprocess(self, nb: Any, resources: Any) -> Any:
        names = resources["nbgrader"]
        self.notebook_id, self.assignment_id = names["notebook"], names["assignment"]
        self.student_id = names["student"]

        def save(gradebook: Gradebook) -> Any:
            self.gradebook = gradebook
            return super(SaveAutoGrades, self).preprocess(nb, resources)

        return self._with_gradebook(save)


class Bridge:
    """The one writer of the gradebook, for one assignment."""

    def __init__(self, course: Course, source: Source) -> None:
        self.course = course
        self.source = source
        self._gradebook: Gradebook | None = None
        logging.getLogger("tornado.application").setLevel(logging.CRITICAL)
        self.exporter = NotebookExporter(parent=course.autograde, config=course.autograde.config)
        self.exporter.optimistic_validation = True  # after the last step, not after each
        self.exporter._preprocessors = []
        for step in course.autograde.autograde_preprocessors:
            if step is SaveAutoGrades:
                step = _SaveScores(self._with_gradebook, parent=self.exporter)
            if not (isinstance(step, type) and issubclass(step, _NOT_NEEDED)):
                self.exporter.register_preprocessor(step)

    def executed(self, notebook: dict[str, Any], findings: Findings) -> Any:
        """The notebook with the outputs of its cells; its scores are those of the findings."""
        shares = {finding.grade_id: finding.share for finding in findings.findings}
        executed = nbformat.from_dict(notebook)
        for cell in executed.cells:
            if cell.cell_type != "code":
                continue
            outputs = safe_outputs(findings.outputs.get(cell.id, []))
            cell.outputs = nbformat.from_dict(outputs)
            marks = cell.metadata.get("nbgrader", {})
            if not marks.get("grade") or marks.get("solution"):
                continue
            share, score = shares.get(marks.grade_id), determine_grade(cell)[0]
            if share is None or not outputs or abs(score - share * marks.points) > 1e-6:
                raise CannotGrade(
                    f"What was found about {marks.grade_id} does not fit to its output. This is a "
                    "fault of the grader; please report it, and grade this submission with "
                    "`nbgrader autograde`."
                )
        return executed

    def scores(self, executed: Any) -> dict[str, float | None]:
        """The points of every graded cell by its grade id; None where a person gives them."""
        graded = [c for c in executed.cells if c.metadata.get("nbgrader", {}).get("grade")]
        return {c.metadata.nbgrader.grade_id: determine_grade(c)[0] for c in graded}

    def record(self, submission: Submission, executed: Any) -> None:
        """Writes one result to the gradebook and to autograded/."""
        with room_on_disk(self.course.root):
            _patiently(lambda: self._enter(submission))
            text = _patiently(lambda: self._save(submission.student, executed))
            self._write(submission, text)

    def is_recorded(self, submission: Submission, scores: dict[str, float | None]) -> bool:
        """Whether the gradebook has these scores, and autograded/ a notebook."""
        name = f"{self.source.notebook}.ipynb"
        if not (self._destination(submission.student) / name).is_file():
            return False

        def look(gradebook: Gradebook) -> bool:
            found = gradebook.find_submission(self.source.assignment, submission.student)
            (notebook,) = found.notebooks
            same_time = submission.timestamp is None or found.timestamp == submission.timestamp
            return same_time and scores == {g.name: g.auto_score for g in notebook.grades}

        try:
            return _patiently(lambda: self._with_gradebook(look))
        except MissingEntry:
            return False

    def grade(self, student: str) -> Grade:
        """The grade that the gradebook has."""

        def look(gradebook: Gradebook) -> Grade:
            found = gradebook.find_submission(self.source.assignment, student)
            return Grade(found.score, found.max_score, bool(found.needs_manual_grade))

        return _patiently(lambda: self._with_gradebook(look))

    def _with_gradebook(self, use: Callable[[Gradebook], Result]) -> Result:
        """Asks the gradebook, and holds no lock and no memory of the answer after that.

        What is written is written as a whole: nbgrader would end a transaction after each cell.
        """
        if self._gradebook is None:
            self._gradebook = Gradebook(self.course.db_url, self.course.coursedir.course_id)
        session = self._gradebook.db
        commit = session.commit
        session.commit = session.flush
        try:
            result = use(self._gradebook)
            commit()
            return result
        finally:
            session.commit = commit
            session.remove()

    def _enter(self, submission: Submission) -> None:
        """The student and the submission, as nbgrader's Autograde enters them."""
        when = {"timestamp": submission.timestamp} if submission.timestamp else {}

        def enter(gradebook: Gradebook) -> None:
            if self.course.autograde.create_student:
                gradebook.update_or_create_student(submission.student)
            try:
                gradebook.find_student(submission.student)
            except MissingEntry as error:
                raise CannotGrade(
                    f"The gradebook has no student {submission.student}. Add the student with "
                    f"`nbgrader db student add {submission.student}`."
                ) from error
            gradebook.update_or_create_submission(
                self.source.assignment, submission.student, **when
            )

        self._with_gradebook(enter)

    def _save(self, student: str, executed: Any) -> str:
        """Runs nbgrader's steps after execution: they save scores, comments and penalties."""
        names = {
            "student": student,
            "assignment": self.source.assignment,
            "notebook": self.source.notebook,
            "db_url": self.course.db_url,
        }
        resources = {"unique_key": self.source.notebook, "nbgrader": names}
        text, _ = self.exporter.from_notebook_node(executed, resources=resources)
        return str(text)

    def _destination(self, student: str) -> Path:
        return self.course.folder("autograded", student, self.source.assignment)

    def _write(self, submission: Submission, text: str) -> None:
        """The folder in autograded/, whole or not at all."""
        destination = self._destination(submission.student)
        fresh = destination.with_name(f".{destination.name}.new")
        stale = destination.with_name(f".{destination.name}.old")
        for left in (fresh, stale):
            shutil.rmtree(left, ignore_errors=True)
        files = {f"{self.source.notebook}.ipynb": text.encode(), **self.source.files}
        if submission.stamp:
            files["timestamp.txt"] = submission.stamp
        shown = {safe_file_name(name): content for name, content in submission.files.items()}
        for name, content in together(files, shown).items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if destination.exists():
            destination.rename(stale)
        fresh.rename(destination)
        shutil.rmtree(stale, ignore_errors=True)
        self.course.autograde.set_permissions(self.source.assignment, submission.student)


def together(first: dict[str, bytes], second: dict[str, bytes]) -> dict[str, bytes]:
    """Files of both; of the second only those whose names do not collide with others.

    >>> together({"data/x.csv": b"1"}, {"data": b"2", "mine.py": b"3"})
    {'data/x.csv': b'1', 'mine.py': b'3'}
    """
    files = dict(first)
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    for name, content in second.items():
        parents = {str(parent) for parent in PurePosixPath(name).parents}
        if name not in files and name not in folders and not parents & files.keys():
            files[name] = content
            folders |= parents
    return files


def _patiently(action: Callable[[], Result]) -> Result:
    """Does something with the gradebook; waits while another program holds it."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return action()
        except (DatabaseError, InvalidEntry) as error:
            what = str(getattr(error, "orig", error))
            if "locked" in what and left:
                continue
            raise Stopped(_database_message(what)) from error
    raise AssertionError("unreachable")


def _database_message(what: str) -> str:
    again = "Then run the same command again; what was examined is kept."
    if "locked" in what:
        return (
            "The gradebook is in use by another program, for example a formgrader that is saving. "
            f"Close it or wait. {again}"
        )
    if "full" in what or "disk I/O" in what:
        return f"The gradebook cannot be written ({what}). Make room on the disk. {again}"
    if "readonly" in what:
        return f"The gradebook cannot be written ({what}). Ask for the right to write. {again}"
    return (
        f"The gradebook does not do what it is asked ({what}). If nbgrader was updated, make a "
        f"copy of the gradebook and run `nbgrader db upgrade`. {again}"
    )


@contextmanager
def room_on_disk(root: Path) -> Iterator[None]:
    """Turns a full disk, or one that may not be written, into one clear message."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if full else error.strerror or str(error)
        repair = "Make room" if full else "Put that right"
        raise Stopped(
            f"{error.filename or root} cannot be written: {why}. {repair}, then run the same "
            "command again; what was examined is kept."
        ) from error
