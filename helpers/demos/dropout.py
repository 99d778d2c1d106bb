"""Demo of lesson 05: a thinned network, and the sum that a unit receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (6, 9, 9, 4)
"""Units by layer; the two hidden layers are thinned."""

INPUTS = 60
"""A unit in the right panel adds this many inputs of 1."""


def draw_thinned_network(p: float, sample: int) -> tuple[Figure, str]:
    """One thinned network, and the sum over many of them with and without rescaling.

    >>> figure, alt = draw_thinned_network(p=0.5, sample=1)
    >>> alt.split(". ")[0]
    'A network of 4 layers, p = 0.50: 9 of 18 hidden units are dropped'
    """
    generator = torch.Generator().manual_seed(sample)
    kept = [
        torch.rand(size, generator=generator) >= p if 0 < layer < 3 else torch.ones(size) > 0
        for layer, size in enumerate(SIZES)
    ]  # a mask of units for each layer
    figure, panels = new_figure(columns=2, width=9, height=3.6)
    _draw_units(panels[0], kept)
    dropped = sum(int((~mask).sum()) for mask in kept)
    hidden = sum(SIZES[1:3])
    panels[0].set_title(f"{dropped} of {hidden} hidden units dropped")
    mean, spread = _draw_sums(panels[1], p, generator)
    alt = (
        f"A network of 4 layers, p = {p:.2f}: {dropped} of {hidden} hidden units are dropped. "
        f"A unit with {INPUTS} inputs of 1 receives {mean:.1f} on average after rescaling, with a "
        f"standard deviation of {spread:.1f}; without rescaling the mean is "
        f"{mean * (1 - p):.1f}."
    )
    return figure, alt


def _draw_units(axes: Any, kept: list[torch.Tensor]) -> None:
    from matplotlib.collections import LineCollection

    places = [
        [(layer, (i - (size - 1) / 2)) for i in range(size)] for layer, size in enumerate(SIZES)
    ]
    lines = [
        (start, end)
        for layer in range(3)
        for start, from_kept in zip(places[layer], kept[layer], strict=True)
        for end, to_kept in zip(places[layer + 1], kept[layer + 1], strict=True)
        if from_kept and to_kept
    ]
    axes.add_collection(LineCollection(lines, colors="0.6", linewidths=0.6, zorder=1))
    spots = [spot for layer in places for spot in layer]
    on = torch.cat(kept).tolist()
    alive = [spot for spot, keep in zip(spots, on, strict=True) if keep]
    dead = [spot for spot, keep in zip(spots, on, strict=True) if not keep]
    axes.scatter(*zip(*alive, strict=True), s=120, color=COLORS[0], zorder=2)
    if dead:
        axes.scatter(*zip(*dead, strict=True), s=90, marker="x", color=COLORS[1], zorder=2)
    axes.set(xticks=range(4), yticks=[], xlim=(-0.3, 3.3), ylim=(-4.8, 4.8))
    axes.set_xticklabels(["input", "hidden 1", "hidden 2", "output"])
    axes.grid(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _draw_sums(axes: Any, p: float, generator: torch.Generator) -> tuple[float, float]:
    """Histograms over 2,000 masks; returns mean and deviation with rescaling."""
    count = (torch.rand(2000, INPUTS, generator=generator) >= p).sum(dim=1).float()  # (2000,)
    bins = [2 * k - 1 for k in range(INPUTS + 1)]
    rescaled = count / (1 - p)
    outline = {"histtype": "stepfilled", "alpha": 0.6}  # one shape, not a bar a bin: quicker
    axes.hist(count.numpy(), bins, color=COLORS[1], hatch="//", label="not rescaled", **outline)
    axes.hist(rescaled.numpy(), bins, color=COLORS[0], label="rescaled", **outline)
    axes.axvline(INPUTS, color="black", linestyle="--", label="evaluation")
    axes.set(
        xlabel=f"sum of {INPUTS} inputs of 1",
        ylabel="masks, of 2,000",
        xlim=(0, 2 * INPUTS),
        title="What the next unit receives",
    )
    axes.legend(loc="upper right", fontsize=9)
    return rescaled.mean().item(), rescaled.std().item()


def dropout_demo() -> Demo:
    """A slider for p, and one that draws another thinned network."""
    return Demo(
        draw_thinned_network,
        {
            "p": widgets.FloatSlider(0.5, min=0.0, max=0.9, step=0.05, description="p"),
            "sample": widgets.IntSlider(1, min=1, max=50, description="resample: mask number"),
        },
        notice="Drag the mask number: each step of training uses another network like these. "
        "Drag p: the mean of the rescaled sum stays, and its spread grows.",
    )
