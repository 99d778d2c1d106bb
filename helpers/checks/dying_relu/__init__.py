"""Checks of lesson 03: zeros and dead units, and the recording of activations by hooks."""

from helpers.checks.dying_relu.fractions import DEAD_FRACTION, check_dead_fraction
from helpers.checks.dying_relu.recording import RECORD_ACTIVATIONS, check_record_activations

CHECKS = (DEAD_FRACTION, RECORD_ACTIVATIONS)

__all__ = ["CHECKS", "check_dead_fraction", "check_record_activations"]
