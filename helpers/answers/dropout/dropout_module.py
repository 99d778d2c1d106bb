"""Dropout as a module with two modes: the recipe, its slips, and right answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.answers.dropout import masking
from helpers.answers.dropout.masking import PARTS, Drop, dropping, refuse
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def keeps(self: Any, p: float) -> None:
    self.p = p


def from_parts(
    default: float = 0.5,
    refuse: Any = refuse,
    refuse_late: Any = lambda p: None,
    store: Any = keeps,
    p_of: Any = lambda self: self.p,
    active: Any = lambda self: self.training,
    evaluated: Any = lambda X, p: X,
    after: Any = lambda self: None,
    ends: Any = PARTS["ends"],
    draw: Any = PARTS["draw"],
    keep: Any = PARTS["keep"],
    mask: Any = PARTS["mask"],
    apply: Any = PARTS["apply"],
    scale: Any = PARTS["scale"],
) -> type[nn.Module]:
    """The module of the lesson from its parts: those of the mask, and those of its own."""
    drop = dropping(ends, draw, keep, mask, apply, scale)

    class MyDropout(nn.Module):
        shared = 0.5

        def __init__(self, p: float = default) -> None:
            super().__init__()
            refuse(p)
            store(self, p)

        def forward(self, X: Tensor) -> Any:
            refuse_late(p_of(self))
            result = drop(X, p_of(self)) if active(self) else evaluated(X, p_of(self))
            after(self)
            return result

    return MyDropout


MyDropout = from_parts()


def module(drop: Drop) -> type[nn.Module]:
    """A module that drops in this way in training."""

    class Made(MyDropout):  # type: ignore[valid-type, misc]
        def forward(self, X: Tensor) -> Any:
            return drop(X, self.p) if self.training else X

    return Made


class OnesInEvaluation(MyDropout):  # type: ignore[valid-type, misc]
    """Computes in evaluation too, with a mask of ones."""

    def forward(self, X: Tensor) -> Any:
        return masking.by_bernoulli(X, self.p if self.training else 0.0)


class WithPart(MyDropout):  # type: ignore[valid-type, misc]
    """The work is done by a registered module inside, which obeys its parents."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.part = MyDropout(p)

    def forward(self, X: Tensor) -> Any:
        return self.part(X)


class WithDistribution(nn.Module):
    """As a textbook prints it: a distribution for the mask, and the scale kept beside p."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError("p must lie between 0 and 1")
        self.p = p

    def forward(self, X: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return X
        if self.p == 1:
            return torch.zeros_like(X)
        binomial = torch.distributions.Binomial(probs=torch.tensor(1 - self.p))
        return X * binomial.sample(X.size()) * (1.0 / (1 - self.p))


class PartInList(MyDropout):  # type: ignore[valid-type, misc]
    """Wrong: the module inside stands in a plain list, where eval() does not reach it."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.parts = [MyDropout(p)]

    def forward(self, X: Tensor) -> Any:
        return self.parts[0](X)


class FirstMask(MyDropout):  # type: ignore[valid-type, misc]
    """Wrong: keeps the first mask for each shape."""

    def forward(self, X: Tensor) -> Any:
        if not self.training:
            return X
        masks = self.__dict__.setdefault("masks", {})
        if X.shape not in masks:
            masks[X.shape] = super().forward(torch.ones_like(X))
        return X * masks[X.shape]


# Wrong parts -------------------------------------------------------------------------------------


def copies_flag(self: Any, p: float) -> None:
    self.p, self.active = p, self.training


def on_class(self: Any, p: float) -> None:
    type(self).shared = p


def as_parameter(self: Any, p: float) -> None:
    self.p = nn.Parameter(torch.tensor(p))


def as_buffer(self: Any, p: float) -> None:
    self.register_buffer("p", torch.tensor(p))


def changing(change: Callable[[Any], Any], mode: bool) -> Any:
    """Does this to the result of forward in one of the modes."""

    def around(layer: type) -> type:
        class Changed(layer):  # type: ignore[misc]
            def forward(self, X: Tensor) -> Any:
                is_meant = self.training == mode
                result = super().forward(X)
                return change(result) if is_meant else result

        return Changed

    return around


def plain_class(layer: type) -> Any:
    """The same without nn.Module."""

    class Plain:
        def __init__(self, p: float = 0.5) -> None:
            self.inner = layer(p)

        def __call__(self, X: Tensor) -> Any:
            return self.inner(X)

    return Plain


