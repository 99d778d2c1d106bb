"""Measures what must be quick; `make bench` runs this. Nothing here is a test.

Machines differ and are noisy, so each speed stands beside one to compare it with, measured in the
same run.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from itertools import combinations
from pathlib import Path

from helpers.demos.face import Demo, span

ROOT = Path(__file__).resolve().parent.parent


def seconds(do: Callable[[], object], times: int = 5) -> float:
    """The median of several runs, after one to warm up."""
    do()
    return statistics.median(_timed(do) for _ in range(times))


def _timed(do: Callable[[], object]) -> float:
    start = time.perf_counter()
    do()
    return time.perf_counter() - start


def python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def imports() -> None:
    print("\nImports (median of 5 fresh processes)")
    empty = seconds(python("pass"))
    torch = seconds(python("import torch"))
    both = seconds(python("import torch, helpers"))
    everything = seconds(python("import torch\nfrom helpers import check_relu, load, train"))
    print(f"  import torch                        {torch - empty:6.2f} s")
    print(f"  import helpers adds                 {both - torch:6.2f} s (promise: under 0.3 s)")
    print(f"  with check_relu, load and train     {everything - torch:6.2f} s")


def checks() -> None:
    from helpers.checking.check import Check
    from helpers.checking.judging import Known, answers_to, judge, observer
    from helpers.checking.recipe import can_be_joined, name_of
    from helpers.course import LESSONS

    def look_at_new(check: Check, implementation: object) -> object:
        """As in a notebook whose kernel has just been started."""
        return judge(check, observer(check, implementation), known=Known(check))

    right: dict[str, float] = {}
    wrong: dict[str, float] = {}
    two: dict[str, float] = {}
    for lesson in LESSONS:
        for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS:
            answers = answers_to(check)
            for name, variant in answers.variants.items():
                right[f"{check.name}, {name}"] = seconds(partial(look_at_new, check, variant), 1)
            for mistake in answers.named():
                made = answers.with_slips(mistake)
                wrong[f"{check.name}, {mistake.id}"] = seconds(partial(look_at_new, check, made), 1)
            pairs = [p for p in combinations(answers.named(), 2) if can_be_joined(*p)]
            random.Random(check.name).shuffle(pairs)
            for pair in [] if check.each_case_alone else pairs[:10]:
                made = answers.with_slips(*pair)
                two[f"{check.name}, {name_of(pair)}"] = seconds(
                    partial(look_at_new, check, made), 1
                )
    print("\nChecks, as in a kernel that has just been started; the capstone trains")
    rows = (
        ("right answers", right, 0.15, 1),
        ("answers with a slip", wrong, 0.5, 2),
        ("answers with two slips", two, 0.5, 2),
    )
    for title, times, most, limit in rows:
        times = {name: t for name, t in times.items() if not name.startswith("check_capstone")}
        slow = sorted(times, key=lambda name: times[name])
        at_95 = times[slow[int(0.95 * (len(slow) - 1))]]
        print(
            f"  {title}: {len(times)}, median {statistics.median(times.values()):.3f} s, "
            f"95 % {at_95:.3f} s (promise: under {most} s), "
            f"slowest {times[slow[-1]]:.3f} s ({slow[-1]}; promise: under {limit} s)"
        )


def notebooks() -> None:
    import nbformat
    from nbclient import NotebookClient

    from helpers.course import LESSONS

    os.environ["COURSE_PROGRESS"] = "off"
    print("\nSolution notebooks, from the start of the kernel to the last cell")
    for lesson in LESSONS:
        path = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        start = time.perf_counter()
        NotebookClient(
            notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
        ).execute()
        print(f"  {lesson.folder:<32} {time.perf_counter() - start:6.1f} s")


def latencies(demo: Demo, tries: int = 3) -> list[float]:
    """Seconds for the new picture, for each control moved from end to end.

    The smallest of a few tries: what else the computer does can only add to it.
    """
    taken = []
    for control in demo.controls.values():
        start = control.value
        for value in span(control):
            control.value = value
            taken.append(min(_timed(demo.redraw) for _ in range(tries)))
        control.value = start
    return taken


def demos() -> None:
    import torch

    from helpers.course import LESSONS

    torch.set_num_threads(1)
    print("\nDemos, from a moved control to the new picture, one thread (promise: under 100 ms)")
    for lesson in LESSONS:
        demo = getattr(import_module(f"helpers.demos.{lesson.slug}"), f"{lesson.slug}_demo")()
        taken = latencies(demo)
        median, worst = 1000 * statistics.median(taken), 1000 * max(taken)
        print(f"  {lesson.folder:<32} median {median:4.0f} ms, worst {worst:4.0f} ms")


PARTS = {"imports": imports, "checks": checks, "demos": demos, "notebooks": notebooks}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
