"""Finds notebooks of an assignment where no submission is looked for, so that none is overlooked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from helpers.grading.layout import Course

DEPTH = 2
"""How many folders below that of the students are looked into."""


def misplaced(course: Course, assignment: str, notebook: str) -> list[str]:
    """One sentence for each notebook that lies in no student's folder, and for each with the
    lesson's name in the folder of a student who has none for this lesson.
    """
    top = course.submitted(assignment)
    known = {place.trusted / place.below[0] for place in course.submissions(assignment).values()}
    where = course.folder("submitted", "STUDENT", assignment)
    return [
        f"{path} was not graded, since it lies in no student's folder "
        f"for this lesson. Move it to {where}."
        for path in _notebooks(top, DEPTH)
        if path.parent == top
        or (
            notebook.lower() in path.name.lower()
            and not any(folder in path.parents for folder in known)
        )
    ]


def _notebooks(folder: Path, depth: int) -> Iterator[Path]:
    """The files that are called like notebooks, without following links."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in found:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False) and depth:
            yield from _notebooks(folder / entry.name, depth - 1)
        elif entry.name.lower().endswith(".ipynb"):
            yield folder / entry.name
