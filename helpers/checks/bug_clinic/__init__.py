"""Checks of lesson 10: twelve programs, each with a real defect to find and to repair."""

from helpers.checks.bug_clinic.face import CHECKS, check_bug_clinic

__all__ = ["CHECKS", "check_bug_clinic"]
