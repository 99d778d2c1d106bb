"""One run of the grader: plan what is to be done, have it examined, record it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from helpers.grading.bridge import Bridge, room_on_disk, together
from helpers.grading.cells import read_cells
from helpers.grading.exam import Exam, Findings
from helpers.grading.journal import Journal, grader_version, key_of
from helpers.grading.layout import Course, Place, open_course
from helpers.grading.misplaced import misplaced
from helpers.grading.pool import Answer, LocalPool, Task
from helpers.grading.reading import Submission, read_submission
from helpers.grading.rebuild import Rebuilt, rebuild
from helpers.grading.source import Source, read_source
from helpers.grading.trouble import CannotGrade, CannotStart, Stopped


@dataclass(frozen=True)
class Options:
    """What to grade, and how."""

    assignment: str
    course_dir: Path = Path()
    students: Sequence[str] = ()
    """Only these; all, if empty."""
    workers: int = 0
    """Worker processes; one for each core, if 0."""
    scheduler: str = ""
    """The address of a Dask scheduler, to examine there."""
    force: bool = False
    resume: bool = True
    sandbox: bool = True
    feedback: bool = False
    cell_seconds: float | None = None
    notebook_seconds: float | None = None


@dataclass
class StudentReport:
    """What became of one submission."""

    score: float | None = None
    max_score: float | None = None
    needs_manual_grade: bool | None = None
    flags: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Report:
    """What became of a run."""

    assignment: str
    graded: int = 0
    skipped: int = 0
    seconds: float = 0.0
    students: dict[str, StudentReport] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    misplaced: list[str] = field(default_factory=list)
    """Notebooks that lie where no submission is looked for."""
    stopped: str = ""
    """Why the run ended early, if it did."""

    @property
    def complete(self) -> bool:
        """Whether every submission has a grade."""
        failed = any(one.errors for one in self.students.values())
        return not (self.stopped or self.misplaced or failed)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return asdict(self)


class Pool(Protocol):
    """Whatever examines submissions."""

    def examine(self, tasks: Iterable[Task]) -> Generator[Answer, None, None]: ...


Watch = Callable[[int, int, str], None]
"""Told how many submissions are done, of how many, and which was the last."""


def grade(options: Options, watch: Watch = lambda done, total, student: None) -> Report:
    """Grades an assignment. Raises `CannotStart` before anything is changed."""
    course = open_course(options.course_dir)
    source = read_source(course, options.assignment)
    places = _chosen(course, options)
    astray = [] if options.students else misplaced(course, options.assignment, source.notebook)
    if not places:
        raise CannotStart(_nothing(course, options.assignment, astray))
    state = course.state(options.assignment)
    with room_on_disk(course.root):
        state.parent.mkdir(mode=0o700, exist_ok=True)
    with _alone(state.parent / "lock"):
        with room_on_disk(course.root):
            run = _Run(course, source, options, watch)
        run.report.misplaced = astray
        return run.grade(places)


def _chosen(course: Course, options: Options) -> dict[str, Place | None]:
    """The submitted folders to grade; None for a student who has none."""
    found = course.submissions(options.assignment)
    excluded = course.coursedir.student_id_exclude.split(",")
    if options.students:
        return {student: found.get(student) for student in options.students}
    chosen: dict[str, Place | None] = {n: p for n, p in found.items() if n not in excluded}
    return chosen


def _nothing(course: Course, assignment: str, astray: Sequence[str]) -> str:
    where = course.folder("submitted", "STUDENT", assignment)
    nothing = (
        f"No submissions were found at {where}. Run `nbgrader collect {assignment}`, or put each "
        "student's notebook into such a folder."
    )
    return "\n".join((*astray, nothing))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keeps a second grader of the same course out."""
    with room_on_disk(lock):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(
                "Another `course grade` is at work in this course's folder. Wait until it has "
                "finished, or stop it."
            ) from error
        yield
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class _Planned:
    submission: Submission
    rebuilt: Rebuilt
    key: str


