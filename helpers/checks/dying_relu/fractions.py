"""Check of the share of zeros and the share of dead units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def relu(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype).clamp(min=0)

    def case(name: str, activations: Any) -> Case:
        if not isinstance(activations, torch.Tensor):
            activations = torch.tensor(activations)
        return Case(name, activations=activations)

    yield case("two units, one of them dead", [[0.0, 0.0], [0.0, 3.0], [0.0, 2.0]])
    yield case("three samples of one unit", [[0.0], [1.0], [2.0]])
    yield case("one sample of three units", [[0.0, 0.0, 1.0]])
    yield case("a sample with zeros only", [[0.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
    yield case("negative values, as LeakyReLU gives them", [[-0.01, 0.0], [-0.02, 1.0]])
    yield case("a unit that is negative or zero", [[-1.0, 0.0], [0.0, 2.0]])
    yield case("values that cancel", [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    yield case("tiny values", [[1e-9, 0.0], [1e-9, 2.0]])
    yield case("values so small that their squares vanish", [[1e-30, 0.0], [1e-30, 2.0]]).beyond()
    yield case("negative zeros", [[-0.0, 1.0], [0.0, 1.0]])
    nearly = torch.zeros(30, 2)
    nearly[23, 0] = 0.5
    yield case("a unit that works for 1 sample of 30", nearly)
    yield case("no zero at all", [[1.0, 2.0], [3.0, 4.0]])
    yield case("zeros only", torch.zeros(3, 2))
    dead = relu(50, 7)
    dead[:, 2] = 0
    yield case("a ReLU layer with one dead unit", dead)
    yield case("more units than samples, in float64", relu(4, 30, dtype=torch.float64))
    yield case("a transposed matrix", relu(9, 5).t()).beyond()
    yield case("one sample, expanded", torch.tensor([[0.0, 2.0, 1.0]]).expand(4, 3)).beyond()


def _observe(functions: Any, case: Case) -> Iterator[tuple[str, Any]]:
    zero_rate, dead_fraction = functions
    yield "zero rate", zero_rate(case.activations)
    yield "dead fraction", dead_fraction(case.activations)
    yield "activations afterwards", case.activations


DEAD_FRACTION = Check(
    name="check_dead_fraction",
    lesson="dying_relu",
    topic="zeros and dead units",
    takes=(Argument("zero_rate"), Argument("dead_fraction")),
    cases=_cases,
    observe=_observe,
    aspects={
        "zero rate": Aspect("zero_rate({activations})", "The share of zeros is wrong.", rtol=1e-5),
        "dead fraction": Aspect(
            "dead_fraction({activations})", "The share of dead units is wrong.", rtol=1e-5
        ),
        "activations afterwards": Aspect(
            "both functions, and then activations", "Your code changed the activations."
        ),
    },
    praise="a zero is one answer to one sample; a dead unit gives it to every sample.",
    reread="A zero is not a death",
)


def check_dead_fraction(
    zero_rate: Callable[[torch.Tensor], float], dead_fraction: Callable[[torch.Tensor], float]
) -> None:
    """Check `zero_rate(activations)` and `dead_fraction(activations)`, two floats in [0, 1].

    `activations` has the shape (samples, units). The first is the share of entries that are
    exactly zero; the second the share of units that are exactly zero for every sample (Lu, Shin,
    Su and Karniadakis 2020, "Dying ReLU and initialization").

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> check_dead_fraction(
    ...     lambda activations: (activations == 0).float().mean().item(),
    ...     lambda activations: (activations == 0).all(dim=0).float().mean().item(),
    ... )
    ✓ zeros and dead units — a zero is one answer to one sample; a dead unit gives it to every sample.
    """
    run_check(DEAD_FRACTION, zero_rate, dead_fraction)
