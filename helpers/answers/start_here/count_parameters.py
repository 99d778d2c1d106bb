"""The number of parameters: right and wrong answers."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


def count_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def by_pointer(model: nn.Module) -> int:
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
        for size in parameter.shape:
            entries *= size
        total += entries
    return total


def by_module(model: nn.Module) -> int:
    """Takes a module as a whole when any of its parameters is trained."""
    kept: dict[int, int] = {}
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        if any(p.requires_grad for p in own):
            kept.update({id(p): p.numel() for p in own})
    return sum(kept.values())


ANSWERS = Answers(
    reference=count_parameters,
    variants={
        "by identity": by_pointer,
        "by names": by_names,
        "NumPy's integer": lambda m: np.int64(count_parameters(m)),
    },
    misconceptions=(
        Misconception(
            "counts-frozen",
            lambda model: sum(p.numel() for p in model.parameters()),
            "You counted frozen parameters too.",
            "Look at requires_grad of each parameter.",
        ),
        Misconception(
            "whole-modules",
            by_module,
            "You decided for a whole layer at a time, and only a part of a layer may be frozen.",
            "Look at requires_grad of each parameter.",
        ),
        Misconception(
            "counts-shared-twice",
            lambda model: sum(
                p.numel()
                for _, p in model.named_parameters(remove_duplicate=False)
                if p.requires_grad
            ),
            "You counted a shared parameter once for every place where it is used.",
            "model.parameters() gives every parameter once.",
        ),
        Misconception(
            "counts-tensors",
            lambda model: len([p for p in model.parameters() if p.requires_grad]),
            "You counted tensors, not the numbers in them.",
            "p.numel() is the number of entries of a tensor.",
        ),
        Misconception(
            "counts-buffers",
            lambda model: sum(v.numel() for v in model.state_dict().values()),
            "You counted everything in the state_dict, which has buffers in it.",
            "Buffers are not trained; start from model.parameters().",
        ),
        Misconception(
            "only-weights",
            lambda model: sum(
                p.numel() for p in model.parameters() if p.requires_grad and p.dim() > 1
            ),
            "You left out parameters with fewer than two axes, such as biases.",
            "A bias is trained like any other parameter.",
        ),
        Misconception(
            "first-axis",
            lambda model: sum(
                len(p) if p.dim() else 1 for p in model.parameters() if p.requires_grad
            ),
            "You added up the lengths of the first axes.",
            "len(p) is only the first axis; p.numel() counts all entries.",
        ),
        Misconception(
            "own-only",
            lambda model: sum(
                p.numel() for p in model.parameters(recurse=False) if p.requires_grad
            ),
            "You counted only the parameters of the outermost module.",
            "model.parameters() walks through all modules inside.",
        ),
        Misconception(
            "returns-tensor",
            lambda model: torch.tensor(count_parameters(model)),
            "Your number is right, but it is a tensor where a Python int is meant.",
            "p.numel() is an int already; sum them with Python's sum.",
        ),
    ),
)
