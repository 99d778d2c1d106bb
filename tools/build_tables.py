"""Builds the tables that are made from code; `make checkers` and `make table` run this.

CHECKERS.md   every checker with its lesson, points and numbers of answers
README.md     the table of lessons, between its two markers
"""

from __future__ import annotations

import argparse
from importlib import import_module
from itertools import combinations
from pathlib import Path

from helpers.checking.check import Check
from helpers.checking.judging import answers_to, cases_of
from helpers.checking.recipe import can_be_joined
from helpers.course import LESSONS, lessons_table, todo_of

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- lessons: begin -->", "<!-- lessons: end -->"


def checkers_page() -> str:
    """CHECKERS.md: every checker with its counts, and its slips by name."""
    lines = [
        "# All checkers",
        "",
        "Made by `make checkers` from `helpers/checks` and `helpers/answers`; do not edit. The cases",
        "that count are what a lesson teaches; the others are judged and noted, and cost no points.",
        "A slip is one wrong part of a right answer, which the checker recognises by this name, in",
        "each of its forms, alone and together with a slip of another part (a pair of forms). A right",
        "variant is an answer written differently that it accepts. `tests/checks` proves all of it.",
        "",
        "| Lesson | Checker | Points | Cases that count | Noted | Slips | Forms | Pairs | Right variants |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    details = []
    totals = [0] * 6
    total_checks = 0
    for lesson in LESSONS:
        for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS:
            numbers = _numbers(check)
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
            total_checks += 1
            lines.append(
                f"| {lesson.number:02d} | `{check.name}` | {todo_of(check.name).points:g} | "
                + " | ".join(str(n) for n in numbers)
                + " |"
            )
            names = ", ".join(slip.id for slip in answers_to(check).slips)
            details.append(f"- `{check.name}`: {names}")
    lines.append(f"| all | {total_checks} checkers | | " + " | ".join(map(str, totals)) + " |")
    return "\n".join([*lines, "", "## The slips by name", "", *details, ""])


def _numbers(check: Check) -> list[int]:
    """Cases that count, cases that are noted, slips, their forms, pairs of them, right variants."""
    answers, cases = answers_to(check), cases_of(check)
    noted = sum(case.is_beyond for case in cases)
    named = answers.named()
    pairs = 0 if check.each_case_alone else sum(can_be_joined(*p) for p in combinations(named, 2))
    return [
        len(cases) - noted,
        noted,
        len(answers.slips),
        len(named),
        pairs,
        len(answers.variants),
    ]


def readme() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{lessons_table('notebooks/')}\n{END}{rest.split(END)[1]}"


PAGES = {"checkers": ("CHECKERS.md", checkers_page), "lessons": ("README.md", readme)}
COMMAND = {"checkers": "make checkers", "lessons": "make table"}


def stale() -> list[str]:
    """The commands that would bring stale pages up to date."""
    return [
        COMMAND[name]
        for name, (file, make) in PAGES.items()
        if not (ROOT / file).is_file() or (ROOT / file).read_text(encoding="utf-8") != make()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", nargs="*", choices=[*PAGES, []], help="all when left out")
    parser.add_argument("--check", action="store_true", help="fail when a page is stale")
    arguments = parser.parse_args()
    if arguments.check:
        commands = stale()
        if commands:
            raise SystemExit(f"A table is stale. Run: {', '.join(commands)}")
        return
    for name in arguments.page or PAGES:
        file, make = PAGES[name]
        (ROOT / file).write_text(make(), encoding="utf-8")
        print(f"wrote {file}")


if __name__ == "__main__":
    main()
