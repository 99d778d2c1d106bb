"""Writes formulas as MathML while the site is built, so that no page loads or runs MathJax.

Every current browser lays out MathML (MathML Core) by itself: without a script, in print, and
readable for screen readers. The font that it needs is part of the site. `latex2mathml`
translates; a few things that it leaves open, such as the spaces around a norm, are set here.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from latex2mathml.converter import convert

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
BARS = ("‖", "|", "∣")
ElementTree.register_namespace("", NAMESPACE)


def to_mathml(latex: str, display: bool = False) -> str:
    r"""A formula in LaTeX as a `<math>` element.

    >>> to_mathml("x_i")[-62:]
    '<mrow><msub><mi>x</mi><mi>i</mi></msub></mrow></math>'
    """
    written = convert(latex, display="block" if display else "inline")
    root = ElementTree.fromstring(written)
    for parent in list(root.iter()):
        for position, element in enumerate(parent):
            following = parent[position + 1] if position + 1 < len(parent) else None
            _settle(element, following)
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
    from docutils import nodes

    def visit_inline(writer: Any, node: Any) -> None:
        writer.body.append(to_mathml(node.astext()))
        raise nodes.SkipNode

    def visit_display(writer: Any, node: Any) -> None:
        writer.body.append(f'<div class="math">{to_mathml(node.astext(), display=True)}</div>')
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
