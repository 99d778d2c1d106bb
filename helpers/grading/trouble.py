"""What can go wrong around grading; each message stands alone and names the repair."""

from __future__ import annotations


class CannotStart(Exception):
    """Nothing can be graded before something is put right."""


class CannotGrade(Exception):
    """This submission has no grade; the others are not concerned."""


class Stopped(Exception):
    """The run cannot go on. What was examined is kept; the same command continues."""
