"""Program 10, the death rate: real repairs and all partial ones."""

from __future__ import annotations

import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


class Base(nn.Module):
    """The repaired program; subclasses change one place."""

    def __init__(self, inputs, hidden, outputs, activation=nn.ReLU):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.activation = activation()
        self.output = nn.Linear(hidden, outputs)

    def units(self, x):
        return self.activation(self.hidden(x))

    def forward(self, x):
        return self.output(self.units(x))

    def death_rate(self, batches):
        alive = torch.zeros(self.hidden.out_features, dtype=torch.bool)
        for x in batches:
            alive |= (self.units(x) != 0).any(dim=0)
        return 100 * (~alive).float().mean().item()


class AllTogether(Base):
    def death_rate(self, batches):
        h = self.units(torch.cat(list(batches)))
        return ((h == 0).all(dim=0).sum() / h.shape[1] * 100).item()


class ByLargest(Base):
    @torch.no_grad()
    def death_rate(self, batches):
        largest = torch.stack([self.units(x).abs().amax(0) for x in batches]).amax(0)
        return float((largest == 0).double().mean() * 100)


class ByProduct(Base):
    def death_rate(self, batches):
        dead = torch.ones(self.hidden.out_features)
        for x in batches:
            dead = dead * torch.prod((self.units(x) == 0).int(), dim=0)
        return dead.sum().item() / len(dead) * 100


class ByHook(Base):
    def death_rate(self, batches):
        seen = []
        handle = self.activation.register_forward_hook(lambda m, i, o: seen.append(o))
        for x in batches:
            self(x)
        handle.remove()
        return 100.0 * torch.cat(seen).eq(0).all(0).float().mean()


def partial(activation=False, units=False, percent=False):
    """The broken program with some of its three defects repaired."""

    class Partial(Base):
        def forward(self, x):
            return self.output(self.units(x) if activation else self.hidden(x))

        def death_rate(self, batches):
            zero = torch.cat([self.units(x) == 0 for x in batches])
            rate = (zero.all(dim=0) if units else zero).float().mean().item()
            return 100 * rate if percent else rate

    return Partial


class AnySample(Base):
    def death_rate(self, batches):
        zero = torch.cat([self.units(x) == 0 for x in batches])
        return 100 * zero.any(dim=0).float().mean().item()


class MeanOverBatches(Base):
    def death_rate(self, batches):
        rates = [(self.units(x) == 0).all(0).float().mean() for x in batches]
        return 100 * torch.stack(rates).mean().item()


class LastBatch(Base):
    def death_rate(self, batches):
        for x in batches:
            dead = (self.units(x) == 0).all(0)
        return 100 * dead.float().mean().item()


class FirstBatch(Base):
    def death_rate(self, batches):
        x = next(iter(batches))
        return 100 * (self.units(x) == 0).all(0).float().mean().item()


class NotPositive(Base):
    def death_rate(self, batches):
        h = torch.cat([self.units(x) for x in batches])
        return 100 * (h <= 0).all(0).float().mean().item()


class DeadSamples(Base):
    def death_rate(self, batches):
        h = torch.cat([self.units(x) for x in batches])
        return 100 * (h == 0).all(1).float().mean().item()


class BeforeActivation(Base):
    def death_rate(self, batches):
        h = torch.cat([self.hidden(x) for x in batches])
        return 100 * (h == 0).all(0).float().mean().item()


class SumIsZero(Base):
    def death_rate(self, batches):
        h = torch.cat([self.units(x) for x in batches])
        return 100 * (h.sum(0) == 0).float().mean().item()


class AlwaysReLU(Base):
    def units(self, x):
        return torch.relu(self.hidden(x))


PERCENT = "The result is a fraction, but it is printed with a % sign."
ZEROS = "Zero activations are counted. A unit is dead only when it is 0 for every sample."
LINEAR = "forward leaves out the activation, so another network is trained than is measured."


def mostly(share):
    """Dead is what is 0 for more than a share of the samples."""

    class Mostly(Base):
        def death_rate(self, batches):
            zero = torch.cat([self.units(x) == 0 for x in batches]).float()
            return 100 * (zero.mean(0) >= share).float().mean().item()

    return Mostly


class ReadsTwice(Base):
    """Counts the samples first, and has then used up what can be read once."""

    def death_rate(self, batches):
        zeros = torch.zeros(self.hidden.out_features)
        samples = sum(len(x) for x in batches)
        for x in batches:
            zeros += (self.units(x) == 0).sum(0)
        return 100 * (zeros == samples).float().mean().item()


