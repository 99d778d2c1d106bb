"""A student's notebook file as a list of plain cells, or one sentence that says why it is none."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field
from typing import Any

import nbformat

from helpers.grading.trouble import CannotGrade

MOST_CELLS = 2_000
MOST_TEXT = 2_000_000
"""Characters of code and text in all cells."""


@dataclass(frozen=True)
class Cell:
    """What counts of one cell of a student: neither its outputs nor most of its metadata."""

    kind: str
    """"code", "markdown" or "raw"."""
    source: str
    id: str = ""
    grade_id: str = ""
    attachments: dict[str, Any] = field(default_factory=dict)


def read_cells(content: bytes) -> tuple[list[Cell], list[str]]:
    """The cells of a notebook file, and flags for what was not as it should be.

    >>> read_cells(b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": ["x = 1"]}]}')
    ([Cell(kind='code', source='x = 1', id='', grade_id='', attachments={})], [])
    """
    flags: list[str] = []
    notebook = _load(_decode(content, flags))
    version = notebook.get("nbformat")
    if version in (1, 2, 3) and not isinstance(version, bool):
        notebook = _upgrade(notebook)
        flags.append(f"The notebook has the old format {version}; it was converted.")
    elif version != 4:
        raise CannotGrade(
            f"The notebook's format is {ascii(version)[:20]}, which this nbformat does not know. "
            "Open it in JupyterLab and save it again."
        )
    raw = notebook.get("cells")
    if not isinstance(raw, list):
        raise CannotGrade(
            "The file holds no list of cells, so it is no notebook. Ask the student for the "
            "notebook itself."
        )
    if len(raw) > MOST_CELLS:
        raise CannotGrade(f"The notebook has more than {MOST_CELLS} cells. Remove some.")
    cells = [cell for cell in map(_cell, raw) if cell]
    if len(cells) < len(raw):
        flags.append("Something that is no cell stood among the notebook's cells.")
    if sum(len(cell.source) for cell in cells) > MOST_TEXT:
        raise CannotGrade(
            f"The notebook's cells hold more than {MOST_TEXT:,} characters of code and text. "
            "Remove what does not belong there."
        )
    clean = [Cell(c.kind, _text(c.source), c.id, c.grade_id, c.attachments) for c in cells]
    if clean != cells:
        flags.append("The notebook held characters that are no text; they were replaced.")
    return clean, flags


def _decode(content: bytes, flags: list[str]) -> str:
    if not content.strip():
        raise CannotGrade("The notebook is an empty file. Ask the student to hand it in again.")
    if content.startswith(b"PK\x03\x04"):
        raise CannotGrade(
            "The file is a zip archive with the name of a notebook. Unpack it, put the notebook in "
            "its place and grade again."
        )
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
        flags.append("The notebook was saved as UTF-16 and not as UTF-8.")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise CannotGrade(
            "The notebook is not text in UTF-8; the file is damaged or something else. "
            "Ask the student to save it in JupyterLab and to hand it in again."
        ) from error


def _load(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except RecursionError as error:
        raise CannotGrade("The file nests lists too deep to be a notebook.") from error
    except ValueError as error:
        if all(re.search(f"^{mark * 7}", text, re.MULTILINE) for mark in "<=>"):
            raise CannotGrade(
                "The notebook holds both sides of a conflict that git could not merge (<<<<<<<, "
                "=======, >>>>>>>). Ask the student to keep one of them and to hand it in again."
            ) from error
        raise CannotGrade(
            "The notebook is not complete JSON; the file was cut off or damaged. Ask the student "
            "to save it in JupyterLab and to hand it in again."
        ) from error
    if not isinstance(notebook, dict):
        raise CannotGrade(
            "The file is JSON and no notebook. Ask the student for the notebook itself."
        )
    return notebook


def _upgrade(notebook: dict[str, Any]) -> dict[str, Any]:
    try:
        converted: dict[str, Any] = nbformat.convert(nbformat.from_dict(notebook), 4)
    except Exception as error:  # nbformat's converters expect sound notebooks
        raise CannotGrade(
            "The notebook has an old format and cannot be converted. Open it in JupyterLab and "
            "save it again."
        ) from error
    return converted


def _cell(raw: Any) -> Cell | None:
    if not isinstance(raw, dict) or raw.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source = raw.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    metadata = raw.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    attachments = raw.get("attachments")
    return Cell(
        kind=raw["cell_type"],
        source=source if isinstance(source, str) else "",
        id=raw["id"] if isinstance(raw.get("id"), str) else "",
        grade_id=grade_id if isinstance(grade_id, str) else "",
        attachments=attachments if isinstance(attachments, dict) else {},
    )


def _text(source: str) -> str:
    """The text without halves of surrogate pairs, which no file can hold."""
    return source.encode("utf-8", "replace").decode("utf-8")
