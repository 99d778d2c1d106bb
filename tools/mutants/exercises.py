"""What is judged: each TODO of the lessons' sources, with the code that must run before it.

That is the earlier TODOs, solved, and those given cells whose names the work or the check uses.
Experiments, which take long, are not among them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext

from helpers.course import LESSONS, Lesson
from helpers.grading.needs import names_of, needed

from .making import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Exercise:
    """One TODO, ready to be changed and judged."""

    check: str
    number: str
    points: float
    setup: tuple[str, ...]
    """The cells that run before it, in order."""
    cell: str
    call: str
    """The check's cell, such as `check_relu(MyReLU)`."""

    @cached_property
    def mutants(self) -> list[Mutant]:
        return mutants_of(self.cell, self.number)


def exercises_of(lesson: Lesson, source: str | None = None) -> list[Exercise]:
    """The TODOs of a lesson, in order."""
    text = source or source_of(lesson).read_text(encoding="utf-8")
    cells = [c for c in jupytext.reads(text, fmt="py:percent").cells if c.cell_type == "code"]
    todos = {todo.number: todo for todo in lesson.todos}
    checks = {c.metadata["check"]: c.source for c in cells if "check" in c.metadata}
    found = []
    for position, cell in enumerate(cells):
        todo = todos.get(cell.metadata.get("todo", ""))
        if todo is None:
            continue
        call = checks[todo.check]
        above = {str(i): c for i, c in enumerate(cells[:position]) if "check" not in c.metadata}
        solved = [key for key, c in above.items() if "todo" in c.metadata]
        given = {key: c.source for key, c in above.items() if key not in solved}
        work = [*(above[key].source for key in solved), cell.source]
        kept = {*solved, *needed(given, work, names_of(call).uses)}
        setup = tuple(c.source for key, c in above.items() if key in kept)
        found.append(Exercise(todo.check, todo.number, todo.points, setup, cell.source, call))
    return found


def source_of(lesson: Lesson) -> Path:
    return ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"


def changed_since(reference: str = "") -> list[Lesson]:
    """The lessons whose source, checks or answers differ from a commit, by default from the main
    branch of the origin, or from the commit before the last where there is none.
    """
    if not reference:
        main = _git("rev-parse", "--verify", "--quiet", "origin/main")
        reference = "origin/main" if main else "HEAD~1"
    base = _git("merge-base", reference, "HEAD")
    if not base:
        raise SystemExit(f"git knows no commit {reference!r} from which this branch comes.")
    files = _git("diff", "--name-only", base[0], "--")
    files += _git("ls-files", "--others", "--exclude-standard")
    return [lesson for lesson in LESSONS if concerns(files, lesson)]


def concerns(files: Iterable[str], lesson: Lesson) -> bool:
    """Whether one of these files belongs to what a lesson asks and how it is judged."""
    own = (
        f"solutions/{lesson.folder}/{lesson.slug}.py",
        f"helpers/checks/{lesson.slug}.py",
        f"helpers/checks/{lesson.slug}/",
        f"helpers/answers/{lesson.slug}/",
    )
    return any(file.startswith(own) for file in files)


def _git(*words: str) -> list[str]:
    result = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.splitlines() if result.returncode == 0 else []
