"""A stack of linear layers as one: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import torch

from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor
Tensors = Iterable[Tensor]
Affine = tuple[Tensor, Tensor]


def collapse(
    read: Any = lambda weights, biases: list(zip(weights, biases, strict=True)),
    start: Any = lambda layers: (layers[0], layers[1:]),
    later: Any = lambda w, b: (w, b),
    times: Any = lambda w, weight: w @ weight,
    carry: Any = lambda w, bias, weight: w @ bias,
    add: Any = lambda carried, b: carried + b,
    result: Any = lambda weight, bias: (weight, bias),
) -> Any:
    """The function from its parts: read the layers, start with one, take in one after the other."""

    def collapse_linear_layers(weights: Tensors, biases: Tensors) -> Any:
        (weight, bias), rest = start(read(weights, biases))
        for layer in rest:
            w, b = later(*layer)
            weight, bias = times(w, weight), add(carry(w, bias, weight), b)
        return result(weight, bias)

    return collapse_linear_layers


collapse_linear_layers = collapse()


def _by_probing(weights: Tensors, biases: Tensors) -> Affine:
    """Send zero and the unit vectors through the stack; what comes out is b and W's columns."""
    layers = list(zip(weights, biases, strict=True))

    def through(rows: Tensor) -> Tensor:
        for w, b in layers:
            rows = rows @ w.T + b
        return rows

    units = torch.eye(layers[0][0].shape[1]).to(layers[0][0])
    bias = through(torch.zeros_like(units[:1]))[0]
    return (through(units) - bias).T, bias


def _with_an_extra_column(weights: Tensors, biases: Tensors) -> Affine:
    """Affine maps as matrices with one more row and column."""
    total: Tensor | None = None
    for w, b in zip(weights, biases, strict=True):
        last = w.new_zeros(1, w.shape[1] + 1)
        last[0, -1] = 1
        layer = torch.cat([torch.cat([w, b[:, None]], dim=1), last])
        total = layer if total is None else layer @ total
    assert total is not None
    return total[:-1, :-1], total[:-1, -1]


def _from_the_end(weights: Tensors, biases: Tensors) -> Affine:
    ws, bs = list(weights), list(biases)
    weight, bias = ws[-1], bs[-1]
    for w, b in zip(ws[-2::-1], bs[-2::-1], strict=True):
        bias = bias + weight @ b
        weight = weight @ w
    return weight * 1, bias * 1


def _from_the_identity(weights: Any, biases: Any, dtype: Any = None) -> Any:
    layers = list(zip(weights, biases, strict=True))
    width, dtype = layers[0][0].shape[1], dtype or layers[0][0].dtype
    weight, bias = torch.eye(width, dtype=dtype), torch.zeros(width, dtype=dtype)
    for w, b in layers:
        weight, bias = w @ weight, w @ bias + b
    return weight, bias


def _by_index(weights: Any, biases: Any) -> Any:
    W, b = weights[0], biases[0]
    for i in range(1, len(weights)):
        b = weights[i].mv(b) + biases[i]
        W = weights[i].mm(W)
    return [W, b]


def _by_multi_dot(weights: Any, biases: Any) -> Any:
    weights = list(weights)
    W = reduce(lambda done, w: w @ done, weights)
    b = sum(
        reduce(lambda done, w: w @ done, weights[i + 1 :], bias) for i, bias in enumerate(biases)
    )
    return W, b


def _recursive(weights: Any, biases: Any) -> Any:
    weights, biases = list(weights), list(biases)
    if len(weights) == 1:
        return weights[0], biases[0]
    W, b = _recursive(weights[:-1], biases[:-1])
    return weights[-1] @ W, weights[-1] @ b + biases[-1]


def _with_rows(weights: Any, biases: Any) -> Any:
    """In the convention of rows, y = x Wᵀ + b, and turned round at the end."""
    W, b = weights[0].T, biases[0]
    for w, c in zip(weights[1:], biases[1:], strict=True):
        W, b = W @ w.T, b @ w.T + c
    return W.T, b


def _by_einsum(weights: Any, biases: Any) -> Any:
    W, b = weights[0].clone(), biases[0].clone()
    for w, c in zip(weights[1:], biases[1:], strict=True):
        W, b = torch.einsum("oh,hi->oi", w, W), torch.einsum("oh,h->o", w, b).add(c)
    return W, b


def _empties_lists(weights: Any, biases: Any) -> Any:
    layers = list(zip(weights, biases, strict=True))
    if isinstance(weights, list):
        weights.pop(0)
        biases.pop(0)
    return layers


def _turns_lists(weights: Any, biases: Any) -> Any:
    layers = list(zip(weights, biases, strict=True))
    if isinstance(weights, list):
        weights.reverse()
        biases.reverse()
    return layers


