"""The mean absolute gradient of each weight: the recipe, its slips, and other ways to write it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor


def magnitudes(
    named: Any = lambda model: model.named_parameters(),
    kept: Any = lambda p: p.grad is not None,
    wanted: Any = lambda name, p: p.dim() >= 2,
    of: Any = lambda p: p.grad,
    entries: Any = lambda g: g.abs(),
    mean: Any = lambda a: a.mean(),
    number: Any = lambda value: value.item(),
    called: Any = lambda i, name: name,
    finish: Any = lambda result: result,
) -> Any:
    """The dict from its parts."""

    def gradient_magnitude_by_layer(model: nn.Module) -> Any:
        result: dict[Any, Any] = {}
        for name, p in named(model):
            if wanted(name, p) and kept(p):
                result[called(len(result), name)] = number(mean(entries(of(p))))
        return finish(result)

    return gradient_magnitude_by_layer


gradient_magnitude_by_layer = magnitudes()


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


def as_a_blog(model: Any) -> dict[str, Any]:
    """Two lists, as for a plot of the gradient flow, and values that are tensors."""
    layers, averages = [], []
    for n, p in model.named_parameters():
        if p.requires_grad and p.dim() > 1 and p.grad is not None:
            layers.append(n)
            averages.append(p.grad.abs().mean())
    return dict(zip(layers, averages, strict=True))


def as_a_textbook(model: Any) -> dict[str, float]:
    """Fetched by name, with NumPy."""
    grads = {
        n: p.grad.cpu().clone().numpy() for n, p in model.named_parameters() if p.grad is not None
    }
    return {n: np.mean(np.abs(g)).item() for n, g in grads.items() if len(g.shape) >= 2}


def needing(name: str) -> Any:
    """Takes an attribute of a gradient that may be None."""

    def of(p: Any) -> Any:
        getattr(p.grad, name)
        return p.grad

    return of


def torch_abs(p: Any) -> Any:
    torch.abs(p.grad)
    return p.grad


def linear_weights(model: nn.Module) -> list[tuple[str, Tensor]]:
    return [
        (f"{name}.weight" if name else "weight", module.weight)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
    ]


def child_weights(model: nn.Module) -> list[tuple[str, Tensor]]:
    """The weights of the direct children that have one."""
    return [
        (f"{name}.weight", module.weight)
        for name, module in model.named_children()
        if hasattr(module, "weight")
    ]


def clearing(set_to_none: bool) -> Any:
    def around(magnitude: Any) -> Any:
        def gradient_magnitude_by_layer(model: nn.Module) -> Any:
            result = magnitude(model)
            model.zero_grad(set_to_none=set_to_none)
            return result

        return gradient_magnitude_by_layer

    return around


def evaluating(magnitude: Any) -> Any:
    def gradient_magnitude_by_layer(model: nn.Module) -> Any:
        model.eval()
        return magnitude(model)

    return gradient_magnitude_by_layer


MEAN = "The mean of the absolute values is asked for."
WHOLE_NAME = "Keep the whole name that named_parameters() gives, such as '0.weight'."
SKIP = "Skip a parameter whose grad is None."

ANSWERS = Answers(
    recipe=Recipe(magnitudes),
    variants={
        "a loop with NumPy": by_loop,
        "module by module": by_modules,
        "the 1-norm": by_norm,
        "as a blog prints it: two lists, values as tensors": as_a_blog,
        "as a textbook prints it: fetched first": as_a_textbook,
    },
    slips=(
        slip(
            "no-absolute-value",
            "You left out the absolute value, so that signs cancel.",
            "abs() first, then mean().",
            entries=lambda g: g,
        ),
        slip(
            "absolute-mean",
            "You took the absolute value at the end; by then the signs have cancelled.",
            "abs() first, then mean().",
            entries=lambda g: g,
            number=lambda value: abs(value.item()),
        ),
        slip(
            "norm",
            "You took the 2-norm; it grows with the number of entries.",
            MEAN,
            mean=lambda a: a.norm(),
        ),
        slip(
            "root-mean-square",
            "You took the root of the mean square.",
            MEAN,
            {"mean": lambda a: a.square().mean().sqrt()},
            {"mean": lambda a: a.norm() / a.numel() ** 0.5},
        ),
        slip(
            "norm-over-count",
            "You divided the 2-norm by the number of entries, which is no mean.",
            MEAN,
            mean=lambda a: a.norm() / a.numel(),
        ),
        slip(
            "squares",
            "You squared instead of taking the absolute value.",
            MEAN,
            entries=lambda g: g.square(),
        ),
        slip(
            "largest",
            "You took the largest entry and not the mean.",
            "mean() instead of max().",
            mean=lambda a: a.max(),
        ),
        slip(
            "sum",
            "You took the sum and not the mean.",
            "mean() instead of sum(): layers of different sizes are to be compared.",
            mean=lambda a: a.sum(),
        ),
        slip(
            "sum-by-rows",
            "You divided the sum by the length of one axis, and there are more entries than that.",
            "mean() divides by the number of all entries, p.grad.numel().",
            {"mean": lambda a: a.sum() / len(a)},
            {"mean": lambda a: a.sum() / a.shape[1]},
        ),
        slip(
            "median",
            "You took the median and not the mean.",
            "mean() instead of median().",
            mean=lambda a: a.median(),
        ),
        slip(
            "spread",
            "You took the standard deviation.",
            MEAN,
            {"entries": lambda g: g, "mean": lambda a: a.std()},
            {"entries": lambda g: g, "mean": lambda a: a.std(correction=0)},
        ),
        slip(
            "spread-of-sizes",
            "You took the standard deviation of the absolute values.",
            MEAN,
            mean=lambda a: a.std(),
        ),
        slip(
            "one-number-per-row",
            "You took the mean along one axis, and one number for the whole weight is meant.",
            "mean() without an axis.",
            {"mean": lambda a: a.mean(dim=0)},
            {"mean": lambda a: a.mean(dim=1)},
            {"mean": lambda a: a.mean(dim=0), "number": lambda value: value.tolist()},
            {"mean": lambda a: a},
        ),
        slip(
            "of-weights",
            "You measured the weights, not their gradients.",
            "The gradient of a parameter p is p.grad.",
            of=lambda p: p.detach(),
        ),
        slip(
            "gradient-times-weight",
            "You multiplied the gradient by the weight.",
            "Take p.grad alone.",
            of=lambda p: p.grad * p.detach(),
        ),
        slip(
            "gradient-over-weight",
            "You divided by the size of the weight; that ratio comes later in this lesson.",
            "Take p.grad alone.",
            {"of": lambda p: p.grad / p.detach().abs().mean()},
            {"of": lambda p: p.grad / p.detach().norm()},
        ),
        slip(
            "with-biases",
            "You counted parameters with fewer than two axes, such as biases, as well.",
            "p.dim() says how many axes a parameter has.",
            {"wanted": lambda name, p: True},
            {"wanted": lambda name, p: p.dim() >= 1},
        ),
        slip(
            "only-biases",
            "You kept the parameters with fewer than two axes and left out the weights.",
            "Two or more axes: p.dim() >= 2.",
            {"wanted": lambda name, p: p.dim() < 2},
            {"wanted": lambda name, p: p.dim() == 1},
            {"wanted": lambda name, p: "bias" in name},
        ),
        slip(
            "more-than-two-axes",
            "You ask for more than two axes, so the weights of linear layers are left out.",
            "Two or more axes: p.dim() >= 2.",
            wanted=lambda name, p: p.dim() > 2,
        ),
        slip(
            "named-weight",
            "You took in the 'weight' of a normalisation, which has one axis, like a bias.",
            "Choose by p.dim(), and not by the name.",
            {"wanted": lambda name, p: "weight" in name},
            {"wanted": lambda name, p: name.endswith("weight")},
            {"wanted": lambda name, p: "bias" not in name},
            {"wanted": lambda name, p: not name.endswith("bias")},
        ),
        slip(
            "exactly-two-axes",
            "You left out parameters with more than two axes, such as those of convolutions.",
            "Two or more axes: p.dim() >= 2.",
            wanted=lambda name, p: p.dim() == 2,
        ),
        slip(
            "linear-only",
            "You looked only at nn.Linear layers.",
            "model.named_parameters() gives every parameter of every kind of module.",
            named=linear_weights,
        ),
        slip(
            "children-only",
            "You looked only at modules directly inside of the model.",
            "model.named_parameters() gives the parameters of the model itself and of all inside.",
            named=child_weights,
        ),
        slip(
            "outermost-only",
            "You looked only at the parameters of the outermost module.",
            "model.named_parameters() walks through all modules inside.",
            named=lambda model: model.named_parameters(recurse=False),
        ),
        slip(
            "shared-twice",
            "A shared weight appears once for every place where it is used.",
            "model.named_parameters() gives every parameter once, under its first name.",
            named=lambda model: model.named_parameters(remove_duplicate=False),
        ),
        slip(
            "from-state-dict",
            "You looked for gradients in the state_dict, whose tensors have none.",
            "model.named_parameters() gives the parameters themselves.",
            named=lambda model: model.state_dict().items(),
        ),
        slip(
            "none-as-zero",
            "A parameter without a gradient appears with 0; it is to be left out.",
            SKIP,
            kept=lambda p: True,
            of=lambda p: torch.zeros_like(p) if p.grad is None else p.grad,
        ),
        slip(
            "leaves-out-zero",
            "You left out a weight whose gradient is 0; that layer learns nothing, and we want to "
            "see it.",
            "Ask whether grad is None, not whether the number is 0.",
            {"finish": lambda result: {name: v for name, v in result.items() if v}},
            {"kept": lambda p: p.grad is not None and bool(p.grad.any())},
        ),
        slip(
            "trips-over-none",
            "Your code assumes that every parameter has a gradient; a frozen one has none.",
            SKIP,
            *(
                {"kept": lambda p: True, "of": needing(attribute)}
                for attribute in ("abs", "detach", "data", "cpu", "norm", "view", "clone", "numpy")
            ),
            {"kept": lambda p: True, "of": torch_abs},
        ),
        slip(
            "asks-requires-grad",
            "Your code assumes that every parameter that is trained has a gradient; one that took no part "
            "in the loss has none.",
            "Ask whether p.grad is None.",
            {"kept": lambda p: p.requires_grad, "of": needing("abs")},
            {"kept": lambda p: p.requires_grad, "of": needing("detach")},
            {"kept": lambda p: p.requires_grad, "of": needing("data")},
            {"kept": lambda p: p.requires_grad, "of": torch_abs},
        ),
        slip(
            "truth-of-a-gradient",
            "`if p.grad:` asks whether the entries are true, and PyTorch says that only of one entry.",
            "Ask whether there is a gradient: if p.grad is not None.",
            kept=lambda p: bool(p.grad),
        ),
        slip(
            "rounded",
            "You rounded: a gradient of 1e-16 becomes 0, and that is what we want to see.",
            "Return the numbers as they are; round when you print.",
            *({"number": lambda value, d=d: round(value.item(), d)} for d in (6, 4, 8, 3, 5, 2)),
        ),
        slip(
            "as-text",
            "Your values are texts where floats are meant.",
            "Return the numbers as they are, and format them when you print.",
            {"number": lambda value: f"{value.item():.6f}"},
            {"number": lambda value: f"{value.item():.2e}"},
        ),
        slip(
            "changes-gradients",
            "Your code takes the absolute value in place, so the gradients lose their signs.",
            "abs() makes a new tensor, abs_() changes the old one.",
            entries=lambda g: g.abs_(),
        ),
        slip(
            "removes-gradients",
            "Your code calls zero_grad(), which removes the gradients.",
            "Only look: the caller decides when gradients are cleared.",
            around=clearing(set_to_none=True),
        ),
        slip(
            "zeroes-gradients",
            "Your code sets the gradients to zero.",
            "Only look: the caller decides when gradients are cleared.",
            around=clearing(set_to_none=False),
        ),
        slip(
            "switches-mode",
            "Your code calls model.eval() and leaves it so.",
            "Only look: the gradients are there already, in whatever mode.",
            around=evaluating,
        ),
        slip(
            "backwards",
            "Your dict begins with the last layer.",
            "Keep the order of model.named_parameters().",
            finish=lambda result: dict(reversed(result.items())),
        ),
        slip(
            "sorted-by-size",
            "Your dict is sorted by the size of the gradients.",
            "Keep the order of model.named_parameters().",
            {"finish": lambda r: dict(sorted(r.items(), key=lambda pair: pair[1]))},
            {"finish": lambda r: dict(sorted(r.items(), key=lambda pair: -pair[1]))},
        ),
        slip(
            "first-only",
            "Your function returns after the first weight.",
            "Put the return after the loop, and not inside of it.",
            finish=lambda result: dict(list(result.items())[:1]),
        ),
        slip(
            "last-only",
            "Your dict holds the last weight only: it is made anew in each round of the loop.",
            "Make the dict before the loop.",
            finish=lambda result: dict(list(result.items())[-1:]),
        ),
        slip(
            "names-of-layers",
            "You used the names of the layers; asked for are the names of the parameters.",
            WHOLE_NAME,
            {"called": lambda i, name: name.rpartition(".")[0]},
            {"called": lambda i, name: name.split(".")[0]},
        ),
        slip(
            "last-part-of-name",
            "You used only the last part of each name, and several weights share it.",
            WHOLE_NAME,
            called=lambda i, name: name.rpartition(".")[2],
        ),
        slip(
            "numbers-as-names",
            "You used numbers as names.",
            WHOLE_NAME,
            {"called": lambda i, name: i},
            {"called": lambda i, name: i + 1},
        ),
        slip(
            "new-names",
            "You made up names such as layer_0.",
            WHOLE_NAME,
            *(
                {"called": lambda i, name, text=text, first=first: text.format(i + first)}
                for text in ("layer_{}", "layer{}", "layer {}", "Layer {}")
                for first in (0, 1)
            ),
        ),
        slip(
            "list",
            "You return a list; the names are missing.",
            "Return a dict from names to floats.",
            finish=lambda result: list(result.values()),
        ),
        slip(
            "pairs",
            "You return a list of pairs.",
            "dict(pairs) makes a dict of them.",
            finish=lambda result: list(result.items()),
        ),
        slip(
            "two-lists",
            "You return two lists, one of names and one of numbers.",
            "dict(zip(names, numbers)) makes a dict of them.",
            finish=lambda result: (list(result), list(result.values())),
        ),
        slip(
            "one-number",
            "You return one number for the whole model, and one for each weight is meant.",
            "Return a dict from names to floats.",
            finish=lambda result: sum(result.values()) / max(len(result), 1),
        ),
        slip(
            "not-returned",
            "Your function returns nothing.",
            "End it with return.",
            finish=lambda result: None,
        ),
    ),
)
