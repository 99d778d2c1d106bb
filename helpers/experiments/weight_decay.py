"""Experiments of lesson 04: what weight decay does, and what it only seems to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from helpers.data import Dataset, load
from helpers.plotting import COLORS, LINES, MARKERS, new_figure
from helpers.training import State, accuracy, seeded, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


@dataclass(frozen=True)
class Shrinkage:
    """Ridge regression in each direction of the data, those of large singular values first."""

    singular: torch.Tensor
    """The singular values s of x, (r,): how much the samples differ along each direction."""
    unpenalised: torch.Tensor
    """The part of the least-squares fit along each direction, (r,)."""
    kept: dict[float, torch.Tensor]
    """By λ: the part of the ridge solution, divided by that of the least-squares fit, (r,)."""

    def factor(self, lam: float) -> torch.Tensor:
        """What the formula s²/(s² + λ) says of `kept`."""
        return self.singular**2 / (self.singular**2 + lam)


def shrinkage(
    ridge_solution: Callable[..., torch.Tensor], lambdas: Sequence[float], seed: int
) -> Shrinkage:
    """Look at the ridge solutions for the hidden pixel in the directions of its training images."""
    task = hidden_pixel(seed)
    x, y = task.x["train"].cpu(), task.y["train"].cpu()
    _, singular, directions = torch.linalg.svd(x, full_matrices=False)
    rank = int((singular > 1e-9 * singular[0]).sum())
    singular, directions = singular[:rank], directions[:rank]
    free = directions @ (torch.linalg.pinv(x) @ y)
    kept = {lam: directions @ ridge_solution(x, y, lam) / free for lam in lambdas}
    return Shrinkage(singular, free, kept)


def draw_shrinkage(seen: Shrinkage) -> tuple[Figure, str]:
    """The share of each direction that is kept, and the size of the weights along it.

    Returns a figure and its alternative text.
    """
    figure, (left, right) = new_figure(columns=2, width=9.5, height=3.8)
    order = range(1, len(seen.singular) + 1)
    for i, (lam, kept) in enumerate(seen.kept.items()):
        left.plot(order, seen.factor(lam), LINES[i], color=COLORS[i], label=f"λ = {lam:g}")
        left.plot(order, kept, MARKERS[i], color=COLORS[i], markersize=3.5)
    left.set(ylabel="share that is kept", ylim=(-0.03, 1.03), title="s²/(s² + λ), and measured")
    lam = sorted(seen.kept)[len(seen.kept) // 2]
    for i, (label, part) in enumerate(
        (("no penalty", seen.unpenalised), (f"λ = {lam:g}", seen.unpenalised * seen.kept[lam]))
    ):
        right.plot(order, part.abs(), MARKERS[i], color=COLORS[i], markersize=5, label=label)
    right.set(ylabel="|weight| along the direction", title="What the shrinking removes")
    for panel in (left, right):
        panel.set_xlabel("direction, the largest s first")
        panel.legend()
    halves = [f"{int((kept > 0.5).sum())} for λ = {lam:g}" for lam, kept in seen.kept.items()]
    return figure, (
        f"Two panels over {len(order)} directions of the data. Left: the share of the weight that "
        "ridge regression keeps falls from the first direction to the last, and the measured "
        "points lie on the curves of the formula. Directions that keep more than half: "
        f"{', '.join(halves)}. Right: the weight without a penalty grows up to "
        f"{seen.unpenalised.abs().max().item():.1f} in the last directions; with λ = {lam:g} no "
        f"part is larger than {(seen.unpenalised * seen.kept[lam]).abs().max().item():.1f}."
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


@dataclass(frozen=True)
class SparsePath:
    """What L1 finds for each λ."""

    error: list[float]
    """Mean squared error on 100 samples that were held out."""
    found: list[int]
    """How many of the 10 features that matter have a weight other than 0."""
    others: list[int]
    """How many of the 190 others have one."""
    chosen: int
    """The position of the λ with the smallest error."""


def sparse_path(
    soft_threshold: Callable[..., torch.Tensor], lambdas: Sequence[float], seed: int
) -> SparsePath:
    """L1 on the samples of `sparse_run` with every λ; each fit starts from that of the larger λ."""
    x, y, true = sparse_data(seed)
    generator = torch.Generator().manual_seed(20_000 + seed)
    new_x = torch.randn(100, 200, generator=generator)
    new_y = new_x @ true + 0.5 * torch.randn(100, generator=generator)
    weights, w = {}, torch.zeros(200)
    for lam in sorted(lambdas, reverse=True):
        w = weights[lam] = proximal_descent(soft_threshold, x[:180], y[:180], lam, w, steps=300)
    fits = [weights[lam] for lam in lambdas]
    error = [((new_x @ w - new_y) ** 2).mean().item() for w in fits]
    return SparsePath(
        error,
        found=[int(((w != 0) & (true != 0)).sum()) for w in fits],
        others=[int(((w != 0) & (true == 0)).sum()) for w in fits],
        chosen=min(range(len(error)), key=error.__getitem__),
    )


def two_copies(
    ridge_solution: Callable[..., torch.Tensor],
    soft_threshold: Callable[..., torch.Tensor],
    seed: int,
    blur: float = 0.1,
    lam: float = 0.1,
) -> dict[str, torch.Tensor]:
    """The weights of feature a and its copy b = a + blur·noise, fitted to 100 samples of a + noise.

    By what they are fitted with: "no penalty", "L2" and "L1", both with this λ and the mean loss.
    """
    generator = torch.Generator().manual_seed(seed)
    a, difference, noise = torch.randn(3, 100, generator=generator, dtype=torch.float64)
    x, y = torch.stack([a, a + blur * difference], dim=1), a + 0.5 * noise
    return {
        "no penalty": torch.linalg.pinv(x) @ y,
        "L2": ridge_solution(x, y, lam * len(x)),
        "L1": proximal_descent(soft_threshold, x, y, lam, torch.zeros(2).double(), steps=3000),
    }


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
