"""Program 7, weight decay off by a factor 2: real repairs and half repairs."""

from __future__ import annotations

import torch

from helpers.checking.check import Answers, Misconception


def objective(w, X, y, lam):
    return 0.5 * ((X @ w - y) ** 2).mean() + lam * (w**2).sum()


def descent(data=1.0, decay=2.0, reported=1.0, doubled=1.0, decoupled=False, nesterov=False):
    """Gradient descent with the places at which a factor can go wrong as settings."""

    def run(w, X, y, lam, lr, momentum, steps):
        lam = doubled * lam
        velocity, objectives = torch.zeros_like(w), []
        for _ in range(steps):
            objectives.append(objective(w, X, y, reported * lam))
            gradient = data * X.T @ (X @ w - y) / len(y)
            if not decoupled:
                gradient = gradient + decay * lam * w
            velocity = momentum * velocity + gradient
            step = gradient + momentum * velocity if nesterov else velocity
            w = w - lr * step - (lr * decay * lam * w if decoupled else 0)
        return w, objectives

    return run


def by_sgd(w, X, y, lam, lr, momentum, steps):
    w = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr=lr, momentum=momentum, weight_decay=2 * lam)
    objectives = []
    for _ in range(steps):
        optimizer.zero_grad()
        data = 0.5 * ((X @ w - y) ** 2).mean()
        objectives.append((data + lam * (w**2).sum()).item())
        data.backward()
        optimizer.step()
    return w.detach(), objectives


def by_autograd(w, X, y, lam, lr, momentum, steps):
    velocity, objectives = torch.zeros_like(w), []
    for _ in range(steps):
        w = w.detach().requires_grad_()
        value = objective(w, X, y, lam)
        (gradient,) = torch.autograd.grad(value, w)
        objectives.append(value.item())
        velocity = momentum * velocity + gradient
        w = w - lr * velocity
    return w.detach(), objectives


def in_place_on_a_copy(w, X, y, lam, lr, momentum, steps):
    w, velocity, objectives = w.clone(), torch.zeros_like(w), []
    for _ in range(steps):
        residual = X @ w - y
        objectives.append(0.5 * residual.pow(2).mean() + lam * w @ w)
        velocity.mul_(momentum).add_(residual @ X / len(y) + 2 * lam * w)
        w.sub_(lr * velocity)
    return w, torch.stack(objectives)


def scaled_velocity(w, X, y, lam, lr, momentum, steps):
    """The step size inside the velocity: the same while the step size stays."""
    velocity, objectives = torch.zeros_like(w), []
    for _ in range(steps):
        objectives.append(objective(w, X, y, lam))
        velocity = momentum * velocity - lr * (X.T @ (X @ w - y) / len(y) + 2 * lam * w)
        w = w + velocity
    return w, objectives


def with_half_rate(w, X, y, lam, lr, momentum, steps):
    return descent(decay=1.0)(w, X, y, lam, lr / 2, momentum, steps)


def with_double_rate(w, X, y, lam, lr, momentum, steps):
    return descent(decay=1.0)(w, X, y, lam, 2 * lr, momentum, steps)


def in_place(w, X, y, lam, lr, momentum, steps):
    result, objectives = descent()(w, X, y, lam, lr, momentum, steps)
    w.copy_(result)
    return w, objectives


def after_the_step(w, X, y, lam, lr, momentum, steps):
    objectives = []
    velocity = torch.zeros_like(w)
    for _ in range(steps):
        velocity = momentum * velocity + X.T @ (X @ w - y) / len(y) + 2 * lam * w
        w = w - lr * velocity
        objectives.append(objective(w, X, y, lam))
    return w, objectives


ANSWERS = Answers(
    reference=by_sgd,
    variants={
        "2λw": descent(),
        "autograd on the formula": by_autograd,
        "in place on a copy": in_place_on_a_copy,
        "step size in the velocity": scaled_velocity,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            descent(decay=1.0),
            "As in the broken program, the formula has λ‖w‖², whose gradient is 2λw, and the "
            "step uses λw.",
            "Differentiate the formula by w.",
        ),
        Misconception(
            "formula-changed",
            descent(decay=1.0, reported=0.5),
            "You changed the objective to ½λ‖w‖². Now formula and step agree, but the formula was "
            "given; the step was wrong.",
            "Keep λ‖w‖² in the objective, and change the step.",
        ),
        Misconception(
            "lambda-doubled",
            descent(decay=1.0, doubled=2.0),
            "λ is doubled for everything. The step is right now, but the objective counts the "
            "penalty twice.",
            "Put the factor into the gradient alone.",
        ),
        Misconception(
            "both-places",
            descent(decay=2.0, doubled=2.0),
            "The factor 2 is there twice: λ is doubled, and the gradient too.",
            "Leave λ as it is given.",
        ),
        Misconception(
            "halved-rate",
            with_half_rate,
            "The learning rate is halved, which slows the data part as well; the ratio of the two "
            "parts is as wrong as before.",
            "Leave the learning rate alone, and change the penalty's gradient.",
        ),
        Misconception(
            "doubled-rate",
            with_double_rate,
            "The whole gradient, or the learning rate, is doubled. The decay is right now, and the data part is twice too "
            "large.",
            "Leave the learning rate alone, and change the penalty's gradient.",
        ),
        Misconception(
            "data-halved",
            descent(data=0.5, decay=1.0),
            "You halved the data part of the gradient. The ratio is right now, but each step is "
            "half as long as it should be.",
            "Change the penalty's part instead.",
        ),
        Misconception(
            "outside-the-momentum",
            descent(decoupled=True),
            "The decay is applied to w directly and does not enter the velocity. That is the same "
            "without momentum only.",
            "Add 2λw to the gradient, before the momentum.",
        ),
        Misconception(
            "no-decay",
            descent(decay=0.0),
            "The penalty is gone from the step.",
            "Its gradient is 2λw.",
        ),
        Misconception(
            "four-fold",
            descent(decay=4.0),
            "The decay is now twice too large.",
            "The gradient of λ‖w‖² is 2λw.",
        ),
        Misconception(
            "nesterov",
            descent(nesterov=True),
            "The factor is right, but you changed the momentum to Nesterov's.",
            "Repair the factor, and leave the rest as it was.",
        ),
        Misconception(
            "in-place",
            in_place,
            "The numbers are right, but you changed the w that the caller gave you.",
            "Work on a copy: w = w - ..., not w -= ....",
        ),
        Misconception(
            "after-the-step",
            after_the_step,
            "The factor is right, but F(w) is noted after each step; the first entry is to be"
            " F of the w that was given.",
            "Note the objective first, then take the step.",
        ),
        Misconception(
            "results-swapped",
            lambda *given: descent()(*given)[::-1],
            "The objectives are returned first, and w second.",
            "Return w, objectives.",
        ),
        Misconception(
            "w-alone",
            lambda *given: descent()(*given)[0],
            "Only w is returned.",
            "Return w, objectives.",
        ),
        Misconception(
            "no-momentum",
            lambda w, X, y, lam, lr, momentum, steps: descent()(w, X, y, lam, lr, 0.0, steps),
            "The factor is right, but the momentum is lost.",
            "Keep the line of the velocity as it was.",
        ),
    ),
)
