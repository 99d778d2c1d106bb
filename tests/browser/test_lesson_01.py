"""A student's minutes with lesson 01, in JupyterLab in a real Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
LESSON = "01_activation_functions/activation_functions.ipynb"

WRONG = """class MySigmoid(nn.Module):
    def forward(self, x):
        return 1 / (1 + torch.exp(-torch.clamp(x, -80, 80)))

    def derivative(self, x):
        return x * (1 - x)
"""
RIGHT = WRONG.replace("return x * (1 - x)", "s = self(x)\n        return s * (1 - s)")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab, started by the course's own command, on a copy of the students' notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "helpers.cli", "lab", "--no-browser", "--port", str(port)],
        cwd=folder,
        env={
            **os.environ,
            "HOME": str(folder),
            "JUPYTER_TOKEN": "secret",
            "COURSE_PROGRESS": str(folder / "progress.jsonl"),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api?token=secret", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(f"{lab}/lab/tree/notebooks/{LESSON}?token=secret")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
        yield page
        browser.close()


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


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (apt-get install chromium)")
def test_from_a_wrong_sigmoid_to_a_moved_slider(page: Any) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=120_000)

    run(page, cell(page, "from helpers import"))

    todo = cell(page, "# TODO 1.3: write the sigmoid again")
    check = cell(page, "check_sigmoid(MySigmoid)")
    write(page, todo, WRONG)
    run(page, cell(page, "return x * (1 - x)"))
    run(page, check)
    message = check.locator(".jp-OutputArea-output")
    expect(message).to_contain_text("✗ sigmoid — The derivative of MySigmoid is wrong.")
    expect(message).to_contain_text("[derivative-of-input]")
    check.evaluate("node => node.scrollIntoView({block: 'start'})")
    keep_picture(page, "diagnosis", height=355)

    write(page, cell(page, "return x * (1 - x)"), RIGHT)
    run(page, cell(page, "return s * (1 - s)"))
    run(page, check)
    expect(check.locator(".jp-OutputArea-output")).to_contain_text("✓ sigmoid — right from")

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
