"""`make bench-grading`: `course grade` beside `nbgrader autograde`, on the same submissions.

    python tools/bench_grading.py [--students 40] [--lesson 1]

Prints the time of nbgrader's own autograde, of `course grade` with one worker and with two, their
ratios, where the time of grading goes, and the memory of all its processes together. Both grade
the same class; the scores of both are compared, and differences are listed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from demo_class import hand_in, make_course
from nbgrader.api import Gradebook

from helpers.course import Lesson, lesson


def timed(command: list[str], folder: Path) -> tuple[float, int]:
    """Seconds of a command, and the most memory (proportional set size) of its processes."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    memory = Memory(process.pid)
    memory.start()
    _, said = process.communicate()
    seconds = time.perf_counter() - start
    memory.done.set()
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{said.decode(errors='replace')[-3000:]}")
    return seconds, memory.most


class Memory(threading.Thread):
    """Looks twice a second at the memory of a process and of all that it started."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(root)
        self.most = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.5):
            with suppress(psutil.NoSuchProcess):  # it has ended
                family = [self.root, *self.root.children(recursive=True)]
                self.most = max(self.most, sum(map(_memory, family)))


def _memory(process: psutil.Process) -> int:
    """Bytes, each shared page divided among those who share it; none of one that has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0


def scores(folder: Path, of: Lesson) -> dict[tuple[str, str], float | None]:
    """What the gradebook says, by student and graded cell."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "pytorch-course") as gradebook:
        return {
            (one.student.id, grade.name): grade.auto_score
            for one in gradebook.assignment_submissions(of.folder)
            for notebook in one.notebooks
            for grade in notebook.grades
        }


def where_the_time_goes(folder: Path, of: Lesson, students: int) -> str:
    spent: Counter[str] = Counter()
    for file in (folder / ".grading" / of.folder / "results").glob("*.json"):
        spent.update(json.loads(file.read_text())["seconds"])
    return ", ".join(f"{what} {1000 * s / students:.0f} ms" for what, s in spent.most_common())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=40)
    options.add_argument("--lesson", type=int, default=1)
    chosen = options.parse_args()
    of, students = lesson(chosen.lesson), chosen.students
    grade = [sys.executable, "-m", "helpers.cli", "grade", of.folder]
    with tempfile.TemporaryDirectory() as room:
        fresh = Path(room) / "course"
        make_course(fresh, of)
        truth = {
            (one.student, cell): points
            for one in hand_in(fresh, of, students)
            for cell, points in one.points.items()
        }
        runs = {
            "course grade, one worker": [*grade, "--workers", "1"],
            "course grade, two workers": [*grade, "--workers", "2"],
            "nbgrader autograde": [sys.executable, "-m", "nbgrader", "autograde", of.folder],
        }
        found, seconds = {}, {}
        for name, command in runs.items():
            folder = Path(room) / name.replace(" ", "-").replace(",", "")
            shutil.copytree(fresh, folder)
            seconds[name], memory = timed(command, folder)
            found[name] = scores(folder, of)
            print(
                f"{name:<26} {seconds[name]:7.1f} s  {seconds[name] / students:6.2f} s each  "
                f"{memory / 2**20:5.0f} MiB",
                flush=True,
            )
            if name.startswith("course"):
                print(f"{'':<26} inside: {where_the_time_goes(folder, of, students)}")
        stock = seconds["nbgrader autograde"]
        for name in list(runs)[:2]:
            print(f"{name:<26} {stock / seconds[name]:5.1f} times as fast as nbgrader autograde")
    for name, given in found.items():
        wrong = [
            f"{key}: {given[key]} not {true}" for key, true in truth.items() if given[key] != true
        ]
        print(f"{name:<26} {len(truth) - len(wrong)} of {len(truth)} scores are the true ones")
        for line in wrong[:20]:
            print(f"{'':<26} {line}")


if __name__ == "__main__":
    main()
