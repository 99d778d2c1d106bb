"""The mean absolute gradient of each weight: right and wrong answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


def gradient_magnitude_by_layer(model: nn.Module) -> dict[str, float]:
    return {
        name: p.grad.abs().mean().item()
        for name, p in model.named_parameters()
        if p.dim() >= 2 and p.grad is not None
    }


def by_loop(model: nn.Module) -> dict[str, float]:
    """With NumPy, whose float64 counts as a float."""
    result = OrderedDict()
    for name, parameter in model.named_parameters():
        gradient = parameter.grad
        if gradient is None or gradient.ndim < 2:
            continue
        result[name] = np.abs(gradient.detach().double().numpy()).mean()
    return result


def by_modules(model: nn.Module) -> dict[str, float]:
    """Walk through the modules and put the names together."""
    result: dict[str, float] = {}
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for name, p in module.named_parameters(recurse=False):
            if id(p) in seen or p.grad is None or len(p.shape) < 2:
                continue
            seen.add(id(p))
            full = f"{prefix}.{name}" if prefix else name
            result[full] = float((p.grad * p.grad.sign()).sum()) / p.numel()
    return result


def by_norm(model: nn.Module) -> dict[str, float]:
    """The 1-norm divided by the number of entries."""
    with torch.no_grad():
        return {
            name: (p.grad.flatten().norm(p=1) / p.grad.numel()).item()
            for name, p in model.named_parameters()
            if p.grad is not None and p.ndim > 1
        }


def measured(how: Callable[[torch.Tensor], Any]) -> Callable[[nn.Module], dict[str, Any]]:
    """The right parameters, with another measure of their gradients."""
    return lambda model: {
        name: how(p.grad)
        for name, p in model.named_parameters()
        if p.dim() >= 2 and p.grad is not None
    }


def chosen(which: Callable[[str, nn.Parameter], bool]) -> Callable[[nn.Module], dict[str, float]]:
    """The right measure, of other parameters."""
    return lambda model: {
        name: p.grad.abs().mean().item()
        for name, p in model.named_parameters()
        if p.grad is not None and which(name, p)
    }


def renamed(new: Callable[[int, str], Any]) -> Callable[[nn.Module], dict[Any, float]]:
    """The right numbers, under other names."""
    return lambda model: {
        new(i, name): value
        for i, (name, value) in enumerate(gradient_magnitude_by_layer(model).items())
    }


def _none_as_zero(model: nn.Module) -> dict[str, float]:
    return {
        name: 0.0 if p.grad is None else p.grad.abs().mean().item()
        for name, p in model.named_parameters()
        if p.dim() >= 2
    }


def _trips_over_none(model: nn.Module) -> dict[str, float]:
    weights: list[Any] = [pair for pair in model.named_parameters() if pair[1].dim() >= 2]
    return {name: p.grad.abs().mean().item() for name, p in weights}


def _of_weights(model: nn.Module) -> dict[str, float]:
    return {
        name: p.detach().abs().mean().item()
        for name, p in model.named_parameters()
        if p.dim() >= 2 and p.grad is not None
    }


def _linear_only(model: nn.Module) -> dict[str, float]:
    return {
        f"{name}.weight" if name else "weight": module.weight.grad.abs().mean().item()
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and module.weight.grad is not None
    }


def _in_place(model: nn.Module) -> dict[str, float]:
    return measured(lambda g: g.abs_().mean().item())(model)


def _clears(model: nn.Module) -> dict[str, float]:
    result = gradient_magnitude_by_layer(model)
    model.zero_grad()
    return result


def _clears_to_zero(model: nn.Module) -> dict[str, float]:
    result = gradient_magnitude_by_layer(model)
    model.zero_grad(set_to_none=False)
    return result


def _own_only(model: nn.Module) -> dict[str, float]:
    return {
        name: p.grad.abs().mean().item()
        for name, p in model.named_parameters(recurse=False)
        if p.dim() >= 2 and p.grad is not None
    }


def _shared_twice(model: nn.Module) -> dict[str, float]:
    return {
        name: p.grad.abs().mean().item()
        for name, p in model.named_parameters(remove_duplicate=False)
        if p.dim() >= 2 and p.grad is not None
    }


def _backwards(model: nn.Module) -> dict[str, float]:
    return dict(reversed(list(gradient_magnitude_by_layer(model).items())))


def _signed_with_biases(model: nn.Module) -> dict[str, float]:
    return {
        name: p.grad.mean().item() for name, p in model.named_parameters() if p.grad is not None
    }


ANSWERS = Answers(
    reference=gradient_magnitude_by_layer,
    variants={
        "a loop with NumPy": by_loop,
        "module by module": by_modules,
        "the 1-norm": by_norm,
    },
    misconceptions=(
        Misconception(
            "no-absolute-value",
            measured(lambda g: g.mean().item()),
            "You took the mean without the absolute value, so that signs cancel.",
            "abs() first, then mean().",
        ),
        Misconception(
            "absolute-mean",
            measured(lambda g: abs(g.mean().item())),
            "You took the absolute value of the mean; by then the signs have cancelled.",
            "abs() first, then mean().",
        ),
        Misconception(
            "norm",
            measured(lambda g: g.norm().item()),
            "You took the 2-norm; it grows with the number of entries.",
            "The mean of the absolute values is asked for.",
        ),
        Misconception(
            "root-mean-square",
            measured(lambda g: g.square().mean().sqrt().item()),
            "You took the root of the mean square.",
            "The mean of the absolute values is asked for.",
        ),
        Misconception(
            "mean-square",
            measured(lambda g: g.square().mean().item()),
            "You squared instead of taking the absolute value.",
            "The mean of the absolute values is asked for.",
        ),
        Misconception(
            "largest",
            measured(lambda g: g.abs().max().item()),
            "You took the largest absolute value.",
            "mean() instead of max().",
        ),
        Misconception(
            "sum",
            measured(lambda g: g.abs().sum().item()),
            "You took the sum of the absolute values.",
            "mean() instead of sum(): layers of different sizes are to be compared.",
        ),
        Misconception(
            "spread",
            measured(lambda g: g.std().item()),
            "You took the standard deviation.",
            "The mean of the absolute values is asked for.",
        ),
        Misconception(
            "of-weights",
            _of_weights,
            "You measured the weights, not their gradients.",
            "The gradient of a parameter p is p.grad.",
        ),
        Misconception(
            "with-biases",
            chosen(lambda name, p: True),
            "You counted parameters with fewer than two axes, such as biases, as well.",
            "p.dim() says how many axes a parameter has.",
        ),
        Misconception(
            "signed-with-biases",
            _signed_with_biases,
            "You left out the absolute value, and you counted biases as well.",
            "Keep parameters with p.dim() >= 2, and take abs() before mean().",
        ),
        Misconception(
            "named-weight",
            chosen(lambda name, p: name.endswith("weight")),
            "You chose by name: a normalisation has a 'weight' of one axis, and weights may have "
            "other names.",
            "Choose by p.dim().",
        ),
        Misconception(
            "not-named-bias",
            chosen(lambda name, p: "bias" not in name),
            "You chose by name: parameters of one axis may have other names than 'bias'.",
            "Choose by p.dim().",
        ),
        Misconception(
            "exactly-two-axes",
            chosen(lambda name, p: p.dim() == 2),
            "You left out parameters with more than two axes, such as those of convolutions.",
            "Two or more axes: p.dim() >= 2.",
        ),
        Misconception(
            "linear-only",
            _linear_only,
            "You looked only at nn.Linear layers.",
            "model.named_parameters() gives every parameter of every kind of module.",
        ),
        Misconception(
            "none-as-zero",
            _none_as_zero,
            "A parameter without a gradient appears with 0; it is to be left out.",
            "Skip a parameter whose grad is None.",
        ),
        Misconception(
            "leaves-out-zero",
            lambda model: {
                name: value for name, value in gradient_magnitude_by_layer(model).items() if value
            },
            "You left out a weight whose gradient is 0; that layer learns nothing, and we want to "
            "see it.",
            "Ask whether grad is None, not whether the number is 0.",
        ),
        Misconception(
            "trips-over-none",
            _trips_over_none,
            "Your code assumes that every parameter has a gradient; a frozen one has none.",
            "Skip a parameter whose grad is None.",
        ),
        Misconception(
            "tensors",
            measured(lambda g: g.abs().mean()),
            "Your values are tensors where floats are meant.",
            "item() makes a float of a tensor with one entry.",
        ),
        Misconception(
            "rounded",
            measured(lambda g: round(g.abs().mean().item(), 6)),
            "You rounded: a gradient of 1e-16 becomes 0, and that is what we want to see.",
            "Return the numbers as they are; round when you print.",
        ),
        Misconception(
            "changes-gradients",
            _in_place,
            "Your code takes the absolute value in place, so the gradients lose their signs.",
            "abs() makes a new tensor, abs_() changes the old one.",
        ),
        Misconception(
            "removes-gradients",
            _clears,
            "Your code calls zero_grad(), which removes the gradients.",
            "Only look: the caller decides when gradients are cleared.",
        ),
        Misconception(
            "zeroes-gradients",
            _clears_to_zero,
            "Your code sets the gradients to zero.",
            "Only look: the caller decides when gradients are cleared.",
        ),
        Misconception(
            "outermost-only",
            _own_only,
            "You looked only at the parameters of the outermost module.",
            "model.named_parameters() walks through all modules inside.",
        ),
        Misconception(
            "shared-twice",
            _shared_twice,
            "A shared weight appears once for every place where it is used.",
            "model.named_parameters() gives every parameter once, under its first name.",
        ),
        Misconception(
            "backwards",
            _backwards,
            "Your dict begins with the last layer.",
            "Keep the order of model.named_parameters().",
        ),
        Misconception(
            "names-of-layers",
            renamed(lambda i, name: name.rpartition(".")[0]),
            "You used the names of the layers; asked for are the names of the parameters.",
            "Keep the whole name that named_parameters() gives, such as '0.weight'.",
        ),
        Misconception(
            "numbers-as-names",
            renamed(lambda i, name: i),
            "You used numbers as names.",
            "Keep the whole name that named_parameters() gives, such as '0.weight'.",
        ),
        Misconception(
            "list",
            lambda model: list(gradient_magnitude_by_layer(model).values()),
            "You return a list; the names are missing.",
            "Return a dict from names to floats.",
        ),
        Misconception(
            "pairs",
            lambda model: list(gradient_magnitude_by_layer(model).items()),
            "You return a list of pairs.",
            "dict(pairs) makes a dict of them.",
        ),
    ),
)
