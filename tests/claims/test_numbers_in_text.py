"""Every number that a lesson states as a result is quoted, and asserted, by a test of its claims.

A test of `tests/claims/test_<slug>.py` quotes the lesson's sentences that it proves:

    @pytest.mark.states("One linear layer reaches about 0.91 (0.90 to 0.92 over five seeds)")

Here we see that each quotation stands in the lesson, that each of its numbers is a constant of the
test that quotes it, and that no number of the lesson's text is left over. So a number that is changed
in the text fails here, and one that is changed in the quotation too fails in the claim itself.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import pytest

from helpers.course import LESSONS, Lesson

ROOT = Path(__file__).resolve().parents[2]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)

NUMBER = r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?(?![\w]|\.\d)"
EXACT = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+(?:e-?\d+)?|e-?\d+)(?![\w]|\.\d)")
"""A decimal fraction, or a power of ten."""
WITH_UNIT = re.compile(rf"({NUMBER})(?= (?:%|percent|points?\b))")
COMPARED = re.compile(
    "(?:[Aa]bout|near|above|below|over|more than|less than|at most|at least|within|only|between"
    rf"|epoch|to|and) (?![01]\b(?!\.))({NUMBER})"
)
SETTING = re.compile(
    r"(?:steps?(?: size)?|rate|momentum|slope|limit|ratio|bias(?:es)?|weights|scale)"
    rf"(?: of| is| at)? [−-]?({NUMBER})"
)
"""What was chosen and not measured; it must be a number of the lesson's code."""
RESULTS = re.compile(r"What we (?:saw|did)|Symptom|five seeds|ten draws|20 draws")
"""Where these words stand in a cell, a number after 'about' or 'at most' is a result as well."""


GIVEN = {
    "vanishing_gradients": ["a ratio near $10^{-3}$ is healthy"],
    "dying_relu": ["The loss stays at 2.3", "My zero rate is 70 %"],
    "dropout": ["about 0.1 to 0.2 after convolutions"],
    "capstone": [
        "SGD with rate 0.01, weight decay 1e-4, images enlarged to 96×96, 20 epochs of 27 seconds",
        "| published | 0.786 | 0.996 | 540 |",
        "Our aim is a test accuracy of 0.94",
        "while its accuracy swings between 0.56 and 0.79 from epoch to epoch",
    ],
}
"""What others have published, a rule of thumb, an aim, a number in a question: no results of ours."""


def plain(source: str) -> str:
    """A cell's words and numbers, without code, hints, sources and formulas; 10⁻³ becomes 1e-3."""
    text = re.sub(r"<details>.*?</details>|```.*?```|\$\$.*?\$\$", " ", source, flags=re.DOTALL)
    text = re.sub(r"\*\*Sources\*\*.*", " ", text, flags=re.DOTALL)
    text = re.sub(r"^#+ .*$|^\|[-:| ]+\|$", " ", text, flags=re.MULTILINE)
    text = re.sub(r"([\d.]+) ?\\cdot 10\^\{?(-?\d+)\}?", r"\1e\2", text)
    text = re.sub(r"(?<![\d.])10\^\{(-?\d+)\}", r"1e\1", text)
    text = re.sub(r"\$([\d.e-]+)\$", r"\1", text)
    text = re.sub(r"`[^`]*`|\$[^$]*\$|\b(?:19|20)\d\d\b", " ", text)
    text = re.sub(r"\b[Ll]essons? \d\d(?:(?: to|,| and) \d\d)*", " ", text)
    return " ".join(text.replace("*", "").split())


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(NUMBER, text)]


class Quotation(NamedTuple):
    text: str
    test: str
    constants: frozenset[float]


def constants(*nodes: ast.AST) -> frozenset[float]:
    """All numbers in this code; `Σ(−4)` is a 4."""
    return frozenset(
        float(node.value)
        for one in nodes
        for node in ast.walk(one)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    )


