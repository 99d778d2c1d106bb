"""The engine of checks: cases → observation → comparison → diagnosis → message.

Read in this order: `check` (what a check is made of), `case` (inputs as data), `guard` and
`observing` (using a student's code safely), `compare` and `judging` (what differs, and why),
`report` and `texts` (what to say), `running` (all of it, for one cell of a notebook).
"""

from helpers.checking.case import Case
from helpers.checking.check import Answers, Argument, Aspect, Check, Grade, Misconception
from helpers.checking.errors import CheckFailed, NotAttempted
from helpers.checking.observing import outcome_of
from helpers.checking.running import run_check, uses_your_code

__all__ = [
    "Answers",
    "Argument",
    "Aspect",
    "Case",
    "Check",
    "CheckFailed",
    "Grade",
    "Misconception",
    "NotAttempted",
    "outcome_of",
    "run_check",
    "uses_your_code",
]
