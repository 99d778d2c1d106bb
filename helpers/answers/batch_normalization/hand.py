"""Batch normalisation as a module by hand, whose methods and attributes are the recipe's parts."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

Tensor = torch.Tensor


def deviation(var: Tensor) -> Tensor:
    """The root as `x.std()` takes it, whose gradient is 0 where the variance is."""
    is_zero = var == 0
    return torch.where(is_zero, 0.0, torch.sqrt(torch.where(is_zero, 1.0, var)))


class HandBatchNorm(nn.Module):
    """`axes` are those over which a channel's statistics are taken."""

    axes: tuple[int, ...] = (0,)
    names: tuple[str, ...] = ("weight", "bias")
    running: tuple[str, ...] = ("running_mean", "running_var")
    default_eps, default_momentum, frozen = 1e-5, 0.1, False
    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self, num_features: int, eps: float | None = None, momentum: float | None = None
    ) -> None:
        super().__init__()
        self.eps = self.default_eps if eps is None else eps
        self.momentum = self.default_momentum if momentum is None else momentum
        shape = self.state_shape(num_features)
        self.make_parameter(self.names[0], self.first_weight(shape))
        self.make_parameter(self.names[1], self.first_bias(shape))
        self.make_buffer(self.running[0], self.first_mean(shape))
        self.make_buffer(self.running[1], self.first_var(shape))
        self.make_counter()

    def state_shape(self, c: int) -> tuple[int, ...]:
        return (c,)

    def make_parameter(self, name: str, value: Tensor) -> None:
        self.register_parameter(name, nn.Parameter(value))

    def make_buffer(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value)

    def make_counter(self) -> None:
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def first_weight(self, shape: tuple[int, ...]) -> Tensor:
        return torch.ones(shape)

    def first_bias(self, shape: tuple[int, ...]) -> Tensor:
        return torch.zeros(shape)

    def first_mean(self, shape: tuple[int, ...]) -> Tensor:
        return torch.zeros(shape)

    def first_var(self, shape: tuple[int, ...]) -> Tensor:
        return torch.ones(shape)

    def forward(self, x: Tensor) -> Tensor:
        self.refuse(x)
        if self.in_training():
            mean = self.batch_mean(x)
            var = self.batch_variance(x, mean)
            self.update(x, mean, var)
            mean, var = self.used_mean(mean), self.used_variance(var, self.values(x))
        else:
            mean, var = self.in_evaluation(x)
        c = x - self.wide(mean)
        return self.affine(self.divided(x, c, self.bottom(self.wide(var))))

    def refuse(self, x: Tensor) -> None:
        if self.training and x.numel() == x.shape[1]:
            raise ValueError("Expected more than one value per channel when training.")

    def in_training(self) -> bool:
        return self.training

    def batch_mean(self, x: Tensor) -> Tensor:
        return x.mean(self.axes)

    def batch_variance(self, x: Tensor, mean: Tensor) -> Tensor:
        return ((x - self.wide(mean)) ** 2).mean(self.axes)

    def used_mean(self, mean: Tensor) -> Tensor:
        return mean

    def used_variance(self, var: Tensor, n: float) -> Tensor:
        return var

    def values(self, x: Tensor) -> float:
        return x.numel() / x.shape[1]

    def memory(self, i: int) -> Tensor:
        remembered: Tensor = getattr(self, self.running[i])
        return remembered

    def in_evaluation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.memory(0), self.memory(1)

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        self.store_mean(mean)
        self.store_variance(self.unbiased(var, self.values(x)))
        self.count(x)

    def unbiased(self, var: Tensor, n: float) -> Tensor:
        return var * n / (n - 1)

    def store_mean(self, mean: Tensor) -> None:
        self.store(0, self.mixed(self.memory(0), mean))

    def store_variance(self, var: Tensor) -> None:
        self.store(1, self.mixed(self.memory(1), var))

    def mixed(self, old: Tensor, new: Tensor) -> Tensor:
        return (1 - self.momentum) * old + self.momentum * new

    def store(self, i: int, value: Tensor) -> None:
        setattr(self, self.running[i], value.detach())

    def count(self, x: Tensor) -> None:
        self.num_batches_tracked += 1

    def wide(self, v: Tensor) -> Tensor:
        """(C,) with as many axes behind it as the statistics go over."""
        return v.view(-1, *[1] * (len(self.axes) - 1)) if v.dim() == 1 else v

    def bottom(self, var: Tensor) -> Tensor:
        return torch.sqrt(var + self.eps)

    def divided(self, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
        return c / s

    def scale(self) -> Tensor:
        return self.wide(getattr(self, self.names[0]))

    def shift(self) -> Tensor:
        return self.wide(getattr(self, self.names[1]))

    def affine(self, n: Tensor) -> Tensor:
        return self.scale() * n + self.shift()


class HandBatchNorm1d(HandBatchNorm):
    """(N, C): over the batch."""


class HandBatchNorm2d(HandBatchNorm):
    """(N, C, H, W): over the batch and all pixels."""

    axes = (0, 2, 3)


class InPlaceBuffers(HandBatchNorm):
    """Writes into the buffers, as the lesson's hint does."""

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        with torch.no_grad():
            m, n = self.momentum, self.values(x)
            self.running_mean.mul_(1 - m).add_(m * mean)
            self.running_var.mul_(1 - m).add_(m * var * n / (n - 1))
            self.num_batches_tracked += 1


class ByLerp(HandBatchNorm):
    """As a well-known library's course writes it: `lerp_` for the running statistics, whose
    unbiased variance is asked for once more.
    """

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(x.var(self.axes), self.momentum)
            self.num_batches_tracked.add_(1)


class OldMinusShare(HandBatchNorm):
    """running −= (running − batch)·momentum, as another library writes it."""

    def mixed(self, old: Tensor, new: Tensor) -> Tensor:
        return old - (old - new) * self.momentum


class ScaleAndShift(HandBatchNorm):
    """In evaluation mode one factor and one shift, as deployed networks do."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        scale = self.weight * torch.rsqrt(self.memory(1) + self.eps)
        return x * self.wide(scale) + self.wide(self.bias - self.memory(0) * scale)


class Float64Inside(HandBatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.double()).to(x.dtype)

    def store(self, i: int, value: Tensor) -> None:
        super().store(i, value.to(self.weight.dtype))


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


class Book(nn.Module):
    """As a book prints it that has one function for both modes, for (N, C) and for images, with
    the names, the momentum and the unbiased variance of this lesson.
    """

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))

    def forward(self, X: Tensor) -> Tensor:
        shape = (1, -1) if X.dim() == 2 else (1, -1, 1, 1)
        axes = (0,) if X.dim() == 2 else (0, 2, 3)
        if not self.training:
            mean, var = self.running_mean.view(shape), self.running_var.view(shape)
            X_hat = (X - mean) / torch.sqrt(var + self.eps)
        else:
            n = X.numel() // X.size(1)
            if n < 2:
                raise ValueError("one value per channel")
            mean = X.mean(dim=axes, keepdim=True)
            var = ((X - mean) ** 2).mean(dim=axes, keepdim=True)
            X_hat = (X - mean) / torch.sqrt(var + self.eps)
            m = self.momentum
            kept = var.detach().flatten() * n / (n - 1)
            self.running_mean = (1.0 - m) * self.running_mean + m * mean.detach().flatten()
            self.running_var = (1.0 - m) * self.running_var + m * kept
            self.num_batches_tracked = self.num_batches_tracked + 1
        return self.weight.view(shape) * X_hat + self.bias.view(shape)


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


def right_layers(base: type[HandBatchNorm]) -> dict[str, Any]:
    def changed(change: type) -> Any:
        """The layer for (N, C) or (N, C, H, W) in which `change` overrides some steps."""
        return type(change.__name__, (change, base), {})

    return {
        "by hand": base,
        "in place in the buffers": changed(InPlaceBuffers),
        "as a library's course prints it: lerp": changed(ByLerp),
        "as another library prints it": changed(OldMinusShare),
        "scale and shift": changed(ScaleAndShift),
        "float64 inside": changed(Float64Inside),
        "channels last": changed(ChannelsLast),
        "as a book prints it: one function": Book,
        "PyTorch's constructor": InheritsTorch,
        "a factory": lambda *args, **kwargs: base(*args, **kwargs),
    }
