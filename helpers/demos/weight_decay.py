"""Demo of lesson 04: what λ does to a curve, to its weights and in the plane of two weights."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEGREE = 9
POINTS = 12
HESSIAN = torch.tensor([[0.4, 0.24], [0.24, 0.4]], dtype=torch.float64)
BEST = torch.tensor([1.6, 0.4], dtype=torch.float64)
"""The loss of the right panel is ½(w − BEST)ᵀ HESSIAN (w − BEST)."""


@cache
def _samples() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    x = torch.linspace(-1, 1, POINTS, dtype=torch.float64)
    noise = 0.25 * torch.randn(POINTS, generator=generator, dtype=torch.float64)
    return x, torch.sin(3 * x) + noise


def _features(x: torch.Tensor) -> torch.Tensor:
    """Legendre polynomials of degree 1 to DEGREE, (n,) to (n, DEGREE)."""
    columns = [torch.ones_like(x), x]
    for k in range(1, DEGREE):
        columns.append(((2 * k + 1) * x * columns[-1] - k * columns[-2]) / (k + 1))
    return torch.stack(columns[1:], dim=1)


def minimise(matrix: torch.Tensor, c: torch.Tensor, lam: float, penalty: str) -> torch.Tensor:
    """The w that minimises ½wᵀHw − cᵀw plus λ times the penalty.

    >>> one = torch.eye(1, dtype=torch.float64)
    >>> minimise(one, 3 * one[0], 1.0, "L2").item(), minimise(one, 3 * one[0], 1.0, "L1").item()
    (1.5, 2.0)
    """
    if penalty == "L2":
        ridge: torch.Tensor = torch.linalg.solve(matrix + lam * torch.eye(len(matrix)).to(c), c)
        return ridge
    rows, target = matrix.tolist(), c.tolist()  # tensors of one number are slow
    w = [0.0] * len(target)
    for _ in range(60):  # each weight in turn, by a soft threshold
        for j, row in enumerate(rows):
            others = sum(a * b for a, b in zip(row, w, strict=True)) - row[j] * w[j]
            rest = target[j] - others
            w[j] = math.copysign(max(abs(rest) - lam, 0.0), rest) / row[j]
    return torch.tensor(w, dtype=c.dtype)


def draw_penalty(log10_lam: float, penalty: str) -> tuple[Figure, str]:
    """A fitted curve, its weights, and the same λ in the plane of two weights.

    >>> figure, alt = draw_penalty(-1.0, "L1")
    >>> alt.split(": ")[0]
    'L1 penalty with λ = 0.1'
    """
    lam = 10.0**log10_lam
    x, y = _samples()
    features = _features(x)
    centred, level = features - features.mean(dim=0), y.mean()
    matrix, c = centred.T @ centred / POINTS, centred.T @ (y - level) / POINTS
    w = minimise(matrix, c, lam, penalty)
    grid = torch.linspace(-1, 1, 121, dtype=torch.float64)
    curve = (_features(grid) - features.mean(dim=0)) @ w + level

    figure, panels = new_figure(columns=3, width=10.5, height=3.5)
    fit, bars, plane = panels
    fit.plot(x, y, "o", color="black", markersize=5, label="data")
    fit.plot(grid, torch.sin(3 * grid), ":", color=COLORS[2], label="truth")
    fit.plot(grid, curve, color=COLORS[0], label="fit")
    fit.set(xlabel="x", ylabel="y", ylim=(-2, 2), title=f"{penalty}, λ = {lam:.2g}")
    fit.legend(loc="upper left", fontsize=9)
    zeros = int((w == 0).sum())
    bars.bar(range(1, DEGREE + 1), w.tolist(), color=COLORS[0])
    bars.axhline(0, color="black", linewidth=0.8)
    title = f"{zeros} of {DEGREE} weights are exactly 0"
    bars.set(xlabel="degree of the polynomial", ylabel="weight", ylim=(-1.2, 1.7), title=title)
    in_plane = _draw_plane(plane, lam, penalty)
    alt = (
        f"{penalty} penalty with λ = {lam:.2g}: the largest weight of the curve is "
        f"{w.abs().max().item():.2f}, and {zeros} of {DEGREE} weights are exactly 0. In the plane "
        f"of two weights the minimum lies at ({in_plane[0]:.2f}, {in_plane[1]:.2f})."
    )
    return figure, alt


def _draw_plane(axes: Any, lam: float, penalty: str) -> tuple[float, float]:
    """Contours of a loss, the region of equal penalty, and the point where they touch."""
    w = minimise(HESSIAN, HESSIAN @ BEST, lam, penalty)
    line = torch.linspace(-1.8, 2.6, 67, dtype=torch.float64)
    w1, w2 = torch.meshgrid(line, line, indexing="xy")
    away = torch.stack([w1, w2], dim=-1) - BEST
    loss = 0.5 * torch.einsum("...i,ij,...j->...", away, HESSIAN, away)
    at = w - BEST
    here = 0.5 * (at @ HESSIAN @ at).item()
    levels = sorted({0.02, 0.12, 0.32, 0.64, max(round(here, 4), 0.001)})
    axes.contour(w1, w2, loss, levels=levels, colors=COLORS[0], linewidths=1)
    angle = torch.linspace(0, 2 * math.pi, 121, dtype=torch.float64)
    ring = torch.stack([angle.cos(), angle.sin()])
    if penalty == "L1":
        ring = ring / ring.abs().sum(dim=0) * w.abs().sum()
    else:
        ring = ring * torch.linalg.vector_norm(w)
    axes.fill(*ring, color=COLORS[1], alpha=0.25)
    axes.plot(*ring, "--", color=COLORS[1], linewidth=1.5)
    axes.plot(*BEST, "+", color="black", markersize=10)
    axes.plot(*w, "o", color="black", markersize=7)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    shape = "diamond: equal Σ|w|" if penalty == "L1" else "circle: equal Σw²"
    axes.set(
        xlabel="w₁", ylabel="w₂", xlim=(-1.8, 2.6), ylim=(-1.8, 2.6), title=shape, aspect="equal"
    )
    return w[0].item(), w[1].item()


def weight_decay_demo() -> Demo:
    """A slider for λ and a menu for the penalty."""
    return Demo(
        draw_penalty,
        {
            "log10_lam": widgets.FloatSlider(-1.5, min=-4, max=1, step=0.25, description="log₁₀ λ"),
            "penalty": widgets.Dropdown(options=["L2", "L1"], description="penalty"),
        },
        notice="Raise λ and watch the curve calm down until it is flat. Then choose L1: weights "
        "become exactly 0 one after the other, because the diamond has its corners on the axes. "
        "The cross is the minimum without a penalty, the dot the one with it.",
    )
