"""What the tests of several folders share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.checking.check import Check
from helpers.checking.judging import Known

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
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
