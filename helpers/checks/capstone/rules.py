"""The rules of the capstone: what each observation means, in words, and what must hold.

Every function here takes raw data that a student's code has shown, whatever it is, and returns a
short text; `RULES` says which text an honest answer shows.
"""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking import Aspect, Case
from helpers.checks.capstone.task import MOST_NUMBERS, STEPS, has_numbers, task

KNOWS_NOTHING = "nothing yet"
KNOWS_AT_BIRTH = 0.5
"""An untrained network has a tenth of the classes right, by luck a third."""
CLASSES_APART = 0.7
"""The outputs of freshly drawn weights part three classes of ten; those of trained ones nearly all."""
KNOWS_AFTER_TEN = 0.85
"""One image of each class teaches a network about half."""
UNREADABLE = "something that is no plain tensor"


def size(numbers: Any, case: Case) -> str:
    limit = f"{MOST_NUMBERS:,}"
    few = isinstance(numbers, int) and numbers <= MOST_NUMBERS
    return f"at most {limit}" if few else f"more than {limit}"


def two_builds(weights: Any, case: Case) -> str:
    if not has_numbers(weights) or weights.dim() != 2:
        return UNREADABLE
    same = weights.shape[1] > 0 and torch.equal(weights[0], weights[1])
    return "the same weights twice" if same else "other weights each time"


def knowledge_at_birth(predicted: Any, case: Case) -> str:
    """Which images an untrained network knows: none, if it is honest."""
    t = task(case.kept)
    if not has_numbers(predicted) or predicted.shape != t.y_plain.shape:
        return UNREADABLE
    right = (predicted == t.y_plain).double()
    cut = len(t.train.x_train)
    on_train, on_test = right[:cut].mean().item(), right[cut:].mean().item()
    if max(on_train, on_test) < KNOWS_AT_BIRTH:
        return KNOWS_NOTHING
    if on_train < KNOWS_AT_BIRTH:
        return "the classes of the test images, and of no others"
    if on_test > on_train + 0.015:
        return "the test images, better than the training images"
    return "the digits"


def classes_apart(outputs: Any, case: Case) -> str:
    """Whether the mean output of each class, over training images, already tells test images
    apart. Weights or stored images from before show here even behind a fresh last layer."""
    t = task(case.kept)
    cut = len(t.train.y_train)
    if not has_numbers(outputs) or outputs.shape != (cut + len(t.y_test), 10):
        return UNREADABLE
    scaled = outputs.double() / (outputs[:cut].double().std(dim=0) + 1e-9)
    means = torch.stack([scaled[:cut][t.train.y_train == k].mean(dim=0) for k in range(10)])
    nearest = torch.cdist(scaled[cut:], means).argmin(dim=1)
    apart = (nearest == t.y_test).double().mean().item() >= CLASSES_APART
    return "the classes, already apart" if apart else "no classes yet"


def kind_of_output(outputs: Any, case: Case) -> str:
    """Whether the rows are probabilities, as a softmax at the end makes them."""
    if not has_numbers(outputs) or outputs.dim() != 2:
        return UNREADABLE
    inside = ((outputs > 0) & (outputs < 1)).all()
    are = bool(inside) and bool(((outputs.double().sum(dim=1) - 1).abs() < 1e-3).all())
    return "probabilities" if are else "logits"


def knowledge_after_ten(predicted: Any, case: Case) -> str:
    y = task(case.kept).y_test
    if not has_numbers(predicted) or predicted.shape != y.shape:
        return UNREADABLE
    right = (predicted == y).double().mean().item()
    return "little" if right < KNOWS_AFTER_TEN else "nearly everything"


def optimised(counts: Any, case: Case) -> str:
    held, own = _three(counts, 2)
    if held == own > 0:
        return "parameters of the model"
    return "other tensors" if held else "nothing"


def unchanged(total: Any, case: Case) -> str:
    same = has_numbers(total) and total.numel() == 1 and total.item() == 0.0
    return "unchanged weights" if same else "changed weights"


def passes(counts: Any, case: Case) -> str:
    steps, forward, backward = _three(counts, 3)
    if steps > 0 and forward == backward == steps:
        return "one forward and one backward pass a step"
    return "more passes than steps" if max(forward, backward) > steps else "fewer passes than steps"


