"""Checks of lesson 01: activation functions, their derivatives, and stacks of linear layers."""

from helpers.checks.activation_functions.autograd_function import (
    RELU_AUTOGRAD,
    check_relu_autograd,
)
from helpers.checks.activation_functions.leaky import LEAKY_RELU, check_leaky_relu
from helpers.checks.activation_functions.linear_stack import (
    COLLAPSE,
    check_collapse_linear_layers,
)
from helpers.checks.activation_functions.strict import (
    GELU,
    RELU,
    SIGMOID,
    SILU,
    TANH,
    check_gelu,
    check_relu,
    check_sigmoid,
    check_silu,
    check_tanh,
)
from helpers.checks.activation_functions.textbook import (
    ACTIVATION_FUNCTION,
    check_activation_function,
)

CHECKS = (
    ACTIVATION_FUNCTION,
    RELU,
    SIGMOID,
    TANH,
    LEAKY_RELU,
    GELU,
    SILU,
    RELU_AUTOGRAD,
    COLLAPSE,
)

__all__ = [
    "CHECKS",
    "check_activation_function",
    "check_collapse_linear_layers",
    "check_gelu",
    "check_leaky_relu",
    "check_relu",
    "check_relu_autograd",
    "check_sigmoid",
    "check_silu",
    "check_tanh",
]
