"""Checks of soft targets and of the loss that takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checking.devices import device_of


def _label_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(name: str, y: torch.Tensor, num_classes: int, epsilon: Any) -> Case:
        return Case(name, y=y, num_classes=num_classes, epsilon=epsilon)

    many = torch.randint(10, (12,), generator=rng)
    yield case("one label", torch.tensor([1]), 4, 0.2)
    yield case("two classes", torch.tensor([1, 0]), 2, 0.1)
    yield case("classes that do not occur", torch.tensor([0, 2, 1]), 5, 0.3)
    yield case("as many labels as classes", torch.tensor([2, 0, 0]), 3, 0.3)
    yield case("ten classes", many, 10, 0.1)
    yield case("epsilon = 0", torch.tensor([0, 2]), 3, 0.0)
    yield case("epsilon = 1, an int", torch.tensor([0, 2]), 3, 1).beyond()
    yield case("epsilon from NumPy", torch.tensor([0, 2]), 3, np.float64(0.15)).beyond()
    yield case("one class only", torch.tensor([0, 0]), 1, 0.4).beyond()
    yield case("labels that are a column of a matrix", many.view(6, 2)[:, 1], 10, 0.05).beyond()
    meta = torch.zeros(3, dtype=torch.int64, device="meta")
    yield case("labels on another device", meta, 4, 0.1).beyond()


def _observe_labels(smooth_labels: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.y.device.type == "meta":
        yield "device", device_of(lambda: smooth_labels(case.y, case.num_classes, case.epsilon))
        return
    yield "targets", smooth_labels(case.y, case.num_classes, case.epsilon)
    yield "y afterwards", case.y


SMOOTH_LABELS = Check(
    name="check_smooth_labels",
    lesson="mixup_and_cutout",
    topic="smooth labels",
    takes=(Argument("smooth_labels"),),
    cases=_label_cases,
    observe=_observe_labels,
    aspects={
        "targets": Aspect(
            "smooth_labels({y}, {num_classes}, {epsilon})", "The probabilities are wrong."
        ),
        "y afterwards": Aspect(
            "smooth_labels(y, {num_classes}, {epsilon}), and then y", "Your code changed y."
        ),
        "device": Aspect(
            "smooth_labels({y}, {num_classes}, {epsilon})",
            "A tensor that your code makes is not on the device of y.",
            secret=True,
        ),
    },
    praise="every class gets ε/C, the labelled one gets 1 − ε on top, and each row sums to 1.",
    reread="Targets that leave room for doubt",
)


def check_smooth_labels(smooth_labels: Callable[..., torch.Tensor]) -> None:
    """Check `smooth_labels(y, num_classes, epsilon)`: (1 − ε)·one-hot + ε/C, in float32.

    `y` (N,) holds class indices; the result is (N, C). What happens on another device, for a
    single class and for an ε of 1 is only noted. Source: Szegedy and others, "Rethinking the
    Inception Architecture for Computer Vision", CVPR 2016.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> import torch.nn.functional as F
    >>> check_smooth_labels(lambda y, C, epsilon: (1 - epsilon) * F.one_hot(y, C) + epsilon / C)
    ✓ smooth labels — every class gets ε/C, the labelled one gets 1 − ε on top, and each row sums to 1.
    """
    run_check(SMOOTH_LABELS, smooth_labels)


EXTREME = 1000.0


def _loss_cases(rng: torch.Generator) -> Iterator[Case]:
    double = torch.float64

    def soft(n: int, c: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(n, c, generator=rng, dtype=dtype).softmax(dim=1)

    def draw(n: int, c: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return 2 * torch.randn(n, c, generator=rng, dtype=dtype)

    def extreme(dtype: torch.dtype) -> dict[str, torch.Tensor]:
        rows = torch.tensor([[1, -1, -1], [-1, 1, 0], [0, 0, 1], [-1, -1, 0]], dtype=dtype)
        targets = [[1, 0, 0], [0.5, 0.5, 0], [0.1, 0.2, 0.7], [0, 1, 0]]
        return {"logits": EXTREME * rows, "targets": torch.tensor(targets, dtype=dtype)}

    def case(name: str, logits: torch.Tensor, targets: torch.Tensor, large: bool = False) -> Case:
        return Case(name, logits=logits, targets=targets, large=large)

    yield case("one image", torch.tensor([[2.0, 0.0]]), torch.tensor([[0.75, 0.25]]))
    yield case("hard targets", torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0]]))
    yield case("three images", draw(3, 2), soft(3, 2))
    yield case("a batch", draw(6, 5), soft(6, 5))
    yield case("as many images as classes", draw(4, 4), soft(4, 4))
    yield case("float64", draw(5, 3, double), soft(5, 3, double))
    one_hot = torch.tensor([[1.0, 0.0, 0.0]])
    yield case("a wrong answer, very sure", EXTREME * (1 - 2 * one_hot), one_hot, True)
    yield case("logits of 1000 and −1000", EXTREME * (2 * one_hot - 1), one_hot, True)
    yield case("large logits that are all equal", torch.full((2, 3), EXTREME), soft(2, 3), True)
    yield case("logits around 1000", EXTREME + draw(4, 3), soft(4, 3), True)
    yield case("many large logits", **extreme(torch.float32), large=True)
    yield case("many large logits in float64", **extreme(double), large=True)
    yield case("a transposed matrix of logits", draw(3, 4).t(), soft(4, 3)).beyond()
    yield case("one row of targets for all", draw(4, 3), soft(1, 3).expand(4, 3)).beyond()
    meta = torch.zeros(3, 4, device="meta")
    yield case("tensors on another device", meta, torch.zeros(3, 4, device="meta")).beyond()


def _observe_loss(soft_cross_entropy: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.logits.device.type == "meta":
        yield "device", device_of(lambda: soft_cross_entropy(case.logits, case.targets))
        return
    leaf = case.fresh().logits.requires_grad_()
    yield "large loss" if case.large else "loss", soft_cross_entropy(case.logits, case.targets)
    loss = soft_cross_entropy(leaf * 1, case.targets)
    yield "connected", bool(getattr(loss, "requires_grad", False))
    (gradient,) = torch.autograd.grad(loss, leaf)
    yield "large gradient" if case.large else "gradient", gradient
    yield "logits afterwards", case.logits
    yield "targets afterwards", case.targets


_LOSS = "soft_cross_entropy({logits}, {targets})"
_BACKWARD = "soft_cross_entropy({logits}, {targets}).backward(), and then logits.grad"

SOFT_CROSS_ENTROPY = Check(
    name="check_soft_cross_entropy",
    lesson="mixup_and_cutout",
    topic="soft cross-entropy",
    takes=(Argument("soft_cross_entropy"),),
    cases=_loss_cases,
    observe=_observe_loss,
    aspects={
        "loss": Aspect(_LOSS, "The loss is wrong."),
        # With logits of 1000, float32 has steps of 6e-5 between neighbouring numbers.
        "large loss": Aspect(
            _LOSS, "The loss is wrong for very large logits.", rtol=1e-3, atol=1e-3
        ),
        "connected": Aspect(
            "soft_cross_entropy(logits, targets).requires_grad, for logits that ask for gradients",
            "Autograd cannot see through your function: the loss is cut off from the logits.",
        ),
        "gradient": Aspect(
            _BACKWARD, "The gradient with respect to the logits is wrong.", input="logits"
        ),
        "large gradient": Aspect(
            _BACKWARD,
            "The gradient with respect to very large logits is wrong.",
            rtol=1e-3,
            atol=1e-4,
            input="logits",
        ),
        "logits afterwards": Aspect(
            "soft_cross_entropy(logits, targets), and then logits", "Your code changed the logits."
        ),
        "targets afterwards": Aspect(
            "soft_cross_entropy(logits, targets), and then targets",
            "Your code changed the targets.",
        ),
        "device": Aspect(
            _LOSS, "A tensor that your code makes is not on the device of the logits.", secret=True
        ),
    },
    praise="the mean over the batch, and right even for logits of ±1000.",
    reread="A loss for soft targets",
    forbidden=frozenset({"cross_entropy", "cross_entropy_loss", "kl_div"}),
)


def check_soft_cross_entropy(soft_cross_entropy: Callable[..., torch.Tensor]) -> None:
    """Check `soft_cross_entropy(logits, target_probabilities)`: −Σ t·log softmax(logits), summed
    over the classes and averaged over the batch.

    Both arguments are (N, C); the result is a 0-d tensor of the dtype of the logits, with a graph,
    right for logits of ±1000 in float32 and float64. What happens on another device and for
    transposed or expanded arguments is only noted. Not allowed: torch's own `cross_entropy`
    (which takes probabilities too) and `kl_div`. Source: Szegedy and others, "Rethinking the
    Inception Architecture for Computer Vision", CVPR 2016.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> check_soft_cross_entropy(lambda z, t: -(t * z.log_softmax(dim=1)).sum(dim=1).mean())
    ✓ soft cross-entropy — the mean over the batch, and right even for logits of ±1000.
    """
    run_check(SOFT_CROSS_ENTROPY, soft_cross_entropy)
