"""Whole runs of ``course grade``, in processes of their own, over lesson 00."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from helpers.cli import app
from helpers.grading import bridge
from helpers.grading.class_report import class_report
from helpers.grading.class_report import page as report_page
from helpers.grading.class_results import read_class

pytestmark = pytest.mark.slow

ATTACK = "My answer. <img src=x onerror=steal()>"
POINTS = {"ada": 2.0, "bob": 0.0, "eve": 1.0, "lost": 2.0, "named": 2.0}


def wrong(source: str) -> str:
    assert "if p.requires_grad" in source
    return source.replace("if p.requires_grad", "")


def hand_in_all(room: Any) -> None:
    """Five students who get a grade, and two whose files are none."""
    todos = room.todos
    room.hand_in("ada", room.work(*todos, answer="Rounding."), stamp="2026-03-01 12:00:00 UTC")
    room.hand_in("bob", room.work())
    room.hand_in("eve", room.work("todo-0-1", answer=ATTACK, **{"todo-0-2": wrong}))
    lost = room.work(*todos)
    lost.cells = [cell for cell in lost.cells if cell.id != "check-count-parameters"]
    room.hand_in("lost", lost)
    room.hand_in("named", room.work(*todos), name="start_here (1)")
    broken = room.hand_in("broken", room.work(*todos)) / "start_here.ipynb"
    broken.write_bytes(broken.read_bytes()[:-100])
    linked = room.hand_in("linked", room.work(*todos)) / "start_here.ipynb"
    linked.unlink()
    linked.symlink_to(room.folder / "submitted" / "ada" / room.lesson / "start_here.ipynb")


def tree(folder: Path) -> dict[str, int]:
    """When each file below a folder was changed last."""
    return {str(p.relative_to(folder)): p.lstat().st_mtime_ns for p in folder.rglob("*")}


def checks(room: Any) -> dict[str, float]:
    """The points of the two checks, by student."""
    return {
        student: sum(grade[0] for name, grade in grades.items() if name.startswith("check"))
        for student, grades in room.scores().items()
    }


def journal(room: Any) -> list[tuple[str, str]]:
    file = room.folder / ".grading" / room.lesson / "journal.jsonl"
    lines = map(json.loads, file.read_text().splitlines())
    return [(line["student"], line["state"]) for line in lines]


@pytest.fixture(scope="module")
def first(new_classroom: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A first run: with nothing in its environment, closed standard input, JSON and feedback."""
    room = new_classroom(tmp_path_factory.mktemp("first") / "course")
    hand_in_all(room)
    before = tree(room.folder)
    report = room.folder.parent / "report.json"
    room.run = room.grade(
        *("--json", str(report), "--feedback", "--workers", "2"),
        environment={name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},
        preexec_fn=lambda: os.close(0),
        stdin=None,
    )
    room.report = json.loads(report.read_text())
    room.changed = {n for n, when in tree(room.folder).items() if before.get(n) != when}
    return room


@pytest.fixture
def again(first: Any, new_classroom: Any, tmp_path: Path) -> Any:
    """A copy of the folder after that run, without the two files that cannot be graded."""
    room = new_classroom(tmp_path / "course", first.folder)
    for student in ("broken", "linked"):
        (room.folder / "submitted" / student / room.lesson / "start_here.ipynb").unlink()
        (room.folder / "submitted" / student / room.lesson).rmdir()
    return room


def test_scores(first: Any) -> None:
    assert checks(first) == POINTS, first.run.stderr
    assert {n: g[first.question] for n, g in first.scores().items()} == {
        "ada": (None, None, True),
        "eve": (None, None, True),
        **dict.fromkeys(("bob", "lost", "named"), (0.0, None, False)),
    }


def test_exit_status_and_messages(first: Any) -> None:
    assert first.run.returncode == 1
    assert first.run.stdout == ""
    text = first.run.stderr
    assert "broken: The notebook is not complete JSON" in text
    assert "linked: start_here.ipynb is a symbolic link. Ask the student for the file" in text
    assert (
        "00_start_here: 5 graded, 0 graded before and unchanged, 2 with errors, 2 waiting" in text
    )
    assert "Traceback" not in text
    assert "Warning" not in text


