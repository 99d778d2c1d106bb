"""Layer normalisation: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


class HandLayerNorm(nn.Module):
    """By hand, made of small steps that a wrong answer overrides."""

    def __init__(self, normalized_shape: Any, eps: float = 1e-5) -> None:
        super().__init__()
        self.shape = self.shape_of(normalized_shape)
        self.eps = eps
        self.make_parameters()

    def shape_of(self, given: Any) -> tuple[int, ...]:
        return (given,) if isinstance(given, int) else tuple(given)

    def make_parameters(self) -> None:
        self.weight = nn.Parameter(torch.ones(self.shape))
        self.bias = nn.Parameter(torch.zeros(self.shape))

    def axes(self, x: Tensor) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    def forward(self, x: Tensor) -> Tensor:
        axes = self.axes(x)
        return self.affine(
            self.normalise(x, x.mean(axes, keepdim=True), self.variance(x, axes)),
        )

    def variance(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return x.var(axes, keepdim=True, correction=0)

    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var + self.eps)

    def affine(self, n: Tensor) -> Tensor:
        return n * self.weight + self.bias


class Views(HandLayerNorm):
    """Works only on an x that lies in memory in the usual order."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(-1, *self.shape)).view(x.shape)


class Flattened(HandLayerNorm):
    """Sees every sample as one row."""

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(*x.shape[: x.dim() - len(self.shape)], -1)
        centered = rows - rows.mean(-1, keepdim=True)
        scale = (centered.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return (centered * scale).reshape(x.shape) * self.weight + self.bias


class ByVarMean(HandLayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        var, mean = torch.var_mean(x, dim=self.axes(x), correction=0, keepdim=True)
        return torch.addcmul(self.bias, (x - mean) * (var + self.eps).pow(-0.5), self.weight)


class InDouble(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        axes = self.axes(x)
        double = x.double()
        mean, var = double.mean(axes, keepdim=True), double.var(axes, keepdim=True, unbiased=False)
        return ((double - mean) / (var + self.eps).sqrt()).to(x.dtype)


class InheritsTorch(nn.LayerNorm):
    def forward(self, input: Tensor) -> Tensor:
        axes = tuple(range(input.dim() - len(self.normalized_shape), input.dim()))
        centered = input - input.mean(axes, keepdim=True)
        var = (centered**2).mean(axes, keepdim=True)
        return self.weight * centered / (var + self.eps).sqrt() + self.bias


class LastAxisOnly(HandLayerNorm):
    def axes(self, x: Tensor) -> tuple[int, ...]:
        return (-1,)


class AllButFirst(HandLayerNorm):
    def axes(self, x: Tensor) -> tuple[int, ...]:
        return tuple(range(1, x.dim())) or (0,)


class BatchAxis(HandLayerNorm):
    def axes(self, x: Tensor) -> tuple[int, ...]:
        return (0,)


class Everything(HandLayerNorm):
    def axes(self, x: Tensor) -> tuple[int, ...]:
        return tuple(range(x.dim()))


class LeadingAxes(HandLayerNorm):
    """As many axes as the shape has, counted from the front."""

    def axes(self, x: Tensor) -> tuple[int, ...]:
        return tuple(range(1, 1 + len(self.shape))) if x.dim() > 1 else (0,)


class Unbiased(HandLayerNorm):
    def variance(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return x.var(axes, keepdim=True)


class StdPlusEps(Unbiased):
    """As a well-known annotated paper writes it."""

    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (var.sqrt() + self.eps)


class EpsOutside(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (var.sqrt() + self.eps)


class NoEps(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / var.sqrt()


class FixedEps(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var + 1e-5)


class DividesByVariance(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (var + self.eps)


class OnePass(HandLayerNorm):
    def variance(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        mean = x.mean(axes, keepdim=True)
        return ((x * x).mean(axes, keepdim=True) - mean * mean).clamp(min=0)


class NotCentred(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return x / torch.sqrt(var + self.eps)


class Detached(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return super().normalise(x, mean.detach(), var.detach())


class IgnoresWeight(HandLayerNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n + self.bias


class IgnoresBias(HandLayerNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n * self.weight


class IgnoresBoth(HandLayerNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n


class OneWeight(HandLayerNorm):
    def make_parameters(self) -> None:
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))


class FlatWeight(HandLayerNorm):
    def make_parameters(self) -> None:
        super().make_parameters()
        self.weight = nn.Parameter(self.weight.data.flatten())
        self.bias = nn.Parameter(self.bias.data.flatten())

    def affine(self, n: Tensor) -> Tensor:
        return n * self.weight.view(self.shape) + self.bias.view(self.shape)


class PlainTensors(HandLayerNorm):
    weight: Any
    bias: Any

    def make_parameters(self) -> None:
        self.weight = torch.ones(self.shape, requires_grad=True)
        self.bias = torch.zeros(self.shape, requires_grad=True)


class OtherNames(HandLayerNorm):
    def make_parameters(self) -> None:
        self.gamma = nn.Parameter(torch.ones(self.shape))
        self.beta = nn.Parameter(torch.zeros(self.shape))

    def __getattr__(self, name: str) -> Any:
        return super().__getattr__({"weight": "gamma", "bias": "beta"}.get(name, name))


class RunningStatistics(HandLayerNorm):
    """Keeps buffers as BatchNorm does and uses them in evaluation mode."""

    def make_parameters(self) -> None:
        super().make_parameters()
        self.register_buffer("running_mean", torch.zeros(self.shape))
        self.register_buffer("running_var", torch.ones(self.shape))

    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        if not self.training:
            return super().normalise(x, self.running_mean, self.running_var)
        return super().normalise(x, mean, var)


class OnlyInTraining(HandLayerNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return super().normalise(x, mean, var) if self.training else x


class OnlyInt(HandLayerNorm):
    def shape_of(self, given: Any) -> tuple[int, ...]:
        return tuple([0] * given) and (given,)


class OnlySequence(HandLayerNorm):
    def shape_of(self, given: Any) -> tuple[int, ...]:
        return tuple(given)


class InPlace(HandLayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x * 1)
        x.data -= x.detach().mean(self.axes(x), keepdim=True)
        return y


_TABLE: list[tuple[str, type, str, str]] = [
    ("last-axis-only", LastAxisOnly,
     "Your layer always normalises over the last axis alone.",
     "Take as many trailing axes as normalized_shape has."),
    ("all-but-first", AllButFirst,
     "Your layer normalises over all axes but the first.",
     "Take as many trailing axes as normalized_shape has."),
    ("over-batch", BatchAxis,
     "Your layer normalises over the batch; that is BatchNorm.",
     "Each sample is normalised by itself, over its own last axes."),
    ("one-mean-for-all", Everything,
     "Your layer takes one mean and one variance over the whole tensor.",
     "Each sample is normalised by itself, over its own last axes."),
    ("axes-from-the-front", LeadingAxes,
     "Your layer counts the axes from the front; normalized_shape describes the last ones.",
     "Use negative axes: range(-len(shape), 0)."),
    ("unbiased-variance", Unbiased,
     "Your layer divides by the unbiased variance, with n − 1.",
     "x.var() divides by n − 1 unless you ask for correction=0."),
    ("unbiased-std-plus-eps", StdPlusEps,
     "x.std() divides by n − 1, and eps stands outside the root.",
     "Take the variance with correction=0, add eps, and only then the root."),
    ("eps-outside-root", EpsOutside,
     "Your layer adds eps to the standard deviation; it belongs under the root.",
     "Write sqrt(var + eps)."),
    ("no-eps", NoEps,
     "Your layer leaves eps out, so a constant sample divides by zero.",
     "Write sqrt(var + eps)."),
    ("fixed-eps", FixedEps,
     "Your layer uses 1e-5 and ignores the argument eps.",
     "Keep eps in the constructor and use self.eps."),
    ("divides-by-variance", DividesByVariance,
     "Your layer divides by the variance; the standard deviation is its root.",
     "Write sqrt(var + eps)."),
    ("one-pass-variance", OnePass,
     "Your layer computes the variance as mean(x²) − mean(x)², which loses nearly all digits when "
     "the mean is large.",
     "Use x.var(..., correction=0), or subtract the mean before squaring."),
    ("not-centred", NotCentred,
     "Your layer does not subtract the mean.",
     "Normalise x − mean."),
    ("statistics-detached", Detached,
     "Your mean and variance are cut off from the graph, so the gradient of x misses two paths.",
     "Leave detach() and no_grad() out: there is nothing to remember here."),
    ("ignores-weight", IgnoresWeight,
     "weight does nothing in your output.",
     "Multiply the normalised values by weight."),
    ("ignores-bias", IgnoresBias,
     "bias does nothing in your output.",
     "Add bias after multiplying by weight."),
    ("ignores-weight-and-bias", IgnoresBoth,
     "weight and bias do nothing in your output.",
     "Return weight times the normalised values, plus bias."),
    ("one-weight", OneWeight,
     "Your layer has one weight and one bias for all entries.",
     "Both have the shape normalized_shape."),
    ("flat-weight", FlatWeight,
     "Your weight and bias are vectors, however many axes are normalised.",
     "Both have the shape normalized_shape, with all its axes."),
    ("plain-tensors", PlainTensors,
     "weight and bias are plain tensors, so no optimiser would find them.",
     "Wrap them in nn.Parameter."),
    ("other-names", OtherNames,
     "Your parameters have other names than PyTorch's.",
     "Call them weight and bias."),
    ("running-statistics", RunningStatistics,
     "Your layer keeps running statistics; LayerNorm has none, and works alike in both modes.",
     "Leave the buffers out and normalise with the sample's own statistics always."),
    ("only-in-training", OnlyInTraining,
     "In evaluation mode your layer does not normalise.",
     "LayerNorm does the same in both modes: leave self.training out."),
    ("only-int", OnlyInt,
     "Your layer takes an int alone, and normalized_shape may be a list, a tuple or a Size.",
     "Write (n,) for an int n, and tuple(...) for the others."),
    ("only-sequence", OnlySequence,
     "Your layer takes a sequence alone, and normalized_shape may be an int.",
     "Write (n,) for an int n, and tuple(...) for the others."),
    ("needs-usual-order", Views,
     "Your layer calls view() on its input, which fails for other orders in memory.",
     "Use reshape(), or take the statistics over negative axes."),
    ("in-place", InPlace,
     "Your layer changes its input.",
     "Make a new tensor."),
]  # fmt: skip

ANSWERS = Answers(
    reference=nn.LayerNorm,
    variants={
        "by hand": HandLayerNorm,
        "flattened": Flattened,
        "var_mean": ByVarMean,
        "float64 inside": InDouble,
        "PyTorch's constructor": InheritsTorch,
    },
    misconceptions=tuple(
        Misconception(key, make, diagnosis, hint) for key, make, diagnosis, hint in _TABLE
    ),
)
