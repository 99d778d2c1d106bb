"""Experiments of lesson 07: mixup, cutout, smooth labels and early stopping, on equal terms.

Whatever is compared starts from the same weights, sees the same images in the same order, and
takes the same number of steps. What students write is a parameter of each experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.training import Callback, State, accuracy, seeded, train

SEEDS = (0, 1, 2, 3, 4)
NOISE = 0.3
"""Share of the training and validation labels that are drawn at random."""
EPOCHS = 60
RATE, MOMENTUM = 0.05, 0.9

Transform = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, Any]]
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass
class Run:
    """One training: its curves by epoch, and the network as it was at the end."""

    data: Dataset
    model: nn.Module
    history: dict[str, list[float]] = field(default_factory=dict)

    @property
    def last(self) -> float:
        """Test accuracy after the last epoch."""
        return accuracy(self.model, self.data.x_test, self.data.y_test)

    @property
    def fitted(self) -> float:
        """Share of the training labels, wrong ones included, that the network gives back."""
        return accuracy(self.model, self.data.x_train, self.data.y_train)

    def predict(self) -> torch.Tensor:
        """Class probabilities of the test images: (images, classes)."""
        with torch.no_grad():
            logits: torch.Tensor = self.model(self.data.x_test)
        return logits.softmax(dim=1)


def network(data: Dataset, seed: int, hidden: int = 256) -> nn.Module:
    """Two hidden layers; the same seed gives the same weights."""
    with seeded(seed):
        model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(data.num_features, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, data.num_classes),
        )
    return model.to(data.x_train.device)


def noisy_data(seed: int, name: str = "digits", images: int = 1_100) -> Dataset:
    """Images of which 30 % have a random label, for training and validation alike.

    Both come from the same careless source, as they would in practice. Test labels stay right.
    """
    data = load(name).first(images)
    noisy = data.with_label_noise(NOISE, seed=seed)
    checked = replace(data, y_train=data.y_val).with_label_noise(NOISE, seed=1_000 + seed)
    return replace(noisy, y_val=checked.y_train)


def run(
    data: Dataset,
    seed: int,
    *,
    epochs: int = EPOCHS,
    transform: Transform | None = None,
    loss: Loss = F.cross_entropy,
    after_epoch: Sequence[Callback] = (),
) -> Run:
    """Train one network from the weights of its seed."""
    model = network(data, seed)
    history = train(
        model,
        data,
        epochs=epochs,
        lr=RATE,
        momentum=MOMENTUM,
        seed=seed,
        transform=transform,
        loss=loss,
        after_epoch=after_epoch,
        evaluate=False,
    )
    return Run(data, model, history)


@torch.no_grad()
def watch(state: State) -> None:
    """After each epoch: the loss on the validation images, the accuracy on the test images."""
    outputs = state.model(state.data.x_val)
    state.record("val_loss", F.cross_entropy(outputs, state.data.y_val).item())
    state.record("test_accuracy", accuracy(state.model, state.data.x_test, state.data.y_test))


def plain_runs(seeds: Sequence[int] = SEEDS, name: str = "digits") -> list[Run]:
    """Nothing holds the network back: it learns the random labels by heart."""
    return [run(noisy_data(seed, name), seed, after_epoch=[watch]) for seed in seeds]


def mixup_runs(
    mixup: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    alpha: float,
    seeds: Sequence[int] = SEEDS,
    name: str = "digits",
) -> list[Run]:
    """The same with mixup: for each batch one weight from Beta(alpha, alpha) and one partner for
    each image. PyTorch's own cross-entropy takes probabilities as targets.
    """

    def one(seed: int) -> Run:
        data = noisy_data(seed, name)

        def transform(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            lam = float(torch.distributions.Beta(alpha, alpha).sample())
            permutation = torch.randperm(len(x)).to(x.device)
            return mixup(x, y, lam, permutation, data.num_classes)

        return run(data, seed, transform=transform, after_epoch=[watch])

    return [one(seed) for seed in seeds]


def covered(cutout: Callable[..., torch.Tensor], size: int) -> Transform:
    """Cuts a square of this size into each image of a batch, around a random pixel."""

    def transform(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.randint(x.shape[2], (len(x),))
        columns = torch.randint(x.shape[3], (len(x),))
        return cutout(x, size, torch.stack([rows, columns], dim=1).to(x.device)), y

    return transform


CUTOUT_SETTINGS: dict[str, tuple[Callable[[int, str], Dataset], int]] = {
    "1,100 clean images": (lambda seed, name: load(name).first(1_100), 20),
    "100 clean images": (lambda seed, name: load(name).first(100), EPOCHS),
    "1,100 images, noisy labels": (lambda seed, name: noisy_data(seed, name), EPOCHS),
}
"""Data by seed and name, and epochs, for each setting in which cutout is tried."""


def cutout_accuracies(
    cutout: Callable[..., torch.Tensor],
    setting: str,
    sizes: Sequence[int],
    seeds: Sequence[int] = SEEDS,
    name: str = "digits",
) -> dict[int, list[float]]:
    """Test accuracies, one a seed, by the size of the square. A square of 0 is no cutout."""
    data, epochs = CUTOUT_SETTINGS[setting]
    return {
        size: [
            run(
                data(seed, name),
                seed,
                epochs=epochs,
                transform=covered(cutout, size) if size else None,
            ).last
            for seed in seeds
        ]
        for size in sizes
    }


CALIBRATION_SETTINGS: dict[str, Callable[[int, str], Dataset]] = {
    "clean labels": lambda seed, name: load(name).first(300),
    "noisy labels": lambda seed, name: noisy_data(seed, name, images=300),
}


def smoothing_runs(
    smooth_labels: Callable[..., torch.Tensor],
    soft_cross_entropy: Loss,
    setting: str,
    epsilon: float,
    seeds: Sequence[int] = SEEDS,
    name: str = "digits",
) -> list[Run]:
    """300 training images, 60 epochs, targets smoothed by epsilon."""

    def one(seed: int) -> Run:
        data = CALIBRATION_SETTINGS[setting](seed, name)

        def transform(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, smooth_labels(y, data.num_classes, epsilon)

        return run(data, seed, transform=transform, loss=soft_cross_entropy)

    return [one(seed) for seed in seeds]


@dataclass(frozen=True)
class Reliability:
    """Predictions sorted into bins by confidence."""

    confidence: torch.Tensor
    """Mean confidence of each bin (bins,); NaN where a bin is empty."""
    accuracy: torch.Tensor
    """Share of right predictions in each bin (bins,)."""
    share: torch.Tensor
    """Share of the predictions that fall in each bin (bins,)."""

    @property
    def error(self) -> float:
        """The expected calibration error: the mean gap over the bins, weighed with `share`."""
        gaps = (self.confidence - self.accuracy).abs() * self.share
        return gaps.nansum().item()


def reliability(probabilities: torch.Tensor, y: torch.Tensor, bins: int = 10) -> Reliability:
    """How often predictions of each confidence are right (Guo and others 2017).

    Args:
        probabilities: (N, C), rows sum to 1.
        y: class indices (N,).
        bins: this many intervals of equal width from 0 to 1.

    >>> sure = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> reliability(sure, torch.tensor([0, 1])).error
    0.5
    """
    confidence, predicted = probabilities.max(dim=1)
    right = (predicted == y).to(probabilities.dtype)
    number = (confidence * bins).ceil().long().clamp(1, bins) - 1  # (N,)
    member = F.one_hot(number, bins).to(probabilities.dtype)  # (N, bins)
    count = member.sum(dim=0)  # (bins,)
    return Reliability(
        confidence=((confidence @ member) / count).cpu(),
        accuracy=((right @ member) / count).cpu(),
        share=(count / len(y)).cpu(),
    )


def calibration_errors(runs: Sequence[Run]) -> list[float]:
    """The expected calibration error of each run, on its test images."""
    return [reliability(r.predict(), r.data.y_test).error for r in runs]


def mean_confidences(runs: Sequence[Run]) -> list[float]:
    """The mean over the test images of the probability of the predicted class, for each run."""
    return [r.predict().max(dim=1).values.mean().item() for r in runs]


@dataclass(frozen=True)
class Stop:
    """What early stopping does with one curve; epochs count from 1."""

    epoch: int
    """The epoch after which it stops."""
    best_epoch: int
    """The epoch whose weights it keeps: that of the best validation loss."""
    kept: float
    """Test accuracy of the kept weights."""
    last: float
    """Test accuracy after the last epoch of the whole curve."""
    peak: float
    """The highest test accuracy of the curve, which only somebody who looks at it can find."""


def stop_early(make_stopper: Callable[[], Any], runs: Sequence[Run]) -> list[Stop]:
    """Where early stopping on the validation loss would have ended each of these runs."""
    stops = []
    for one in runs:
        losses, accuracies = one.history["val_loss"], one.history["test_accuracy"]
        stopper, best_epoch, epoch = make_stopper(), 1, 0
        for epoch, value in enumerate(losses, start=1):
            stop = stopper.step(value)
            if value == stopper.best:
                best_epoch = epoch
            if stop:
                break
        kept = accuracies[best_epoch - 1]
        stops.append(Stop(epoch, best_epoch, kept, accuracies[-1], max(accuracies)))
    return stops


def train_until_stopped(stopper: Any, seed: int = 0, name: str = "digits") -> Run:
    """Early stopping as it is used: it ends the training and puts the best weights back."""
    best: dict[str, torch.Tensor] = {}

    def stop(state: State) -> None:
        value = state.history["val_loss"][-1]
        state.stop = stopper.step(value)
        if value == stopper.best:
            best.update({k: v.clone() for k, v in state.model.state_dict().items()})

    result = run(noisy_data(seed, name), seed, after_epoch=[watch, stop])
    result.model.load_state_dict(best)
    return result
