"""Experiments of lesson 10: the symptoms of broken programs, measured on the program given.

Each function takes a program as an argument, broken or repaired, so that both are measured alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.experiments.activation_functions import even_or_odd
from helpers.training import accuracy, seeded, train

Function = Callable[[torch.Tensor], torch.Tensor]


def nan_share(squash: Function, brightness: float, seed: int = 0, name: str = "digits") -> float:
    """The share of NaN among the hidden units of a first layer.

    The pixels of the test images run from 0 to `brightness`; the layer has 32 random units.
    """
    data = load(name).flat()
    lowest, highest = data.x_test.min(), data.x_test.max()
    pixels = (data.x_test - lowest) / (highest - lowest) * brightness  # (images, features)
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(32, data.num_features, generator=generator) / data.num_features**0.5
    return squash(pixels @ weight.T.to(pixels)).isnan().float().mean().item()


def answers_that_change(
    make: Callable[..., nn.Module], seed: int = 0, p: float = 0.5, name: str = "digits"
) -> tuple[float, float]:
    """Train a classifier; return its test accuracy and the share of test images that get another
    class when the same model, in evaluation mode, is asked a second time.
    """
    data = load(name).flat()
    with seeded(seed):
        model = make(data.num_features, 64, data.num_classes, p).to(data.x_train.device)
    train(model, data, epochs=5, lr=0.1, momentum=0.9, seed=seed, evaluate=False)
    model.eval()
    with seeded(seed), torch.no_grad():
        first = model(data.x_test).argmax(1)
        second = model(data.x_test).argmax(1)
    right = (first == data.y_test).float().mean().item()
    return right, (first != second).float().mean().item()


class _WithLoss(nn.Module):
    """Lets the course's training loop use a model's own method `loss`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return self.model.loss(*pair)  # type: ignore[no-any-return]


def house_prices(seed: int = 0) -> Dataset:
    """Prices of 60 invented houses from 5 features; the prices are linear with some noise."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(60, 5, generator=generator)
    y = x @ torch.tensor([1.0, -1.0, 0.5, 0.0, 0.0]) + 3
    y = y + 0.3 * torch.randn(60, generator=generator)
    return Dataset("houses", x, y, x, y, x, y, ("price",), 0.0, 1.0)


def weight_size(make: Callable[..., nn.Module], lam: float, seed: int = 0) -> tuple[float, float]:
    """Train a price model; return the 2-norm of its weights and its mean prediction."""
    data = house_prices(seed)
    with seeded(seed):
        model = make(5, 8, lam)
    train(
        _WithLoss(model),
        data,
        epochs=300,
        lr=0.02,
        batch_size=60,
        seed=seed,
        loss=lambda value, y: value,
        transform=lambda x, y: ((x, y), y),  # type: ignore[arg-type, return-value]
        evaluate=False,
    )
    model.eval()
    with torch.no_grad():
        weights = torch.cat([p.flatten() for p in model.parameters() if p.dim() >= 2])
        return weights.norm().item(), model(data.x_test).mean().item()


def census_of(
    make: Callable[..., nn.Module], seed: int = 0, name: str = "digits"
) -> tuple[float, float]:
    """Train a network to tell even from odd digits; return what its `death_rate` says about the
    training images, and its test accuracy.
    """
    data = even_or_odd(name)
    with seeded(seed):
        model: Any = make(data.num_features, 64, data.num_classes).to(data.x_train.device)
    train(model, data, epochs=15, lr=0.1, momentum=0.9, seed=seed, evaluate=False)
    with torch.no_grad():
        rate = float(model.death_rate(data.x_train.split(100)))
    return rate, accuracy(model, data.x_test, data.y_test)


def truly_dead(make: Callable[..., nn.Module], seed: int = 0, name: str = "digits") -> float:
    """The share of hidden units that are 0 for every training image, before any training."""
    data = even_or_odd(name)
    with seeded(seed):
        model: Any = make(data.num_features, 64, data.num_classes).to(data.x_train.device)
    with torch.no_grad():
        hidden = model.activation(model.hidden(data.x_train))
    return float((hidden == 0).all(dim=0).float().mean())


def accuracy_by_company(
    fit: Callable[..., Sequence[torch.Tensor]],
    seed: int = 0,
    epochs: int = 2,
    name: str = "digits",
) -> tuple[float, float]:
    """Train with a program that predicts test images on the way; return the accuracy of its last
    prediction when all test images are predicted together, and when each class is predicted by
    itself. The network, the data and the steps are the same.
    """
    data = load(name).flat()

    def predict(images: torch.Tensor) -> torch.Tensor:
        with seeded(seed):
            order = torch.randperm(len(data.x_train)).to(data.x_train.device)
            model = nn.Sequential(
                nn.Linear(data.num_features, 32),
                nn.BatchNorm1d(32),
                nn.ReLU(),
                nn.Linear(32, data.num_classes),
            ).to(data.x_train.device)
            batches = [(data.x_train[i], data.y_train[i]) for i in order.split(64)]
            return fit(model, batches, images, epochs, 0.2)[-1].detach().argmax(1)

    together = (predict(data.x_test) == data.y_test).float().mean().item()
    right = 0
    for label in range(data.num_classes):
        of_one_class = data.x_test[data.y_test == label]
        right += int((predict(of_one_class) == label).sum())
    return together, right / len(data.y_test)


CANDIDATES = tuple(product((0.1, 1.0, 10.0, 100.0), range(25)))
"""A hundred settings: the strength λ of a ridge penalty, and a seed that picks five sensors."""


def fit_on_five_sensors(
    x: torch.Tensor, y: torch.Tensor, setting: tuple[float, int]
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Ridge regression to −1 and 1 on five of the columns of x; returns the rule for new rows."""
    lam, seed = setting
    generator = torch.Generator().manual_seed(seed)
    columns = torch.randperm(x.shape[1], generator=generator)[:5]
    chosen = x[:, columns]
    target = 2.0 * y - 1
    weight = torch.linalg.solve(chosen.T @ chosen + lam * torch.eye(5), chosen.T @ target)
    return lambda new: (new[:, columns] @ weight > 0).long()


