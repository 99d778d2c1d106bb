"""The examples in the docstrings run, and every public face has one."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import helpers
from helpers.course import LESSONS

MODULES = [module.name for module in pkgutil.walk_packages(helpers.__path__, "helpers.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    result = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize(
    "todo", [t for lesson in LESSONS for t in lesson.todos], ids=lambda t: t.check
)
def test_every_check_is_documented(todo) -> None:
    text = getattr(helpers, todo.face or todo.check).__doc__ or ""
    assert ">>>" in text
    assert "Raises:" in text
