"""Program 5, a mask with three defects: real repairs, all partial repairs, and a fourth mistake."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception


def partial(probability=False, scale=False, device=False, by_p=False):
    """The broken program with some of its three defects repaired; `by_p` divides by p."""

    def drop(x, p):
        keep = 1 - p if probability else p
        if device:
            mask = torch.bernoulli(torch.full_like(x, keep))
        else:
            mask = torch.bernoulli(torch.full(x.shape, keep))
        divisor = p if by_p else 1 - p if scale else 1
        return x * mask / divisor if divisor else x * 0

    return drop


def right(x, p):
    if p == 1:
        return x * 0
    return x * (torch.rand_like(x) >= p) / (1 - p)


def by_bernoulli(x, p):
    mask = torch.empty_like(x).bernoulli_(1 - p)
    return x * mask / max(1 - p, 1e-6)


def by_where(x, p):
    kept = torch.rand(x.shape, device=x.device) >= p
    return torch.where(kept, x / (1 - p) if p < 1 else x, torch.zeros_like(x))


def by_moving(x, p):
    mask = torch.bernoulli(torch.full(x.shape, 1.0 - p)).to(x)
    return mask * x / (1 - p) if p < 1 else mask * x


def by_filling(x, p):
    if p == 1:
        return torch.zeros_like(x) * x
    return x.masked_fill(torch.rand_like(x) < p, 0) / (1 - p)


def nan_at_one(x, p):
    return x * torch.empty_like(x).bernoulli_(1 - p) / (1 - p)


def same_mask(x, p):
    """The seed is put back, so that each call draws the same mask."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return right(x, p)


def float32_mask(x, p):
    mask = torch.bernoulli(torch.full(x.shape, 1.0 - p, device=x.device))
    return x * mask / (1 - p) if p < 1 else x * 0


def in_place(x, p):
    if x.requires_grad:
        return right(x, p)
    return x.mul_(torch.rand_like(x) >= p).div_(1 - p if p < 1 else 1)


def zeros_at_one(x, p):
    """Nothing is kept for p = 1, so that the result need not hang together with x."""
    return torch.zeros_like(x) if p == 1 else F.dropout(x, p)


def careless(keeps_with_p, by_p):
    """Made from x and rescaled, but without a thought for p = 0 and p = 1."""

    def drop(x, p):
        mask = torch.rand_like(x) < p if keeps_with_p else torch.rand_like(x) >= p
        return x * mask / (p if by_p else 1 - p)

    return drop


def multiplied(x, p):
    return x * (torch.rand_like(x) >= p) * (1 - p)


def row_by_row(x, p):
    draws = torch.rand(x.shape[0], *[1] * (x.dim() - 1), device=x.device)
    return x * (draws >= p) / (1 - p) if p < 1 else x * 0


def whole_rows(x, p):
    return F.dropout1d(x, p) if x.dim() == 2 else F.dropout(x, p)


def by_the_cpu(x, p):
    return F.dropout(x.cpu(), p)


def cut_off(x, p):
    return F.dropout(x.detach(), p)


def x_itself_at_one(x, p):
    return F.dropout(x, p) if p < 1 else x * 1


CPU = "The mask lives on the CPU, so an x on a graphics card cannot be multiplied by it."
KEEPS = "Entries are kept with probability p, and p is the probability of dropping."
SIZE = "Kept entries are not divided by 1 − p, so the expectation is not kept."
DIVIDED = "Dividing by 1 − p is right, but"

