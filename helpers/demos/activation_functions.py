"""Demo of lesson 01: value, slope and saturated region of an activation function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch
import torch.nn.functional as F

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLAT = 0.05
"""Where the slope is smaller than this, the function is called saturated."""

FUNCTIONS: dict[str, Callable[[torch.Tensor, float], torch.Tensor]] = {
    "sigmoid": lambda x, a: torch.sigmoid(x),
    "tanh": lambda x, a: torch.tanh(x),
    "ReLU": lambda x, a: torch.relu(x),
    "LeakyReLU": lambda x, a: F.leaky_relu(x, a),
    "GELU": lambda x, a: F.gelu(x),
    "SiLU": lambda x, a: F.silu(x),
}


def draw_activation(function: str, x: float, negative_slope: float) -> tuple[Figure, str]:
    """An activation function and its slope, with one point marked and the flat region shaded.

    >>> figure, alt = draw_activation("sigmoid", x=0.0, negative_slope=0.1)
    >>> alt
    'sigmoid at x = 0.0: value 0.500, slope 0.250. The slope is not saturated here.'
    """
    line = torch.linspace(-6, 6, 241, requires_grad=True)
    value = FUNCTIONS[function](line, negative_slope)
    (slope,) = torch.autograd.grad(value.sum(), line)
    point = torch.tensor([x], requires_grad=True)
    at = FUNCTIONS[function](point, negative_slope)
    (steep,) = torch.autograd.grad(at.sum(), point)
    grid, value = line.detach(), value.detach()
    flat = slope.abs() < FLAT

    figure, panels = new_figure(columns=2, width=9, height=3.4)
    for panel, curve, height, title, color in (
        (panels[0], value, at.item(), "value", COLORS[0]),
        (panels[1], slope, steep.item(), "slope", COLORS[1]),
    ):
        low, high = min(-0.25, curve.min().item() - 0.1), max(1.25, curve.max().item() + 0.1)
        panel.fill_between(
            grid, low, high, where=flat, facecolor="0.9", edgecolor="0.6", hatch="//", linewidth=0
        )
        panel.plot(grid, curve, color=color)
        panel.plot([x], [height], "o", color="black", markersize=9)
        panel.set(title=f"{title}: {height:.3f}", xlabel="x", ylim=(low, high), xlim=(-6, 6))
    figure.suptitle(f"{function} (hatched: slope below {FLAT})", fontsize=11)
    state = "saturated" if abs(steep.item()) < FLAT else "not saturated"
    alt = (
        f"{function} at x = {x:.1f}: value {at.item():.3f}, slope {steep.item():.3f}. "
        f"The slope is {state} here."
    )
    return figure, alt


def activation_functions_demo() -> Demo:
    """A menu of functions, and sliders for x and for the slope of LeakyReLU."""
    return Demo(
        draw_activation,
        {
            "function": widgets.Dropdown(options=list(FUNCTIONS), description="function"),
            "x": widgets.FloatSlider(0.0, min=-6, max=6, step=0.1, description="x"),
            "negative_slope": widgets.FloatSlider(
                0.1, min=0, max=1, step=0.01, description="slope of LeakyReLU"
            ),
        },
        notice="Drag x into the hatched region. A unit whose input lies there passes almost no "
        "gradient back, so the weights before it stop learning.",
    )
