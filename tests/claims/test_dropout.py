"""What lesson 05 says about its experiments, over five seeds."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers.answers.dropout.dropout_layer import by_hand
from helpers.answers.dropout.mc_dropout import mc_dropout_predict
from helpers.data import load
from helpers.experiments.dropout import (
    SEEDS,
    auroc,
    ensemble,
    forgotten_flag,
    mean_in_training,
    network,
    smaller,
    sureness,
    trained,
    with_little_data,
    with_wrong_labels,
)

pytestmark = pytest.mark.claims

Histories = dict[float, list[dict[str, list[float]]]]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def wrong_labels() -> Histories:
    return {p: with_wrong_labels(nn.Dropout, p) for p in (0.0, 0.5)}


@pytest.fixture(scope="module")
def sure() -> list[dict[str, dict[str, torch.Tensor]]]:
    return [sureness(mc_dropout_predict, *trained(nn.Dropout, seed), seed=seed) for seed in SEEDS]


def test_seeds_are_five() -> None:
    assert len(set(SEEDS)) >= 5


@pytest.mark.parametrize("p", [0.2, 0.5, 0.8])
@pytest.mark.states("the mean is within 3 percent of the sum without dropout")
def test_rescaling_keeps_the_mean(p: float) -> None:
    for seed in SEEDS:
        rescaled, raw = mean_in_training(by_hand, p, seed)
        assert rescaled == pytest.approx(1, abs=0.03)
        assert raw == pytest.approx(1 - p, abs=0.03)


@pytest.mark.states("from about 78 to about 93 percent, by more than 8 points in every seed")
def test_dropout_helps_with_wrong_labels(wrong_labels: Histories) -> None:
    """From about 78 to about 93 percent, by more than 8 points in every seed."""
    without, with_dropout = (
        [run["test_accuracy"][-1] for run in wrong_labels[p]] for p in (0.0, 0.5)
    )
    assert all(b - a > 0.08 for a, b in zip(without, with_dropout, strict=True))
    assert mean(without) == pytest.approx(0.78, abs=0.05)
    assert mean(with_dropout) == pytest.approx(0.93, abs=0.03)


@pytest.mark.states(
    "it agrees with about 92 percent of the training labels. With dropout it agrees with about 74 percent"
)
def test_without_dropout_the_wrong_labels_are_learned(wrong_labels: Histories) -> None:
    """Agreement with 92 percent of the training labels against 74, 73 of which are right."""
    without, with_dropout = (
        mean([run["train_accuracy"][-1] for run in wrong_labels[p]]) for p in (0.0, 0.5)
    )
    assert without == pytest.approx(0.92, abs=0.05)
    assert with_dropout == pytest.approx(0.74, abs=0.03)


@pytest.mark.states(
    "128 units reach 76 to 83 percent, hardly more than 256 units, and 16 units reach 84 to 90 percent",
    "256 units with dropout are better than each of the smaller networks, by at least 1 point",
)
def test_a_smaller_network_without_dropout_is_not_as_good(wrong_labels: Histories) -> None:
    """With 128, 64 or 16 units, in every seed; only the narrow ones gain on 256 without it."""
    without, with_dropout = (
        [run["test_accuracy"][-1] for run in wrong_labels[p]] for p in (0.0, 0.5)
    )
    results = {hidden: smaller(hidden) for hidden in (128, 64, 16)}
    assert len(with_dropout) == len(without) == 5
    for values in results.values():
        assert all(b - a > 0.01 for a, b in zip(values, with_dropout, strict=True))
    assert 0.76 < mean(results[128]) < 0.83
    assert 0.84 < mean(results[16]) < 0.90
    assert mean(results[128]) - mean(without) < 0.04  # hardly more
    assert network(load("digits").flat(), nn.Dropout, 0.5, seed=0)[0].out_features == 256


@pytest.mark.states(
    "one network reaches 77 to 82 percent on average, the five together 83 to 88 percent, and one "
    "network with dropout 91 to 96 percent"
)
def test_dropout_beats_an_ensemble_of_five_on_wrong_labels(wrong_labels: Histories) -> None:
    with_dropout = [run["test_accuracy"][-1] for run in wrong_labels[0.5]]
    pairs = [ensemble(labels) for labels in SEEDS]
    alone, together = [mean(each) for each, _ in pairs], [voted for _, voted in pairs]
    assert all(a < b < c for a, b, c in zip(alone, together, with_dropout, strict=True))
    assert 0.77 < mean(alone) < 0.82
    assert 0.83 < mean(together) < 0.88
    assert 0.91 < mean(with_dropout) < 0.96


@pytest.mark.states("(about 95 percent)")
def test_stopping_in_time_would_have_helped_as_much(wrong_labels: Histories) -> None:
    without, with_dropout = (
        mean([max(run["test_accuracy"]) for run in wrong_labels[p]]) for p in (0.0, 0.5)
    )
    assert without == pytest.approx(0.95, abs=0.02)
    assert without == pytest.approx(with_dropout, abs=0.025)


@pytest.mark.states(
    "we draw 30 percent of the training labels anew at random. About 27 percent are wrong then"
)
def test_about_27_percent_of_the_labels_are_wrong() -> None:
    clean = load("digits", "cpu")
    for seed in SEEDS:
        wrong = (clean.with_label_noise(0.3, seed).y_train != clean.y_train).float().mean()
        assert wrong.item() == pytest.approx(0.27, abs=0.02)


@pytest.mark.states("6 to 16 points on average", "nor hurts by more than 3 points on average")
def test_dropout_hurts_a_narrow_network_on_little_clean_data() -> None:
    """6 to 16 points with 16 units, in every seed; at most 3 points either way with 256."""
    narrow, thinned = (with_little_data(nn.Dropout, p, hidden=16) for p in (0.0, 0.5))
    assert all(b < a for a, b in zip(narrow, thinned, strict=True))
    assert 0.06 < mean(narrow) - mean(thinned) < 0.16
    wide, thinned = (with_little_data(nn.Dropout, p, hidden=256) for p in (0.0, 0.5))
    assert abs(mean(wide) - mean(thinned)) < 0.03


@pytest.mark.states(
    "Trained for 300 epochs instead of 60, 16 units lose only 4 to 11 points by dropout",
    "they lose less than 2 points on average",
)
def test_a_longer_training_or_a_smaller_p_hurts_a_narrow_network_less() -> None:
    gaps = {}
    for p, epochs in ((0.5, 60), (0.5, 300), (0.1, 60)):
        without, thinned = (
            mean(with_little_data(nn.Dropout, each, hidden=16, epochs=epochs)) for each in (0.0, p)
        )
        gaps[p, epochs] = without - thinned
    assert gaps[0.5, 300] < gaps[0.5, 60]
    assert 0.04 < gaps[0.5, 300] < 0.11
    assert gaps[0.1, 60] < 0.02


@pytest.mark.states(
    "the accuracy is 2 to 3 points lower on average, and for about 7 percent of the test images"
)
def test_forgotten_flag_costs_accuracy_and_makes_answers_random() -> None:
    """2 to 3 points on average, and about 7 percent of the answers change."""
    results = [forgotten_flag(*trained(nn.Dropout, seed), seed) for seed in SEEDS]
    kept = [result["with the flag"] for result in results]
    forgotten = [result["without the flag"] for result in results]
    assert all(result["changed"] == 0 for result in kept)
    assert mean([result["changed"] for result in forgotten]) == pytest.approx(0.07, abs=0.03)
    gaps = [a["accuracy"] - b["accuracy"] for a, b in zip(kept, forgotten, strict=True)]
    assert 0.02 - 0.01 < mean(gaps) < 0.03 + 0.01


@pytest.mark.states(
    "falls from about 0.79 to about 0.61 for noise",
    "falls for digits too, from about 0.97 to about 0.93",
    "0.61 is still far more than the 0.10 of pure guessing",
)
def test_monte_carlo_dropout_is_less_sure_of_noise_and_of_digits(
    sure: list[dict[str, dict[str, torch.Tensor]]],
) -> None:
    """From 0.97 to 0.93 for digits, from 0.79 to 0.61 for noise."""

    def means(name: str, what: str) -> torch.Tensor:
        return torch.stack([result[name][what].mean() for result in sure])  # (seeds,)

    digits, noise = means("digits", "probability"), means("noise", "probability")
    assert (digits - noise > 0.15).all()
    assert digits.mean().item() == pytest.approx(0.93, abs=0.015)
    assert noise.mean().item() == pytest.approx(0.61, abs=0.02)
    assert 1 / len(load("digits", "cpu").classes) == 0.10  # pure guessing
    assert (means("noise", "one pass") > noise + 0.05).all()
    assert (means("digits", "one pass") > digits).all()
    assert means("noise", "one pass").mean().item() == pytest.approx(0.79, abs=0.02)
    assert means("digits", "one pass").mean().item() == pytest.approx(0.97, abs=0.01)


@pytest.mark.states("from about 0.89 with one pass to about 0.92 with Monte-Carlo dropout")
def test_monte_carlo_dropout_parts_digits_and_noise_a_little_better(
    sure: list[dict[str, dict[str, torch.Tensor]]],
) -> None:
    """AUROC 0.89 with one pass, 0.92 with the mean or with the standard deviation."""
    one, top, spread = (
        [auroc(sign * result["digits"][what], sign * result["noise"][what]) for result in sure]
        for what, sign in (("one pass", 1), ("probability", 1), ("spread", -1))
    )
    assert all(before < after for before, after in zip(one, top, strict=True))
    assert mean(one) == pytest.approx(0.89, abs=0.015)
    assert mean(top) == pytest.approx(0.92, abs=0.015)
    assert mean(spread) == pytest.approx(0.92, abs=0.015)
