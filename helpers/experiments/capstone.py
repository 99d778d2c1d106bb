"""Experiments of lesson 09: what each part brings, a rehearsal, and CIFAR-10 on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks.capstone.task import BATCH, EPOCHS, STEPS, VIEWS, shake, shake_batch
from helpers.data import Dataset
from helpers.training import accuracy, train

Block = Callable[..., nn.Module]
"""The class BasicBlock, or one that is made like it."""

Configure = Callable[[nn.Module, int], tuple[torch.optim.Optimizer, Any]]


def stages(block: Block, in_channels: int, widths: tuple[int, ...], num_classes: int) -> nn.Module:
    """A stem, one block for each width (all but the first halve the image), the mean, a linear
    layer. Takes (N, in_channels, H, W), returns logits (N, num_classes).

    >>> from helpers.answers.capstone.blocks import BasicBlock
    >>> stages(BasicBlock, 1, (8, 16), 10)(torch.zeros(2, 1, 8, 8)).shape
    torch.Size([2, 10])
    """
    first = widths[0]
    body = [block(first, first)]
    for before, width in pairwise(widths):
        body.append(block(before, width, stride=2))
    return nn.Sequential(
        nn.Conv2d(in_channels, first, 3, padding=1, bias=False),
        nn.BatchNorm2d(first),
        nn.ReLU(),
        *body,
        nn.AdaptiveAvgPool2d(1),  # (N, C, H, W) becomes (N, C, 1, 1)
        nn.Flatten(),
        nn.Linear(widths[-1], num_classes),
    )


def shaken_accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor, seed: int = 0) -> float:
    """Accuracy on images of which each is moved and changed in `VIEWS` ways, the same for all."""
    generator = torch.Generator().manual_seed(seed)
    views = shake(x.repeat(VIEWS, 1, 1, 1), generator)
    return accuracy(model, views, y.repeat(VIEWS))


def rehearse(
    build_model: Callable[[], nn.Module],
    configure_training: Configure,
    data: Dataset,
    seed: int = 0,
) -> dict[str, list[float]]:
    """The training of the capstone, judged on the validation images after every epoch."""
    torch.manual_seed(seed)
    model = build_model().to(data.x_train.device)
    optimizer, scheduler = configure_training(model, STEPS)

    def look(state: Any) -> None:
        state.record("shaken_val", shaken_accuracy(model, data.x_val, data.y_val))
        state.record("rate", optimizer.param_groups[0]["lr"])

    return train(
        model,
        data,
        epochs=EPOCHS,
        batch_size=BATCH,
        seed=seed,
        optimizer=optimizer,
        scheduler=scheduler,
        transform=shake_batch,
        after_epoch=(look,),
        evaluate=False,
    )


class _NoShortcut(nn.Module):
    """A block with its shortcut taken away: the branch alone, then the ReLU."""

    def __init__(self, block: Block, *arguments: int, **settings: int) -> None:
        super().__init__()
        inner: Any = block(*arguments, **settings)
        self.branch = nn.Sequential(
            *(inner.conv1, inner.bn1, nn.ReLU(), inner.conv2, inner.bn2, nn.ReLU())
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.branch(x)  # type: ignore[no-any-return]


WITHOUT = ("nothing", "shaking the training images", "lowering the rate", "shortcuts")


def leave_one_out(
    block: Block, configure_training: Configure, data: Dataset, without: str, seed: int
) -> float:
    """Test accuracy on shaken images when one part is left out of an otherwise equal training.

    A network of three blocks (8, 16 and 32 channels), 15 epochs of batches of 100 images. Without
    `lowering the rate` the optimiser keeps the largest rate of its schedule.
    """
    torch.manual_seed(seed)

    def plain(*arguments: int, **settings: int) -> nn.Module:
        return _NoShortcut(block, *arguments, **settings)

    model = stages(plain if without == "shortcuts" else block, 1, (8, 16, 32), data.num_classes)
    model.to(data.x_train.device)
    epochs = 15
    total = epochs * -(-len(data.x_train) // BATCH)
    optimizer, scheduler = configure_training(model, total)
    if without == "lowering the rate":
        scheduler = None
        for group, largest in zip(
            optimizer.param_groups, largest_rates(configure_training, model, total), strict=True
        ):
            group["lr"] = largest
    train(
        model,
        data,
        epochs=epochs,
        batch_size=BATCH,
        seed=seed,
        optimizer=optimizer,
        scheduler=scheduler,
        transform=None if without == "shaking the training images" else shake_batch,
        evaluate=False,
    )
    return shaken_accuracy(model, data.x_test, data.y_test)


def rates(configure_training: Configure, model: nn.Module, total_steps: int) -> list[list[float]]:
    """The learning rate of every step, one list for each group of the optimiser."""
    optimizer, scheduler = configure_training(model, total_steps)
    seen = []
    for _ in range(total_steps):
        seen.append([float(group["lr"]) for group in optimizer.param_groups])
        optimizer.step()  # without gradients nothing moves
        scheduler.step()
    return [list(column) for column in zip(*seen, strict=True)]


def largest_rates(configure_training: Configure, model: nn.Module, total_steps: int) -> list[float]:
    was = [p.grad for p in model.parameters()]
    model.zero_grad(set_to_none=True)
    found = [max(group) for group in rates(configure_training, model, total_steps)]
    for p, grad in zip(model.parameters(), was, strict=True):
        p.grad = grad
    return found


# CIFAR-10 -------------------------------------------------------------------------------------


def crop_and_flip(
    x: torch.Tensor, y: torch.Tensor, padding: int = 4
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random crops of the padded images, and half of them mirrored, on the images' own device.

    x: (N, C, H, W). The result has the same shape and lies in memory with the channels last.

    >>> crop_and_flip(torch.zeros(5, 3, 32, 32), torch.zeros(5))[0].shape
    torch.Size([5, 3, 32, 32])
    """
    n, _, h, w = x.shape
    padded = F.pad(x, (padding,) * 4, mode="reflect").permute(0, 2, 3, 1)  # (N, H+8, W+8, C)
    rows = torch.randint(2 * padding + 1, (n, 1), device=x.device) + torch.arange(
        h, device=x.device
    )  # (N, H)
    columns = torch.randint(2 * padding + 1, (n, 1), device=x.device) + torch.arange(
        w, device=x.device
    )  # (N, W)
    mirrored = torch.rand(n, 1, device=x.device) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    image = torch.arange(n, device=x.device)[:, None, None]
    crops = padded[image, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    return crops.permute(0, 3, 1, 2), y


class InBfloat16(nn.Module):
    """Runs a model in bfloat16 where that is safe (autocast); logits come back as float32."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            logits = self.model(x.contiguous(memory_format=torch.channels_last))
        return logits.float()  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Result:
    """What a training on images came to."""

    test_accuracy: float
    train_accuracy: float
    seconds: float
    """From the first step to the last, warm-up included, reading the files not."""
    history: dict[str, list[float]]


def train_on_images(
    block: Block,
    configure_training: Configure,
    data: Dataset,
    *,
    epochs: int = 30,
    batch_size: int = 512,
    widths: tuple[int, ...] = (64, 128, 256, 512),
    seed: int = 0,
    progress: bool = False,
) -> Result:
    """Train a residual network on colour images by the course's loop.

    The whole set lies on the device already, images are cropped and mirrored there, the network
    computes in bfloat16 with the channels last, and the targets are smoothed by 0.1. The test
    images are used once, at the end.
    """
    torch.manual_seed(seed)
    device = data.x_train.device
    network = stages(block, data.x_train.shape[1], widths, data.num_classes)
    model = InBfloat16(network.to(device, memory_format=torch.channels_last))  # type: ignore[call-overload]
    total_steps = epochs * -(-len(data.x_train) // batch_size)
    optimizer, scheduler = configure_training(model, total_steps)
    _wait_for(device)
    start = time.perf_counter()
    history = train(
        model,
        data,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        optimizer=optimizer,
        scheduler=scheduler,
        loss=lambda output, y: F.cross_entropy(output, y, label_smoothing=0.1),
        transform=crop_and_flip,
        evaluate=False,
        progress=progress,
    )
    _wait_for(device)
    seconds = time.perf_counter() - start
    return Result(
        test_accuracy=accuracy(model, data.x_test, data.y_test, batch_size=1000),
        train_accuracy=accuracy(model, data.x_train, data.y_train, batch_size=1000),
        seconds=seconds,
        history=history,
    )


def _wait_for(device: torch.device) -> None:
    """A GPU works on while Python goes on; a clock is read only when it has ended."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def layers_of(
    widths: tuple[int, ...], blocks: int, size: int = 8
) -> Iterator[tuple[str, int, int]]:
    """Name, numbers held (parameters and buffers) and multiplications for one image of each part
    of a residual network with `blocks` blocks for each width.

    >>> [name for name, _, _ in layers_of((8, 16), 1)]
    ['stem', 'block 8', 'block 16', 'linear']
    """
    norm = 4  # weight, bias, running mean and variance of each channel
    first = widths[0]
    yield "stem", 9 * first + norm * first + 1, 9 * first * size**2
    before = first
    for i, width in enumerate(widths):
        for k in range(blocks):
            halves = i > 0 and k == 0
            size = -(-size // 2) if halves else size
            held = 9 * before * width + 9 * width * width + 2 * (norm * width + 1)
            products = 9 * (before + width) * width * size**2
            if halves or before != width:
                held += before * width + norm * width + 1
                products += before * width * size**2
            yield f"block {width}", held, products
            before = width
    yield "linear", 10 * before + 10, 10 * before
