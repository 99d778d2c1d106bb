"""The instructor's way through nbgrader, command by command, with five submissions."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.servers import jupyter_server

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
LESSON = "01_activation_functions"
NOTEBOOK = "activation_functions"
QUESTION = "question-why-non-linear"


class Course:
    """An instructor's course folder, an exchange, and the commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exchange = folder.parent / "exchange"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        folder.mkdir()
        shutil.copy(ROOT / "nbgrader_config.py", folder)
        for part in ("solutions", "notebooks"):  # both are committed, so a clone has both
            shutil.copytree(ROOT / part / LESSON, folder / part / LESSON)
        self.environment = {
            **os.environ,
            "HOME": str(folder.parent),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore",
        }

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> str:
        result = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments, f"--Exchange.root={self.exchange}"],
            cwd=cwd or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "pytorch-course")


def solutions() -> dict[str, str]:
    """The right code of each TODO cell, by grade id."""
    notebook = nbformat.read(ROOT / "solutions" / LESSON / f"{NOTEBOOK}.ipynb", as_version=4)
    return {c.id: c.source for c in notebook.cells if c.id.startswith("todo-")}


def submission(release: Path, *todos: str, **changes: Callable[[str], str]) -> Any:
    """A released notebook with these TODOs done, and some of them then changed."""
    notebook = nbformat.read(release, as_version=4)
    right = solutions()
    for cell in notebook.cells:
        if cell.id in todos or cell.id in changes:
            cell.source = changes.get(cell.id, lambda s: s)(right[cell.id])
        if cell.metadata.get("nbgrader", {}).get("grade_id") == QUESTION:
            cell.source = "Two linear layers are one linear layer."
    return notebook


ALL = [f"todo-1-{i}" for i in range(1, 10)]


def replacing(old: str, new: str) -> Callable[[str], str]:
    def change(source: str) -> str:
        assert old in source
        return source.replace(old, new)

    return change


WARNS = "        import warnings\n        warnings.warn('careful')\n        s = torch.sigmoid(x)\n"
STUDENTS: dict[str, dict[str, Any]] = {
    "perfect": {"todos": ALL, "score": 16},
    "blank": {"todos": [], "score": 0},
    "half": {"todos": ALL[:4], "score": 2 + 1 + 2 + 2},
    "wrong": {
        "todos": ALL,
        "changes": {
            "todo-1-2": replacing(
                "torch.where(x > 0, x, torch.zeros_like(x))",
                "torch.maximum(x, torch.zeros_like(x))",
            ),
            "todo-1-3": replacing("return s * (1 - s)", "return x * (1 - x)"),
            "todo-1-6": replacing("return cdf + x * density", "return cdf"),
            "todo-1-8": replacing("(x,) = ctx.saved_tensors", "x = ctx.saved"),
            "todo-1-9": replacing("w @ bias + b", "w @ bias"),
        },
        "score": 16 - 1 - 2 - 2 - 2 - 2,
        "feedback": [
            "Your value lets autograd find the slope ½ at 0",
            "You used x·(1 − x) where s·(1 − s) is meant",
            "Your derivative is Φ(x) alone",
            "AttributeError",
            "You carried the first bias through",
        ],
    },
    "warns": {
        "todos": ALL,
        "changes": {
            "todo-1-7": lambda source: source.replace("        s = torch.sigmoid(x)\n", WARNS)
        },
        "score": 16,
    },
}


THROUGH_THE_EXCHANGE = ("perfect", "wrong")
"""These fetch and submit; the others' files are laid into submitted/, to save time."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Generated, released, submitted, collected and graded."""
    course = Course(tmp_path_factory.mktemp("nbgrader") / "course")
    course.nbgrader("generate_assignment", LESSON)
    course.nbgrader("release_assignment", LESSON)
    release = course.folder / "notebooks" / LESSON / f"{NOTEBOOK}.ipynb"
    for student, what in STUDENTS.items():
        done = submission(release, *what["todos"], **what.get("changes", {}))
        if student in THROUGH_THE_EXCHANGE:
            home = course.folder.parent / student
            home.mkdir()
            named = ("--course", "pytorch-course")
            course.nbgrader("fetch_assignment", LESSON, *named, cwd=home)
            nbformat.write(done, home / LESSON / f"{NOTEBOOK}.ipynb")
            course.nbgrader("submit", LESSON, *named, "--student", student, cwd=home)
        else:
            place = course.folder / "submitted" / student / LESSON
            place.mkdir(parents=True)
            nbformat.write(done, place / f"{NOTEBOOK}.ipynb")
    course.nbgrader("collect", LESSON, "--ExchangeCollect.check_owner=False")
    course.nbgrader("autograde", LESSON)
    return course


