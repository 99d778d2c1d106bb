"""Turns a lesson's two notebooks into its page: a pure function, notebooks in, notebook out.

The page runs the solutions, since the experiments need them, but shows the students' stub first
and folds the solution away. Model answers and rubrics are left out: this is the one place that
decides it.
"""

from __future__ import annotations

import re
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MARK = re.compile(r"^ *### (BEGIN|END) SOLUTION *\n?", re.MULTILINE)


def lesson_page(solution: Any, released: Any, download: str) -> Any:
    """The notebook that is shown on the site.

    Args:
        solution: nbgrader's source notebook, with solutions and model answers.
        released: the students' notebook that nbgrader made from it.
        download: where the students' notebook lies, relative to the page.
    """
    stubs = {cell.id: cell.source for cell in released.cells}
    cells = []
    for cell in solution.cells:
        role = cell.metadata.get("nbgrader", {})
        if "remove-cell" in cell.metadata.get("tags", []):
            continue  # the cell for Google Colab
        if role.get("solution") and role.get("grade"):
            continue  # a model answer with its rubric
        if role.get("solution"):
            cells += [_stub(cell, stubs[cell.id]), _solution(cell)]
        elif cell.cell_type == "code":
            cells.append(new_code_cell(cell.source, id=cell.id))
        else:
            cells.append(new_markdown_cell(cell.source, id=cell.id))
    cells.insert(1, _offer(download))
    return new_notebook(cells=cells, metadata=solution.metadata)


def _offer(download: str) -> Any:
    text = (
        "This page shows the lesson with its results. To do the work yourself, open the lesson in "
        f"JupyterLab (`make lab`), or take {{download}}`the notebook with its TODOs <{download}>`."
    )
    return new_markdown_cell(text, id="offer")


def _stub(cell: Any, stub: str) -> Any:
    return new_markdown_cell(f"````python\n{stub}\n````", id=f"stub-{cell.id}"[:64])


def _solution(cell: Any) -> Any:
    """The solution, to be run at once and shown when it is asked for."""
    number = cell.id.removeprefix("todo-").replace("-", ".")
    prompts = {
        "code_prompt_show": f"Show a solution of TODO {number}",
        "code_prompt_hide": f"Hide the solution of TODO {number}",
    }
    metadata = {"tags": ["hide-input"], "mystnb": prompts}
    return new_code_cell(MARK.sub("", cell.source), id=cell.id, metadata=metadata)
