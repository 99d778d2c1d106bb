"""Checks of lesson 09: the residual block, the training's settings, and the capstone itself."""

from helpers.checks.capstone.block import BASIC_BLOCK, check_basic_block
from helpers.checks.capstone.settings import CONFIGURE_TRAINING, check_configure_training
from helpers.checks.capstone.training import CAPSTONE, check_capstone

CHECKS = (BASIC_BLOCK, CONFIGURE_TRAINING, CAPSTONE)

__all__ = ["CHECKS", "check_basic_block", "check_capstone", "check_configure_training"]
