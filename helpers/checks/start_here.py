"""Checks of lesson 00: the numerical gradient and the number of parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check

SCALAR_FUNCTIONS: dict[str, Callable[[torch.Tensor], Any]] = {
    "lambda x: (x ** 2).sum()": lambda x: (x**2).sum(),
    "lambda x: (x ** 3).sum()": lambda x: (x**3).sum(),
    "lambda x: x.prod()": lambda x: x.prod(),
    "lambda x: float(x.sin().sum())": lambda x: float(x.sin().sum()),
    "lambda x: x.exp().sum().log()": lambda x: x.exp().sum().log(),
    "lambda x: x[0].sum() ** 2": lambda x: x[0].sum() ** 2,
    "lambda x: (1000 * x).sin().sum()": lambda x: (1000 * x).sin().sum(),
}
"""Functions to differentiate, by how they read in a message."""


def _gradient_cases(rng: torch.Generator) -> Iterator[Case]:
    square, cube, product, sine, log_sum_exp, of_first_row, fast = SCALAR_FUNCTIONS

    def draw(*shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=rng, dtype=torch.float64) + 0.5

    def case(name: str, f: str, x: torch.Tensor, h: float = 1e-5) -> Case:
        return Case(name, f=f, x=x, h=h)

    yield case("two numbers", cube, torch.tensor([1.0, -2.0], dtype=torch.float64))
    yield case("slopes of both signs", square, torch.tensor([3.0, -2.0], dtype=torch.float64))
    yield case("a wide step", cube, draw(3), h=0.1)
    yield case("a function that returns a float", sine, draw(4))
    yield case("entries that depend on each other", product, draw(3))
    yield case("a matrix", log_sum_exp, draw(2, 3))
    yield case("a function that needs the shape of x", of_first_row, draw(2, 3))
    yield case("an x that asks for gradients", square, draw(2).requires_grad_())
    yield case("a function so fast that the step shows", fast, draw(2))
    yield case("one number", square, torch.tensor(3.0, dtype=torch.float64)).beyond()
    yield case("a transposed matrix", product, draw(2, 3).t()).beyond()
    yield case("an expanded vector", cube, draw(1, 3).expand(2, 3)).beyond()
    yield case("no entries", square, draw(0)).beyond()


def _observe_gradient(numerical_gradient: Any, case: Case) -> Iterator[tuple[str, Any]]:
    before = case.x.detach().clone()
    result = numerical_gradient(SCALAR_FUNCTIONS[case.f], case.x, case.h)
    yield "gradient", result
    yield "graph", bool(getattr(result, "requires_grad", False))
    yield "x afterwards", case.x
    if case.h == 1e-5:
        yield "default step", numerical_gradient(SCALAR_FUNCTIONS[case.f], before)


NUMERICAL_GRADIENT = Check(
    name="check_numerical_gradient",
    lesson="start_here",
    topic="numerical gradient",
    takes=(Argument("numerical_gradient"),),
    cases=_gradient_cases,
    observe=_observe_gradient,
    aspects={
        "gradient": Aspect(
            "numerical_gradient({f}, {x}, h={h})",
            "The gradient is wrong.",
            rtol=1e-6,
            atol=1e-8,
            input="x",
        ),
        "graph": Aspect(
            "numerical_gradient({f}, {x}).requires_grad",
            "The result carries a graph, and a numerical gradient needs none.",
        ),
        "x afterwards": Aspect(
            "numerical_gradient({f}, x, h={h}), and then x", "Your code changed x."
        ),
        "default step": Aspect(
            "numerical_gradient({f}, {x})",
            "The gradient with the default step is wrong.",
            rtol=1e-6,
            atol=1e-8,
            input="x",
        ),
    },
    praise="central differences, one entry at a time. The error shrinks with h².",
    reread="A slope without calculus",
)


def check_numerical_gradient(numerical_gradient: Callable[..., torch.Tensor]) -> None:
    """Check `numerical_gradient(f, x, h=1e-5)`: central differences, entry by entry.

    `f` takes a float64 tensor and returns a 0-d tensor or a float; the result has the shape and
    dtype of `x`, carries no graph, and `x` is left unchanged.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.start_here.numerical_gradient import numerical_gradient
    >>> check_numerical_gradient(numerical_gradient)
    ✓ numerical gradient — central differences, one entry at a time. The error shrinks with h².
    """
    run_check(NUMERICAL_GRADIENT, numerical_gradient)


class _Tied(nn.Module):
    """Two layers that share one weight, as an encoder and a decoder may."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.second.weight = self.first.weight


class _WithScale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.scale = nn.Parameter(torch.ones(()))


def _without_bias() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    model[0].bias.requires_grad_(False)
    return model


def _frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 4), nn.Linear(4, 3))
    model[0].requires_grad_(False)
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "nn.Linear(4, 2)": lambda: nn.Linear(4, 2),
    "a network of three layers": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 7), nn.ReLU(), nn.Linear(7, 2)
    ),
    "a convolution in a Sequential": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()),
    "a model whose first layer is frozen": _frozen,
    "a frozen nn.Linear(3, 2)": lambda: nn.Linear(3, 2).requires_grad_(False),
    "a model with one frozen bias": _without_bias,
    "a model whose layers share a weight": _Tied,
    "a model with buffers": lambda: nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)),
    "nn.ReLU()": nn.ReLU,
    "a model with a 0-d parameter": _WithScale,
}
BEYOND = ("nn.ReLU()", "a model with a 0-d parameter")


def _model_cases(_: torch.Generator) -> Iterator[Case]:
    for name in MODELS:
        case = Case(name, model=name)
        yield case.beyond() if name in BEYOND else case


def _observe_count(count_parameters: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = MODELS[case.model]()
    yield "count", count_parameters(model)
    yield "frozen", " ".join(str(int(p.requires_grad)) for p in model.parameters())
    yield "parameters", math.fsum(float(p.detach().sum()) for p in model.parameters())


COUNT_PARAMETERS = Check(
    name="check_count_parameters",
    lesson="start_here",
    topic="number of parameters",
    takes=(Argument("count_parameters"),),
    cases=_model_cases,
    observe=_observe_count,
    aspects={
        "count": Aspect("count_parameters(model)", "The number is wrong."),
        "frozen": Aspect(
            "count_parameters(model)", "Your code changed which parameters are trained."
        ),
        "parameters": Aspect("count_parameters(model)", "Your code changed the parameters."),
    },
    praise="every trainable number once, shared ones too.",
    reread="What a model is made of",
)


def check_count_parameters(count_parameters: Callable[[nn.Module], int]) -> None:
    """Check `count_parameters(model) -> int`: trainable parameters, shared ones once.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest model for which the number is wrong.

    >>> check_count_parameters(
    ...     lambda model: sum(p.numel() for p in model.parameters() if p.requires_grad)
    ... )
    ✓ number of parameters — every trainable number once, shared ones too.
    """
    run_check(COUNT_PARAMETERS, count_parameters)


CHECKS = (NUMERICAL_GRADIENT, COUNT_PARAMETERS)
