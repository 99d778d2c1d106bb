"""Program 9, data losses taken for weight penalties: real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.answers.bug_clinic.bug_clinic_norms import weights
from helpers.checking.check import Answers, Misconception


def sum_abs(model):
    return sum(w.abs().sum() for w in weights(model))


def sum_squares(model):
    return sum((w**2).sum() for w in weights(model))


def elastic(data=F.mse_loss, first=sum_abs, second=sum_squares, half=0.5, first_half=1.0):
    """Data loss + l1·first + ½·l2·second, with each part exchangeable."""

    def loss(model, x, y, l1, l2):
        return data(model(x), y) + first_half * l1 * first(model) + half * l2 * second(model)

    return loss


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


def by_name(model, x, y, l1, l2):
    named = [p for name, p in model.named_parameters() if name.endswith("weight")]
    return F.mse_loss(model(x), y) + sum(
        l1 * p.abs().sum() + l2 * p.pow(2).sum() / 2 for p in named
    )


def unrepaired(model, x, y, l1, l2):
    output = model(x)
    return F.mse_loss(output, y) + l1 * F.l1_loss(output, y) + 0.5 * l2 * F.mse_loss(output, y)


def of_the_outputs(model, x, y, l1, l2):
    output = model(x)
    return F.mse_loss(output, y) + l1 * output.abs().sum() + 0.5 * l2 * (output**2).sum()


def one_data_loss_left(model, x, y, l1, l2):
    output = model(x)
    return F.mse_loss(output, y) + l1 * F.l1_loss(output, y) + 0.5 * l2 * sum_squares(model)


def detached(model, x, y, l1, l2):
    with torch.no_grad():
        penalty = l1 * sum_abs(model) + 0.5 * l2 * sum_squares(model)
    return F.mse_loss(model(x), y) + penalty


def of_layers(function, reduction="mean"):
    """A data loss between each weight and zero."""

    def total(model):
        return sum(function(w, torch.zeros_like(w), reduction=reduction) for w in weights(model))

    return total


ANSWERS = Answers(
    reference=elastic(),
    variants={
        "the losses with a sum": by_losses,
        "one vector": one_vector,
        "by name": by_name,
        "norms": elastic(
            first=lambda model: sum(w.norm(1) for w in weights(model)),
            second=lambda model: sum(torch.linalg.vector_norm(w) ** 2 for w in weights(model)),
        ),
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            unrepaired,
            "This is the broken program: l1_loss and mse_loss compare outputs with targets. They "
            "are data losses and know nothing of the weights.",
            "Add up the absolute values and the squares of the weights.",
        ),
        Misconception(
            "l1-loss-left",
            one_data_loss_left,
            "The L2 part looks at the weights now; the L1 part still compares outputs with targets.",
            "Replace l1_loss(output, y) by the sum of |w|.",
        ),
        Misconception(
            "of-the-outputs",
            of_the_outputs,
            "You penalise the size of the outputs; the formula has the weights.",
            "Go through model.parameters().",
        ),
        Misconception(
            "means",
            elastic(first=of_layers(F.l1_loss), second=of_layers(F.mse_loss)),
            "l1_loss and mse_loss take the mean over the entries of each layer; the formula has "
            "sums, so large layers count too little.",
            'Use sums, or reduction="sum".',
        ),
        Misconception(
            "l1-mean",
            elastic(first=of_layers(F.l1_loss)),
            "l1_loss(w, 0) is the mean of |w|; the formula has the sum.",
            "Use w.abs().sum().",
        ),
        Misconception(
            "l2-mean",
            elastic(second=of_layers(F.mse_loss)),
            "mse_loss(w, 0) is the mean of the squares; the formula has the sum.",
            "Use (w ** 2).sum().",
        ),
        Misconception(
            "no-half",
            elastic(half=1.0),
            "The L2 part is Σw² (as mse_loss with a sum gives it); the formula has ½Σw².",
            "Multiply by ½.",
        ),
        Misconception(
            "half-of-both",
            elastic(first_half=0.5),
            "The ½ belongs to the squares only; the L1 part is Σ|w|.",
            "Take the ½ away from the L1 part.",
        ),
        Misconception(
            "norm-not-squared",
            elastic(second=lambda model: sum(w.norm() for w in weights(model))),
            "The L2 part adds norms that are not squared.",
            "Square the entries, and take no root.",
        ),
        Misconception(
            "data-loss-exchanged",
            elastic(data=F.l1_loss),
            "The penalties are right, but the data loss has become the mean absolute error.",
            "Leave mse_loss(output, y) as it was.",
        ),
        Misconception(
            "data-loss-lost",
            elastic(data=lambda output, y: 0 * output.sum()),
            "The penalties are right, but the data loss is gone: the model would only shrink.",
            "Leave mse_loss(output, y) as it was.",
        ),
        Misconception(
            "counts-biases",
            elastic(
                first=lambda model: sum(p.abs().sum() for p in model.parameters()),
                second=lambda model: sum((p**2).sum() for p in model.parameters()),
            ),
            "Biases are penalised as well; the formula has only parameters with two or more axes.",
            "Leave out parameters with fewer than two axes: p.dim() >= 2.",
        ),
        Misconception(
            "first-layer-only",
            elastic(
                first=lambda model: weights(model)[0].abs().sum(),
                second=lambda model: (weights(model)[0] ** 2).sum(),
            ),
            "Only the first layer is penalised.",
            "Add over all of the weights.",
        ),
        Misconception(
            "detached",
            detached,
            "The value is right, but the penalty has no gradient (.item(), .data, detach() or "
            "no_grad()), so it moves no weight.",
            "Add the tensors themselves.",
        ),
        Misconception(
            "swapped",
            lambda model, x, y, l1, l2: elastic()(model, x, y, l2, l1),
            "l1 and l2 are exchanged.",
            "l1 belongs to Σ|w|, and l2 to ½Σw².",
        ),
        Misconception(
            "data-summed",
            elastic(data=lambda y, target: F.mse_loss(y, target, reduction="sum")),
            "The penalties are right, but the data loss has become a sum over the batch; it "
            "is a mean.",
            "Leave mse_loss(output, y) as it was.",
        ),
        Misconception(
            "data-halved",
            elastic(data=lambda y, target: 0.5 * F.mse_loss(y, target)),
            "The penalties are right, but the data loss has got a ½ that belongs to the L2 "
            "part alone.",
            "Leave mse_loss(output, y) as it was.",
        ),
        Misconception(
            "no-absolute-value",
            elastic(first=lambda model: sum(w.sum() for w in weights(model))),
            "The L1 part adds the weights with their signs, so that they cancel.",
            "Take the absolute value of each entry before you add.",
        ),
        Misconception(
            "divided-by-the-batch",
            lambda model, x, y, l1, l2: elastic()(model, x, y, l1 / len(x), l2 / len(x)),
            "The penalties are divided by the number of samples; the formula has them as they are.",
            "Only the data loss is a mean.",
        ),
    ),
)
