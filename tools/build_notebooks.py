"""Builds every derived notebook from its source; `make notebooks` runs this.

    solutions/NN_slug/slug.py      the hand-edited source, in jupytext's py:percent form
    solutions/NN_slug/slug.ipynb   nbgrader's source notebook, made here
    notebooks/NN_slug/slug.ipynb   the students' notebook, made by nbgrader from that

    solutions/name.py              a page without TODOs, in the same form
    notebooks/name.ipynb           the page as a notebook, made here

In the source a cell says what it is: `todo="1.2"` for what the student writes,
`check="check_relu"` for the graded check below it, `question="..."` for the model answer to a
thinking question. Points and ids come from `helpers.course`. The header and the footer of each
notebook, with minutes, points and navigation, come from there too, and so does the table of all
lessons, which replaces the line `<!-- table of lessons -->`.

Below the header stands the cell that installs the course in Google Colab: `tools/colab_cell.py`, with
the address of the repository that pyproject.toml names.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from helpers.course import LESSONS, Lesson, lessons_table, todo_of

# One process for all assignments: starting nbgrader takes longer than generating one of them.
GENERATE = """
import sys
from nbgrader.apps import NbGrader, NbGraderAPI
application = NbGrader()
application.load_config_file()
api = NbGraderAPI(config=application.config)
for name in sys.argv[1:]:
    result = api.generate_assignment(name, force=True)
    if not result["success"]:
        sys.exit(name + ": " + result.get("error", "") + result.get("log", ""))
"""

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("conventions",)
"""Pages beside the lessons: nothing in them is graded, so nbgrader does not see them."""
TABLE = "<!-- table of lessons -->"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def header(lesson: Lesson) -> str:
    """The first cell of a notebook."""
    return (
        f"# {lesson.number:02d} · {lesson.title}\n\n"
        "| Time | Difficulty | Importance | Points |\n|---|---|---|---|\n"
        f"| {lesson.minutes} minutes | {lesson.difficulty} | {lesson.importance} "
        f"| {lesson.points:g} |\n\n"
        f"**You need:** {lesson.needs}"
    )


def footer(lesson: Lesson) -> str:
    """The last cell of a notebook: where to go from here."""
    position = LESSONS.index(lesson)
    links = []
    for name, neighbours in (
        ("Previous lesson", LESSONS[max(0, position - 1) : position]),
        ("Next lesson", LESSONS[position + 1 : position + 2]),
    ):
        for other in neighbours:
            where = f"../{other.folder}/{other.slug}.ipynb"
            links.append(f"**{name}:** [{other.number:02d} · {other.title}]({where})")
    pages = "[the conventions](../conventions.ipynb) · [the glossary](../../docs/glossary.md)"
    return "---\n\n" + " &nbsp; ".join([*links, f"**Look up:** {pages}"])


def colab_cell() -> Any:
    """The cell that installs the course in Google Colab, folded away where notebooks are shown."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project.get("urls", {}).get("Repository", "")
    code = (ROOT / "tools" / "colab_cell.py").read_text(encoding="utf-8").rstrip()
    return nbformat.v4.new_code_cell(
        code.replace('COURSE = ""', f'COURSE = "{address}"'),
        id="colab",
        metadata={
            "cellView": "form",  # Colab
            "jupyter": {"source_hidden": True},  # JupyterLab and Visual Studio Code
            "tags": ["remove-cell"],  # the web site
        },
    )


def solution_notebook(lesson: Lesson, source: Path) -> Any:
    """nbgrader's source notebook from a lesson's source file."""
    notebook = jupytext.read(source, fmt="py:percent")
    first = nbformat.v4.new_markdown_cell(header(lesson))
    last = nbformat.v4.new_markdown_cell(footer(lesson))
    for cell in notebook.cells:
        cell.source = cell.source.replace(TABLE, lessons_table("../"))
    notebook.cells = [first, *notebook.cells, last]
    finished = _finished(notebook, lesson)
    finished.cells.insert(1, colab_cell())
    return finished


def page_notebook(source: Path) -> Any:
    """The notebook of a page without TODOs from its source file."""
    return _finished(jupytext.read(source, fmt="py:percent"))


