"""What the generic test does not ask of the checks of lesson 06."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.batch_normalization import by_hand
from helpers.answers.batch_normalization.hand import HandBatchNorm1d
from helpers.checking.errors import CheckFailed, NotAttempted
from helpers.checking.judging import answers_to, judge, observer
from helpers.checking.report import report_on
from helpers.checks.batch_normalization import (
    CHECKS,
    check_batchnorm1d,
    check_batchnorm2d,
    check_batchnorm_backward,
    check_batchnorm_forward,
    check_fold_batchnorm,
    check_layer_norm,
)


def _with_autograd(forward: Any) -> Any:
    def backward(dy: Any, cache: Any) -> Any:
        with torch.inference_mode(False), torch.enable_grad():
            leaves = [t.detach().clone().requires_grad_() for t in cache[:3]]
            y = by_hand.hand_forward(*leaves, cache[3])[0]
            return torch.autograd.grad(y, leaves, dy.clone())

    return forward, backward


def _keeps_arguments(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    return by_hand.hand_forward(x, gamma, beta, eps)[0], (x, gamma, beta, eps)


def test_autograd_in_the_backward_is_refused_by_name() -> None:
    with pytest.raises(CheckFailed, match="PyTorch's own `grad`"):
        check_batchnorm_backward(*_with_autograd(_keeps_arguments))


def _forward_by_torch(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps), None


@pytest.mark.parametrize(
    ("check", "builtin", "name"),
    [
        (check_batchnorm_forward, _forward_by_torch, "batch_norm"),
        (check_batchnorm1d, nn.BatchNorm1d, "batch_norm"),
        (check_batchnorm2d, nn.BatchNorm2d, "batch_norm"),
        (check_layer_norm, nn.LayerNorm, "layer_norm"),
    ],
)
def test_torchs_own_is_refused_by_name(check: Any, builtin: Any, name: str) -> None:
    with pytest.raises(CheckFailed, match=f"PyTorch's own `{name}`"):
        check(builtin)


def test_layer_norm_in_disguise_is_refused() -> None:
    class Grouped(nn.LayerNorm):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.group_norm(x, 1)

    with pytest.raises(CheckFailed, match="PyTorch's own `group_norm`"):
        check_layer_norm(Grouped)


def test_stubs_are_not_attempted() -> None:
    def stub(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    class Stub(nn.Module):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__()
            raise NotImplementedError

    for check, given in (
        (check_batchnorm_forward, (stub,)),
        (check_batchnorm_backward, (by_hand.hand_forward, stub)),
        (check_batchnorm1d, (Stub,)),
        (check_batchnorm2d, (Stub,)),
        (check_layer_norm, (Stub,)),
        (check_fold_batchnorm, (stub,)),
    ):
        with pytest.raises(NotAttempted):
            check(*given)


def test_two_mistakes_at_once_are_refused_without_a_guess() -> None:
    class Both(HandBatchNorm1d):
        def normalise(self, x: Any, mean: Any, var: Any) -> Any:
            return (x - mean) / (var.sqrt() + self.eps)

        def remember(self, mean: Any, unbiased: Any) -> None:
            self.running_mean.copy_(mean)

    with pytest.raises(CheckFailed) as caught:
        check_batchnorm1d(Both)
    assert caught.value.misconception in (None, "eps-outside-root")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_right_variants_are_accepted_on_many_inputs(check: Any) -> None:
    for name, variant in answers_to(check).variants.items():
        for seed in range(10, 16):
            verdict = judge(check, observer(check, variant), seed)
            assert verdict.outcome == "passed", (name, seed, report_on(check, verdict).text())
