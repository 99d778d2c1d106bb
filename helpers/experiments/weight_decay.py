"""Experiments of lesson 04: what weight decay does, and what it only seems to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.training import State, accuracy, seeded, train

if TYPE_CHECKING:
    pass

Penalty = Callable[..., torch.Tensor]
Start = Literal["nn.Linear's", "N(0, 1)", "zero"]

STARTS: tuple[Start, ...] = ("N(0, 1)", "nn.Linear's", "zero")
CONSTANT = 0.05
"""The intercept of the textbook's data; predicting it for every sample uses no feature at all."""


def half_squared_error(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """½(output − target)², averaged over the samples; half of `nn.MSELoss`."""
    return 0.5 * ((output - target) ** 2).mean()


def regression(
    x: torch.Tensor, y: torch.Tensor, train_count: int, val_count: int = 1, name: str = "synthetic"
) -> Dataset:
    """A dataset for `train` with numbers as targets; y is (N, 1)."""
    end = train_count + val_count
    return Dataset(
        name,
        x_train=x[:train_count],
        y_train=y[:train_count],
        x_val=x[train_count:end],
        y_val=y[train_count:end],
        x_test=x[end:],
        y_test=y[end:],
        classes=("y",),
        mean=0.0,
        std=1.0,
    )


def textbook_data(seed: int) -> Dataset:
    """200 features, 20 training samples: y = 0.05 + Σ 0.01·xᵢ + noise, as in several textbooks."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(20 + 1 + 2000, 200, generator=generator)
    noise = 0.01 * torch.randn(len(x), 1, generator=generator)
    return regression(x, CONSTANT + 0.01 * x.sum(dim=1, keepdim=True) + noise, 20)


def started(start: Start, seed: int, features: int = 200) -> nn.Linear:
    """A linear model of `features` inputs with the initial weights that `start` names."""
    with seeded(10_000 + seed):  # another seed than the data's, or the two would be alike
        model = nn.Linear(features, 1)
        if start == "N(0, 1)":
            nn.init.normal_(model.weight)
            nn.init.zeros_(model.bias)
        elif start == "zero":
            nn.init.zeros_(model.weight)
            nn.init.zeros_(model.bias)
    return model


@dataclass(frozen=True)
class TextbookRun:
    """Half squared errors of one run."""

    test: list[float]
    """On the test data: before training, then after each epoch."""
    train: float
    """On the 20 training samples, at the end."""
    constant: float
    """On the test data, of predicting 0.05 for every sample."""


def textbook_run(start: Start, weight_decay: float, seed: int, epochs: int = 100) -> TextbookRun:
    """Train the textbook's linear model; only the weights decay, not the bias."""
    data, model = textbook_data(seed), started(start, seed)

    @torch.no_grad()
    def on_test(state: State) -> None:
        test.append(half_squared_error(model(data.x_test), data.y_test).item())

    groups: list[dict[str, Any]] = [
        {"params": [model.weight], "weight_decay": weight_decay},
        {"params": [model.bias]},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.02)
    test: list[float] = []
    on_test(State(model, optimizer, data))
    train(
        model,
        data,
        epochs=epochs,
        batch_size=5,
        optimizer=optimizer,
        loss=half_squared_error,
        seed=seed,
        after_epoch=[on_test],
        evaluate=False,
    )
    with torch.no_grad():
        on_train = half_squared_error(model(data.x_train), data.y_train).item()
        constant = half_squared_error(torch.full_like(data.y_test, CONSTANT), data.y_test).item()
    return TextbookRun(test, on_train, constant)


@dataclass(frozen=True)
class Pixels:
    """The task of predicting one pixel of an image from all the others, in float64."""

    x: dict[str, torch.Tensor]
    """By part (`train`, `val`, `test`): (n, d), less the mean of the training samples."""
    y: dict[str, torch.Tensor]
    """By part: (n,), less the mean of the training samples."""


def hidden_pixel(seed: int, count: int = 40, data: Dataset | None = None) -> Pixels:
    """The pixel in the middle as the target, for `count` training images drawn by the seed."""
    data = load("digits") if data is None else data
    _, _, height, width = data.x_train.shape
    middle = (height // 2) * width + width // 2
    drawn = torch.randperm(len(data.x_train), generator=torch.Generator().manual_seed(seed))[:count]
    parts = {"train": data.x_train[drawn.to(data.x_train.device)], "val": data.x_val}
    flat = {k: v[:, 0].flatten(1).double() for k, v in (parts | {"test": data.x_test}).items()}
    x = {k: torch.cat([v[:, :middle], v[:, middle + 1 :]], dim=1) for k, v in flat.items()}
    mean_x, mean_y = x["train"].mean(dim=0), flat["train"][:, middle].mean()
    return Pixels(
        {k: v - mean_x for k, v in x.items()}, {k: v[:, middle] - mean_y for k, v in flat.items()}
    )


@dataclass(frozen=True)
class RidgePath:
    """Mean squared errors for each λ."""

    train: list[float]
    val: list[float]
    test: list[float]
    weights: list[torch.Tensor]
    chosen: int
    """The position of the λ with the smallest error on the validation images."""
    unpenalised: float
    """On the test images: the least-squares fit; of all perfect fits the one of smallest norm."""
    constant: float
    """On the test images: always predicting the mean of the training images' pixel."""


def ridge_path(
    ridge_solution: Callable[..., torch.Tensor],
    lambdas: Sequence[float],
    seed: int,
    data: Dataset | None = None,
) -> RidgePath:
    """Predict the hidden pixel with every λ, and choose one by the validation images."""
    task = hidden_pixel(seed, data=data)

    def error(w: torch.Tensor, part: str) -> float:
        return ((task.x[part] @ w - task.y[part]) ** 2).mean().item()

    weights = [ridge_solution(task.x["train"], task.y["train"], lam) for lam in lambdas]
    errors = {part: [error(w, part) for w in weights] for part in ("train", "val", "test")}
    free = torch.linalg.pinv(task.x["train"]) @ task.y["train"]
    return RidgePath(
        **errors,
        weights=weights,
        chosen=min(range(len(lambdas)), key=errors["val"].__getitem__),
        unpenalised=error(free, "test"),
        constant=error(torch.zeros_like(free), "test"),
    )


def descent_meets_ridge(
    ridge_solution: Callable[..., torch.Tensor], lam: float = 0.5, seed: int = 0
) -> dict[str, float]:
    """The largest difference between what gradient descent with weight decay λ finds and ridge
    solutions, relative to the largest weight, by what is compared.
    """
    task = hidden_pixel(seed)
    x, y = task.x["train"].cpu(), task.y["train"].cpu()  # (n, d), (n,)
    n = len(x)
    data = regression(x, y[:, None], n, 0, "hidden pixel")
    steepest = torch.linalg.matrix_norm(x, 2).item() ** 2 / n  # of the mean half squared error
    found = {}
    for name, loss, factor in (("half", half_squared_error, 1.0), ("MSELoss", F.mse_loss, 2.0)):
        model = nn.Linear(x.shape[1], 1, bias=False, dtype=torch.float64)
        nn.init.zeros_(model.weight)
        lr = 1 / (factor * steepest + lam)
        train(
            model,
            data,
            epochs=1500,
            lr=lr,
            weight_decay=lam,
            batch_size=n,
            loss=loss,
            seed=seed,
            evaluate=False,
        )
        found[name] = model.weight.detach()[0]  # (d,)

    def apart(w: torch.Tensor, ridge_lam: float) -> float:
        exact = ridge_solution(x, y, ridge_lam)
        return ((w - exact).abs().max() / exact.abs().max()).item()

    return {
        "½·mean, λ·n": apart(found["half"], lam * n),
        "½·mean, λ": apart(found["half"], lam),
        "MSELoss, λ·n/2": apart(found["MSELoss"], lam * n / 2),
        "MSELoss, λ·n": apart(found["MSELoss"], lam * n),
    }


@dataclass(frozen=True)
class Sparse:
    """Weights of 200 features of which 10 matter, each (200,)."""

    true: torch.Tensor
    l1: torch.Tensor
    l2: torch.Tensor


def sparse_data(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """180 samples (and two more) of y = x·w + noise, where ten entries of w are 1 or −1 and the
    others are 0; returns x, y and w.
    """
    generator = torch.Generator().manual_seed(seed)
    true = torch.zeros(200)
    signs = torch.randint(2, (10,), generator=generator) * 2.0 - 1
    true[torch.randperm(200, generator=generator)[:10]] = signs
    x = torch.randn(180 + 2, 200, generator=generator)
    return x, x @ true + 0.5 * torch.randn(len(x), generator=generator), true


def sparse_run(
    soft_threshold: Callable[..., torch.Tensor], seed: int, l1: float = 0.35, l2: float = 0.3
) -> Sparse:
    """The weights that L1 and L2 find in `sparse_data`.

    L1 takes a soft threshold of lr·λ after each gradient step, L2 a weight decay of λ; all else
    is equal.
    """
    x, y, true = sparse_data(seed)
    data = regression(x, y[:, None], 180)
    lr = 180 / torch.linalg.matrix_norm(data.x_train, 2).item() ** 2 / 1.2

    @torch.no_grad()
    def shrink(state: State) -> None:
        weight = state.model.weight
        assert isinstance(weight, torch.Tensor)
        weight.copy_(soft_threshold(weight, lr * l1))

    def fit(decay: float, callbacks: Sequence[Callable[[State], None]]) -> torch.Tensor:
        model = nn.Linear(200, 1, bias=False)
        nn.init.zeros_(model.weight)
        train(
            model,
            data,
            epochs=300,
            lr=lr,
            weight_decay=decay,
            batch_size=180,
            loss=half_squared_error,
            after_step=callbacks,
            evaluate=False,
        )
        return model.weight.detach()[0]

    return Sparse(true, l1=fit(0.0, [shrink]), l2=fit(l2, []))


def proximal_descent(
    soft_threshold: Callable[..., torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    lam: float,
    start: torch.Tensor,
    steps: int,
) -> torch.Tensor:
    """The w that minimises the mean half squared error plus λ·Σ|w|, without a network around it."""
    lr = len(x) / torch.linalg.matrix_norm(x, 2).item() ** 2
    matrix, target, w = x.T @ x / len(x), x.T @ y / len(x), start
    for _ in range(steps):
        w = soft_threshold(w - lr * (matrix @ w - target), lr * lam)
    return w


def _network(seed: int, features: int, classes: int) -> nn.Sequential:
    with seeded(10_000 + seed):
        return nn.Sequential(nn.Linear(features, 64), nn.ReLU(), nn.Linear(64, classes))


def penalty_against_decay(
    l2_penalty: Penalty, optimizer: str, seed: int, lam: float = 0.01
) -> float:
    """The largest difference of a weight between a penalty λ·½Σw² in the loss and the
    optimiser's own `weight_decay=λ`, after 50 steps in float64 on 300 digits.

    `optimizer` is "SGD", "SGD with momentum", "Adam" (whose `weight_decay` is the penalty) or
    "AdamW" (set beside Adam with the penalty).
    """
    digits = load("digits", "cpu").flat().first(300)
    data = regression(digits.x_train.double(), digits.y_train, 300, 0)
    weights = []
    for in_the_loss in (True, False):
        model = _network(seed, 64, 10).double()
        decay = 0.0 if in_the_loss else lam
        made: torch.optim.Optimizer
        if optimizer == "AdamW":
            made = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=decay)
        elif optimizer == "Adam":
            made = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=decay)
        else:
            momentum = 0.9 if optimizer == "SGD with momentum" else 0.0
            made = torch.optim.SGD(model.parameters(), 0.1, momentum, weight_decay=decay)

        def penalty(model: nn.Module) -> torch.Tensor:
            return lam * l2_penalty(model.parameters())

        train(
            model,
            data,
            epochs=10,
            optimizer=made,
            penalty=penalty if in_the_loss else None,
            seed=seed,
            evaluate=False,
        )
        weights.append(nn.utils.parameters_to_vector(model.parameters()).detach())
    return (weights[0] - weights[1]).abs().max().item()


@dataclass(frozen=True)
class NetworkRun:
    """Accuracies of a trained network, and its weights (not its biases) as one vector."""

    train: float
    val: float
    test: float
    weights: torch.Tensor


def network_run(
    parameter_groups: Callable[..., list[dict[str, Any]]],
    weight_decay: float,
    seed: int,
    data: Dataset | None = None,
) -> NetworkRun:
    """Train on 300 images, 30 % of whose labels are drawn at random, with weight decay."""
    data = load("digits") if data is None else data
    noisy = data.flat().first(300).with_label_noise(0.3, seed)
    model = _network(seed, noisy.num_features, noisy.num_classes).to(noisy.x_train.device)
    groups = parameter_groups(model, weight_decay)
    optimizer = torch.optim.SGD(groups, lr=0.05, momentum=0.9)
    train(model, noisy, epochs=60, optimizer=optimizer, seed=seed, evaluate=False)
    on = {
        p: accuracy(model, getattr(noisy, f"x_{p}"), getattr(noisy, f"y_{p}"))
        for p in ("train", "val", "test")
    }
    weights = [p.detach().cpu().flatten() for p in model.parameters() if p.dim() == 2]
    return NetworkRun(on["train"], on["val"], on["test"], torch.cat(weights))
