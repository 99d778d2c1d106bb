"""The one training loop of the course: seeded, on CPU or CUDA, batches by index."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Takes the model's output and the targets; returns a 0-d tensor."""


@dataclass
class State:
    """Where training stands; callbacks read it and may add to `history`."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    data: Dataset
    epoch: int = 0
    step: int = 0
    loss: float = float("nan")
    stop: bool = False
    """A callback sets this to end the training after the present step or epoch."""
    history: dict[str, list[float]] = field(default_factory=dict)

    def record(self, name: str, value: float) -> None:
        """Add a value to the history under a name, such as one of a callback's own."""
        self.history.setdefault(name, []).append(value)


Callback = Callable[[State], None]


def train(
    model: nn.Module,
    data: Dataset,
    *,
    epochs: int,
    lr: float = 0.1,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int = 64,
    seed: int = 0,
    optimizer: torch.optim.Optimizer | None = None,
    scheduler: Any = None,
    loss: Loss = F.cross_entropy,
    transform: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, Any]] | None = None,
    penalty: Callable[[nn.Module], torch.Tensor] | None = None,
    after_step: Sequence[Callback] = (),
    after_epoch: Sequence[Callback] = (),
    evaluate: bool = True,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a model in place and return its history, one entry an epoch.

    Args:
        model: takes a batch of `data.x_train` and returns logits (batch, classes). It must lie on
            the device of the data.
        data: see `helpers.data.load`.
        epochs: passes over the training images.
        lr, momentum, weight_decay: for SGD, unless an `optimizer` is given.
        batch_size: images a step; a last batch that is smaller is used as well.
        seed: of the order of the batches and of all drawing in the model (dropout). It does not
            touch the initial weights, which are the caller's.
        scheduler: stepped after each step.
        loss: of (output, target).
        transform: changes each batch (x, y) before the model sees it, such as mixup.
        penalty: of the model, added to the loss.
        after_step, after_epoch: callbacks that see the `State`.
        evaluate: whether to measure accuracies after each epoch.
        progress: whether to print a line an epoch, to stdout.

    Returns:
        lists by name: `loss` (mean over the epoch's images), `train_accuracy`, `val_accuracy`,
        `test_accuracy`, `seconds`, and whatever callbacks recorded.

    >>> from helpers.data import load
    >>> data = load("digits", "cpu").flat()
    >>> torch.manual_seed(0)  # doctest: +ELLIPSIS
    <torch._C.Generator object at ...>
    >>> history = train(nn.Linear(64, 10), data, epochs=3)
    >>> history["test_accuracy"][-1] > 0.9
    True
    """
    chosen = optimizer or torch.optim.SGD(
        model.parameters(), lr=lr, momentum=momentum, weight_decay=weight_decay
    )
    state = State(model, chosen, data)
    order = torch.Generator().manual_seed(seed)
    with seeded(seed):
        for state.epoch in range(1, epochs + 1):
            start = time.perf_counter()
            model.train()
            total = torch.zeros((), device=data.x_train.device)
            for batch in batches(len(data.x_train), batch_size, order, data.x_train.device):
                x, y = data.x_train[batch], data.y_train[batch]  # (B, ...), (B,)
                if transform is not None:
                    x, y = transform(x, y)
                chosen.zero_grad(set_to_none=True)
                value = loss(model(x), y)
                if penalty is not None:
                    value = value + penalty(model)
                value.backward()
                chosen.step()
                if scheduler is not None:
                    scheduler.step()
                total += value.detach() * len(batch)
                state.step += 1
                if after_step:
                    state.loss = value.item()
                    _call(after_step, state)
                if state.stop:
                    break
            state.loss = total.item() / len(data.x_train)
            state.record("loss", state.loss)
            if evaluate:
                for part in ("train", "val", "test"):
                    x, y = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
                    state.record(f"{part}_accuracy", accuracy(model, x, y))
            state.record("seconds", time.perf_counter() - start)
            _call(after_epoch, state)
            if progress:
                _print_line(state, epochs)
            if state.stop:
                break
    return state.history


def _call(callbacks: Iterable[Callback], state: State) -> None:
    for callback in callbacks:
        callback(state)


def _print_line(state: State, epochs: int) -> None:
    """Overwrite one line of stdout; graders read anything on stderr as a fault."""
    done = round(20 * state.epoch / epochs)
    bar = "█" * done + "░" * (20 - done)
    last = state.history.get("test_accuracy", [float("nan")])[-1]
    end = "\n" if state.epoch == epochs or state.stop else ""
    text = f"\r{bar} epoch {state.epoch}/{epochs}  loss {state.loss:.3f}  test accuracy {last:.3f}"
    print(text, end=end, flush=True, file=sys.stdout)


def batches(
    count: int, batch_size: int, generator: torch.Generator, device: torch.device
) -> Iterator[torch.Tensor]:
    """Random indices of the batches of one epoch, each int64 of shape (batch,) on the device.

    >>> [len(one) for one in batches(10, 4, torch.Generator().manual_seed(0), torch.device("cpu"))]
    [4, 4, 2]
    """
    yield from torch.randperm(count, generator=generator).to(device).split(batch_size)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside the block torch draws from this seed; afterwards as if nothing had been.

    >>> with seeded(0):
    ...     first = torch.rand(1)
    >>> with seeded(0):
    ...     print(bool(torch.rand(1) == first))
    True
    """
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


@torch.no_grad()
def accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch_size: int = 4096) -> float:
    """The share of right classes in evaluation mode; every module's mode is put back.

    Args:
        model: takes images (batch, ...) and returns logits (batch, classes).
        x: images (N, ...).
        y: classes, int64 of shape (N,).
        batch_size: images that are computed together; it changes the memory and not the result.

    >>> accuracy(nn.Identity(), torch.eye(3), torch.tensor([0, 1, 0]))
    0.6666666865348816
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        right = [
            (model(part).argmax(dim=1) == target).float()
            for part, target in zip(x.split(batch_size), y.split(batch_size), strict=True)
        ]
    finally:
        for module, training in modes:
            module.training = training
    return torch.cat(right).mean().item()
