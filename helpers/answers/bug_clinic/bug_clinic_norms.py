"""Program 6, norms that are not squared: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip


def weights(model):
    return [p for p in model.parameters() if p.dim() >= 2]


def of_layers(*classes):
    """The weights of all layers of these classes."""
    return lambda model: [m.weight for m in model.modules() if isinstance(m, classes)]


def named(wanted):
    """All parameters whose name is wanted."""
    return lambda model: [p for name, p in model.named_parameters() if wanted(name)]


def squares_in_place(w):
    with torch.no_grad():
        w.square_()
    return w.sum()


def l2(
    chosen=weights,
    term=lambda w: (w**2).sum(),
    total=lambda terms, ws: sum(terms),
    factor=lambda lam: 0.5 * lam,
):
    """½λ times the sum of the squares of what is chosen."""

    def repaired_penalty(model, lam):
        ws = chosen(model)
        return factor(lam) * total([term(w) for w in ws], ws)

    return repaired_penalty


def result(change):
    """Does something with the finished penalty."""
    return lambda penalty: lambda model, lam: change(penalty(model, lam))


def in_a_loop(model, lam):
    total = 0.0
    for w in weights(model):
        total = total + w.norm() ** 2
    return lam / 2 * total


def added_in_place(model, lam):
    penalty = torch.tensor(0.0)
    for name, p in model.named_parameters():
        if "bias" in name or p.ndim == 1:
            continue
        penalty = penalty + torch.sum(torch.square(p))
    return penalty * lam * 0.5


def one_vector(model, lam):
    w = torch.cat([w.flatten() for w in weights(model)])
    return lam * (w @ w) / 2


def by_modules(model, lam):
    total = torch.tensor(0.0)
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            total = total + module.weight.square().sum()
    return 0.5 * lam * total


def by_mse(model, lam):
    terms = [F.mse_loss(w, torch.zeros_like(w), reduction="sum") for w in weights(model)]
    return 0.5 * lam * torch.stack(terms).sum()


NORM = {"term": lambda w: w.norm()}
ANSWERS = Answers(
    recipe=Recipe(l2),
    variants={
        "norm squared": in_a_loop,
        "as a deep-learning book prints it: norms, then half the square": l2(
            term=lambda w: torch.linalg.vector_norm(w, 2) ** 2 / 2, factor=lambda lam: lam
        ),
        "as a course prints it: torch.sum(torch.square(p))": added_in_place,
        "as a tutorial prints it: p.pow(2.0).sum()": l2(term=lambda w: w.pow(2.0).sum()),
        "one vector": one_vector,
        "parameters_to_vector": lambda model, lam: (
            0.5 * lam * nn.utils.parameters_to_vector(weights(model)).square().sum()
        ),
        "by modules": by_modules,
        "Frobenius norm": l2(term=lambda w: torch.norm(w, p="fro") ** 2),
        "by einsum": l2(term=lambda w: torch.einsum("...,...->", w, w)),
        "mse_loss with a sum": by_mse,
    },
    slips=(
        slip(
            "half-of-the-norm",
            "The factor ½ is there, but what you add is the norm of each layer, not its square.",
            "Twice the weights must give four times the penalty.",
            NORM,
        ),
        slip(
            "root-of-the-sum",
            "You take one root over all layers together; that is the norm of all weights, still "
            "not squared.",
            "Leave out the root.",
            total=lambda terms, ws: torch.sqrt(sum(terms)),
        ),
        slip(
            "norm-of-rows",
            "You add the norms of the rows or columns, which are not squared either.",
            "Square each entry, and add all squares.",
            {"term": lambda w: w.norm(dim=1).sum()},
            {"term": lambda w: w.norm(dim=0).sum()},
        ),
        slip(
            "spectral",
            "You square the spectral norm, the largest singular value; meant are all entries.",
            "Use (w ** 2).sum().",
            {"term": lambda w: torch.linalg.norm(w, 2) ** 2},
            {"term": lambda w: torch.linalg.matrix_norm(w.flatten(1), 2) ** 2},
        ),
        slip(
            "spectral-not-squared",
            "You add spectral norms, the largest singular values of the layers; meant are the "
            "squares of all entries.",
            "Use (w ** 2).sum().",
            {"term": lambda w: torch.linalg.norm(w, 2)},
            {"term": lambda w: torch.linalg.matrix_norm(w.flatten(1), 2)},
        ),
        slip(
            "root-and-square",
            "You take the root and square it again: right in the value, but for weights of 0 the "
            "gradient of the root is infinite, and the result NaN.",
            "Leave out both, the root and the square of it.",
            {"term": lambda w: torch.sqrt((w**2).sum()) ** 2},
            {"total": lambda terms, ws: torch.sqrt(sum(terms)) ** 2},
        ),
        family(
            "still-a-root",
            "The {constant} under the root avoids a division by 0, but the root is still there.",
            "Leave out the root.",
            (1e-8, 1e-6),
            lambda c: {"term": lambda w: torch.sqrt((w**2).sum() + c)},
        ),
        slip(
            "absolute",
            "You add absolute values: that is the L1 penalty.",
            "Square the entries before you add.",
            term=lambda w: w.abs().sum(),
        ),
        slip(
            "not-squared",
            "You add the entries with their signs, and square none of them.",
            "Square each entry before you add: (w ** 2).sum().",
            term=lambda w: w.sum(),
        ),
        slip(
            "square-of-the-entries-sum",
            "You add the entries first and square their sum, in which they cancel.",
            "Square each entry, then add: (w ** 2).sum().",
            term=lambda w: w.sum() ** 2,
        ),
        slip(
            "mean",
            "You take the mean of the squares in each layer, so that large layers count too "
            "little; the formula has the sum.",
            "Replace mean by sum.",
            term=lambda w: (w**2).mean(),
        ),
        slip(
            "mean-of-all",
            "You divide by the number of all weights; the formula has the sum.",
            "Do not divide.",
            total=lambda terms, ws: sum(terms) / sum(w.numel() for w in ws),
        ),
        slip(
            "mean-over-layers",
            "You divide by the number of layers; the formula has the sum.",
            "Do not divide.",
            total=lambda terms, ws: sum(terms) / len(terms),
        ),
        slip(
            "largest-layer",
            "Only the largest term counts; the formula adds all layers.",
            "Add the squares of all weights.",
            total=lambda terms, ws: max(terms),
        ),
        slip(
            "first-layer-only",
            "Only the first layer is penalised.",
            "Add over all of the weights; is there a return inside the loop?",
            total=lambda terms, ws: terms[0],
        ),
        slip(
            "last-layer-only",
            "Only the last layer is penalised: each layer replaces what was added before.",
            "Add to the total: total = total + ....",
            total=lambda terms, ws: terms[-1],
        ),
        slip(
            "no-half",
            "The factor ½ is missing; with squares, the gradient becomes 2λw.",
            "Multiply by ½.",
            factor=lambda lam: lam,
        ),
        slip(
            "half-twice",
            "The factor ½ is there twice.",
            "The formula is ½λ times the sum of the squares.",
            factor=lambda lam: 0.25 * lam,
        ),
        slip(
            "doubled",
            "You multiply by 2, where the formula has ½.",
            "The formula is ½λ times the sum of the squares.",
            factor=lambda lam: 2 * lam,
        ),
        slip(
            "lambda-lost",
            "λ is missing: the penalty is the same for every λ.",
            "Multiply by lam.",
            factor=lambda lam: 0.5,
        ),
        slip(
            "factor-lost",
            "λ is missing, and ½ too: the penalty is the same for every λ.",
            "Multiply by 0.5 * lam.",
            factor=lambda lam: 1.0,
        ),
        slip(
            "lambda-squared",
            "λ is squared too; the formula has the squares of the weights alone.",
            "Square the weights first, then multiply by λ.",
            factor=lambda lam: 0.5 * lam**2,
        ),
        slip(
            "half-squared",
            "The factor ½λ is squared together with the weights.",
            "Square the weights first, then multiply by ½λ.",
            factor=lambda lam: (0.5 * lam) ** 2,
        ),
        slip(
            "wrong-sign",
            "The penalty is negative, so large weights are rewarded.",
            "Leave out the minus sign.",
            factor=lambda lam: -0.5 * lam,
        ),
        slip(
            "known-layers-only",
            "You go through the layers of certain classes. A weight that belongs to a module of "
            "another kind is missed.",
            "Go through model.parameters(), and ask for p.dim() >= 2.",
            chosen=of_layers(nn.Linear, nn.Conv2d),
        ),
        slip(
            "counts-biases",
            "Biases are counted as well; the formula has only parameters with two or more axes.",
            "Leave out parameters with fewer than two axes: p.dim() >= 2.",
            chosen=lambda model: list(model.parameters()),
        ),
        slip(
            "weights-by-name",
            "You choose the weights by their names. The weight of a normalisation layer has one "
            "axis and does not count.",
            "Ask for the number of axes: p.dim() >= 2.",
            {"chosen": named(lambda name: "bias" not in name)},
            {"chosen": named(lambda name: "weight" in name)},
        ),
        slip(
            "matrices-only",
            "The weights of convolutions are missed: you count linear layers alone, or parameters "
            "with exactly two axes.",
            "Two or more axes: p.dim() >= 2.",
            {"chosen": lambda model: [p for p in model.parameters() if p.dim() == 2]},
            {"chosen": of_layers(nn.Linear)},
        ),
        slip(
            "cut-off",
            "The value is cut off from the weights (by detach(), .data or no_grad()), and cannot "
            "change them.",
            "Compute with the parameters themselves.",
            around=result(lambda value: value.detach() if hasattr(value, "detach") else value),
        ),
        slip(
            "a-plain-number",
            "You return a plain number (.item() or float()), which has no gradient.",
            "Return the tensor itself.",
            around=result(float),
        ),
        slip(
            "one-entry",
            "Your result has the shape (1,), as when the sum starts from torch.zeros(1).",
            "Start from 0.0, and return a tensor with no axes.",
            around=result(lambda value: value.reshape(1)),
        ),
        slip(
            "float32-inside",
            "Your result is float32 although the weights are float64, as when torch.tensor(0.0) is "
            "added to in place, with +=.",
            "Start from the number 0.0, or write total = total + ....",
            around=result(lambda value: value.float()),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "Return the penalty.",
            around=result(lambda value: None),
        ),
        slip(
            "changes-the-weights",
            "You square the weights themselves, in place; the model is another one afterwards.",
            "Make new tensors: w ** 2, and not w.square_() or w.data **= 2.",
            term=squares_in_place,
        ),
        slip(
            "square-of-the-sum",
            "You square the sum of the norms; with several layers that is more than the sum of "
            "the squares.",
            "Square first, then add.",
            {**NORM, "total": lambda terms, ws: sum(terms) ** 2},
        ),
        slip(
            "unrepaired",
            "As in the broken program, you add the norms ‖w‖ of the layers. The L2 penalty is "
            "½λ‖w‖², half the sum of the squared entries.",
            "Square the entries and add, with no root and with the factor ½.",
            {**NORM, "factor": lambda lam: lam},
        ),
    ),
)
