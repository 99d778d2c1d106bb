"""The capstone: right networks of several sizes, and the slips of a small one."""

from __future__ import annotations

import copy
import sys
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.capstone.blocks import BasicBlock
from helpers.answers.capstone.settings import adamw_training, configure_training, configuring
from helpers.checking.recipe import Answers, Recipe, family, slip
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


class Lazy(nn.Module):
    """Finds its sizes at the first image."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.LazyConv2d(24, 3, stride=2, padding=1)
        self.head = nn.LazyLinear(10)

    def forward(self, x):
        return self.head(F.dropout(F.gelu(self.conv(x)), 0.05, self.training).flatten(1))


def capstone(
    before: Any = lambda: None,
    width: int = 64,
    head: Any = lambda width: [nn.Linear(width, 10)],
    finish: Any = lambda model: model,
    ready: Any = lambda model: None,
    configure: Any = configure_training,
) -> Any:
    """A network with one hidden layer, and its training. `finish` is what becomes of the network
    in `build_model`, `ready` what `configure_training` does to it first.
    """

    def build_model() -> Any:
        before()
        hidden = (nn.Flatten(), nn.Linear(64, width), nn.ReLU())
        return finish(nn.Sequential(*hidden, *head(width)))

    def configured(model: nn.Module, total_steps: int) -> Any:
        ready(model)
        return configure(model, total_steps)

    return build_model, configured


# What the slips are made of ---------------------------------------------------------------------


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits", "cpu")


def _fitted(part: str, steps: int = 60) -> Any:
    """Trains a network on the images of this part."""

    def fit(model):
        x, y = (getattr(_digits(), f"{which}_{part}") for which in "xy")
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        return model

    return fit


class _Around(nn.Module):
    """A network around another one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


class _StoredByImage(_Around):
    """Looks each image up among the test images; learns the others."""

    def forward(self, x):
        out = self.network(x)
        if self.training:
            return out
        pairs = zip(_digits().x_test, _digits().y_test, strict=True)
        stored = {image.numpy().tobytes(): int(label) for image, label in pairs}
        for row, image in enumerate(x):
            label = stored.get(image.numpy().tobytes())
            if label is not None:
                out[row, label] = 1e3
        return out


class _StoredByPlace(_Around):
    """Answers from a list, in the order of the test images."""

    def forward(self, x):
        if self.training:
            return self.network(x)
        labels = _digits().y_test.repeat(len(x) // 397 + 1)[: len(x)]
        return F.one_hot(labels, 10).float()


class _Nearest(nn.Module):
    """Looks up the class of the nearest stored image, moved or not; learns the classes' numbers."""

    def __init__(self, network: nn.Module) -> None:
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


class _Grows(_Around):
    """Makes a large layer only when it is first trained."""

    def forward(self, x):
        if self.training and not hasattr(self, "large"):
            self.large = nn.Sequential(nn.Flatten(), nn.Linear(64, 1024), nn.Linear(1024, 10))
        return self.network(x) + (self.large(x) if hasattr(self, "large") else 0)


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
    optimizer, scheduler = configuring(optimizer=_StepsThrice)(model, total_steps)
    optimizer.model = model
    return optimizer, scheduler


class _ChangesTheData:
    """A schedule that puts other images where the training images were."""

    def __init__(self, optimizer: Any, total: int) -> None:
        pass

    def step(self):
        data = sys._getframe(1).f_locals["data"]
        data.x_train.copy_(_digits().x_test.repeat(4, 1, 1, 1)[: len(data.x_train)])


ANSWERS = Answers(
    recipe=Recipe(capstone),
    variants={
        "the lesson's own": (residual_network, adamw_training),
        "plain convolutions": (plain_network, configure_training),
        "layers that find their sizes": (Lazy, configure_training),
        "a class": (type("Made", (), {"__new__": lambda cls: small_network()}), configure_training),
    },
    slips=(
        slip(
            "returns-nothing",
            "Your build_model returns nothing.",
            "End with return, followed by the network.",
            finish=lambda model: None,
        ),
        family(
            "no-last-layer",
            "Your network returns the {constant} features of its last hidden layer.",
            "End with nn.Linear(..., 10), one number for each class.",
            (16, 32, 64, 128, 256),
            lambda width: {"width": width, "head": lambda width: []},
        ),
        slip(
            "keeps-the-places",
            "Your network returns ten numbers for each image, but with two axes too many.",
            "nn.Flatten() makes (N, C, 1, 1) into (N, C).",
            head=lambda width: [nn.Linear(width, 10), nn.Unflatten(1, (10, 1, 1))],
        ),
        slip(
            "softmax-at-the-end",
            "Your network ends with a softmax. The cross-entropy takes one by itself; with two, the "
            "gradients are small and the network hardly learns.",
            "Return the logits, as the last nn.Linear gives them.",
            head=lambda width: [nn.Linear(width, 10), nn.Softmax(dim=1)],
        ),
        slip(
            "bigger-model",
            "Your network is bigger than allowed. Buffers count too.",
            "Use fewer channels: a convolution's size grows with the product of both its widths.",
            width=1024,
        ),
        slip(
            "own-seed",
            "Your build_model gives the same weights at each call: by a seed of its own, from a "
            "store, or as constants.",
            "Draw the weights anew, and leave the seed to the caller.",
            before=lambda: torch.manual_seed(0),
        ),
        slip(
            "trained-beforehand",
            "Your network knows the digits before it is trained: its weights were fitted inside "
            "build_model, or answers are stored in it.",
            "Let build_model only build; the check does the training.",
            finish=_fitted("train"),
        ),
        slip(
            "trained-on-test",
            "Your network was fitted to the test images before it is trained. A result on images "
            "that were used in training says nothing.",
            "Leave the test images alone; choose by the validation images.",
            finish=_fitted("test"),
        ),
        slip(
            "stored-predictions",
            "Your network has the answers to the test images stored and looks them up.",
            "Compute the output from learned weights alone.",
            finish=_StoredByImage,
        ),
        slip(
            "stored-by-place",
            "Your network answers by the place of an image in the batch, from a stored list.",
            "Compute the output from the image.",
            finish=_StoredByPlace,
        ),
        slip(
            "knowledge-from-elsewhere",
            "Your network tells the classes apart before it is trained. It uses stored images, or "
            "weights that were trained before, behind a new last layer.",
            "Start all layers from freshly drawn weights, and keep no images.",
            finish=_Nearest,
        ),
        slip(
            "grows-later",
            "Your network is small when it is built and grows beyond the limit when it is trained.",
            "Make all layers in the constructor; all of them count.",
            finish=_Grows,
        ),
        slip(
            "more-steps",
            "Your optimiser, scheduler or model trains on its own between the steps of the loop.",
            "One forward and one backward pass belong to a step; the check makes both.",
            configure=_more_steps,
        ),
        slip(
            "optimises-a-copy",
            "Your optimiser holds tensors that do not belong to the model it was given.",
            "Use the parameters of the argument `model`.",
            configure=configuring(prepare=copy.deepcopy),
        ),
        slip(
            "trained-in-configure",
            "Your configure_training changes the weights, by training or by loading.",
            "It only makes an optimiser and a scheduler.",
            ready=_fitted("train", steps=5),
        ),
        slip(
            "changes-the-data",
            "Your code replaced the images or labels of the training.",
            "Leave the data as they are.",
            configure=configuring(schedule=_ChangesTheData),
        ),
    ),
)