ANSWERS = Answers(
    reference=right,
    variants={
        "F.dropout": lambda x, p: F.dropout(x, p),
        "zeros at one": zeros_at_one,
        "bernoulli_": by_bernoulli,
        "where": by_where,
        "moved to x": by_moving,
        "masked_fill": by_filling,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            partial(),
            "This is the broken program: it keeps with probability p instead of 1 − p, does not "
            "rescale, and makes its mask on the CPU.",
            "There are three defects; repair one after the other.",
        ),
        Misconception(
            "only-probability",
            partial(probability=True),
            f"The probability is right now, two defects are left. {SIZE} {CPU}",
            "Divide by 1 − p, and make the mask where x is.",
        ),
        Misconception(
            "only-scale",
            partial(scale=True),
            f"{DIVIDED} two defects are left. {KEEPS} {CPU}",
            "Keep with probability 1 − p, and make the mask where x is.",
        ),
        Misconception(
            "only-device",
            partial(device=True),
            f"The device is right now, two defects are left. {KEEPS} {SIZE}",
            "Keep with probability 1 − p, and divide what is kept by 1 − p.",
        ),
        Misconception(
            "device-left",
            partial(probability=True, scale=True),
            f"Probability and size are right; one defect is left. {CPU}",
            "Make the mask from x, for example with torch.rand_like(x).",
        ),
        Misconception(
            "scale-left",
            partial(probability=True, device=True),
            f"Probability and device are right; one defect is left. {SIZE}",
            "Divide what is kept by 1 − p.",
        ),
        Misconception(
            "probability-left",
            partial(scale=True, device=True),
            f"Size and device are right; one defect is left. {KEEPS}",
            "Keep with probability 1 − p.",
        ),
        Misconception(
            "divides-by-p",
            partial(probability=True, device=True, by_p=True),
            "What is kept is divided by p. It is kept with probability 1 − p, so 1 − p is the "
            "divisor that keeps the expectation.",
            "Divide by 1 − p.",
        ),
        Misconception(
            "p-means-keeping",
            partial(device=True, by_p=True),
            "Entries are kept with probability p and divided by p. That is consistent, as in some "
            "other courses, but here p is the probability of dropping.",
            "Exchange p and 1 − p in both places.",
        ),
        Misconception(
            "nan-at-one",
            nan_at_one,
            "For p = 1 you divide 0 by 0, which is NaN; everything is dropped, so the result is 0.",
            "Treat p = 1 by itself.",
        ),
        Misconception(
            "same-mask",
            same_mask,
            "Every call drops the same entries, because the seed is fixed (or the mask is kept).",
            "Draw a new mask at each call, and leave the seed alone.",
        ),
        Misconception(
            "float32-mask",
            float32_mask,
            "The mask is always float32, so the result of a float16 x becomes float32.",
            "Give the mask the dtype of x, or let it be a mask of True and False.",
        ),
        Misconception(
            "in-place",
            in_place,
            "You wrote the result into x itself, and changed what the caller gave you.",
            "Make a new tensor.",
        ),
        Misconception(
            "probability-left-and-ends",
            careless(keeps_with_p=True, by_p=False),
            f"Size and device are right; the probability is left. {KEEPS} For p = 1 you also divide "
            "by 0.",
            "Keep with probability 1 − p, and treat p = 1 by itself.",
        ),
        Misconception(
            "p-means-keeping-and-ends",
            careless(keeps_with_p=True, by_p=True),
            "Entries are kept with probability p and divided by p, as in some other courses; here p "
            "is the probability of dropping. For p = 0 you also divide 0 by 0.",
            "Exchange p and 1 − p in both places, and treat p = 1 by itself.",
        ),
        Misconception(
            "divides-by-p-and-ends",
            careless(keeps_with_p=False, by_p=True),
            "What is kept is divided by p. It is kept with probability 1 − p, so 1 − p is the "
            "divisor that keeps the expectation.",
            "Divide by 1 − p, and treat p = 1 by itself.",
        ),
        Misconception(
            "multiplies",
            multiplied,
            "What is kept is multiplied by 1 − p, and becomes smaller where it should become larger.",
            "Divide by 1 − p.",
        ),
        Misconception(
            "one-draw-for-each-row",
            row_by_row,
            "One number is drawn for each row, so that whole rows are kept or dropped.",
            "Draw a number for each entry: torch.rand_like(x).",
        ),
        Misconception(
            "whole-rows",
            whole_rows,
            "F.dropout1d takes a matrix for one sample, and drops whole rows.",
            "Each entry is dropped by itself.",
        ),
        Misconception(
            "result-on-the-cpu",
            by_the_cpu,
            "x is moved to the CPU, and the result stays there.",
            "Make the mask where x is, and leave x where it is.",
        ),
        Misconception(
            "cut-off",
            cut_off,
            "The result is cut off from x, by detach(), .data, NumPy or no_grad(): no gradient "
            "passes.",
            "Compute with x itself.",
        ),
        Misconception(
            "x-itself-at-one",
            x_itself_at_one,
            "For p = 1 you return x unchanged, and everything must be dropped.",
            "Return zeros for p = 1.",
        ),
    ),
)
