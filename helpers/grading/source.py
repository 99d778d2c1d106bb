"""An assignment as its instructor made it: cells, points and locks, from the gradebook."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError

from helpers.grading.layout import Course
from helpers.grading.plan import NoCheck, call_of
from helpers.grading.trouble import CannotStart


@dataclass(frozen=True)
class SourceCell:
    """One cell that nbgrader knows by its grade id."""

    grade_id: str
    cell_type: str
    source: str
    """As it was released: for a solution cell, the stub."""
    checksum: str | None
    locked: bool
    grade: bool
    solution: bool
    task: bool
    points: float | None

    @property
    def is_check(self) -> bool:
        """Whether a program gives its points."""
        return self.grade and not self.solution and self.cell_type == "code"

    def metadata(self) -> dict[str, Any]:
        """The cell's metadata, as nbgrader's release has them."""
        known = {
            "cell_type": self.cell_type,
            "checksum": self.checksum,
            "grade": self.grade,
            "grade_id": self.grade_id,
            "locked": self.locked,
            "points": self.points,
            "schema_version": 3,
            "solution": self.solution,
            "task": self.task,
        }
        marks = {name: value for name, value in known.items() if value is not None}
        fixed = {"deletable": False, **({"editable": False} if self.locked else {})}
        return {**fixed, "nbgrader": marks}


@dataclass(frozen=True)
class Source:
    """An assignment's notebook."""

    assignment: str
    notebook: str
    cells: tuple[SourceCell, ...]
    """In the order in which they stand in the notebook."""
    kernelspec: dict[str, Any] = field(default_factory=dict)
    released: dict[str, str] = field(default_factory=dict)
    """The sources of the other cells of the release, by cell id."""
    programs: tuple[str, ...] = ()
    """The ids of those of them that hold code."""
    ids: dict[str, str] = field(default_factory=dict)
    """The cell id of each grade id."""
    questions: dict[str, str] = field(default_factory=dict)
    """What stands in the release above each answer in words, by grade id."""
    files: dict[str, bytes] = field(default_factory=dict)
    """The files that stand beside the source notebook."""

    @property
    def digest(self) -> str:
        """Changes when anything changes that a grade depends on."""
        plain = {**asdict(self), "files": {n: _hash(f) for n, f in self.files.items()}}
        return _hash(json.dumps(plain, sort_keys=True).encode())


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_source(course: Course, assignment: str) -> Source:
    """The assignment from the gradebook, and what its release says about the cells around."""
    path = make_url(course.db_url).database
    if course.db_url.startswith("sqlite") and not (path and Path(path).is_file()):
        raise CannotStart(
            f"There is no gradebook in {course.root}. Run `nbgrader generate_assignment "
            f"{assignment}` there, or name the course's folder with --course-dir."
        )
    try:
        with Gradebook(course.db_url, course.coursedir.course_id) as gradebook:
            found = _from_gradebook(gradebook, assignment)
    except MissingEntry as error:
        raise CannotStart(
            f"The gradebook has no assignment {assignment!r}. Run `nbgrader generate_assignment "
            f"{assignment}`, or look for a slip in the name."
        ) from error
    except DatabaseError as error:
        raise CannotStart(
            f"The gradebook cannot be read: {error.orig}. If nbgrader was updated, make a copy of "
            "the gradebook and run `nbgrader db upgrade`; if it is locked, close the program that "
            "uses it."
        ) from error
    notebook, kernelspec, cells = found
    _refuse_other_checks(assignment, cells)
    released, programs, ids, questions = _from_release(course, assignment, notebook)
    order = {grade_id: place for place, grade_id in enumerate(ids)}
    ordered = sorted(enumerate(cells), key=lambda one: (order.get(one[1].grade_id, one[0]), one[0]))
    for cell in cells:
        ids.setdefault(cell.grade_id, re.sub("[^a-zA-Z0-9]", "-", cell.grade_id)[:64])
    return Source(
        assignment=assignment,
        notebook=notebook,
        cells=tuple(cell for _, cell in ordered),
        kernelspec=kernelspec,
        released=released,
        programs=programs,
        ids=ids,
        questions=questions,
        files=_beside(course, assignment),
    )


def _refuse_other_checks(assignment: str, cells: list[SourceCell]) -> None:
    for cell in cells:
        try:
            if cell.is_check:
                call_of(cell.source)
        except NoCheck as error:
            raise CannotStart(
                f"The graded cell {cell.grade_id!r} of {assignment} calls none of the course's "
                "checkers, and `course grade` runs nothing else. Write it as check_name(Name), "
                "with a check of CHECKERS.md, or grade this assignment with `nbgrader autograde`."
            ) from error


def _from_gradebook(
    gradebook: Gradebook, assignment: str
) -> tuple[str, dict[str, Any], list[SourceCell]]:
    notebooks = gradebook.find_assignment(assignment).notebooks
    if len(notebooks) != 1:
        raise CannotStart(
            f"The assignment {assignment!r} has {len(notebooks)} notebooks in the gradebook; "
            "`course grade` grades assignments of one. Use `nbgrader autograde` for it."
        )
    (notebook,) = notebooks
    graded = {cell.name: cell.max_score for cell in notebook.grade_cells}
    tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    cells = [
        SourceCell(
            grade_id=cell.name,
            cell_type=cell.cell_type,
            source=cell.source or "",
            checksum=cell.checksum,
            locked=bool(cell.locked),
            grade=cell.name in graded,
            solution=cell.name in solutions,
            task=cell.name in tasks,
            points=graded.get(cell.name, tasks.get(cell.name)),
        )
        for cell in notebook.source_cells
    ]
    return notebook.name, json.loads(notebook.kernelspec or "{}"), cells


def _from_release(
    course: Course, assignment: str, notebook: str
) -> tuple[dict[str, str], tuple[str, ...], dict[str, str], dict[str, str]]:
    """The released cells that are not graded, which of them are code, the cell ids of those that
    are graded, in order, and the questions above answers in words.
    """
    path = course.folder("release", ".", assignment) / f"{notebook}.ipynb"
    if not path.is_file():
        return {}, (), {}, {}
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception as error:
        raise CannotStart(
            f"The released notebook {path} cannot be read: {error}. "
            f"Run `nbgrader generate_assignment {assignment} --force`."
        ) from error
    released: dict[str, str] = {}
    ids: dict[str, str] = {}
    for cell in cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id:
            ids[grade_id] = cell.id
        else:
            released[cell.id] = cell.source
    programs = tuple(cell.id for cell in cells if cell.cell_type == "code" and cell.id in released)
    questions = {
        cell.metadata.nbgrader.grade_id: above.source
        for above, cell in pairwise(cells)
        if above.id in released and cell.id not in released and cell.cell_type == "markdown"
    }
    return released, programs, ids, questions


def _beside(course: Course, assignment: str) -> dict[str, bytes]:
    from nbgrader.utils import find_all_files

    folder = course.folder("source", ".", assignment)
    files = find_all_files(str(folder), [*course.coursedir.ignore, "*.ipynb"])
    own = set(course.autograde.exclude_overwriting.get(assignment, []))
    named = {str(Path(file).relative_to(folder)): Path(file) for file in sorted(files)}
    return {name: path.read_bytes() for name, path in named.items() if name not in own}
