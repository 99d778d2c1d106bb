"""Checks of lesson 07: mixed and covered images, soft targets and their loss, early stopping."""

from helpers.checks.mixup_and_cutout.images import CUTOUT, MIXUP, check_cutout, check_mixup
from helpers.checks.mixup_and_cutout.stopping import EARLY_STOPPING, check_early_stopping
from helpers.checks.mixup_and_cutout.targets import (
    SMOOTH_LABELS,
    SOFT_CROSS_ENTROPY,
    check_smooth_labels,
    check_soft_cross_entropy,
)

CHECKS = (MIXUP, CUTOUT, SMOOTH_LABELS, SOFT_CROSS_ENTROPY, EARLY_STOPPING)

__all__ = [
    "CHECKS",
    "check_cutout",
    "check_early_stopping",
    "check_mixup",
    "check_smooth_labels",
    "check_soft_cross_entropy",
]
