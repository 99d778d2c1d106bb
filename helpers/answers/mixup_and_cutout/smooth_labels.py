"""Smooth labels: right and wrong answers."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception


def smooth_labels(y, num_classes, epsilon):
    """One label at a time, from the definition."""
    epsilon = float(epsilon)
    targets = torch.full((len(y), num_classes), epsilon / num_classes, device=y.device)
    for i in range(len(y)):
        targets[i, int(y[i])] += 1 - epsilon
    return targets


def by_one_hot(y, num_classes, epsilon):
    return (1 - epsilon) * F.one_hot(y, num_classes).float() + epsilon / num_classes


def by_scatter(y, num_classes, epsilon):
    spread = float(epsilon) / num_classes
    targets = torch.full((len(y), num_classes), spread, device=y.device)
    return targets.scatter(1, y.unsqueeze(1), 1 - float(epsilon) + spread)


def by_mixing_with_uniform(y, num_classes, epsilon):
    one_hot = torch.eye(num_classes, device=y.device)[y]
    return torch.lerp(one_hot, torch.full_like(one_hot, 1 / num_classes), float(epsilon))


def by_comparison(y, num_classes, epsilon):
    right = y[:, None] == torch.arange(num_classes, device=y.device)
    high = 1 - epsilon + epsilon / num_classes
    return torch.where(right, high, epsilon / num_classes).float()


def by_numpy(y, num_classes, epsilon):
    """NumPy needs the labels on the CPU; the result goes back to where they were."""
    table = np.eye(num_classes) * (1 - epsilon) + epsilon / num_classes
    return torch.from_numpy(table).float().to(y.device)[y]


def _over_others(y, num_classes, epsilon):
    others = epsilon / max(num_classes - 1, 1)
    right = F.one_hot(y, num_classes).float()
    return (1 - epsilon) * right + others * (1 - right)


def _without_share(y, num_classes, epsilon):
    right = F.one_hot(y, num_classes).float()
    return (1 - epsilon) * right + epsilon / num_classes * (1 - right)


def _adds_only(y, num_classes, epsilon):
    return F.one_hot(y, num_classes).float() + epsilon / num_classes


def _scales_only(y, num_classes, epsilon):
    return (1 - epsilon) * F.one_hot(y, num_classes).float()


def _not_divided(y, num_classes, epsilon):
    return (1 - epsilon) * F.one_hot(y, num_classes).float() + epsilon


def _swapped(y, num_classes, epsilon):
    return by_one_hot(y, num_classes, 1 - epsilon)


def _by_batch(y, num_classes, epsilon):
    return (1 - epsilon) * F.one_hot(y, num_classes).float() + epsilon / len(y)


def _from_labels(y, num_classes, epsilon):
    one_hot = F.one_hot(y).float()
    return (1 - epsilon) * one_hot + epsilon / one_hot.shape[1]


def _mixed_counts(y, num_classes, epsilon):
    classes = torch.unique(y).numel() if y.device.type != "meta" else num_classes
    return (1 - epsilon) * F.one_hot(y, num_classes).float() + epsilon / classes


def _fixed_epsilon(y, num_classes, epsilon):
    return by_one_hot(y, num_classes, 0.1)


def _float64(y, num_classes, epsilon):
    return by_one_hot(y, num_classes, epsilon).double()


def _truncated(y, num_classes, epsilon):
    targets = torch.zeros_like(F.one_hot(y, num_classes))
    targets[:] = by_one_hot(y, num_classes, epsilon)
    return targets.float()


def _transposed(y, num_classes, epsilon):
    return by_one_hot(y, num_classes, epsilon).T


def _on_cpu(y, num_classes, epsilon):
    return (1 - epsilon) * torch.eye(num_classes)[y] + epsilon / num_classes


def _normalised(y, num_classes, epsilon):
    raw = F.one_hot(y, num_classes).float() + epsilon
    return raw / raw.sum(dim=1, keepdim=True)


ANSWERS = Answers(
    reference=smooth_labels,
    variants={
        "one-hot": by_one_hot,
        "scatter": by_scatter,
        "lerp towards the uniform distribution": by_mixing_with_uniform,
        "where": by_comparison,
        "a table from NumPy": by_numpy,
    },
    misconceptions=(
        Misconception(
            "spread-over-others",
            _over_others,
            "You gave 1 − ε to the labelled class and ε/(C − 1) to every other class, which is "
            "another convention.",
            "Here ε is spread over all C classes, the labelled one included.",
        ),
        Misconception(
            "labelled-class-left-out",
            _without_share,
            "Your labelled class gets 1 − ε and misses its own share ε/C, so rows do not sum to 1.",
            "Add ε/C to every entry of (1 − ε)·one-hot.",
        ),
        Misconception(
            "not-scaled",
            _adds_only,
            "You added ε/C but did not scale the one-hot row, so rows sum to more than 1.",
            "Take ε away from the label first: (1 − ε)·one-hot.",
        ),
        Misconception(
            "nothing-spread",
            _scales_only,
            "You took ε away from the label but gave it to no class.",
            "Add ε/C to every class.",
        ),
        Misconception(
            "not-divided",
            _not_divided,
            "You gave a whole ε to every class.",
            "The classes share ε: each gets ε/C.",
        ),
        Misconception(
            "epsilon-swapped",
            _swapped,
            "You used ε where 1 − ε is meant, and the other way round.",
            "With ε = 0 the result is the plain one-hot row.",
        ),
        Misconception(
            "divided-by-batch",
            _by_batch,
            "You divided ε by the number of labels in the batch.",
            "Divide by the number of classes.",
        ),
        Misconception(
            "classes-from-labels",
            _from_labels,
            "You took the number of classes from the labels in this batch.",
            "Give num_classes to F.one_hot: a class may be missing from a batch.",
        ),
        Misconception(
            "classes-that-occur",
            _mixed_counts,
            "You divided ε by the number of classes that occur in y.",
            "Divide by num_classes: a class may be missing from a batch.",
        ),
        Misconception(
            "fixed-epsilon",
            _fixed_epsilon,
            "Your function always uses ε = 0.1.",
            "Use the argument epsilon.",
        ),
        Misconception(
            "adds-and-normalises",
            _normalised,
            "You added ε to each class and divided by the sum, which is a smaller smoothing.",
            "Scale the one-hot row by 1 − ε, then add ε/C.",
        ),
        Misconception(
            "float64",
            _float64,
            "Your numbers are right, but they are float64.",
            "Convert the result with .float().",
        ),
        Misconception(
            "truncated",
            _truncated,
            "You wrote the probabilities into a tensor of ints, which cuts the fractions off.",
            "F.one_hot gives ints: convert with .float() first.",
        ),
        Misconception(
            "transposed",
            _transposed,
            "Your result has the shape (C, N).",
            "One row for each label: (N, C).",
        ),
        Misconception(
            "on-cpu",
            _on_cpu,
            "You made the result on the CPU, also when y lies on a GPU.",
            "Make new tensors with device=y.device, or start from F.one_hot(y, num_classes).",
        ),
    ),
)
