"""Checks of activation functions to the strict standard, far from zero and at zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Aspect, Case, Check, run_check
from helpers.checks.activation_functions.textbook import BY_HAND, activation_argument


def strict_cases(rng: torch.Generator, **settings: Any) -> Iterator[Case]:
    wide = [-1e4, -1000.0, -750.0, -200.0, -100.0, -89.0, -30.0, -1e-8, -0.0, 0.0, 1e-8, 30.0,
            89.0, 100.0, 200.0, 750.0, 1000.0, 1e4]  # fmt: skip
    double = torch.float64

    def case(name: str, x: torch.Tensor) -> Case:
        return Case(name, x=x, **settings)

    yield case("negative, zero and positive", torch.tensor([-1.0, 0.0, 2.0]))
    yield case("x = −100 and x = 100", torch.tensor([-100.0, 100.0]))
    yield case("far from zero", torch.tensor(wide))
    yield case("far from zero in float64", torch.tensor(wide, dtype=double))
    yield case("a matrix", torch.randn(4, 3, generator=rng) * 2)
    yield case("a batch in float64", torch.randn(2, 3, 2, generator=rng, dtype=double) * 2)
    yield case("one number", torch.tensor(-0.7)).beyond()
    yield case("a transposed matrix", torch.randn(2, 3, generator=rng, dtype=double).t()).beyond()
    yield case("an expanded vector", torch.randn(1, 3, generator=rng).expand(2, 3)).beyond()
    yield case("no entries", torch.zeros(0, 3)).beyond()
    yield case("a tensor on another device", torch.zeros(2, 3, device="meta")).beyond()


def _observe_activation(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    yield from look_at(make(), case)


def look_at(activation: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for_derivative, leaf = case.fresh().x, case.fresh().x.clone().requires_grad_()
    yield "value", activation(case.x)
    yield "derivative", activation.derivative(for_derivative)
    yield "x afterwards", case.x
    yield "x after derivative", for_derivative
    out = activation(leaf)
    yield "connected", bool(getattr(out, "requires_grad", False))
    if leaf.device.type != "meta":
        (gradient,) = torch.autograd.grad(out.sum(), leaf)
        yield "gradient", gradient
    yield "derivative elsewhere", activation.derivative(0.5 - case.fresh().x)


def strict_aspects(cls: str, call: str = "") -> dict[str, Aspect]:
    made = f"{cls}({call})"
    return {
        "value": Aspect(f"{made}({{x}})", f"The value of {cls} is wrong.", input="x"),
        "derivative": Aspect(
            f"{made}.derivative({{x}})",
            f"The derivative of {cls} is wrong.",
            input="x",
        ),
        "connected": Aspect(
            f"{made}(x).requires_grad, for an x that asks for gradients",
            f"Autograd cannot see through your {cls}: its result is cut off from x.",
        ),
        "gradient": Aspect(
            f"{made}({{x}}).sum().backward(), and then x.grad",
            f"The gradient that autograd computes through {cls} is wrong.",
            input="x",
        ),
        "x afterwards": Aspect(f"{made}({{x}}), and then x", f"Your {cls} changed x."),
        "x after derivative": Aspect(
            f"{made}.derivative({{x}}), and then x", "Your method derivative changed x."
        ),
        "derivative elsewhere": Aspect(
            f"f = {made}; f({{x}}), and then f.derivative(0.5 - {{x}})",
            f"The derivative of {cls} is wrong after a call with another x.",
        ),
    }


def strict_check(name: str, topic: str, cls: str, praise: str, reread: str, **more: Any) -> Check:
    settings: dict[str, Any] = {
        "cases": strict_cases,
        "observe": _observe_activation,
        "aspects": strict_aspects(cls),
        **more,
    }
    return Check(
        name=name,
        lesson="activation_functions",
        topic=topic,
        takes=(activation_argument(cls),),
        praise=praise,
        reread=reread,
        **settings,
    )


RELU = strict_check(
    "check_relu",
    "ReLU",
    "MyReLU",
    "right everywhere, and its slope at 0 is 0, as PyTorch takes it.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
SIGMOID = strict_check(
    "check_sigmoid",
    "sigmoid",
    "MySigmoid",
    "right from −10,000 to 10,000, in the value and in both gradients.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
TANH = strict_check(
    "check_tanh",
    "tanh",
    "MyTanh",
    "right from −10,000 to 10,000, and its slope at 0 is 1.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
GELU = strict_check(
    "check_gelu",
    "GELU",
    "MyGELU",
    "the exact form with erf, and both terms of its derivative.",
    "Three younger functions",
    forbidden=frozenset({"gelu"}),
)
SILU = strict_check(
    "check_silu",
    "SiLU",
    "MySiLU",
    "x·sigmoid(x), safe far from zero, and both terms of its derivative.",
    "Three younger functions",
    forbidden=frozenset({"silu"}),
)


def check_relu(MyReLU: Any) -> None:
    """Check ReLU to the strict standard: value, derivative and autograd gradient for |x| up to
    1e4 and at 0, in float32 and float64, for vectors, matrices and batches. What other tensors do
    (one number, transposed, expanded, empty, on another device) is noted and costs no points.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandReLU
    >>> check_relu(HandReLU)
    ✓ ReLU — right everywhere, and its slope at 0 is 0, as PyTorch takes it.
    """
    run_check(RELU, MyReLU)


def check_sigmoid(MySigmoid: Any) -> None:
    """Check the sigmoid to the strict standard of `check_relu`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandSigmoid
    >>> check_sigmoid(HandSigmoid)
    ✓ sigmoid — right from −10,000 to 10,000, in the value and in both gradients.
    """
    run_check(SIGMOID, MySigmoid)


def check_tanh(MyTanh: Any) -> None:
    """Check tanh to the strict standard of `check_relu`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandTanh
    >>> check_tanh(HandTanh)
    ✓ tanh — right from −10,000 to 10,000, and its slope at 0 is 1.
    """
    run_check(TANH, MyTanh)


def check_gelu(MyGELU: Any) -> None:
    """Check the exact GELU, x·Φ(x) (Hendrycks and Gimpel 2016), to the strict standard.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandGELU
    >>> check_gelu(HandGELU)
    ✓ GELU — the exact form with erf, and both terms of its derivative.
    """
    run_check(GELU, MyGELU)


def check_silu(MySiLU: Any) -> None:
    """Check SiLU, x·sigmoid(x) (Elfwing et al. 2018), to the strict standard.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions.formulas import HandSiLU
    >>> check_silu(HandSiLU)
    ✓ SiLU — x·sigmoid(x), safe far from zero, and both terms of its derivative.
    """
    run_check(SILU, MySiLU)
