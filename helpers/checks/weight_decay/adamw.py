"""Check of one step of AdamW, and of many in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        *shape: int,
        steps: int = 10,
        first: int = 1,
        scale: float = 1.0,
        mean: float = 0.0,
        dtype: torch.dtype = torch.float32,
        **options: Any,
    ) -> Case:
        def draw(*size: int) -> torch.Tensor:
            return torch.randn(size, generator=rng, dtype=dtype)

        m, v = torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)
        if first > 1:
            m, v = draw(*shape) * scale, (draw(*shape) * scale) ** 2
        written = "".join(f", {key}={value}" for key, value in options.items())
        return Case(
            name,
            w=draw(*shape) + mean,
            grads=draw(steps, *shape) * scale + mean,
            m=m,
            v=v,
            first=first,
            options=options,
            written_options=written,
        )

    double = torch.float64
    strong: dict[str, Any] = {"lr": 0.1, "weight_decay": 0.5}
    yield case("the first step", 2, steps=1, **strong)
    yield case("several steps", 3, **strong)
    yield case("no weight decay", 2, steps=1, weight_decay=0.0, lr=0.1)
    yield case("other betas", 3, betas=(0.5, 0.8), **strong)
    yield case("a large eps", 3, eps=0.5, **strong)
    yield case("all settings by default", 4, 3, steps=40, scale=1e-6, dtype=double)
    yield case("from the middle of a training", 3, first=7, **strong)
    yield case("large weights and gradients, float64", 3, mean=1000.0, dtype=double, **strong)
    yield case("gradients of zeros", 2, scale=0.0, **strong)
    yield case("one number", **strong).beyond()
    yield case("no entries", 0, steps=2).beyond()
    whole = case("a transposed matrix", 2, 3, steps=3, **strong).data
    turned = {key: whole[key].transpose(-1, -2) for key in ("w", "grads", "m", "v")}
    yield Case("a transposed matrix", **{**whole, **turned}).beyond()
    nowhere = {key: torch.zeros(2, 3, device="meta") for key in ("w", "m", "v")}
    grads = torch.zeros(1, 2, 3, device="meta")
    yield Case("tensors on another device", **{**whole, **nowhere, "grads": grads}).beyond()


def _observe(adamw_step: Any, case: Case) -> Iterator[tuple[str, Any]]:
    before = case.fresh()
    w, m, v = case.w, case.m, case.v
    for i, grad in enumerate(before.grads):
        given = case.grads[i] if i == 0 else grad
        result = adamw_step(w, given, m, v, case.first + i, **case.options)
        if i == 0:
            yield "results", len(result) if isinstance(result, (tuple, list)) else result
            yield from zip(("w", "m", "v"), result, strict=True)
            for name in ("w", "m", "v"):
                yield f"{name} afterwards", case.data[name]
            yield "grad afterwards", case.grads[0]
        w, m, v = result
    yield "w at the end", w
    yield "m at the end", m
    yield "v at the end", v


CALL = "w, m, v = adamw_step({w}, grad, {m}, {v}, {first}{written_options})"
CLOSE: dict[str, Any] = {"rtol": 2e-5, "atol": 2e-6}
"""A step is small beside w, so w is compared to 1 part in 50,000."""

AGAIN = f"{CALL}, again and again with t one larger each time"


def _changed(name: str) -> Aspect:
    return Aspect(f"{CALL}, and then the {name} that was given", f"Your code changed {name}.")


ADAMW_STEP = Check(
    name="check_adamw_step",
    lesson="weight_decay",
    topic="AdamW",
    takes=(Argument("adamw_step"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "results": Aspect(CALL, "Three results are expected: w, m and v."),
        "w": Aspect(f"{CALL}, and then w", "The new w is wrong.", **CLOSE),
        "m": Aspect(f"{CALL}, and then m", "The new m is wrong."),
        "v": Aspect(f"{CALL}, and then v", "The new v is wrong.", atol=1e-12),
        "w afterwards": _changed("w"),
        "m afterwards": _changed("m"),
        "v afterwards": _changed("v"),
        "grad afterwards": _changed("grad"),
        "w at the end": Aspect(AGAIN, "After several steps w is wrong.", **CLOSE),
        "m at the end": Aspect(AGAIN, "After several steps m is wrong."),
        "v at the end": Aspect(AGAIN, "After several steps v is wrong.", atol=1e-12),
    },
    praise="the same as torch.optim.AdamW, step after step, and no argument is changed.",
    reread="Adam needs another way",
    forbidden=frozenset({"adamw", "adam"}),
)


def check_adamw_step(adamw_step: Callable[..., Any]) -> None:
    """Check `adamw_step(w, grad, m, v, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8,
    weight_decay=1e-2) -> (w, m, v)`: pure, first step t = 1, as `torch.optim.AdamW`.

    Judged over up to 40 steps, from the first one and from the middle of a training
    (Loshchilov and Hutter 2019).

    Noted, not counted: tensors of no axes, of no entries, transposed or on another device.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_decay.adamw_step import RIGHT
    >>> check_adamw_step(RIGHT)
    ✓ AdamW — the same as torch.optim.AdamW, step after step, and no argument is changed.
    """
    run_check(ADAMW_STEP, adamw_step)
