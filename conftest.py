"""Settings of every test: no progress is recorded, and tests share the cores fairly."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

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
    items.sort(key=lambda item: item.path.parent.name not in LONG_FOLDERS)


LONG_FOLDERS = ("grading", "hostile", "browser", "site", "claims")
"""Each of their files takes minutes: they come first, so that no core waits for them at the end."""


LONG_FILES = ("test_all_checkers.py", "test_hostile.py")
"""Their tests share nothing but the checker, whose name each has in its brackets."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Which tests run in one process: those of one file, which share notebooks and fixtures, and
    those of the web site, which share one build of it. The long files are dealt out by checker,
    so that no core waits for the other at the end.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFileOrChecker(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            if file.startswith("tests/site/"):
                return "tests/site"
            checker = re.search(r"\[(check_\w+)", test)
            return f"{file} {checker[1]}" if checker and file.endswith(LONG_FILES) else file

    config.option.loadscopereorder = False  # xdist would put files of few, long tests at the end
    return ByFileOrChecker(config, log)
