"""A student's minutes with lesson 01, in JupyterLab in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
LESSON = "notebooks/01_activation_functions/activation_functions.ipynb"

WRONG = """class MySigmoid(nn.Module):
    def forward(self, x):
        return 1 / (1 + torch.exp(-torch.clamp(x, -80, 80)))

    def derivative(self, x):
        return x * (1 - x)
"""
RIGHT = WRONG.replace("return x * (1 - x)", "s = self(x)\n        return s * (1 - s)")


def cell(page: Any, text: str) -> Any:
    """The code cell that contains this text, scrolled into view."""
    found = page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=text)).first
    found.scroll_into_view_if_needed()
    return found


def run(page: Any, chosen: Any) -> None:
    chosen.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def write(page: Any, chosen: Any, source: str) -> None:
    chosen.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(source)


def keep_picture(page: Any, name: str, height: int) -> None:
    """Keep a picture of the notebook where COURSE_PICTURES says: `make pictures`."""
    folder = os.environ.get("COURSE_PICTURES")
    if folder:
        panel = {"x": 290, "y": 92, "width": 970, "height": height}
        page.screenshot(path=ROOT / folder / f"{name}.png", clip=panel)


def test_from_a_wrong_sigmoid_to_a_moved_slider(open_notebook: Callable[[str], Any]) -> None:
    from playwright.sync_api import expect

    page = open_notebook(LESSON)

    run(page, cell(page, "from helpers import"))

    todo = cell(page, "# TODO 1.3: write the sigmoid again")
    check = cell(page, "check_sigmoid(MySigmoid)")
    write(page, todo, WRONG)
    run(page, cell(page, "return x * (1 - x)"))
    run(page, check)
    message = check.locator(".jp-OutputArea")
    expect(message).to_contain_text("✗ sigmoid — The derivative of MySigmoid is wrong.")
    expect(message).to_contain_text("You used x·(1 − x) where s·(1 − s) is meant")
    check.evaluate("node => node.scrollIntoView({block: 'start'})")
    keep_picture(page, "diagnosis", height=355)

    write(page, cell(page, "return x * (1 - x)"), RIGHT)
    run(page, cell(page, "return s * (1 - s)"))
    run(page, check)
    expect(check.locator(".jp-OutputArea")).to_contain_text("✓ sigmoid — right from")

    demo = cell(page, "activation_functions_demo()")
    run(page, demo)
    picture = demo.locator("img")
    expect(picture).to_have_attribute(
        "alt", "sigmoid at x = 0.0: value 0.500, slope 0.250. The slope is not saturated here."
    )
    before = picture.get_attribute("src")
    handle = demo.locator(".noUi-handle").first
    handle.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", str(before))
    expect(picture).to_have_attribute(
        "alt", "sigmoid at x = 0.5: value 0.622, slope 0.235. The slope is not saturated here."
    )
    demo.evaluate("node => node.scrollIntoView({block: 'end'})")
    keep_picture(page, "demo", height=860)