ANSWERS = Answers(
    recipe=Recipe(from_parts),
    reference=nn.Dropout,
    variants={
        "masked_fill": module(masking.by_masked_fill),
        "own copy in place": module(masking.by_own_copy),
        "copies the kept entries": module(masking.by_indexing),
        "a mask of ones in evaluation": OnesInEvaluation,
        "a registered module inside": WithPart,
        "NumPy's generator": module(masking.by_numpy),
        "float64 inside": module(masking.in_float64),
        "a factory": lambda p=0.5: MyDropout(p),
        "as a textbook prints it: rand of the shape": module(masking.as_a_textbook),
        "as a textbook prints it: a binomial distribution": WithDistribution,
    },
    slips=(
        slip(
            "always-drops",
            "Your layer drops in evaluation mode as well: its forward does not follow "
            "self.training. (self.train is a method and counts as true, a copy made in the "
            "constructor never changes, and eval() does not reach a module in a plain list.)",
            "Ask self.training in forward: it is the flag that train() and eval() set.",
            {"active": lambda self: self.train},
            {"active": lambda self: self.active, "store": copies_flag},
        ),
        slip(
            "grad-mode-as-flag",
            "Your layer asks whether gradients are on, and that is not the mode of the model.",
            "Ask self.training: eval() does not switch gradients off, no_grad() is not eval().",
            active=lambda self: torch.is_grad_enabled(),
        ),
        slip(
            "not-under-no-grad",
            "Your layer does not drop under torch.no_grad(), though it is in training mode.",
            "The flag self.training alone decides.",
            active=lambda self: self.training and torch.is_grad_enabled(),
        ),
        slip(
            "flag-reversed",
            "Your layer drops in evaluation mode, and not in training mode.",
            "Look at your if: self.training is true while the model trains.",
            active=lambda self: not self.training,
        ),
        slip(
            "scales-in-evaluation-too",
            "Your layer multiplies by 1 - p in evaluation mode, and in training it has divided "
            "already.",
            "In evaluation mode return X as it is.",
            evaluated=lambda X, p: X * (1 - p),
        ),
        slip(
            "divides-in-evaluation",
            "Your layer divides by 1 - p in evaluation mode as well, where nothing is dropped.",
            "In evaluation mode return X as it is.",
            evaluated=lambda X, p: X / (1 - p),
        ),
        slip(
            "nothing-in-evaluation",
            "In evaluation mode your forward returns None.",
            "Add the other way through forward: in evaluation mode, return X.",
            evaluated=lambda X, p: None,
        ),
        slip(
            "zeros-in-evaluation",
            "In evaluation mode your layer returns zeros.",
            "In evaluation mode nothing is dropped: return X.",
            evaluated=lambda X, p: X * 0,
        ),
        *masking.mask_slips("p"),
        slip(
            "scales-in-evaluation",
            "Your layer scales in evaluation mode instead of in training mode: that is dropout as "
            "it was first published, and here it is inverted.",
            "Divide by 1 - p in training, and return X in evaluation.",
            scale=lambda Y, mask, p: Y,
            evaluated=lambda X, p: X * (1 - p),
        ),
        masking.cut_off_slip(
            "In training mode your result",
            changing(lambda Y: Y.detach(), True),
        ),
        slip(
            "cut-off-in-evaluation",
            "In evaluation mode your result is cut off from X.",
            "Return X itself: gradients flow in evaluation mode as well.",
            around=changing(lambda Y: Y.detach(), False),
        ),
        slip(
            "p-is-saved",
            "Your p is an nn.Parameter or a buffer, so it is saved with the model, and an "
            "optimiser would change a parameter.",
            "Keep it as a plain number: self.p = p.",
            {"store": as_parameter, "p_of": lambda self: self.p.item()},
            {"store": as_buffer, "p_of": lambda self: self.p.item()},
        ),
        slip(
            "p-on-class",
            "You keep p on the class, so all layers share the last one.",
            "Keep it on self.",
            store=on_class,
            p_of=lambda self: type(self).shared,
        ),
        slip(
            "p-not-kept",
            "Your layer uses 0.5 whatever p is.",
            "Keep p in the constructor, self.p = p, and use it in forward.",
            p_of=lambda self: 0.5,
        ),
        family(
            "wrong-default",
            "Your default for p is {constant}, and 0.5 is meant.",
            "Write def __init__(self, p=0.5).",
            (0.1, 0.2, 0.25, 0.3, 0.4, 0.55, 0.6, 0.8),
            lambda c: {"default": c},
        ),
        *masking.refusal_slips("p"),
        slip(
            "late-error",
            "Your constructor accepts a wrong p, and your forward complains.",
            "Raise the ValueError in the constructor, where the mistake is made.",
            refuse=lambda p: None,
            refuse_late=refuse,
            p_of=lambda self: self.p,
        ),
        slip(
            "sets-its-mode",
            "Your forward sets the mode of the layer itself.",
            "Only read self.training; the model's owner calls train() and eval().",
            {"after": lambda self: self.train()},
            {"after": lambda self: self.eval()},
        ),
        slip(
            "no-module",
            "Your class is no nn.Module, so train() and eval() of a model cannot reach it.",
            "Begin with class MyDropout(nn.Module), and call super().__init__() first.",
            around=plain_class,
        ),
    ),
)
