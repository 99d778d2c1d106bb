"""The `course` command."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    help="The PyTorch course: open it, and see how far you are.",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def course() -> None:
    """The PyTorch course."""


@app.command()
def lab(
    notebooks: Annotated[
        Path, typer.Option(help="The folder with the students' notebooks.")
    ] = Path("notebooks"),
    port: Annotated[int, typer.Option(help="The port of JupyterLab.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Whether to open a browser.")] = True,
) -> None:
    """Open JupyterLab on lesson 00."""
    from helpers.course import LESSONS

    first = LESSONS[0]
    notebook = notebooks / first.folder / f"{first.slug}.ipynb"
    if not notebook.is_file():
        typer.echo(
            f"{notebook} was not found. Run this command in the course's folder, "
            "or name the folder with --notebooks."
        )
        raise typer.Exit(1)
    typer.echo(f"Opening {notebook}. Stop JupyterLab with Ctrl+C in this window.")
    command = [
        *(sys.executable, "-m", "jupyterlab", str(notebook)),
        f"--ServerApp.port={port}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often no other user
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    if sys.platform == "win32":
        import subprocess

        raise typer.Exit(subprocess.run(command, check=False).returncode)
    sys.stdout.flush()
    os.execv(sys.executable, command)


@app.command()
def progress() -> None:
    """Show which checks passed, the points, and what is next."""
    from helpers.progress import next_step, record_file
    from helpers.progress import progress as read

    lessons = read()
    table = Table(title="Your progress")
    table.add_column("Lesson")
    table.add_column("Checks passed", justify="right")
    table.add_column("Points by checks", justify="right")
    table.add_column("Points by hand", justify="right")
    for state in lessons:
        table.add_row(
            f"{state.lesson.number:02d} {state.lesson.title}",
            f"{len(state.done)} of {len(state.lesson.todos)}",
            f"{state.points:g} of {state.points_by_checks:g}",
            f"up to {state.lesson.question_points:g}",
        )
    console = Console()
    console.print(table)
    console.print(next_step(lessons))
    console.print(f"Recorded in {record_file() or 'no file (COURSE_PROGRESS is off)'}.")


@app.command()
def info() -> None:
    """Show versions and the device, for a question or a bug report."""
    from helpers.versions import show_versions

    show_versions()


if __name__ == "__main__":
    app()
