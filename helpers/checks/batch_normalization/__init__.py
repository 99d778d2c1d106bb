"""Checks of lesson 06: batch normalisation by hand and as modules, LayerNorm, and folding."""

from helpers.checks.batch_normalization.by_hand import (
    BATCHNORM_BACKWARD,
    BATCHNORM_FORWARD,
    check_batchnorm_backward,
    check_batchnorm_forward,
)
from helpers.checks.batch_normalization.folding import FOLD, check_fold_batchnorm
from helpers.checks.batch_normalization.layer_norm import LAYER_NORM, check_layer_norm
from helpers.checks.batch_normalization.layers import (
    BATCHNORM1D,
    BATCHNORM2D,
    check_batchnorm1d,
    check_batchnorm2d,
)

CHECKS = (BATCHNORM_FORWARD, BATCHNORM_BACKWARD, BATCHNORM1D, BATCHNORM2D, LAYER_NORM, FOLD)

__all__ = [
    "CHECKS",
    "check_batchnorm1d",
    "check_batchnorm2d",
    "check_batchnorm_backward",
    "check_batchnorm_forward",
    "check_fold_batchnorm",
    "check_layer_norm",
]
