"""What students wrote, made fit to be shown in a browser.

nbgrader's formgrader and feedback render markdown with all its HTML, so that a script in a
student's answer would run as the instructor. Here markdown is rendered as they will render it, and
stays as it is only if the result consists of known tags with known attributes and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import html
import mimetypes
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

MOST_MARKDOWN = 50_000
"""Characters of one cell that are rendered; longer ones are shown as plain text."""
SECONDS = 2.0
"""Time of the processor in which a cell must be rendered, so that a busy machine changes nothing."""

_PAIRED = frozenset(
    re.findall(
        r"\w+",
        "a abbr b blockquote center code dd del details div dl dt em font h1 h2 h3 h4 h5 h6 i ins "
        "kbd li mark ol p pre q s small span strike strong sub summary sup table tbody td tfoot "
        "th thead tr tt u ul var",
    )
)
_SINGLE = frozenset(["br", "hr", "img", "wbr"])
_ATTRIBUTE = re.compile(r"""\s+(?:([a-z]+)=(?:"([^"<>]*)"|'([^'<>]*)')|open)""")
_TAG = re.compile(
    r"<(?P<close>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9]*)"
    r"""(?P<attributes>(?:\s+(?:[a-z]+=(?:"[^"<>]*"|'[^'<>]*')|open))*)\s*/?>"""
)
_COMMENT = re.compile(r"<!--(?!-?>)(?:(?!--)[^<>])*-->")
_VALUES = {
    "alt": r"[^<>]*",
    "title": r"[^<>]*",
    "id": r"[^<>\s]*",
    "class": r"(?:language-[\w+#.-]+|highlight|anchor-link|[a-z]{1,2}[a-z0-9]?)?",
    "start": r"\d+",
    "align": r"\w+",
    "width": r"\d+%?",
    "height": r"\d+%?",
    "colspan": r"\d+",
    "rowspan": r"\d+",
    "color": r"#?\w+",
    "size": r"[+-]?\d",
    "target": r"_blank",
    "style": r"text-align:\s*(?:left|right|center);?",
}
_CODE_OR_MATHS = re.compile(r"(`{3,}.*?`{3,}|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$)", flags=re.DOTALL)
_PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def safe_markdown(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """The markdown itself if it renders to harmless HTML, else its text with the HTML shown.

    >>> safe_markdown("**bold**, $a<b$ and `<script>`", {})
    '**bold**, $a<b$ and `<script>`'
    >>> safe_markdown("<b onclick=steal()>bold</b>", {})
    '&lt;b onclick=steal()>bold&lt;/b>'
    """
    if not attachments:
        return _safe_plain(source)
    return _safe(source, attachments)


@lru_cache(maxsize=4096)
def _safe_plain(source: str) -> str:
    return _safe(source, {})


def _safe(source: str, attachments: dict[str, dict[str, str]]) -> str:
    if len(source) <= MOST_MARKDOWN:
        pieces = _CODE_OR_MATHS.split(source)
        pieces[::2] = map(_show_tags, pieces[::2])
        for candidate in dict.fromkeys((source, "".join(pieces), _show_tags(source))):
            if _renders_harmless(candidate, attachments):
                return candidate
    return as_text(source)


def _show_tags(source: str) -> str:
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", source)


def as_text(source: str) -> str:
    """A fenced block that shows the text as it was typed.

    >>> as_text("<b>")
    '```\\n<b>\\n```'
    """
    longest = max((len(run) for run in re.findall("`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{source}\n{fence}"


def _renders_harmless(source: str, attachments: dict[str, dict[str, str]]) -> bool:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, attachments=attachments)
    try:
        with _time_limit(SECONDS):
            rendered: str = MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # whatever stops the renderer here would stop the formgrader's page
        return False
    return is_harmless_html(rendered)


def is_harmless_html(rendered: str) -> bool:
    """Whether HTML consists of text and of known tags in pairs, with known attributes.

    >>> is_harmless_html('<p>a &lt; b <img src="plot.png" alt="a plot"></p>')
    True
    >>> is_harmless_html("<p>never closed")
    False
    """
    rest = _COMMENT.sub("", rendered)
    open_tags: list[str] = []
    for match in _TAG.finditer(rest):
        tag = match["tag"].lower()
        if tag in _SINGLE:
            pass
        elif tag not in _PAIRED:
            return False
        elif not match["close"]:
            open_tags.append(tag)
        elif not open_tags or open_tags.pop() != tag:
            return False
        if not all(map(_harmless_attribute, _ATTRIBUTE.finditer(match["attributes"]))):
            return False
    return not open_tags and "<" not in _TAG.sub("", rest)


def _harmless_attribute(match: re.Match[str]) -> bool:
    name, double, single = match.groups()
    if name is None:  # <details open>
        return True
    value = html.unescape(double if double is not None else single)
    if name in ("href", "src"):
        return _harmless_address(value, picture=name == "src")
    form = _VALUES.get(name)
    return form is not None and re.fullmatch(form, value) is not None


def _harmless_address(value: str, picture: bool) -> bool:
    found = re.fullmatch(r"data:(image/png|image/jpeg);base64,([A-Za-z0-9+/=\s]*)", value)
    if found:
        return picture and picture_bytes(found[1], found[2]) is not None
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in value.strip(" ")):
        return False
    try:
        scheme = urlsplit(value).scheme
    except ValueError:
        return False
    if not scheme and ":" in re.split("[/#?]", value, maxsplit=1)[0]:
        return False
    return scheme in ("", "http", "https") or (scheme == "mailto" and not picture)


def picture_bytes(kind: str, text: str) -> bytes | None:
    """The bytes of a picture in base64, or None if it is none of the kind that it says."""
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    begins = _PICTURES.get(kind)
    return content if begins and content.startswith(begins) else None


def safe_attachments(attachments: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The PNG and JPEG pictures among a cell's attachments."""
    kept: dict[str, dict[str, str]] = {}
    for name, kinds in attachments.items():
        if not isinstance(name, str) or not isinstance(kinds, dict) or len(name) > 200:
            continue
        pictures = {
            kind: text
            for kind, text in kinds.items()
            if kind in _PICTURES and isinstance(text, str) and picture_bytes(kind, text)
        }
        if pictures:
            kept[name] = pictures
    return kept


def safe_outputs(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs of a cell, of which only text and PNG pictures are left."""
    return [safe for safe in map(_safe_output, outputs) if safe]


def _safe_output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": str(output.get("text", ""))}
    if kind == "error":
        return {
            "output_type": "error",
            "ename": str(output.get("ename", "")),
            "evalue": str(output.get("evalue", "")),
            "traceback": [str(line) for line in output.get("traceback", [])],
        }
    if kind not in ("execute_result", "display_data"):
        return None
    data = output.get("data", {})
    kept = {"text/plain": str(data["text/plain"])} if "text/plain" in data else {}
    picture = data.get("image/png")
    if isinstance(picture, str) and picture_bytes("image/png", picture):
        kept["image/png"] = "".join(picture.split())
    if not kept:
        return None
    plain: dict[str, Any] = {"output_type": kind, "data": kept, "metadata": {}}
    return {**plain, "execution_count": None} if kind == "execute_result" else plain


def safe_file_name(name: str) -> str:
    """A name under which a web server does not hand the file out as a page with scripts.

    >>> safe_file_name("notes.html"), safe_file_name("data.csv")
    ('notes.html.txt', 'data.csv')
    """
    kind, coding = mimetypes.guess_type(name)
    live = kind is not None and re.search("html|xml|javascript|ecmascript|xsl", kind)
    return f"{name}.txt" if live and not coding else name


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in the main thread after so much computing; elsewhere it does nothing."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "SIGVTALRM"
    ):
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("Rendering took too long.")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
