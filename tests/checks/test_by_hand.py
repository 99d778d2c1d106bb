"""PyTorch's own version of a thing is noticed and named, also where PyTorch wrote it in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import helpers
from helpers.checking import CheckFailed


def sgd(parameters: Any, lr: float, weight_decay: float = 0.0) -> None:
    torch.optim.SGD(list(parameters), lr=lr, weight_decay=weight_decay).step()


def adamw(w: Any, grad: Any, m: Any, v: Any, t: int, **settings: Any) -> Any:
    parameter = nn.Parameter(w.clone())
    parameter.grad = grad.clone()
    torch.optim.AdamW([parameter]).step()
    return parameter.detach(), m, v


@pytest.mark.parametrize(
    ("check", "answer", "name"),
    [
        ("check_sgd_step", sgd, "sgd"),
        ("check_adamw_step", adamw, "adam"),
        ("check_soft_threshold", F.softshrink, "softshrink"),
        ("check_clip_gradient_norm", nn.utils.clip_grad_norm_, "clip_grad_norm"),
    ],
)
def test_torchs_own_is_named(check: str, answer: Callable[..., Any], name: str) -> None:
    with pytest.raises(CheckFailed, match=f"Your code calls PyTorch's own `{name}`"):
        getattr(helpers, check)(answer)
