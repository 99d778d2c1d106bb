"""Grading that is interrupted and grading that is spread end with the same gradebook."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client

from helpers.grading.run import Options, grade
from tests.grading.hostile.processes import living

pytestmark = pytest.mark.slow

MANY = 40


def hand_in_many(room: Any) -> None:
    """Forty students, of five kinds."""
    todos = room.todos
    kinds = [
        room.work(*todos, answer="Rounding."),
        room.work(),
        room.work(todos[0]),
        room.work(todos[1], answer="No idea."),
        room.work(*todos, **{todos[0]: lambda s: s.replace("2 * h", "h")}),
    ]
    for number in range(MANY):
        stamp = f"2026-03-01 12:00:{number:02d} UTC"
        room.hand_in(f"student-{number:02d}", kinds[number % len(kinds)], stamp=stamp)


@pytest.fixture(scope="module")
def undisturbed(new_classroom: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Forty submissions, graded without trouble."""
    room = new_classroom(tmp_path_factory.mktemp("undisturbed") / "course")
    hand_in_many(room)
    run = room.grade("--workers", "2")
    assert run.returncode == 0, run.stderr
    assert len(room.scores()) == MANY
    points = Counter(
        sum(grade[0] for name, grade in one.items() if name.startswith("check"))
        for one in room.scores().values()
    )
    assert points == {2.0: 8, 0.0: 8, 1.0: 24}
    return room


@pytest.fixture
def fresh(new_classroom: Any, tmp_path: Path) -> Any:
    room = new_classroom(tmp_path / "course")
    hand_in_many(room)
    return room


def autograded(room: Any) -> dict[str, bytes]:
    folder = room.folder / "autograded"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_same(room: Any, other: Any) -> None:
    assert room.scores() == other.scores()
    assert autograded(room) == autograded(other)


def start(room: Any, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", "grade", room.lesson, *arguments],
        cwd=room.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def journal_size(room: Any) -> int:
    file = room.folder / ".grading" / room.lesson / "journal.jsonl"
    return file.stat().st_size if file.exists() else 0


def test_a_worker_that_dies_is_replaced(fresh: Any, undisturbed: Any) -> None:
    run = start(fresh, "--workers", "2")
    while journal_size(fresh) == 0:
        assert run.poll() is None
        time.sleep(0.02)
    (server,) = living(lambda one: one.ppid() == run.pid and "forkserver" in str(one.cmdline()))
    workers = living(lambda one: one.ppid() == server.pid)
    assert len(workers) == 2
    workers[0].kill()
    _, text = run.communicate()
    assert run.returncode == 0, text.decode()
    assert_same(fresh, undisturbed)


class Cluster:
    """A scheduler and two workers of Dask, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.processes = [
            self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        ]
        for number in range(2):
            quiet = ("--no-dashboard", "--no-nanny", "--nthreads", "1")
            place = ("--host", "127.0.0.1", "--local-directory", str(folder))
            self.processes.append(self._start("worker", *quiet, *place, "--name", f"w{number}"))
        self.client = Client(scheduler_file=str(self.file), timeout=240, set_as_default=False)
        self.client.wait_for_workers(2, timeout=240)
        self.address = str(self.client.scheduler.address)

    def _start(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", role, *arguments, "--scheduler-file", str(self.file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        self.client.close()
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(timeout=240)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One for all tests; the first of them leave it whole."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


def test_killed_again_and_again(fresh: Any, undisturbed: Any, cluster: Cluster) -> None:
    """SIGKILL at random moments: most while submissions are examined and recorded, some before.

    Most runs use the cluster, whose workers are warm already; workers of a run's own must end
    with it. How much a run does before it dies is for the machine to say: on a busy one the
    submissions may be all graded before the twentieth.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["helpers.grading.run", "distributed"])
    dice = random.Random(20)
    killed = 0
    for number in range(20):
        own = number == 3
        scheduler = "" if own else cluster.address
        options = Options(fresh.lesson, fresh.folder, workers=1, scheduler=scheduler)
        run = processes.Process(target=grade, args=(options,))
        run.start()
        before = journal_size(fresh)
        early = number % 5 == 0
        while not early and journal_size(fresh) == before and run.is_alive():
            time.sleep(0.002)
        time.sleep(dice.uniform(0, 0.5 if early else 0.04))
        family = psutil.Process(run.pid).children(recursive=True) if own else []
        run.kill()
        run.join()
        if run.exitcode == 0:
            break
        assert run.exitcode == -signal.SIGKILL
        killed += 1
        assert bool(family) == own
        _, alive = psutil.wait_procs(family, timeout=240)
        assert not alive, "workers and sandboxes end with the run"
    assert killed > 5
    last = fresh.grade("--scheduler", cluster.address)
    assert last.returncode == 0, last.stderr
    assert_same(fresh, undisturbed)
    assert f"0 graded, {MANY} graded before and unchanged" in fresh.call().stderr


def test_a_cluster_that_loses_a_worker(fresh: Any, undisturbed: Any, cluster: Cluster) -> None:
    run = start(fresh, "--scheduler", cluster.address)
    while journal_size(fresh) < 2_000:
        assert run.poll() is None, run.communicate()[1].decode()
        time.sleep(0.02)
    os.kill(cluster.processes[1].pid, signal.SIGKILL)
    _, text = run.communicate()
    assert run.returncode == 0, text.decode()
    assert_same(fresh, undisturbed)


def test_a_cluster_that_goes_away(fresh: Any, undisturbed: Any, cluster: Cluster) -> None:
    run = start(fresh, "--scheduler", cluster.address)
    while journal_size(fresh) < 1_000:
        assert run.poll() is None, run.communicate()[1].decode()
        time.sleep(0.02)
    cluster.processes[0].kill()
    _, text = run.communicate(timeout=240)
    assert run.returncode == 1
    assert "The Dask cluster at" in text.decode()
    assert "Traceback" not in text.decode()
    rest = fresh.grade("--workers", "2")
    assert rest.returncode == 0, rest.stderr
    assert_same(fresh, undisturbed)
