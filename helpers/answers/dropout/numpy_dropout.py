"""Dropout in NumPy with its own backward pass: the recipe, its slips, and right answers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from helpers.checking.recipe import Answers, Recipe, slip


class NumpyDropout:
    """The class of the lesson, each part of it a method."""

    by_default = True
    shared: Any = None

    def __init__(self, drop_prob: float) -> None:
        self.kept: Any = None
        self.out: Any = None
        self.store(drop_prob)

    def store(self, p: float) -> None:
        self.p = p

    def prob(self) -> float:
        return self.p

    def drawn(self, X: Any) -> Any:
        return np.random.random(X.shape)

    def keep(self, drawn: Any, p: float) -> Any:
        return drawn >= p

    def cast(self, kept: Any) -> Any:
        return np.asarray(kept)

    def apply(self, X: Any) -> Any:
        return X * self.kept

    def scale(self, values: Any, p: float) -> Any:
        return values / (1 - p)

    def all_dropped(self, p: float) -> bool:
        return p == 1

    def scaled(self, values: Any) -> Any:
        if self.all_dropped(self.prob()):
            return np.zeros_like(values)
        return self.scale(values, self.prob())

    def active(self, training: bool) -> bool:
        return training

    def evaluated(self, X: Any) -> Any:
        self.kept = None
        return X.copy()

    def handed(self, Y: Any) -> Any:
        return Y

    def forward(self, X: Any, training: Any = None) -> Any:
        if not self.active(self.by_default if training is None else training):
            return self.evaluated(X)
        self.kept = self.cast(self.keep(self.drawn(X), self.prob()))
        self.out = self.scaled(self.apply(X))
        return self.handed(self.out.copy())

    def passed(self, dout: Any) -> Any:
        return dout * self.kept

    def slope(self, values: Any) -> Any:
        return self.scaled(values)

    def evaluated_back(self, dout: Any) -> Any:
        return dout.copy()

    def backward(self, dout: Any) -> Any:
        return self.evaluated_back(dout) if self.kept is None else self.slope(self.passed(dout))


class Reference:
    """Slow and obvious: factor holds what each entry was multiplied by."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob

    def forward(self, X: np.ndarray, training: bool = True) -> np.ndarray:
        self.factor = np.ones_like(X)
        if training:
            keep = 1 - self.drop_prob
            kept = np.asarray(np.random.random(X.shape) < keep)
            self.factor = np.where(kept, 1 / keep if keep else 0, 0).astype(X.dtype)
        return np.asarray(X * self.factor)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return np.asarray(dout * self.factor)


class OwnGenerator:
    """A generator of its own, and the results of an evaluation are the arguments themselves."""

    def __init__(self, drop_prob: float) -> None:
        self.keep = 1 - drop_prob
        self.rng = np.random.default_rng(5)

    def forward(self, X: Any, training: bool = True) -> Any:
        self.training = training
        if not training:
            return X
        self.mask = self.rng.binomial(1, self.keep, size=X.shape).astype(X.dtype)
        return X * self.mask / X.dtype.type(self.keep or 1)

    def backward(self, dout: Any) -> Any:
        return dout * self.mask / dout.dtype.type(self.keep or 1) if self.training else dout


class OnOwnCopy(NumpyDropout):
    """In place on its own copy, with Python's generator; computes in float64."""

    def drawn(self, X: Any) -> Any:
        return np.array([random.random() for _ in range(X.size)]).reshape(X.shape)

    def apply(self, X: Any) -> Any:
        result = np.array(X, dtype=np.float64)
        result[~self.kept] = 0
        return result.astype(X.dtype)


