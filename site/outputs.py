"""What the outputs of the notebooks become on the site: figures with their alternative text.

A figure of the course carries its alternative text as its plain form; a demo, whose sliders
need a kernel, carries its first picture, and below the alternative text what to notice. A figure
of several panels gets a box in which a phone can scroll it.
"""

from __future__ import annotations

from typing import Any

import imagesize
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)
WIDGET = "application/vnd.jupyter.widget-view+json"
WIDE = 800
"""Pixels from which a figure is too wide to be read at the width of a phone."""


class Figures(SphinxTransform):
    """Gives pictures their alternative text, and puts a demo's picture in place of the demo."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        for bundle in list(self.document.findall(_is_bundle)):
            kinds = {child["mime_type"]: child for child in bundle.children}
            if "image/png" in kinds and "text/plain" in kinds:
                words = kinds["text/plain"].astext()
                _describe(kinds["image/png"], words, is_demo=WIDGET in kinds)
                for image in list(kinds["image/png"].findall(nodes.image)):
                    self._box(image)
            elif WIDGET in kinds:  # it shows the reader's own computer: here it has none
                bundle.parent.remove(bundle)
        for image in self.document.findall(nodes.image):
            if not image.get("alt", "").strip():
                logger.warning("This picture has no alternative text.", location=image)

    def _box(self, image: Any) -> None:
        _, file = self.env.relfn2path(image["uri"])
        width, _ = imagesize.get(file)
        if width > WIDE:
            box = nodes.container(classes=["wide"])
            image.replace_self(box)
            box += image


def _is_bundle(node: Any) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def _describe(container: Any, words: str, is_demo: bool) -> None:
    alt, *notice = words.split("\n\n")
    for image in container.findall(nodes.image):
        image["alt"] = alt
    if is_demo:
        container += nodes.paragraph("", " ".join(notice), classes=["notice"])


def _leave_widgets_out(app: Any, doctree: Any) -> None:
    """Without a kernel the state of the widgets, which holds their pictures, is of no use."""
    app.env.nb_metadata[app.env.current_document.docname].pop("js_files", None)


def _name_things(app: Any, page: str, template: str, context: Any, doctree: Any) -> None:
    """Tell a screen reader what the theme leaves out.

    A fold is called by the words on it, not by the same words on every fold, and the headings
    of the navigation have a level. A notebook has links to its neighbours of its own.
    """
    if page.startswith("notebooks/"):
        context["prev"] = context["next"] = None
    if "body" in context:
        context["body"] = context["body"].replace(' aria-label="Toggle hidden content"', "")
    tree = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = tree.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )


def setup(app: Any) -> dict[str, Any]:
    """Register these with Sphinx."""
    app.add_transform(Figures)
    app.connect("doctree-read", _leave_widgets_out)
    app.connect("html-page-context", _name_things, priority=900)  # after the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
