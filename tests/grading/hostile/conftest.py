"""What must hold when all is over: nothing ran on, nothing was written, honest work counts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.grading.hostile.processes import living, soon
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


def _in_the_sandbox(process: psutil.Process) -> bool:
    inside = any("bwrap" in parent.name() for parent in process.parents())
    return inside and "bwrap" not in process.name()


@pytest.fixture(scope="module", autouse=True)
def aftermath() -> Iterator[None]:
    disk, nice = _disk(), os.getpriority(os.PRIO_PROCESS, 0)
    processors = os.sched_getaffinity(0)
    os.environ["A_SECRET_OF_THE_GRADER"] = "LEAKED"
    yield
    del os.environ["A_SECRET_OF_THE_GRADER"]
    honest = Submission("an honest one after all the others")
    assert_as_expected(honest, honest.examine())
    # What stays: the zygote, the twin of this process's judge, and its next child, which has run
    # nothing. The kernel takes a moment to clear away the child before.
    assert soon(lambda: len(living(_in_the_sandbox)) <= 3)
    assert _left_behind() == []
    assert _disk() == disk
    assert os.getpriority(os.PRIO_PROCESS, 0) == nice
    assert os.sched_getaffinity(0) == processors
