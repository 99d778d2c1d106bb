"""Program 5, a mask with three defects: the recipe, its slips, and real repairs. Two defects that
are left are found as two slips; all three are the broken program.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.bug_clinic.entrywise import itself
from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def masking(
    before: Any = itself,
    ends: Any = lambda x, p: x * 0 if p == 1 else None,
    keep: Any = lambda p: 1 - p,
    draw: Any = lambda x, q: torch.rand_like(x) < q,
    apply: Any = lambda x, mask: x * mask,
    scale: Any = lambda y, p: y / (1 - p),
) -> Any:
    """Inverted dropout; `ends` returns the result for a p that needs no mask, else None."""

    def repaired_mask(x: Tensor, p: float) -> Any:
        x = before(x)
        end = ends(x, p)
        if end is not None:
            return end
        return scale(apply(x, draw(x, keep(p))), p)

    return repaired_mask


right = masking()


def _no_ends(x: Tensor, p: float) -> None:
    return None


def _on_the_cpu(x: Tensor, q: float) -> Tensor:
    return torch.bernoulli(torch.full(x.shape, q))


def _by_p(y: Tensor, p: float) -> Tensor:
    return y / p


def _by_p_guarded(y: Tensor, p: float) -> Tensor:
    return y / p if p else y


def _seeded(x: Tensor, q: float) -> Tensor:
    """The seed is put back, so that each call draws the same mask."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return torch.rand_like(x) < q


def _seeding(x: Tensor, q: float) -> Tensor:
    torch.manual_seed(0)
    return torch.rand_like(x) < q


def _own_generator(x: Tensor, q: float) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype) < q


def _written_into(x: Tensor, mask: Tensor) -> Tensor:
    x[~mask.bool()] = 0
    return x


def _refuses_one(x: Tensor, p: float) -> None:
    if not 0 <= p < 1:
        raise ValueError("p must be in [0, 1)")


def _without_graph(f: Any) -> Any:
    @torch.no_grad()
    def cut(x: Tensor, p: float) -> Any:
        return f(x, p)

    return cut


def _by_bernoulli(x: Tensor, p: float) -> Tensor:
    mask = torch.empty_like(x).bernoulli_(1 - p)
    return x * mask / max(1 - p, 1e-6)


def _by_where(x: Tensor, p: float) -> Tensor:
    kept = torch.rand(x.shape, device=x.device) >= p
    return torch.where(kept, x / (1 - p) if p < 1 else x, torch.zeros_like(x))


def _by_moving(x: Tensor, p: float) -> Tensor:
    mask = torch.bernoulli(torch.full(x.shape, 1.0 - p)).to(x)
    return mask * x / (1 - p) if p < 1 else mask * x


def _by_filling(x: Tensor, p: float) -> Tensor:
    if p == 1:
        return torch.zeros_like(x) * x
    return x.masked_fill(torch.rand_like(x) < p, 0) / (1 - p)


def _as_a_textbook(x: Tensor, p: float) -> Tensor:
    """The book's float mask, on the device of x."""
    assert 0 <= p <= 1
    if p == 1:
        return torch.zeros_like(x)
    mask = (torch.rand(x.shape, device=x.device) > p).to(x.dtype)
    return mask * x / (1.0 - p)


def _as_a_course(x: Tensor, p: float) -> Tensor:
    """The mask is rescaled and not the result, as older courses do it."""
    keep = 1 - p
    if keep == 0:
        return x * 0
    return x * ((torch.rand_like(x) < keep) / keep)


def _zeros_written(x: Tensor, p: float) -> Tensor:
    y = x.clone()
    y[torch.rand(x.shape, device=x.device) < p] = 0
    return y / (1 - p) if p < 1 else y


def _by_distribution(x: Tensor, p: float) -> Tensor:
    if p == 1:
        return torch.zeros_like(x)
    draws = torch.distributions.Bernoulli(torch.full_like(x, 1 - p)).sample()
    return x * draws / (1 - p)


