"""Changes every solution in one place at a time and asks its check; `make mutants` runs this."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from helpers.course import LESSONS, Lesson
from helpers.course import lesson as lesson_of

from . import reasons
from .exercises import ROOT, Exercise, changed_since, exercises_of
from .trial import Results, SolutionFails, try_all

LIST = ROOT / "tests" / "checks" / "mutants.toml"
ENVIRONMENT = {
    "COURSE_PROGRESS": "off",
    "COURSE_DEVICE": "cpu",
    "CUDA_VISIBLE_DEVICES": "",  # a process that uses a graphics card cannot be forked
    "OMP_NUM_THREADS": "1",
}


def main(words: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    arguments = _parser().parse_args(words)
    listed = reasons.read(arguments.survivors)
    skipped = listed.get(reasons.SKIPPED, {})
    chosen: list[Exercise] = []
    aside: list[Exercise] = []
    for one in _exercises(_lessons(arguments)):
        if arguments.check and one.check not in arguments.check:
            continue
        skips = one.check in skipped and not arguments.check
        (aside if skips else chosen).append(one)
    if arguments.check and (strange := set(arguments.check) - {one.check for one in chosen}):
        print(f"No chosen lesson has a check {', '.join(sorted(strange))}.", file=sys.stderr)
        return 2
    if arguments.list:
        for one in (*chosen, *aside):
            for mutant in one.mutants:
                print(f"{mutant.id}  {one.check}  {mutant.change}")
        return 0
    start = time.monotonic()
    try:
        failed = _report(_run(chosen, arguments.jobs), listed, arguments.show)
    except SolutionFails as error:
        print(error, file=sys.stderr)
        return 1
    for one in aside:
        print(f"{one.check:36s} skipped: {skipped[one.check]}")
    for fault in reasons.unknown(listed, {todo.check for x in LESSONS for todo in x.todos}):
        print(f"  {fault}")
        failed = True
    print(f"{time.monotonic() - start:.0f} seconds. {_verdict(failed, arguments.survivors)}")
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--lesson", action="append", help="a slug, folder or number; repeatable")
    parser.add_argument("--check", action="append", help="a check's name; repeatable")
    parser.add_argument(
        "--changed",
        nargs="?",
        const="",
        metavar="REF",
        help="only lessons whose source, checks or answers differ from REF "
        "(by default origin/main, or else HEAD~1)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes; each takes whole checks")
    parser.add_argument("--list", action="store_true", help="print the mutants and judge none")
    parser.add_argument("--show", action="store_true", help="print what became of every mutant")
    parser.add_argument("--survivors", type=Path, default=LIST, help=argparse.SUPPRESS)
    return parser


def _lessons(arguments: argparse.Namespace) -> list[Lesson]:
    chosen = list(LESSONS) if arguments.changed is None else changed_since(arguments.changed)
    if arguments.lesson:
        named = [lesson_of(int(key) if key.isdigit() else key) for key in arguments.lesson]
        chosen = [one for one in chosen if one in named]
    return chosen


def _exercises(lessons: list[Lesson]) -> Iterator[Exercise]:
    for one in lessons:
        yield from exercises_of(one)


def _run(exercises: list[Exercise], jobs: int) -> Iterator[Results]:
    """The results in the order of the course, each as soon as it is there."""
    os.environ.update(ENVIRONMENT)
    with ProcessPoolExecutor(max(jobs, 1), mp_context=get_context("spawn")) as pool:
        yield from pool.map(try_all, exercises)


def _report(everything: Iterator[Results], listed: reasons.Listed, show: bool) -> bool:
    """Print one line for each check, with its faults below; whether there was one."""
    total, failed = [0, 0, 0, 0], False
    print(f"{'':36s} mutants  killed   noted  survive  seconds")
    for one in everything:
        survivors = len(one.of("survived")) + len(one.of("broke"))
        counts = [len(one.mutants), len(one.of("killed")), len(one.of("noted")), survivors]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        _line(one.check, counts, f"{one.seconds:9.1f}")
        for mutant in one.mutants if show else ():
            print(f"  {mutant.fate:9s} {mutant.id}  {mutant.change}\n    {mutant.why}")
        for fault in reasons.faults(one, listed):
            print(f"  {fault}", flush=True)
            failed = True
    _line("all", total, "")
    return failed


def _line(name: str, counts: list[int], rest: str) -> None:
    numbers = " ".join(f"{count:7d}" for count in counts)
    print(f"{name:36s} {numbers}  {rest}".rstrip(), flush=True)


def _verdict(failed: bool, survivors: Path) -> str:
    file = survivors.relative_to(ROOT) if survivors.is_relative_to(ROOT) else survivors
    if failed:
        return f"Repair the checks, or the list {file}, as it says above."
    return f"Every mutant is killed, noted, or listed with its reason in {file}."


if __name__ == "__main__":
    sys.exit(main())
