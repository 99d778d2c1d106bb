"""Dropout with its own backward pass in NumPy: right and wrong answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checking.check import Answers, Misconception


def draw(shape: tuple[int, ...]) -> Any:
    return np.random.random(shape)


class Reference:
    """Slow and obvious: factor holds what each entry was multiplied by."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob

    def forward(self, X: np.ndarray, training: bool = True) -> np.ndarray:
        self.factor = np.ones_like(X)
        if training:
            keep = 1 - self.drop_prob
            kept = np.asarray(draw(X.shape) < keep)
            self.factor = np.where(kept, 1 / keep if keep else 0, 0).astype(X.dtype)
        return np.asarray(X * self.factor)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return np.asarray(dout * self.factor)


class ByHand:
    """With a mask of booleans, or None after an evaluation."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob
        self.mask: Any = None

    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        if self.drop_prob == 1:
            return np.zeros_like(values)
        return values * self.mask / (1 - self.drop_prob)

    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) >= self.drop_prob if training else None
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout)


class WithGenerator(ByHand):
    """A generator of its own, and the results of an evaluation are the arguments themselves."""

    def __init__(self, drop_prob: float) -> None:
        super().__init__(drop_prob)
        self.rng = np.random.default_rng(5)

    def forward(self, X: Any, training: bool = True) -> Any:
        self.training = training
        if not training:
            return X
        self.mask = self.rng.binomial(1, 1 - self.drop_prob, size=X.shape).astype(X.dtype)
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout) if self.training else dout


class InFloat64(ByHand):
    def _masked(self, values: Any) -> Any:
        wide = np.asarray(values, dtype=np.float64)
        return np.asarray(super()._masked(wide)).astype(values.dtype)


class OnOwnCopy(ByHand):
    def _masked(self, values: Any) -> Any:
        result = values.copy()
        if self.mask is not None:
            result[~self.mask] = 0
            result /= max(1 - self.drop_prob, 1e-12)
        return result

    def forward(self, X: Any, training: bool = True) -> Any:
        numbers = [random.random() >= self.drop_prob for _ in range(X.size)]
        self.mask = np.array(numbers, dtype=bool).reshape(X.shape) if training else None
        return self._masked(X)


class Swapped(ByHand):
    """Keeps with the probability of dropping."""

    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) < self.drop_prob if training else None
        return self._masked(X)

    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        return values * self.mask / (1 - self.drop_prob if self.drop_prob < 1 else 1)


def with_factor(value: Callable[[float], float], slope: Callable[[float], float]) -> type:
    """Scales the kept entries and their gradients by these functions of the probability."""

    class Made(ByHand):
        def forward(self, X: Any, training: bool = True) -> Any:
            self.mask = draw(X.shape) >= self.drop_prob if training else None
            return X.copy() if self.mask is None else X * self.mask * value(self.drop_prob)

        def backward(self, dout: Any) -> Any:
            return dout if self.mask is None else dout * self.mask * slope(self.drop_prob)

    return Made


def inverted(p: float) -> float:
    return 1 / (1 - p) if p < 1 else 0.0


class ScalesInEvaluation(ByHand):
    """The first dropout of 2012: nothing is scaled in training, all is scaled at test time."""

    def forward(self, X: Any, training: bool = True) -> Any:
        self.factor = draw(X.shape) >= self.drop_prob if training else 1 - self.drop_prob
        return X * self.factor

    def backward(self, dout: Any) -> Any:
        return dout * self.factor


class BackwardPassesAll(ByHand):
    def backward(self, dout: Any) -> Any:
        return dout.copy()


class BackwardDrawsAnew(ByHand):
    def backward(self, dout: Any) -> Any:
        if self.mask is not None:
            self.mask = draw(dout.shape) >= self.drop_prob
        return self._masked(dout)


class BackwardTimesOutput(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.out = super().forward(X, training)
        return self.out.copy()

    def backward(self, dout: Any) -> Any:
        return dout.copy() if self.mask is None else dout * self.out


class KeepsOldMask(ByHand):
    """An evaluation does not touch the mask, and backward uses it."""

    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, True) if training else X.copy()


class KeepsFirstMask(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        if not training:
            self.used = False
            return X.copy()
        self.used = True
        if self.mask is None:
            self.mask = draw(X.shape) >= self.drop_prob
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout) if self.used else dout.copy()


class OneMaskForTheBatch(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape[1:]) >= self.drop_prob if training else None
        return self._masked(X)


class WholeRows(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        shape = [*X.shape[:1], *[1] * (X.ndim - 1)]
        self.mask = draw(tuple(shape)) >= self.drop_prob if training else None
        return self._masked(X)


class WideMask(ByHand):
    """The mask is divided by 1 - p, and becomes float64."""

    def forward(self, X: Any, training: bool = True) -> Any:
        scale = inverted(self.drop_prob)
        self.factor = (draw(X.shape) >= self.drop_prob) * scale if training else np.ones(X.shape)
        return X * self.factor

    def backward(self, dout: Any) -> Any:
        return dout * self.factor


class InPlace(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) >= self.drop_prob if training else None
        if training:
            X *= self.mask
            X *= inverted(self.drop_prob)
        return X


class BackwardInPlace(ByHand):
    def backward(self, dout: Any) -> Any:
        if self.mask is not None:
            dout *= self.mask
            dout *= inverted(self.drop_prob)
        return dout


class AlwaysDrops(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, True)


class FlagReversed(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, not training)


class ZeroOverZero(ByHand):
    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        return values * self.mask / values.dtype.type(1 - self.drop_prob)


class NormalNumbers(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        drawn = np.random.standard_normal(X.shape) if 0 < self.drop_prob < 1 else draw(X.shape)
        self.mask = drawn >= self.drop_prob if training else None
        return self._masked(X)


class SeedsItself(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        drawn = np.random.default_rng(0).random(X.shape)
        self.mask = drawn >= self.drop_prob if training else None
        return self._masked(X)


class BackwardUsesUp(ByHand):
    """backward forgets the mask, and a second backward finds none."""

    def backward(self, dout: Any) -> Any:
        result = self._masked(dout)
        self.mask = None
        return result


class OnClass(ByHand):
    """The probability is kept on the class, so all layers share the last one."""

    p = 0.5

    def __init__(self, drop_prob: float) -> None:
        OnClass.p = drop_prob
        self.mask = None

    @property
    def drop_prob(self) -> float:  # type: ignore[override]
        return OnClass.p


ANSWERS = Answers(
    reference=Reference,
    variants={
        "by hand": ByHand,
        "a generator of its own": WithGenerator,
        "float64 inside": InFloat64,
        "own copy in place, Python's generator": OnOwnCopy,
        "a factory": lambda drop_prob: ByHand(drop_prob),
    },
    misconceptions=(
        Misconception(
            "keeps-with-p",
            Swapped,
            "Your mask keeps an entry with probability drop_prob, which is the probability of "
            "dropping it.",
            "Let drop_prob = 0 be your guide: then every entry is kept.",
        ),
        Misconception(
            "not-rescaled",
            with_factor(lambda p: float(p < 1), lambda p: float(p < 1)),
            "Your code leaves the kept entries as they are, so the mean shrinks.",
            "Divide the kept entries by 1 - drop_prob, in forward and in backward.",
        ),
        Misconception(
            "scales-in-evaluation",
            ScalesInEvaluation,
            "Your code scales in evaluation instead of in training: that is dropout as it was "
            "first published, and here it is inverted.",
            "Divide by 1 - drop_prob in training, and return X's values in evaluation.",
        ),
        Misconception(
            "divides-by-p",
            with_factor(lambda p: 1 / p if p else 1.0, lambda p: 1 / p if p else 1.0),
            "Your code divides by drop_prob.",
            "The share that is kept is 1 - drop_prob: divide by that.",
        ),
        Misconception(
            "backward-not-rescaled",
            with_factor(inverted, lambda p: float(p < 1)),
            "Your backward passes the mask and forgets the scale of forward.",
            "Whatever an entry was multiplied by in forward, its gradient is multiplied by too.",
        ),
        Misconception(
            "backward-scaled-twice",
            with_factor(inverted, lambda p: inverted(p) ** 2),
            "Your backward divides by 1 - drop_prob twice.",
            "If the mask that you keep is already scaled, multiply by it once and do no more.",
        ),
        Misconception(
            "backward-passes-all",
            BackwardPassesAll,
            "Your backward passes the whole gradient, also where forward dropped.",
            "Keep the mask in forward, as self.mask, and multiply dout by it.",
        ),
        Misconception(
            "backward-draws-anew",
            BackwardDrawsAnew,
            "Your backward draws a new mask.",
            "Backward belongs to the forward before it: keep its mask, as self.mask.",
        ),
        Misconception(
            "backward-times-output",
            BackwardTimesOutput,
            "Your backward multiplies dout by the output of forward.",
            "Multiply by what X was multiplied by: the mask and the scale.",
        ),
        Misconception(
            "old-mask-in-evaluation",
            KeepsOldMask,
            "After forward(X, training=False) your backward still uses the mask of an earlier "
            "training pass.",
            "Let forward note in evaluation that there is no mask, for example with None.",
        ),
        Misconception(
            "same-mask",
            KeepsFirstMask,
            "Your code uses one mask again and again: it keeps that of the first forward, or it "
            "seeds its generator in each.",
            "Draw a new mask in each forward pass in training, and leave the seed alone.",
        ),
        Misconception(
            "one-mask-for-the-batch",
            OneMaskForTheBatch,
            "Your code draws one mask and uses it for every row of X.",
            "The mask needs the whole shape of X, so that every sample has its own.",
        ),
        Misconception(
            "whole-rows",
            WholeRows,
            "Your code drops whole rows: one draw decides about all entries of a sample.",
            "The mask needs the whole shape of X.",
        ),
        Misconception(
            "float64-mask",
            WideMask,
            "Your mask is float64, and makes float32 arrays float64 as well.",
            "Keep a mask of booleans, or turn it into X.dtype with astype.",
        ),
        Misconception(
            "in-place",
            InPlace,
            "Your forward writes into X, which belongs to the caller.",
            "Make a new array: X * mask instead of X *= mask.",
        ),
        Misconception(
            "backward-in-place",
            BackwardInPlace,
            "Your backward writes into dout, which belongs to the caller.",
            "Make a new array: dout * mask instead of dout *= mask.",
        ),
        Misconception(
            "always-drops",
            AlwaysDrops,
            "Your forward ignores training=False and drops in evaluation as well.",
            "Ask for the flag first: if not training, the result is X.",
        ),
        Misconception(
            "flag-reversed",
            FlagReversed,
            "Your forward drops in evaluation, and not in training.",
            "Look at your if: training=True is when entries are dropped.",
        ),
        Misconception(
            "zero-over-zero",
            ZeroOverZero,
            "With drop_prob = 1 your code divides 0 by 0.",
            "Handle drop_prob = 1 before you divide: all is zero then.",
        ),
        Misconception(
            "normal-numbers",
            NormalNumbers,
            "Your code compares normal random numbers (randn) with drop_prob.",
            "The probability that a uniform number, np.random.random, lies below p is p.",
        ),
        Misconception(
            "backward-uses-up",
            BackwardUsesUp,
            "Your backward forgets the mask, so a second backward gives another gradient.",
            "Leave the mask where it is: the next forward replaces it.",
        ),
        Misconception(
            "p-on-class",
            OnClass,
            "You keep drop_prob on the class, so all layers share the last one.",
            "Keep it on self.",
        ),
    ),
)
