"""Checks of lesson 05: dropout as a function, in NumPy, as a module, and as a vote of networks."""

from helpers.checks.dropout.layer import DROPOUT_LAYER, check_dropout_layer
from helpers.checks.dropout.mc import MC_DROPOUT, check_mc_dropout
from helpers.checks.dropout.module import DROPOUT_MODULE, check_dropout_module
from helpers.checks.dropout.numpy_layer import NUMPY_DROPOUT, check_numpy_dropout

CHECKS = (DROPOUT_LAYER, NUMPY_DROPOUT, DROPOUT_MODULE, MC_DROPOUT)

__all__ = [
    "CHECKS",
    "check_dropout_layer",
    "check_dropout_module",
    "check_mc_dropout",
    "check_numpy_dropout",
]
