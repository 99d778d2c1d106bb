"""Imports, once, what students' notebooks import, so that a forked child has it at once."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import sys

from helpers.checking.check import Check

LIBRARIES = (
    "sklearn.datasets",
    "torch.nn.utils.parametrizations",
    "torchvision.transforms",
    "torchvision.models",
    "torchvision.models.feature_extraction",
    "tqdm.auto",
    "pandas",
)
"""What takes long to import and is imported, for the next children, once a child has needed it."""


def imported() -> list[str]:
    """Those of the libraries that this process has."""
    return [name for name in LIBRARIES if name in sys.modules]


def import_library(place: int) -> None:
    """Import the library at this place of the list, if it is installed."""
    with contextlib.suppress(ImportError):
        importlib.import_module(LIBRARIES[place])


def import_everything() -> dict[str, Check]:
    """Import PyTorch and the course's helpers; return every check by name.

    No tensor is computed with here: a child that is forked after PyTorch has used its threads
    waits for them for ever.
    """
    import torch
    import torch._dynamo  # the first optimiser and the first tensor on "meta" ask for it

    from helpers import course
    from helpers.checking import running
    from helpers.checking.builtins_seen import seen_by_the_mode

    running.leave_to_the_grader()
    for package in ("helpers", "helpers.experiments", "helpers.demos"):
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if not found.ispkg and found.name not in ("cli", "__main__"):
                importlib.import_module(f"{package}.{found.name}")
    # PyTorch asks the processor what it can at the first use; a child has no /proc to ask. With
    # other vector instructions than the judge's, the last digits of its results would differ.
    torch.backends.cpu.get_cpu_capability()
    seen_by_the_mode()  # takes a while, and is then remembered
    checks: dict[str, Check] = {}
    for lesson in course.LESSONS:
        of_lesson = importlib.import_module(f"helpers.checks.{lesson.slug}").CHECKS
        checks |= {check.name: check for check in of_lesson}
    return checks
