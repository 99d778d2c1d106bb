"""Settings of every test: no progress is recorded, and tests share the cores fairly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["COURSE_PROGRESS"] = "off"
os.environ.setdefault("COURSE_DEVICE", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A folder in which no test was found must not look like a folder whose tests passed."""
    for argument in config.args:
        place = Path(str(argument).split("::")[0]).resolve()
        if place.is_dir() and not any(item.path.is_relative_to(place) for item in items):
            raise pytest.UsageError(
                f"No test was collected in {place}. Run `make notebooks` if notebooks are missing."
            )
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    """Which tests must run in one process: those of one file, which share notebooks and fixtures.
    The tests of all checkers share nothing but the checker, and would be one long file.
    """
    if item.path.name in ("test_all_checkers.py", "test_hostile.py"):
        parameters = getattr(item, "callspec", None)
        check = parameters.params.get("check") if parameters else None
        return f"{item.path.name} {getattr(check, 'name', '')}"
    return str(item.path)
