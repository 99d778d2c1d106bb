"""Programs 7 and 8: a factor 2 between formula and code, and a penalty added to the outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check, how_many

# 7. A factor 2 -----------------------------------------------------------------------------------


def _descent_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, lam: float, momentum: float, steps: int, **more: Any) -> Case:
        n, d, dtype = more.get("n", 8), more.get("d", 3), more.get("dtype", torch.float32)
        return Case(
            name,
            w=torch.randn(d, generator=rng, dtype=dtype),
            X=torch.randn(n, d, generator=rng, dtype=dtype),
            y=torch.randn(n, generator=rng, dtype=dtype),
            lam=lam,
            lr=more.get("lr", 0.1),
            momentum=momentum,
            steps=steps,
        )

    yield case("two steps with momentum, one weight", 0.5, 0.8, 2, n=3, d=1)
    yield case("one step", 0.3, 0.0, 1)
    yield case("three steps", 0.5, 0.0, 3)
    yield case("three steps with momentum", 0.5, 0.9, 3)
    yield case("ten steps with momentum, float64", 0.2, 0.8, 10, dtype=torch.float64, lr=0.05)
    yield case("more weights than samples", 0.3, 0.5, 5, n=4, d=6)


def _kinds(objectives: Any) -> str:
    kinds = {type(objective).__name__ for objective in objectives}
    return f"a {type(objectives).__name__} with entries of type {' and '.join(sorted(kinds))}"


def _observe_descent(descent: Any, case: Case) -> Iterator[tuple[str, Any]]:
    result = descent(case.w, case.X, case.y, case.lam, case.lr, case.momentum, case.steps)
    yield "results", how_many(result)
    w, objectives = result
    values = [torch.as_tensor(o).detach().to(case.w.dtype) for o in objectives]
    yield "objectives", torch.stack(values)
    yield "w", w.detach()
    yield "w afterwards", case.w
    yield "kind of objectives", _kinds(objectives)


_CALL = "repaired_descent(w, X, y, lam={lam}, lr={lr}, momentum={momentum}, steps={steps})"
DECAY = clinic_check(
    "decay",
    "program 7, a factor 2",
    "repaired_descent",
    cases=_descent_cases,
    observe=_observe_descent,
    aspects={
        "results": Aspect(_CALL, "Two results are expected: w and the list of objectives."),
        "objectives": Aspect(
            f"the objectives of {_CALL}", "The objective is not that of the formula."
        ),
        "w": Aspect(f"w after {_CALL}", "The weights do not descend the formula."),
        "w afterwards": Aspect(f"{_CALL}, and then the w that was given", "Your code changed w."),
        "kind of objectives": Aspect(
            f"the objectives of {_CALL}",
            "The objectives are expected as a list of floats, which keep no graph.",
            beyond=True,
        ),
    },
    praise="the step is the gradient of the formula, with momentum too: weight_decay = 2λ.",
    reread="Program 7: a formula and a code that disagree",
)

# 8. A penalty added to the outputs ---------------------------------------------------------------

NAMES = ("first.weight", "first.bias", "second.weight", "second.bias")


def _regressor_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, n: int, lam: float) -> Case:
        return Case(
            name,
            lam=lam,
            x=torch.randn(n, 3, generator=rng),
            y=torch.randn(n, generator=rng),
            values=[torch.randn(shape, generator=rng) for shape in ((4, 3), (4,), (1, 4), (1,))],
        )

    yield case("λ = 0.3, three samples", 3, 0.3)
    yield case("λ = 0", 2, 0.0)
    yield case("λ = 2, seven samples", 7, 2.0)
    yield case("λ = 1, one sample", 1, 1.0).beyond()


def _found(model: Any, name: str) -> Any:
    """A parameter by its name, also where a layer has a second name; None if there is none."""
    layer, _, parameter = name.partition(".")
    return getattr(getattr(model, layer, None), parameter, None)


def _observe_regressor(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = make(3, 4, case.lam)
    parameters = [_found(model, name) for name in NAMES]
    yield (
        "parameters",
        ", ".join(n for n, p in zip(NAMES, parameters, strict=True) if p is not None),
    )
    with torch.no_grad():
        for parameter, value in zip(parameters, case.values, strict=True):
            parameter.copy_(value)
    model.train()
    yield "output", model(case.x)
    loss = model.loss(case.x, case.y)
    yield "loss", loss
    yield "connected", bool(getattr(loss, "requires_grad", False))
    model.eval()
    yield "output in evaluation", model(case.x)
    yield "loss in evaluation", model.loss(case.x, case.y)
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    filled = [
        torch.zeros_like(p) if g is None else g for g, p in zip(found, parameters, strict=True)
    ]
    yield "gradient", torch.cat([g.flatten() for g in filled])


_MADE = "model = RepairedRegressor(3, 4, lam={lam})"
OUTPUTS = clinic_check(
    "outputs",
    "program 8, a penalty in the wrong place",
    "RepairedRegressor",
    methods=("forward", "loss"),
    cases=_regressor_cases,
    observe=_observe_regressor,
    aspects={
        "parameters": Aspect(
            f"{_MADE}, and its parameters", "A parameter is missing, or has another name."
        ),
        "output": Aspect(f"{_MADE}; model({{x}})", "The prediction is wrong."),
        "loss": Aspect(f"{_MADE}; model.loss({{x}}, {{y}})", "The loss in training is wrong."),
        "connected": Aspect(
            f"{_MADE}; model.loss(x, y).requires_grad", "The loss is cut off from the weights."
        ),
        "gradient": Aspect(
            f"{_MADE}; model.loss({{x}}, {{y}}).backward(), and then the gradients",
            "The gradient of the loss is wrong.",
        ),
        "output in evaluation": Aspect(
            f"{_MADE}.eval(); model({{x}})", "The prediction in evaluation is wrong."
        ),
        "loss in evaluation": Aspect(
            f"{_MADE}.eval(); model.loss({{x}}, {{y}})",
            "The loss in evaluation is wrong; it is the data loss alone.",
        ),
    },
    praise="λ moves the weights through the loss, and no prediction directly.",
    reread="Program 8: prices that rise with λ",
)
