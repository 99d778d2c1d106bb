"""What lesson 03's checks and experiments need beyond the test that all checks share."""

from __future__ import annotations

import pytest
import torch
import torch.nn.modules.module as torch_hooks
from torch import nn

from helpers.answers.activation_functions.relu import ANSWERS as RELU
from helpers.answers.dying_relu.dead_fraction import dead_fraction, zero_rate
from helpers.answers.dying_relu.record_activations import record_activations
from helpers.checking import CheckFailed
from helpers.checks.dying_relu import check_record_activations
from helpers.checks.dying_relu.models import MODELS, Softsquare
from helpers.experiments.dying_relu import is_activation


@pytest.mark.parametrize(
    "make",
    [
        nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU,
        nn.Mish, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Softplus, nn.Softsign,
        nn.LogSigmoid, lambda: nn.Softmax(dim=1), Softsquare, type("Mine", (nn.ReLU,), {}),
    ],
)  # fmt: skip
def test_activations_are_recognised(make) -> None:
    assert is_activation(make())


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(2, 2), nn.Dropout, nn.Flatten, nn.Identity, lambda: nn.BatchNorm1d(2),
        lambda: nn.MaxPool2d(2), lambda: nn.Sequential(nn.ReLU()),
        lambda: nn.MultiheadAttention(2, 1),
    ],
)  # fmt: skip
def test_other_modules_are_not(make) -> None:
    assert not is_activation(make())


def test_the_courses_own_relu_is_recorded() -> None:
    """An answer to lesson 01, where it is a module, is an activation of the course's own kind."""
    kinds = [RELU.right, *RELU.variants.values()]
    modules = [kind() for kind in kinds if isinstance(kind, type) and issubclass(kind, nn.Module)]
    for module in modules:
        if hasattr(module, "derivative"):
            assert is_activation(module)


def test_names_do_not_leak_from_one_call_into_the_next() -> None:
    """A dict that lives between the calls, such as a default argument, is refused."""

    def remembers_everything(model, x, recorded={}):  # noqa: B006
        recorded.update(record_activations(model, x))
        return recorded

    with pytest.raises(CheckFailed, match="names"):
        check_record_activations(remembers_everything)


def test_hooks_that_are_left_for_all_modules_do_not_outlive_the_check() -> None:
    def forgets(model, x):
        recorded = {}
        names = {module: name for name, module in model.named_modules() if is_activation(module)}

        def hook(module, inputs, output):
            if module in names:
                recorded[names[module]] = output.detach().clone()

        torch_hooks.register_module_forward_hook(hook)
        model(x)
        return recorded

    before = len(torch_hooks._global_forward_hooks)
    with pytest.raises(CheckFailed, match="hooks"):
        check_record_activations(forgets)
    assert len(torch_hooks._global_forward_hooks) == before


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_new_and_has_an_activation(name: str) -> None:
    one, other = MODELS[name](), MODELS[name]()
    assert one is not other
    assert not {id(m) for m in one.modules()} & {id(m) for m in other.modules()}
    assert any(is_activation(module) for module in one.modules())


@pytest.mark.parametrize("seed", range(20))
def test_the_two_numbers_agree_where_they_must(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    activations = torch.randn(1, 12, generator=generator).clamp(min=0)
    assert zero_rate(activations) == dead_fraction(activations)  # one sample: the same question
    many = activations.expand(7, 12)
    assert dead_fraction(many) == dead_fraction(activations) == zero_rate(many)
