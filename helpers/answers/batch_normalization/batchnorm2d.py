"""Batch normalisation of (N, C, H, W) as a module: the recipe, its slips and right variants."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import HandBatchNorm2d, right_layers
from helpers.answers.batch_normalization.layer_slips import SLIPS, over
from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor


def _mean_of_variances(self: Any, x: Tensor, mean: Tensor) -> Tensor:
    return x.var((2, 3), correction=0).mean(0)


def _refuse_one_image(self: Any, x: Tensor) -> None:
    if self.training and len(x) == 1:
        raise ValueError("one image")


ANSWERS = Answers(
    recipe=Recipe(HandBatchNorm2d),
    reference=nn.BatchNorm2d,
    variants=right_layers(HandBatchNorm2d),
    slips=(
        *SLIPS,
        slip(
            "over-batch-only",
            "Your layer gives every pixel its own statistics.",
            "Take them over the batch and all pixels: dim=(0, 2, 3).",
            over(0),
        ),
        slip(
            "over-pixels-only",
            "Your layer normalises each image by itself; that is instance normalisation.",
            "Take the statistics over the batch too: dim=(0, 2, 3).",
            over(2, 3),
        ),
        slip(
            "over-channels-and-pixels",
            "Your layer normalises each image over its channels and pixels; that is LayerNorm.",
            "Every channel has its own statistics: dim=(0, 2, 3).",
            over(1, 2, 3),
        ),
        slip(
            "over-channels",
            "Your layer normalises over the channels.",
            "Every channel has its own statistics: dim=(0, 2, 3).",
            over(1),
        ),
        slip(
            "over-batch-and-rows",
            "Your layer leaves the last axis out of the statistics.",
            "Take them over the batch and all pixels: dim=(0, 2, 3).",
            over(0, 2),
        ),
        slip(
            "state-with-more-axes",
            "Your parameters and buffers have more axes than one.",
            "Keep them in the shape (C,) as PyTorch does, and view them in forward.",
            {"state_shape": lambda self, c: (1, c, 1, 1)},
            {"state_shape": lambda self, c: (c, 1, 1)},
        ),
        slip(
            "n-without-pixels",
            "Your factor n / (n − 1) uses the batch size; n is the number of values per channel.",
            "n = N · H · W.",
            values=lambda self, x: len(x),
        ),
        slip(
            "n-of-all-entries",
            "Your factor n / (n − 1) uses the number of all entries; n is the number of values "
            "per channel.",
            "n = N · H · W.",
            values=lambda self, x: x.numel(),
        ),
        slip(
            "refuses-one-image",
            "Your layer refuses a batch of one image, although it has many values per channel.",
            "Count the values per channel: N · H · W.",
            refuse=_refuse_one_image,
        ),
        slip(
            "mean-of-variances",
            "Your variance is the mean of the images' own variances and misses the differences "
            "between images.",
            "Take the variance over dim=(0, 2, 3) at once.",
            batch_variance=_mean_of_variances,
        ),
        slip(
            "weight-along-width",
            "weight and bias are aligned with the last axis of x, the width.",
            "View them as (1, C, 1, 1).",
            {"affine": lambda self, n: self.weight * n + self.bias},
            {"affine": lambda self, n: n * self.weight + self.bias},
        ),
        slip(
            "statistics-along-width",
            "Your vectors of shape (C,) are aligned with the last axis of x, the width.",
            "View them as (1, C, 1, 1).",
            {"wide": lambda self, v: v},
            {
                "wide": lambda self, v: v,
                "batch_variance": lambda self, x, mean: x.var(self.axes, correction=0),
            },
        ),
    ),
)
