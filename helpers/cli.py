"""The `course` command."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from helpers.grading.commands import grade
from helpers.grading.report_command import report
from helpers.grading.sandbox.commands import sandbox

app = typer.Typer(
    help="The PyTorch course: open it, see how far you are, grade it.",
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
    port: Annotated[int, typer.Option(help="The first port to try.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Whether to open a browser.")] = True,
    host: Annotated[
        str, typer.Option(help="The address to listen at; 0.0.0.0 inside a container.")
    ] = "localhost",
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
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(16)
    chosen = _free_port(port)
    page = f"lab/tree/{notebook.as_posix()}"
    typer.echo(f"JupyterLab is starting with lesson {first.number:02d}. If no browser opens, open")
    typer.echo(f"  http://localhost:{chosen}/{page}?token={token}")
    typer.echo("Stop it with Ctrl+C in this window; your work is saved by JupyterLab.")
    command, settings = _lab_command(host, chosen, page, browser), _lab_settings(token)
    if sys.platform == "win32":
        raise typer.Exit(subprocess.call(command, env=settings))
    sys.stdout.flush()
    os.execve(sys.executable, command, settings)  # so that stopping this stops JupyterLab


def _free_port(first: int) -> int:
    """The first port from `first` on that no other program uses."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    return first


def _lab_command(host: str, port: int, page: str, browser: bool) -> list[str]:
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={Path.cwd()}",
        f"--ServerApp.ip={host}",
        f"--ServerApp.port={port}",
        f"--LabApp.default_url=/{page}",
        "--Application.log_level=ERROR",
    ]
    if sys.platform != "win32":  # a login shell, the default, may forget the PATH set below
        shell = [os.environ.get("SHELL") or "sh"]
        command.append(f"--ServerApp.terminado_settings=shell_command={shell}")
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often no other user
    return command


def _lab_settings(token: str) -> dict[str, str]:
    """The environment of JupyterLab: no question about news, and the programs of this Python,
    so that `course` and `nbgrader` work in its terminals and pages without an activated .venv.
    """

    def before(ours: Path, name: str) -> str:
        return os.pathsep.join(filter(None, [str(ours), os.environ.get(name)]))

    return {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_PATH": before(
            Path(__file__).parent / "lab_settings", "JUPYTER_CONFIG_PATH"
        ),
        "JUPYTER_PATH": before(Path(__file__).parent / "lab_settings", "JUPYTER_PATH"),
        "PATH": before(Path(sys.executable).parent, "PATH"),
    }


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


app.command()(grade)
app.command()(report)
app.command()(sandbox)


if __name__ == "__main__":
    app()
