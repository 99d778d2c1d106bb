"""A stack of linear layers as one: right and wrong answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from helpers.checking.check import Answers, Misconception

Tensors = Iterable[torch.Tensor]
Affine = tuple[torch.Tensor, torch.Tensor]


def collapse_linear_layers(weights: Tensors, biases: Tensors) -> Affine:
    pairs = list(zip(weights, biases, strict=True))
    weight, bias = pairs[0]
    for w, b in pairs[1:]:
        weight, bias = w @ weight, w @ bias + b
    return weight.clone(), bias.clone()


def collapse_by_probing(weights: Tensors, biases: Tensors) -> Affine:
    """Send zero and the unit vectors through the stack; what comes out is b and W's columns."""
    layers = list(zip(weights, biases, strict=True))

    def through(rows: torch.Tensor) -> torch.Tensor:
        for w, b in layers:
            rows = rows @ w.T + b
        return rows

    units = torch.eye(layers[0][0].shape[1]).to(layers[0][0])
    bias = through(torch.zeros_like(units[:1]))[0]
    return (through(units) - bias).T, bias


def collapse_with_an_extra_column(weights: Tensors, biases: Tensors) -> Affine:
    """Affine maps as matrices with one more row and column."""
    total: torch.Tensor | None = None
    for w, b in zip(weights, biases, strict=True):
        last = w.new_zeros(1, w.shape[1] + 1)
        last[0, -1] = 1
        layer = torch.cat([torch.cat([w, b[:, None]], dim=1), last])
        total = layer if total is None else layer @ total
    assert total is not None
    return total[:-1, :-1], total[:-1, -1]


def collapse_from_the_end(weights: Tensors, biases: Tensors) -> Affine:
    ws, bs = list(weights), list(biases)
    weight, bias = ws[-1], bs[-1]
    for w, b in zip(ws[-2::-1], bs[-2::-1], strict=True):
        bias = bias + weight @ b
        weight = weight @ w
    return weight * 1, bias * 1


def _starts_on_cpu(weights: Tensors, biases: Tensors) -> Affine:
    layers = list(zip(weights, biases, strict=True))
    size, dtype = layers[0][0].shape[1], layers[0][0].dtype
    weight, bias = torch.eye(size, dtype=dtype), torch.zeros(size, dtype=dtype)
    for w, b in layers:
        weight, bias = w @ weight, w @ bias + b
    return weight, bias


def _cuts_later_layers(weights: Tensors, biases: Tensors) -> Affine:
    pairs = list(zip(weights, biases, strict=True))
    weight, bias = pairs[0]
    for w, b in pairs[1:]:
        weight, bias = w.detach() @ weight, w.detach() @ bias + b.detach()
    return weight, bias


def _reversed_order(weights: Tensors, biases: Tensors) -> Affine:
    ws, bs = list(weights), list(biases)
    weight, bias = ws[0], bs[0]
    for w, b in zip(ws[1:], bs[1:], strict=True):
        weight, bias = weight @ w, w @ bias + b
    return weight, bias


def _adds_biases(weights: Tensors, biases: Tensors) -> Affine:
    bs = list(biases)
    weight, _ = collapse_linear_layers(weights, bs)
    if len({b.shape for b in bs}) > 1:
        bias = bs[-1] + sum(b.sum() for b in bs[:-1])
    else:
        bias = torch.stack(bs).sum(0)
    return weight, bias


def _last_bias(weights: Tensors, biases: Tensors) -> Affine:
    bs = list(biases)
    weight, _ = collapse_linear_layers(weights, bs)
    return weight, bs[-1] + 0 * sum(b.sum() for b in bs)


def _bias_before_weight(weights: Tensors, biases: Tensors) -> Affine:
    pairs = list(zip(weights, biases, strict=True))
    weight, bias = pairs[0]
    for w, _ in pairs[1:]:
        weight, bias = w @ weight, w @ bias
    return weight, bias


def _transposed(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight.T, bias


def _cut_off(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight.detach(), bias.detach()


def _empties_lists(weights: Any, biases: Any) -> Affine:
    ws, bs = list(weights), list(biases)
    if isinstance(weights, list):
        weights.pop(0)
        biases.pop(0)
    return collapse_linear_layers(ws, bs)


def _reads_twice(weights: Tensors, biases: Tensors) -> Affine:
    count = len(weights)  # type: ignore[arg-type]
    assert count > 0
    return collapse_linear_layers(weights, biases)


def _only_weight(weights: Tensors, biases: Tensors) -> Any:
    return collapse_linear_layers(weights, biases)[0]


def _bias_as_column(weights: Tensors, biases: Tensors) -> Affine:
    weight, bias = collapse_linear_layers(weights, biases)
    return weight, bias[:, None]


ANSWERS = Answers(
    reference=collapse_linear_layers,
    variants={
        "probing": collapse_by_probing,
        "an extra column": collapse_with_an_extra_column,
        "from the end": collapse_from_the_end,
    },
    misconceptions=(
        Misconception(
            "reversed-order",
            _reversed_order,
            "You multiplied the weights in the wrong order: the first layer must stand rightmost.",
            "W₂(W₁x) = (W₂W₁)x, so each later weight is multiplied from the left.",
        ),
        Misconception(
            "adds-biases",
            _adds_biases,
            "You added the biases up; an earlier bias also passes through the later weights.",
            "Write out two layers: W₂(W₁x + b₁) + b₂.",
        ),
        Misconception(
            "last-bias",
            _last_bias,
            "You kept only the last bias.",
            "Write out two layers: W₂(W₁x + b₁) + b₂. What becomes of b₁?",
        ),
        Misconception(
            "drops-later-biases",
            _bias_before_weight,
            "You carried the first bias through, but left out the biases of the later layers.",
            "After multiplying the old bias by the weight, add the bias of this layer.",
        ),
        Misconception(
            "transposed",
            _transposed,
            "Your W is transposed: it has the shape (in, out).",
            "As in nn.Linear, W has the shape (out, in).",
        ),
        Misconception(
            "cut-off",
            _cut_off,
            "Your results are cut off from the weights, by detach() or .data or no_grad().",
            "Compute with the weights themselves.",
        ),
        Misconception(
            "cuts-later-layers",
            _cuts_later_layers,
            "Gradients reach the first layer only: the later ones are cut off, by detach() or .data.",
            "Compute with the weights and biases themselves, in every layer.",
        ),
        Misconception(
            "starts-on-cpu",
            _starts_on_cpu,
            "Your code makes a tensor on the CPU, wherever the weights are.",
            "Start from the first layer, or give device=w.device to what you make.",
        ),
        Misconception(
            "empties-lists",
            _empties_lists,
            "Your code takes layers out of the lists that it was given.",
            "Loop over the lists, or copy them first with list(...).",
        ),
        Misconception(
            "needs-lists",
            _reads_twice,
            "Your code needs lists, and an iterable may be one that can be read only once.",
            "Begin with weights = list(weights), and the same for the biases.",
        ),
        Misconception(
            "only-weight",
            _only_weight,
            "Your function returns W alone.",
            "Return both: return W, b.",
        ),
        Misconception(
            "bias-as-column",
            _bias_as_column,
            "Your b is a column of shape (out, 1).",
            "As in nn.Linear, b has the shape (out,).",
        ),
    ),
)
