"""The L1 and L2 penalties: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F

from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor
Tensors = Iterable[Tensor]
Penalty = Callable[[Tensors], Any]


def itself(p: Any, *_: Any) -> Any:
    return p


def penalties(
    chosen: Any = itself,
    start: Any = lambda: torch.zeros(()),
    add: Any = lambda total, term: total + term,
    see1: Any = itself,
    see2: Any = itself,
    each1: Any = torch.abs,
    each2: Any = torch.square,
    sum1: Any = torch.sum,
    sum2: Any = torch.sum,
    factor1: float = 1.0,
    factor2: float = 0.5,
    finish1: Any = itself,
    finish2: Any = itself,
    done: Any = itself,
) -> tuple[Penalty, Penalty]:
    """Σ|w| and ½Σw²: of each tensor the entries' sizes, summed, times a factor, added up.

    `chosen` are the tensors that count, `finish` sees the total and the tensors.
    """

    def penalty(see: Any, each: Any, total_of: Any, factor: float, finish: Any) -> Penalty:
        def of(parameters: Tensors) -> Any:
            total, seen = start(), []
            for p in chosen(parameters):
                seen.append(p)
                total = add(total, factor * total_of(each(see(p))))
            return done(finish(total, seen))

        return of

    return (
        penalty(see1, each1, sum1, factor1, finish1),
        penalty(see2, each2, sum2, factor2, finish2),
    )


l1_penalty, l2_penalty = penalties()


def _joined(parameters: Tensors) -> Tensor:
    parts = [p.flatten() for p in parameters]
    return torch.cat(parts) if parts else torch.zeros(0)


def _stacked(parameters: Tensors) -> Tensor:
    parts = [(p * p).sum() / 2 for p in parameters]
    return torch.stack(parts).sum() if parts else torch.tensor(0.0)


def _adding(term: Callable[[Tensor], Any], start: Any = 0.0) -> Penalty:
    return lambda parameters: sum((term(p) for p in parameters), torch.tensor(start))


def _each_of(see: Any) -> tuple[dict[str, Any], ...]:
    """Something done to what both penalties see, or to what one of them sees."""
    return {"see1": see, "see2": see}, {"see1": see}, {"see2": see}


def _finishes(finish: Any) -> tuple[dict[str, Any], ...]:
    return {"finish1": finish, "finish2": finish}, {"finish1": finish}, {"finish2": finish}


def _with_positive_data(p: Tensor) -> Tensor:
    value = p.abs()
    p.data.abs_()
    return value


def _calling_backward(total: Any, keep: bool) -> Any:
    if getattr(total, "requires_grad", False):
        total.backward(retain_graph=keep)
    return total


ANSWERS = Answers(
    recipe=Recipe(penalties),
    variants={
        "joined and by its norm": (
            lambda ps: _joined(ps).abs().sum(),
            lambda ps: 0.5 * torch.linalg.vector_norm(_joined(ps)) ** 2,
        ),
        "one-sided slope at 0, stacked": (
            _adding(lambda p: torch.where(p >= 0, p, -p).sum()),
            _stacked,
        ),
        "a zero of integers": (
            _adding(lambda p: p.norm(1), 0),
            _adding(lambda p: p.norm() ** 2 / 2, 0),
        ),
        "PyTorch's data losses with a sum": (
            _adding(lambda p: F.l1_loss(p, torch.zeros_like(p), reduction="sum")),
            _adding(lambda p: 0.5 * F.mse_loss(p, torch.zeros_like(p), reduction="sum")),
        ),
        "sign times w": (_adding(lambda p: (p.sign().detach() * p).sum()), l2_penalty),
        "as a textbook prints it: abs, pow and a half at the end": (
            _adding(lambda w: torch.sum(torch.abs(w))),
            lambda ws: _adding(lambda w: torch.sum(w.pow(2)))(ws) / 2,
        ),
        "as a course prints it: norms, added in a loop": (
            _adding(lambda w: torch.norm(w, p=1)),
            _adding(lambda w: 0.5 * torch.norm(w, p=2) ** 2),
        ),
    },
    slips=(
        slip(
            "plain-zero-for-none",
            "Without parameters your penalties are a plain number and no tensor.",
            "Begin with a tensor: sum(..., torch.zeros(())) is one also when nothing is added.",
            start=lambda: 0,
        ),
        slip(
            "start-of-one-entry",
            "Your penalties have the shape (1,), from the tensor that the sum starts from.",
            "Start from a tensor without axes: torch.zeros(()) or torch.tensor(0.0).",
            start=lambda: torch.zeros(1),
        ),
        slip(
            "no-half",
            "Your L2 penalty lacks the ½.",
            "This course takes ½Σw², so that the gradient is w and not 2w.",
            factor2=1.0,
        ),
        slip(
            "norm-not-squared",
            "Your L2 penalty takes a root of the sum of squares, and the squared norm is meant.",
            "Double the weights: ½Σw² must become four times as large. Leave the root out.",
            {"finish2": lambda total, ps: total.sqrt(), "factor2": 1.0},
            {"finish2": lambda total, ps: total.sqrt(), "factor2": 0.5},
            {"finish2": lambda total, ps: 0.5 * total.sqrt(), "factor2": 1.0},
        ),
        slip(
            "sum-of-norms",
            "Your L2 penalty adds up the norms of the tensors, without squaring them.",
            "Square before you sum: ½Σw² has no root in it.",
            {"each2": itself, "sum2": torch.linalg.vector_norm, "add": torch.add},
            {"each2": itself, "sum2": torch.linalg.vector_norm, "add": torch.add, "factor2": 1.0},
        ),
        slip(
            "root-and-square-again",
            "Your L2 penalty takes a root and squares it again. Where all weights of a tensor are 0 "
            "the root has no slope, and the gradient is NaN.",
            "Leave both out: 0.5 * (p ** 2).sum() needs no root.",
            {"each2": torch.square, "sum2": lambda squares: squares.sum().sqrt() ** 2},
        ),
        slip(
            "spectral-norm",
            "For matrices you took the matrix norm of order 2, which looks at one direction only.",
            "Sum the squares of all entries; that is the Frobenius norm, squared.",
            each2=itself,
            sum2=lambda p: torch.linalg.norm(p, 2) ** 2,
        ),
        slip(
            "matrix-norm",
            "Of a matrix torch.linalg.norm(p, 1) is the largest sum of a column, not the sum of all.",
            "p.abs().sum() adds up all entries, whatever the shape.",
            each1=itself,
            sum1=lambda p: torch.linalg.norm(p, 1),
        ),
        slip(
            "l1-in-l2",
            "Your L2 penalty sums |w|, where w² is meant.",
            "L2 squares the weights: (p ** 2).sum().",
            {"each2": torch.abs},
        ),
        slip(
            "l2-in-l1",
            "Your L1 penalty sums w², where |w| is meant.",
            "L1 takes the weights' absolute values: p.abs().sum().",
            {"each1": torch.square},
        ),
        slip(
            "swapped",
            "Your two penalties have changed places.",
            "L1 sums absolute values, L2 sums squares.",
            around=lambda pair: pair[::-1],
        ),
        slip(
            "mean-by-tensor",
            "You took the mean of each tensor, as F.l1_loss(w, 0) does, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
            sum1=torch.mean,
            sum2=torch.mean,
        ),
        slip(
            "l1-mean-only",
            "Your L1 penalty takes the mean of each tensor, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
            sum1=torch.mean,
        ),
        slip(
            "l2-mean-only",
            "Your L2 penalty takes the mean of each tensor, where the sum is meant.",
            "A mean makes a weight of a large tensor count less; use .sum().",
            sum2=torch.mean,
        ),
        slip(
            "mse-mean",
            "Your L2 penalty takes the mean of w², as F.mse_loss(w, 0) does, and ½Σw² is meant.",
            "A data loss averages; a penalty sums. Use 0.5 * (p ** 2).sum().",
            sum2=torch.mean,
            factor2=1.0,
        ),
        slip(
            "mean-of-all",
            "You divided by the number of all weights together.",
            "A penalty is a sum over the weights, not their mean.",
            *(
                {**form, "add": torch.add}
                for form in _finishes(lambda total, ps: total / max(sum(p.numel() for p in ps), 1))
            ),
        ),
        slip(
            "mean-over-tensors",
            "You divided by the number of tensors.",
            "A penalty is a sum over all weights of all tensors, not a mean.",
            *_finishes(lambda total, ps: total / max(len(ps), 1)),
        ),
        slip(
            "no-absolute-value",
            "Your L1 penalty sums w without the absolute value, so it rewards negative weights.",
            "Take .abs() before .sum().",
            {"each1": itself},
        ),
        slip(
            "absolute-value-of-sum",
            "Your L1 penalty adds up weights before it takes the absolute value, so positive and "
            "negative ones cancel.",
            "Take the absolute value of each entry first.",
            {"each1": itself, "finish1": lambda total, ps: total.abs()},
            {"each1": itself, "sum1": lambda p: p.sum().abs()},
        ),
        slip(
            "positive-only",
            "Your L1 penalty counts positive weights only.",
            "A weight of −4 costs 4: take .abs().",
            {"each1": torch.relu},
        ),
        slip(
            "half-l1",
            "Your L1 penalty has a factor ½; only L2 has it.",
            "L1 is Σ|w|.",
            factor1=0.5,
        ),
        slip(
            "square-of-sum",
            "Your L2 penalty adds up weights before it squares, where the sum of squares is meant.",
            "Square each entry first: (p ** 2).sum().",
            {"each2": itself, "sum2": lambda p: p.sum() ** 2},
            {"each2": itself, "finish2": lambda total, ps: 2 * total**2},
            {"each2": torch.abs, "sum2": lambda p: p.sum() ** 2},
        ),
        slip(
            "root-of-square",
            "You wrote |w| as √(w²), and autograd gives NaN for its slope at 0.",
            "Use .abs(), whose slope at 0 is 0 in PyTorch.",
            {"each1": lambda p: (p**2).sqrt()},
        ),
        slip(
            "skips-biases",
            "You left out tensors with fewer than two axes.",
            "Which parameters to penalise is the caller's choice: count all that are given.",
            chosen=lambda ps: (p for p in ps if p.dim() > 1),
        ),
        slip(
            "first-only",
            "Only the first tensor counts in your penalties.",
            "Look where return stands: behind the loop, and not inside.",
            chosen=lambda ps: islice(ps, 1),
            add=torch.add,
        ),
        slip(
            "last-only",
            "Only the last tensor counts in your penalties.",
            "Add to the total in the loop; do not replace it.",
            add=lambda total, term: term,
        ),
        slip(
            "negative",
            "Your penalty is negative, so it rewards large weights.",
            "It is added to the loss: Ω(w) is 0 or more.",
            {"factor1": -1.0, "factor2": -0.5},
            {"factor1": -1.0},
            {"factor2": -0.5},
        ),
        slip(
            "cut-off",
            "Your penalty is cut off from the parameters, so training ignores it.",
            "Leave out detach(), .data and no_grad(): the gradient has to flow.",
            *_each_of(lambda p: p.detach()),
        ),
        slip(
            "plain-float",
            "Your penalty goes through a Python number, which autograd cannot see.",
            "Leave out .item() and float(): add up the tensors themselves.",
            *_finishes(lambda total, ps: total.item() if isinstance(total, Tensor) else total),
        ),
        slip(
            "float32",
            "Your penalty turns the weights into float32, also those of a float64 model.",
            "Leave out .float(): the result has the dtype of the weights.",
            *_each_of(lambda p: p.float()),
        ),
        slip(
            "float64",
            "Your penalty turns the weights into float64, whatever their dtype.",
            "Leave out .double(): the result has the dtype of the weights.",
            *_each_of(lambda p: p.double()),
        ),
        slip(
            "calls-backward",
            "Your penalties call backward() themselves.",
            "Return the value; the training loop calls backward() on the whole loss.",
            {"done": lambda total: _calling_backward(total, keep=True)},
            {"done": lambda total: _calling_backward(total, keep=False)},
        ),
        slip(
            "needs-a-list",
            "Your code needs a list, and model.parameters() is an iterable without a length.",
            "Loop with for p in parameters.",
            {"chosen": lambda ps: [ps[i] for i in range(len(ps))]},
            {"chosen": lambda ps: ps[:]},
        ),
        slip(
            "reads-twice",
            "Your code loops over the parameters twice, and a generator is empty the second time.",
            "Do everything in one loop, or begin with parameters = list(parameters).",
            chosen=lambda ps: (list(ps), list(ps))[1],
        ),
        slip(
            "in-place",
            "Your L1 penalty makes the weights themselves positive.",
            "abs_() works in place; abs() makes a new tensor.",
            {"each1": _with_positive_data},
        ),
    ),
)
