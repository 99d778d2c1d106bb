"""Check of dropout as a module that obeys train() and eval(), MyDropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checks.dropout.layer import (
    NOT_BY_HAND,
    REFUSALS,
    ends_aspects,
    seen_at_the_ends,
    seen_of_digits,
    seen_of_outline,
    unusual,
)
from helpers.checks.dropout.masks import (
    COLUMNS,
    FEW,
    IMAGES,
    MEDIUM,
    ROWS,
    far_from_zero,
    mask_aspects,
    nonzero,
    outline,
    seen_of_draws,
    seen_of_many_calls,
    seen_of_mask,
    seen_of_settled,
    settled_aspects,
    share_dropped,
)


def _inside(layer: Any) -> nn.Module:
    """A model that has the layer two levels below itself."""
    return nn.Sequential(nn.Identity(), nn.Sequential(layer, nn.Identity()))


def _module_cases(rng: torch.Generator) -> Iterator[Case]:
    small = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    medium = nonzero(MEDIUM, rng)
    yield Case("a matrix, in training mode", way="draws", X=medium, p=0.25)
    yield Case("both modes in turn", way="modes", X=medium, p=0.4)
    yield Case("nothing is dropped", way="ends", X=medium, p=0.0)
    yield Case("all is dropped", way="ends", X=medium, p=1.0)
    yield Case("below 0", way="error", p=-0.1)
    yield Case("above 1", way="error", p=1.1)
    yield Case("the default p", way="default", X=medium, p=0.5)
    yield Case("two layers with different p", way="two layers", X=medium, p=0.1, other=0.9)
    yield Case("numbers near 1000", way="draws", X=far_from_zero(MEDIUM, rng), p=0.8)
    yield Case("a batch of images with channels", way="draws", X=nonzero(IMAGES, rng), p=0.35)
    wide = nonzero((61, 71), rng, dtype=torch.float64)
    yield Case("float64", way="draws", X=wide, p=0.5)
    yield Case("ten entries, many times", way="many calls", X=nonzero(FEW, rng), p=0.4)
    yield Case("a large matrix", way="draws", X=nonzero((ROWS, COLUMNS), rng), p=0.2)
    for name, X in unusual(small):
        yield Case(name, way="outline", X=X, p=0.5).beyond()
    yield Case("float64, to ten digits", way="digits", X=wide[:5, :5], p=0.3).beyond()


def _observe_module(MyDropout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.way == "error":
        outcome = outcome_of(lambda: MyDropout(case.p))
        yield "error", outcome
        if outcome == "no error":
            yield "error when used", outcome_of(lambda: MyDropout(case.p)(torch.ones(2, 3)))
        return
    if case.way == "ends":
        outcome = outcome_of(lambda: MyDropout(case.p))
        yield "allowed", "refused" if outcome in REFUSALS else "allowed"
        if outcome in REFUSALS:
            return
    layer = MyDropout() if case.way == "default" else MyDropout(case.p)
    yield "is a module", isinstance(layer, nn.Module)
    if isinstance(layer, nn.Module):
        yield from _seen_of_module(layer, MyDropout, case)


def _seen_of_module(layer: nn.Module, MyDropout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = _inside(layer).train()
    if case.way == "default":
        yield from _seen_by_default(model(case.X.clone()), case.X)
    elif case.way == "two layers":
        second = MyDropout(p=case.other)
        yield "share in the first", share_dropped(layer(case.X))
        yield "share in the second", share_dropped(second(case.X))
    elif case.way == "ends":
        yield from seen_at_the_ends(model, case.X, case.p)
    elif case.way == "modes":
        yield from _seen_of_modes(layer, model, case.X)
    elif case.way == "draws":
        yield from seen_of_draws(model, case.X)
    elif case.way == "many calls":
        yield from seen_of_many_calls(lambda: model(case.X.clone()))
    elif case.way == "digits":
        yield from seen_of_digits(model, case.X)
    else:
        yield from seen_of_outline(model, case.X)


def _seen_by_default(result: Any, X: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """The scale tells p exactly."""
    yield "result", outline(result)
    if not isinstance(result, torch.Tensor) or result.shape != X.shape:
        return
    names = {"about the share dropped": "share by default", "largest scale": "scale by default"}
    for key, value in seen_of_mask(X, result.detach()):
        if key in names:
            yield names[key], value


def _seen_of_modes(layer: Any, model: nn.Module, X: torch.Tensor) -> Iterator[tuple[str, Any]]:
    yield "share in training", share_dropped(model(X.clone()))
    with torch.no_grad():
        yield "share in training without gradients", share_dropped(model(X.clone()))
    yield "mode after training", "train" if layer.training else "eval"
    model.eval()
    evaluated = model(X)
    yield from seen_of_settled("in evaluation mode", evaluated)
    if not isinstance(evaluated, torch.Tensor):
        return
    with torch.no_grad():
        yield from seen_of_settled("in evaluation mode without gradients", model(X))
    yield "X afterwards", X
    yield "mode after evaluation", "train" if layer.training else "eval"
    leaf = X.clone().requires_grad_()
    upstream = torch.linspace(1, 2, X.numel()).reshape(X.shape)
    evaluated = model(leaf)
    yield "connected", bool(evaluated.requires_grad)
    if evaluated.requires_grad:
        (gradient,) = torch.autograd.grad(evaluated, leaf, upstream)
        yield from seen_of_settled("gradient in evaluation mode", gradient)
    model.train()
    yield "share in training again", share_dropped(model(X.clone()))
    model.eval()
    yield from seen_of_settled("in evaluation mode again", model(X.clone()))
    yield "saved", ", ".join(layer.state_dict()) or "nothing"


CALL = "MyDropout({p})(X)"
MODEL = "model = nn.Sequential(nn.Identity(), nn.Sequential(MyDropout({p})))"
EVALUATE = f"{MODEL}; model.eval(); model(X)"


def _share(call: str, wrong: str) -> Aspect:
    return Aspect(f"the share of zeros in {call}", wrong, rtol=0, atol=0.22)


NOT_IN_TRAINING = "In training mode the share of dropped entries is not p."

DROPOUT_MODULE = Check(
    name="check_dropout_module",
    lesson="dropout",
    topic="MyDropout",
    takes=(Argument("MyDropout", "class"),),
    cases=_module_cases,
    observe=_observe_module,
    aspects={
        **mask_aspects(CALL),
        **ends_aspects("MyDropout({p})({X})"),
        "is a module": Aspect(
            "isinstance(MyDropout({p}), nn.Module)", "MyDropout is not an nn.Module."
        ),
        "share in training": _share(f"model(X), with {MODEL}; model.train()", NOT_IN_TRAINING),
        "share in training without gradients": _share(
            f"model(X) inside torch.no_grad(), with {MODEL}; model.train()",
            "Under torch.no_grad() the share of dropped entries is not p, in training mode.",
        ),
        "share in training again": _share(
            f"model(X), with {MODEL}; model.eval(); model(X); model.train()",
            "After eval() and then train(), the share of dropped entries is not p.",
        ),
        **settled_aspects(
            "in evaluation mode", EVALUATE, "In evaluation mode the result is not X.", input="X"
        ),
        **settled_aspects(
            "in evaluation mode without gradients",
            f"{EVALUATE} inside torch.no_grad()",
            "In evaluation mode without gradients the result is not X.",
            input="X",
        ),
        "mode after training": Aspect(
            "model.train(); model(X), and then the mode of the layer",
            "Your forward changed the mode of the layer.",
        ),
        **settled_aspects(
            "in evaluation mode again",
            f"{MODEL}; model.train(); model(X); model.eval(); model(X)",
            "After train() and then eval(), the result is not X.",
            input="X",
        ),
        "mode after evaluation": Aspect(
            "model.eval(); model(X), and then the mode of the layer",
            "Your forward changed the mode of the layer.",
        ),
        **settled_aspects(
            "gradient in evaluation mode",
            f"X.grad after {EVALUATE}.backward(G)",
            "In evaluation mode the gradient is not passed on unchanged.",
        ),
        "saved": Aspect(
            "MyDropout({p}).state_dict()",
            "A dropout layer learns and stores nothing: its state_dict is empty.",
        ),
        "connected": Aspect(
            f"{MODEL}; model(X) for an X that asks for gradients, and then requires_grad of it",
            "Autograd cannot see through your code: the result is cut off from X.",
        ),
        "share by default": _share("MyDropout()(X)", "The default of p is 0.5."),
        "scale by default": Aspect(
            "Y = MyDropout()(X), and then the largest Y / X",
            "The default of p is 0.5, and kept entries are scaled by 2 then.",
            rtol=1e-4,
        ),
        "share in the first": _share(
            "first(X), with first = MyDropout({p}) and second = MyDropout({other})",
            "Each layer has its own p: the first one drops a wrong share.",
        ),
        "share in the second": _share(
            "second(X), with first = MyDropout({p}) and second = MyDropout({other})",
            "Each layer has its own p: the second one drops a wrong share.",
        ),
        "error": Aspect(
            "MyDropout({p})", "The constructor must raise ValueError for a p outside 0 to 1."
        ),
        "error when used": Aspect(
            "MyDropout({p})(X)", "The constructor must raise ValueError for a p outside 0 to 1."
        ),
    },
    praise="it drops while the model trains, and is the identity while it is evaluated.",
    reread="A layer with two modes",
    forbidden=NOT_BY_HAND,
    seconds=20.0,
)


def check_dropout_module(MyDropout: Callable[..., Any]) -> None:
    """Check `MyDropout(p=0.5)`, an `nn.Module` (Srivastava et al. 2014, inverted as in PyTorch).

    Judged inside a larger model whose `train()` and `eval()` are called in turn, with and without
    gradients: in training it is inverted dropout to the standard of `check_dropout_layer`, in
    evaluation the identity. The constructor raises ValueError for a `p` outside [0, 1], and every
    layer has its own `p`. PyTorch's own dropout may not be called. Another device, half
    precision, one number alone and empty tensors are only noted.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.dropout_module import MyDropout
    >>> check_dropout_module(MyDropout)
    ✓ MyDropout — it drops while the model trains, and is the identity while it is evaluated.
    """
    run_check(DROPOUT_MODULE, MyDropout)
