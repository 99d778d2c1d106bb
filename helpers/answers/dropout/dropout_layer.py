"""Inverted dropout as a function: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from helpers.answers.dropout import masking
from helpers.answers.dropout.masking import PARTS, Drop, dropping, refuse
from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor


def with_refusal(
    refuse: Any = refuse,
    ends: Any = PARTS["ends"],
    draw: Any = PARTS["draw"],
    keep: Any = PARTS["keep"],
    mask: Any = PARTS["mask"],
    apply: Any = PARTS["apply"],
    scale: Any = PARTS["scale"],
) -> Drop:
    """The function of the lesson from its parts."""
    drop = dropping(ends, draw, keep, mask, apply, scale)

    def dropout_layer(X: Tensor, dropout: float) -> Any:
        refuse(dropout)
        return drop(X, dropout)

    return dropout_layer


by_hand = with_refusal()


def checked(drop: Drop) -> Drop:
    """With the ValueError that the exercise asks for."""

    def dropout_layer(X: Tensor, dropout: float) -> Any:
        refuse(dropout)
        return drop(X, dropout)

    return dropout_layer


def reference(X: Tensor, dropout: float) -> Tensor:
    """PyTorch's own, which raises ValueError as well."""
    return F.dropout(X, dropout, training=True)


def without_grad(drop: Drop) -> Drop:
    return torch.no_grad()(drop)


def after(change: Any) -> Any:
    """Something done to the result."""
    return lambda drop: lambda X, dropout: change(drop(X, dropout))


def scaled_mask(X: Tensor, dropout: float) -> Tensor:
    """As a course that goes from NumPy to PyTorch prints it: the scale is in the mask."""
    if dropout < 0 or dropout > 1:
        raise ValueError("dropout probability has to be between 0 and 1")
    keep = 1 - dropout
    if keep == 0:
        return torch.zeros_like(X)
    mask = (torch.rand(X.size()) < keep).to(X.dtype) / keep
    return X * mask


ANSWERS = Answers(
    recipe=Recipe(with_refusal),
    reference=reference,
    variants={
        "masked_fill": checked(masking.by_masked_fill),
        "own copy in place": checked(masking.by_own_copy),
        "bernoulli": checked(masking.by_bernoulli),
        "NumPy's generator": checked(masking.by_numpy),
        "float64 inside": checked(masking.in_float64),
        "copies the kept entries": checked(masking.by_indexing),
        "a Bernoulli distribution": checked(masking.by_distribution),
        "as a textbook prints it: rand of the shape": checked(masking.as_a_textbook),
        "as a textbook prints it: the scale in the mask": scaled_mask,
        "as a textbook prints it: torch.where": checked(
            lambda X, p: torch.where(torch.rand_like(X) < p, 0.0, X / (1 - p)) if p < 1 else X * 0
        ),
    },
    slips=(
        *masking.mask_slips("dropout"),
        masking.cut_off_slip(
            "Your result", without_grad, after(lambda Y: Y.detach()), after(lambda Y: Y.data)
        ),
        *masking.refusal_slips("dropout"),
        slip(
            "returns-the-mask-too",
            "Your function returns two things.",
            "Return the result alone.",
            {"around": after(lambda Y: (Y, Y != 0))},
            {"around": after(lambda Y: (Y != 0, Y))},
        ),
        slip(
            "returns-numpy",
            "Your function returns a NumPy array, and a tensor is meant.",
            "Compute with torch alone; then autograd can follow, too.",
            around=after(lambda Y: Y.detach().numpy()),
        ),
    ),
)
