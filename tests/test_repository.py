"""The structure of the repository; each failure names the command that repairs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
import yaml

from helpers.course import LESSONS, Lesson, lessons_table

ROOT = Path(__file__).resolve().parent.parent
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)


def tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / name), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_notebooks_are_up_to_date() -> None:
    result = tool("build_notebooks.py", "--check")
    assert result.returncode == 0, result.stderr


def test_tables_are_up_to_date() -> None:
    result = tool("build_tables.py", "--check")
    assert result.returncode == 0, result.stderr


def test_a_stale_notebook_is_named_with_its_repair(tmp_path: Path) -> None:
    """The check fails when a notebook was edited: try it on a copy of the repository."""
    import shutil

    for name in ("helpers", "tools", "solutions", "notebooks"):
        ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignore)
    for name in ("nbgrader_config.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    edited = tmp_path / "notebooks/00_start_here/start_here.ipynb"
    edited.write_text(edited.read_text(encoding="utf-8").replace("Start here", "Stop here"))
    result = subprocess.run(
        [sys.executable, "tools/build_notebooks.py", "--check", "start_here"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Run `make notebooks`" in result.stderr
    assert "notebooks/00_start_here/start_here.ipynb" in result.stderr


def test_an_empty_collection_fails(tmp_path: Path) -> None:
    """pytest alone passes over a folder without tests when another folder has some."""
    empty = tmp_path / "notebooks"
    empty.mkdir()
    some = ROOT / "tests" / "test_training.py"
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", str(some), str(empty)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert (
        f"No test was collected in {empty}. Run `make notebooks`" in result.stdout + result.stderr
    )


def source_cells(lesson: Lesson) -> list[Any]:
    path = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
    return list(jupytext.read(path, fmt="py:percent").cells)


@each_lesson
def test_every_todo_has_hints_and_its_check_below(lesson: Lesson) -> None:
    cells = source_cells(lesson)
    todos = {}
    for position, cell in enumerate(cells):
        if "todo" in cell.metadata:
            todos[cell.metadata["todo"]] = position
    assert list(todos) == [todo.number for todo in lesson.todos]
    for todo in lesson.todos:
        position = todos[todo.number]
        cell, above, below = cells[position], cells[position - 1], cells[position + 1]
        assert cell.source.startswith(f"# TODO {todo.number}: ")
        assert "### BEGIN SOLUTION" in cell.source
        assert '"""' in cell.source, f"TODO {todo.number} has no docstring with its contract"
        assert above.source.count("<details>") >= 3, f"TODO {todo.number} needs three hints"
        assert f"### TODO {todo.number}" in above.source
        assert below.metadata.get("check") == todo.check
        call = re.escape(todo.call)
        assert re.fullmatch(rf"{call}.*\)", below.source), "one line, the check alone"


@each_lesson
def test_one_thinking_question_with_a_rubric(lesson: Lesson) -> None:
    """The bug clinic asks for a sentence about each of its programs instead."""
    questions = [cell for cell in source_cells(lesson) if "question" in cell.metadata]
    assert len(questions) == (len(lesson.todos) if lesson.slug == "bug_clinic" else 1)
    total = 0.0
    for question in questions:
        text = question.source
        assert "**Model answer.**" in text
        rubric = text.split("**Rubric")[1]
        points = [
            {"¼": 0.25, "½": 0.5}.get(found) or float(found)
            for found in re.findall(r"^- (¼|½|\d+) points?: ", rubric, re.MULTILINE)
        ]
        assert len(points) >= 4
        assert sum(points) == question.metadata.get("points", lesson.question_points)
        total += sum(points)
    assert total == lesson.question_points


@each_lesson
def test_points_agree_with_the_table(lesson: Lesson) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / lesson.folder / f"{lesson.slug}.ipynb", 4)
    graded = [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]
    assert sum(cell.points for cell in graded if cell.grade) == lesson.points
    assert f"| {lesson.points:g} |" in notebook.cells[0].source


