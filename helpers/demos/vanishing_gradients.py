"""Demo of lesson 02: the gradient at every layer, by depth, scale of the weights and activation."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets
import torch
import torch.nn.functional as F

from helpers.demos.face import Demo
from helpers.plotting import COLORS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, IMAGES = 64, 64
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "none": lambda x: x,
}


@functools.cache
def _batch() -> tuple[torch.Tensor, torch.Tensor]:
    from helpers.data import load

    digits = load("digits", "cpu").flat()
    return digits.x_train[:IMAGES].double(), digits.y_train[:IMAGES]


def gradients(depth: int, gain: float, activation: str) -> list[float]:
    """Mean |∂loss/∂a_l| for what leaves the `depth` hidden layers; weights from N(0, gain²/fan_in).

    The gradients of the weights would hide the effect of the gain: with ReLU and without biases
    they are equally large in all layers, whatever the gain is.
    """
    x, y = _batch()
    generator = torch.Generator().manual_seed(0)
    sizes = [x.shape[1], *[WIDTH] * (depth + 1), 10]
    x = x.clone().requires_grad_()
    after: list[torch.Tensor] = []
    for i, o in itertools.pairwise(sizes):
        z = x @ (torch.randn(i, o, generator=generator, dtype=x.dtype) * gain / i**0.5)
        x = ACTIVATIONS[activation](z)  # (N, o)
        after.append(x)
    loss = F.cross_entropy(z, y)
    found = torch.autograd.grad(loss, after[1:-1])
    return [g.abs().mean().item() for g in found]


def draw_gradients(depth: int, gain: float, activation: str) -> tuple[Figure, str]:
    """Bars of the gradient at what leaves each hidden layer, on a logarithmic scale.

    >>> figure, alt = draw_gradients(depth=20, gain=1.0, activation="sigmoid")
    >>> alt.split(":")[0]
    'Gradients at 20 hidden layers with sigmoid and gain 1'
    """
    values = gradients(depth, gain, activation)
    smallest = torch.finfo(torch.float64).tiny
    shown = [max(value, smallest) for value in values]
    ratio = shown[0] / shown[-1]
    per_layer = ratio ** (1 / max(1, depth - 1))
    low, high = min([*shown, 1e-6]) / 3, max([*shown, 1e-1]) * 3
    figure, axes = new_figure(width=8, height=3.6)
    layers = range(1, depth + 1)
    axes.set_axisbelow(True)
    axes.bar(layers, [v - low for v in shown], bottom=low, color=COLORS[0], width=0.7)
    axes.axhline(shown[-1], color=COLORS[1], linestyle="--", label="size at the last hidden layer")
    axes.set(
        yscale="log",
        ylim=(low, high),
        xlim=(0.3, depth + 0.7),
        xlabel="hidden layer $l$ (1 is nearest to the input)",
        ylabel="mean |gradient at $a_l$|",
        title=f"{activation}, gain {gain:g}: first to last {ratio:.1e}, {per_layer:.2f} a layer",
    )
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.yaxis.set_major_formatter(_power_of_ten)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.22))
    alt = (
        f"Gradients at {depth} hidden layers with {activation} and gain {gain:g}: the first one's "
        f"is {ratio:.1e} times the last one's, a factor of {per_layer:.2f} a layer."
    )
    return figure, alt


def _power_of_ten(value: float, position: int) -> str:
    """The label of a tick, as plain text: to set a formula takes ten times as long."""
    return "10" + f"{math.log10(value):.0f}".translate(SUPERSCRIPTS)


def vanishing_gradients_demo() -> Demo:
    """Sliders for the depth and the gain, and a menu of activations."""
    return Demo(
        draw_gradients,
        {
            "depth": widgets.IntSlider(20, min=2, max=40, description="hidden layers"),
            "gain": widgets.FloatSlider(1.0, min=0.5, max=5, step=0.1, description="gain"),
            "activation": widgets.Dropdown(
                options=list(ACTIVATIONS), value="sigmoid", description="activation"
            ),
        },
        notice="The weights are drawn with the standard deviation gain/√fan_in. For each "
        "activation look for the gain at which all bars are about equally tall: about 1 for none, "
        "1.4 for ReLU. Then make the network deeper.",
    )
