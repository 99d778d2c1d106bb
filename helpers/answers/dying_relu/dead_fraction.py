"""The share of zeros and the share of dead units: right and wrong answers."""

from __future__ import annotations

import numpy as np
import torch

from helpers.checking.check import Answers, Misconception


def zero_rate(activations: torch.Tensor) -> float:
    return (activations == 0).double().mean().item()


def dead_fraction(activations: torch.Tensor) -> float:
    return (activations == 0).all(dim=0).double().mean().item()


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


def _clips_in_place(activations: torch.Tensor) -> float:
    activations[activations != 0] = 1
    return 1 - activations.double().mean().item()


def _near_zero(activations: torch.Tensor) -> torch.Tensor:
    return torch.isclose(activations, torch.zeros_like(activations))


def _share(mask: torch.Tensor) -> float:
    return mask.double().mean().item()


ANSWERS = Answers(
    reference=(zero_rate, dead_fraction),
    variants={
        "counting": (zeros_counted, dead_by_size),
        "NumPy": (zeros_in_numpy, dead_in_numpy),
        "loops": (zeros_in_a_loop, dead_in_a_loop),
        "times zero": (zero_rate, dead_by_count),
        "sum of sizes": (zero_rate, dead_by_sum_of_sizes),
    },
    misconceptions=(
        Misconception(
            "zeros-as-death",
            (zero_rate, zero_rate),
            "Your dead_fraction counts zero entries, as zero_rate does; a unit is dead only if "
            "it is zero for every sample.",
            "Ask each unit, which is a column, whether all of its entries are zero.",
        ),
        Misconception(
            "two-names-swapped",
            (dead_fraction, zero_rate),
            "Your two functions are right, and each stands under the name of the other.",
            "zero_rate looks at single entries, dead_fraction at whole columns.",
        ),
        Misconception(
            "dead-samples",
            (zero_rate, lambda a: _share((a == 0).all(dim=1))),
            "You looked for samples for which every unit is zero: the wrong axis.",
            "activations has the shape (samples, units), so one unit is one column: use dim=0.",
        ),
        Misconception(
            "any-zero-is-death",
            (zero_rate, lambda a: _share((a == 0).any(dim=0))),
            "You call a unit dead if it is zero for some sample; it must be zero for all.",
            "Replace any by all.",
        ),
        Misconception(
            "mostly-zero-is-death",
            (zero_rate, lambda a: _share((a == 0).double().mean(dim=0) > 0.9)),
            "You call a unit dead that is zero for most samples; it must be zero for all.",
            "A unit that works for one sample still gets a gradient from that sample.",
        ),
        Misconception(
            "half-zero-is-death",
            (zero_rate, lambda a: _share((a == 0).double().mean(dim=0) > 0.5)),
            "You call a unit dead that is zero for more than half of the samples; it must be "
            "zero for all.",
            "A unit that works for one sample still gets a gradient from that sample.",
        ),
        Misconception(
            "negative-is-zero",
            (lambda a: _share(a <= 0), lambda a: _share((a <= 0).all(dim=0))),
            "You counted negative values as zeros.",
            "LeakyReLU and tanh give negative values, and these carry a gradient: compare with "
            "== 0.",
        ),
        Misconception(
            "negative-is-dead",
            (zero_rate, lambda a: _share(a.max(dim=0).values <= 0)),
            "Your dead_fraction calls a unit dead whose largest value is not positive; negative "
            "values are alive.",
            "Look at the absolute values, or compare every entry with 0.",
        ),
        Misconception(
            "largest-is-zero",
            (zero_rate, lambda a: _share(a.max(dim=0).values == 0)),
            "You call a unit dead whose largest value is 0; its other values may be negative.",
            "Compare each entry with zero first, then ask whether all of them are.",
        ),
        Misconception(
            "squares-vanish",
            (zero_rate, lambda a: _share(a.square().sum(dim=0) == 0)),
            "You add up squares, and the square of a number as small as 1e-30 is 0 in float32.",
            "Compare each entry with zero first, then ask whether all of them are.",
        ),
        Misconception(
            "mean-is-zero",
            (zero_rate, lambda a: _share(a.mean(dim=0) == 0)),
            "You call a unit dead if its values add up to zero, and +1 and −1 do so too.",
            "Compare each entry with zero first, then ask whether all of them are.",
        ),
        Misconception(
            "nearly-zero",
            (lambda a: _share(_near_zero(a)), lambda a: _share(_near_zero(a).all(dim=0))),
            "You counted tiny values as zeros, with a tolerance.",
            "ReLU gives exact zeros, so == 0 is meant here.",
        ),
        Misconception(
            "nearly-dead",
            (zero_rate, lambda a: _share(_near_zero(a).all(dim=0))),
            "Your dead_fraction counts tiny values as zeros, with a tolerance.",
            "ReLU gives exact zeros, so == 0 is meant here.",
        ),
        Misconception(
            "percent",
            (lambda a: 100 * zero_rate(a), lambda a: 100 * dead_fraction(a)),
            "You returned percentages; shares between 0 and 1 are meant.",
            "Leave out the factor 100.",
        ),
        Misconception(
            "zeros-in-percent",
            (lambda a: 100 * zero_rate(a), lambda a: 100 * zero_rate(a)),
            "Two mistakes at once: you returned percentages, and dead_fraction counts zero "
            "entries.",
            "Leave out the factor 100; then ask each column whether all of its entries are zero.",
        ),
        Misconception(
            "counts",
            (lambda a: int((a == 0).sum()), lambda a: int((a == 0).all(dim=0).sum())),
            "You returned how many there are; the share of all is meant.",
            "Divide by the number of entries, and by the number of units.",
        ),
        Misconception(
            "divides-by-samples",
            (zero_rate, lambda a: int((a == 0).all(dim=0).sum()) / len(a)),
            "You divided the number of dead units by the number of samples.",
            "len(activations) is the number of samples; activations.shape[1] that of units.",
        ),
        Misconception(
            "divides-by-entries",
            (zero_rate, lambda a: int((a == 0).all(dim=0).sum()) / a.numel()),
            "You divided the number of dead units by the number of entries.",
            "There are activations.shape[1] units.",
        ),
        Misconception(
            "tensors",
            (lambda a: (a == 0).float().mean(), lambda a: (a == 0).all(dim=0).float().mean()),
            "You returned 0-d tensors; floats are meant.",
            "Add .item() at the end.",
        ),
        Misconception(
            "one-rate-per-unit",
            (lambda a: (a == 0).float().mean(dim=0), dead_fraction),
            "Your zero_rate gives one number for each unit; one number for all is meant.",
            "Take the mean over both axes.",
        ),
        Misconception(
            "alive-share",
            (lambda a: 1 - zero_rate(a), lambda a: 1 - dead_fraction(a)),
            "You returned the shares of what is not zero and not dead.",
            "Compare with == 0, or take one minus your result.",
        ),
        Misconception(
            "rounded",
            (lambda a: round(zero_rate(a), 2), lambda a: round(dead_fraction(a), 2)),
            "You rounded the results.",
            "Return the number as it is, and round only where it is printed.",
        ),
        Misconception(
            "changes-activations",
            (_clips_in_place, dead_fraction),
            "Your zero_rate writes into the activations that it was given.",
            "Make a new tensor with activations == 0.",
        ),
    ),
)
