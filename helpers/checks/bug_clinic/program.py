"""What the twelve checks of the bug clinic have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch

from helpers.checking import Argument, Aspect, Check
from helpers.checking.check import Cases, Observe

PREFIX = "check_bug_clinic_"


def clinic_check(
    name: str,
    topic: str,
    takes: str,
    *,
    cases: Cases,
    observe: Observe,
    aspects: Mapping[str, Aspect],
    praise: str,
    reread: str,
    methods: tuple[str, ...] = (),
) -> Check:
    """The check of one program; `takes` is the name of the repaired function or class."""
    kind: Literal["class", "function"] = "class" if takes[0].isupper() else "function"
    return Check(
        name=PREFIX + name,
        lesson="bug_clinic",
        topic=topic,
        takes=(Argument(takes, kind, methods),),
        cases=cases,
        observe=observe,
        aspects=aspects,
        praise=praise,
        reread=reread,
    )


def how_many(result: Any) -> str:
    """The number of results in words, or what is there instead of several.

    >>> how_many((1, 2)), how_many(None), how_many(0.5)
    ('2 results', 'None', 'a float alone')
    """
    if isinstance(result, (tuple, list)):
        return f"{len(result)} results"
    return "None" if result is None else f"a {type(result).__name__} alone"


def extremes(values: torch.Tensor) -> torch.Tensor:
    """The smallest and the largest value, rounded so that the last digits do not count; two zeros
    where there is no value.

    >>> extremes(torch.tensor([1.25, 1.25, 0.5]))
    tensor([0.5000, 1.2500], dtype=torch.float64)
    """
    if values.numel() == 0:
        return torch.zeros(2, dtype=torch.float64)
    rounded: torch.Tensor = (values.detach().double() * 1e4).round() / 1e4
    return torch.stack([rounded.min(), rounded.max()])


def patterns(mask: torch.Tensor) -> torch.Tensor:
    """How many rows and how many columns of a mask differ from each other: all of them, when each
    entry is drawn by itself.

    >>> patterns(torch.tensor([[True, False], [True, False], [False, True]]))
    tensor([2, 2])
    """
    return torch.tensor([_different_rows(mask), _different_rows(mask.t())])


def _different_rows(mask: torch.Tensor) -> int:
    """By a sum of one number for each True, which is much faster than `unique(dim=0)`."""
    numbers = torch.arange(1, mask.shape[1] + 1, dtype=torch.float64).sin()
    return len(((mask.double() @ numbers) * 1e9).round().unique())


def share(mask: Any) -> float:
    """The share of True, to two digits, since it is a share of random draws."""
    return round(float(mask.double().mean()), 2)
