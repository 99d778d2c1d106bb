"""Demo of lesson 08: what a matrix does to a circle, and how power iteration finds its stretch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Tensor = torch.Tensor
MATRIX = ((1.5, 0.9), (0.4, 0.7))


def _circle() -> Tensor:
    """Points of the unit circle, (2, 121)."""
    angle = torch.linspace(0, 2 * math.pi, 121)
    return torch.stack([angle.cos(), angle.sin()])


def _draw_image(axes: Axes, matrix: Tensor, reach: float) -> None:
    """The unit circle, dashed, and what the matrix makes of it."""
    points = _circle()
    image = matrix @ points
    axes.plot(points[0], points[1], color="0.5", linestyle="--", linewidth=1.5, label="unit circle")
    axes.fill(image[0], image[1], color=COLORS[0], alpha=0.15, linewidth=0)
    axes.plot(image[0], image[1], color=COLORS[0], label="its image")
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")


def _arrow(axes: Axes, to: Tensor, color: str, style: str = "-", label: str = "") -> None:
    x, y = to.tolist()
    axes.plot([0, x], [0, y], color=color, linestyle=style, marker="o", markevery=[1], label=label)


def constrained(limit: float = 1.0) -> dict[str, Tensor]:
    """One 2×2 weight, as it is and after each of the three constraints.

    >>> {name: round(torch.linalg.svdvals(matrix)[0].item(), 2) for name, matrix in constrained().items()}
    {'no constraint': 1.89, 'weight norm, g = 1': 1.37, 'spectral norm': 1.0, 'max norm, limit 1': 1.24}
    """
    matrix = torch.tensor(MATRIX)
    lengths = matrix.norm(dim=1, keepdim=True)
    return {
        "no constraint": matrix,
        "weight norm, g = 1": matrix / lengths,
        "spectral norm": matrix / torch.linalg.svdvals(matrix)[0],
        f"max norm, limit {limit:g}": matrix * (limit / lengths).clamp(max=1),
    }


def draw_constraints() -> tuple[Figure, str]:
    """The unit circle under one weight and under its three constrained versions, with the rows.

    >>> figure, alt = draw_constraints()
    >>> alt.splitlines()[0]
    'Four panels: the unit circle becomes an ellipse.'
    """
    figure, panels = new_figure(rows=2, columns=2, width=7.5, height=7.6)
    lines = ["Four panels: the unit circle becomes an ellipse."]
    for axes, (name, matrix) in zip(panels.flat, constrained().items(), strict=True):
        _draw_image(axes, matrix, reach=2.1)
        for row, color, style in ((0, COLORS[1], "-"), (1, COLORS[2], "-.")):
            _arrow(axes, matrix[row], color, style, f"row {row + 1} of the weight")
        largest = torch.linalg.svdvals(matrix)[0].item()
        long = [f"{length:.2f}" for length in matrix.norm(dim=1).tolist()]
        axes.set(
            title=f"{name}\nlargest stretch {largest:.2f}",
            xlabel="1st coordinate",
            ylabel="2nd coordinate",
        )
        lines.append(f"{name}: largest stretch {largest:.2f}, rows {' and '.join(long)} long.")
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    return figure, "\n".join(lines)


def draw_power_iteration(steps: int, angle: float, ratio: float) -> tuple[Figure, str]:
    """Power iteration on a 2×2 matrix with the singular values 2 and 2·ratio.

    The start u is turned by `angle` degrees from the direction that is looked for.

    >>> figure, alt = draw_power_iteration(steps=3, angle=80, ratio=0.5)
    >>> alt
    'After 3 steps sigma is 1.977; the largest stretch is 2. The ratio of the two stretches is 0.50.'
    """
    turn_left, turn_right = math.radians(35), math.radians(-20)
    left, right = _rotation(turn_left), _rotation(turn_right)
    matrix = left @ torch.diag(torch.tensor([2.0, 2.0 * ratio])) @ right.T
    start = turn_left + math.radians(angle)
    u = torch.tensor([math.cos(start), math.sin(start)])
    sigmas = []
    for _ in range(steps):
        v = matrix.T @ u
        v = v / v.norm()
        u = matrix @ v
        sigmas.append(u.norm().item())
        u = u / u.norm()

    made = "1 step" if steps == 1 else f"{steps} steps"
    figure, (plane, curve) = new_figure(columns=2, width=9.5, height=4)
    _draw_image(plane, matrix, reach=3.0)
    _arrow(plane, 2 * left[:, 0], "black", ":", "largest stretch")
    _arrow(plane, v, COLORS[2], "-.", "v")
    _arrow(plane, matrix @ v, COLORS[1], "-", "Wv")
    plane.set(xlabel="first coordinate", ylabel="second coordinate", title=f"after {made}")
    plane.legend(loc="upper left", fontsize=9, ncols=2, frameon=False)
    curve.axhline(2, color="black", linestyle=":", label="largest singular value")
    curve.plot(range(1, steps + 1), sigmas, "o-", color=COLORS[1], label="sigma")
    curve.set(xlabel="step", ylabel="sigma = uᵀWv", xlim=(0.5, 12.5), ylim=(0, 2.3))
    curve.set_title(f"sigma = {sigmas[-1]:.3f}")
    curve.legend(loc="lower right", frameon=False)
    alt = (
        f"After {made} sigma is {sigmas[-1]:.3f}; the largest stretch is 2. "
        f"The ratio of the two stretches is {ratio:.2f}."
    )
    return figure, alt


def _rotation(angle: float) -> Tensor:
    cosine, sine = math.cos(angle), math.sin(angle)
    return torch.tensor([[cosine, -sine], [sine, cosine]])


def weight_and_spectral_norm_demo() -> Demo:
    """Sliders for the number of steps, the start and the ratio of the two singular values."""
    return Demo(
        draw_power_iteration,
        {
            "steps": widgets.IntSlider(1, min=1, max=12, description="steps"),
            "angle": widgets.IntSlider(80, min=0, max=90, description="start, degrees away"),
            "ratio": widgets.FloatSlider(
                0.7, min=0.05, max=1.0, step=0.05, description="ratio of the stretches"
            ),
        },
        notice="Add steps and watch Wv turn to the long axis. With a ratio near 1 it turns slowly; "
        "a start 90 degrees away never turns at all, so the start is drawn at random.",
    )
