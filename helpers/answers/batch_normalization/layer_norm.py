"""Layer normalisation: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import deviation
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


class HandLayerNorm(nn.Module):
    """By hand; its methods and attributes are the recipe's parts."""

    names: tuple[str, ...] = ("weight", "bias")
    default_eps = 1e-5
    weight: Any
    bias: Any

    def __init__(self, normalized_shape: Any, eps: float | None = None) -> None:
        super().__init__()
        self.shape = self.shape_of(normalized_shape)
        self.eps = self.default_eps if eps is None else eps
        shape = self.parameter_shape()
        self.make_parameter(self.names[0], self.first_weight(shape))
        self.make_parameter(self.names[1], self.first_bias(shape))
        self.make_buffers()

    def shape_of(self, given: Any) -> tuple[int, ...]:
        return (given,) if isinstance(given, int) else tuple(given)

    def parameter_shape(self) -> tuple[int, ...]:
        return self.shape

    def first_weight(self, shape: tuple[int, ...]) -> Tensor:
        return torch.ones(shape)

    def first_bias(self, shape: tuple[int, ...]) -> Tensor:
        return torch.zeros(shape)

    def make_parameter(self, name: str, value: Tensor) -> None:
        self.register_parameter(name, nn.Parameter(value))

    def make_buffers(self) -> None:
        pass

    def axes(self, x: Tensor) -> tuple[int, ...]:
        return tuple(range(-len(self.shape), 0))

    def forward(self, x: Tensor) -> Tensor:
        axes = self.axes(x)
        mean = x.mean(axes, keepdim=True)
        var = self.used_variance(self.variance(x, x - mean, axes), x)
        c = x - self.used_mean(mean)
        return self.affine(self.divided(x, c, self.bottom(var)))

    def variance(self, x: Tensor, c: Tensor, axes: tuple[int, ...]) -> Tensor:
        return (c**2).mean(axes, keepdim=True)

    def used_mean(self, mean: Tensor) -> Tensor:
        return mean

    def used_variance(self, var: Tensor, x: Tensor) -> Tensor:
        return var

    def bottom(self, var: Tensor) -> Tensor:
        return torch.sqrt(var + self.eps)

    def divided(self, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
        return c / s

    def scale(self) -> Tensor:
        return getattr(self, self.names[0])  # type: ignore[no-any-return]

    def shift(self) -> Tensor:
        return getattr(self, self.names[1])  # type: ignore[no-any-return]

    def affine(self, n: Tensor) -> Tensor:
        return n * self.scale() + self.shift()


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
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.double()).to(x.dtype)


class ListedAxes(nn.Module):
    """As a library of annotated papers writes it: asserts and a list of negative axes."""

    def __init__(self, normalized_shape: Any, eps: float = 1e-5) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = torch.Size([normalized_shape])
        self.normalized_shape, self.eps = torch.Size(normalized_shape), eps
        self.weight = nn.Parameter(torch.ones(self.normalized_shape))
        self.bias = nn.Parameter(torch.zeros(self.normalized_shape))

    def forward(self, x: Tensor) -> Tensor:
        assert self.normalized_shape == x.shape[-len(self.normalized_shape) :]
        dims = [-(i + 1) for i in range(len(self.normalized_shape))]
        mean = x.mean(dim=dims, keepdim=True)
        var = ((x - mean) ** 2).mean(dim=dims, keepdim=True)
        return self.weight * ((x - mean) / torch.sqrt(var + self.eps)) + self.bias


class InheritsTorch(nn.LayerNorm):
    def forward(self, input: Tensor) -> Tensor:
        axes = tuple(range(input.dim() - len(self.normalized_shape), input.dim()))
        centered = input - input.mean(axes, keepdim=True)
        var = (centered**2).mean(axes, keepdim=True)
        return self.weight * centered / (var + self.eps).sqrt() + self.bias


def _detached(self: Any, statistic: Tensor, *x: Tensor) -> Tensor:
    return statistic.detach()


def _unbiased(self: Any, var: Tensor, x: Tensor) -> Tensor:
    n = x.numel() // var.numel()
    return var * n / (n - 1)


def _std_plus_eps(self: Any, var: Tensor) -> Tensor:
    return deviation(var) + self.eps


def _one_pass(self: Any, x: Tensor, c: Tensor, axes: tuple[int, ...]) -> Tensor:
    return (x * x).mean(axes, keepdim=True) - x.mean(axes, keepdim=True) ** 2


def _running_statistics(self: Any) -> None:
    self.register_buffer("running_mean", torch.zeros(self.shape))
    self.register_buffer("running_var", torch.ones(self.shape))


def _kept(kind: Callable[..., None]) -> Any:
    return {"make_parameter": kind}


def _axes(of: Callable[[Any, Tensor], tuple[int, ...]]) -> Any:
    return {"axes": of}


