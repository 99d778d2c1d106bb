"""One step of AdamW: right and wrong answers."""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor
State = tuple[Tensor, Tensor, Tensor]


def adamw_step(
    w: Tensor,
    grad: Tensor,
    m: Tensor,
    v: Tensor,
    t: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> State:
    """torch.optim.AdamW with its state set by hand."""
    parameter = torch.nn.Parameter(w.detach().clone())
    optimizer = torch.optim.AdamW(
        [parameter], lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=False
    )
    state = optimizer.state[parameter]
    state["step"] = torch.tensor(float(t - 1))
    state["exp_avg"], state["exp_avg_sq"] = m.clone(), v.clone()
    parameter.grad = grad.clone()
    optimizer.step()
    return parameter.detach(), state["exp_avg"], state["exp_avg_sq"]


def _formula(
    gradient: Any = lambda g, w, wd: g,
    first: Any = lambda m, g, b: b * m + (1 - b) * g,
    second: Any = lambda v, g, b: b * v + (1 - b) * g**2,
    correct: Any = lambda m, v, b1, b2, t: (m / (1 - b1**t), v / (1 - b2**t)),
    step: Any = lambda mh, vh, eps: mh / (vh.sqrt() + eps),
    update: Any = lambda w, s, lr, wd: w - lr * (s + wd * w),
    result: Any = lambda w, m, v, mh, vh: (w, m, v),
    weight_decay_default: float = 1e-2,
    lr_default: float = 1e-3,
) -> Any:
    """AdamW from its parts, each of which can be exchanged."""

    def function(
        w: Tensor,
        grad: Tensor,
        m: Tensor,
        v: Tensor,
        t: int,
        lr: float = lr_default,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = weight_decay_default,
    ) -> Any:
        g = gradient(grad, w, weight_decay)
        m = first(m, g, betas[0])
        v = second(v, g, betas[1])
        m_hat, v_hat = correct(m, v, betas[0], betas[1], t)
        w = update(w, step(m_hat, v_hat, eps), lr, weight_decay)
        return result(w, m, v, m_hat, v_hat)

    return function


def _rearranged(
    w: Tensor,
    grad: Tensor,
    m: Tensor,
    v: Tensor,
    t: int,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> State:
    """As PyTorch computes it: the decay first, the corrections in the step size."""
    b1, b2 = betas
    m = m.lerp(grad, 1 - b1)
    v = (b2 * v).addcmul(grad, grad, value=1 - b2)
    bottom = v.sqrt() / (1 - b2**t) ** 0.5 + eps
    return w * (1 - lr * weight_decay) - lr / (1 - b1**t) * m / bottom, m, v


def _on_copies(w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any) -> Any:
    w, m, v = w.clone(), m.clone(), v.clone()
    lr, eps = options.get("lr", 1e-3), options.get("eps", 1e-8)
    b1, b2 = options.get("betas", (0.9, 0.999))
    m.mul_(b1).add_(grad, alpha=1 - b1)
    v.mul_(b2).add_((1 - b2) * grad.square())
    w.mul_(1 - lr * options.get("weight_decay", 1e-2))
    w.sub_(lr * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + eps))
    return [w, m, v]


def _changes_state(w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any) -> Any:
    result = RIGHT(w, grad, m, v, t, **options)
    m.copy_(result[1])
    v.copy_(result[2])
    return result


def _changes_w(w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any) -> Any:
    result = RIGHT(w, grad, m, v, t, **options)
    w.copy_(result[0])
    return result


def _changes_all(w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any) -> Any:
    result = RIGHT(w, grad, m, v, t, **options)
    for old, new in zip((w, m, v), result, strict=True):
        old.copy_(new)
    return w, m, v


def _always_first(w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any) -> Any:
    return RIGHT(w, grad, m, v, 1, **options)


def _betas_swapped(
    w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, betas: Any = (0.9, 0.999), **options: Any
) -> Any:
    return RIGHT(w, grad, m, v, t, betas=(betas[1], betas[0]), **options)


RIGHT = _formula()

ANSWERS = Answers(
    reference=adamw_step,
    variants={
        "by hand": RIGHT,
        "rearranged as PyTorch has it": _rearranged,
        "in place on its own copies": _on_copies,
    },
    misconceptions=(
        Misconception(
            "l2-in-gradient",
            _formula(gradient=lambda g, w, wd: g + wd * w, update=lambda w, s, lr, wd: w - lr * s),
            "You add λw to the gradient: that is Adam with an L2 penalty, and not AdamW.",
            "Decoupled decay acts on w alone: w − lr·(step + λw), with m and v from the gradient only.",
        ),
        Misconception(
            "both-decays",
            _formula(gradient=lambda g, w, wd: g + wd * w),
            "You decay twice: λw is in the gradient and in the step.",
            "Leave the gradient as it is.",
        ),
        Misconception(
            "no-decay",
            _formula(update=lambda w, s, lr, wd: w - lr * s),
            "Your step does not use weight_decay: that is plain Adam.",
            "Subtract lr·λ·w as well.",
        ),
        Misconception(
            "decay-without-lr",
            _formula(update=lambda w, s, lr, wd: w - lr * s - wd * w),
            "You subtract λw without the step size.",
            "PyTorch multiplies both by lr: w − lr·(step + λw).",
        ),
        Misconception(
            "decay-after-step",
            _formula(update=lambda w, s, lr, wd: (w - lr * s) * (1 - lr * wd)),
            "You decay the weight after the step, so that the step is decayed too.",
            "Use the weight from before the step in both terms.",
        ),
        Misconception(
            "decay-grows",
            _formula(update=lambda w, s, lr, wd: w - lr * (s - wd * w)),
            "Your decay has the wrong sign, so it makes the weights grow.",
            "The whole bracket is subtracted: w − lr·(step + λw).",
        ),
        Misconception(
            "uphill",
            _formula(update=lambda w, s, lr, wd: w + lr * s - lr * wd * w),
            "Your step goes uphill.",
            "Subtract lr times the step.",
        ),
        Misconception(
            "no-correction",
            _formula(correct=lambda m, v, b1, b2, t: (m, v)),
            "You left out the bias correction, so the first steps have the wrong length.",
            "Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ before you use them.",
        ),
        Misconception(
            "no-correction-of-v",
            _formula(correct=lambda m, v, b1, b2, t: (m / (1 - b1**t), v)),
            "You correct m but not v.",
            "Divide v by 1 − β₂ᵗ as well.",
        ),
        Misconception(
            "no-correction-of-m",
            _formula(correct=lambda m, v, b1, b2, t: (m, v / (1 - b2**t))),
            "You correct v but not m.",
            "Divide m by 1 − β₁ᵗ as well.",
        ),
        Misconception(
            "counts-from-zero",
            _formula(
                correct=lambda m, v, b1, b2, t: (m / (1 - b1 ** (t + 1)), v / (1 - b2 ** (t + 1)))
            ),
            "You use t + 1: the first step has t = 1 already.",
            "Use t as it is given.",
        ),
        Misconception(
            "correction-times-t",
            _formula(correct=lambda m, v, b1, b2, t: (m / (1 - b1 * t), v / (1 - b2 * t))),
            "You multiply β by t, where β to the power t is meant.",
            "Write betas[0] ** t.",
        ),
        Misconception(
            "keeps-corrected",
            _formula(result=lambda w, m, v, mh, vh: (w, mh, vh)),
            "You return the corrected averages, which are then corrected again in the next step.",
            "Return m and v from before the correction.",
        ),
        Misconception(
            "eps-under-root",
            _formula(step=lambda mh, vh, eps: mh / (vh + eps).sqrt()),
            "Your eps stands under the root.",
            "Take the root first: √v̂ + eps.",
        ),
        Misconception(
            "no-eps",
            _formula(step=lambda mh, vh, eps: mh / (vh.sqrt() + 1e-30)),
            "Your step does not use eps.",
            "Divide by √v̂ + eps.",
        ),
        Misconception(
            "no-root",
            _formula(step=lambda mh, vh, eps: mh / (vh + eps)),
            "You divide by v̂ and not by its root.",
            "A step must not depend on the gradient's unit: m̂/√v̂ has none.",
        ),
        Misconception(
            "no-square",
            _formula(second=lambda v, g, b: b * v + (1 - b) * g.abs()),
            "Your v averages |g|, and the average of g² is meant.",
            "Square the gradient: grad ** 2.",
        ),
        Misconception(
            "betas-swapped",
            _betas_swapped,
            "You use β₂ for m and β₁ for v.",
            "betas[0] belongs to m, betas[1] to v.",
        ),
        Misconception(
            "weights-swapped",
            _formula(
                first=lambda m, g, b: (1 - b) * m + b * g,
                second=lambda v, g, b: (1 - b) * v + b * g**2,
            ),
            "You exchanged β and 1 − β: the old average gets the small weight.",
            "β is near 1 and belongs to the old average.",
        ),
        Misconception(
            "sum-instead-of-average",
            _formula(first=lambda m, g, b: b * m + g, second=lambda v, g, b: b * v + g**2),
            "You left out the factor 1 − β before the gradient.",
            "An average: β·old + (1 − β)·new.",
        ),
        Misconception(
            "momentum-unused",
            _formula(first=lambda m, g, b: (1 - b) * g),
            "Your m forgets the past: the old m is not used.",
            "m ← β₁·m + (1 − β₁)·grad.",
        ),
        Misconception(
            "always-first-step",
            _always_first,
            "You divide by 1 − β without the power t, as if every step were the first.",
            "The corrections need the t that is given.",
        ),
        Misconception(
            "default-decay-zero",
            _formula(weight_decay_default=0.0),
            "Your default for weight_decay is 0, and AdamW's is 0.01.",
            "Keep the signature of the skeleton.",
        ),
        Misconception(
            "changes-m-and-v",
            _changes_state,
            "Your code changes m and v themselves, for example with m.mul_() or m *= ...",
            "Make new tensors: m = betas[0] * m + ...",
        ),
        Misconception(
            "changes-w",
            _changes_w,
            "Your code changes w itself.",
            "Make a new tensor: w = w - ...",
        ),
        Misconception(
            "changes-all",
            _changes_all,
            "Your code works in place: w, m and v of the caller change.",
            "Make new tensors; the caller decides what to do with them.",
        ),
        Misconception(
            "only-w",
            _formula(result=lambda w, m, v, mh, vh: w),
            "Your function returns w alone.",
            "Return all three: return w, m, v.",
        ),
        Misconception(
            "wrong-order",
            _formula(result=lambda w, m, v, mh, vh: (m, v, w)),
            "Your results come in the wrong order.",
            "Return w, m, v in this order.",
        ),
    ),
)
