"""Demo of lesson 07: two images mixed, and one of them covered by a square."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch

from helpers.data import load
from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIRST, SECOND = 3, 8
"""The classes of the two images."""


@lru_cache(maxsize=1)
def two_digits() -> tuple[torch.Tensor, torch.Tensor]:
    """A three and an eight, each (8, 8), standardised: 0 is the mean grey of all images."""
    data = load("digits", "cpu")
    first, second = (data.x_train[data.y_train == label][0, 0] for label in (FIRST, SECOND))
    return first, second


def draw_mixup_and_cutout(lam: float, size: int, row: int, column: int) -> tuple[Figure, str]:
    """Two digits, their mixture with its target, and the first one with a square cut out.

    >>> figure, alt = draw_mixup_and_cutout(lam=0.7, size=3, row=0, column=4)
    >>> alt
    'A three and an eight, mixed as 0.70 to 0.30; the target says the same. A square of size 3 around row 0, column 4 covers 6 of 64 pixels of the three.'
    """
    first, second = two_digits()
    mixed = lam * first + (1 - lam) * second
    top, left = row - size // 2, column - size // 2
    square = slice(max(top, 0), max(top + size, 0)), slice(max(left, 0), max(left + size, 0))
    holed = first.clone()
    holed[square] = 0

    figure, panels = new_figure(columns=5, width=11, height=2.5)
    titles = [
        "a three",
        "an eight",
        f"mixed, λ = {lam:.2f}",
        "its target",
        f"covered, {size}×{size}",
    ]
    for panel, image in ((0, first), (1, second), (2, mixed), (4, holed)):
        panels[panel].imshow(image.numpy(), cmap="gray_r", vmin=-1, vmax=2)
        panels[panel].set(xticks=[], yticks=[])
        panels[panel].grid(False)
    panels[4].plot(column, row, "+", color=COLORS[1], markersize=12, markeredgewidth=3)
    bars = panels[3].bar([FIRST, SECOND], [lam, 1 - lam], color=[COLORS[0], COLORS[1]])
    bars[1].set_hatch("//")
    panels[3].set(xlim=(-0.7, 9.7), ylim=(0, 1), xlabel="class", ylabel="probability")
    panels[3].set_xticks([0, FIRST, SECOND])
    for panel, title in zip(panels, titles, strict=True):
        panel.set_title(title, fontsize=11)
    inside = torch.zeros(8, 8)
    inside[square] = 1
    alt = (
        f"A three and an eight, mixed as {lam:.2f} to {1 - lam:.2f}; the target says the same. "
        f"A square of size {size} around row {row}, column {column} covers "
        f"{int(inside.sum())} of 64 pixels of the three."
    )
    return figure, alt


def mixup_and_cutout_demo() -> Demo:
    """Sliders for λ, and for the size and the centre of the square."""
    return Demo(
        draw_mixup_and_cutout,
        {
            "lam": widgets.FloatSlider(0.7, min=0, max=1, step=0.05, description="λ"),
            "size": widgets.IntSlider(3, min=0, max=8, description="size of the square"),
            "row": widgets.IntSlider(4, min=0, max=7, description="row of the centre"),
            "column": widgets.IntSlider(4, min=0, max=7, description="column of the centre"),
        },
        notice="At λ = 0.5 ask yourself which digit you see: the target says 'both'. Then move "
        "the centre of the square into a corner, and count how many pixels are still covered.",
    )
