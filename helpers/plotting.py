"""The look of the course's figures: readable in print and for the colour-blind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito (2008): eight colours that the colour-blind tell apart; yellow is left out."""

LINES = ("-", "--", "-.", ":")
"""Lines also differ in their dashes, so that no colour carries meaning alone."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Points differ in their shape, for the same reason."""

STYLE: Any = {
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "figure.facecolor": "white",
}


def new_figure(
    rows: int = 1, columns: int = 1, width: float = 8.0, height: float = 3.6
) -> tuple[Figure, Any]:
    """A figure in the course's style and its axes; sizes in inches.

    The figure belongs to nobody's pyplot state, so that it is never shown twice.

    >>> figure, axes = new_figure(columns=2)
    >>> len(axes)
    2
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns)
    return figure, axes


def line_style(i: int) -> dict[str, Any]:
    """The colour and dashes of the i-th line of a figure."""
    return {"color": COLORS[i % len(COLORS)], "linestyle": LINES[i % len(LINES)]}


def plot_mean_and_spread(
    axes: Axes, x: Sequence[float], runs: Sequence[Sequence[float]], label: str, index: int = 0
) -> None:
    """Draw the mean over seeds as a line and smallest to largest as a band.

    `runs` holds one sequence of values for each seed, each as long as `x`.
    """
    import numpy as np

    values = np.asarray(runs, dtype=float)  # (seeds, len(x))
    style = line_style(index)
    axes.plot(x, values.mean(axis=0), label=label, **style)
    axes.fill_between(
        x, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.2, linewidth=0
    )
