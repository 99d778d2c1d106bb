"""Program 4, functional dropout without the flag: the recipe, its slips, and real repairs."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


class Base(nn.Module):
    """The repaired classifier; its methods are the parts."""

    def __init__(self, inputs: int, hidden: int, outputs: int, p: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.p = p
        self.prepare()

    def prepare(self) -> None:
        """What a repair adds to the constructor."""

    def is_on(self) -> Any:
        return self.training

    def rate(self) -> float:
        return self.p

    def kept(self, h: Tensor, p: float) -> Tensor:
        return torch.rand_like(h) >= p

    def scaled(self, h: Tensor, p: float) -> Tensor:
        return h / (1 - p)

    def in_training(self, h: Tensor) -> Tensor:
        p = self.rate()
        return self.scaled(h * self.kept(h, p), p)

    def in_evaluation(self, h: Tensor) -> Any:
        return h

    def drop(self, h: Tensor) -> Any:
        return self.in_training(h) if self.is_on() else self.in_evaluation(h)

    def activated(self, x: Tensor) -> Tensor:
        return torch.relu(self.hidden(x))

    def body(self, x: Tensor) -> Any:
        return self.output(self.drop(self.activated(x)))

    def handed_in(self, y: Any) -> Any:
        return y

    def forward(self, x: Tensor) -> Any:
        return self.handed_in(self.body(x))


def _variant(**parts: Any) -> Any:
    return type("Variant", (Base,), parts)


def _has_dropout(self: Any) -> None:
    self.dropout = nn.Dropout(self.p)


def _has_a_list(self: Any) -> None:
    self.drops = nn.ModuleList([nn.Dropout(self.p)])


def _has_a_plain_list(self: Any) -> None:
    self.drops = [nn.Dropout(self.p)]


def _reads_the_flag_once(self: Any) -> None:
    self.dropping = self.training


def _switches(self: Any, mode: bool = True) -> Any:
    """Overrides train(), which eval() calls, and which a parent's train() calls as well."""
    self.dropping = mode
    return nn.Module.train(self, mode)


def _switches_off(self: Any) -> Any:
    self.dropping = False
    return nn.Module.eval(self)


def _by_hand(self: Any, h: Tensor) -> Tensor:
    if not self.training or self.p == 0:
        return h
    return h * (torch.rand_like(h) >= self.p) / (1 - self.p)


def _seeded(self: Any, h: Tensor, p: float) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torch.rand_like(h) >= p


def _seeding(self: Any, h: Tensor, p: float) -> Tensor:
    torch.manual_seed(0)
    return torch.rand_like(h) >= p


def _has_a_generator(self: Any) -> None:
    self.generator = torch.Generator().manual_seed(0)


def _has_a_mask(self: Any) -> None:
    self.mask = torch.rand(self.hidden.out_features) >= self.p


def _dropped_by_f(self: Any, h: Tensor) -> Tensor:
    return F.dropout(h, self.p)


def _calling(switch: str) -> Any:
    def body(self: Any, x: Tensor) -> Any:
        getattr(self, switch)()
        return Base.body(self, x)

    return body


CURVES: dict[str, Any] = {
    "tanh": torch.tanh,
    "the sigmoid": torch.sigmoid,
    "GELU": F.gelu,
    "LeakyReLU": F.leaky_relu,
}
ENDS: dict[str, Any] = {
    "softmax": lambda self, y: y.softmax(-1),
    "log_softmax": lambda self, y: y.log_softmax(-1),
    "the sigmoid": lambda self, y: y.sigmoid(),
    "ReLU": lambda self, y: y.relu(),
}


