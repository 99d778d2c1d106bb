"""What a check says, as a student sees it in JupyterLab: each outcome, and the two ways in which a
cell above has not run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_lesson_01 import LESSON, RIGHT, WRONG, cell, run, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHECK = "check_sigmoid(MySigmoid)"


@pytest.fixture(scope="module")
def page(open_notebook: Callable[[str], Any]) -> Any:
    page = open_notebook(LESSON)
    page.set_viewport_size({"width": 1093, "height": 900})
    run(page, cell(page, "from helpers import"))
    return page


def picture(page: Any, name: str) -> None:
    """A picture to look at, where COURSE_LOOK names a folder."""
    folder = os.environ.get("COURSE_LOOK")
    if folder:
        cell(page, CHECK).evaluate("node => node.scrollIntoView({block: 'center'})")
        page.screenshot(path=Path(folder) / f"{name}.png")


def after(page: Any, source: str, text: str) -> Any:
    """The check's output once its cell and the TODO above, with this source, have run."""
    from playwright.sync_api import expect

    write(page, cell(page, "# TODO 1.3:"), f"# TODO 1.3:\n{source}")
    run(page, cell(page, "# TODO 1.3:"))
    check = cell(page, CHECK)
    run(page, check)
    expect(check.locator(".jp-OutputArea")).to_contain_text(text)
    return check


def red_boxes(check: Any) -> int:
    """How many error outputs of a cell can be seen."""
    boxes = check.locator('[data-mime-type="application/vnd.jupyter.stderr"]')
    return sum(box.is_visible() for box in boxes.all())


def test_not_attempted_is_no_error_to_look_at(page: Any) -> None:
    run(page, cell(page, "# TODO 1.1:"))
    run(page, cell(page, "# TODO 1.3:"))
    check = cell(page, CHECK)
    run(page, check)
    check.locator(".course-message", has_text="○ sigmoid — not attempted yet: TODO 1.3").wait_for()
    assert red_boxes(check) == 0
    picture(page, "not-attempted")


def test_a_failure_reflows(page: Any) -> None:
    check = after(page, WRONG, "✗ sigmoid — The derivative of MySigmoid is wrong.")
    assert red_boxes(check) == 0
    message = check.locator(".course-message")
    picture(page, "failed")
    page.set_viewport_size({"width": 800, "height": 900})
    assert message.evaluate("node => node.scrollWidth <= node.clientWidth")
    picture(page, "failed-narrow")
    page.set_viewport_size({"width": 1093, "height": 900})


def test_a_pass_says_how_far_the_lesson_is(page: Any) -> None:
    check = after(page, RIGHT, "✓ sigmoid — right from")
    message = check.locator(".course-message")
    assert "2 of 2 points · 1 of 9 checks of this lesson · next: TODO 1.1" in message.inner_text()
    picture(page, "passed")


def test_a_cell_that_did_not_run_is_named(page: Any) -> None:
    broken = RIGHT.replace("def forward(self, x):", "def forward(self, x)")
    check = after(page, broken, "The cell that defines MySigmoid did not run (SyntaxError)")
    assert "✓ sigmoid" in check.locator(".course-message").inner_text()
    picture(page, "stale")
    after(page, RIGHT, "✓ sigmoid — right from")
    assert "did not run" not in check.locator(".course-message").inner_text()


def test_after_a_restart_it_says_what_to_run(page: Any) -> None:
    """Also where not even the course's helpers are imported, so that only the kernel knows."""
    from playwright.sync_api import expect

    page.get_by_text("Kernel", exact=True).first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Restart Kernel…").first.click()
    page.locator(".jp-Dialog .jp-mod-accept").click()
    page.get_by_role("button", name="Python 3").first.wait_for()
    check = cell(page, CHECK)
    run(page, check)
    expect(check.locator(".jp-OutputArea")).to_contain_text("Run All Above Selected Cell")
    picture(page, "restarted")
