"""The look of the course's figures: readable in print and for the colour-blind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from helpers.display import PIXELS_PER_INCH

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
    easel = _easel.get()
    if easel is not None:
        return easel.figure(rows, columns, width, height)
    return _made(rows, columns, width, height)


def _made(rows: int, columns: int, width: float, height: float) -> tuple[Figure, Any]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns)
    return figure, axes


class Easel:
    """One figure that is drawn on again and again, so that a demo follows its sliders.

    Most of the time of a small figure goes into axes, ticks and their layout. Inside `drawing`,
    `new_figure` returns the last figure with its axes wiped, where it asks for the same shape.

    >>> easel = Easel()
    >>> for _ in range(2):
    ...     with easel.drawing():
    ...         figure, axes = new_figure()
    ...         line = axes.plot([1, 2])
    >>> len(axes.lines)
    1
    """

    def __init__(self) -> None:
        self._shape: tuple[float, ...] = ()
        self._figure: Any = None
        self._panels: Any = None
        self._texts: list[tuple[float, float]] | None = None

    def figure(self, *shape: Any) -> tuple[Figure, Any]:
        """The figure of this shape: rows, columns, width and height; with empty axes."""
        if shape != self._shape:
            self._shape, self._texts = shape, None
            self._figure, self._panels = _made(*shape)
        for axes in self._figure.axes:
            _wipe(axes)
        for legend in list(self._figure.legends):
            legend.remove()
        return self._figure, self._panels

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """`new_figure` returns this easel's figure; at the end everything is in its place."""
        token = _easel.set(self)
        try:
            yield
        finally:
            _easel.reset(token)
        if self._texts is None:  # the first time; later pictures keep the places of the first
            self._figure.set_dpi(PIXELS_PER_INCH)
            self._figure.draw_without_rendering()
            self._figure.set_layout_engine(None)
            self._texts = [text.get_position() for text in self._figure.texts]
        for text, place in zip(self._figure.texts, self._texts, strict=True):
            text.set_position(place)


_easel: ContextVar[Easel | None] = ContextVar("easel", default=None)


def _wipe(axes: Axes) -> None:
    """Take away what was drawn; axes, ticks and the style stay."""
    legend = axes.get_legend()
    drawn = [*axes.lines, *axes.patches, *axes.collections, *axes.images, *axes.texts]
    for artist in drawn if legend is None else [*drawn, legend]:
        artist.remove()
    axes.relim()
    axes.set_autoscale_on(True)
    axes.set_prop_cycle(None)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_inverted(False)


def line_style(i: int) -> dict[str, Any]:
    """The colour and dashes of the i-th line of a figure.

    >>> line_style(1)
    {'color': '#D55E00', 'linestyle': '--'}
    """
    return {"color": COLORS[i % len(COLORS)], "linestyle": LINES[i % len(LINES)]}


def plot_mean_and_spread(
    axes: Axes, x: Sequence[float], runs: Sequence[Sequence[float]], label: str, index: int = 0
) -> None:
    """Draw the mean over seeds as a line and smallest to largest as a band.

    `runs` holds one sequence of values for each seed, each as long as `x`; `index` chooses the
    colour and dashes, see `line_style`.

    >>> figure, axes = new_figure()
    >>> plot_mean_and_spread(axes, [1, 2], [[0.0, 1.0], [2.0, 3.0]], "two seeds")
    >>> axes.lines[0].get_ydata().tolist()
    [1.0, 2.0]
    """
    import numpy as np

    values = np.asarray(runs, dtype=float)  # (seeds, len(x))
    style = line_style(index)
    axes.plot(x, values.mean(axis=0), label=label, **style)
    axes.fill_between(
        x, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.2, linewidth=0
    )
