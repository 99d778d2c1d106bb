"""The pages beside the lessons: they run, every line is proved, and their links lead back."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.course import LESSONS

ROOT = Path(__file__).resolve().parent.parent.parent
CONVENTIONS = ROOT / "notebooks" / "conventions.ipynb"


@pytest.mark.slow
def test_the_conventions_are_proved_by_running_them() -> None:
    notebook = nbformat.read(CONVENTIONS, as_version=4)
    where = {"metadata": {"path": str(CONVENTIONS.parent)}}
    NotebookClient(notebook, timeout=1200, kernel_name="python3", resources=where).execute()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type == "stream" and output.name == "stdout"


def test_every_convention_has_a_cell_that_asserts() -> None:
    asserted: dict[str, int] = {}
    section = ""
    for cell in nbformat.read(CONVENTIONS, as_version=4).cells:
        headings = re.findall(r"^## (\d\. .*)$", cell.source, re.MULTILINE)
        section = headings[-1] if headings else section
        if cell.cell_type == "markdown" and headings:
            asserted.setdefault(section, 0)
        elif cell.cell_type == "code" and section:
            asserted[section] += len(re.findall(r"^assert ", cell.source, re.MULTILINE))
    rows = re.findall(
        r"^\| \d \|", CONVENTIONS.read_text(encoding="utf-8").replace('"', "\n"), re.M
    )
    assert len(asserted) == len(rows) == 6
    assert all(count >= 2 for count in asserted.values())


def test_the_conventions_link_back_to_the_lessons() -> None:
    text = "\n".join(cell.source for cell in nbformat.read(CONVENTIONS, as_version=4).cells)
    links = set(re.findall(r"\]\(([^)]+\.ipynb)\)", text))
    lessons = {f"{lesson.folder}/{lesson.slug}.ipynb" for lesson in LESSONS}
    assert "00_start_here/start_here.ipynb" in links
    for link in links:
        assert re.fullmatch(r"\d\d_(\w+)/\1\.ipynb", link)
        if link in lessons and (ROOT / "solutions" / Path(link).parent).is_dir():
            assert (CONVENTIONS.parent / link).is_file()
