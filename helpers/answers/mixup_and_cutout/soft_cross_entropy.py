"""Cross-entropy with soft targets: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def reference(logits: Tensor, target_probabilities: Tensor) -> Tensor:
    """PyTorch's own, which takes probabilities as targets too."""
    return F.cross_entropy(logits, target_probabilities)


def averaged(
    logits: Any = lambda z: z,
    log_p: Any = lambda z: z.log_softmax(dim=1),
    turn: Any = lambda log_p, z: log_p(z),
    unit: Any = lambda log_p: log_p,
    targets: Any = lambda t: t,
    weigh: Any = lambda t, log_p, z: t * log_p,
    reduce: Any = lambda terms: terms.sum(dim=1).mean(),
    sign: Any = lambda loss: -loss,
    result: Any = lambda loss: loss,
) -> Any:
    """The loss from its parts."""

    def soft_cross_entropy(z: Tensor, t: Tensor) -> Any:
        used = logits(z)
        return result(sign(reduce(weigh(targets(t), unit(turn(log_p, used)), used))))

    return soft_cross_entropy


def by_logsumexp(z: Tensor, t: Tensor) -> Tensor:
    """For targets that sum to 1."""
    return (torch.logsumexp(z, dim=1) - (t * z).sum(dim=1)).mean()


def as_on_paper(z: Tensor, t: Tensor) -> Tensor:
    largest = z.max(dim=1, keepdim=True).values
    log_p = z - (largest + (z - largest).exp().sum(dim=1, keepdim=True).log())
    return -(t * log_p).sum() / len(z)


def row_by_row(z: Tensor, t: Tensor) -> Tensor:
    total = z.new_zeros(())
    for row, target in zip(z, t, strict=True):
        total = total - torch.dot(target, F.log_softmax(row, dim=0))
    return total / z.shape[0]


def in_float64(z: Tensor, t: Tensor) -> Tensor:
    log_p = torch.log_softmax(z.double(), dim=-1)
    return -torch.einsum("nc,nc->n", t.double(), log_p).mean().to(z.dtype)


def as_a_library_has_it(x: Tensor, target: Tensor) -> Tensor:
    loss = torch.sum(-target * F.log_softmax(x, dim=-1), dim=-1)
    return loss.mean()


def as_a_course_prints_it(prediction: Tensor, target: Tensor) -> Tensor:
    logsoftmax = torch.nn.LogSoftmax(dim=1)
    return torch.mean(torch.sum(-target * logsoftmax(prediction), 1))


def as_a_batch_mean(inputs: Tensor, soft: Tensor) -> Tensor:
    return F.log_softmax(inputs, dim=1).mul(soft).sum() / -inputs.size(0)


class Added(float):
    """A small number that is added. Of very small ones nobody can see whether they are."""


def _kept_from_zero(p: Tensor, c: Any) -> Tensor:
    """Probabilities that are at least a small number, or what torch.finfo calls so."""
    if isinstance(c, Added):
        return p + float(c)
    if isinstance(c, str):
        info = torch.finfo(p.dtype)
        c = info.eps if c.endswith("eps") else info.tiny
    return p.clamp(min=c)


ADDED = tuple(Added(c) for c in (1e-8, 1e-7, 1e-6, 1e-5))
SMALL = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-15, 1e-16, 1e-20, 1e-30)
SMALL_IN_TORCH = ("torch.finfo(dtype).eps", "torch.finfo(dtype).tiny")

LIMITS = {
    **{f"to ±{c}": (-c, c) for c in (5, 10, 15, 20, 30, 50, 60, 80, 88, 100, 500, 700)},
    **{f"to at most {c}": (None, c) for c in (10, 20, 50, 80, 88, 100, 500, 700)},
}


def _largest(z: Tensor) -> Tensor:
    return z.max(dim=1, keepdim=True).values


def _log_of_sum(z: Tensor) -> Tensor:
    return z.exp().sum(dim=1, keepdim=True).log()


def _zero_at_zero(p: Tensor) -> Tensor:
    return torch.where(p > 0, p.log(), torch.zeros_like(p))


def _only_largest(t: Tensor) -> Tensor:
    return F.one_hot(t.argmax(dim=1), t.shape[1]).to(t.dtype)