def order(predicted: Any, case: Case) -> str:
    """Whether an image keeps its class when the images come in another order."""
    if not has_numbers(predicted) or predicted.dim() != 2 or len(predicted) != 2:
        return UNREADABLE
    kept = (predicted[0] == predicted[1]).double().mean().item()
    return "the images" if kept > 0.5 else "the places in the batch"


def same_data(states: Any, case: Case) -> str:
    """Compares a few numbers of the images and labels before and after."""
    if not has_numbers(states) or states.dim() != 2 or len(states) != 2:
        return UNREADABLE
    return "the same data" if torch.equal(states[0], states[1]) else "other data"


def _three(counts: Any, n: int) -> list[float]:
    if not has_numbers(counts) or counts.shape != (n,):
        return [-1.0] * n
    return [float(c) for c in counts]


_OUTPUT = "build_model()(x).shape, for 4 images"
_NUMBERS = "build_model(), parameters and buffers"
_TOO_MANY = f"The model holds more than {MOST_NUMBERS:,} numbers."
_TRAINING = "the course's loop with your optimiser and scheduler"
_PASSES = "The network is trained by more, or other, steps than those of the course's loop."
_DATA = "Images or labels were changed during the training."

RULES: dict[str, Aspect] = {
    "output": Aspect(_OUTPUT, "build_model gives no network with ten outputs for each image."),
    "kind of output": Aspect(
        "build_model()(x), for 4 images, what the numbers are",
        "The outputs are probabilities; the loss asks for logits.",
        measure=kind_of_output,
    ),
    "numbers": Aspect(_NUMBERS, _TOO_MANY, measure=size),
    "two builds": Aspect(
        "build_model(), called twice",
        "The weights are not drawn anew at each call.",
        measure=two_builds,
    ),
    "at birth": Aspect(
        "build_model(), what it knows before any training",
        "The network knows the answers before it is trained.",
        measure=knowledge_at_birth,
    ),
    "untrained outputs": Aspect(
        "build_model()(images), what the outputs show before any training",
        "The network tells the classes apart before it is trained.",
        measure=classes_apart,
    ),
    "optimised": Aspect(
        f"configure_training(model, {STEPS}), what the optimiser holds",
        "The optimiser holds something other than the model's parameters.",
        measure=optimised,
    ),
    "changed by configure_training": Aspect(
        f"configure_training(model, {STEPS}), and then the model",
        "configure_training changes the weights.",
        measure=unchanged,
    ),
    "passes": Aspect(_TRAINING, _PASSES, measure=passes),
    "data": Aspect(f"{_TRAINING}, and then the data", _DATA, measure=same_data),
    "after ten images": Aspect(
        "what the network knows after 40 steps with one image of each class",
        "The network knows more than what it was shown.",
        measure=knowledge_after_ten,
    ),
    "another order": Aspect(
        "model(images), in two orders: what the predictions follow",
        "The predictions do not follow the images.",
        measure=order,
    ),
    "numbers afterwards": Aspect(_NUMBERS + " after training", _TOO_MANY, measure=size),
}

HONEST = {
    "output": "(4, 10)",
    "kind of output": "logits",
    "numbers": f"at most {MOST_NUMBERS:,}",
    "two builds": "other weights each time",
    "at birth": KNOWS_NOTHING,
    "untrained outputs": "no classes yet",
    "optimised": "parameters of the model",
    "changed by configure_training": "unchanged weights",
    "passes": "one forward and one backward pass a step",
    "data": "the same data",
    "after ten images": "little",
    "another order": "the images",
    "numbers afterwards": f"at most {MOST_NUMBERS:,}",
}
"""What an honest answer shows in the trial, in the order in which it is looked at."""

PUBLIC = (
    "output",
    "kind of output",
    "numbers",
    "two builds",
    "optimised",
    "changed by configure_training",
)
"""Rules that need no labels, so that a broken one can end the observation at once."""


def goes_on(key: str, value: Any) -> bool:
    """Whether it is worth while to look further. The judge looks again, from outside."""
    if key not in PUBLIC:
        return True
    measure = RULES[key].measure
    seen = value.detach().clone() if isinstance(value, torch.Tensor) else value
    return (measure(seen, Case("no case")) if measure else seen) == HONEST[key]
