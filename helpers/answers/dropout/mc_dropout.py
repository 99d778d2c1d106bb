"""Monte-Carlo dropout: right and wrong answers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.check import Answers, Misconception

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


RESTORE_HINT = "Keep (module, module.training) of every module in model.modules(), and set it back."

ANSWERS = Answers(
    reference=mc_dropout_predict,
    variants={
        "running mean and squares": running_sums,
        "inference mode, a list of results": under_inference_mode,
        "detached later, float64 inside": detached_later,
        "on a deep copy": on_a_copy,
    },
    misconceptions=(
        Misconception(
            "dropout-stays-off",
            predict(switch=lambda model: model.eval()),
            "Your code puts the whole model in evaluation mode, so all samples are equal.",
            "After model.eval(), set training = True for the dropout layers.",
        ),
        Misconception(
            "all-in-training-mode",
            predict(switch=lambda model: model.train()),
            "Your code puts the whole model in training mode, so that layers such as BatchNorm "
            "use and change batch statistics.",
            "First model.eval(), then training = True for the dropout layers alone.",
        ),
        Misconception(
            "rest-as-it-was",
            predict(switch=no_eval_first),
            "Your code switches the dropout layers on and leaves everything else in the mode in "
            "which it is, which may be training.",
            "First model.eval(), then training = True for the dropout layers.",
        ),
        Misconception(
            "only-batchnorm-off",
            predict(switch=frozen_norms_only),
            "Your code leaves everything in training mode apart from BatchNorm.",
            "It is the dropout layers that are the exception: first model.eval(), then those on.",
        ),
        Misconception(
            "only-nn-dropout",
            predict(switch=only_torch_dropout),
            "Your code switches on nn.Dropout alone, and no other class whose name contains "
            "Dropout, such as Dropout2d.",
            "Ask for the class's name: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "only-torch-dropouts",
            predict(switch=torch_dropouts),
            "Your code switches on PyTorch's dropout layers, and not those that others wrote.",
            "Ask for the class's name: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "name-begins",
            predict(switch=name_begins),
            "Your code switches on the classes whose name begins with Dropout, and misses those "
            "that have it further back, such as AlphaDropout.",
            "Ask whether the name contains it: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "children-only",
            predict(switch=children_only),
            "Your code looks at the direct children of the model, and not at what lies deeper.",
            "model.modules() walks through everything, at any depth.",
        ),
        Misconception(
            "train-reaches-all",
            predict(switch=train_reaches_all),
            "Your code calls train() on a module named Dropout, which also puts everything "
            "inside that module in training mode.",
            "Set the flag of that one module: module.training = True.",
        ),
        Misconception(
            "left-in-training",
            predict(remember=lambda model: lambda: model.train()),
            "Your code leaves the whole model in training mode.",
            RESTORE_HINT,
        ),
        Misconception(
            "left-in-evaluation",
            predict(remember=lambda model: lambda: model.eval()),
            "Your code leaves the whole model in evaluation mode.",
            RESTORE_HINT,
        ),
        Misconception(
            "not-put-back",
            predict(remember=lambda model: lambda: None),
            "Your code leaves the dropout layers on and the rest off.",
            RESTORE_HINT,
        ),
        Misconception(
            "one-mode-for-all",
            predict(remember=back_to_own_flag),
            "Your code puts every module into the mode that the model itself had; they may differ.",
            RESTORE_HINT,
        ),
        Misconception(
            "not-put-back-after-error",
            predict(always=False),
            "When the model raises, your code does not put the modes back.",
            "Put them back in a finally: block around the forward passes.",
        ),
        Misconception(
            "swallows-error",
            swallows,
            "Your code catches the error of the model and goes on as if nothing had been.",
            "Use try and finally without except: the error then reaches the caller.",
        ),
        Misconception(
            "keeps-graph",
            predict(graph=True),
            "Your results carry a graph, so every forward pass is kept in memory.",
            "Run the forward passes inside with torch.no_grad():.",
        ),
        Misconception(
            "divides-by-n",
            predict(summary=lambda s: (s.mean(0), s.std(0, correction=0))),
            "Your standard deviation divides by n where n - 1 is meant.",
            "tensor.std(dim=0) divides by n - 1.",
        ),
        Misconception(
            "variance",
            predict(summary=lambda s: (s.mean(0), s.var(0))),
            "Your second result is the variance.",
            "The standard deviation is its square root.",
        ),
        Misconception(
            "standard-error",
            predict(summary=lambda s: (s.mean(0), s.std(0) / len(s) ** 0.5)),
            "Your second result is the error of the mean: a deviation divided by √n.",
            "Return the standard deviation of the samples themselves.",
        ),
        Misconception(
            "softmax-of-mean-logits",
            predict(samples=logits_only, summary=of_mean_logits),
            "Your mean is the softmax of the mean logits, not the mean of the probabilities.",
            "Apply softmax to each sample first, then take the mean.",
        ),
        Misconception(
            "no-softmax",
            predict(samples=logits_only),
            "Your code averages logits where class probabilities are meant.",
            "Apply torch.softmax(logits, dim=1) to each sample.",
        ),
        Misconception(
            "log-probabilities",
            predict(samples=lambda m, x, n: right_samples(m, x, n).log()),
            "Your code averages logarithms of probabilities.",
            "Use softmax, not log_softmax.",
        ),
        Misconception(
            "softmax-over-the-batch",
            predict(samples=lambda m, x, n: torch.stack([m(x).softmax(dim=0) for _ in range(n)])),
            "Your softmax runs over the batch, so the columns sum to 1 and the rows do not.",
            "The classes are axis 1: softmax(dim=1).",
        ),
        Misconception(
            "softmax-overflows",
            predict(samples=softmax_by_hand),
            "Your softmax takes exp of large logits, which is infinity, and infinity / infinity "
            "is NaN.",
            "torch.softmax subtracts the largest logit first.",
        ),
        Misconception(
            "one-sample-repeated",
            predict(samples=one_pass),
            "Your code runs the model once and repeats the result.",
            "Run the model n_samples times: each pass draws new masks.",
        ),
        Misconception(
            "one-too-many",
            predict(samples=lambda m, x, n: right_samples(m, x, n + 1)),
            "Your code takes one sample more than n_samples.",
            "range(n_samples) has n_samples entries.",
        ),
        Misconception(
            "one-too-few",
            predict(samples=lambda m, x, n: right_samples(m, x, n - 1)),
            "Your code takes one sample less than n_samples.",
            "range(n_samples) has n_samples entries, from 0 to n_samples - 1.",
        ),
        Misconception(
            "mean-over-batch",
            predict(summary=lambda s: (s.mean(1), s.std(1))),
            "Your code averages over the images where the samples are meant.",
            "Stack the samples along a new first axis, and average over dim=0.",
        ),
        Misconception(
            "freezes-model",
            freezes,
            "Your code sets requires_grad of the parameters to False and leaves it so.",
            "Use torch.no_grad(): it needs no change of the model.",
        ),
    ),
)
