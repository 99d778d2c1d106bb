"""Right layers with spectral norm: the lesson's own in parts, which is the recipe, and others."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_and_spectral_norm.power_iteration import power_iteration, unit
from helpers.checking.recipe import Recipe

Tensor = torch.Tensor


class PowerIteration(nn.Module):
    """The lesson's layer in parts that can be exchanged."""

    u: Any
    default_n = 1

    def __init__(
        self, in_features: int, out_features: int, n_power_iterations: int | None = None
    ) -> None:
        self.prepare()
        start = nn.Linear(in_features, out_features)
        self.weight = start.weight
        self.bias = start.bias
        self.n = self.default_n if n_power_iterations is None else n_power_iterations
        self.make_u(self.first_u(in_features, out_features))
        self.finish()

    def prepare(self) -> None:
        super().__init__()

    def first_u(self, inputs: int, outputs: int) -> Tensor:
        return unit(torch.randn(outputs))

    def make_u(self, u: Tensor) -> None:
        self.register_buffer("u", u)

    def finish(self) -> None:
        pass

    def forward(self, x: Tensor) -> Tensor:
        s = self.sigma(self.stretch(*self.vectors()))
        return self.shifted(self.product(self.input(x), self.divided(s)), s)

    def vectors(self) -> tuple[Tensor, Tensor]:
        keeps = self.keeps()
        with self.recording():
            u, v = self.iterated(self.begin(), self.steps())
            if keeps:
                self.store(u)
        return u, v

    def keeps(self) -> bool:
        return self.training

    def recording(self) -> AbstractContextManager[Any]:
        return torch.no_grad()

    def begin(self) -> Tensor:
        return self.u  # type: ignore[no-any-return]

    def steps(self) -> int:
        return self.n

    def iterated(self, u: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        v = self.unit_v(self.weight.T @ u)
        for _ in range(steps):
            v = self.unit_v(self.weight.T @ u)
            u = self.unit_u(self.weight @ v)
        return u, v

    def unit_v(self, v: Tensor) -> Tensor:
        return unit(v)

    def unit_u(self, u: Tensor) -> Tensor:
        return unit(u)

    def store(self, u: Tensor) -> None:
        self.u = u

    def stretch(self, u: Tensor, v: Tensor) -> Tensor:
        return u @ self.weight @ v

    def sigma(self, s: Tensor) -> Tensor:
        return s

    def divided(self, s: Tensor) -> Tensor:
        return self.weight / s

    def input(self, x: Tensor) -> Tensor:
        return x

    def product(self, x: Tensor, w: Tensor) -> Tensor:
        return x @ w.T

    def shifted(self, y: Tensor, s: Tensor) -> Tensor:
        return y + self.bias


RECIPE = Recipe(PowerIteration)


class AsInTheLesson(nn.Module):
    """With power_iteration, and in evaluation an iteration that is not kept."""

    u: Tensor

    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__()
        start = nn.Linear(in_features, out_features)
        self.weight, self.bias = start.weight, start.bias
        self.n_power_iterations = n_power_iterations
        self.register_buffer("u", unit(torch.randn(out_features)))

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            _, u, v = power_iteration(self.weight, self.n_power_iterations, self.u)
            if self.training:
                self.u = u
        sigma = u @ self.weight @ v
        return x @ (self.weight / sigma).T + self.bias


class AsInTorch(AsInTheLesson):
    """u before v, both buffers, and a start that is refined in the constructor."""

    v: Tensor

    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        self.register_buffer("v", F.normalize(torch.randn(in_features), dim=0))
        self.update(15)

    @torch.no_grad()
    def update(self, steps: int) -> None:
        for _ in range(steps):
            self.u = F.normalize(torch.mv(self.weight, self.v), dim=0)
            self.v = F.normalize(torch.mv(self.weight.H, self.u), dim=0)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.update(self.n_power_iterations)
        sigma = torch.vdot(self.u.clone(), torch.mv(self.weight, self.v.clone()))
        return F.linear(x, self.weight / sigma, self.bias)


class AsPublished(AsInTheLesson):
    """As code for generative networks has it: on .data, with 1e-12 beside the length."""

    def l2normalize(self, x: Tensor, eps: float = 1e-12) -> Tensor:
        return x / (x.norm() + eps)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight
        u = self.u
        for _ in range(self.n_power_iterations):
            v = self.l2normalize(torch.mv(torch.t(w.data), u.data))
            u = self.l2normalize(torch.mv(w.data, v.data))
        if self.training:
            self.u.data = u
        sigma = u.dot(w.mv(v))
        return F.linear(x, w / sigma.expand_as(w), self.bias)


class SubclassOfLinear(nn.Linear):
    u: Tensor

    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features)
        self.n = n_power_iterations
        self.register_buffer("u", torch.rand(out_features))

    def forward(self, x: Tensor) -> Tensor:
        W = self.weight.detach()
        u = self.u.detach().clone()
        for _ in range(self.n):
            v = F.normalize(u @ W, dim=0)
            u = F.normalize(W @ v, dim=0)
        if self.training:
            self.u.copy_(u)
        return F.linear(x, self.weight / (self.weight @ v).norm(), self.bias)


class DividesOutputs(PowerIteration):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T / self.stretch(*self.vectors()) + self.bias


class RestsInEvaluation(PowerIteration):
    """No iteration in evaluation: v from the u that was kept."""

    def steps(self) -> int:
        return self.n if self.training else 0
