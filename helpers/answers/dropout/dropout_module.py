"""Dropout as a module with two modes: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.answers.dropout import masking
from helpers.answers.dropout.masking import Drop, drop_with, masked_by, scaled_by
from helpers.checking.check import Answers, Misconception


def refuse(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], and it is {p}.")


class ByHand(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        refuse(p)
        self.p = p

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return masking.right(X, self.p) if self.training else X


def module(drop: Drop) -> type[nn.Module]:
    """A module that drops in this way in training."""

    class Made(ByHand):
        def forward(self, X: torch.Tensor) -> torch.Tensor:
            return drop(X, self.p) if self.training else X

    return Made


def with_forward(forward: Callable[[Any, torch.Tensor], torch.Tensor]) -> type[nn.Module]:
    """A module with this forward of (self, X)."""
    return type("Made", (ByHand,), {"forward": forward})


class MultiplesInEval(ByHand):
    """Computes in evaluation too, with a mask of ones."""

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        p = self.p if self.training else 0.0
        return masking.by_bernoulli(X, p)


class WithPart(ByHand):
    """The work is done by a registered module inside, which obeys its parents."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.part = ByHand(p)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.part(X)
        return out


class PartInList(ByHand):
    """The module inside stands in a plain list, where eval() does not reach it."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.parts = [ByHand(p)]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.parts[0](X)
        return out


class FlagOnce(ByHand):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.active = self.training

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return masking.right(X, self.p) if self.active else X


class FirstMask(ByHand):
    """Draws a mask once for each shape."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.mask: Any = None

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return X
        if self.mask is None or self.mask.shape != X.shape:
            self.mask = (torch.rand_like(X) >= self.p).to(X.dtype)
        return X * 0 if self.p == 1 else X * self.mask / (1 - self.p)


