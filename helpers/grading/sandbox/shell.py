"""Runs notebook cells as a kernel would, in this process, and keeps what they show as plain text."""

from __future__ import annotations

import builtins
import contextlib
import io
import re
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

NO_COMMANDS = "Shell commands are not run while a notebook is graded."
NO_INPUT = "input() has no answer while a notebook is graded."

_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


def plain(text: str) -> str:
    """Text without colours and control characters.

    >>> plain("\\x1b[31mred\\x1b[0m\\x07")
    'red'
    """
    text = _CODES.sub("", text)
    return "".join(c for c in text if c in "\n\t" or c.isprintable())


class Output:
    """What one cell shows, up to a number of characters."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.items: list[dict[str, Any]] = []

    def stream(self, text: str) -> None:
        text = self._cut(text)
        if not text:
            return
        if self.items and self.items[-1]["output_type"] == "stream":
            self.items[-1]["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": "stdout", "text": text})

    def show(self, data: dict[str, Any]) -> None:
        text = self._cut(str(data.get("text/plain", "")))
        if text:
            shown = {"text/plain": plain(text)}
            self.items.append({"output_type": "display_data", "data": shown, "metadata": {}})

    def error(self, name: str, value: str, lines: list[str]) -> None:
        text = [plain(self._cut(line)) for line in lines[-50:]]
        what = {"ename": plain(name[:200]), "evalue": plain(value[:500])}
        self.items.append({"output_type": "error", **what, "traceback": text})

    def _cut(self, text: str) -> str:
        cut = text[: self.left]
        self.left -= len(cut)
        return cut


class _Stream(io.TextIOBase):
    """Both stdout and stderr: a warning is a line of text, and never changes a score."""

    encoding = "utf-8"

    def __init__(self, output: Output) -> None:
        self._output = output

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._output.stream(text)
        return len(text)


class _Publisher(DisplayPublisher):
    output: Output | None = None

    def publish(self, data: Any, *_: Any, **__: Any) -> None:
        if self.output is not None and isinstance(data, dict):
            self.output.show(data)

    def clear_output(self, wait: bool = False) -> None:
        return


class _Hook(DisplayHook):
    output: Output | None = None

    def write_output_prompt(self) -> None:
        return

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        if self.output is not None:
            self.output.show(format_dict)

    def finish_displayhook(self) -> None:
        return


class GradingShell(InteractiveShell):
    """IPython without a terminal, a kernel, a history or other programs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(displayhook_class=_Hook, display_pub_class=_Publisher, **settings)
        self.output = Output(0)
        self.raised = False

    def system(self, cmd: str) -> None:
        print(NO_COMMANDS)
        self.user_ns["_exit_code"] = 0

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        return [] if split else ""

    def enable_gui(self, gui: str | None = None) -> None:
        return

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str, str]:
        return ("agg", "agg")

    def ask_exit(self) -> None:
        return

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        kind, value, trace = super()._get_exc_info(exc_tuple)
        _cut_the_middle(trace)
        return kind, value, trace

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        self.raised = True
        rows = [row for line in stb for row in str(line).splitlines()]
        self.output.error(getattr(etype, "__name__", "Error"), _short(evalue), rows)

    def run(self, code: str, most_output: int) -> tuple[bool, list[dict[str, Any]]]:
        """Run one cell; whether it ended without an exception, and what it showed."""
        self.output = Output(most_output)
        self.raised = False
        with self._shown_here(), _no_input():
            result = self.run_cell(code, store_history=False)
        for item in self.output.items:
            if item["output_type"] == "stream":
                item["text"] = plain(item["text"])
        return not self.raised and bool(result.success), self.output.items

    @contextlib.contextmanager
    def _shown_here(self) -> Iterator[None]:
        stream = _Stream(self.output)
        for place in (self.display_pub, self.displayhook):
            setattr(place, "output", self.output)  # noqa: B010
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            yield


def _cut_the_middle(trace: TracebackType | None, ends: int = 20) -> None:
    """Endless recursion leaves a thousand frames, and IPython takes 10 ms to describe each."""
    steps = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    if len(steps) > 2 * ends:
        steps[ends - 1].tb_next = steps[-ends]


def _short(value: Any) -> str:
    try:
        return str(value)[:500]
    except Exception:
        return ""


@contextlib.contextmanager
def _no_input() -> Iterator[None]:
    def refuse(*_: object) -> str:
        raise EOFError(NO_INPUT)

    before = builtins.input
    builtins.input = refuse
    try:
        yield
    finally:
        builtins.input = before


def make_shell() -> GradingShell:
    """A shell that keeps nothing on disk."""
    from traitlets.config import Config

    settings = Config()
    settings.HistoryManager.enabled = False
    settings.InteractiveShell.colors = "nocolor"
    settings.InteractiveShell.xmode = "Context"
    shell: GradingShell = GradingShell.instance(config=settings)
    for code in ("None", "%time None"):  # IPython imports much with its first cell and magic
        shell.run(code, 0)
    return shell
