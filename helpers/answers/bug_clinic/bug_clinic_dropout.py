"""Program 4, functional dropout without the flag: real repairs and half repairs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.check import Answers, Misconception


class Base(nn.Module):
    """The two layers of the program; subclasses differ in how they drop."""

    def __init__(self, inputs, hidden, outputs, p):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.p = p

    def drop(self, h):
        return F.dropout(h, self.p, training=self.training)

    def forward(self, x):
        return self.output(self.drop(torch.relu(self.hidden(x))))


class WithModule(Base):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__(inputs, hidden, outputs, p)
        self.dropout = nn.Dropout(p)

    def drop(self, h):
        return self.dropout(h)


class WithIf(Base):
    def drop(self, h):
        return F.dropout(h, self.p) if self.training else h


class ByHand(Base):
    def drop(self, h):
        if not self.training or self.p == 0:
            return h
        return h * (torch.rand_like(h) >= self.p) / (1 - self.p)


class InModuleList(Base):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__(inputs, hidden, outputs, p)
        self.drops = nn.ModuleList([nn.Dropout(p)])

    def drop(self, h):
        return self.drops[0](h)


class OwnTrain(Base):
    """Overrides train(), which eval() calls, and which a parent's train() calls as well."""

    def train(self, mode=True):
        self.dropping = mode
        return super().train(mode)

    def drop(self, h):
        return F.dropout(h, self.p, training=getattr(self, "dropping", True))


class MadeAndTold(Base):
    def drop(self, h):
        return nn.Dropout(self.p).train(self.training)(h)


class Unrepaired(Base):
    def drop(self, h):
        return F.dropout(h, self.p)


class NeverOn(Base):
    def drop(self, h):
        return h


class BoundMethod(Base):
    def drop(self, h):
        return F.dropout(h, self.p, self.train)


class MadeInForward(Base):
    def drop(self, h):
        return nn.Dropout(self.p)(h)


class InPlainList(Base):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__(inputs, hidden, outputs, p)
        self.drops = [nn.Dropout(p)]

    def drop(self, h):
        return self.drops[0](h)


class FlagOnce(Base):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__(inputs, hidden, outputs, p)
        self.dropping = self.training

    def drop(self, h):
        return F.dropout(h, self.p, training=self.dropping)


class GradFlag(Base):
    def drop(self, h):
        return F.dropout(h, self.p, training=torch.is_grad_enabled())


class OwnEval(Base):
    dropping = True

    def eval(self):
        self.dropping = False
        return super().eval()

    def drop(self, h):
        return F.dropout(h, self.p, training=self.dropping)


class FixedSeed(Base):
    def drop(self, h):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return F.dropout(h, self.p)


class Inverted(Base):
    def drop(self, h):
        return F.dropout(h, self.p, training=not self.training)


class Classical(Base):
    def drop(self, h):
        if self.training:
            return h * (torch.rand_like(h) >= self.p)
        return h * (1 - self.p)


class NotRescaled(Base):
    def drop(self, h):
        return h * (torch.rand_like(h) >= self.p) if self.training else h


class KeepsWithP(Base):
    def drop(self, h):
        return F.dropout(h, 1 - self.p, training=self.training)


class Averaged(Base):
    def drop(self, h):
        if self.training:
            return F.dropout(h, self.p)
        return torch.stack([F.dropout(h, self.p) for _ in range(10)]).mean(0)


class DropsInputs(Base):
    def forward(self, x):
        return self.output(torch.relu(self.hidden(self.drop(x))))


class DropsOutputs(Base):
    def forward(self, x):
        return self.drop(self.output(torch.relu(self.hidden(x))))


class FixedRate(Base):
    def drop(self, h):
        return F.dropout(h, 0.5, training=self.training)


class OnePatternForAll(Base):
    """One draw for each unit, the same for all samples of a batch."""

    def drop(self, h):
        if not self.training or self.p == 0:
            return h
        return h * (torch.rand(h.shape[1]) >= self.p) / (1 - self.p)


class WholeSamples(Base):
    def drop(self, h):
        return F.dropout1d(h, self.p, training=self.training)


class OwnGenerator(Base):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__(inputs, hidden, outputs, p)
        self.generator = torch.Generator().manual_seed(0)

    def drop(self, h):
        if not self.training or self.p == 0:
            return h
        return h * (torch.rand(h.shape, generator=self.generator) >= self.p) / (1 - self.p)


