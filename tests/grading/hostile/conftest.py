"""What must hold when all is over: nothing ran on, nothing was written, honest work counts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.grading.hostile.submission import ROOT, Submission, assert_as_expected

MARK = "written-by-a-student"
"""In the name of every file that an attack tries to write outside."""


def _disk() -> dict[str, tuple[int, int]]:
    """Size and time of change of every file that an attack could want to change."""
    places = [ROOT / "helpers", ROOT / "solutions"]
    files = (
        file for place in places for file in place.rglob("*") if "__pycache__" not in str(file)
    )
    return {str(f): (f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file()}


def _left_behind() -> list[Path]:
    places = {
        ROOT,
        Path.cwd(),
        Path.home(),
        Path(tempfile.gettempdir()),
        Path("/dev/shm"),
        Path("/"),
    }
    return [found for place in places if place.is_dir() for found in place.glob(f"*{MARK}*")]


def _students_processes() -> list[psutil.Process]:
    """What still runs below a zygote."""
    zygotes = [
        process
        for process in psutil.Process().children(recursive=True)
        if process.is_running() and "helpers.grading.sandbox.zygote" in process.cmdline()
    ]
    inner = [z for z in zygotes if "bwrap" not in z.cmdline()[0]]
    assert len(inner) <= 1
    return [child for zygote in inner for child in zygote.children(recursive=True)]


@pytest.fixture(scope="module", autouse=True)
def aftermath() -> Iterator[None]:
    disk, nice = _disk(), os.getpriority(os.PRIO_PROCESS, 0)
    processors = os.sched_getaffinity(0)
    os.environ["A_SECRET_OF_THE_GRADER"] = "LEAKED"
    yield
    del os.environ["A_SECRET_OF_THE_GRADER"]
    honest = Submission("an honest one after all the others")
    assert_as_expected(honest, honest.examine())
    assert _students_processes() == []
    assert _left_behind() == []
    assert _disk() == disk
    assert os.getpriority(os.PRIO_PROCESS, 0) == nice
    assert os.sched_getaffinity(0) == processors
