"""Smooth labels: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def reference(y: Tensor, num_classes: int, epsilon: float) -> Tensor:
    """One label at a time, from the definition."""
    epsilon = float(epsilon)
    targets = torch.full((len(y), num_classes), epsilon / num_classes, device=y.device)
    for i in range(len(y)):
        targets[i, int(y[i])] += 1 - epsilon
    return targets


def smoothing(
    amount: Any = lambda epsilon: epsilon,
    one_hot: Any = lambda y, c: F.one_hot(y, c).float(),
    kept: Any = lambda e, c: 1 - e,
    share: Any = lambda e, c, y: e / c,
    join: Any = lambda rows, kept, share: kept * rows + share,
    result: Any = lambda targets: targets,
) -> Any:
    """The targets from their parts."""

    def smooth_labels(y: Tensor, num_classes: int, epsilon: float) -> Any:
        e, rows = amount(epsilon), one_hot(y, num_classes)
        return result(join(rows, kept(e, num_classes), share(e, num_classes, y)))

    return smooth_labels


by_one_hot = smoothing()


def by_scatter(y: Tensor, num_classes: int, epsilon: float) -> Tensor:
    spread = float(epsilon) / num_classes
    targets = torch.full((len(y), num_classes), spread, device=y.device)
    return targets.scatter_(1, y.unsqueeze(1), 1 - float(epsilon) + spread)


def by_mixing_with_uniform(y: Tensor, num_classes: int, epsilon: float) -> Tensor:
    one_hot = torch.eye(num_classes, device=y.device)[y]
    return torch.lerp(one_hot, torch.full_like(one_hot, 1 / num_classes), float(epsilon))


def by_comparison(y: Tensor, num_classes: int, epsilon: float) -> Tensor:
    right = y[:, None] == torch.arange(num_classes, device=y.device)
    high = 1 - epsilon + epsilon / num_classes
    return torch.where(right, high, epsilon / num_classes).float()


def by_numpy(y: Tensor, num_classes: int, epsilon: float) -> Tensor:
    """NumPy needs the labels on the CPU; the result goes back to where they were."""
    table = np.eye(num_classes) * (1 - epsilon) + epsilon / num_classes
    return torch.from_numpy(table).float().to(y.device)[y]


def as_a_book_prints_it(labels: Tensor, num_classes: int, smooth: float) -> Tensor:
    y = F.one_hot(labels, num_classes).to(torch.float32)
    y *= 1 - smooth
    y += smooth / y.shape[1]
    return y


def as_a_library_has_it(labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    off_value = smoothing / num_classes
    on_value = 1.0 - smoothing + off_value
    labels = labels.long().view(-1, 1)
    full = torch.full((labels.size(0), num_classes), off_value, device=labels.device)
    return full.scatter_(1, labels, on_value)


def _counted(y: Tensor) -> int:
    return torch.unique(y).numel() if y.device.type != "meta" else 1


def _over_others(rows: Tensor, kept: Any, share: Any) -> Tensor:
    """Both values for rows of C classes, of which the labelled one gets no share."""
    return kept * rows + share * (1 - rows)


def _normalised(rows: Tensor, kept: Any, share: Any) -> Tensor:
    raw = rows + (1 - kept)
    return raw / raw.sum(dim=1, keepdim=True)


def _truncated(rows: Tensor, kept: Any, share: Any) -> Tensor:
    return (kept * rows + share).long().float()


ANSWERS = Answers(
    recipe=Recipe(smoothing),
    reference=reference,
    variants={
        "one-hot": by_one_hot,
        "scatter": by_scatter,
        "lerp towards the uniform distribution": by_mixing_with_uniform,
        "where": by_comparison,
        "a table from NumPy": by_numpy,
        "as a book prints it": as_a_book_prints_it,
        "as a library has it: on and off values": as_a_library_has_it,
    },
    slips=(
        # What the classes get.
        slip(
            "spread-over-others",
            "You gave 1 − ε to the labelled class and ε/(C − 1) to every other class, which is "
            "another convention.",
            "Here ε is spread over all C classes, the labelled one included.",
            {"share": lambda e, c, y: e / (c - 1), "join": _over_others},
            {"share": lambda e, c, y: e / max(c - 1, 1), "join": _over_others},
        ),
        slip(
            "shares-of-others-for-all",
            "You added ε/(C − 1) to every class, so rows sum to more than 1.",
            "The classes share ε: each of the C gets ε/C.",
            share=lambda e, c, y: e / (c - 1),
        ),
        slip(
            "labelled-class-left-out",
            "Your labelled class gets 1 − ε and misses its own share ε/C, so rows do not sum to 1.",
            "Add ε/C to every entry of (1 − ε)·one-hot.",
            join=_over_others,
        ),
        slip(
            "label-loses-its-share-only",
            "Your labelled class gets 1 − ε/C, so rows do not sum to 1.",
            "It gets 1 − ε, and ε/C on top.",
            kept=lambda e, c: 1 - e / c,
            join=_over_others,
        ),
        slip(
            "not-scaled",
            "You added ε/C but did not scale the one-hot row, so rows sum to more than 1.",
            "Take ε away from the label first: (1 − ε)·one-hot.",
            kept=lambda e, c: 1,
        ),
        slip(
            "label-stays-one",
            "Your labelled class has the probability 1 still, so rows sum to more than 1.",
            "Take the whole ε away from the label first: (1 − ε)·one-hot.",
            kept=lambda e, c: 1,
            share=lambda e, c, y: e / c,
            join=_over_others,
        ),
        slip(
            "nothing-spread",
            "You took ε away from the label but gave it to no class.",
            "Add ε/C to every class.",
            share=lambda e, c, y: 0.0,
        ),
        slip(
            "not-smoothed",
            "Your rows are the plain one-hot rows.",
            "Scale them by 1 − ε, then add ε/C.",
            kept=lambda e, c: 1,
            share=lambda e, c, y: 0.0,
        ),
        slip(
            "not-divided",
            "You gave a whole ε to every class.",
            "The classes share ε: each gets ε/C.",
            share=lambda e, c, y: e,
        ),
        slip(
            "only-share",
            "You scale by 1 − ε, and add 1/C instead of ε/C.",
            "The classes share ε: each gets ε/C.",
            share=lambda e, c, y: 1 / c,
        ),
        slip(
            "share-not-added",
            "You multiply the scaled row by ε/C instead of adding it.",
            "Every class gets ε/C on top: + epsilon / num_classes.",
            share=lambda e, c, y: e / c,
            join=lambda rows, kept, share: kept * rows * share,
        ),
        slip(
            "share-subtracted",
            "You subtract ε/C.",
            "Every class gets ε/C on top: + epsilon / num_classes.",
            join=lambda rows, kept, share: kept * rows - share,
        ),
        slip(
            "no-parentheses",
            "You wrote 1 - epsilon * one_hot without parentheses.",
            "Scale the one-hot row by the whole bracket: (1 - epsilon) * one_hot.",
            join=lambda rows, kept, share: 1 - (1 - kept) * rows + share,
        ),
        slip(
            "all-divided",
            "You divide the whole sum by C, and only ε is shared.",
            "(1 − ε)·one-hot stays as it is: only epsilon is divided by num_classes.",
            {
                "kept": lambda e, c: (1 - e) / c,
            },
            {
                "kept": lambda e, c: (1 - e) / c,
                "share": lambda e, c, y: e / c / c,
            },
        ),
        slip(
            "adds-and-normalises",
            "You added ε to each class and divided by the sum, which is a smaller smoothing.",
            "Scale the one-hot row by 1 − ε, then add ε/C.",
            kept=lambda e, c: 1 - e,
            join=_normalised,
        ),
        slip(
            "half-epsilon",
            "You divide ε by 2, which is right for two classes only.",
            "The classes share ε: each gets ε/C.",
            share=lambda e, c, y: e / 2,
        ),
        # Which numbers.
        slip(
            "epsilon-swapped",
            "You used ε where 1 − ε is meant, and the other way round.",
            "With ε = 0 the result is the plain one-hot row.",
            amount=lambda epsilon: 1 - epsilon,
        ),
        slip(
            "scaled-by-epsilon",
            "You scaled the one-hot row by ε.",
            "The label keeps most: (1 − ε)·one-hot.",
            kept=lambda e, c: e,
        ),
        family(
            "fixed-epsilon",
            "Your function always uses ε = {constant}.",
            "Use the argument epsilon.",
            (0.1, 0.2, 0.05, 0.15),
            lambda c: {"amount": lambda epsilon: c},
        ),
        family(
            "fixed-classes",
            "You divide ε by {constant}, whatever the number of classes is.",
            "Divide by num_classes.",
            (10, 1000, 100),
            lambda c: {"share": lambda e, k, y: e / c},
        ),
        slip(
            "divided-by-batch",
            "You divided ε by the number of labels in the batch.",
            "Divide by the number of classes.",
            share=lambda e, c, y: e / len(y),
        ),
        slip(
            "classes-from-labels",
            "You took the number of classes from the labels in this batch.",
            "Give num_classes to F.one_hot: a class may be missing from a batch.",
            {"one_hot": lambda y, c: F.one_hot(y).float()},
            {
                "one_hot": lambda y, c: F.one_hot(y).float(),
                "share": lambda e, c, y: e / F.one_hot(y).shape[1],
            },
        ),
        slip(
            "classes-that-occur",
            "You divided ε by the number of classes that occur in y.",
            "Divide by num_classes: a class may be missing from a batch.",
            share=lambda e, c, y: e / _counted(y),
        ),
        slip(
            "labels-from-one",
            "You count classes from 1, so your labels are one place too far to the left.",
            "Class indices begin at 0: F.one_hot(y, num_classes).",
            one_hot=lambda y, c: F.one_hot((y - 1) % c, c).float(),
        ),
        slip(
            "no-one-hot",
            "You computed with the class numbers, and one-hot rows are meant.",
            "F.one_hot(y, num_classes) makes a row for each label.",
            {"one_hot": lambda y, c: y},
            {"one_hot": lambda y, c: y.float()},
        ),
        slip(
            "all-labels-in-each-row",
            "Each of your rows marks the labels of all images.",
            "Row i has one label, y[i].",
            one_hot=lambda y, c: F.one_hot(y, c).float().amax(dim=0).expand(len(y), c),
        ),
        # What comes back.
        slip(
            "float64",
            "Your numbers are right, but they are float64.",
            "Convert the result with .float().",
            result=lambda targets: targets.double(),
        ),
        slip(
            "half",
            "Your numbers are in half precision, and float32 is meant.",
            "Convert the result with .float().",
            result=lambda targets: targets.half(),
        ),
        slip(
            "truncated",
            "You wrote the probabilities into a tensor of ints, which cuts the fractions off.",
            "F.one_hot gives ints: convert with .float() first.",
            {"join": _truncated},
            {"join": lambda rows, kept, share: (kept * rows + share).long()},
        ),
        slip(
            "softmax-of-it",
            "You applied softmax to the targets, which are probabilities already.",
            "Rows sum to 1 by themselves.",
            result=lambda targets: targets.softmax(dim=-1),
        ),
        slip(
            "logarithm",
            "You return logarithms of the probabilities.",
            "The logarithm belongs to the loss, and to the predictions there.",
            result=lambda targets: targets.log(),
        ),
        slip(
            "transposed",
            "Your result has the shape (C, N).",
            "One row for each label: (N, C).",
            result=lambda targets: targets.T,
        ),
        slip(
            "one-row-only",
            "You return the row of one label only.",
            "One row for each label: (N, C); return after the loop and not inside of it.",
            {"result": lambda targets: targets[0]},
            {"result": lambda targets: targets[:1]},
            {"result": lambda targets: targets[-1]},
        ),
        slip(
            "returns-list",
            "You return a list, and a tensor is meant.",
            "torch.tensor makes a tensor of a list of rows.",
            result=lambda targets: targets.tolist(),
        ),
        slip(
            "returns-numpy",
            "You return a NumPy array, and a tensor is meant.",
            "torch.from_numpy makes a tensor of it.",
            result=lambda targets: targets.numpy(),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End it with return.",
            result=lambda targets: None,
        ),
        slip(
            "on-cpu",
            "You made the result on the CPU, also when y lies on a GPU.",
            "Make new tensors with device=y.device, or start from F.one_hot(y, num_classes).",
            one_hot=lambda y, c: torch.eye(c)[y],
        ),
    ),
)
