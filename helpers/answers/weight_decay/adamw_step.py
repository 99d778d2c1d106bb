"""One step of AdamW: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

from typing import Any

import torch

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor
State = tuple[Tensor, Tensor, Tensor]


def reference(
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


def adamw(
    gradient: Any = lambda g, w, wd: g,
    choose: Any = lambda betas: betas,
    first: Any = lambda m, g, b: b * m + (1 - b) * g,
    second: Any = lambda v, g, b: b * v + (1 - b) * g**2,
    count: Any = lambda t: t,
    correct_m: Any = lambda m, b, t: m / (1 - b**t),
    correct_v: Any = lambda v, b, t: v / (1 - b**t),
    bottom: Any = lambda v_hat, eps, b, t: v_hat.sqrt() + eps,
    decay: Any = lambda w, s, lr, wd, rate: lr * wd * w,
    move: Any = lambda s, lr: -lr * s,
    result: Any = lambda w, m, v, m_hat, v_hat: (w, m, v),
    default_lr: float = 1e-3,
    default_betas: tuple[float, float] = (0.9, 0.999),
    default_eps: float = 1e-8,
    default_decay: float = 1e-2,
) -> Any:
    """AdamW (Loshchilov and Hutter 2019) from its parts, as PyTorch reads it."""

    def adamw_step(
        w: Tensor,
        grad: Tensor,
        m: Tensor,
        v: Tensor,
        t: int,
        lr: float = default_lr,
        betas: tuple[float, float] = default_betas,
        eps: float = default_eps,
        weight_decay: float = default_decay,
    ) -> Any:
        g = gradient(grad, w, weight_decay)
        b1, b2 = choose(betas)
        m, v, n = first(m, g, b1), second(v, g, b2), count(t)
        m_hat, v_hat = correct_m(m, b1, n), correct_v(v, b2, n)
        s = m_hat / bottom(v_hat, eps, b2, n)
        rate = (1 - b2**n) ** 0.5 / (1 - b1**n) if n > 0 else 1.0
        w = w + move(s, lr) - decay(w, s, lr, weight_decay, rate)
        return result(w, m, v, m_hat, v_hat)

    return adamw_step


RIGHT = adamw()


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


def _as_the_paper(
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
    m_t = betas[0] * m + (1 - betas[0]) * grad
    v_t = betas[1] * v + (1 - betas[1]) * torch.square(grad)
    m_hat = m_t / (1 - betas[0] ** t)
    v_hat = v_t / (1 - betas[1] ** t)
    return w - lr * m_hat / (torch.sqrt(v_hat) + eps) - lr * weight_decay * w, m_t, v_t


def changing(*names: str) -> Any:
    """Writes these results into what the caller gave."""

    def around(step: Any) -> Any:
        def adamw_step(
            w: Tensor, grad: Tensor, m: Tensor, v: Tensor, t: int, **options: Any
        ) -> Any:
            results = step(w, grad, m, v, t, **options)
            if isinstance(results, tuple) and len(results) == 3:
                for name, old, new in zip("wmv", (w, m, v), results, strict=True):
                    if name in names:
                        old.copy_(new)
            return results

        return adamw_step

    return around


ANSWERS = Answers(
    recipe=Recipe(adamw),
    reference=reference,
    variants={
        "by hand": RIGHT,
        "rearranged as PyTorch has it": _rearranged,
        "in place on its own copies": _on_copies,
        "as the paper prints it: the decay beside the step": _as_the_paper,
    },
    slips=(
        slip(
            "l2-in-gradient",
            "You add λw to the gradient: that is Adam with an L2 penalty, and not AdamW.",
            "Decoupled decay acts on w alone: w − lr·(step + λw), with m and v from the gradient only.",
            gradient=lambda g, w, wd: g + wd * w,
            decay=lambda w, s, lr, wd, rate: 0.0,
        ),
        slip(
            "both-decays",
            "You decay twice: λw is in the gradient and in the step.",
            "Leave the gradient as it is.",
            gradient=lambda g, w, wd: g + wd * w,
        ),
        slip(
            "no-decay",
            "Your step does not use weight_decay: that is plain Adam.",
            "Subtract lr·λ·w as well.",
            decay=lambda w, s, lr, wd, rate: 0.0,
        ),
        slip(
            "decay-without-lr",
            "You subtract λw without the step size.",
            "PyTorch multiplies both by lr: w − lr·(step + λw).",
            decay=lambda w, s, lr, wd, rate: wd * w,
        ),
        slip(
            "decay-after-step",
            "You decay the weight after the step, so that the step is decayed too.",
            "Use the weight from before the step in both terms.",
            decay=lambda w, s, lr, wd, rate: lr * wd * (w - lr * s),
        ),
        slip(
            "double-decay",
            "Your decay is twice too strong.",
            "weight_decay=λ belongs to ½λ‖w‖², whose gradient is λw.",
            decay=lambda w, s, lr, wd, rate: 2 * lr * wd * w,
        ),
        slip(
            "half-decay",
            "Your decay is half as strong as it should be.",
            "The step is w − lr·(step + λw), without a ½.",
            decay=lambda w, s, lr, wd, rate: lr * wd * w / 2,
        ),
        slip(
            "decay-with-corrected-rate",
            "The bias correction is in the rate that multiplies your decay too.",
            "The decay is lr·λ·w with lr as it is given; only the step is corrected.",
            decay=lambda w, s, lr, wd, rate: lr * rate * wd * w,
        ),
        slip(
            "decays-the-step",
            "You multiply the step by λ, where the weight is meant.",
            "Decoupled decay acts on w: w − lr·(step + λw).",
            decay=lambda w, s, lr, wd, rate: lr * wd * s,
        ),
        slip(
            "decay-grows",
            "Your decay has the wrong sign, so it makes the weights grow.",
            "The whole bracket is subtracted: w − lr·(step + λw).",
            decay=lambda w, s, lr, wd, rate: -lr * wd * w,
        ),
        slip(
            "uphill",
            "Your step goes uphill.",
            "Subtract lr times the step.",
            move=lambda s, lr: lr * s,
        ),
        slip(
            "no-correction",
            "You left out the bias correction, so the first steps have the wrong length.",
            "Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ before you use them.",
            correct_m=lambda m, b, t: m,
            correct_v=lambda v, b, t: v,
        ),
        slip(
            "no-correction-of-v",
            "You correct m but not v.",
            "Divide v by 1 − β₂ᵗ as well.",
            correct_v=lambda v, b, t: v,
        ),
        slip(
            "no-correction-of-m",
            "You correct v but not m.",
            "Divide m by 1 − β₁ᵗ as well.",
            correct_m=lambda m, b, t: m,
        ),
        slip(
            "counts-from-zero",
            "You use t + 1: the first step has t = 1 already.",
            "Use t as it is given.",
            count=lambda t: t + 1,
        ),
        slip(
            "counts-one-less",
            "You use t − 1, which is 0 in the first step, where 1 − β⁰ = 0 divides.",
            "Use t as it is given.",
            count=lambda t: t - 1,
        ),
        slip(
            "multiplies-by-correction",
            "You multiply by 1 − βᵗ, where it divides.",
            "m and v begin at 0 and are too small at first: m / (1 − β₁ᵗ).",
            correct_m=lambda m, b, t: m * (1 - b**t),
            correct_v=lambda v, b, t: v * (1 - b**t),
        ),
        slip(
            "always-first",
            "Your bias correction divides by 1 − β in every step, as if t were always 1.",
            "Use the t that is given: 1 − β ** t.",
            count=lambda t: 1,
        ),
        slip(
            "correction-times-t",
            "You multiply β by t, where β to the power t is meant.",
            "Write betas[0] ** t.",
            correct_m=lambda m, b, t: m / (1 - b * t),
            correct_v=lambda v, b, t: v / (1 - b * t),
        ),
        slip(
            "keeps-corrected",
            "You return the corrected averages, which are then corrected again in the next step.",
            "Return m and v from before the correction.",
            result=lambda w, m, v, m_hat, v_hat: (w, m_hat, v_hat),
        ),
        slip(
            "eps-not-corrected",
            "You add eps to √v before the correction, so that eps is corrected too: the form of "
            "the first paper (Kingma and Ba 2015, end of section 2), and not PyTorch's.",
            "Correct v first, and add eps to √v̂.",
            bottom=lambda v_hat, eps, b, t: v_hat.sqrt() + eps / (1 - b**t) ** 0.5,
        ),
        slip(
            "eps-under-root",
            "Your eps stands under the root.",
            "Take the root first: √v̂ + eps.",
            bottom=lambda v_hat, eps, b, t: (v_hat + eps).sqrt(),
        ),
        family(
            "fixed-eps",
            "Your step uses the number {constant} and not the argument eps.",
            "Divide by √v̂ + eps.",
            (0.0, 1e-8, 1e-7, 1e-6, 1e-10),
            lambda c: {"bottom": lambda v_hat, eps, b, t: v_hat.sqrt() + c},
        ),
        slip(
            "no-root",
            "You divide by v̂ and not by its root.",
            "A step must not depend on the gradient's unit: m̂/√v̂ has none.",
            bottom=lambda v_hat, eps, b, t: v_hat + eps,
        ),
        slip(
            "no-square",
            "Your v averages |g|, and the average of g² is meant.",
            "Square the gradient: grad ** 2.",
            second=lambda v, g, b: b * v + (1 - b) * g.abs(),
        ),
        slip(
            "betas-swapped",
            "You use β₂ for m and β₁ for v.",
            "betas[0] belongs to m, betas[1] to v.",
            choose=lambda betas: (betas[1], betas[0]),
        ),
        slip(
            "weights-swapped",
            "You exchanged β and 1 − β: the old average gets the small weight.",
            "β is near 1 and belongs to the old average.",
            first=lambda m, g, b: (1 - b) * m + b * g,
            second=lambda v, g, b: (1 - b) * v + b * g**2,
        ),
        slip(
            "sum-instead-of-average",
            "You left out the factor 1 − β before the gradient.",
            "An average: β·old + (1 − β)·new.",
            first=lambda m, g, b: b * m + g,
            second=lambda v, g, b: b * v + g**2,
        ),
        slip(
            "momentum-unused",
            "Your m is the gradient of this step alone.",
            "An average: β₁·m + (1 − β₁)·grad.",
            first=lambda m, g, b: g,
        ),
        family(
            "other-default-lr",
            "Your default for lr is {constant}, and AdamW's is 0.001.",
            "Keep the signature of the skeleton.",
            (0.01, 0.1, 1e-4),
            lambda c: {"default_lr": c},
        ),
        family(
            "other-default-betas",
            "Your default for betas is {constant}, and AdamW's is (0.9, 0.999).",
            "Keep the signature of the skeleton.",
            ((0.9, 0.99), (0.9, 0.95), (0.9, 0.9)),
            lambda c: {"default_betas": c},
        ),
        family(
            "other-default-eps",
            "Your default for eps is {constant}, and AdamW's is 1e-08.",
            "Keep the signature of the skeleton.",
            (1e-6, 1e-7, 1e-10, 1e-5),
            lambda c: {"default_eps": c},
        ),
        family(
            "other-default",
            "Your default for weight_decay is {constant}, and AdamW's is 0.01.",
            "Keep the signature of the skeleton.",
            (0.0, 0.1),
            lambda c: {"default_decay": c},
        ),
        slip(
            "changes-m-and-v",
            "Your code changes m and v themselves, for example with m.mul_() or m *= ...",
            "Make new tensors: m = betas[0] * m + ...",
            around=changing("m", "v"),
        ),
        slip(
            "changes-gradient",
            "Your code adds λw to the gradient that was given, in place.",
            "Decoupled decay leaves the gradient alone: w − lr·(step + λw).",
            gradient=lambda g, w, wd: g.add_(wd * w),
            decay=lambda w, s, lr, wd, rate: 0.0,
        ),
        slip(
            "changes-w",
            "Your code changes w itself.",
            "Make a new tensor: w = w - ...",
            around=changing("w"),
        ),
        slip(
            "changes-all",
            "Your code works in place: w, m and v of the caller change.",
            "Make new tensors; the caller decides what to do with them.",
            around=changing("w", "m", "v"),
        ),
        slip(
            "only-w",
            "Your function returns w alone.",
            "Return all three: return w, m, v.",
            result=lambda w, m, v, m_hat, v_hat: w,
        ),
        slip(
            "wrong-order",
            "Your results come in the wrong order.",
            "Return w, m, v in this order.",
            result=lambda w, m, v, m_hat, v_hat: (m, v, w),
        ),
    ),
)
