"""Inverted dropout as a function: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.dropout import masking
from helpers.answers.dropout.masking import Drop, drop_with, masked_by, scaled_by
from helpers.checking.check import Answers, Misconception


def checked(drop: Drop) -> Any:
    """With the ValueError that the exercise asks for."""

    def dropout_layer(X: torch.Tensor, dropout: float) -> torch.Tensor:
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout must be in [0, 1], and it is {dropout}.")
        return drop(X, dropout)

    return dropout_layer


def asserting(drop: Drop) -> Any:
    def dropout_layer(X: torch.Tensor, dropout: float) -> torch.Tensor:
        assert 0 <= dropout <= 1
        return drop(X, dropout)

    return dropout_layer


def reference(X: torch.Tensor, dropout: float) -> torch.Tensor:
    """PyTorch's own, which raises ValueError as well."""
    return F.dropout(X, dropout, training=True)


by_hand = checked(masking.right)


def open_interval(X: torch.Tensor, dropout: float) -> torch.Tensor:
    if not 0 < dropout < 1:
        raise ValueError("dropout must be between 0 and 1.")
    return masking.right(X, dropout)


def clamped(X: torch.Tensor, dropout: float) -> torch.Tensor:
    return masking.right(X, min(max(dropout, 0.0), 1.0))


CPU_SENTENCE = "the mask is made on the CPU, whatever the device of X"
CPU_HINT = "Make it where X lies: torch.rand_like(X), or torch.rand(X.shape, device=X.device)."
KEEP_HINT = (
    "Let dropout = 0 be your guide: nothing is dropped, so a mask of what stays is all ones."
)
SCALE_HINT = "Divide the kept entries by 1 - dropout, so that the mean stays what it was."

