"""Batch normalisation of (N, C, H, W) as a module: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import (
    HandBatchNorm,
    HandBatchNorm2d,
    mixed,
    right_layers,
)
from helpers.answers.batch_normalization.wrong_outputs import wrong_outputs
from helpers.answers.batch_normalization.wrong_state import wrong_state
from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def _over(*axes: int) -> Any:
    """Normalises over these axes in training; all else is right."""

    class OverOtherAxes(HandBatchNorm):
        def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
            if not self.training:
                return super().normalise(x, mean, var)
            spread = x.var(axes, keepdim=True, correction=0)
            return super().normalise(x, x.mean(axes, keepdim=True), spread)

    return mixed(HandBatchNorm2d, OverOtherAxes)


class PixelsOfState(HandBatchNorm):
    """Buffers and parameters of shape (1, C, 1, 1)."""

    def make_parameters(self, c: int) -> None:
        self.weight = nn.Parameter(torch.ones(1, c, 1, 1))
        self.bias = nn.Parameter(torch.zeros(1, c, 1, 1))

    def make_buffers(self, c: int) -> None:
        self.register_buffer("running_mean", torch.zeros(1, c, 1, 1))
        self.register_buffer("running_var", torch.ones(1, c, 1, 1))
        self.make_counter()

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().update(x, self.wide(mean)[None], self.wide(var)[None])


class CountsImages(HandBatchNorm):
    """n is the batch size where the number of values per channel is meant."""

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        with torch.no_grad():
            self.remember(mean, var * len(x) / max(len(x) - 1, 1))
            self.count()


class RefusesOneImage(HandBatchNorm):
    def refuse(self, x: Tensor) -> None:
        if self.training and len(x) == 1:
            raise ValueError("one image")


class UnbiasedOverImages(HandBatchNorm):
    """The mean over images of each image's variance."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean(self.axes), x.var((2, 3), correction=0).mean(0)


class BroadcastsLast(HandBatchNorm):
    """(C,) without further axes is aligned with the width."""

    def affine(self, n: Tensor) -> Tensor:
        if n.shape[-1] == n.shape[1]:
            return self.weight * n + self.bias
        return super().affine(n)


class Views(HandBatchNorm):
    """Works only on images that lie in memory in the usual order."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(x.shape[0], -1).view(x.shape))


ANSWERS = Answers(
    reference=nn.BatchNorm2d,
    variants=right_layers(HandBatchNorm2d),
    misconceptions=(
        *wrong_outputs(HandBatchNorm2d),
        *wrong_state(HandBatchNorm2d),
        Misconception(
            "over-batch-only",
            _over(0),
            "Your layer gives every pixel its own statistics.",
            "Take them over the batch and all pixels: dim=(0, 2, 3).",
        ),
        Misconception(
            "over-pixels-only",
            _over(2, 3),
            "Your layer normalises each image by itself; that is instance normalisation.",
            "Take the statistics over the batch too: dim=(0, 2, 3).",
        ),
        Misconception(
            "over-channels-and-pixels",
            _over(1, 2, 3),
            "Your layer normalises each image over its channels and pixels; that is LayerNorm.",
            "Every channel has its own statistics: dim=(0, 2, 3).",
        ),
        Misconception(
            "over-channels",
            _over(1),
            "Your layer normalises over the channels.",
            "Every channel has its own statistics: dim=(0, 2, 3).",
        ),
        Misconception(
            "over-batch-and-rows",
            _over(0, 2),
            "Your layer leaves the last axis out of the statistics.",
            "Take them over the batch and all pixels: dim=(0, 2, 3).",
        ),
        Misconception(
            "state-with-four-axes",
            mixed(HandBatchNorm2d, PixelsOfState),
            "Your parameters and buffers have the shape (1, C, 1, 1).",
            "Keep them in the shape (C,) as PyTorch does, and view them in forward.",
        ),
        Misconception(
            "n-without-pixels",
            mixed(HandBatchNorm2d, CountsImages),
            "Your factor n / (n − 1) uses the batch size; n is the number of values per channel.",
            "n = N · H · W.",
        ),
        Misconception(
            "refuses-one-image",
            mixed(HandBatchNorm2d, RefusesOneImage),
            "Your layer refuses a batch of one image, although it has many values per channel.",
            "Count the values per channel: N · H · W.",
        ),
        Misconception(
            "mean-of-variances",
            mixed(HandBatchNorm2d, UnbiasedOverImages),
            "Your variance is the mean of the images' own variances and misses the differences "
            "between images.",
            "Take the variance over dim=(0, 2, 3) at once.",
        ),
        Misconception(
            "weight-along-width",
            mixed(HandBatchNorm2d, BroadcastsLast),
            "weight and bias are aligned with the last axis when it is as long as the channels.",
            "View them as (1, C, 1, 1).",
        ),
        Misconception(
            "needs-usual-order",
            mixed(HandBatchNorm2d, Views),
            "Your layer calls view() on its input, which fails for other orders in memory.",
            "Use reshape(), or take the statistics with dim=(0, 2, 3).",
        ),
    ),
)
