"""Builds the tables that are made from code; `make checkers` and `make table` run this.

CHECKERS.md   every checker with its lesson, points and numbers of answers
README.md     the table of lessons, between its two markers
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from helpers.checking.judging import answers_to, cases_of
from helpers.course import LESSONS, lessons_table, todo_of

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- lessons: begin -->", "<!-- lessons: end -->"


def checkers_page() -> str:
    """CHECKERS.md: every checker with its counts, and its misconceptions by name."""
    lines = [
        "# All checkers",
        "",
        "Made by `make checkers` from `helpers/checks` and `helpers/answers`; do not edit. Each",
        "misconception is a wrong answer that the checker rejects under this name, each right",
        "variant an answer written differently that it accepts; `tests/checks` proves both.",
        "",
        "| Lesson | Checker | Points | Cases | Misconceptions | Right variants |",
        "|---|---|--:|--:|--:|--:|",
    ]
    details = []
    total_wrong = total_right = total_checks = 0
    for lesson in LESSONS:
        for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS:
            answers = answers_to(check)
            wrong, right = len(answers.misconceptions), len(answers.variants)
            total_wrong, total_right = total_wrong + wrong, total_right + right
            total_checks += 1
            lines.append(
                f"| {lesson.number:02d} | `{check.name}` | {todo_of(check.name).points:g} "
                f"| {len(cases_of(check))} | {wrong} | {right} |"
            )
            names = ", ".join(m.id for m in answers.misconceptions)
            details.append(f"- `{check.name}`: {names}")
    lines.append(f"| all | {total_checks} checkers | | | {total_wrong} | {total_right} |")
    return "\n".join([*lines, "", "## The misconceptions by name", "", *details, ""])


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
