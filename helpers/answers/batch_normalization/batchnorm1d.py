"""Batch normalisation of (N, C) as a module: right and wrong answers."""

from __future__ import annotations

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import (
    HandBatchNorm,
    HandBatchNorm1d,
    mixed,
    right_layers,
)
from helpers.answers.batch_normalization.wrong_outputs import wrong_outputs
from helpers.answers.batch_normalization.wrong_state import wrong_state
from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


class NormalisesRows(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        if not self.training:
            return super().normalise(x, mean, var)
        spread = x.var(1, keepdim=True, correction=0)
        return super().normalise(x, x.mean(1, keepdim=True), spread)


class RowsOfState(HandBatchNorm):
    """Buffers and parameters of shape (1, C)."""

    def make_parameters(self, c: int) -> None:
        self.weight = nn.Parameter(torch.ones(1, c))
        self.bias = nn.Parameter(torch.zeros(1, c))

    def make_buffers(self, c: int) -> None:
        self.register_buffer("running_mean", torch.zeros(1, c))
        self.register_buffer("running_var", torch.ones(1, c))
        self.make_counter()


ANSWERS = Answers(
    reference=nn.BatchNorm1d,
    variants=right_layers(HandBatchNorm1d),
    misconceptions=(
        *wrong_outputs(HandBatchNorm1d),
        *wrong_state(HandBatchNorm1d),
        Misconception(
            "rows-not-columns",
            mixed(HandBatchNorm1d, NormalisesRows),
            "Your layer normalises each sample over its features; that is LayerNorm.",
            "Take the mean and the variance over dim=0, the samples.",
        ),
        Misconception(
            "state-of-shape-1-c",
            mixed(HandBatchNorm1d, RowsOfState),
            "Your parameters and buffers have the shape (1, C).",
            "PyTorch's have the shape (C,).",
        ),
    ),
)
