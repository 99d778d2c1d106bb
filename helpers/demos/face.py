"""The thin interactive face over a pure drawing function; every demo of the course uses it."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.display import png
from helpers.plotting import Easel

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[..., "tuple[Figure, str]"]
"""Takes the controls' values by name; returns a figure and its alternative text."""


def span(control: widgets.Widget, most: int = 9) -> list[Any]:
    """The values of a control from one end to the other: all choices, or a few of a slider's.

    >>> span(widgets.IntSlider(min=0, max=100), most=5)
    [0, 25, 50, 75, 100]
    """
    if hasattr(control, "options"):
        return list(control._options_values)
    if isinstance(control, widgets.Checkbox | widgets.ToggleButton):
        return [False, True]
    low, high = control.min, control.max
    steps = round((high - low) / control.step)
    places = sorted({round(steps * i / (most - 1)) for i in range(most)})
    between = [min(low + place * control.step, high) for place in places]
    if isinstance(control, widgets.FloatLogSlider):
        return [control.base**value for value in between]
    return between


class Demo(widgets.VBox):
    """Controls above a picture that is drawn anew whenever one of them changes.

    Where no kernel runs, on a saved page or in print, the first picture is shown instead; its
    plain form is the picture's alternative text and, in a paragraph of its own, what to notice.

    Args:
        draw: see `Draw`. It keeps no state: the same values give the same picture.
        controls: ipywidgets by the name of the argument they set. Each has a `description`.
        notice: one or two sentences: what to try, and what to notice.
    """

    def __init__(self, draw: Draw, controls: Mapping[str, widgets.Widget], notice: str) -> None:
        self._draw = draw
        self.controls = dict(controls)
        for control in self.controls.values():
            control.style.description_width = "initial"
            if isinstance(
                control, (widgets.FloatSlider, widgets.IntSlider, widgets.FloatLogSlider)
            ):
                control.layout.width = "26em"
            control.observe(self._follow, names="value")
        self.picture = widgets.HTML()
        self._easel = Easel()
        self.first_picture, self.first_alt = self.redraw()
        self.notice = notice
        text = widgets.HTML(f"<p><strong>Notice.</strong> {html.escape(notice)}</p>")
        bar = widgets.Box(
            list(self.controls.values()), layout={"flex_flow": "row wrap", "display": "flex"}
        )
        super().__init__([bar, self.picture, text])

    def _values(self) -> dict[str, Any]:
        return {name: control.value for name, control in self.controls.items()}

    def redraw(self) -> tuple[bytes, str]:
        """Draw the picture for the controls' present values; returns it and its text."""
        with self._easel.drawing():
            self.figure, alt = self._draw(**self._values())
        image = png(self.figure, compression=1)
        data = base64.b64encode(image).decode()
        self.picture.value = (
            f'<img style="max-width:100%" alt="{html.escape(alt)}" '
            f'src="data:image/png;base64,{data}">'
        )
        return image, alt

    def _follow(self, change: Any) -> None:
        self.redraw()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
        data["image/png"] = base64.b64encode(self.first_picture).decode()
        data["text/plain"] = f"{self.first_alt}\n\nNotice. {self.notice}"
        return data, {"image/png": {"alt": self.first_alt}}
