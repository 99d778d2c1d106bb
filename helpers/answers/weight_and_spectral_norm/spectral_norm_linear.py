"""A linear layer whose weight is divided by its largest singular value: the slips."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.answers.weight_and_spectral_norm.power_iteration import unit
from helpers.answers.weight_and_spectral_norm.spectral_layers import (
    RECIPE,
    AsInTheLesson,
    AsInTorch,
    AsPublished,
    DividesOutputs,
    RestsInEvaluation,
    SubclassOfLinear,
)
from helpers.checking.recipe import Answers, family, slip

Tensor = torch.Tensor


def _overwritten(self: Any, s: Tensor) -> Tensor:
    with torch.no_grad():
        self.weight /= s
    return self.weight  # type: ignore[no-any-return]


def _into_data(self: Any, u: Tensor) -> None:
    self.u.data = u


def _from_the_inputs(self: Any) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        left, u = unit(self.weight @ self.u), self.u
        for _ in range(self.n):
            left = unit(self.weight @ u)
            u = unit(self.weight.T @ left)
        if self.training:
            self.u = u
    return left, u


def _converged(self: Any) -> None:
    with torch.no_grad():
        self.u = self.iterated(self.u, 100)[0]


ANSWERS = Answers(
    recipe=RECIPE,
    variants={
        "as in the lesson": AsInTheLesson,
        "the order of torch": AsInTorch,
        "as published code prints it": AsPublished,
        "divides the outputs": DividesOutputs,
        "rests in evaluation": RestsInEvaluation,
        "a subclass of nn.Linear": SubclassOfLinear,
    },
    slips=(
        slip(
            "divides-bias",
            "You divide the bias by sigma as well.",
            "Divide the weight, then add the bias as it is.",
            shifted=lambda self, y, s: y + self.bias / s,
        ),
        slip(
            "no-bias",
            "You leave out the bias.",
            "Add self.bias at the end.",
            shifted=lambda self, y, s: y,
        ),
        slip(
            "multiplies",
            "You multiply the weight by sigma.",
            "Divide by it: then the largest stretch is 1.",
            divided=lambda self, s: self.weight * s,
        ),
        slip(
            "not-divided",
            "You use the weight as it is.",
            "The output uses weight / sigma.",
            divided=lambda self, s: self.weight + 0 * s,
        ),
        slip(
            "by-rows",
            "You divide each row by its own length; that is weight norm with g = 1.",
            "One number, sigma, divides the whole matrix.",
            divided=lambda self, s: F.normalize(self.weight, dim=1),
        ),
        slip(
            "cut-off",
            "You cut the weight off, so it gets no gradient.",
            "Only the power iteration belongs inside no_grad().",
            divided=lambda self, s: (self.weight / s).detach(),
        ),
        slip(
            "constant-weight",
            "You divide a weight that is cut off, so its gradient comes through sigma alone.",
            "Divide self.weight itself, without .data or detach().",
            divided=lambda self, s: self.weight.detach() / s,
        ),
        slip(
            "overwrites-weight",
            "You write weight / sigma into the parameter itself.",
            "Compute weight / sigma as a new tensor and leave the parameter to the optimiser.",
            divided=_overwritten,
        ),
        slip(
            "training-only",
            "In evaluation mode you do not divide by sigma.",
            "Only the update of u depends on the mode.",
            divided=lambda self, s: self.weight / s if self.training else self.weight,
        ),
        slip(
            "square-root",
            "You divide by the square root of sigma.",
            "uᵀWv is the largest singular value itself: no root is left to take.",
            sigma=lambda self, s: s.sqrt(),
        ),
        slip(
            "squared",
            "You divide by the square of sigma.",
            "uᵀWv is the largest singular value itself: divide by it once.",
            sigma=lambda self, s: s**2,
        ),
        slip(
            "only-above-one",
            "You divide only when sigma is above 1.",
            "Divide always, so that the largest stretch is exactly 1.",
            sigma=lambda self, s: s.clamp(min=1),
        ),
        slip(
            "constant-sigma",
            "You cut sigma off from the weight; only u and v are constants.",
            "Compute sigma = u @ weight @ v outside no_grad(), with the weight itself.",
            sigma=lambda self, s: s.detach(),
        ),
        slip(
            "frobenius",
            "You divide by the root of the sum of all squares, the Frobenius norm.",
            "Divide by sigma = uᵀWv, the largest stretch, which is smaller.",
            stretch=lambda self, u, v: self.weight.norm(),
        ),
        slip(
            "longest-row",
            "You divide by the length of the longest row.",
            "Short rows do not mean a small stretch: divide by sigma = uᵀWv.",
            stretch=lambda self, u, v: self.weight.norm(dim=1).max(),
        ),
        slip(
            "pytorchs-norm",
            "You let torch.linalg.norm find sigma: of a matrix, with ord=2, it gives the largest "
            "singular value.",
            "Compute sigma = u @ weight @ v from your own power iteration.",
            stretch=lambda self, u, v: torch.linalg.norm(self.weight, 2),
        ),
        slip(
            "looks-into-iteration",
            "Your gradient also flows through the power iteration.",
            "Run the power iteration inside `with torch.no_grad():`, and compute sigma outside it.",
            recording=lambda self: torch.enable_grad(),
            store=lambda self, u: setattr(self, "u", u.detach()),
        ),
        slip(
            "keeps-the-graph",
            "You keep u with its graph, which reaches back to the first pass.",
            "Run the power iteration inside `with torch.no_grad():`, and compute sigma outside it.",
            recording=lambda self: torch.enable_grad(),
        ),
        slip(
            "updates-in-evaluation",
            "You update u in evaluation mode too, so a prediction changes the model.",
            "Store the new u only if self.training.",
            keeps=lambda self: True,
        ),
        slip(
            "updates-in-evaluation-only",
            "You update u in evaluation mode and not in training.",
            "self.training is True in training: store the new u then.",
            keeps=lambda self: not self.training,
        ),
        slip(
            "only-with-gradients",
            "Under torch.no_grad() you do not update u, not even in training.",
            "The mode alone decides: ask for self.training and nothing else.",
            keeps=lambda self: self.training and torch.is_grad_enabled(),
        ),
        slip(
            "new-u-not-stored",
            "You update a copy of u and do not store it, so each pass begins anew.",
            "In training, store the new u in self.u.",
            keeps=lambda self: False,
        ),
        slip(
            "never-updated",
            "You never update u.",
            "In training, power_iteration gives a new u: store it in self.u.",
            steps=lambda self: 0,
        ),
        slip(
            "only-at-start",
            "You find u in the constructor only, so sigma does not follow the weight.",
            "In training, make n_power_iterations in each pass.",
            finish=_converged,
            steps=lambda self: 0,
        ),
        slip(
            "fresh-start",
            "Each pass starts from a new random vector, so sigma never becomes exact.",
            "Start from self.u: then one iteration a pass is enough.",
            begin=lambda self: unit(torch.randn_like(self.u)),
        ),
        slip(
            "ignores-n",
            "You make one iteration a pass, whatever n_power_iterations is.",
            "Give n_power_iterations to power_iteration.",
            steps=lambda self: 1,
        ),
        slip(
            "one-iteration-more",
            "You make one iteration more than n_power_iterations.",
            "Exactly n_power_iterations a pass, from the u of the pass before.",
            steps=lambda self: self.n + 1,
        ),
        family(
            "other-default",
            "Your default for n_power_iterations is {constant}, and 1 is asked for.",
            "Keep the signature of the skeleton.",
            (2, 3, 5, 10),
            lambda n: {"default_n": n},
        ),
        slip(
            "u-not-normalised",
            "Your u does not have length 1, so your sigma is too large.",
            "u ← Wv/‖Wv‖ and v ← Wᵀu/‖Wᵀu‖: divide both by their lengths.",
            unit_u=lambda self, u: u,
        ),
        slip(
            "v-not-normalised",
            "Your v does not have length 1, so your sigma is the square of the largest stretch.",
            "u ← Wv/‖Wv‖ and v ← Wᵀu/‖Wᵀu‖: divide both by their lengths.",
            unit_v=lambda self, v: v,
        ),
        slip(
            "starts-with-ones",
            "Your u starts the same in every layer, and may be orthogonal to the right direction.",
            "Draw the start at random: torch.randn(out_features).",
            {"first_u": lambda self, i, o: unit(torch.ones(o))},
            {"first_u": lambda self, i, o: torch.ones(o)},
        ),
        slip(
            "starts-with-zeros",
            "Your u starts with zeros: the length of Wᵀu is 0, and 0/0 is NaN.",
            "Draw the start at random: torch.randn(out_features).",
            first_u=lambda self, i, o: torch.zeros(o),
        ),
        slip(
            "u-of-the-inputs",
            "Your u has one entry for each input.",
            "u has one entry for each row of the weight: out_features.",
            {"first_u": lambda self, i, o: unit(torch.randn(i)), "vectors": _from_the_inputs},
            {"first_u": lambda self, i, o: unit(torch.randn(i))},
        ),
        slip(
            "u-of-two-axes",
            "Your u is a matrix with one row or one column.",
            "u is a vector: torch.randn(out_features).",
            {
                "first_u": lambda self, i, o: unit(torch.randn(1, o)),
                "begin": lambda self: self.u.flatten(),
                "store": lambda self, u: setattr(self, "u", u.view_as(self.u)),
            },
            {
                "first_u": lambda self, i, o: unit(torch.randn(o, 1)),
                "begin": lambda self: self.u.flatten(),
                "store": lambda self, u: setattr(self, "u", u.view_as(self.u)),
            },
        ),
        slip(
            "u-not-a-buffer",
            "Your u is a plain attribute: it is not saved, and does not move with the model.",
            'Write self.register_buffer("u", ...).',
            make_u=lambda self, u: setattr(self, "u", u),
        ),
        slip(
            "u-not-saved",
            "Your buffer u is not persistent, so a saved model comes back without it.",
            "Leave out persistent=False.",
            make_u=lambda self, u: self.register_buffer("u", u, persistent=False),
        ),
        slip(
            "u-is-a-parameter",
            "Your u is a parameter, and so the optimiser would change it too.",
            'Write self.register_buffer("u", ...).',
            {"make_u": lambda self, u: setattr(self, "u", nn.Parameter(u)), "store": _into_data},
            {"make_u": lambda self, u: setattr(self, "u", nn.Parameter(u))},
            {
                "make_u": lambda self, u: setattr(self, "u", nn.Parameter(u, requires_grad=False)),
                "store": _into_data,
            },
        ),
        slip(
            "no-super",
            "Your constructor does not set up nn.Module before it makes parameters.",
            "Its first line is super().__init__().",
            prepare=lambda self: None,
        ),
        slip(
            "cut-off-input",
            "You cut the input off, so the layers before this one get no gradient.",
            "Compute with x itself, without detach() or .data.",
            input=lambda self, x: x.detach(),
        ),
        slip(
            "not-transposed",
            "You multiply x by w; w has the shape (out, in).",
            "x @ w.T, or F.linear(x, w, bias).",
            product=lambda self, x, w: x @ w,
        ),
        slip(
            "needs-two-axes",
            "Your layer takes inputs with exactly two axes.",
            "F.linear(x, w, bias), or x @ w.T + bias, takes any number of leading axes.",
            {"product": lambda self, x, w: torch.addmm(0 * self.bias, x, w.T)},
            {"product": lambda self, x, w: torch.mm(x, w.T)},
        ),
    ),
)
