"""JupyterLab and Chromium for the tests that use the course as a student does."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers import jupyter_server

ROOT = Path(__file__).resolve().parent.parent.parent


class Lab(NamedTuple):
    """A running JupyterLab."""

    address: str
    folder: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab, started by the course's own command, on a copy of the students' notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    command = [sys.executable, "-m", "helpers.cli", "lab", "--no-browser", "--port", "0"]
    record = {"HOME": str(folder), "COURSE_PROGRESS": str(folder / "progress.jsonl")}
    with jupyter_server(command, folder, {**os.environ, **record}, token="secret") as address:
        yield Lab(address, folder)


@pytest.fixture(scope="session")
def wait_for_kernel() -> Callable[[Any], None]:
    """Waits until the notebook in front has a kernel that answers: what is run before that is lost.

    The status bar says so. The round sign above the notebook shows "idle" from the start, even
    while nothing is connected.
    """

    def wait(page: Any) -> None:
        notebook = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        notebook.locator(".jp-Cell").first.wait_for()
        notebook.get_by_role("button", name="Python 3").wait_for()
        page.get_by_role("button", name=re.compile(r"Python 3 .*[|] Idle")).wait_for()

    return wait


@pytest.fixture(scope="module")
def open_notebook(
    lab: Lab, new_page: Callable[..., Any], wait_for_kernel: Callable[[Any], None]
) -> Iterator[Callable[[str], Any]]:
    """Opens a notebook of the folder in JupyterLab and waits until its kernel is ready."""
    pages = []

    def open_one(path: str) -> Any:
        page = new_page(viewport={"width": 1300, "height": 1000})
        page.goto(f"{lab.address}/lab/tree/{path}?token=secret")
        pages.append(page)
        wait_for_kernel(page)
        return page

    yield open_one
    for page in pages:
        page.close()