def _in_place(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
    return x.sub_(x - c).div_(s)


def _through_data(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
    n = c / s
    x.data.copy_(c.detach())
    return n


def _without_grad(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return HandLayerNorm.forward(self, x)


ANSWERS = Answers(
    recipe=Recipe(HandLayerNorm),
    reference=nn.LayerNorm,
    variants={
        "by hand": HandLayerNorm,
        "flattened": Flattened,
        "var_mean": ByVarMean,
        "float64 inside": InDouble,
        "as a library of annotated papers prints it": ListedAxes,
        "PyTorch's constructor": InheritsTorch,
        "a factory": lambda *args, **kwargs: HandLayerNorm(*args, **kwargs),
    },
    slips=(
        slip(
            "other-names",
            "Your parameters have other names than PyTorch's.",
            "Call them weight and bias.",
            *(
                {"names": names}
                for names in (("gamma", "beta"), ("a_2", "b_2"), ("scale", "shift"))
            ),
            *({"names": names} for names in (("g", "b"), ("gain", "bias"), ("gamma", "bias"))),
        ),
        slip(
            "one-weight",
            "Your layer has one weight and one bias for all entries.",
            "Both have the shape normalized_shape.",
            {"parameter_shape": lambda self: (1,)},
            {"parameter_shape": lambda self: ()},
        ),
        slip(
            "flat-weight",
            "Your weight and bias are vectors, however many axes are normalised.",
            "Both have the shape normalized_shape, with all its axes.",
            {"parameter_shape": lambda self: (torch.Size(self.shape).numel(),)},
            {"parameter_shape": lambda self: self.shape[-1:]},
        ),
        slip(
            "plain-tensors",
            "Your layer has no parameters, so an optimiser would find nothing to train.",
            "Make weight and bias, each an nn.Parameter of the shape normalized_shape.",
            _kept(lambda self, name, value: setattr(self, name, value.requires_grad_())),
            _kept(lambda self, name, value: self.register_buffer(name, value)),
        ),
        slip(
            "weight-starts-at-zero",
            "Your weight starts at 0.",
            "Start with weight 1 and bias 0: a new layer only normalises.",
            first_weight=lambda self, shape: torch.zeros(shape),
        ),
        slip(
            "weight-starts-random",
            "Your weight starts at random numbers.",
            "Start with weight 1 and bias 0: a new layer only normalises.",
            {"first_weight": lambda self, shape: torch.randn(shape)},
            {"first_weight": lambda self, shape: torch.rand(shape)},
        ),
        slip(
            "bias-starts-at-one",
            "Your bias starts at 1.",
            "Start with weight 1 and bias 0: a new layer only normalises.",
            first_bias=lambda self, shape: torch.ones(shape),
        ),
        slip(
            "running-statistics",
            "Your layer keeps running statistics; LayerNorm has none, and works alike in both modes.",
            "Leave the buffers out and normalise with the sample's own statistics always.",
            make_buffers=_running_statistics,
        ),
        slip(
            "last-axis-only",
            "Your layer always normalises over the last axis alone.",
            "Take as many trailing axes as normalized_shape has.",
            _axes(lambda self, x: (-1,)),
        ),
        slip(
            "all-but-first",
            "Your layer normalises over all axes but the first.",
            "Take as many trailing axes as normalized_shape has.",
            _axes(lambda self, x: tuple(range(1, x.dim())) or (0,)),
        ),
        slip(
            "over-batch",
            "Your layer normalises over the batch; that is BatchNorm.",
            "Each sample is normalised by itself, over its own last axes.",
            _axes(lambda self, x: (0,)),
        ),
        slip(
            "one-mean-for-all",
            "Your layer takes one mean and one variance over the whole tensor.",
            "Each sample is normalised by itself, over its own last axes.",
            _axes(lambda self, x: tuple(range(x.dim()))),
        ),
        slip(
            "axes-from-the-front",
            "Your layer counts the axes from the front; normalized_shape describes the last ones.",
            "Use negative axes: range(-len(shape), 0).",
            _axes(lambda self, x: tuple(range(1, 1 + len(self.shape))) if x.dim() > 1 else (0,)),
        ),
        slip(
            "unbiased-variance",
            "Your layer uses the unbiased variance, with n − 1; the biased one, with n, is meant.",
            "Divide the sum of the squares by n; x.var() and x.std() do so only with correction=0.",
            used_variance=_unbiased,
        ),
        slip(
            "unbiased-std-plus-eps",
            "Your layer divides by x.std(), which takes n − 1, and eps stands outside the root.",
            "Take the variance with correction=0, add eps, and only then the root.",
            {"used_variance": _unbiased, "bottom": _std_plus_eps},
            {"used_variance": _unbiased, "bottom": _std_plus_eps, "default_eps": 1e-6},
        ),
        slip(
            "eps-outside-root",
            "Your layer adds eps to the standard deviation; it belongs under the root.",
            "Write sqrt(var + eps).",
            {"bottom": lambda self, var: torch.sqrt(var) + self.eps},
            {"bottom": _std_plus_eps},
        ),
        slip(
            "no-eps",
            "Your layer leaves eps out, so a constant sample divides by zero.",
            "Write sqrt(var + eps).",
            bottom=lambda self, var: torch.sqrt(var),
        ),
        family(
            "fixed-eps",
            "Your layer adds the number {constant} to the variance and ignores the argument eps.",
            "Keep eps in the constructor and use self.eps.",
            (1e-5, 1e-8, 1e-6),
            lambda c: {"bottom": lambda self, var: torch.sqrt(var + c)},
        ),
        family(
            "other-default-eps",
            "Your default for eps is {constant}, and 1e-5 is meant.",
            "Keep the signature of the skeleton.",
            (1e-6, 1e-8),
            lambda c: {"default_eps": c},
        ),
        slip(
            "divides-by-variance",
            "Your layer divides by the variance; the standard deviation is its root.",
            "Write sqrt(var + eps).",
            bottom=lambda self, var: var + self.eps,
        ),
        slip(
            "one-pass-variance",
            "Your layer computes the variance as mean(x²) − mean(x)², which loses nearly all digits "
            "when the mean is large.",
            "Use x.var(..., correction=0), or subtract the mean before squaring.",
            {"variance": _one_pass},
            {"variance": lambda self, x, c, axes: _one_pass(self, x, c, axes).clamp(min=0)},
        ),
        slip(
            "sum-of-squares",
            "Your variance is the sum of the squared deviations; their mean is meant.",
            "Use .mean(...), or divide by the number of entries.",
            variance=lambda self, x, c, axes: (c**2).sum(axes, keepdim=True),
        ),
        slip(
            "not-centred",
            "Your layer does not subtract the mean.",
            "Normalise x − mean.",
            {"divided": lambda self, x, c, s: x / s},
            {
                "used_mean": lambda self, mean: 0,
                "variance": lambda self, x, c, axes: (x**2).mean(axes, keepdim=True),
            },
        ),
        slip(
            "only-centred",
            "Your layer subtracts the mean and does not divide by the spread.",
            "Divide by sqrt(var + eps).",
            divided=lambda self, x, c, s: c,
        ),
        slip(
            "statistics-detached",
            "Your mean and variance are cut off from the graph, so the gradient of x misses two "
            "paths.",
            "Leave detach() and no_grad() out: there is nothing to remember here.",
            used_mean=_detached,
            used_variance=_detached,
        ),
        slip(
            "mean-detached",
            "Your mean is cut off from the graph.",
            "Leave detach() and no_grad() out: there is nothing to remember here.",
            used_mean=_detached,
        ),
        slip(
            "variance-detached",
            "Your variance is cut off from the graph.",
            "Leave detach() and no_grad() out: there is nothing to remember here.",
            used_variance=_detached,
        ),
        slip(
            "no-grad-everywhere",
            "Your whole forward runs without autograd, so nothing can be learned through it.",
            "Leave no_grad() out: there is nothing to remember here.",
            forward=_without_grad,
        ),
        slip(
            "ignores-weight",
            "weight does nothing in your output.",
            "Multiply the normalised values by weight.",
            scale=lambda self: 1,
        ),
        slip(
            "ignores-bias",
            "bias does nothing in your output.",
            "Add bias after multiplying by weight.",
            shift=lambda self: 0,
        ),
        slip(
            "ignores-weight-and-bias",
            "weight and bias do nothing in your output.",
            "Return weight times the normalised values, plus bias.",
            scale=lambda self: 1,
            shift=lambda self: 0,
        ),
        slip(
            "shift-before-scale",
            "Your layer multiplies bias by weight too.",
            "First multiply by weight, then add bias.",
            affine=lambda self, n: (n + self.shift()) * self.scale(),
        ),
        slip(
            "weight-and-bias-swapped",
            "Your layer multiplies by bias and adds weight.",
            "weight is the factor, bias is the shift.",
            affine=lambda self, n: n * self.shift() + self.scale(),
        ),
        slip(
            "only-in-training",
            "In evaluation mode your layer does not normalise.",
            "LayerNorm does the same in both modes: leave self.training out.",
            divided=lambda self, x, c, s: c / s if self.training else x,
        ),
        slip(
            "only-int",
            "Your layer takes an int alone, and normalized_shape may be a list, a tuple or a Size.",
            "Write (n,) for an int n, and tuple(...) for the others.",
            shape_of=lambda self, given: (given + 0,),
        ),
        slip(
            "only-sequence",
            "Your layer takes a sequence alone, and normalized_shape may be an int.",
            "Write (n,) for an int n, and tuple(...) for the others.",
            shape_of=lambda self, given: tuple(given),
        ),
        slip(
            "in-place",
            "Your layer changes its input in place, for example with x -= mean.",
            "Write x - mean instead of x -= mean.",
            divided=_in_place,
        ),
        slip(
            "in-place-data",
            "Your layer changes its input through x.data, behind autograd's back.",
            "Make a new tensor.",
            divided=_through_data,
        ),
        slip(
            "always-float32",
            "Your output is float32 whatever the input is.",
            "Keep the dtype of x.",
            forward=lambda self, x: HandLayerNorm.forward(self, x).float(),
        ),
    ),
)
