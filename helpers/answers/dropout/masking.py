"""Dropout of a tensor from its parts, and the slips in them, for the function and the module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from helpers.checking.recipe import Slip, family, slip

Tensor = torch.Tensor
Drop = Callable[[Tensor, float], Any]
"""Takes X and the probability of dropping; returns the result."""


def zeros_at_one(X: Tensor, p: float) -> Tensor | None:
    return X * 0 if p == 1 else None


PARTS: Mapping[str, Any] = {
    "ends": zeros_at_one,
    "draw": torch.rand_like,
    "keep": lambda drawn, p: drawn >= p,
    "mask": lambda kept: kept,
    "apply": lambda X, mask: X * mask,
    "scale": lambda Y, mask, p: Y / (1 - p),
}
"""The right parts, in the order in which they are used."""


def dropping(
    ends: Any = PARTS["ends"],
    draw: Any = PARTS["draw"],
    keep: Any = PARTS["keep"],
    mask: Any = PARTS["mask"],
    apply: Any = PARTS["apply"],
    scale: Any = PARTS["scale"],
) -> Drop:
    """Inverted dropout from its parts; `ends` may settle a probability without any mask."""

    def drop(X: Tensor, p: float) -> Any:
        settled = ends(X, p)
        if settled is not None:
            return settled
        kept = mask(keep(draw(X), p))
        return scale(apply(X, kept), kept, p)

    return drop


def refuse(p: float) -> None:
    """The ValueError that the lesson asks for."""
    if not 0 <= p <= 1:
        raise ValueError(f"The probability must be in [0, 1], and it is {p}.")


def asserting(p: float) -> None:
    assert 0 <= p <= 1


def refusing(wrong: Callable[[float], bool], error: type[Exception] = ValueError) -> Any:
    """Refuses every p for which `wrong` is true."""

    def refuse_p(p: float) -> None:
        if wrong(p):
            raise error(p)

    return refuse_p


# Wrong parts -------------------------------------------------------------------------------------


def one_for_axes(number: int) -> Callable[[Tensor], Tensor]:
    """One draw for each index of the first axes, so many of them."""
    return lambda X: torch.rand(
        [*X.shape[:number], *[1] * (X.dim() - number)], device=X.device, dtype=X.dtype
    )


def seeded_draw(X: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(X.shape, generator=generator).to(X)


def setting_the_seed(X: Tensor) -> Tensor:
    torch.default_generator.manual_seed(0)  # torch.manual_seed, without its slow report
    return torch.rand_like(X)


def ranks(X: Tensor) -> Tensor:
    """All entries in a random order, as numbers from 0 to 1."""
    return torch.randperm(X.numel(), device=X.device).reshape(X.shape) / max(X.numel(), 1)


def in_place_quietly(X: Tensor, mask: Tensor) -> Tensor:
    with torch.no_grad():
        X *= mask
    return X


def in_place(X: Tensor, mask: Tensor) -> Tensor:
    X *= mask
    return X


def zeros_written(X: Tensor, mask: Tensor) -> Tensor:
    X[mask == 0] = 0
    return X


def by_count(Y: Tensor, mask: Tensor, p: float) -> Tensor:
    return Y * (mask.numel() / max(int(mask.sum()), 1))


def mask_slips(p: str) -> tuple[Slip, ...]:
    """The slips in the parts of `dropping`, where the probability is called `p`."""

    def nothing(X: Tensor, q: float) -> None:
        return None

    def less(drawn: Tensor, q: float) -> Tensor:
        return drawn < q

    whole_shape = "The mask needs the whole shape of X, so that each entry has its own draw."
    divide = f"Divide the kept entries by 1 - {p}, so that the mean stays what it was."
    leave_seed = "Leave the seed to the caller, and draw from torch's own generator."
    return (
        slip(
            "keeps-with-p",
            f"Your code keeps an entry with probability {p}, and {p} is the probability of "
            "dropping it.",
            f"Let {p} = 0 be your guide: nothing is dropped, so a mask of what stays is all ones.",
            keep=less,
        ),
        slip(
            "p-is-keep-probability",
            f"Your code takes {p} for the probability of keeping, in the mask and in the scale, as "
            "some papers do; here it is the probability of dropping.",
            f"Keep where the random number is at least {p}, and divide by 1 - {p}.",
            {"keep": less, "scale": lambda Y, mask, q: Y / q},
            {"keep": less, "scale": lambda Y, mask, q: Y / q, "ends": nothing},
            {
                "keep": less,
                "scale": lambda Y, mask, q: Y / q,
                "ends": lambda X, q: X * 0 if q == 0 else None,
            },
        ),
        slip(
            "not-rescaled",
            "Your code leaves the kept entries as they are, so in training the mean shrinks to "
            f"1 - {p} times what it was.",
            divide,
            scale=lambda Y, mask, q: Y,
        ),
        slip(
            "divides-by-p",
            f"Your code divides the kept entries by {p}.",
            f"The share that is kept is 1 - {p}: divide by that.",
            {"scale": lambda Y, mask, q: Y / q},
            {"scale": lambda Y, mask, q: Y / q if q else Y},
        ),
        slip(
            "multiplies",
            f"Your code multiplies the kept entries by 1 - {p}, and they become smaller still.",
            "Fewer entries must carry the same sum, so each must grow: divide.",
            scale=lambda Y, mask, q: Y * (1 - q),
        ),
        slip(
            "multiplies-by-p",
            f"Your code multiplies the kept entries by {p}.",
            divide,
            scale=lambda Y, mask, q: Y * q,
        ),
        slip(
            "scaled-twice",
            f"Your code divides by 1 - {p} twice.",
            "Scale either the mask or the result, not both.",
            scale=lambda Y, mask, q: Y / (1 - q) ** 2,
        ),
        slip(
            "scaled-by-root",
            f"Your code divides the kept entries by the root of 1 - {p}, which keeps the mean "
            "square and not the mean.",
            f"Divide by 1 - {p} itself.",
            scale=lambda Y, mask, q: Y / (1 - q) ** 0.5,
        ),
        family(
            "fixed-scale",
            f"Your code multiplies the kept entries by {{constant}}, whatever {p} is.",
            divide,
            (2, 1.25, 1.5),
            lambda c: {"scale": lambda Y, mask, q: Y * c},
        ),
        slip(
            "scaled-by-count",
            "Your code divides by the share that was kept by chance in this call.",
            f"Divide by the probability of keeping, 1 - {p}, which is the same in each call.",
            draw=PARTS["draw"],  # with one draw for all, the share kept is 0 or 1
            scale=by_count,
        ),
        slip(
            "gradient-unscaled",
            "Your code scales the values and not the gradient.",
            f"Divide the result itself by 1 - {p}, without detach() or .data.",
            scale=lambda Y, mask, q: Y + (Y / (1 - q) - Y).detach(),
        ),
        slip(
            "one-mask-for-the-batch",
            "Your code draws one mask and uses it for every row of X.",
            "The mask needs the whole shape of X, so that every sample has its own.",
            {"draw": lambda X: torch.rand(X.shape[1:], device=X.device, dtype=X.dtype)},
            {"draw": lambda X: torch.rand(X.shape[-1:], device=X.device, dtype=X.dtype)},
        ),
        slip(
            "whole-rows",
            "Your code drops whole rows: one draw decides about all entries of a sample.",
            whole_shape,
            draw=one_for_axes(1),
        ),
        slip(
            "whole-channels",
            "Your code drops whole channels of images: that is Dropout2d.",
            whole_shape,
            draw=one_for_axes(2),
        ),
        slip(
            "one-draw",
            "Your code draws one number, and keeps or drops the whole tensor by it.",
            "Draw one number for each entry: torch.rand_like(X).",
            draw=lambda X: torch.rand((), device=X.device, dtype=X.dtype),
        ),
        slip(
            "first-entries",
            "Your code always drops the first entries; nothing is random.",
            f"Compare a random number for each entry with {p}.",
            draw=lambda X: torch.arange(X.numel(), device=X.device).reshape(X.shape) / X.numel(),
        ),
        slip(
            "exact-number",
            f"Your code drops exactly the share {p} of the entries, so whether one is dropped "
            "depends on the others.",
            "Draw for each entry by itself; how many are dropped then varies from call to call.",
            draw=ranks,
        ),
        slip(
            "normal-numbers",
            f"Your code compares normal random numbers (randn) with {p}.",
            "The probability that a uniform number, torch.rand, lies below p is p.",
            draw=torch.randn_like,
        ),
        slip(
            "same-mask",
            "Your code uses the same mask again and again: it keeps the first one, or it seeds its "
            "generator anew in each call.",
            f"Draw a new mask in each call. {leave_seed}",
            draw=seeded_draw,
        ),
        slip(
            "sets-the-seed",
            "Your code sets PyTorch's random seed, so the mask is always the same, and so is "
            "whatever the caller draws next.",
            leave_seed,
            draw=setting_the_seed,
        ),
        slip(
            "mask-on-cpu",
            "Your mask is made on the CPU, whatever the device of X.",
            "Make it where X lies: torch.rand_like(X), or torch.rand(X.shape, device=X.device).",
            draw=lambda X: torch.rand(X.shape),
        ),
        slip(
            "shape-unpacked",
            "Your code unpacks the shape, and for an X without axes nothing is left to unpack.",
            "torch.rand(X.shape, device=X.device) takes the shape as it is.",
            draw=lambda X: torch.rand(*X.shape, device=X.device),
        ),
        slip(
            "ignores-p",
            f"Your code drops half of the entries, whatever {p} is.",
            f"Compare the random numbers with {p}.",
            keep=lambda drawn, q: drawn >= 0.5,
        ),
        slip(
            "never-drops",
            "Your code drops nothing.",
            f"Draw a random number for each entry, and compare it with {p}.",
            keep=lambda drawn, q: torch.ones_like(drawn),
            scale=lambda Y, mask, q: Y,
        ),
        slip(
            "float64-mask",
            "Your mask is float64, as NumPy makes it, and a float32 X becomes float64 as well.",
            "Give the mask the dtype of X: mask.to(X.dtype), or draw with torch.rand_like(X).",
            mask=lambda kept: kept.double(),
        ),
        slip(
            "in-place",
            "Your code writes zeros into X itself, which belongs to the caller.",
            "Make a new tensor: mask * X instead of X *= mask.",
            {"apply": in_place_quietly},
            {"apply": in_place},
            {"apply": zeros_written},
        ),
        slip(
            "gradient-everywhere",
            "Your code passes the gradient to dropped entries as well.",
            "Compute the result from mask * X, and autograd passes the mask by itself.",
            apply=lambda X, mask: X + (X * mask - X).detach(),
        ),
        slip(
            "zero-over-zero",
            f"With {p} = 1 your code divides by 1 - {p}, which is 0.",
            f"Handle {p} = 1 before you divide: all is zero then.",
            {"ends": nothing},
            {"ends": nothing, "scale": lambda Y, mask, q: Y * (1 / (1 - q))},
        ),
        slip(
            "ends-exchanged",
            f"Your code exchanges the ends: with {p} = 1 it keeps everything, and everything is "
            "to be dropped.",
            f"{p} is the probability of dropping: 1 gives zeros, and 0 gives the values of X.",
            {"ends": lambda X, q: X * 1 if q == 1 else None},
            {"ends": lambda X, q: X * (q == 1) if q in (0, 1) else None},
        ),
    )


def cut_off_slip(where: str, *around: Callable[[Any], Any]) -> Slip:
    return slip(
        "cut-off",
        f"{where} is cut off from X, as it is by torch.no_grad(), detach(), .data and NumPy.",
        "Only the mask needs no gradient; multiply X itself by it.",
        *({"around": a} for a in around),
    )


def refusal_slips(p: str) -> tuple[Slip, ...]:
    """The slips in how a probability outside of [0, 1] is refused."""
    write = f"Write: if not 0 <= {p} <= 1: raise ValueError(...)."
    return (
        slip(
            "asserts",
            "Your code says assert where a ValueError is meant; assert vanishes under python -O.",
            write,
            refuse=asserting,
        ),
        slip(
            "other-exception",
            "Your code refuses a probability outside 0 to 1 with another exception, and "
            "a ValueError is meant.",
            write,
            *(
                {"refuse": refusing(lambda p: not 0 <= p <= 1, error)}
                for error in (Exception, RuntimeError, TypeError)
            ),
        ),
        slip(
            "no-error",
            "Your code accepts a probability outside 0 to 1.",
            write,
            refuse=lambda p: None,
        ),
        slip(
            "only-above-refused",
            "Your code refuses a probability above 1, and accepts one below 0.",
            write,
            refuse=refusing(lambda p: p > 1),
        ),
        slip(
            "only-below-refused",
            "Your code refuses a probability below 0, and accepts one above 1.",
            write,
            refuse=refusing(lambda p: p < 0),
        ),
        slip(
            "refuses-the-ends",
            "Your code refuses 0 or 1, which are both allowed.",
            write,
            {"refuse": refusing(lambda p: not 0 < p < 1)},
            {"refuse": refusing(lambda p: not 0 < p <= 1)},
            {"refuse": refusing(lambda p: not 0 <= p < 1)},
        ),
    )


# Right ones, written differently -----------------------------------------------------------------


def by_masked_fill(X: Tensor, p: float) -> Tensor:
    dropped = torch.rand(X.shape, device=X.device) < p
    return X.masked_fill(dropped, 0.0) * (1 / (1 - p) if p < 1 else 0.0)


def by_own_copy(X: Tensor, p: float) -> Tensor:
    result = X.clone() if p < 1 else torch.zeros_like(X)
    result[torch.rand_like(X) < p] = 0
    return result / (1 - p) if p < 1 else result


def by_bernoulli(X: Tensor, p: float) -> Tensor:
    return torch.bernoulli(torch.full_like(X, 1 - p)) * X / max(1 - p, 1e-12)


def by_numpy(X: Tensor, p: float) -> Tensor:
    kept = torch.from_numpy(np.asarray(np.random.default_rng().random(tuple(X.shape)) >= p))
    return X * kept.to(X) * (0.0 if p == 1 else 1 / (1 - p))


def in_float64(X: Tensor, p: float) -> Tensor:
    return dropping()(X.double(), p).to(X.dtype)


def by_indexing(X: Tensor, p: float) -> Tensor:
    """Copies the kept entries alone. Meta tensors cannot be indexed so, and a GPU's can."""
    result = torch.zeros_like(X)
    kept = torch.rand_like(X) >= p
    result[kept] = X[kept] / max(1 - p, 1e-12)
    return result


def by_distribution(X: Tensor, p: float) -> Tensor:
    """Bernoulli looks at its probabilities, which meta tensors do not have and a GPU's have."""
    kept = torch.distributions.Bernoulli(torch.full_like(X, 1 - p)).sample()
    return kept * X / max(1 - p, 1e-12)


def as_a_textbook(X: Tensor, p: float) -> Tensor:
    """The mask in float32, from torch.rand of a shape: on the CPU."""
    if p == 1:
        return torch.zeros_like(X)
    if p == 0:
        return X
    mask = (torch.rand(X.shape) > p).float()
    return mask * X / (1.0 - p)
