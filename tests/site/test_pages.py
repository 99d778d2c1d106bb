"""The built pages: links, pictures, what is folded away, and what must not be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import jupytext
import pytest
from bs4 import BeautifulSoup

from helpers.course import LESSONS, Lesson

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent.parent
EXECUTED = LESSONS[:2]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Any]:
    """Every page by its file, parsed."""
    found = {
        file: BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        for file in sorted(site.rglob("*.html"))
    }
    assert len(found) > len(LESSONS) + 6
    return found


def lesson_file(site: Path, lesson: Lesson) -> Path:
    return site / "notebooks" / lesson.folder / f"{lesson.slug}.html"


def addresses(page: Any) -> Iterator[tuple[str, str]]:
    """Every address that a page names, with the name of its element."""
    for attribute in ("href", "src", "data", "poster", "action"):
        for element in page.find_all(attrs={attribute: True}):
            yield element.name, element[attribute]


def test_no_link_is_broken(site: Path, pages: dict[Path, Any]) -> None:
    anchors = {
        file: {element["id"] for element in page.find_all(id=True)} for file, page in pages.items()
    }
    seen = 0
    for file, page in pages.items():
        for _, address in addresses(page):
            if re.match(r"[a-z]+:|//", address):
                continue
            path, anchor = urldefrag(unquote(address).split("?")[0])
            target = (file.parent / path).resolve() if path else file
            assert target.is_relative_to(site.resolve()), f"{file.name} leaves the site: {address}"
            assert target.is_file(), f"{file.name} links to {address}"
            if anchor and target in anchors and file != site / "search.html":
                assert anchor in anchors[target], f"{file.name} links to {address}"
            seen += 1
    assert seen > 500


def test_every_picture_has_alternative_text(pages: dict[Path, Any]) -> None:
    pictures = [(file, image) for file, page in pages.items() for image in page.find_all("img")]
    assert len(pictures) >= 10
    for file, image in pictures:
        assert len(image.get("alt", "").strip()) > 20, f"{file.name}: {image}"


def test_nothing_is_loaded_from_outside(site: Path, pages: dict[Path, Any]) -> None:
    for file, page in pages.items():
        for name, address in addresses(page):
            outside = re.match(r"[a-z]+:|//", address) and not address.startswith("data:")
            assert not outside or name == "a", f"{file.name} loads {address}"
    for file in [*site.rglob("*.css"), *site.rglob("*.html")]:
        found = re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", file.read_text())
        assert not found, f"{file.name} loads {found}"


@each_lesson
def test_no_model_answer_is_on_the_site(site: Path, lesson: Lesson) -> None:
    source = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
    cells = jupytext.read(source, fmt="py:percent").cells
    secrets = [
        letters(line)
        for cell in cells
        if "question" in cell.metadata
        for line in cell.source.splitlines()
        if len(letters(line)) > 25
    ]
    assert len(secrets) > 5
    texts = [letters(file.read_text(encoding="utf-8")) for file in published(site)]
    assert any(letters(lesson.title) in text for text in texts)
    for secret in secrets:
        assert not any(secret in text for text in texts), secret
    page = lesson_file(site, lesson).read_text(encoding="utf-8")
    assert "Model answer" not in page and "Rubric" not in page


def letters(text: str) -> str:
    """A text without tags, marks and spaces, so that only its words are compared."""
    return re.sub(r"[\W_]", "", re.sub(r"<[^>]*>", "", text))


def published(site: Path) -> list[Path]:
    """Every file in which a text could stand; none of the sources' folders is among them."""
    files = [file for file in site.rglob("*") if file.suffix in {".html", ".ipynb", ".js", ".txt"}]
    assert {".html", ".ipynb", ".js"} <= {file.suffix for file in files}
    assert not any("solutions" in file.relative_to(site).parts for file in site.rglob("*"))
    return files


@each_lesson
def test_every_solution_is_folded_below_its_stub(
    site: Path, pages: dict[Path, Any], lesson: Lesson
) -> None:
    page = pages[lesson_file(site, lesson)]
    folds = page.select("div.cell > details.hide")
    shown = [fold.summary.get_text() for fold in folds]
    assert len(folds) == len(lesson.todos)
    for todo, fold, words in zip(lesson.todos, folds, shown, strict=True):
        assert f"Show a solution of TODO {todo.number}" in words
        assert "open" not in fold.attrs
        stub = fold.find_previous("pre").get_text()
        assert stub.startswith(f"# TODO {todo.number}: ")
        assert "raise NotImplementedError()" in stub
        assert "raise NotImplementedError()" not in fold.find("pre").get_text()


@pytest.mark.parametrize("lesson", EXECUTED, ids=lambda lesson: lesson.folder)
def test_results_are_shown(site: Path, pages: dict[Path, Any], lesson: Lesson) -> None:
    page = pages[lesson_file(site, lesson)]
    outputs = page.select("div.cell_output")
    passed = [text for text in (output.get_text() for output in outputs) if "✓" in text]
    assert len(passed) == len(lesson.todos)
    assert len([output for output in outputs if output.find("img")]) >= 3
    notices = [note.get_text() for note in page.select("div.cell_output .notice")]
    assert len(notices) == 1 and notices[0].startswith("Notice. ")
    assert "widget" not in str(page.find_all("script"))


@each_lesson
def test_every_lesson_is_in_the_navigation(
    site: Path, pages: dict[Path, Any], lesson: Lesson
) -> None:
    links = {
        link["href"]: link.get_text()
        for link in pages[site / "index.html"].select("nav a, .sidebar-tree a")
    }
    assert f"notebooks/{lesson.folder}/{lesson.slug}.html" in links


def test_every_formula_is_mathml(pages: dict[Path, Any]) -> None:
    """A command that has no translation stops the build; here, that none stands as plain text."""
    for file, page in pages.items():
        words = [
            text
            for text in page.find_all(string=re.compile(r"\$[^$\n]{1,60}\$|\\[a-z]{2,}"))
            if not text.find_parent(["pre", "code", "script", "style"])
        ]
        assert not words, f"{file.name} shows LaTeX: {words[:3]}"
    assert sum(len(page.find_all("math")) for page in pages.values()) > 300
