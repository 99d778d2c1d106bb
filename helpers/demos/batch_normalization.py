"""Demo of lesson 06: what reaches each layer, with and without batch normalisation."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH, WIDTH = 4, 64


@cache
def _images() -> torch.Tensor:
    from helpers.data import load

    return load("digits", "cpu").flat().x_train  # (1100, 64)


@cache
def _weights() -> list[torch.Tensor]:
    """The random weights of the layers, (fan_in, WIDTH) each."""
    generator = torch.Generator().manual_seed(1)
    sizes = [_images().shape[1], *[WIDTH] * (DEPTH - 1)]
    return [torch.randn(n, WIDTH, generator=generator) / n**0.5 for n in sizes]


def _inputs_of_activations(x: torch.Tensor, batch_norm: bool) -> list[torch.Tensor]:
    """What goes into each tanh of a network with random weights: (batch, WIDTH) each."""
    seen = []
    for weight in _weights():
        x = x @ weight  # (batch, WIDTH)
        if batch_norm:
            x = (x - x.mean(0)) / torch.sqrt(x.var(0, correction=0) + 1e-5)
        seen.append(x)
        x = torch.tanh(x)
    return seen


def draw_batch_normalization(batch_size: int, shift: float, scale: float) -> tuple[Figure, str]:
    """Histograms of what goes into each tanh layer for one batch of digits, times a scale and
    plus a shift; the same weights above without and below with batch normalisation.

    >>> figure, alt = draw_batch_normalization(batch_size=64, shift=0.0, scale=1.0)
    >>> alt.startswith("Layer 4 of 4: standard deviation")
    True
    """
    images = _images()
    chosen = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:batch_size]
    x = images[chosen] * scale + shift
    figure, panels = new_figure(rows=2, columns=DEPTH, width=9, height=4.2)
    last, saturated = [], []
    for row, name, color in ((0, "without", COLORS[1]), (1, "with", COLORS[0])):
        for i, seen in enumerate(_inputs_of_activations(x, bool(row))):
            panel = panels[row][i]
            values = seen.clamp(-4, 4).flatten()
            counts = torch.histc(values, bins=33, min=-4, max=4) / len(values)
            hatch = None if row else "//"
            panel.fill_between(
                torch.linspace(-4, 4, 33),
                counts,
                step="mid",
                color=color,
                alpha=0.6,
                hatch=hatch,
                edgecolor=color,
            )
            share = (seen.abs() > 2).float().mean().item()
            panel.set(xlim=(-4.3, 4.3), ylim=(0, 0.4), xticks=(-4, 0, 4), yticks=(0, 0.2, 0.4))
            panel.set_title(f"layer {i + 1}: flat {share:.0%}", fontsize=10)
            panel.tick_params(labelleft=i == 0, labelbottom=bool(row))  # all scales are the same
            if i == 0:
                panel.set_ylabel(f"{name} BN\nshare of inputs")
            if row:
                panel.set_xlabel("input of tanh")
        last.append(seen.std(dim=0, correction=0).mean().item())
        saturated.append(share)
    alt = (
        f"Layer {DEPTH} of {DEPTH}: standard deviation over the batch {last[0]:.2f} without and "
        f"{last[1]:.2f} with batch normalisation; {saturated[0]:.0%} and {saturated[1]:.0%} of "
        "the inputs lie where tanh is flat."
    )
    return figure, alt


def batch_normalization_demo() -> Demo:
    """Sliders for the batch size and for the shift and the scale of the images."""
    return Demo(
        draw_batch_normalization,
        {
            "batch_size": widgets.SelectionSlider(
                options=[2, 4, 8, 16, 64, 256], value=64, description="batch size"
            ),
            "shift": widgets.FloatSlider(0.0, min=-5, max=5, step=0.5, description="shift"),
            "scale": widgets.FloatLogSlider(
                1.0, min=-1, max=1, step=0.1, description="scale", readout_format=".2f"
            ),
        },
        notice="Shift or scale the images: the upper row moves into the flat parts of tanh, or "
        "shrinks to a spike, and the lower row stays. Then set the batch size to 2: with batch "
        "normalisation nearly all inputs become +1 or −1.",
    )
