"""Experiments of lesson 04 about ridge and lasso: what shrinks how far, and which features stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from helpers.experiments.weight_decay import hidden_pixel, proximal_descent, sparse_data
from helpers.plotting import COLORS, LINES, MARKERS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Shrinkage:
    """Ridge regression in each direction of the data, those of large singular values first."""

    singular: torch.Tensor
    """The singular values s of x, (r,): how much the samples differ along each direction."""
    unpenalised: torch.Tensor
    """The part of the least-squares fit along each direction, (r,)."""
    kept: dict[float, torch.Tensor]
    """By λ: the part of the ridge solution, divided by that of the least-squares fit, (r,)."""

    def factor(self, lam: float) -> torch.Tensor:
        """What the formula s²/(s² + λ) says of `kept`."""
        return self.singular**2 / (self.singular**2 + lam)


def shrinkage(
    ridge_solution: Callable[..., torch.Tensor], lambdas: Sequence[float], seed: int
) -> Shrinkage:
    """Look at the ridge solutions for the hidden pixel in the directions of its training images."""
    task = hidden_pixel(seed)
    x, y = task.x["train"].cpu(), task.y["train"].cpu()
    _, singular, directions = torch.linalg.svd(x, full_matrices=False)
    rank = int((singular > 1e-9 * singular[0]).sum())
    singular, directions = singular[:rank], directions[:rank]
    free = directions @ (torch.linalg.pinv(x) @ y)
    kept = {lam: directions @ ridge_solution(x, y, lam) / free for lam in lambdas}
    return Shrinkage(singular, free, kept)


def draw_shrinkage(seen: Shrinkage) -> tuple[Figure, str]:
    """The share of each direction that is kept, and the size of the weights along it.

    Returns a figure and its alternative text.
    """
    figure, (left, right) = new_figure(columns=2, width=9.5, height=3.8)
    order = range(1, len(seen.singular) + 1)
    for i, (lam, kept) in enumerate(seen.kept.items()):
        left.plot(order, seen.factor(lam), LINES[i], color=COLORS[i], label=f"λ = {lam:g}")
        left.plot(order, kept, MARKERS[i], color=COLORS[i], markersize=3.5)
    left.set(ylabel="share that is kept", ylim=(-0.03, 1.03), title="s²/(s² + λ), and measured")
    lam = sorted(seen.kept)[len(seen.kept) // 2]
    for i, (label, part) in enumerate(
        (("no penalty", seen.unpenalised), (f"λ = {lam:g}", seen.unpenalised * seen.kept[lam]))
    ):
        right.plot(order, part.abs(), MARKERS[i], color=COLORS[i], markersize=5, label=label)
    right.set(ylabel="|weight| along the direction", title="What the shrinking removes")
    for panel in (left, right):
        panel.set_xlabel("direction, the largest s first")
        panel.legend()
    halves = [f"{int((kept > 0.5).sum())} for λ = {lam:g}" for lam, kept in seen.kept.items()]
    return figure, (
        f"Two panels over {len(order)} directions of the data. Left: the share of the weight that "
        "ridge regression keeps falls from the first direction to the last, and the measured "
        "points lie on the curves of the formula. Directions that keep more than half: "
        f"{', '.join(halves)}. Right: the weight without a penalty grows up to "
        f"{seen.unpenalised.abs().max().item():.1f} in the last directions; with λ = {lam:g} no "
        f"part is larger than {(seen.unpenalised * seen.kept[lam]).abs().max().item():.1f}."
    )


@dataclass(frozen=True)
class SparsePath:
    """What L1 finds for each λ."""

    error: list[float]
    """Mean squared error on 100 samples that were held out."""
    found: list[int]
    """How many of the 10 features that matter have a weight other than 0."""
    others: list[int]
    """How many of the 190 others have one."""
    chosen: int
    """The position of the λ with the smallest error."""


def sparse_path(
    soft_threshold: Callable[..., torch.Tensor], lambdas: Sequence[float], seed: int
) -> SparsePath:
    """L1 on the samples of `sparse_run` with every λ; each fit starts from that of the larger λ."""
    x, y, true = sparse_data(seed)
    generator = torch.Generator().manual_seed(20_000 + seed)
    new_x = torch.randn(100, 200, generator=generator)
    new_y = new_x @ true + 0.5 * torch.randn(100, generator=generator)
    weights, w = {}, torch.zeros(200)
    for lam in sorted(lambdas, reverse=True):
        w = weights[lam] = proximal_descent(soft_threshold, x[:180], y[:180], lam, w, steps=300)
    fits = [weights[lam] for lam in lambdas]
    error = [((new_x @ w - new_y) ** 2).mean().item() for w in fits]
    return SparsePath(
        error,
        found=[int(((w != 0) & (true != 0)).sum()) for w in fits],
        others=[int(((w != 0) & (true == 0)).sum()) for w in fits],
        chosen=min(range(len(error)), key=error.__getitem__),
    )


def two_copies(
    ridge_solution: Callable[..., torch.Tensor],
    soft_threshold: Callable[..., torch.Tensor],
    seed: int,
    blur: float = 0.1,
    lam: float = 0.1,
) -> dict[str, torch.Tensor]:
    """The weights of feature a and its copy b = a + blur·noise, fitted to 100 samples of a + noise.

    By what they are fitted with: "no penalty", "L2" and "L1", both with this λ and the mean loss.
    """
    generator = torch.Generator().manual_seed(seed)
    a, difference, noise = torch.randn(3, 100, generator=generator, dtype=torch.float64)
    x, y = torch.stack([a, a + blur * difference], dim=1), a + 0.5 * noise
    return {
        "no penalty": torch.linalg.pinv(x) @ y,
        "L2": ridge_solution(x, y, lam * len(x)),
        "L1": proximal_descent(soft_threshold, x, y, lam, torch.zeros(2).double(), steps=3000),
    }
