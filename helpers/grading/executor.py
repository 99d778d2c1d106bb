"""nbgrader's own `nbgrader autograde`, with students' code in the sandbox.

One line in nbgrader_config.py switches it on:

    c.Autograde.autograde_preprocessors = sandboxed_autograde()

with ``from helpers.grading.executor import sandboxed_autograde`` above it. `course grade` is
faster and repairs damaged notebooks; this is for those who want to keep nbgrader's command.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from helpers.grading.exam import Exam
from helpers.grading.examiner import examine
from helpers.grading.harmless import safe_outputs
from helpers.grading.layout import CourseGrade, Place
from helpers.grading.reading import read_submission

_SEED = secrets.randbits(62)
"""The secret from which the cases of this run of nbgrader are drawn."""


def sandboxed_autograde() -> list[Any]:
    """nbgrader's steps of autograding, with the sandbox where it would start a kernel.

    >>> [step.__name__ for step in sandboxed_autograde()][0]
    'ExecuteInSandbox'
    """
    steps = Autograde.autograde_preprocessors.default_args[0]
    return [ExecuteInSandbox if issubclass(step, ExecutePreprocessor) else step for step in steps]


class ExecuteInSandbox(NbGraderPreprocessor):
    """Runs the cells of a notebook in the sandbox, and judges its checks outside.

    nbgrader has put the graded cells back as they were released before it comes here.
    """

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        names = resources["nbgrader"]
        for position, cell in enumerate(nb.cells):
            cell.setdefault("id", f"cell-{position}")
        exam = Exam(
            assignment=names["assignment"],
            notebook=json.loads(json.dumps(nb)),
            given=self._given(names["assignment"], names["notebook"]),
            files=self._files(names["student"], names["notebook"], resources),
            seed=_SEED,
            limits=CourseGrade(parent=self).limits(),
        )
        findings = examine(exam)
        for flag in findings.flags:
            self.log.warning("%s: %s", names["student"], flag)
        for cell in nb.cells:
            if cell.cell_type == "code":
                outputs = safe_outputs(findings.outputs.get(cell.id, []))
                cell.outputs = nbformat.from_dict(outputs)
        return nb, resources

    def _given(self, assignment: str, notebook: str) -> tuple[str, ...]:
        """The ids of the released cells that are not graded; none, if there is no release."""
        course = CourseDirectory(parent=self)
        folder = course.format_path(course.release_directory, ".", assignment)
        file = Path(folder) / f"{notebook}.ipynb"
        if not file.is_file():
            return ()
        cells = nbformat.read(file, as_version=4).cells
        return tuple(cell.id for cell in cells if not cell.metadata.get("nbgrader"))

    def _files(self, student: str, notebook: str, resources: dict[str, Any]) -> dict[str, bytes]:
        """What nbgrader has laid beside the notebook."""
        folder = Path(resources["metadata"]["path"])
        place = Place(folder.parent, (folder.name,))
        return read_submission(student, place, notebook, ()).files
