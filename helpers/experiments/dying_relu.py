"""Experiments of lesson 03: what kills ReLU units, what does not, and what cures.

Every function takes `count`, made by `counter` from the student's functions, and compares networks
that differ in one thing only: data, number of steps, order of batches and random numbers are equal.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset
from helpers.training import accuracy, seeded, train

SEEDS = (0, 1, 2, 3, 4)
WIDTH = 100
"""Units in each of the two hidden layers."""
EPOCHS = 12

Count = Callable[[nn.Module, torch.Tensor], Mapping[str, tuple[float, float]]]
"""Of a model and inputs: zero rate and dead fraction of every activation module, by name."""


def is_activation(module: nn.Module) -> bool:
    """Whether a module is an activation: one of torch's own, or one of the course's kind.

    Torch's own are those whose class, or a class it inherits from, is defined in
    ``torch.nn.modules.activation`` (without MultiheadAttention, which is defined there too). The
    course's own have a method ``derivative``, as those of lesson 01 have.

    >>> is_activation(nn.LeakyReLU()), is_activation(nn.Linear(2, 2)), is_activation(nn.Dropout())
    (True, False, False)
    """
    if isinstance(module, nn.MultiheadAttention):
        return False
    torchs = any(base.__module__ == "torch.nn.modules.activation" for base in type(module).__mro__)
    return torchs or callable(getattr(module, "derivative", None))


def counter(
    record_activations: Callable[[nn.Module, torch.Tensor], Mapping[str, torch.Tensor]],
    zero_rate: Callable[[torch.Tensor], float],
    dead_fraction: Callable[[torch.Tensor], float],
) -> Count:
    """What the experiments count with, from the three functions of this lesson."""

    def count(model: nn.Module, x: torch.Tensor) -> dict[str, tuple[float, float]]:
        return {
            name: (zero_rate(outputs), dead_fraction(outputs))
            for name, outputs in record_activations(model, x).items()
        }

    return count


@dataclass(frozen=True)
class Setting:
    """One way to build and train the network of this lesson: 64 → 100 → 100 → 10."""

    lr: float = 0.3
    """The step size of plain gradient descent (SGD, batches of 64 images)."""
    activation: Callable[[], nn.Module] = nn.ReLU
    init: Literal["PyTorch", "He"] = "PyTorch"
    """nn.Linear's own initial weights and biases, or He's weights with biases of zero."""
    bias: float | None = None
    """When given, the initial bias of every hidden unit."""
    scale: float = 1.0
    """A factor on the initial weights of the hidden layers."""


def build(setting: Setting, data: Dataset, seed: int) -> nn.Sequential:
    """The untrained network; its activations are called activation1 and activation2."""
    with seeded(seed):
        model: Any = nn.Sequential(
            OrderedDict(
                linear1=nn.Linear(data.num_features, WIDTH),
                activation1=setting.activation(),
                linear2=nn.Linear(WIDTH, WIDTH),
                activation2=setting.activation(),
                output=nn.Linear(WIDTH, data.num_classes),
            )
        )
        if setting.init == "He":
            for layer in (model.linear1, model.linear2, model.output):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for layer in (model.linear1, model.linear2):
            layer.weight.mul_(setting.scale)
            if setting.bias is not None:
                layer.bias.fill_(setting.bias)
    built: nn.Sequential = model.to(data.x_train.device)
    return built


@dataclass(frozen=True)
class Run:
    """What became of one network."""

    zero_rate: float
    dead: float
    """The share of dead units among all hidden units, over the training images."""
    accuracy: float
    """On the test images."""
    loss: float
    """The mean over the last epoch; not finite when the training diverged."""


def count_all(count: Count, model: nn.Module, x: torch.Tensor) -> tuple[float, float]:
    """Zero rate and dead fraction over the hidden layers, which are equally wide."""
    rates = list(count(model, x).values())
    zeros, dead = zip(*rates, strict=True)
    return sum(zeros) / len(rates), sum(dead) / len(rates)


def run(count: Count, setting: Setting, data: Dataset, seed: int, epochs: int = EPOCHS) -> Run:
    """Build, train, count."""
    model = build(setting, data, seed)
    history = train(model, data, epochs=epochs, lr=setting.lr, seed=seed, evaluate=False)
    zeros, dead = count_all(count, model, data.x_train)
    right = accuracy(model, data.x_test, data.y_test)
    return Run(zeros, dead, right, history["loss"][-1])


def untrained(
    count: Count, data: Dataset, setting: Setting, seeds: Sequence[int] = SEEDS
) -> list[Mapping[str, tuple[float, float]]]:
    """Zero rate and dead fraction of each layer before training, for each seed."""
    return [count(build(setting, data, seed), data.x_train) for seed in seeds]


def sweep(
    count: Count, data: Dataset, settings: Sequence[Setting], seeds: Sequence[int] = SEEDS
) -> list[list[Run]]:
    """For each seed the runs of all settings, in order; ready for `plot_mean_and_spread`."""
    return [[run(count, setting, data, seed) for setting in settings] for seed in seeds]


STEP_SIZES = (0.1, 0.3, 1.0, 2.0)
BIASES = (0.0, -0.5, -1.0, -2.0, -4.0)
SCALES = (1.0, 4.0, 8.0, 12.0)

CAUSES: dict[str, Setting] = {
    "step of 2.0": Setting(lr=2.0),
    "biases of −1": Setting(bias=-1.0),
    "weights 12 times wider": Setting(scale=12.0),
}
"""Three networks that fall ill, each for another reason; a healthy one is `Setting()`."""

CURES: dict[str, Callable[[Setting], Setting]] = {
    "as it is": lambda ill: ill,
    "step ten times smaller": lambda ill: replace(ill, lr=ill.lr / 10),
    "LeakyReLU(0.2)": lambda ill: replace(ill, activation=partial(nn.LeakyReLU, 0.2)),
    "He initialisation": lambda ill: replace(ill, init="He", bias=None, scale=1.0),
}


def first_gradient(setting: Setting, data: Dataset, seed: int) -> float:
    """The length of the gradient that reaches the first layer's weights, before any training."""
    model = build(setting, data, seed)
    F.cross_entropy(model(data.x_train), data.y_train).backward()
    gradient = model.linear1.weight.grad
    assert gradient is not None
    return gradient.norm().item()


