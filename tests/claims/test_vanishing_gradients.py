"""What lesson 02 says its experiments show, over five seeds."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean, median

import pytest
import torch
from torch import nn

from helpers.answers.vanishing_gradients.clip_gradient_norm import clip_gradient_norm
from helpers.answers.vanishing_gradients.gradient_magnitude_by_layer import (
    gradient_magnitude_by_layer,
)
from helpers.answers.vanishing_gradients.initialization import (
    kaiming_normal_std,
    xavier_uniform_bound,
)
from helpers.answers.vanishing_gradients.network import Network
from helpers.answers.vanishing_gradients.residual_block import ResidualBlock
from helpers.data import Dataset, load
from helpers.experiments import vanishing_gradients as lesson

pytestmark = pytest.mark.claims

SEEDS = range(5)
SCHEMES = {
    "default": lesson.as_pytorch_does,
    "xavier": lesson.xavier(xavier_uniform_bound),
    "kaiming": lesson.kaiming(kaiming_normal_std),
}
SIGMOID = lesson.deep_network(Network, nn.Sigmoid)
TANH_XAVIER = lesson.deep_network(Network, nn.Tanh, SCHEMES["xavier"])
RELU = lesson.deep_network(Network, nn.ReLU)
RELU_KAIMING = lesson.deep_network(Network, nn.ReLU, SCHEMES["kaiming"])
RESIDUAL = lesson.residual_network(ResidualBlock, nn.ReLU)

Runs = list[lesson.Run]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits", "cpu").flat()


@pytest.fixture(scope="module")
def runs(data: Dataset) -> Callable[[str], Runs]:
    """Each of the lesson's trainings, done once, by name."""
    settings = {
        "sigmoid": (SIGMOID, {}),
        "tanh": (TANH_XAVIER, {}),
        "relu": (RELU, {}),
        "residual": (RESIDUAL, {}),
        "kaiming": (RELU_KAIMING, {"clip": clip_gradient_norm}),
        "small step": (RELU_KAIMING, {"lr": 0.01}),
        "clipped": (RELU_KAIMING, {"clip": clip_gradient_norm, "max_norm": 2.0}),
    }
    done: dict[str, Runs] = {}

    def get(name: str) -> Runs:
        if name not in done:
            make, more = settings[name]
            done[name] = [lesson.train_deep(make, data, seed, **more) for seed in SEEDS]
        return done[name]

    return get


def final(of_seeds: Runs) -> list[float]:
    return [run.final for run in of_seeds]


def gradients(make: lesson.Make, data: Dataset) -> list[list[float]]:
    return [
        lesson.gradients_at_start(make, gradient_magnitude_by_layer, data, seed) for seed in SEEDS
    ]


def test_a_sigmoid_layer_takes_a_factor_of_0_14(data: Dataset) -> None:
    for values in gradients(SIGMOID, data):
        assert 1e-17 < lesson.first_to_last(values) < 3e-16
        assert 0.13 < lesson.factor_per_layer(values) < 0.15
        assert values[0] < 1e-17 and values[-1] > 1e-3


def test_the_bound_of_a_quarter_holds(data: Dataset) -> None:
    for seed in SEEDS:
        way = lesson.way_back(SIGMOID, data, seed)
        assert len(way.norms) == len(way.bounds) == lesson.DEPTH + 1
        assert all(n <= b * 1.001 for n, b in zip(way.norms, way.bounds, strict=True))
        assert way.norms[0] < way.bounds[0] / 1e4


@pytest.mark.parametrize(
    ("activation", "scheme", "low", "high"),
    [
        (nn.Sigmoid, "default", 1e-17, 3e-16),
        (nn.Sigmoid, "xavier", 1e-13, 1e-11),
        (nn.Sigmoid, "kaiming", 5e-11, 3e-9),
        (nn.Tanh, "default", 1e-4, 1e-3),
        (nn.Tanh, "xavier", 0.3, 4),
        (nn.Tanh, "kaiming", 0.5, 6),
        (nn.ReLU, "default", 1e-7, 5e-6),
        (nn.ReLU, "xavier", 0.4, 6),
        (nn.ReLU, "kaiming", 0.3, 4),
    ],
)
def test_ratio_by_activation_and_initialisation(
    data: Dataset, activation: type[nn.Module], scheme: str, low: float, high: float
) -> None:
    make = lesson.deep_network(Network, activation, SCHEMES[scheme])
    assert all(low < lesson.first_to_last(values) < high for values in gradients(make, data))


