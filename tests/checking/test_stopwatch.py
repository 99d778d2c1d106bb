"""A check's seconds are the student's: neither other programs nor imports use them up."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import pytest
import torch

from helpers.checking import judging, stopwatch
from helpers.checking.guard import TimeLimit, run_guarded
from helpers.checking.stopwatch import Look, Stopwatch, waits

BESIDE_OTHERS = """
import os, subprocess, sys, threading, time
from helpers.checking.guard import TimeLimit, run_guarded

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(15)]
ran = 0.0

def compute(seconds):
    global ran
    start = time.thread_time()
    while ran < seconds:
        ran = time.thread_time() - start

def another_computes(seconds):
    thread = threading.Thread(target=compute, args=(seconds,))
    thread.start()
    thread.join()

start = time.monotonic()
try:
    error, _ = run_guarded(lambda: CODE, SECONDS)
finally:
    for other in others:
        other.kill()
        other.wait()
took = time.monotonic() - start
"""

BUSY = "assert took > 2, 'the processor was not busy: nothing is shown'\n"
LINUX = pytest.mark.skipif(not waits(), reason="this system does not count how long threads wait")


@LINUX
@pytest.mark.parametrize(
    ("code", "seconds", "shown"),
    [
        ("compute(0.3)", 1.0, BUSY + "assert error is None, error"),
        ("another_computes(0.3)", 1.0, BUSY + "assert error is None, error"),
        ("compute(60)", 0.5, BUSY + "assert isinstance(error, TimeLimit) and 0.1 < ran < 5, ran"),
        ("time.sleep(60)", 0.5, "assert isinstance(error, TimeLimit) and took >= 0.5, took"),
    ],
    ids=["right", "in a thread", "endless", "asleep"],
)
def test_a_busy_processor_does_not_hurry_code(code: str, seconds: float, shown: str) -> None:
    """Beside fifteen endless loops, so that code has a sixteenth of the processor or less. Code
    that needs a part of its seconds passes, and what never ends has had most of them, but for one
    wait: how long that takes on the clock is the machine's business.
    """
    program = BESIDE_OTHERS.replace("CODE", code).replace("SECONDS", str(seconds)) + shown
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("computed", "waited", "had"),
    [
        pytest.param(10, {"1": 0}, 10, id="alone"),
        pytest.param(2, {"1": 8}, 2, id="beside others"),
        pytest.param(0.1, {"1": 9.9}, 0.1, id="beside very many others"),
        pytest.param(0, {"1": 0}, 10, id="asleep"),
        pytest.param(5, {"1": 0}, 10, id="asleep for half of the time"),
        pytest.param(2, {"1": 3}, 7, id="asleep for half of the time, beside others"),
        pytest.param(2, {"1": 4, "2": 4}, 2, id="two threads, one at a time"),
        pytest.param(10, {"1": 5, "2": 5}, 5, id="two threads at once"),
        pytest.param(40, {str(one): 9.2 for one in range(50)}, 10, id="fifty threads, no others"),
        pytest.param(10, {"1": 0, "asks": 9}, 10, id="the thread that asks waits"),
        pytest.param(2, {}, 2, id="estimated: beside others"),
        pytest.param(1.1, {}, 1.25, id="estimated: beside many others"),
        pytest.param(0.9, {}, 10, id="estimated: asleep"),
    ],
)
def test_seconds_had(
    computed: float, waited: dict[str, float], had: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ten seconds on four processors; the threads have waited for a minute before."""
    asks = str(threading.get_native_id())
    threads = {asks if one == "asks" else one: round(1e9 * more) for one, more in waited.items()}
    before = dict.fromkeys(threads, 60_000_000_000)
    after = {one: before[one] + more for one, more in threads.items()}
    looks = iter([Look(0, 7, 3, before), Look(10, 7 + computed, 3, after)])
    monkeypatch.setattr(Stopwatch, "_now", staticmethod(lambda: next(looks)))
    monkeypatch.setattr(stopwatch, "_processors", lambda: 4)
    assert Stopwatch().read() == pytest.approx(had)


def test_a_thread_that_has_begun_and_one_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([Look(0, 0, 3, {"1": 5_000_000_000}), Look(10, 2, 3, {"2": 6_000_000_000})])
    monkeypatch.setattr(Stopwatch, "_now", staticmethod(lambda: next(looks)))
    assert Stopwatch().read() == pytest.approx(4)


def test_what_the_kernel_says_of_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopwatch, "THREADS", str(tmp_path))
    assert waits() == {}
    for thread, line in {"1": "0 0 0\n", "2": "0 0 0\n"}.items():
        (tmp_path / thread).mkdir()
        (tmp_path / thread / "schedstat").write_text(line)
    assert waits() == {}, "a kernel that does not count"
    (tmp_path / "2" / "schedstat").write_text("900 70 4\n")
    (tmp_path / "3").mkdir()  # has ended
    assert waits() == {"1": 0, "2": 70}
    monkeypatch.setattr(stopwatch, "THREADS", str(tmp_path / "hidden"))
    assert waits() == {}


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless() -> None:
        while True:
            pass

    monkeypatch.setattr(stopwatch, "THREADS", "/nowhere")
    assert run_guarded(lambda: print("right"), 60.0) == (None, "right\n")
    assert isinstance(run_guarded(endless, 0.2)[0], TimeLimit)
    assert isinstance(run_guarded(lambda: time.sleep(60), 0.2)[0], TimeLimit)


def test_a_watch_can_be_given_and_sees_the_thread_to_the_end() -> None:
    seen: list[set[str]] = []

    class Watch(Stopwatch):
        def read(self) -> float:
            seen.append({thread.name for thread in threading.enumerate()})
            return super().read()

    error, _ = run_guarded(lambda: torch.set_grad_enabled(False), 60.0, Watch())  # type: ignore
    assert error is None
    assert len(seen) >= 2
    assert "your code" in seen[-1]


def test_one_watch_for_what_is_allowed_and_what_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Late(Stopwatch):
        def read(self) -> float:
            return 1e9

    from helpers.checks.start_here import CHECKS

    monkeypatch.setattr(judging, "Stopwatch", Late)
    look = judging.observer(CHECKS[0], lambda *_: None)
    trouble = look(judging.cases_of(CHECKS[0])[0]).trouble
    assert trouble is not None
    assert trouble.kind == "time limit"


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
