"""The engine of checks: cases → observation → comparison → diagnosis → message.

Read in this order: `check` (what a check is made of), `case` (inputs as data), `recipe` (right
answers made of parts, and slips), `guard` and `observing` (using a student's code safely),
`compare` and `comparing` (what differs), `known` and `diagnosing` (which slips explain it),
`general` (what exceptions mean in every exercise), `relations` (what can be said of two results), `judging` (all of these: the verdict), `report`
and `texts` (what to say), `running` (everything, for one cell of a notebook).
"""

from helpers.checking.case import Case
from helpers.checking.check import Argument, Aspect, Check, Grade
from helpers.checking.errors import CheckFailed, NotAttempted
from helpers.checking.observing import outcome_of
from helpers.checking.recipe import Answers, Recipe, Slip, family, slip
from helpers.checking.running import run_check, uses_your_code

__all__ = [
    "Answers",
    "Argument",
    "Aspect",
    "Case",
    "Check",
    "CheckFailed",
    "Grade",
    "NotAttempted",
    "Recipe",
    "Slip",
    "family",
    "outcome_of",
    "run_check",
    "slip",
    "uses_your_code",
]
