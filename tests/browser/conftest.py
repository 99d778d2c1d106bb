"""JupyterLab and Chromium for the tests that use the course as a student does."""

from __future__ import annotations

import os
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


@pytest.fixture(scope="module")
def open_notebook(lab: Lab, browser: Any) -> Callable[[str], Any]:
    """Opens a notebook of the folder in JupyterLab and waits until its kernel is ready."""

    from playwright.sync_api import expect

    expect.set_options(timeout=120_000)

    def open_one(path: str) -> Any:
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{lab.address}/lab/tree/{path}?token=secret")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        return page

    return open_one
