"""Experiments of lesson 08: how fast power iteration converges, what weight norm does to the step,
and what three constraints do to a network's largest stretch and to its training.

Every network is the same multilayer perceptron. Its layers start from the same weights, whatever
their kind, see the same batches in the same order, and take the same number of the same steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from helpers.data import Dataset
from helpers.training import State, accuracy, seeded, train

Tensor = torch.Tensor
MakeLayer = Callable[[int, int], nn.Module]
"""Takes in_features and out_features; such as nn.Linear itself."""

WIDTH = 128
EPOCHS = 20
LR = 0.05
MOMENTUM = 0.9
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Method:
    """A kind of layer, and what happens to each layer's weight after each step."""

    make_layer: MakeLayer
    after_step: Callable[[Tensor], Any] | None = None


def build(make_layer: MakeLayer, data: Dataset, seed: int, width: int = WIDTH) -> nn.Sequential:
    """Three layers with ReLU between them, for flat images; equal seeds give equal weights."""
    sizes = [data.num_features, width, width, data.num_classes]
    modules: list[nn.Module] = []
    with seeded(seed):
        plain = [nn.Linear(i, o) for i, o in itertools.pairwise(sizes)]
    with seeded(seed + 1_000):  # what else a layer draws, such as its u
        for start in plain:
            layer = make_layer(start.in_features, start.out_features)
            start_from(layer, start)
            modules += [layer, nn.ReLU()]
    return nn.Sequential(*modules[:-1]).to(data.x_train.device)


def start_from(layer: Any, plain: nn.Linear) -> None:
    """Give a layer the weight and bias of a plain one; with v and g, the same weight as these."""
    with torch.no_grad():
        layer.bias.copy_(plain.bias)
        if hasattr(layer, "v") and hasattr(layer, "g"):
            layer.v.copy_(plain.weight)
            layer.g.copy_(plain.weight.norm(dim=1, keepdim=True))
        else:
            layer.weight.copy_(plain.weight)


def layers_of(model: nn.Sequential) -> list[nn.Module]:
    return [module for module in model if not isinstance(module, nn.ReLU)]


@torch.no_grad()
def weights_in_use(model: nn.Sequential) -> list[Tensor]:
    """The matrix (out, in) that each layer multiplies with, in evaluation mode, whatever its kind:
    what comes out for the unit vectors, less what comes out for zero.
    """
    model.eval()
    found = []
    for layer in layers_of(model):
        stored: Any = layer.v if hasattr(layer, "v") else layer.weight
        units = torch.eye(stored.shape[1], device=stored.device)  # (in, in)
        found.append((layer(units) - layer(torch.zeros_like(units[:1]))).T)
    return found


def lipschitz_bound(model: nn.Sequential) -> float:
    """The product of the layers' largest singular values: no two inputs are driven apart by more
    than this factor, since ReLU drives nothing apart.
    """
    stretches = [torch.linalg.svdvals(matrix)[0].item() for matrix in weights_in_use(model)]
    return float(math.prod(stretches))


@torch.no_grad()
def largest_stretch(model: nn.Sequential, x: Tensor) -> float:
    """The largest ‖f(a) − f(b)‖ / ‖a − b‖ over all pairs of these inputs, in evaluation mode."""
    y = model.eval()(x)
    return (nn.functional.pdist(y) / nn.functional.pdist(x)).max().item()


@torch.no_grad()
def settle(model: nn.Sequential, x: Tensor, passes: int = 200) -> None:
    """Passes in training mode without steps, so that power iteration catches up."""
    model.train()
    for _ in range(passes):
        model(x)


@dataclass(frozen=True)
class Outcome:
    """What one trained network shows."""

    loss: float
    train_accuracy: float
    test_accuracy: float
    bound_before: float
    bound: float
    stretch: float
    settled_bound: float
    """The bound when power iteration, where there is one, has caught up with the weights."""


