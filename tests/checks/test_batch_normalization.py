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
            y = by_hand.hand_forward(leaves[0], leaves[1], leaves[2], cache[3])[0]
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


def test_two_mistakes_at_once_are_both_named() -> None:
    class Both(HandBatchNorm1d):
        def bottom(self, var: Any) -> Any:
            return var + self.eps

        def unbiased(self, var: Any, n: float) -> Any:
            return var

    with pytest.raises(CheckFailed) as caught:
        check_batchnorm1d(Both)
    assert set(str(caught.value.misconception).split("+")) == {
        "divides-by-variance",
        "biased-stored",
    }


class WithOtherNames(nn.Module):
    """As a well-known book has it, whose layer has no attribute `weight` at all."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(num_features))
        self.beta = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("moving_mean", torch.zeros(num_features))
        self.register_buffer("moving_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: Any) -> Any:
        return self.gamma * (x - x.mean(0)) / torch.sqrt(x.var(0) + self.eps) + self.beta


def test_other_names_are_named_without_aliases() -> None:
    with pytest.raises(CheckFailed) as caught:
        check_batchnorm1d(WithOtherNames)
    assert caught.value.misconception == "other-names"


def _by_eye(dy: Any, cache: Any) -> Any:
    """The normalised x got back from y: wrong for a gamma of 0 alone."""
    y, gamma, beta, std = cache
    normal = (y - beta) / gamma
    dx = gamma / std * (dy - dy.mean(0) - normal * (dy * normal).mean(0))
    return dx, (dy * normal).sum(0), dy.sum(0)


def _keeps_y(x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> Any:
    std = torch.sqrt(x.var(0, correction=0) + eps)
    y = gamma * (x - x.mean(0)) / std + beta
    return y, (y, gamma, beta, std)


def test_the_normalised_x_got_back_from_y_is_refused() -> None:
    with pytest.raises(CheckFailed) as caught:
        check_batchnorm_backward(_keeps_y, _by_eye)
    assert caught.value.misconception == "normal-from-y"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_right_variants_are_accepted_on_many_inputs(check: Any) -> None:
    for name, variant in answers_to(check).variants.items():
        for seed in range(10, 16):
            verdict = judge(check, observer(check, variant), seed)
            assert verdict.outcome == "passed", (name, seed, report_on(check, verdict).text())