def test_the_lessons_lead_from_one_to_the_next() -> None:
    """The links in the last cells, followed from lesson 00, pass every lesson once, and back."""
    last = {}
    for lesson in LESSONS:
        notebook = nbformat.read(ROOT / "notebooks" / lesson.folder / f"{lesson.slug}.ipynb", 4)
        last[lesson.slug] = notebook.cells[-1].source
    for name, order in (("Next lesson", LESSONS), ("Previous lesson", LESSONS[::-1])):
        for lesson, other in pairwise(order):
            link = f"[{other.number:02d} · {other.title}](../{other.folder}/{other.slug}.ipynb)"
            assert f"**{name}:** {link}" in last[lesson.slug]
        assert name not in last[order[-1].slug]
    assert all("conventions.ipynb)" in text and "glossary.md)" in text for text in last.values())


def test_lesson_00_has_the_table_of_all_lessons() -> None:
    first = nbformat.read(ROOT / "notebooks" / LESSONS[0].folder / f"{LESSONS[0].slug}.ipynb", 4)
    (cell,) = [cell for cell in first.cells if lessons_table("../") in cell.source]
    assert cell.source.count(".ipynb)") == len(LESSONS) + 1  # the conventions are named below it


STUDENTS_FILES = sorted((ROOT / "notebooks").rglob("*"))


def test_students_get_notebooks_and_nothing_else() -> None:
    kinds = {
        file.suffix
        for file in STUDENTS_FILES
        if file.is_file() and ".ipynb_checkpoints" not in file.parts
    }
    assert kinds == {".ipynb"}


def solution_lines(cell: Any) -> list[str]:
    """The lines between the marks of a solution."""
    inside, lines = False, []
    for line in cell.source.splitlines():
        if "### BEGIN SOLUTION" in line or "### END SOLUTION" in line:
            inside = "BEGIN" in line
        elif inside:
            lines.append(line.strip())
    return lines


@each_lesson
def test_no_solution_reaches_the_students(lesson: Lesson) -> None:
    """No cell of a TODO holds a line of its solution, no file a line of a model answer. (The
    last hint of a TODO may come near to the answer; that is what it is for.)"""
    released = nbformat.read(ROOT / "notebooks" / lesson.folder / f"{lesson.slug}.ipynb", 4)
    by_id = {cell.id: cell.source for cell in released.cells}
    for cell in source_cells(lesson):
        if "todo" in cell.metadata:
            lines = solution_lines(cell)
            shown = by_id[f"todo-{cell.metadata['todo'].replace('.', '-')}"]
            assert lines
            assert "raise NotImplementedError()" in shown
            given = [x.strip() for x in cell.source.splitlines()]  # a skeleton may have a line too
            own = {x for x in lines if len(x) > 8 and given.count(x) == lines.count(x)}
            assert not [x for x in shown.splitlines() if x.strip() in own]
    secrets = []
    for question in [cell for cell in source_cells(lesson) if "question" in cell.metadata]:
        lines = [line for line in question.source.splitlines() if len(line) > 30]
        assert len(lines) > 5
        secrets += lines
    for file in (file for file in STUDENTS_FILES if file.suffix == ".ipynb"):
        raw = file.read_text(encoding="utf-8")
        for word in ("BEGIN SOLUTION", "Model answer", "Rubric", "jupytext"):
            assert word not in raw
        for secret in secrets:
            assert json.dumps(secret, ensure_ascii=False)[1:-1] not in raw


def test_no_notebook_holds_outputs() -> None:
    for file in [*ROOT.glob("notebooks/**/*.ipynb"), *ROOT.glob("solutions/**/*.ipynb")]:
        for cell in nbformat.read(file, 4).cells:
            assert not cell.get("outputs")


def test_conda_and_pip_install_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict)]
    assert pip[:-1] == project["dependencies"]
    assert pip[-1] == "--editable ."
    assert any(
        str(d).startswith(f"python{project['requires-python']}") for d in conda["dependencies"]
    )


def test_every_relative_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for file in ROOT.glob("notebooks/**/*.ipynb"):
        for cell in nbformat.read(file, 4).cells:
            for target in re.findall(r"\]\((\.\./[^)#]+)\)", cell.source):
                assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_modules_are_short() -> None:
    """The answers to a check are a list: the recipe, and then slip after slip with its two texts."""
    for file in (ROOT / "helpers").rglob("*.py"):
        lines = file.read_text(encoding="utf-8").count("\n")
        assert lines <= (750 if "answers" in file.parts else 400), (
            f"{file} has {lines} lines: split it by idea"
        )


def test_import_is_lazy() -> None:
    code = "import sys, helpers; sys.exit('torch' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