def reported_and_real(choose: Callable[..., Any], seed: int = 0) -> tuple[float, float]:
    """What a program reports after it chose among `CANDIDATES`, and the accuracy of that choice on
    20,000 new rows. The labels are coin flips: no model can be right more often than half the time.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(rows, 40, generator=generator)
        return x, torch.randint(2, (rows,), generator=generator)

    (x, y), (x_test, y_test), (x_new, y_new) = draw(200), draw(60), draw(20_000)
    setting, reported = choose(fit_on_five_sensors, CANDIDATES, x, y, x_test, y_test)
    predict = fit_on_five_sensors(x, y, setting)
    return float(reported), (predict(x_new) == y_new).float().mean().item()


def gradient_of_padding(relu: Function, rows: int = 8, words: int = 2) -> float:
    """The gradient that padding alone gives to a bias: rows of zeros, a layer whose bias starts
    at 0, and a loss that adds up its outputs. The first `words` rows are no padding.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=generator)
    x[words:] = 0
    weight = torch.randn(4, generator=generator)
    bias = torch.zeros((), requires_grad=True)
    hidden = relu(x[words:] @ weight + bias)
    (gradient,) = torch.autograd.grad(hidden.sum(), bias)
    return float(gradient)


def step_on_mail(sure: Function, longest: float) -> tuple[float, torch.Tensor]:
    """One step of a spam filter on four e-mails; return the loss and the weights after the step.

    An e-mail is a row of two counts; the last one is `longest` words long.
    """
    mails = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 1.0], [0.0, longest]])
    spam = torch.tensor([1.0, 0.0, 1.0, 0.0])
    weight = torch.tensor([1.0, -1.0], requires_grad=True)
    loss = F.mse_loss(sure(mails @ weight), spam)
    (gradient,) = torch.autograd.grad(loss, weight)
    return loss.item(), (weight - 0.5 * gradient).detach()
