"""Folding BatchNorm into the linear layer before it: the recipe, its slips and right variants."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_linear_bn_eval

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def fold_batchnorm(linear: nn.Linear, bn: Any) -> nn.Linear:
    """PyTorch's own function, on copies in evaluation mode."""
    return fuse_linear_bn_eval(copy.deepcopy(linear).eval(), copy.deepcopy(bn).eval())


def _zeros_if_missing(linear: nn.Linear, bn: Any) -> Tensor:
    return torch.zeros_like(bn.running_mean) if linear.bias is None else linear.bias


def _new_layer(linear: nn.Linear) -> nn.Linear:
    return nn.Linear(linear.in_features, linear.out_features).to(linear.weight)


def _fill(new: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    with torch.no_grad():
        new.weight.copy_(weight)
        new.bias.copy_(bias)


def fold(
    old_bias: Any = _zeros_if_missing,
    mean: Any = lambda bn: bn.running_mean,
    gamma: Any = lambda bn: bn.weight,
    beta: Any = lambda bn: bn.bias,
    bottom: Any = lambda var, eps: torch.sqrt(var + eps),
    scale: Any = lambda gamma, s: gamma / s,
    weight: Any = lambda w, r: w * r[:, None],
    bias: Any = lambda b, mean, beta, r: r * (b - mean) + beta,
    make: Any = _new_layer,
    fill: Any = _fill,
    finish: Any = lambda new, linear, bn: new,
) -> Any:
    """The formula r·(W x + b − mean) + beta from its parts."""

    def fold_batchnorm(linear: nn.Linear, bn: Any) -> Any:
        r = scale(gamma(bn), bottom(bn.running_var, bn.eps))
        shift = bias(old_bias(linear, bn), mean(bn), beta(bn), r)
        new = make(linear)
        fill(new, weight(linear.weight, r), shift)
        return finish(new, linear, bn)

    return fold_batchnorm


def _by_matrix(linear: nn.Linear, bn: Any) -> nn.Linear:
    """As a well-known blog prints it: a diagonal matrix from the left."""
    with torch.no_grad():
        fused = nn.Linear(linear.in_features, linear.out_features, bias=True).to(linear.weight)
        w_bn = torch.diag(bn.weight.div(torch.sqrt(bn.eps + bn.running_var)))
        fused.weight.copy_(torch.mm(w_bn, linear.weight.clone()))
        b = torch.zeros_like(bn.running_mean) if linear.bias is None else linear.bias
        b_bn = bn.bias - bn.weight.mul(bn.running_mean).div(torch.sqrt(bn.running_var + bn.eps))
        fused.bias.copy_(torch.matmul(w_bn, b) + b_bn)
        return fused


def _new_parameters(linear: nn.Linear, bn: Any) -> nn.Linear:
    """As PyTorch's own fusion prints it: new parameters in a copy."""
    fused = copy.deepcopy(linear)
    b = linear.bias if linear.bias is not None else torch.zeros_like(bn.running_mean)
    scale = bn.weight * torch.rsqrt(bn.running_var + bn.eps)
    fused.weight = nn.Parameter((linear.weight * scale.unsqueeze(-1)).detach())
    fused.bias = nn.Parameter(((b - bn.running_mean) * scale + bn.bias).detach())
    return fused


@torch.no_grad()
def _by_probing(linear: nn.Linear, bn: Any) -> nn.Linear:
    """Send zero and the unit vectors through both layers."""
    frozen = nn.Sequential(copy.deepcopy(linear), copy.deepcopy(bn)).eval()
    size = linear.in_features
    bias = frozen(torch.zeros(1, size).to(linear.weight))[0]
    new = _new_layer(linear)
    _fill(new, (frozen(torch.eye(size).to(linear.weight)) - bias).T, bias)
    return new


def _row_by_row(linear: nn.Linear, bn: Any) -> nn.Linear:
    new = copy.deepcopy(linear)
    new.bias = nn.Parameter(torch.zeros(linear.out_features).to(linear.weight))
    with torch.no_grad():
        for j in range(linear.out_features):
            scale = bn.weight[j] * (bn.running_var[j] + bn.eps) ** -0.5
            old = 0.0 if linear.bias is None else linear.bias[j]
            new.weight[j] *= scale
            new.bias[j] = (old - bn.running_mean[j]) * scale + bn.bias[j]
    return new


def _through_data(linear: nn.Linear, bn: Any) -> nn.Linear:
    scale = bn.weight.data / (bn.running_var + bn.eps).sqrt()
    new = nn.Linear(linear.in_features, linear.out_features, dtype=linear.weight.dtype)
    new.weight.data = linear.weight.data * scale.view(-1, 1)
    new.bias.data = bn.bias.data - bn.running_mean * scale
    if linear.bias is not None:
        new.bias.data += linear.bias.data * scale
    return new


def _bias(formula: Callable[..., Tensor]) -> Any:
    return {"bias": lambda b, mean, beta, r: formula(b, mean, beta, r)}


def _writing(part: str) -> Any:
    """Writes the new values into the old layer and returns a new one."""

    def finish(new: nn.Linear, linear: nn.Linear, bn: Any) -> nn.Linear:
        with torch.no_grad():
            linear.weight.copy_(new.weight)
            if part == "both" and linear.bias is not None:
                linear.bias.copy_(new.bias)
        return new

    return {"finish": finish}


def _old_layer(new: nn.Linear, linear: nn.Linear, bn: Any) -> nn.Linear:
    linear.weight, linear.bias = new.weight, new.bias
    return linear


def _to_eval(*which: int) -> Any:
    def finish(new: nn.Linear, *layers: nn.Module) -> nn.Linear:
        for i in which:
            layers[i].eval()
        return new

    return {"finish": finish}


def _bias_if_there(linear: nn.Linear) -> nn.Linear:
    return nn.Linear(linear.in_features, linear.out_features, linear.bias is not None).to(
        linear.weight
    )


def _fill_if_there(new: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    with torch.no_grad():
        new.weight.copy_(weight)
        if new.bias is not None:
            new.bias.copy_(bias)


def _probes_in_mode(linear: nn.Linear, bn: Any) -> nn.Linear:
    """Sends unit vectors through bn in whatever mode it is."""
    both = nn.Sequential(copy.deepcopy(linear), copy.deepcopy(bn))
    size = linear.in_features
    new = _new_layer(linear)
    with torch.no_grad():
        bias = both(torch.zeros(2, size).to(linear.weight))[0]
        _fill(new, (both(torch.eye(size).to(linear.weight)) - bias).T, bias)
    return new


ANSWERS = Answers(
    recipe=Recipe(fold),
    reference=fold_batchnorm,
    variants={
        "by formula": fold(),
        "as a blog prints it: a diagonal matrix": _by_matrix,
        "as PyTorch's fusion prints it": _new_parameters,
        "probing": _by_probing,
        "row by row": _row_by_row,
        "through data": _through_data,
    },
    slips=(
        slip(
            "mean-not-subtracted",
            "The running mean is missing in your bias.",
            "Write out scale · (Wx + b − mean) + beta.",
            mean=lambda bn: torch.zeros_like(bn.running_mean),
        ),
        slip(
            "mean-added",
            "You added the running mean; it is subtracted.",
            "Write out scale · (Wx + b − mean) + beta.",
            mean=lambda bn: -bn.running_mean,
        ),
        slip(
            "bias-not-scaled",
            "You did not scale the bias of the linear layer.",
            "Write out scale · (Wx + b − mean) + beta: scale stands before b too.",
            _bias(lambda b, mean, beta, r: b - mean * r + beta),
        ),
        slip(
            "mean-not-scaled",
            "You did not scale the running mean.",
            "Write out scale · (Wx + b − mean) + beta: scale stands before the mean too.",
            _bias(lambda b, mean, beta, r: b * r - mean + beta),
        ),
        slip(
            "bias-and-mean-not-scaled",
            "You scaled neither the bias of the linear layer nor the running mean.",
            "Write out scale · (Wx + b − mean) + beta: scale stands before the bracket.",
            {
                "old_bias": _zeros_if_missing,  # all three, since without one of them
                "mean": lambda bn: bn.running_mean,  # it would be the slip of the other
                "bias": lambda b, mean, beta, r: b - mean + beta,
            },
        ),
        slip(
            "old-bias-dropped",
            "The bias of the linear layer is missing in your result.",
            "Write out scale · (Wx + b − mean) + beta.",
            old_bias=lambda linear, bn: torch.zeros_like(bn.running_mean),
        ),
        slip(
            "beta-missing",
            "The bias of bn is missing in your result.",
            "Write out scale · (Wx + b − mean) + beta.",
            beta=lambda bn: torch.zeros_like(bn.bias),
        ),
        slip(
            "beta-scaled",
            "You scaled the bias of bn as well.",
            "Write out scale · (Wx + b − mean) + beta: beta is added last.",
            _bias(lambda b, mean, beta, r: (b - mean + beta) * r),
        ),
        slip(
            "gamma-missing",
            "The weight of bn is missing in your scale.",
            "scale = gamma / sqrt(running_var + eps).",
            gamma=lambda bn: torch.ones_like(bn.weight),
        ),
        slip(
            "gamma-in-weight-alone",
            "The weight of bn is missing in your new bias.",
            "Write out scale · (Wx + b − mean) + beta, with gamma in the scale.",
            scale=lambda gamma, s: torch.stack([gamma / s, 1 / s]),
            weight=lambda w, r: w * r[0][:, None],
            bias=lambda b, mean, beta, r: (b - mean) * r[1] + beta,
        ),
        slip(
            "multiplies-by-deviation",
            "You multiplied by the standard deviation; you have to divide by it.",
            "scale = gamma / sqrt(running_var + eps).",
            scale=lambda gamma, s: gamma * s,
        ),
        slip(
            "eps-missing",
            "eps is missing in your scale.",
            "scale = gamma / sqrt(running_var + eps).",
            bottom=lambda var, eps: torch.sqrt(var),
        ),
        slip(
            "eps-outside-root",
            "You added eps to the standard deviation; it belongs under the root.",
            "scale = gamma / sqrt(running_var + eps).",
            bottom=lambda var, eps: torch.sqrt(var) + eps,
        ),
        family(
            "fixed-eps",
            "You wrote {constant} where the eps of bn is meant.",
            "Use bn.eps.",
            (1e-5, 1e-8, 1e-6, 1e-3),
            lambda c: {"bottom": lambda var, eps: torch.sqrt(var + c)},
        ),
        slip(
            "divides-by-variance",
            "You divided by the running variance; the standard deviation is its root.",
            "scale = gamma / sqrt(running_var + eps).",
            bottom=lambda var, eps: var + eps,
        ),
        slip(
            "scales-columns",
            "You scaled the columns of the weight where its rows are meant.",
            "weight has the shape (out, in); the scale belongs to the outputs: scale[:, None].",
            {"weight": lambda w, r: w * r},
            {"weight": lambda w, r: r * w},
        ),
        slip(
            "weight-not-scaled",
            "You changed the bias alone.",
            "The rows of the weight are multiplied by the scale too.",
            weight=lambda w, r: w,
        ),
        slip(
            "needs-bias",
            "Your function fails for a linear layer without a bias.",
            "Take zeros where linear.bias is None.",
            {"old_bias": lambda linear, bn: linear.bias},
            {
                "old_bias": lambda linear, bn: linear.bias,
                **_bias(lambda b, mean, beta, r: r * b - r * mean + beta),
            },
            {
                "old_bias": lambda linear, bn: linear.bias,
                **_bias(lambda b, mean, beta, r: b * r - r * mean + beta),
            },
            {"old_bias": lambda linear, bn: linear.bias.data},
            {"old_bias": lambda linear, bn: linear.bias.clone()},
            {"old_bias": lambda linear, bn: linear.bias.detach()},
        ),
        slip(
            "no-new-bias",
            "Your new layer has no bias when the old one had none; bn shifts all the same.",
            "Make the new layer with bias=True always.",
            {"make": _bias_if_there, "fill": _fill_if_there},
            {"make": _bias_if_there},
        ),
        slip(
            "changes-linear",
            "Your function writes into the old linear layer.",
            "Make a new nn.Linear and leave the old layers alone.",
            _writing("weight"),
            _writing("both"),
        ),
        slip(
            "returns-old-layer",
            "Your function changes the old linear layer and returns it.",
            "Make a new nn.Linear and leave the old layers alone.",
            finish=_old_layer,
        ),
        slip(
            "switches-mode",
            "Your function leaves a layer in evaluation mode that was in training mode.",
            "You need only the running statistics: the modes do not matter.",
            _to_eval(1),
            _to_eval(0, 1),
            _to_eval(0),
        ),
        slip(
            "needs-eval",
            "Your function works only when both layers are in evaluation mode.",
            "Use the running statistics themselves, whatever the mode.",
            whole=fuse_linear_bn_eval,
        ),
        slip(
            "uses-mode-of-bn",
            "When bn is in training mode, your function uses the statistics of inputs of its own.",
            "Use bn.running_mean and bn.running_var.",
            whole=_probes_in_mode,
        ),
        slip(
            "two-layers",
            "Your function returns two layers in a row.",
            "Return one nn.Linear.",
            finish=lambda new, linear, bn: nn.Sequential(linear, bn),
        ),
        slip(
            "weight-and-bias",
            "Your function returns the weight and the bias, and a layer is meant.",
            "Make an nn.Linear, copy both into it and return it.",
            finish=lambda new, linear, bn: (new.weight, new.bias),
        ),
        slip(
            "sizes-swapped",
            "You exchanged the sizes of the new layer.",
            "nn.Linear(linear.in_features, linear.out_features): first the inputs.",
            make=lambda linear: nn.Linear(linear.out_features, linear.in_features).to(
                linear.weight
            ),
        ),
        slip(
            "not-filled",
            "Your new layer keeps its random first values.",
            "Copy the new weight and bias into it, under torch.no_grad().",
            {"fill": lambda new, weight, bias: None},
        ),
        slip(
            "bias-not-filled",
            "The bias of your new layer keeps its random first values.",
            "Copy the new bias into it, under torch.no_grad().",
            {"fill": lambda new, weight, bias: new.weight.data.copy_(weight)},
        ),
        slip(
            "always-float32",
            "Your new layer is float32 whatever the old one is.",
            "Make it with dtype=linear.weight.dtype, or .to(linear.weight).",
            make=lambda linear: nn.Linear(linear.in_features, linear.out_features),
        ),
    ),
)
