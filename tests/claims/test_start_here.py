"""What lesson 00 says about its experiment, over five seeds."""

from __future__ import annotations

import pytest

from helpers.answers.start_here.numerical_gradient import numerical_gradient
from helpers.experiments.start_here import errors_by_step

pytestmark = pytest.mark.claims
STEPS = [10.0**-k for k in range(1, 13)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.states(
    "until a step between $10^{-4}$ and $10^{-6}$ and then rises again",
    "At the best step it is below $10^{-9}$",
)
def test_the_best_step_lies_in_between(seed: int) -> None:
    errors = dict(zip(STEPS, errors_by_step(numerical_gradient, STEPS, seed), strict=True))
    best = min(errors, key=lambda step: errors[step])
    assert 0.9 * 1e-6 < best < 1.1 * 1e-4
    assert errors[best] < 1e-9
    assert errors[STEPS[-1]] > 1000 * errors[best]
    assert 50 < errors[STEPS[0]] / errors[STEPS[1]] < 200
