"""Check of early stopping: a small object with a memory, watched over whole sequences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check

NAN = math.nan


def _stopping_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, patience: int, *values: float, min_delta: Any = None) -> Case:
        settings = {} if min_delta is None else {"min_delta": min_delta}
        more = "".join(f", {key}={value}" for key, value in settings.items())
        few = ", ".join("NaN" if math.isnan(v) else f"{v:g}" for v in values)
        return Case(
            name,
            patience=patience,
            settings=settings,
            fed=list(values),
            values=torch.tensor([float(v) for v in values], dtype=torch.float64),
            made=f"EarlyStopping({patience}{more})",
            sequence=f"[{few}]" if len(values) <= 10 else f"a sequence of {len(values)} values",
        )

    little = (0.5, 0.49995, 0.4995, 0.495, 0.45, 0.0)
    yield case("up and down", 2, 0.9, 0.7, 0.8, 0.6, 0.65, 0.62)
    yield case("always better", 2, *(12.0 - i for i in range(10)))
    yield case("never better after the first", 2, 1.0, 2.0, 3.0)
    yield case("a patience of 1", 1, 1.0, 0.5, 0.75)
    yield case("falling, but not below the best", 3, 1.0, 4.0, 3.0, 2.0)
    yield case("negative values", 2, -1.0, -2.0, -1.5, -1.75, -3.0)
    yield case("too little better", 2, 2.0, 1.75, 1.625, min_delta=0.5)
    yield case("better by exactly min_delta", 2, 2.0, 1.5, 1.5, min_delta=0.5)
    yield case("the table of the lesson", 2, 0.9, 0.7, 0.8, 0.6, 0.6, 0.6)
    yield case("better by more than min_delta", 2, 2.0, 1.25, 1.0, 0.5, min_delta=0.5)
    yield case("better in small steps", 3, 2.0, 1.75, 1.375, 1.25, 1.125, min_delta=0.5)
    yield case("worse by less than min_delta", 2, 2.0, 2.25, 2.25, min_delta=0.5)
    yield case("large values", 2, 100.0, 99.0, 98.0, 97.0, 96.9, 96.9, min_delta=0.5)
    yield case("very large values", 2, 4e30, 2e30, 3e30, 3e30)
    yield case("better by very little", 6, *little)
    yield case("better by very little, min_delta given", 6, *little, min_delta=0.0)
    yield case("NaN in between", 2, 1.0, NAN, 0.5, NAN, NAN)
    yield case("NaN, then a value as before", 3, 1.0, NAN, 1.5, 1.25)
    yield case("NaN first", 3, NAN, NAN, 2.0, 1.0, NAN)
    yield case("only NaN", 2, NAN, NAN, NAN)
    for patience, min_delta in ((3, None), (4, 0.0625), (5, 0.25), (9, 0.0625)):
        steps = torch.randint(-9, 8, (60,), generator=rng)
        values = (10 + steps.cumsum(0) / 16).tolist()  # sixteenths, so that ties are exact
        for i in torch.randint(60, (4,), generator=rng).tolist():
            values[i] = NAN
        yield case("a long training", patience, *values, min_delta=min_delta)
    yield case("ints", 2, 9, 8, 7, 8, 7, min_delta=1).beyond()
    yield case("values from NumPy", 2, *(np.float64(v) for v in (1.0, 0.5, 0.75, 0.75))).beyond()


def _number(best: Any) -> float:
    """`best` as a float; before anything improved, None, NaN and infinity say the same."""
    number = math.inf if best is None else float(best)
    return math.inf if math.isnan(number) else number


def _observe_stopping(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    first = make(case.patience, **case.settings)
    second = make(patience=case.patience, **case.settings)
    answers, bests = [], []
    for value in case.fed:
        answers.append(first.step(value))
        bests.append(_number(getattr(first, "best", None)))
        if answers[-1]:  # training stops here; what it would say later does not matter
            break
    stopped = len(case.fed) - len(answers)  # steps that training does not reach; it stays stopped
    odd = [a for a in answers if not isinstance(a, (bool, np.bool_))]
    yield "answer", (odd or answers)[0]
    yield "answers", torch.tensor([bool(a) for a in answers] + [True] * stopped)
    yield "has best", hasattr(first, "best")
    yield "best", torch.tensor(bests + bests[-1:] * stopped, dtype=torch.float64)
    fed = case.fed[: len(answers)]
    yield "second", torch.tensor([bool(second.step(value)) for value in fed])


EARLY_STOPPING = Check(
    name="check_early_stopping",
    lesson="mixup_and_cutout",
    topic="early stopping",
    takes=(Argument("EarlyStopping", "class", ("step",)),),
    cases=_stopping_cases,
    observe=_observe_stopping,
    aspects={
        "answer": Aspect(
            "stopper = {made}; stopper.step(value) for {sequence}", "An answer of step is wrong."
        ),
        "answers": Aspect(
            "stopper = {made}; the answers of stopper.step(value) for {sequence}",
            "An answer of step is wrong.",
            input="values",
        ),
        "has best": Aspect(
            'stopper = {made}; after a step, hasattr(stopper, "best")',
            "Your object has no attribute best.",
        ),
        "best": Aspect(
            "stopper = {made}; stopper.best after each step for {sequence}",
            "best is wrong after one of the steps.",
            input="values",
        ),
        "second": Aspect(
            "two objects {made}, and the answers of the second for {sequence}",
            "Two objects of your class share their memory.",
            input="values",
        ),
    },
    praise="it counts the steps in a row, and starts again at each improvement.",
    reread="Stop in time",
)


def check_early_stopping(EarlyStopping: Any) -> None:
    """Check `EarlyStopping(patience, min_delta=0.0)` with `step(value) -> bool` and `best`.

    Smaller is better. A value improves when `value < best - min_delta`; `best` is the last value
    that improved; NaN never improves. `step` returns True at the `patience`-th step in a row
    without improvement; what it returns after that is left open. Ints and NumPy's numbers are
    only noted. Source: Prechelt, "Early Stopping, but When?", 1998.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the shortest sequence that differs, and the mistake where it is known.

    >>> class EarlyStopping:
    ...     def __init__(self, patience, min_delta=0.0):
    ...         self.patience, self.min_delta = patience, min_delta
    ...         self.best, self.waited = float("inf"), 0
    ...
    ...     def step(self, value):
    ...         if value < self.best - self.min_delta:
    ...             self.best, self.waited = value, 0
    ...         else:
    ...             self.waited += 1
    ...         return self.waited >= self.patience
    >>> check_early_stopping(EarlyStopping)
    ✓ early stopping — it counts the steps in a row, and starts again at each improvement.
    """
    run_check(EARLY_STOPPING, EarlyStopping)
