"""Program 8, a penalty added to the outputs: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.recipe import Answers, Recipe, slip


class RepairedRegressor(nn.Module):
    """The repaired program; its methods are the parts."""

    def __init__(self, inputs, hidden, lam):
        super().__init__()
        self.build(inputs, hidden)
        self.lam = lam

    def build(self, inputs, hidden):
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, 1)

    def layers(self):
        return self.first, self.second

    def bent(self, x):
        return torch.relu(x)

    def cut(self, x):
        return x.squeeze(1)

    def price(self, x):
        first, second = self.layers()
        return self.cut(second(self.bent(first(x))))

    def shown(self, price):
        return price

    def forward(self, x):
        return self.shown(self.price(x))

    def chosen(self):
        return [layer.weight for layer in self.layers()]

    def squares(self):
        return sum((w**2).sum() for w in self.chosen())

    def rate(self):
        return 0.5 * self.lam

    def penalty(self):
        return self.rate() * self.squares()

    def error(self, output, y):
        return ((output - y) ** 2).mean()

    def total(self, output, y):
        data = self.error(output, y)
        return data + self.penalty() if self.training else data

    def loss(self, x, y):
        return self.handed_in(self.total(self(x), y))

    def handed_in(self, loss):
        return loss


Base = RepairedRegressor


class TorchLoss(Base):
    def loss(self, x, y):
        return F.mse_loss(self(x), y) + self.training * self.penalty()


class ByNorm(Base):
    def penalty(self):
        return self.lam / 2 * sum(w.norm() ** 2 for w in (self.first.weight, self.second.weight))


class ByAxes(Base):
    def loss(self, x, y):
        loss = nn.functional.mse_loss(self(x), y)
        if self.training:
            for p in self.parameters():
                if p.dim() > 1:
                    loss = loss + 0.5 * self.lam * p.square().sum()
        return loss


class ByName(Base):
    def loss(self, x, y):
        l2_reg = torch.tensor(0.0)
        for name, p in self.named_parameters():
            if "weight" in name:
                l2_reg = l2_reg + torch.norm(p, 2) ** 2
        loss = nn.MSELoss()(self(x), y)
        return loss + self.lam / 2 * l2_reg if self.training else loss


class InSequential(Base):
    def price(self, x):
        return nn.Sequential(self.first, nn.ReLU(), self.second)(x).flatten()


class SecondNames(Base):
    """The layers lie in a Sequential; first and second are their other names."""

    def build(self, inputs, hidden):
        first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, 1)
        self.net = nn.Sequential(first, nn.ReLU(), second)
        self.first, self.second = first, second


class FirstColumn(Base):
    def forward(self, x):
        hidden = F.relu(self.first(x))
        return self.second(hidden)[:, 0]


def in_a_net(self, inputs, hidden):
    self.net = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 1))


def error_alone(self, output, y):
    return self.error(output, y)


def always(self, output, y):
    return self.error(output, y) + self.penalty()


def priced(self, price):
    return price + self.penalty()


def priced_in_training(self, price):
    return price + self.penalty() if self.training else price


ANSWERS = Answers(
    recipe=Recipe(RepairedRegressor),
    variants={
        "layers with second names": SecondNames,
        "mse_loss": TorchLoss,
        "by norms": ByNorm,
        "by the number of axes": ByAxes,
        "as a tutorial prints it: by name": ByName,
        "a Sequential inside": InSequential,
        "the first column": FirstColumn,
    },
    slips=(
        slip(
            "in-both",
            "The penalty is added to the predictions as well as to the loss.",
            "forward must not know λ.",
            shown=priced,
        ),
        slip(
            "removed",
            "The penalty is missing from the loss: nothing pulls at the weights.",
            "Add it to the loss.",
            total=error_alone,
        ),
        slip(
            "in-the-errors",
            "Inside the loss the penalty is added to the predictions before the square is taken.",
            "Compute the mean squared error first, then add the penalty.",
            total=lambda self, output, y: self.error(
                output + (self.penalty() if self.training else 0), y
            ),
        ),
        slip(
            "in-evaluation-too",
            "The loss in evaluation contains the penalty; there it should be the data loss alone, "
            "so that models with different λ can be compared.",
            "Ask self.training.",
            total=always,
        ),
        slip(
            "in-evaluation-only",
            "The penalty is in the loss of evaluation and not in that of training.",
            "Add it if self.training is True.",
            total=lambda self, output, y: (
                self.error(output, y) if self.training else always(self, output, y)
            ),
        ),
        slip(
            "penalty-alone",
            "In training the loss is the penalty without the squared error.",
            "Add the penalty to the mean squared error.",
            total=lambda self, output, y: (
                self.penalty() if self.training else self.error(output, y)
            ),
        ),
        slip(
            "wrong-sign",
            "The penalty is subtracted, so large weights are rewarded.",
            "Add it.",
            total=lambda self, output, y: (
                self.error(output, y) - (self.penalty() if self.training else 0)
            ),
        ),
        slip(
            "once-per-sample",
            "The penalty is added once for each sample of the batch, so it grows with the batch.",
            "Take the mean over the samples first, then add the penalty once.",
            total=lambda self, output, y: (
                self.error(output, y) + (len(y) * self.penalty() if self.training else 0)
            ),
        ),
        slip(
            "divided-by-the-batch",
            "The penalty is divided by the number of samples; the formula has it once, as it is.",
            "Only the squared error is a mean.",
            total=lambda self, output, y: (
                self.error(output, y) + (self.penalty() / len(y) if self.training else 0)
            ),
        ),
        slip(
            "of-the-outputs",
            "You penalise the predictions, Σ output²; the formula has the weights.",
            "Use first.weight and second.weight.",
            {
                "total": lambda self, output, y: (
                    self.error(output, y)
                    + (self.rate() * (output**2).sum() if self.training else 0)
                )
            },
            {
                "total": lambda self, output, y: (
                    self.error(output, y)
                    + (self.rate() * (output**2).mean() if self.training else 0)
                )
            },
        ),
        slip(
            "detached",
            "The penalty is a plain number (.item(), detach(), .data, no_grad()): it has no "
            "gradient and moves no weight.",
            "Add the tensor itself.",
            penalty=lambda self: float(self.rate() * self.squares()),
        ),
        slip(
            "counted-twice",
            "The penalty counts twice: the ½ is missing, or all of it is added once for each layer.",
            "The formula is ½λΣw², once.",
            rate=lambda self: self.lam,
        ),
        slip(
            "lambda-lost",
            "The penalty does not hang on λ.",
            "Multiply by self.lam.",
            {"rate": lambda self: 0.5},
            {"rate": lambda self: 1.0},
        ),
        slip(
            "half-twice",
            "The factor ½ is there twice.",
            "The formula is ½λΣw².",
            rate=lambda self: 0.25 * self.lam,
        ),
        slip(
            "counts-biases",
            "The biases are penalised as well; the program's formula has the two weights only.",
            "Use first.weight and second.weight.",
            chosen=lambda self: list(self.parameters()),
        ),
        slip(
            "first-layer-only",
            "Only the weights of the first layer are penalised.",
            "Add the squares of second.weight too.",
            chosen=lambda self: [self.layers()[0].weight],
        ),
        slip(
            "second-layer-only",
            "Only the weights of the second layer are penalised.",
            "Add the squares of first.weight too.",
            chosen=lambda self: [self.layers()[1].weight],
        ),
        slip(
            "not-squared",
            "The penalty adds the norms of the weights, and the formula has their squares.",
            "Take no root.",
            squares=lambda self: sum(w.norm() for w in self.chosen()),
        ),
        slip(
            "absolute",
            "The penalty adds absolute values; the formula has squares.",
            "Square the weights.",
            squares=lambda self: sum(w.abs().sum() for w in self.chosen()),
        ),
        slip(
            "means",
            "The penalty has the mean of the squares of each layer; the formula has the sum.",
            "Replace mean by sum.",
            squares=lambda self: sum((w**2).mean() for w in self.chosen()),
        ),
        slip(
            "product-of-the-squares",
            "The penalty multiplies the squares of the two layers; the formula adds them.",
            "Add them.",
            squares=lambda self: torch.stack([(w**2).sum() for w in self.chosen()]).prod(),
        ),
        slip(
            "error-summed",
            "The squared errors are added up; the loss has their mean.",
            "Leave .mean() as it was.",
            error=lambda self, output, y: ((output - y) ** 2).sum(),
        ),
        slip(
            "error-halved",
            "The squared error has got a ½ that belongs to the penalty alone.",
            "Leave the mean squared error as it was.",
            error=lambda self, output, y: 0.5 * ((output - y) ** 2).mean(),
        ),
        slip(
            "absolute-error",
            "The data loss has become the mean absolute error.",
            "Leave the mean squared error as it was.",
            error=lambda self, output, y: (output - y).abs().mean(),
        ),
        slip(
            "no-relu",
            "The network has lost its ReLU: two linear layers in a row are one.",
            "Leave torch.relu where it was.",
            bent=lambda self, x: x,
        ),
        slip(
            "other-activation",
            "The network has another activation than in the program.",
            "Leave torch.relu where it was.",
            {"bent": lambda self, x: torch.sigmoid(x)},
            {"bent": lambda self, x: torch.tanh(x)},
        ),
        slip(
            "a-column",
            "The prices have the shape (samples, 1). Minus y, of the shape (samples,), that "
            "makes a table of all pairs.",
            "Keep .squeeze(1).",
            cut=lambda self, x: x,
        ),
        slip(
            "squeezes-all-axes",
            "squeeze() without an axis takes the axis of the samples too, when there is one sample.",
            "Keep .squeeze(1).",
            cut=lambda self, x: x.squeeze(),
        ),
        slip(
            "loss-cut-off",
            "The whole loss is cut off from the weights (by detach(), no_grad() or "
            "torch.tensor(...)).",
            "Return what the sum gives.",
            handed_in=lambda self, loss: loss.detach(),
        ),
        slip(
            "loss-is-a-number",
            "loss returns a plain number, which has no gradient.",
            "Return the tensor itself.",
            handed_in=lambda self, loss: loss.item(),
        ),
        slip(
            "loss-in-pieces",
            "loss returns one value for each sample.",
            "Take the mean over the samples.",
            error=lambda self, output, y: (output - y) ** 2,
        ),
        slip(
            "other-names",
            "The layers have other names than in the program.",
            "Keep self.first and self.second.",
            build=in_a_net,
            layers=lambda self: (self.net[0], self.net[2]),
        ),
        slip(
            "in-training-predictions",
            "The penalty is still added to the predictions, now in training only.",
            "Predict without the penalty in both modes, and add it to the loss.",
            {"shown": priced_in_training, "total": error_alone},
            {"shown": priced_in_training},
        ),
        slip(
            "subtracted-from-the-price",
            "The penalty is subtracted from the predictions.",
            "forward must not know λ.",
            {"shown": lambda self, price: price - self.penalty()},
            {"shown": lambda self, price: price - self.penalty(), "total": error_alone},
        ),
        slip(
            "unrepaired",
            "As in the broken program, the penalty is added to every prediction. The bias "
            "simply learns to subtract it, and the weights feel nothing.",
            "Predict without the penalty, and add it to the loss.",
            shown=priced,
            total=error_alone,
        ),
    ),
)