def test_the_report(first: Any) -> None:
    report = first.report
    assert (report["assignment"], report["graded"], report["skipped"]) == (first.lesson, 5, 0)
    students = report["students"]
    assert {n: s["score"] for n, s in students.items() if not s["errors"]} == POINTS
    assert students["ada"]["max_score"] == 4.0
    assert students["ada"]["needs_manual_grade"]
    assert not students["bob"]["needs_manual_grade"]
    assert [f["outcome"] for f in students["bob"]["findings"]] == ["not attempted"] * 2
    assert students["eve"]["findings"][1]["misconception"] == "counts-frozen"
    assert students["lost"]["flags"] == [
        "The graded cell check_count_parameters was missing; it was added again."
    ]
    assert students["named"]["flags"] == [
        "The notebook is called start_here (1).ipynb and not start_here.ipynb."
    ]
    assert students["broken"]["score"] is None
    assert students["broken"]["errors"][0].startswith("The notebook is not complete JSON")


def test_the_page_names_who_has_no_grade(first: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(first.folder)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    run = CliRunner().invoke(app, ["report", first.lesson])
    assert "5 students, 2 without a grade" in run.output
    html = (first.folder / "reports" / f"{first.lesson}.html").read_text(encoding="utf-8")
    why = {row.th.text: row.td.text for row in BeautifulSoup(html, "html.parser").table.tbody("tr")}
    assert why.keys() == {"broken", "linked"}
    assert why["broken"].startswith("The notebook is not complete JSON")


def test_it_writes_only_where_it_may(first: Any) -> None:
    places = {name.split("/")[0] for name in first.changed}
    assert places == {"autograded", "feedback", ".grading", "gradebook.db"}


def test_feedback_has_the_diagnosis_and_no_script(first: Any) -> None:
    page = first.folder / "feedback" / "eve" / first.lesson / "start_here.html"
    html = page.read_text(encoding="utf-8")
    assert "You counted frozen parameters too." in html
    assert "My answer. &lt;img src=x onerror=steal()&gt;" in html
    assert "<img src=" not in html


def test_a_second_run_does_nothing(again: Any) -> None:
    before = tree(again.folder)
    run = again.call("--json", str(again.folder.parent / "r.json"))
    assert run.exit_code == 0, run.stderr
    assert "0 graded, 5 graded before and unchanged, 0 with errors" in run.stderr
    report = json.loads((again.folder.parent / "r.json").read_text())
    assert {n: s["score"] for n, s in report["students"].items()} == POINTS
    assert report["students"]["lost"]["flags"]
    changed = {n for n, when in tree(again.folder).items() if before.get(n) != when}
    assert changed <= {".grading/00_start_here"}


def test_what_changed_is_graded_again_and_only_that(again: Any) -> None:
    again.hand_in("bob", again.work("todo-0-1"))
    again.hand_in("new", again.work())
    with again.gradebook() as gradebook:
        gradebook.remove_submission(again.lesson, "ada")
    known = len(journal(again))
    assert again.call("--workers", "1").exit_code == 0
    assert journal(again)[known:] == [
        ("ada", "recorded"),  # the gradebook had lost it; it is not examined again
        ("bob", "examined"),
        ("bob", "recorded"),
        ("new", "examined"),
        ("new", "recorded"),
    ]
    assert checks(again) == {**POINTS, "bob": 1.0, "new": 0.0}


def test_the_page_says_whose_points_are_old(again: Any) -> None:
    """The score of a first submission must not pass for that of a second one."""

    def page() -> str:
        students, ungraded = read_class(again.folder, again.lesson)
        assert not ungraded
        return report_page(class_report(again.lesson, students))

    file = again.folder / "submitted" / "ada" / again.lesson / "start_here.ipynb"
    whole = file.read_bytes()
    file.write_bytes(b"")
    assert again.call().exit_code == 1
    assert "The points are those of an earlier submission" in page()
    assert "The notebook is an empty file." in page()
    file.write_bytes(whole)
    assert again.call().exit_code == 0
    assert "an earlier submission" not in page()


def test_feedback_for_what_was_graded_before(again: Any) -> None:
    shutil.rmtree(again.folder / "feedback")
    run = again.call("--feedback")
    assert "0 graded, 5 graded before and unchanged, 0 with errors" in run.stderr
    assert sorted(os.listdir(again.folder / "feedback")) == sorted(POINTS)


def test_feedback_is_written_again_when_it_would_differ(again: Any) -> None:
    def pages() -> dict[str, int]:
        found = (again.folder / "feedback").glob("*/*/*.html")
        return {page.parts[-3]: page.stat().st_mtime_ns for page in found}

    again.call("--feedback")
    before = pages()
    with Gradebook(f"sqlite:///{again.folder}/gradebook.db") as gradebook:
        answer = gradebook.find_grade(again.question, "start_here", again.lesson, "ada")
        answer.manual_score = 0.5
        comment = gradebook.find_comment(again.question, "start_here", again.lesson, "bob")
        comment.manual_comment = "Why?"
        gradebook.db.commit()
    assert again.call("--feedback").exit_code == 0
    after = pages()
    assert sorted(before) == sorted(POINTS)
    assert {name for name in before if after[name] != before[name]} == {"ada", "bob"}
    page = next((again.folder / "feedback" / "bob").rglob("*.html")).read_text(encoding="utf-8")
    assert "Why?" in page


@pytest.mark.parametrize(
    "place", ["work.ipynb", "zoe/start_here (2).ipynb", "zoe/00_Start_Here/start_here.ipynb"]
)
def test_a_notebook_that_lies_elsewhere_is_named(again: Any, place: str) -> None:
    stray = again.folder / "submitted" / place
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_text(json.dumps(again.work()))
    (again.folder / "submitted" / "ada" / "start_here.ipynb").write_text("{}")  # of one who did
    (again.folder / "submitted" / "zoe").mkdir(exist_ok=True)
    (again.folder / "submitted" / "zoe" / "dropout.ipynb").write_text("{}")  # another lesson's
    run = again.call()
    assert run.exit_code == 1
    assert f"{stray} was not graded, since it lies in no student's folder" in run.stderr
    assert run.stderr.count("was not graded") == 1


def test_a_folder_of_another_user(again: Any) -> None:
    lock = again.folder / ".grading" / "lock"
    lock.unlink()
    lock.mkdir()  # as hard to open as a file of another user, for root too
    run = again.call()
    assert run.exit_code == 2
    assert f"{lock} cannot be written: Is a directory. Put that right" in run.stderr
    assert "Traceback" not in run.stderr


def test_force_and_student(again: Any) -> None:
    known = len(journal(again))
    assert again.call("--force", "--student", "ada", "--workers", "1").exit_code == 0
    assert journal(again)[known:] == [("ada", "examined"), ("ada", "recorded")]
    run = again.call("--student", "ida")
    assert run.exit_code == 1
    assert "ida: There is no submission of this student." in run.stderr


def test_a_locked_gradebook_loses_nothing(again: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "ATTEMPTS", 1)  # of five seconds
    again.hand_in("new", again.work("todo-0-1"))
    known = len(journal(again))
    with sqlite3.connect(again.folder / "gradebook.db") as other:
        other.execute("begin immediate")
        run = again.call("--workers", "1")
        other.rollback()
    assert run.exit_code == 1
    assert "The gradebook is in use by another program" in run.stderr
    assert journal(again)[known:] == [("new", "examined")]
    assert again.call().exit_code == 0
    assert journal(again)[known:] == [("new", "examined"), ("new", "recorded")]
    assert checks(again)["new"] == 1.0


def test_two_graders_do_not_meet(again: Any) -> None:
    with (again.folder / ".grading" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = again.call()
    assert run.exit_code == 2
    assert "Another `course grade` is at work" in run.stderr


@pytest.mark.parametrize(
    ("prepare", "arguments", "sentence"),
    [
        ("rm -r submitted", [], "No submissions were found"),
        ("rm gradebook.db", [], "There is no gradebook"),
        ("echo 'c.x = (' >> nbgrader_config.py", [], "nbgrader_config.py"),
        ("true", ["--course-dir", "nowhere"], "is no folder"),
        ("true", ["--json", "nowhere/report.json"], "is no folder"),
        ("true", ["--scheduler", "tcp://127.0.0.1:9"], "No Dask scheduler answers"),
    ],
)
def test_what_keeps_it_from_starting(
    again: Any, prepare: str, arguments: list[str], sentence: str
) -> None:
    assert os.system(f"cd {again.folder} && {prepare}") == 0
    run = again.call(*arguments)
    assert run.exit_code == 2
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr


def test_it_refuses_where_it_cannot_isolate(again: Any) -> None:
    again.hand_in("new", again.work("todo-0-1"))
    nowhere = {**os.environ, "PATH": "/nowhere"}
    run = again.grade("--workers", "1", environment=nowhere)
    assert run.returncode == 2
    assert "bubblewrap" in run.stderr
    assert "new" not in checks(again)
    run = again.grade("--workers", "1", "--no-sandbox", "--student", "new", environment=nowhere)
    assert run.returncode == 0, run.stderr
    assert checks(again)["new"] == 1.0
