"""Turns a verdict into a message: one structure, shown as plain text or as HTML."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from helpers.checking import texts
from helpers.checking.case import FEW_ENTRIES, Case, Foreign, describe, show
from helpers.checking.check import Aspect, Check
from helpers.checking.compare import Difference
from helpers.checking.comparing import aspect_of
from helpers.checking.judging import Note, Verdict
from helpers.checking.observing import Trouble
from helpers.course import Todo, todo_of

WIDTH = 84
"""Characters beside a label before a line is cut."""


@dataclass(frozen=True)
class Report:
    """A message to a student: a first line that stands alone, and labelled lines below it.

    >>> report = Report("✗ sum — The sum is wrong.", (("Next step", "Add again."),))
    >>> print(report.text())
    ✗ sum — The sum is wrong.
      Next step     Add again.
    """

    headline: str
    rows: tuple[tuple[str, str], ...] = ()
    lines: tuple[str, ...] = ()
    """Sentences below the headline: what is noted, and how far the lesson is done."""

    def text(self) -> str:
        lines = [self.headline, *self.lines]
        for label, text in self.rows:
            wrapped = [part for line in text.splitlines() for part in _wrapped(line)]
            first, *rest = wrapped or [""]
            lines.append(f"  {label:<13} {first}".rstrip())
            lines += [f"  {'':<13} {line}".rstrip() for line in rest]
        return "\n".join(lines)

    def html(self) -> str:
        """The same for a notebook, where lines break as the page is wide."""
        sign = self.headline[:1]
        rows = "".join(_html_row(label, text) for label, text in self.rows)
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self.lines)
        table = f'<table style="margin:.3em 0 0">{rows}</table>' if rows else ""
        return (
            f'{HIDE_THE_ERROR}<div class="course-message" style="border-left:4px solid '
            f'{COLORS.get(sign, "gray")};padding:.2em .8em;margin:.2em 0">'
            f"<strong>{html.escape(self.headline)}</strong>{lines}{table}</div>"
        )


COLORS = {"✓": "#2e7d32", "✗": "#c62828", "○": "#757575"}
"""The bar beside a message; the sign before it says the same without colour."""

HIDE_THE_ERROR = (
    "<style>.jp-OutputArea-child:has(.course-message) + .jp-OutputArea-child:has("
    '[data-mime-type="application/vnd.jupyter.stderr"]){display:none}</style>'
)
"""A cell whose check does not pass must end in an error, which nbgrader reads. In JupyterLab its red
box would say the headline a second time."""

CODE = {texts.CALLED, texts.RETURNED, texts.EXPECTED, texts.DIFFERS, texts.GAVE, texts.LINE}
CODE |= {texts.MESSAGE, texts.PRINTED}
"""Rows with code or numbers, in the letters of code."""


def _html_row(label: str, text: str) -> str:
    font = "font-family:var(--jp-code-font-family,monospace);" if label in CODE else ""
    return (
        f'<tr style="background:none"><th scope="row" style="text-align:left;vertical-align:top;'
        f'padding:1px 1em 1px 0;font-weight:600;white-space:nowrap">{html.escape(label)}</th>'
        f'<td style="text-align:left;{font}white-space:pre-wrap;overflow-wrap:anywhere;'
        f'padding:1px 0">{html.escape(text)}</td></tr>'
    )


def _wrapped(line: str) -> list[str]:
    """A line cut between words, so that it fits a notebook's cell beside its label."""
    return textwrap.wrap(
        line, WIDTH, drop_whitespace=True, break_long_words=False, break_on_hyphens=False
    ) or [""]


