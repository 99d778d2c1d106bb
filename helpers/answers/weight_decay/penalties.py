"""The L1 and L2 penalties: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.check import Answers, Misconception

Tensors = Iterable[torch.Tensor]
Penalty = Callable[[Tensors], Any]
Term = Callable[[torch.Tensor], Any]


def _sum(term: Term) -> Penalty:
    """The penalty that adds up `term` over the tensors."""

    def penalty(parameters: Tensors) -> Any:
        total = torch.zeros(())
        for p in parameters:
            total = total + term(p)
        return total

    return penalty


l1_penalty = _sum(lambda p: p.abs().sum())
l2_penalty = _sum(lambda p: 0.5 * (p**2).sum())


def _joined(parameters: Tensors) -> torch.Tensor:
    parts = [p.flatten() for p in parameters]
    return torch.cat(parts) if parts else torch.zeros(0)


def _by_norms(parameters: Tensors) -> torch.Tensor:
    return 0.5 * torch.linalg.vector_norm(_joined(parameters)) ** 2


def _by_stacking(parameters: Tensors) -> torch.Tensor:
    parts = [(p * p).sum() / 2 for p in parameters]
    return torch.stack(parts).sum() if parts else torch.tensor(0.0)


def _one_sided(p: torch.Tensor) -> torch.Tensor:
    return torch.where(p >= 0, p, -p).sum()


def _plain_zero(term: Term) -> Penalty:
    return lambda parameters: sum(term(p) for p in parameters)


def _needs_list(penalty: Penalty) -> Penalty:
    def longer(parameters: Any) -> Any:
        return penalty([parameters[i] for i in range(len(parameters))])

    return longer


def _last_only(term: Term) -> Penalty:
    def penalty(parameters: Tensors) -> Any:
        total = torch.zeros(())
        for p in parameters:
            total = term(p)
        return total

    return penalty


def _root(parameters: Tensors) -> torch.Tensor:
    return sum(((p**2).sum() for p in parameters), torch.zeros(())).sqrt()


def _abs_of_sum(parameters: Tensors) -> torch.Tensor:
    return sum((p.sum() for p in parameters), torch.zeros(())).abs()


def _mean_of_all(power: int, factor: float) -> Penalty:
    def penalty(parameters: Tensors) -> torch.Tensor:
        joined = _joined(parameters)
        return factor * (joined.abs() ** power).mean() if joined.numel() else torch.zeros(())

    return penalty


def _zeroing(penalty: Penalty) -> Penalty:
    """The penalty computed with the parameters' data, cut off from the graph."""
    return lambda parameters: penalty([p.detach() for p in parameters])


def _backward(penalty: Penalty) -> Penalty:
    def calls(parameters: Tensors) -> Any:
        result = penalty(parameters)
        if result.requires_grad:
            result.backward(retain_graph=True)
        return result

    return calls


def _item(term: Term) -> Penalty:
    return lambda parameters: float(sum(term(p).item() for p in parameters if not p.is_meta))


def _skips_biases(term: Term) -> Penalty:
    return _sum(lambda p: term(p) if p.dim() > 1 else torch.zeros(()))


def _abs(p: torch.Tensor) -> torch.Tensor:
    return p.abs().sum()


def _half_square(p: torch.Tensor) -> torch.Tensor:
    return 0.5 * (p**2).sum()


def _spectral(p: torch.Tensor) -> torch.Tensor:
    if p.dim() == 2 and p.numel():
        return 0.5 * torch.linalg.matrix_norm(p, 2) ** 2
    return _half_square(p)


def _in_place(p: torch.Tensor) -> torch.Tensor:
    value = p.abs().sum()
    p.data.abs_()
    return value


def matrix_one_norm(parameters: Any) -> torch.Tensor:
    def size(p: torch.Tensor) -> torch.Tensor:
        return torch.linalg.norm(p, 1) if p.dim() == 2 and p.numel() else p.abs().sum()

    return sum((size(p) for p in parameters), torch.zeros(()))


