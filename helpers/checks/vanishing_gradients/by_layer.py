"""Check of the mean absolute gradient, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check


class _OddNames(nn.Module):
    """A weight of another name, a bias with two axes, and one number without an axis."""

    def __init__(self) -> None:
        super().__init__()
        self.mixing = nn.Parameter(torch.ones(2, 3))
        self.row_bias = nn.Parameter(torch.zeros(1, 4))
        self.temperature = nn.Parameter(torch.ones(()))
        self.encoder = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.LayerNorm(4)))
        self.decoder = nn.Linear(4, 3)


class _Tied(nn.Module):
    """Two layers that share one weight, as an encoder and a decoder may."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Linear(3, 3)
        self.second.weight = self.first.weight


def _frozen() -> nn.Module:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    return model


MODELS: dict[str, Callable[[], nn.Module]] = {
    "a small Sequential": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)
    ),
    "a model whose first layer is frozen": _frozen,
    "a model with a layer that was not used": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(3, 2)
    ),
    "a convolution and a normalisation": lambda: nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Conv1d(2, 2, 2), nn.Linear(4, 2)
    ),
    "modules inside modules": lambda: nn.Sequential(
        nn.Linear(2, 3), nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 2)))
    ),
    "layers that share a weight": _Tied,
    "a model in float64": lambda: nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).double(),
    "nn.Linear(2, 3)": lambda: nn.Linear(2, 3),
    "a model before its first backward()": lambda: nn.Sequential(nn.Linear(2, 3)),
    "parameters of its own, with other names": _OddNames,
    "nn.ReLU()": nn.ReLU,
}
BEYOND = (
    "a model before its first backward()",
    "parameters of its own, with other names",
    "nn.ReLU()",
)


def _cases(_: torch.Generator) -> Iterator[Case]:
    for name in MODELS:
        case = Case(name, model=name, scale=1.0)
        yield case.beyond() if name in BEYOND else case
    yield Case("gradients near 1e-16", model="a small Sequential", scale=1e-16)
    yield Case("large gradients", model="a small Sequential", scale=1e6)
    yield Case("gradients that are all zero", model="a small Sequential", scale=0.0)


def _with_gradients(case: Case) -> nn.Module:
    """The case's model, with gradients as after backward(); frozen parameters get none."""
    model = MODELS[case.model]()
    without = ["1."] if "not used" in case.name else [""] if "before" in case.name else []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not name.startswith(tuple(without)):
            parameter.grad = torch.randn_like(parameter) * case.scale + 0.3 * case.scale
    return model


def _kinds(values: Any) -> set[str]:
    """What the values are; Python's and NumPy's numbers count as floats."""
    found = set()
    for value in values:
        is_number = isinstance(value, (int, float, np.generic)) and not isinstance(value, bool)
        found.add("float" if is_number else type(value).__name__)
    return found


def _is_number(value: Any) -> bool:
    return _kinds([value]) == {"float"} or (isinstance(value, torch.Tensor) and value.numel() == 1)


def _observe(gradient_magnitude_by_layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = _with_gradients(case)
    result = gradient_magnitude_by_layer(model)
    yield "result", "a dict" if isinstance(result, dict) else f"a {type(result).__name__}"
    yield "names", ", ".join(str(name) for name in result) or "none"
    others = _kinds(value for value in result.values() if not _is_number(value))
    yield "numbers", ", ".join(sorted(others)) or "numbers"
    yield "values", torch.tensor([float(v) for v in result.values()], dtype=torch.float64)
    yield "gradients afterwards", _flat(p.grad for p in model.parameters())
    yield "which have gradients", _flags(p.grad is not None for p in model.parameters())
    yield "weights afterwards", _flat(model.parameters())
    yield "which are trained", _flags(p.requires_grad for p in model.parameters())
    yield "mode afterwards", model.training
    yield "kinds", ", ".join(sorted(_kinds(result.values())))


def _flat(tensors: Any) -> torch.Tensor:
    parts = [t.detach().flatten() for t in tensors if t is not None]
    return torch.cat(parts) if parts else torch.zeros(0)


def _flags(flags: Any) -> str:
    return " ".join("yes" if flag else "no" for flag in flags)


CALL = "gradient_magnitude_by_layer({model})"

GRADIENT_MAGNITUDE = Check(
    name="check_gradient_magnitude_by_layer",
    lesson="vanishing_gradients",
    topic="gradient by layer",
    takes=(Argument("gradient_magnitude_by_layer"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "result": Aspect(CALL, "The result is not a dict."),
        "names": Aspect(f"list({CALL})", "The dict has other names, or another order."),
        "numbers": Aspect(
            f"the values of {CALL}, and then their type", "The values are not all numbers."
        ),
        "values": Aspect(
            f"list({CALL}.values())", "A value of the dict is wrong.", rtol=1e-3, atol=0.0
        ),
        "gradients afterwards": Aspect(
            f"{CALL}, and then the gradients", "Your code changed the gradients.", atol=0.0
        ),
        "which have gradients": Aspect(
            f"{CALL}, and then for each parameter: does it have a gradient?",
            "Your code added or removed gradients.",
        ),
        "weights afterwards": Aspect(
            f"{CALL}, and then the parameters", "Your code changed the parameters."
        ),
        "which are trained": Aspect(
            f"{CALL}, and then for each parameter: is it trained?",
            "Your code changed which parameters are trained.",
        ),
        "mode afterwards": Aspect(
            f"{CALL}, and then model.training", "Your code changed the model's mode."
        ),
        "kinds": Aspect(
            f"the values of {CALL}, and then their type",
            "Your values are tensors where floats are meant: item() makes a float.",
            beyond=True,
        ),
    },
    praise="one number for each weight, in order, also where it is 1e-16.",
    reread="The gradient, layer by layer",
)


def check_gradient_magnitude_by_layer(
    gradient_magnitude_by_layer: Callable[[nn.Module], dict[str, float]],
) -> None:
    """Check `gradient_magnitude_by_layer(model) -> dict[str, float]`: the mean |gradient| of every
    parameter with two or more axes, in order, by parameter name; those without a gradient are
    left out.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest model that differs, and the mistake where it is known.

    >>> check_gradient_magnitude_by_layer(
    ...     lambda model: {
    ...         name: p.grad.abs().mean().item()
    ...         for name, p in model.named_parameters()
    ...         if p.dim() >= 2 and p.grad is not None
    ...     }
    ... )
    ✓ gradient by layer — one number for each weight, in order, also where it is 1e-16.
    """
    run_check(GRADIENT_MAGNITUDE, gradient_magnitude_by_layer)
