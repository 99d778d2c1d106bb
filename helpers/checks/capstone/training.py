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
from helpers.checks.capstone.rules import RULES, keeps
from helpers.checks.capstone.task import (
    BATCH,
    EPOCHS,
    STEPS,
    TIERS,
    Task,
    shake_batch,
    task,
)
from helpers.data import Dataset
from helpers.training import train

TRIAL_STEPS = 40
"""Steps on one image of each class, before the training itself."""


def _training_cases(rng: torch.Generator) -> Iterator[Case]:
    seeds = torch.randint(2**31, (3,), generator=rng).tolist()
    yield Case("the whole training", seed=seeds[0], first=seeds[1], second=seeds[2])


def _built(build_model: Any, seed: int) -> Any:
    torch.manual_seed(seed)
    return build_model()


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


def _trial(build_model: Any, configure_training: Any, case: Case, t: Task, made: list[Any]) -> Seen:
    """Everything that is looked at before the training."""
    other = _built(build_model, case.second)
    model = _built(build_model, case.first)
    made.append(model)
    both = [other, model]
    with torch.no_grad():
        for one in both:
            out = one.eval()(t.plain[:4].clone())
    yield "output", str(tuple(out.shape))
    yield "numbers", _numbers(model)
    yield "two builds", torch.stack([_weights(one) for one in both])
    yield "at birth", _predictions(model, t.plain.clone())
    with torch.no_grad():
        yield "untrained outputs", model(torch.cat([t.shaken, t.x_test]))
    weights = _weights(model)
    optimizer, scheduler = configure_training(model, STEPS)
    yield "optimised", _optimised(optimizer, model)
    yield "changed by configure_training", (_weights(model) - weights).abs().sum()
    with _Passes(model) as passes:
        train(
            model,
            t.few,
            epochs=TRIAL_STEPS,
            batch_size=BATCH,
            seed=t.train_seed,
            evaluate=False,
            optimizer=optimizer,
            scheduler=scheduler,
            transform=shake_batch,
        )
    yield "passes", passes.over(TRIAL_STEPS)
    yield "data", torch.stack([_state_of(task(case.seed).few), _state_of(t.few)])
    predicted = _predictions(model, t.x_test.clone())
    yield "after ten images", predicted
    backwards = _predictions(model, t.x_test.flip(0)).flip(0)
    yield "another order", torch.stack([predicted, backwards])
    yield "numbers afterwards", _numbers(model)


def _observe_training(given: Any, case: Case) -> Seen:
    build_model, configure_training = given
    t = task(case.seed)
    made: list[Any] = []
    birth: dict[str, torch.Tensor] = {}
    for key, value in _trial(build_model, configure_training, case, t, made):
        if key == "two builds":
            birth = {k: v.clone() for k, v in made[0].state_dict().items()}
        yield key, value
        if not keeps(key, value, case):
            return
    model = made[0]
    model.load_state_dict(birth)
    model.zero_grad(set_to_none=True)
    before = _state_of(t.train)
    with _Passes(model) as passes:
        optimizer, scheduler = configure_training(model, STEPS)
        train(
            model,
            t.train,
            epochs=EPOCHS,
            batch_size=BATCH,
            seed=t.train_seed,
            evaluate=False,
            optimizer=optimizer,
            scheduler=scheduler,
            transform=shake_batch,
        )
    yield "passes in the training", passes.over(STEPS)
    yield "data after the training", torch.stack([before, _state_of(t.train)])
    yield "numbers after the training", _numbers(model)
    yield "predictions", _predictions(model, t.x_test.clone())


def accuracy_of(predicted: Any, case: Case) -> float:
    """The share of right classes among the shaken test images of this case."""
    y = task(case.seed).y_test
    if not isinstance(predicted, torch.Tensor) or predicted.shape != y.shape:
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
    takes=(Argument("build_model"), Argument("configure_training")),
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
