"""Checks of lesson 06: batch normalisation by hand and as modules, LayerNorm, and folding."""

from helpers.checks.batch_normalization.by_hand import (
    BATCHNORM_BACKWARD,
    BATCHNORM_FORWARD,
    check_batchnorm_backward,
    check_batchnorm_forward,
)

CHECKS = (BATCHNORM_FORWARD, BATCHNORM_BACKWARD)
