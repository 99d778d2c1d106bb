"""A linear layer whose weight is divided by its largest singular value: right and wrong answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_and_spectral_norm.power_iteration import unit
from helpers.answers.weight_and_spectral_norm.spectral_layers import (
    AsInTheLesson,
    AsInTorch,
    DividesOutputs,
    PowerIteration,
    SpectralNormLinear,
    SubclassOfLinear,
    layer,
    stepping,
)
from helpers.checking.check import Answers, Misconception

Tensor = torch.Tensor


def _overwrites_weight(self: PowerIteration, x: Tensor) -> Tensor:
    with torch.no_grad():
        self.weight /= self.sigma()
    return F.linear(x, self.weight, self.bias)


def _largest_row(self: PowerIteration, x: Tensor) -> Tensor:
    self.vectors()
    return F.linear(x, F.normalize(self.weight, dim=1), self.bias)


def _training_only(self: PowerIteration, x: Tensor) -> Tensor:
    weight = self.weight / self.sigma() if self.training else self.weight
    return F.linear(x, weight, self.bias)


def _frobenius(self: PowerIteration, x: Tensor) -> Tensor:
    self.vectors()
    return F.linear(x, self.weight / self.weight.norm(), self.bias)


class _PlainU(PowerIteration):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        start = self.u
        del self.u
        self.u = start


class _NotSaved(PowerIteration):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        self.register_buffer("u", self.u, persistent=False)


class _ParameterU(PowerIteration):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        start = self.u
        del self.u
        self.u = nn.Parameter(start)

    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            v = unit(self.weight.T @ self.u)
            if self.training:
                self.u.copy_(unit(self.weight @ v))
        return self.u.clone(), v


class _LengthOfInputs(PowerIteration):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        self.register_buffer("u", unit(torch.randn(in_features)))

    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            left = unit(self.weight @ self.u)
            if self.training:
                self.u = unit(self.weight.T @ left)
        return left, self.u


class _KeepsGraph(PowerIteration):
    def vectors(self) -> tuple[Tensor, Tensor]:
        u, v = self.u, unit(self.weight.T @ self.u)
        for _ in range(self.steps()):
            v = unit(self.weight.T @ u)
            u = unit(self.weight @ v)
        if self.training:
            self.u = u
        return u, v


class _LooksIntoIteration(PowerIteration):
    def vectors(self) -> tuple[Tensor, Tensor]:
        u, v = self.u, unit(self.weight.T @ self.u)
        for _ in range(self.steps()):
            v = unit(self.weight.T @ u)
            u = unit(self.weight @ v)
        if self.training:
            self.u = u.detach()
        return u, v


class _FreshStart(PowerIteration):
    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            u = unit(torch.randn_like(self.u))
            for _ in range(self.n_power_iterations):
                v = unit(self.weight.T @ u)
                u = unit(self.weight @ v)
            if self.training:
                self.u = u
        return u, v


class _OnlyWithGradients(PowerIteration):
    def steps(self) -> int:
        return super().steps() if self.with_gradients else 0

    def forward(self, x: Tensor) -> Tensor:
        self.with_gradients = torch.is_grad_enabled()
        return super().forward(x)


class _NotKept(PowerIteration):
    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            u, v = self.u, unit(self.weight.T @ self.u)
            for _ in range(self.steps()):
                v = unit(self.weight.T @ u)
                u = unit(self.weight @ v)
        return u, v


class _OnlyAtStart(PowerIteration):
    def __init__(self, in_features: int, out_features: int, n_power_iterations: int = 1) -> None:
        super().__init__(in_features, out_features, n_power_iterations)
        for _ in range(100):
            self.vectors()

    def steps(self) -> int:
        return 0 if getattr(self, "used", False) else 1

    def forward(self, x: Tensor) -> Tensor:
        self.used = True
        return super().forward(x)


class _NotNormalised(PowerIteration):
    def vectors(self) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            u, v = self.u, unit(self.weight.T @ self.u)
            for _ in range(self.steps()):
                v = unit(self.weight.T @ u)
                u = self.weight @ v
            if self.steps():
                self.u = u
        return u, v


ANSWERS = Answers(
    reference=SpectralNormLinear,
    variants={
        "power iteration": PowerIteration,
        "as in the lesson": AsInTheLesson,
        "the order of torch": AsInTorch,
        "divides the outputs": DividesOutputs,
        "a subclass of nn.Linear": SubclassOfLinear,
    },
    misconceptions=(
        Misconception(
            "divides-bias",
            layer(lambda self, x: F.linear(x, self.weight, self.bias) / self.sigma()),
            "You divide the bias by sigma as well.",
            "Divide the weight, then add the bias as it is.",
        ),
        Misconception(
            "multiplies",
            layer(lambda self, x: F.linear(x, self.weight * self.sigma(), self.bias)),
            "You multiply the weight by sigma.",
            "Divide by it: then the largest stretch is 1.",
        ),
        Misconception(
            "not-divided",
            layer(lambda self, x: F.linear(x, self.weight + 0 * self.sigma(), self.bias)),
            "You use the weight as it is.",
            "The output uses weight / sigma.",
        ),
        Misconception(
            "square-root",
            layer(lambda self, x: F.linear(x, self.weight / self.sigma().sqrt(), self.bias)),
            "You divide by the square root of sigma.",
            "uᵀWv is the largest singular value itself: no root is left to take.",
        ),
        Misconception(
            "only-above-one",
            layer(lambda self, x: F.linear(x, self.weight / self.sigma().clamp(min=1), self.bias)),
            "You divide only when sigma is above 1.",
            "Divide always, so that the largest stretch is exactly 1.",
        ),
        Misconception(
            "frobenius",
            layer(_frobenius),
            "You divide by the root of the sum of all squares, the Frobenius norm.",
            "Divide by sigma = uᵀWv, the largest stretch, which is smaller.",
        ),
        Misconception(
            "by-rows",
            layer(_largest_row),
            "You divide each row by its own length; that is weight norm with g = 1.",
            "One number, sigma, divides the whole matrix.",
        ),
        Misconception(
            "constant-sigma",
            layer(lambda self, x: F.linear(x, self.weight / self.sigma().detach(), self.bias)),
            "You cut sigma off from the weight; only u and v are constants.",
            "Compute sigma = u @ weight @ v outside no_grad(), with the weight itself.",
        ),
        Misconception(
            "cut-off",
            layer(lambda self, x: F.linear(x, (self.weight / self.sigma()).detach(), self.bias)),
            "You cut the weight off, so it gets no gradient.",
            "Only the power iteration belongs inside no_grad().",
        ),
        Misconception(
            "looks-into-iteration",
            _LooksIntoIteration,
            "Your gradient also flows through the power iteration.",
            "Run the power iteration inside `with torch.no_grad():`, and compute sigma outside it.",
        ),
        Misconception(
            "keeps-the-graph",
            _KeepsGraph,
            "You keep u with its graph, which reaches back to the first pass.",
            "Run the power iteration inside `with torch.no_grad():`, and compute sigma outside it.",
        ),
        Misconception(
            "overwrites-weight",
            layer(_overwrites_weight),
            "You write weight / sigma into the parameter itself.",
            "Compute weight / sigma as a new tensor and leave the parameter to the optimiser.",
        ),
        Misconception(
            "training-only",
            layer(_training_only),
            "In evaluation mode you do not divide by sigma.",
            "Only the update of u depends on the mode.",
        ),
        Misconception(
            "updates-in-evaluation",
            stepping(lambda self: self.n_power_iterations),
            "You update u in evaluation mode too, so a prediction changes the model.",
            "Store the new u only if self.training.",
        ),
        Misconception(
            "only-with-gradients",
            _OnlyWithGradients,
            "Under torch.no_grad() you do not update u, not even in training.",
            "The mode alone decides: ask for self.training and nothing else.",
        ),
        Misconception(
            "updates-in-evaluation-only",
            stepping(lambda self: 0 if self.training else self.n_power_iterations),
            "You update u in evaluation mode and not in training.",
            "self.training is True in training: store the new u then.",
        ),
        Misconception(
            "never-updated",
            stepping(lambda self: 0),
            "You never update u.",
            "In training, power_iteration gives a new u: store it in self.u.",
        ),
        Misconception(
            "new-u-not-stored",
            _NotKept,
            "You update a copy of u and do not store it, so each pass begins anew.",
            "In training, store the new u in self.u.",
        ),
        Misconception(
            "fresh-start",
            _FreshStart,
            "Each pass starts from a new random vector, so sigma never becomes exact.",
            "Start from self.u: then one iteration a pass is enough.",
        ),
        Misconception(
            "only-at-start",
            _OnlyAtStart,
            "You find u in the constructor only, so sigma does not follow the weight.",
            "In training, make n_power_iterations in each pass.",
        ),
        Misconception(
            "ignores-n",
            stepping(lambda self: int(self.training)),
            "You make one iteration a pass, whatever n_power_iterations is.",
            "Give n_power_iterations to power_iteration.",
        ),
        Misconception(
            "u-not-normalised",
            _NotNormalised,
            "Your u does not have length 1, so your sigma is too large.",
            "u ← Wv/‖Wv‖ and v ← Wᵀu/‖Wᵀu‖: divide both by their lengths.",
        ),
        Misconception(
            "u-not-a-buffer",
            _PlainU,
            "Your u is a plain attribute: it is not saved, and does not move with the model.",
            'Write self.register_buffer("u", ...).',
        ),
        Misconception(
            "u-not-saved",
            _NotSaved,
            "Your buffer u is not persistent, so a saved model comes back without it.",
            "Leave out persistent=False.",
        ),
        Misconception(
            "u-is-a-parameter",
            _ParameterU,
            "Your u is a parameter, and so the optimiser would change it too.",
            'Write self.register_buffer("u", ...).',
        ),
        Misconception(
            "u-of-the-inputs",
            _LengthOfInputs,
            "Your u has one entry for each input.",
            "u has one entry for each row of the weight: out_features.",
        ),
    ),
)
