"""Imports, once, what students' notebooks import, so that a forked child has it at once."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

from helpers.checking.check import Check

LIBRARIES = (
    "matplotlib.pyplot",
    "sklearn.datasets",
    "torch.nn.functional",
    "torch.nn.utils.parametrizations",
    "torch.optim",
    "torch.utils.data",
    "torch._dynamo",  # the first optimiser imports it, for more than a second
    "torchvision.transforms",
    "torchvision.models",
    "tqdm.auto",
    "ipywidgets",
)


def import_everything() -> dict[str, Check]:
    """Import the libraries and the course's helpers; return every check by name.

    No tensor is computed with here: a child that is forked after PyTorch has used its threads
    waits for them for ever.
    """
    from helpers import course
    from helpers.checking import running

    running.leave_to_the_grader()
    for name in LIBRARIES:
        with contextlib.suppress(ModuleNotFoundError):  # tqdm is not a part of the course
            importlib.import_module(name)
    for package in ("helpers", "helpers.experiments", "helpers.demos"):
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if not found.ispkg and found.name not in ("cli", "__main__"):
                importlib.import_module(f"{package}.{found.name}")
    checks: dict[str, Check] = {}
    for lesson in course.LESSONS:
        of_lesson = importlib.import_module(f"helpers.checks.{lesson.slug}").CHECKS
        checks |= {check.name: check for check in of_lesson}
    return checks
