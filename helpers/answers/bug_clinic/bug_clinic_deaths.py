"""Program 10, the death rate: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip


class RepairedCensus(nn.Module):
    """The repaired program; its methods are the parts."""

    def __init__(self, inputs, hidden, outputs, activation=nn.ReLU):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.activation = activation()
        self.output = nn.Linear(hidden, outputs)

    def passed(self, x):
        """The hidden units that forward hands on."""
        return self.activation(self.hidden(x))

    def measured(self, x):
        """The hidden units that death_rate looks at."""
        return self.activation(self.hidden(x))

    def at_the_end(self, y):
        return y

    def forward(self, x):
        return self.at_the_end(self.output(self.passed(x)))

    def all_of(self, batches):
        return [self.measured(x) for x in batches]

    def zero(self, h):
        return h == 0

    def dead(self, hs):
        """For each unit, or whatever is counted, whether it is dead."""
        return torch.cat([self.zero(h) for h in hs]).all(dim=0)

    def share(self, dead):
        return dead.float().mean()

    def scaled(self, share):
        return 100 * share

    def handed_in(self, rate):
        return rate.item()

    def death_rate(self, batches):
        return self.handed_in(self.scaled(self.share(self.dead(self.all_of(batches)))))


Base = RepairedCensus


class Loop(Base):
    def death_rate(self, batches):
        alive = torch.zeros((), dtype=torch.bool)
        for x in batches:
            alive = alive | (self.activation(self.hidden(x)) != 0).any(dim=0)
        return 100 * (~alive).float().mean().item()


class AllTogether(Base):
    def death_rate(self, batches):
        h = self.measured(torch.cat(list(batches)))
        return ((h == 0).all(dim=0).sum() / h.shape[1] * 100).item()


class ByLargest(Base):
    @torch.no_grad()
    def death_rate(self, batches):
        largest = torch.stack([self.measured(x).abs().amax(0) for x in batches]).amax(0)
        return float((largest == 0).double().mean() * 100)


class ByProduct(Base):
    def death_rate(self, batches):
        dead = torch.ones(self.hidden.out_features)
        for x in batches:
            dead = dead * torch.prod((self.measured(x) == 0).int(), dim=0)
        return dead.sum().item() / len(dead) * 100


class ByCounting(Base):
    def death_rate(self, batches):
        alive, units = 0, self.hidden.out_features
        counts = torch.zeros(units)
        with torch.no_grad():
            for x in batches:
                counts += torch.count_nonzero(self.measured(x), dim=0)
        for count in counts:
            alive += int(count > 0)
        return (units - alive) * 100.0 / units


class ByHook(Base):
    def death_rate(self, batches):
        seen = []
        handle = self.activation.register_forward_hook(lambda m, i, o: seen.append(o))
        for x in batches:
            self(x)
        handle.remove()
        return 100.0 * torch.cat(seen).eq(0).all(0).float().mean()


def linear(self, x):
    return self.hidden(x)


def rectified(self, x):
    return torch.relu(self.hidden(x))


def single_zeros(self, hs):
    return torch.cat([self.zero(h).flatten() for h in hs])


def fraction(self, share):
    return share


def counted_first(self, batches):
    """Goes through the batches once for their number, and then once more."""
    number = sum(1 for _ in batches)
    return [self.measured(x) for x in batches][:number]


ANSWERS = Answers(
    recipe=Recipe(RepairedCensus),
    variants={
        "in the loop": Loop,
        "all batches together": AllTogether,
        "by the largest": ByLargest,
        "by a product": ByProduct,
        "by counting": ByCounting,
        "by a hook": ByHook,
    },
    slips=(
        slip(
            "activation-left",
            "forward leaves out the activation, so another network is trained than is measured.",
            "Use the same hidden units in forward and in death_rate.",
            passed=linear,
        ),
        slip(
            "units-left",
            "Zero activations are counted. A unit is dead only when it is 0 for every sample.",
            "Use .all(dim=0) over the samples before you take the mean.",
            dead=single_zeros,
        ),
        slip(
            "percent-left",
            "You do not multiply by 100, but the result is printed with a % sign.",
            "Multiply by 100.",
            scaled=fraction,
        ),
        slip(
            "any-sample",
            "A unit counts as dead as soon as it is 0 for one sample; it must be 0 for all.",
            "Use .all(dim=0), not .any(dim=0).",
            dead=lambda self, hs: torch.cat([self.zero(h) for h in hs]).any(dim=0),
        ),
        slip(
            "mean-over-batches",
            "The rate is computed for each batch and averaged. A unit that is 0 in one batch and "
            "alive in another is alive.",
            "Keep for each unit whether it ever lived, over all batches.",
            {
                "dead": lambda self, hs: torch.stack(
                    [self.zero(h).all(0).float().mean() for h in hs]
                )
            },
            {
                "dead": lambda self, hs: torch.cat(
                    [self.zero(h).all(0).float().expand(len(h), -1) for h in hs]
                )
            },
        ),
        slip(
            "dead-in-any-batch",
            "A unit counts as dead when it is 0 in one whole batch, though it lives in another.",
            "Keep for each unit whether it ever lived, over all batches.",
            dead=lambda self, hs: torch.stack([self.zero(h).all(0) for h in hs]).any(0),
        ),
        slip(
            "last-batch",
            "Only the last batch decides.",
            "Keep for each unit whether it ever lived, over all batches.",
            all_of=lambda self, batches: [self.measured(x) for x in batches][-1:],
        ),
        slip(
            "first-batch",
            "Only the first batch decides.",
            "Keep for each unit whether it ever lived, over all batches.",
            all_of=lambda self, batches: [self.measured(next(iter(batches)))],
        ),
        slip(
            "reads-twice",
            "You go through `batches` twice, and some iterables, such as generators, are empty the "
            "second time.",
            "Do all in one loop, or make a list first.",
            all_of=counted_first,
        ),
        slip(
            "not-positive",
            "Negative values count as dead. A LeakyReLU unit below 0 still passes gradient.",
            "Compare what comes out of the activation with 0 exactly: h == 0.",
            {"zero": lambda self, h: h <= 0},
            {"dead": lambda self, hs: torch.cat(hs).amax(0) <= 0},
            {"measured": rectified},
        ),
        family(
            "nearly-zero",
            "Values below {constant} count as 0; a ReLU that is dead gives 0 exactly.",
            "Compare with 0 exactly: h == 0.",
            (1e-8, 1e-6, 1e-5, 1e-3),
            lambda c: {"zero": lambda self, h: h.abs() < c},
        ),
        slip(
            "sum-is-zero",
            "A unit counts as dead when its values add up to 0. With activations that can be "
            "negative, living values can cancel.",
            "Ask whether each value is 0: (h == 0).all(dim=0).",
            {"dead": lambda self, hs: torch.cat(hs).sum(0) == 0},
            {"dead": lambda self, hs: torch.cat(hs).mean(0) == 0},
        ),
        slip(
            "dead-samples",
            "The axes are swapped: you count samples for which all units are 0.",
            "Samples are axis 0: use .all(dim=0).",
            dead=lambda self, hs: torch.cat([self.zero(h) for h in hs]).all(dim=1),
        ),
        slip(
            "all-or-nothing",
            "You ask whether everything is 0, for all units together.",
            "Ask for each unit: .all(dim=0).",
            dead=lambda self, hs: torch.cat([self.zero(h) for h in hs]).all(),
        ),
        family(
            "mostly-zero",
            "A unit counts as dead when {constant} of its values or more are 0. One that lives for "
            "a single sample still gets a gradient.",
            "Ask for all samples: .all(dim=0).",
            (0.5, 0.9, 0.95),
            lambda c: {
                "dead": lambda self, hs: torch.cat([self.zero(h) for h in hs]).float().mean(0) >= c
            },
        ),
        slip(
            "before-activation",
            "You measure before the activation, where hardly anything is exactly 0.",
            "Measure what the activation returns.",
            measured=linear,
        ),
        slip(
            "always-relu",
            "ReLU is written into your network; the activation that is given is ignored.",
            "Use self.activation.",
            {"passed": rectified, "measured": rectified},
            {"passed": rectified},
        ),
        slip(
            "activation-at-the-end",
            "The activation is applied to the output of the network too.",
            "Apply it to the hidden units alone.",
            at_the_end=lambda self, y: self.activation(y),
        ),
        slip(
            "living-units",
            "Your number is the percentage of living units.",
            "Ask for the units that are 0 for all samples.",
            {"dead": lambda self, hs: ~torch.cat([self.zero(h) for h in hs]).all(dim=0)},
        ),
        slip(
            "never-zero",
            "You count the units that are never 0: these are the ones that are always alive.",
            "Compare with 0: (h == 0).all(dim=0).",
            {"dead": lambda self, hs: torch.cat([h != 0 for h in hs]).all(dim=0)},
            {"dead": lambda self, hs: torch.cat([h > 0 for h in hs]).all(dim=0)},
        ),
        slip(
            "living-activations",
            "You count the activations that are not 0.",
            "Ask for each unit whether it is 0 for all samples: (h == 0).all(dim=0).",
            {"dead": lambda self, hs: torch.cat([h != 0 for h in hs]).flatten()},
            {"dead": lambda self, hs: torch.cat([h > 0 for h in hs]).flatten()},
        ),
        slip(
            "number-of-units",
            "You count the dead units, and do not divide by the number of units.",
            "Take the mean over the units.",
            share=lambda self, dead: dead.float().sum(),
        ),
        slip(
            "divided-by-100",
            "You divide by 100 where you should multiply.",
            "A fraction times 100 is a percentage.",
            scaled=lambda self, share: share / 100,
        ),
        slip(
            "forward-without-gradient",
            "forward cuts the hidden units off from the graph, so that the first layer cannot learn.",
            "Leave detach() and no_grad() to death_rate.",
            passed=lambda self, x: self.activation(self.hidden(x)).detach(),
        ),
        slip(
            "as-text",
            "You return a text, and a number is meant.",
            "Leave the formatting to whoever prints it.",
            handed_in=lambda self, rate: f"{rate.item():.1f} %",
        ),
        slip(
            "returns-nothing",
            "death_rate returns nothing.",
            "Return the rate, and leave the printing to the caller.",
            handed_in=lambda self, rate: None,
            dead=RepairedCensus.dead,
            scaled=RepairedCensus.scaled,
        ),
        slip(
            "only-activation",
            "forward is right; two defects are left. Single zeros are counted, where a unit is "
            "dead only when it is 0 for every sample, and the result is a fraction, printed with "
            "a % sign.",
            "Ask for each unit whether it is 0 for all samples, and multiply by 100.",
            dead=single_zeros,
            scaled=fraction,
        ),
        slip(
            "only-units",
            "Two of the three defects are left: forward leaves out the activation, and the result "
            "is a fraction, printed with a % sign.",
            "Use the activation in forward, and multiply by 100.",
            passed=linear,
            scaled=fraction,
        ),
        slip(
            "only-percent",
            "Two of the three defects are left: forward leaves out the activation, and single zeros "
            "are counted, where a unit is dead only when it is 0 for every sample.",
            "Use the activation in forward, and ask for each unit whether it is always 0.",
            passed=linear,
            dead=single_zeros,
        ),
        slip(
            "unrepaired",
            "As in the broken program, your code counts zero activations instead of dead units, "
            "returns a fraction, and forward leaves out the activation.",
            "There are three defects; repair one after the other.",
            passed=linear,
            dead=single_zeros,
            scaled=fraction,
        ),
    ),
)
