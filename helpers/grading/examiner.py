"""Judges one student's notebook: the code runs in a sandbox, and every verdict is reached here.

The child in the sandbox only runs cells and shows what it is asked for. Cases, references,
misconceptions and points stay in this process. If a child dies, the notebook is run again in a
new one, without what killed it, so that the other questions keep their points.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import Any

import torch

from helpers.checking.arguments import Facts, refusal
from helpers.checking.case import Case
from helpers.checking.check import Check
from helpers.checking.judging import Known, ReferenceFailed, Verdict, judge
from helpers.checking.observing import Observation
from helpers.checking.report import Report, note_on, report_on
from helpers.course import LESSONS
from helpers.grading import sentences, wire
from helpers.grading.exam import Exam, Finding, Findings, Outcome
from helpers.grading.outputs import a_score, an_error, clean_outputs
from helpers.grading.plan import Judge, Run, Step, question_of_needs, steps_of
from helpers.grading.sandbox.shell import plain
from helpers.grading.sandbox.station import Child, ChildEnded, Station, station_for

ANSWER_SECONDS = 10.0
"""How long a child may take beyond the time that its student's code is given."""

PATIENCE = 2.0
"""A busy machine must not cost points: code has this many times as long as in a notebook."""

MORE_CHILDREN = 3
"""A notebook is run again at most this often, beside once for each graded cell."""

SEARCH_SECONDS = 4.0
"""How long two slips are looked for. What was found out about one student serves the others."""

CHECKS_KEPT = 48
"""For so many checks a process remembers what reference and misconceptions show."""


def examine_bytes(exam: bytes, sandbox: bool = True) -> bytes:
    """The same as `examine`, over bytes: the task of a pool of processes or of a cluster."""
    return examine(Exam.from_bytes(exam), sandbox).to_bytes()


def examine(exam: Exam, sandbox: bool = True) -> Findings:
    """Run a student's notebook and judge every graded cell.

    The sandbox stays open in this process for the next notebook.

    Raises:
        SandboxError: this machine cannot isolate the student's code.
        NoCheck: a graded cell of the source is not the call of a check.
    """
    torch.set_num_threads(1)
    return _Examination(exam, steps_of(exam), station_for(sandbox)).findings()


@lru_cache(maxsize=1)
def _checks() -> dict[str, Check]:
    modules = (import_module(f"helpers.checks.{lesson.slug}") for lesson in LESSONS)
    return {check.name: check for module in modules for check in module.CHECKS}


def check_named(name: str) -> Check:
    """One of the course's checks, with its cases and observation."""
    return _checks()[name]


@lru_cache(maxsize=CHECKS_KEPT)
def _known(check: str, seed: int) -> Known:
    return Known(check_named(check), seed)


@lru_cache(maxsize=2 * CHECKS_KEPT)
def _question(check: str, seed: int, names: tuple[str, ...], first: int, seconds: float) -> bytes:
    """Asks for what is seen in the cases from `first` on, in `seconds` for all of them."""
    cases = _known(check, seed).cases[first:]
    together = cases[:1] if check_named(check).each_case_alone else cases
    return wire.message(
        {
            "ask": "observe",
            "check": check,
            "names": list(names),
            "cases": [wire.case_sent(case) for case in together],
            "seconds": seconds,
        }
    )


