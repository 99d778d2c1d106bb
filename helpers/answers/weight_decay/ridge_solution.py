"""Ridge regression in closed form: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def _eye(X: Tensor, size: int) -> Tensor:
    return torch.eye(size, dtype=X.dtype, device=X.device)


def ridge_solution(X: Tensor, y: Tensor, lam: float) -> Tensor:
    A = X.double()
    right = A.T @ y.double()
    return torch.linalg.solve(A.T @ A + lam * _eye(A, A.shape[1]), right).to(X.dtype)


def normal_equations(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.solve(X.T @ X + lam * _eye(X, X.shape[1]), X.T @ y)


def by_inverse(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.inv(X.T @ X + lam * _eye(X, X.shape[1])) @ X.T @ y


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


def _times(factor: Any) -> Any:
    return lambda X, y, lam: ridge_solution(X, y, lam * factor(X))


def _least_squares(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.pinv(X) @ y


def _centred(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return ridge_solution(X - X.mean(0), y - y.mean(), lam)


def _with_intercept(X: Tensor, y: Tensor, lam: float) -> Tensor:
    ones = torch.ones_like(X[:, :1])
    return ridge_solution(torch.cat([X, ones], dim=1), y, lam)[:-1]


def _full_vector(X: Tensor, y: Tensor, lam: float) -> Tensor:
    ones = torch.ones_like(X[:, :1])
    return ridge_solution(torch.cat([X, ones], dim=1), y, lam)


def _adds_everywhere(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.pinv(X.T @ X + lam) @ (X.T @ y)


def _cpu_eye(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.solve(X.T @ X + lam * torch.eye(X.shape[1]), X.T @ y)


def _wrong_side(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.solve(X @ X.T + lam * _eye(X, X.shape[0]), X @ y)


def _shrinks_after(X: Tensor, y: Tensor, lam: float) -> Tensor:
    return torch.linalg.pinv(X) @ y / (1 + lam)


def _no_square(X: Tensor, y: Tensor, lam: float) -> Tensor:
    U, s, Vh = torch.linalg.svd(X, full_matrices=False)
    return Vh.T @ ((U.T @ y) / (s + lam))


def _descends(X: Tensor, y: Tensor, lam: float) -> Tensor:
    w = torch.zeros_like(X[0])
    for _ in range(50):
        w = w - 1e-3 * (X.T @ (X @ w - y) + lam * w)
    return w


def _in_place(X: Tensor, y: Tensor, lam: float) -> Tensor:
    w = normal_equations(X, y, lam)
    X.data -= X.data.mean(0)
    return w


ANSWERS = Answers(
    reference=ridge_solution,
    variants={
        "normal equations": normal_equations,
        "an inverse": by_inverse,
        "through the samples": through_samples,
        "more rows": by_more_rows,
        "singular values": by_singular_values,
        "Cholesky": by_cholesky,
    },
    misconceptions=(
        Misconception(
            "lambda-times-n",
            _times(lambda X: X.shape[0]),
            "You multiplied λ by the number of samples.",
            "Here the loss is a sum over the samples, not a mean, so λ stands alone.",
        ),
        Misconception(
            "lambda-over-n",
            _times(lambda X: 1 / X.shape[0]),
            "You divided λ by the number of samples.",
            "Here the loss is a sum over the samples, not a mean, so λ stands alone.",
        ),
        Misconception(
            "double-lambda",
            _times(lambda X: 2),
            "You used 2λ: you set the gradient of λ‖w‖² to zero.",
            "Both terms have a ½, so both factors 2 cancel.",
        ),
        Misconception(
            "half-lambda",
            _times(lambda X: 0.5),
            "You used λ/2: you kept one of the two factors ½.",
            "Both terms have a ½, so both factors 2 cancel.",
        ),
        Misconception(
            "lambda-squared",
            lambda X, y, lam: ridge_solution(X, y, lam**2),
            "You used λ², as for extra rows λI.",
            "With extra rows the factor is √λ; in XᵀX + λI it is λ.",
        ),
        Misconception(
            "negative-lambda",
            _times(lambda X: -1),
            "You subtract λI, where it is added.",
            "Set the gradient Xᵀ(Xw − y) + λw to zero and sort the terms.",
        ),
        Misconception(
            "no-penalty",
            _least_squares,
            "Your result is the least-squares fit; it does not depend on λ.",
            "Add λI to XᵀX.",
        ),
        Misconception(
            "adds-to-every-entry",
            _adds_everywhere,
            "X.T @ X + lam adds λ to every entry of the matrix.",
            "λ belongs on the diagonal: lam * torch.eye(d).",
        ),
        Misconception(
            "centres",
            _centred,
            "You subtract the means first, which solves the problem with an intercept.",
            "This problem has no intercept: use X and y as they are.",
        ),
        Misconception(
            "penalised-intercept",
            _with_intercept,
            "You added a column of ones, and there is no intercept here.",
            "Use X as it is.",
        ),
        Misconception(
            "intercept-in-result",
            _full_vector,
            "Your result has one entry too many, for an intercept.",
            "Use X as it is: w has one entry for each feature.",
        ),
        Misconception(
            "column",
            lambda X, y, lam: normal_equations(X, y[:, None], lam),
            "Your w is a column of shape (d, 1).",
            "Return a vector of shape (d,), as y is a vector of shape (n,).",
        ),
        Misconception(
            "wrong-side",
            _wrong_side,
            "You exchanged X and its transpose.",
            "XᵀX has the shape (d, d); check the shapes on paper.",
        ),
        Misconception(
            "shrinks-afterwards",
            _shrinks_after,
            "You divide the least-squares fit by 1 + λ, which is right for orthonormal columns only.",
            "Ridge shrinks each direction by its own factor: solve with XᵀX + λI.",
        ),
        Misconception(
            "singular-values-not-squared",
            _no_square,
            "You divide by s + λ, where s/(s² + λ) is the factor.",
            "The eigenvalues of XᵀX are the squares of the singular values of X.",
        ),
        Misconception(
            "stops-early",
            _descends,
            "You take a fixed number of small gradient steps, and they do not arrive.",
            "There is an exact answer: set the gradient to zero and solve.",
        ),
        Misconception(
            "eye-on-cpu",
            _cpu_eye,
            "Your identity matrix lies on the CPU, wherever X is.",
            "Write torch.eye(d, dtype=X.dtype, device=X.device).",
        ),
        Misconception(
            "cut-off",
            lambda X, y, lam: ridge_solution(X.detach(), y.detach(), lam),
            "Your result is cut off from X and y.",
            "Leave out detach(), .data and NumPy.",
        ),
        Misconception(
            "changes-X",
            _in_place,
            "Your code changed X in place.",
            "Make a new tensor, such as X = X - X.mean(0), if you must.",
        ),
    ),
)
