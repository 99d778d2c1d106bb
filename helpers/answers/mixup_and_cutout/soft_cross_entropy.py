"""Cross-entropy with soft targets: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception


def soft_cross_entropy(logits, target_probabilities):
    """PyTorch's own, which takes probabilities as targets too."""
    return F.cross_entropy(logits, target_probabilities)


def by_log_softmax(z, t):
    return -(t * z.log_softmax(dim=1)).sum(dim=1).mean()


def by_logsumexp(z, t):
    """For targets that sum to 1."""
    return (torch.logsumexp(z, dim=1) - (t * z).sum(dim=1)).mean()


def by_shifting(z, t):
    shifted = z - z.max(dim=1, keepdim=True).values
    log_p = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -(t * log_p).sum() / len(z)


def row_by_row(z, t):
    total = z.new_zeros(())
    for row, target in zip(z, t, strict=True):
        total = total - torch.dot(target, F.log_softmax(row, dim=0))
    return total / z.shape[0]


def in_float64(z, t):
    log_p = torch.log_softmax(z.double(), dim=-1)
    return -torch.einsum("nc,nc->n", t.double(), log_p).mean().to(z.dtype)


def _log_p(z):
    return z.log_softmax(dim=1)


def _log_of_softmax(z, t):
    return -(t * z.softmax(dim=1).log()).sum(dim=1).mean()


def _plain_exponentials(z, t):
    p = z.exp() / z.exp().sum(dim=1, keepdim=True)
    return -(t * p.log()).sum(dim=1).mean()


def _log_of_sum(z, t):
    """Half a repair: the logarithm of the numerator is taken, that of the sum is not."""
    return (z.exp().sum(dim=1).log() - (t * z).sum(dim=1)).mean()


def _small_number(z, t):
    return -(t * (z.softmax(dim=1) + 1e-9).log()).sum(dim=1).mean()


def _clamped(z, t):
    return -(t * z.softmax(dim=1).clamp(min=1e-12).log()).sum(dim=1).mean()


def _clamped_logits(z, t):
    return by_log_softmax(z.clamp(-50, 50), t)


def _sum(z, t):
    return -(t * _log_p(z)).sum()


def _mean_of_all(z, t):
    return -(t * _log_p(z)).mean()


def _no_mean(z, t):
    return -(t * _log_p(z)).sum(dim=1)


def _sign(z, t):
    return (t * _log_p(z)).sum(dim=1).mean()


def _first_axis(z, t):
    return -(t * z.log_softmax(dim=0)).sum(dim=1).mean()


def _hard(z, t):
    return F.nll_loss(_log_p(z), t.argmax(dim=1))


def _raw_logits(z, t):
    return -(t * z).sum(dim=1).mean()


def _log_of_logits(z, t):
    return -(t * z.log()).sum(dim=1).mean()


def _twice(z, t):
    return by_log_softmax(z.softmax(dim=1), t)


def _targets_as_logits(z, t):
    return by_log_softmax(z, t.softmax(dim=1))


def _divergence(z, t):
    return (torch.xlogy(t, t) - t * _log_p(z)).sum(dim=1).mean()


def _reversed(z, t):
    return -(z.softmax(dim=1) * (t + 1e-12).log()).sum(dim=1).mean()


def _without_log(z, t):
    return -(t * z.softmax(dim=1)).sum(dim=1).mean()


def _base_two(z, t):
    return by_log_softmax(z, t) / torch.log(torch.tensor(2.0)).item()


def _binary(z, t):
    return F.binary_cross_entropy_with_logits(z, t, reduction="none").sum(dim=1).mean()


def _item(z, t):
    loss = by_log_softmax(z, t)
    return loss.item() if z.device.type != "meta" else loss


def _cut_off(z, t):
    return by_log_softmax(z.detach(), t)


def _in_place(z, t):
    z -= z.max(dim=1, keepdim=True).values
    return by_log_softmax(z, t)


