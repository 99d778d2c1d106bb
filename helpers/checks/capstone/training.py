"""The check of the capstone: rules that every honest answer keeps, then the training and its tier.

The rules are looked at first, in a trial of a fraction of a second; the training follows only
when all hold. What the student's code shows (predictions, counts, weights) is yielded raw; the
`measure` of each aspect turns it into words or a number on the judging side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, Grade, run_check
from helpers.checks.capstone.rules import RULES, goes_on
from helpers.checks.capstone.task import (
    BATCH,
    EPOCHS,
    STEPS,
    TIERS,
    TRIAL,
    WHOLE,
    handed_out,
    has_numbers,
    shake_batch,
    task,
    training_data,
)
from helpers.data import Dataset
from helpers.training import train

TRIAL_STEPS = 40
"""Steps on one image of each class, before the training itself."""


def _training_cases(rng: torch.Generator) -> Iterator[Case]:
    """The trial first, since the training is worth its time only when the rules are kept. The
    labels of the test images stay with the judge: they follow from the seed, which is kept.
    """
    seeds = torch.randint(2**31, (3,), generator=rng).tolist()
    for name in (TRIAL, WHOLE):
        yield handed_out(task(seeds[0]), name, first=seeds[1], second=seeds[2]).keeping(seeds[0])


def _built(build_model: Any, seed: int, case: Case) -> tuple[Any, Any]:
    """A network and its output for four images; layers that find their sizes have found them."""
    torch.manual_seed(seed)
    model = build_model()
    if not isinstance(model, nn.Module):
        return model, None
    with torch.no_grad():
        return model, model.eval()(case.plain[:4].clone())


def _written(model: Any, out: Any) -> str:
    """The shape of an output, or what is there instead of a network or a tensor."""
    if isinstance(model, type):
        return f"no network, but the class {model.__name__}"
    if not isinstance(model, nn.Module):
        return f"no network, but an object of the type {type(model).__name__}"
    if not isinstance(out, torch.Tensor):
        return f"no tensor, but an object of the type {type(out).__name__}"
    return str(tuple(out.shape))


def _numbers(model: nn.Module) -> int:
    return sum(t.numel() for t in {id(t): t for t in _tensors(model)}.values())


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    return [*model.parameters(), *model.buffers()]


def _weights(model: nn.Module) -> torch.Tensor:
    """All weights of two or more axes as one vector."""
    parts = [p.detach().flatten() for p in model.parameters() if p.dim() > 1]
    return torch.cat([torch.zeros(0), *parts])


@torch.no_grad()
def _predictions(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    model.eval()
    classes: torch.Tensor = model(x).argmax(dim=1)
    return classes


class _Passes:
    """Counts passes through the model and through autograd while it is active."""

    def __init__(self, model: nn.Module) -> None:
        self.forward = self.backward = 0
        self._model = model

    def _counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.backward += 1
            return call(*args, **kwargs)

        return counted

    def _see(self, *_: Any) -> None:
        self.forward += 1

    def __enter__(self) -> _Passes:
        self._hook = self._model.register_forward_pre_hook(self._see)
        autograd = torch.autograd
        self._patches = [
            mock.patch.object(autograd, name, self._counting(getattr(autograd, name)))
            for name in ("backward", "grad")
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()
        for patch in self._patches:
            patch.stop()

    def over(self, steps: int) -> torch.Tensor:
        return torch.tensor([steps, self.forward, self.backward])


def _state_of(data: Dataset) -> torch.Tensor:
    """A few numbers that change when the images or labels do."""
    place = torch.arange(1, len(data.y_train) + 1, dtype=torch.float64)
    parts = (data.x_train.double().flatten(1).sum(1), data.y_train.double())
    return torch.stack([(part * place).sum() for part in parts])


def _optimised(optimizer: Any, model: nn.Module) -> torch.Tensor:
    """How many tensors the optimiser holds, and how many of them are the model's."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return torch.tensor([len(held), len(held & {id(p) for p in model.parameters()})])


Seen = Iterator[tuple[str, Any]]


def _observe_training(given: Any, case: Case) -> Seen:
    for key, value in _look(given, case):
        yield key, value
        if not goes_on(key, value):
            return