def run(method: Method, data: Dataset, seed: int) -> Outcome:
    """Train one network and measure it."""
    model = build(method.make_layer, data, seed)
    bound_before = lipschitz_bound(model)
    limit = method.after_step

    def keep_limit(_: State) -> None:
        for layer in layers_of(model):
            limit(layer.weight)  # type: ignore[misc, arg-type]

    history = train(
        model,
        data,
        epochs=EPOCHS,
        lr=LR,
        momentum=MOMENTUM,
        seed=seed,
        after_step=[keep_limit] if limit else [],
        evaluate=False,
    )
    train_accuracy = accuracy(model, data.x_train, data.y_train)
    test_accuracy = accuracy(model, data.x_test, data.y_test)
    bound, stretch = lipschitz_bound(model), largest_stretch(model, data.x_test[:300])
    settle(model, data.x_train[:8])
    return Outcome(
        loss=history["loss"][-1],
        train_accuracy=train_accuracy,
        test_accuracy=test_accuracy,
        bound_before=bound_before,
        bound=bound,
        stretch=stretch,
        settled_bound=lipschitz_bound(model),
    )


def compare(
    methods: dict[str, Method], data: Dataset, seeds: Iterable[int] = SEEDS
) -> dict[str, list[Outcome]]:
    """One outcome for each method and seed, with equal budgets."""
    seeds = list(seeds)
    for method in methods.values():
        _try_out(method)
    return {name: [run(method, data, seed) for seed in seeds] for name, method in methods.items()}


def _try_out(method: Method) -> None:
    """Use a method once, so that one that is not written yet says so before anything is trained."""
    with seeded(0):
        method.make_layer(3, 2)(torch.ones(1, 3))
    if method.after_step:
        method.after_step(torch.ones(2, 3))


def values(outcomes: Sequence[Outcome], name: str) -> list[float]:
    """One measured thing over the seeds."""
    return [getattr(outcome, name) for outcome in outcomes]


def sigma_errors(
    power_iteration: Callable[..., Any], ratio: float, steps: Sequence[int], seed: int = 0
) -> list[float]:
    """The relative error of sigma after each number of steps, for a 20×30 matrix in float64 whose
    singular values fall by `ratio` from one to the next.
    """
    rng = torch.Generator().manual_seed(seed)

    def directions(size: int) -> Tensor:
        columns: Tensor = torch.linalg.qr(
            torch.randn(size, 20, generator=rng, dtype=torch.float64)
        ).Q
        return columns

    stretches = ratio ** torch.arange(20, dtype=torch.float64)
    matrix = (directions(20) * stretches) @ directions(30).T
    u = torch.randn(20, generator=rng, dtype=torch.float64)
    return [1 - float(power_iteration(matrix, k, u)[0]) for k in steps]


@dataclass(frozen=True)
class RowLengths:
    """What training with weight norm does to v when v starts longer or shorter."""

    mean_length: list[float]
    """Mean length of the rows of the second layer's v, at the start and after each step."""
    largest_shrink: float
    """The largest relative fall of any row's length in any one step."""
    loss: float
    start_difference: float
    """How far the outputs before training are from those with v as it was."""


def row_lengths(make_layer: MakeLayer, data: Dataset, scale: float, seed: int) -> RowLengths:
    """Train with weight norm and plain SGD from v times `scale`; g, and so w, stay as they are."""
    model = build(make_layer, data, seed)
    with torch.no_grad():
        before = model(data.x_test)
        for layer in layers_of(model):
            layer.v.mul_(scale)  # type: ignore[operator, union-attr]
        difference = (model(data.x_test) - before).abs().max().item()
    seen = list(_lengths(model))
    means, shrink = [seen[1].mean().item()], 0.0

    def watch(_: State) -> None:
        nonlocal seen, shrink
        now = list(_lengths(model))
        falls = [((old - new) / old).max().item() for old, new in zip(seen, now, strict=True)]
        shrink = max(shrink, *falls)
        seen = now
        means.append(now[1].mean().item())

    history = train(model, data, epochs=10, lr=0.1, seed=seed, after_step=[watch], evaluate=False)
    return RowLengths(means, shrink, history["loss"][-1], difference)


def _lengths(model: nn.Sequential) -> Iterator[Tensor]:
    for layer in layers_of(model):
        yield layer.v.detach().norm(dim=1)  # type: ignore[operator, union-attr]
