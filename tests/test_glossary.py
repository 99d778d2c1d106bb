"""The glossary holds every term that a lesson introduces, once, and names the right lesson."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import pytest

from helpers.course import LESSONS, Lesson

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
LEAD_INS = {"What we saw", "Explain", "Common mistakes", "Sources"}
"""In lessons bold type introduces a term, leads in a paragraph with one of these or with a sentence,
asks the thinking question, or marks a number. What is only stressed stands in italics."""


class Entry(NamedTuple):
    term: str
    text: str

    @property
    def forms(self) -> set[str]:
        """The term and its other forms, in bold inside the entry."""
        bold = re.findall(r"\*\*(.+?)\*\*", self.text, re.DOTALL)
        return {" ".join(form.split()).casefold() for form in (self.term, *bold)}

    @property
    def lesson(self) -> Lesson:
        (link,) = re.findall(r"^Lesson \[(.+?)\]\((.+?)\)$", self.text, re.MULTILINE)
        (found,) = (x for x in LESSONS if link[0] == f"{x.number:02d} {x.title}")
        assert link[1] == f"../notebooks/{found.folder}/{found.slug}.ipynb"
        assert (GLOSSARY.parent / link[1]).is_file()
        return found


def entries() -> list[Entry]:
    parts = re.split(r"^## (.+)\n", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [Entry(term, text) for term, text in zip(parts[1::2], parts[2::2], strict=True)]


ENTRIES = entries()
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.term)


@cache
def cells(lesson: Lesson) -> list[str]:
    """What stands in a lesson, cell by cell, without the model answers."""
    source = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
    made = jupytext.read(source, fmt="py:percent").cells
    return [cell.source for cell in made if "question" not in cell.metadata]


def bold_terms(lesson: Lesson) -> list[str]:
    found = []
    for text in cells(lesson):
        prose = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        for bold in re.findall(r"\*\*([^*]+?)\*\*", prose):
            words = " ".join(bold.split())
            if words not in LEAD_INS and not re.search(r"[.:?!\d$(]", words):
                found.append(words)
    return [words for words in found if len(words.split()) <= 4]


def test_there_are_entries_and_they_are_sorted() -> None:
    terms = [entry.term for entry in ENTRIES]
    assert len(terms) >= 60
    assert terms == sorted(terms, key=str.casefold)
    forms = [form for entry in ENTRIES for form in entry.forms]
    assert len(forms) == len(set(forms)), "a term has two entries"


@each_entry
def test_an_entry_explains_in_a_few_sentences(entry: Entry) -> None:
    prose = entry.text.split("\nLesson [")[0]
    assert 1 <= len(re.findall(r"[.?](?:\*|\s|$)", prose.strip())) <= 5
    assert len(prose.split()) >= 10


@each_entry
def test_the_term_stands_in_its_lesson(entry: Entry) -> None:
    text = " ".join(" ".join(cells(entry.lesson)).replace("\n# ", " ").split()).casefold()
    assert any(form in text for form in entry.forms), (
        f"{entry.term} does not occur in lesson {entry.lesson.number:02d}"
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
def test_every_term_of_a_lesson_has_an_entry(lesson: Lesson) -> None:
    introduced = {form: entry.lesson for entry in ENTRIES for form in entry.forms}
    for term in bold_terms(lesson):
        home = introduced.get(term.casefold())
        assert home, f"{term!r} is bold in lesson {lesson.number:02d} and has no glossary entry"
        assert home.number <= lesson.number, f"{term!r} is introduced in an earlier lesson"


@pytest.mark.parametrize("page", ["README.md", "docs/students.md", "solutions/00_start_here"])
def test_readers_find_the_glossary(page: str) -> None:
    where = ROOT / page
    text = "".join(cells(LESSONS[0])) if where.is_dir() else where.read_text(encoding="utf-8")
    assert "glossary.md)" in text
