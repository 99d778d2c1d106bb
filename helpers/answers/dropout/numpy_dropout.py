"""Dropout with its own backward pass in NumPy: right and wrong answers."""

from __future__ import annotations

from helpers.answers.dropout.arrays import (
    AlwaysDrops,
    BackwardDrawsAnew,
    BackwardInPlace,
    BackwardPassesAll,
    BackwardTimesOutput,
    BackwardUsesUp,
    ByHand,
    FlagReversed,
    InFloat64,
    InPlace,
    KeepsFirstMask,
    KeepsOldMask,
    MaskFromOutput,
    MaskOnClass,
    NormalNumbers,
    OnClass,
    OneMaskForTheBatch,
    OnOwnCopy,
    Reference,
    ScaledMaskInOneLine,
    ScalesInEvaluation,
    SeedsInConstructor,
    Swapped,
    UnpacksShape,
    WholeRows,
    WideMask,
    WithGenerator,
    ZeroOverZero,
    inverted,
    with_factor,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
    reference=Reference,
    variants={
        "by hand": ByHand,
        "a generator of its own": WithGenerator,
        "float64 inside": InFloat64,
        "own copy in place, Python's generator": OnOwnCopy,
        "the scaled mask in one line": ScaledMaskInOneLine,
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
            "mask-from-output",
            MaskFromOutput,
            "Your backward takes every zero of the output for a dropped entry, and an entry of X "
            "may be 0 and kept.",
            "Keep the mask that you drew, as self.mask, instead of looking for zeros later.",
        ),
        Misconception(
            "mask-on-class",
            MaskOnClass,
            "You keep the mask on the class, so a layer uses the mask of another one.",
            "Keep it on self.",
        ),
        Misconception(
            "seeds-in-constructor",
            SeedsInConstructor,
            "Your constructor calls np.random.seed, so every layer draws the same numbers, and all "
            "other code that draws from NumPy is affected.",
            "Leave the seed alone, or give the layer a generator of its own.",
        ),
        Misconception(
            "shape-unpacked",
            UnpacksShape,
            "For an X without axes np.random.rand(*X.shape) is a plain number and not an array.",
            "np.random.random(X.shape) takes the shape as it is, also the empty one.",
        ),
        Misconception(
            "p-on-class",
            OnClass,
            "You keep drop_prob on the class, so all layers share the last one.",
            "Keep it on self.",
        ),
    ),
)
