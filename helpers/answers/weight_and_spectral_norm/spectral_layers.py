"""Right layers with spectral norm: the oracle, the lesson's own, PyTorch's order, and a base of
the wrong ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_and_spectral_norm.power_iteration import power_iteration, unit

Tensor = torch.Tensor


class _Base(nn.Module):
    """The parameters and the buffer at their start."""

    u: Tensor

    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__()
        start = nn.Linear(in_features, out_features)
        self.weight = nn.Parameter(start.weight.detach().clone())
        self.bias = nn.Parameter(start.bias.detach().clone())
        self.n_power_iterations = n_power_iterations
        self.register_buffer("u", unit(torch.randn(out_features)))


class SpectralNormLinear(_Base):
    """What all right layers come to: the singular value decomposition, as an oracle."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            left, values, _ = torch.linalg.svd(self.weight, full_matrices=False)
            self.u.copy_(left[:, 0].detach())
            sigma = values[0]
        else:
            v = unit(self.weight.detach().T @ self.u)
            sigma = self.u @ self.weight @ v
        return F.linear(x, self.weight / sigma, self.bias)


class PowerIteration(_Base):
    """In parts that can be exchanged: a base of the wrong ones."""

    def steps(self) -> int:
        """How many iterations this pass makes; the new u is kept when there are any."""
        return self.n_power_iterations if self.training else 0

    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            u, v = self.u, unit(self.weight.T @ self.u)
            for _ in range(self.steps()):
                v = unit(self.weight.T @ u)
                u = unit(self.weight @ v)
            if self.steps():
                self.u = u
        return u, v

    def sigma(self) -> Tensor:
        u, v = self.vectors()
        return u @ self.weight @ v

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight / self.sigma(), self.bias)


class AsInTorch(_Base):
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


class AsInTheLesson(_Base):
    """With power_iteration, and in evaluation one iteration more that is not kept."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            _, u, v = power_iteration(self.weight, self.n_power_iterations, self.u)
            if self.training:
                self.u = u
        sigma = u @ self.weight @ v
        return x @ (self.weight / sigma).T + self.bias


class DividesOutputs(PowerIteration):
    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T / self.sigma() + self.bias


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


def layer(forward: Callable[[PowerIteration, Tensor], Tensor]) -> type:
    """A layer with this forward of (layer, x)."""

    class Made(PowerIteration):
        pass

    Made.forward = forward  # type: ignore[assignment, method-assign]
    return Made


def stepping(steps: Callable[[PowerIteration], int]) -> type:
    """A layer that makes this number of iterations, and keeps u if there are any."""

    class Made(PowerIteration):
        pass

    Made.steps = steps  # type: ignore[assignment, method-assign]
    return Made
