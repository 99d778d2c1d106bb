"""The capstone's task: its data, its limits and its tiers, in one place.

Training images are moved by up to one pixel and change in contrast at every step; the test images
are moved and changed as well, and the ten classes get other numbers. All three are drawn from the
case's seed, which a grader keeps to itself: stored answers then fit no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

import torch
import torch.nn.functional as F

from helpers.checking import Case
from helpers.data import Dataset, load

BATCH = 100
EPOCHS = 30
STEPS = 330
"""1,100 training images in batches of 100, thirty times."""
MOST_NUMBERS = 50_000
"""Parameters and buffers together."""
TIERS = (0.90, 0.95, 0.975)
"""Accuracies on the test images; each tier earns a third of the points."""
TRIAL, WHOLE = "a trial of 40 steps", "the whole training"
"""The two cases: one image of each class, then all training images."""
VIEWS = 4
"""How often each test image is shown, each time moved and changed anew."""


def shake(x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Move each image by up to one pixel each way and multiply its contrast by 0.7 to 1.3.

    What comes in at the border has the colour of the darkest pixel. x: (N, C, H, W).

    >>> shake(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 1, 8, 8])
    """
    n, _, h, w = x.shape
    padded = F.pad(x, (1, 1, 1, 1), value=x.min().item())  # (N, C, H+2, W+2)
    moves = torch.randint(3, (2, n, 1), generator=generator).to(x.device)
    rows = moves[0] + torch.arange(h, device=x.device)  # (N, H)
    columns = moves[1] + torch.arange(w, device=x.device)  # (N, W)
    image = torch.arange(n, device=x.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    contrast = 0.7 + 0.6 * torch.rand(n, 1, 1, 1, generator=generator).to(x.device)
    return moved.permute(0, 3, 1, 2) * contrast


def shake_batch(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same as a `transform` of `helpers.train`; the labels stay."""
    return shake(x), y


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits", "cpu")


@dataclass(frozen=True)
class Task:
    """What one judging uses; all of it follows from the seed."""

    train: Dataset
    """Training images alone, with the classes' new numbers; its other parts are empty."""
    few: Dataset
    """One training image of each class."""
    shaken: torch.Tensor
    """The training images, moved and changed once."""
    x_test: torch.Tensor
    """(397 · VIEWS, 1, 8, 8)"""
    y_test: torch.Tensor
    plain: torch.Tensor
    """All images as the course's `load` gives them, training before test: (1497, 1, 8, 8)."""
    y_plain: torch.Tensor
    train_seed: int


def task(seed: int) -> Task:
    """The task of one judging.

    >>> task(0).x_test.shape, len(task(0).few.x_train)
    (torch.Size([1588, 1, 8, 8]), 10)
    """
    generator = torch.Generator().manual_seed(seed)
    digits = _digits()
    number = torch.randperm(digits.num_classes, generator=generator)  # new number of each class
    order = torch.randperm(len(digits.x_train), generator=generator)
    x, y = digits.x_train[order], number[digits.y_train[order]]
    first = torch.stack([(y == k).nonzero()[0, 0] for k in range(digits.num_classes)])

    def only(x: torch.Tensor, y: torch.Tensor) -> Dataset:
        none, no_class = x[:0], y[:0]
        return replace(
            digits,
            x_train=x,
            y_train=y,
            x_val=none.clone(),
            y_val=no_class.clone(),
            x_test=none.clone(),
            y_test=no_class.clone(),
        )

    again = torch.randperm(len(digits.x_test) * VIEWS, generator=generator) % len(digits.x_test)
    return Task(
        train=only(x, y),
        few=only(x[first].clone(), y[first].clone()),
        shaken=shake(x, generator),
        x_test=shake(digits.x_test[again], generator),
        y_test=number[digits.y_test[again]],
        plain=torch.cat([digits.x_train, digits.x_test]),
        y_plain=torch.cat([digits.y_train, digits.y_test]),
        train_seed=int(torch.randint(2**31, (1,), generator=generator)),
    )


def handed_out(t: Task, name: str, **more: Any) -> Case:
    """A case with what the student's code may see of a task: images, but no test labels."""
    shown = t.few if name == TRIAL else t.train
    return Case(
        name,
        x_train=shown.x_train,
        y_train=shown.y_train,
        shaken=t.shaken,
        x_test=t.x_test,
        plain=t.plain,
        train_seed=t.train_seed,
        **more,
    )


def training_data(case: Case) -> Dataset:
    """The images of a case as the data set that the course's loop takes."""
    none, no_class = case.x_train[:0], case.y_train[:0]
    return replace(
        _digits(),
        x_train=case.x_train.clone(),
        y_train=case.y_train.clone(),
        x_val=none.clone(),
        y_val=no_class.clone(),
        x_test=none.clone(),
        y_test=no_class.clone(),
    )


def has_numbers(value: Any) -> TypeGuard[torch.Tensor]:
    """Whether an observed value is a tensor of real numbers; one on the device meta has none.

    >>> has_numbers(torch.zeros(2)), has_numbers(torch.zeros(2, device="meta")), has_numbers(2.0)
    (True, False, False)
    """
    is_tensor = isinstance(value, torch.Tensor)
    return is_tensor and value.device.type != "meta" and not value.is_complex()
