"""The thin interactive face over a pure drawing function; every demo of the course uses it."""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.display import png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[..., "tuple[Figure, str]"]
"""Takes the controls' values by name; returns a figure and its alternative text."""


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
        self._controls = dict(controls)
        for control in self._controls.values():
            control.style.description_width = "initial"
            if isinstance(
                control, (widgets.FloatSlider, widgets.IntSlider, widgets.FloatLogSlider)
            ):
                control.layout.width = "26em"
            control.observe(self._redraw, names="value")
        self.picture = widgets.HTML()
        self.first_picture, self.first_alt = self._render()
        self.notice = notice
        text = widgets.HTML(f"<p><strong>Notice.</strong> {html.escape(notice)}</p>")
        bar = widgets.Box(
            list(self._controls.values()), layout={"flex_flow": "row wrap", "display": "flex"}
        )
        super().__init__([bar, self.picture, text])

    def _values(self) -> dict[str, Any]:
        return {name: control.value for name, control in self._controls.items()}

    def _render(self) -> tuple[bytes, str]:
        figure, alt = self._draw(**self._values())
        image = png(figure)
        data = base64.b64encode(image).decode()
        self.picture.value = (
            f'<img style="max-width:100%" alt="{html.escape(alt)}" '
            f'src="data:image/png;base64,{data}">'
        )
        return image, alt

    def _redraw(self, change: Any) -> None:
        self._render()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
        data["image/png"] = base64.b64encode(self.first_picture).decode()
        data["text/plain"] = f"{self.first_alt}\n\nNotice. {self.notice}"
        return data, {"image/png": {"alt": self.first_alt}}
