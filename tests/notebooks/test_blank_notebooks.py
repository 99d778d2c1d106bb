"""A blank student notebook runs from top to bottom; exactly its graded checks fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.course import LESSONS, Lesson, todo_of

ROOT = Path(__file__).resolve().parent.parent.parent


def run(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=1200,  # for one cell
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
def test_blank_notebook(lesson: Lesson) -> None:
    notebook = run(ROOT / "notebooks" / lesson.folder / f"{lesson.slug}.ipynb")
    failed = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{cell.id} writes to stderr: {output.text}"
            if output.output_type == "error":
                failed[cell.id] = output
    checks = {
        cell.id: cell.metadata.nbgrader.grade_id
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert set(failed) == set(checks)
    assert set(checks.values()) == {todo.check for todo in lesson.todos}
    for cell, output in failed.items():
        assert output.ename == "NotAttempted"
        number = todo_of(checks[cell]).number
        assert f"not attempted yet: TODO {number} (" in output.traceback[0]
        assert not any("Traceback" in line for line in output.traceback)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
def test_only_the_students_checks_may_fail(lesson: Lesson) -> None:
    """'Run All' goes on after a failing check of a student; in a solution it must stop."""
    for folder, expected in (("notebooks", True), ("solutions", False)):
        path = ROOT / folder / lesson.folder / f"{lesson.slug}.ipynb"
        for cell in nbformat.read(path, as_version=4).cells:
            tagged = "raises-exception" in cell.metadata.get("tags", [])
            graded = cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
            assert tagged == (bool(graded) and expected)
