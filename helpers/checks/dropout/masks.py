"""What can be seen of a random mask without knowing which numbers were drawn.

Two right implementations draw different masks, so no mask is compared entry by entry. What is
the same for all of them is looked at instead: how many entries are dropped, whether they are
dropped independently, by what exactly the kept ones are scaled, and whether the gradient passes
the very same mask. What is observed first is observed with a wide tolerance, so that a mask with
few draws (one a row, say) shows the same thing whatever it drew. Tolerances of shares are at least 6.5 standard deviations of the difference of
two right implementations, so that chance does not fail a right answer; a drop rate that is off
by 0.03, or a scale by 2 %, still shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Aspect

ROWS, COLUMNS = 250, 400
"""100,000 entries: the share dropped has a standard deviation of at most 0.0016."""

IMAGES = (8, 10, 32, 40)
"""As many entries in a batch of images (N, C, H, W)."""


def nonzero(shape: tuple[int, ...], rng: torch.Generator, dtype: Any = None) -> torch.Tensor:
    """Random numbers of both signs between 0.5 and 1.5, so that a zero was dropped."""
    size = torch.rand(shape, generator=rng, dtype=dtype) + 0.5
    return size * (torch.randint(0, 2, shape, generator=rng) * 2 - 1).to(size.dtype)


def outline(result: Any) -> Any:
    """Zeros of the shape, dtype and device of a random result; NaN where it is not finite."""
    if isinstance(result, torch.Tensor):
        return result.detach() * 0
    if isinstance(result, np.ndarray) and result.dtype.kind == "f":
        return result * 0
    return result


def _share(truths: torch.Tensor) -> float:
    """The share of True; counting is much faster than the mean of floats."""
    return int(torch.count_nonzero(truths)) / truths.numel() if truths.numel() else float("nan")


def share_dropped(result: torch.Tensor) -> float:
    return _share(result == 0)


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    """The share of entries that are dropped in both or kept in both."""
    return _share((one == 0) == (other == 0))


def share_changed(before: torch.Tensor, after: torch.Tensor) -> float:
    return _share(before != after)


def _ends(factor: torch.Tensor, kept: torch.Tensor) -> tuple[float, float]:
    """The smallest and the largest factor of the kept entries."""
    if not kept.any():
        return float("nan"), float("nan")
    infinity = float("inf")
    smallest = torch.where(kept, factor, infinity).min()
    return smallest.item(), torch.where(kept, factor, -infinity).max().item()


def seen_of_gradient(
    gradient: torch.Tensor, upstream: torch.Tensor, result: torch.Tensor, when: str = ""
) -> Iterator[tuple[str, Any]]:
    """Whether the gradient passes mask and scale of `result`, in numbers that are the same for
    every mask: all dropped entries get none, and all kept ones are scaled by one number.
    """
    kept = result != 0
    dropped = max(1, int(torch.count_nonzero(~kept)))
    yield (
        f"gradient at dropped entries{when}",
        int(torch.count_nonzero((gradient != 0) & ~kept)) / dropped,
    )
    smallest, largest = _ends(gradient / upstream, kept)
    yield f"smallest gradient{when}", smallest
    yield f"largest gradient{when}", largest


def seen_of_mask(x: torch.Tensor, result: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """The statistics of one random result of an `x` without zeros."""
    yield "about the share dropped", share_dropped(result)
    zero = result == 0
    shares = [_share(zero == zero.roll(1, axis)) for axis in range(zero.dim())]
    neighbours = torch.from_numpy(np.array(shares))
    yield "about neighbours alike", neighbours
    if result.numel() >= ROWS * COLUMNS:  # fewer would say nothing exact
        yield "share dropped", share_dropped(result)
        yield "neighbours alike", neighbours
        if result.dim() == 2:
            yield "spread of rows", _spread(zero, 1)
            yield "spread of columns", _spread(zero, 0)
    smallest, largest = _ends(result / x, ~zero)
    yield "smallest scale", smallest
    yield "largest scale", largest


def _spread(zero: torch.Tensor, axis: int) -> float:
    """The standard deviation of the shares of zeros along an axis."""
    return (torch.count_nonzero(zero, dim=axis) / zero.shape[axis]).double().std().item()


def seen_of_draws(
    drop: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> Iterator[tuple[str, Any]]:
    """All that is seen of a dropout on `x`: the mask, the gradient, and a second call."""
    before = x.clone()
    result = drop(x)
    yield "result", outline(result)
    yield from seen_of_mask(before, result)
    yield "share of X changed", share_changed(before, x)
    leaf = before.clone().requires_grad_()
    second = drop(leaf)
    yield "calls alike", alike(result, second.detach())
    yield "connected", bool(second.requires_grad)
    upstream = torch.linspace(1, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    (gradient,) = torch.autograd.grad(second, leaf, upstream)
    yield from seen_of_gradient(gradient, upstream, second.detach())


def gradient_aspects(call: str, gradient: str, when: str = "") -> dict[str, Aspect]:
    """How to speak about `seen_of_gradient`, given the call that makes Y and the gradient."""
    kept = "The gradient of kept entries is scaled by a wrong number."
    return {
        f"gradient at dropped entries{when}": Aspect(
            f"{call}, and then the share of dropped entries at which {gradient} is not 0",
            "Dropped entries get a gradient: backward does not use the mask of the values.",
            rtol=0,
            atol=0.02,
        ),
        f"smallest gradient{when}": Aspect(
            f"{call}, and then the smallest {gradient} / G of kept entries", kept, rtol=1e-4
        ),
        f"largest gradient{when}": Aspect(
            f"{call}, and then the largest {gradient} / G of kept entries", kept, rtol=1e-4
        ),
    }


def mask_aspects(call: str, name: str = "Y") -> dict[str, Aspect]:
    """How to speak about `seen_of_draws`, given the call that makes `Y` from `X`."""
    y = f"{name} = {call}"
    neighbours = (
        f"{y}, and then, for each axis, how often neighbours along it are both kept or both dropped"
    )
    dependent = "Neighbouring entries are not dropped independently of each other."
    return {
        "result": Aspect(call, "The result is wrong."),
        "about the share dropped": Aspect(
            f"{y}, and then the share of zeros in {name}",
            "The share of dropped entries is far from p.",
            rtol=0,
            atol=0.12,
        ),
        "share dropped": Aspect(
            f"{y}, and then the share of zeros in {name}",
            "The share of dropped entries is wrong.",
            rtol=0,
            atol=0.015,
        ),
        "about neighbours alike": Aspect(neighbours, dependent, rtol=0, atol=0.25),
        "neighbours alike": Aspect(neighbours, dependent, rtol=0, atol=0.05),
        "spread of rows": Aspect(
            f"{y}, the share of zeros in each row, and then the standard deviation over the rows",
            "The entries of a row are not dropped independently of each other.",
            rtol=0.5,
        ),
        "spread of columns": Aspect(
            f"{y}, the share of zeros in each column, and then the standard deviation over them",
            "The entries of a column are not dropped independently of each other.",
            rtol=0.5,
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
            atol=0.2,
        ),
        "connected": Aspect(
            f"{y} for an X that asks for gradients, and then {name}.requires_grad",
            "Autograd cannot see through your code: the result is cut off from X.",
        ),
        **gradient_aspects(f"{y}; {name}.backward(G)", "X.grad"),
        "share of X changed": Aspect(
            f"{call}, and then the share of X's entries that changed",
            "Your code changed X.",
            rtol=0,
            atol=0.1,
        ),
        "X afterwards": Aspect(f"{call}, and then X", "Your code changed X."),
    }
