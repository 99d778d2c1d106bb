"""Check of the deep network's forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.vanishing_gradients.activations import FACTORIES, fill_parameters


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        activation: str,
        num_layers: int,
        samples: int = 3,
        dtype: torch.dtype = torch.float32,
        sizes: tuple[int, int, int] = (2, 4, 3),
    ) -> Case:
        inputs, hidden, outputs = sizes
        x = torch.randn(samples, inputs, generator=rng, dtype=dtype)
        return Case(
            name,
            input_dim=inputs,
            output_dim=outputs,
            activation=activation,
            num_layers=num_layers,
            hidden_dim=hidden,
            x=x,
        )

    yield case("three hidden layers", "Wave", 3)
    yield case("activations with their own parameters", "nn.PReLU", 3, samples=5)
    yield case("as many inputs as hidden units", "nn.PReLU", 2, sizes=(3, 3, 3))
    yield case("one hidden layer", "nn.Tanh", 1)
    yield case("a batch of one image", "nn.ReLU", 2, samples=1)
    yield case("one output", "Wave", 2, sizes=(3, 4, 1))
    yield case("a model in float64", "Wave", 2, dtype=torch.float64)
    yield case("a factory of activations", "partial(nn.LeakyReLU, 0.3)", 4)
    yield case("no hidden layer", "nn.Tanh", 0).beyond()
    yield case("no images", "nn.ReLU", 2, samples=0).beyond()
    turned = case("a transposed batch", "nn.Tanh", 2)
    turned.data["x"] = torch.randn(2, 3, generator=rng).t()
    yield turned.beyond()


def _observe(Network: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = Network(
        case.input_dim,
        case.output_dim,
        FACTORIES[case.activation],
        num_layers=case.num_layers,
        hidden_dim=case.hidden_dim,
    ).to(case.x.dtype)
    fill_parameters(model)
    yield "parts", _parts(model)
    if case.name == "three hidden layers":
        yield "parts by default", _parts(Network(case.input_dim, case.output_dim, nn.ReLU))

    used: list[str] = []
    for position, activation in enumerate(model.activations):
        activation.register_forward_hook(
            lambda *_, position=position: used.append(f"activations[{position}]")
        )
    before = case.x.clone()
    output = model(case.x)
    is_tensor = isinstance(output, torch.Tensor)
    yield "kind of output", "a tensor" if is_tensor else f"a {type(output).__name__}"
    yield "output", output
    yield "activations used", ", ".join(used) or "none of them"
    yield "x afterwards", case.x
    yield "second output", model.eval()(before)

    leaf = before.clone().requires_grad_()
    out = model(leaf)
    yield "connected", bool(out.requires_grad)
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    inputs = [leaf, model.input_layer.weight]
    found = torch.autograd.grad((out * weights).sum(), inputs, materialize_grads=True)
    yield "gradient", torch.cat([gradient.flatten() for gradient in found])
    yield "parts afterwards", _parts(model)


def _parts(model: nn.Module) -> str:
    """What the given constructor made, in words."""
    hidden: Any = model.layers
    activations: Any = model.activations
    first: Any = model.input_layer
    last: Any = model.output_layer
    return (
        f"input_layer {first.in_features}→{first.out_features}, {len(hidden)} hidden layers, "
        f"{len({id(a) for a in activations})} separate activations, "
        f"output_layer {last.in_features}→{last.out_features}"
    )


MADE = "Network({input_dim}, {output_dim}, {activation}, num_layers={num_layers}, hidden_dim={hidden_dim})"

LOOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-5}
"""Sums may be added up in another order."""

NETWORK = Check(
    name="check_network",
    lesson="vanishing_gradients",
    topic="Network",
    takes=(Argument("Network", "class", methods=("forward",)),),
    cases=_cases,
    observe=_observe,
    aspects={
        "parts": Aspect(MADE, "The constructor makes other parts than the given one."),
        "parts by default": Aspect(
            "Network({input_dim}, {output_dim}, nn.ReLU)",
            "The constructor has other defaults than the given one.",
        ),
        "kind of output": Aspect(f"{MADE}({{x}})", "The output is not a tensor."),
        "output": Aspect(f"{MADE}({{x}})", "The output is wrong.", **LOOSE),
        "activations used": Aspect(
            f"{MADE}(x), and then which activation modules were called",
            "Every activation module is to be called exactly once, in order.",
        ),
        "second output": Aspect(
            f"{MADE}(x), a second time, after model.eval()",
            "The second output is wrong.",
            **LOOSE,
        ),
        "connected": Aspect(
            f"{MADE}(x).requires_grad", "Autograd cannot see through your network."
        ),
        "gradient": Aspect(
            f"{MADE}(x).backward(...), and then the gradients of x and of the first weight",
            "A gradient is wrong.",
            of_largest=True,
        ),
        "x afterwards": Aspect(f"{MADE}(x), and then x", "Your forward changed x."),
        "parts afterwards": Aspect(
            f"{MADE}(x), and then its parts", "Your forward changed the network's parts."
        ),
    },
    praise="each activation once, none after the output.",
    reread="A deep network",
)


def check_network(Network: Any) -> None:
    """Check `Network(input_dim, output_dim, activation, num_layers=5, hidden_dim=100)`: the
    activation after the input layer and after each hidden layer, none after the output.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest network that differs, and the mistake where it is known.

    >>> from helpers.answers.vanishing_gradients.network import Network
    >>> check_network(Network)
    ✓ Network — each activation once, none after the output.
    """
    run_check(NETWORK, Network)
