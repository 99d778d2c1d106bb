"""Results in nbgrader's gradebook and folders, written once or twice."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import stat
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.grading import bridge as bridging
from helpers.grading.bridge import Bridge, together
from helpers.grading.cells import read_cells
from helpers.grading.exam import Finding, Findings
from helpers.grading.feedback import write_feedback
from helpers.grading.layout import Course
from helpers.grading.reading import Submission
from helpers.grading.rebuild import rebuild
from helpers.grading.source import Source
from helpers.grading.trouble import CannotGrade, Stopped

CHECKS = {
    "check_numerical_gradient": "check-numerical-gradient",
    "check_count_parameters": "check-count-parameters",
}
ERROR = {"output_type": "error", "ename": "CheckFailed", "evalue": "no", "traceback": ["✗ no"]}
PASSED = {"output_type": "stream", "name": "stdout", "text": "✓ passed"}


def findings(*shares: float) -> Findings:
    """Findings of both checks, with outputs as the examiner makes them."""
    found, outputs = [], {}
    for (grade_id, cell), share in zip(CHECKS.items(), shares, strict=True):
        part = {"output_type": "execute_result", "data": {"text/plain": str(share)}}
        outputs[cell] = [ERROR if share == 0 else PASSED if share == 1 else part]
        found.append(Finding(grade_id, grade_id, "passed" if share else "failed", share))
    return Findings(outputs, tuple(found))


@pytest.fixture
def bridge(course: Course, source: Source) -> Bridge:
    return Bridge(course, source)


def submission(classroom: Any, **changes: Any) -> Submission:
    work = classroom.work(*classroom.todos, answer=changes.pop("answer", "Rounding."))
    return replace(Submission("ada", "start_here", json.dumps(work).encode()), **changes)


def record(bridge: Bridge, handed_in: Submission, found: Findings) -> dict[str, float | None]:
    cells, _ = read_cells(handed_in.notebook)
    executed = bridge.executed(rebuild(cells, bridge.source).notebook, found)
    bridge.record(handed_in, executed)
    return bridge.scores(executed)


def everything(classroom: Any) -> Any:
    """Every row of the gradebook, and every file in autograded/ with its mode and content."""
    with sqlite3.connect(classroom.folder / "gradebook.db") as gradebook:
        tables = [name for (name,) in gradebook.execute("select name from sqlite_master")]
        rows = {
            t: sorted(map(repr, gradebook.execute(f"select * from {t}")))
            for t in tables
            if not t.startswith("sqlite_")
        }
    folder = classroom.folder / "autograded"
    files = {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }
    return rows, files


def test_scores_reach_the_gradebook(classroom: Any, bridge: Bridge) -> None:
    record(bridge, submission(classroom), findings(1, 0.25))
    assert classroom.scores()["ada"] == {
        "check_numerical_gradient": (1.0, None, False),
        "check_count_parameters": (0.25, None, False),
        classroom.question: (None, None, True),
    }
    grade = bridge.grade("ada")
    assert (grade.score, grade.max_score, grade.needs_manual_grade) == (1.25, 4.0, True)


def test_an_untouched_answer_is_0_and_needs_nobody(classroom: Any, bridge: Bridge) -> None:
    record(bridge, submission(classroom, answer=""), findings(0, 0))
    assert classroom.scores()["ada"][classroom.question] == (0.0, None, False)
    assert not bridge.grade("ada").needs_manual_grade
    with classroom.gradebook() as gradebook:
        comment = gradebook.find_comment(
            classroom.question, classroom.notebook, classroom.lesson, "ada"
        )
        assert comment.auto_comment == "No response."


def test_twice_is_once(classroom: Any, bridge: Bridge) -> None:
    handed_in = submission(classroom, timestamp=datetime(2026, 3, 1), stamp=b"2026-03-01")
    record(bridge, handed_in, findings(1, 0))
    once = everything(classroom)
    record(bridge, handed_in, findings(1, 0))
    assert everything(classroom) == once


def test_points_by_hand_stay(classroom: Any, bridge: Bridge) -> None:
    record(bridge, submission(classroom), findings(1, 0))
    with classroom.gradebook() as gradebook:
        for name, points in ((classroom.question, 1.5), ("check_count_parameters", 0.5)):
            grade = gradebook.find_grade(name, classroom.notebook, classroom.lesson, "ada")
            grade.manual_score, grade.needs_manual_grade = points, False
        gradebook.db.commit()
    record(bridge, submission(classroom), findings(0, 1))
    assert classroom.scores()["ada"] == {
        "check_numerical_gradient": (0.0, None, False),
        "check_count_parameters": (1.0, 0.5, True),  # nbgrader asks for a new look
        classroom.question: (None, 1.5, True),
    }
    assert bridge.grade("ada").score == 2.0


def test_lateness_is_penalised_by_the_configured_plugin(
    classroom: Any, bridge: Bridge, course: Course
) -> None:
    course.autograde.config.LateSubmissionPlugin.penalty_method = "zero"
    bridge = Bridge(course, bridge.source)
    with classroom.gradebook() as gradebook:
        gradebook.find_assignment(classroom.lesson).duedate = datetime(2026, 1, 1)
        gradebook.db.commit()
    record(bridge, submission(classroom, timestamp=datetime(2026, 1, 2)), findings(1, 1))
    with classroom.gradebook() as gradebook:
        found = gradebook.find_submission(classroom.lesson, "ada")
        assert found.total_seconds_late == 86400
        assert found.late_submission_penalty == 2.0


def test_the_folder_in_autograded(classroom: Any, bridge: Bridge) -> None:
    source = replace(bridge.source, files={"data.csv": b"ours"})
    handed_in = submission(
        classroom,
        files={"data.csv": b"theirs", "a/mine.py": b"x", "page.html": b"<script>"},
        timestamp=datetime(2026, 3, 1),
        stamp=b"2026-03-01 00:00:00 UTC",
    )
    bridge.source = source
    record(bridge, handed_in, findings(1, 1))
    record(bridge, replace(handed_in, files={"b.txt": b"y"}), findings(1, 1))
    folder = classroom.folder / "autograded" / "ada" / classroom.lesson
    found = {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}
    made = nbformat.reads(found.pop("start_here.ipynb").decode(), as_version=4)
    nbformat.validate(made)
    outputs = {c.id: c.outputs for c in made.cells if c.cell_type == "code" and c.outputs}
    assert set(outputs) == set(CHECKS.values())
    assert found == {
        "data.csv": b"ours",
        "b.txt": b"y",
        "timestamp.txt": b"2026-03-01 00:00:00 UTC",
    }
    assert stat.S_IMODE((folder / "data.csv").stat().st_mode) == 0o444
    assert [p.name for p in folder.parent.iterdir()] == [classroom.lesson]


def test_a_check_without_a_verdict_gives_no_points(classroom: Any, bridge: Bridge) -> None:
    """nbgrader gives all points to a check without output; here that is an error."""
    whole = findings(1, 1)
    silent = {**whole.outputs, "check-count-parameters": []}
    html = [{"output_type": "display_data", "data": {"text/html": "<b>x</b>"}}]
    for wrong in (
        Findings(),
        replace(whole, outputs=silent),
        replace(whole, outputs={**whole.outputs, "check-count-parameters": html}),
        replace(whole, findings=whole.findings[:1]),
        replace(whole, outputs=findings(1, 0).outputs),
    ):
        with pytest.raises(CannotGrade, match="does not fit to its output"):
            record(bridge, submission(classroom), wrong)
    assert classroom.scores() == {}


def test_recorded_is_what_the_gradebook_has(classroom: Any, bridge: Bridge) -> None:
    handed_in = submission(classroom, timestamp=datetime(2026, 3, 1))
    scores = record(bridge, handed_in, findings(1, 0))
    assert bridge.is_recorded(handed_in, scores)
    assert not bridge.is_recorded(replace(handed_in, student="bob"), scores)
    assert not bridge.is_recorded(handed_in, {**scores, "check_count_parameters": 1.0})
    assert not bridge.is_recorded(replace(handed_in, timestamp=datetime(2026, 3, 2)), scores)
    folder = classroom.folder / "autograded" / "ada" / classroom.lesson
    (folder / "start_here.ipynb").unlink()
    assert not bridge.is_recorded(handed_in, scores)


def test_a_student_who_is_not_in_the_gradebook(
    classroom: Any, course: Course, bridge: Bridge
) -> None:
    course.autograde.create_student = False
    with pytest.raises(CannotGrade, match="nbgrader db student add ada"):
        record(bridge, submission(classroom), findings(1, 1))


def test_a_locked_gradebook(
    classroom: Any, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridging, "ATTEMPTS", 1)
    bridge.course.coursedir.db_url += "?timeout=0.2"
    with sqlite3.connect(classroom.folder / "gradebook.db") as other:
        other.execute("begin exclusive")
        with pytest.raises(Stopped, match="in use by another program"):
            record(bridge, submission(classroom), findings(1, 1))
        other.rollback()
    record(bridge, submission(classroom), findings(1, 1))
    assert bridge.grade("ada").score == 2.0


def test_a_full_disk(classroom: Any, bridge: Bridge) -> None:
    """A limit on the size of files stands for it: nothing half is left, and it can be repeated."""
    record(bridge, submission(classroom), findings(1, 1))
    before = everything(classroom)[1]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = submission(classroom, files={"big": os.urandom(2_000_000)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(Stopped, match="the disk is full"):
            record(bridge, big, findings(1, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    lesson = f"ada/{classroom.lesson}"
    after = {n: f for n, f in everything(classroom)[1].items() if n.startswith(lesson)}
    assert after == {n: f for n, f in before.items() if n.startswith(lesson)}
    record(bridge, big, findings(1, 1))
    names = [path.name for path in (classroom.folder / "autograded" / "ada").iterdir()]
    assert names == [classroom.lesson]


def test_a_full_disk_stops_the_gradebook_too(classroom: Any, bridge: Bridge) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(Stopped, match="gradebook cannot be written"):
            record(bridge, submission(classroom), findings(1, 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    record(bridge, submission(classroom), findings(1, 1))
    assert bridge.grade("ada").score == 2.0


def test_feedback_is_nbgraders_own(classroom: Any, course: Course, bridge: Bridge) -> None:
    record(bridge, submission(classroom), findings(1, 0))
    assert write_feedback(course, classroom.lesson, "ada") == []
    page = classroom.folder / "feedback" / "ada" / classroom.lesson / "start_here.html"
    assert "✗ no" in page.read_text(encoding="utf-8")
    (trouble,) = write_feedback(course, classroom.lesson, "nobody")
    assert "generate_feedback 00_start_here --student nobody" in trouble


def test_names_that_collide() -> None:
    ours = {"data/x.csv": b"", "timestamp.txt": b""}
    theirs = {"data": b"", "data/x.csv/y": b"", "timestamp.txt/z": b"", "a/b": b"", "a": b""}
    assert set(together(ours, theirs)) == {*ours, "a/b"}


def test_nothing_follows_a_link_in_autograded(classroom: Any, bridge: Bridge) -> None:
    """Even a link that somebody put there is replaced and not written through."""
    elsewhere = classroom.folder.parent / "elsewhere"
    elsewhere.mkdir()
    place: Path = classroom.folder / "autograded" / "ada"
    place.mkdir(parents=True)
    (place / classroom.lesson).symlink_to(elsewhere)
    record(bridge, submission(classroom), findings(1, 1))
    assert list(elsewhere.iterdir()) == []
    assert not (place / classroom.lesson).is_symlink()