ANSWERS = Answers(
    reference=Base,
    variants={
        "nn.Dropout": WithModule,
        "if self.training": WithIf,
        "by hand": ByHand,
        "in a ModuleList": InModuleList,
        "own train()": OwnTrain,
        "made in forward and told": MadeAndTold,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            Unrepaired,
            "As in the broken program, dropout is on in both modes. F.dropout(h, p) has "
            "training=True as its default, and nothing tells it that the model is in evaluation "
            "mode.",
            "The model knows its mode: self.training.",
        ),
        Misconception(
            "never-on",
            NeverOn,
            "Dropout is gone, in training too. The answers are stable, and nothing is regularised.",
            "Drop in training, and only there: self.training says which it is.",
        ),
        Misconception(
            "bound-method",
            BoundMethod,
            "self.train is the method that switches the mode, not the mode; PyTorch 2.15 refuses "
            "it, and older versions took it as True for ever.",
            "The flag is self.training.",
        ),
        Misconception(
            "made-in-forward",
            MadeInForward,
            "A new nn.Dropout is made in each forward pass; a new module is in training mode, and "
            "eval() of the model came too early for it.",
            "Make it once, in __init__, as an attribute.",
        ),
        Misconception(
            "in-plain-list",
            InPlainList,
            "Your nn.Dropout lives in a plain list (or another hiding place), which nn.Module does "
            "not look into; eval() of the model never reaches it.",
            "Keep modules as attributes or in an nn.ModuleList.",
        ),
        Misconception(
            "flag-read-once",
            FlagOnce,
            "A flag of your own decides, and eval() of a parent does not reach it. A copy of "
            "self.training that is made in the constructor stays True for ever.",
            "Read self.training in forward, at each call.",
        ),
        Misconception(
            "grad-mode-as-flag",
            GradFlag,
            "Your flag says whether gradients are recorded, which is another question: one can "
            "evaluate with gradients and train without.",
            "The flag is self.training.",
        ),
        Misconception(
            "own-eval",
            OwnEval,
            "Your own eval() is called only on this model itself; eval() of a parent calls "
            "train(False) on its children, and yours is passed over.",
            "Use self.training, which reaches every module.",
        ),
        Misconception(
            "fixed-seed",
            FixedSeed,
            "The seed is fixed, so the same units are dropped each time: the answers repeat, but "
            "they are still those of a damaged network.",
            "In evaluation nothing may be dropped at all.",
        ),
        Misconception(
            "inverted",
            Inverted,
            "The flag is the wrong way round: units are dropped in evaluation and not in training.",
            "training=self.training, without `not`.",
        ),
        Misconception(
            "classical",
            Classical,
            "The units are scaled by 1 − p in evaluation, as in the first paper. In this course, as "
            "in PyTorch, evaluation leaves them alone and training divides by 1 − p.",
            "Use F.dropout with its flag: it divides in training.",
        ),
        Misconception(
            "not-rescaled",
            NotRescaled,
            "The kept units are not divided by 1 − p, so training and evaluation see different "
            "sizes.",
            "Use F.dropout with its flag: it divides in training.",
        ),
        Misconception(
            "keeps-with-p",
            KeepsWithP,
            "Units are dropped with probability 1 − p; p is the probability of dropping.",
            "Pass p itself.",
        ),
        Misconception(
            "averaged",
            Averaged,
            "In evaluation you average several damaged networks. That is calmer, but still random.",
            "In evaluation nothing may be dropped at all.",
        ),
        Misconception(
            "drops-inputs",
            DropsInputs,
            "The inputs are dropped instead of the hidden units.",
            "Drop between the ReLU and the output layer, as the program did.",
        ),
        Misconception(
            "drops-outputs",
            DropsOutputs,
            "The outputs are dropped instead of the hidden units, so some logits become 0.",
            "Drop between the ReLU and the output layer, as the program did.",
        ),
        Misconception(
            "fixed-rate",
            FixedRate,
            "Your dropout ignores p and drops half of the units.",
            "Pass self.p.",
        ),
        Misconception(
            "one-pattern-for-all",
            OnePatternForAll,
            "One mask is drawn for the whole batch, so that all samples lose the same units.",
            "Draw a mask of the shape of h.",
        ),
        Misconception(
            "whole-samples",
            WholeSamples,
            "Whole samples are dropped, with all of their units: F.dropout1d takes a matrix for one "
            "sample, and its rows for channels.",
            "Use F.dropout, which draws for each entry.",
        ),
        Misconception(
            "own-generator",
            OwnGenerator,
            "Your masks come from a generator with a fixed seed, so that every model drops the same "
            "units, whatever seed the caller has set.",
            "Draw without a generator of your own.",
        ),
    ),
)
