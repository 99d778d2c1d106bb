"""Checks of lesson 02: a deep network, its gradients by layer, and what keeps them alive."""

from helpers.checks.vanishing_gradients.by_layer import (
    GRADIENT_MAGNITUDE,
    check_gradient_magnitude_by_layer,
)
from helpers.checks.vanishing_gradients.clipping import CLIPPING, check_clip_gradient_norm
from helpers.checks.vanishing_gradients.initialization import (
    INITIALIZATION,
    check_initialization,
)
from helpers.checks.vanishing_gradients.network import NETWORK, check_network
from helpers.checks.vanishing_gradients.residual import RESIDUAL_BLOCK, check_residual_block

CHECKS = (NETWORK, GRADIENT_MAGNITUDE, INITIALIZATION, RESIDUAL_BLOCK, CLIPPING)

__all__ = [
    "CHECKS",
    "check_clip_gradient_norm",
    "check_gradient_magnitude_by_layer",
    "check_initialization",
    "check_network",
    "check_residual_block",
]
