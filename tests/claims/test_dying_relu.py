"""What lesson 03 says about its experiments, over five seeds."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from statistics import fmean

import pytest
import torch
from torch import nn

from helpers.answers.dying_relu.dead_fraction import dead_fraction, zero_rate
from helpers.answers.dying_relu.record_activations import record_activations
from helpers.data import Dataset, load
from helpers.experiments.dying_relu import (
    CAUSES,
    CURES,
    SEEDS,
    SICK,
    Run,
    Setting,
    build,
    counter,
    cures,
    dead_by_depth,
    first_gradient,
    look_at_units,
    run,
    sweep,
    train_on,
    trained,
    untrained,
)

pytestmark = pytest.mark.claims
COUNT = counter(record_activations, zero_rate, dead_fraction)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load("digits", "cpu").flat()


@pytest.fixture(scope="module")
def cured(data: Dataset) -> dict[str, dict[str, list[Run]]]:
    return cures(COUNT, data)


@pytest.fixture(scope="module")
def healthy(data: Dataset) -> list[Run]:
    return [run(COUNT, Setting(), data, seed) for seed in SEEDS]


def test_there_are_five_seeds() -> None:
    assert len(SEEDS) >= 5


@pytest.mark.states("(test accuracy; chance is 0.1)")
def test_chance(data: Dataset) -> None:
    assert 1 / data.num_classes == 0.1


@pytest.mark.states(
    "| 0 | 2.0 | 0 | 0.3 |",
    "| 0 | 0 | 1.1 | 0 |",
    "| 0 | 0 | 0 | 0.7 |",
    "the zero rate is 0.67. Only unit 0 is dead: the dead fraction is 0.25.",
)
def test_the_example_with_three_samples_and_four_units() -> None:
    activations = torch.tensor([[0, 2.0, 0, 0.3], [0, 0, 1.1, 0], [0, 0, 0, 0.7]])
    assert round(zero_rate(activations), 2) == 0.67
    assert dead_fraction(activations) == 0.25
    assert (activations == 0).all(dim=0).tolist() == [True, False, False, False]


@pytest.mark.parametrize("init", ["PyTorch", "He"])
@pytest.mark.states("Between 0.4 and 0.6 of all activations are zero")
def test_a_new_layer_is_half_silent_and_hardly_dead(init, data: Dataset) -> None:
    for layers in untrained(COUNT, data, Setting(init=init)):
        assert list(layers) == ["activation1", "activation2"]
        for zeros, dead in layers.values():
            assert 0.4 < zeros < 0.6
            assert dead < 0.05


@pytest.mark.states("it reads more than 90 % of the test images right")
def test_a_high_zero_rate_is_not_death(data: Dataset) -> None:
    runs = [of_seed[0] for of_seed in sweep(COUNT, data, [Setting(scale=4.0)])]
    assert all(one.zero_rate > 0.5 for one in runs)
    assert 0.58 < fmean(one.zero_rate for one in runs) < 0.75
    assert all(one.dead < 0.05 for one in runs)
    assert all(one.accuracy > 0.9 for one in runs)


@pytest.mark.states(
    "| step size | 0.3: at most 5 % dead | 2.0: more than 60 % dead, accuracy below 0.3 |",
    "| first bias | 0: at most 5 % dead | −1: more than half dead; −4: all dead; accuracy below 0.2 |",
    "| first weights | PyTorch's: at most 5 % dead | 12 times wider: more than 40 % dead, accuracy below 0.5 |",
)
def test_what_kills(data: Dataset, healthy: list[Run], cured) -> None:
    assert all(one.dead <= 0.05 and one.accuracy > 0.85 for one in healthy)
    least_dead = {"step of 2.0": 0.6, "biases of −1": 0.5, "weights 12 times wider": 0.4}
    for cause, least in least_dead.items():
        for one in cured[cause]["as it is"]:
            assert one.accuracy < AS_IT_IS[cause]
            assert one.dead > least
    assert (Setting().lr, CAUSES["step of 2.0"].lr) == (0.3, 2.0)
    assert CAUSES["biases of −1"].bias == -1.0
    assert CAUSES["weights 12 times wider"].scale == 12
    unbiased = [run(COUNT, Setting(bias=0.0), data, seed) for seed in SEEDS]
    assert all(one.dead <= 0.05 for one in unbiased)
    born_dead = [run(COUNT, Setting(bias=-4.0), data, seed) for seed in SEEDS]
    assert all(one.dead == 1 and one.accuracy < 0.2 for one in born_dead)


def test_steps_and_wide_weights_kill_during_training_and_biases_before(data: Dataset) -> None:
    for cause, ill in CAUSES.items():
        for layers in untrained(COUNT, data, ill):
            dead = fmean(dead for _, dead in layers.values())
            assert dead > 0.45 if cause == "biases of −1" else dead < 0.05


@pytest.mark.states(
    "In every seed the gradient of every dead unit is 0.0: not small, but zero. Of the living units more than 80 % have one that is not."
)
def test_dead_units_get_no_gradient_and_do_not_come_back(data: Dataset) -> None:
    for seed in SEEDS:
        model = trained(SICK, data, seed)
        before = look_at_units(record_activations, dead_fraction, model, data)
        train_on(model, data, lr=0.03, seed=seed)
        after = look_at_units(record_activations, dead_fraction, model, data)
        dead = torch.cat([units.dead for units in before])
        gradient = torch.cat([units.gradient for units in before])
        assert 0 < int(dead.sum()) < len(dead)
        assert gradient[dead].max() == 0
        assert (gradient[~dead] > 0).float().mean() > 0.8
        assert int((before[0].dead & ~after[0].dead).sum()) == 0


AS_IT_IS = {"step of 2.0": 0.3, "biases of −1": 0.2, "weights 12 times wider": 0.5}
HELPS = {
    ("step of 2.0", "step ten times smaller"): 0.85,
    ("biases of −1", "LeakyReLU(0.2)"): 0.8,
    ("biases of −1", "He initialisation"): 0.9,
    ("weights 12 times wider", "step ten times smaller"): 0.8,
    ("weights 12 times wider", "He initialisation"): 0.9,
}
DOES_NOT = {
    ("step of 2.0", "LeakyReLU(0.2)"): 0.3,
    ("step of 2.0", "He initialisation"): 0.3,
    ("biases of −1", "step ten times smaller"): 0.2,
    ("weights 12 times wider", "LeakyReLU(0.2)"): 0.3,
}


@pytest.mark.states(
    "| illness | as it is | small step | LeakyReLU(0.2) |",
    "| step of 2.0 | below 0.3 | **above 0.85** | below 0.3 | below 0.3 |",
    "| biases of −1 | below 0.2 | below 0.2 | **above 0.8** | **above 0.9** |",
    "| weights 12 times wider | below 0.5 | **above 0.8** | below 0.3 | **above 0.9** |",
)
def test_every_cell_of_the_table_is_claimed() -> None:
    cells = {(cause, cure) for cause in CAUSES for cure in CURES if cure != "as it is"}
    assert cells == {*HELPS, *DOES_NOT}
    assert {cure for _, cure in HELPS} == set(CURES) - {"as it is"}
    assert set(AS_IT_IS) == set(CAUSES)
    assert CAUSES["weights 12 times wider"].scale == 12


@pytest.mark.parametrize(("cause", "cure"), list(HELPS))
@pytest.mark.states("Where the cure fits, at most 5 % of the units are dead.")
def test_a_cure_that_fits(cause: str, cure: str, cured) -> None:
    for one in cured[cause][cure]:
        assert one.accuracy > HELPS[cause, cure]
        assert one.dead <= 0.05
        assert math.isfinite(one.loss)


@pytest.mark.parametrize(("cause", "cure"), list(DOES_NOT))
def test_a_cure_that_does_not(cause: str, cure: str, cured) -> None:
    for one in cured[cause][cure]:
        assert one.accuracy < DOES_NOT[cause, cure]


def test_with_a_leaky_slope_nothing_dies_and_a_large_step_diverges(cured) -> None:
    for cause in ("step of 2.0", "weights 12 times wider"):
        assert all(math.isfinite(one.loss) for one in cured[cause]["as it is"])
        assert all(not math.isfinite(one.loss) for one in cured[cause]["LeakyReLU(0.2)"])


@pytest.mark.states(
    "with the usual 0.01 the network with biases of −1 stays below 0.2, as the gradient that reaches the first layer is more than 100 times smaller than without the biases"
)
def test_the_usual_slope_is_not_enough_against_negative_biases(data: Dataset) -> None:
    ill = replace(CAUSES["biases of −1"], activation=partial(nn.LeakyReLU, 0.01))
    assert all(run(COUNT, ill, data, seed).accuracy < 0.2 for seed in SEEDS)
    for seed in SEEDS:
        assert first_gradient(replace(ill, bias=None), data, seed) > 100 * first_gradient(
            ill, data, seed
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.states(
    "With 2 layers at most 3 % of the units are dead, with 20 layers between 5 and 20 %.",
)
def test_deep_networks_are_born_with_dead_units(seed: int, data: Dataset) -> None:
    depths = (2, 5, 10, 20)
    shares = [share for share, _ in dead_by_depth(depths, data, seed)]
    assert shares[0] <= 0.03
    assert 0.05 <= shares[-1] <= 0.20
    assert max(shares[:2]) < min(shares[2:])


def test_the_compared_networks_start_equal(data: Dataset) -> None:
    """What is not named in a setting is the same: the same draw, scaled or with other biases."""
    plain, wide = build(Setting(), data, 0), build(Setting(scale=12.0), data, 0)
    assert torch.allclose(12 * plain.linear1.weight, wide.linear1.weight)
    assert torch.equal(plain.linear1.bias, wide.linear1.bias)
    assert torch.equal(plain.output.weight, wide.output.weight)
    leaky = build(Setting(activation=nn.LeakyReLU), data, 0)
    assert torch.equal(plain.linear2.weight, leaky.linear2.weight)
