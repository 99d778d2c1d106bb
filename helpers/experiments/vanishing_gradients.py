"""Experiments of lesson 02: gradients in deep networks, and what makes such networks learn.

In each comparison the data, the steps, the batches and the seeds are the same.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset
from helpers.training import seeded, train

DEPTH, WIDTH = 20, 64
STEP, EPOCHS = 0.1, 20
SAMPLES = 256
"""Gradients at the start are those of the mean loss on this many training images."""

Activation = Callable[[], nn.Module]
Initialize = Callable[[nn.Linear], None]
"""Draws the weights of one layer anew."""
Make = Callable[[Dataset], nn.Module]
"""Builds a network for a dataset; it draws from torch's random numbers."""
Measure = Callable[[nn.Module], dict[str, float]]
Clip = Callable[[Any, float], float]


def as_pytorch_does(linear: nn.Linear) -> None:
    """Leave the weights as `nn.Linear` drew them: uniform in ±1/√fan_in."""


def xavier(bound: Callable[..., float], gain: float = 1.0) -> Initialize:
    """Weights uniform in ±bound(fan_in, fan_out), biases zero (Glorot and Bengio 2010)."""

    def initialize(linear: nn.Linear) -> None:
        limit = bound(linear.in_features, linear.out_features, gain)
        nn.init.uniform_(linear.weight, -limit, limit)
        nn.init.zeros_(linear.bias)

    return initialize


def kaiming(std: Callable[..., float]) -> Initialize:
    """Weights normal with standard deviation std(fan_in), biases zero (He et al. 2015)."""

    def initialize(linear: nn.Linear) -> None:
        nn.init.normal_(linear.weight, std=std(linear.in_features))
        nn.init.zeros_(linear.bias)

    return initialize


def deep_network(
    Network: Callable[..., nn.Module],  # noqa: N803
    activation: Activation,
    initialize: Initialize = as_pytorch_does,
    depth: int = DEPTH,
) -> Make:
    """`depth` hidden layers of 64 units, every linear layer initialised by `initialize`."""

    def make(data: Dataset) -> nn.Module:
        model = Network(
            data.num_features, data.num_classes, activation, num_layers=depth, hidden_dim=WIDTH
        )
        return initialized(model, initialize).to(data.x_train.device)

    return make


