"""Experiments of lesson 06: what batch normalisation changes, and what it does not.

Every comparison starts from the same weights, sees the same batches in the same order and takes
the same number of steps; only what is named differs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from helpers.data import Dataset
from helpers.plotting import COLORS, new_figure
from helpers.training import State, accuracy, seeded, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Norm = Callable[[int], nn.Module] | None
"""Makes a normalisation layer for so many features; None for no normalisation."""


def network(
    data: Dataset,
    seed: int,
    norm: Norm = None,
    *,
    depth: int = 4,
    width: int = 64,
    activation: Callable[[], nn.Module] = nn.ReLU,
    scale: float | None = 1.0,
    xavier: bool = False,
    dropout: str = "none",
) -> nn.Sequential:
    """Linear – norm – activation, `depth` times, and a linear layer to the classes.

    Args:
        scale: factor on Kaiming's initial weights; None keeps PyTorch's own initialisation.
        xavier: start from Xavier's weights instead.
        dropout: "none"; "between" puts dropout with p = ½ after each activation; "last" puts it
            only after the last one, where no normalisation follows.
    """
    layers: list[nn.Module] = []
    size = data.num_features
    with seeded(seed):
        for i in range(depth):
            linear = nn.Linear(size, width)
            if xavier:
                nn.init.xavier_uniform_(linear.weight)
                nn.init.zeros_(linear.bias)
            elif scale is not None:
                nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
                nn.init.zeros_(linear.bias)
                with torch.no_grad():
                    linear.weight.mul_(scale)
            layers.append(linear)
            if norm is not None:
                layers.append(norm(width))
            layers.append(activation())
            if dropout == "between" or (dropout == "last" and i == depth - 1):
                layers.append(nn.Dropout(0.5))
            size = width
        layers.append(nn.Linear(size, data.num_classes))
    return nn.Sequential(*layers).to(data.x_train.device)


def fit(
    model: nn.Module,
    data: Dataset,
    *,
    epochs: int,
    lr: float,
    seed: int,
    batch_size: int = 64,
    after_step: Sequence[Callable[[State], None]] = (),
) -> float:
    """Train by SGD whose rate falls to 0 along a cosine; the test accuracy at the end."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    steps = epochs * -(-len(data.x_train) // batch_size)
    train(
        model,
        data,
        epochs=epochs,
        optimizer=optimizer,
        scheduler=torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps),
        batch_size=batch_size,
        seed=seed,
        after_step=after_step,
        evaluate=False,
    )
    return accuracy(model, data.x_test, data.y_test)


def deep_sigmoid(data: Dataset, norm: Norm, seed: int) -> float:
    """Test accuracy of 20 sigmoid layers after 12 epochs."""
    model = network(data, seed, norm, depth=20, activation=nn.Sigmoid, scale=None)
    return fit(model, data, epochs=12, lr=0.1, seed=seed)


@torch.no_grad()
def sigmoid_activations(data: Dataset, norm: Norm, seed: int = 0) -> list[torch.Tensor]:
    """What goes into each of 20 sigmoids for one batch, before any training: (64, 64) each.

    In float64, so that a small spread is not hidden by rounding.
    """
    model = network(data, seed, norm, depth=20, activation=nn.Sigmoid, scale=None).double()
    x, seen = data.x_train[:64].double(), []
    for layer in model:
        if isinstance(layer, nn.Sigmoid):
            seen.append(x.cpu())
        x = layer(x)
    return seen


def accuracy_by_rate(data: Dataset, norm: Norm, rate: float, seed: int) -> float:
    """Test accuracy of four ReLU layers with Kaiming's weights after 6 epochs."""
    return fit(network(data, seed, norm), data, epochs=6, lr=rate, seed=seed)


def accuracy_by_batch_size(data: Dataset, norm: Norm, batch_size: int, seed: int) -> float:
    """Test accuracy of three ReLU layers after 5 passes over 400 images in batches of this size.

    The rate is proportional to the batch size, so that each image moves the weights alike.
    """
    few = data.first(400)
    model = network(few, seed, norm, depth=3)
    return fit(model, few, epochs=5, lr=0.005 * batch_size, seed=seed, batch_size=batch_size)


def accuracy_by_scale(data: Dataset, norm: Norm, scale: float, seed: int) -> float:
    """Test accuracy of six ReLU layers after 6 epochs from weights of `scale` times Kaiming's."""
    model = network(data, seed, norm, depth=6, scale=scale)
    return fit(model, data, epochs=6, lr=0.1, seed=seed)


def modes_at_test_time(
    data: Dataset, norm: Callable[[int], nn.Module], seed: int
) -> dict[str, float]:
    """Test accuracies of one trained network, in evaluation mode and in training mode.

    In training mode the prediction depends on the other images of the batch: 64 mixed ones, or
    32 of one class at a time.
    """
    model = network(data, seed, norm)
    in_evaluation = fit(model, data, epochs=6, lr=0.3, seed=seed)
    by_class = data.y_test.argsort(stable=True)
    return {
        "evaluation mode": in_evaluation,
        "training mode, mixed": _training_mode(model, data.x_test, data.y_test, 64),
        "training mode, by class": _training_mode(
            model, data.x_test[by_class], data.y_test[by_class], 32
        ),
    }


