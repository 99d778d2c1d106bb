"""No script of a student reaches the pages that instructors and students open."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers

from helpers.grading import harmless
from helpers.grading.harmless import (
    as_text,
    is_harmless_html,
    safe_attachments,
    safe_file_name,
    safe_markdown,
    safe_outputs,
)

HONEST = [
    "# A title\n\nA *word*, a **word**, `code <b>`, ~~no~~ and a list:\n\n- one\n- two\n\n1. three",
    "$a<b$ and $$\\sum_i x_i < \\infty$$ and \\\\(x>y\\\\)\n\n\\begin{align}a &< b\\\\ c &> d\\end{align}",
    "```python\nif a < b and '<script>' in text:\n    pass\n```",
    "```\n<script>alert(1)</script>\n```\n\n~~~html\n<b onclick=x>\n~~~",
    "| a | b |\n|:--|--:|\n| 1 | `<i>` |",
    "[a link](https://example.org/a?b=c&d=e 'title') and <https://example.org> and ![p](plot.png)",
    "<details open>\n<summary>More</summary>\n\nText\n\n</details>",
    "H<sub>2</sub>O, x<sup>2</sup>,<br/> <kbd>Ctrl</kbd> <font color='red'>red</font>",
    "<center><img src='https://example.org/x.png' width='50%' alt='a'></center>",
    "> quoted\n\n---\n\nx < y, and 3 > 2 & so on",
    "<!-- a remark -->\n\ntext [to here](#a-title)",
    "YOUR ANSWER HERE",
]

ATTACKS = [
    "<script>steal()</script>",
    "<ScRiPt src=//x.example></ScRiPt>",
    "<img src=x onerror=steal()>",
    "<img src='x' onerror='steal()'>",
    '<IMG SRC="javascript:steal()">',
    "<svg onload=steal()><circle/></svg>",
    "<svg/onload=steal()>",
    "<iframe src='https://example.org'></iframe>",
    "<object data='x'></object><embed src='x'>",
    "<details open ontoggle=steal()>x</details>",
    "<a href='javascript:steal()'>x</a>",
    "<a href='jav&#x09;ascript:steal()'>x</a>",
    "<a href='&#106;avascript:steal()'>x</a>",
    "<a href=' javascript:steal()'>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "[x](javascript:steal())",
    "[x](JaVaScRiPt:steal())",
    "[x](<java\tscript:steal()>)",
    "[x]: javascript:steal()\n\n[x]",
    "<javascript:steal()>",
    "![x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](x' onerror='steal())",
    '![x"onerror="steal()](x)',
    '[x](https://a.example "\\"onmouseover=steal()")',
    "```mermaid\n<script>steal()</script>\n```",
    "```mermaid\n<img src=x onerror=steal()>\n```",
    "``` <script>steal()</script>\ncode\n```",
    "<form action='https://x.example'><input name=a><button>Full credit</button></form>",
    "<style>body{display:none}</style>",
    "<div style='position:fixed;top:0'>x</div>",
    "<link rel=stylesheet href=https://x.example>",
    "<meta http-equiv=refresh content='0;url=https://x.example'>",
    "<base href='https://x.example/'>",
    "</div></div></div><div class='btn-group'>",
    "<details><summary>",
    "<!-- --!><script>steal()</script> -->",
    "<!--><script>steal()</script>-->",
    "<math><mtext><table><mglyph><style><img src=x onerror=steal()></style></math>",
    "<p title='</p><script>steal()</script>'>",
    '<img alt="<x" src="y>" onerror="steal()">',
    "<b\nonclick=steal()\n>x</b>",
    "<b/onclick=steal()>x</b>",
    "<a href=https://a.example onclick=steal()>x</a>",
    "$<script>steal()</script>$",
    "$$</p><img src=x onerror=steal()>$$",
    "# <img src=x onerror=steal()>",
    "\\begin{x}<script>steal()</script>\\end{x}",
    "![a](attachment:not-there.png)",
    "<xmp><script>steal()</script></xmp>",
    "<template><script>steal()</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=steal()>'>",
    "<textarea><script>steal()</script></textarea>",
    "<" * 3000 + "script>steal()",
    "[" * 5000 + "x" + "](javascript:steal())" * 50,
    "> " * 3000 + "<script>steal()</script>",
    "<script>" * 10_000,
]


def notebook(*texts: str) -> Any:
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    for number, cell in enumerate(cells):
        marks = {"grade": True, "solution": True, "locked": False, "grade_id": f"q{number}"}
        cell.metadata.nbgrader = {**marks, "points": 1, "score": 0.0, "schema_version": 3}
    return nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


@cache
def exporter(template: str) -> HTMLExporter:
    """What nbgrader makes a page with, with one of its own templates."""
    return HTMLExporter(
        template_name=template,
        extra_template_basedirs=[str(handlers.template_path)],
        extra_template_paths=[f"{handlers.static_path}/node_modules/bootstrap/dist/css"],
    )


def page(template: str, made: Any) -> str:
    names = {"notebook": "n", "score": 0.0, "max_score": 1.0, "late_penalty": 0.0}
    resources = {"nbgrader": names, "notebook_id": "n", "base_url": "", "index": 0, "total": 1}
    return str(exporter(template).from_notebook_node(made, resources=resources)[0])


def live_parts(html: str) -> list[str]:
    """All in a page that could act."""
    found = []
    for tag in BeautifulSoup(html, "html.parser").find_all(True):
        if tag.name in ("script", "iframe", "object", "embed", "svg", "form", "base", "meta"):
            found.append(f"<{tag.name}> {str(tag)[:80]}")
        for name, value in tag.attrs.items():
            address = re.sub(r"[\x00-\x20]", "", str(value)).lower()
            bad = address.startswith(("javascript:", "vbscript:", "data:text", "data:image/svg"))
            if name.startswith("on") or bad or (name == "style" and "position" in address):
                found.append(f"{name}={value}")
    return found


@pytest.fixture(scope="module", params=["formgrade", "feedback"])
def template(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def body(html: str) -> str:
    return html[html.index('id="notebook-container"') :]


@pytest.mark.parametrize("text", HONEST, ids=range(len(HONEST)))
def test_honest_text_stays(text: str) -> None:
    assert safe_markdown(text, {}) == text


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_is_shown_as_text(attack: str, template: str) -> None:
    safe = safe_markdown(attack, {})
    html = body(page(template, notebook(safe, "# END")))
    soup = BeautifulSoup(html, "html.parser")
    assert live_parts(html) == live_parts(body(page(template, notebook("x", "# END"))))
    after = soup.find(id="END")
    assert after is not None, "what follows the answer is still on the page"
    assert not after.find_parents("details")


def test_what_takes_long_to_render_is_shown_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "*a* **b** `c` " * 3_000
    assert safe_markdown(text, {}) == text
    monkeypatch.setattr(harmless, "SECONDS", 0.001)
    longer = f"{text}d"  # the answer to the first is remembered
    assert safe_markdown(longer, {}) == as_text(longer)


def test_these_attacks_would_work(template: str) -> None:
    """The test above can fail: without the sanitiser most attacks leave live parts."""
    nothing = live_parts(body(page(template, notebook("x"))))
    works = 0
    for attack in ATTACKS[:30]:
        works += live_parts(body(page(template, notebook(attack)))) != nothing
    assert works >= 20


def test_students_read_what_they_wrote() -> None:
    text = "My answer: <b onclick=steal()>x</b> and $a<b$"
    html = page("feedback", notebook(safe_markdown(text, {})))
    shown = BeautifulSoup(html, "html.parser").get_text()
    assert "My answer: <b onclick=steal()>x</b> and $a<b$" in shown


def test_outputs_keep_text_and_pictures(template: str) -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
    attack = "<script>steal()</script>"
    rich = {"text/plain": attack, "text/html": attack, "application/javascript": "steal()"}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": attack},
        {"output_type": "stream", "name": "stdout\" onload='steal()'", "text": "x"},
        {"output_type": "error", "ename": attack, "evalue": attack, "traceback": [attack]},
        {"output_type": "display_data", "data": {**rich, "image/png": png}},
        {"output_type": "execute_result", "data": {**rich, "image/svg+xml": "<svg onload=x>"}},
        {"output_type": "display_data", "data": {"image/png": '" onerror="steal()'}},
        {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"GIF").decode()}},
        {"output_type": "update_display_data", "data": rich},
        {
            "output_type": "display_data",
            "data": {"text/plain": "x"},
            "metadata": {"image/png": {"width": '1" onload="steal()'}},
        },
    ]
    safe = safe_outputs(outputs)
    kept = [sorted(one["data"]) for one in safe if "data" in one]
    assert kept == [["image/png", "text/plain"], ["text/plain"], ["text/plain"]]
    made = notebook("x")
    made.cells.append(nbformat.v4.new_code_cell(attack, outputs=nbformat.from_dict(safe)))
    nbformat.validate(made)
    assert live_parts(body(page(template, made))) == live_parts(body(page(template, notebook("x"))))


def test_only_pictures_are_attachments() -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
    found: Any = {
        "a": {"image/png": png, "image/svg+xml": "PHN2Zz4="},
        "b": {"image/jpeg": png},
        "c": {"image/png": 7},
        "d": [],
        "x" * 201: {"image/png": png},
    }
    assert safe_attachments(found) == {"a": {"image/png": png}}
    text = "![a](attachment:a)"
    assert safe_markdown(text, {"a": {"image/png": png}}) == text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("notes.html", "notes.html.txt"),
        ("x/PAGE.HTM", "x/PAGE.HTM.txt"),
        ("a.xhtml", "a.xhtml.txt"),
        ("a.svg", "a.svg.txt"),
        ("a.xml", "a.xml.txt"),
        ("a.js", "a.js.txt"),
        ("mine.py", "mine.py"),
        ("a.csv", "a.csv"),
        ("a.png", "a.png"),
        ("a.pt", "a.pt"),
        ("README", "README"),
    ],
)
def test_files_that_a_browser_would_run(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


def test_the_grammar_of_harmless_html() -> None:
    assert is_harmless_html("<p>x</p><br><hr />")
    for bad in ("<p>", "</p>", "<p></b>", "<b><p></b></p>", "<p x=1></p>", "a < b", "<script>"):
        assert not is_harmless_html(bad)


def test_text_holds_its_fence() -> None:
    text = "```\n<script>\n````\n"
    assert as_text(text).splitlines()[0] == "`````"
