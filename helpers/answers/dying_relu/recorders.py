"""Ways to record activations, right and wrong, that `record_activations` gives names to."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import nn

from helpers.experiments.dying_relu import is_activation

Recorded = dict[str, torch.Tensor]


def record_activations(model: nn.Module, x: torch.Tensor) -> Recorded:
    recorded: Recorded = {}

    def remember(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            recorded[name] = output.detach().clone()

        return hook

    handles = [
        module.register_forward_hook(remember(name))
        for name, module in model.named_modules()
        if is_activation(module)
    ]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return recorded


def with_an_exit_stack(model: nn.Module, x: torch.Tensor) -> Recorded:
    recorded: Recorded = {}

    def hook(name: str, module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        recorded[name] = output.data.clone()

    with contextlib.ExitStack() as stack:
        for name, module in model.named_modules():
            if is_activation(module):
                stack.enter_context(module.register_forward_hook(partial(hook, name)))
        model(x)
    return recorded


def with_one_hook_for_all_modules(model: nn.Module, x: torch.Tensor) -> Recorded:
    names = {module: name for name, module in model.named_modules() if is_activation(module)}
    recorded: Recorded = {}

    def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        if module in names:
            recorded[names[module]] = copy.deepcopy(output.detach())

    with nn.modules.module.register_module_forward_hook(hook):
        model(x)
    return recorded


@torch.inference_mode()
def in_inference_mode(model: nn.Module, x: torch.Tensor) -> Recorded:
    recorded: Recorded = {}
    handles = []
    for name, module in model.named_modules():
        if hasattr(module, "derivative") or any(
            cls.__module__ == "torch.nn.modules.activation" for cls in type(module).__mro__
        ):
            hook = lambda m, args, out, name=name: recorded.update({name: out.clone()})  # noqa: E731
            handles.append(module.register_forward_hook(hook))
    try:
        model(x)
    except Exception:
        for handle in handles:
            handle.remove()
        raise
    for handle in handles:
        handle.remove()
    return recorded


def on_a_copy(model: nn.Module, x: torch.Tensor) -> Recorded:
    return record_activations(copy.deepcopy(model), x)


def save(keep: Callable[[torch.Tensor], Any]) -> Callable[..., Any]:
    """A hook that records, given what it keeps of the output."""

    def make(recorded: dict[Any, Any], key: Any) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            recorded[key] = keep(output)

        return hook

    return make


copied = save(lambda output: output.detach().clone())


def remove_all(model: nn.Module, handles: list[Any]) -> None:
    for handle in handles:
        handle.remove()


def recorder(
    new: Callable[[], dict[Any, Any]] = dict,
    hook: Callable[[dict[Any, Any], Any], Callable[..., Any]] = copied,
    named: Callable[[nn.Module], Any] = nn.Module.named_modules,
    wanted: Callable[[nn.Module], bool] = is_activation,
    key: Callable[[int, str, nn.Module], Any] = lambda position, name, module: name,
    run: Callable[[nn.Module, torch.Tensor], Any] = lambda model, x: model(x),
    tidy: Callable[[nn.Module, list[Any]], None] = remove_all,
    always: bool = True,
) -> Callable[[nn.Module, torch.Tensor], Any]:
    """The usual way, with one part of it exchanged."""

    def record(model: nn.Module, x: torch.Tensor) -> Any:
        recorded = new()
        modules = [(name, module) for name, module in named(model) if wanted(module)]
        handles = [
            module.register_forward_hook(hook(recorded, key(position, name, module)))
            for position, (name, module) in enumerate(modules)
        ]
        try:
            run(model, x)
        except Exception:
            if always:
                tidy(model, handles)
            raise
        tidy(model, handles)
        return recorded

    return record


def first_call(recorded: dict[Any, Any], key: Any) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        recorded.setdefault(key, output.detach().clone())

    return hook


def all_calls(recorded: dict[Any, Any], key: Any) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        earlier = [recorded[key]] if key in recorded else []
        recorded[key] = torch.cat([*earlier, output.detach()])

    return hook


def lists(recorded: dict[Any, Any], key: Any) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        recorded.setdefault(key, []).append(output.detach().clone())

    return hook


def inputs(recorded: dict[Any, Any], key: Any) -> Callable[..., None]:
    def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        recorded[key] = inputs[0].detach().clone()

    return hook


def late_name(model: nn.Module, x: torch.Tensor) -> Recorded:
    recorded: Recorded = {}
    handles = []
    name = ""
    for name, module in model.named_modules():
        if is_activation(module):
            hook = lambda m, args, out: recorded.update({name: out.detach().clone()})  # noqa: B023, E731
            handles.append(module.register_forward_hook(hook))
    try:
        model(x)
    finally:
        for handle in handles:
            handle.remove()
    return recorded


def clears(model: nn.Module, handles: list[Any]) -> None:
    for module in model.modules():
        module._forward_hooks.clear()


@contextlib.contextmanager
def in_given_mode(model: nn.Module, training: bool) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def in_mode(training: bool) -> Callable[[Any], Any]:
    def around(record: Any) -> Any:
        def measures(model: nn.Module, x: torch.Tensor) -> Any:
            with in_given_mode(model, training):
                return record(model, x)

        return measures

    return around


def switches_to_eval(record: Any) -> Any:
    def switches_to_eval_(model: nn.Module, x: torch.Tensor) -> Any:
        model.eval()
        return record(model, x)

    return switches_to_eval_


def eval_then_train(record: Any) -> Any:
    def eval_then_train_(model: nn.Module, x: torch.Tensor) -> Any:
        model.eval()
        try:
            return record(model, x)
        finally:
            model.train()

    return eval_then_train_


def restores_top_mode(record: Any) -> Any:
    def restores_top_mode_(model: nn.Module, x: torch.Tensor) -> Any:
        training = model.training
        model.eval()
        try:
            return record(model, x)
        finally:
            model.train(training)

    return restores_top_mode_


def in_own_mode_restored(record: Any) -> Any:
    def in_own_mode_restored_(model: nn.Module, x: torch.Tensor) -> Any:
        """Runs in the mode of the model as a whole, and puts that back for all its parts."""
        model.train(model.training)
        return record(model, x)

    return in_own_mode_restored_


def pass_for_each(model: nn.Module, x: torch.Tensor) -> Recorded:
    result: Recorded = {}
    for module in model.modules():
        if is_activation(module):
            with torch.random.fork_rng():
                only = recorder(wanted=lambda m, module=module: m is module)(model, x)
            result.update(only)
    return result


def swallows(record: Any) -> Any:
    def swallows_(model: nn.Module, x: torch.Tensor) -> Any:
        try:
            return record(model, x)
        except Exception:
            return {}

    return swallows_


def layer_by_layer(model: nn.Module, x: torch.Tensor) -> Recorded:
    recorded: Recorded = {}
    with torch.no_grad():
        for name, module in model.named_children():
            x = module(x)
            if is_activation(module):
                recorded[name] = x.clone()
    return recorded


def turns_grad_off(record: Any) -> Any:
    def turns_grad_off_(model: nn.Module, x: torch.Tensor) -> Any:
        torch.set_grad_enabled(False)
        return record(model, x)

    return turns_grad_off_


def places(model: nn.Module) -> Any:
    return model.named_modules(remove_duplicate=False)


def is_torchs(module: nn.Module) -> bool:
    return type(module).__module__ == "torch.nn.modules.activation"


def is_leaf(module: nn.Module) -> bool:
    return not list(module.children())


def is_bare_leaf(module: nn.Module) -> bool:
    return is_leaf(module) and not list(module.parameters())


SHARED: dict[Any, Any] = {}


def the_same_dict() -> dict[Any, Any]:
    SHARED.clear()
    return SHARED


def freezing(record: Any) -> Any:
    def freezes(model: nn.Module, x: torch.Tensor) -> Any:
        model.requires_grad_(False)
        return record(model, x)

    return freezes
