"""PyTorch's own functions are noticed by whatever way they are reached."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.builtins_seen import NoticeBuiltins

x = torch.randn(3, 4)
ROWS: dict[str, list[Callable[[], Any]]] = {
    "relu": [
        lambda: torch.relu(x),
        lambda: F.relu(x),
        lambda: F.relu(x.clone(), inplace=True),
        lambda: x.relu(),
        lambda: x.clone().relu_(),
        lambda: nn.ReLU()(x),
        lambda: torch.ops.aten.relu(x),
        lambda: torch.ops.aten.relu.default(x),
        lambda: torch._C._VariableFunctions.relu(x),
    ],
    "sigmoid": [lambda: torch.sigmoid(x), lambda: x.sigmoid(), lambda: nn.Sigmoid()(x)],
    "special_expit": [lambda: torch.special.expit(x)],
    "tanh": [lambda: x.tanh(), lambda: nn.Tanh()(x), lambda: F.tanh(x)],
    "gelu": [lambda: F.gelu(x), lambda: nn.GELU()(x), lambda: torch._C._nn.gelu(x)],
    "silu": [lambda: F.silu(x), lambda: nn.SiLU()(x), lambda: torch._C._nn.silu(x)],
    "leaky_relu": [lambda: F.leaky_relu(x), lambda: nn.LeakyReLU()(x)],
    "softshrink": [lambda: F.softshrink(x), lambda: nn.Softshrink()(x)],
    "dropout": [
        lambda: F.dropout(x),
        lambda: nn.Dropout()(x),
        lambda: torch.dropout(x, 0.5, True),
        lambda: torch.ops.aten.dropout(x, 0.5, True),
    ],
    "clip_grad_norm": [lambda: nn.utils.clip_grad_norm_([nn.Parameter(x.clone())], 1.0)],
    "sgd": [lambda: _step(torch.optim.SGD)],
    "adam": [lambda: _step(torch.optim.Adam), lambda: _step(torch.optim.AdamW)],
}


def _step(optimizer: Any) -> None:
    p = nn.Parameter(x.clone())
    p.grad = torch.ones_like(p)
    optimizer([p], lr=0.1).step()


@pytest.mark.parametrize(
    ("name", "call"), [(name, call) for name, calls in ROWS.items() for call in calls]
)
def test_every_way_is_seen(name: str, call: Callable[[], Any]) -> None:
    with warnings.catch_warnings(), NoticeBuiltins({name}) as noticed:
        warnings.simplefilter("ignore")
        call()
    assert name in noticed.names


def test_others_are_not() -> None:
    with NoticeBuiltins({"relu", "sgd"}) as noticed:
        torch.where(x > 0, x, 0 * x).sum()
    assert noticed.names == []