ANSWERS = Answers(
    reference=(l1_penalty, l2_penalty),
    variants={
        "joined and by its norm": (lambda ps: _joined(ps).abs().sum(), _by_norms),
        "one-sided slope at 0, stacked": (_sum(_one_sided), _by_stacking),
        "a zero of integers": (
            lambda ps: sum((p.norm(1) for p in ps), torch.tensor(0)),
            lambda ps: sum((p.pow(2).sum() for p in ps), torch.tensor(0)) / 2,
        ),
        "PyTorch's data losses with a sum": (
            _sum(lambda p: F.l1_loss(p, torch.zeros_like(p), reduction="sum")),
            _sum(lambda p: 0.5 * F.mse_loss(p, torch.zeros_like(p), reduction="sum")),
        ),
        "sign times w": (_sum(lambda p: (p.sign().detach() * p).sum()), l2_penalty),
    },
    misconceptions=(
        Misconception(
            "plain-zero-for-none",
            (_plain_zero(_abs), _plain_zero(_half_square)),
            "Without parameters your penalties are the int 0, which Python's sum starts from.",
            "Give sum a start: sum(..., torch.zeros(())) is a tensor also when nothing is added.",
        ),
        Misconception(
            "no-half",
            (l1_penalty, _sum(lambda p: (p**2).sum())),
            "Your L2 penalty is Σw², twice what is asked for.",
            "This course takes ½Σw², so that the gradient is w and not 2w.",
        ),
        Misconception(
            "norm-not-squared",
            (l1_penalty, _root),
            "Your L2 penalty is the norm √Σw², and the squared norm is meant.",
            "Double the weights: ½Σw² must become four times as large. Leave the root out.",
        ),
        Misconception(
            "sum-of-norms",
            (l1_penalty, _sum(lambda p: torch.linalg.vector_norm(p))),
            "Your L2 penalty adds up the norms of the tensors, without squaring them.",
            "Square before you sum: ½Σw² has no root in it.",
        ),
        Misconception(
            "half-of-norms",
            (l1_penalty, _sum(lambda p: 0.5 * torch.linalg.vector_norm(p))),
            "Your L2 penalty is half the sum of the tensors' norms, without squaring them.",
            "Square before you sum: ½Σw² has no root in it.",
        ),
        Misconception(
            "spectral-norm",
            (l1_penalty, _sum(_spectral)),
            "For matrices you took the matrix norm of order 2, which looks at one direction only.",
            "Sum the squares of all entries; that is the Frobenius norm, squared.",
        ),
        Misconception(
            "matrix-norm",
            (matrix_one_norm, l2_penalty),
            "Of a matrix torch.linalg.norm(p, 1) is the largest sum of a column, not the sum of all.",
            "p.abs().sum() adds up all entries, whatever the shape.",
        ),
        Misconception(
            "l1-in-l2",
            (l1_penalty, _sum(lambda p: 0.5 * p.abs().sum())),
            "Your L2 penalty sums |w|, where w² is meant.",
            "L2 squares the weights: (p ** 2).sum().",
        ),
        Misconception(
            "swapped",
            (l2_penalty, l1_penalty),
            "Your two penalties have changed places.",
            "L1 sums absolute values, L2 sums squares.",
        ),
        Misconception(
            "mean-by-tensor",
            (
                _sum(lambda p: p.abs().mean() if p.numel() else p.sum()),
                _sum(lambda p: 0.5 * (p**2).mean() if p.numel() else p.sum()),
            ),
            "You took the mean of each tensor, as F.l1_loss(w, 0) does, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
        ),
        Misconception(
            "l1-mean-only",
            (_sum(lambda p: p.abs().mean() if p.numel() else p.sum()), l2_penalty),
            "Your L1 penalty takes the mean of each tensor, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
        ),
        Misconception(
            "l2-mean-only",
            (l1_penalty, _sum(lambda p: 0.5 * (p**2).mean() if p.numel() else p.sum())),
            "Your L2 penalty takes the mean of each tensor, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
        ),
        Misconception(
            "mse-mean",
            (l1_penalty, _sum(lambda p: (p**2).mean() if p.numel() else p.sum())),
            "Your L2 penalty is F.mse_loss(w, 0), a mean over the entries, where ½Σw² is meant.",
            "A data loss averages; a penalty sums. Use 0.5 * (p ** 2).sum().",
        ),
        Misconception(
            "mean-of-all",
            (_mean_of_all(1, 1.0), _mean_of_all(2, 0.5)),
            "You divided by the number of all weights together.",
            "A penalty is a sum over the weights, not their mean.",
        ),
        Misconception(
            "no-absolute-value",
            (_sum(lambda p: p.sum()), l2_penalty),
            "Your L1 penalty sums w without the absolute value, so it rewards negative weights.",
            "Take .abs() before .sum().",
        ),
        Misconception(
            "absolute-value-of-sum",
            (_abs_of_sum, l2_penalty),
            "Your L1 penalty is |Σw|: positive and negative weights cancel before the bars.",
            "Take the absolute value of each entry first.",
        ),
        Misconception(
            "half-l1",
            (_sum(lambda p: 0.5 * p.abs().sum()), l2_penalty),
            "Your L1 penalty has a factor ½; only L2 has it.",
            "L1 is Σ|w|.",
        ),
        Misconception(
            "square-of-sum",
            (l1_penalty, _sum(lambda p: 0.5 * p.sum() ** 2)),
            "Your L2 penalty squares the sum, where the sum of squares is meant.",
            "Square each entry first: (p ** 2).sum().",
        ),
        Misconception(
            "root-of-square",
            (_sum(lambda p: (p**2).sqrt().sum()), l2_penalty),
            "You wrote |w| as √(w²), and autograd gives NaN for its slope at 0.",
            "Use .abs(), whose slope at 0 is 0 in PyTorch.",
        ),
        Misconception(
            "skips-biases",
            (_skips_biases(_abs), _skips_biases(_half_square)),
            "You left out tensors with fewer than two axes.",
            "Which parameters to penalise is the caller's choice: count all that are given.",
        ),
        Misconception(
            "last-only",
            (_last_only(_abs), _last_only(_half_square)),
            "Only the last tensor counts in your penalties.",
            "Add to the total in the loop; do not replace it.",
        ),
        Misconception(
            "cut-off",
            (_zeroing(l1_penalty), _zeroing(l2_penalty)),
            "The value is right, but it is cut off from the parameters, so training ignores it.",
            "Leave out detach(), .data and no_grad(): the gradient has to flow.",
        ),
        Misconception(
            "plain-float",
            (_item(_abs), _item(_half_square)),
            "Your penalties are Python floats, which autograd cannot see.",
            "Leave out .item() and float(): return a 0-d tensor.",
        ),
        Misconception(
            "calls-backward",
            (_backward(l1_penalty), _backward(l2_penalty)),
            "Your penalties call backward() themselves.",
            "Return the value; the training loop calls backward() on the whole loss.",
        ),
        Misconception(
            "needs-a-list",
            (_needs_list(l1_penalty), _needs_list(l2_penalty)),
            "Your code needs a list, and model.parameters() is an iterable without a length.",
            "Loop with for p in parameters.",
        ),
        Misconception(
            "in-place",
            (_sum(_in_place), l2_penalty),
            "Your L1 penalty makes the weights themselves positive.",
            "abs_() works in place; abs() makes a new tensor.",
        ),
    ),
)
