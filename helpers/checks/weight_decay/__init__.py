"""Checks of lesson 04: penalties, weight decay, AdamW, the L1 norm's step and ridge regression."""

from helpers.checks.weight_decay.adamw import ADAMW_STEP, check_adamw_step
from helpers.checks.weight_decay.factor import WEIGHT_DECAY_FOR, check_weight_decay_for
from helpers.checks.weight_decay.groups import PARAMETER_GROUPS, check_parameter_groups
from helpers.checks.weight_decay.penalties import PENALTIES, check_penalties
from helpers.checks.weight_decay.ridge import RIDGE_SOLUTION, check_ridge_solution
from helpers.checks.weight_decay.sgd import SGD_STEP, check_sgd_step
from helpers.checks.weight_decay.threshold import SOFT_THRESHOLD, check_soft_threshold

CHECKS = (
    PENALTIES,
    SGD_STEP,
    WEIGHT_DECAY_FOR,
    PARAMETER_GROUPS,
    ADAMW_STEP,
    SOFT_THRESHOLD,
    RIDGE_SOLUTION,
)

__all__ = [
    "CHECKS",
    "check_adamw_step",
    "check_parameter_groups",
    "check_penalties",
    "check_ridge_solution",
    "check_sgd_step",
    "check_soft_threshold",
    "check_weight_decay_for",
]