class ScaledMask:
    """As a university's assignment prints it: the scaled mask in one line."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob
        self.mask: Any = None

    def forward(self, X: Any, training: bool = True) -> Any:
        keep = 1 - self.drop_prob
        self.mask = (np.random.rand(*X.shape) < keep) / max(keep, 1e-12) if training else None
        return X if self.mask is None else (X * self.mask).astype(X.dtype, copy=False)

    def backward(self, dout: Any) -> Any:
        if self.mask is None:
            return dout
        return (dout * self.mask).astype(dout.dtype, copy=False)


class ByBinomial:
    """As a book that builds a framework from nothing prints it: a binomial mask, scaled once."""

    def __init__(self, rate: float) -> None:
        self.rate = 1 - rate

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.inputs = inputs
        self.binary_mask: Any = 1.0
        if not training:
            return inputs.copy()
        drawn = np.random.binomial(1, self.rate, size=inputs.shape)
        self.binary_mask = drawn.astype(inputs.dtype) / (self.rate if self.rate else 1)
        return inputs * self.binary_mask

    def backward(self, dvalues: Any) -> Any:
        return dvalues * self.binary_mask


# Wrong parts -------------------------------------------------------------------------------------


def seeds_and_draws(self: Any, X: Any) -> Any:
    np.random.seed(0)
    return np.random.random(X.shape)


def seeds_and_stores(self: Any, p: float) -> None:
    np.random.seed(0)
    self.p = p


def draws_once(self: Any, X: Any) -> Any:
    draws = self.__dict__.setdefault("draws", {})
    return draws.setdefault(X.shape, np.random.random(X.shape))


def on_class(self: Any, p: float) -> None:
    type(self).shared_p = p


def mask_on_class(self: Any, kept: Any) -> Any:
    type(self).shared = kept
    return kept


def in_place(self: Any, X: Any) -> Any:
    X *= self.kept
    return X


def zeros_written(self: Any, X: Any) -> Any:
    X[self.kept == 0] = 0
    return X


def used_up(self: Any, dout: Any) -> Any:
    result, self.kept = dout * self.kept, None
    return result


def evaluating(result: Any) -> Any:
    """Forgets the mask and returns this of X and the probability."""

    def evaluated(self: Any, X: Any) -> Any:
        self.kept = None
        return result(X, self.prob())

    return evaluated


def less(self: Any, drawn: Any, p: float) -> Any:
    return drawn < p


def by_p(self: Any, values: Any, p: float) -> Any:
    return values / p


def unscaled(self: Any, values: Any, p: float) -> Any:
    return values


DIVIDE = "Divide the kept entries by 1 - drop_prob, in forward and in backward."
WHOLE_SHAPE = "The mask needs the whole shape of X, so that each entry has its own draw."
KEEP_MASK = "Keep the mask that you drew in forward, as self.mask, and multiply dout by it."

ANSWERS = Answers(
    recipe=Recipe(NumpyDropout),
    reference=Reference,
    variants={
        "a generator of its own": OwnGenerator,
        "own copy in place, Python's generator": OnOwnCopy,
        "a factory": lambda drop_prob: NumpyDropout(drop_prob),
        "as a textbook prints it: the scaled mask in one line": ScaledMask,
        "as a textbook prints it: a binomial mask": ByBinomial,
    },
    slips=(
        slip(
            "keeps-with-p",
            "Your mask keeps an entry with probability drop_prob, which is the probability of "
            "dropping it.",
            "Let drop_prob = 0 be your guide: then every entry is kept.",
            keep=less,
        ),
        slip(
            "p-is-keep-probability",
            "Your code takes drop_prob for the probability of keeping, in the mask and in the "
            "scale, as some courses do; here it is the probability of dropping.",
            "Begin with keep = 1 - self.drop_prob, and use keep in both places.",
            {"keep": less, "scale": by_p},
            {"keep": less, "scale": by_p, "all_dropped": lambda self, p: False},
            {"keep": less, "scale": by_p, "all_dropped": lambda self, p: p == 0},
        ),
        slip(
            "not-rescaled",
            "Your code leaves the kept entries as they are, so in training the mean shrinks.",
            DIVIDE,
            scale=unscaled,
        ),
        slip(
            "scales-in-evaluation",
            "Your code scales in evaluation instead of in training: that is dropout as it was "
            "first published, and here it is inverted.",
            "Divide by 1 - drop_prob in training, and return X's values in evaluation.",
            {"scale": unscaled, "evaluated": evaluating(lambda X, p: X * (1 - p))},
            {
                "scale": unscaled,
                "evaluated": evaluating(lambda X, p: X * (1 - p)),
                "evaluated_back": lambda self, dout: dout * (1 - self.prob()),
            },
        ),
        slip(
            "scales-in-evaluation-too",
            "Your code multiplies by 1 - drop_prob in evaluation, and in training it has divided "
            "already.",
            "In evaluation return X's values as they are.",
            evaluated=evaluating(lambda X, p: X * (1 - p)),
        ),
        slip(
            "divides-in-evaluation",
            "Your code divides by 1 - drop_prob in evaluation as well, where nothing is dropped.",
            "In evaluation return X's values as they are.",
            evaluated=evaluating(lambda X, p: X / (1 - p)),
        ),
        slip(
            "nothing-in-evaluation",
            "In evaluation your forward returns None.",
            "Add the other way through forward: if not training, return X.copy().",
            evaluated=evaluating(lambda X, p: None),
            by_default=True,
        ),
        slip(
            "divides-by-p",
            "Your code divides by drop_prob.",
            "The share that is kept is 1 - drop_prob: divide by that.",
            {"scale": by_p},
            {"scale": lambda self, values, p: values / p if p else values},
        ),
        slip(
            "multiplies",
            "Your code multiplies the kept entries by 1 - drop_prob, and they become smaller.",
            "Fewer entries must carry the same sum, so each must grow: divide.",
            scale=lambda self, values, p: values * (1 - p),
        ),
        slip(
            "scaled-twice",
            "Your code divides by 1 - drop_prob twice.",
            "Scale either the mask or the result, not both.",
            scale=lambda self, values, p: values / (1 - p) ** 2,
        ),
        slip(
            "backward-not-rescaled",
            "Your backward passes the mask and forgets the scale of forward.",
            "Whatever an entry was multiplied by in forward, its gradient is multiplied by too.",
            slope=lambda self, values: values,
        ),
        slip(
            "backward-scaled-twice",
            "Your backward scales twice.",
            "If the mask that you keep is already scaled, multiply by it once and do no more.",
            slope=lambda self, values: self.scaled(self.scaled(values)),
        ),
        slip(
            "backward-multiplies",
            "Your backward multiplies the gradient by 1 - drop_prob.",
            "Whatever an entry was multiplied by in forward, its gradient is multiplied by too.",
            slope=lambda self, values: values * (1 - self.prob()),
        ),
        slip(
            "backward-passes-all",
            "Your backward passes the whole gradient, also where forward dropped.",
            KEEP_MASK,
            {"passed": lambda self, dout: dout.copy(), "slope": lambda self, values: values},
            {"passed": lambda self, dout: dout.copy()},
        ),
        slip(
            "backward-draws-anew",
            "Your backward draws a new mask.",
            "Backward belongs to the forward before it: keep its mask, as self.mask.",
            passed=lambda self, dout: dout * self.keep(self.drawn(dout), self.prob()),
        ),
        slip(
            "backward-times-output",
            "Your backward multiplies dout by the output of forward.",
            "Multiply by what X was multiplied by: the mask and the scale.",
            passed=lambda self, dout: dout * self.out,
            slope=lambda self, values: values,
        ),
        slip(
            "backward-uses-up",
            "Your backward forgets the mask, so a second backward gives another gradient.",
            "Leave the mask where it is: the next forward replaces it.",
            passed=used_up,
            evaluated_back=lambda self, dout: dout.copy(),
        ),
        slip(
            "mask-from-output",
            "Your backward takes every zero of the output for a dropped entry, and an entry of X "
            "may be 0 and kept.",
            "Keep the mask that you drew, as self.mask, instead of looking for zeros later.",
            passed=lambda self, dout: dout * (self.out != 0),
        ),
        slip(
            "old-mask-in-evaluation",
            "After forward(X, training=False) your backward still uses the mask of an earlier "
            "training pass.",
            "Let forward note in evaluation that there is no mask, for example with None.",
            evaluated=lambda self, X: X.copy(),
        ),
        slip(
            "backward-scales-in-evaluation",
            "After a forward pass in evaluation your backward still divides by 1 - drop_prob.",
            "In evaluation nothing was scaled: return dout as it is.",
            evaluated_back=lambda self, dout: dout / (1 - self.prob()),
        ),
        slip(
            "backward-without-evaluation",
            "After a forward pass in evaluation your backward multiplies by a mask that is None.",
            "Ask first: if self.mask is None, the result is dout.",
            evaluated_back=lambda self, dout: dout * None,
        ),
        slip(
            "backward-zero-in-evaluation",
            "After a forward pass in evaluation your backward returns zeros or nothing.",
            "In evaluation nothing was dropped: return dout as it is.",
            {"evaluated_back": lambda self, dout: dout * 0},
            {"evaluated_back": lambda self, dout: None},
        ),
        slip(
            "same-mask",
            "Your code uses one mask again and again: it keeps that of the first forward, or it "
            "seeds its generator in each.",
            "Draw a new mask in each forward pass in training, and leave the seed alone.",
            {"drawn": draws_once},
            {"drawn": lambda self, X: np.random.default_rng(0).random(X.shape)},
        ),
        slip(
            "sets-the-seed",
            "Your code calls np.random.seed, so layers and calls draw the same numbers, and all "
            "other code that draws from NumPy is affected.",
            "Leave the seed alone, or give the layer a generator of its own.",
            {"store": seeds_and_stores},
            {"drawn": seeds_and_draws},
        ),
        slip(
            "one-mask-for-the-batch",
            "Your code draws one mask and uses it for every row of X.",
            "The mask needs the whole shape of X, so that every sample has its own.",
            drawn=lambda self, X: np.random.random(X.shape[1:]),
        ),
        slip(
            "whole-rows",
            "Your code drops whole rows: one draw decides about all entries of a sample.",
            WHOLE_SHAPE,
            drawn=lambda self, X: np.random.random([*X.shape[:1], *[1] * (X.ndim - 1)]),
        ),
        slip(
            "one-draw",
            "Your code draws one number, and keeps or drops the whole array by it.",
            "Draw one number for each entry: np.random.random(X.shape).",
            drawn=lambda self, X: np.random.random(),
        ),
        slip(
            "exact-number",
            "Your code drops exactly the share drop_prob of the entries, so whether one is dropped "
            "depends on the others.",
            "Draw for each entry by itself; how many are dropped then varies from call to call.",
            drawn=lambda self, X: np.random.permutation(X.size).reshape(X.shape) / max(X.size, 1),
        ),
        slip(
            "normal-numbers",
            "Your code compares normal random numbers (randn) with drop_prob.",
            "The probability that a uniform number, np.random.random, lies below p is p.",
            drawn=lambda self, X: np.random.standard_normal(X.shape),
        ),
        slip(
            "ignores-p",
            "Your code drops half of the entries, whatever drop_prob is.",
            "Compare the random numbers with drop_prob.",
            keep=lambda self, drawn, p: drawn >= 0.5,
        ),
        slip(
            "float64-mask",
            "Your mask is float64, and makes float32 arrays float64 as well.",
            "Keep a mask of booleans, or turn it into X.dtype with astype.",
            cast=lambda self, kept: np.asarray(kept, dtype=np.float64),
        ),
        slip(
            "in-place",
            "Your forward writes into X, which belongs to the caller.",
            "Make a new array: X * mask instead of X *= mask.",
            {"apply": in_place},
            {"apply": zeros_written},
        ),
        slip(
            "backward-in-place",
            "Your backward writes into dout, which belongs to the caller.",
            "Make a new array: dout * mask instead of dout *= mask.",
            {"passed": in_place},
            {"passed": zeros_written},
        ),
        slip(
            "always-drops",
            "Your forward ignores training=False and drops in evaluation as well.",
            "Ask for the flag first: if not training, the result is X.",
            active=lambda self, training: True,
        ),
        slip(
            "flag-reversed",
            "Your forward drops in evaluation, and not in training.",
            "Look at your if: training=True is when entries are dropped.",
            active=lambda self, training: not training,
            by_default=True,
        ),
        slip(
            "off-by-default",
            "Your forward drops nothing unless it is told training=True, which is the default.",
            "Write def forward(self, X, training=True).",
            by_default=False,
        ),
        slip(
            "zero-over-zero",
            "With drop_prob = 1 your code divides by 1 - drop_prob, which is 0.",
            "Handle drop_prob = 1 before you divide: all is zero then.",
            {"all_dropped": lambda self, p: False},
            {
                "all_dropped": lambda self, p: False,
                "scale": lambda self, values, p: values * (1 / (1 - p)),
            },
        ),
        slip(
            "returns-the-mask-too",
            "Your forward returns two things.",
            "Return the result alone, and keep the mask as self.mask.",
            {"handed": lambda self, Y: (Y, self.kept)},
            {"handed": lambda self, Y: (self.kept, Y)},
        ),
        slip(
            "returns-a-list",
            "Your forward returns a list, and an array is meant.",
            "Leave out tolist(), or turn the list into an array.",
            handed=lambda self, Y: Y.tolist(),
        ),
        slip(
            "mask-on-class",
            "You keep the mask on the class, so a layer uses the mask of another one.",
            "Keep it on self.",
            cast=mask_on_class,
            passed=lambda self, dout: dout * type(self).shared,
        ),
        slip(
            "p-on-class",
            "You keep drop_prob on the class, so all layers share the last one.",
            "Keep it on self.",
            store=on_class,
            prob=lambda self: type(self).shared_p,
        ),
    ),
)