def report_on(check: Check, verdict: Verdict) -> Report:
    """The message for a verdict."""
    if verdict.outcome == "passed":
        praise = verdict.grade.praise if verdict.grade is not None else check.praise
        notes = tuple(note_on(check, note) for note in verdict.notes[:1])
        return Report(texts.PASSED.format(topic=check.topic, praise=praise), lines=notes)
    if verdict.outcome == "not attempted":
        return not_attempted(check, todo_of(check.name))
    assert verdict.case is not None
    aspect = aspect_of(check, verdict.key)
    call = texts.SETTING.format(call=_call(aspect, verdict.case), case=verdict.case.name)
    if verdict.builtins:
        what = texts.BUILTIN.format(name=verdict.builtins[0])
        rows = [(texts.CALLED, call), (texts.NEXT, texts.NEXT_BUILTIN)]
    elif verdict.difference is not None:
        what, rows = _on_difference(check, verdict, aspect, call)
    else:
        what, rows = _on_trouble(check, verdict, call)
    if verdict.printed.strip():
        rows.insert(-1, (texts.PRINTED, _shortened(verdict.printed)))
    return failed(check, what, rows)


def failed(check: Check, what: str, rows: list[tuple[str, str]]) -> Report:
    return Report(texts.FAILED.format(topic=check.topic, what=what), tuple(rows))


def not_attempted(check: Check, todo: Todo) -> Report:
    headline = texts.NOT_ATTEMPTED.format(topic=check.topic, number=todo.number, writes=todo.writes)
    return Report(headline, ((texts.NEXT, texts.NEXT_TODO.format(number=todo.number)),))


def _call(aspect: Aspect, case: Case) -> str:
    return aspect.call.format_map(case.written())


def _on_difference(
    check: Check, verdict: Verdict, aspect: Aspect, call: str
) -> tuple[str, list[tuple[str, str]]]:
    difference = verdict.difference
    assert difference is not None and verdict.case is not None
    what = texts.KIND.get(difference.kind, aspect.wrong)
    rows = [(texts.CALLED, call), (texts.RETURNED, _value(difference.yours, difference))]
    if aspect.secret and difference.kind in ("value", "not finite"):
        rows.append((texts.EXPECTED, texts.HIDDEN))
    else:
        rows.append((texts.EXPECTED, _value(difference.expected, difference)))
    if difference.index:
        rows.append((texts.DIFFERS, _first_entry(difference, aspect, verdict.case)))
    elif difference.index == () and rows[-1][1] == rows[-2][1]:  # alike as far as they are written
        gap = _entry(difference.yours, ()), _entry(difference.expected, ())
        rows.append((texts.DIFFERS, texts.LATER_DIGIT.format(yours=gap[0], expected=gap[1])))
    return what, rows + _advice(check, verdict)


def note_on(check: Check, note: Note) -> str:
    """The line about what a right answer could do better."""
    difference = note.difference
    if difference is not None and difference.kind == "type" and not note.case.is_beyond:
        return texts.NOTE_NUMBER.format(yours=describe(difference.yours))
    if note.slip is not None:
        what = note.slip.diagnosis
    elif difference is not None:
        what = texts.KIND.get(difference.kind, aspect_of(check, note.key).wrong)
    elif note.trouble is not None and note.trouble.kind == "time limit":
        what = texts.NOTE_TIMED_OUT
    elif note.trouble is not None:
        what = texts.NOTE_RAISED.format(type=note.trouble.type)
    else:
        what = texts.NO_RESULT
    return texts.NOTE.format(what=what, case=note.case.name)