@torch.no_grad()
def _training_mode(model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch_size: int) -> float:
    """Accuracy of a copy that was forgotten in training mode; a last batch of one is left out."""
    copied = copy.deepcopy(model).train()
    right = [
        copied(x[i : i + batch_size]).argmax(dim=1) == y[i : i + batch_size]
        for i in range(0, len(x), batch_size)
        if len(x[i : i + batch_size]) > 1
    ]
    return torch.cat(right).float().mean().item()


class NoisyBatchNorm(nn.Module):
    """BatchNorm, and behind it noise that makes the distribution jump at every training step:
    a random factor and a random shift for each unit (after Santurkar et al. 2018).
    """

    def __init__(self, features: int, noise: float = 0.5) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)
        self.noise = noise

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(x)
        if not self.training:
            return y
        factor = torch.randn(y.shape[1], device=y.device)  # (features,)
        shift = torch.randn(y.shape[1], device=y.device)
        return y * torch.exp(self.noise / 2 * factor) + self.noise * shift


def drift_and_accuracy(data: Dataset, norm: Norm, seed: int) -> tuple[float, float]:
    """How far the inputs of the activations move at each step, and the test accuracy.

    Eight tanh layers with Xavier's weights, 8 epochs. The drift is the mean absolute change of a unit's batch mean
    from one step to the next, in its standard deviations, over all units and steps.
    """
    model = network(data, seed, norm, depth=8, activation=nn.Tanh, xavier=True)
    kept: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]] = {}
    drifts: list[torch.Tensor] = []

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
        if not model.training:
            return
        seen = inputs[0].detach()
        mean, std = seen.mean(dim=0), seen.std(dim=0)  # (width,) each
        if module in kept:
            before, spread = kept[module]
            drifts.append(((mean - before).abs() / (spread + 1e-3)).mean())
        kept[module] = mean, std

    for module in model:
        if isinstance(module, nn.Tanh):
            module.register_forward_hook(look)
    reached = fit(model, data, epochs=8, lr=0.1, seed=seed)
    return torch.stack(drifts).mean().item(), reached


def dropout_order(data: Dataset, dropout: str, seed: int) -> tuple[float, float]:
    """Test accuracy, and the variance that the last BatchNorm meets in evaluation mode as a share
    of the one it remembers, for four ReLU layers with BatchNorm and dropout; 10 epochs.
    """
    model = network(data, seed, nn.BatchNorm1d, dropout=dropout)
    reached = fit(model, data, epochs=10, lr=0.1, seed=seed)
    shares: list[float] = []

    def look(module: Any, inputs: tuple[torch.Tensor, ...], output: Any) -> None:
        shares.append((inputs[0].var(dim=0) / module.running_var).median().item())

    for module in model:
        if isinstance(module, nn.BatchNorm1d):
            module.register_forward_hook(look)
    model.eval()
    with torch.no_grad():
        model(data.x_train)
    return reached, shares[-1]


def with_random_labels(data: Dataset, norm: Norm, seed: int) -> float:
    """Test accuracy after 20 epochs on training labels of which 30 % were drawn at random."""
    noisy = data.with_label_noise(0.3, seed)
    model = network(noisy, seed, norm, depth=2, width=128)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(model, noisy, epochs=20, optimizer=optimizer, seed=seed, evaluate=False)
    return accuracy(model, noisy.x_test, noisy.y_test)


FAMILY: dict[str, Callable[[int, int, int], bool]] = {
    "batch": lambda n, c, p: c == 3,
    "layer": lambda n, c, p: n == 0,
    "instance": lambda n, c, p: n == 0 and c == 3,
    "group": lambda n, c, p: n == 0 and c >= 2,
    "RMS": lambda n, c, p: n == 0,
}
"""Whether the value of sample n, channel c and pixel p belongs to the set that is marked."""


def draw_norm_family() -> Figure:
    """One block of three samples, four channels and four pixels for each kind of normalisation;
    the values that share one mean and one variance are dark.
    """
    samples, channels, pixels = 3, 4, 4
    back = torch.tensor([0.45, 0.35])  # where one sample further back is drawn
    right, up = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    figure, panels = new_figure(columns=len(FAMILY), width=10, height=2.8)
    for axes, (name, belongs) in zip(panels, FAMILY.items(), strict=True):

        def square(corner: Any, one: Any, other: Any, marked: bool, axes: Any = axes) -> None:
            corners = torch.stack([corner, corner + one, corner + one + other, corner + other])
            axes.fill(
                *corners.T.tolist(),
                facecolor=COLORS[0] if marked else "0.95",
                edgecolor="white" if marked else "0.35",
                linewidth=0.8,
            )

        for c in range(channels):  # the front: the first sample
            for p in range(pixels):
                square(c * right + p * up, right, up, belongs(0, c, p))
        for n in range(samples):
            for c in range(channels):  # the top: the last pixel
                square(c * right + pixels * up + n * back, right, back, belongs(n, c, pixels - 1))
            for p in range(pixels):  # the side: the last channel
                corner = channels * right + p * up + n * back
                square(corner, back, up, belongs(n, channels - 1, p))
        axes.text(channels / 2, -0.2, "channels C", ha="center", va="top", fontsize=9)
        axes.text(-0.2, pixels / 2, "pixels H·W", ha="right", va="center", rotation=90, fontsize=9)
        axes.text(4.75, 0.4, "samples N", ha="center", va="top", rotation=38, fontsize=9)
        axes.set(title=name, xlim=(-0.9, 5.9), ylim=(-0.9, 5.3), aspect="equal")
        axes.set_axis_off()
    return figure
