"""Folding BatchNorm into the linear layer before it: right and wrong answers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def fold_batchnorm(linear: nn.Linear, bn: Any) -> nn.Linear:
    """PyTorch's own function, on copies in evaluation mode."""
    return fuse_linear_bn_eval(copy.deepcopy(linear).eval(), copy.deepcopy(bn).eval())


def _made(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    out, inputs = weight.shape
    new = nn.Linear(inputs, out, bias=bias is not None, device=weight.device, dtype=weight.dtype)
    with torch.no_grad():
        new.weight.copy_(weight)
        if bias is not None:
            new.bias.copy_(bias)
    return new


def _parts(linear: nn.Linear, bn: Any) -> tuple[Tensor, Tensor, Tensor]:
    """The weight, the bias (zeros where there is none), and the scale of each output."""
    bias = torch.zeros_like(bn.running_mean) if linear.bias is None else linear.bias
    return linear.weight, bias, bn.weight / torch.sqrt(bn.running_var + bn.eps)


def by_formula(linear: nn.Linear, bn: Any) -> nn.Linear:
    weight, bias, scale = _parts(linear, bn)
    return _made(weight * scale[:, None], (bias - bn.running_mean) * scale + bn.bias)


def by_matrix(linear: nn.Linear, bn: Any) -> nn.Linear:
    """A diagonal matrix from the left."""
    weight, bias, scale = _parts(linear, bn)
    new = nn.Linear(linear.in_features, linear.out_features).to(weight)
    new.weight = nn.Parameter((torch.diag(scale) @ weight).detach().clone())
    new.bias = nn.Parameter((bn.bias + torch.diag(scale) @ (bias - bn.running_mean)).detach())
    return new


@torch.no_grad()
def by_probing(linear: nn.Linear, bn: Any) -> nn.Linear:
    """Send zero and the unit vectors through both layers."""
    frozen = nn.Sequential(copy.deepcopy(linear), copy.deepcopy(bn)).eval()
    size = linear.in_features
    zero = torch.zeros(1, size).to(linear.weight)
    bias = frozen(zero)[0]
    return _made((frozen(torch.eye(size).to(linear.weight)) - bias).T, bias)


def row_by_row(linear: nn.Linear, bn: Any) -> nn.Linear:
    new = copy.deepcopy(linear)
    new.bias = nn.Parameter(torch.zeros(linear.out_features).to(linear.weight))
    with torch.no_grad():
        for j in range(linear.out_features):
            scale = bn.weight[j] * (bn.running_var[j] + bn.eps) ** -0.5
            old = 0.0 if linear.bias is None else linear.bias[j]
            new.weight[j] *= scale
            new.bias[j] = (old - bn.running_mean[j]) * scale + bn.bias[j]
    return new


def _with(formula: Callable[[nn.Linear, Any, Tensor, Tensor], tuple[Tensor, Tensor | None]]) -> Any:
    """A fold with this formula of (linear, bn, bias, scale) for the new weight and bias."""

    def fold(linear: nn.Linear, bn: Any) -> nn.Linear:
        _, bias, scale = _parts(linear, bn)
        return _made(*formula(linear, bn, bias, scale))

    return fold


def _scaled(linear: nn.Linear, scale: Tensor) -> Tensor:
    return linear.weight * scale[:, None]


def _shift(bn: Any, bias: Tensor, scale: Tensor) -> Tensor:
    shift: Tensor = (bias - bn.running_mean) * scale + bn.bias
    return shift


def _other_scale(scale_of: Callable[[Any], Tensor]) -> Any:
    return _with(lambda m, bn, b, s: (_scaled(m, scale_of(bn)), _shift(bn, b, scale_of(bn))))


def _columns(linear: nn.Linear, bn: Any, bias: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    square = linear.in_features == linear.out_features
    return (linear.weight * scale if square else _scaled(linear, scale)), _shift(bn, bias, scale)


def _needs_bias(linear: nn.Linear, bn: Any) -> nn.Linear:
    scale = _parts(linear, bn)[2]
    return _made(_scaled(linear, scale), _shift(bn, linear.bias, scale))


def _bias_only_if_there(linear: nn.Linear, bn: Any) -> nn.Linear:
    _, bias, scale = _parts(linear, bn)
    return _made(_scaled(linear, scale), None if linear.bias is None else _shift(bn, bias, scale))


def _in_place(linear: nn.Linear, bn: Any) -> nn.Linear:
    new = by_formula(linear, bn)
    with torch.no_grad():
        linear.weight.copy_(new.weight)
    return new


def _returns_changed(linear: nn.Linear, bn: Any) -> nn.Linear:
    new = by_formula(linear, bn)
    linear.weight, linear.bias = new.weight, new.bias
    return linear


def _switches_mode(linear: nn.Linear, bn: Any) -> nn.Linear:
    bn.eval()
    return by_formula(linear, bn)


def _needs_eval(linear: nn.Linear, bn: Any) -> nn.Linear:
    return fuse_linear_bn_eval(linear, bn)


def _probes_in_mode(linear: nn.Linear, bn: Any) -> nn.Linear:
    """Sends unit vectors through bn in whatever mode it is."""
    both = nn.Sequential(copy.deepcopy(linear), copy.deepcopy(bn))
    size = linear.in_features
    zero = torch.zeros(2, size).to(linear.weight)
    with torch.no_grad():
        bias = both(zero)[0]
        return _made((both(torch.eye(size).to(linear.weight)) - bias).T, bias)


def _sequence(linear: nn.Linear, bn: Any) -> Any:
    return nn.Sequential(copy.deepcopy(linear), copy.deepcopy(bn).eval())


def _always_float32(linear: nn.Linear, bn: Any) -> nn.Linear:
    return by_formula(linear, bn).float()


ANSWERS = Answers(
    reference=fold_batchnorm,
    variants={
        "by formula": by_formula,
        "a diagonal matrix": by_matrix,
        "probing": by_probing,
        "row by row": row_by_row,
    },
    misconceptions=(
        Misconception(
            "mean-not-subtracted",
            _with(lambda m, bn, b, s: (_scaled(m, s), b * s + bn.bias)),
            "The running mean is missing in your bias.",
            "Write out scale · (Wx + b − mean) + beta.",
        ),
        Misconception(
            "bias-not-scaled",
            _with(lambda m, bn, b, s: (_scaled(m, s), b - bn.running_mean * s + bn.bias)),
            "You did not scale the bias of the linear layer.",
            "Write out scale · (Wx + b − mean) + beta: scale stands before b too.",
        ),
        Misconception(
            "mean-not-scaled",
            _with(lambda m, bn, b, s: (_scaled(m, s), b * s - bn.running_mean + bn.bias)),
            "You did not scale the running mean.",
            "Write out scale · (Wx + b − mean) + beta: scale stands before the mean too.",
        ),
        Misconception(
            "old-bias-dropped",
            _with(lambda m, bn, b, s: (_scaled(m, s), bn.bias - bn.running_mean * s)),
            "The bias of the linear layer is missing in your result.",
            "Write out scale · (Wx + b − mean) + beta.",
        ),
        Misconception(
            "beta-missing",
            _with(lambda m, bn, b, s: (_scaled(m, s), (b - bn.running_mean) * s)),
            "The bias of bn is missing in your result.",
            "Write out scale · (Wx + b − mean) + beta.",
        ),
        Misconception(
            "beta-scaled",
            _with(lambda m, bn, b, s: (_scaled(m, s), (b - bn.running_mean + bn.bias) * s)),
            "You scaled the bias of bn as well.",
            "Write out scale · (Wx + b − mean) + beta: beta is added last.",
        ),
        Misconception(
            "gamma-missing",
            _other_scale(lambda bn: 1 / torch.sqrt(bn.running_var + bn.eps)),
            "The weight of bn is missing in your scale.",
            "scale = gamma / sqrt(running_var + eps).",
        ),
        Misconception(
            "eps-missing",
            _other_scale(lambda bn: bn.weight / torch.sqrt(bn.running_var)),
            "eps is missing in your scale.",
            "scale = gamma / sqrt(running_var + eps).",
        ),
        Misconception(
            "eps-outside-root",
            _other_scale(lambda bn: bn.weight / (torch.sqrt(bn.running_var) + bn.eps)),
            "You added eps to the standard deviation; it belongs under the root.",
            "scale = gamma / sqrt(running_var + eps).",
        ),
        Misconception(
            "fixed-eps",
            _other_scale(lambda bn: bn.weight / torch.sqrt(bn.running_var + 1e-5)),
            "You wrote 1e-5 where the eps of bn is meant.",
            "Use bn.eps.",
        ),
        Misconception(
            "divides-by-variance",
            _other_scale(lambda bn: bn.weight / (bn.running_var + bn.eps)),
            "You divided by the running variance; the standard deviation is its root.",
            "scale = gamma / sqrt(running_var + eps).",
        ),
        Misconception(
            "scales-columns",
            _with(_columns),
            "You scaled the columns of the weight where its rows are meant.",
            "weight has the shape (out, in); the scale belongs to the outputs: scale[:, None].",
        ),
        Misconception(
            "weight-not-scaled",
            _with(lambda m, bn, b, s: (m.weight, _shift(bn, b, s))),
            "You changed the bias alone.",
            "The rows of the weight are multiplied by the scale too.",
        ),
        Misconception(
            "needs-bias",
            _needs_bias,
            "Your function fails for a linear layer without a bias.",
            "Take zeros where linear.bias is None.",
        ),
        Misconception(
            "no-new-bias",
            _bias_only_if_there,
            "Your new layer has no bias when the old one had none; bn shifts all the same.",
            "Make the new layer with bias=True always.",
        ),
        Misconception(
            "changes-linear",
            _in_place,
            "Your function writes into the weight of the old linear layer.",
            "Make a new nn.Linear and leave the old layers alone.",
        ),
        Misconception(
            "returns-old-layer",
            _returns_changed,
            "Your function changes the old linear layer and returns it.",
            "Make a new nn.Linear and leave the old layers alone.",
        ),
        Misconception(
            "switches-mode",
            _switches_mode,
            "Your function leaves bn in evaluation mode.",
            "You need only its running statistics: its mode does not matter.",
        ),
        Misconception(
            "needs-eval",
            _needs_eval,
            "Your function works only when both layers are in evaluation mode.",
            "Use the running statistics themselves, whatever the mode.",
        ),
        Misconception(
            "uses-mode-of-bn",
            _probes_in_mode,
            "When bn is in training mode, your function uses the statistics of inputs of its own.",
            "Use bn.running_mean and bn.running_var.",
        ),
        Misconception(
            "two-layers",
            _sequence,
            "Your function returns two layers in a row.",
            "Return one nn.Linear.",
        ),
        Misconception(
            "always-float32",
            _always_float32,
            "Your new layer is float32 whatever the old one is.",
            "Make it with dtype=linear.weight.dtype, or .to(linear.weight).",
        ),
    ),
)
