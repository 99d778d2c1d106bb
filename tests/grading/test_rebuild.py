"""A student's notebook put together again, as nbgrader does it and beyond."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import DeduplicateIds, OverwriteCells

from helpers.grading.cells import read_cells
from helpers.grading.layout import Course
from helpers.grading.needs import needed
from helpers.grading.rebuild import Rebuilt, rebuild
from helpers.grading.source import Source, read_source
from helpers.grading.trouble import CannotGrade, CannotStart

CHECK, OTHER_CHECK = "check-numerical-gradient", "check-count-parameters"


def cells_of(rebuilt: Rebuilt) -> list[str]:
    return [cell["id"] for cell in rebuilt.notebook["cells"]]


def cell(notebook: Any, name: str) -> Any:
    return next(c for c in notebook["cells"] if c["id"] == name)


def remade(notebook: Any, source: Source) -> Rebuilt:
    cells, _ = read_cells(json.dumps(notebook).encode())
    rebuilt = rebuild(cells, source)
    whole = nbformat.from_dict(rebuilt.notebook)
    nbformat.validate(whole)
    MetadataValidator().validate_nb(whole)
    return rebuilt


def test_honest_work_stays_as_it_is(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos, answer="Because of rounding.")
    rebuilt = remade(work, source)
    assert rebuilt.flags == ()
    assert cells_of(rebuilt) == [c.id for c in work.cells]
    for mine, theirs in zip(rebuilt.notebook["cells"], work.cells, strict=True):
        assert mine["source"] == theirs.source
        assert mine["metadata"].get("nbgrader") == theirs.metadata.get("nbgrader")
    graded = {c.id for c in work.cells if "nbgrader" in c.metadata}
    assert set(rebuilt.given) == {c.id for c in work.cells} - graded


def test_the_cell_for_colab_is_given_and_may_be_missing(classroom: Any, source: Source) -> None:
    """Notebooks that were handed out before it was there are graded like all others."""
    work = classroom.work(*classroom.todos)
    code = {c.id: c.source for c in work.cells if c.cell_type == "code"}
    assert "colab" in remade(work, source).given
    others = [text for name, text in code.items() if name != "colab"]
    assert needed({"colab": code["colab"]}, others, []) == set()
    work.cells = [c for c in work.cells if c.id != "colab"]
    rebuilt = remade(work, source)
    assert rebuilt.flags == ()
    assert "colab" not in cells_of(rebuilt)


def test_a_deleted_cell_with_the_imports_is_remembered(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos)
    imports = next(c for c in work.cells if "import torch\n" in c.source)
    assert remade(work, source).lost == {}
    work.cells = [c for c in work.cells if c is not imports]
    assert remade(work, source).lost == {imports.id: imports.source}
    own = "import torch\ndef f(x): return nn.ReLU()(torch.sin(x))"
    lost = {imports.id: imports.source}
    assert needed({}, [own], [], lost) == {imports.id}
    assert needed({}, [own + "\nfrom torch import nn"], [], lost) == set()
    assert needed({}, [own + "\nfrom torch import *"], [], lost) == set()


def test_an_edited_given_cell_is_not_trusted(classroom: Any, source: Source) -> None:
    work = classroom.work()
    assert remade(work, source).unchanged == remade(work, source).given
    imports = next(c for c in work.cells if "import torch\n" in c.source)
    imports.source += "\nimport math"
    rebuilt = remade(work, source)
    assert set(rebuilt.given) - set(rebuilt.unchanged) == {imports.id}


def test_a_locked_cell_is_restored(classroom: Any, source: Source) -> None:
    work = classroom.work()
    cell(work, CHECK).source = "print('all is well')"
    cell(work, CHECK).metadata.nbgrader.points = 100
    cell(work, CHECK).metadata.nbgrader.locked = False
    rebuilt = remade(work, source)
    restored = cell(rebuilt.notebook, CHECK)
    assert restored["source"] == "check_numerical_gradient(numerical_gradient)"
    assert restored["metadata"]["nbgrader"]["points"] == 1
    assert rebuilt.flags == (
        "The locked cell check_numerical_gradient was changed; its own text counts.",
    )


def test_metadata_of_the_submission_do_not_count(classroom: Any, source: Source) -> None:
    work = classroom.work()
    work.metadata = {"kernelspec": {"name": "bash"}, "widgets": {"x": "<script>"}}
    todo = cell(work, "todo-0-1")
    todo.metadata.nbgrader.update(grade=True, points=50, solution=False)
    todo.metadata.tags = ["x onload=steal()"]
    todo.outputs = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    rebuilt = remade(work, source)
    assert rebuilt.notebook["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    mine = cell(rebuilt.notebook, "todo-0-1")
    assert mine["outputs"] == []
    assert mine["metadata"].keys() == {"deletable", "nbgrader"}
    assert "points" not in mine["metadata"]["nbgrader"]
    assert not mine["metadata"]["nbgrader"]["grade"]


def test_missing_cells_come_back_in_order(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos)
    gone = {CHECK, "todo-0-2", OTHER_CHECK, classroom.question}
    work.cells = [c for c in work.cells if c.id not in gone]
    rebuilt = remade(work, source)
    names = cells_of(rebuilt)
    at = names.index("todo-0-1")
    assert names[at : at + 5] == [
        *("todo-0-1", CHECK, "todo-0-2", OTHER_CHECK),
        classroom.question,
    ]
    assert (
        cell(rebuilt.notebook, "todo-0-2")["source"] == cell(classroom.release, "todo-0-2").source
    )
    assert rebuilt.flags == (
        "The graded cell check_numerical_gradient was missing; it was added again.",
        "The cell todo-0-2 was missing, so it counts as untouched.",
        "The graded cell check_count_parameters was missing; it was added again.",
        f"The graded cell {classroom.question} was missing; it was added again.",
    )


def test_a_missing_first_cell_comes_before_the_next(classroom: Any, source: Source) -> None:
    work = classroom.work()
    work.cells = [c for c in work.cells if c.id != "todo-0-1"]
    names = cells_of(remade(work, source))
    assert names.index("todo-0-1") == names.index(CHECK) - 1


def test_of_two_the_last_counts_and_the_order_is_kept(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos)
    copy = nbformat.from_dict(json.loads(json.dumps(cell(work, "todo-0-1"))))
    copy.source = "# TODO 0.1: another try"
    work.cells.append(copy)
    rebuilt = remade(work, source)
    first, last = (c for c in rebuilt.notebook["cells"] if "# TODO 0.1:" in c["source"])
    assert (first["id"], first["metadata"]) == (f"extra-{cells_of(rebuilt).index(first['id'])}", {})
    assert last["id"] == "todo-0-1"
    assert last["source"] == "# TODO 0.1: another try"
    assert rebuilt.flags == ("The cell todo-0-1 stands there twice; the last one counts.",)


@pytest.mark.parametrize("kept", ["id", "text"])
def test_stripped_marks_are_found_again(classroom: Any, source: Source, kept: str) -> None:
    work = classroom.work(*classroom.todos, answer="Rounding.")
    for number, one in enumerate(work.cells):
        one.metadata = {}
        if kept == "text":
            one.id = f"renamed-{number}"
    rebuilt = remade(work, source)
    names = {"id": ("todo-0-1, check_numerical_gradient, todo-0-2 and 2 more", "ids")}
    which, found = names.get(kept, ("todo-0-1, todo-0-2", "first lines"))
    lost = f"The cells {which} had lost nbgrader's marks; they were recognised by their {found}."
    assert rebuilt.flags[0] == lost
    assert cell(rebuilt.notebook, "todo-0-1")["source"] == classroom.solutions["todo-0-1"]
    assert cell(rebuilt.notebook, classroom.question)["source"] == "Rounding."
    assert rebuilt.recognised == 5


def test_an_answer_in_words_is_not_taken_for_the_text_below_it(
    classroom: Any, source: Source
) -> None:
    work = classroom.work(answer="Rounding.")
    work.cells = [one for one in work.cells if one.id != classroom.question]
    for number, one in enumerate(work.cells):
        one.metadata, one.id = {}, f"renamed-{number}"
    rebuilt = remade(work, source)
    assert f"The graded cell {classroom.question} was missing; it was added again." in rebuilt.flags
    assert rebuilt.recognised == 4


def test_kinds_of_cells_are_restored(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos, answer="x")
    for name in ("todo-0-1", CHECK):
        changed = cell(work, name)
        changed.cell_type = "markdown"
        del changed["outputs"], changed["execution_count"]
    cell(work, classroom.question).cell_type = "raw"
    rebuilt = remade(work, source)
    kinds = [cell(rebuilt.notebook, n)["cell_type"] for n in ("todo-0-1", CHECK)]
    assert kinds == ["code", "code"]
    assert cell(rebuilt.notebook, classroom.question)["cell_type"] == "markdown"
    assert len(rebuilt.flags) == 3
    assert "was turned from code into markdown; it was turned back" in rebuilt.flags[0]


def test_a_students_own_cells_stay(classroom: Any, source: Source) -> None:
    work = classroom.work(*classroom.todos)
    own = [
        {"cell_type": "code", "id": "mine", "metadata": {}, "source": "helper = 1"},
        {"cell_type": "raw", "id": "../../x", "metadata": {}, "source": "<script>"},
        {"cell_type": "code", "id": "todo-0-1", "metadata": {}, "source": "again = 1"},
        {"cell_type": "code", "id": "mine", "metadata": {}, "source": "twice = 1"},
    ]
    plain = json.loads(json.dumps(work))
    plain["cells"] = own + plain["cells"]
    rebuilt = remade(plain, source)
    assert cells_of(rebuilt)[:4] == ["mine", "extra-1", "extra-2", "extra-3"]
    assert [c["source"] for c in rebuilt.notebook["cells"][:4]] == [
        *("helper = 1", "```\n<script>\n```", "again = 1", "twice = 1"),
    ]
    assert not {"mine", "extra-1", "extra-2", "extra-3"} & set(rebuilt.given)


def test_pictures_stay_and_other_attachments_go(classroom: Any, source: Source) -> None:
    png = "iVBORw0KGgoAAAANSUhEUg=="
    work = classroom.work(answer="![a](attachment:a.png)")
    cell(work, classroom.question).attachments = {
        "a.png": {"image/png": png, "text/html": "<script>"},
        "b.svg": {"image/svg+xml": "<svg onload=steal()>"},
        "c.png": {"image/png": "PHNjcmlwdD4="},
    }
    rebuilt = remade(work, source)
    assert cell(rebuilt.notebook, classroom.question)["attachments"] == {
        "a.png": {"image/png": png}
    }
    assert rebuilt.flags == ()


def test_another_lessons_notebook_is_refused(source: Source) -> None:
    other = {"nbformat": 4, "cells": [{"cell_type": "code", "source": "x = 1"}]}
    with pytest.raises(CannotGrade, match="probably the notebook of another lesson"):
        remade(other, source)
    with pytest.raises(CannotGrade, match="probably the notebook of another lesson"):
        remade({"nbformat": 4, "cells": []}, source)


def test_without_a_release_nothing_is_given(classroom: Any, course: Course, source: Source) -> None:
    (classroom.folder / "notebooks" / classroom.lesson / f"{classroom.notebook}.ipynb").unlink()
    bare = read_source(course, classroom.lesson)
    assert bare.cells == source.cells
    assert bare.ids == source.ids
    rebuilt = remade(classroom.work(*classroom.todos), bare)
    assert rebuilt.given == ()
    assert rebuilt.flags == ()


def shuffle(cells: list[Any], dice: random.Random) -> None:
    for kind in dice.choices(["drop", "double", "move", "change", "type"], k=3):
        i, j = dice.randrange(len(cells)), dice.randrange(len(cells))
        if kind == "drop":
            del cells[i]
        elif kind == "double":
            cells.insert(j, json.loads(json.dumps(cells[i])))
        elif kind == "move":
            cells.insert(j, cells.pop(i))
        elif kind == "change":
            cells[i]["source"] = "changed"
        else:
            cells[i]["metadata"].get("nbgrader", {})["points"] = 7


@pytest.mark.parametrize("seed", range(8))
def test_what_is_there_is_treated_as_nbgrader_does(
    classroom: Any, course: Course, source: Source, seed: int
) -> None:
    """Cells dropped, doubled, moved and changed at random: beside the cells that were added again,
    the notebook has the cells that nbgrader's own preprocessors leave, in their order."""
    work = json.loads(json.dumps(classroom.work(*classroom.todos)))
    dice = random.Random(seed)
    shuffle(work["cells"], dice)
    rebuilt = remade(work, source)
    stock = nbformat.from_dict(json.loads(json.dumps(work)))
    names = {
        "student": "ada",
        "assignment": source.assignment,
        "notebook": source.notebook,
        "db_url": course.db_url,
    }
    steps: list[Callable[[], Any]] = [DeduplicateIds, OverwriteCells]
    for step in steps:
        stock, _ = step().preprocess(stock, {"nbgrader": names})

    def marked(cells: list[Any]) -> list[tuple[str, str, Any]]:
        plain = [(c["source"], c["metadata"].get("nbgrader", {})) for c in cells]
        return [(text, marks.get("grade_id", ""), marks.get("points")) for text, marks in plain]

    added = {f.split()[3] for f in rebuilt.flags if f.startswith("The graded cell")}
    added |= {f.split()[2] for f in rebuilt.flags if "counts as untouched" in f}
    mine = [one for one in marked(rebuilt.notebook["cells"]) if one[1] not in added]
    theirs = [
        (t, g, p if g.startswith(("check", "q")) else None) for t, g, p in marked(stock.cells)
    ]
    assert mine == theirs


