"""What lesson 08 says about its experiments, over five seeds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from torch import nn

from helpers.answers.weight_and_spectral_norm.max_norm import by_clamping
from helpers.answers.weight_and_spectral_norm.power_iteration import power_iteration
from helpers.answers.weight_and_spectral_norm.spectral_layers import AsInTheLesson
from helpers.answers.weight_and_spectral_norm.weight_norm_linear import ByHand
from helpers.data import Dataset, load
from helpers.experiments.weight_and_spectral_norm import (
    SEEDS,
    Method,
    Outcome,
    RowLengths,
    compare,
    row_lengths,
    sigma_errors,
    values,
)

pytestmark = pytest.mark.claims

METHODS = {
    "none": Method(nn.Linear),
    "weight norm": Method(ByHand),
    "spectral norm": Method(AsInTheLesson),
    "max norm": Method(nn.Linear, after_step=lambda weight: by_clamping(weight, 0.75)),
}
Outcomes = dict[str, list[Outcome]]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits", "cpu").flat()


@pytest.fixture(scope="module")
def clean(data: Dataset) -> Outcomes:
    return compare(METHODS, data)


@pytest.fixture(scope="module")
def noisy(data: Dataset) -> Outcomes:
    return compare(METHODS, data.with_label_noise(0.3))


@pytest.fixture(scope="module")
def lengths(data: Dataset) -> dict[float, list[RowLengths]]:
    return {
        scale: [row_lengths(ByHand, data, scale, seed) for seed in SEEDS]
        for scale in (0.01, 0.1, 1.0, 10.0)
    }


def gains(outcomes: Outcomes, name: str) -> list[float]:
    """Test accuracy less that of the network without a constraint, run by run."""
    ours, plain = (values(outcomes[method], "test_accuracy") for method in (name, "none"))
    return [a - b for a, b in zip(ours, plain, strict=True)]


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


class TestLengthOfV:
    def test_outputs_do_not_depend_on_it(self, lengths: dict[float, list[RowLengths]]) -> None:
        assert max(run.start_difference for runs in lengths.values() for run in runs) < 1e-4

    def test_rows_never_become_shorter(self, lengths: dict[float, list[RowLengths]]) -> None:
        assert max(run.largest_shrink for runs in lengths.values() for run in runs) < 1e-5

    def test_short_rows_grow_and_learn(self, lengths: dict[float, list[RowLengths]]) -> None:
        for run in lengths[0.01]:
            assert run.mean_length[-1] > 20 * run.mean_length[0]
        for scale in (0.01, 0.1, 1.0):
            assert max(run.loss for run in lengths[scale]) < 0.4

    def test_long_rows_do_not_learn(self, lengths: dict[float, list[RowLengths]]) -> None:
        assert min(run.loss for run in lengths[10.0]) > 1.5


class TestPowerIteration:
    def test_error_after_ten_steps(self) -> None:
        for seed in SEEDS:
            assert sigma_errors(power_iteration, 0.5, [10], seed)[0] < 1e-8
            assert 0.005 < sigma_errors(power_iteration, 0.99, [10], seed)[0] < 0.05

    def test_each_step_multiplies_the_error_by_the_fourth_power(self) -> None:
        for seed in SEEDS:
            errors = sigma_errors(power_iteration, 0.5, [6, 7, 8, 9], seed)
            for before, after in pairwise(errors):
                assert after / before == pytest.approx(1 / 16, rel=0.1)

    def test_where_the_figure_says_it_ends(self) -> None:
        for seed in SEEDS:
            assert abs(sigma_errors(power_iteration, 0.5, [16], seed)[0]) < 1e-13
            assert abs(sigma_errors(power_iteration, 0.9, [100], seed)[0]) < 1e-13
            assert sigma_errors(power_iteration, 0.99, [200], seed)[0] > 1e-8


class TestTraining:
    def test_with_clean_labels_nothing_helps(self, clean: Outcomes) -> None:
        for name in ("weight norm", "max norm"):
            assert max(abs(gain) for gain in gains(clean, name)) < 0.015
        assert max(gains(clean, "spectral norm")) < -0.04

    def test_spectral_norm_underfits(self, clean: Outcomes) -> None:
        fitted = mean(values(clean["spectral norm"], "train_accuracy"))
        assert fitted == pytest.approx(0.914, abs=0.02)
        for name in ("none", "weight norm", "max norm"):
            assert min(values(clean[name], "train_accuracy")) > 0.985

    def test_with_random_labels_constraints_help(self, noisy: Outcomes) -> None:
        assert min(gains(noisy, "spectral norm")) > 0.02
        assert min(gains(noisy, "max norm")) > 0.04
        assert mean(gains(noisy, "spectral norm")) == pytest.approx(0.063, abs=0.025)
        assert mean(gains(noisy, "max norm")) == pytest.approx(0.083, abs=0.025)
        assert mean(gains(noisy, "weight norm")) == pytest.approx(0.03, abs=0.02)


class TestBound:
    def test_it_holds(self, clean: Outcomes, noisy: Outcomes) -> None:
        for outcomes in (clean, noisy):
            for runs in outcomes.values():
                assert all(run.stretch <= run.bound * 1.0001 for run in runs)

    def test_it_is_loose(self, clean: Outcomes) -> None:
        plain = clean["none"]
        assert mean(values(plain, "bound")) == pytest.approx(17.5, abs=2)
        assert all(6 < run.stretch < 9 for run in plain)
        assert all(0.3 < run.stretch / run.bound < 0.6 for run in plain)

    def test_training_raises_it(self, clean: Outcomes) -> None:
        for run in clean["none"]:
            assert 0.9 < run.bound_before < 1.3
            assert run.bound > 12
        assert max(values(clean["max norm"], "bound")) < 10
        assert min(values(clean["weight norm"], "bound")) > 10

    def test_spectral_norm_runs_behind_and_settles(self, clean: Outcomes, noisy: Outcomes) -> None:
        for run in (*clean["spectral norm"], *noisy["spectral norm"]):
            assert run.bound_before > 1.3
            assert 0.999 < run.bound < 1.6
            assert run.settled_bound == pytest.approx(1, abs=0.03)
