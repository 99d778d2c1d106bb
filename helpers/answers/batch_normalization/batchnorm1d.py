"""Batch normalisation of (N, C) as a module: the recipe, its slips and right variants."""

from __future__ import annotations

from torch import nn

from helpers.answers.batch_normalization.hand import HandBatchNorm1d, right_layers
from helpers.answers.batch_normalization.layer_slips import SLIPS, over
from helpers.checking.recipe import Answers, Recipe, slip

ANSWERS = Answers(
    recipe=Recipe(HandBatchNorm1d),
    reference=nn.BatchNorm1d,
    variants=right_layers(HandBatchNorm1d),
    slips=(
        *SLIPS,
        slip(
            "rows-not-columns",
            "Your layer normalises each sample over its features; that is LayerNorm.",
            "Take the mean and the variance over dim=0, the samples.",
            over(1),
            {"axes": (1,)},
            {"axes": (1,), "update": lambda self, x, mean, var: None},
        ),
        slip(
            "state-of-shape-1-c",
            "Your parameters and buffers have the shape (1, C).",
            "PyTorch's have the shape (C,).",
            state_shape=lambda self, c: (1, c),
        ),
    ),
)