ANSWERS = Answers(
    reference=reference,
    variants={
        "by hand": by_hand,
        "masked_fill": checked(masking.by_masked_fill),
        "own copy in place": checked(masking.by_own_copy),
        "bernoulli": checked(masking.by_bernoulli),
        "NumPy's generator": checked(masking.by_numpy),
        "Python's generator, entry by entry": checked(masking.by_entries),
        "float64 inside": checked(masking.in_float64),
        "copies the kept entries": checked(masking.by_indexing),
        "a Bernoulli distribution": checked(masking.by_distribution),
        "zeros without a graph": checked(
            lambda X, p: torch.zeros_like(X) if p == 1 else masking.right(X, p)
        ),
        "X itself for 0": checked(lambda X, p: X if p == 0 else masking.right(X, p)),
    },
    misconceptions=(
        Misconception(
            "keeps-with-p",
            checked(drop_with(swapped=True)),
            "Your code keeps an entry with probability dropout, and dropout is the probability "
            "of dropping it.",
            KEEP_HINT,
        ),
        Misconception(
            "not-rescaled",
            checked(drop_with(scaled=False)),
            "Your code leaves the kept entries as they are, so the mean shrinks to 1 - dropout "
            "times what it was.",
            SCALE_HINT,
        ),
        Misconception(
            "mask-on-cpu",
            checked(drop_with(cpu=True)),
            f"All is right on the CPU, but {CPU_SENTENCE}.",
            CPU_HINT,
        ),
        Misconception(
            "keeps-with-p-not-rescaled",
            checked(drop_with(swapped=True, scaled=False)),
            "Two mistakes: your code keeps an entry with probability dropout, and it does not "
            "rescale what it keeps.",
            KEEP_HINT,
        ),
        Misconception(
            "keeps-with-p-mask-on-cpu",
            checked(drop_with(swapped=True, cpu=True)),
            f"Two mistakes: your code keeps an entry with probability dropout, and {CPU_SENTENCE}.",
            KEEP_HINT,
        ),
        Misconception(
            "not-rescaled-mask-on-cpu",
            checked(drop_with(scaled=False, cpu=True)),
            f"Two mistakes: your code does not rescale the kept entries, and {CPU_SENTENCE}.",
            SCALE_HINT,
        ),
        Misconception(
            "three-mistakes",
            checked(drop_with(swapped=True, scaled=False, cpu=True)),
            "Three mistakes: your code keeps an entry with probability dropout, it does not "
            f"rescale what it keeps, and {CPU_SENTENCE}.",
            KEEP_HINT,
        ),
        Misconception(
            "divides-by-p",
            checked(scaled_by(lambda p: 1 / p)),
            "Your code divides the kept entries by dropout.",
            "The share that is kept is 1 - dropout: divide by that.",
        ),
        Misconception(
            "multiplies",
            checked(scaled_by(lambda p: 1 - p)),
            "Your code multiplies the kept entries by 1 - dropout, and they become smaller still.",
            "Fewer entries must carry the same sum, so each must grow: divide.",
        ),
        Misconception(
            "scaled-twice",
            checked(scaled_by(lambda p: 1 / (1 - p) ** 2)),
            "Your code divides by 1 - dropout twice.",
            "Scale either the mask or the result, not both.",
        ),
        Misconception(
            "scaled-by-count",
            checked(masking.rescaled_by_count),
            "Your code divides by the share that was kept by chance in this call.",
            "Divide by the probability of keeping, 1 - dropout, which is the same in each call.",
        ),
        Misconception(
            "shape-unpacked",
            checked(masking.shape_unpacked),
            "Your code unpacks the shape, and for an X without axes nothing is left to unpack.",
            "torch.rand(X.shape, device=X.device) takes the shape as it is.",
        ),
        Misconception(
            "one-mask-for-the-batch",
            checked(masked_by(masking.batch_mask)),
            "Your code draws one mask and uses it for every row of X.",
            "The mask needs the whole shape of X, so that every sample has its own.",
        ),
        Misconception(
            "whole-rows",
            checked(masked_by(masking.rows_mask)),
            "Your code drops whole rows: one draw decides about all entries of a sample.",
            "The mask needs the whole shape of X.",
        ),
        Misconception(
            "whole-channels",
            checked(masked_by(masking.channel_mask)),
            "Your code drops whole channels of images: that is Dropout2d.",
            "The mask needs the whole shape of X, with its rows and columns.",
        ),
        Misconception(
            "one-draw",
            checked(masked_by(masking.single_mask)),
            "Your code draws one number, and keeps or drops the whole tensor by it.",
            "Draw one number for each entry: torch.rand_like(X).",
        ),
        Misconception(
            "first-entries",
            checked(masked_by(masking.first_entries)),
            "Your code always drops the first entries; nothing is random.",
            "Compare a random number for each entry with dropout.",
        ),
        Misconception(
            "exact-number",
            checked(masking.exact_number),
            "Your code drops exactly the share dropout of the entries, so whether one is dropped "
            "depends on the others.",
            "Draw for each entry by itself; how many are dropped then varies from call to call.",
        ),
        Misconception(
            "normal-numbers",
            checked(masked_by(masking.normal_mask)),
            "Your code compares normal random numbers (randn) with dropout.",
            "The probability that a uniform number, torch.rand, lies below p is p.",
        ),
        Misconception(
            "same-mask",
            checked(masking.fixed_mask),
            "Your code draws from a generator that is seeded anew in each call, so the mask is "
            "always the same.",
            "Leave the seed to the caller, and draw from torch's own generator.",
        ),
        Misconception(
            "in-place",
            checked(masking.in_place),
            "Your code sets the dropped entries of X itself to 0, so the caller's X changes.",
            "Make a new tensor: mask * X instead of X *= mask.",
        ),
        Misconception(
            "cut-off",
            checked(masking.cut_off),
            "Your result is cut off from X, by torch.no_grad(), detach(), .data or NumPy.",
            "Only the mask needs no gradient; multiply X itself by it.",
        ),
        Misconception(
            "gradient-everywhere",
            checked(masking.straight_through),
            "Your code passes the gradient to dropped entries as well.",
            "Compute the result from mask * X, and autograd passes the mask by itself.",
        ),
        Misconception(
            "gradient-unscaled",
            checked(masking.unscaled_gradient),
            "Your code scales the values and not the gradient.",
            "Divide the result itself by 1 - dropout, without detach() or .data.",
        ),
        Misconception(
            "zero-over-zero",
            checked(masking.zero_over_zero),
            "With dropout = 1 your code divides 0 by 0.",
            "Handle dropout = 1 before you divide: all is zero then.",
        ),
        Misconception(
            "float64-mask",
            checked(masking.wide),
            "Your mask is float64, from NumPy, and makes the result float64 as well.",
            "Give the mask the dtype of X: mask.to(X.dtype), or draw with torch.rand_like(X).",
        ),
        Misconception(
            "asserts",
            asserting(masking.right),
            "Your code says assert where a ValueError is meant; assert vanishes under python -O.",
            "Write: if not 0 <= dropout <= 1: raise ValueError(...).",
        ),
        Misconception(
            "asserts-mask-on-cpu",
            asserting(drop_with(cpu=True)),
            f"Two mistakes: assert where a ValueError is meant, and {CPU_SENTENCE}.",
            "Write: if not 0 <= dropout <= 1: raise ValueError(...). Then look at the mask.",
        ),
        Misconception(
            "no-error",
            clamped,
            "Your code accepts a probability outside 0 to 1.",
            "Write: if not 0 <= dropout <= 1: raise ValueError(...).",
        ),
        Misconception(
            "refuses-the-ends",
            open_interval,
            "Your code refuses 0 and 1, which are allowed.",
            "Compare with <=, not with <.",
        ),
        Misconception(
            "never-drops",
            checked(lambda X, p: X * 0 if p == 1 else X * 1.0),
            "Your code drops nothing.",
            "Draw a random number for each entry, and compare it with dropout.",
        ),
    ),
)
