"""Check of dropout as a module that obeys train() and eval(), MyDropout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checking.devices import unless_it_reads
from helpers.checks.dropout.layer import NOT_BY_HAND
from helpers.checks.dropout.masks import (
    COLUMNS,
    IMAGES,
    ROWS,
    mask_aspects,
    nonzero,
    outline,
    seen_of_draws,
    share_dropped,
)


def _inside(layer: Any) -> nn.Module:
    """A model that has the layer two levels below itself."""
    return nn.Sequential(nn.Identity(), nn.Sequential(layer, nn.Identity()))


def _module_cases(rng: torch.Generator) -> Iterator[Case]:
    medium = nonzero((40, 50), rng)
    large = nonzero((150, 200), rng)
    yield Case("both modes in turn", way="modes", X=large, p=0.5)
    yield Case("both modes in turn, few dropped", way="modes", X=large, p=0.2)
    small = torch.tensor([[1.0, -2.0, 3.0], [-4.0, 5.0, -6.0]])
    yield Case("nothing is dropped", way="edge", X=small, p=0.0)
    yield Case("all is dropped", way="edge", X=small, p=1.0)
    for p in (0.2, 0.8):
        yield Case("a large matrix", way="draws", X=nonzero((ROWS, COLUMNS), rng), p=p)
    images = nonzero(IMAGES, rng)
    yield Case("a batch of images with channels", way="draws", X=images, p=0.35)
    wide = nonzero((40, 60), rng, dtype=torch.float64)
    yield Case("float64", way="draws", X=wide, p=0.5)
    yield Case("the default p", way="default", X=medium)
    yield Case("two layers with different p", way="two layers", X=medium, p=0.1, other=0.9)
    yield Case("below 0", way="error", p=-0.1)
    yield Case("above 1", way="error", p=1.1)
    on_device = torch.empty(3, 4, device="meta")
    yield Case("an X on another device than the CPU", way="outline", X=on_device, p=0.5)
    yield Case("no entries", way="outline", X=torch.zeros(0, 3), p=0.5)
    yield Case("an expanded vector", way="outline", X=small[:1].expand(4, 3), p=0.5)
    yield Case("one number", way="outline", X=torch.tensor(3.0), p=0.5)


def _observe_module(MyDropout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.way == "error":
        yield "error", outcome_of(lambda: MyDropout(case.p))
    elif case.way == "modes":
        yield from _seen_of_modes(MyDropout(case.p), case.X)
    elif case.way == "draws":
        yield from seen_of_draws(_inside(MyDropout(case.p)).train(), case.X)
    elif case.way == "default":
        yield "share by default", share_dropped(_inside(MyDropout()).train()(case.X))
    elif case.way == "two layers":
        first, second = MyDropout(case.p), MyDropout(p=case.other)
        yield "share in the first", share_dropped(first(case.X))
        yield "share in the second", share_dropped(second(case.X))
    elif case.way == "outline":
        model = _inside(MyDropout(case.p)).train()
        yield "result", unless_it_reads(lambda: outline(model(case.X)), outline(case.X))
    else:
        model = _inside(MyDropout(case.p)).train()
        yield "values", model(case.X)


def _seen_of_modes(layer: Any, X: torch.Tensor) -> Iterator[tuple[str, Any]]:
    yield "is a module", isinstance(layer, nn.Module)
    model = _inside(layer)
    shares, results = [], []
    for mode in ("train", "eval", "train", "eval"):
        getattr(model, mode)()
        with_gradients = model(X.clone())
        with torch.no_grad():
            without = model(X.clone())
        shares += [share_dropped(with_gradients), share_dropped(without)]
        results += [with_gradients, without]
    yield "shares", torch.from_numpy(np.array(shares))
    yield "in evaluation mode", results[2]
    yield "in evaluation mode without gradients", results[3]
    yield "in evaluation mode again", results[6]
    yield "mode after evaluation", "train" if layer.training else "eval"
    model.train()(X.clone())
    yield "mode after training", "train" if layer.training else "eval"
    model.eval()(X)
    leaf = X.clone().requires_grad_()
    upstream = torch.linspace(-2, 3, X.numel()).reshape(X.shape)
    (gradient,) = torch.autograd.grad(model(leaf), leaf, upstream)
    yield "gradient in evaluation mode", gradient
    yield "X afterwards", X
    yield "saved", ", ".join(layer.state_dict()) or "nothing"


CALL = "MyDropout({p})(X)"
MODEL = "model = nn.Sequential(nn.Identity(), nn.Sequential(MyDropout({p})))"
EVALUATE = f"{MODEL}; model.eval(); model(X)"


def _share(call: str, wrong: str) -> Aspect:
    return Aspect(f"the share of zeros in {call}", wrong, rtol=0, atol=0.11)


DROPOUT_MODULE = Check(
    name="check_dropout_module",
    lesson="dropout",
    topic="MyDropout",
    takes=(Argument("MyDropout", "class"),),
    cases=_module_cases,
    observe=_observe_module,
    aspects={
        **mask_aspects(CALL),
        "is a module": Aspect(
            "isinstance(MyDropout({p}), nn.Module)", "MyDropout is not an nn.Module."
        ),
        "shares": Aspect(
            f"{MODEL}; train(), eval(), train(), eval(), and each time the share of zeros in "
            "model(X) with and without gradients",
            "The share of dropped entries does not follow the mode of the model.",
            rtol=0,
            atol=0.2,
        ),
        "in evaluation mode": Aspect(
            EVALUATE, "In evaluation mode the result is not X.", input="X"
        ),
        "in evaluation mode without gradients": Aspect(
            f"{EVALUATE} inside torch.no_grad()",
            "In evaluation mode without gradients the result is not X.",
            input="X",
        ),
        "mode after training": Aspect(
            "model.train(); model(X), and then the mode of the layer",
            "Your forward changed the mode of the layer.",
        ),
        "in evaluation mode again": Aspect(
            f"{MODEL}; model.train(); model(X); model.eval(); model(X)",
            "After train() and then eval(), the result is not X.",
            input="X",
        ),
        "mode after evaluation": Aspect(
            "model.eval(); model(X), and then the mode of the layer",
            "Your forward changed the mode of the layer.",
        ),
        "gradient in evaluation mode": Aspect(
            f"{EVALUATE}.backward(G), and then X.grad",
            "In evaluation mode the gradient is not passed on unchanged.",
        ),
        "saved": Aspect(
            "MyDropout({p}).state_dict()",
            "A dropout layer learns and stores nothing: its state_dict is empty.",
        ),
        "values": Aspect("MyDropout({p})({X})", "The values are wrong.", input="X"),
        "share by default": _share("MyDropout()(X)", "The default of p is 0.5."),
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
    evaluation the identity. The constructor raises ValueError for a `p` outside [0, 1].
    PyTorch's own dropout may not be called.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.dropout.dropout_module import ByHand
    >>> check_dropout_module(ByHand)
    ✓ MyDropout — it drops while the model trains, and is the identity while it is evaluated.
    """
    run_check(DROPOUT_MODULE, MyDropout)
