"""Ways to predict with Monte-Carlo dropout that are right or wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Switch = Callable[[nn.Module], Any]
"""Brings the modules of a model into the modes for the prediction."""

Samples = Callable[[nn.Module, torch.Tensor, int], torch.Tensor]
"""Returns class probabilities (n_samples, batch, classes)."""

Summary = Callable[[torch.Tensor], Any]
"""Makes (mean, std) of them."""


def is_dropout(module: nn.Module) -> bool:
    return "Dropout" in type(module).__name__


def right_modes(model: nn.Module) -> None:
    for module in model.modules():
        module.training = is_dropout(module)


def right_samples(model: nn.Module, x: torch.Tensor, n: int) -> torch.Tensor:
    return torch.stack([torch.softmax(model(x), dim=1) for _ in range(n)])


def right_summary(samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return samples.mean(dim=0), samples.std(dim=0)


def exact_restore(model: nn.Module) -> Callable[[], None]:
    before = [(module, module.training) for module in model.modules()]

    def restore() -> None:
        for module, training in before:
            module.training = training

    return restore


def predict(
    *,
    switch: Switch = right_modes,
    samples: Samples = right_samples,
    summary: Summary = right_summary,
    remember: Callable[[nn.Module], Callable[[], Any]] = exact_restore,
    always: bool = True,
    graph: bool = False,
) -> Any:
    """An mc_dropout_predict with some of its parts exchanged.

    `always` is whether modes are put back when the model raises.
    """

    def mc_dropout_predict(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
        restore = remember(model)
        switch(model)
        try:
            with torch.set_grad_enabled(graph):
                drawn = samples(model, x, n_samples)
        except Exception:
            if always:
                restore()
            raise
        restore()
        return summary(drawn)

    return mc_dropout_predict


mc_dropout_predict = predict()


def running_sums(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    """Right: mean and squared differences kept up to date, as Welford (1962) does."""
    restore = exact_restore(model)
    try:
        right_modes(model)
        with torch.no_grad():
            for k in range(1, n_samples + 1):
                new = torch.softmax(model(x), dim=-1)
                if k == 1:
                    mean, squares = new, torch.zeros_like(new)
                    continue
                step = new - mean
                mean = mean + step / k
                squares = squares + step * (new - mean)
    finally:
        restore()
    return mean, (squares / (n_samples - 1)).sqrt()


@torch.inference_mode()
def under_inference_mode(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    """Right: modules are switched by train(False), the flag of each dropout is set by hand."""
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    for module in model.modules():
        if (
            isinstance(module, nn.modules.dropout._DropoutNd)
            or "dropout" in repr(type(module)).split(".")[-1].lower()
        ):
            module.training = True
    try:
        logits = torch.stack([model(x) for _ in range(n_samples)])
        probabilities = torch.log_softmax(logits, dim=-1).exp()
        return [probabilities.mean(0), probabilities.var(0, correction=1).sqrt()]
    finally:
        for name, module in model.named_modules():
            module.training = modes[name]


def detached_later(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    """Right: with a graph inside, and results without one; the deviation in float64."""
    restore = exact_restore(model)
    try:
        right_modes(model)
        drawn = [model(x).softmax(1).detach() for _ in range(n_samples)]
    finally:
        restore()
    wide = torch.stack(drawn).double()
    return wide.mean(0).to(x.dtype), wide.std(0, unbiased=True).to(x.dtype)


def on_a_copy(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    """Right: whatever happens to the copy, the model does not see it."""
    return mc_dropout_predict(copy.deepcopy(model), x, n_samples)


def only_torch_dropout(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.training = True


def torch_dropouts(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.training = True


def name_begins(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if type(module).__name__.startswith("Dropout"):
            module.training = True


def children_only(model: nn.Module) -> None:
    model.eval()
    for module in model.children():
        if is_dropout(module):
            module.training = True


def leaves_only(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if is_dropout(module) and not list(module.children()):
            module.training = True


def train_reaches_all(model: nn.Module) -> None:
    model.eval()
    for module in model.modules():
        if is_dropout(module):
            module.train()


def no_eval_first(model: nn.Module) -> None:
    for module in model.modules():
        if is_dropout(module):
            module.training = True


def frozen_norms_only(model: nn.Module) -> None:
    """Everything in training mode apart from BatchNorm."""
    model.train()
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            module.eval()


def back_to_own_flag(model: nn.Module) -> Callable[[], Any]:
    before = model.training
    return lambda: model.train(before)


def softmax_by_hand(model: nn.Module, x: torch.Tensor, n: int) -> torch.Tensor:
    powers = torch.stack([model(x).exp() for _ in range(n)])
    return powers / powers.sum(dim=2, keepdim=True)


def of_mean_logits(logits: torch.Tensor) -> Any:
    return torch.softmax(logits.mean(0), dim=1), torch.softmax(logits, dim=2).std(0)


def logits_only(model: nn.Module, x: torch.Tensor, n: int) -> torch.Tensor:
    return torch.stack([model(x) for _ in range(n)])


def one_pass(model: nn.Module, x: torch.Tensor, n: int) -> torch.Tensor:
    return torch.softmax(model(x), dim=1).expand(n, -1, -1)


def swallows(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    try:
        return mc_dropout_predict(model, x, n_samples)
    except Exception:
        return None


def freezes(model: nn.Module, x: torch.Tensor, n_samples: int) -> Any:
    model.requires_grad_(False)
    return mc_dropout_predict(model, x, n_samples)
