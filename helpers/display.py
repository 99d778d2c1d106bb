"""Shows messages and figures: as rich output in a notebook, as plain text elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 110


def in_notebook() -> bool:
    """Whether this code runs in a kernel, where figures and HTML can be shown."""
    import sys

    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def show_message(text: str, html: str) -> None:
    """Show a message; `text` and `html` say the same."""
    if not in_notebook():
        print(text)
        return
    from IPython.display import display

    display({"text/plain": text, "text/html": html}, raw=True)  # type: ignore[no-untyped-call]


def png(figure: Figure, compression: int = 6) -> bytes:
    """A figure as the bytes of a PNG image; compression goes from 0 (quick) to 9 (small).

    >>> from matplotlib.figure import Figure
    >>> png(Figure())[:4]
    b'\\x89PNG'
    """
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=PIXELS_PER_INCH,
        pil_kwargs={"compress_level": compression},
    )
    return buffer.getvalue()


def show_figure(figure: Figure, alt: str) -> None:
    """Show a figure with its alternative text: what a reader who cannot see it needs to know.

    The text travels with the notebook, so that the saved page and the web site have it too.
    """
    import matplotlib.pyplot as plt

    plt.close(figure)
    if not in_notebook():
        return
    from IPython.display import display

    bundle: dict[str, Any] = {"image/png": png(figure), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})  # type: ignore[no-untyped-call]
