"""Check of the student's own layer normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checks.batch_normalization.by_hand import (
    DOUBLE,
    NORMALISERS,
    value_aspect,
)


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=DOUBLE)

    def case(name: str, shape: Any, x: torch.Tensor, **more: Any) -> Case:
        size = (shape,) if isinstance(shape, int) else tuple(shape)
        plain, settings = more.pop("plain", False), more.pop("settings", {})
        return Case(
            name,
            shape=shape,
            x=x,
            settings=settings,
            more="".join(f", {key}={value}" for key, value in settings.items()),
            upstream=draw(*x.shape).to(x.dtype),
            weight=None if plain else (draw(*size) + 1.5).to(x.dtype),
            bias=None if plain else (draw(*size) * 2).to(x.dtype),
            **{"kind": "use", **more},
        )

    yield case("three samples of four numbers", 4, draw(3, 4) * 0.2 + 1)
    yield case("two axes, as a list", [2, 3], draw(4, 5, 2, 3) * 2 + 1)
    yield case("sequences (2, 5, 3), a tuple", (3,), draw(2, 5, 3) * 20 + 1)
    yield case("a Size, a large eps", torch.Size([3, 2]), draw(4, 3, 2), settings={"eps": 0.5})
    yield case("a large eps", 3, draw(4, 3), settings={"eps": 0.5})
    yield case("a batch of zeros", 3, torch.zeros(3, 3, dtype=DOUBLE))
    yield case("samples that hardly vary", (4,), draw(3, 4) * 1e-3 + 1)
    yield case("as many samples as numbers", 4, draw(4, 4) * 20 + 1)
    yield case("a batch of one", 4, draw(1, 4) * 2 + 1)
    yield case("mean 1000 and standard deviation 1", 32, (draw(8, 32) + 1e3).float())
    yield case("torch's state_dict", (2, 3), draw(4, 2, 3), kind="load")
    for one in (
        case("one sample without a batch axis", 5, draw(5) * 2 + 1),
        case("one number a sample", 1, draw(4, 1)),
        case("mean 1000 and standard deviation 0.001", 8, draw(4, 8) * 1e-3 + 1e3),
        case("a transposed matrix", 3, draw(3, 4).t() * 2 + 1),
        case("transposed sequences", 3, draw(5, 2, 3).transpose(0, 1) * 2 + 1),
        case("an expanded row", 3, draw(1, 3).expand(4, 3)),
        case("half precision", 4, (draw(3, 4) * 2 + 1).half()),
        case("a layer on another device", 3, draw(4, 3).to("meta"), kind="device", plain=True),
    ):
        yield one.beyond()


def _made(make: Any, case: Case) -> Any:
    layer = make(case.shape, **case.settings)
    layer.to(device=case.x.device, dtype=case.x.dtype)
    return layer


def _written(named: Any) -> str:
    made = sorted(f"{name} {tuple(value.shape)}" for name, value in named)
    return "; ".join(made) or "none"


def _observe(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """What the constructor makes; and, where that has PyTorch's names and shapes, how it is used."""
    size = (case.shape,) if isinstance(case.shape, int) else tuple(case.shape)
    yield "accepted", outcome_of(lambda: make(case.shape, **case.settings))
    layer = _made(make, case)
    parameters, buffers = _written(layer.named_parameters()), _written(layer.named_buffers())
    yield "parameters", parameters
    yield "buffers", buffers
    if (parameters, buffers) != (f"bias {size}; weight {size}", "none"):
        return
    yield "new weight", layer.weight.detach().clone()
    yield "new bias", layer.bias.detach().clone()
    if case.weight is not None:
        with torch.no_grad():
            layer.weight.copy_(case.weight)
            layer.bias.copy_(case.bias)
    if case.kind == "device":
        yield "y on another device", layer(case.x)
    elif case.kind == "load":
        yield from _observe_load(layer, case)
    else:
        yield from _observe_use(layer, case)


