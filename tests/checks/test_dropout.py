"""Checks of random functions: chance fails no right answer, and small faults are still seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from helpers.answers.dropout import dropout_module, masking, numpy_dropout
from helpers.answers.dropout.dropout_layer import checked
from helpers.checking import observing
from helpers.checking.check import Check
from helpers.checking.judging import Known, Verdict, answers_to, cases_of, judge, observer
from helpers.checking.observing import SEED, Observation
from helpers.checking.recipe import Named
from helpers.checking.report import report_on
from helpers.checks.dropout import CHECKS, DROPOUT_LAYER, DROPOUT_MODULE, NUMPY_DROPOUT
from helpers.checks.dropout.masks import COLUMNS, ROWS

RUNS = int(os.environ.get("COURSE_RUNS_OF_RANDOM_CHECKS", "25"))
"""Runs of each reference through its own check, each with other draws. Set it to 10000 to measure
the rate of false alarms anew; that takes about two minutes for every thousand runs of a check."""

MASKS = (DROPOUT_LAYER, NUMPY_DROPOUT, DROPOUT_MODULE)
ids = pytest.mark.parametrize
KnownFor = Callable[[Check, int], Known]


def judge_with_other_draws(
    check: Check, implementation: Any, seed: int, known: Known | None = None
) -> Verdict:
    """The verdict when the implementation draws other numbers than the reference does."""
    look = observer(check, implementation, 60)

    def with_other_draws(case: Any) -> Observation:
        observing.SEED = SEED + 1 + seed
        try:
            seen = look(case)
        finally:
            observing.SEED = SEED
        if "random seed" in seen.seen:
            assert seen.seen["random seed"] == SEED + 1 + seed
            seen.seen["random seed"] = SEED
        return seen

    return judge(check, with_other_draws, seed, known)


@pytest.mark.slow
@ids("check", CHECKS, ids=lambda check: check.name)
def test_chance_fails_no_right_answer(check: Check) -> None:
    free = replace(check, forbidden=frozenset())
    for run in range(RUNS):
        verdict = judge_with_other_draws(free, answers_to(check).right, run)
        assert verdict.outcome == "passed", f"run {run}: {report_on(check, verdict).text()}"


@ids("check", MASKS, ids=lambda check: check.name)
def test_tolerances_are_six_standard_deviations_wide(check: Check) -> None:
    """Of the difference of two right answers, each with a share of its own."""
    entries = ROWS * COLUMNS
    for p in (0.2, 0.35, 0.8):
        deviation = (2 * p * (1 - p) / entries) ** 0.5
        tolerance = check.aspects["share dropped"].atol
        assert tolerance is not None and tolerance > 6 * deviation
        assert 0.03 - tolerance > 6 * deviation  # and a rate off by 0.03 is always seen


def test_ten_thousand_shares_lie_within_the_tolerance() -> None:
    rng = np.random.default_rng(0)
    tolerance = DROPOUT_LAYER.aspects["share dropped"].atol
    for p in (0.2, 0.35, 0.8):
        shares = rng.binomial(ROWS * COLUMNS, p, size=(2, 10_000)) / (ROWS * COLUMNS)
        assert np.abs(shares[0] - shares[1]).max() < tolerance


def off(rate: float, scale: float) -> masking.Drop:
    """Right at 0 and 1; else the drop rate is off by `rate`, the scale by the factor `scale`."""

    def drop(X: torch.Tensor, p: float) -> torch.Tensor:
        if p in (0, 1):
            return X * (1 - p)
        return X * (torch.rand_like(X) >= p + rate) * scale / (1 - p)

    return drop


def numpy_off(rate: float, scale: float) -> type:
    class Off(numpy_dropout.NumpyDropout):
        def keep(self, drawn: Any, p: float) -> Any:
            return drawn >= p + rate * (0 < p < 1)

        def scale(self, values: Any, p: float) -> Any:
            return values * (scale if p else 1.0) / (1 - p)

    return Off


FAULTS = ((0.03, 1.0), (-0.03, 1.0), (0.0, 1.02), (0.0, 0.98))


@ids("fault", FAULTS, ids=lambda fault: f"rate{fault[0]:+}-scale{fault[1]}")
@ids("check", MASKS, ids=lambda check: check.name)
def test_small_faults_are_seen(check: Check, fault: tuple[float, float], known: KnownFor) -> None:
    makes: dict[str, Callable[[float, float], Any]] = {
        "check_dropout_layer": lambda rate, scale: checked(off(rate, scale)),
        "check_numpy_dropout": numpy_off,
        "check_dropout_module": lambda rate, scale: dropout_module.module(off(rate, scale)),
    }
    for seed in range(5):
        verdict = judge_with_other_draws(check, makes[check.name](*fault), seed, known(check, seed))
        assert verdict.outcome == "failed"
        assert verdict.key.split()[0] in ("share", "smallest")


BY_CHANCE = ("one-draw", "sets-the-seed")
"""What these show is itself a matter of chance, so they are named only for equal draws."""


def _all_slips() -> Iterator[Any]:
    for check in CHECKS:
        for named in answers_to(check).named():
            if named.id not in BY_CHANCE:
                yield pytest.param(check, named, id=f"{check.name}-{named.id}-{named.form}")


@ids(("check", "named"), list(_all_slips()))
def test_diagnosis_does_not_depend_on_the_draws(
    check: Check, named: Named, known: KnownFor
) -> None:
    """A student's numbers differ from those of the wrong answer that he is compared with."""
    whole = known(check, 0)
    verdict = judge_with_other_draws(check, whole.answers.with_slips(named), 0, whole)
    if verdict.outcome == "passed":  # what is wrong is only noted
        assert [note.slip.id for note in verdict.notes if note.slip][:1] == [named.id]
        return
    assert verdict.misconception == named.id, report_on(check, verdict).text()


@ids(
    ("check", "wrong", "name"),
    [
        (DROPOUT_MODULE, dropout_module.PartInList, "always-drops"),
        (DROPOUT_MODULE, dropout_module.FirstMask, "same-mask"),
    ],
)
def test_other_ways_to_the_same_mistake(check: Check, wrong: Any, name: str) -> None:
    verdict = judge(check, observer(check, wrong))
    assert verdict.misconception == name


def test_numpy_dropout_refuses_pytorch() -> None:
    class WithTorch(numpy_dropout.NumpyDropout):
        def drawn(self, X: Any) -> Any:
            return torch.rand(X.shape).numpy()

    verdict = judge(NUMPY_DROPOUT, observer(NUMPY_DROPOUT, WithTorch))
    assert verdict.builtins == ("rand",)


def test_module_refuses_pytorchs_own() -> None:
    for wrong in (nn.Dropout, lambda p=0.5: nn.Sequential(nn.Dropout(p))):
        assert judge(DROPOUT_MODULE, observer(DROPOUT_MODULE, wrong)).builtins == ("dropout",)


def test_cases_are_new_for_every_seed() -> None:
    one, other = (cases_of(DROPOUT_LAYER, seed)[0].X for seed in (0, 1))
    assert not torch.equal(one, other)