def _advice(check: Check, verdict: Verdict) -> list[tuple[str, str]]:
    """What explains the failure, and what to do next."""
    if len(verdict.slips) == 2:
        one, two = verdict.slips
        both = texts.TWO.format(first=one.diagnosis, second=two.diagnosis)
        return [(texts.BOTH, both), (texts.NEXT, texts.TWO.format(first=one.hint, second=two.hint))]
    if verdict.slips:
        found = verdict.slips[0]
        return [
            (texts.CAUSE, found.diagnosis),
            (texts.NEXT, texts.NEXT_HINT.format(hint=found.hint)),
        ]
    rows = [(texts.NOTICE, verdict.relation.sentence)] if verdict.relation is not None else []
    if len(verdict.perhaps) == 2:
        one, two = verdict.perhaps
        both = texts.TWO.format(first=one.diagnosis, second=two.diagnosis)
        hints = texts.TWO.format(first=one.hint, second=two.hint)
        return [*rows, (texts.PERHAPS, both), (texts.NEXT, hints)]
    if verdict.perhaps:
        (guess,) = verdict.perhaps
        rows.append((texts.PERHAPS, guess.diagnosis))
        return [*rows, (texts.NEXT, texts.NEXT_HINT.format(hint=guess.hint))]
    return [*rows, (texts.NEXT, texts.NEXT_REREAD.format(section=check.reread))]


def _value(value: Any, difference: Difference) -> str:
    """A short value written out with what it is, a long one cut short."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        text = show(value, _beginning(value))
        return f"{text}    {describe(value)}"
    if isinstance(value, Foreign):
        return f"{value.text}    {value.kind}"
    if value is None or difference.kind == "type":
        return f"{show(value)}    {describe(value)}" if value is not None else "None"
    return (
        value
        if isinstance(value, str)
        else f"{value:.6g}"
        if isinstance(value, float)
        else str(value)
    )


def _beginning(value: torch.Tensor | np.ndarray) -> str:
    tensor = torch.as_tensor(value)
    if tensor.device.type == "meta" or tensor.numel() == 0:
        return "tensor(...)"
    return show(tensor.flatten()[: FEW_ENTRIES - 3])[:-2] + ", ...])"


def _first_entry(difference: Difference, aspect: Aspect, case: Case) -> str:
    index = difference.index
    assert index is not None
    entries = {
        "index": index,
        "yours": _entry(difference.yours, index),
        "expected": _entry(difference.expected, index),
    }
    if aspect.secret:
        return texts.AT_INDEX_SECRET.format(**entries)
    if aspect.input is not None:
        given = case.data[aspect.input]
        if tuple(given.shape) == tuple(difference.expected.shape):
            entry = _entry(given, index)
            return texts.AT_INDEX_OF.format(input=aspect.input, entry=entry, **entries)
    return texts.AT_INDEX.format(**entries)


def _entry(tensor: Any, index: tuple[int, ...]) -> str:
    value = tensor[index].item()
    digits = ".6g" if index else ".10g"
    return format(value, digits) if isinstance(value, float) else str(value)


def _on_trouble(check: Check, verdict: Verdict, call: str) -> tuple[str, list[tuple[str, str]]]:
    trouble = verdict.trouble
    rows = [(texts.CALLED, call)]
    if trouble is None:
        return texts.NO_RESULT, rows + _advice(check, verdict)
    if trouble.kind == "time limit":
        rows.append((texts.NEXT, texts.NEXT_TIMED_OUT))
        return texts.TIMED_OUT.format(seconds=check.seconds), rows
    what = texts.RAISED.format(type=trouble.type)
    return what, rows + _details(trouble) + _advice_on_trouble(check, verdict)


def _details(trouble: Trouble) -> list[tuple[str, str]]:
    rows = []
    if trouble.message:
        rows.append((texts.MESSAGE, trouble.message))
    if trouble.line:
        rows.append((texts.LINE, trouble.line))
    return rows


def _advice_on_trouble(check: Check, verdict: Verdict) -> list[tuple[str, str]]:
    if verdict.slips or verdict.perhaps:
        return _advice(check, verdict)
    assert verdict.trouble is not None
    has_line = bool(verdict.trouble.line)
    return [(texts.NEXT, texts.NEXT_RAISED if has_line else texts.NEXT_RAISED_ELSEWHERE)]


def _shortened(printed: str, most: int = 300) -> str:
    text = printed.strip()
    return text if len(text) <= most else text[:most] + " ..."
