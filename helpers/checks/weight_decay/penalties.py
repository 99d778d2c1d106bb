"""Check of the two penalties, the sum of |w| and half the sum of w²."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

ROOM_AT_ZERO = 1.001
"""|w| has no slope at 0: any number from −1 to 1 is a subgradient and is accepted."""


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    def case(name: str, *parameters: torch.Tensor, lazy: bool = False) -> Case:
        return Case(name, parameters=list(parameters), lazy=lazy)

    double = torch.float64
    yield case("one tensor", torch.tensor([3.0, -4.0, 0.5]))
    yield case("two tensors of different sizes", torch.tensor([[3.0, -4.0]]), torch.tensor([2.0]))
    yield case("weights and biases of two layers", draw(4, 3), draw(4), draw(2, 4), draw(2))
    yield case("a bias of zeros", draw(2, 3), torch.tensor([0.0, 0.0]))
    yield case("float64", draw(2, 3, dtype=double), draw(5, dtype=double))
    yield case("large weights", draw(20, 5) + 1000)
    yield case("no parameters")
    yield case("parameters that can be read only once", draw(3, 2), draw(3), lazy=True).beyond()
    yield case("a parameter of one number", torch.tensor(-1.5), draw(3)).beyond()
    yield case("a transposed matrix", draw(2, 3).t()).beyond()
    yield case("a tensor without entries", torch.zeros(0, 3), draw(2)).beyond()
    yield case("parameters on another device", torch.zeros(2, 3, device="meta")).beyond()


def _observe(pair: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for name, penalty in zip(("l1", "l2"), pair, strict=True):
        leaves = [p.requires_grad_() for p in case.fresh().parameters]
        before = [p.detach().clone() for p in leaves]
        result = penalty((p for p in leaves) if case.lazy else leaves)
        if not leaves:  # a zero of any dtype will do
            yield name, result.double() if isinstance(result, torch.Tensor) else result
            continue
        yield name, result
        connected = bool(getattr(result, "requires_grad", False))
        yield f"{name} connected", connected
        if leaves[0].device.type == "meta":
            continue
        yield f"{name} parameters afterwards", _flat(leaves)
        yield (
            f"{name} grad afterwards",
            " ".join("None" if p.grad is None else "set" for p in leaves),
        )
        if connected and all(p.grad is None for p in leaves):
            yield from _gradient(name, result, leaves, before)


def _flat(tensors: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat([t.detach().flatten() for t in tensors])


def _gradient(
    name: str, result: torch.Tensor, leaves: list[torch.Tensor], before: list[torch.Tensor]
) -> Iterator[tuple[str, Any]]:
    found = torch.autograd.grad(result, leaves, allow_unused=True)
    gradient = _flat(
        [torch.zeros_like(p) if g is None else g for g, p in zip(found, leaves, strict=True)]
    )
    at_zero = _flat(before) == 0
    yield f"{name} gradient", gradient[~at_zero]
    yield f"{name} gradient at 0", gradient[at_zero]


def _aspects(name: str, formula: str) -> dict[str, Aspect]:
    call = f"{name}_penalty({{parameters}})"
    key = name
    return {
        key: Aspect(call, f"The {name.upper()} penalty is wrong; it is {formula}."),
        f"{key} connected": Aspect(
            f"{name}_penalty(parameters).requires_grad, for parameters that ask for gradients",
            f"Autograd cannot see through your {name}_penalty, so it could not change a weight.",
        ),
        f"{key} gradient": Aspect(
            f"{call}.backward(), and then the gradients of all weights that are not 0",
            f"The gradient of the {name.upper()} penalty is wrong.",
        ),
        f"{key} gradient at 0": Aspect(
            f"{call}.backward(), and then the gradients of the weights that are 0",
            f"The gradient of the {name.upper()} penalty is wrong for weights that are 0.",
            atol=ROOM_AT_ZERO if name == "l1" else None,
        ),
        f"{key} parameters afterwards": Aspect(
            f"{call}, and then the parameters", f"Your {name}_penalty changed the parameters."
        ),
        f"{key} grad afterwards": Aspect(
            f"{call}, and then p.grad of each parameter",
            f"Your {name}_penalty called backward(), which is the caller's business.",
        ),
    }


PENALTIES = Check(
    name="check_penalties",
    lesson="weight_decay",
    topic="penalties",
    takes=(Argument("l1_penalty"), Argument("l2_penalty")),
    cases=_cases,
    observe=_observe,
    aspects={**_aspects("l1", "Σ|w|"), **_aspects("l2", "½Σw²")},
    praise="Σ|w| and ½Σw², over all tensors together; their gradients are sign(w) and w.",
    reread="Two penalties",
)


def check_penalties(
    l1_penalty: Callable[..., torch.Tensor], l2_penalty: Callable[..., torch.Tensor]
) -> None:
    """Check `l1_penalty(parameters)` = Σ|w| and `l2_penalty(parameters)` = ½Σw².

    Both are differentiable 0-d tensors of the parameters' dtype; without parameters they are a
    zero tensor. At w = 0 any slope of |w| from −1 to 1 is accepted. Sources: ridge, Hoerl and
    Kennard 1970; lasso, Tibshirani 1996.

    Noted, not counted: parameters that can be read only once, of no axes, of no entries,
    transposed, or on another device.

    Raises:
        NotAttempted: a stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_decay.penalties import l1_penalty, l2_penalty
    >>> check_penalties(l1_penalty, l2_penalty)
    ✓ penalties — Σ|w| and ½Σw², over all tensors together; their gradients are sign(w) and w.
    """
    run_check(PENALTIES, l1_penalty, l2_penalty)
