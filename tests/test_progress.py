"""The local record of passed checks: what is done, what is next, and that it can be lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers import check_relu
from helpers.answers.activation_functions.formulas import HandReLU
from helpers.cli import app
from helpers.course import LESSONS
from helpers.progress import latest_outcomes, progress, progress_html, record, show_progress


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "deep" / "progress.jsonl"
    monkeypatch.setenv("COURSE_PROGRESS", str(place))
    return place


def command() -> str:
    result = CliRunner().invoke(app, ["progress"], env={"COLUMNS": "120"})
    assert result.exit_code == 0
    return result.output


def test_checks_record_what_they_found(file: Path) -> None:
    check_relu(HandReLU)
    with pytest.raises(AssertionError):
        check_relu(None)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["passed", "failed"]
    assert latest_outcomes() == {"check_relu": "failed"}


def test_the_command_shows_points_and_what_is_next(file: Path) -> None:
    assert "Next: TODO 0.1 (numerical_gradient) in lesson 00, Start here." in command()
    record("check_numerical_gradient", "passed")
    output = command()
    assert "1 of 2" in output
    assert "Next: TODO 0.2 (count_parameters)" in output
    for lesson in LESSONS:
        for todo in lesson.todos:
            record(todo.check, "passed")
    assert "Every check has passed." in command()
    assert all(state.next is None for state in progress())


def test_lost_or_broken_records_lose_nothing_else(file: Path) -> None:
    record("check_relu", "passed")
    with file.open("a") as stream:
        stream.write('{"check": "check_tanh", "outco')
    assert latest_outcomes() == {"check_relu": "passed"}
    file.unlink()
    assert latest_outcomes() == {}
    check_relu(HandReLU)
    assert latest_outcomes() == {"check_relu": "passed"}


def test_a_record_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("COURSE_PROGRESS", str(blocker / "progress.jsonl"))
    check_relu(HandReLU)
    out = capsys.readouterr().out
    assert "(Your progress could not be recorded: " in out
    assert "✓ ReLU" in out


def test_grading_records_nothing(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check_relu(HandReLU)
    assert not file.exists()


def test_the_widget_reads_the_record_again(file: Path) -> None:
    widget = show_progress()
    table, button = widget.children
    assert "1 of 9" not in table.value
    record("check_relu", "passed")
    button.click()
    assert "1 of 9" in table.value
    assert table.value == progress_html()
