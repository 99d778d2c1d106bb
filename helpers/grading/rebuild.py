"""The notebook to be graded: what the student wrote, in what the instructor made.

Locked cells, points and all metadata come from the source; the student's order of cells and his
own cells stay. Where nbgrader repairs a notebook the same is done; beyond that, missing cells are
added again and cells that lost their marks are recognised. Every repair is a flag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from helpers.grading.cells import Cell
from helpers.grading.harmless import as_text, safe_attachments, safe_markdown
from helpers.grading.source import Source, SourceCell
from helpers.grading.trouble import CannotGrade


@dataclass(frozen=True)
class Rebuilt:
    """A notebook that can be trusted but for the sources of the student's cells."""

    notebook: dict[str, Any]
    """nbformat 4."""
    given: tuple[str, ...]
    """Ids of the cells that the release has too and that are not graded."""
    unchanged: tuple[str, ...]
    """Those of them that have the release's own text."""
    lost: dict[str, str]
    """The code of released cells that are not graded and not there, by id."""
    flags: tuple[str, ...]
    recognised: int
    """How many of the source's cells the student's notebook had."""


def rebuild(cells: Sequence[Cell], source: Source) -> Rebuilt:
    """The notebook of a student, rebuilt from the source by grade id."""
    work = _Rebuilding(source, cells)
    work.find_by_mark()
    found = len(work.owner)
    work.find_by_trace()
    if not work.owner:
        raise CannotGrade(
            f"None of the cells of {source.notebook} is in this notebook. It is probably the "
            "notebook of another lesson; ask the student for the right one."
        )
    rebuilt = work.build()
    work.add_missing(rebuilt)
    given = {cell["id"]: cell["source"] for cell in rebuilt if work.is_given(cell)}
    unchanged = (name for name, text in given.items() if text == source.released[name])
    notebook = {
        "cells": rebuilt,
        "metadata": {"kernelspec": source.kernelspec, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    if not source.kernelspec:
        del notebook["metadata"]["kernelspec"]  # type: ignore[attr-defined]
    lost = {name: source.released[name] for name in source.programs if name not in given}
    known = max(found, len(work.owner))
    return Rebuilt(notebook, tuple(given), tuple(unchanged), lost, tuple(work.flags), known)


class _Rebuilding:
    """Finds the cell of each grade id and puts the notebook together."""

    def __init__(self, source: Source, cells: Sequence[Cell]) -> None:
        self.source = source
        self.cells = cells
        self.known = {cell.grade_id: cell for cell in source.cells}
        self.owner: dict[str, int] = {}
        """Position of the student's cell that counts, by grade id."""
        self.flags: list[str] = []

    def find_by_mark(self) -> None:
        """The cells that carry nbgrader's grade id; of several, the last, as in nbgrader."""
        for position, cell in enumerate(self.cells):
            if cell.grade_id in self.known:
                if cell.grade_id in self.owner:
                    self._flag(f"The cell {cell.grade_id} stands there twice; the last one counts.")
                self.owner[cell.grade_id] = position

    def find_by_trace(self) -> None:
        """The cells that lost the grade id and can be recognised all the same."""
        free = [
            position
            for position, cell in enumerate(self.cells)
            if cell.grade_id not in self.known and cell.source.strip()
        ]
        found: dict[str, list[str]] = {}
        for wanted in self.source.cells:
            if wanted.grade_id in self.owner:
                continue
            for trace, fits in _TRACES:
                matches = [p for p in free if fits(self.cells, p, wanted, self.source)]
                if matches:
                    self.owner[wanted.grade_id] = matches[-1]
                    free.remove(matches[-1])
                    found.setdefault(trace, []).append(wanted.grade_id)
                    break
        for trace, names in found.items():
            self._flag(_recognised(trace, names))

    def build(self) -> list[dict[str, Any]]:
        """The student's cells in his order, with the source's metadata and locked text."""
        grade_id_at = {position: grade_id for grade_id, position in self.owner.items()}
        taken = set(self.source.ids.values())
        rebuilt = []
        for position, cell in enumerate(self.cells):
            if position in grade_id_at:
                rebuilt.append(self._owned(cell, self.known[grade_id_at[position]]))
            else:
                name = cell.id
                if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) or name in taken:
                    name = next(n for n in _names(position) if n not in taken)
                taken.add(name)
                rebuilt.append(self._free(cell, name))
        return rebuilt

    def add_missing(self, rebuilt: list[dict[str, Any]]) -> None:
        """Adds the source's cells that are not there, each behind the one before it."""
        order = [cell.grade_id for cell in self.source.cells]
        for number, wanted in enumerate(self.source.cells):
            if wanted.grade_id in self.owner:
                continue
            place = {_grade_id(cell): i for i, cell in enumerate(rebuilt) if _grade_id(cell)}
            before = [place[other] + 1 for other in order[:number] if other in place]
            after = [place[other] for other in order[number:] if other in place]
            rebuilt.insert((before or [0])[-1] if before else min(after), self._added(wanted))
            if wanted.grade:
                self._flag(f"The graded cell {wanted.grade_id} was missing; it was added again.")
            else:
                self._flag(f"The cell {wanted.grade_id} was missing, so it counts as untouched.")

    def is_given(self, cell: dict[str, Any]) -> bool:
        return not _grade_id(cell) and cell["id"] in self.source.released

    def _owned(self, cell: Cell, wanted: SourceCell) -> dict[str, Any]:
        if cell.kind != wanted.cell_type:
            self._flag(
                f"The cell {wanted.grade_id} was turned from {wanted.cell_type} into {cell.kind}; "
                "it was turned back."
            )
        text = cell.source
        if wanted.locked and text != wanted.source:
            self._flag(f"The locked cell {wanted.grade_id} was changed; its own text counts.")
            text = wanted.source
        return self._cell(wanted, text, cell.attachments)

    def _added(self, wanted: SourceCell) -> dict[str, Any]:
        return self._cell(wanted, wanted.source, {})

    def _cell(self, wanted: SourceCell, text: str, attachments: dict[str, Any]) -> dict[str, Any]:
        name = self.source.ids[wanted.grade_id]
        if wanted.cell_type == "code":
            return _code(name, text, wanted.metadata())
        return self._markdown(name, text, attachments, wanted.metadata(), wanted.locked)

    def _free(self, cell: Cell, name: str) -> dict[str, Any]:
        if cell.kind == "code":
            return _code(name, cell.source, {})
        if cell.kind == "raw":
            return _markdown(name, as_text(cell.source), {}, {})
        trusted = self.source.released.get(name) == cell.source
        return self._markdown(name, cell.source, cell.attachments, {}, trusted)

    def _markdown(
        self,
        name: str,
        text: str,
        attachments: dict[str, Any],
        metadata: dict[str, Any],
        trusted: bool,
    ) -> dict[str, Any]:
        pictures = safe_attachments(attachments)
        shown = text if trusted else safe_markdown(text, pictures)
        if shown != text:
            self._flag(
                f"The text of cell {name} holds HTML that could act in a browser; it is shown "
                "as typed."
            )
        return _markdown(name, shown, pictures, metadata)

    def _flag(self, sentence: str) -> None:
        if sentence not in self.flags:
            self.flags.append(sentence)


def _same_id(cells: Sequence[Cell], at: int, wanted: SourceCell, source: Source) -> bool:
    return cells[at].id == source.ids[wanted.grade_id]


def _same_check(cells: Sequence[Cell], at: int, wanted: SourceCell, source: Source) -> bool:
    same = cells[at].source.strip() == wanted.source.strip()
    return wanted.is_check and cells[at].kind == "code" and same


def _same_first_line(cells: Sequence[Cell], at: int, wanted: SourceCell, source: Source) -> bool:
    """`# TODO 1.2: ...`, up to the colon."""
    mark = re.match(r"# TODO [\w.]+:", wanted.source)
    return wanted.solution and mark is not None and cells[at].source.lstrip().startswith(mark[0])


def _same_place(cells: Sequence[Cell], at: int, wanted: SourceCell, source: Source) -> bool:
    """An answer in words, right behind its question."""
    question = source.questions.get(wanted.grade_id, "").strip()
    asked = at > 0 and question and cells[at - 1].source.strip() == question
    given = {text.strip() for text in source.released.values()}
    own = cells[at].kind == wanted.cell_type and cells[at].source.strip() not in given
    return bool(asked and own)


_TRACES = (
    ("id", _same_id),
    ("text", _same_check),
    ("first line", _same_first_line),
    ("place", _same_place),
)


def _recognised(trace: str, names: Sequence[str]) -> str:
    """One sentence about all cells that were found by a trace.

    >>> _recognised("id", ["a", "b", "c", "d", "e"])
    "The cells a, b, c and 2 more had lost nbgrader's marks; they were recognised by their ids."
    """
    if len(names) == 1:
        return f"The cell {names[0]} had lost nbgrader's mark; it was recognised by its {trace}."
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"The cells {', '.join(names[:3])}{more} had lost nbgrader's marks; they were recognised "
        f"by their {trace}s."
    )


def _names(position: int) -> Any:
    yield f"extra-{position}"
    number = 1
    while True:
        yield f"extra-{position}-{number}"
        number += 1


def _grade_id(cell: dict[str, Any]) -> str:
    grade_id: str = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
    return grade_id


def _code(name: str, text: str, metadata: dict[str, Any]) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "id": name, "metadata": metadata, "source": text, **empty}


def _markdown(
    name: str, text: str, pictures: dict[str, Any], metadata: dict[str, Any]
) -> dict[str, Any]:
    cell = {"cell_type": "markdown", "id": name, "metadata": metadata, "source": text}
    return {**cell, "attachments": pictures} if pictures else cell
