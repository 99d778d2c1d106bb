"""nbgrader's exchange between an instructor and two students who are three users of one computer.

Run by root, each student is a user of the operating system with rights of his own. Run by anybody
else, all three are that user with homes of their own, and what needs rights is skipped.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from helpers.course import lesson

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
COURSE = "pytorch-course"
OF = lesson("start_here")
NOTEBOOK = f"{OF.slug}.ipynb"
AS_ROOT = os.geteuid() == 0

# Everything is imported while the course's Python can be read, which may lie in root's home.
AS_USER = """
import os, sys
import nbgrader.apps, nbgrader.exchange.default, nbgrader.plugins, nbgrader.auth
user = int(sys.argv.pop(1))
if user != os.geteuid():
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
nbgrader.apps.NbGraderApp.launch_instance()
"""
LIST = "import os, sys; os.setgroups([]); os.setuid(int(sys.argv[1])); os.listdir(sys.argv[2])"


class Person:
    """Somebody with a home and a user number."""

    def __init__(self, place: Path, name: str, user: int) -> None:
        self.name, self.user, self.home = name, user, place / name
        self.home.mkdir(mode=0o700)
        os.chown(self.home, user, user if AS_ROOT else -1)

    def nbgrader(self, *arguments: str) -> str:
        exchange = f"--Exchange.root={self.home.parent / 'exchange'}"
        result = subprocess.run(
            [sys.executable, "-c", AS_USER, str(self.user), *arguments, exchange],
            cwd=self.home,
            env={
                **os.environ,
                "HOME": str(self.home),
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "PYTHONWARNINGS": "ignore",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    def may_list(self, folder: Path) -> bool:
        """Whether this user may see what a folder contains."""
        command = [sys.executable, "-c", LIST, str(self.user), str(folder)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0 or "PermissionError" in result.stderr, result.stderr
        return result.returncode == 0


class Student(Person):
    """A student of the course."""

    def _exchange(self, command: str) -> None:
        named = () if AS_ROOT else (f"--CourseDirectory.student_id={self.name}",)
        self.nbgrader(command, OF.folder, "--course", COURSE, *named)

    def fetch(self) -> None:
        self._exchange("fetch_assignment")

    def work(self, **changes: tuple[str, str]) -> None:
        """Write the right answers, with some words of some TODOs replaced."""
        path = self.home / OF.folder / NOTEBOOK
        notebook = nbformat.read(path, as_version=4)
        solved = nbformat.read(ROOT / "solutions" / OF.folder / NOTEBOOK, as_version=4)
        right = {cell.id: cell.source for cell in solved.cells if cell.id.startswith("todo-")}
        for cell in notebook.cells:
            if cell.id in right:
                old, new = changes.get(cell.id, ("", ""))
                assert old in right[cell.id]
                cell.source = right[cell.id].replace(old, new) if old else right[cell.id]
        nbformat.write(notebook, path)

    def submit(self) -> None:
        self._exchange("submit")

    def read_feedback(self) -> str:
        """The text of the page that fetch_feedback brings."""
        self._exchange("fetch_feedback")
        (page,) = (self.home / OF.folder / "feedback").rglob("*.html")
        return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


class Classroom:
    """Everybody, the exchange, and what happened from release to feedback."""

    def __init__(self, place: Path) -> None:
        self.exchange = place / "exchange"
        self.exchange.mkdir()
        self.exchange.chmod(0o777)
        self.instructor = Person(place, "instructor", os.geteuid())
        (self.instructor.home / "solutions").mkdir()
        for name in ("nbgrader_config.py", f"solutions/{OF.folder}"):
            (self.instructor.home / name).symlink_to(ROOT / name)
        self.perfect, self.mistaken = (Student(place, *user) for user in two_users())

    def run(self) -> None:
        self.instructor.nbgrader("generate_assignment", OF.folder)
        self.instructor.nbgrader("release_assignment", OF.folder)
        for student in (self.perfect, self.mistaken):
            student.fetch()
        self.perfect.work()
        self.mistaken.work(**{"todo-0-1": ("(ahead - back) / (2 * h)", "(ahead - back) / h")})
        for student in (self.perfect, self.mistaken):
            student.submit()
        check = () if AS_ROOT else ("--ExchangeCollect.check_owner=False",)
        self.instructor.nbgrader("collect", OF.folder, *check)
        self.instructor.nbgrader("autograde", OF.folder)
        self.instructor.nbgrader("generate_feedback", OF.folder)
        self.instructor.nbgrader("release_feedback", OF.folder)

    def score(self, student: Student) -> float:
        gradebook = f"sqlite:///{self.instructor.home / 'gradebook.db'}"
        with Gradebook(gradebook, COURSE) as book:
            return float(book.find_submission(OF.folder, student.name).score)


def two_users() -> list[tuple[str, int]]:
    """Names and numbers of two users without rights; of two homes where there is one user."""
    if AS_ROOT:
        return [(user.pw_name, user.pw_uid) for user in pwd.getpwall() if user.pw_uid][:2]
    return [("perfect", os.geteuid()), ("mistaken", os.geteuid())]


@pytest.fixture(scope="module")
def classroom() -> Iterator[Classroom]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o755)
        classroom = Classroom(Path(folder))
        classroom.run()
        yield classroom


def test_scores(classroom: Classroom) -> None:
    points = [todo.points for todo in OF.todos]
    assert classroom.score(classroom.perfect) == sum(points)
    assert classroom.score(classroom.mistaken) == sum(points[1:])


def test_feedback_reaches_its_student(classroom: Classroom) -> None:
    assert "✓ numerical gradient — " in classroom.perfect.read_feedback()
    text = classroom.mistaken.read_feedback()
    assert "✗ numerical gradient — " in text
    assert "Your result is twice the gradient" in text
    assert "✓ number of parameters — " in text


@pytest.mark.skipif(not AS_ROOT, reason="needs root, to be several users")
def test_students_cannot_see_each_others_work(classroom: Classroom) -> None:
    """What is handed in lies in a folder whose name nobody else can see."""
    course = classroom.exchange / COURSE
    for folder in (course / "inbound", course / "feedback", classroom.perfect.home):
        assert any(folder.iterdir())
        assert not classroom.mistaken.may_list(folder)
    assert classroom.mistaken.may_list(course / "outbound" / OF.folder)
    (handed_in,) = (course / "inbound").glob(f"{classroom.perfect.name}+*")
    assert re.search(r"UTC\+[\w-]{12}$", handed_in.name)
