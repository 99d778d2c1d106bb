"""The three textbook functions: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch

from helpers.answers.activation_functions import relu, sigmoid, tanh
from helpers.answers.activation_functions.formulas import (
    Activation,
    HandReLU,
    HandSigmoid,
    HandTanh,
    ReLU,
    Sigmoid,
    Tanh,
    activation,
    by_autograd,
    in_float64,
    module,
    of,
    prefixed,
    relu_by_where,
    relu_slope,
    tanh_slope,
    textbook_sigmoid,
    textbook_tanh,
)
from helpers.checking.recipe import Answers, Recipe

takes, gives = Activation.takes, Activation.gives
at, gives_slope = Activation.at, Activation.gives_slope
sigmoid_by_exp, tanh_by_exp = of(textbook_sigmoid), of(textbook_tanh)


def three(
    relu_value: Any = HandReLU.value,
    relu_slope: Any = HandReLU.slope,
    relu_takes: Any = takes,
    relu_gives: Any = gives,
    relu_at: Any = at,
    relu_gives_slope: Any = gives_slope,
    sigmoid_value: Any = sigmoid_by_exp,
    sigmoid_slope: Any = HandSigmoid.slope,
    sigmoid_takes: Any = takes,
    sigmoid_gives: Any = gives,
    sigmoid_at: Any = at,
    sigmoid_gives_slope: Any = gives_slope,
    tanh_value: Any = tanh_by_exp,
    tanh_slope: Any = HandTanh.slope,
    tanh_takes: Any = takes,
    tanh_gives: Any = gives,
    tanh_at: Any = at,
    tanh_gives_slope: Any = gives_slope,
) -> tuple[type, ...]:
    """MyReLU, MySigmoid and MyTanh from their parts."""
    parts = dict(locals())
    return tuple(
        type(
            name,
            (Activation,),
            {
                part.removeprefix(f"{name}_"): p
                for part, p in parts.items()
                if part.startswith(name)
            },
        )
        for name in ("relu", "sigmoid", "tanh")
    )


def hand_three(**others: Any) -> tuple[Any, ...]:
    """The three right classes, some of them written differently."""
    return tuple(
        others.get(name, cls)
        for name, cls in zip(("relu", "sigmoid", "tanh"), three(), strict=True)
    )


UNSEEN = ("cut-off", "through-numpy")
"""The textbook check asks for no gradient."""

TEXTBOOK_MODULES = (
    module(lambda self, x: torch.clamp(x, min=0), lambda self, x: (x > 0).to(x.dtype)),
    module(lambda self, x: 1 / (1 + torch.exp(-x)), lambda self, x: self(x) * (1 - self(x))),
    module(
        lambda self, x: (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x)),
        lambda self, x: 1 - self(x) ** 2,
    ),
)

ANSWERS = Answers(
    recipe=Recipe(three),
    reference=(ReLU, Sigmoid, Tanh),
    variants={
        "as a textbook prints it: three modules": TEXTBOOK_MODULES,
        "as a course prints it: exp(x) over exp(x) plus 1": hand_three(
            sigmoid=module(
                lambda self, x: torch.exp(x) / (torch.exp(x) + 1),
                lambda self, x: torch.exp(-x) / (1 + torch.exp(-x)) ** 2,
            ),
            tanh=module(
                lambda self, x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1),
                lambda self, x: 4 / (torch.exp(x) + torch.exp(-x)) ** 2,
            ),
        ),
        "as a library has it: sinh over cosh": hand_three(
            tanh=module(
                lambda self, x: torch.sinh(x) / torch.cosh(x),
                lambda self, x: 1 / torch.cosh(x) ** 2,
            )
        ),
        "as a lecture prints it: torch.maximum and torch.exp": hand_three(
            relu=module(
                lambda self, x: torch.maximum(x, torch.zeros_like(x)),
                lambda self, x: torch.where(x > 0, torch.ones_like(x), torch.zeros_like(x)),
            ),
            tanh=module(
                lambda self, x: 1 - 2 / (torch.exp(2 * x) + 1),
                lambda self, x: 1 - self(x) * self(x),
            ),
        ),
        "slopes by autograd": (
            by_autograd(relu_by_where),
            by_autograd(textbook_sigmoid),
            by_autograd(textbook_tanh),
        ),
        "safe far from zero": (HandReLU, HandSigmoid, HandTanh),
        "factories": tuple((lambda c=c: c()) for c in three()),
        "the mean of x and |x|": hand_three(
            relu=activation(lambda x: (x + x.abs()) / 2, relu_slope)
        ),
        "float64 inside": hand_three(tanh=activation(in_float64(textbook_tanh), tanh_slope)),
    },
    slips=(
        *prefixed("relu", "MyReLU", (*relu.SLIPS, *relu.AT_ZERO), UNSEEN),
        *prefixed("sigmoid", "MySigmoid", sigmoid.SLIPS, UNSEEN),
        *prefixed("tanh", "MyTanh", tanh.SLIPS, UNSEEN),
    ),
)
