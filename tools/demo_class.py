"""`make demo-class`: a class of 60 with known true scores, graded, checked and reported.

python tools/demo_class.py [--students 60] [--lesson 1] [--folder build/demo-class] [--open]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from helpers.course import Lesson, lesson
from helpers.grading.sample_class import Submission, a_class

ROOT = Path(__file__).resolve().parent.parent


def make_course(folder: Path, of: Lesson) -> None:
    """A course folder in which the lesson has been generated, as an instructor does it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    shutil.copytree(ROOT / "solutions" / of.folder, folder / "solutions" / of.folder)
    run([sys.executable, "-m", "nbgrader", "generate_assignment", of.folder], folder)


def run(command: list[str], folder: Path) -> None:
    """Run a command in the course folder, and show what it says only if it fails."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    environment = {**os.environ, "PATH": path, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def hand_in(folder: Path, of: Lesson, students: int) -> list[Submission]:
    """Lay a class into submitted/; the answer says what each student deserves."""
    release = folder / "notebooks" / of.folder / f"{of.slug}.ipynb"
    notebook = json.loads(release.read_text(encoding="utf-8"))
    submissions = list(a_class(of, notebook, students))
    for one in submissions:
        one.write(folder / "submitted" / one.student / of.folder, of.slug)
    return submissions


def true_and_given(folder: Path, of: Lesson, submissions: list[Submission]) -> list[str]:
    """A sentence for each grade that is not the true one."""
    from nbgrader.api import Gradebook

    wrong: list[str] = []
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "pytorch-course") as gradebook:
        for one in submissions:
            (notebook,) = gradebook.find_submission(of.folder, one.student).notebooks
            for grade in notebook.grades:
                true = one.points.get(grade.name)
                if true is not None and grade.auto_score != true:
                    wrong.append(f"{one.student}, {grade.name}: {grade.auto_score}, not {true}.")
    return wrong


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--students", type=int, default=60)
    options.add_argument("--lesson", type=int, default=1)
    options.add_argument("--folder", type=Path, default=ROOT / "build" / "demo-class")
    options.add_argument("--open", action="store_true", help="open the report in a browser")
    chosen = options.parse_args()
    of, folder = lesson(chosen.lesson), chosen.folder.resolve()
    print(f"Making a course with lesson {of.number:02d} in {folder} ...", flush=True)
    make_course(folder, of)
    submissions = hand_in(folder, of, chosen.students)
    print(f"{len(submissions)} students have handed in. Grading them ...", flush=True)
    course = [sys.executable, "-m", "helpers.cli"]
    start = time.perf_counter()
    run([*course, "grade", of.folder, "--feedback"], folder)
    print(f"Graded in {time.perf_counter() - start:.0f} seconds.", flush=True)
    wrong = true_and_given(folder, of, submissions)
    if wrong:
        sys.exit("\n".join(["Some scores are not the true ones:", *wrong]))
    print("Every score is the true one.")
    run([*course, "report", of.folder, *(["--open"] if chosen.open else [])], folder)
    print(f"The class: {folder / 'reports' / of.folder}.html")
    print(f"To grade by hand: cd {folder} && jupyter lab, then Nbgrader > Formgrader.")


if __name__ == "__main__":
    main()
