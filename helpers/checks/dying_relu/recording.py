"""Check of the recording of activations through forward hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.modules.module as torch_hooks
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checks.dying_relu.models import MODELS

FAILS = "a model that fails after its first activation"
DEVICE = "a model on another device"


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype) * 3

    for model in MODELS:
        if model == "images":
            x = draw(2, 1, 4, 4)
        elif model == "a float64 model":
            x = draw(5, 3, dtype=torch.float64)
        else:
            x = draw(5, 3)
        yield Case(model, model=model, x=x)
    x = torch.empty(5, 3, device="meta")
    yield Case(DEVICE, model="a linear layer and a ReLU", x=x).beyond()


def _hooks_of(model: nn.Module) -> str:
    """How many hooks each module has, by name, and how many hooks hold for all modules."""
    found = []
    for name, module in model.named_modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        count = sum(map(len, hooks))
        if count:
            found.append(f"{count} on {name!r}")
    everywhere = len(torch_hooks._global_forward_hooks) + len(torch_hooks._global_forward_pre_hooks)
    if everywhere:
        found.append(f"{everywhere} on every module that there is")
    return ", ".join(found) or "none"


def _modes_of(model: nn.Module) -> str:
    return " ".join("train" if module.training else "eval" for module in model.modules())


def _trained(model: nn.Module, x: torch.Tensor) -> str:
    """What asks for gradients and what has one, of the parameters and of x."""
    tensors = dict(model.named_parameters()) | {"x": x}
    asks = [name for name, t in tensors.items() if t.requires_grad]
    has = [name for name, t in tensors.items() if t.grad is not None]
    return (
        f"gradients wanted for {', '.join(asks) or 'none'}; present for {', '.join(has) or 'none'}"
    )


def _drop_hooks_for_all(before: tuple[Any, ...]) -> None:
    """Hooks on all modules outlive the model; those that were forgotten must not disturb others."""
    everywhere = (torch_hooks._global_forward_hooks, torch_hooks._global_forward_pre_hooks)
    for hooks, old in zip(everywhere, before, strict=True):
        for key in [key for key in hooks if key not in old]:
            del hooks[key]


def _observe(record_activations: Any, case: Case) -> Iterator[tuple[str, Any]]:
    before = (
        tuple(torch_hooks._global_forward_hooks),
        tuple(torch_hooks._global_forward_pre_hooks),
    )
    try:
        yield from _observe_recording(record_activations, case)
    finally:
        _drop_hooks_for_all(before)


def _observe_recording(record_activations: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model = MODELS[case.model]().to(case.x.device)
    calls: list[int] = []
    first = next(iter(model.children()))
    first.register_forward_hook(lambda *_: calls.append(1))  # someone else's hook
    if case.name == FAILS:
        yield "outcome", outcome_of(lambda: record_activations(model, case.x))
        yield "hooks after an error", _hooks_of(model)
        yield "modes after an error", _modes_of(model)
        return
    if case.name == DEVICE:
        yield "device", _device_of(record_activations, model, case.x)
        return
    result = record_activations(model, case.x)
    yield "kind", _kind(result, dict)
    names = sorted(result, key=str)
    yield "names", ", ".join(repr(name) for name in names) or "none"
    yield "kinds", ", ".join(_kind(result[name], torch.Tensor) for name in names)
    yield "output", result[names[-1]]
    yield "outputs", torch.cat([result[name].flatten() for name in names])
    yield "graph", any(tensor.requires_grad for tensor in result.values())
    yield "passes", len(calls)
    yield "hooks afterwards", _hooks_of(model)
    yield "modes afterwards", _modes_of(model)
    yield "x afterwards", case.x
    yield "trained afterwards", _trained(model, case.x)
    model(case.x)
    again = record_activations(model, case.x)
    yield (
        "names of a second call",
        ", ".join(repr(name) for name in sorted(again, key=str)) or "none",
    )
    yield "result afterwards", torch.cat([result[name].flatten() for name in names])


def _kind(value: Any, wanted: type) -> str:
    return wanted.__name__ if isinstance(value, wanted) else type(value).__name__


def _device_of(record_activations: Any, model: nn.Module, x: torch.Tensor) -> str:
    """The device of the outputs; leaving the device of meta tensors raises."""
    try:
        result = record_activations(model, x)
    except NotImplementedError:
        return "none, since the outputs were moved or read"
    return ", ".join(str(tensor.device) for tensor in result.values())


_CALL = "record_activations(model, x)"

RECORD_ACTIVATIONS = Check(
    name="check_record_activations",
    lesson="dying_relu",
    topic="recording activations",
    takes=(Argument("record_activations"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "kind": Aspect(_CALL, "The result must be a dict, from names to tensors."),
        "names": Aspect(f"sorted({_CALL})", "The names of what was recorded are wrong."),
        "kinds": Aspect(
            f"[type(t) for t in {_CALL}.values()]", "Each entry of the dict must be one tensor."
        ),
        "output": Aspect(
            f"{_CALL}, and the last of its entries by name",
            "A recorded output is not what the activation gave.",
        ),
        "outputs": Aspect(
            f"{_CALL}, and all entries by name",
            "A recorded output is not what the activation gave.",
        ),
        "graph": Aspect(
            f"any(t.requires_grad for t in {_CALL}.values())",
            "The recorded outputs still hang on the graph.",
        ),
        "passes": Aspect(
            f"{_CALL}, and then the number of forward passes",
            "The model must run exactly once.",
        ),
        "hooks afterwards": Aspect(
            f"{_CALL}, and then the hooks on the model",
            "The hooks on the model are not the same as before.",
        ),
        "modes afterwards": Aspect(
            f"{_CALL}, and then module.training of each module",
            "Your code changed the mode of the model, or of a part of it.",
        ),
        "x afterwards": Aspect(f"{_CALL}, and then x", "Your code changed x."),
        "trained afterwards": Aspect(
            f"{_CALL}, and then requires_grad and grad of the parameters and of x",
            "Your code changed what asks for gradients, or left gradients behind.",
        ),
        "names of a second call": Aspect(
            f"{_CALL}, a second time", "A second call records something else."
        ),
        "result afterwards": Aspect(
            f"{_CALL}, then model(x), and then the result again",
            "A later pass through the model changed the recorded outputs.",
        ),
        "outcome": Aspect(
            f"{_CALL}, where model(x) raises ArithmeticError",
            "The error of the model must reach whoever called your function.",
        ),
        "hooks after an error": Aspect(
            f"{_CALL}, where model(x) raises, and then the hooks on the model",
            "After an error in the model the hooks are not the same as before.",
        ),
        "modes after an error": Aspect(
            f"{_CALL}, where model(x) raises, and then module.training of each module",
            "After an error in the model its mode is not the same as before.",
        ),
        "device": Aspect(
            f"the devices of the tensors in {_CALL}, model and x being on the device meta",
            "The recorded outputs must stay on the device of the model.",
        ),
    },
    praise="one pass, every activation, and the model is left as it was found.",
    reread="Looking inside with hooks",
)


def check_record_activations(
    record_activations: Callable[[nn.Module, torch.Tensor], dict[str, torch.Tensor]],
) -> None:
    """Check `record_activations(model, x)`: the outputs of all activation modules by name.

    What counts as an activation module is said by `helpers.experiments.dying_relu.is_activation`.
    The outputs are detached copies from one forward pass in the model's present mode; of a module
    that is called more than once the last call counts, and one that is not called has no entry.
    Names are those of `model.named_modules()`. The hooks are removed afterwards, also when the
    model raises, and nobody else's are touched.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest model for which something differs, and the mistake where it
            is known.

    >>> from helpers.answers.dying_relu.record_activations import record_activations
    >>> check_record_activations(record_activations)
    ✓ recording activations — one pass, every activation, and the model is left as it was found.
    """
    run_check(RECORD_ACTIVATIONS, record_activations)
