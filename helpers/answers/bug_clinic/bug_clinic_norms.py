"""Program 6, norms that are not squared: real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.check import Answers, Misconception


def weights(model):
    return [p for p in model.parameters() if p.dim() >= 2]


def half_squared(model, lam):
    return 0.5 * lam * sum((w**2).sum() for w in weights(model))


def in_a_loop(model, lam):
    total = 0.0
    for w in weights(model):
        total = total + w.norm() ** 2
    return lam / 2 * total


def one_vector(model, lam):
    w = torch.cat([w.flatten() for w in weights(model)])
    return lam * (w @ w) / 2


def by_modules(model, lam):
    total = torch.zeros(())
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            total = total.to(module.weight.dtype) + module.weight.square().sum()
    return 0.5 * lam * total


def by_name(model, lam):
    return lam * sum(p.pow(2).sum() / 2 for n, p in model.named_parameters() if "bias" not in n)


def by_mse(model, lam):
    terms = [F.mse_loss(w, torch.zeros_like(w), reduction="sum") for w in weights(model)]
    return 0.5 * lam * torch.stack(terms).sum()


def spectral(model, lam):
    return 0.5 * lam * sum(torch.linalg.matrix_norm(w.flatten(1), 2) ** 2 for w in weights(model))


def root_and_square(model, lam):
    return 0.5 * lam * sum(torch.sqrt((w**2).sum()) ** 2 for w in weights(model))


def with_epsilon(model, lam):
    return 0.5 * lam * sum(torch.sqrt((w**2).sum() + 1e-8) for w in weights(model))


ANSWERS = Answers(
    reference=half_squared,
    variants={
        "norm squared": in_a_loop,
        "one vector": one_vector,
        "by modules": by_modules,
        "by name": by_name,
        "mse_loss with a sum": by_mse,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            lambda model, lam: lam * sum(w.norm() for w in weights(model)),
            "This is the broken program: it adds the norms ‖w‖ of the layers. The L2 penalty is "
            "½λ‖w‖², half the sum of the squared entries.",
            "Square the entries and add; no root is taken.",
        ),
        Misconception(
            "half-of-the-norm",
            lambda model, lam: 0.5 * lam * sum(w.norm() for w in weights(model)),
            "You added the ½, but the norms are still not squared.",
            "Twice the weights must give four times the penalty.",
        ),
        Misconception(
            "root-of-the-sum",
            lambda model, lam: lam * torch.sqrt(sum((w**2).sum() for w in weights(model))),
            "You take one root over all layers together; that is the norm of all weights, still "
            "not squared.",
            "Leave out the root, and add the factor ½.",
        ),
        Misconception(
            "no-half",
            lambda model, lam: lam * sum((w**2).sum() for w in weights(model)),
            "You compute λ‖w‖², whose gradient is 2λw; the program's formula is ½λ‖w‖².",
            "Multiply by ½.",
        ),
        Misconception(
            "absolute",
            lambda model, lam: lam * sum(w.abs().sum() for w in weights(model)),
            "You add absolute values: that is the L1 penalty.",
            "Square the entries, and multiply by ½λ.",
        ),
        Misconception(
            "mean",
            lambda model, lam: 0.5 * lam * sum((w**2).mean() for w in weights(model)),
            "You take the mean of the squares in each layer, so that large layers count too "
            "little; the formula has the sum.",
            "Replace mean by sum.",
        ),
        Misconception(
            "square-of-the-sum",
            lambda model, lam: 0.5 * lam * sum(w.norm() for w in weights(model)) ** 2,
            "You square the sum of the norms; with several layers that is more than the sum of "
            "the squares.",
            "Square first, then add.",
        ),
        Misconception(
            "spectral",
            spectral,
            "You square the spectral norm, the largest singular value; meant are all entries.",
            "Use (w ** 2).sum().",
        ),
        Misconception(
            "counts-biases",
            lambda model, lam: 0.5 * lam * sum((p**2).sum() for p in model.parameters()),
            "Biases are counted as well; the formula has only parameters with two or more axes.",
            "Leave out parameters with fewer than two axes: p.dim() >= 2.",
        ),
        Misconception(
            "matrices-only",
            lambda model, lam: (
                0.5 * lam * sum((p**2).sum() for p in weights(model) if p.dim() == 2)
            ),
            "The weights of convolutions are missed: you count linear layers alone, or parameters "
            "with exactly two axes.",
            "Two or more axes: p.dim() >= 2.",
        ),
        Misconception(
            "first-layer-only",
            lambda model, lam: 0.5 * lam * (weights(model)[0] ** 2).sum(),
            "Only the first layer is penalised.",
            "Add over all of the weights.",
        ),
        Misconception(
            "root-and-square",
            root_and_square,
            "You take the root and square it again: right in the value, but for weights of 0 the "
            "gradient of the root is infinite, and the result NaN.",
            "Leave out both, the root and the square of it.",
        ),
        Misconception(
            "still-a-root",
            with_epsilon,
            "A small number under the root avoids a division by 0, but the root is still there.",
            "Leave out the root.",
        ),
        Misconception(
            "cut-off",
            lambda model, lam: half_squared(model, lam).detach(),
            "The value is right, but it is cut off from the weights (by detach(), .data, .item() or "
            "no_grad()), and cannot change them.",
            "Compute with the parameters themselves.",
        ),
        Misconception(
            "lambda-lost",
            lambda model, lam: 0.5 * sum((w**2).sum() for w in weights(model)),
            "λ is missing: the penalty is the same for every λ.",
            "Multiply by lam.",
        ),
        Misconception(
            "norm-of-rows",
            lambda model, lam: 0.5 * lam * sum(w.norm(dim=1).sum() for w in weights(model)),
            "You add the norms of the rows, which are not squared either.",
            "Square each entry, and add all squares.",
        ),
    ),
)
