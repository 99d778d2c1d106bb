"""Programs 6 and 9: norms that are not squared, and data losses taken for weight penalties."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check


class _Quadratic(nn.Module):
    """A weight that belongs to none of PyTorch's layers."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.weight) ** 2


MODELS: dict[str, Callable[[], nn.Module]] = {
    "one layer without a bias": lambda: nn.Linear(3, 1, bias=False),
    "one layer": lambda: nn.Linear(3, 2),
    "two layers of different sizes": lambda: nn.Sequential(
        nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)
    ),
    "three layers of different sizes": lambda: nn.Sequential(
        nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2)
    ),
    "a layer norm": lambda: nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2)),
    "a convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 3, 3)), nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4, 2)
    ),
    "a weight of its own": _Quadratic,
}


def _model(case: Case) -> nn.Module:
    torch.default_generator.manual_seed(case.seed)  # torch.manual_seed takes far longer
    model = MODELS[case.model]().to(case.dtype)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(case.scale)
            if getattr(case, "zeros", False):
                p[0] = 0.0
    return model


def _seed(rng: torch.Generator) -> int:
    return int(torch.randint(1_000_000, (1,), generator=rng))


def _flat(values: list[torch.Tensor | None], model: nn.Module) -> torch.Tensor:
    """The gradients of all parameters in one vector; zeros where there is none."""
    pairs = zip(values, model.parameters(), strict=True)
    return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs])


def _gradients(value: torch.Tensor, model: nn.Module) -> torch.Tensor:
    found = torch.autograd.grad(value, list(model.parameters()), allow_unused=True)
    return _flat(list(found), model)


# 6. Norms that are not squared -------------------------------------------------------------------


def _norm_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, model: str, lam: float, scale: float = 1.0, **more: Any) -> Case:
        dtype = more.get("dtype", torch.float32)
        return Case(name, model=model, lam=lam, scale=scale, seed=_seed(rng), dtype=dtype)

    first = case("one layer without a bias", "one layer without a bias", 0.3)
    yield first
    yield Case("the same with doubled weights", **{**first.data, "scale": 2.0})
    yield case("two layers", "two layers of different sizes", 0.1)
    yield case("three layers, large weights", "three layers of different sizes", 3.0, 10.0)
    yield case("a layer norm between two layers", "a layer norm", 0.2)
    yield case("a convolution", "a convolution", 0.5, 3.0)
    yield case("weights of 0", "one layer", 1.0, 0.0)
    yield case("float64", "two layers of different sizes", 0.1, dtype=torch.float64)
    yield case("a weight that is in no layer of PyTorch's", "a weight of its own", 0.5).beyond()


def _observe_norms(penalty: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = _model(case)
    before = torch.cat([p.detach().clone().flatten() for p in model.parameters()])
    value = penalty(model, case.lam)
    yield "penalty", value
    yield "connected", bool(getattr(value, "requires_grad", False))
    yield "gradient", _gradients(value, model)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    yield "weights afterwards", after - before


NORMS = clinic_check(
    "norms",
    "program 6, the L2 penalty",
    "repaired_penalty",
    cases=_norm_cases,
    observe=_observe_norms,
    aspects={
        "penalty": Aspect("repaired_penalty(model, lam={lam})", "The penalty is wrong."),
        "connected": Aspect(
            "repaired_penalty(model, lam={lam}).requires_grad",
            "The penalty is cut off from the weights: it cannot change them.",
        ),
        "gradient": Aspect(
            "the gradients that repaired_penalty(model, lam={lam}) gives to the parameters",
            "The gradient of the penalty is wrong; it must be λ times the weight.",
        ),
        "weights afterwards": Aspect(
            "repaired_penalty(model, lam={lam}), and then the change of the weights",
            "Your code changed the weights.",
        ),
    },
    praise="twice the weights give four times the penalty, and the gradient is λw.",
    reread="Program 6: a penalty that pulls at everything alike",
)

# 9. Data losses taken for penalties --------------------------------------------------------------


def _loss_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, model: str, l1: float, l2: float, **more: Any) -> Case:
        dtype = more.get("dtype", torch.float32)
        inputs = 9 if model == "a convolution" else 3
        outputs = 1 if model.startswith("two") else 2
        return Case(
            name,
            model=model,
            l1=l1,
            l2=l2,
            scale=more.get("scale", 2.0),
            seed=_seed(rng),
            dtype=dtype,
            x=torch.randn(6, inputs, generator=rng, dtype=dtype),
            y=torch.randn(6, outputs, generator=rng, dtype=dtype),
            fits=more.get("fits", False),
            zeros=more.get("zeros", False),
        )

    yield case("one layer", "one layer", 0.5, 0.3)
    yield case("L1 only", "one layer", 0.5, 0.0)
    yield case("L2 only", "one layer", 0.0, 0.5)
    yield case("targets that the model fits exactly", "one layer", 0.5, 0.25, fits=True)
    two = "two layers of different sizes"
    yield case("two layers, and some weights are 0", two, 0.1, 0.3, zeros=True)
    yield case("three layers", "three layers of different sizes", 0.2, 0.1, scale=1.0)
    yield case("a layer norm between two layers", "a layer norm", 0.3, 0.2)
    yield case("a convolution", "a convolution", 0.2, 0.3)
    yield case("weights of 0", "one layer", 0.5, 0.5, scale=0.0)
    yield case("float64", "three layers of different sizes", 0.2, 0.1, dtype=torch.float64)
    beyond = case("a weight that is in no layer of PyTorch's", "a weight of its own", 0.2, 0.3)
    yield beyond.beyond()


def _observe_losses(loss: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = _model(case)
    y = model(case.x).detach() if case.fits else case.y
    before = torch.cat([p.detach().clone().flatten() for p in model.parameters()])
    value = loss(model, case.x, y, case.l1, case.l2)
    yield "loss", value
    yield "connected", bool(getattr(value, "requires_grad", False))
    yield "gradient", _gradients(value, model)
    after = torch.cat([p.detach().flatten() for p in model.parameters()])
    yield "weights afterwards", after - before


_CALL = "repaired_loss(model, x, y, l1={l1}, l2={l2})"
LOSSES = clinic_check(
    "losses",
    "program 9, penalties of the weights",
    "repaired_loss",
    cases=_loss_cases,
    observe=_observe_losses,
    aspects={
        "loss": Aspect(_CALL, "The loss is wrong."),
        "connected": Aspect(f"{_CALL}.requires_grad", "The loss is cut off from the weights."),
        "gradient": Aspect(
            f"the gradients that {_CALL} gives to the parameters", "The gradient is wrong."
        ),
        "weights afterwards": Aspect(
            f"{_CALL}, and then the change of the weights", "Your code changed the weights."
        ),
    },
    praise="the penalties look at the weights alone, and the data loss is as it was.",
    reread="Program 9: penalties that look at the data",
)