def _binary(t: Tensor, log_p: Tensor, z: Tensor) -> Tensor:
    return t * F.logsigmoid(z) + (1 - t) * F.logsigmoid(-z)


def in_place(loss: Any) -> Any:
    def soft_cross_entropy(z: Tensor, t: Tensor) -> Any:
        z -= _largest(z)
        return loss(z, t)

    return soft_cross_entropy


ANSWERS = Answers(
    recipe=Recipe(averaged),
    reference=reference,
    variants={
        "log_softmax": averaged(),
        "logsumexp": by_logsumexp,
        "as on paper: shifted by the largest logit": as_on_paper,
        "row by row": row_by_row,
        "float64 inside": in_float64,
        "as a library has it": as_a_library_has_it,
        "as a course prints it: nn.LogSoftmax": as_a_course_prints_it,
        "a sum divided by −N": as_a_batch_mean,
    },
    slips=(
        # The logarithm of the probabilities.
        slip(
            "log-of-softmax",
            "You take the logarithm of a softmax. A probability that is rounded to 0 has the "
            "logarithm −∞, and 0·∞ is NaN.",
            "Use log_softmax, which takes the logarithm before anything is rounded to 0.",
            log_p=lambda z: z.softmax(dim=1).log(),
        ),
        slip(
            "plain-exponentials",
            "exp of a large logit is infinite, and ∞/∞ is NaN.",
            "Subtract the largest logit of each row first, or use log_softmax.",
            log_p=lambda z: (z.exp() / z.exp().sum(dim=1, keepdim=True)).log(),
        ),
        slip(
            "log-of-sum",
            "exp of a large logit is infinite, so the logarithm of your sum is infinite too.",
            "Use logsumexp, which subtracts the largest logit first.",
            {"log_p": lambda z: z - _log_of_sum(z)},
            {  # not weighed with the targets, which sum to 1 in each row
                "weigh": lambda t, log_p, z: t * z - _log_of_sum(z) / t.shape[1],
            },
        ),
        slip(
            "hides-nan",
            "You replace NaN and infinity after the logarithm of a softmax. A very wrong answer then "
            "gets the wrong loss, and no gradient or NaN.",
            "Use log_softmax: nothing has to be replaced then.",
            {"log_p": lambda z: z.softmax(dim=1).log().nan_to_num()},
            {"weigh": lambda t, log_p, z: (t * z.softmax(dim=1).log()).nan_to_num()},
            {"weigh": lambda t, log_p, z: torch.xlogy(t, z.softmax(dim=1))},
            {"log_p": lambda z: _zero_at_zero(z.softmax(dim=1))},
        ),
        family(
            "clamps-probabilities",
            "You clamp the probabilities at {constant}, or add that to them, before the logarithm. "
            "A very wrong answer then gets the loss of a less wrong one, and hardly a gradient.",
            "Use log_softmax: nothing has to be clamped or added then.",
            (*SMALL, *SMALL_IN_TORCH, *ADDED),
            lambda c: {"log_p": lambda z: _kept_from_zero(z.softmax(dim=1), c).log()},
        ),
        family(
            "clamps-logits",
            "You clamp the logits {constant}, so beyond the limit the loss is wrong and the gradient "
            "is 0.",
            "Use log_softmax on the logits as they are.",
            LIMITS,
            lambda c: {"logits": lambda z: z.clamp(*LIMITS[c])},
        ),
        slip(
            "one-maximum-for-all",
            "You subtract one maximum from all rows. In a row whose logits lie far below it all "
            "exponentials become 0, and the logarithm −∞.",
            "Take the largest logit of each row: z.max(dim=1, keepdim=True).values.",
            log_p=lambda z: (z - z.max()) - _log_of_sum(z - z.max()),
        ),
        slip(
            "maximum-over-images",
            "You subtract the largest logit of each class over the images, which changes the "
            "probabilities.",
            "Take the largest logit of each row: z.max(dim=1, keepdim=True).values.",
            log_p=lambda z: (z - z.max(dim=0).values).log_softmax(dim=1),
        ),
        slip(
            "maximum-on-one-side",
            "You subtract the largest logit M in one place and not in the other: in the logits or "
            "inside of the sum.",
            "log q = z − (M + log Σ exp(z − M)): M must come back in.",
            {"log_p": lambda z: z - _log_of_sum(z - _largest(z))},
            {"log_p": lambda z: (z - _largest(z)) - _log_of_sum(z)},
            {"log_p": lambda z: (z - _largest(z)) - z.logsumexp(dim=1, keepdim=True)},
        ),
        slip(
            "no-keepdim",
            "What you subtract from the logits has the shape (N,), and PyTorch lines it up with the "
            "classes.",
            "Give keepdim=True, so that it has the shape (N, 1), one number for each row.",
            {"log_p": lambda z: z - z.logsumexp(dim=1)},
            {"log_p": lambda z: z - z.exp().sum(dim=1).log()},
            {"log_p": lambda z: (z - z.max(dim=1).values).log_softmax(dim=1)},
        ),
        slip(
            "softmax-over-batch",
            "Your softmax runs over the images instead of the classes.",
            "The classes are the last axis: dim=1.",
            turn=lambda log_p, z: log_p(z.T).T,
        ),
        slip(
            "softmax-over-all",
            "Your probabilities sum to 1 over the whole batch, and each row is meant to.",
            "Normalise over the classes: dim=1.",
            turn=lambda log_p, z: log_p(z.reshape(1, -1)).reshape(z.shape),
        ),
        slip(
            "no-softmax",
            "You used the logits as if they were logarithms of probabilities.",
            "Normalise them first with log_softmax.",
            log_p=lambda z: z,
        ),
        slip(
            "log-of-logits",
            "You took the logarithm of the logits, which may be negative.",
            "Logits are no probabilities yet: use log_softmax.",
            log_p=lambda z: z.log(),
        ),
        slip(
            "softmax-twice",
            "You applied softmax twice, so the network looks much less sure than it is.",
            "log_softmax takes the logits themselves.",
            logits=lambda z: z.softmax(dim=1),
        ),
        slip(
            "without-log",
            "You left out the logarithm.",
            "Weigh the logarithms of the probabilities: log_softmax for softmax.",
            log_p=lambda z: z.softmax(dim=1),
        ),
        slip(
            "sigmoid",
            "You used one sigmoid for each class; the classes are meant to share one softmax.",
            "Use log_softmax over the classes.",
            {"log_p": F.logsigmoid},
            {"log_p": lambda z: z.sigmoid().log()},
        ),
        family(
            "other-base",
            "You used the logarithm to the base {constant}.",
            "PyTorch and this course use the natural logarithm.",
            (2, 10),
            lambda c: {"unit": lambda log_p: log_p / math.log(c)},
        ),
        # The targets, and what is made of both.
        slip(
            "softmax-of-targets",
            "You applied softmax to the targets, which are probabilities already.",
            "Use the targets as they are.",
            targets=lambda t: t.softmax(dim=1),
        ),
        slip(
            "hard-targets",
            "You used only the most probable class of each target.",
            "Weigh the logarithm of every class with its target probability.",
            {"targets": _only_largest},
            {"targets": lambda t: _only_largest(t) * t},
        ),
        slip(
            "targets-unused",
            "You sum the logarithms of all classes without their target probabilities.",
            "Weigh the logarithm of every class with its target probability.",
            targets=torch.ones_like,
        ),
        slip(
            "other-classes",
            "You weigh the logarithms with 1 − target.",
            "Weigh the logarithm of every class with its target probability.",
            targets=lambda t: 1 - t,
        ),
        slip(
            "divergence",
            "You computed the Kullback–Leibler divergence: it lacks the entropy of the targets.",
            "Leave out the term with the logarithm of the targets.",
            {"weigh": lambda t, log_p, z: t * log_p - torch.xlogy(t, t)},
            {"weigh": lambda t, log_p, z: t * (log_p - t.log())},
        ),
        slip(
            "arguments-reversed",
            "You took the logarithm of the targets and weighed it with the predictions.",
            "The logarithm belongs to the predictions, the weights are the targets.",
            {"weigh": lambda t, log_p, z: z.softmax(dim=1) * t.log()},
            *(
                {"weigh": lambda t, log_p, z, c=c: z.softmax(dim=1) * (t + c).log()}
                for c in (1e-12, 1e-8)
            ),
        ),
        slip(
            "arguments-exchanged",
            "You take the targets for the logits, and the logits for the targets.",
            "The signature is soft_cross_entropy(logits, target_probabilities).",
            around=lambda loss: lambda z, t: loss(t, z),
        ),
        slip(
            "binary",
            "You used a binary cross-entropy, with one sigmoid for each class; the classes are meant "
            "to share one softmax.",
            "Use log_softmax over the classes.",
            weigh=_binary,
        ),
        slip(
            "binary-of-softmax",
            "You added the terms (1 − t)·log(1 − q) of the binary cross-entropy.",
            "With several classes the loss is −Σ t·log q, and nothing else.",
            {"weigh": lambda t, log_p, z: t * log_p + torch.xlogy(1 - t, 1 - log_p.exp())},
            {
                "weigh": lambda t, log_p, z: (
                    -F.binary_cross_entropy(log_p.exp(), t, reduction="none")
                )
            },
        ),
        slip(
            "squares",
            "You summed squared differences of probabilities.",
            "Weigh the logarithm of every class with its target probability.",
            weigh=lambda t, log_p, z: -((t - log_p.exp()) ** 2),
        ),
        # The sum and the mean.
        slip(
            "sum-over-batch",
            "You summed over the batch; the mean is meant.",
            "Sum over the classes, then take the mean over the images.",
            reduce=lambda terms: terms.sum(),
        ),
        slip(
            "mean-over-everything",
            "You took the mean over images and classes, so the loss is too small by the factor C.",
            "Sum over the classes (dim=1), then take the mean over the images.",
            reduce=lambda terms: terms.mean(),
        ),
        slip(
            "axes-swapped",
            "You summed over the images and took the mean over the classes.",
            "Sum over the classes (dim=1), then take the mean over the images.",
            reduce=lambda terms: terms.sum(dim=0).mean(),
        ),
        slip(
            "no-mean",
            "You return one loss for each image.",
            "Take the mean over the images at the end.",
            reduce=lambda terms: terms.sum(dim=1),
        ),
        slip(
            "one-loss-for-each-class",
            "You return one loss for each class.",
            "Sum over the classes (dim=1), then take the mean over the images.",
            {"reduce": lambda terms: terms.sum(dim=0)},
            {"reduce": lambda terms: terms.mean(dim=0)},
        ),
        slip(
            "not-reduced",
            "You return one number for each image and class.",
            "Sum over the classes (dim=1), then take the mean over the images.",
            reduce=lambda terms: terms,
        ),
        slip(
            "one-image-only",
            "Your loss is that of a single image.",
            "Take the mean over all images; in a loop, return after it and not inside of it.",
            {"reduce": lambda terms: terms.sum(dim=1)[0]},
            {"reduce": lambda terms: terms.sum(dim=1)[-1]},
        ),
        slip(
            "sign",
            "Your loss has the wrong sign.",
            "Logarithms of probabilities are negative, and a loss is not: put a minus in front.",
            sign=lambda loss: loss,
        ),
        # What comes back.
        slip(
            "returns-float",
            "You return a Python number, so nothing can be trained with your loss.",
            "Return the tensor itself, without .item().",
            result=lambda loss: loss.item(),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End it with return.",
            result=lambda loss: None,
        ),
        slip(
            "one-axis-too-many",
            "Your loss has the shape (1,), as it comes from torch.zeros(1) or keepdim=True.",
            "Return a tensor without axes: mean() gives one.",
            result=lambda loss: loss.reshape(-1)[:1],
        ),
        slip(
            "float32",
            "Your loss is always float32.",
            "Keep the dtype of the logits.",
            result=lambda loss: loss.float(),
        ),
        slip(
            "float64",
            "Your loss is always float64.",
            "Keep the dtype of the logits.",
            result=lambda loss: loss.double(),
        ),
        slip(
            "cut-off",
            "Your loss is cut off from the logits, by detach() or .data or no_grad().",
            "Compute with the logits themselves.",
            result=lambda loss: loss.detach(),
        ),
        slip(
            "in-place",
            "Your code changes the logits that it was given.",
            "Write logits - ... into a new variable instead of logits -= ...",
            around=in_place,
        ),
    ),
)
