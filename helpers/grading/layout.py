"""Where an nbgrader course keeps its files, read from nbgrader's own settings."""

from __future__ import annotations

import logging
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.apps.baseapp import NbGrader
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import full_split
from traitlets import Bool, Float, Integer
from traitlets.config import LoggingConfigurable

from helpers.grading.exam import Limits
from helpers.grading.trouble import CannotStart

_DEFAULT = Limits()


class CourseGrade(LoggingConfigurable):
    """What ``course grade`` reads from nbgrader_config.py: ``c.CourseGrade.cell_seconds = 60``."""

    cell_seconds = Float(_DEFAULT.cell_seconds, help="Wall time of one cell.").tag(config=True)
    notebook_seconds = Float(
        _DEFAULT.notebook_seconds, help="Wall time of all cells and checks of a notebook."
    ).tag(config=True)
    memory = Integer(
        _DEFAULT.memory, help="Bytes of memory beyond what Python and PyTorch map."
    ).tag(config=True)
    scratch = Integer(_DEFAULT.scratch, help="Bytes of files that cells may write.").tag(
        config=True
    )
    output = Integer(_DEFAULT.output, help="Characters of output kept of one cell.").tag(
        config=True
    )

    strict = Bool(
        False, help="Whether what goes beyond a lesson counts too, instead of being noted."
    ).tag(config=True)

    def limits(self, **given: float | None) -> Limits:
        """The limits, where those that are given (and not None) come before the configured."""
        chosen: dict[str, Any] = {name: getattr(self, name) for name in _DEFAULT.__annotations__}
        chosen.update({name: value for name, value in given.items() if value is not None})
        return Limits(**chosen)


@dataclass(frozen=True)
class Place:
    """A folder below the course's: up to `trusted` links are followed, from there on never."""

    trusted: Path
    below: tuple[str, ...]

    @property
    def path(self) -> Path:
        return self.trusted.joinpath(*self.below)


class Course:
    """A course folder: nbgrader's settings, directories and gradebook."""

    def __init__(self, app: NbGrader) -> None:
        self.app = app
        self.coursedir: CourseDirectory = app.coursedir
        self.autograde = Autograde(coursedir=self.coursedir, parent=app)
        self.settings = CourseGrade(parent=app)
        self.root = Path(self.coursedir.root)

    @property
    def db_url(self) -> str:
        return str(self.coursedir.db_url)

    def state(self, assignment: str) -> Path:
        """Where the grader keeps its journal, results and the secret seed of a run."""
        return self.root / ".grading" / assignment

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """The folder of a step such as ``"autograded"``, where the settings put it."""
        directory = getattr(self.coursedir, f"{step}_directory")
        return Path(os.path.normpath(self.coursedir.format_path(directory, student, assignment)))

    def submitted(self, assignment: str) -> Path:
        """The folder that holds the folders of the students."""
        parts, step = self._structure(), self.coursedir.submitted_directory
        above = parts[: self._free(parts)]
        return self.root.joinpath(
            *(part.format(nbgrader_step=step, assignment_id=assignment) for part in above)
        )

    def submissions(self, assignment: str) -> dict[str, Place]:
        """The submitted folders by student, in alphabetical order."""
        parts, step = self._structure(), self.coursedir.submitted_directory
        free, trusted = self._free(parts), self.submitted(assignment)
        form = re.escape(parts[free]).replace(re.escape("{student_id}"), "(?P<student>.+)")
        form = form.replace(re.escape("{nbgrader_step}"), re.escape(step))
        form = form.replace(re.escape("{assignment_id}"), re.escape(assignment))
        found: dict[str, Place] = {}
        for name in sorted(os.listdir(trusted)) if trusted.is_dir() else []:
            match = re.fullmatch(form, name)
            if match and not name.startswith("."):
                student = match["student"]
                names = {"nbgrader_step": step, "student_id": student, "assignment_id": assignment}
                below = (name, *(part.format(**names) for part in parts[free + 1 :]))
                place = Place(trusted, below)
                if os.path.lexists(place.path):
                    found[student] = place
        return found

    def _structure(self) -> list[str]:
        return list(full_split(self.coursedir.directory_structure))

    @staticmethod
    def _free(parts: list[str]) -> int:
        """The place of the student's name in a path."""
        return next(i for i, part in enumerate(parts) if "{student_id}" in part)


def open_course(folder: Path) -> Course:
    """Reads nbgrader's settings as nbgrader does, in the course's folder.

    It changes into that folder, as nbgrader's own commands do, and puts the folder of this
    Python's programs first on PATH, where nbgrader looks for ``alembic``.
    """
    if not folder.is_dir():
        raise CannotStart(f"{folder} is no folder. Name the course's folder with --course-dir.")
    root = str(folder.resolve())
    os.chdir(root)
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PATH", os.defpath)]))
    app = NbGrader(log_level=logging.ERROR)
    app.raise_config_file_errors = True
    app.coursedir = CourseDirectory(parent=app, root=root)
    app.init_syspath()
    try:
        app.load_config_file()
    except (Exception, SystemExit) as error:
        raise CannotStart(
            f"nbgrader_config.py in {root} cannot be read: {type(error).__name__}: {error}. "
            "Repair the file; `nbgrader generate_config` writes a fresh one."
        ) from error
    app.coursedir.root = root
    return Course(app)
