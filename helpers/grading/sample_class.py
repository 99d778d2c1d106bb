"""Makes a class of students whose true scores are known, from the course's own answers.

Each student hands in, for every TODO, a right answer, one with a slip or two, or nothing. The code
comes from ``helpers/answers``: it lies beside the notebook as the student's own files, since the
sandbox hides that package.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import helpers.answers
from helpers.checking.judging import answers_to, judge, observer
from helpers.checking.recipe import can_be_joined, name_of
from helpers.course import Lesson
from helpers.grading.examiner import check_named
from helpers.grading.plan import call_of, source_of

PACKAGE = "mine"
"""Under this name a student's notebook imports the answers."""

TROUBLES = (
    "",
    "print('working on it')\n",
    "import warnings\nwarnings.warn('careful')\n",
    "import sys\nprint('50%|#####     |', file=sys.stderr)\n",
    "%matplotlib inline\n",
    "%time total = sum(range(10))\n",
    "!pip install something\n",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\n",
    "import asyncio\nawait asyncio.sleep(0)\n",
    "try:\n    import tqdm\nexcept ImportError:\n    pass\n",
)
"""What honest students have in their cells beside the answer. None of it may cost a point."""


CAPSTONE = "the lesson's own"
"""Of the right capstones the one that earns all points with every seed; others lie near a tier."""


@dataclass(frozen=True)
class Answer:
    """What a student wrote for one TODO."""

    kind: str
    """``"right"`` (a variant), ``"wrong"`` (one slip or two) or ``"blank"``."""
    name: str = ""
    """The name of the variant, or of the slips in their forms (`name_of`)."""


@dataclass(frozen=True)
class Submission:
    """A notebook with files beside it, and the points that it deserves."""

    student: str
    notebook: dict[str, Any]
    files: dict[str, bytes]
    answers: dict[str, Answer]
    points: dict[str, float]
    """The true points by grade id."""

    @property
    def score(self) -> float:
        return sum(self.points.values())

    def write(self, folder: Path, name: str) -> None:
        """Lay it into ``submitted/<student>/<assignment>/``."""
        for file, content in self.files.items():
            place = folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        text = json.dumps(self.notebook, indent=1, ensure_ascii=False)
        (folder / f"{name}.ipynb").write_text(text + "\n", encoding="utf-8")


PAIRS = 40
"""So many pairs of slips, chosen at random, are among the choices for a check."""


@lru_cache(maxsize=128)
def choices(check: str) -> tuple[Answer, ...]:
    """Every answer that is known for a check, and some with two slips."""
    known = answers_to(check_named(check))
    pairs = [pair for pair in combinations(known.named(), 2) if can_be_joined(*pair)]
    random.Random(check).shuffle(pairs)
    if check_named(check).each_case_alone:
        pairs = []
    slips = [*((named,) for named in known.named()), *pairs[:PAIRS]]
    return (
        *(Answer("right", n) for n in known.variants if check != "check_capstone" or n == CAPSTONE),
        *(Answer("wrong", name_of(one)) for one in slips),
        Answer("blank"),
    )


def submission(
    student: str,
    lesson: Lesson,
    release: Mapping[str, Any],
    answers: Mapping[str, Answer],
    trouble: str = "",
) -> Submission:
    """The notebook of a student who gave these answers, by name of the check."""
    notebook = json.loads(json.dumps(release))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    points: dict[str, float] = {}
    for cell in notebook["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if not marks.get("grade") or marks.get("solution"):
            continue
        check, names = call_of(source_of(cell))
        answer = answers[check]
        points[marks["grade_id"]] = marks["points"] * share_of(check, answer)
        todo = next(t for t in lesson.todos if t.check == check)
        if answer.kind != "blank":
            place = cells["todo-" + todo.number.replace(".", "-")]
            place["source"] = trouble + _code(lesson, check, names, answer)
    return Submission(student, notebook, _files(lesson.slug), dict(answers), points)


@lru_cache(maxsize=4096)
def share_of(check: str, answer: Answer) -> float:
    """The part of the points that an answer deserves: all, if what is wrong is only noted."""
    if answer.kind == "wrong":
        known = answers_to(check_named(check))
        wrong = known.with_slips(*known.called(answer.name))
        one = check_named(check)
        return float(judge(one, observer(one, wrong), patience=0.0).outcome == "passed")
    return 1.0 if answer.kind == "right" else 0.0


def _code(lesson: Lesson, check: str, names: tuple[str, ...], answer: Answer) -> str:
    module = check.removeprefix("check_")
    which = {
        "right": f"ANSWERS.variants[{answer.name!r}]",
        "wrong": f"ANSWERS.with_slips(*ANSWERS.called({answer.name!r}))",
    }[answer.kind]
    return f"from {PACKAGE}.{lesson.slug}.{module} import ANSWERS\n{', '.join(names)} = {which}\n"


@lru_cache(maxsize=16)
def _files(slug: str) -> dict[str, bytes]:
    """The answers of a lesson, and of the lessons from which they borrow, as a package."""
    root = Path(helpers.answers.__file__).parent
    wanted, files = [slug], {f"{PACKAGE}/__init__.py": b""}
    for folder in wanted:
        for file in sorted((root / folder).glob("*.py")):
            text = file.read_text(encoding="utf-8")
            for other in re.findall(r"helpers\.answers\.(\w+)", text):
                if (root / other).is_dir() and other not in wanted:
                    wanted.append(other)
            renamed = text.replace("helpers.answers", PACKAGE)
            files[f"{PACKAGE}/{folder}/{file.name}"] = renamed.encode()
    return files


def a_class(
    lesson: Lesson, release: Mapping[str, Any], size: int, seed: int = 0
) -> Iterator[Submission]:
    """A class of this size: one perfect, one blank, then every known answer in turn, and then
    answers at random. Two thirds of the answers of the later ones are right.
    """
    rng = random.Random(seed)
    checks = [todo.check for todo in lesson.todos]
    known = {check: choices(check) for check in checks}
    for i in range(size):
        if i == 0:
            answers = {check: known[check][0] for check in checks}
        elif i == 1:
            answers = {check: Answer("blank") for check in checks}
        else:
            answers = {check: _pick(known[check], i - 2, rng) for check in checks}
        trouble = TROUBLES[i % len(TROUBLES)]
        yield submission(f"student-{i:03d}", lesson, release, answers, trouble)


def _pick(known: tuple[Answer, ...], position: int, rng: random.Random) -> Answer:
    if position < len(known):
        return known[position]
    right = [a for a in known if a.kind == "right"]
    return rng.choice(right if rng.random() < 2 / 3 else known)
