"""`course sandbox`: whether this machine can keep students' code to itself."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape


def sandbox() -> None:
    """Try every wall of the grader's sandbox; fail unless all of them hold."""
    from helpers.grading.sandbox.probe import probe

    console = Console(highlight=False, soft_wrap=True)
    walls = probe()
    for wall in walls:
        mark = "✓" if wall.holds else "✗"
        console.print(f"{mark} {escape(wall.what)}: {escape(wall.detail)}")
        if wall.remedy:
            console.print(f"  → {escape(wall.remedy)}")
    if all(wall.holds for wall in walls):
        console.print("Everything holds: `course grade` runs students' code in the sandbox.")
        return
    console.print(
        "Not everything holds, so `course grade` refuses to run students' code. "
        "With `--no-sandbox` it runs it with your own rights: only for code that you trust."
    )
    raise typer.Exit(1)
