"""A solution notebook fails when a checker is broken: the safety net holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LESSON = Path("solutions/00_start_here/start_here.ipynb")


def nbval(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", LESSON],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_broken_checker_fails_the_solution_notebook(tmp_path: Path) -> None:
    """That it passes with the whole checker is what `pytest --nbval-lax solutions` shows."""
    shutil.copytree(ROOT / "helpers", tmp_path / "helpers")
    (tmp_path / LESSON).parent.mkdir(parents=True)
    shutil.copy(ROOT / LESSON, tmp_path / LESSON)
    answers = tmp_path / "helpers/answers/start_here/count_parameters.py"
    text = answers.read_text(encoding="utf-8")
    right = "    result: Any = lambda n: n,\n"
    assert right in text
    answers.write_text(text.replace(right, right.replace(": n,", ": n + 1,")), encoding="utf-8")
    result = nbval(tmp_path)
    assert result.returncode == 1, result.stdout
    assert "number of parameters — The number is wrong." in result.stdout
    assert result.stdout.count("_ solutions/00_start_here/start_here.ipynb::") == 1, result.stdout