class Alive(Base):
    def death_rate(self, batches):
        return 100 - super().death_rate(batches)


ANSWERS = Answers(
    reference=Base,
    variants={
        "all batches together": AllTogether,
        "by the largest": ByLargest,
        "by a product": ByProduct,
        "by a hook": ByHook,
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            partial(),
            "As in the broken program, your code counts zero activations instead of dead units, "
            "returns a fraction, and forward leaves out the activation.",
            "There are three defects; repair one after the other.",
        ),
        Misconception(
            "only-activation",
            partial(activation=True),
            f"forward is right now, two defects are left. {ZEROS} {PERCENT}",
            "Ask for each unit whether it is 0 for all samples, and multiply by 100.",
        ),
        Misconception(
            "only-units",
            partial(units=True),
            f"Dead units are counted now, two defects are left. {LINEAR} {PERCENT}",
            "Use the activation in forward, and multiply by 100.",
        ),
        Misconception(
            "only-percent",
            partial(percent=True),
            f"The unit of the number is right now, two defects are left. {LINEAR} {ZEROS}",
            "Use the activation in forward, and ask for each unit whether it is always 0.",
        ),
        Misconception(
            "activation-left",
            partial(units=True, percent=True),
            f"The rate is right; one defect is left. {LINEAR}",
            "Use the same hidden units in forward and in death_rate.",
        ),
        Misconception(
            "units-left",
            partial(activation=True, percent=True),
            f"One defect is left. {ZEROS}",
            "Use .all(dim=0) over the samples before you take the mean.",
        ),
        Misconception(
            "percent-left",
            partial(activation=True, units=True),
            f"One defect is left. {PERCENT}",
            "Multiply by 100.",
        ),
        Misconception(
            "any-sample",
            AnySample,
            "A unit counts as dead as soon as it is 0 for one sample; it must be 0 for all.",
            "Use .all(dim=0), not .any(dim=0).",
        ),
        Misconception(
            "mean-over-batches",
            MeanOverBatches,
            "The rate is computed for each batch and averaged. A unit that is 0 in one batch and "
            "alive in another is alive.",
            "Keep for each unit whether it ever lived, over all batches.",
        ),
        Misconception(
            "last-batch",
            LastBatch,
            "Only the last batch decides.",
            "Keep for each unit whether it ever lived, over all batches.",
        ),
        Misconception(
            "first-batch",
            FirstBatch,
            "Only the first batch decides.",
            "Keep for each unit whether it ever lived, over all batches.",
        ),
        Misconception(
            "not-positive",
            NotPositive,
            "Negative values count as dead. A LeakyReLU unit below 0 still passes gradient.",
            "Compare with 0 exactly: h == 0.",
        ),
        Misconception(
            "sum-is-zero",
            SumIsZero,
            "A unit counts as dead when its values add up to 0. With activations that can be "
            "negative, living values can cancel.",
            "Ask whether each value is 0: (h == 0).all(dim=0).",
        ),
        Misconception(
            "dead-samples",
            DeadSamples,
            "The axes are swapped: you count samples for which all units are 0.",
            "Samples are axis 0: use .all(dim=0).",
        ),
        Misconception(
            "before-activation",
            BeforeActivation,
            "You measure before the activation, where hardly anything is exactly 0.",
            "Measure what the activation returns.",
        ),
        Misconception(
            "always-relu",
            AlwaysReLU,
            "ReLU is written into your network; the activation that is given is ignored.",
            "Use self.activation.",
        ),
        Misconception(
            "mostly-zero",
            mostly(0.9),
            "A unit counts as dead when it is 0 for nearly all samples. One that lives for a "
            "single sample still gets a gradient.",
            "Ask for all samples: .all(dim=0).",
        ),
        Misconception(
            "zero-for-half",
            mostly(0.5),
            "A unit counts as dead when it is 0 for half of the samples. That is what an "
            "ordinary ReLU unit does.",
            "Ask for all samples: .all(dim=0).",
        ),
        Misconception(
            "reads-twice",
            ReadsTwice,
            "You go through `batches` twice, and some iterables, such as generators, are "
            "empty the second time.",
            "Do all in one loop, or make a list first.",
        ),
        Misconception(
            "living-units",
            Alive,
            "Your number is the percentage of living units.",
            "Take 100 minus it.",
        ),
    ),
)
