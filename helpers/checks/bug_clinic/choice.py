"""Program 12: a model chosen on the test set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check, how_many

SETTINGS = (1, 3, 7, 15)
Predict = Callable[[torch.Tensor], torch.Tensor]


def nearest_neighbours(x: torch.Tensor, y: torch.Tensor, k: int) -> Predict:
    """The simplest learner that can overfit: the majority of the k nearest rows, two classes."""

    def predict(new: torch.Tensor) -> torch.Tensor:
        near = torch.cdist(new, x).topk(min(k, len(x)), largest=False).indices  # (rows, k)
        return (y[near].double().mean(1) > 0.5).long()

    return predict


def _rights(
    x: torch.Tensor, y: torch.Tensor, new: torch.Tensor, labels: torch.Tensor
) -> list[float]:
    """The accuracy on new rows for each of the settings."""
    near = torch.cdist(new, x).topk(max(SETTINGS), largest=False).indices
    votes = y[near].double()  # (rows, 15), the nearest first
    return [float(((votes[:, :k].mean(1) > 0.5) == labels).double().mean()) for k in SETTINGS]


def _best(values: list[float]) -> int | None:
    """The position of the largest value, or None when two share it."""
    top = max(values)
    return values.index(top) if values.count(top) == 1 else None


def _draw(rng: torch.Generator, rows: int, tests: int, apart: bool = False) -> dict[str, Any]:
    """Noisy data on which the validation rows prefer one setting, and training rows, test rows
    and both together another; `apart` asks for a third one for both together.
    """
    kept, half = rows - rows // 4, tests // 2
    while True:
        x, x_test = torch.randn(rows, 2, generator=rng), torch.randn(tests, 2, generator=rng)
        flip = torch.rand(rows, generator=rng) < 0.3
        y = ((x[:, 0] > 0) ^ flip).long()
        on_validation = _rights(x[:kept], y[:kept], x[kept:], y[kept:])
        validation = _best(on_validation)
        if validation in (None, 0):  # k = 1 is what training accuracy prefers
            continue
        if _best(_rights(x, y, x[kept:], y[kept:])) is None:
            continue
        other = SETTINGS[int(torch.randint(len(SETTINGS), (1,), generator=rng))]
        noise = (torch.rand(tests, generator=rng) < 0.15).long()
        y_test = nearest_neighbours(x, y, other)(x_test) ^ noise
        on_test = _rights(x[:kept], y[:kept], x_test, y_test)
        together = _best([a + b for a, b in zip(on_validation, on_test, strict=True)])
        preferred = [
            _best(on_test),
            _best(_rights(x, y, x_test, y_test)),
            _best(_rights(x[:kept], y[:kept], x_test[:half], y_test[:half])),
            _best(_rights(x, y, x_test[:half], y_test[:half])),
        ]
        if None in (*preferred, together) or validation in (*preferred, together):
            continue
        if together != preferred[0] or not apart:
            return {"x": x, "y": y, "x_test": x_test, "y_test": y_test}


def _choice_cases(rng: torch.Generator) -> Iterator[Case]:
    settings = list(SETTINGS)
    first = _draw(rng, 24, 12)
    yield Case("24 rows", settings=settings, **first)
    turned = {**first, "y_test": 1 - first["y_test"]}
    yield Case("the same with other test labels", settings=settings, **turned)
    second = _draw(rng, 60, 24, apart=True)
    yield Case("60 rows", settings=settings, **second)
    yield Case("settings in another order", settings=settings[::-1], **second)
    rounded = _draw(rng, 22, 12)
    yield Case("22 rows, of which 5 are held out", settings=settings, **rounded).beyond()
    # more neighbours than rows: the three settings give the same model
    yield Case("three settings that are equally good", settings=[200, 100, 300], **first).beyond()


def _which(rows: torch.Tensor, places: dict[tuple[float, ...], int]) -> set[int]:
    """The positions of the given rows, of those that have one."""
    return {places[row] for row in map(tuple, rows.tolist()) if row in places}


def _observe_choice(choose: Any, case: Case) -> Iterator[tuple[str, Any]]:
    kept = len(case.x) - len(case.x) // 4
    fitted: list[tuple[set[int], set[int]]] = []
    asked: list[set[int]] = []
    mislabelled: list[bool] = []
    training = {tuple(row): i for i, row in enumerate(case.x.tolist())}
    test = {tuple(row): i for i, row in enumerate(case.x_test.tolist())}

    def fit(x: torch.Tensor, y: torch.Tensor, setting: Any) -> Predict:
        learned = nearest_neighbours(x, y, setting)
        fitted.append((_which(x, training), _which(x, test)))
        asked.append(set())
        mislabelled.append(len(x) != len(y))
        mine = asked[-1]

        def predict(new: torch.Tensor) -> torch.Tensor:
            mine.update(_which(new, test))
            return learned(new)

        return predict

    given = case.fresh()
    result = choose(fit, given.settings, given.x, given.y, given.x_test, given.y_test)
    yield "results", how_many(result)
    setting, accuracy = result
    yield "test rows learned", sum(len(rows) for _, rows in fitted)
    yield "validation rows learned", sum(i >= kept for rows, _ in fitted for i in rows)
    yield "models with other rows' labels", sum(mislabelled)
    yield "models asked about the test", len([rows for rows in asked if rows])
    yield "setting", setting
    yield "settings afterwards", given.settings
    yield "accuracy", accuracy
    yield "test rows asked", sum(len(rows) for rows in asked)
    of_training = set().union(*(rows for rows, _ in fitted))
    yield "training rows learned", sum(i < kept for i in of_training)


_CALL = "repaired_choice(fit, {settings}, x, y, x_test, y_test)"
CHOICE = clinic_check(
    "choice",
    "program 12, choosing a model",
    "repaired_choice",
    cases=_choice_cases,
    observe=_observe_choice,
    aspects={
        "results": Aspect(_CALL, "Two results are expected: the setting and its accuracy."),
        "test rows learned": Aspect(
            f"the number of test rows on which {_CALL} fits, over all models",
            "A model is fitted on rows of the test set.",
        ),
        "validation rows learned": Aspect(
            f"the number of validation rows on which {_CALL} fits, over all models",
            "A model is fitted on rows that are held out for validation.",
        ),
        "models with other rows' labels": Aspect(
            f"the number of models that {_CALL} fits with more labels than rows, or fewer",
            "A model is fitted with labels that do not belong to its rows.",
        ),
        "models asked about the test": Aspect(
            f"the number of models that {_CALL} tries on the test set",
            "The test set is for one model, after the choice.",
        ),
        "setting": Aspect(f"the setting of {_CALL}", "Another setting is the best one."),
        "settings afterwards": Aspect(
            f"{_CALL}, and then settings", "Your code changed the list of settings."
        ),
        "accuracy": Aspect(
            f"the accuracy of {_CALL}",
            "The accuracy is not that of the chosen model on the test.",
        ),
        "test rows asked": Aspect(
            f"the number of test rows on which {_CALL} measures, over all models",
            "The accuracy must be measured on all of the test set.",
        ),
        "training rows learned": Aspect(
            f"the number of training rows on which {_CALL} fits a model",
            "The models must be fitted on all rows that are not held out.",
        ),
    },
    praise="chosen on held-out rows, and the test set is opened once, at the end.",
    reread="Program 12: the best of many on the test set",
)
