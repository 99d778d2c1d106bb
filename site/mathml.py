"""Writes formulas as MathML while the site is built, so that no page loads or runs MathJax.

Every current browser lays out MathML (MathML Core) by itself: without a script, in print, and
readable for screen readers. The font that it needs is part of the site. `latex2mathml`
translates; a few things that it leaves open, such as the spaces around a norm, are set here.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

logger = logging.getLogger(__name__)
NAMESPACE = "http://www.w3.org/1998/Math/MathML"
BARS = ("‖", "|", "∣")
ElementTree.register_namespace("", NAMESPACE)


def to_mathml(latex: str, display: bool = False) -> str:
    r"""A formula in LaTeX as a `<math>` element.

    >>> to_mathml("x_i").split("<mrow>")[1]
    '<msub><mi>x</mi><mi>i</mi></msub></mrow></math>'

    Raises:
        ValueError: a command has no translation.
    """
    written = convert(latex, display="block" if display else "inline")
    root = ElementTree.fromstring(written)
    for parent in list(root.iter()):
        for position, element in enumerate(parent):
            following = parent[position + 1] if position + 1 < len(parent) else None
            _settle(element, following)
    left = [text for text in root.itertext() if "\\" in text]
    if left:
        raise ValueError(f"No MathML for {left[0]} in the formula {latex}")
    return ElementTree.tostring(root, encoding="unicode")


def _settle(element: Any, following: Any) -> None:
    """Decide what the translation left to the browser."""
    kind, text = element.tag.removeprefix(f"{{{NAMESPACE}}}"), element.text or ""
    if kind == "mtext":
        element.text = text.replace(r"\_", "_")
    elif kind == "mi" and text == "~":
        element.tag, element.text = f"{{{NAMESPACE}}}mo", "∼"  # is distributed as
    elif kind == "mi" and text == "′":
        element.tag = f"{{{NAMESPACE}}}mo"
    elif kind == "mo" and text in BARS and "fence" not in element.attrib:
        large = "minsize" in element.attrib  # \big|
        element.attrib |= {"lspace": "0", "rspace": "0", "stretchy": "true" if large else "false"}
    elif kind in ("mi", "mo") and re.fullmatch("[A-Za-z]{2,}", text):  # log, max, erf
        element.tag = f"{{{NAMESPACE}}}mo"
        opens = following is not None and following.text in ("(", "[")
        element.attrib |= {"lspace": "0.167em", "rspace": "0" if opens else "0.167em"}


def setup(app: Any) -> dict[str, Any]:
    """Register the renderer with Sphinx under the name `mathml`."""

    def write(writer: Any, node: Any, display: bool) -> None:
        try:
            formula = to_mathml(node.astext(), display)
        except ValueError as error:
            logger.warning(str(error), location=node)
            formula = ""
        writer.body.append(f'<div class="math">{formula}</div>' if display else formula)
        raise nodes.SkipNode

    inline, block = partial(write, display=False), partial(write, display=True)
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
