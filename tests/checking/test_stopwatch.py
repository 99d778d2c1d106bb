"""A check's seconds are the student's: neither other programs nor imports use them up."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from helpers.checking import stopwatch
from helpers.checking.guard import TimeLimit, run_guarded

ON_A_BUSY_PROCESSOR = """
import os, subprocess, sys, time
from helpers.checking.guard import run_guarded

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]

def compute(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

start = time.monotonic()
try:
    error, _ = run_guarded(lambda: compute(0.5), 1.0)
finally:
    for other in others:
        other.kill()
        other.wait()
assert time.monotonic() - start > 1.0, "the processor was not busy: nothing is shown"
assert error is None, error
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux can choose processors")
def test_a_busy_processor_does_not_hurry_code() -> None:
    """Half a second of computing beside three endless loops, when one second is allowed."""
    subprocess.run([sys.executable, "-c", ON_A_BUSY_PROCESSOR], check=True)


def test_imports_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"slow_to_import_{number}" for number in range(12)]
    for name in names:
        (tmp_path / f"{name}.py").write_text("import time\ntime.sleep(0.1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    start = time.monotonic()
    error, _ = run_guarded(lambda: [import_module(name) for name in names], 0.6)  # type: ignore
    assert time.monotonic() - start > 1.2
    assert error is None


def test_an_endless_row_of_imports_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "MOST_IMPORTING", 0.5)
    invented = []

    def invent_modules() -> None:
        while True:
            invented.append(f"invented_{len(invented)}")
            sys.modules[invented[-1]] = sys
            time.sleep(0.05)

    try:
        error, _ = run_guarded(invent_modules, 0.2)
    finally:
        for name in invented:
            sys.modules.pop(name, None)
    assert isinstance(error, TimeLimit)
