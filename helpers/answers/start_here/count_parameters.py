"""The number of parameters: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, slip


def counting(
    parameters: Any = lambda model: model.parameters(),
    chosen: Any = lambda p: p.requires_grad,
    size: Any = lambda p: p.numel(),
    total: Any = sum,
    result: Any = lambda n: n,
) -> Any:
    """The count from its parts."""

    def count_parameters(model: nn.Module) -> Any:
        return result(total(size(p) for p in parameters(model) if chosen(p)))

    return count_parameters


count_parameters = counting()


def of_trained_modules(model: nn.Module) -> list[torch.Tensor]:
    """All parameters of each module of which any is trained."""
    kept: dict[int, torch.Tensor] = {}
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if any(p.requires_grad for p in own):
            kept.update({id(p): p for p in own})
    return list(kept.values())


def freezing(count: Any) -> Any:
    def count_parameters(model: nn.Module) -> Any:
        n = count(model)
        model.requires_grad_(True)
        return n

    return count_parameters


def by_identity(model: nn.Module) -> int:
    seen: dict[int, int] = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                seen[id(parameter)] = parameter.nelement()
    return sum(seen.values())


def by_names(model: nn.Module) -> int:
    total = 0
    for _, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        entries = 1
        for length in parameter.shape:
            entries *= length
        total += entries
    return total


def last(sizes: Iterable[int]) -> int:
    n = 0
    for n in sizes:  # noqa: B007
        pass
    return n


ANSWERS = Answers(
    recipe=Recipe(counting),
    variants={
        "by identity": by_identity,
        "by names": by_names,
        "NumPy's integer": lambda m: np.int64(count_parameters(m)),
        "as a blog prints it: np.prod of sizes": lambda model: sum(
            np.prod(p.size()) for p in filter(lambda p: p.requires_grad, model.parameters())
        ),
        "as a library prints it: a flag": lambda model, only_trained=True: sum(
            p.numel() for p in model.parameters() if p.requires_grad or not only_trained
        ),
        "vectors put together": lambda model: len(
            torch.cat(
                [torch.zeros(0), *(p.flatten() for p in model.parameters() if p.requires_grad)]
            )
        ),
    },
    slips=(
        slip(
            "counts-frozen",
            "You counted frozen parameters too.",
            "Look at requires_grad of each parameter.",
            chosen=lambda p: True,
        ),
        slip(
            "counts-only-frozen",
            "You counted the frozen parameters and left out those that are trained.",
            "requires_grad is True for those that are trained.",
            chosen=lambda p: not p.requires_grad,
        ),
        slip(
            "counts-those-with-gradient",
            "You looked at .grad, which is None until a backward pass, and not at requires_grad.",
            "Look at requires_grad of each parameter.",
            chosen=lambda p: p.grad is not None,
        ),
        slip(
            "only-leaves-with-two-axes",
            "You left out parameters with fewer than two axes, such as biases.",
            "A bias is trained like any other parameter.",
            chosen=lambda p: p.requires_grad and p.dim() > 1,
        ),
        slip(
            "whole-modules",
            "You decided for a whole layer at a time, and only a part of a layer may be frozen.",
            "Look at requires_grad of each parameter.",
            parameters=of_trained_modules,
            chosen=lambda p: True,
        ),
        slip(
            "counts-shared-twice",
            "You counted a shared parameter once for every place where it is used.",
            "model.parameters() gives every parameter once.",
            parameters=lambda model: [p for _, p in model.named_parameters(remove_duplicate=False)],
        ),
        slip(
            "weights-only",
            "You left out the biases.",
            "A bias is trained like any other parameter: use model.parameters().",
            parameters=lambda model: [p for n, p in model.named_parameters() if "weight" in n],
        ),
        slip(
            "linear-only",
            "You counted the parameters of linear layers only.",
            "model.parameters() gives those of every kind of module.",
            parameters=lambda model: {
                p: 0 for m in model.modules() if isinstance(m, nn.Linear) for p in m.parameters()
            },
        ),
        slip(
            "own-only",
            "You counted only the parameters of the outermost module.",
            "model.parameters() walks through all modules inside.",
            parameters=lambda model: model.parameters(recurse=False),
        ),
        slip(
            "children-only",
            "You walked through the modules inside and left out what the outermost one owns itself.",
            "model.parameters() walks through all modules, the outermost one too.",
            parameters=lambda model: {p: 0 for m in model.children() for p in m.parameters()},
        ),
        slip(
            "counts-buffers",
            "You counted everything in the state_dict, which has buffers and frozen parameters in it.",
            "Buffers are not trained; start from model.parameters().",
            parameters=lambda model: model.state_dict().values(),
            chosen=lambda p: True,
        ),
        slip(
            "buffers-too",
            "You counted buffers beside the parameters.",
            "Buffers are not trained; start from model.parameters().",
            parameters=lambda model: [*model.parameters(), *map(_as_trained, model.buffers())],
        ),
        slip(
            "counts-tensors",
            "You counted tensors, not the numbers in them.",
            "p.numel() is the number of entries of a tensor.",
            size=lambda p: 1,
        ),
        slip(
            "first-axis",
            "You added up the lengths of the first axes.",
            "len(p) is only the first axis; p.numel() counts all entries.",
            size=lambda p: len(p) if p.dim() else 1,
        ),
        slip(
            "sum-of-lengths",
            "You added the lengths of the axes, and their product is the number of entries.",
            "p.numel() is the number of entries of a tensor.",
            size=lambda p: sum(p.shape),
        ),
        slip(
            "counts-bytes",
            "You counted bytes: each number of float32 has four.",
            "p.numel() is the number of entries of a tensor.",
            size=lambda p: p.numel() * p.element_size(),
        ),
        slip(
            "sums-values",
            "You added up the values of the parameters, and their number is meant.",
            "p.numel() is the number of entries of a tensor.",
            size=lambda p: float(p.detach().sum()),
        ),
        slip(
            "last-only",
            "Your total holds the last parameter only: `=` where `+=` is meant, or a return inside "
            "of the loop.",
            "Add each number to the total, and return it after the loop.",
            total=last,
        ),
        slip(
            "first-only",
            "Your function returns after the first parameter.",
            "Put the return after the loop, and not inside of it.",
            total=lambda sizes: next(iter(sizes), 0),
        ),
        slip(
            "largest",
            "You return the largest tensor's number of entries, and their sum is meant.",
            "Add up the numbers of all parameters.",
            total=lambda sizes: max(sizes, default=0),
        ),
        slip(
            "in-thousands",
            "You return thousands or millions, and the number itself is meant.",
            "Return the number as it is.",
            {"result": lambda n: n / 1e6},
            {"result": lambda n: n / 1e3},
        ),
        slip(
            "as-text",
            "You return a text, and a number is meant.",
            "Return the number; printing is another matter.",
            {"result": lambda n: f"{n:,}"},
            {"result": str},
        ),
        slip(
            "prints",
            "Your function returns nothing.",
            "Return the number instead of printing it.",
            result=lambda n: None,
        ),
        slip(
            "unfreezes",
            "Your code switches requires_grad on for the frozen parameters.",
            "Only read requires_grad.",
            around=freezing,
        ),
    ),
)


def _as_trained(buffer: torch.Tensor) -> torch.Tensor:
    return buffer.detach().float().requires_grad_()
