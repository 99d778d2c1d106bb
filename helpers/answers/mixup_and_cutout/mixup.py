"""Mixup: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception

Pair = tuple[torch.Tensor, torch.Tensor]


def mixup(x, y, lam, permutation, num_classes) -> Pair:
    """One image at a time, from the definition."""
    lam = float(lam)
    x_rows, y_rows = [], []
    for i in range(len(x)):
        j = int(permutation[i])
        x_rows.append(lam * x[i] + (1 - lam) * x[j])
        row = torch.zeros(num_classes, dtype=x.dtype, device=x.device)
        row[int(y[i])] += lam
        row[int(y[j])] += 1 - lam
        y_rows.append(row)
    return torch.stack(x_rows), torch.stack(y_rows)


def _blend(t, lam, permutation):
    return lam * t + (1 - lam) * t[permutation]


def _one_hot(x, y, num_classes):
    return F.one_hot(y, num_classes).to(x.dtype)


def mixed(x, y, lam, permutation, num_classes) -> Pair:
    return _blend(x, lam, permutation), _blend(_one_hot(x, y, num_classes), lam, permutation)


def by_lerp(x, y, lam, permutation, num_classes) -> Pair:
    labels = torch.eye(num_classes, dtype=x.dtype, device=x.device)[y]
    return torch.lerp(x[permutation], x, lam), torch.lerp(labels[permutation], labels, lam)


def by_matrix(x, y, lam, permutation, num_classes) -> Pair:
    """A matrix (N, N) that mixes the rows of whatever it multiplies."""
    eye = torch.eye(len(x), dtype=x.dtype, device=x.device)
    weights = lam * eye + (1 - lam) * eye[permutation]
    classes = torch.arange(num_classes, device=y.device)
    labels = (y[:, None] == classes).to(x.dtype)
    return (weights @ x.flatten(1) if x.dim() > 1 else weights @ x).view(x.shape), weights @ labels


def by_scatter(x, y, lam, permutation, num_classes) -> Pair:
    y_mix = torch.zeros(len(y), num_classes, dtype=x.dtype, device=x.device)
    ones = torch.ones(len(y), 1, dtype=x.dtype, device=x.device)
    y_mix.scatter_add_(1, y[:, None], lam * ones)
    y_mix.scatter_add_(1, y[permutation][:, None], (1 - lam) * ones)
    x_mix = x.clone()
    x_mix *= lam
    x_mix += (1 - lam) * x[permutation]
    return x_mix, y_mix


def as_list(x, y, lam, permutation, num_classes):
    return list(mixed(x, y, lam, permutation, num_classes))


def _swapped(x, y, lam, permutation, num_classes):
    return mixed(x, y, 1 - lam, permutation, num_classes)


def _labels_swapped(x, y, lam, permutation, num_classes):
    return (
        _blend(x, lam, permutation),
        _blend(_one_hot(x, y, num_classes), 1 - lam, permutation),
    )


def _inverse(x, y, lam, permutation, num_classes):
    return mixed(x, y, lam, torch.argsort(permutation), num_classes)


def _draws_anew(x, y, lam, permutation, num_classes):
    return mixed(x, y, lam, torch.randperm(len(x), device=x.device), num_classes)


def _draws_lam(x, y, lam, permutation, num_classes):
    drawn = float(torch.distributions.Beta(1.0, 1.0).sample())
    return mixed(x, y, drawn, permutation, num_classes)


def _flips(x, y, lam, permutation, num_classes):
    return mixed(x, y, lam, torch.arange(len(x) - 1, -1, -1, device=x.device), num_classes)


def _labels_not_mixed(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), _one_hot(x, y, num_classes)


def _images_not_mixed(x, y, lam, permutation, num_classes):
    return x.clone(), _blend(_one_hot(x, y, num_classes), lam, permutation)


def _hard_labels(x, y, lam, permutation, num_classes):
    winner = y if lam >= 0.5 else y[permutation]
    return _blend(x, lam, permutation), _one_hot(x, winner, num_classes)


def _mixed_indices(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), _blend(y.to(x.dtype), lam, permutation)


def _tutorial(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), y, y[permutation], lam


def _from_the_labels(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), _blend(F.one_hot(y).to(x.dtype), lam, permutation)


def _float32_labels(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), _blend(F.one_hot(y, num_classes), lam, permutation).float()


def _float64_labels(x, y, lam, permutation, num_classes):
    return _blend(x, lam, permutation), _blend(F.one_hot(y, num_classes), lam, permutation).double()


def _integer_labels(x, y, lam, permutation, num_classes):
    one_hot = F.one_hot(y, num_classes)
    y_mix = torch.zeros_like(one_hot)
    y_mix[:] = _blend(one_hot, lam, permutation)
    return _blend(x, lam, permutation), y_mix.to(x.dtype)


def _overwrites(x, y, lam, permutation, num_classes):
    y_mix = torch.zeros(len(y), num_classes, dtype=x.dtype, device=x.device)
    rows = torch.arange(len(y), device=x.device)
    y_mix[rows, y] = float(lam)
    y_mix[rows, y[permutation]] = float(1 - lam)
    return _blend(x, lam, permutation), y_mix


def _in_place(x, y, lam, permutation, num_classes):
    y_mix = _blend(_one_hot(x, y, num_classes), lam, permutation)
    partner = x[permutation]
    x *= lam
    x += (1 - lam) * partner
    return x, y_mix


def _in_place_row_by_row(x, y, lam, permutation, num_classes):
    """Rows that are mixed already are mixed again as partners."""
    y_mix = _one_hot(x, y, num_classes)
    x_mix = x.clone()
    for i in range(len(x)):
        x_mix[i] = lam * x_mix[i] + (1 - lam) * x_mix[permutation[i]]
        y_mix[i] = lam * y_mix[i] + (1 - lam) * y_mix[permutation[i]]
    return x_mix, y_mix


def _at_least_half(x, y, lam, permutation, num_classes):
    return mixed(x, y, max(lam, 1 - lam), permutation, num_classes)


def _adds_whole_partner(x, y, lam, permutation, num_classes):
    one_hot = _one_hot(x, y, num_classes)
    return lam * x + x[permutation], lam * one_hot + one_hot[permutation]


def _halves(x, y, lam, permutation, num_classes):
    return mixed(x, y, 0.5, permutation, num_classes)


def _columns(x, y, lam, permutation, num_classes):
    return (
        lam * x + (1 - lam) * x[:, permutation],
        _blend(_one_hot(x, y, num_classes), lam, permutation),
    )


def _cut_off(x, y, lam, permutation, num_classes):
    return mixed(x.detach(), y, lam, permutation, num_classes)


def _labels_on_cpu(x, y, lam, permutation, num_classes):
    labels = torch.eye(num_classes, dtype=x.dtype)[y]
    return _blend(x, lam, permutation), _blend(labels, lam, permutation)


ANSWERS = Answers(
    reference=mixup,
    variants={
        "one-hot": mixed,
        "lerp": by_lerp,
        "a matrix that mixes rows": by_matrix,
        "scatter, in place on its own copy": by_scatter,
        "a list of two": as_list,
    },
    misconceptions=(
        Misconception(
            "swapped-weights",
            _swapped,
            "Your weights are swapped: lam weighs the partner, and it is meant to weigh x[i].",
            "With lam = 1 the batch must come back as it was.",
        ),
        Misconception(
            "labels-swapped",
            _labels_swapped,
            "You mixed the images with lam, but the labels with 1 − lam.",
            "The label must say how much of each image is there: the same weights for both.",
        ),
        Misconception(
            "inverse-permutation",
            _inverse,
            "You used the inverse of the permutation.",
            "The partner of image i is x[permutation[i]], which is row i of x[permutation].",
        ),
        Misconception(
            "draws-permutation",
            _draws_anew,
            "You drew a permutation of your own, and one is given.",
            "Use the argument permutation for images and labels.",
        ),
        Misconception(
            "draws-lam",
            _draws_lam,
            "You drew a weight of your own, and lam is given.",
            "Drawing belongs to the caller; use the argument lam.",
        ),
        Misconception(
            "flips-batch",
            _flips,
            "You paired the first image with the last one, whatever the permutation says.",
            "The partner of image i is x[permutation[i]].",
        ),
        Misconception(
            "labels-not-mixed",
            _labels_not_mixed,
            "You mixed the images but kept the labels of x[i] alone.",
            "An image that is 70 % a three and 30 % an eight gets 0.7 for three and 0.3 for eight.",
        ),
        Misconception(
            "images-not-mixed",
            _images_not_mixed,
            "You mixed the labels but not the images.",
            "Mix x in the same way as the one-hot labels.",
        ),
        Misconception(
            "hard-labels",
            _hard_labels,
            "You gave each mixed image only the class with the larger weight.",
            "Mix the one-hot labels too, so that a row can hold two classes.",
        ),
        Misconception(
            "mixes-class-indices",
            _mixed_indices,
            "You mixed the class numbers: halfway between class 2 and class 4 is not class 3.",
            "Turn y into one-hot rows (N, num_classes) first, then mix the rows.",
        ),
        Misconception(
            "tutorial-form",
            _tutorial,
            "You return both label vectors and lam, as some tutorials do, and leave mixing the "
            "labels to the loss.",
            "Return two tensors: the mixed images and the mixed one-hot labels.",
        ),
        Misconception(
            "classes-from-labels",
            _from_the_labels,
            "You took the number of classes from the labels in this batch.",
            "Give num_classes to F.one_hot: a class may be missing from a batch.",
        ),
        Misconception(
            "labels-float32",
            _float32_labels,
            "Your y_mix is always float32.",
            "y_mix has the dtype of x: convert the one-hot labels with .to(x.dtype).",
        ),
        Misconception(
            "labels-float64",
            _float64_labels,
            "Your y_mix is float64, as it comes from NumPy or .double().",
            "y_mix has the dtype of x: convert the one-hot labels with .to(x.dtype).",
        ),
        Misconception(
            "labels-rounded",
            _integer_labels,
            "You wrote the mixed labels into a tensor of ints, which cuts the fractions off.",
            "F.one_hot gives ints: convert with .to(x.dtype) before you mix.",
        ),
        Misconception(
            "same-class-overwritten",
            _overwrites,
            "When both images have the same class, your second weight overwrites the first.",
            "Add the two weights, so that every row sums to 1.",
        ),
        Misconception(
            "in-place",
            _in_place,
            "Your code mixes x itself in place.",
            "Make a new tensor: lam * x + (1 - lam) * x[permutation].",
        ),
        Misconception(
            "row-by-row-in-place",
            _in_place_row_by_row,
            "You change rows one by one, so later rows are mixed with rows that are mixed already.",
            "Take all partners first, with x[permutation], or write into a new tensor.",
        ),
        Misconception(
            "lam-at-least-half",
            _at_least_half,
            "You replaced lam by the larger of lam and 1 − lam.",
            "Use lam as it is given, also below ½.",
        ),
        Misconception(
            "weights-exceed-one",
            _adds_whole_partner,
            "You added the whole partner, so the two weights do not sum to 1.",
            "The partner has the weight 1 − lam.",
        ),
        Misconception(
            "always-half",
            _halves,
            "You averaged the two images, whatever lam says.",
            "Use lam for x[i] and 1 − lam for its partner.",
        ),
        Misconception(
            "permutes-columns",
            _columns,
            "You permuted the second axis of x, the features, and not the images.",
            "x[permutation] permutes the first axis.",
        ),
        Misconception(
            "cut-off",
            _cut_off,
            "Your x_mix is cut off from x, by detach() or .data or no_grad().",
            "Compute with x itself.",
        ),
        Misconception(
            "labels-on-cpu",
            _labels_on_cpu,
            "You made the one-hot labels on the CPU, also when x lies on a GPU.",
            "Make new tensors with device=x.device, or start from F.one_hot(y, num_classes).",
        ),
    ),
)
