"""Files that are no notebooks, each with its sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.grading.cells import read_cells
from helpers.grading.trouble import CannotGrade

SOUND: dict[str, Any] = {
    "nbformat": 4,
    "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1"}],
}


def notebook(**changes: Any) -> bytes:
    return json.dumps({**SOUND, **changes}).encode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (notebook()[:-20], "not complete JSON"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        (b"PK\x03\x04\x14", "a zip archive with the name of a notebook. Unpack it"),
        (
            notebook().replace(b"{", b"{\n<<<<<<< a\n=======\n>>>>>>> b\n", 1),
            "a conflict that git could not merge",
        ),
        (notebook().replace(b"x = 1", "x = é".encode("latin-1")), "not text in UTF-8"),
        (b"[1, 2]", "JSON and no notebook"),
        (b"{}", "format is None"),
        (b"[" * 200_000, "too deep"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "not complete JSON"),
        (notebook(nbformat=5), "format is 5"),
        (notebook(nbformat="4"), "format is '4'"),
        (notebook(nbformat=3, worksheets=7), "old format and cannot be converted"),
        (notebook(cells={"a": 1}), "no list of cells"),
        (notebook(cells=SOUND["cells"] * 2001), "more than 2000 cells"),
        (notebook(cells=[{**SOUND["cells"][0], "source": "x" * 2_000_001}]), "2,000,000 char"),
    ],
)
def test_no_notebook(content: bytes, sentence: str) -> None:
    with pytest.raises(CannotGrade, match=sentence):
        read_cells(content)


def test_lenient_where_nothing_is_lost() -> None:
    plain, flags = read_cells(notebook())
    assert [(c.kind, c.source, c.id) for c in plain] == [("code", "x = 1", "a")]
    assert flags == []
    assert read_cells(b"\xef\xbb\xbf" + notebook()) == (plain, [])
    wide, flags = read_cells(notebook().decode().encode("utf-16"))
    assert wide == plain
    assert flags == ["The notebook was saved as UTF-16 and not as UTF-8."]


def test_format_3_is_converted() -> None:
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {},
        "worksheets": [
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "input": "x = 1",
                        "language": "python",
                        "outputs": [],
                        "metadata": {"nbgrader": {"grade_id": "todo"}},
                    }
                ]
            }
        ],
    }
    (cell,), flags = read_cells(json.dumps(old).encode())
    assert (cell.source, cell.grade_id) == ("x = 1", "todo")
    assert flags == ["The notebook has the old format 3; it was converted."]


def test_strange_cells_are_passed_over_or_made_plain() -> None:
    strange = [
        7,
        {"cell_type": "video"},
        {"cell_type": "code", "source": ["a", 1, "b"], "metadata": [], "id": 7},
        {"cell_type": "markdown", "source": None, "metadata": {"nbgrader": {"grade_id": {}}}},
        {"cell_type": "raw", "source": "half \ud800", "attachments": 3},
    ]
    cells, flags = read_cells(notebook(cells=strange))
    assert [cell.source for cell in cells] == ["ab", "", "half ?"]
    assert [(cell.id, cell.grade_id, cell.attachments) for cell in cells] == [("", "", {})] * 3
    assert len(flags) == 2