def residual_network(
    ResidualBlock: Callable[..., nn.Module],  # noqa: N803
    activation: Activation,
    initialize: Initialize = as_pytorch_does,
    depth: int = DEPTH,
) -> Make:
    """As deep as `deep_network`: `depth` / 2 blocks of two layers between the same two layers."""

    def make(data: Dataset) -> nn.Module:
        blocks = [ResidualBlock(WIDTH, activation) for _ in range(depth // 2)]
        first, last = nn.Linear(data.num_features, WIDTH), nn.Linear(WIDTH, data.num_classes)
        model = nn.Sequential(first, activation(), *blocks, last)
        return initialized(model, initialize).to(data.x_train.device)

    return make


def initialized(model: nn.Module, initialize: Initialize) -> nn.Module:
    """The same model, each of its linear layers initialised."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            initialize(module)
    return model


def gradients_at_start(make: Make, measure: Measure, data: Dataset, seed: int) -> list[float]:
    """What `measure` says of each weight's gradient, before the first step."""
    with seeded(seed):
        model = make(data)
    model.zero_grad()
    torch.autograd.backward(F.cross_entropy(model(data.x_train[:SAMPLES]), data.y_train[:SAMPLES]))
    return list(measure(model).values())


def first_to_last(values: Sequence[float]) -> float:
    """The first hidden layer's gradient divided by the last hidden layer's.

    The input and the output layer are left out: they have other sizes.
    """
    return values[1] / values[-2]


def factor_per_layer(values: Sequence[float]) -> float:
    """By how much, on average, one hidden layer multiplies the gradient on its way back."""
    return float(first_to_last(values) ** (1 / (len(values) - 3)))


@dataclass(frozen=True)
class WayBack:
    """The gradient on its way from the last activation to the first."""

    norms: list[float]
    """‖∂L/∂a_l‖ for l = 0 … L, over all units and images."""
    bounds: list[float]
    """The largest that the norms can be, going back from the last: times ¼·‖W_l‖₂ a layer."""


def way_back(make: Make, data: Dataset, seed: int) -> WayBack:
    """Measure the gradient after each sigmoid and the bound that ¼ a layer gives."""
    with seeded(seed):
        model = make(data)
    outputs: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        output.retain_grad()
        outputs.append(output)

    activations: Any = model.activations
    layers: Any = model.layers
    hooks = [activation.register_forward_hook(keep) for activation in activations]
    torch.autograd.backward(F.cross_entropy(model(data.x_train[:SAMPLES]), data.y_train[:SAMPLES]))
    for hook in hooks:
        hook.remove()
    norms = [_grad(a).double().norm().item() for a in outputs]
    bounds = [norms[-1]]
    for layer in reversed(layers):
        spectral = torch.linalg.matrix_norm(layer.weight.detach(), ord=2).item()
        bounds.append(bounds[-1] * spectral / 4)
    return WayBack(norms, bounds[::-1])


def _grad(tensor: torch.Tensor) -> torch.Tensor:
    assert tensor.grad is not None
    return tensor.grad


@dataclass
class Run:
    """One training: what a figure or a claim needs of it."""

    accuracy: list[float] = field(default_factory=list)
    """On the test images, after each epoch."""
    loss: list[float] = field(default_factory=list)
    """Mean training loss of each epoch."""
    norms: list[float] = field(default_factory=list)
    """The joint gradient norm before each step, before clipping."""

    @property
    def final(self) -> float:
        """Test accuracy at the end: the median of the last five epochs, since curves jump."""
        return statistics.median(self.accuracy[-5:])


def train_deep(
    make: Make,
    data: Dataset,
    seed: int,
    lr: float = STEP,
    epochs: int = EPOCHS,
    clip: Clip | None = None,
    max_norm: float = math.inf,
) -> Run:
    """Train with plain SGD; with `clip`, the gradients are clipped before each step."""
    with seeded(seed):
        model = make(data)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    run = Run()
    if clip is not None:
        optimizer.register_step_pre_hook(
            lambda *_: run.norms.append(clip(model.parameters(), max_norm))
        )
    history = train(model, data, epochs=epochs, optimizer=optimizer, seed=seed)
    run.accuracy, run.loss = history["test_accuracy"], history["loss"]
    return run


def update_to_weight(make: Make, data: Dataset, seed: int, lr: float = STEP) -> list[float]:
    """‖lr · gradient‖ / ‖weight‖ for each weight, in order: the median over one epoch of SGD."""
    with seeded(seed):
        model = make(data)
    weights = [p for p in model.parameters() if p.dim() >= 2]
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    ratios: list[list[float]] = [[] for _ in weights]

    def look(*_: Any) -> None:
        for weight, values in zip(weights, ratios, strict=True):
            norm = _grad(weight).double().norm() / weight.detach().double().norm()
            values.append(lr * norm.item())

    optimizer.register_step_pre_hook(look)
    train(model, data, epochs=1, optimizer=optimizer, seed=seed, evaluate=False)
    return [torch.tensor(values, dtype=torch.float64).median().item() for values in ratios]


def growth(make: Make, data: Dataset, seed: int) -> float:
    """Standard deviation of what enters the last layer, over that of what leaves the first."""
    with seeded(seed):
        model = make(data)
    assert isinstance(model, nn.Sequential)
    with torch.no_grad():
        x = model[:2](data.x_train[:SAMPLES])  # (N, 64)
        return float(model[2:-1](x).std() / x.std())
