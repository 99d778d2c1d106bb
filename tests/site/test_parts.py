"""What the site is made of, without building it: a lesson's page, the formulas, the helpers."""

from __future__ import annotations

import doctest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mathml
import nbformat
import pytest
from api_page import api_page
from jupyter_cache.base import CacheBundleIn
from lesson_page import lesson_page
from make_site import Cache, write_tree
from mathml import to_mathml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import helpers

TODO = {"grade_id": "todo-1-2", "solution": True, "grade": False}
ANSWER = {"grade_id": "question-why", "solution": True, "grade": True}
CHECK = {"grade_id": "check_relu", "solution": False, "grade": True}
KERNEL = {"name": "python3", "display_name": "Python 3"}
HEAD = "# TODO 1.2: complete this function.\ndef relu(x):\n"


@pytest.fixture
def page() -> Any:
    """The page of a lesson with one TODO, its check and one thinking question."""
    solved = f"{HEAD}    ### BEGIN SOLUTION\n    return x.clamp(min=0)\n    ### END SOLUTION\n"
    blank = f"{HEAD}    # YOUR CODE HERE\n    raise NotImplementedError()\n"

    def notebook(todo: str, answer: str) -> Any:
        roles: list[Any] = [None, None, TODO, CHECK, None, ANSWER]
        cells = [
            new_markdown_cell("# 01 · A lesson", id="head"),
            new_code_cell("raise SystemExit", id="colab"),
            new_code_cell(todo, id="todo-1-2"),
            new_code_cell("check_relu(relu)", id="check-relu"),
            new_markdown_cell("Why is that so?", id="question"),
            new_markdown_cell(answer, id="answer"),
        ]
        for cell, role in zip(cells, roles, strict=True):
            cell.metadata = {"nbgrader": role} if role else {}
        cells[1].metadata["tags"] = ["remove-cell"]
        return new_notebook(cells=cells, metadata={"kernelspec": KERNEL})

    solution = notebook(solved, "**Model answer.** A slope of one.\n\n**Rubric (1 point).**")
    return lesson_page(solution, notebook(blank, "YOUR ANSWER HERE"), "/blank/lesson.ipynb")


def test_the_page_is_a_notebook_that_runs_the_solution(page: Any) -> None:
    nbformat.validate(page)
    code = "\n".join(cell.source for cell in page.cells if cell.cell_type == "code")
    namespace: dict[str, Any] = {"check_relu": lambda relu: None}
    exec(code, namespace)
    import torch

    assert namespace["relu"](torch.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]


def test_the_stub_stands_before_the_folded_solution(page: Any) -> None:
    stub, solution = page.cells[2:4]
    assert "raise NotImplementedError()" in stub.source
    assert "return x.clamp(min=0)" not in stub.source
    assert stub.cell_type == "markdown"
    assert "return x.clamp(min=0)" in solution.source
    assert "SOLUTION" not in solution.source
    assert solution.metadata["tags"] == ["hide-input"]
    assert solution.metadata["mystnb"]["code_prompt_show"] == "Show a solution of TODO 1.2"


def test_the_model_answer_is_left_out_and_the_question_kept(page: Any) -> None:
    text = "\n".join(cell.source for cell in page.cells)
    assert "Why is that so?" in text
    for secret in ("Model answer", "Rubric", "A slope of one", "YOUR ANSWER HERE"):
        assert secret not in text


def test_the_cell_for_colab_is_left_out(page: Any) -> None:
    assert "colab" not in [cell.id for cell in page.cells]


def test_the_page_offers_the_students_notebook(page: Any) -> None:
    assert "</blank/lesson.ipynb>" in page.cells[1].source


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"\lVert w \rVert^2", '<mo lspace="0" rspace="0" stretchy="false">‖</mo>'),
        (r"\left\lVert \frac{a}{b} \right\rVert", '<mo stretchy="true" fence="true"'),
        (r"\log p_i", '<mo lspace="0.167em" rspace="0.167em">log</mo>'),
        (r"\max(z, 0)", '<mo lspace="0.167em" rspace="0">max</mo>'),
        (r"\log \frac{a}{b}", '<mo lspace="0.167em" rspace="0.167em">log</mo>'),
        (r"x \sim y", "<mo>∼</mo>"),
        (r"\text{min\_delta}", "<mtext>min_delta</mtext>"),
        (r"a < b", "<mo>&lt;</mo>"),
        ("f'(x)", "<msup><mi>f</mi><mo>′</mo></msup>"),
    ],
)
def test_formulas_become_mathml(latex: str, expected: str) -> None:
    assert expected in to_mathml(latex)


def test_a_formula_on_its_own_line_is_displayed() -> None:
    assert 'display="block"' in to_mathml("x", display=True)
    assert 'display="inline"' in to_mathml("x")


def test_the_example_in_its_docstring_runs() -> None:
    result = doctest.testmod(mathml)
    assert result.attempted and not result.failed


def test_a_command_without_a_translation_is_named() -> None:
    with pytest.raises(ValueError, match=r"No MathML for \\unheard in the formula 2 \\unheard x"):
        to_mathml(r"2 \unheard x")


def test_every_public_name_is_on_the_page_of_the_helpers() -> None:
    page = api_page()
    for name in dir(helpers):
        assert f".{name}\n" in page


def test_the_source_tree_holds_these_files_and_no_others(tmp_path: Path) -> None:
    write_tree({Path("a/one.md"): b"1", Path("two.md"): b"2"}, tmp_path)
    before = (tmp_path / "two.md").stat().st_mtime_ns
    write_tree({Path("two.md"): b"2", Path("three.md"): b"3"}, tmp_path)
    files = {file.relative_to(tmp_path) for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {Path("two.md"), Path("three.md")}
    assert (tmp_path / "two.md").stat().st_mtime_ns == before


def test_results_are_kept_from_several_threads(tmp_path: Path) -> None:
    """jupyter-cache alone loses some, or fails: it removes what is being written."""

    def keep(number: int) -> None:
        notebook = new_notebook(cells=[new_code_cell(f"x = {number}")])
        bundle = CacheBundleIn(notebook, f"{number}.ipynb")
        Cache(tmp_path).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)

    Cache(tmp_path).list_cache_records()  # makes the database
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(keep, range(40)))
    assert len(Cache(tmp_path).list_cache_records()) == 40