def test_the_course_is_read_from_the_gradebook(source: Source) -> None:
    assert [one.grade_id for one in source.cells] == [
        *("todo-0-1", "check_numerical_gradient", "todo-0-2", "check_count_parameters"),
        "question-numerical-gradient",
    ]
    assert [one.points for one in source.cells] == [None, 1, None, 1, 2]


def test_a_check_that_is_none_of_the_course(classroom: Any, course: Course) -> None:
    with classroom.gradebook() as gradebook:
        found = gradebook.find_source_cell(
            "check_count_parameters", classroom.notebook, classroom.lesson
        )
        found.source = "assert count_parameters(model) == 4"
        gradebook.db.commit()
    with pytest.raises(CannotStart, match="'check_count_parameters' of 00_start_here calls none"):
        read_source(course, classroom.lesson)


def test_no_gradebook_and_no_assignment(classroom: Any, course: Course) -> None:
    with pytest.raises(CannotStart, match="no assignment 'x'"):
        read_source(course, "x")
    (classroom.folder / "gradebook.db").unlink()
    with pytest.raises(CannotStart, match="There is no gradebook"):
        read_source(course, classroom.lesson)
    assert not (classroom.folder / "gradebook.db").exists()
    (classroom.folder / "gradebook.db").write_bytes(b"no database" * 100)
    with pytest.raises(CannotStart, match="The gradebook cannot be read: file is not a database"):
        read_source(course, classroom.lesson)
