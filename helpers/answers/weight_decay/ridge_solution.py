"""Ridge regression in closed form: the recipe, its slips, and other right answers."""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


def ridge_solution(X: Tensor, y: Tensor, lam: float) -> Tensor:
    """In float64, whatever comes in."""
    A = X.double()
    eye = torch.eye(A.shape[1], dtype=A.dtype, device=A.device)
    return torch.linalg.solve(A.T @ A + lam * eye, A.T @ y.double()).to(X.dtype)


def _eye(X: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=X.dtype, device=X.device)


def _as_given(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return X, y


def _on_diagonal(X: Tensor, lam: float) -> Tensor:
    return lam * _eye(X, X.shape[1])


def ridge(
    data: Any = _as_given,
    strength: Any = lambda lam, X: lam,
    gram: Any = lambda X: X.T @ X,
    penalty: Any = _on_diagonal,
    right_side: Any = lambda X, y: X.T @ y,
    solve: Any = torch.linalg.solve,
    result: Any = lambda w, lam: w,
) -> Any:
    """(XᵀX + λI)w = Xᵀy, written down part by part, and solved."""

    def solution(X: Tensor, y: Tensor, lam: float) -> Any:
        X, y = data(X, y)
        A = gram(X) + penalty(X, strength(lam, X))
        return result(solve(A, right_side(X, y)), lam)

    return solution


normal_equations = ridge()


def through_samples(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return X.T @ torch.linalg.solve(X @ X.T + lam * _eye(X, X.shape[0]), y)


def by_more_rows(X: Tensor, y: Tensor, lam: float) -> Tensor:
    d = X.shape[1]
    rows = torch.cat([X, float(lam) ** 0.5 * _eye(X, d)])
    return torch.linalg.lstsq(rows, torch.cat([y, y.new_zeros(d)])[:, None]).solution[:, 0]


def by_singular_values(X: Tensor, y: Tensor, lam: float) -> Tensor:
    U, s, Vh = torch.linalg.svd(X, full_matrices=False)
    return Vh.T @ (s / (s**2 + lam) * (U.T @ y))


def by_cholesky(X: Tensor, y: Tensor, lam: float) -> Tensor:
    L = torch.linalg.cholesky(X.T @ X + lam * _eye(X, X.shape[1]))
    return torch.cholesky_solve((X.T @ y)[:, None], L).squeeze(1)


def _no_square(X: Tensor, y: Tensor, lam: float) -> Tensor:
    U, s, Vh = torch.linalg.svd(X, full_matrices=False)
    return Vh.T @ ((U.T @ y) / (s + lam))


def _descends(X: Tensor, y: Tensor, lam: float) -> Tensor:
    w = torch.zeros_like(X[0])
    for _ in range(50):
        w = w - 1e-3 * (X.T @ (X @ w - y) + lam * w)
    return w


def _with_ones(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return torch.cat([X, torch.ones_like(X[:, :1])], dim=1), y


def _ones_first(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return torch.cat([torch.ones_like(X[:, :1]), X], dim=1), y


def _centred(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return X - X.mean(0), y - y.mean()


def _scaled(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return (X - X.mean(0)) / X.std(0), y


def _times(factor: Any) -> Any:
    return lambda lam, X: lam * factor(X)


def _by_inverse(A: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.inv(A) @ b


def _by_pinv(A: Tensor, b: Tensor) -> Tensor:
    return torch.linalg.pinv(A) @ b


def _on_every_entry(X: Tensor, lam: float) -> Any:
    return lam


def _centring(solution: Any) -> Any:
    def around(X: Tensor, y: Tensor, lam: float) -> Any:
        w = solution(X, y, lam)
        X.data -= X.data.mean(0)
        return w

    return around


def _scaling_y(solution: Any) -> Any:
    def around(X: Tensor, y: Tensor, lam: float) -> Any:
        w = solution(X, y, lam)
        y.data -= y.data.mean()
        return w

    return around


ANSWERS = Answers(
    recipe=Recipe(ridge),
    reference=ridge_solution,
    variants={
        "normal equations": normal_equations,
        "an inverse": ridge(solve=_by_inverse),
        "through the samples": through_samples,
        "more rows": by_more_rows,
        "singular values": by_singular_values,
        "Cholesky": by_cholesky,
        "as a textbook prints it: an inverse, times Xᵀ, times y": lambda X, y, lam: (
            torch.inverse(X.T @ X + lam * _eye(X, X.shape[1])) @ X.T @ y
        ),
        "as a course prints it: a pseudo-inverse": lambda X, y, lam: (
            torch.linalg.pinv(X.T @ X + lam * _eye(X, X.shape[1])) @ X.T @ y
        ),
        "as a solver prints it: a Hermitian pseudo-inverse": lambda X, y, lam: (
            torch.linalg.pinv(X.T @ X + lam * _eye(X, X.shape[1]), hermitian=True) @ (X.T @ y)
        ),
    },
    slips=(
        slip(
            "lambda-times-n",
            "Your λ counts n times as much as it should for n samples, as if the loss were a mean.",
            "Here the loss is a sum over the samples, so λ stands alone.",
            strength=_times(lambda X: X.shape[0]),
        ),
        slip(
            "lambda-over-n",
            "Your λ counts only 1/n of what it should for n samples.",
            "Here the loss is a sum over the samples, so λ stands alone.",
            strength=_times(lambda X: 1 / X.shape[0]),
        ),
        slip(
            "double-lambda",
            "Your λ counts twice: that is the minimum with λ‖w‖² in the place of ½λ‖w‖².",
            "Both terms have a ½, so both factors 2 cancel.",
            strength=_times(lambda X: 2),
        ),
        slip(
            "half-lambda",
            "Your λ counts half: one of the two factors ½ is kept, and the other one is not.",
            "Both terms have a ½, so both factors 2 cancel.",
            strength=_times(lambda X: 0.5),
        ),
        slip(
            "lambda-squared",
            "You used λ², as for extra rows λI.",
            "With extra rows the factor is √λ; in XᵀX + λI it is λ.",
            strength=lambda lam, X: lam**2,
        ),
        slip(
            "root-of-lambda",
            "You used √λ, which is for extra rows √λ·I under X.",
            "In XᵀX + λI it is λ itself.",
            strength=lambda lam, X: lam**0.5,
        ),
        slip(
            "negative-lambda",
            "You subtract λI, where it is added.",
            "Set the gradient Xᵀ(Xw − y) + λw to zero and sort the terms.",
            strength=_times(lambda X: -1),
        ),
        family(
            "fixed-lambda",
            "Your code uses the number {constant} and not the argument lam.",
            "Add lam times the identity.",
            (1.0, 0.1, 1e-3),
            lambda c: {"strength": lambda lam, X: c},
        ),
        slip(
            "no-penalty",
            "Your result is the least-squares fit; it does not depend on λ.",
            "Add λI to XᵀX.",
            {"strength": lambda lam, X: 0.0, "solve": _by_pinv},
            {"strength": lambda lam, X: 0.0, "solve": torch.linalg.solve},
            {"strength": lambda lam, X: 0.0, "solve": _by_inverse},
        ),
        slip(
            "adds-to-every-entry",
            "X.T @ X + lam adds λ to every entry of the matrix.",
            "λ belongs on the diagonal: lam * torch.eye(d).",
            {"penalty": _on_every_entry, "solve": _by_pinv},
            {"penalty": _on_every_entry, "solve": torch.linalg.solve},
            {"penalty": _on_every_entry, "solve": _by_inverse},
        ),
        slip(
            "not-the-first-feature",
            "You leave out the first feature in the penalty, as if it were an intercept.",
            "There is no intercept: λ stands on the whole diagonal.",
            penalty=lambda X, lam: lam * torch.diag(_eye(X, X.shape[1]).diag().cumsum(0) > 1),
        ),
        slip(
            "mean-on-one-side",
            "You divide one side of the equation by the number of samples, and not the other.",
            "Write (XᵀX + λI)w = Xᵀy without a mean.",
            {"right_side": lambda X, y: X.T @ y / X.shape[0]},
            {"gram": lambda X: X.T @ X / X.shape[0]},
        ),
        slip(
            "two-on-one-side",
            "One side of the equation has a factor 2 or ½ that the other one does not have.",
            "Both terms have a ½, so both factors 2 cancel.",
            {"right_side": lambda X, y: 2 * X.T @ y},
            {"right_side": lambda X, y: X.T @ y / 2},
            {"gram": lambda X: 2 * X.T @ X, "strength": lambda lam, X: 2 * lam},
        ),
        slip(
            "negative-right-side",
            "Your weights have the opposite sign.",
            "Set the gradient Xᵀ(Xw − y) + λw to zero: Xᵀy stands on the other side with a plus.",
            right_side=lambda X, y: -X.T @ y,
        ),
        slip(
            "wrong-side",
            "You exchanged X and its transpose.",
            "XᵀX has the shape (d, d), and Xᵀy the shape (d,); check the shapes on paper.",
            {"gram": lambda X: X @ X.T, "data": _as_given},
            {"right_side": lambda X, y: X @ y, "data": _as_given},
        ),
        slip(
            "elementwise",
            "You multiply Xᵀ and y entry by entry, where a product of matrices is meant.",
            "Write X.T @ y, and not *.",
            right_side=lambda X, y: X.T * y,
        ),
        slip(
            "with-intercept",
            "Your weights are those of a fit with an intercept, and this problem has none.",
            "Use X and y as they are, without their means and without a column of ones.",
            data=_centred,
        ),
        slip(
            "standardises",
            "You divide the features by their standard deviations first.",
            "Use X as it is.",
            {"data": _scaled},
            {"data": lambda X, y: (X / X.std(0), y)},
        ),
        slip(
            "penalised-intercept",
            "You fit an intercept too, by a column of ones, and there is none here.",
            "Use X as it is.",
            {"data": _with_ones, "result": lambda w, lam: w[:-1], "penalty": _on_diagonal},
            {"data": _ones_first, "result": lambda w, lam: w[1:], "penalty": _on_diagonal},
        ),
        slip(
            "intercept-in-result",
            "Your result has one entry too many, for an intercept.",
            "Use X as it is: w has one entry for each feature.",
            {"data": _with_ones, "result": lambda w, lam: w},
            {"data": _ones_first, "result": lambda w, lam: w},
        ),
        slip(
            "column",
            "Your w has two axes: it is a column or a row.",
            "Return a vector of shape (d,), as y is a vector of shape (n,).",
            {"result": lambda w, lam: w[:, None]},
            {"result": lambda w, lam: w[None]},
        ),
        slip(
            "shrinks-afterwards",
            "You divide the least-squares fit by 1 + λ, which is right for orthonormal columns only.",
            "Ridge shrinks each direction by its own factor: solve with XᵀX + λI.",
            strength=lambda lam, X: 0.0,
            solve=_by_pinv,
            result=lambda w, lam: w / (1 + lam),
        ),
        slip(
            "singular-values-not-squared",
            "You divide by s + λ, where s/(s² + λ) is the factor.",
            "The eigenvalues of XᵀX are the squares of the singular values of X.",
            whole=_no_square,
        ),
        slip(
            "stops-early",
            "You take a fixed number of small gradient steps, and they do not arrive.",
            "There is an exact answer: set the gradient to zero and solve.",
            whole=_descends,
        ),
        slip(
            "eye-on-cpu",
            "Your identity matrix lies on the CPU, wherever X is.",
            "Write torch.eye(d, dtype=X.dtype, device=X.device).",
            {"penalty": lambda X, lam: lam * torch.eye(X.shape[1])},
            {"penalty": lambda X, lam: lam * torch.eye(X.shape[1], dtype=X.dtype)},
        ),
        slip(
            "float32-inside",
            "Your code computes in float32, also where X is float64.",
            "Keep the dtype of X and y: leave out .float(); the identity takes dtype=X.dtype.",
            {"data": lambda X, y: (X.float(), y.float())},
        ),
        slip(
            "float64",
            "Your result is float64 whatever the dtype of X is.",
            "Compute in float64 if you like, but return w.to(X.dtype).",
            {"data": lambda X, y: (X.double(), y.double())},
        ),
        slip(
            "cut-off",
            "Your result is cut off from X and y.",
            "Leave out detach(), .data, torch.no_grad() and NumPy.",
            {"result": lambda w, lam: w.detach()},
        ),
        slip(
            "changes-X",
            "Your code changed X in place.",
            "Make a new tensor, such as X = X - X.mean(0), if you must.",
            {"around": _centring},
        ),
        slip(
            "changes-y",
            "Your code changed y in place.",
            "Make a new tensor, such as y = y - y.mean(), if you must.",
            {"around": _scaling_y},
        ),
    ),
)
