"""The outputs of cells, in nbformat 4: those that the judge writes, and the student's, made harmless."""

from __future__ import annotations

from typing import Any

from helpers.grading.sandbox.shell import plain


def an_error(name: str, text: str) -> dict[str, Any]:
    """What a cell that raised shows; nbgrader gives it no points.

    >>> an_error("CheckFailed", "Wrong.\\nTry again.")["evalue"]
    'Wrong.'
    """
    lines = text.splitlines() or [""]
    return {"output_type": "error", "ename": name, "evalue": lines[0], "traceback": lines}


def a_score(points: float) -> dict[str, Any]:
    """A cell's last value, which nbgrader takes for its points.

    >>> a_score(2.0)["data"]
    {'text/plain': '2.0'}
    """
    data = {"text/plain": repr(points)}
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}


def clean_outputs(outputs: Any, most: int) -> list[dict[str, Any]]:
    """Outputs of a student's cell, built anew from what the child says they are."""
    clean: list[dict[str, Any]] = []
    left = most
    for item in outputs if isinstance(outputs, list) else []:
        if not isinstance(item, dict) or left <= 0 or len(clean) >= 200:
            break
        kind = item.get("output_type")
        if kind == "stream":
            text = _words(item.get("text"), left)
            clean.append({"output_type": "stream", "name": "stdout", "text": text})
        elif kind == "display_data" and isinstance(item.get("data"), dict):
            text = _words(item["data"].get("text/plain"), left)
            data = {"text/plain": text}
            clean.append({"output_type": "display_data", "data": data, "metadata": {}})
        elif kind == "error" and isinstance(item.get("traceback"), list):
            lines = [_words(line, 2_000) for line in item["traceback"][:100]]
            text = "\n".join(lines)[:left]
            error = an_error(_words(item.get("ename"), 200), text)
            clean.append({**error, "evalue": _words(item.get("evalue"), 500)})
        else:
            continue
        left -= len(text)
    return clean


def _words(text: Any, most: int) -> str:
    return plain(text[:most]) if isinstance(text, str) else ""