class _Run:
    """The coordinator: it alone writes the journal and the gradebook."""

    def __init__(self, course: Course, source: Source, options: Options, watch: Watch) -> None:
        self.course = course
        self.source = source
        self.options = options
        self.watch = watch
        self.bridge = Bridge(course, source)
        self.journal = Journal(course.state(options.assignment))
        self.limits = course.settings.limits(
            cell_seconds=options.cell_seconds, notebook_seconds=options.notebook_seconds
        )
        self.version = grader_version()
        self.report = Report(options.assignment)
        self.under_way: dict[str, _Planned] = {}
        self.graded: list[str] = []
        self.total = 0

    def grade(self, places: dict[str, Place | None]) -> Report:
        """Does the whole run."""
        start = time.monotonic()
        self.total = len(places)
        if self.journal.resumed and not self.options.resume:
            self.journal.start_again()
        pool = self._pool()
        try:
            with closing(pool.examine(self._tasks(places))) as answers:
                for answer in answers:
                    self._take(answer)
            self.journal.finish()
            with room_on_disk(self.journal.folder):
                self.journal.write_failures()
            if self.options.feedback:
                self._feedback()
        except Stopped as error:
            self.report.stopped = str(error)
        except CannotStart as error:  # a worker cannot isolate students' code
            if not self.graded:
                raise
            self.report.stopped = str(error)
        except KeyboardInterrupt:
            self.report.stopped = (
                "The run was interrupted. The same command continues; what was examined is kept."
            )
        self.report.seconds = round(time.monotonic() - start, 3)
        self.report.messages = self.journal.messages
        return self.report

    def _pool(self) -> Pool:
        if self.options.scheduler:
            from helpers.grading.cluster import ClusterPool

            return ClusterPool(self.options.scheduler, self.options.sandbox)
        workers = self.options.workers or os.cpu_count() or 1
        patience = 3 * self.limits.notebook_seconds + 120
        return LocalPool(workers, self.options.sandbox, patience)

    def _tasks(self, places: dict[str, Place | None]) -> Iterator[Task]:
        """The exams of those submissions that have to be examined; the rest is settled here."""
        for student, place in places.items():
            try:
                planned = self._plan(student, place)
                if planned:
                    self.under_way[student] = planned
                    yield Task(student, self._exam(planned).to_bytes())
            except CannotGrade as error:
                self._fail(student, str(error))

    def _plan(self, student: str, place: Place | None) -> _Planned | None:
        """What has to be examined, or None if that was done before."""
        if place is None:
            raise CannotGrade("There is no submission of this student. Look for a slip in the id.")
        if not student.isprintable() or set(student) & set("<>&\"'") or len(student) > 128:
            raise CannotGrade(
                "The folder's name cannot be a student's id. Rename the folder: letters, digits, "
                "dots, dashes, @ and underscores are fine."
            )
        ignore = self.course.coursedir.ignore
        submission = read_submission(student, place, self.source.notebook, ignore)
        key = key_of(
            *(submission.digest, self.source.digest, self.version),
            *(repr(self.limits), repr(self.options.sandbox), repr(self.course.settings.strict)),
        )
        entry = self.journal.entries.get(student)
        known = entry if entry and entry.key == key else None
        if self.options.force and known and known.run != self.journal.run:
            known = None
        findings = self.journal.result(key) if known else None
        scores = known.scores if known and known.state == "recorded" else None
        if findings and scores and self.bridge.is_recorded(submission, scores):
            self.report.skipped += 1
            self._done(student, findings)
            return None
        planned = _Planned(submission, self._rebuild(submission), key)
        if findings:
            self._record(planned, findings)
            return None
        return planned

    def _rebuild(self, submission: Submission) -> Rebuilt:
        cells, flags = read_cells(submission.notebook)
        rebuilt = rebuild(cells, self.source)
        wanted = f"{self.source.notebook}.ipynb"
        if submission.name != wanted and 2 * rebuilt.recognised <= len(self.source.cells):
            raise CannotGrade(
                f"{wanted} is missing, and {submission.name} has hardly any of its cells. "
                "Ask the student for the right notebook."
            )
        return replace(rebuilt, flags=(*submission.flags, *flags, *rebuilt.flags))

    def _exam(self, planned: _Planned) -> Exam:
        return Exam(
            assignment=self.source.assignment,
            notebook=planned.rebuilt.notebook,
            given=planned.rebuilt.given,
            unchanged=planned.rebuilt.unchanged,
            lost=planned.rebuilt.lost,
            files=together(self.source.files, planned.submission.files),
            seed=self.journal.seed,
            strict=self.course.settings.strict,
            limits=self.limits,
        )

    def _take(self, answer: Answer) -> None:
        planned = self.under_way.pop(answer.name)
        if answer.findings is None:
            self._fail(answer.name, answer.error)
            return
        flags = (*planned.rebuilt.flags, *answer.findings.flags)
        findings = replace(answer.findings, flags=flags)
        try:
            self.bridge.executed(planned.rebuilt.notebook, findings)
            with room_on_disk(self.journal.folder):
                self.journal.examined(answer.name, planned.key, findings)
            self._record(planned, findings)
        except CannotGrade as error:
            self._fail(answer.name, str(error))

    def _record(self, planned: _Planned, findings: Findings) -> None:
        student = planned.submission.student
        executed = self.bridge.executed(planned.rebuilt.notebook, findings)
        scores = self.bridge.scores(executed)
        self.bridge.record(planned.submission, executed)
        with room_on_disk(self.journal.folder):
            self.journal.recorded(student, planned.key, scores)
        self.report.graded += 1
        self.graded.append(student)
        self._done(student, findings)

    def _done(self, student: str, findings: Findings) -> None:
        grade = self.bridge.grade(student)
        self.journal.failures.pop(student, None)
        self.report.students[student] = StudentReport(
            score=grade.score,
            max_score=grade.max_score,
            needs_manual_grade=grade.needs_manual_grade,
            flags=list(findings.flags),
            findings=[asdict(finding) for finding in findings.findings],
        )
        self.watch(len(self.report.students), self.total, student)

    def _fail(self, student: str, why: str) -> None:
        self.journal.failures[student] = why
        self.report.students[student] = StudentReport(errors=[why])
        self.watch(len(self.report.students), self.total, student)

    def _feedback(self) -> None:
        from helpers.grading.feedback import Feedback

        memory = self.journal.folder / "feedback.json"
        with room_on_disk(memory), Feedback(self.course, self.source, memory) as feedback:
            for student, one in self.report.students.items():  # points by hand are news as well
                if not one.errors:
                    one.errors += feedback.write(student)
