"""What lesson 07 says about its experiments, over five seeds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

import pytest
import torch

from helpers.answers.mixup_and_cutout.cutout import by_slices as cutout
from helpers.answers.mixup_and_cutout.early_stopping import Counting as EarlyStopping
from helpers.answers.mixup_and_cutout.mixup import mixed as mixup
from helpers.answers.mixup_and_cutout.smooth_labels import by_one_hot as smooth_labels
from helpers.answers.mixup_and_cutout.soft_cross_entropy import averaged
from helpers.experiments import mixup_and_cutout as lesson

pytestmark = pytest.mark.claims

soft_cross_entropy = averaged()

ALPHAS = (1.0, 8.0)


@pytest.fixture(scope="module")
def plain() -> list[lesson.Run]:
    return lesson.plain_runs()


@pytest.fixture(scope="module")
def mixed() -> dict[float, list[lesson.Run]]:
    return {alpha: lesson.mixup_runs(mixup, alpha) for alpha in ALPHAS}


@pytest.fixture(scope="module")
def smoothed() -> dict[tuple[str, float], list[lesson.Run]]:
    return {
        (setting, epsilon): lesson.smoothing_runs(
            smooth_labels, soft_cross_entropy, setting, epsilon
        )
        for setting in lesson.CALIBRATION_SETTINGS
        for epsilon in (0.0, 0.05, 0.1, 0.2)
    }


def last(runs: Sequence[lesson.Run]) -> list[float]:
    return [run.last for run in runs]


class TestWithoutRegularisation:
    @pytest.mark.states("it gives back about 99 % of the training labels")
    def test_learns_the_wrong_labels_by_heart(self, plain: list[lesson.Run]) -> None:
        assert mean(run.fitted for run in plain) == pytest.approx(0.99, abs=0.03)

    @pytest.mark.states(
        "its test accuracy is down to 79 %",
        "the test accuracy is 79 % without mixup",
        "where the last epoch has 79 %",
    )
    def test_ends_at_79_percent(self, plain: list[lesson.Run]) -> None:
        assert mean(last(plain)) == pytest.approx(0.79, abs=0.04)

    @pytest.mark.states(
        "the network reaches 95 % on the test images. This happens before epoch 15 in each of the five seeds"
    )
    def test_had_been_at_95_percent_before_epoch_15(self, plain: list[lesson.Run]) -> None:
        curves = [run.history["test_accuracy"] for run in plain]
        assert mean(max(curve) for curve in curves) == pytest.approx(0.95, abs=0.02)
        assert all(curve.index(max(curve)) + 1 < 15 for curve in curves)


class TestMixup:
    @pytest.mark.states("at least 5 points on average for both values of")
    def test_lifts_by_at_least_5_points_in_every_seed(
        self, plain: list[lesson.Run], mixed: dict[float, list[lesson.Run]]
    ) -> None:
        for alpha, least in ((1.0, 0.02), (8.0, 0.04)):
            gains = [m - p for m, p in zip(last(mixed[alpha]), last(plain), strict=True)]
            assert min(gains) >= least
            assert mean(gains) >= 0.05

    @pytest.mark.states(
        r"88 % with $\alpha = 1$ and 93 % with $\alpha = 8$", "its 93 % at the end needed no rule"
    )
    def test_accuracies(self, mixed: dict[float, list[lesson.Run]]) -> None:
        assert mean(last(mixed[1.0])) == pytest.approx(0.88, abs=0.03)
        assert mean(last(mixed[8.0])) == pytest.approx(0.93, abs=0.03)

    def test_more_mixing_is_better_here(self, mixed: dict[float, list[lesson.Run]]) -> None:
        assert mean(last(mixed[8.0])) >= mean(last(mixed[1.0])) + 0.02

    def test_delays_learning_by_heart(self, mixed: dict[float, list[lesson.Run]]) -> None:
        """With alpha = 1 the curve also falls from its peak."""
        falls = [max(run.history["test_accuracy"]) - run.last for run in mixed[1.0]]
        assert mean(falls) >= 0.03


class TestCutout:
    @pytest.mark.states("the accuracy is 97.6 % without it")
    def test_costs_about_a_point_on_clean_digits(self) -> None:
        seen = lesson.cutout_accuracies(cutout, "1,100 clean images", (0, 6))
        assert mean(seen[0]) == pytest.approx(0.976, abs=0.01)
        assert -0.025 <= mean(seen[6]) - mean(seen[0]) <= -0.002

    @pytest.mark.states(
        "it is 89 % without cutout, and about 2 points lower on average over the sizes 2, 4 and 6"
    )
    def test_costs_about_2_points_with_100_images(self) -> None:
        seen = lesson.cutout_accuracies(cutout, "100 clean images", (0, 2, 4, 6))
        covered = mean(mean(seen[size]) for size in (2, 4, 6))
        assert mean(seen[0]) == pytest.approx(0.89, abs=0.02)
        assert covered - mean(seen[0]) == pytest.approx(-0.02, abs=0.017)

    @pytest.mark.states(
        "With 30 % random labels the same 6×6 square lifts the accuracy from 79 % to 92 %"
    )
    def test_helps_against_noisy_labels(self, plain: list[lesson.Run]) -> None:
        seen = lesson.cutout_accuracies(cutout, "1,100 images, noisy labels", (6,))[6]
        gains = [c - p for c, p in zip(seen, last(plain), strict=True)]
        assert mean(seen) == pytest.approx(0.92, abs=0.025)
        assert mean(last(plain)) == pytest.approx(0.79, abs=0.04)
        assert lesson.NOISE == 0.3
        assert mean(gains) >= 0.05 and min(gains) > 0.02


class TestCalibration:
    @pytest.mark.parametrize(
        ("setting", "epsilon", "error"),
        [
            ("clean labels", 0.0, 0.025),
            ("clean labels", 0.1, 0.15),
            ("clean labels", 0.2, 0.24),
            ("noisy labels", 0.0, 0.15),
            ("noisy labels", 0.05, 0.05),
            ("noisy labels", 0.2, 0.16),
        ],
    )
    @pytest.mark.states(
        r"its ECE is about 0.15. With $\varepsilon = 0.05$ it falls to about 0.05",
        "it is back at about 0.16",
        r"ECE about 0.025. With $\varepsilon = 0.1$ the ECE is about 0.15",
        "the ECE is about 0.24",
    )
    def test_calibration_error(
        self,
        smoothed: dict[tuple[str, float], list[lesson.Run]],
        setting: str,
        epsilon: float,
        error: float,
    ) -> None:
        errors = lesson.calibration_errors(smoothed[setting, epsilon])
        assert mean(errors) == pytest.approx(error, abs=0.03)

    def test_smoothing_spoils_it_on_clean_labels(
        self, smoothed: dict[tuple[str, float], list[lesson.Run]]
    ) -> None:
        before = lesson.calibration_errors(smoothed["clean labels", 0.0])
        after = lesson.calibration_errors(smoothed["clean labels", 0.1])
        assert all(a >= b + 0.05 for a, b in zip(after, before, strict=True))

    @pytest.mark.states("the network is right in 96 % of the cases and says 82 %")
    def test_too_modest_with_smoothing(
        self, smoothed: dict[tuple[str, float], list[lesson.Run]]
    ) -> None:
        runs = smoothed["clean labels", 0.1]
        assert mean(lesson.mean_confidences(runs)) == pytest.approx(0.82, abs=0.045)
        assert mean(last(runs)) == pytest.approx(0.96, abs=0.02)

    def test_smoothing_gains_a_point_of_accuracy_on_clean_labels(
        self, smoothed: dict[tuple[str, float], list[lesson.Run]]
    ) -> None:
        gain = mean(last(smoothed["clean labels", 0.1])) - mean(last(smoothed["clean labels", 0.0]))
        assert 0.002 <= gain <= 0.025

    def test_a_little_smoothing_helps_with_noisy_labels(
        self, smoothed: dict[tuple[str, float], list[lesson.Run]]
    ) -> None:
        before = lesson.calibration_errors(smoothed["noisy labels", 0.0])
        after = lesson.calibration_errors(smoothed["noisy labels", 0.05])
        assert all(a < b for a, b in zip(after, before, strict=True))
        assert mean(before) - mean(after) >= 0.05


class TestEarlyStopping:
    @pytest.mark.states("weights with a test accuracy of 92 %")
    def test_keeps_92_percent(self, plain: list[lesson.Run]) -> None:
        stops = lesson.stop_early(lambda: EarlyStopping(5), plain)
        assert mean(stop.kept for stop in stops) == pytest.approx(0.92, abs=0.03)
        assert all(stop.kept >= stop.last + 0.03 for stop in stops)
        assert mean(stop.kept - stop.last for stop in stops) >= 0.08

    @pytest.mark.states("it always stopped before epoch 25 of 60")
    def test_stops_before_epoch_25(self, plain: list[lesson.Run]) -> None:
        stops = lesson.stop_early(lambda: EarlyStopping(5), plain)
        assert all(stop.epoch < 25 for stop in stops)
        assert lesson.EPOCHS == 60

    @pytest.mark.states("The peak of the test curve is higher, 95 %.")
    def test_the_peak_of_the_test_curve_flatters(self, plain: list[lesson.Run]) -> None:
        stops = lesson.stop_early(lambda: EarlyStopping(5), plain)
        assert 0.005 <= mean(stop.peak - stop.kept for stop in stops) <= 0.06
        assert mean(stop.peak for stop in stops) == pytest.approx(0.95, abs=0.02)

    def test_live_run_stops_where_the_curve_says(self, plain: list[lesson.Run]) -> None:
        (expected,) = lesson.stop_early(lambda: EarlyStopping(5), plain[:1])
        live = lesson.train_until_stopped(EarlyStopping(5), seed=lesson.SEEDS[0])
        assert len(live.history["val_loss"]) == expected.epoch
        assert live.last == pytest.approx(expected.kept, abs=1e-6)


@pytest.mark.states("| value | 0.9 | 0.7 | 0.8 | 0.6 | 0.6 |", "A sixth value of 0.6 or more")
def test_the_table_of_early_stopping() -> None:
    stopper = EarlyStopping(patience=2, min_delta=0)
    steps = [(stopper.step(value), stopper.best) for value in (0.9, 0.7, 0.8, 0.6, 0.6)]
    assert steps == [(False, best) for best in (0.9, 0.7, 0.7, 0.6, 0.6)]
    assert stopper.step(0.6) is True


@pytest.mark.states("0.1 to 0.2, and so on)", "with a confidence of about 0.8: if 80 % of")
def test_calibrated_means_as_right_as_sure() -> None:
    """Ten bins of a tenth; of 100 predictions with a confidence of 0.8, 80 are right."""
    sure = torch.tensor([[0.8, 0.2]]).repeat(100, 1)
    truth = (torch.arange(100) >= 80).long()
    seen = lesson.reliability(sure, truth)
    assert len(seen.share) == 10 and 10 * 0.1 == 1 and 2 * 0.1 == 0.2
    (filled,) = seen.share.nonzero().flatten().tolist()
    assert seen.confidence[filled].item() == pytest.approx(0.8)
    assert seen.accuracy[filled].item() == pytest.approx(0.8)
