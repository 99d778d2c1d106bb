"""Remembers on this computer which checks passed, and says what is next.

The record is one file of JSON lines; deleting it loses the list of done work and nothing else.
`COURSE_PROGRESS` names another file, or is `off`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.course import LESSONS, Lesson, Todo
from helpers.display import in_notebook

STANDING = "{points:g} of {of:g} points · {done} of {all} checks of this lesson · next: TODO {next}"
STANDING_DONE = "{points:g} of {of:g} points · all {all} checks of this lesson have passed"


def record_file() -> Path | None:
    """Where progress is recorded, or None when it is switched off."""
    setting = os.environ.get("COURSE_PROGRESS", "")
    if setting == "off":
        return None
    return Path(setting) if setting else Path.home() / ".pytorch-course" / "progress.jsonl"


def record(check: str, outcome: str, misconception: str | None = None) -> str | None:
    """Append one result; return why it could not be written, or None.

    Only a student's own notebook is recorded: not a grading run, not a plain script.
    """
    file = record_file()
    if file is None or not _is_recorded():
        return None
    line = json.dumps(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "check": check,
            "outcome": outcome,
            "misconception": misconception,
        }
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _is_recorded() -> bool:
    """Whether results are recorded: a student's own, and not those of a grader or a plain script."""
    if record_file() is None or "NBGRADER_EXECUTION" in os.environ:
        return False
    return in_notebook() or "COURSE_PROGRESS" in os.environ


def latest_outcomes() -> dict[str, str]:
    """The last recorded outcome of each check; lines that cannot be read are passed over."""
    file = record_file()
    if file is None or not file.is_file():
        return {}
    latest: dict[str, str] = {}
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            latest[str(entry["check"])] = str(entry["outcome"])
        except (ValueError, KeyError, TypeError):
            continue
    return latest


def standing(check: str, share: float) -> tuple[str, ...]:
    """How far the lesson of a check that has passed is done, in one sentence; nothing where no
    progress is recorded.
    """
    if not _is_recorded():
        return ()
    state = next(s for s in progress() if any(t.check == check for t in s.lesson.todos))
    todo = next(t for t in state.lesson.todos if t.check == check)
    figures = {"points": share * todo.points, "of": todo.points, "all": len(state.lesson.todos)}
    if state.next is None:
        return (STANDING_DONE.format(**figures),)
    return (STANDING.format(**figures, done=len(state.done), next=state.next.number),)


@dataclass(frozen=True)
class LessonProgress:
    """How far one lesson is."""

    lesson: Lesson
    outcomes: Mapping[str, str]

    @property
    def done(self) -> list[Todo]:
        return [t for t in self.lesson.todos if self.outcomes.get(t.check) == "passed"]

    @property
    def points(self) -> float:
        return sum(todo.points for todo in self.done)

    @property
    def points_by_checks(self) -> float:
        return sum(todo.points for todo in self.lesson.todos)

    @property
    def next(self) -> Todo | None:
        return next((t for t in self.lesson.todos if t not in self.done), None)


def progress() -> list[LessonProgress]:
    """The progress in every lesson, in order."""
    outcomes = latest_outcomes()
    return [LessonProgress(lesson, outcomes) for lesson in LESSONS]


def next_step(lessons: list[LessonProgress]) -> str:
    """One sentence about what to do next."""
    for state in lessons:
        if state.next is not None:
            return (
                f"Next: TODO {state.next.number} ({state.next.writes}) "
                f"in lesson {state.lesson.number:02d}, {state.lesson.title}."
            )
    return "Every check has passed. What remains are the questions that are graded by hand."


def progress_html() -> str:
    """The progress as a table, for the widget."""
    lessons = progress()
    rows = "".join(
        "<tr>"
        f'<td style="text-align:left">{state.lesson.number:02d} {state.lesson.title}</td>'
        f"<td>{len(state.done)} of {len(state.lesson.todos)}</td>"
        f"<td>{state.points:g} of {state.points_by_checks:g}</td>"
        f'<td><progress value="{len(state.done)}" max="{len(state.lesson.todos)}" '
        f'aria-label="{state.lesson.title}"></progress></td>'
        "</tr>"
        for state in lessons
    )
    return (
        '<table><thead><tr><th style="text-align:left">Lesson</th><th>Checks passed</th>'
        "<th>Points by checks</th><th>Done</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>{next_step(lessons)}</p>"
    )


def show_progress() -> Any:
    """A widget with the table of progress and a button that reads it again."""
    import ipywidgets as widgets

    table = widgets.HTML(progress_html())
    button = widgets.Button(description="Read again", tooltip="Read the record of checks again")

    def refresh(_: Any) -> None:
        table.value = progress_html()

    button.on_click(refresh)
    return widgets.VBox([table, button])
