"""A course folder as an instructor has it, with lesson 00 and students who hand in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from helpers.cli import app
from helpers.grading.layout import Course, open_course
from helpers.grading.source import Source, read_source

ROOT = Path(__file__).resolve().parent.parent.parent
LESSON, NOTEBOOK = "00_start_here", "start_here"
TODOS = ("todo-0-1", "todo-0-2")
QUESTION = "question-numerical-gradient"


class Classroom:
    """The course folder, and what tests do with it."""

    lesson, notebook, todos, question = LESSON, NOTEBOOK, TODOS, QUESTION

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        released = folder / "notebooks" / LESSON / f"{NOTEBOOK}.ipynb"
        self.release: Any = nbformat.read(released, as_version=4)
        sources = nbformat.read(folder / "solutions" / LESSON / f"{NOTEBOOK}.ipynb", as_version=4)
        self.solutions = {cell.id: cell.source for cell in sources.cells}

    def work(self, *todos: str, answer: str = "", **changes: Callable[[str], str]) -> Any:
        """A released notebook with these TODOs done, and some changed after that."""
        notebook = nbformat.from_dict(json.loads(json.dumps(self.release)))
        for cell in notebook.cells:
            if cell.id in todos or cell.id in changes:
                cell.source = changes.get(cell.id, lambda s: s)(self.solutions[cell.id])
            if cell.id == QUESTION and answer:
                cell.source = answer
        return notebook

    def hand_in(self, student: str, notebook: Any, name: str = NOTEBOOK, stamp: str = "") -> Path:
        """Lays a notebook into submitted/, and answers with the folder."""
        place = self.folder / "submitted" / student / LESSON
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        if stamp:
            (place / "timestamp.txt").write_text(stamp, encoding="utf-8")
        return place

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "pytorch-course")

    def scores(self) -> dict[str, dict[str, Any]]:
        """All that the gradebook says, by student and grade id."""
        with self.gradebook() as gradebook:
            return {
                submission.student.id: {
                    grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                }
                for submission in gradebook.assignment_submissions(LESSON)
            }

    def call(self, *arguments: str) -> Any:
        """Runs ``course grade`` in this process, which takes less time."""
        present, path = Path.cwd(), os.environ["PATH"]
        folder = ("--course-dir", str(self.folder)) if "--course-dir" not in arguments else ()
        try:
            return CliRunner().invoke(app, ["grade", self.lesson, *folder, *arguments])
        finally:
            os.chdir(present)
            os.environ["PATH"] = path

    def grade(
        self, *arguments: str, environment: dict[str, str] | None = None, **settings: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``course grade`` in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "helpers.cli", "grade", LESSON, *arguments],
            cwd=self.folder,
            env=os.environ if environment is None else environment,
            capture_output=True,
            text=True,
            check=False,
            **{"stdin": subprocess.DEVNULL, **settings},
        )


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder in which lesson 00 was generated."""
    folder = tmp_path_factory.mktemp("course") / "course"
    folder.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / LESSON, folder / "solutions" / LESSON)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", LESSON],
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder.parent)},
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture(scope="session")
def new_classroom(generated: Path) -> Callable[[Path], Classroom]:
    """Makes a copy of a course folder, by default of one in which nobody handed in."""

    def copy(folder: Path, of: Path = generated) -> Classroom:
        shutil.copytree(of, folder, symlinks=True)
        return Classroom(folder)

    return copy


@pytest.fixture
def classroom(new_classroom: Callable[[Path], Classroom], tmp_path: Path) -> Classroom:
    """A fresh copy of the course folder."""
    return new_classroom(tmp_path / "course")


@pytest.fixture
def course(classroom: Classroom, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The classroom's folder, opened; the present folder and PATH are put back."""
    monkeypatch.chdir(classroom.folder)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.syspath_prepend(str(classroom.folder))
    return open_course(classroom.folder)


@pytest.fixture
def source(course: Course) -> Source:
    """Lesson 00 as its gradebook has it."""
    return read_source(course, LESSON)
