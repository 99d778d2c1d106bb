"""What grading says: to students in the feedback, and to instructors in flags. Whole sentences."""

from __future__ import annotations

NAME_MISSING = (
    "✗ The name `{name}` does not exist when this check runs. "
    "The cell that defines it failed, was left out, or stands below the check."
)
NO_ANSWER = "✗ This check was not reached, since the notebook took too long or ended too often."

CELL = {
    "time": "The cell {cell} ran longer than {seconds:.0f} seconds and was left out.",
    "died": "The cell {cell} ended the whole process (memory, exit or a crash) and was left out.",
    "babble": "The cell {cell} broke the connection to the grader and was left out.",
}
CELL_BACK = (
    "The cell {cell} of the release was missing. The student's work uses names from it, so it ran "
    "before all others."
)
CHECK = {
    "time": "✗ {check}: your code did not end in time, also when it was asked to stop.",
    "died": (
        "✗ {check}: your code ended the whole process. It took too much memory, "
        "called exit, or crashed a library."
    ),
    "babble": "✗ {check}: your code changed the tools that the check is made with.",
}
CHECK_FLAG = {
    "time": "During {check} the student's code did not end in time, also when it was stopped.",
    "died": "During {check} the student's code ended the whole process.",
    "babble": "During {check} the sandbox gave an answer that is none: look at this notebook.",
}
NOTEBOOK_TIME = (
    "The notebook took longer than {seconds:.0f} seconds; what was left has no points. "
    "Look for a cell that trains for long."
)
NOT_COMPARABLE = "✗ {check}: your code returned something that cannot be compared."
NOT_COMPARABLE_FLAG = (
    "What the student's code showed during {check} could not be compared ({kind}), "
    "so it has no points: look at this notebook."
)
NEEDS = "The code of this notebook could not be analysed, so every cell of it was run."
FILES = "The files beside the notebook could not be laid out, so the notebook ran without them."