def _finished(notebook: Any, lesson: Lesson | None = None) -> Any:
    """The notebook with ids that do not change, its roles for nbgrader, and no outputs."""
    for position, cell in enumerate(notebook.cells):
        settings = dict(cell.metadata)
        cell.metadata = {}
        if "tags" in settings:
            cell.metadata["tags"] = settings["tags"]
        role = _role(lesson, settings) if lesson else {}
        cell["id"] = role.get("grade_id", f"cell-{position:03d}").replace("_", "-")[:64]
        if role:
            cell.metadata["nbgrader"] = {"schema_version": 3, **role}
        if cell.cell_type == "code":
            cell["outputs"], cell["execution_count"] = [], None
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    nbformat.validate(notebook)
    return notebook


def _role(lesson: Lesson, settings: dict[str, Any]) -> dict[str, Any]:
    """A cell's metadata for nbgrader, from what the source says about it."""
    if "todo" in settings:
        name = f"todo-{settings['todo'].replace('.', '-')}"
        return {"grade_id": name, "grade": False, "solution": True, "locked": False, "task": False}
    if "check" in settings:
        todo = todo_of(settings["check"])
        return {
            "grade_id": todo.check,
            "points": todo.points,
            "grade": True,
            "solution": False,
            "locked": True,
            "task": False,
        }
    if "question" in settings:
        return {
            "grade_id": f"question-{settings['question']}",
            "points": settings.get("points", lesson.question_points),
            "grade": True,
            "solution": True,
            "locked": False,
            "task": False,
        }
    return {}


def build(lessons: list[Lesson], pages: list[str], target: Path) -> list[Path]:
    """Write the notebooks of these lessons and pages below `target`; return them, relative to it."""
    made = []
    for page in pages:
        written = Path("notebooks") / f"{page}.ipynb"
        (target / written).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(page_notebook(ROOT / "solutions" / f"{page}.py"), target / written)
        made.append(written)
    for lesson in lessons:
        source = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
        written = Path("solutions") / lesson.folder / f"{lesson.slug}.ipynb"
        (target / written).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(solution_notebook(lesson, source), target / written)
        made.append(written)
    _generate([lesson.folder for lesson in lessons], target)
    made += [Path("notebooks") / lesson.folder / f"{lesson.slug}.ipynb" for lesson in lessons]
    return made


def _generate(folders: list[str], target: Path) -> None:
    """Let nbgrader make the students' notebooks, in a course folder that is thrown away."""
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(ROOT / "nbgrader_config.py", scratch)
        for folder in folders:
            shutil.copytree(target / "solutions" / folder, Path(scratch, "solutions", folder))
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        result = subprocess.run(
            [sys.executable, "-c", GENERATE, *folders],
            cwd=scratch,
            env={**os.environ, "PATH": path},  # nbgrader finds alembic by PATH
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise SystemExit(f"nbgrader could not generate the notebooks:\n{result.stderr}")
        for folder in folders:
            for file in Path(scratch, "notebooks", folder).rglob("*.ipynb"):
                place = target / "notebooks" / folder / file.name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)


def stale(lessons: list[Lesson], pages: list[str]) -> list[Path]:
    """The committed notebooks that differ from what their sources give."""
    with tempfile.TemporaryDirectory() as fresh:
        made = build(lessons, pages, Path(fresh))
        return [
            file
            for file in made
            if not (ROOT / file).is_file()
            or not filecmp.cmp(Path(fresh, file), ROOT / file, shallow=False)
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lesson", nargs="*", help="slugs, folders or pages; all when left out")
    parser.add_argument("--check", action="store_true", help="fail when a notebook is stale")
    arguments = parser.parse_args()
    lessons = [
        lesson
        for lesson in LESSONS
        if not arguments.lesson or {lesson.slug, lesson.folder} & set(arguments.lesson)
    ]
    pages = [page for page in PAGES if not arguments.lesson or page in arguments.lesson]
    if arguments.check:
        old = stale(lessons, pages)
        if old:
            names = "\n".join(f"  {file}" for file in old)
            raise SystemExit(f"These notebooks are stale. Run `make notebooks`.\n{names}")
        return
    for file in build(lessons, pages, ROOT):
        print(f"wrote {file}")


if __name__ == "__main__":
    main()
