"""Checks of lesson 01: activation functions, their derivatives, and stacks of linear layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

STRICT = 1e-3
"""Relative tolerance of the strict checks in float32."""

BY_HAND = frozenset({"relu", "sigmoid", "special_expit", "tanh"})
"""PyTorch's functions that MyReLU, MySigmoid and MyTanh do without."""


def _activation(name: str) -> Argument:
    return Argument(name, "class", methods=("derivative",))


def _gradient(activation: Any, x: torch.Tensor) -> torch.Tensor:
    """What autograd says about the slope of an activation at each entry of x."""
    leaf = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(activation(leaf).sum(), leaf)
    return gradient


# The textbook formulas ------------------------------------------------------------------------

NAMES = {"ReLU": "MyReLU", "sigmoid": "MySigmoid", "tanh": "MyTanh"}


def _textbook_cases(rng: torch.Generator) -> Iterator[Case]:
    yield Case("three numbers", x=torch.tensor([-1.0, 0.5, 2.0]))
    yield Case("from −10 to 10", x=torch.linspace(-10, 10, 200))
    yield Case("a matrix", x=torch.randn(4, 3, generator=rng))


def _observe_textbook(implementations: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for name, make in zip(NAMES, implementations, strict=True):
        x, for_derivative = case.fresh().x, case.fresh().x
        activation = make()
        yield f"{name} value", activation(x)
        yield f"{name} derivative", activation.derivative(for_derivative)
        yield f"{name} x afterwards", torch.stack([x, for_derivative])


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
    return aspects


def _draw_textbook(implementations: Any) -> tuple[Any, str]:
    """Value and derivative of the three functions, yours over PyTorch's."""
    from helpers.answers.activation_functions import ReLU, Sigmoid, Tanh
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
    takes=(_activation("MyReLU"), _activation("MySigmoid"), _activation("MyTanh")),
    cases=_textbook_cases,
    observe=_observe_textbook,
    aspects=_textbook_aspects(),
    praise="values and derivatives are right on [−10, 10]. Next comes what breaks outside.",
    reread="Three functions and their slopes",
    forbidden=BY_HAND,
    picture=_draw_textbook,
)


def check_activation_function(MyReLU: Any, MySigmoid: Any, MyTanh: Any) -> None:  # noqa: N803
    """Check values and derivatives of the three classes on [−10, 10], and draw both.

    Each is a class without arguments whose instance is called with a tensor of any shape and has
    a method `derivative(x)`. PyTorch's own relu, sigmoid and tanh may not be called.

    Raises:
        NotAttempted: a stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandReLU, HandSigmoid, HandTanh
    >>> check_activation_function(HandReLU, HandSigmoid, HandTanh)  # doctest: +ELLIPSIS
    ✓ activation functions — values and derivatives are right on [−10, 10]. ...
    """
    run_check(ACTIVATION_FUNCTION, MyReLU, MySigmoid, MyTanh)


# One activation, to the strict standard -------------------------------------------------------


def _strict_cases(rng: torch.Generator, **settings: Any) -> Iterator[Case]:
    wide = [-1e4, -750.0, -200.0, -100.0, -89.0, -30.0, -1e-8, 0.0, 1e-8, 30.0, 89.0, 100.0,
            200.0, 750.0, 1e4]  # fmt: skip
    ordinary = torch.randn(4, 3, generator=rng)
    double = torch.float64

    def case(name: str, x: torch.Tensor) -> Case:
        return Case(name, x=x, **settings)

    yield case("negative, zero and positive", torch.tensor([-1.0, 0.0, 2.0]))
    yield case("zeros", torch.tensor([0.0, -0.0, 0.0]))
    yield case("x = −100 and x = 100", torch.tensor([-100.0, 100.0]))
    yield case("far from zero", torch.tensor(wide))
    yield case("far from zero in float64", torch.tensor(wide, dtype=double))
    yield case("one number", torch.tensor(-0.7))
    yield case("a matrix", ordinary)
    yield case("a transposed matrix", torch.randn(2, 3, generator=rng, dtype=double).t())
    yield case("an expanded vector", torch.randn(1, 3, generator=rng).expand(2, 3))
    yield case("no entries", torch.zeros(0, 3))
    yield case("a tensor on another device", torch.zeros(2, 3, device="meta"))


