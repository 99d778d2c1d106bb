"""Demo of lesson 03: choose a step size and a bias, and count the dead units during training."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch
from torch import nn

from helpers.data import Dataset, load
from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure
from helpers.training import State, seeded, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROWS, COLUMNS = 8, 8
UNITS = ROWS * COLUMNS
IMAGES = 640
"""Training images of the demo: ten steps of 64 in one epoch."""


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits", "cpu").flat().first(IMAGES)


def _train(lr: float, bias: float) -> tuple[torch.Tensor, list[float], list[float]]:
    """Zero rate of every unit at the end, and the dead share and the loss after each step."""
    data = _digits()
    with seeded(0):
        model = nn.Sequential(
            nn.Linear(data.num_features, UNITS), nn.ReLU(), nn.Linear(UNITS, data.num_classes)
        )
    nn.init.constant_(model.get_submodule("0").bias, bias)  # type: ignore[arg-type]

    def zero_rates() -> torch.Tensor:
        with torch.no_grad():
            outputs: torch.Tensor = model[1](model[0](data.x_train))  # (IMAGES, UNITS)
        return (outputs == 0).float().mean(dim=0)

    def note(state: State) -> None:
        state.record("dead", (zero_rates() == 1).float().mean().item())
        state.record("step loss", state.loss)

    start = (zero_rates() == 1).float().mean().item()
    history = train(model, data, epochs=3, lr=lr, evaluate=False, after_step=[note])
    return zero_rates(), [start, *history["dead"]], history["step loss"]


def draw_dying_units(lr: float, bias: float) -> tuple[Figure, str]:
    """Train one hidden layer of ReLU units on digits for 30 steps; show who is dead, and since when.

    >>> figure, alt = draw_dying_units(lr=0.1, bias=0.0)
    >>> alt
    'After 30 steps of size 0.1 from biases of 0, 0 of 64 units are dead.'
    """
    rates, dead, losses = _train(lr, bias)
    grid = rates.view(ROWS, COLUMNS)
    count = int((rates == 1).sum())
    figure, panels = new_figure(columns=2, width=9, height=3.6)
    panels[0].imshow(grid.numpy(), cmap="Greys", vmin=0, vmax=1.25, aspect="equal")
    rows, columns = torch.where(grid == 1)
    panels[0].plot(columns, rows, "x", color=COLORS[1], markersize=8, markeredgewidth=2)
    panels[0].set(
        title=f"{count} of {UNITS} units are dead (×)",
        xlabel="one square a unit; the darker, the more zeros",
        xticks=[],
        yticks=[],
    )
    panels[0].grid(visible=False)
    panels[1].plot(range(len(dead)), dead, color=COLORS[1], label="share of dead units")
    scaled = [min(loss / 2.3, 9.0) for loss in losses]
    steps = range(1, len(losses) + 1)
    panels[1].plot(steps, scaled, "--", color=COLORS[0], label="loss ÷ loss of guessing")
    panels[1].set(
        xlabel="training steps",
        ylabel="share, ratio",
        ylim=(-0.05, 1.6),
        title="the first 30 steps",
    )
    panels[1].legend(loc="upper right")
    alt = (
        f"After {len(losses)} steps of size {lr:.2g} from biases of {bias:g}, {count} of {UNITS} "
        "units are dead."
    )
    return figure, alt


def dying_relu_demo() -> Demo:
    """Sliders for the step size and the initial bias."""
    return Demo(
        draw_dying_units,
        {
            "lr": widgets.FloatLogSlider(
                0.1, base=10, min=-2, max=1, step=0.05, description="step size"
            ),
            "bias": widgets.FloatSlider(0.0, min=-4, max=1, step=0.25, description="first bias"),
        },
        notice="Make the step larger until units die: the crosses come within the first few steps. "
        "Then take a small step and lower the bias: now units are dead before the first step.",
    )
