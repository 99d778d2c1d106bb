"""Checks of lesson 08: weight norm, power iteration, spectral norm and max norm."""

from helpers.checks.weight_and_spectral_norm.max_norm import MAX_NORM, check_max_norm
from helpers.checks.weight_and_spectral_norm.power import POWER_ITERATION, check_power_iteration
from helpers.checks.weight_and_spectral_norm.spectral import (
    SPECTRAL_NORM_LINEAR,
    check_spectral_norm_linear,
)
from helpers.checks.weight_and_spectral_norm.weight import (
    WEIGHT_NORM_LINEAR,
    check_weight_norm_linear,
)

CHECKS = (WEIGHT_NORM_LINEAR, POWER_ITERATION, SPECTRAL_NORM_LINEAR, MAX_NORM)

__all__ = [
    "CHECKS",
    "check_max_norm",
    "check_power_iteration",
    "check_spectral_norm_linear",
    "check_weight_norm_linear",
]