def _observe_use(layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    leaf = case.x.detach().requires_grad_()
    y = layer(leaf)
    yield "y", y
    yield "connected", bool(y.requires_grad)
    wanted = [leaf, layer.weight, layer.bias]
    gradients = torch.autograd.grad(y, wanted, case.upstream, materialize_grads=True)
    for name, gradient in zip(("x", "weight", "bias"), gradients, strict=True):
        yield f"gradient of {name}", gradient
    yield "x afterwards", case.x
    parent = nn.Sequential(layer).eval()
    yield "y in eval mode", parent(case.x)


def _observe_load(layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    theirs = nn.LayerNorm(case.shape).to(case.x.dtype)
    with torch.no_grad():
        theirs.weight.copy_(case.bias)
        theirs.bias.copy_(case.weight)
    yield "loading from torch", outcome_of(lambda: layer.load_state_dict(theirs.state_dict()))
    yield "y with torch's state", layer(case.x)


_NEW = "MyLayerNorm({shape}{more})"

LAYER_NORM = Check(
    name="check_layer_norm",
    lesson="batch_normalization",
    topic="MyLayerNorm",
    takes=(Argument("MyLayerNorm", "class"),),
    cases=_cases,
    observe=_observe,
    aspects={
        **{
            "y": value_aspect(f"{_NEW}({{x}})", "The output is wrong.", input="x"),
            "gradient of x": value_aspect(
                f"{_NEW}({{x}}); the gradient of x", "The gradient of x is wrong."
            ),
            "gradient of weight": value_aspect(
                f"{_NEW}({{x}}); the gradient of weight", "The gradient of weight is wrong."
            ),
            "gradient of bias": value_aspect(
                f"{_NEW}({{x}}); the gradient of bias", "The gradient of bias is wrong."
            ),
            "y in eval mode": value_aspect(
                f"{_NEW}.eval()({{x}})",
                "The output in evaluation mode is wrong.",
                input="x",
            ),
        },
        "accepted": Aspect(_NEW, "This normalized_shape must be taken."),
        "new weight": Aspect(f"{_NEW}.weight", "The weight of a new layer is not 1 everywhere."),
        "new bias": Aspect(f"{_NEW}.bias", "The bias of a new layer is not 0 everywhere."),
        "connected": Aspect(f"{_NEW}(x).requires_grad", "Autograd cannot see through your layer."),
        "parameters": Aspect(
            f"{_NEW}.named_parameters(), names and shapes",
            "The parameters are not weight and bias of the normalised shape.",
        ),
        "buffers": Aspect(
            f"{_NEW}.named_buffers(), names and shapes",
            "LayerNorm needs no buffers, and your layer has some.",
        ),
        "x afterwards": Aspect(f"{_NEW}(x), and then x", "Your layer changed x."),
        "loading from torch": Aspect(
            "layer.load_state_dict(torch_layer.state_dict())",
            "PyTorch's state_dict cannot be loaded.",
        ),
        "y with torch's state": Aspect(
            "layer.load_state_dict(torch_layer.state_dict()); layer(x)",
            "The output with the state of PyTorch's layer is wrong.",
        ),
        "y on another device": Aspect(
            f"{_NEW}.to(device)(x)", "The output on another device is wrong."
        ),
    },
    praise="each sample is normalised by itself, so the batch does not matter.",
    reread="Without a batch: LayerNorm",
    forbidden=NORMALISERS,
)


def check_layer_norm(MyLayerNorm: Any) -> None:
    """Check `MyLayerNorm(normalized_shape, eps=1e-5)` against `torch.nn.LayerNorm`: an int, a
    list, a tuple or a Size; outputs and gradients for matrices and sequences, in training and
    evaluation mode alike, also for a mean of 1,000; parameters `weight` and `bias` of that shape
    and no buffers. Noted only: one sample without a batch axis, one number a sample, other
    strides, half precision, a spread of 0.001 around 1,000, another device.

    Source: Ba, Kiros and Hinton 2016.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.layer_norm import HandLayerNorm
    >>> check_layer_norm(HandLayerNorm)
    ✓ MyLayerNorm — each sample is normalised by itself, so the batch does not matter.
    """
    run_check(LAYER_NORM, MyLayerNorm)
