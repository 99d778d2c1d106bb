"""Program 7, weight decay off by a factor 2: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch

from helpers.checking.recipe import Answers, Recipe, slip


def descent(
    count=lambda steps: steps,
    residual=lambda X, w, y: X @ w - y,
    error=lambda r: 0.5 * (r**2).mean(),
    price=lambda w, lam: lam * (w**2).sum(),
    slope=lambda X, r: X.T @ r / len(r),
    decay=lambda w, lam: 2 * lam * w,
    average=lambda v, g, momentum: momentum * v + g,
    move=lambda w, v, old, g, lr, momentum, lam: w - lr * v,
    noted=lambda before, after: before,
    result=lambda w, objectives: (w, objectives),
):
    """Gradient descent with momentum from its parts."""

    def repaired_descent(w, X, y, lam, lr, momentum, steps):
        v, seen = torch.zeros_like(w), []

        def objective(w):
            return (error(residual(X, w, y)) + price(w, lam)).item()

        seen.append(objective(w))
        for _ in range(count(steps)):
            g = slope(X, residual(X, w, y)) + decay(w, lam)
            v, old = average(v, g, momentum), v
            w = move(w, v, old, g, lr, momentum, lam)
            seen.append(objective(w))
        return result(w, noted(seen[:-1], seen[1:]))

    return repaired_descent


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
        value = 0.5 * ((X @ w - y) ** 2).mean() + lam * (w**2).sum()
        (gradient,) = torch.autograd.grad(value, w)
        objectives.append(value.item())
        velocity = momentum * velocity + gradient
        w = w - lr * velocity
    return w.detach(), objectives


def by_backward(w, X, y, lam, lr, momentum, steps):
    w = w.detach().clone().requires_grad_(True)
    velocity, objectives = torch.zeros_like(w), []
    for _ in range(steps):
        loss = torch.sum((X @ w - y) ** 2) / (2 * len(y)) + lam * torch.sum(w**2)
        loss.backward()
        objectives.append(loss.item())
        with torch.no_grad():
            velocity = momentum * velocity + w.grad
            w -= lr * velocity
            w.grad.zero_()
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
        objectives.append(float(0.5 * ((X @ w - y) ** 2).mean() + lam * (w**2).sum()))
        velocity = momentum * velocity - lr * (X.T @ (X @ w - y) / len(y) + 2 * lam * w)
        w = w + velocity
    return w, objectives


def in_place(descent):
    """Writes the new weights into those of the caller."""

    def repaired_descent(w, *given):
        found = descent(w, *given)
        new = found[0] if isinstance(found, tuple) else found
        if isinstance(new, torch.Tensor):
            w.copy_(new)
        return found

    return repaired_descent


ONE_LAMBDA = {"decay": lambda w, lam: lam * w}


def halved_data(X, r):
    return 0.5 * X.T @ r / len(r)


def doubled_data(X, r):
    return 2 * X.T @ r / len(r)


def doubled_price(w, lam):
    return 2 * lam * (w**2).sum()


ANSWERS = Answers(
    recipe=Recipe(descent),
    reference=by_sgd,
    variants={
        "2λw": descent(),
        "torch.optim.SGD with weight_decay = 2λ": by_sgd,
        "autograd on the formula": by_autograd,
        "as a tutorial prints it: backward, no_grad, zero_": by_backward,
        "in place on a copy": in_place_on_a_copy,
        "step size in the velocity": scaled_velocity,
        "λw and a new line for the other λw": descent(decay=lambda w, lam: lam * w + lam * w),
        "a matrix times the residual": descent(slope=lambda X, r: (X * r[:, None]).mean(0)),
    },
    slips=(
        slip(
            "unrepaired",
            "As in the broken program, the formula has λ‖w‖², whose gradient is 2λw, and the "
            "step uses λw.",
            "Differentiate the formula by w.",
            ONE_LAMBDA,
        ),
        slip(
            "lambda-doubled",
            "The objective counts the penalty twice, as when λ is doubled for everything.",
            "Leave the objective as it was: the factor 2 belongs to the gradient alone.",
            price=doubled_price,
        ),
        slip(
            "doubled-rate",
            "The data part of the gradient is twice too large, as when the learning rate is doubled "
            "instead of the decay.",
            "Leave the learning rate and the data part alone, and change the penalty's gradient.",
            slope=doubled_data,
        ),
        slip(
            "data-part-halved",
            "The data part of the gradient is half as large as it should be.",
            "Leave X.T @ residual / len(y) as it was.",
            slope=halved_data,
        ),
        slip(
            "gradient-summed",
            "The data part of the gradient is a sum over the samples; the formula has their mean.",
            "Divide by len(y).",
            slope=lambda X, r: X.T @ r,
        ),
        slip(
            "no-decay",
            "The penalty is gone from the step.",
            "Its gradient is 2λw.",
            decay=lambda w, lam: 0.0,
        ),
        slip(
            "four-fold",
            "The decay is now twice too large.",
            "The gradient of λ‖w‖² is 2λw.",
            decay=lambda w, lam: 4 * lam * w,
        ),
        slip(
            "halved-decay",
            "The decay is divided by 2, and it should be multiplied.",
            "The gradient of λ‖w‖² is 2λw.",
            decay=lambda w, lam: 0.5 * lam * w,
        ),
        slip(
            "wrong-sign",
            "The decay has the wrong sign and makes the weights grow.",
            "The gradient of λ‖w‖² is +2λw.",
            decay=lambda w, lam: -2 * lam * w,
        ),
        slip(
            "sign-of-w",
            "The decay pulls at all weights alike, with the sign of w: that belongs to an L1 "
            "penalty.",
            "The gradient of λ‖w‖² is 2λw.",
            {"decay": lambda w, lam: lam * w.sign()},
            {"decay": lambda w, lam: 2 * lam * w.sign()},
        ),
        slip(
            "squared-decay",
            "The penalty's value λw² stands in the gradient.",
            "Differentiate it: 2λw.",
            {"decay": lambda w, lam: lam * w**2},
            {"decay": lambda w, lam: 2 * lam * w**2},
        ),
        slip(
            "decay-of-the-norm",
            "The decay has the length λ or 2λ, however long w is: that is the gradient of the norm, "
            "and the formula has its square.",
            "The gradient of λ‖w‖² is 2λw.",
            {"decay": lambda w, lam: 2 * lam * w / w.norm()},
            {"decay": lambda w, lam: lam * w / w.norm()},
        ),
        slip(
            "nesterov",
            "You changed the momentum to Nesterov's.",
            "Repair the factor, and leave the rest as it was.",
            move=lambda w, v, old, g, lr, momentum, lam: w - lr * (g + momentum * v),
        ),
        slip(
            "no-momentum",
            "The momentum is lost.",
            "Keep the line of the velocity as it was.",
            average=lambda v, g, momentum: g,
        ),
        slip(
            "dampened",
            "The gradient is multiplied by 1 − momentum before it enters the velocity.",
            "As in torch.optim.SGD: velocity = momentum · velocity + gradient.",
            average=lambda v, g, momentum: momentum * v + (1 - momentum) * g,
        ),
        slip(
            "momentum-forgotten",
            "The velocity adds up all gradients, without the factor momentum.",
            "As in torch.optim.SGD: velocity = momentum · velocity + gradient.",
            average=lambda v, g, momentum: v + g,
        ),
        slip(
            "old-velocity",
            "The step uses the velocity from before this gradient.",
            "Bring the velocity up to date first, then take the step.",
            move=lambda w, v, old, g, lr, momentum, lam: w - lr * old,
        ),
        slip(
            "uphill",
            "The step goes uphill.",
            "Subtract lr times the velocity.",
            move=lambda w, v, old, g, lr, momentum, lam: w + lr * v,
        ),
        slip(
            "rate-lost",
            "The step does not use lr.",
            "w = w - lr * velocity.",
            move=lambda w, v, old, g, lr, momentum, lam: w - v,
        ),
        slip(
            "objective-halved",
            "The objective has ½λ‖w‖², and the formula is λ‖w‖².",
            "Leave the objective as it was.",
            price=lambda w, lam: 0.5 * lam * (w**2).sum(),
        ),
        slip(
            "norm-in-the-objective",
            "The norm in the objective is not squared.",
            "Leave the objective as it was: lam * (w ** 2).sum().",
            price=lambda w, lam: lam * w.norm(),
        ),
        slip(
            "data-alone",
            "The objectives lack the penalty.",
            "Note F(w), with λ‖w‖².",
            price=lambda w, lam: 0.0,
        ),
        slip(
            "no-half-of-the-error",
            "The objective has the mean squared error without the ½ of the formula.",
            "Leave the objective as it was.",
            error=lambda r: (r**2).mean(),
        ),
        slip(
            "error-summed",
            "The objective adds up the squared errors; the formula has half of their mean.",
            "Leave the objective as it was.",
            {"error": lambda r: 0.5 * (r**2).sum()},
            {"error": lambda r: (r**2).sum()},
        ),
        slip(
            "after-the-step",
            "F(w) is noted after each step; the first entry is to be F of the w that was given.",
            "Note the objective first, then take the step.",
            noted=lambda before, after: after,
        ),
        slip(
            "one-objective-more",
            "There is one objective more than steps.",
            "Note F(w) before each step, and no more.",
            noted=lambda before, after: [*before, after[-1]],
        ),
        slip(
            "last-objective-only",
            "Only the last objective is kept.",
            "Append F(w) to a list before each step.",
            noted=lambda before, after: before[-1:],
        ),
        slip(
            "one-step-more",
            "You take one step more than asked for.",
            "for _ in range(steps).",
            count=lambda steps: steps + 1,
        ),
        slip(
            "one-step-only",
            "You take a single step, whatever `steps` is.",
            "Keep the return after the loop.",
            count=lambda steps: 1,
        ),
        slip(
            "in-place",
            "You changed the w that the caller gave you.",
            "Work on a copy: w = w - ..., not w -= ....",
            around=in_place,
        ),
        slip(
            "results-swapped",
            "The objectives are returned first, and w second.",
            "Return w, objectives.",
            result=lambda w, objectives: (objectives, w),
        ),
        slip(
            "w-alone",
            "Only w is returned.",
            "Return w, objectives.",
            result=lambda w, objectives: w,
        ),
        slip(
            "objectives-alone",
            "Only the objectives are returned.",
            "Return w, objectives.",
            result=lambda w, objectives: objectives,
        ),
        slip(
            "formula-changed",
            "You changed the objective to ½λ‖w‖². Now formula and step agree, but the formula was "
            "given; the step was wrong.",
            "Keep λ‖w‖² in the objective, and change the step.",
            {**ONE_LAMBDA, "price": lambda w, lam: 0.5 * lam * (w**2).sum()},
        ),
        slip(
            "both-places",
            "The factor 2 is there twice: λ is doubled, and the gradient too.",
            "Leave λ as it is given.",
            price=doubled_price,
            decay=lambda w, lam: 4 * lam * w,
        ),
        slip(
            "halved-rate",
            "The whole gradient, or the learning rate, is halved, which slows the data part as "
            "well; the ratio of the two parts is as wrong as before.",
            "Leave the learning rate alone, and change the penalty's gradient.",
            slope=halved_data,
            decay=lambda w, lam: 0.5 * lam * w,
        ),
        slip(
            "data-halved",
            "You halved the data part of the gradient, or the learning rate. The ratio is right, "
            "but each step is half as long as it should be.",
            "Change the penalty's part instead.",
            slope=halved_data,
            decay=lambda w, lam: lam * w,
        ),
        slip(
            "all-doubled",
            "The ratio is right, but each step is twice as long as it should be: data part and "
            "decay are both doubled.",
            "Leave the learning rate and the data part as they were, and use 2λw.",
            slope=doubled_data,
            decay=lambda w, lam: 4 * lam * w,
        ),
        slip(
            "outside-the-momentum",
            "The decay is applied to w directly and does not enter the velocity. That is the same "
            "without momentum only.",
            "Add 2λw to the gradient, before the momentum.",
            {
                "decay": lambda w, lam: 0.0,
                "move": lambda w, v, old, g, lr, momentum, lam: w - lr * v - lr * 2 * lam * w,
            },
        ),
        slip(
            "decay-after-the-step",
            "You shrink w after the step, so that the step is decayed too, and the velocity does "
            "not know of it.",
            "Add 2λw to the gradient, before the momentum.",
            {
                "decay": lambda w, lam: 0.0,
                "move": lambda w, v, old, g, lr, momentum, lam: (w - lr * v) * (1 - lr * 2 * lam),
            },
        ),
        slip(
            "decay-without-lr",
            "2λw is subtracted from w directly, without the step size.",
            "Add 2λw to the gradient, before the momentum.",
            {
                "decay": lambda w, lam: 0.0,
                "move": lambda w, v, old, g, lr, momentum, lam: w - lr * v - 2 * lam * w,
            },
        ),
    ),
)
