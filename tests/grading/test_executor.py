"""`nbgrader autograde` with one line in the settings: the same scores, from the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = pytest.mark.slow

ONE_LINE = """
from helpers.grading.executor import sandboxed_autograde
c.Autograde.autograde_preprocessors = sandboxed_autograde()
"""

SPIES = """
import os
print("in the grader's folder" if os.path.exists({here!r}) else "nothing to see")
"""


def test_stock_autograde_runs_in_the_sandbox(classroom: Any) -> None:
    settings = classroom.folder / "nbgrader_config.py"
    settings.write_text(settings.read_text() + ONE_LINE)
    notebook = classroom.work(*classroom.todos)
    spy = SPIES.format(here=str(classroom.folder))
    notebook.cells[-1] = {**notebook.cells[-1], "cell_type": "code", "source": spy}
    notebook.cells[-1].update(outputs=[], execution_count=None, id="mine")
    place = classroom.hand_in("ada", notebook)
    (place / "mine.py").write_text("x = 1\n")
    classroom.hand_in("bob", classroom.work(classroom.todos[0]))
    result = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", classroom.lesson],
        cwd=classroom.folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    points = {
        student: [grade[0] for name, grade in grades.items() if name.startswith("check")]
        for student, grades in classroom.scores().items()
    }
    assert {student: sorted(one) for student, one in points.items()} == {
        "ada": [1.0, 1.0],
        "bob": [0.0, 1.0],
    }
    graded = classroom.folder / "autograded" / "ada" / classroom.lesson / "start_here.ipynb"
    (output,) = nbformat.read(graded, as_version=4).cells[-1].outputs
    assert output.text == "nothing to see\n"
