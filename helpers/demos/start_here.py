"""Demo of lesson 00: the slope of a curve by one-sided and central differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_differences(x: float, h: float) -> tuple[Figure, str]:
    """The curve sin(x) + x/4 with its slope and both difference quotients at one point.

    >>> figure, alt = draw_differences(x=1.0, h=0.5)
    >>> alt
    'At x = 1 the slope is 0.790; with a step of 0.5 central differences give 0.768 and one-sided ones 0.562.'
    """

    def f(t: float) -> float:
        return math.sin(t) + t / 4

    right = math.cos(x) + 0.25
    central = (f(x + h) - f(x - h)) / (2 * h)
    one_sided = (f(x + h) - f(x)) / h
    line = torch.linspace(-3, 6, 200)
    figure, axes = new_figure(width=7, height=3.8)
    axes.plot(line, line.sin() + line / 4, color="black", linewidth=1.5)
    for slope, color, style, name in (
        (right, "black", ":", "slope"),
        (central, COLORS[1], "--", "central"),
        (one_sided, COLORS[2], "-.", "one-sided"),
    ):
        reach = torch.tensor([x - 2.0, x + 2.0])
        axes.plot(
            reach, f(x) + slope * (reach - x), style, color=color, label=f"{name}: {slope:.3f}"
        )
    axes.plot([x - h, x, x + h], [f(x - h), f(x), f(x + h)], "o", color=COLORS[0])
    axes.set(xlabel="x", ylabel="f(x) = sin(x) + x/4", ylim=(-2, 3), xlim=(-3, 6))
    axes.legend(loc="upper left")
    alt = (
        f"At x = {x:g} the slope is {right:.3f}; with a step of {h:g} central differences give "
        f"{central:.3f} and one-sided ones {one_sided:.3f}."
    )
    return figure, alt


def start_here_demo() -> Demo:
    """Sliders for the point and the step."""
    return Demo(
        draw_differences,
        {
            "x": widgets.FloatSlider(1.0, min=-1, max=4, step=0.1, description="point x"),
            "h": widgets.FloatSlider(1.0, min=0.01, max=2, step=0.01, description="step h"),
        },
        notice="Make the step smaller. The dashed central line joins the dotted slope long before "
        "the one-sided line does.",
    )
