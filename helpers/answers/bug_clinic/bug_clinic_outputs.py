"""Program 8, a penalty added to the outputs: real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.check import Answers, Misconception


class Base(nn.Module):
    """The repaired program; subclasses change one place."""

    def __init__(self, inputs, hidden, lam):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, 1)
        self.lam = lam

    def penalty(self):
        squares = (self.first.weight**2).sum() + (self.second.weight**2).sum()
        return 0.5 * self.lam * squares

    def predict(self, x):
        return self.second(torch.relu(self.first(x))).squeeze(1)

    def forward(self, x):
        return self.predict(x)

    def loss(self, x, y):
        data = ((self(x) - y) ** 2).mean()
        return data + self.penalty() if self.training else data


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


class InSequential(Base):
    def predict(self, x):
        return nn.Sequential(self.first, nn.ReLU(), self.second)(x).flatten()


class Unrepaired(Base):
    def forward(self, x):
        return self.predict(x) + self.penalty()

    def loss(self, x, y):
        return ((self(x) - y) ** 2).mean()


class InBoth(Base):
    def forward(self, x):
        return self.predict(x) + self.penalty()


class Detached(Base):
    def penalty(self):
        return super().penalty().item()


class InEvaluationToo(Base):
    def loss(self, x, y):
        return ((self(x) - y) ** 2).mean() + self.penalty()


class PerLayer(Base):
    def loss(self, x, y):
        data = ((self(x) - y) ** 2).mean()
        for _ in (self.first, self.second):
            data = data + (self.penalty() if self.training else 0)
        return data


class PerSample(Base):
    def loss(self, x, y):
        errors = (self(x) - y) ** 2 + (self.penalty() if self.training else 0)
        return errors.mean() if not self.training else errors.mean() + (len(y) - 1) * self.penalty()


class Negative(Base):
    def loss(self, x, y):
        data = ((self(x) - y) ** 2).mean()
        return data - self.penalty() if self.training else data


class InTheTargets(Base):
    def loss(self, x, y):
        shift = self.penalty() if self.training else 0
        return ((self(x) + shift - y) ** 2).mean()


class Removed(Base):
    def penalty(self):
        return 0.0


class OnlyWhileTraining(Base):
    def forward(self, x):
        return self.predict(x) + (self.penalty() if self.training else 0)

    def loss(self, x, y):
        return ((self(x) - y) ** 2).mean()


class WithBiases(Base):
    def penalty(self):
        return 0.5 * self.lam * sum((p**2).sum() for p in self.parameters())


class OfTheOutputs(Base):
    def loss(self, x, y):
        output = self(x)
        data = ((output - y) ** 2).mean()
        return data + 0.5 * self.lam * (output**2).sum() if self.training else data


class SecondNames(Base):
    """The layers lie in a Sequential; first and second are their other names."""

    def __init__(self, inputs, hidden, lam):
        nn.Module.__init__(self)
        first, second = nn.Linear(inputs, hidden), nn.Linear(hidden, 1)
        self.net = nn.Sequential(first, nn.ReLU(), second)
        self.first, self.second = first, second
        self.lam = lam


class OtherNames(nn.Module):
    def __init__(self, inputs, hidden, lam):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.lam = lam

    def forward(self, x):
        return self.net(x).squeeze(1)

    def loss(self, x, y):
        return F.mse_loss(self(x), y)


class OnlyFirst(Base):
    def penalty(self):
        return 0.5 * self.lam * (self.first.weight**2).sum()


class SharedByTheBatch(Base):
    def loss(self, x, y):
        data = F.mse_loss(self(x), y)
        return data + self.penalty() / len(x) if self.training else data


class ColumnOfPrices(Base):
    def predict(self, x):
        return self.second(torch.relu(self.first(x)))


ANSWERS = Answers(
    reference=Base,
    variants={
        "layers with second names": SecondNames,
        "mse_loss": TorchLoss,
        "by norms": ByNorm,
        "by the number of axes": ByAxes,
        "a Sequential inside": InSequential,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            Unrepaired,
            "As in the broken program, the penalty is added to every prediction. The bias "
            "simply learns to subtract it, and the weights feel nothing.",
            "Predict without the penalty, and add it to the loss.",
        ),
        Misconception(
            "in-both",
            InBoth,
            "The penalty is in the loss now, and still in the predictions too.",
            "forward must not know λ.",
        ),
        Misconception(
            "in-training-predictions",
            OnlyWhileTraining,
            "The penalty is still added to the predictions, now in training only.",
            "Predict without the penalty in both modes, and add it to the loss.",
        ),
        Misconception(
            "detached",
            Detached,
            "The loss is right, but the penalty in it is a plain number (.item(), detach(), "
            "no_grad()): it has no gradient and moves no weight.",
            "Add the tensor itself.",
        ),
        Misconception(
            "in-evaluation-too",
            InEvaluationToo,
            "The loss in evaluation contains the penalty; there it should be the data loss alone, "
            "so that models with different λ can be compared.",
            "Ask self.training.",
        ),
        Misconception(
            "counted-twice",
            PerLayer,
            "The penalty counts twice: the ½ is missing, or all of it is added once for each layer.",
            "The formula is ½λΣw², once.",
        ),
        Misconception(
            "once-per-sample",
            PerSample,
            "The penalty is added once for each sample of the batch, so it grows with the batch.",
            "Take the mean over the samples first, then add the penalty once.",
        ),
        Misconception(
            "wrong-sign",
            Negative,
            "The penalty is subtracted, so large weights are rewarded.",
            "Add it.",
        ),
        Misconception(
            "in-the-errors",
            InTheTargets,
            "The predictions are clean now, but inside the loss the penalty is still added to them "
            "before the square is taken.",
            "Compute the mean squared error first, then add the penalty.",
        ),
        Misconception(
            "removed",
            Removed,
            "The predictions are right because the penalty is gone altogether.",
            "Add it to the loss.",
        ),
        Misconception(
            "counts-biases",
            WithBiases,
            "The biases are penalised as well; the program's formula has the two weights only.",
            "Use first.weight and second.weight.",
        ),
        Misconception(
            "of-the-outputs",
            OfTheOutputs,
            "You penalise the predictions, Σ output²; the formula has the weights.",
            "Use first.weight and second.weight.",
        ),
        Misconception(
            "other-names",
            OtherNames,
            "The layers have other names than in the program.",
            "Keep self.first and self.second.",
        ),
        Misconception(
            "first-layer-only",
            OnlyFirst,
            "Only the weights of the first layer are penalised.",
            "Add the squares of second.weight too.",
        ),
        Misconception(
            "divided-by-the-batch",
            SharedByTheBatch,
            "The penalty is divided by the number of samples; the formula has it once, as it is.",
            "Only the squared error is a mean.",
        ),
        Misconception(
            "a-column",
            ColumnOfPrices,
            "The prices have the shape (samples, 1). Minus y, of the shape (samples,), that "
            "makes a table of all pairs.",
            "Keep .squeeze(1).",
        ),
    ),
)
