"""What the tests of several folders share."""

from __future__ import annotations

from collections.abc import Callable

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