ANSWERS = Answers(
    recipe=Recipe(Base),
    variants={
        "F.dropout with the flag": _variant(
            drop=lambda self, h: F.dropout(h, self.p, training=self.training)
        ),
        "as a textbook prints it: nn.Dropout": _variant(
            prepare=_has_dropout, drop=lambda self, h: self.dropout(h)
        ),
        "as a course prints it: if self.training": _variant(
            drop=lambda self, h: F.dropout(h, self.p) if self.training else h
        ),
        "by hand": _variant(drop=_by_hand),
        "in a ModuleList": _variant(prepare=_has_a_list, drop=lambda self, h: self.drops[0](h)),
        "own train()": _variant(
            prepare=_reads_the_flag_once,
            train=_switches,
            drop=lambda self, h: F.dropout(h, self.p, training=self.dropping),
        ),
        "made in forward and told": _variant(
            drop=lambda self, h: nn.Dropout(self.p).train(self.training)(h)
        ),
        "p of 0 in evaluation": _variant(
            drop=lambda self, h: F.dropout(h, self.p if self.training else 0.0)
        ),
        "dropped before ReLU": _variant(
            body=lambda self, x: self.output(torch.relu(self.drop(self.hidden(x))))
        ),
        "in place": _variant(
            drop=lambda self, h: F.dropout(h, self.p, self.training, inplace=True)
        ),
    },
    slips=(
        slip(
            "unrepaired",
            "As in the broken program, dropout is on in both modes: nothing tells it that the model "
            "is in evaluation mode. (F.dropout(h, p) has training=True as its default.)",
            "The model knows its mode: self.training.",
            is_on=lambda self: True,
        ),
        slip(
            "never-on",
            "Dropout is gone, in training too. The answers are stable, and nothing is regularised.",
            "Drop in training, and only there: self.training says which it is.",
            is_on=lambda self: False,
        ),
        slip(
            "bound-method",
            "self.train is the method that switches the mode, not the mode; PyTorch 2.15 refuses "
            "it, and older versions took it as True for ever.",
            "The flag is self.training.",
            drop=lambda self, h: F.dropout(h, self.p, self.train),
        ),
        slip(
            "switches-itself",
            "Your forward calls self.train() or self.eval(), and so changes the mode that the caller "
            "has set.",
            "Read self.training, and leave it as it is.",
            {"body": _calling("train")},
            {"body": _calling("eval")},
        ),
        slip(
            "made-in-forward",
            "A new nn.Dropout is made in each forward pass; a new module is in training mode, and "
            "eval() of the model came too early for it.",
            "Make it once, in __init__, as an attribute.",
            in_evaluation=lambda self, h: nn.Dropout(self.rate())(h),
            in_training=lambda self, h: nn.Dropout(self.rate())(h),
        ),
        slip(
            "in-plain-list",
            "Your nn.Dropout lives in a plain list (or another hiding place), which nn.Module does "
            "not look into; eval() of the model never reaches it.",
            "Keep modules as attributes or in an nn.ModuleList.",
            prepare=_has_a_plain_list,
            drop=lambda self, h: self.drops[0](h),
        ),
        slip(
            "flag-read-once",
            "A flag of your own decides, and eval() of a parent does not reach it. A copy of "
            "self.training that is made in the constructor stays True for ever.",
            "Read self.training in forward, at each call.",
            prepare=_reads_the_flag_once,
            is_on=lambda self: self.dropping,
        ),
        slip(
            "grad-mode-as-flag",
            "Your flag says whether gradients are recorded, which is another question: one can "
            "evaluate with gradients and train without.",
            "The flag is self.training.",
            is_on=lambda self: torch.is_grad_enabled(),
        ),
        slip(
            "own-eval",
            "Your own eval() is called only on this model itself; eval() of a parent calls "
            "train(False) on its children, and yours is passed over.",
            "Use self.training, which reaches every module.",
            prepare=_reads_the_flag_once,
            is_on=lambda self: self.dropping,
            eval=_switches_off,
        ),
        slip(
            "inverted",
            "The flag is the wrong way round: units are dropped in evaluation and not in training.",
            "training=self.training, without `not`.",
            is_on=lambda self: not self.training,
        ),
        slip(
            "averaged",
            "In evaluation you average several damaged networks. That is calmer, but still random.",
            "In evaluation nothing may be dropped at all.",
            *(
                {
                    "in_evaluation": lambda self, h, n=n: torch.stack(
                        [_dropped_by_f(self, h) for _ in range(n)]
                    ).mean(0)
                }
                for n in (10, 100)
            ),
        ),
        slip(
            "classical",
            "The units are scaled by 1 − p in evaluation, as in the first paper. In this course, as "
            "in PyTorch, evaluation leaves them alone and training divides by 1 − p.",
            "Use F.dropout with its flag: it divides in training.",
            scaled=lambda self, h, p: h,
            in_evaluation=lambda self, h: h * (1 - self.rate()),
        ),
        slip(
            "scaled-in-both",
            "The hidden units are multiplied by 1 − p in evaluation, although training has divided "
            "by it already.",
            "In evaluation leave them as they are.",
            in_evaluation=lambda self, h: h * (1 - self.rate()),
        ),
        slip(
            "divided-in-evaluation",
            "The hidden units are divided by 1 − p in evaluation, where nothing was dropped.",
            "In evaluation leave them as they are.",
            in_evaluation=lambda self, h: h / (1 - self.rate()),
        ),
        slip(
            "zeros-in-evaluation",
            "In evaluation all hidden units are set to 0.",
            "In evaluation leave them as they are.",
            in_evaluation=lambda self, h: h * 0,
        ),
        slip(
            "nothing-in-evaluation",
            "In evaluation your forward has nothing to go on with: a way through it ends without "
            "a value.",
            "In evaluation the hidden units pass as they are.",
            in_evaluation=lambda self, h: None,
        ),
        slip(
            "not-rescaled",
            "The kept units are not divided by 1 − p, so training and evaluation see different "
            "sizes.",
            "Use F.dropout with its flag: it divides in training.",
            scaled=lambda self, h, p: h,
        ),
        slip(
            "divided-by-p",
            "The kept units are divided by p; 1 − p is the probability of keeping.",
            "Use F.dropout with its flag: it divides in training.",
            {"scaled": lambda self, h, p: h / p},
            {"scaled": lambda self, h, p: h / p if p else h},
        ),
        slip(
            "multiplied",
            "The kept units are multiplied by 1 − p in training, and become smaller where they "
            "should become larger.",
            "Use F.dropout with its flag: it divides in training.",
            scaled=lambda self, h, p: h * (1 - p),
        ),
        slip(
            "rescaled-twice",
            "The kept units are divided by 1 − p twice: F.dropout has done it already.",
            "Use F.dropout with its flag, and nothing else.",
            scaled=lambda self, h, p: h / (1 - p) ** 2,
        ),
        slip(
            "keeps-with-p",
            "Units are dropped with probability 1 − p; p is the probability of dropping.",
            "Pass p itself.",
            {"rate": lambda self: 1 - self.p},
            {"kept": lambda self, h, p: torch.rand_like(h) < p},
        ),
        family(
            "fixed-rate",
            "Your dropout ignores p and drops units with probability {constant}.",
            "Pass self.p.",
            (0.5, 0.1, 0.2, 0.25),
            lambda c: {"rate": lambda self: c},
        ),
        slip(
            "fixed-seed",
            "The seed is fixed, so the same units are dropped each time.",
            "Leave the seed alone: in training each pass drops anew, in evaluation nothing is dropped.",
            {"kept": _seeded},
            {"kept": _seeding},
        ),
        slip(
            "own-generator",
            "Your masks come from a generator with a fixed seed, so that every model drops the same "
            "units, whatever seed the caller has set.",
            "Draw without a generator of your own.",
            prepare=_has_a_generator,
            kept=lambda self, h, p: torch.rand(h.shape, generator=self.generator) >= p,
        ),
        slip(
            "mask-in-constructor",
            "The mask is drawn once, in the constructor, so that the same units are dropped in every "
            "pass and for every sample.",
            "Draw in forward, at each call, for each entry of h.",
            prepare=_has_a_mask,
            kept=lambda self, h, p: self.mask,
        ),
        slip(
            "one-pattern-for-all",
            "One mask is drawn for the whole batch, so that all samples lose the same units.",
            "Draw a mask of the shape of h.",
            kept=lambda self, h, p: torch.rand_like(h[:1]) >= p,
        ),
        slip(
            "whole-samples",
            "Whole samples are dropped, with all of their units (F.dropout1d, for example, takes a "
            "matrix for one sample, and its rows for channels).",
            "Use F.dropout, which draws for each entry.",
            {"kept": lambda self, h, p: torch.rand_like(h[:, :1]) >= p},
            {"in_training": lambda self, h: F.dropout1d(h, self.p)},
        ),
        slip(
            "alpha-dropout",
            "F.alpha_dropout sets units to a negative number and rescales all; it is made for SELU.",
            "Use F.dropout.",
            in_training=lambda self, h: F.alpha_dropout(h, self.rate(), training=True),
        ),
        slip(
            "drops-twice",
            "Dropout is applied twice to the hidden units, so that too many are dropped.",
            "Drop once, between the ReLU and the output layer.",
            body=lambda self, x: self.output(self.drop(self.drop(self.activated(x)))),
        ),
        slip(
            "drops-inputs",
            "The inputs are dropped instead of the hidden units.",
            "Drop between the ReLU and the output layer, as the program did.",
            body=lambda self, x: self.output(self.activated(self.drop(x))),
        ),
        slip(
            "drops-outputs",
            "The outputs are dropped instead of the hidden units, so some logits become 0.",
            "Drop between the ReLU and the output layer, as the program did.",
            body=lambda self, x: self.drop(self.output(self.activated(x))),
        ),
        slip(
            "drops-inputs-too",
            "The inputs are dropped as well as the hidden units.",
            "Drop between the ReLU and the output layer only, as the program did.",
            body=lambda self, x: self.output(self.drop(self.activated(self.drop(x)))),
        ),
        slip(
            "drops-outputs-too",
            "The outputs are dropped as well as the hidden units.",
            "Drop between the ReLU and the output layer only, as the program did.",
            body=lambda self, x: self.drop(self.output(self.drop(self.activated(x)))),
        ),
        slip(
            "no-relu",
            "The ReLU is gone, and without it two linear layers are one.",
            "Keep torch.relu between the layers, as the program had it.",
            activated=lambda self, x: self.hidden(x),
        ),
        family(
            "another-activation",
            "Between the layers stands {constant}, and the program had ReLU.",
            "Repair the dropout, and leave the rest of the network as it was.",
            CURVES,
            lambda name: {
                "whole": _variant(activated=lambda self, x: CURVES[name](self.hidden(x)))
            },
        ),
        family(
            "something-at-the-end",
            "Your forward ends with {constant}, and the program returned the output layer's values.",
            "Repair the dropout, and leave the rest of the network as it was.",
            ENDS,
            lambda name: {"whole": _variant(handed_in=ENDS[name])},
        ),
        slip(
            "cut-off",
            "The output is cut off from the weights, by detach() or no_grad(), so the network cannot "
            "be trained.",
            "Leave gradients on in forward.",
            handed_in=lambda self, y: y.detach(),
        ),
        slip(
            "returns-nothing",
            "Your forward returns nothing, in evaluation mode at least.",
            "End every way through it with `return`.",
            handed_in=lambda self, y: None,
        ),
    ),
)
