"""Writes the page with the public names of `helpers`, which Sphinx fills from their docstrings."""

from __future__ import annotations

import inspect
import re
from typing import Any

import helpers
from helpers.course import LESSONS

INTRODUCTION = """# The helpers

Everything below is imported from `helpers`. Import one name at a time: nothing else is loaded.

```python
from helpers import check_relu, load, train
```
"""


def api_page() -> str:
    """The page in MyST: one section for each lesson's checks, then data, training and the rest."""
    groups: dict[str, list[str]] = {}
    for lesson in LESSONS:
        checks = dict.fromkeys(todo.face or todo.check for todo in lesson.todos)
        demo = f"{lesson.slug}_demo"
        groups[f"Lesson {lesson.number:02d}: {lesson.title}"] = [*checks, demo]
    grouped = {name for names in groups.values() for name in names}
    rest = [name for name in dir(helpers) if name not in grouped]
    groups = {"Data, training, figures and progress": rest, **groups}
    sections = [
        "\n".join([f"## {title}\n", *(_directive(name) for name in names)])
        for title, names in groups.items()
    ]
    return "\n".join([INTRODUCTION, *sections])


def _directive(name: str) -> str:
    thing = getattr(helpers, name)
    if inspect.isclass(thing):
        kind, options = "autoclass", ":members:\n"
    elif inspect.isroutine(thing):
        kind, options = "autofunction", ""
    else:
        kind, options = "autodata", ":no-value:\n"
        name = f"{helpers._home_of(name)}.{name}".removeprefix("helpers.")
    return f"```{{eval-rst}}\n.. {kind}:: helpers.{name}\n{_indent(options)}```\n"


def _indent(options: str) -> str:
    return f"   {options}" if options else ""


def _escape_bars(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Docstrings write |x| for an absolute value; in reStructuredText it would be a reference."""
    end = next((i for i, line in enumerate(lines) if line.lstrip().startswith(">>>")), len(lines))
    for i, line in enumerate(lines[:end]):
        lines[i] = re.sub(r"(`[^`]*`)|\|", lambda found: found[1] or r"\|", line)


def setup(app: Any) -> dict[str, Any]:
    """Register the escaping with Sphinx."""
    app.connect("autodoc-process-docstring", _escape_bars)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
