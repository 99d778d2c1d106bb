"""What the checks of lesson 07 need beyond the test that all checks share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from helpers.answers.mixup_and_cutout.early_stopping import ByDefinition, Counting
from helpers.checking import CheckFailed
from helpers.checking.check import Check
from helpers.checking.devices import device_of
from helpers.checking.judging import Verdict, cases_of, judge, observer
from helpers.checks.mixup_and_cutout import (
    CUTOUT,
    EARLY_STOPPING,
    MIXUP,
    SMOOTH_LABELS,
    SOFT_CROSS_ENTROPY,
    check_early_stopping,
    check_soft_cross_entropy,
)
from helpers.experiments.mixup_and_cutout import reliability


def verdict(check: Check, implementation: Any, seed: int = 0) -> Verdict:
    return judge(check, observer(check, implementation), seed)


def test_permutations_are_seldom_their_own_inverse() -> None:
    """A permutation that is its own inverse hides which way it was used."""
    telling = 0
    for case in cases_of(MIXUP):
        if case.x.device.type != "meta":
            telling += not torch.equal(torch.argsort(case.permutation), case.permutation)
    assert telling >= 8


def test_every_border_and_parity_is_covered() -> None:
    seen = set()
    for case in cases_of(CUTOUT):
        height, width = case.images.shape[2:]
        for row, column in torch.as_tensor(case.centers).tolist():
            top, left = row - case.size // 2, column - case.size // 2
            even = case.size % 2 == 0
            seen |= {("top", even)} if top < 0 else set()
            seen |= {("left", even)} if left < 0 else set()
            seen |= {("bottom", even)} if top + case.size > height else set()
            seen |= {("right", even)} if left + case.size > width else set()
            assert 0 <= row < height and 0 <= column < width
    assert seen == {(side, even) for side in ("top", "left", "bottom", "right") for even in (0, 1)}


@pytest.mark.parametrize("seed", range(10))
def test_long_trainings_stop_and_go_on(seed: int) -> None:
    """The definition, which looks back over all values, and the usual count agree."""
    assert verdict(EARLY_STOPPING, Counting, seed).outcome == "passed"
    longest = [case for case in cases_of(EARLY_STOPPING, seed) if case.name == "a long training"]
    answers = []
    for case in longest:
        stopper = ByDefinition(case.patience, **case.settings)
        answers += [stopper.step(value) for value in case.fed]
    assert True in answers and False in answers


class TestRightWorkIsAccepted:
    def test_numpy_bools(self) -> None:
        class Stopping(Counting):
            def step(self, value: float) -> Any:
                return np.bool_(super().step(value))

        assert verdict(EARLY_STOPPING, Stopping).outcome == "passed"

    def test_a_factory_of_stoppers(self) -> None:
        def make(patience: int, min_delta: float = 0.0) -> Counting:
            return Counting(patience, min_delta)

        assert verdict(EARLY_STOPPING, make).outcome == "passed"

    def test_labels_by_a_loop(self) -> None:
        """It looks at single labels, which a meta tensor refuses and a GPU does not."""

        def smooth_labels(y: torch.Tensor, num_classes: int, epsilon: float) -> torch.Tensor:
            rows = [[epsilon / num_classes] * num_classes for _ in range(len(y))]
            for row, label in zip(rows, y.tolist(), strict=True):
                row[label] += 1 - epsilon
            return torch.tensor(rows, dtype=torch.float32, device=y.device)

        assert verdict(SMOOTH_LABELS, smooth_labels).outcome == "passed"

    def test_cutout_that_writes_into_each_image(self) -> None:
        def cutout(images: torch.Tensor, size: int, centers: Any) -> torch.Tensor:
            result = images.clone()
            height, width = images.shape[-2:]
            for image, (row, column) in zip(result, centers, strict=True):
                for channel in image:
                    y1, x1 = max(0, int(row) - size // 2), max(0, int(column) - size // 2)
                    y2 = min(height, int(row) - size // 2 + size)
                    x2 = min(width, int(column) - size // 2 + size)
                    channel[y1:y2, x1:x2] = 0.0
            return result

        assert verdict(CUTOUT, cutout).outcome == "passed"

    def test_cutout_by_clamped_centres(self) -> None:
        def cutout(images: torch.Tensor, size: int, centers: Any) -> torch.Tensor:
            mask = torch.ones_like(images)
            low = torch.as_tensor(centers) - size // 2
            for i, ((y1, x1), (y2, x2)) in enumerate(
                zip(low.clamp(min=0).tolist(), (low + size).tolist(), strict=True)
            ):
                mask[i, ..., y1:y2, x1:x2] = 0
            return images * mask

        assert verdict(CUTOUT, cutout).outcome == "passed"

    def test_loss_by_a_matrix_product(self) -> None:
        def loss(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            return -torch.trace(t @ F.log_softmax(z, 1).T) / z.size(0)

        assert verdict(SOFT_CROSS_ENTROPY, loss).outcome == "passed"

    def test_mixup_of_double_labels(self) -> None:
        def mixup(x: Any, y: Any, lam: Any, permutation: Any, num_classes: int) -> Any:
            rows = torch.eye(num_classes, device=x.device).to(x)[y]
            partner, other = x[permutation], rows[permutation]
            return x.mul(lam).add(partner, alpha=1 - lam), rows.mul(lam).add(other, alpha=1 - lam)

        assert verdict(MIXUP, mixup).outcome == "passed"


class TwoQuestions:
    """As often printed: two questions, between which a value falls through."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta, self.counter = patience, min_delta, 0
        self.best: float | None = None

    def step(self, loss: float) -> bool:
        if self.best is None:
            self.best = loss
        elif self.best - loss > self.min_delta:
            self.best, self.counter = loss, 0
        elif self.best - loss < self.min_delta:
            self.counter += 1
        return self.counter >= self.patience


