"""Steps that nbgrader runs while it makes the students' version of a notebook."""

from __future__ import annotations

from typing import Any

from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor


class TagChecks(NbGraderPreprocessor):
    """Lets 'Run All' pass over a graded check that fails.

    JupyterLab and nbval go on after a failing cell that has the tag `raises-exception`. Students'
    checks fail until their TODO is done; in the solution notebooks a failing check must stop
    everything, so the tag is added only here, on the way to the students.
    """

    def preprocess_cell(
        self, cell: Any, resources: dict[str, Any], cell_index: int
    ) -> tuple[Any, dict[str, Any]]:
        if cell.cell_type == "code" and utils.is_grade(cell):
            tags = set(cell.metadata.get("tags", [])) | {"raises-exception"}
            cell.metadata["tags"] = sorted(tags)
        return cell, resources
