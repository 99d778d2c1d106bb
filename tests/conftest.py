"""What the tests of several folders share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.checking.check import Check
from helpers.checking.judging import Known

PATIENCE_MS = 240_000
"""How long tests wait for what must appear in the browser. Who waits for less, by default five
seconds, tests how busy the machine is."""

_remembered: dict[tuple[str, int], Known] = {}


@pytest.fixture
def known() -> Callable[[Check, int], Known]:
    """`known(check, seed)`, for `judge`: what the course's own answers show, observed once.

    It is kept until another check is asked for, to save memory.
    """

    def of(check: Check, seed: int) -> Known:
        if any(name != check.name for name, _ in _remembered):
            _remembered.clear()
        if (check.name, seed) not in _remembered:
            _remembered[check.name, seed] = Known(check, seed)
        return _remembered[check.name, seed]

    return of


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, without the background traffic that a closed network would only slow down.

    One for all tests of a process: Playwright does not start twice.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            timeout=PATIENCE_MS,
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def new_page(browser: Any) -> Callable[..., Any]:
    """Opens an empty page that is waited for as long as a busy machine may take."""

    def new(**settings: Any) -> Any:
        page = browser.new_page(**settings)
        page.set_default_timeout(PATIENCE_MS)
        return page

    return new