def _look(given: Any, case: Case) -> Seen:
    build_model, configure_training = given
    if case.name == TRIAL:
        yield from _first_builds(build_model, case)
    model, _ = _built(build_model, case.first, case)
    yield "numbers", _numbers(model)
    yield "at birth", _predictions(model, case.plain.clone())
    with torch.no_grad():
        yield "untrained outputs", model(torch.cat([case.shaken, case.x_test]))
    weights = _weights(model)
    optimizer, scheduler = configure_training(model, STEPS)
    yield "optimised", _optimised(optimizer, model)
    yield "changed by configure_training", (_weights(model) - weights).abs().sum()
    epochs = TRIAL_STEPS if case.name == TRIAL else EPOCHS
    data = training_data(case)
    before = _state_of(data)
    with _Passes(model) as passes:
        train(
            model,
            data,
            epochs=epochs,
            batch_size=BATCH,
            seed=case.train_seed,
            evaluate=False,
            optimizer=optimizer,
            scheduler=scheduler,
            transform=shake_batch,
        )
    yield "passes", passes.over(TRIAL_STEPS if case.name == TRIAL else STEPS)
    yield "data", torch.stack([before, _state_of(data)])
    yield "numbers afterwards", _numbers(model)
    predicted = _predictions(model, case.x_test.clone())
    if case.name == TRIAL:
        yield "after ten images", predicted
        backwards = _predictions(model, case.x_test.flip(0)).flip(0)
        yield "another order", torch.stack([predicted, backwards])
    else:
        yield "predictions", predicted


def _first_builds(build_model: Any, case: Case) -> Seen:
    """Two networks, which must have the right output and other weights each time."""
    seeds = (case.second, case.first)
    both, outs = zip(*(_built(build_model, seed, case) for seed in seeds), strict=True)
    yield "output", _written(both[-1], outs[-1])
    yield "kind of output", outs[-1]
    yield "two builds", torch.stack([_weights(one) for one in both])


def accuracy_of(predicted: Any, case: Case) -> float:
    """The share of right classes among the shaken test images of this case."""
    y = task(case.kept).y_test
    if not has_numbers(predicted) or predicted.shape != y.shape:
        return 0.0
    return (predicted == y).double().mean().item()


def tier_of(accuracy: float) -> int:
    """How many tiers an accuracy reaches.

    >>> [tier_of(a) for a in (0.89, 0.9, 0.96, 0.98)]
    [0, 1, 2, 3]
    """
    return sum(accuracy >= tier for tier in TIERS)


def _grade(seen: Mapping[str, Any]) -> Grade:
    accuracy = seen["predictions"]
    tier = tier_of(accuracy)
    reached = f"tier {tier} of {len(TIERS)}: {accuracy:.3f} of the shaken test images are right"
    if tier == len(TIERS):
        return Grade(1.0, f"{reached}, and {TIERS[-1]:g} is asked for all points.")
    return Grade(tier / len(TIERS), f"{reached}; tier {tier + 1} begins at {TIERS[tier]:g}.")


CAPSTONE = Check(
    name="check_capstone",
    lesson="capstone",
    topic="capstone",
    takes=(Argument("build_model", "factory"), Argument("configure_training")),
    cases=_training_cases,
    observe=_observe_training,
    aspects={
        **RULES,
        "predictions": Aspect(
            "check_capstone(build_model, configure_training), the accuracy on shaken test images",
            f"The trained network does not reach {TIERS[0]:.2f}, where the first tier begins.",
            measure=accuracy_of,
            at_least=TIERS[0],
        ),
    },
    praise="the rules are kept, and the network reaches a tier.",
    reread="Your network",
    seconds=240.0,
    grade=_grade,
    each_case_alone=True,
)


def check_capstone(
    build_model: Callable[[], nn.Module],
    configure_training: Callable[[nn.Module, int], Any],
) -> float | None:
    """Train `build_model()` by the course's loop and grade its accuracy in three tiers.

    The task: the 1,100 training images of the digits; 330 steps with 100 images each; at every
    step the images are moved by up to one pixel and their contrast changes by a factor between 0.7
    and 1.3. Judged on the 397 test images, each moved and changed in four ways; the ten classes
    get other numbers each time. At most 50,000 numbers (parameters and buffers). About 5 seconds
    on one core for a network of 38,000 numbers; a run of four minutes is stopped.

    The tiers: an accuracy of 0.90, 0.95 and 0.975 earns one third, two thirds and all of the points. The
    points are returned, and nbgrader takes them as the score of the cell.

    Refused before any training, each by name: more numbers than allowed; weights or answers that
    were made beforehand, from training or test images; stored predictions; more than one pass
    forward and backward a step; an optimiser over other tensors; changed images or labels.

    Residual networks: He et al. (2015); shifts as augmentation: Simard et al. (2003).

    Raises:
        NotAttempted: a stub is still there.
        CheckFailed: a rule is broken, or the first tier is not reached.

    >>> from helpers.answers.capstone.capstone import small_network
    >>> from helpers.answers.capstone.settings import configure_training
    >>> points = check_capstone(small_network, configure_training)  # doctest: +ELLIPSIS
    ✓ capstone — tier 1 of 3: 0.9... of the shaken test images are right; tier 2 begins at 0.95.
    >>> points
    2.0
    """
    return run_check(CAPSTONE, build_model, configure_training)
