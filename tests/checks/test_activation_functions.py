"""Lesson 01: what counts and what is noted, and answers as students write them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from helpers import check_leaky_relu, check_relu, check_sigmoid
from helpers.answers.activation_functions.formulas import HandReLU, HandSigmoid, module
from helpers.checking import CheckFailed


def failure(check: Any, answer: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        check(answer)
    return caught.value


@pytest.mark.parametrize(
    ("forward", "name"),
    [
        (lambda self, x: 1 / (1 + torch.exp(-torch.clamp(x, -500, 500))), "clamped-too-late"),
        (lambda self, x: 1 / (1 + torch.exp(-torch.clamp(x, -300, 300))), "clamped-too-late"),
        (lambda self, x: 1 / (1 + torch.exp(-torch.clamp(x, -20, 20))), "clamped-too-early"),
        (lambda self, x: 1 / (1 + torch.exp(-x)), "textbook"),
        (lambda self, x: torch.exp(x) / (1 + torch.exp(x)), "exp-over-exp"),
    ],
)
def test_sigmoids_that_people_write(forward: Any, name: str) -> None:
    by_output = module(forward, lambda self, x: self(x) * (1 - self(x)))
    assert failure(check_sigmoid, by_output).misconception == name
    by_itself = module(forward, lambda self, x: HandSigmoid().derivative(x))
    assert failure(check_sigmoid, by_itself).misconception == name


@pytest.mark.parametrize(
    "derivative", [lambda self, x: (x > 0) * 1, lambda self, x: torch.where(x > 0, 1, 0)]
)
def test_slopes_in_whole_numbers(derivative: Any) -> None:
    wrong = module(lambda self, x: torch.max(x, torch.zeros_like(x)), derivative)
    found = failure(check_relu, wrong).misconception
    assert found == "half-at-zero+derivative-whole-numbers"


def test_the_call_with_the_default_slope_can_be_run() -> None:
    class MyLeakyReLU(nn.Module):
        def __init__(self, negative_slope: float = 0.1) -> None:
            super().__init__()
            self.negative_slope = negative_slope

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.where(x > 0, x, self.negative_slope * x)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return torch.where(x > 0, torch.ones_like(x), self.negative_slope)

    assert "MyLeakyReLU()(tensor([-2., 0., 3.]))" in str(failure(check_leaky_relu, MyLeakyReLU))


def test_another_device_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    on_cpu = module(
        lambda self, x: torch.where(x > 0, x, torch.zeros(x.shape, dtype=x.dtype)),
        lambda self, x: HandReLU().derivative(x),
    )
    check_relu(on_cpu)
    assert "◦ One thing more: Your forward makes a tensor on the CPU" in capsys.readouterr().out
