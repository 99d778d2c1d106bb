"""Check of folding a BatchNorm layer into the linear layer before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.batch_normalization.by_hand import DOUBLE


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=rng, dtype=DOUBLE)

    def case(name: str, inputs: int, outputs: int, **more: Any) -> Case:
        settings: dict[str, Any] = {
            "dtype": DOUBLE,
            "with_bias": True,
            "eps": 1e-5,
            "linear_training": False,
            "bn_training": False,
            "running_var": torch.rand(outputs, generator=rng, dtype=DOUBLE) + 0.3,
            **more,
        }
        weight, bias = draw(outputs, inputs), draw(outputs)
        return Case(
            name,
            inputs=inputs,
            outputs=outputs,
            weight=weight,
            bias=bias,
            gamma=draw(outputs) + 1.5,
            beta=draw(outputs) * 2,
            running_mean=draw(outputs) * 2,
            x=draw(5, inputs).to(settings["dtype"]),
            **settings,
        )

    yield case("three inputs and two outputs", 3, 2)
    yield case("as many inputs as outputs", 3, 3)
    yield case("a linear layer without bias", 3, 2, with_bias=False)
    yield case("both layers in training mode", 3, 2, bn_training=True, linear_training=True)
    yield case("a large eps", 2, 3, eps=0.5)
    tiny = torch.tensor([1e-6, 4.0, 0.0], dtype=DOUBLE)
    yield case("a tiny running variance", 2, 3, running_var=tiny)
    yield case("float32", 3, 2, dtype=torch.float32)
    yield case("one feature", 1, 1).beyond()


def _layers(case: Case) -> tuple[nn.Linear, nn.BatchNorm1d]:
    linear = nn.Linear(case.inputs, case.outputs, bias=case.with_bias).to(case.dtype)
    bn = nn.BatchNorm1d(case.outputs, eps=case.eps).to(case.dtype)
    pairs = [(linear.weight, case.weight), (bn.weight, case.gamma), (bn.bias, case.beta),
             (bn.running_mean, case.running_mean), (bn.running_var, case.running_var)]  # fmt: skip
    if linear.bias is not None:
        pairs.append((linear.bias, case.bias))
    with torch.no_grad():
        for mine, value in pairs:
            assert mine is not None
            mine.copy_(value)
    return linear.train(case.linear_training), bn.train(case.bn_training)


def _values(module: nn.Module) -> torch.Tensor:
    """Everything in the state_dict as one vector."""
    return torch.cat([v.detach().flatten().double() for v in module.state_dict().values()])


def _observe(fold: Any, case: Case) -> Iterator[tuple[str, Any]]:
    linear, bn = _layers(case)
    result = fold(linear, bn)
    yield "kind", "nn.Linear" if isinstance(result, nn.Linear) else type(result).__name__
    yield "a new layer", result is not linear
    if not isinstance(result, nn.Linear):
        return
    yield "names", ", ".join(sorted(name for name, _ in result.named_parameters()))
    yield "sizes", f"in_features={result.in_features}, out_features={result.out_features}"
    yield "weight", result.weight
    yield "bias", result.bias
    yield "y", result(case.x)
    yield "linear afterwards", _values(linear)
    yield "bn afterwards", _values(bn)
    yield "modes afterwards", f"linear.training={linear.training}, bn.training={bn.training}"


_CALL = "new = fold_batchnorm(linear, bn)"

FOLD = Check(
    name="check_fold_batchnorm",
    lesson="batch_normalization",
    topic="fold_batchnorm",
    takes=(Argument("fold_batchnorm"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "kind": Aspect(f"{_CALL}; type(new)", "The result is not an nn.Linear."),
        "a new layer": Aspect(f"{_CALL}; new is not linear", "The result must be a new layer."),
        "names": Aspect(
            f"{_CALL}; the names of new.named_parameters()",
            "The new layer must have the parameters weight and bias.",
        ),
        "sizes": Aspect(f"{_CALL}; its sizes", "The new layer has wrong sizes."),
        "weight": Aspect(f"{_CALL}; new.weight", "The weight is wrong.", of_largest=True),
        "bias": Aspect(f"{_CALL}; new.bias", "The bias is wrong.", of_largest=True),
        "y": Aspect(f"{_CALL}; new(x)", "The output is wrong.", of_largest=True),
        "linear afterwards": Aspect(
            f"{_CALL}, and then linear", "Your function changed the linear layer."
        ),
        "bn afterwards": Aspect(f"{_CALL}, and then bn", "Your function changed bn."),
        "modes afterwards": Aspect(f"{_CALL}, and then the modes", "Your function changed a mode."),
    },
    praise="at test time BatchNorm costs nothing: it is part of the layer before it.",
    reread="Nothing left at test time",
)


def check_fold_batchnorm(fold_batchnorm: Callable[..., Any]) -> None:
    """Check `fold_batchnorm(linear, bn) -> nn.Linear`: one new layer, always with a bias, equal
    to `linear` followed by `bn` with its running statistics, whatever mode `bn` is in, in float32
    and float64. Both layers and their modes stay as they are.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.fold_batchnorm import fold_batchnorm
    >>> check_fold_batchnorm(fold_batchnorm)
    ✓ fold_batchnorm — at test time BatchNorm costs nothing: it is part of the layer before it.
    """
    run_check(FOLD, fold_batchnorm)
