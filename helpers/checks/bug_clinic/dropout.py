"""Programs 4 and 5: dropout that is never switched off, and a mask with three defects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.overrides import TorchFunctionMode

from helpers.checking import Aspect, Case
from helpers.checks.bug_clinic.program import clinic_check, extremes, patterns, share

NOISE = 0.041
"""For shares of 20,000 draws, compared with shares of other draws: six standard deviations of
0.005, and 0.005 twice for the rounding."""

# 4. Dropout that never stops ---------------------------------------------------------------------


def _classifier_cases(rng: torch.Generator) -> Iterator[Case]:
    x = torch.randn(5, 4, generator=rng)
    for name, p in (("p = 0.3", 0.3), ("p = 0.8", 0.8), ("p = 0", 0.0)):
        yield Case(name, p=p, x=x, weight=torch.randn(3, 4, generator=rng))


def _wide(make: Any, p: float, grown_up: bool) -> tuple[Any, nn.Module]:
    """A model inside a parent. For an input of ones every hidden unit is 1 (½ from the input, ½
    from the bias), and each output is its hidden unit plus 2; so dropped inputs and dropped outputs
    can be told from dropped hidden units. All switching goes through the parent.
    """
    model = make(100, 100, 100, p)
    with torch.no_grad():
        model.hidden.weight.copy_(0.5 * torch.eye(100))
        model.hidden.bias.fill_(0.5)
        model.output.weight.copy_(torch.eye(100))
        model.output.bias.fill_(2.0)
    parent = nn.Sequential(model)
    return model, parent.eval() if grown_up else parent


def _hidden(parent: nn.Module) -> torch.Tensor:
    """What the hidden units after dropout must have been: the outputs less 2."""
    hidden: torch.Tensor = ((parent(torch.ones(200, 100)) - 2) * 1e4).round() / 1e4
    return hidden


def _look(model: nn.Module, when: str) -> Iterator[tuple[str, Any]]:
    first, second = _hidden(model), _hidden(model)
    yield f"dropped {when}", share(first == 0)
    yield f"kept twice {when}", share((first != 0) & (second != 0))
    yield f"survivors {when}", extremes(first[first != 0])
    yield f"patterns {when}", patterns(first == 0)


def _observe_classifier(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model, parent = _wide(make, case.p, grown_up=True)
    quiet = True
    for key, value in _look(parent, "in evaluation"):
        if key.startswith("dropped") and value > 0:
            quiet = False
        if key.startswith("survivors") and not torch.equal(value, torch.ones_like(value)):
            quiet = False
        yield key, value
    yield "mode in evaluation", parent.training or model.training
    with torch.no_grad():
        yield "dropped under no_grad", share(_hidden(parent) == 0)
    if not quiet:  # what a right answer never shows; it tells the ways to be wrong apart
        yield from _why_always_on(model, parent)
    parent.train()
    yield from _look(parent, "in training")
    yield "mode in training", parent.training and model.training
    yield "connected", bool(parent(torch.ones(2, 100)).requires_grad)
    with torch.no_grad():
        yield "dropped while training under no_grad", share(_hidden(parent) == 0)
    one, other = (_hidden(_wide(make, case.p, grown_up=False)[1]) for _ in range(2))
    yield "kept by two models", share((one != 0) & (other != 0))

    small = make(4, 3, 4, case.p)
    with torch.no_grad():
        small.hidden.weight.copy_(case.weight)
        small.output.weight.copy_(case.weight.T)
    small.eval()
    yield "quiet", quiet
    if quiet:
        with torch.no_grad():
            small.hidden.bias.fill_(0.1)
            small.output.bias.fill_(0.2)
        yield "evaluation", small(case.x)
        yield "evaluation again", small(case.x)


def _why_always_on(model: Any, parent: nn.Module) -> Iterator[tuple[str, Any]]:
    passes: list[list[nn.Module]] = []
    handle = register_module_forward_pre_hook(lambda module, inputs: passes[-1].append(module))
    try:
        for _ in range(2):
            passes.append([])
            parent(torch.ones(2, 100))
    finally:
        handle.remove()
    known = {id(module) for module in parent.modules()}
    first, second = ({id(m) for m in called if hasattr(m, "p")} - known for called in passes)
    which = "none" if not second else "the same in each pass" if first == second else "new ones"
    yield "dropout that is unknown to the parent", which
    flags = [k for k, v in vars(model).items() if v is True and k != "training"]
    for flag in flags:
        setattr(model, flag, False)
    yield "dropped when flags are put down", share(_hidden(parent) == 0)
    for flag in flags:
        setattr(model, flag, True)
    model.eval()
    yield "dropped after its own eval", share(_hidden(parent) == 0)
    model.train()


_MADE = "model = RepairedClassifier(100, 100, 100, p={p}), inside a parent; parent.{mode}()"


def _dropped(mode: str, wrong: str) -> Aspect:
    call = _MADE.replace("{mode}", mode) + "; the share of hidden units that are dropped"
    return Aspect(call, wrong, 0.0, NOISE)


_DIAGNOSTIC = Aspect(_MADE.replace("{mode}", "eval"), "Dropout is on in evaluation.", 0.0, NOISE)

DROPOUT = clinic_check(
    "dropout",
    "program 4, dropout in evaluation",
    "RepairedClassifier",
    methods=("forward",),
    cases=_classifier_cases,
    observe=_observe_classifier,
    aspects={
        "dropped in evaluation": _dropped("eval", "Units are dropped in evaluation."),
        "kept twice in evaluation": _dropped("eval", "Units are dropped in evaluation."),
        "survivors in evaluation": Aspect(
            _MADE.replace("{mode}", "eval") + "; the smallest and the largest of hidden units of 1",
            "In evaluation the hidden units are rescaled; they must be left as they are.",
        ),
        "dropped under no_grad": _dropped("eval", "Units are dropped in evaluation."),
        "mode in evaluation": Aspect(
            _MADE.replace("{mode}", "eval") + "; and model.training after a forward pass",
            "Your forward switches the mode of the model.",
        ),
        "mode in training": Aspect(
            _MADE.replace("{mode}", "train") + "; and model.training after a forward pass",
            "Your forward switches the mode of the model.",
        ),
        "connected": Aspect(
            _MADE.replace("{mode}", "train") + "; the output's requires_grad",
            "The output is cut off from the weights, so the network cannot be trained.",
        ),
        "dropout that is unknown to the parent": _DIAGNOSTIC,
        "dropped when flags are put down": _DIAGNOSTIC,
        "dropped after its own eval": _DIAGNOSTIC,
        "dropped in training": _dropped(
            "train", "In training the share of dropped units is not p."
        ),
        "kept twice in training": Aspect(
            _MADE.replace("{mode}", "train") + "; the share of units that two passes both keep",
            "Two passes in training must drop different units.",
            0.0,
            NOISE,
        ),
        "survivors in training": Aspect(
            _MADE.replace("{mode}", "train")
            + "; the smallest and the largest of the kept hidden units of 1",
            "In training the kept units must be divided by 1 − p.",
        ),
        "patterns in evaluation": Aspect(
            _MADE.replace("{mode}", "eval") + "; how many samples and units have another pattern",
            "Units are dropped in evaluation.",
        ),
        "patterns in training": Aspect(
            _MADE.replace("{mode}", "train") + "; in 200 samples of 100 units, how many different "
            "patterns of dropped units the samples have, and the units over the samples",
            "In training each unit of each sample must be drawn by itself.",
        ),
        "kept by two models": Aspect(
            _MADE.replace("{mode}", "train")
            + "; the share of units that two such models both keep",
            "Two models must drop different units; the random seed is the caller's.",
            0.0,
            NOISE,
        ),
        "dropped while training under no_grad": _dropped(
            "train", "In training under torch.no_grad() the share of dropped units is not p."
        ),
        "quiet": _DIAGNOSTIC,
        "evaluation": Aspect(
            "RepairedClassifier(4, 3, 4, p={p}).eval()({x})",
            "The output in evaluation differs from that of the network without dropout.",
        ),
        "evaluation again": Aspect(
            "RepairedClassifier(4, 3, 4, p={p}).eval()({x}), once more",
            "The second output in evaluation differs from the network without dropout.",
        ),
    },
    praise="random in training, the same answer every time in evaluation.",
    reread="Program 4: a classifier that changes its mind",
)

# 5. A mask with three defects --------------------------------------------------------------------


def _mask_cases(_: torch.Generator) -> Iterator[Case]:
    for p in (0.2, 0.8):
        yield Case(f"p = {p}", p=p, x=torch.ones(200, 100))
    for p in (0, 1):
        yield Case(f"p = {p}", p=float(p), x=torch.tensor([1.0, -2, 3, -4, 5, -6, 7, -8]))
    yield Case("float64", p=0.2, x=torch.full((200, 100), 3.0, dtype=torch.float64))
    yield Case("x on another device", p=0.2, x=torch.zeros(3, 4, device="meta"))
    yield Case("float16", p=0.2, x=torch.full((200, 100), 2.0, dtype=torch.float16)).beyond()


def _observe_mask(drop: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.x.device.type == "meta":
        yield "device", _device_of(drop, case)
        return
    first, second = drop(case.x, case.p), drop(case.x, case.p)
    yield "result", torch.zeros_like(first) if isinstance(first, torch.Tensor) else first
    yield "not finite", int((~first.isfinite()).sum())
    yield "dropped", share(first == 0)
    yield "survivors", extremes(first[first != 0])
    if first.dim() == 2:
        yield "patterns", patterns(first == 0)
    yield "kept twice", share((first != 0) & (second != 0))
    yield "x afterwards", case.x
    if case.p == 1:  # nothing is kept, so that no gradient needs a way
        return
    leaf = case.fresh().x.clone().requires_grad_()
    y = drop(leaf, case.p)
    yield "connected", bool(y.requires_grad)
    (gradient,) = torch.autograd.grad(y.sum(), leaf)
    yield "gradient", gradient.double() * leaf.detach().double() - y.detach().double()


class _CopiesToTheCPU(TorchFunctionMode):
    """Lets x.cpu() and x.to("cpu") give zeros: a GPU would copy, where a meta tensor stops."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        given = [str(value) for value in (*args[1:], *kwargs.values())]
        if name == "cpu" or (name == "to" and "cpu" in given):
            return torch.zeros(args[0].shape, dtype=args[0].dtype)
        return func(*args, **kwargs)