def test_relu_with_xavier_has_small_gradients_everywhere(data: Dataset) -> None:
    small = gradients(lesson.deep_network(Network, nn.ReLU, SCHEMES["xavier"]), data)
    right = gradients(RELU_KAIMING, data)
    for few, many in zip(small, right, strict=True):
        assert max(few[1:-1]) < 0.01 * min(many[1:-1])


def test_sigmoid_and_default_relu_stay_at_chance(runs: Callable[[str], Runs]) -> None:
    assert max(final(runs("sigmoid"))) < 0.15
    assert max(final(runs("relu"))) < 0.15
    for run in [*runs("sigmoid"), *runs("relu")]:
        assert run.loss[-1] > 2.25  # ln 10 is 2.303: nothing is learned of the training images


def test_tanh_with_xavier_learns(runs: Callable[[str], Runs]) -> None:
    assert mean(final(runs("tanh"))) > 0.85
    assert min(final(runs("tanh"))) > 0.75


def test_relu_with_kaiming_learns_badly_at_this_step(runs: Callable[[str], Runs]) -> None:
    accuracies = final(runs("kaiming"))
    assert 0.15 < mean(accuracies) < 0.55
    assert max(accuracies) < 0.7


def test_residual_network_learns(runs: Callable[[str], Runs], data: Dataset) -> None:
    assert min(final(runs("residual"))) > 0.93
    assert mean(final(runs("residual"))) > mean(final(runs("clipped")))
    assert all(0.5 < lesson.first_to_last(values) < 2 for values in gradients(RESIDUAL, data))


def test_clipping_repairs_relu_with_kaiming(runs: Callable[[str], Runs]) -> None:
    clipped, small = final(runs("clipped")), final(runs("small step"))
    assert min(clipped) > 0.8
    assert mean(clipped) > 0.88
    assert mean(clipped) > mean(final(runs("kaiming"))) + 0.35
    assert mean(final(runs("kaiming"))) + 0.2 < mean(small) < mean(clipped) - 0.02


def test_single_steps_are_far_too_long(runs: Callable[[str], Runs]) -> None:
    for run in runs("kaiming"):
        assert max(run.norms) > 5 * median(run.norms)
        assert run.norms[0] > 2
    for run in runs("clipped"):
        shortened = mean(norm > 2 for norm in run.norms)
        assert shortened > 0.7


def test_update_to_weight(data: Dataset) -> None:
    for seed in SEEDS:
        for make in (TANH_XAVIER, RELU_KAIMING):
            ratios = lesson.update_to_weight(make, data, seed)
            assert min(ratios) > 3e-4 and max(ratios) < 5e-2
        sigmoid = lesson.update_to_weight(SIGMOID, data, seed)
        assert max(sigmoid[:2]) < 1e-18 and sigmoid[-1] > 1e-3
        assert max(lesson.update_to_weight(RELU, data, seed)[:3]) < 1e-8


def test_kaiming_is_too_large_for_residual_blocks(data: Dataset) -> None:
    large = lesson.residual_network(ResidualBlock, nn.ReLU, SCHEMES["kaiming"])
    for seed in SEEDS:
        assert lesson.growth(large, data, seed) > 100
        assert lesson.growth(RESIDUAL, data, seed) < 3


def test_the_demo_shows_the_right_gain() -> None:
    from helpers.demos.vanishing_gradients import gradients as at_each_layer

    def per_layer(gain: float, activation: str) -> float:
        values = at_each_layer(40, gain, activation)
        return float((values[0] / values[-1]) ** (1 / 39))

    assert 0.9 < per_layer(1.0, "none") < 1.1
    assert 0.9 < per_layer(1.4, "ReLU") < 1.1
    assert per_layer(1.0, "ReLU") < 0.8
    assert per_layer(1.0, "sigmoid") < 0.26
    assert max(per_layer(gain, "sigmoid") for gain in (3.0, 4.0, 5.0)) < 0.85


def test_float32_cannot_store_such_a_step() -> None:
    assert (torch.tensor(0.1) + 1e-19).equal(torch.tensor(0.1))