ANSWERS = Answers(
    reference=soft_cross_entropy,
    variants={
        "log_softmax": by_log_softmax,
        "logsumexp": by_logsumexp,
        "shifted by the largest logit": by_shifting,
        "row by row": row_by_row,
        "float64 inside": in_float64,
    },
    misconceptions=(
        Misconception(
            "log-of-softmax",
            _log_of_softmax,
            "You take the logarithm of a softmax. A probability that is rounded to 0 has the "
            "logarithm −∞, and 0·∞ is NaN.",
            "Use log_softmax, which takes the logarithm before anything is rounded to 0.",
        ),
        Misconception(
            "plain-exponentials",
            _plain_exponentials,
            "exp of a large logit is infinite, and ∞/∞ is NaN.",
            "Subtract the largest logit of each row first, or use log_softmax.",
        ),
        Misconception(
            "log-of-sum",
            _log_of_sum,
            "exp of a large logit is infinite, so the logarithm of your sum is infinite too.",
            "Use logsumexp, which subtracts the largest logit first.",
        ),
        Misconception(
            "adds-a-small-number",
            _small_number,
            "You add a small number before the logarithm, which limits the loss and its gradient.",
            "Use log_softmax: nothing has to be added then.",
        ),
        Misconception(
            "clamps-probabilities",
            _clamped,
            "You clamp the probabilities, or add a small number to them, before the logarithm. A very "
            "wrong answer then gets the loss of a less wrong one, and hardly a gradient.",
            "Use log_softmax: nothing has to be clamped then.",
        ),
        Misconception(
            "clamps-logits",
            _clamped_logits,
            "You clamp the logits, so beyond the limit the loss is wrong and the gradient is 0.",
            "Use log_softmax on the logits as they are.",
        ),
        Misconception(
            "sum-over-batch",
            _sum,
            "You summed over the batch; the mean is meant.",
            "Sum over the classes, then take the mean over the images.",
        ),
        Misconception(
            "mean-over-everything",
            _mean_of_all,
            "You took the mean over images and classes, so the loss is too small by the factor C.",
            "Sum over the classes (dim=1), then take the mean over the images.",
        ),
        Misconception(
            "no-mean",
            _no_mean,
            "You return one loss for each image.",
            "Take the mean over the images at the end.",
        ),
        Misconception(
            "sign",
            _sign,
            "Your loss has the wrong sign.",
            "Logarithms of probabilities are negative, and a loss is not: put a minus in front.",
        ),
        Misconception(
            "softmax-over-batch",
            _first_axis,
            "Your softmax runs over the images instead of the classes.",
            "The classes are the last axis: dim=1.",
        ),
        Misconception(
            "hard-targets",
            _hard,
            "You used only the most probable class of each target.",
            "Weigh the logarithm of every class with its target probability.",
        ),
        Misconception(
            "no-softmax",
            _raw_logits,
            "You used the logits as if they were logarithms of probabilities.",
            "Normalise them first with log_softmax.",
        ),
        Misconception(
            "log-of-logits",
            _log_of_logits,
            "You took the logarithm of the logits, which may be negative.",
            "Logits are no probabilities yet: use log_softmax.",
        ),
        Misconception(
            "softmax-twice",
            _twice,
            "You applied softmax twice, so the network looks much less sure than it is.",
            "log_softmax takes the logits themselves.",
        ),
        Misconception(
            "softmax-of-targets",
            _targets_as_logits,
            "You applied softmax to the targets, which are probabilities already.",
            "Use the targets as they are.",
        ),
        Misconception(
            "divergence",
            _divergence,
            "You computed the Kullback–Leibler divergence: it lacks the entropy of the targets.",
            "Leave out the term with the logarithm of the targets.",
        ),
        Misconception(
            "arguments-reversed",
            _reversed,
            "You took the logarithm of the targets and weighed it with the predictions.",
            "The logarithm belongs to the predictions, the weights are the targets.",
        ),
        Misconception(
            "without-log",
            _without_log,
            "You left out the logarithm.",
            "Weigh the logarithms of the probabilities: log_softmax for softmax.",
        ),
        Misconception(
            "base-two",
            _base_two,
            "You used the logarithm to the base 2.",
            "PyTorch and this course use the natural logarithm.",
        ),
        Misconception(
            "binary",
            _binary,
            "You used one sigmoid for each class; the classes are meant to share one softmax.",
            "Use log_softmax over the classes.",
        ),
        Misconception(
            "returns-float",
            _item,
            "You return a Python number, so nothing can be trained with your loss.",
            "Return the tensor itself, without .item().",
        ),
        Misconception(
            "cut-off",
            _cut_off,
            "Your loss is cut off from the logits, by detach() or .data or no_grad().",
            "Compute with the logits themselves.",
        ),
        Misconception(
            "in-place",
            _in_place,
            "Your code changes the logits that it was given.",
            "Write logits - ... into a new variable instead of logits -= ...",
        ),
    ),
)
