"""Check of the residual block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.vanishing_gradients.activations import FACTORIES


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, activation: str, *shape: int, dtype: torch.dtype = torch.float32) -> Case:
        x = torch.randn(shape, generator=rng, dtype=dtype)
        return Case(name, dim=shape[-1], activation=activation, x=x, silent=False)

    yield case("a batch", "Wave", 4, 3)
    silent = case("a block whose second layer is zero", "nn.Tanh", 2, 3)
    silent.data["silent"] = True
    yield silent
    yield case("an activation with its own parameter", "nn.PReLU", 4, 3)
    yield case("one vector in a batch", "nn.Tanh", 1, 2)
    yield case("ReLU", "nn.ReLU", 6, 4)
    yield case("float64", "Wave", 3, 2, dtype=torch.float64)
    yield case("two leading axes", "partial(nn.LeakyReLU, 0.3)", 2, 3, 4)
    yield case("a single vector without a batch axis", "nn.Tanh", 3)
    yield case("no vectors", "nn.ReLU", 0, 3).beyond()
    turned = case("a transposed batch", "nn.Tanh", 2, 3)
    turned.data["x"] = torch.randn(3, 2, generator=rng).t()
    yield turned.beyond()


def _observe(ResidualBlock: Any, case: Case) -> Iterator[tuple[str, Any]]:
    block = ResidualBlock(case.dim, FACTORIES[case.activation]).to(case.x.dtype)
    yield "layers", "; ".join(_layer(block, name) for name in ("linear1", "linear2"))
    _fill(block, case.silent)
    before = case.x.clone()
    yield "output", block(case.x)
    yield "x afterwards", case.x
    yield "second output", block.eval()(before)
    leaf = before.requires_grad_()
    out = block(leaf)
    weights = torch.arange(1.0, out.numel() + 1, dtype=out.dtype).view(out.shape)
    loss = (out * weights).sum()
    yield "connected", bool(out.requires_grad)
    inputs = [leaf, block.linear1.weight]
    of_x, of_first = torch.autograd.grad(loss, inputs, materialize_grads=True)
    yield "gradient of x", of_x
    yield "gradient of linear1", of_first
    yield "parameters", sum(p.numel() for p in block.parameters())


def _layer(block: Any, name: str) -> str:
    layer = getattr(block, name)
    bias = "no bias" if getattr(layer, "bias", None) is None else "a bias"
    return f"{name} with weight {tuple(layer.weight.shape)} and {bias}"


def _fill(block: Any, silent: bool) -> None:
    """Values of its own for each parameter; those of the activation, whatever its name, alike."""
    generator = torch.Generator().manual_seed(11)
    of_layers = [
        getattr(layer, name)
        for layer in (block.linear1, block.linear2)
        for name in ("weight", "bias")
    ]
    with torch.no_grad():
        for parameter in of_layers:
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(values)
        if silent:
            block.linear2.weight.zero_()
            block.linear2.bias.zero_()
        for parameter in block.parameters():
            if not any(parameter is other for other in of_layers):
                parameter.fill_(0.6)


MADE = "ResidualBlock({dim}, {activation})"

LOOSE: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-5}
"""Sums may be added up in another order."""

RESIDUAL_BLOCK = Check(
    name="check_residual_block",
    lesson="vanishing_gradients",
    topic="ResidualBlock",
    takes=(Argument("ResidualBlock", "class", methods=("forward",)),),
    cases=_cases,
    observe=_observe,
    aspects={
        "layers": Aspect(
            f"block = {MADE}, and then block.linear1 and block.linear2",
            "The layers of the block are not as described.",
        ),
        "output": Aspect(f"{MADE}({{x}})", "The output is wrong.", input="x", **LOOSE),
        "second output": Aspect(
            f"{MADE}({{x}}), a second time, after block.eval()",
            "The second output is wrong.",
            input="x",
            **LOOSE,
        ),
        "connected": Aspect(f"{MADE}(x).requires_grad", "Autograd cannot see through your block."),
        "gradient of x": Aspect(
            f"{MADE}({{x}}).backward(...), and then x.grad",
            "The gradient that reaches x is wrong.",
            of_largest=True,
            input="x",
        ),
        "gradient of linear1": Aspect(
            f"{MADE}(x).backward(...), and then block.linear1.weight.grad",
            "The gradient that reaches linear1 is wrong.",
            of_largest=True,
        ),
        "parameters": Aspect(
            f"the number of entries in {MADE}.parameters()",
            "The block has too few or too many parameters.",
        ),
        "x afterwards": Aspect(f"{MADE}(x), and then x", "Your block changed x."),
    },
    praise="with its second layer at zero it passes x on unchanged.",
    reread="A road that is never closed: residual connections",
)


def check_residual_block(ResidualBlock: Any) -> None:
    """Check `ResidualBlock(dim, activation)`: `x + linear2(activation(linear1(x)))`, with the
    attributes `linear1` and `linear2` (He et al. 2016).

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest block that differs, and the mistake where it is known.

    >>> from helpers.answers.vanishing_gradients.residual_block import ResidualBlock
    >>> check_residual_block(ResidualBlock)
    ✓ ResidualBlock — with its second layer at zero it passes x on unchanged.
    """
    run_check(RESIDUAL_BLOCK, ResidualBlock)