ANSWERS = Answers(
    recipe=Recipe(masking),
    variants={
        "F.dropout": lambda x, p: F.dropout(x, p),
        "bernoulli_": _by_bernoulli,
        "where": _by_where,
        "moved to x": _by_moving,
        "masked_fill": _by_filling,
        "as a textbook prints it: a float mask": _as_a_textbook,
        "as a course prints it: the mask rescaled": _as_a_course,
        "a copy written into": _zeros_written,
        "nn.Dropout": lambda x, p: torch.nn.Dropout(p)(x),
        "a distribution": _by_distribution,
        "zeros at one": lambda x, p: torch.zeros_like(x) if p == 1 else F.dropout(x, p),
    },
    slips=(
        slip(
            "unrepaired",
            "This is the broken program: it keeps with probability p instead of 1 − p, does not "
            "rescale, and makes its mask on the CPU.",
            "There are three defects; repair one after the other.",
            keep=itself,
            scale=lambda y, p: y,
            draw=_on_the_cpu,
            ends=_no_ends,
        ),
        slip(
            "keeps-with-p",
            "Entries are kept with probability p, and p is the probability of dropping.",
            "Keep with probability 1 − p.",
            {"keep": itself},
            {"keep": itself, "ends": _no_ends},
        ),
        slip(
            "not-rescaled",
            "Kept entries are not divided by 1 − p, so the expectation is not kept.",
            "Divide what is kept by 1 − p.",
            scale=lambda y, p: y,
        ),
        slip(
            "float32-mask",
            "The mask is always float32, so the result of a float16 x becomes float32.",
            "Give the mask the dtype of x, or let it be a mask of True and False.",
            draw=lambda x, q: torch.bernoulli(torch.full(x.shape, q, device=x.device)),
        ),
        slip(
            "on-the-cpu",
            "The mask lives on the CPU, so an x on a graphics card cannot be multiplied by it.",
            "Make the mask from x, for example with torch.rand_like(x).",
            {"draw": _on_the_cpu},
            {"draw": lambda x, q: torch.rand(x.shape) < q},
        ),
        slip(
            "p-means-keeping",
            "Entries are kept with probability p and divided by p. That is consistent, as in some "
            "other courses, but here p is the probability of dropping.",
            "Exchange p and 1 − p in both places.",
            {"keep": itself, "scale": _by_p, "ends": _no_ends},
            {"keep": itself, "scale": _by_p},
            {"keep": itself, "scale": _by_p_guarded, "ends": _no_ends},
            {"keep": itself, "scale": _by_p_guarded},
        ),
        slip(
            "divides-by-p",
            "What is kept is divided by p, and the divisor that keeps the expectation is the "
            "probability of keeping, 1 − p.",
            "Divide by 1 − p.",
            {"scale": _by_p},
            {"scale": _by_p_guarded},
        ),
        slip(
            "multiplies",
            "What is kept is multiplied by 1 − p, and becomes smaller where it should become larger.",
            "Divide by 1 − p.",
            scale=lambda y, p: y * (1 - p),
        ),
        slip(
            "multiplies-by-p",
            "What is kept is multiplied by p.",
            "Divide by 1 − p.",
            scale=lambda y, p: y * p,
        ),
        slip(
            "rescaled-twice",
            "What is kept is divided by 1 − p twice.",
            "Divide once; F.dropout, for example, divides by itself.",
            scale=lambda y, p: y / (1 - p) ** 2,
        ),
        slip(
            "divides-by-one-plus-p",
            "What is kept is divided by 1 + p.",
            "The probability of keeping is 1 − p.",
            scale=lambda y, p: y / (1 + p),
        ),
        slip(
            "divides-by-the-share",
            "You divide by the share that happens to be kept in this call, and the probability "
            "1 − p is meant.",
            "Divide by 1 − p.",
            apply=lambda x, mask: x * mask / mask.double().mean().to(x.dtype),
            scale=lambda y, p: y,
        ),
        family(
            "fixed-rate",
            "Entries are kept with probability {constant}, whatever p is.",
            "Use the argument p: keep with probability 1 − p.",
            (0.5, 0.25, 0.75),
            lambda c: {"keep": lambda p: c},
        ),
        slip(
            "never-drops",
            "Nothing is dropped.",
            "Drop each entry with probability p.",
            {"keep": lambda p: 1.0},
            {"keep": lambda p: 1.0, "scale": lambda y, p: y},
            {"keep": lambda p: 1.0, "scale": lambda y, p: y, "ends": _no_ends},
        ),
        slip(
            "normal-draws",
            "Your random numbers are normally distributed, so p is not the share below p.",
            "Use torch.rand_like, whose numbers lie between 0 and 1, all alike.",
            {"whole": masking(draw=lambda x, q: torch.randn_like(x) < q)},
            {"whole": masking(draw=lambda x, q: torch.randn_like(x) > 1 - q)},
        ),
        slip(
            "nan-at-one",
            "For p = 1 your code divides by 1 − p = 0, which gives NaN or infinity; everything is "
            "dropped, so the result is 0.",
            "Treat p = 1 by itself.",
            ends=_no_ends,
        ),
        slip(
            "x-itself-at-one",
            "For p = 1 you return x unchanged, and everything must be dropped.",
            "Return zeros for p = 1.",
            ends=lambda x, p: x * 1 if p == 1 else None,
        ),
        slip(
            "refuses-one",
            "For p = 1 your code raises an exception; p may be 1, and then all entries are 0.",
            "Return zeros for p = 1.",
            ends=_refuses_one,
        ),
        slip(
            "zeros-at-zero",
            "For p = 0 you return zeros, and nothing must be dropped.",
            "Return x for p = 0, and zeros for p = 1.",
            ends=lambda x, p: x * 0 if p in (0, 1) else None,
        ),
        slip(
            "ends-exchanged",
            "You return x for p = 1 and zeros for p = 0: the two are exchanged.",
            "p is the probability of dropping: for p = 1 nothing is left.",
            ends=lambda x, p: x * 1 if p == 1 else x * 0 if p == 0 else None,
        ),
        slip(
            "same-mask",
            "Every call drops the same entries, because the seed is fixed (or the mask is kept).",
            "Draw a new mask at each call, and leave the seed alone.",
            {"draw": _seeded},
            {"draw": _seeding},
            {"draw": _own_generator},
        ),
        slip(
            "one-draw-for-each-row",
            "One number is drawn for each row, so that whole rows are kept or dropped.",
            "Draw a number for each entry: torch.rand_like(x).",
            draw=lambda x, q: torch.rand_like(x[..., :1]) < q,
        ),
        slip(
            "one-draw-for-each-column",
            "One number is drawn for each column, and all rows lose the same entries.",
            "Draw a number for each entry: torch.rand_like(x).",
            draw=lambda x, q: torch.rand_like(x[:1]) < q,
        ),
        slip(
            "one-draw-for-all",
            "One number is drawn for all of x, so that all is kept or all is dropped.",
            "Draw a number for each entry: torch.rand_like(x).",
            draw=lambda x, q: torch.rand((), device=x.device) < q,
        ),
        slip(
            "returns-the-mask",
            "You return the mask, and not x times the mask.",
            "Multiply x by the mask.",
            apply=lambda x, mask: mask.to(x.dtype),
        ),
        slip(
            "entries-removed",
            "The dropped entries are taken out, so the result has another shape.",
            "Set them to 0: multiply x by the mask.",
            apply=lambda x, mask: x[mask.bool()],
        ),
        slip(
            "in-place",
            "You wrote the result into x itself, and changed what the caller gave you.",
            "Make a new tensor.",
            {"apply": lambda x, mask: x.mul_(mask)},
            {"apply": _written_into},
        ),
        slip(
            "cut-off",
            "The result is cut off from x, by detach(), .data, NumPy or no_grad(): no gradient "
            "passes.",
            "Compute with x itself.",
            {"before": lambda x: x.detach()},
            {"around": _without_graph},
        ),
        slip(
            "result-on-the-cpu",
            "x is moved to the CPU, and the result stays there.",
            "Make the mask where x is, and leave x where it is.",
            before=lambda x: x.cpu(),
        ),
        slip(
            "always-float32",
            "The result is float32, whatever x is.",
            "Keep the dtype of x: leave out .float().",
            {"before": lambda x: x.float()},
            {"around": lambda f: lambda x, p: f(x, p).float()},
        ),
        slip(
            "returns-the-mask-too",
            "You return two things, and one is asked for.",
            "Return the result alone.",
            whole=lambda x, p: (right(x, p), torch.rand_like(x) < p),
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End every way through your code with `return`.",
            around=lambda f: lambda x, p: None,
        ),
    ),
)
