"""One page about how a class did on an assignment: scores, questions, mistakes, who needs a look.

The page holds everything that it shows: it needs no network, no script and no colour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from pathlib import Path
from statistics import mean, median

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from helpers.checking.general import GENERAL
from helpers.checking.judging import answers_to
from helpers.course import LESSONS, todo_of
from helpers.grading.exam import Finding

FEW = 10
"""With fewer answers than this, a correlation says nothing."""


@dataclass(frozen=True)
class Student:
    """What is known about one student's submission."""

    name: str
    score: float
    max_score: float
    waits_for_hand: bool = False
    findings: tuple[Finding, ...] = ()
    flags: tuple[str, ...] = ()
    failure: str = ""
    """Why the last submission could not be graded, where the points are those of one before."""


EARLIER = (
    "The points are those of an earlier submission, since the last one could not be graded: {why}"
)


@dataclass(frozen=True)
class Mistake:
    """A recognised misconception, and how many of the class have it."""

    id: str
    diagnosis: str
    count: int
    students: tuple[str, ...]


@dataclass(frozen=True)
class Remark:
    """A sentence about answers, and whose: a relation, or what right answers could do better."""

    sentence: str
    students: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.students)


@dataclass(frozen=True)
class Question:
    """How the class did on one graded cell."""

    grade_id: str
    writes: str
    share: float
    """The mean part of the points: 1 means that everybody has it right."""
    discrimination: float | None
    """The correlation with the points of the other questions; None where it cannot be said."""
    outcomes: dict[str, int]
    mistakes: tuple[Mistake, ...]
    unexplained: int
    """Wrong answers that no misconception explains."""
    guesses: tuple[Mistake, ...] = ()
    """What may explain answers of which no diagnosis could be made."""
    relations: tuple[Remark, ...] = ()
    """How those results are related to the expected ones."""
    notes: tuple[Remark, ...] = ()
    """What right answers could do better; no points are lost."""


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class ClassReport:
    """All that the page shows."""

    assignment: str
    title: str
    students: tuple[Student, ...]
    questions: tuple[Question, ...]
    bars: tuple[Bar, ...]
    to_look_at: tuple[tuple[str, tuple[str, ...]], ...]
    ungraded: tuple[tuple[str, str], ...] = ()
    """Who handed in and has no grade, and why."""
    summary: dict[str, float] = field(default_factory=dict)


def class_report(
    assignment: str, students: Sequence[Student], ungraded: Mapping[str, str] | None = None
) -> ClassReport:
    """Count what the page shows.

    >>> wrong = Finding("check_relu", "check_relu", "failed", 0.0, "half-at-zero")
    >>> report = class_report("01_activation_functions", [Student("ada", 0, 20, findings=(wrong,))])
    >>> report.questions[0].mistakes[0].count
    1
    """
    graded = tuple(sorted(students, key=lambda s: s.name))
    title = {lesson.folder: lesson.title for lesson in LESSONS}.get(assignment, assignment)
    order = dict.fromkeys(f.grade_id for s in graded for f in s.findings)
    scores = [s.score for s in graded]
    most = max((s.max_score for s in graded), default=0.0)
    summary: dict[str, float] = {"students": len(graded), "max": most}
    if scores:
        summary |= {
            "mean": mean(scores),
            "median": median(scores),
            "lowest": min(scores),
            "highest": max(scores),
            "waiting": sum(s.waits_for_hand for s in graded),
        }
    return ClassReport(
        assignment=assignment,
        title=title,
        students=graded,
        questions=tuple(_question(grade_id, graded) for grade_id in order),
        bars=_bars(scores, most),
        to_look_at=tuple((s.name, why) for s in graded if (why := _reasons(s))),
        ungraded=tuple(sorted((ungraded or {}).items())),
        summary=summary,
    )


def _question(grade_id: str, students: Sequence[Student]) -> Question:
    found = [(s, f) for s in students for f in s.findings if f.grade_id == grade_id]
    check = found[0][1].check
    named = [(f.misconception, s.name) for s, f in found if f.misconception]
    guessed = [(f.perhaps, s.name) for s, f in found if f.perhaps]
    related = [(f.relation, s.name) for s, f in found if f.relation]
    noted = [(line, s.name) for s, f in found for _, line in f.notes]
    return Question(
        grade_id=grade_id,
        writes=todo_of(check).writes,
        share=mean(f.share for _, f in found),
        discrimination=_discrimination(grade_id, [s for s, _ in found]),
        outcomes=dict(Counter(f.outcome for _, f in found).most_common()),
        mistakes=_mistakes(named, check),
        unexplained=sum(f.outcome == "failed" and not f.misconception for _, f in found),
        guesses=_mistakes(guessed, check),
        relations=tuple(Remark(sentence, who) for sentence, who in _grouped(related)),
        notes=tuple(Remark(line.removeprefix("◦ "), who) for line, who in _grouped(noted)),
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    """The students by what is said of them, the most frequent first."""
    who: dict[str, list[str]] = {}
    for said, student in pairs:
        who.setdefault(said, []).append(student)
    return sorted(((k, tuple(v)) for k, v in who.items()), key=lambda p: (-len(p[1]), p[0]))


def _mistakes(pairs: Iterable[tuple[str, str]], check: str) -> tuple[Mistake, ...]:
    """Each mistake, or two that came together, with whose it is."""
    known = diagnoses_of(check)
    return tuple(
        Mistake(id, " ".join(known.get(one, "") for one in id.split("+")), len(who), who)
        for id, who in _grouped(pairs)
    )


def diagnoses_of(check: str) -> dict[str, str]:
    """What is said of each slip of a check, by its id."""
    from helpers.grading.examiner import check_named

    known = {slip.id: slip.diagnosis for slip in GENERAL}
    return known | {named.id: named.diagnosis for named in answers_to(check_named(check)).named()}


def _discrimination(grade_id: str, students: Sequence[Student]) -> float | None:
    """How well the question parts those who do well on the others from those who do not."""
    if len(students) < FEW:
        return None
    own = [next(f.share for f in s.findings if f.grade_id == grade_id) for s in students]
    rest = [sum(f.share for f in s.findings if f.grade_id != grade_id) for s in students]
    if np.std(own) == 0 or np.std(rest) == 0:
        return None
    return float(np.corrcoef(own, rest)[0, 1])


def _bars(scores: Sequence[float], most: float) -> tuple[Bar, ...]:
    if not scores or most <= 0:
        return ()
    top = max(most, *scores)
    width = ceil(top / 10)  # whole points, so that the edges are short numbers
    bars = ceil(top / width)
    counts, edges = np.histogram(scores, bins=bars, range=(0, width * bars))
    return tuple(
        Bar(float(low), float(high), int(n))
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _reasons(student: Student) -> tuple[str, ...]:
    """Why an instructor should look at a submission."""
    hard = {
        "died": "ended the process",
        "time limit": "did not end in time",
        "no answer": "was not reached",
    }
    ended = [f"{f.check} {hard[f.outcome]}." for f in student.findings if f.outcome in hard]
    earlier = (EARLIER.format(why=student.failure),) if student.failure else ()
    return (*earlier, *student.flags, *ended)


def page(report: ClassReport, day: date | None = None) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tallest = max((bar.count for bar in report.bars), default=1) or 1
    return environment.get_template("class_report.html.j2").render(
        report=report, tallest=tallest, day=(day or date.today()).isoformat()
    )