def _quoted(node: ast.AST) -> list[str]:
    """The quotations of one decorator, if it is `pytest.mark.states(...)`."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.states":
        return [str(ast.literal_eval(argument)) for argument in node.args]
    return []


@cache
def quotations(slug: str) -> list[Quotation]:
    tree = ast.parse((ROOT / "tests" / "claims" / f"test_{slug}.py").read_text(encoding="utf-8"))
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            named = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            known = constants(node, *(tables[name] for name in named & set(tables)))
            for text in (text for one in node.decorator_list for text in _quoted(one)):
                found.append(Quotation(text, node.name, known))
    return found


@cache
def cells(lesson: Lesson) -> list[tuple[str, str]]:
    source = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
    made = jupytext.read(source, fmt="py:percent").cells
    return [(c.cell_type, c.source) for c in made if "question" not in c.metadata]


@cache
def settings(lesson: Lesson) -> frozenset[float]:
    """The numbers in the lesson's own cells, in its experiments and in its checks' settings."""
    code = [source for kind, source in cells(lesson) if kind == "code"]
    files = [ROOT / "helpers" / "experiments" / f"{lesson.slug}.py"]
    files += (ROOT / "helpers" / "checks" / lesson.slug).glob("task.py")
    files += (ROOT / "helpers" / "demos").glob(f"{lesson.slug}.py")
    code += [file.read_text(encoding="utf-8") for file in files]
    return constants(*(ast.parse(source) for source in code))


def holds(known: frozenset[float], number: float) -> bool:
    """Whether a test knows a number, as it stands or as a share (8 percent is 0.08)."""
    return any(
        math.isclose(abs(one), form, rel_tol=1e-9)
        for one in known
        for form in (number, number / 100, 1 / number if number else 0)
    )


@cache
def passages(lesson: Lesson) -> list[str]:
    """The text of a lesson, heading by heading."""
    texts = [source for kind, source in cells(lesson) if kind == "markdown"]
    return [plain(part) for text in texts for part in re.split(r"(?m)^(?=#+ )", text)]


def results(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """The numbers of a lesson that no test quotes and that are no setting, with what surrounds them."""
    texts = [*(one.text for one in quotations(lesson.slug)), *GIVEN.get(lesson.slug, [])]
    quoted = sorted(map(plain, texts), key=len, reverse=True)
    for text in passages(lesson):
        shows_results = bool(RESULTS.search(text))
        for quotation in quoted:
            text = text.replace(quotation, " … ")
        chosen = {found.span(1) for found in SETTING.finditer(text)}
        kinds = [EXACT, WITH_UNIT, *([COMPARED] if shows_results else [])]
        places = {found.span(found.lastindex or 0) for one in kinds for found in one.finditer(text)}
        for start, end in sorted(places | chosen):
            known = holds(settings(lesson), numbers(text[start:end])[0])
            if not known or (shows_results and (start, end) not in chosen):
                yield text[start:end], text[max(0, start - 70) : end + 40]


@each_lesson
def test_every_result_in_the_text_is_quoted_by_a_claim(lesson: Lesson) -> None:
    left = [f"{number}   in   … {around} …" for number, around in results(lesson)]
    assert not left, "Quote these in tests/claims, @pytest.mark.states(...):\n" + "\n".join(left)


@each_lesson
def test_every_quotation_stands_in_its_lesson(lesson: Lesson) -> None:
    text = "\n".join(passages(lesson))
    for quotation in quotations(lesson.slug):
        assert plain(quotation.text) in text, f"{quotation.test} quotes: {quotation.text}"
    assert all(plain(given) in text for given in GIVEN.get(lesson.slug, []))


@each_lesson
def test_the_quoted_numbers_are_asserted(lesson: Lesson) -> None:
    for quotation in quotations(lesson.slug):
        for number in numbers(SETTING.sub(" ", plain(quotation.text))):
            assert holds(quotation.constants, number), (
                f"{number:g} in {quotation.text!r} is no constant of {quotation.test}"
            )


def test_a_changed_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the text: the quotation is gone and the number is left over. In both: it is not asserted."""
    lesson = next(lesson for lesson in LESSONS if lesson.slug == "activation_functions")
    changed = [text.replace("about 0.91", "about 0.93") for text in passages(lesson)]
    assert changed != passages(lesson)
    monkeypatch.setitem(globals(), "passages", lambda _: changed)
    assert "0.93" in [number for number, _ in results(lesson)]
    with pytest.raises(AssertionError, match="reaches about"):
        test_every_quotation_stands_in_its_lesson(lesson)
    lying = [one._replace(text="about 0.93") for one in quotations(lesson.slug)]
    monkeypatch.setitem(globals(), "quotations", lambda _: lying)
    with pytest.raises(AssertionError, match=r"0\.93 in .* is no constant"):
        test_the_quoted_numbers_are_asserted(lesson)
