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


@pytest.mark.states(
    r"about $10^{16}$ times smaller than the last one's: the ratio is about $5 \cdot 10^{-17}$. Each layer multiplies the gradient by 0.14."
)
def test_a_sigmoid_layer_takes_a_factor_of_0_14(data: Dataset) -> None:
    for values in gradients(SIGMOID, data):
        assert 5e-17 / 5 < lesson.first_to_last(values) < 5e-17 * 6
        assert 0.1 < lesson.first_to_last(values) * 1e16 < 3
        assert lesson.factor_per_layer(values) == pytest.approx(0.14, abs=0.01)
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
        (nn.Sigmoid, "default", 5e-17 / 5, 5e-17 * 6),
        (nn.Sigmoid, "xavier", 1e-12 / 10, 1e-12 * 10),
        (nn.Sigmoid, "kaiming", 3e-10 / 6, 3e-10 * 10),
        (nn.Tanh, "default", 3e-4 / 3, 3e-4 * 3.3),
        (nn.Tanh, "xavier", 0.3, 4),
        (nn.Tanh, "kaiming", 0.5, 6),
        (nn.ReLU, "default", 7e-7 / 7, 7e-7 * 7),
        (nn.ReLU, "xavier", 0.4, 6),
        (nn.ReLU, "kaiming", 0.3, 4),
    ],
)
@pytest.mark.states(
    r"| sigmoid | about $5 \cdot 10^{-17}$ | about $10^{-12}$ | about $3 \cdot 10^{-10}$ |",
    r"| tanh | about $3 \cdot 10^{-4}$ | between 0.3 and 4 | between 0.5 and 6 |",
    r"| ReLU | about $7 \cdot 10^{-7}$ | between 0.4 and 6 | between 0.3 and 4 |",
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


@pytest.mark.states("The sigmoid network stays at chance, 0.08 to 0.12.")
def test_sigmoid_and_default_relu_stay_at_chance(runs: Callable[[str], Runs]) -> None:
    for name in ("sigmoid", "relu"):
        assert all(0.08 - 0.03 < accuracy < 0.12 + 0.03 for accuracy in final(runs(name)))
    for run in [*runs("sigmoid"), *runs("relu")]:
        assert run.loss[-1] > 2.25  # ln 10 is 2.303: nothing is learned of the training images


@pytest.mark.states("ends at about 0.93 on average over five seeds, above 0.75 in each")
def test_tanh_with_xavier_learns(runs: Callable[[str], Runs]) -> None:
    assert mean(final(runs("tanh"))) == pytest.approx(0.93, abs=0.06)
    assert min(final(runs("tanh"))) > 0.75


@pytest.mark.states("yet it ends at about 0.31 on average")
def test_relu_with_kaiming_learns_badly_at_this_step(runs: Callable[[str], Runs]) -> None:
    accuracies = final(runs("kaiming"))
    assert mean(accuracies) == pytest.approx(0.31, abs=0.2)
    assert max(accuracies) < 0.7


@pytest.mark.states(
    "The residual network ends at 0.93 or more in each seed",
    "the ratio of its first to its last gradient lies between 0.5 and 2",
)
def test_residual_network_learns(runs: Callable[[str], Runs], data: Dataset) -> None:
    assert min(final(runs("residual"))) > 0.93
    assert mean(final(runs("residual"))) > mean(final(runs("clipped")))
    assert all(0.5 < lesson.first_to_last(values) < 2 for values in gradients(RESIDUAL, data))


@pytest.mark.states(
    "Over five seeds the network ends at about 0.31 on average with the step of 0.1, at about 0.82 with the step of 0.01, and at about **0.91 with clipping**, above 0.8 in each seed."
)
def test_clipping_repairs_relu_with_kaiming(runs: Callable[[str], Runs]) -> None:
    clipped, small = final(runs("clipped")), final(runs("small step"))
    assert min(clipped) > 0.8
    assert mean(clipped) == pytest.approx(0.91, abs=0.04)
    assert mean(small) == pytest.approx(0.82, abs=0.08)
    assert mean(final(runs("kaiming"))) == pytest.approx(0.31, abs=0.2)
    assert mean(clipped) > mean(final(runs("kaiming"))) + 0.35
    assert mean(final(runs("kaiming"))) + 0.2 < mean(small) < mean(clipped) - 0.02


@pytest.mark.states(
    "most of the steps, more than 70 %, are shortened",
    "more than five times as long as the median one",
)
def test_single_steps_are_far_too_long(runs: Callable[[str], Runs]) -> None:
    for run in runs("kaiming"):
        assert max(run.norms) > 5 * median(run.norms)
        assert run.norms[0] > 2
    for run in runs("clipped"):
        shortened = mean(norm > 2 for norm in run.norms)
        assert shortened > 0.7


@pytest.mark.states(
    r"every weight moves by between $3 \cdot 10^{-4}$ and $5 \cdot 10^{-2}$ of its length in a step",
    "the first ones move by less than $10^{-18}$",
    "the first layers move by less than $10^{-8}$",
)
def test_update_to_weight(data: Dataset) -> None:
    for seed in SEEDS:
        for make in (TANH_XAVIER, RELU_KAIMING):
            ratios = lesson.update_to_weight(make, data, seed)
            assert min(ratios) > 3e-4 and max(ratios) < 5e-2
        sigmoid = lesson.update_to_weight(SIGMOID, data, seed)
        assert max(sigmoid[:2]) < 1e-18 and sigmoid[-1] > 1e-3
        assert max(lesson.update_to_weight(RELU, data, seed)[:3]) < 1e-8


@pytest.mark.states(
    "multiply the signal by more than 100; with the default weights the factor is below 3"
)
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


@pytest.mark.states(
    "float32 keeps about 7 digits, so adding $10^{-19}$ to a weight of 0.1 changes nothing at all"
)
def test_float32_cannot_store_such_a_step() -> None:
    assert (torch.tensor(0.1) + 1e-19).equal(torch.tensor(0.1))
    assert torch.finfo(torch.float32).eps == pytest.approx(10**-7, rel=0.3)


@pytest.mark.states("Can we predict the 0.14?", "Times ¼ this is **0.144**")
def test_the_factor_is_predicted() -> None:
    assert round(0.25 * (1 / 3) ** 0.5, 3) == 0.144
    assert round(0.25 * (1 / 3) ** 0.5, 2) == 0.14


@pytest.mark.states(r"It divides by the norm plus $10^{-6}$")
def test_what_pytorch_adds_to_the_norm() -> None:
    p = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    p.grad = torch.full_like(p, 1e-6)
    nn.utils.clip_grad_norm_([p], 1e-6)
    assert p.grad.item() == pytest.approx(1e-6 / 2)
