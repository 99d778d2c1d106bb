"""Batch normalisation as a module by hand, made of small steps that a wrong answer overrides."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Tensor = torch.Tensor


class HandBatchNorm(nn.Module):
    """`axes` are those over which a channel's statistics are taken."""

    axes: tuple[int, ...] = (0,)
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.make_parameters(num_features)
        self.make_buffers(num_features)

    def make_parameters(self, c: int) -> None:
        self.weight = nn.Parameter(torch.ones(c))
        self.bias = nn.Parameter(torch.zeros(c))

    def make_buffers(self, c: int) -> None:
        self.register_buffer("running_mean", torch.zeros(c))
        self.register_buffer("running_var", torch.ones(c))
        self.make_counter()

    def make_counter(self) -> None:
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Tensor) -> Tensor:
        self.refuse(x)
        if self.in_training():
            mean, var = self.statistics(x)
            self.update(x, mean, var)
        else:
            mean, var = self.in_evaluation(x)
        return self.affine(self.normalise(x, self.wide(mean), self.wide(var)))

    def refuse(self, x: Tensor) -> None:
        if self.training and x.numel() == x.shape[1]:
            raise ValueError("Expected more than one value per channel when training.")

    def in_training(self) -> bool:
        return self.training

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.mean(self.axes), x.var(self.axes, correction=0)

    def in_evaluation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.running_mean, self.running_var

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        with torch.no_grad():
            n = x.numel() / x.shape[1]
            self.remember(mean, var * n / (n - 1))
            self.count()

    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        m = self.momentum
        self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
        self.running_var.copy_((1 - m) * self.running_var + m * unbiased)

    def count(self) -> None:
        self.num_batches_tracked += 1

    def wide(self, v: Tensor) -> Tensor:
        """(C,) with as many axes behind it as the statistics go over."""
        return v.view(-1, *[1] * (len(self.axes) - 1)) if v.dim() == 1 else v

    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var + self.eps)

    def affine(self, n: Tensor) -> Tensor:
        return self.wide(self.weight) * n + self.wide(self.bias)


class HandBatchNorm1d(HandBatchNorm):
    """(N, C): over the batch."""


class HandBatchNorm2d(HandBatchNorm):
    """(N, C, H, W): over the batch and all pixels."""

    axes = (0, 2, 3)


class ByLerp(HandBatchNorm):
    """One call for mean and variance, `lerp_` for the running ones, unbiased by asking for it."""

    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        var, mean = torch.var_mean(x, dim=self.axes, correction=0)
        return mean, var

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        self.running_mean.lerp_(mean.detach(), self.momentum)
        self.running_var.lerp_(x.detach().var(dim=self.axes), self.momentum)
        self.num_batches_tracked.add_(1)


class NewBuffers(HandBatchNorm):
    """Assigns new tensors to the buffers instead of writing into them."""

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        n, m = x.numel() // x.shape[1], self.momentum
        self.running_mean = self.running_mean * (1 - m) + m * mean.detach()
        self.running_var = self.running_var * (1 - m) + m * var.detach() * (n / (n - 1))
        self.num_batches_tracked = self.num_batches_tracked + 1


class ScaleAndShift(HandBatchNorm):
    """In evaluation mode one factor and one shift, as deployed networks do."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        return x * self.wide(scale) + self.wide(self.bias - self.running_mean * scale)


class Float64Inside(HandBatchNorm):
    def statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        double = x.double()
        return double.mean(self.axes), double.var(self.axes, correction=0)

    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return super().normalise(x.double(), mean.double(), var.double()).to(x.dtype)


class ChannelsLast(HandBatchNorm):
    """Brings the channels to the last axis and handles a matrix."""

    def forward(self, x: Tensor) -> Tensor:
        moved = x.movedim(1, -1)
        rows = moved.reshape(-1, x.shape[1])
        if self.training and len(rows) <= 1:
            raise ValueError(f"Expected more than 1 value per channel, got {tuple(x.shape)}.")
        if self.training:
            mean = rows.mean(0)
            var = (rows - mean).square().mean(0)
            with torch.no_grad():
                self.running_mean.mul_(1 - self.momentum).add_(mean, alpha=self.momentum)
                unbiased = (rows - mean).square().sum(0) / (len(rows) - 1)
                self.running_var.mul_(1 - self.momentum).add_(unbiased, alpha=self.momentum)
                self.num_batches_tracked += 1
        else:
            mean, var = self.running_mean, self.running_var
        made = (rows - mean) * (var + self.eps).rsqrt() * self.weight + self.bias
        return made.reshape(moved.shape).movedim(-1, 1)


class InheritsTorch(nn.modules.batchnorm._BatchNorm):
    """PyTorch's constructor with a forward by hand; works for any number of axes."""

    momentum: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    weight: Any
    bias: Any

    def forward(self, input: Tensor) -> Tensor:
        x = input
        axes = [0, *range(2, x.dim())]
        shape = (1, -1, *[1] * (x.dim() - 2))
        mean, var = self.running_mean, self.running_var
        if self.training:  # the batch's own
            count = x.numel() // x.size(1)
            if count < 2:
                raise ValueError("more than one value is needed")
            mean, var = x.mean(axes), x.var(axes, unbiased=False)
            with torch.no_grad():
                self.num_batches_tracked.add_(1)
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (var * count / (count - 1) - self.running_var)
        std = (var + self.eps).sqrt().view(shape)
        n = (x - mean.view(shape)) / std
        return n * self.weight.view(shape) + self.bias.view(shape)

    def _check_input_dim(self, input: Any) -> None:
        pass


def mixed(base: type[HandBatchNorm], change: type) -> Any:
    """The layer for (N, C) or (N, C, H, W) in which `change` overrides some steps."""
    return type(change.__name__, (change, base), {})


def right_layers(base: type[HandBatchNorm]) -> dict[str, Any]:
    return {
        "by hand": base,
        "lerp": mixed(base, ByLerp),
        "new buffers": mixed(base, NewBuffers),
        "scale and shift": mixed(base, ScaleAndShift),
        "float64 inside": mixed(base, Float64Inside),
        "channels last": mixed(base, ChannelsLast),
        "PyTorch's constructor": InheritsTorch,
        "a factory": lambda *args, **kwargs: base(*args, **kwargs),
    }