class LearnsP(nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        refuse(p)
        self.p = nn.Parameter(torch.tensor(p))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return masking.right(X, self.p.item()) if self.training else X


class OnClass(nn.Module):
    p = 0.5

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        refuse(p)
        OnClass.p = p

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return masking.right(X, OnClass.p) if self.training else X


class LateError(nn.Module):
    """Complains in forward, when the model has long been built."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        refuse(self.p)
        return masking.right(X, self.p) if self.training else X


class Asserts(LateError):
    def __init__(self, p: float = 0.5) -> None:
        assert 0 <= p <= 1
        super().__init__(p)


class DefaultFifth(ByHand):
    def __init__(self, p: float = 0.2) -> None:
        super().__init__(p)


class IgnoresP(ByHand):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return masking.right(X, 0.5) if self.training else X


def _back_to_train(self: Any, X: torch.Tensor) -> torch.Tensor:
    result = masking.right(X, self.p) if self.training else X
    self.train()
    return result


def _scales_in_eval(self: Any, X: torch.Tensor) -> torch.Tensor:
    if self.training:
        return drop_with(scaled=False)(X, self.p)
    return X * (1 - self.p)


def _by_grad_mode(self: Any, X: torch.Tensor) -> torch.Tensor:
    return masking.right(X, self.p) if torch.is_grad_enabled() else X


def _by_both(self: Any, X: torch.Tensor) -> torch.Tensor:
    active = self.training and torch.is_grad_enabled()
    return masking.right(X, self.p) if active else X


def _by_method(self: Any, X: torch.Tensor) -> torch.Tensor:
    return masking.right(X, self.p) if self.train else X


ANSWERS = Answers(
    reference=nn.Dropout,
    variants={
        "copies the kept entries": module(masking.by_indexing),
        "by hand": ByHand,
        "masked_fill": module(masking.by_masked_fill),
        "own copy in place": module(masking.by_own_copy),
        "a mask of ones in evaluation": MultiplesInEval,
        "a registered module inside": WithPart,
        "NumPy's generator": module(masking.by_numpy),
        "Python's generator, entry by entry": module(masking.by_entries),
        "float64 inside": module(masking.in_float64),
        "a factory": lambda p=0.5: ByHand(p),
    },
    misconceptions=(
        Misconception(
            "always-drops",
            with_forward(_by_method),
            "Your layer drops in evaluation mode as well: its forward does not ask self.training. "
            "(self.train is a method and counts as true, a copy made in the constructor never "
            "changes, and eval() does not reach a module in a plain list.)",
            "Ask self.training in forward: it is the flag that train() and eval() set.",
        ),
        Misconception(
            "grad-mode-as-flag",
            with_forward(_by_grad_mode),
            "Your layer asks whether gradients are on, and that is not the mode of the model.",
            "Ask self.training: eval() does not switch gradients off, no_grad() is not eval().",
        ),
        Misconception(
            "not-under-no-grad",
            with_forward(_by_both),
            "Your layer does not drop under torch.no_grad(), though it is in training mode.",
            "The flag self.training alone decides.",
        ),
        Misconception(
            "flag-reversed",
            with_forward(lambda self, X: X if self.training else masking.right(X, self.p)),
            "Your layer drops in evaluation mode, and not in training mode.",
            "Look at your if: self.training is true while the model trains.",
        ),
        Misconception(
            "scales-in-evaluation",
            with_forward(_scales_in_eval),
            "Your layer scales in evaluation mode instead of in training mode: that is dropout as "
            "it was first published, and here it is inverted.",
            "Divide by 1 - p in training, and return X in evaluation.",
        ),
        Misconception(
            "keeps-with-p",
            module(drop_with(swapped=True)),
            "Your layer keeps an entry with probability p, and p is the probability of dropping.",
            "Let p = 0 be your guide: nothing is dropped.",
        ),
        Misconception(
            "not-rescaled",
            module(drop_with(scaled=False)),
            "Your layer leaves the kept entries as they are in training, so training and "
            "evaluation give results of different size.",
            "Divide the kept entries by 1 - p.",
        ),
        Misconception(
            "keeps-with-p-not-rescaled",
            module(drop_with(swapped=True, scaled=False)),
            "Two mistakes: your layer keeps an entry with probability p, and it does not rescale "
            "what it keeps.",
            "Let p = 0 be your guide for the mask, then divide by 1 - p.",
        ),
        Misconception(
            "divides-by-p",
            module(scaled_by(lambda p: 1 / p)),
            "Your layer divides the kept entries by p.",
            "The share that is kept is 1 - p: divide by that.",
        ),
        Misconception(
            "mask-on-cpu",
            module(drop_with(cpu=True)),
            "All is right on the CPU, but the mask is made there whatever the device of X.",
            "Make it where X lies: torch.rand_like(X).",
        ),
        Misconception(
            "same-mask",
            FirstMask,
            "Your layer uses one mask again and again: it keeps the first one, or it seeds its "
            "generator in each call.",
            "Draw a new mask in each forward pass, and leave the seed alone.",
        ),
        Misconception(
            "one-mask-for-the-batch",
            module(masked_by(masking.batch_mask)),
            "Your layer draws one mask and uses it for every row of X.",
            "The mask needs the whole shape of X, so that every sample has its own.",
        ),
        Misconception(
            "whole-rows",
            module(masked_by(masking.rows_mask)),
            "Your layer drops whole rows: one draw decides about all entries of a sample.",
            "The mask needs the whole shape of X.",
        ),
        Misconception(
            "whole-channels",
            module(masked_by(masking.channel_mask)),
            "Your layer drops whole channels of images: that is nn.Dropout2d.",
            "The mask needs the whole shape of X, with its rows and columns.",
        ),
        Misconception(
            "in-place",
            module(masking.in_place),
            "Your layer sets the dropped entries of X itself to 0, so the caller's X changes.",
            "Make a new tensor: mask * X instead of X *= mask.",
        ),
        Misconception(
            "cut-off",
            module(masking.cut_off),
            "In training your result is cut off from X, by torch.no_grad(), detach() or .data.",
            "Only the mask needs no gradient; multiply X itself by it.",
        ),
        Misconception(
            "zero-over-zero",
            module(masking.zero_over_zero),
            "With p = 1 your layer divides 0 by 0.",
            "Handle p = 1 before you divide: all is zero then.",
        ),
        Misconception(
            "float64-mask",
            module(masking.wide),
            "Your mask is float64, from NumPy, and makes the result float64 as well.",
            "Give the mask the dtype of X: draw with torch.rand_like(X).",
        ),
        Misconception(
            "learns-p",
            LearnsP,
            "Your p is an nn.Parameter, so it is saved and an optimiser would change it.",
            "Keep it as a plain number: self.p = p.",
        ),
        Misconception(
            "p-on-class",
            OnClass,
            "You keep p on the class, so all layers share the last one.",
            "Keep it on self.",
        ),
        Misconception(
            "ignores-p",
            IgnoresP,
            "Your layer drops with probability 0.5 whatever p is.",
            "Keep p in the constructor, self.p = p, and use it in forward.",
        ),
        Misconception(
            "wrong-default",
            DefaultFifth,
            "Your layer has another default than p = 0.5.",
            "Write def __init__(self, p=0.5).",
        ),
        Misconception(
            "late-error",
            LateError,
            "Your layer accepts a wrong p and complains, if at all, when it is used.",
            "Raise the ValueError in the constructor, where the mistake is made.",
        ),
        Misconception(
            "asserts",
            Asserts,
            "Your code says assert where a ValueError is meant; assert vanishes under python -O.",
            "Write: if not 0 <= p <= 1: raise ValueError(...).",
        ),
        Misconception(
            "sets-its-mode",
            with_forward(_back_to_train),
            "Your forward sets the mode of the layer itself.",
            "Only read self.training; the model's owner calls train() and eval().",
        ),
    ),
)