class _Examination:
    """One notebook's way through the sandbox."""

    def __init__(self, exam: Exam, steps: list[Step], station: Station) -> None:
        self.exam = exam
        self.steps = steps
        self.station = station
        self.outputs: dict[str, list[dict[str, Any]]] = {}
        self.found: dict[str, Finding] = {}
        self.flags: list[str] = []
        self.left_out: set[str] = set()
        self.given_chosen = False
        self.seconds: dict[str, float] = defaultdict(float)
        self.end = time.monotonic() + exam.limits.notebook_seconds

    def findings(self) -> Findings:
        graded = [step for step in self.steps if isinstance(step, Judge)]
        for _ in range(1 + len(graded) + MORE_CHILDREN):
            if self._one_child():
                break
        for step in graded:
            if step.cell not in self.found:
                self._keep(step, "no answer", sentences.NO_ANSWER)
        return Findings(
            outputs=self.outputs,
            findings=tuple(self.found[step.cell] for step in graded),
            flags=tuple(dict.fromkeys(self.flags)),
            seconds=dict(self.seconds),
        )

    def _one_child(self) -> bool:
        """Go through the notebook with a new child; whether that came to an end."""
        with self._timed("start"):
            context = self.station.child(self.exam.limits)
            child = context.__enter__()
        used: list[str] = []
        try:
            if not self.given_chosen and not self._choose_given(child):
                return False
            if self.exam.files:
                files = {name: _numbers(data) for name, data in self.exam.files.items()}
                if self._ask(child, None, {"ask": "files", "files": files}, 30) is None:
                    return False
            for step in self.steps:
                if step.cell in self.left_out or step.cell in self.found:
                    continue
                if time.monotonic() > self.end:
                    self.flags.append(
                        sentences.NOTEBOOK_TIME.format(seconds=self.exam.limits.notebook_seconds)
                    )
                    return True
                goes_on = (
                    self._run(child, step) if isinstance(step, Run) else self._judge(child, step)
                )
                if not goes_on:
                    return False
            used = self._libraries(child)
            return True
        finally:
            with self._timed("end"):
                context.__exit__(None, None, None)
                self.station.preload(used)

    def _libraries(self, child: Child) -> list[str]:
        """What the child says it has imported; at worst that costs some memory."""
        try:
            names = child.ask({"ask": "imported"}, ANSWER_SECONDS).get("imported")
        except ChildEnded:
            return []
        return [n for n in names if isinstance(n, str)] if isinstance(names, list) else []

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[what] += time.perf_counter() - start

    # ---- cells

    def _choose_given(self, child: Child) -> bool:
        """Leave out the given cells that nothing graded needs; whether the child can go on.

        To find them, all code is parsed, and text that breaks a parser breaks it in the sandbox.
        """
        self.given_chosen = True
        question = question_of_needs(self.exam, self.steps)
        if not question["given"] and not question["lost"]:
            return True
        try:
            answer = child.ask({"ask": "needed", **question}, ANSWER_SECONDS)
        except ChildEnded:
            self.flags.append(sentences.NEEDS)
            return False
        needed = answer.get("needed")
        if isinstance(needed, list):
            chosen = set(map(str, needed))
            unneeded = question["given"].keys() - chosen
            back = [Run(cell, code) for cell, code in self.exam.lost.items() if cell in chosen]
            self.steps = [*back, *(step for step in self.steps if step.cell not in unneeded)]
            self.flags += [sentences.CELL_BACK.format(cell=step.cell) for step in back]
        return True

    def _run(self, child: Child, step: Run) -> bool:
        limits = self.exam.limits
        seconds = max(0.1, min(limits.cell_seconds, self.end - time.monotonic()))
        with self._timed("cells"):
            question = {"ask": "cell", "code": step.code, "output": limits.output}
            answer = self._ask(child, step, question, seconds)
        if answer is None:
            return False
        self.outputs[step.cell] = clean_outputs(answer.get("outputs"), limits.output)
        return True

    def _ask(
        self, child: Child, step: Run | None, question: dict[str, Any], seconds: float
    ) -> dict[str, Any] | None:
        """The answer, or None when there is none; the cell is then left out from now on."""
        try:
            return child.ask(question, seconds)
        except ChildEnded as ended:
            if step is not None:
                self.left_out.add(step.cell)
                why = sentences.CELL[ended.how].format(cell=step.cell, seconds=seconds)
                self.flags.append(why)
                self.outputs[step.cell] = [an_error("CellLeftOut", why)]
            else:
                self.flags.append(sentences.FILES)
                self.exam = replace(self.exam, files={})
            return None

    # ---- checks

    def _judge(self, child: Child, step: Judge) -> bool:
        """Judge one graded cell; whether the child can go on."""
        check = check_named(step.check)
        known = _known(step.check, self.exam.seed)
        with self._timed("checks"):
            try:
                facts = self._facts(child, step)
                if isinstance(facts, str):
                    self._keep(step, "failed", sentences.NAME_MISSING.format(name=facts))
                    return True
                refused = refusal(check, facts)
                if refused is not None:
                    self._keep(step, "failed", refused)
                    return True
                verdict = judge(
                    check,
                    self._observer(child, step, check, known),
                    known=known,
                    strict=self.exam.strict,
                    patience=SEARCH_SECONDS,
                )
                self._keep_verdict(step, check, verdict)
            except ChildEnded as ended:
                outcome: Outcome = "time limit" if ended.how == "time" else "died"
                self._keep(step, outcome, sentences.CHECK[ended.how].format(check=step.check))
                self.flags.append(sentences.CHECK_FLAG[ended.how].format(check=step.check))
                return False
            except wire.WireError:
                self._keep(step, "died", sentences.CHECK["babble"].format(check=step.check))
                self.flags.append(sentences.CHECK_FLAG["babble"].format(check=step.check))
                return False
            except ReferenceFailed:
                raise
            except Exception as error:  # no data may stop the grading of the others
                self._cannot_judge(step, error)
                return True
        troubles = [verdict.trouble, *(note.trouble for note in verdict.notes)]
        stuck = any(trouble and trouble.kind == "time limit" for trouble in troubles)
        return not stuck  # its thread may still run, and slow what follows

    def _cannot_judge(self, step: Judge, error: Exception) -> None:
        self._keep(step, "failed", sentences.NOT_COMPARABLE.format(check=step.check))
        kind = type(error).__name__
        self.flags.append(sentences.NOT_COMPARABLE_FLAG.format(check=step.check, kind=kind))

    def _facts(self, child: Child, step: Judge) -> list[Facts] | str:
        """The facts about the arguments, or the name that is not defined."""
        question = {"ask": "arguments", "check": step.check, "names": list(step.names)}
        answer = child.ask(question, ANSWER_SECONDS)
        if answer.get("missing") in step.names:
            return str(answer["missing"])
        facts = answer.get("facts")
        if not isinstance(facts, list) or len(facts) != len(step.names):
            raise wire.WireError("The facts about the arguments are missing.")
        return [wire.facts_received(one) for one in facts]

    def _observer(self, child: Child, step: Judge, check: Check, known: Known) -> Any:
        places = {id(case): position for position, case in enumerate(known.cases)}
        left = PATIENCE * check.seconds
        seen: list[Observation] = []

        def look(case: Case) -> Observation:
            """The cases are asked for in their order, several at once."""
            nonlocal left
            place = places[id(case)]
            if place == len(seen):
                seconds = max(min(left, self.end - time.monotonic()), 0.01)
                question = _question(step.check, self.exam.seed, step.names, place, seconds)
                start = time.monotonic()
                answer = child.ask(question, seconds + ANSWER_SECONDS)
                left -= time.monotonic() - start  # the judge's own time is not the student's
                seen.extend(wire.observations_received(answer, len(known.cases) - place))
            return seen[place]

        return look

    def _keep_verdict(self, step: Judge, check: Check, verdict: Verdict) -> None:
        outcome: Outcome = verdict.outcome
        if verdict.trouble is not None and verdict.trouble.kind == "time limit":
            outcome = "time limit"
        share = 0.0
        if verdict.outcome == "passed":
            share = 1.0 if verdict.grade is None else verdict.grade.share
        self._keep(
            step,
            outcome,
            report_on(check, verdict),
            share,
            verdict.misconception,
            verdict.case.name if verdict.case else None,
            perhaps=verdict.guess,
            relation=verdict.relation.sentence if verdict.relation else None,
            notes=tuple((note.id, note_on(check, note)) for note in verdict.notes),
        )

    def _keep(
        self,
        step: Judge,
        outcome: Outcome,
        message: Report | str,
        share: float = 0.0,
        misconception: str | None = None,
        case: str | None = None,
        **more: Any,
    ) -> None:
        """Note the result, and write the outputs from which nbgrader reads the score."""
        text = plain(message if isinstance(message, str) else message.text())
        headline = text.splitlines()[0]
        if share == 0.0:
            name = "NotAttempted" if outcome == "not attempted" else "CheckFailed"
            self.outputs[step.cell] = [an_error(name, text)]
        else:
            shown = {"output_type": "stream", "name": "stdout", "text": text + "\n"}
            self.outputs[step.cell] = [shown]
            if share != 1.0:
                self.outputs[step.cell].append(a_score(share * step.points))
        self.found[step.cell] = Finding(
            step.grade_id, step.check, outcome, share, misconception, case, headline, **more
        )


def _numbers(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, dtype=np.uint8)
