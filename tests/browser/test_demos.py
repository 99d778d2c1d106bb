"""Every demo, used with the keyboard in JupyterLab in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest

from helpers.course import LESSONS

SOME_TEXT = re.compile(r"\w+ \w+")
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_every_demo_follows_its_controls(lab: Any, open_notebook: Callable[[str], Any]) -> None:
    from playwright.sync_api import expect

    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [
        nbformat.v4.new_code_cell(f"from helpers import {x.slug}_demo\n{x.slug}_demo()")
        for x in LESSONS
    ]
    nbformat.write(notebook, lab.folder / "demos.ipynb")
    page = open_notebook("demos.ipynb")
    for lesson in LESSONS:
        text = page.locator(".cm-content", has_text=f"{lesson.slug}_demo()")
        cell = page.locator(".jp-CodeCell", has=text).first
        cell.scroll_into_view_if_needed()
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        picture = cell.locator("img").first
        expect(picture).to_have_attribute("alt", SOME_TEXT)
        before = str(picture.get_attribute("src"))
        handle = cell.locator(".noUi-handle").first
        for _ in range(3):
            handle.press("ArrowRight")  # takes the focus again, should JupyterLab have moved it
        expect(picture).not_to_have_attribute("src", before)
        expect(cell).to_contain_text("Notice.")
