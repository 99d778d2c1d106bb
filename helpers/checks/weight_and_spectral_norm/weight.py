"""Check of WeightNormLinear: a linear layer whose weight is a length times a direction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.weight_and_spectral_norm.layers import (
    assign,
    in_a_model,
    parameters_of,
    parts_of_torch,
    saved_among,
)


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        in_features: int,
        out_features: int,
        x_shape: tuple[int, ...],
        *,
        lengths: torch.Tensor | None = None,
        g: torch.Tensor | None = None,
        shift: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> Case:
        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(shape, generator=rng, dtype=dtype)

        v = draw(out_features, in_features)
        if lengths is not None:
            v = v / v.norm(dim=1, keepdim=True) * lengths[:, None].to(dtype)
        if shift:
            v = v.abs() + 0.1  # no cancellation in the sums, so that 1e-3 can be asked
        return Case(
            name,
            in_features=in_features,
            out_features=out_features,
            v=v,
            g=draw(out_features, 1) if g is None else g.to(dtype),
            bias=draw(out_features),
            x=draw(*x_shape, in_features) + shift,
            upstream=draw(*x_shape, out_features),
            backward=not shift,
        )

    tiny_to_huge = torch.tensor([1e-4, 1e-2, 1.0, 1e4])
    yield case("three outputs", 2, 3, (4,))
    yield case("as many outputs as inputs", 3, 3, (4,))
    yield case("a g that is negative or zero", 4, 3, (5,), g=torch.tensor([[-2.0], [0.0], [1.5]]))
    yield case("two leading axes", 3, 2, (2, 3))
    yield case("rows of v from 1e-4 to 1e4 long", 3, 4, (5,), lengths=tiny_to_huge)
    yield case("inputs near 1000", 4, 3, (5,), shift=1e3)
    yield case("float64, and short rows", 4, 3, (5,), lengths=tiny_to_huge[:3], dtype=torch.float64)
    yield case("no leading axis", 3, 2, ()).beyond()
    yield case("an empty batch", 3, 2, (0,)).beyond()


def _observe(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    layer = make(case.in_features, case.out_features)
    yield "parameters", parameters_of(layer)
    yield "torch's parts", parts_of_torch(layer)
    yield "g at the start", layer.g / layer.v.detach().square().sum(1, keepdim=True).sqrt()
    layer.to(case.v.dtype)
    assign(layer, g=case.g, v=case.v, bias=case.bias)
    model = in_a_model(layer)
    leaf = case.x.detach().clone().requires_grad_()
    out = model(leaf)
    yield "output", out
    yield "connected", bool(getattr(out, "requires_grad", False))
    if case.backward:
        leaves = (leaf, layer.g, layer.v, layer.bias)
        gradients = torch.autograd.grad(out, leaves, case.upstream, allow_unused=True)
        yield "input gradient", gradients[0]
        yield "g gradient", gradients[1]
        length = case.v.square().sum(1, keepdim=True).sqrt()
        yield "v gradient", None if gradients[2] is None else gradients[2] * length
        yield "bias gradient", gradients[3]
    yield "g afterwards", layer.g
    yield "v afterwards", layer.v
    yield "x afterwards", leaf
    yield "output in evaluation", model.eval()(case.x)
    yield "saved", saved_among(layer, ("bias", "g", "v"))
    other = make(case.in_features, case.out_features).to(case.v.dtype)
    other.load_state_dict(layer.state_dict())
    yield "output of a loaded copy", other(case.x)
    assign(layer, g=case.g * 2)
    yield "output after g changed", model.train()(case.x)
    assign(layer, g=case.g * 3)
    yield "output in evaluation after g changed", model.eval()(case.x)


MADE = "layer = WeightNormLinear({in_features}, {out_features})"
USED = "layer({x}) with g = {g}, v = {v}"
LOOSE: Any = {"rtol": 1e-3, "atol": 1e-5}

WEIGHT_NORM_LINEAR = Check(
    name="check_weight_norm_linear",
    lesson="weight_and_spectral_norm",
    topic="WeightNormLinear",
    takes=(Argument("WeightNormLinear", "class"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "parameters": Aspect(
            f"{MADE}, and then its parameters",
            "The parameters do not have the names, shapes or dtype that are asked for.",
        ),
        "torch's parts": Aspect(
            f"{MADE}, and then the modules inside it that PyTorch wrote",
            "Your layer uses PyTorch's own parametrization, which this exercise asks you to write.",
        ),
        "g at the start": Aspect(
            f"{MADE}, and then layer.g / (the length of each row of layer.v)",
            "At the start g is not the length of the rows of v.",
            **LOOSE,
        ),
        "output": Aspect(USED, "The output is wrong.", **LOOSE),
        "connected": Aspect(
            f"{USED}, and then requires_grad of the output",
            "The output is cut off from the parameters, so nothing can learn.",
        ),
        "input gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then x.grad",
            "The gradient of the input is wrong.",
            **LOOSE,
        ),
        "g gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then g.grad",
            "The gradient of g is wrong.",
            **LOOSE,
        ),
        "v gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then v.grad times the length of each row of v",
            "The gradient of v is wrong.",
            **LOOSE,
        ),
        "bias gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then bias.grad",
            "The gradient of the bias is wrong.",
            **LOOSE,
        ),
        "g afterwards": Aspect(f"{USED}, and then g", "Your forward changed g."),
        "v afterwards": Aspect(f"{USED}, and then v", "Your forward changed v."),
        "x afterwards": Aspect(f"{USED}, and then x", "Your forward changed x."),
        "output in evaluation": Aspect(
            f"layer.eval(), and then {USED}",
            "The output in evaluation mode is wrong; it is the same as in training.",
            **LOOSE,
        ),
        "saved": Aspect(
            f"{MADE}, and then which of bias, g, v are in layer.state_dict()",
            "A parameter is missing from the state_dict.",
        ),
        "output of a loaded copy": Aspect(
            "another layer, other.load_state_dict(layer.state_dict()), and then other({x})",
            "A layer that loaded the saved parameters gives another output.",
            **LOOSE,
        ),
        "output in evaluation after g changed": Aspect(
            "layer.g is changed, and then layer.eval()({x})",
            "In evaluation mode the output does not follow g when g changes.",
            **LOOSE,
        ),
        "output after g changed": Aspect(
            "layer.g is doubled, and then layer({x})",
            "The output does not follow g when g changes.",
            **LOOSE,
        ),
    },
    praise="g is the length of each row, v only its direction.",
    reread="Length and direction",
    forbidden=frozenset({"weight_norm", "_weight_norm", "_weight_norm_interface"}),
)


def check_weight_norm_linear(WeightNormLinear: Any) -> None:
    """Check `WeightNormLinear(in_features, out_features)`, an `nn.Module` with the parameters
    `g` (out, 1), `v` (out, in) and `bias` (out,) and the weight w = g·v/‖v‖, row by row.

    What counts: the outputs for one or more leading axes, the gradients of input, g, v and bias,
    rows of v from 1e-4 to 1e4 long, a g of either sign, float32 and float64, both modes, a loaded
    `state_dict`, and that at the start w = v. Source:
    Salimans and Kingma 2016, "Weight Normalization".

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_and_spectral_norm.weight_norm_linear import ByHand
    >>> check_weight_norm_linear(ByHand)
    ✓ WeightNormLinear — g is the length of each row, v only its direction.
    """
    run_check(WEIGHT_NORM_LINEAR, WeightNormLinear)
