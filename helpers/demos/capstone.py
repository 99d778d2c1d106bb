"""Demo of lesson 09: where the numbers and the work of a residual network lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from helpers.checks.capstone.task import MOST_NUMBERS
from helpers.demos.face import Demo
from helpers.experiments.capstone import layers_of
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_budget(width: int, stages: int, blocks: int) -> tuple[Figure, str]:
    """Numbers held and multiplications, part by part, for 8×8 images.

    >>> _, alt = draw_budget(width=16, stages=2, blocks=1)
    >>> alt
    'The network holds 20,000 numbers and is within the limit of 50,000. The most numbers lie in block 32, the most work in block 16.'
    """
    widths = tuple(width * 2**i for i in range(stages))
    parts = list(layers_of(widths, blocks))
    names = [
        f"{name} ({i})" if 0 < i < len(parts) - 1 else name for i, (name, _, _) in enumerate(parts)
    ]
    held = [h for _, h, _ in parts]
    work = [w for _, _, w in parts]
    total = sum(held)
    within = total <= MOST_NUMBERS
    figure, (left, right) = new_figure(columns=2, width=9, height=3.8)
    for axes, values, color, hatch, label in (
        (left, held, COLORS[0], "", "numbers held"),
        (right, work, COLORS[1], "//", "multiplications for one image"),
    ):
        axes.barh(range(len(names)), values, color=color, hatch=hatch, edgecolor="white")
        axes.set_yticks(range(len(names)), names)
        axes.text(  # room for the longest name, whatever the controls say
            -0.02, 0, "block 256 (12)", ha="right", alpha=0, transform=axes.transAxes
        )
        axes.set(xlabel=label, xlim=(0, max(values) * 1.05))
        axes.invert_yaxis()
        axes.locator_params(axis="x", nbins=4)
    verdict = "within the limit" if within else "MORE THAN THE LIMIT"
    left.set_title(f"{total:,} numbers: {verdict}")
    right.set_title(f"{sum(work) / 1e6:.2f} million multiplications")
    most_held, most_work = parts[held.index(max(held))][0], parts[work.index(max(work))][0]
    alt = (
        f"The network holds {total:,} numbers and is {'within' if within else 'over'} the limit of "
        f"{MOST_NUMBERS:,}. The most numbers lie in {most_held}, the most work in {most_work}."
    )
    return figure, alt


def capstone_demo() -> Demo:
    """Sliders for the width and the depth."""
    return Demo(
        draw_budget,
        {
            "width": widgets.IntSlider(8, min=4, max=32, step=4, description="first width"),
            "stages": widgets.IntSlider(3, min=1, max=4, description="widths, each twice as wide"),
            "blocks": widgets.IntSlider(1, min=1, max=3, description="blocks for each width"),
        },
        notice="Doubling the width takes four times the numbers. A stage that halves the image "
        "takes four times the numbers for about the same work, so most numbers lie at the end.",
    )
