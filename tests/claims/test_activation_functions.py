"""What lesson 01 says about its experiments, over five seeds."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from helpers.experiments.activation_functions import (
    Bend,
    accuracy_after_training,
    even_or_odd,
    one_sign_share,
    saturated_share,
    stack,
)

pytestmark = pytest.mark.claims
SEEDS = range(5)


@pytest.fixture(scope="module")
def accuracies() -> dict[str, list[float]]:
    data = even_or_odd()
    networks = {
        "one linear": (None, 1),
        "three linear": (None, 3),
        "sigmoid": (nn.Sigmoid, 3),
        "tanh": (nn.Tanh, 3),
        "relu": (nn.ReLU, 3),
    }
    return {
        name: [accuracy_after_training(data, make, depth, seed, epochs=15) for seed in SEEDS]
        for name, (make, depth) in networks.items()
    }


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.states("One linear layer reaches about 0.91 (0.90 to 0.92 over five seeds)")
def test_depth_without_a_bend_gains_nothing(accuracies: dict[str, list[float]]) -> None:
    for name in ("one linear", "three linear"):
        assert all(0.90 - 0.02 < value < 0.92 + 0.015 for value in accuracies[name])
        assert mean(accuracies[name]) == pytest.approx(0.91, abs=0.012)
    assert mean(accuracies["three linear"]) == pytest.approx(
        mean(accuracies["one linear"]), abs=0.015
    )


@pytest.mark.parametrize("name", ["tanh", "relu"])
@pytest.mark.states("the accuracy is about 0.98, at least 4 points more in every seed")
def test_a_bend_gains_at_least_four_points(accuracies: dict[str, list[float]], name: str) -> None:
    assert mean(accuracies[name]) == pytest.approx(0.98, abs=0.012)
    for bent, straight in zip(accuracies[name], accuracies["three linear"], strict=True):
        assert bent > straight + 0.04


@pytest.mark.states("The sigmoid lies between them at about 0.94")
def test_sigmoid_lies_between(accuracies: dict[str, list[float]]) -> None:
    assert mean(accuracies["sigmoid"]) == pytest.approx(0.94, abs=0.015)
    assert mean(accuracies["three linear"]) < mean(accuracies["sigmoid"]) < mean(accuracies["tanh"])


@pytest.fixture(scope="module")
def repaired() -> dict[str, float]:
    """The mean accuracy of sigmoids whose slope or centre is repaired, over five seeds."""
    data = even_or_odd()
    functions = {
        "long steps": (torch.sigmoid, 0.3),
        "centred": (lambda x: torch.sigmoid(x) - 0.5, 0.1),
        "both": (lambda x: 4 * torch.sigmoid(x) - 2, 0.1),
    }
    return {
        name: mean(
            [accuracy_after_training(data, partial(Bend, f), 3, k, epochs=15, lr=lr) for k in SEEDS]
        )
        for name, (f, lr) in functions.items()
    }


@pytest.mark.states(
    "the sigmoid reaches about 0.97", "centred outputs gain about 1.5 points on average"
)
def test_the_slope_and_the_centre_are_what_the_sigmoid_lacks(
    repaired: dict[str, float], accuracies: dict[str, list[float]]
) -> None:
    plain, tanh = mean(accuracies["sigmoid"]), mean(accuracies["tanh"])
    assert repaired["long steps"] == pytest.approx(0.97, abs=0.01)
    assert 100 * (repaired["centred"] - plain) == pytest.approx(1.5, abs=0.8)
    assert repaired["long steps"] > repaired["centred"]
    assert repaired["both"] == pytest.approx(tanh, abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_saturation_plays_no_part_in_that_network(seed: int) -> None:
    """At the start no unit of its first layer is flat."""
    data = even_or_odd()
    first = stack(data, nn.Sigmoid, 3, seed)[0]
    slopes = sigmoid_slope(first(data.x_train))
    assert (slopes < 0.05).float().mean() == 0


def sigmoid_slope(x: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(x) * (1 - torch.sigmoid(x))


def tanh_slope(x: torch.Tensor) -> torch.Tensor:
    return 1 - torch.tanh(x) ** 2


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.states(
    "so that their standard deviation is 0.5, 1, 3 or 10",
    "(sigmoid below 2 %, tanh below 6 %). At 10 more than 70 % are",
)
def test_saturation_grows_with_the_scale(seed: int) -> None:
    sigmoid = saturated_share(sigmoid_slope, [0.5, 1.0, 3.0, 10.0], seed)
    tanh = saturated_share(tanh_slope, [0.5, 1.0, 3.0, 10.0], seed)
    assert sigmoid == sorted(sigmoid)
    assert tanh == sorted(tanh)
    assert sigmoid[1] < 0.02
    assert tanh[1] < 0.06
    assert min(sigmoid[3], tanh[3]) > 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_relu_is_flat_for_half_of_the_units_at_any_scale(seed: int) -> None:
    for share in saturated_share(lambda x: (x > 0).float(), [0.5, 1.0, 3.0, 10.0], seed):
        assert share == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_only_centred_outputs_push_in_both_directions(seed: int) -> None:
    assert one_sign_share(torch.sigmoid, seed) == 1
    assert one_sign_share(torch.relu, seed) == 1
    assert one_sign_share(torch.tanh, seed) == 0


@pytest.mark.parametrize(("dtype", "border"), [(torch.float32, 89), (torch.float64, 710)])
@pytest.mark.states(
    "(In float64 this happens from about 710 on.)", "it only moves the border from 89 to 710"
)
def test_where_the_exponential_overflows(dtype: torch.dtype, border: int) -> None:
    assert torch.exp(torch.tensor(border, dtype=dtype)).isinf()
    assert torch.exp(torch.tensor(border - 1, dtype=dtype)).isfinite()


def test_largest_slopes() -> None:
    x = torch.linspace(-10, 10, 10001, dtype=torch.float64)
    assert sigmoid_slope(x).max() == pytest.approx(0.25)
    assert tanh_slope(x).max() == pytest.approx(1)


@pytest.mark.states(r"the largest number is about $3.4 \cdot 10^{38}$")
def test_the_largest_float32() -> None:
    assert torch.finfo(torch.float32).max == pytest.approx(3.4e38, rel=0.01)


@pytest.mark.states("where the slope is below 0.05")
def test_where_the_demo_draws_the_border() -> None:
    from helpers.demos.activation_functions import FLAT

    assert FLAT == 0.05
