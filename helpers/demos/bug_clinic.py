"""Demo of lesson 10: broken and repaired programs side by side, over the setting that matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = Callable[[torch.Tensor], torch.Tensor]


def _slope(function: Curve) -> Curve:
    """What autograd says about the slope of a function at each entry."""

    def slope(x: torch.Tensor) -> torch.Tensor:
        leaf = x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(function(leaf).sum(), leaf)
        return gradient

    return slope


def _textbook_tanh(x: torch.Tensor) -> torch.Tensor:
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


@dataclass(frozen=True)
class Program:
    """What to draw of one program: broken and repaired curves over one setting."""

    setting: str
    result: str
    low: float
    high: float
    broken: Curve
    repaired: Curve


PROGRAMS = {
    "1: tanh from exponentials": Program(
        "x", "value", -120, 120, _textbook_tanh, lambda x: torch.tanh(x)
    ),
    "2: slope of the sigmoid": Program(
        "x",
        "slope by autograd",
        -120,
        120,
        _slope(lambda x: 1 / (1 + torch.exp(-x))),
        _slope(torch.sigmoid),
    ),
    "3: slope of ReLU by maximum": Program(
        "x",
        "slope by autograd",
        -2,
        2,
        _slope(lambda x: torch.maximum(x, torch.zeros_like(x))),
        _slope(torch.relu),
    ),
    "5: expectation under the mask": Program(
        "p, the probability of dropping",
        "mean of y for x = 1",
        0,
        0.95,
        lambda p: p,
        lambda p: torch.ones_like(p),
    ),
    "6: penalty of growing weights": Program(
        "norm of the weights", "penalty, λ = 1", 0, 4, lambda w: w, lambda w: w**2 / 2
    ),
    "7: where the descent ends": Program(
        "λ", "w at the end", 0, 4, lambda a: 1 / (1 + a), lambda a: 1 / (1 + 2 * a)
    ),
}  # fmt: skip
POINTS = 241


def draw_programs(program: str, position: int) -> tuple[Figure, str]:
    """Both versions of a program over its setting, with the point at `position` percent marked.

    >>> figure, alt = draw_programs("2: slope of the sigmoid", position=0)
    >>> alt
    '2: slope of the sigmoid, at x = -120: broken NaN, repaired 0.000. NaN at 13 % of the points.'
    """
    shown = PROGRAMS[program]
    width = shown.high - shown.low
    grid = shown.low + width * torch.arange(POINTS) / (POINTS - 1)  # meets 0 exactly
    index = round(position / 100 * (POINTS - 1))
    at = grid[index].item()
    curves = (shown.broken(grid), shown.repaired(grid))
    finite = torch.cat([c[c.isfinite()] for c in curves])
    low, high = finite.min().item(), finite.max().item()
    margin = 0.1 * (high - low) + 0.02
    figure, panels = new_figure(columns=2, width=9, height=3.4)
    words = []
    for panel, curve, name, color in zip(
        panels, curves, ("broken", "repaired"), (COLORS[1], COLORS[0]), strict=True
    ):
        value = curve[index].item()
        words.append(f"{name} NaN" if value != value else f"{name} {value:.3f}")
        panel.plot(grid, curve, color=color)
        panel.fill_between(
            grid,
            low - margin,
            high + margin,
            where=curve.isnan().numpy(),
            facecolor="none",
            edgecolor=COLORS[6],
            hatch="//",
            linewidth=0,
            alpha=0.5,
        )
        panel.axvline(at, color="black", linestyle=":", linewidth=1)
        if value == value:
            panel.plot([at], [value], "o", color="black")
        panel.set(
            title=words[-1].replace(" ", ": ").replace("-", "−"),
            xlabel=shown.setting,
            ylabel=shown.result,
            ylim=(low - margin, high + margin),
        )
    nan = curves[0].isnan().float().mean().item()
    hole = f" NaN at {100 * nan:.0f} % of the points." if nan else ""
    alt = f"{program}, at {shown.setting.split(',')[0]} = {at:.3g}: {', '.join(words)}.{hole}"
    return figure, alt


def bug_clinic_demo() -> Demo:
    """A menu of programs, and a slider along the setting."""
    return Demo(
        draw_programs,
        {
            "program": widgets.Dropdown(options=list(PROGRAMS), description="program"),
            "position": widgets.IntSlider(5, min=0, max=100, step=1, description="position in %"),
        },
        notice="Where do the two panels differ? NaN regions are hatched. For program 3 the "
        "difference is a single point: move to 50 %.",
    )
