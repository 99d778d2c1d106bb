"""What can be seen of a random mask without knowing which numbers were drawn.

Two right implementations draw different masks, so no mask is compared entry by entry. What is
the same for all of them is looked at instead: how many entries are dropped, whether they are
dropped independently, by what exactly the kept ones are scaled, and whether the gradient passes
the very same mask. Small matrices come first and are looked at with a wide tolerance, so that a
mask with few draws (one a row, say) shows the same thing whatever it drew; one large matrix is
looked at with a narrow one, of at least 6.5 standard deviations of the difference of two right
implementations: chance does not fail a right answer, and a drop rate that is off by 0.03, or a
scale by 2 %, still shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Aspect

ROWS, COLUMNS = 251, 403
"""About 100,000 entries: the share dropped has a standard deviation of at most 0.0016."""

MEDIUM = (101, 101)
"""Enough rows and columns for a wide tolerance, and cheap to look at many times."""

IMAGES = (16, 6, 11, 11)
"""A batch of images (N, C, H, W)."""

FEW = (2, 5)
MANY_CALLS = 160
"""So often a small matrix is dropped, to see how the number of dropped entries varies."""


def nonzero(shape: tuple[int, ...], rng: torch.Generator, dtype: Any = None) -> torch.Tensor:
    """Random numbers of both signs between 0.5 and 1.5, so that a zero was dropped."""
    size = torch.rand(shape, generator=rng, dtype=dtype) + 0.5
    return size * (torch.randint(0, 2, shape, generator=rng) * 2 - 1).to(size.dtype)


def far_from_zero(shape: tuple[int, ...], rng: torch.Generator) -> torch.Tensor:
    """Random numbers of mean 1,000 and standard deviation 1."""
    return torch.randn(shape, generator=rng) + 1000


def outline(result: Any) -> Any:
    """Zeros of the shape, dtype and device of a random result; NaN where it is not finite."""
    if isinstance(result, (tuple, list)):
        return type(result)(outline(part) for part in result)
    if isinstance(result, float):
        return 0.0
    if isinstance(result, torch.Tensor):
        return (result.detach() * 0).abs()
    if isinstance(result, np.ndarray) and result.dtype.kind in "bf":
        return np.asarray(abs(result * 0))
    return result


def _share(truths: torch.Tensor) -> float:
    """The share of True; counting is much faster than the mean of floats."""
    return int(torch.count_nonzero(truths)) / truths.numel() if truths.numel() else float("nan")


def share_dropped(result: Any) -> Any:
    """The share of zeros; of what is no tensor and no array, what kind of thing it is."""
    if isinstance(result, np.ndarray):
        return float(np.mean(result == 0))
    return _share(result == 0) if isinstance(result, torch.Tensor) else outline(result)


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    """The share of entries that are dropped in both or kept in both."""
    return _share((one == 0) == (other == 0))


def _ends(factor: torch.Tensor, kept: torch.Tensor) -> tuple[float, float]:
    """The smallest and the largest factor of the kept entries."""
    if not kept.any():
        return float("nan"), float("nan")
    infinity = float("inf")
    smallest = torch.where(kept, factor, infinity).min()
    return smallest.item(), torch.where(kept, factor, -infinity).max().item()


ENOUGH = 90
"""With so many independent draws a share is told well enough for a wide tolerance."""


def together(zero: torch.Tensor) -> tuple[list[int], list[float], int]:
    """The axes along which entries are dropped together, how often neighbours along each axis are
    alike, and how many draws are left along the other axes.
    """
    shares = [_share(zero == zero.roll(1, axis)) for axis in range(zero.dim())]
    axes = [axis for axis, share in enumerate(shares) if share > 0.95]
    draws = int(np.prod([size for axis, size in enumerate(zero.shape) if axis not in axes]))
    return axes, shares, draws


def seen_of_mask(x: torch.Tensor, result: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """The statistics of one random result of an `x` without zeros, as far as they are no matter
    of chance.
    """
    zero = result == 0
    share = _share(zero)
    axes, neighbours, draws = together(zero)
    if draws >= ENOUGH or share in (0, 1):
        yield "about the share dropped", share
    yield "dropped together", ", ".join(f"axis {axis}" for axis in axes) or "no axis"
    if len(axes) == zero.dim():
        return
    if result.numel() >= ROWS * COLUMNS and not axes:  # fewer would say nothing exact
        yield "share dropped", share
        yield "neighbours alike", torch.from_numpy(np.array(neighbours))
    smallest, largest = _ends(result / x, ~zero)
    by_count = abs(smallest * (1 - share) - 1) < 2e-6
    yield "scaled by the count", by_count
    if not by_count:  # else the scale itself is a matter of chance
        yield "smallest scale", smallest
        yield "largest scale", largest


def seen_of_gradient(
    gradient: torch.Tensor,
    upstream: torch.Tensor,
    x: torch.Tensor,
    result: torch.Tensor,
    when: str = "",
) -> Iterator[tuple[str, Any]]:
    """Whether the gradient passes mask and scale of `result`, in numbers that are the same for
    every mask: all dropped entries get none, and all kept ones are scaled as their values are.
    """
    kept = result != 0
    dropped = max(1, int(torch.count_nonzero(~kept)))
    yield (
        f"gradient at dropped entries{when}",
        int(torch.count_nonzero((gradient != 0) & ~kept)) / dropped,
    )
    smallest, largest = _ends(gradient / upstream / (result / x), kept)
    yield f"smallest gradient{when}", smallest
    yield f"largest gradient{when}", largest


def seen_of_draws(
    drop: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> Iterator[tuple[str, Any]]:
    """All that is seen of a dropout on `x`: the mask, the gradient, and a second call."""
    before = x.clone()
    result = drop(x)
    yield "result", outline(result)
    if not isinstance(result, torch.Tensor) or result.shape != before.shape:
        return
    yield from seen_of_mask(before, result.detach())
    yield "X changed", not torch.equal(before, x)
    if not together(result == 0)[2] > 1:  # nothing is drawn for itself: there is no mask to look at
        return
    leaf = before.clone().requires_grad_()
    second = drop(leaf)
    if together(result == 0)[2] >= ENOUGH:
        yield "calls alike", alike(result, second.detach())
    yield "connected", bool(second.requires_grad)
    if not second.requires_grad:
        return
    upstream = torch.linspace(1, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    (gradient,) = torch.autograd.grad(second, leaf, upstream)
    yield from seen_of_gradient(gradient, upstream, before, second.detach())


def seen_of_settled(key: str, result: Any, share: float = 0.0) -> Iterator[tuple[str, Any]]:
    """A result in which nothing is to be left to chance, and which has this share of zeros. Where
    it is random all the same, only the share can be compared.
    """
    if isinstance(result, (torch.Tensor, np.ndarray)) and result.shape:
        share = share_dropped(result)
    yield f"share {key}", share
    if not 0.02 < share < 0.98:
        yield key, outline_of_others(result)


def outline_of_others(result: Any) -> Any:
    """Tensors and arrays as they are; of everything else what kind of thing it is."""
    return result if isinstance(result, (torch.Tensor, np.ndarray)) else outline(result)


def seen_of_many_calls(drop: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """How the number of dropped entries varies: where each is drawn for itself, it does."""
    first = drop()
    yield "result", outline(first)
    if not isinstance(first, (torch.Tensor, np.ndarray)):
        return
    shares = [share_dropped(drop()) for _ in range(MANY_CALLS)]
    spread = float(np.std(shares))
    yield "spread over many calls", round(spread, 6)
    if spread > 1e-6:  # else the share itself may be a matter of chance
        yield "share over many calls", float(np.mean(shares))


def settled_aspects(key: str, call: str, wrong: str, **options: Any) -> dict[str, Aspect]:
    """How to speak about `seen_of_settled`."""
    return {
        f"share {key}": Aspect(f"the share of zeros in {call}", wrong, rtol=0, atol=0.22),
        key: Aspect(call, wrong, **options),
    }


def gradient_aspects(call: str, gradient: str, when: str = "") -> dict[str, Aspect]:
    """How to speak about `seen_of_gradient`, given the call that makes Y and the gradient."""
    kept = "The gradient of a kept entry is not scaled as the entry itself is."
    ratio = f"({gradient} / G) / (Y / X) of kept entries"
    return {
        f"gradient at dropped entries{when}": Aspect(
            f"{call}, and then the share of dropped entries at which {gradient} is not 0",
            "Dropped entries get a gradient: backward does not use the mask of the values.",
            rtol=0,
            atol=0.15,
        ),
        f"smallest gradient{when}": Aspect(
            f"{call}, and then the smallest {ratio}", kept, rtol=1e-3
        ),
        f"largest gradient{when}": Aspect(f"{call}, and then the largest {ratio}", kept, rtol=1e-3),
    }


def mask_aspects(call: str, name: str = "Y") -> dict[str, Aspect]:
    """How to speak about `seen_of_draws`, given the call that makes `Y` from `X`."""
    y = f"{name} = {call}"
    neighbours = (
        f"{y}, and then, for each axis, how often neighbours along it are both kept or both dropped"
    )
    dependent = "Neighbouring entries are not dropped independently of each other."
    shares = f"{name} = {call} again and again, and then the share of zeros in each {name}: its"
    return {
        "result": Aspect(call, "The result is wrong."),
        "about the share dropped": Aspect(
            f"{y}, and then the share of zeros in {name}",
            "The share of dropped entries is far from p.",
            rtol=0,
            atol=0.22,
        ),
        "share dropped": Aspect(
            f"{y}, and then the share of zeros in {name}",
            "The share of dropped entries is wrong.",
            rtol=0,
            atol=0.015,
        ),
        "dropped together": Aspect(
            f"{y}, and then the axes along which entries are kept or dropped all together",
            dependent,
        ),
        "neighbours alike": Aspect(neighbours, dependent, rtol=0, atol=0.05),
        "scaled by the count": Aspect(
            f"{y}, and then whether {name} / X is 1 divided by the share that happened to be kept",
            "The scale hangs on how many entries happened to be kept.",
        ),
        "smallest scale": Aspect(
            f"{y}, and then the smallest {name} / X among the kept entries",
            "The kept entries are scaled by a wrong number.",
            rtol=1e-4,
        ),
        "largest scale": Aspect(
            f"{y}, and then the largest {name} / X among the kept entries",
            "The kept entries are scaled by a wrong number.",
            rtol=1e-4,
        ),
        "calls alike": Aspect(
            f"{call} twice, and then how often an entry is kept in both or dropped in both",
            "Two calls do not draw independent masks.",
            rtol=0,
            atol=0.3,
        ),
        "connected": Aspect(
            f"{y} for an X that asks for gradients, and then {name}.requires_grad",
            "Autograd cannot see through your code: the result is cut off from X.",
        ),
        **gradient_aspects(f"{y}; {name}.backward(G)", "X.grad"),
        "share over many calls": Aspect(
            f"{shares} mean", "The share of dropped entries is far from p.", rtol=0, atol=0.22
        ),
        "spread over many calls": Aspect(
            f"{shares} standard deviation",
            "How many entries are dropped does not vary as it does where each is drawn for itself.",
            rtol=0.5,
        ),
        "X changed": Aspect(
            f"{call}, and then whether X has changed", "Your code changed its argument X."
        ),
        "X afterwards": Aspect(f"{call}, and then X", "Your code changed its argument X."),
    }
