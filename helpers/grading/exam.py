"""What a grading worker is given and what it answers: plain data that travels as JSON.

The coordinator makes an `Exam` of each submission; a worker, here or on another machine, answers
with `Findings`. Nothing in either is code, and nothing is ever unpickled.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed", "not attempted", "died", "time limit", "no answer"]
"""How the judging of one graded cell ended."""


@dataclass(frozen=True)
class Limits:
    """What the code of one student may use.

    >>> Limits(cell_seconds=10).cell_seconds
    10
    """

    cell_seconds: float = 30.0
    """Wall time of one cell."""
    notebook_seconds: float = 300.0
    """Wall time of all cells and checks of a notebook."""
    memory: int = 2 * 2**30
    """Bytes of memory, beyond what Python and PyTorch themselves map."""
    scratch: int = 64 * 2**20
    """Bytes of files that the cells may write."""
    output: int = 100_000
    """Characters of output that are kept of one cell."""


@dataclass(frozen=True)
class Exam:
    """One notebook of one student, rebuilt from the source: all that a worker needs.

    >>> exam = Exam("00_start_here", {"cells": []}, files={"mine.py": b"x = 1"}, seed=7)
    >>> Exam.from_bytes(exam.to_bytes()) == exam
    True
    """

    assignment: str
    """The assignment's name, such as ``"01_activation_functions"``."""
    notebook: dict[str, Any]
    """nbformat 4. nbgrader's metadata come from the source and can be trusted; the sources of
    solution cells and of free cells are the student's."""
    given: tuple[str, ...] = ()
    """Ids of cells that the release also has and that are not graded (set-up, experiments): they
    need to run only if a graded cell needs them."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Files that the student handed in beside the notebook, by plain relative name."""
    seed: int = 0
    """The secret from which the cases are drawn."""
    limits: Limits = field(default_factory=Limits)
    unchanged: tuple[str, ...] = ()
    """Ids of those given cells that have the release's own text, which can be trusted."""
    strict: bool = False
    """Whether what goes beyond a lesson counts too, instead of being noted."""
    lost: dict[str, str] = field(default_factory=dict)
    """The code of cells of the release that the student has deleted, by id. They are put back, above
    all others, if they provide a name that graded work uses and no other cell provides."""

    def to_bytes(self) -> bytes:
        """The exam as JSON, files in base64."""
        files = {name: b64encode(content).decode() for name, content in self.files.items()}
        return _dump(
            assignment=self.assignment,
            notebook=self.notebook,
            given=self.given,
            files=files,
            seed=self.seed,
            limits=asdict(self.limits),
            unchanged=self.unchanged,
            strict=self.strict,
            lost=self.lost,
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Exam:
        """The exam that `to_bytes` wrote."""
        fields = json.loads(data)
        fields |= {name: tuple(fields[name]) for name in ("given", "unchanged")}
        fields["files"] = {name: b64decode(text) for name, text in fields["files"].items()}
        fields["limits"] = Limits(**fields["limits"])
        return cls(**fields)


@dataclass(frozen=True)
class Finding:
    """What judging one graded cell found."""

    grade_id: str
    check: str
    outcome: Outcome
    share: float
    """The part of the cell's points that was earned, from 0 to 1."""
    misconception: str | None = None
    """The id of the mistake, where it was recognised."""
    case: str | None = None
    """The case in which the answer differed."""
    headline: str = ""
    """The first line of the message; it stands alone."""
    perhaps: str | None = None
    """The id of a mistake that explains what failed, though not all that was seen."""
    relation: str | None = None
    """How what was returned is related to what was expected, in a sentence."""
    notes: tuple[tuple[str, str], ...] = ()
    """What a right answer could do better, each as its id and its line in the message."""


@dataclass(frozen=True)
class Findings:
    """The answer to an `Exam`.

    >>> found = Findings(findings=(Finding("cell-1", "check_relu", "passed", 1.0),))
    >>> Findings.from_bytes(found.to_bytes()) == found
    True
    """

    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """nbformat outputs by cell id, text/plain and image/png only. nbgrader's `determine_grade`
    reads the score from them: an error is 0, a stream all points, and an execute_result with a
    number that many points."""
    findings: tuple[Finding, ...] = ()
    flags: tuple[str, ...] = ()
    """What an instructor should know, in complete sentences."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Where the time went: "start", "cells", "checks" ..."""

    def to_bytes(self) -> bytes:
        """The findings as JSON."""
        return _dump(**asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Findings:
        """The findings that `to_bytes` wrote."""
        fields = json.loads(data)
        fields["findings"] = tuple(_finding(finding) for finding in fields["findings"])
        fields["flags"] = tuple(fields["flags"])
        return cls(**fields)


def _finding(fields: dict[str, Any]) -> Finding:
    notes = tuple((str(id), str(line)) for id, line in fields.pop("notes", ()))
    return Finding(**fields, notes=notes)


def _dump(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