def _in_place(carried: Tensor, b: Tensor) -> Tensor:
    total = carried + b
    b.data.copy_(total)
    return total


BOTH = "Return both: return W, b."
TWO_LAYERS = "Write out two layers: W₂(W₁x + b₁) + b₂. What becomes of b₁?"
FROM_LEFT = "W₂(W₁x) = (W₂W₁)x, so each later weight is multiplied from the left."
THEMSELVES = "Compute with the weights and biases themselves, in every layer."

ANSWERS = Answers(
    recipe=Recipe(collapse),
    variants={
        "as a textbook prints it: first layer, then one at a time": _by_index,
        "from the identity": lambda weights, biases: collapse_linear_layers(
            [torch.eye(weights[0].shape[1]).to(weights[0]), *weights],
            [biases[0].new_zeros(weights[0].shape[1]), *biases],
        ),
        "as a course prints it: all products, then all biases": _by_multi_dot,
        "as a lecture prints it: two layers, again and again": _recursive,
        "as a NumPy course has it: rows": _with_rows,
        "as a library has it: einsum": _by_einsum,
        "probing": _by_probing,
        "an extra column": _with_an_extra_column,
        "from the end": _from_the_end,
    },
    slips=(
        slip(
            "reversed-order",
            "You multiplied the weights in the wrong order: the first layer must stand rightmost.",
            FROM_LEFT,
            times=lambda w, weight: weight @ w,
        ),
        slip(
            "entry-by-entry",
            "You multiplied the weights entry by entry, with *, where the matrix product is meant.",
            "The matrix product is written @.",
            times=lambda w, weight: w * weight,
        ),
        slip(
            "weights-added",
            "You added the weights, where their matrix product is meant.",
            FROM_LEFT,
            times=lambda w, weight: w + weight,
        ),
        slip(
            "later-weight-transposed",
            "You transpose a later weight before you multiply: it has the shape (out, in) already.",
            FROM_LEFT,
            {"times": lambda w, weight: w.T @ weight},
            {
                "times": lambda w, weight: w.T @ weight,
                "carry": lambda w, bias, weight: w.T @ bias,
            },
        ),
        slip(
            "rows-not-turned-back",
            "Your result is the transposed of W: it equals W₁ᵀW₂ᵀ, the product for rows.",
            "As in nn.Linear, W has the shape (out, in).",
            {
                "start": lambda layers: ((layers[0][0].T, layers[0][1]), layers[1:]),
                "times": lambda w, weight: weight @ w.T,
            },
            {"result": lambda weight, bias: (weight.T, bias)},
        ),
        slip(
            "last-weight",
            "Your W is the weight of the last layer alone.",
            FROM_LEFT,
            times=lambda w, weight: w,
        ),
        slip(
            "first-layers-only",
            "You leave out the last layer.",
            "Every layer is taken in, also the last one.",
            start=lambda layers: (layers[0], layers[1 : max(1, len(layers) - 1)]),
        ),
        slip(
            "first-layer-left-out",
            "You leave out the first layer.",
            "Begin with the first layer's weight and bias.",
            start=lambda layers: (layers[1] if len(layers) > 1 else layers[0], layers[2:]),
        ),
        slip(
            "two-layers-only",
            "You take in two layers, however many there are.",
            "Take in one layer after the other, in a loop.",
            {"start": lambda layers: (layers[0], layers[1:2])},
            {"start": lambda layers: (layers[0], [layers[1]])},
        ),
        slip(
            "first-layer-twice",
            "You take in the first layer twice.",
            "Begin with the first layer, and loop over the later ones.",
            start=lambda layers: (layers[0], layers),
        ),
        slip(
            "adds-biases",
            "You added the biases up; an earlier bias also passes through the later weights.",
            "Write out two layers: W₂(W₁x + b₁) + b₂.",
            carry=lambda w, bias, weight: bias,
        ),
        slip(
            "last-bias",
            "You kept only the last bias.",
            TWO_LAYERS,
            {"carry": lambda w, bias, weight: 0},
            {"carry": lambda w, bias, weight: 0 * (w @ bias)},
        ),
        slip(
            "drops-later-biases",
            "You carried the first bias through, but left out the biases of the later layers.",
            "After multiplying the old bias by the weight, add the bias of this layer.",
            add=lambda carried, b: carried,
        ),
        slip(
            "bias-by-total-weight",
            "You multiplied the bias by the product of the weights so far, where the weight of this "
            "layer alone is meant: weight was replaced before bias used it.",
            "Use the later layer's own weight for the bias: w @ bias + b.",
            carry=lambda w, bias, weight: (w @ weight) @ bias,
        ),
        slip(
            "bias-by-former-weight",
            "You multiplied the bias by the product of the earlier weights, where the later weight is "
            "meant.",
            "Use the later layer's own weight for the bias: w @ bias + b.",
            carry=lambda w, bias, weight: weight @ bias,
        ),
        slip(
            "new-bias-carried",
            "You multiplied the sum of both biases by the later weight, W₂(b₁ + b₂).",
            TWO_LAYERS,
            {
                "carry": lambda w, bias, weight: (w, bias),
                "add": lambda carried, b: carried[0] @ (carried[1] + b),
            },
        ),
        slip(
            "later-bias-carried-alone",
            "You multiplied the later bias by its own weight: W₂b₂ + b₁.",
            TWO_LAYERS,
            {
                "carry": lambda w, bias, weight: (w, bias),
                "add": lambda carried, b: carried[0] @ b + carried[1],
            },
        ),
        slip(
            "bias-from-the-right",
            "You computed bias @ w, which is w.T @ bias: the weight is transposed.",
            "A later weight is multiplied from the left: w @ bias.",
            carry=lambda w, bias, weight: bias @ w,
        ),
        slip(
            "bias-entry-by-entry",
            "You multiplied the weight and the bias entry by entry, with *.",
            "The matrix product is written @.",
            carry=lambda w, bias, weight: w * bias,
        ),
        slip(
            "bias-subtracted",
            "You subtracted a bias, where the sum is meant.",
            TWO_LAYERS,
            add=lambda carried, b: carried - b,
        ),
        slip(
            "cut-off",
            "Your results are cut off from the weights, by detach() or .data or no_grad().",
            "Compute with the weights themselves.",
            {"result": lambda weight, bias: (weight.detach(), bias.detach())},
            {"result": lambda weight, bias: (weight, bias.detach())},
            {"result": lambda weight, bias: (weight.detach(), bias)},
            {"result": lambda weight, bias: (torch.tensor(weight.tolist()), bias.detach())},
        ),
        slip(
            "cuts-later-layers",
            "Gradients reach the first layer only: the later ones are cut off, by detach() or .data.",
            THEMSELVES,
            later=lambda w, b: (w.detach(), b.detach()),
        ),
        slip(
            "cuts-first-layer",
            "Gradients do not reach the first layer: it is cut off, by detach() or .data.",
            THEMSELVES,
            start=lambda layers: ((layers[0][0].detach(), layers[0][1].detach()), layers[1:]),
        ),
        slip(
            "float32-inside",
            "Your result is float32, also when the weights are float64.",
            "Keep the dtype of the weights in all that you make: dtype=w.dtype.",
            {"result": lambda weight, bias: (weight.float(), bias.float())},
            {"result": lambda weight, bias: (weight.float(), bias)},
        ),
        slip(
            "starts-on-cpu",
            "Your code makes a tensor on the CPU, wherever the weights are.",
            "Start from the first layer, or give device=w.device to what you make.",
            whole=_from_the_identity,
        ),
        slip(
            "starts-in-float32",
            "Your code starts from a float32 matrix, which cannot be multiplied by float64 weights.",
            "Start from the first layer, or give dtype=w.dtype to what you make.",
            whole=lambda weights, biases: _from_the_identity(weights, biases, torch.float32),
        ),
        slip(
            "empties-lists",
            "Your code takes layers out of the lists that it was given.",
            "Loop over the lists, or copy them first with list(...).",
            {"read": _empties_lists},
        ),
        slip(
            "turns-lists-round",
            "Your code turns the lists round that it was given.",
            "Use reversed(weights), which leaves the list as it is.",
            read=_turns_lists,
        ),
        slip(
            "changes-biases",
            "Your code writes into the biases that it was given, for example with +=.",
            "Make new tensors: bias = w @ bias + b.",
            add=_in_place,
        ),
        slip(
            "needs-lists",
            "Your code needs lists, and an iterable may be one that can be read only once.",
            "Begin with weights = list(weights), and the same for the biases.",
            {"read": lambda ws, bs: [(ws[i], bs[i]) for i in range(len(ws))]},
            {"read": lambda ws, bs: [(ws[0], bs[0]), *list(zip(ws, bs, strict=True))[1:]]},
        ),
        slip(
            "only-weight",
            "Your function returns W alone.",
            BOTH,
            result=lambda weight, bias: weight,
        ),
        slip(
            "exchanged",
            "Your function returns b first.",
            "Return W, b in this order.",
            result=lambda weight, bias: (bias, weight),
        ),
        slip(
            "bias-as-column",
            "Your b is a column of shape (out, 1).",
            "As in nn.Linear, b has the shape (out,).",
            {"result": lambda weight, bias: (weight, bias[:, None])},
        ),
        slip(
            "bias-as-row",
            "Your b is a row of shape (1, out).",
            "As in nn.Linear, b has the shape (out,).",
            {"result": lambda weight, bias: (weight, bias[None])},
        ),
    ),
)
