"""JupyterLab and Chromium for the tests that use the course as a student does."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", "lab", "--no-browser", "--port", str(port)],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "JUPYTER_TOKEN": "secret",
            "COURSE_PROGRESS": str(folder / "progress.jsonl"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api?token=secret", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield Lab(address, folder)
    finally:
        server.terminate()
        server.wait(timeout=30)


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
    lab: Lab, browser: Any, wait_for_kernel: Callable[[Any], None]
) -> Iterator[Callable[[str], Any]]:
    """Opens a notebook of the folder in JupyterLab and waits until its kernel is ready."""

    from playwright.sync_api import expect

    expect.set_options(timeout=120_000)

    pages = []

    def open_one(path: str) -> Any:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{lab.address}/lab/tree/{path}?token=secret")
        pages.append(page)
        wait_for_kernel(page)
        return page

    yield open_one
    for page in pages:
        page.close()