def _device_of(drop: Any, case: Case) -> str:
    """The device of the result, for an x whose device is neither the CPU nor a real one."""
    try:
        with _CopiesToTheCPU():
            return str(drop(case.x, case.p).device)
    except RuntimeError as error:
        if "expected device" in str(error):
            return "cpu and another one, which cannot be combined"
        if "meta" in str(error):  # nothing is computed there, so some calls cannot work
            return "meta"
        raise


MASK = clinic_check(
    "mask",
    "program 5, a dropout mask",
    "repaired_mask",
    cases=_mask_cases,
    observe=_observe_mask,
    aspects={
        "result": Aspect("repaired_mask({x}, p={p})", "The result is not a tensor like x."),
        "not finite": Aspect(
            "the number of entries that are NaN or infinite in repaired_mask({x}, p={p})",
            "The result contains NaN or infinity.",
        ),
        "patterns": Aspect(
            "in 200 rows of 100 entries, how many different patterns of dropped entries the rows "
            "of repaired_mask({x}, p={p}) have, and the columns",
            "Each entry must be drawn by itself.",
        ),
        "dropped": Aspect(
            "the share of zeros in repaired_mask({x}, p={p})",
            "The share of dropped entries is not p.",
            0.0,
            NOISE,
        ),
        "survivors": Aspect(
            "the smallest and the largest of the values other than 0 in repaired_mask({x}, p={p})",
            "The kept entries have the wrong size; they must be x / (1 − p).",
            1e-3,
        ),
        "kept twice": Aspect(
            "the share of entries that two calls of repaired_mask({x}, p={p}) both keep",
            "Two calls must drop different entries.",
            0.0,
            NOISE,
        ),
        "x afterwards": Aspect("repaired_mask({x}, p={p}), and then x", "Your code changed x."),
        "connected": Aspect(
            "repaired_mask(x, p).requires_grad, for an x that asks for gradients",
            "The result is cut off from x: no gradient can pass.",
        ),
        "gradient": Aspect(
            "x · x.grad − y, for y = repaired_mask({x}, p={p})",
            "The gradient does not pass through the kept entries as it should.",
            1e-3,
            5e-3,
        ),
        "device": Aspect(
            "the device of repaired_mask(x, p={p}), for an x on another device",
            "The mask is not on the device of x.",
        ),
    },
    praise="it drops with probability p, keeps the expectation, and follows x to its device.",
    reread="Program 5: a mask of one's own",
)