class FromTheForum:
    """Every smaller value improves, and only a value beyond min_delta is counted."""

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        self.patience, self.min_delta = patience, min_delta
        self.counter, self.best = 0, float("inf")

    def step(self, loss: float) -> bool:
        if loss < self.best:
            self.best = loss
            self.counter = 0
        elif loss > self.best + self.min_delta:
            self.counter += 1
            if self.counter >= self.patience:
                return True
        return False


class ByScore:
    """A score that has to rise, and what is not lower counts as better."""

    def __init__(self, patience: int, delta: float = 0.0, min_delta: float = 0.0) -> None:
        self.patience, self.delta, self.counter = patience, min_delta, 0
        self.score: float | None = None
        self.best = float("inf")

    def step(self, loss: float) -> bool:
        score = -loss
        if self.score is None:
            self.score, self.best = score, loss
        elif score < self.score + self.delta:
            self.counter += 1
        else:
            self.score, self.best, self.counter = score, loss, 0
        return self.counter >= self.patience


def log_clamped(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return -torch.sum(t * torch.log(torch.softmax(z, 1).clamp(1e-7, 1 - 1e-7))) / t.numel()


class TestWhatPeopleWrite:
    """Wrong answers as they are printed have one name, or two."""

    @pytest.mark.parametrize(
        ("check", "wrong", "name"),
        [
            (
                MIXUP,
                lambda x, y, lam, p, c: (lam * x + (1 - lam) * x[p], F.one_hot(y[p], c).to(x)),
                "labels-of-partners",
            ),
            (SOFT_CROSS_ENTROPY, lambda z, t: (t * z.log_softmax(1)).sum(), "sign+sum-over-batch"),
            (
                SOFT_CROSS_ENTROPY,
                log_clamped,
                "clamps-probabilities+mean-over-everything",
            ),
            (EARLY_STOPPING, TwoQuestions, "tie-in-neither+first-value-always-best"),
            (EARLY_STOPPING, FromTheForum, "min-delta-on-the-other-side"),
            (EARLY_STOPPING, ByScore, "nan-and-ties-improve"),
        ],
    )
    def test_named(self, check: Check, wrong: Callable[..., Any], name: str) -> None:
        found = verdict(check, wrong)
        assert found.misconception is not None
        assert set(found.misconception.split("+")) == set(name.split("+"))

    @pytest.mark.parametrize(
        ("check", "wrong"),
        [
            (CUTOUT, lambda images, size, centers: images * 0.5),
            (SMOOTH_LABELS, lambda y, c, e: torch.full((len(y), c), 1 / c)),
        ],
    )
    def test_refused_without_a_name(self, check: Check, wrong: Callable[..., Any]) -> None:
        """No diagnosis is given where none fits, and the work is refused all the same."""
        found = verdict(check, wrong)
        assert found.outcome == "failed" and found.misconception is None


def test_torchs_own_loss_is_refused_by_name() -> None:
    for wrong in (
        F.cross_entropy,
        lambda z, t: torch.nn.CrossEntropyLoss()(z, t),
        lambda z, t: F.kl_div(z.log_softmax(1), t, reduction="batchmean"),
    ):
        with pytest.raises(CheckFailed, match="which this exercise asks you to write"):
            check_soft_cross_entropy(wrong)


def test_an_object_is_not_the_class() -> None:
    with pytest.raises(CheckFailed, match="takes the class `EarlyStopping` itself"):
        check_early_stopping(Counting(3))


def test_only_refusals_to_look_are_forgiven() -> None:
    with pytest.raises(RuntimeError, match="expected device"):
        device_of(lambda: torch.zeros(2, device="meta") * torch.ones(2))


class TestReliability:
    def test_calibrated(self) -> None:
        probabilities = torch.tensor([[0.75, 0.25]] * 4)
        assert reliability(probabilities, torch.tensor([0, 0, 0, 1])).error == pytest.approx(0.0)

    def test_by_hand(self) -> None:
        """Two bins: 0.6 with one of two right, 0.9 with both right."""
        first = torch.tensor([0.6, 0.6, 0.9, 0.9])
        probabilities = torch.stack([first, 1 - first], dim=1)
        found = reliability(probabilities, torch.tensor([0, 1, 0, 0]))
        assert found.error == pytest.approx(0.5 * 0.1 + 0.5 * 0.1, abs=1e-6)
        assert found.share.sum().item() == pytest.approx(1.0)
