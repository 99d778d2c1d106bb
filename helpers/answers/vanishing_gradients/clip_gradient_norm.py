"""Clipping gradients by their joint norm: right and wrong answers."""

from __future__ import annotations

from helpers.answers.vanishing_gradients.clippings import (
    by_value,
    clears_none,
    clip_gradient_norm,
    each_alone,
    each_alone_returns_sum,
    loses_result,
    matrices_only,
    needs_list,
    new_tensors,
    no_empty_list,
    norm_after,
    norm_of_weights,
    one_axis_at_least,
    python_division,
    reads_twice,
    returns_factor,
    returns_nothing,
    returns_tensor,
    root_mean_square,
    scaled_by,
    squared_comparison,
    tensor_division,
    trips_over_none,
    weights,
    with_foreach,
    with_norm,
    with_norm_of_norms,
    with_one_vector,
    without_root,
)
from helpers.checking.check import Answers, Misconception

ANSWERS = Answers(
    reference=clip_gradient_norm,
    variants={
        "one long vector, and 1e-6 as in PyTorch": with_one_vector,
        "the norm of the norms, with NumPy": with_norm_of_norms,
        "all at once, with foreach": with_foreach,
    },
    misconceptions=(
        Misconception(
            "each-parameter-alone",
            each_alone,
            "You clipped each gradient by its own norm, which changes the direction of the step.",
            "One norm over all gradients, and one factor for all of them.",
        ),
        Misconception(
            "each-alone-norms-added",
            each_alone_returns_sum,
            "You clipped each gradient by its own norm, and added the norms up.",
            "The joint norm is the root of the sum of all squares.",
        ),
        Misconception(
            "scales-up",
            scaled_by(lambda norm, limit: limit / norm if norm > 0 else 1.0),
            "You scale small gradients up to the limit.",
            "Scale only when the norm is above max_norm.",
        ),
        Misconception(
            "scales-up-and-divides-by-zero",
            scaled_by(tensor_division),
            "You scale whatever the norm is: small gradients grow, and zeros become NaN.",
            "Scale only when the norm is above max_norm.",
        ),
        Misconception(
            "divides-by-zero",
            scaled_by(python_division),
            "You divide by the norm before you know that it is not 0.",
            "Compare first: a norm of 0 is never above max_norm.",
        ),
        Misconception(
            "by-value",
            by_value,
            "You cut each entry to [−max_norm, max_norm]; that is clipping by value.",
            "Multiply all gradients by max_norm / norm.",
        ),
        Misconception(
            "new-tensors",
            new_tensors,
            "You put new tensors in place of the gradients; the old ones stay as they were.",
            "Change the tensor itself: p.grad.mul_(factor), or p.grad *= factor.",
        ),
        Misconception(
            "result-lost",
            loses_result,
            "You computed the scaled gradient and did not store it.",
            "Change the tensor itself: g.mul_(factor).",
        ),
        Misconception(
            "norm-after",
            norm_after,
            "You returned the norm after clipping.",
            "Compute the norm once, before the gradients change, and return that.",
        ),
        Misconception(
            "read-once",
            reads_twice,
            "You walk through the parameters twice; a generator gives them only once.",
            "Begin with parameters = list(parameters).",
        ),
        Misconception(
            "needs-a-list",
            needs_list,
            "Your code needs a list, and a generator has no length.",
            "Begin with parameters = list(parameters).",
        ),
        Misconception(
            "trips-over-none",
            trips_over_none,
            "Your code assumes that every parameter has a gradient.",
            "Skip a parameter whose grad is None.",
        ),
        Misconception(
            "none-becomes-zero",
            clears_none,
            "You gave zeros to parameters that had no gradient.",
            "Skip them: an optimiser treats a gradient of zero differently from none.",
        ),
        Misconception(
            "sum-of-norms",
            with_norm(lambda gradients: sum(g.norm().item() for g in gradients)),
            "You added the norms; the joint norm is the root of the sum of all squares.",
            "Add squares, and take one root at the end.",
        ),
        Misconception(
            "largest-norm",
            with_norm(lambda gradients: max((g.norm().item() for g in gradients), default=0.0)),
            "You took the largest of the norms.",
            "The joint norm is the root of the sum of all squares.",
        ),
        Misconception(
            "no-root",
            with_norm(without_root),
            "The square root is missing.",
            "The norm is the root of the sum of all squares.",
        ),
        Misconception(
            "sum-of-absolute-values",
            with_norm(lambda gradients: sum(g.abs().sum().item() for g in gradients)),
            "You took the 1-norm.",
            "The 2-norm is the root of the sum of all squares.",
        ),
        Misconception(
            "largest-entry",
            with_norm(
                lambda gradients: max(
                    (g.abs().max().item() for g in gradients if g.numel()), default=0.0
                )
            ),
            "You took the largest entry.",
            "The 2-norm is the root of the sum of all squares.",
        ),
        Misconception(
            "root-mean-square",
            with_norm(root_mean_square),
            "You took the root of the mean square.",
            "The norm is the root of the sum of all squares, not of their mean.",
        ),
        Misconception(
            "squared-compared",
            squared_comparison,
            "You compare the squared norm with max_norm.",
            "Take the root before you compare.",
        ),
        Misconception(
            "no-max-norm-in-factor",
            scaled_by(lambda norm, limit: 1 / norm if norm > limit else 1.0),
            "You scaled to norm 1, not to max_norm.",
            "The factor is max_norm / norm.",
        ),
        Misconception(
            "factor-upside-down",
            scaled_by(lambda norm, limit: norm / max(limit, 1e-9) if norm > limit else 1.0),
            "Your factor is upside down, so large gradients grow.",
            "The factor is max_norm / norm.",
        ),
        Misconception(
            "scales-weights",
            weights,
            "You scaled the parameters; the gradients are to be scaled.",
            "The gradient of a parameter p is p.grad.",
        ),
        Misconception(
            "norm-of-weights",
            norm_of_weights,
            "You took the norm of the parameters, not of their gradients.",
            "The gradient of a parameter p is p.grad.",
        ),
        Misconception(
            "matrices-only",
            matrices_only,
            "You left out parameters with fewer than two axes.",
            "Here every gradient counts, those of biases too.",
        ),
        Misconception(
            "no-scalars",
            one_axis_at_least,
            "You left out gradients without an axis.",
            "A parameter with a single number has a gradient too.",
        ),
        Misconception(
            "no-empty-list",
            no_empty_list,
            "Your code fails when there is no gradient at all.",
            "Return 0.0 when the list of gradients is empty.",
        ),
        Misconception(
            "returns-factor",
            returns_factor,
            "You returned the factor; the norm before is asked for.",
            "Return the norm that you computed first.",
        ),
        Misconception(
            "returns-tensor",
            returns_tensor,
            "Your norm is a tensor where a float is meant.",
            "item() makes a float of a tensor with one entry.",
        ),
        Misconception(
            "returns-nothing",
            returns_nothing,
            "Your function returns nothing.",
            "Return the norm before clipping.",
        ),
    ),
)
