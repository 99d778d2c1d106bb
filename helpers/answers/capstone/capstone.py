"""The capstone: right answers of several sizes, and what is no answer."""

from __future__ import annotations

import copy
import sys
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.capstone.blocks import BasicBlock
from helpers.answers.capstone.settings import adamw_training, configure_training, groups
from helpers.checking.check import Answers, Misconception
from helpers.data import Dataset, load


def small_network() -> nn.Module:
    """One hidden layer of 64: enough for the first tier, and quick."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def plain_network() -> nn.Module:
    """Two convolutions without BatchNorm or shortcut."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 10)),
    )


def residual_network() -> nn.Module:
    """The lesson's own answer: a stem, three blocks, the mean over places, a linear layer."""
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(BasicBlock(16, 16), BasicBlock(16, 32, stride=2), BasicBlock(32, 32)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)),
    )


class _Lazy(nn.Module):
    """Finds its sizes at the first image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.LazyConv2d(24, 3, stride=2, padding=1)
        self.head = nn.LazyLinear(10)

    def forward(self, x):
        return self.head(F.dropout(F.gelu(self.conv(x)), 0.05, self.training).flatten(1))


# What is no answer ----------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits", "cpu")


def _large():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 1024), nn.ReLU(), nn.Linear(1024, 10))


def _with_own_seed():
    torch.manual_seed(0)
    return small_network()


def _fit(model: nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int = 60) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    return model


def _trained_beforehand():
    data = _digits()
    return _fit(small_network(), data.x_train, data.y_train)


def _trained_on_test():
    data = _digits()
    return _fit(small_network(), data.x_test, data.y_test)


class _StoredByImage(nn.Module):
    """Looks each image up among the test images; learns the others."""

    def __init__(self) -> None:
        super().__init__()
        self.network = small_network()
        data = _digits()
        pairs = zip(data.x_test, data.y_test, strict=True)
        self.stored = {image.numpy().tobytes(): int(label) for image, label in pairs}

    def forward(self, x):
        out = self.network(x)
        if self.training:
            return out
        found = [self.stored.get(image.numpy().tobytes()) for image in x]
        rows = [i for i, label in enumerate(found) if label is not None]
        out[rows, [found[i] for i in rows]] = 1e3
        return out


class _StoredByPlace(nn.Module):
    """Answers from a list, in the order of the test images."""

    def __init__(self) -> None:
        super().__init__()
        self.network = small_network()

    def forward(self, x):
        if self.training:
            return self.network(x)
        labels = _digits().y_test.repeat(len(x) // 397 + 1)[: len(x)]
        return F.one_hot(labels, 10).float()


class _Nearest(nn.Module):
    """Looks up the class of the nearest stored image, moved or not; learns the classes' numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.names = nn.Linear(10, 10)

    def forward(self, x):
        data = _digits()
        stored = torch.cat([data.x_train, data.x_test])
        padded = F.pad(stored, (1, 1, 1, 1), value=stored.min().item())
        moved = [padded[:, :, r : r + 8, c : c + 8] for r in range(3) for c in range(3)]
        keys = F.normalize(torch.cat(moved).flatten(1) + 0.8)
        labels = torch.cat([data.y_train, data.y_test]).repeat(9)
        best = (F.normalize(x.flatten(1) + 0.8) @ keys.T).argmax(dim=1)
        return self.names(10 * F.one_hot(labels[best], 10).float())


class _StepsThrice(torch.optim.SGD):
    """Takes two more steps on images of its own after each step."""

    model: nn.Module

    def step(self, closure=None):
        super().step(closure)
        data = _digits()
        for _ in range(2):
            chosen = torch.randint(len(data.x_train), (100,))
            self.zero_grad()
            F.cross_entropy(self.model(data.x_train[chosen]), data.y_train[chosen]).backward()
            super().step()


def _more_steps(model, total_steps):
    optimizer = _StepsThrice(groups(model), lr=0.05, momentum=0.9)
    optimizer.model = model
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total_steps)


def _on_a_copy(model, total_steps):
    return configure_training(copy.deepcopy(model), total_steps)


def _loads_weights(model, total_steps):
    data = _digits()
    _fit(model, data.x_train, data.y_train, steps=5)
    return configure_training(model, total_steps)


