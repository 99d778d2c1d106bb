"""`course report`: one page about how a class did."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer


def report(
    assignment: Annotated[
        str, typer.Argument(help="The assignment's name, such as 01_activation_functions.")
    ],
    course_dir: Annotated[
        Path, typer.Option(help="The course's folder, with nbgrader_config.py and gradebook.db.")
    ] = Path(),
    output: Annotated[
        Path | None, typer.Option(help="The file to write; by default reports/ASSIGNMENT.html.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Write one page about a graded class: scores, questions, misconceptions, who needs a look."""
    warnings.filterwarnings("ignore", module="nbgrader")  # about its own use of SQLAlchemy
    from helpers.grading.class_report import class_report, page
    from helpers.grading.class_results import read_class
    from helpers.grading.trouble import CannotStart

    name = assignment.strip("/")
    place = output.absolute() if output else course_dir.absolute() / "reports" / f"{name}.html"
    try:
        students, ungraded = read_class(course_dir, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(page(class_report(name, students, ungraded)), encoding="utf-8")
    except CannotStart as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"{place} cannot be written: {error.strerror}. Name another --output.", err=True)
        raise typer.Exit(2) from None
    without = f", {len(ungraded)} without a grade" if ungraded else ""
    typer.echo(f"{len(students)} students{without}: {place}")
    if show:
        typer.launch(str(place))
