"""The shares of zeros and of dead units: the recipe, its slips, and answers written differently."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking.recipe import Answers, Recipe, Slip, slip

Tensor = torch.Tensor


def share(mask: Tensor) -> float:
    return mask.double().mean().item()


def shares(
    zeros: Any = lambda a: a == 0,
    silent: Any = lambda a: a == 0,
    dead: Any = lambda mask, a: mask.all(dim=0),
    rate: Any = share,
    fraction: Any = lambda dead, a: share(dead),
    of_zeros: Any = lambda share, n: share,
    of_deaths: Any = lambda share, n: share,
    names: Any = lambda rate, fraction: (rate, fraction),
) -> Any:
    """The two functions from their parts. A mask says which entries are zero."""

    def zero_rate(activations: Tensor) -> Any:
        return of_zeros(rate(zeros(activations)), activations.numel())

    def dead_fraction(activations: Tensor) -> Any:
        found = fraction(dead(silent(activations), activations), activations)
        return of_deaths(found, activations.shape[1])

    return names(zero_rate, dead_fraction)


zero_rate, dead_fraction = shares()


def clipping(functions: Any) -> Any:
    """Writes ones into the activations before it looks at them."""

    def clips(activations: Tensor) -> Any:
        activations[activations != 0] = 1
        return functions[0](activations)

    return clips, functions[1]


def zeros_counted(activations: torch.Tensor) -> float:
    return 1 - int(torch.count_nonzero(activations)) / activations.numel()


def dead_by_size(activations: torch.Tensor) -> float:
    largest = activations.abs().max(dim=0).values  # (units,)
    return sum(1 for size in largest if size == 0) / activations.shape[1]


def zeros_in_numpy(activations: torch.Tensor) -> np.floating:
    return np.mean(activations.numpy() == 0)


def dead_in_numpy(activations: torch.Tensor) -> np.floating:
    return np.mean(np.all(activations.numpy() == 0, axis=0))


def zeros_in_a_loop(activations: torch.Tensor) -> float:
    rows = activations.tolist()
    entries = [entry for row in rows for entry in row]
    return entries.count(0) / len(entries)


def dead_in_a_loop(activations: torch.Tensor) -> float:
    units = list(zip(*activations.tolist(), strict=True))
    return sum(not any(unit) for unit in units) / len(units)


def dead_by_count(activations: torch.Tensor) -> float:
    times_zero = (activations == 0).sum(dim=0)  # (units,)
    return float((times_zero == len(activations)).sum() / activations.size(1))


def dead_by_sum_of_sizes(activations: torch.Tensor) -> float:
    return (activations.abs().sum(0) == 0).float().mean().item()


def rounded(value: Any, digits: int) -> Any:
    return round(value, digits) if isinstance(value, float) else value


def near_zero(activations: Tensor) -> Tensor:
    return torch.isclose(activations, torch.zeros_like(activations))


def mostly(part: float) -> Any:
    return lambda mask, a: mask.double().mean(dim=0) > part


def cut_off(share: Any, n: int) -> Any:
    return int(share) if isinstance(share, float) else share.int()


def results_of(part: str, name: str) -> Iterator[Slip]:
    """What may be wrong with the result of one of the two functions."""
    where = part.removeprefix("of_")

    def of(id: str, diagnosis: str, hint: str, *wrong: Any) -> Slip:
        return slip(f"{where}-{id}", diagnosis, hint, *({part: one} for one in wrong))

    yield of(
        "in-percent",
        f"Your {name} returns a percentage; a share between 0 and 1 is meant.",
        "Leave out the factor 100.",
        lambda share, n: 100 * share,
    )
    yield of(
        "counted",
        f"Your {name} returns how many there are; the share of all is meant.",
        "Divide by the number of all.",
        lambda share, n: round(share * n) if isinstance(share, float) else share * n,
    )
    yield of(
        "rounded",
        f"Your {name} rounds its result.",
        "Return the number as it is, and round only where it is printed.",
        *(lambda share, n, d=digits: rounded(share, d) for digits in (2, 1, 3)),
    )
    yield of(
        "as-text",
        f"Your {name} returns a text, and a number is meant.",
        "Return the number, and format it only where it is printed.",
        lambda share, n: f"{share:.2f}" if isinstance(share, float) else str(share),
        lambda share, n: f"{share:.0%}" if isinstance(share, float) else str(share),
    )
    yield of(
        "not-returned",
        f"Your {name} returns nothing.",
        "End it with return.",
        lambda share, n: None,
    )


ANSWERS = Answers(
    recipe=Recipe(shares),
    variants={
        "counting": (zeros_counted, dead_by_size),
        "NumPy": (zeros_in_numpy, dead_in_numpy),
        "loops": (zeros_in_a_loop, dead_in_a_loop),
        "times zero": (zero_rate, dead_by_count),
        "as a tutorial counts: the sum of sizes": (zero_rate, dead_by_sum_of_sizes),
        "without item(), noted": (
            lambda activations: (activations == 0).float().mean(),
            lambda activations: (activations == 0).all(0).float().mean(),
        ),
        "the complement": (
            lambda activations: 1 - (activations != 0).double().mean().item(),
            lambda activations: 1 - (activations != 0).any(dim=0).double().mean().item(),
        ),
        "as a census prints it: unit by unit": (
            lambda activations: (
                sum((row == 0).sum().item() for row in activations) / activations.numel()
            ),
            lambda activations: (
                sum(bool((unit == 0).all()) for unit in activations.t()) / activations.size(1)
            ),
        ),
    },
    slips=(
        slip(
            "zeros-as-death",
            "Your dead_fraction counts zero entries, as zero_rate does; a unit is dead only if "
            "it is zero for every sample.",
            "Ask each unit, which is a column, whether all of its entries are zero.",
            dead=lambda mask, a: mask,
        ),
        slip(
            "two-names-swapped",
            "Your two functions are right, and each stands under the name of the other.",
            "zero_rate looks at single entries, dead_fraction at whole columns.",
            names=lambda rate, fraction: (fraction, rate),
        ),
        slip(
            "dead-samples",
            "You looked for samples for which every unit is zero: the wrong axis.",
            "activations has the shape (samples, units), so one unit is one column: use dim=0.",
            dead=lambda mask, a: mask.all(dim=1),
        ),
        slip(
            "any-zero-is-death",
            "You call a unit dead if it is zero for some sample; it must be zero for all.",
            "Replace any by all.",
            dead=lambda mask, a: mask.any(dim=0),
        ),
        slip(
            "first-sample",
            "Your dead_fraction looks at the first sample only; a dead unit is zero for every sample.",
            "Ask for all samples: all(dim=0).",
            dead=lambda mask, a: mask[0],
        ),
        slip(
            "constant-is-dead",
            "You call a unit dead that gives the same value for every sample; the value must be 0.",
            "Compare each entry with zero first, then ask whether all of them are.",
            {"dead": lambda mask, a: a.var(dim=0, correction=0) == 0},
            {"dead": lambda mask, a: (a == a[0]).all(dim=0)},
        ),
        slip(
            "all-or-nothing",
            "Your dead_fraction is 1 if every unit is dead and 0 otherwise; it is a share of units.",
            "Ask each column by itself, all(dim=0), and divide with / and not with //.",
            {"dead": lambda mask, a: mask.all()},
            {"of_deaths": cut_off},
        ),
        slip(
            "mostly-zero-is-death",
            "You call a unit dead that is zero for most samples; it must be zero for all.",
            "A unit that works for one sample still gets a gradient from that sample.",
            *({"dead": mostly(part)} for part in (0.5, 0.9, 0.95)),
        ),
        slip(
            "negative-is-zero",
            "Your zero_rate counts negative values as zeros.",
            "LeakyReLU and tanh give negative values, and these carry a gradient: compare with == 0.",
            zeros=lambda a: a <= 0,
        ),
        slip(
            "negative-is-dead",
            "Your dead_fraction calls a unit dead that is never positive; negative values are alive.",
            "Look at the absolute values, or compare every entry with 0.",
            silent=lambda a: a <= 0,
        ),
        slip(
            "largest-is-zero",
            "You call a unit dead whose largest value is 0; its other values may be negative.",
            "Compare each entry with zero first, then ask whether all of them are.",
            dead=lambda mask, a: a.max(dim=0).values == 0,
        ),
        slip(
            "squares-vanish",
            "You add up squares, and the square of a number as small as 1e-30 is 0 in float32.",
            "Compare each entry with zero first, then ask whether all of them are.",
            dead=lambda mask, a: a.square().sum(dim=0) == 0,
        ),
        slip(
            "mean-is-zero",
            "You call a unit dead if its values add up to zero, and +1 and −1 do so too.",
            "Compare each entry with zero first, then ask whether all of them are.",
            dead=lambda mask, a: a.mean(dim=0) == 0,
        ),
        slip(
            "nearly-zero",
            "Your zero_rate counts tiny values as zeros, with a tolerance.",
            "ReLU gives exact zeros, so == 0 is meant here.",
            {"zeros": near_zero},
            {"zeros": lambda a: a.abs() < 1e-6},
        ),
        slip(
            "nearly-dead",
            "Your dead_fraction counts tiny values as zeros, with a tolerance.",
            "ReLU gives exact zeros, so == 0 is meant here.",
            {"silent": near_zero},
            {"silent": lambda a: a.abs() < 1e-6},
        ),
        slip(
            "alive-counted",
            "Your zero_rate is the share of what is not zero.",
            "Compare with == 0, or take one minus your result.",
            zeros=lambda a: a != 0,
        ),
        slip(
            "alive-units-counted",
            "Your dead_fraction is the share of units that are alive.",
            "Compare with == 0 and take all(dim=0), or take one minus your result.",
            {"silent": lambda a: a != 0, "dead": lambda mask, a: mask.any(dim=0)},
            {"fraction": lambda dead, a: 1 - share(dead)},
        ),
        *(
            made
            for part, name in (("of_zeros", "zero_rate"), ("of_deaths", "dead_fraction"))
            for made in results_of(part, name)
        ),
        slip(
            "divides-by-samples",
            "You divided the number of dead units by the number of samples.",
            "len(activations) is the number of samples; activations.shape[1] that of units.",
            fraction=lambda dead, a: int(dead.sum()) / len(a),
        ),
        slip(
            "divides-by-entries",
            "You divided the number of dead units by the number of entries.",
            "There are activations.shape[1] units.",
            fraction=lambda dead, a: int(dead.sum()) / a.numel(),
        ),
        slip(
            "zeros-cut-off",
            "Your zero_rate cuts off what stands after the point, so every share below 1 becomes 0.",
            "Divide with / and not with //, and do not make an int of it.",
            of_zeros=cut_off,
        ),
        slip(
            "one-rate-per-unit",
            "Your zero_rate gives one number for each unit; one number for all is meant.",
            "Take the mean over both axes.",
            rate=lambda mask: mask.double().mean(dim=0),
        ),
        slip(
            "one-rate-per-sample",
            "Your zero_rate gives one number for each sample; one number for all is meant.",
            "Take the mean over both axes.",
            rate=lambda mask: mask.double().mean(dim=1),
        ),
        slip(
            "a-mask",
            "Your dead_fraction says of each unit whether it is dead; the share of dead units is meant.",
            "Take the mean: mask.float().mean().item().",
            {"fraction": lambda dead, a: dead},
            {"fraction": lambda dead, a: dead.float()},
        ),
        slip(
            "changes-activations",
            "Your zero_rate writes into the activations that it was given.",
            "Make a new tensor with activations == 0.",
            around=clipping,
        ),
    ),
)