class _ChangesTheData:
    """A schedule that puts other images where the training images were."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    def step(self):
        self.scheduler.step()
        data = sys._getframe(1).f_locals["data"]
        n = len(data.x_train)
        data.x_train.copy_(_digits().x_test.repeat(4, 1, 1, 1)[:n])


def _changes_the_data(model, total_steps):
    optimizer, scheduler = configure_training(model, total_steps)
    return optimizer, _ChangesTheData(scheduler)


class _Grows(nn.Module):
    """Makes its large layer only when it is first trained."""

    def __init__(self) -> None:
        super().__init__()
        self.small = nn.Linear(64, 10)

    def forward(self, x):
        if self.training and not hasattr(self, "large"):
            self.large = _large()
        out = self.small(x.flatten(1))
        return out + self.large(x) if hasattr(self, "large") else out


def _no_last_layer():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 256), nn.ReLU())


def _with_softmax():
    return nn.Sequential(small_network(), nn.Softmax(dim=1))


ANSWERS = Answers(
    reference=(small_network, configure_training),
    variants={
        "the lesson's own": (residual_network, adamw_training),
        "plain convolutions": (plain_network, configure_training),
        "layers that find their sizes": (_Lazy, configure_training),
        "a class": (type("Made", (), {"__new__": lambda cls: small_network()}), configure_training),
    },
    misconceptions=(
        Misconception(
            "no-last-layer",
            (_no_last_layer, configure_training),
            "Your network returns the 256 features of its last hidden layer.",
            "End with nn.Linear(..., 10), one number for each class.",
        ),
        Misconception(
            "softmax-at-the-end",
            (_with_softmax, configure_training),
            "Your network ends with a softmax. The cross-entropy takes one by itself; with two, the "
            "gradients are small and the network hardly learns.",
            "Return the logits, as the last nn.Linear gives them.",
        ),
        Misconception(
            "bigger-model",
            (_large, configure_training),
            "Your network is bigger than allowed. Buffers count too.",
            "Use fewer channels: a convolution's size grows with the product of both its widths.",
        ),
        Misconception(
            "own-seed",
            (_with_own_seed, configure_training),
            "Your build_model gives the same weights at each call: by a seed of its own, from a "
            "store, or as constants.",
            "Draw the weights anew, and leave the seed to the caller.",
        ),
        Misconception(
            "trained-beforehand",
            (_trained_beforehand, configure_training),
            "Your network knows the digits before it is trained: its weights were fitted inside "
            "build_model, or answers are stored in it.",
            "Let build_model only build; the check does the training.",
        ),
        Misconception(
            "trained-on-test",
            (_trained_on_test, configure_training),
            "Your network was fitted to the test images before it is trained. A result on images "
            "that were used in training says nothing.",
            "Leave the test images alone; choose by the validation images.",
        ),
        Misconception(
            "stored-predictions",
            (_StoredByImage, configure_training),
            "Your network has the answers to the test images stored and looks them up.",
            "Compute the output from learned weights alone.",
        ),
        Misconception(
            "stored-by-place",
            (_StoredByPlace, configure_training),
            "Your network answers by the place of an image in the batch, from a stored list.",
            "Compute the output from the image.",
        ),
        Misconception(
            "knowledge-from-elsewhere",
            (_Nearest, configure_training),
            "Your network tells the classes apart before it is trained. It uses stored images, or "
            "weights that were trained before, behind a new last layer.",
            "Start all layers from freshly drawn weights, and keep no images.",
        ),
        Misconception(
            "more-steps",
            (small_network, _more_steps),
            "Your optimiser, scheduler or model trains on its own between the steps of the loop.",
            "One forward and one backward pass belong to a step; the check makes both.",
        ),
        Misconception(
            "optimises-a-copy",
            (small_network, _on_a_copy),
            "Your optimiser holds tensors that do not belong to the model it was given.",
            "Use the parameters of the argument `model`.",
        ),
        Misconception(
            "trained-in-configure",
            (small_network, _loads_weights),
            "Your configure_training changes the weights, by training or by loading.",
            "It only makes an optimiser and a scheduler.",
        ),
        Misconception(
            "changes-the-data",
            (small_network, _changes_the_data),
            "Your code replaced the images or labels of the training.",
            "Leave the data as they are.",
        ),
        Misconception(
            "grows-later",
            (_Grows, configure_training),
            "Your network is small when it is built and grows beyond the limit when it is trained.",
            "Make all layers in the constructor; all of them count.",
        ),
    ),
)