def _observe_activation(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    yield from _look_at(make(), case)


def _look_at(activation: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for_derivative, for_gradient = case.fresh().x, case.fresh().x
    yield "value", activation(case.x)
    yield "derivative", activation.derivative(for_derivative)
    leaf = for_gradient.clone().requires_grad_()
    yield "connected", bool(getattr(activation(leaf), "requires_grad", False))
    if case.x.device.type != "meta":
        yield "gradient", _gradient(activation, for_gradient)
    yield "x afterwards", case.x
    yield "x after derivative", for_derivative


def _strict_aspects(cls: str, call: str = "") -> dict[str, Aspect]:
    made = f"{cls}({call})"
    return {
        "value": Aspect(
            f"{made}({{x}})", f"The value of {cls} is wrong.", rtol=STRICT, input="x"
        ),
        "derivative": Aspect(
            f"{made}.derivative({{x}})",
            f"The derivative of {cls} is wrong.",
            rtol=STRICT,
            input="x",
        ),
        "connected": Aspect(
            f"{made}(x).requires_grad, for an x that asks for gradients",
            f"Autograd cannot see through your {cls}: its result is cut off from x.",
        ),
        "gradient": Aspect(
            f"{made}({{x}}).sum().backward(), and then x.grad",
            f"The gradient that autograd computes through {cls} is wrong.",
            rtol=STRICT,
            input="x",
        ),
        "x afterwards": Aspect(f"{made}({{x}}), and then x", f"Your {cls} changed x."),
        "x after derivative": Aspect(
            f"{made}.derivative({{x}}), and then x", "Your method derivative changed x."
        ),
    }


def _strict_check(name: str, topic: str, cls: str, praise: str, reread: str, **more: Any) -> Check:
    settings: dict[str, Any] = {
        "cases": _strict_cases,
        "observe": _observe_activation,
        "aspects": _strict_aspects(cls),
        **more,
    }
    return Check(
        name=name,
        lesson="activation_functions",
        topic=topic,
        takes=(_activation(cls),),
        praise=praise,
        reread=reread,
        **settings,
    )


RELU = _strict_check(
    "check_relu",
    "ReLU",
    "MyReLU",
    "right everywhere, and its slope at 0 is 0, as PyTorch takes it.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
SIGMOID = _strict_check(
    "check_sigmoid",
    "sigmoid",
    "MySigmoid",
    "right from −10,000 to 10,000, in the value and in both gradients.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
TANH = _strict_check(
    "check_tanh",
    "tanh",
    "MyTanh",
    "right from −10,000 to 10,000, and its slope at 0 is 1.",
    "What breaks far from zero",
    forbidden=BY_HAND,
)
GELU = _strict_check(
    "check_gelu",
    "GELU",
    "MyGELU",
    "the exact form with erf, and both terms of its derivative.",
    "Three younger functions",
    forbidden=frozenset({"gelu"}),
)
SILU = _strict_check(
    "check_silu",
    "SiLU",
    "MySiLU",
    "x·sigmoid(x), safe far from zero, and both terms of its derivative.",
    "Three younger functions",
    forbidden=frozenset({"silu"}),
)


def check_relu(MyReLU: Any) -> None:  # noqa: N803
    """Check ReLU to the strict standard: value, derivative and autograd gradient for |x| up to
    1e4 and at 0, in float32 and float64, for tensors of any shape.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandReLU
    >>> check_relu(HandReLU)
    ✓ ReLU — right everywhere, and its slope at 0 is 0, as PyTorch takes it.
    """
    run_check(RELU, MyReLU)


def check_sigmoid(MySigmoid: Any) -> None:  # noqa: N803
    """Check the sigmoid to the strict standard of `check_relu`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandSigmoid
    >>> check_sigmoid(HandSigmoid)
    ✓ sigmoid — right from −10,000 to 10,000, in the value and in both gradients.
    """
    run_check(SIGMOID, MySigmoid)


def check_tanh(MyTanh: Any) -> None:  # noqa: N803
    """Check tanh to the strict standard of `check_relu`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandTanh
    >>> check_tanh(HandTanh)
    ✓ tanh — right from −10,000 to 10,000, and its slope at 0 is 1.
    """
    run_check(TANH, MyTanh)


def check_gelu(MyGELU: Any) -> None:  # noqa: N803
    """Check the exact GELU, x·Φ(x) (Hendrycks and Gimpel 2016), to the strict standard.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandGELU
    >>> check_gelu(HandGELU)
    ✓ GELU — the exact form with erf, and both terms of its derivative.
    """
    run_check(GELU, MyGELU)


def check_silu(MySiLU: Any) -> None:  # noqa: N803
    """Check SiLU, x·sigmoid(x) (Elfwing et al. 2018), to the strict standard.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandSiLU
    >>> check_silu(HandSiLU)
    ✓ SiLU — x·sigmoid(x), safe far from zero, and both terms of its derivative.
    """
    run_check(SILU, MySiLU)


# LeakyReLU, which has a setting ---------------------------------------------------------------


def _leaky_cases(rng: torch.Generator) -> Iterator[Case]:
    x = torch.tensor([-2.0, 0.0, 3.0])
    yield Case("the default slope", slope=None, x=x)
    yield Case("a slope of 0.2", slope=0.2, x=x)
    yield Case("a slope above 1", slope=2.0, x=x)
    yield Case("a negative slope", slope=-0.5, x=x)
    yield Case("a slope of 0", slope=0.0, x=x)
    yield from _strict_cases(rng, slope=0.1)


def _observe_leaky(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    activation = make() if case.slope is None else make(negative_slope=case.slope)
    yield from _look_at(activation, case)
    if case.slope is not None:
        by_position = make(case.slope)
        yield "by position", by_position(case.x)


LEAKY_RELU = _strict_check(
    "check_leaky_relu",
    "LeakyReLU",
    "MyLeakyReLU",
    "the slope is kept below zero, whatever it is, and at zero too.",
    "Three younger functions",
    cases=_leaky_cases,
    observe=_observe_leaky,
    aspects={
        **_strict_aspects("MyLeakyReLU", "negative_slope={slope}"),
        "by position": Aspect(
            "MyLeakyReLU({slope})({x})", "The value of MyLeakyReLU is wrong.", rtol=STRICT, input="x"
        ),
    },
    forbidden=frozenset({"leaky_relu", "prelu", "rrelu"}),
)


def check_leaky_relu(MyLeakyReLU: Any) -> None:  # noqa: N803
    """Check `MyLeakyReLU(negative_slope=0.01)` (Maas et al. 2013) to the strict standard, for
    slopes below 0 and above 1 too; at 0 the derivative is the slope, as in PyTorch.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import HandLeakyReLU
    >>> check_leaky_relu(HandLeakyReLU)
    ✓ LeakyReLU — the slope is kept below zero, whatever it is, and at zero too.
    """
    run_check(LEAKY_RELU, MyLeakyReLU)


# A function of its own for autograd -----------------------------------------------------------


def _function_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, x: torch.Tensor) -> Case:
        upstream = torch.randn(x.shape, generator=rng, dtype=x.dtype) * 3
        return Case(name, x=x, upstream=upstream)

    yield case("three numbers", torch.tensor([-1.0, 0.0, 2.0]))
    yield case("a matrix", torch.randn(4, 3, generator=rng))
    yield case("float64", torch.randn(5, generator=rng, dtype=torch.float64))
    yield case("one number", torch.tensor(1.5))
    yield case("a transposed matrix", torch.randn(2, 3, generator=rng).t())
    yield case("far from zero", torch.tensor([-1e4, -100.0, 100.0, 1e4]))
    yield case("no entries", torch.zeros(0))


def _observe_function(function: Any, case: Case) -> Iterator[tuple[str, Any]]:
    leaf = case.x.detach().clone().requires_grad_()
    out = function.apply(leaf)
    yield "value", out
    yield "connected", bool(getattr(out, "requires_grad", False))
    other = function.apply(leaf.detach() + 1)  # a second call before the first one's backward
    (gradient,) = torch.autograd.grad(out, leaf, case.upstream)
    yield "gradient", gradient
    yield "second value", other
    yield "upstream afterwards", case.upstream
    yield "x afterwards", leaf


RELU_AUTOGRAD = Check(
    name="check_relu_autograd",
    lesson="activation_functions",
    topic="ReLUFunction",
    takes=(Argument("ReLUFunction", "class", methods=("forward", "backward", "apply")),),
    cases=_function_cases,
    observe=_observe_function,
    aspects={
        "value": Aspect("ReLUFunction.apply({x})", "The value is wrong.", input="x"),
        "connected": Aspect(
            "ReLUFunction.apply(x).requires_grad, for an x that asks for gradients",
            "Autograd cannot see through your ReLUFunction: its result is cut off from x.",
        ),
        "gradient": Aspect(
            "ReLUFunction.apply({x}).backward({upstream}), and then x.grad",
            "The gradient is wrong.",
            input="x",
        ),
        "second value": Aspect("ReLUFunction.apply({x} + 1)", "The value is wrong.", input="x"),
        "upstream afterwards": Aspect(
            "ReLUFunction.apply({x}).backward(g), and then g",
            "Your backward changed the gradient that it was given.",
        ),
        "x afterwards": Aspect("ReLUFunction.apply(x), and then x", "Your forward changed x."),
    },
    praise="forward and backward fit together, and each call keeps its own mask.",
    reread="Your own node in the graph",
    forbidden=frozenset({"relu"}),
)


def check_relu_autograd(ReLUFunction: Any) -> None:  # noqa: N803
    """Check `ReLUFunction(torch.autograd.Function)` with `forward(ctx, x)` and
    `backward(ctx, grad_output)`; differentiable once is enough.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import ReLUFunction
    >>> check_relu_autograd(ReLUFunction)
    ✓ ReLUFunction — forward and backward fit together, and each call keeps its own mask.
    """
    run_check(RELU_AUTOGRAD, ReLUFunction)


# A stack of linear layers is one linear layer -------------------------------------------------


def _linear_cases(rng: torch.Generator) -> Iterator[Case]:
    def stack(name: str, *sizes: int, dtype: torch.dtype = torch.float32, lazy: bool = False) -> Case:
        pairs = list(zip(sizes[1:], sizes[:-1], strict=True))  # (out, in) of each layer
        return Case(
            name,
            weights=[torch.randn(o, i, generator=rng, dtype=dtype) for o, i in pairs],
            biases=[torch.randn(o, generator=rng, dtype=dtype) for o, _ in pairs],
            lazy=lazy,
        )

    yield stack("one layer", 2, 1)
    yield stack("two layers", 1, 2, 1)
    yield stack("two square layers", 2, 2, 2)
    yield stack("three layers of different widths", 4, 3, 5, 2)
    yield stack("five layers in float64", 3, 4, 4, 2, 4, 3, dtype=torch.float64)
    yield stack("weights and biases that can be read once", 3, 2, 2, lazy=True)


def _observe_collapse(collapse: Any, case: Case) -> Iterator[tuple[str, Any]]:
    weights = [w.requires_grad_() for w in case.weights]
    biases = [b.requires_grad_() for b in case.biases]
    if case.lazy:
        result = collapse((w for w in weights), (b for b in biases))
    else:
        result = collapse(weights, biases)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    weight, bias = result
    yield "W", weight
    yield "b", bias
    yield "connected", bool(weight.requires_grad and bias.requires_grad)
    total = (weight * torch.arange(1.0, weight.numel() + 1).view(weight.shape)).sum() + bias.sum()
    gradients = torch.autograd.grad(total, [weights[0], biases[0]])
    yield "gradient", torch.cat([g.flatten() for g in gradients])
    yield "lengths afterwards", f"{len(weights)} weights and {len(biases)} biases"
    yield "weights afterwards", torch.cat([t.detach().flatten() for t in weights + biases])


COLLAPSE = Check(
    name="check_collapse_linear_layers",
    lesson="activation_functions",
    topic="a stack of linear layers",
    takes=(Argument("collapse_linear_layers"),),
    cases=_linear_cases,
    observe=_observe_collapse,
    aspects={
        "results": Aspect(
            "collapse_linear_layers(weights, biases)", "Two results are expected, W and b."
        ),
        "W": Aspect("W, b = collapse_linear_layers({weights}, {biases}), and then W", "W is wrong."),
        "b": Aspect("W, b = collapse_linear_layers({weights}, {biases}), and then b", "b is wrong."),
        "connected": Aspect(
            "W.requires_grad and b.requires_grad", "Autograd cannot see through your function."
        ),
        "gradient": Aspect(
            "the gradients of W and b with respect to the first layer", "A gradient is wrong."
        ),
        "lengths afterwards": Aspect(
            "collapse_linear_layers(weights, biases), and then their lengths",
            "Your code changed the lists that it was given.",
        ),
        "weights afterwards": Aspect(
            "collapse_linear_layers(weights, biases), and then their entries",
            "Your code changed the tensors that it was given.",
        ),
    },
    praise="however deep, a stack of linear layers is one linear layer.",
    reread="Why a network needs a bend",
)


def check_collapse_linear_layers(collapse_linear_layers: Callable[..., Any]) -> None:
    """Check `collapse_linear_layers(weights, biases) -> (W, b)`: the single affine map equal to
    a stack of linear layers; weights (out, in) and biases (out,), first layer first.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.activation_functions import collapse_linear_layers
    >>> check_collapse_linear_layers(collapse_linear_layers)
    ✓ a stack of linear layers — however deep, a stack of linear layers is one linear layer.
    """
    run_check(COLLAPSE, collapse_linear_layers)


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
