"""Experiments of lesson 05: what dropout does in training, and what it does at test time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.training import accuracy, seeded, train

SEEDS = (0, 1, 2, 3, 4)

Layer = Callable[[float], nn.Module]
"""Makes a dropout layer from its probability of dropping."""

Predict = Callable[[nn.Module, torch.Tensor, int], tuple[torch.Tensor, torch.Tensor]]
"""An `mc_dropout_predict`."""


def network(data: Dataset, layer: Layer, p: float, seed: int, hidden: int = 256) -> nn.Sequential:
    """Two hidden layers, each followed by ReLU and dropout; equal seeds give equal weights.

    >>> data = load("digits", "cpu").flat()
    >>> len(network(data, nn.Dropout, 0.5, seed=0))
    7
    """
    with seeded(seed):
        model = nn.Sequential(
            nn.Linear(data.num_features, hidden),
            nn.ReLU(),
            layer(p),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            layer(p),
            nn.Linear(hidden, data.num_classes),
        )
    return model.to(data.x_train.device)


def with_wrong_labels(
    layer: Layer,
    p: float,
    seeds: Iterable[int] = SEEDS,
    share: float = 0.3,
    epochs: int = 30,
    name: str = "digits",
) -> list[dict[str, list[float]]]:
    """Training histories, one a seed, with this share of the training labels drawn at random.

    The seed fixes the labels, the initial weights and the batches; test labels stay clean.
    """
    clean = load(name).flat()
    return [
        train(
            network(clean, layer, p, seed),
            clean.with_label_noise(share, seed),
            epochs=epochs,
            lr=0.05,
            momentum=0.9,
            seed=seed,
        )
        for seed in seeds
    ]


def without_dropout(
    hidden: int,
    labels: int,
    seed: int,
    share: float = 0.3,
    epochs: int = 30,
    name: str = "digits",
) -> tuple[nn.Sequential, Dataset]:
    """A network trained as in `with_wrong_labels`, with p = 0, and its data.

    `labels` is the seed of the labels, `seed` that of the initial weights and of the batches.
    """
    data = load(name).flat().with_label_noise(share, labels)
    model = network(data, nn.Identity, 0.0, seed, hidden)  # p = 0 changes nothing
    train(model, data, epochs=epochs, lr=0.05, momentum=0.9, seed=seed, evaluate=False)
    return model, data


def smaller(hidden: int, seeds: Iterable[int] = SEEDS, name: str = "digits") -> list[float]:
    """Test accuracy, one a seed, of networks of this width without dropout, on wrong labels."""
    pairs = [without_dropout(hidden, seed, seed, name=name) for seed in seeds]
    return [accuracy(model, data.x_test, data.y_test) for model, data in pairs]


def ensemble(labels: int, members: int = 5, name: str = "digits") -> tuple[list[float], float]:
    """Test accuracies of networks that were trained with equal (wrong) labels, without dropout, from
    different weights; and the test accuracy of the average of their class probabilities.
    """
    alone, probabilities = [], []
    for member in range(members):
        model, data = without_dropout(256, labels, seed=members * labels + member, name=name)
        with torch.no_grad():
            probabilities.append(torch.softmax(model(data.x_test), dim=1))  # (N, C)
        alone.append(accuracy(model, data.x_test, data.y_test))
    voted = torch.stack(probabilities).mean(dim=0).argmax(dim=1)  # (N,)
    return alone, (voted == data.y_test).double().mean().item()


def with_little_data(
    layer: Layer,
    p: float,
    hidden: int,
    seeds: Iterable[int] = SEEDS,
    images: int = 100,
    epochs: int = 60,
    name: str = "digits",
) -> list[float]:
    """Test accuracy, one a seed, after training on a few images with right labels."""
    data = load(name).flat()
    results = []
    for seed in seeds:
        model = network(data, layer, p, seed, hidden)
        few = data.first(images)
        train(model, few, epochs=epochs, lr=0.05, momentum=0.9, seed=seed, evaluate=False)
        results.append(accuracy(model, data.x_test, data.y_test))
    return results


def mean_in_training(
    layer: Callable[[torch.Tensor, float], torch.Tensor], p: float, seed: int = 0, draws: int = 2000
) -> tuple[float, float]:
    """A unit's mean input over many masks, divided by its input without dropout.

    The unit adds the 64 pixels of one test image with random positive weights. The first number
    is for `layer(X, p)`, the second for the same mask without the rescaling.
    """
    image = load("digits", "cpu").flat().x_test[seed]  # (64,)
    with seeded(seed):
        weights = torch.rand(64) * image.sign()  # so that no two terms cancel
        dropped = layer(image.expand(draws, 64), p)  # (draws, 64)
    without = (weights * image).sum().item()
    rescaled = (dropped @ weights).mean().item()
    raw = ((dropped != 0) * image @ weights).mean().item()
    return rescaled / without, raw / without


@cache
def trained(
    layer: Layer, seed: int, p: float = 0.5, epochs: int = 12, name: str = "digits"
) -> tuple[nn.Sequential, Dataset]:
    """A network trained with dropout on right labels, and its data; trained once, then kept."""
    data = load(name).flat()
    model = network(data, layer, p, seed)
    train(model, data, epochs=epochs, lr=0.05, momentum=0.9, seed=seed, evaluate=False)
    return model, data


class FunctionalNetwork(nn.Module):
    """The weights of a trained network with `F.dropout`, with or without `training=`."""

    def __init__(self, model: nn.Sequential, p: float, forgets: bool) -> None:
        super().__init__()
        self.first, self.second, self.last = model[0], model[3], model[6]
        self.p = p
        self.forgets = forgets

    def _drop(self, h: torch.Tensor) -> torch.Tensor:
        if self.forgets:
            return F.dropout(h, self.p)  # training=True is its default
        return F.dropout(h, self.p, training=self.training)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self._drop(torch.relu(self.first(x)))  # (B, hidden)
        h = self._drop(torch.relu(self.second(h)))  # (B, hidden)
        out: torch.Tensor = self.last(h)
        return out


@torch.no_grad()
def forgotten_flag(
    model: nn.Sequential, data: Dataset, seed: int = 0, p: float = 0.5
) -> dict[str, dict[str, float]]:
    """Test accuracy after `eval()`, and the share of images whose predicted class changes when
    the same images are asked for again; with `training=self.training` and without it.
    """
    results = {}
    for name, forgets in (("with the flag", False), ("without the flag", True)):
        net = FunctionalNetwork(model, p, forgets).eval()
        with seeded(seed):
            first, second = (net(data.x_test).argmax(dim=1) for _ in range(2))
        results[name] = {
            "accuracy": (first == data.y_test).double().mean().item(),
            "changed": (first != second).double().mean().item(),
        }
    return results


def sureness(
    predict: Predict, model: nn.Module, data: Dataset, n_samples: int = 30, seed: int = 0
) -> dict[str, dict[str, torch.Tensor]]:
    """For test images, and for images of normal noise of the same mean and deviation: the
    probability of the likeliest class and its standard deviation, by Monte-Carlo dropout, and
    the probability that one pass in evaluation mode gives; each (images,).
    """
    results = {}
    with seeded(seed):
        noise = torch.randn_like(data.x_test)
        for name, x in (("digits", data.x_test), ("noise", noise)):
            mean, std = predict(model, x, n_samples)  # (N, C) each
            top, which = mean.max(dim=1)
            model.eval()
            with torch.no_grad():
                one = torch.softmax(model(x), dim=1).max(dim=1).values
            results[name] = {
                "probability": top,
                "spread": std.gather(1, which[:, None]).squeeze(1),
                "one pass": one,
            }
    return results


def auroc(digits: torch.Tensor, noise: torch.Tensor) -> float:
    """How often a number of `digits` is larger than one of `noise`, of all pairs; ties are half.

    >>> auroc(torch.tensor([0.9, 0.6]), torch.tensor([0.7, 0.5]))
    0.75
    """
    difference = digits[:, None] - noise[None, :]  # (digits, noise)
    return (difference > 0).double().add(0.5 * (difference == 0)).mean().item()
