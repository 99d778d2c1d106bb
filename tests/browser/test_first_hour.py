"""A student's first hour: lessons 00 and 01 from blank to all points, in JupyterLab in Chromium.

Everything goes through the interface: the file browser, the keyboard, the menus, a terminal.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.course import Lesson, Todo, lesson

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOPICS = {
    check.name: check.topic
    for slug in ("start_here", "activation_functions")
    for check in import_module(f"helpers.checks.{slug}").CHECKS
}
ROOT = Path(__file__).resolve().parent.parent.parent


def answers(of: Lesson) -> dict[str, str]:
    """The right code of each TODO by its number, as a student would write it."""
    path = ROOT / "solutions" / of.folder / f"{of.slug}.ipynb"
    mark = re.compile(r" *### (BEGIN|END) SOLUTION\n?")
    sources = {cell.id: mark.sub("", cell.source) for cell in nbformat.read(path, 4).cells}
    return {todo.number: sources[f"todo-{todo.number.replace('.', '-')}"] for todo in of.todos}


@pytest.fixture(scope="module")
def page(
    lab: Any, new_page: Callable[..., Any], wait_for_kernel: Callable[[Any], None]
) -> Iterator[Any]:
    page = new_page(viewport={"width": 1300, "height": 1000})
    page.goto(f"{lab.address}/?token=secret")
    wait_for_kernel(page)
    yield page
    page.close()


class Hands:
    """What a student does in JupyterLab."""

    def __init__(self, page: Any, wait_for_kernel: Callable[[Any], None]) -> None:
        self.page = page
        self.wait_for_kernel = wait_for_kernel

    @property
    def notebook(self) -> Any:
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def enter(self, *names: str) -> None:
        """Open folders and at last a notebook in the file browser, from its root."""
        self.page.locator(".jp-BreadCrumbs-home").click()
        for name in names:
            item = self.page.locator(".jp-DirListing-item", has_text=name)
            item.dblclick()
        self.page.locator(".lm-DockPanel-tabBar .lm-mod-current", has_text=names[-1]).wait_for()
        self.wait_for_kernel(self.page)

    def menu(self, *names: str) -> None:
        """Choose from the menus at the top, such as Run, Run All Cells."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{names[0]}$")).click()
        for name in names[1:]:
            label = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{name}$"))
            label.click()

    def cell(self, text: str) -> Any:
        """The code cell that contains this text, scrolled into view."""
        has = self.page.locator(".cm-content", has_text=text)
        found = self.notebook.locator(".jp-CodeCell", has=has).first
        found.scroll_into_view_if_needed()
        return found

    def write(self, todo: Todo, source: str) -> None:
        self.cell(f"# TODO {todo.number}:").locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def read_praise(self, todo: Todo) -> None:
        """What stands below the check, once it has run."""
        from playwright.sync_api import expect

        output = self.cell(todo.call).locator(".jp-OutputArea")
        expect(output).to_contain_text(f"✓ {TOPICS[todo.check]} — ")


@pytest.fixture(scope="module")
def hands(page: Any, wait_for_kernel: Callable[[Any], None]) -> Hands:
    return Hands(page, wait_for_kernel)


def test_the_lab_opens_on_lesson_00(hands: Hands) -> None:
    from playwright.sync_api import expect

    expect(hands.notebook.locator("h1").first).to_contain_text("Start here")


def test_lesson_00_cell_by_cell(hands: Hands) -> None:
    of = lesson("start_here")
    hands.enter("notebooks", of.folder, f"{of.slug}.ipynb")
    for todo in of.todos:
        hands.write(todo, answers(of)[todo.number])
    hands.notebook.locator(".jp-Cell").first.click()
    for _ in hands.notebook.locator(".jp-Cell").all():
        hands.page.keyboard.press("Shift+Enter")
    for todo in of.todos:
        hands.read_praise(todo)


def test_lesson_01_with_run_all(hands: Hands) -> None:
    of = lesson("activation_functions")
    hands.enter("notebooks", of.folder, f"{of.slug}.ipynb")
    for todo in of.todos:
        hands.write(todo, answers(of)[todo.number])
    hands.menu("Run", "Run All Cells")
    for todo in of.todos:
        hands.read_praise(todo)


def test_progress_shows_all_points(hands: Hands, lab: Any) -> None:
    """In a terminal; what it shows is kept in a file too, since a canvas cannot be read."""
    hands.menu("File", "New", "Terminal")
    hands.page.locator(".jp-Terminal .xterm-helper-textarea").focus()
    hands.page.keyboard.type("course progress | tee shown.txt\n")
    shown = wait_for(lambda: (lab.folder / "shown.txt").read_text(encoding="utf-8"), "Recorded")
    for of in (lesson("start_here"), lesson("activation_functions")):
        points = of.points - of.question_points
        row = rf"{of.title}\W+{len(of.todos)} of {len(of.todos)}\W+{points:g} of {points:g}\W+"
        assert re.search(row + rf"up to {of.question_points:g}\W", shown), shown
    assert "Next: TODO 2.1" in shown


def wait_for(read: Callable[[], str], word: str) -> str:
    """What is read, as soon as it contains the word."""
    text, end = "", time.monotonic() + 240
    while time.monotonic() < end:
        with contextlib.suppress(OSError):  # there is no file yet
            text = read()
        if word in text:
            return text
        time.sleep(0.25)
    raise AssertionError(f"{word!r} did not appear in: {text}")
