"""What the course tells about a notebook's cells: which did not run, and which names are missing.

An extension of IPython. `course lab` loads it with every kernel; elsewhere the first check does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from helpers.display import in_notebook

DEFINES = re.compile(r"^(?:class|def|async\s+def)\s+(\w+)|^(\w+)\s*=[^=]", re.MULTILINE)

EVERYWHERE = ("torch", "nn", "F", "np", "plt", "uses_your_code", "load", "train", "new_figure")
"""Names that the first code cell of a lesson imports."""


STALE = "The cell that defines {name} did not run ({type}): this judges your earlier version of it."
NOT_KNOWN = (
    "No cell that has run in this kernel defines {name}. After a restart the kernel knows none of "
    "the cells above: choose Run → Run All Above Selected Cell, then run this cell again."
)


class Cells:
    """Remembers which names the cells that failed would have defined."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.failed: dict[str, str] = {}
        """The names, and the kind of error for which their cell did not run."""
        self._before: dict[str, int] = {}

    def before_cell(self, info: Any) -> None:
        names = names_defined_in(info.raw_cell or "")
        self._before = {name: id(self.shell.user_ns.get(name)) for name in names}

    def after_cell(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        for name in names_defined_in(result.info.raw_cell or ""):
            is_as_before = id(self.shell.user_ns.get(name)) == self._before.get(name)
            if error is not None and is_as_before and name in self.shell.user_ns:
                self.failed[name] = type(error).__name__
            else:
                self.failed.pop(name, None)


def names_defined_in(source: str) -> set[str]:
    """The names that a cell defines at its outermost level, also if it cannot be read as Python.

    >>> sorted(names_defined_in("class A:\\n    def f(self)\\n        x = 1\\nb = 2"))
    ['A', 'b']
    """
    return {one or other for one, other in DEFINES.findall(source)}


_cells: Cells | None = None


def stale_names(names: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each of the names whose cell, changed since, did not run."""
    if _cells is None:
        if in_notebook():
            _load_into_this_kernel()
        return ()
    failed = _cells.failed
    return tuple(STALE.format(name=n, type=failed[n]) for n in names if n in failed)


def _load_into_this_kernel() -> None:
    from IPython.core.getipython import get_ipython

    load_ipython_extension(get_ipython())


def load_ipython_extension(shell: Any) -> None:
    """Watch the cells of a kernel, and explain missing names."""
    global _cells
    if _cells is not None:
        return
    _cells = Cells(shell)
    shell.events.register("pre_run_cell", _cells.before_cell)
    shell.events.register("post_run_cell", _cells.after_cell)
    if not shell.custom_exceptions:
        shell.set_custom_exc((NameError,), explain)


def explain(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> list[str]:
    """Show a NameError as always and, where the course knows the name, what to do."""
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        kind, error, trace, tb_offset=tb_offset
    )
    name = getattr(error, "name", None)
    if name and name not in shell.user_ns and is_the_courses(name):
        lines = [*lines, NOT_KNOWN.format(name=name)]
    shell._showtraceback(kind, error, lines)
    return lines


def is_the_courses(name: str) -> bool:
    """Whether a lesson defines or imports a name.

    >>> is_the_courses("MySigmoid"), is_the_courses("check_relu"), is_the_courses("my_slip")
    (True, True, False)
    """
    import helpers
    from helpers.course import LESSONS

    words = (re.findall(r"\w+", todo.writes) for lesson in LESSONS for todo in lesson.todos)
    return name in EVERYWHERE or name in dir(helpers) or any(name in one for one in words)
