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


def distinct(values: torch.Tensor) -> torch.Tensor:
    """The different finite values, sorted and rounded so that the last digits do not count."""
    rounded: torch.Tensor = (values.detach().double() * 1e4).round() / 1e4
    different: torch.Tensor = rounded.flatten().unique()
    return different[:6]


def share(mask: Any) -> float:
    """The share of True, to two digits, since it is a share of random draws."""
    return round(float(mask.double().mean()), 2)