def test_released_is_what_is_committed(course: Course) -> None:
    place = Path("notebooks") / LESSON / f"{NOTEBOOK}.ipynb"
    assert (course.folder / place).read_bytes() == (ROOT / place).read_bytes()


def test_nothing_else_is_released(course: Course) -> None:
    outbound = course.exchange / "pytorch-course" / "outbound" / LESSON
    assert [file.name for file in outbound.iterdir()] == [f"{NOTEBOOK}.ipynb"]


@pytest.mark.parametrize("student", STUDENTS)
def test_score(course: Course, student: str) -> None:
    with course.gradebook() as gradebook:
        graded = gradebook.find_submission(LESSON, student)
        assert graded.score == STUDENTS[student]["score"]
        assert graded.max_score == 20
        assert graded.needs_manual_grade


class Formgrader:
    """The pages on which an instructor grades by hand."""

    def __init__(self, server: str) -> None:
        self.address = f"{server}/formgrader"

    def get(self, path: str) -> str:
        return self._ask("GET", path)

    def put(self, path: str, **values: Any) -> str:
        return self._ask("PUT", path, json.dumps(values).encode())

    def _ask(self, method: str, path: str, data: bytes | None = None) -> str:
        request = urllib.request.Request(
            self.address + path,
            data=data,
            method=method,
            headers={"Authorization": "token secret", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=240) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def graded_by_hand(course: Course) -> Course:
    """Every question gets 3 points, by the same requests that the formgrader's page sends."""
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"]
    free = "--ServerApp.port=0"
    with jupyter_server([*command, free], course.folder, course.environment, "secret") as server:
        formgrader = Formgrader(server)
        assert LESSON in formgrader.get("/api/assignments")
        with course.gradebook() as gradebook:
            answers = {
                student: gradebook.find_grade(QUESTION, NOTEBOOK, LESSON, student).id
                for student in STUDENTS
            }
            pages = {s.student.id: s.id for s in gradebook.notebook_submissions(NOTEBOOK, LESSON)}
        assert "Two linear layers are one" in formgrader.get(
            f"/submissions/{pages['half']}/?index=0"
        )
        for grade in answers.values():
            formgrader.put(f"/api/grade/{grade}", manual_score=3)
    return course


def test_points_by_hand_are_added_and_survive_regrading(graded_by_hand: Course) -> None:
    graded_by_hand.nbgrader("autograde", LESSON, "--student", "half", "--force")
    with graded_by_hand.gradebook() as gradebook:
        graded = gradebook.find_submission(LESSON, "half")
        assert graded.score == STUDENTS["half"]["score"] + 3


def test_feedback_contains_the_diagnosis(graded_by_hand: Course) -> None:
    graded_by_hand.nbgrader("generate_feedback", LESSON)
    for student, what in STUDENTS.items():
        page = graded_by_hand.folder / "feedback" / student / LESSON / f"{NOTEBOOK}.html"
        text = re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))
        for diagnosis in what.get("feedback", []):
            assert diagnosis in text
        assert ("not attempted yet" in text) == (student in ("blank", "half"))
    for student in THROUGH_THE_EXCHANGE:
        graded_by_hand.nbgrader("release_feedback", LESSON, "--student", student)


def test_exported_scores(graded_by_hand: Course) -> None:
    graded_by_hand.nbgrader("export", "--to", "grades.csv")
    with (graded_by_hand.folder / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {student: float(row["score"]) for student, row in rows.items()} == {
        student: what["score"] + 3 for student, what in STUDENTS.items()
    }
