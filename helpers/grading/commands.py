"""`course grade`: grade an assignment's submissions into nbgrader's gradebook."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from helpers.grading.quick_imports import quick_imports

if TYPE_CHECKING:
    from helpers.grading.run import Options, Report


def grade(
    assignment: Annotated[
        str, typer.Argument(help="The assignment's name, such as 01_activation_functions.")
    ],
    course_dir: Annotated[
        Path, typer.Option(help="The course's folder, with nbgrader_config.py and gradebook.db.")
    ] = Path(),
    student: Annotated[
        list[str] | None, typer.Option(help="Grade only this student; may be given repeatedly.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Worker processes; 0 means one for each core.")
    ] = 0,
    scheduler: Annotated[
        str, typer.Option(help="Address of a Dask scheduler whose workers examine.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Grade again what was graded.")] = False,
    resume: Annotated[
        bool, typer.Option(help="Whether to continue a run that was interrupted.")
    ] = True,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the report to this file too.")
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox/--no-sandbox",
            help="Without it students' code runs as you, with your rights.",
        ),
    ] = True,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Write the students' feedback pages too.")
    ] = False,
    cell_seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Wall time of one cell of a student.")
    ] = None,
    notebook_seconds: Annotated[
        float | None, typer.Option(min=1, help="Wall time of all cells of a notebook.")
    ] = None,
) -> None:
    """Grade the submissions of an assignment; the same command continues where it was."""
    _open_standard_files()
    warnings.filterwarnings("ignore", module="nbgrader")  # about its own use of SQLAlchemy
    where = json_file.absolute() if json_file else None
    if not scheduler:
        from helpers.grading.pool import prepare

        prepare(sandbox)
    _leave_out_slow_imports()
    with quick_imports(for_good=True):
        from helpers.grading.run import Options
        from helpers.grading.trouble import CannotStart, Stopped

    console = Console(stderr=True, highlight=False)
    options = Options(
        assignment=assignment.strip("/"),
        course_dir=course_dir,
        students=student or (),
        workers=workers,
        scheduler=scheduler,
        force=force,
        resume=resume,
        sandbox=sandbox,
        feedback=feedback,
        cell_seconds=cell_seconds,
        notebook_seconds=notebook_seconds,
    )
    try:
        if where and not where.parent.is_dir():
            raise CannotStart(f"{where.parent} is no folder. Name another file with --json.")
        report = _watched(options, console)
    except (CannotStart, Stopped) as error:
        console.print(escape(str(error)), soft_wrap=True)
        raise typer.Exit(2) from error
    _summary(report, console)
    if where:
        where.write_text(json.dumps(report.to_json(), indent=1), encoding="utf-8")
    raise typer.Exit(0 if report.complete else 1)


def _leave_out_slow_imports() -> None:
    """jsonschema imports this if it can, to check addresses with letters beyond ASCII. It compiles
    a grammar for a second, and no notebook's format has such an address.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def _open_standard_files() -> None:
    """Gives the numbers 0, 1 and 2 to the null device where they are closed, before another file
    or a worker's pipe gets one of them."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
            setattr(sys, name, os.fdopen(number, "w" if number else "r"))


def _watched(options: Options, console: Console) -> Report:
    """The run, with a bar that shows how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    from helpers.grading.run import grade as run

    text = TextColumn("{task.description}", markup=False)
    columns = (text, BarColumn(), MofNCompleteColumn(), TimeLeft(), TextColumn("left"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(options.assignment, total=None)

        def watch(done: int, total: int, student: str) -> None:
            bar.update(task, completed=done, total=total)

        return run(options, watch)


def _summary(report: Report, console: Console) -> None:
    """What was done, and for each submission that was not, why and what to do."""
    for message in report.messages:
        console.print(escape(message), soft_wrap=True)
    for name, one in sorted(report.students.items()):
        for flag in one.flags:
            console.print(f"{escape(name)}: {escape(flag)}", soft_wrap=True)
    failed = {name: one for name, one in sorted(report.students.items()) if one.errors}
    for name, one in failed.items():
        for error in one.errors:
            console.print(f"[bold]{escape(name)}[/]: {escape(error)}", soft_wrap=True)
    for sentence in report.misplaced:
        console.print(escape(sentence), soft_wrap=True)
    if report.stopped:
        console.print(escape(report.stopped), soft_wrap=True)
    waiting = sum(bool(one.needs_manual_grade) for one in report.students.values())
    console.print(
        f"{report.assignment}: {report.graded} graded, {report.skipped} graded before and "
        f"unchanged, {len(failed)} with errors, {waiting} waiting for points by hand "
        f"({report.seconds:.1f} s).",
        soft_wrap=True,
    )
