"""Check of the three textbook functions on [−10, 10]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

BY_HAND = frozenset({"relu", "sigmoid", "special_expit", "tanh"})
"""PyTorch's functions that MyReLU, MySigmoid and MyTanh do without."""


def activation_argument(name: str) -> Argument:
    """A class without arguments whose instances also have `derivative`."""
    return Argument(name, "class", methods=("derivative",))


NAMES = {"ReLU": "MyReLU", "sigmoid": "MySigmoid", "tanh": "MyTanh"}


def _textbook_cases(rng: torch.Generator) -> Iterator[Case]:
    yield Case("three numbers", x=torch.tensor([-1.0, 0.5, 2.0]))
    yield Case("from −10 to 10", x=torch.linspace(-10, 10, 200))
    yield Case("a matrix", x=torch.randn(4, 3, generator=rng))
    yield Case("a batch in float64", x=torch.randn(2, 3, 2, generator=rng, dtype=torch.float64))
    yield Case("at zero, where ReLU has a corner", x=torch.zeros(1)).beyond()


def _observe_textbook(implementations: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for name, make in zip(NAMES, implementations, strict=True):
        x, for_derivative = case.fresh().x, case.fresh().x
        activation = make()
        yield f"{name} value", activation(x)
        yield f"{name} derivative", activation.derivative(for_derivative)
        yield f"{name} x afterwards", torch.stack([x, for_derivative])
        yield f"{name} derivative elsewhere", activation.derivative(0.5 - case.fresh().x)


def _textbook_aspects() -> dict[str, Aspect]:
    aspects = {}
    for name, cls in NAMES.items():
        aspects[f"{name} value"] = Aspect(
            f"{cls}()({{x}})", f"The value of {cls} is wrong.", input="x"
        )
        aspects[f"{name} derivative"] = Aspect(
            f"{cls}().derivative({{x}})", f"The derivative of {cls} is wrong.", input="x"
        )
        aspects[f"{name} x afterwards"] = Aspect(
            f"{cls}()({{x}}), {cls}().derivative({{x}}), and then x", f"Your {cls} changed x."
        )
        aspects[f"{name} derivative elsewhere"] = Aspect(
            f"f = {cls}(); f({{x}}), and then f.derivative(0.5 - {{x}})",
            f"The derivative of {cls} is wrong after a call with another x.",
        )
    return aspects


def _draw_textbook(implementations: Any) -> tuple[Any, str]:
    """Value and derivative of the three functions, yours over PyTorch's."""
    from helpers.answers.activation_functions.formulas import ReLU, Sigmoid, Tanh
    from helpers.plotting import COLORS, new_figure

    x = torch.linspace(-10, 10, 401)
    figure, axes = new_figure(columns=3, width=10, height=3.2)
    for panel, name, mine, right in zip(
        axes, NAMES.values(), implementations, (ReLU, Sigmoid, Tanh), strict=True
    ):
        for what, color in (("value", COLORS[0]), ("derivative", COLORS[1])):
            get = (lambda a: a(x)) if what == "value" else (lambda a: a.derivative(x))
            panel.plot(x, get(right()), color=color, linewidth=5, alpha=0.3)
            panel.plot(x, get(mine()).detach(), color=color, linewidth=1.5, label=what,
                       linestyle="-" if what == "value" else "--")  # fmt: skip
        panel.set(title=name, xlabel="x")
        panel.legend()
    alt = (
        "Three panels with your ReLU, sigmoid and tanh and their derivatives from −10 to 10, "
        "drawn as thin lines over broad pale lines, which are the expected functions."
    )
    return figure, alt


ACTIVATION_FUNCTION = Check(
    name="check_activation_function",
    lesson="activation_functions",
    topic="activation functions",
    takes=(
        activation_argument("MyReLU"),
        activation_argument("MySigmoid"),
        activation_argument("MyTanh"),
    ),
    cases=_textbook_cases,
    observe=_observe_textbook,
    aspects=_textbook_aspects(),
    praise="values and derivatives are right on [−10, 10]. Next comes what breaks outside.",
    reread="Three functions and their slopes",
    forbidden=BY_HAND,
    picture=_draw_textbook,
)


def check_activation_function(MyReLU: Any, MySigmoid: Any, MyTanh: Any) -> None:
    """Check values and derivatives of the three classes on [−10, 10], and draw both.

    Each is a class without arguments whose instance is called with a vector, a matrix or a batch,
    in float32 or float64, and has a method `derivative(x)`; both return a new tensor of the shape
    and dtype of x. PyTorch's own relu, sigmoid and tanh may not be called.

    Raises:
        NotAttempted: a stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandReLU, HandSigmoid, HandTanh
    >>> check_activation_function(HandReLU, HandSigmoid, HandTanh)  # doctest: +ELLIPSIS
    ✓ activation functions — values and derivatives are right on [−10, 10]. ...
    """
    run_check(ACTIVATION_FUNCTION, MyReLU, MySigmoid, MyTanh)