def dead_by_depth(depths: Sequence[int], data: Dataset, seed: int) -> list[tuple[float, float]]:
    """Dead units of untrained ReLU networks with He's weights, width 64, biases of 0: for each
    depth the share in all layers, and the share in the last one.
    """
    found = []
    for depth in depths:
        dead, x = [], data.x_train
        with seeded(seed), torch.no_grad():
            for _ in range(depth):
                layer = nn.Linear(x.shape[1], 64).to(x.device)
                nn.init.kaiming_normal_(layer.weight)
                x = F.relu(F.linear(x, layer.weight))
                dead.append((x == 0).all(dim=0).float().mean().item())
        found.append((sum(dead) / depth, dead[-1]))
    return found


def cures(
    count: Count, data: Dataset, seeds: Sequence[int] = SEEDS
) -> dict[str, dict[str, list[Run]]]:
    """Every cure tried on every ill network, one run a seed: `result[cause][cure][seed]`."""
    return {
        cause: {
            name: [run(count, cure(ill), data, seed) for seed in seeds]
            for name, cure in CURES.items()
        }
        for cause, ill in CAUSES.items()
    }


SICK = Setting(scale=8.0)
"""A network of which only a part of the units die, so that dead and living can be compared."""


@dataclass(frozen=True)
class Units:
    """The units of one hidden layer after training."""

    dead: torch.Tensor
    """bool (units,): zero for every training image."""
    gradient: torch.Tensor
    """(units,): the largest entry, in size, of the gradient of a unit's weights and bias, for the
    mean loss over all training images."""


def look_at_units(
    record_activations: Callable[[nn.Module, torch.Tensor], Mapping[str, torch.Tensor]],
    dead_fraction: Callable[[torch.Tensor], float],
    model: nn.Module,
    data: Dataset,
) -> list[Units]:
    """For both hidden layers: which units are dead, and how large a gradient each unit gets."""
    outputs = record_activations(model, data.x_train)
    model.zero_grad(set_to_none=True)
    loss = F.cross_entropy(model(data.x_train), data.y_train)
    loss.backward()  # type: ignore[no-untyped-call]
    seen = []
    for i in (1, 2):
        layer: Any = model.get_submodule(f"linear{i}")
        columns = torch.split(outputs[f"activation{i}"], 1, dim=1)  # WIDTH of (samples, 1)
        dead = torch.tensor([dead_fraction(column) == 1 for column in columns])
        of_weights = layer.weight.grad.abs().max(dim=1).values  # (units,)
        gradient = torch.maximum(of_weights, layer.bias.grad.abs())
        seen.append(Units(dead, gradient.cpu()))
    model.zero_grad(set_to_none=True)
    return seen


def trained(setting: Setting, data: Dataset, seed: int, epochs: int = EPOCHS) -> nn.Sequential:
    """The network after training."""
    model = build(setting, data, seed)
    train(model, data, epochs=epochs, lr=setting.lr, seed=seed, evaluate=False)
    return model


def train_on(model: nn.Module, data: Dataset, lr: float, seed: int, epochs: int = EPOCHS) -> None:
    """Go on with another step size."""
    train(model, data, epochs=epochs, lr=lr, seed=seed + 1000, evaluate=False)
