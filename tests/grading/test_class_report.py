"""The page about a class: right numbers, readable alone, and nothing in it that could run."""

from __future__ import annotations

import re

from helpers.grading.class_report import Student, class_report, page
from helpers.grading.exam import Finding

LESSON = "01_activation_functions"


def finding(check: str, share: float, misconception: str | None = None, **more: str) -> Finding:
    outcome = more.get("outcome", "passed" if share else "failed")
    return Finding(check, check, outcome, share, misconception)  # type: ignore[arg-type]


def a_class() -> list[Student]:
    """Twelve students: the better half has both right; some share a mistake."""
    students = []
    for i in range(12):
        good = i < 6
        relu = finding("check_relu", 1.0) if good else finding("check_relu", 0.0, "half-at-zero")
        silu = finding("check_silu", 1.0) if i < 7 else finding("check_silu", 0.0)
        score = 20.0 if good else 4.0
        students.append(Student(f"s{i:02d}", score, 20.0, not good, (relu, silu)))
    return students


def test_difficulty_discrimination_and_mistakes() -> None:
    report = class_report(LESSON, a_class())
    relu, silu = report.questions
    assert relu.share == 0.5
    assert silu.share == 7 / 12
    assert relu.discrimination is not None
    assert relu.discrimination > 0.7
    assert [(m.id, m.count) for m in relu.mistakes] == [("half-at-zero", 6)]
    assert relu.mistakes[0].diagnosis
    assert (relu.unexplained, silu.unexplained) == (0, 5)
    assert sum(bar.count for bar in report.bars) == 12
    assert report.summary["median"] == 12.0
    assert report.summary["waiting"] == 6


def test_two_mistakes_guesses_relations_and_notes_are_counted() -> None:
    both = Finding("q", "check_adamw_step", "failed", 0.0, "no-root+uphill")
    guess = Finding("q", "check_adamw_step", "failed", 0.0, perhaps="no-root", relation="Twice.")
    noted = Finding("q", "check_adamw_step", "passed", 1.0, notes=(("n", "◦ One thing more."),))
    found = {"ada": both, "bob": guess, "eve": noted, "joe": noted}
    students = [Student(name, 0, 20, findings=(one,)) for name, one in found.items()]
    report = class_report("04_weight_decay", students)
    (question,) = report.questions
    (pair,) = question.mistakes
    assert pair.id == "no-root+uphill" and pair.count == 1
    assert pair.diagnosis.startswith("You divide by v̂") and "uphill" in pair.diagnosis
    assert [m.id for m in question.guesses] == ["no-root"]
    assert [(r.sentence, r.students) for r in question.relations] == [("Twice.", ("bob",))]
    assert [(r.sentence, r.count) for r in question.notes] == [("One thing more.", 2)]
    html = page(report)
    assert "Perhaps: You divide by v̂" in html and "Noticed: Twice." in html
    assert "One thing more." in html and "◦" not in html


def test_a_small_class_has_no_correlation() -> None:
    report = class_report(LESSON, a_class()[:9])
    assert all(q.discrimination is None for q in report.questions)


def test_who_needs_a_look() -> None:
    flagged = Student("ada", 0, 20, flags=("A cell was missing and was added back.",))
    dead = Student("bob", 0, 20, findings=(finding("check_relu", 0.0, outcome="died"),))
    fine = Student("eve", 20, 20, findings=(finding("check_relu", 1.0),))
    report = class_report(LESSON, [flagged, dead, fine])
    assert [name for name, _ in report.to_look_at] == ["ada", "bob"]


def test_the_page_stands_alone_and_runs_nothing() -> None:
    name = "<script>alert(1)</script>"
    html = page(class_report(LESSON, [*a_class(), Student(name, 0, 20, flags=(f"{name}.",))]))
    assert "<script" not in html
    assert not re.findall(r"""(?:src|href)\s*=|url\(|@import|https?://""", html)
    assert "@media print" in html
    assert "half-at-zero" in html


def test_who_handed_in_and_has_no_grade() -> None:
    why = {"zoe": "It is a zip archive.", "ada <b>": "It is <empty>."}
    html = page(class_report(LESSON, a_class(), why))
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td></tr>', html)
    assert rows[:2] == [
        ("ada &lt;b&gt;", "It is &lt;empty&gt;."),
        ("zoe", "It is a zip archive."),
    ]
    assert "<code>course grade 01_activation_functions</code> again" in html
    assert "Handed in and not graded" not in page(class_report(LESSON, a_class()))


def test_the_numbers_of_the_bars_can_be_heard() -> None:
    html = page(class_report(LESSON, a_class()))
    (label,) = re.findall(r'aria-label="([^"]*)"', html)
    assert "2 to 4, 0; 4 to 6, 6; 6 to 8, 0" in label
    assert label.endswith("18 to 20, 6.")


def test_every_score_is_in_a_bar_of_whole_points() -> None:
    students = [Student(f"s{score}", score, 24.0) for score in (0.0, 3.0, 23.5, 24.0, 26.0)]
    bars = class_report("10_bug_clinic", students).bars
    assert [(bar.low, bar.high) for bar in bars] == [(i, i + 3) for i in range(0, 27, 3)]
    assert [bar.count for bar in bars] == [1, 1, 0, 0, 0, 0, 0, 1, 2]


def test_one_submission_is_in_the_singular() -> None:
    (one,) = re.findall(r"<p>(1 sub.*?)</p>", page(class_report(LESSON, a_class()[-1:])), re.DOTALL)
    assert one.startswith("1 submission has a grade.")
    assert one.endswith("1 of them waits for points by hand.")


def test_an_empty_class_has_a_page_too() -> None:
    assert "No submission" in page(class_report(LESSON, []))
