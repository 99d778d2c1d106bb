"""Program 9, data losses taken for weight penalties: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.bug_clinic.bug_clinic_norms import named, of_layers, weights
from helpers.checking.recipe import Answers, Recipe, slip


def added(term):
    """The sum of a term over the layers, whatever the outputs and targets are."""
    return lambda ws, output, y: sum(term(w) for w in ws)


ABSOLUTE = added(lambda w: w.abs().sum())
SQUARES = added(lambda w: (w**2).sum())


def from_zero(loss, **options):
    """A data loss between each weight and zero."""
    return added(lambda w: loss(w, torch.zeros_like(w), **options))


def on_data(loss):
    return lambda ws, output, y: loss(output, y)


def elastic(
    data=F.mse_loss,
    chosen=weights,
    rates=lambda l1, l2: (l1, l2),
    first=ABSOLUTE,
    second=SQUARES,
    first_factor=1.0,
    second_factor=0.5,
    penalty=lambda value, y: value,
):
    """The elastic net from its parts."""

    def repaired_loss(model, x, y, l1, l2):
        output, ws = model(x), chosen(model)
        l1, l2 = rates(l1, l2)
        absolute, squares = first(ws, output, y), second(ws, output, y)
        added = first_factor * l1 * absolute + second_factor * l2 * squares
        return data(output, y) + penalty(added, y)

    return repaired_loss


def result(change):
    """Does something with the finished loss."""
    return lambda loss: lambda model, x, y, l1, l2: change(loss(model, x, y, l1, l2))


def by_losses(model, x, y, l1, l2):
    total = F.mse_loss(model(x), y)
    for w in weights(model):
        zero = torch.zeros_like(w)
        total = total + l1 * F.l1_loss(w, zero, reduction="sum")
        total = total + l2 / 2 * F.mse_loss(w, zero, reduction="sum")
    return total


def one_vector(model, x, y, l1, l2):
    w = torch.cat([w.flatten() for w in weights(model)])
    return ((model(x) - y) ** 2).mean() + l1 * w.norm(1) + 0.5 * l2 * w.dot(w)


def in_two_loops(model, x, y, l1, l2):
    loss = nn.MSELoss()(model(x), y)
    l1_penalty, l2_penalty = torch.tensor(0.0), torch.tensor(0.0)
    for name, p in model.named_parameters():
        if "bias" not in name and p.dim() > 1:
            l1_penalty = l1_penalty + torch.sum(torch.abs(p))
            l2_penalty = l2_penalty + torch.sum(p**2)
    return loss + l1 * l1_penalty + l2 * l2_penalty / 2


def by_layers(model, x, y, l1, l2):
    loss = F.mse_loss(model(x), y)
    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            loss = loss + l1 * layer.weight.abs().sum() + l2 / 2 * layer.weight.pow(2).sum()
    return loss


DATA_FIRST, DATA_SECOND = on_data(F.l1_loss), on_data(F.mse_loss)
ANSWERS = Answers(
    recipe=Recipe(elastic),
    variants={
        "the losses with a sum": by_losses,
        "one vector": one_vector,
        "as a tutorial prints it: two loops": in_two_loops,
        "layer by layer": by_layers,
        "norms": elastic(
            first=added(lambda w: w.norm(1)),
            second=added(lambda w: torch.linalg.vector_norm(w) ** 2),
        ),
        "as a course prints it: norm(p=1), norm(p=2)²": elastic(
            first=added(lambda w: torch.norm(w, 1)), second=added(lambda w: torch.norm(w, 2) ** 2)
        ),
        "the residual by hand": elastic(data=lambda output, y: (y - output).square().mean()),
    },
    slips=(
        slip(
            "l1-loss-left",
            "The L1 part still compares outputs with targets.",
            "Replace l1_loss(outputs, y) by the sum of |w|.",
            first=DATA_FIRST,
        ),
        slip(
            "l2-loss-left",
            "The L2 part still compares outputs with targets.",
            "Replace mse_loss(outputs, y) by the sum of w².",
            second=DATA_SECOND,
        ),
        slip(
            "l1-mean",
            "The L1 part is a mean of |w| over the entries of each layer (as l1_loss takes it); "
            "the formula has the sum.",
            "Use w.abs().sum().",
            first=from_zero(F.l1_loss),
        ),
        slip(
            "l2-mean",
            "The L2 part is a mean of the squares over the entries of each layer (as mse_loss takes "
            "it); the formula has the sum.",
            "Use (w ** 2).sum().",
            second=from_zero(F.mse_loss),
        ),
        slip(
            "no-half",
            "The factor ½ before Σw² is missing.",
            "Multiply by ½.",
            second_factor=1.0,
        ),
        slip(
            "half-of-both",
            "There is a ½ before the L1 part; the ½ belongs to the squares only.",
            "Take the ½ away from the L1 part.",
            first_factor=0.5,
        ),
        slip(
            "norm-not-squared",
            "The L2 part adds norms that are not squared.",
            "Square the entries, and take no root.",
            {"second": added(lambda w: w.norm())},
            {"second": added(lambda w: torch.sqrt((w**2).sum() + 1e-8))},
        ),
        slip(
            "root-and-square",
            "You take the root of Σw² and square it again: for weights of 0 the gradient of the "
            "root is infinite, and the result NaN.",
            "Leave out both, the root and the square of it.",
            second=added(lambda w: torch.sqrt((w**2).sum()) ** 2),
        ),
        slip(
            "no-absolute-value",
            "The L1 part adds the weights with their signs, so that they cancel.",
            "Take the absolute value of each entry before you add.",
            first=added(lambda w: w.sum()),
        ),
        slip(
            "absolute-value-of-the-sum",
            "The L1 part is the absolute value of a sum, in which the weights cancel.",
            "Take the absolute value of each entry before you add.",
            first=added(lambda w: w.sum().abs()),
        ),
        slip(
            "euclidean-for-l1",
            "The L1 part is the length √Σw² of each weight matrix; meant is Σ|w|.",
            "Use w.abs().sum(), or w.norm(1).",
            first=added(lambda w: w.norm()),
        ),
        slip(
            "matrix-norm-for-l1",
            "torch.linalg.norm(w, 1) of a matrix is its largest column sum; meant is Σ|w|, over all "
            "entries.",
            "Use w.abs().sum().",
            first=added(lambda w: torch.linalg.norm(w, 1)),
        ),
        slip(
            "root-for-absolute",
            "You write |w| as the root of w², whose gradient is NaN where a weight is 0.",
            "Use w.abs().",
            first=added(lambda w: torch.sqrt(w**2).sum()),
        ),
        slip(
            "l1-squared",
            "The L1 part is squared; the formula has Σ|w| itself.",
            "Leave out the square.",
            first=added(lambda w: w.abs().sum() ** 2),
        ),
        slip(
            "penalties-alike",
            "Both parts are sums of squares.",
            "The L1 part is Σ|w|: w.abs().sum().",
            first=SQUARES,
        ),
        slip(
            "data-loss-exchanged",
            "The data loss has become the mean absolute error.",
            "Leave mse_loss(outputs, y) as it was.",
            data=F.l1_loss,
        ),
        slip(
            "data-loss-lost",
            "The data loss is gone: the model would only shrink.",
            "Leave mse_loss(outputs, y) as it was.",
            data=lambda output, y: 0.0,
        ),
        slip(
            "data-summed",
            "The data loss has become a sum over the batch; it is a mean.",
            "Leave mse_loss(outputs, y) as it was.",
            data=lambda output, y: F.mse_loss(output, y, reduction="sum"),
        ),
        slip(
            "data-summed-over-outputs",
            "The data loss adds up the errors of all outputs of a sample; it is a mean over all "
            "entries.",
            "Leave mse_loss(outputs, y) as it was.",
            data=lambda output, y: ((output - y) ** 2).sum(1).mean(),
        ),
        slip(
            "data-halved",
            "The data loss has got a ½ that belongs to the L2 part alone.",
            "Leave mse_loss(outputs, y) as it was.",
            data=lambda output, y: 0.5 * F.mse_loss(output, y),
        ),
        slip(
            "data-rooted",
            "You take the root of the mean squared error.",
            "Leave mse_loss(outputs, y) as it was.",
            data=lambda output, y: torch.sqrt(F.mse_loss(output, y)),
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
            "Biases are penalised as well; the formula has only parameters with two or more axes.",
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
            "first-layer-only",
            "Only the first layer is penalised.",
            "Add over all of the weights.",
            chosen=lambda model: weights(model)[:1],
        ),
        slip(
            "last-layer-only",
            "Only the last layer is penalised: each layer replaces what was added before.",
            "Add to the total: total = total + ....",
            chosen=lambda model: weights(model)[-1:],
        ),
        slip(
            "swapped",
            "l1 and l2 are exchanged.",
            "l1 belongs to Σ|w|, and l2 to ½Σw².",
            rates=lambda l1, l2: (l2, l1),
        ),
        slip(
            "one-rate",
            "l1 stands before both penalties.",
            "l1 belongs to Σ|w|, and l2 to ½Σw².",
            rates=lambda l1, l2: (l1, l1),
        ),
        slip(
            "detached",
            "The penalty has no gradient (.item(), .data, detach() or no_grad()), so it moves no "
            "weight.",
            "Add the tensors themselves.",
            penalty=lambda value, y: value.detach() if hasattr(value, "detach") else value,
        ),
        slip(
            "divided-by-the-batch",
            "The penalties are divided by the number of samples; the formula has them as they are.",
            "Only the data loss is a mean.",
            penalty=lambda value, y: value / len(y),
        ),
        slip(
            "wrong-sign",
            "The penalties are subtracted, so large weights are rewarded.",
            "Add them.",
            penalty=lambda value, y: -value,
        ),
        slip(
            "no-penalty",
            "The loss is the data loss alone; both penalties are gone.",
            "Add l1·Σ|w| and ½·l2·Σw².",
            penalty=lambda value, y: 0.0,
        ),
        slip(
            "cut-off",
            "The whole loss is cut off from the weights (by detach(), no_grad() or "
            "torch.tensor(...)).",
            "Return what the sum gives.",
            around=result(lambda loss: loss.detach()),
        ),
        slip(
            "a-plain-number",
            "You return a plain number (.item() or float()), which has no gradient.",
            "Return the tensor itself.",
            around=result(float),
        ),
        slip(
            "float32-inside",
            "Your result is float32 although weights and data are float64, as when torch.tensor(0.0) is "
            "added to in place, with +=.",
            "Start from the number 0.0, or write total = total + ....",
            around=result(lambda loss: loss.float()),
        ),
        slip(
            "one-entry",
            "Your result has the shape (1,), as when a sum starts from torch.zeros(1).",
            "Start from 0.0, and return a tensor with no axes.",
            around=result(lambda loss: loss.reshape(1)),
        ),
        slip(
            "halves-exchanged",
            "The ½ stands before Σ|w|, and the squares have none.",
            "The formula is l1·Σ|w| + ½·l2·Σw².",
            first_factor=0.5,
            second_factor=1.0,
        ),
        slip(
            "of-the-outputs",
            "You penalise the size of the outputs; the formula has the weights.",
            "Go through model.parameters().",
            {
                "first": lambda ws, output, y: output.abs().sum(),
                "second": lambda ws, output, y: (output**2).sum(),
            },
            {
                "first": lambda ws, output, y: output.abs().mean(),
                "second": lambda ws, output, y: (output**2).mean(),
            },
        ),
        slip(
            "means",
            "Both penalties are means over the entries of each layer (as l1_loss and mse_loss "
            "take them); the formula has sums, so large layers count too little.",
            'Use sums, or reduction="sum".',
            first=from_zero(F.l1_loss),
            second=from_zero(F.mse_loss),
        ),
        slip(
            "unrepaired",
            "As in the broken program, l1_loss and mse_loss compare outputs with targets. They "
            "are data losses and know nothing of the weights.",
            "Add up the absolute values and the squares of the weights.",
            first=DATA_FIRST,
            second=DATA_SECOND,
        ),
    ),
)
