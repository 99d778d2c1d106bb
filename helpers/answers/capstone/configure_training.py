"""The optimiser and its schedule: the recipe's slips, and right answers written differently."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler

from helpers.answers.capstone.settings import (
    CONVOLUTIONS,
    DECAYED,
    TRANSPOSED,
    adamw,
    adamw_training,
    configure_training,
    configuring,
    sgd,
)
from helpers.checking.recipe import Answers, Recipe, family, slip

BATCHNORM = nn.modules.batchnorm._BatchNorm
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


class _OwnSchedule:
    """No class of torch: it only has a method `step`."""

    def __init__(self, optimizer, total):
        self.optimizer, self.total, self.t = optimizer, total, 0

    def step(self):
        self.t += 1
        for group in self.optimizer.param_groups:
            group["lr"] = 0.1 * 0.5 * (1 + math.cos(math.pi * min(1, self.t / self.total)))


def _many_groups(decayed, spared, decay, spare):
    """One group a weight, in a generator."""
    yield from ({"params": [p], "weight_decay": decay} for p in decayed)
    yield {"params": spared}


def _warm_up(optimizer, total):
    """As many recipes print it: a few steps to rise, then half a cosine."""
    rise = lr_scheduler.LinearLR(optimizer, 0.1, 1.0, total_iters=5)
    fall = lr_scheduler.CosineAnnealingLR(optimizer, total - 5)
    return lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[5])


def _by_layer(model, total_steps):
    """As a textbook prints it: three lists, filled from the layers."""
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    seen: set[nn.Parameter] = set()
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            if not p.requires_grad or p in seen:
                continue
            seen.add(p)
            if isinstance(module, DECAYED):
                (weights if name == "weight" else biases).append(p)
            else:
                rest.append(p)
    optimizer = torch.optim.SGD(weights or biases, lr=0.1, momentum=0.9, weight_decay=1e-4)
    for group in (biases, rest):
        if group and weights:
            optimizer.add_param_group({"params": group, "weight_decay": 0})
    return optimizer, lr_scheduler.CosineAnnealingLR(optimizer, T_max=total_steps, eta_min=1e-5)


def _compares_entries(model, total_steps):
    weights = [m.weight for m in model.modules() if isinstance(m, DECAYED)]
    others = [p for p in model.parameters() if p not in weights]
    return sgd([{"params": weights, "weight_decay": 5e-4}, {"params": others}]), None


def _drawn_again(model):
    for m in model.modules():
        if isinstance(m, DECAYED):
            m.reset_parameters()
    return model


def _held_by(*kinds: type) -> dict[str, Any]:
    """Only what layers of these kinds hold, or of any kind with a weight."""

    def trained(model):
        layers = [m for m in model.modules() if isinstance(m, kinds) or not kinds]
        layers = [m for m in layers if hasattr(m, "weight")]
        held = {p: None for m in layers for p in m.parameters(False) if p.requires_grad}
        return [("", p) for p in held]

    return {"trained": trained}


def _without(*words: str) -> dict[str, Any]:
    """Decays what has none of these words in its name."""
    return {"decays": lambda name, p, owner, known: not any(w in name.lower() for w in words)}


def _no_word(decayed, spared, decay, spare):
    """The second group says nothing, so that the optimiser's default holds."""
    return [{"params": decayed, "weight_decay": decay}, {"params": spared}]


def _following(factor: Any) -> Any:
    """A schedule from the rate as a part of the largest one, at step t of all."""
    return lambda optimizer, total: lr_scheduler.LambdaLR(optimizer, lambda t: factor(t, total))


class _Nothing:
    def __init__(self, optimizer, total):
        pass

    def step(self):
        pass


KINDS = {
    "linear layers": (nn.Linear,),
    "nn.Conv2d": (nn.Conv2d,),
    "convolutions": (*CONVOLUTIONS, *TRANSPOSED),
    "nn.Conv1d, nn.Conv2d and nn.Conv3d": CONVOLUTIONS,
    "nn.Linear and nn.Conv2d": (nn.Linear, nn.Conv2d),
    "nn.Linear, nn.Conv1d and nn.Conv2d": (nn.Linear, nn.Conv1d, nn.Conv2d),
    "nn.Linear, nn.Conv2d and nn.ConvTranspose2d": (nn.Linear, nn.Conv2d, nn.ConvTranspose2d),
    "nn.Linear and the convolutions that are not transposed": (nn.Linear, *CONVOLUTIONS),
}
WAITS = {
    "25 steps, and then falls to 0.1": (25, 0.1),
    "30 steps, and then falls to 0.1": (30, 0.1),
    "40 steps, and then falls to 0.1": (40, 0.1),
    "50 steps, and then falls to 0.1": (50, 0.1),
    "60 steps or more, and then falls to 0.1": (100, 0.1),
    "10 steps, and then falls to 0.5": (10, 0.5),
    "15 steps, and then falls to 0.5": (15, 0.5),
    "20 steps, and then falls to 0.5": (20, 0.5),
    "30 steps, and then falls to 0.5": (30, 0.5),
    "50 steps, and then falls to 0.5": (50, 0.5),
}
LENGTHS = (5, 10, 11, 15, 20, 25, 30, 40, 50, 60, 100, 110, 165, 200, 300, 330, 500, 1000)

ANSWERS = Answers(
    recipe=Recipe(configuring),
    reference=configure_training,
    variants={
        "AdamW and a cosine": adamw_training,
        "one cycle": configure_training,
        "a straight line, in a list": configuring(
            schedule=_following(lambda t, total: max(0.0, 1 - t / total)),
            result=lambda chosen, scheduler: [chosen, scheduler],
        ),
        "a schedule of one's own": configuring(schedule=_OwnSchedule),
        "as a book prints it: two steps down": configuring(
            schedule=lambda optimizer, total: lr_scheduler.MultiStepLR(
                optimizer, [total // 2, 3 * total // 4], gamma=0.1
            )
        ),
        "as a library prints it: the polynomial": configuring(
            schedule=lambda optimizer, total: lr_scheduler.PolynomialLR(optimizer, total, 2.0)
        ),
        "as a recipe prints it: a warm-up": configuring(schedule=_warm_up),
        "as a tutorial prints it: an exponential": configuring(
            schedule=lambda optimizer, total: lr_scheduler.ExponentialLR(
                optimizer, 0.01 ** (1 / total)
            )
        ),
        "a tenth of the steps to rise": configuring(
            schedule=lambda optimizer, total: lr_scheduler.OneCycleLR(
                optimizer, 0.1, total, pct_start=0.1
            )
        ),
        "many groups": configuring(groups=_many_groups),
        "as a textbook prints it: layer by layer": _by_layer,
    },
    slips=(
        slip(
            "decays-everything",
            "Your optimiser decays every parameter, also biases and those of normalisation layers.",
            "Write weight_decay=0.0 into the group of all others: AdamW decays by 0.01 where nothing "
            "is said.",
            {"decays": lambda name, p, owner, known: True},
            {"spare": 5e-4},
            {"groups": _no_word, "optimizer": adamw},
        ),
        slip(
            "decays-nothing",
            "Your optimiser decays nothing.",
            "Give the group with the weights of convolutions and linear layers a weight_decay.",
            {"decay": 0.0},
            {"decays": lambda name, p, owner, known: False},
            {"groups": lambda decayed, spared, decay, spare: [*decayed, *spared]},
        ),
        slip(
            "decays-the-wrong-group",
            "Your two groups are swapped: the weights are not decayed and everything else is.",
            "Give weight_decay to the group of the weights.",
            decay=0.0,
            spare=5e-4,
        ),
        slip(
            "decays-by-axes",
            "Your code decays what has two or more axes. A LayerNorm or a scale can have them too.",
            "Ask for the kind of the layer that a weight belongs to.",
            {"decays": lambda name, p, owner, known: p.ndim > 1},
            {
                "decays": lambda name, p, owner, known: (
                    p.ndim > 1 and not isinstance(owner, BATCHNORM)
                )
            },
        ),
        slip(
            "decays-four-axes",
            "Your code decays what has four axes, as the weights of convolutions of images have, "
            "and leaves out linear layers.",
            "Ask for the kind of the layer that a weight belongs to.",
            decays=lambda name, p, owner, known: p.ndim == 4,
        ),
        slip(
            "decays-all-but-biases",
            "Your code decays everything that is not called a bias, also the weight of a BatchNorm.",
            "Ask for the kind of the layer that a weight belongs to.",
            {"decays": lambda name, p, owner, known: not name.endswith("bias")},
            {"decays": lambda name, p, owner, known: "weight" in name},
        ),
        slip(
            "decays-by-name",
            "Your code tells normalisation layers by their names. Nobody has to call them norm or bn.",
            "Ask for the kind of the layer, with isinstance.",
            _without("bias", "bn"),
            _without("bias", "norm"),
            _without("bias", "bn", "norm"),
            _without("bn"),
            _without("norm"),
            _without("bn", "norm"),
        ),
        slip(
            "spares-batchnorm-only",
            "Of the normalisation layers your code spares BatchNorm alone, and decays the others.",
            "Turn it round: name the layers whose weights are decayed, and spare all the rest.",
            decays=lambda name, p, owner, known: (
                not (name.endswith("bias") or isinstance(owner, BATCHNORM))
            ),
        ),
        slip(
            "decays-biases-of-layers",
            "Your code decays the biases of convolutions and linear layers too.",
            "Of each such layer take the weight alone.",
            {"which": lambda p, owner: True},
            {"decays": lambda name, p, owner, known: not isinstance(owner, NORMS)},
        ),
        slip(
            "decays-all-that-is-not-known",
            "Your code names what is spared, biases and normalisation layers, and decays all the "
            "rest: also a scale of the model's own, or an embedding.",
            "Turn it round: name the layers whose weights are decayed, and spare all the rest.",
            decays=lambda name, p, owner, known: (
                not ("bias" in name.split(".")[-1] or isinstance(owner, NORMS))
            ),
        ),
        slip(
            "decays-embeddings",
            "Your code decays embeddings too.",
            "An nn.Embedding is neither a convolution nor a linear layer.",
            kinds=(*DECAYED, nn.Embedding),
        ),
        slip(
            "bias-anywhere-in-name",
            "Your code looks for words such as 'bias' in the full name, and the name of a layer "
            "says nothing about its kind.",
            "Ask for the kind of the layer alone, and for its weight.",
            {"decays": lambda name, p, owner, known: known and "bias" not in name},
            {"decays": lambda name, p, owner, known: known and "bn" not in name},
            {
                "decays": lambda name, p, owner, known: (
                    known and not any(w in name for w in ("bias", "bn", "norm"))
                )
            },
        ),
        family(
            "knows-some-layers",
            "Your code decays the weights of {constant} only.",
            "nn.Linear, the convolutions of one, two and three axes, and the three transposed ones "
            "all count.",
            KINDS,
            lambda name: {"kinds": KINDS[name]},
        ),
        slip(
            "looks-at-the-top-only",
            "Your code looks only at layers that lie directly in the model.",
            "model.modules() also walks through layers inside layers.",
            {"modules": lambda model: [model, *model.children()]},
            {"modules": lambda model: list(model.children())},
        ),
        slip(
            "holds-frozen",
            "Your optimiser also holds frozen parameters.",
            "Take only parameters with requires_grad.",
            trained=lambda model: list(model.named_parameters()),
        ),
        slip(
            "shared-twice",
            "Your code collects weights layer by layer, so that a weight that two layers share is held "
            "twice, and PyTorch would take two steps with it.",
            "Go through model.parameters(), which names each parameter once.",
            trained=lambda model: [
                (n, p) for n, p in model.named_parameters(remove_duplicate=False) if p.requires_grad
            ],
        ),
        slip(
            "known-layers-only",
            "Your code collects the parameters of layers that it knows, and forgets those that lie "
            "elsewhere, such as in other layers or in the model itself.",
            "Start from model.parameters(), and let the second group be all that is not in the first.",
            _held_by(),
            _held_by(*DECAYED),
            _held_by(*DECAYED, BATCHNORM),
            _held_by(*DECAYED, BATCHNORM, nn.LayerNorm),
        ),
        slip(
            "weights-only",
            "Your optimiser holds only what is called a weight, so that biases never learn.",
            "Start from model.parameters().",
            trained=lambda model: [
                (n, p) for n, p in model.named_parameters() if p.requires_grad and "weight" in n
            ],
        ),
        slip(
            "leaves-some-out",
            "Your optimiser holds the decayed weights alone, so that the rest never learns.",
            "The second group belongs to the optimiser too.",
            groups=lambda decayed, spared, decay, spare: [
                {"params": decayed, "weight_decay": decay}
            ],
        ),
        slip(
            "holds-copies",
            "Your optimiser holds tensors that are no parameters of the model it was given: it "
            "would change copies in vain.",
            "Use the parameters of the argument `model` themselves.",
            {"prepare": copy.deepcopy},
            {
                "groups": lambda decayed, spared, decay, spare: [
                    {"params": [p.detach().clone().requires_grad_() for p in decayed + spared]}
                ]
            },
        ),
        slip(
            "compares-entries",
            "`p in list` compares the entries of tensors, and stops where their shapes do not fit.",
            "Compare identities: keep id(m.weight) in a set, and ask for id(p).",
            whole=_compares_entries,
        ),
        slip(
            "unfreezes",
            "Your code makes frozen parameters trainable.",
            "Leave requires_grad as it is.",
            prepare=lambda model: model.requires_grad_(True),
        ),
        slip(
            "draws-weights-again",
            "Your code draws the model's weights anew.",
            "Initialise in build_model; this function only makes an optimiser and a scheduler.",
            prepare=_drawn_again,
        ),
        slip(
            "mode-changed",
            "Your code puts the model into evaluation mode. The model is to be left unchanged.",
            "Leave the mode to the loop that trains.",
            prepare=lambda model: model.eval(),
        ),
        slip(
            "scheduler-first",
            "You return the scheduler first.",
            "Return optimizer, scheduler, in this order.",
            result=lambda chosen, scheduler: (scheduler, chosen),
        ),
        slip(
            "no-scheduler",
            "You return only an optimiser.",
            "Return optimizer, scheduler.",
            {"result": lambda chosen, scheduler: chosen},
            {"result": lambda chosen, scheduler: chosen, "optimizer": adamw},
            {
                "result": lambda chosen, scheduler: chosen,
                "optimizer": lambda groups: torch.optim.Adam(groups, lr=1e-2),
            },
        ),
        slip(
            "returns-nothing",
            "Your function returns nothing.",
            "End with return optimizer, scheduler.",
            result=lambda chosen, scheduler: None,
        ),
        slip(
            "returns-a-dict",
            "You return a dict. Two results are meant, the optimiser and the scheduler.",
            "Return optimizer, scheduler.",
            result=lambda chosen, scheduler: {"optimizer": chosen, "lr_scheduler": scheduler},
        ),
        slip(
            "returns-lists",
            "You return a list of optimisers and a list of schedulers.",
            "Return the optimiser and the scheduler themselves.",
            result=lambda chosen, scheduler: ([chosen], [scheduler]),
        ),
        slip(
            "returns-groups",
            "You return the groups of parameters in the place of the optimiser.",
            "Give the groups to an optimiser, such as torch.optim.AdamW, and return that.",
            result=lambda chosen, scheduler: (chosen.param_groups, scheduler),
        ),
        slip(
            "schedules-another-optimiser",
            "Your scheduler changes the learning rate of another optimiser than the one returned.",
            "Make one optimiser, and give that very object to the scheduler.",
            scheduled=lambda chosen: sgd([{"params": [*g["params"]]} for g in chosen.param_groups]),
        ),
        slip(
            "constant-rate",
            "Your learning rate never changes.",
            "Choose a schedule that comes down, such as a cosine or OneCycleLR.",
            {"schedule": _following(lambda t, total: 1.0)},
            {"schedule": _Nothing},
        ),
        slip(
            "half-the-steps",
            "Your schedule is made for half of the steps: a cosine then rises again.",
            "Its length is the number of all steps.",
            length=lambda total: total // 2,
        ),
        slip(
            "twice-the-steps",
            "Your schedule is made for twice the steps, so that it has come down half way at the end.",
            "Its length is total_steps.",
            length=lambda total: 2 * total,
        ),
        family(
            "length-in-epochs",
            "Your cosine takes a {constant}th of total_steps, as if it were counted in epochs. The "
            "scheduler is stepped after every batch.",
            "Its T_max is total_steps.",
            (10, 11, 30),
            lambda c: {"length": lambda total: max(1, total // c)},
        ),
        family(
            "fixed-length",
            "Your cosine takes {constant} steps, whatever total_steps is.",
            "Give total_steps to the schedule: it is stepped after every batch.",
            LENGTHS,
            lambda c: {"length": lambda total: c},
        ),
        family(
            "fixed-waiting",
            "Your learning rate waits {constant} of what it was, whatever total_steps is. The "
            "scheduler is stepped after every batch, not after every epoch.",
            "Compute the schedule from total_steps.",
            WAITS,
            lambda name: {
                "schedule": lambda optimizer, total: lr_scheduler.StepLR(optimizer, *WAITS[name])
            },
        ),
        family(
            "fixed-factor",
            "Your learning rate is multiplied by {constant} at each step, whatever total_steps is.",
            "Choose the factor by total_steps, or use a cosine.",
            (0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.999),
            lambda c: {"schedule": _following(lambda t, total: c**t)},
        ),
        family(
            "falls-too-little",
            "Your learning rate ends at {constant} of the largest one; it is to be a fifth at most.",
            "Let it fall further, for example by gamma=0.1.",
            (0.5, 0.25, 0.3, 0.4, 1 / 3),
            lambda c: {"schedule": _following(lambda t, total: 1.0 if t < total // 2 else c)},
        ),
        slip(
            "only-warms-up",
            "Your learning rate only rises.",
            "After a short rise the rate has to come down.",
            schedule=lambda optimizer, total: lr_scheduler.LinearLR(optimizer, 0.01, 1.0, total),
        ),
        slip(
            "one-group-falls",
            "The learning rate of one group comes down, and that of the other does not.",
            "Give the schedule to all groups.",
            schedule=lambda optimizer, total: lr_scheduler.LambdaLR(
                optimizer, [lambda t: 1 - t / total, lambda t: 1.0][: len(optimizer.param_groups)]
            ),
        ),
        slip(
            "falls-below-zero",
            "Your learning rate becomes negative: the steps then go uphill.",
            "Let it end at 0 or above, for example with max(0, ...).",
            schedule=_following(lambda t, total: 1 - 2 * t / total),
        ),
        slip(
            "needs-a-measurement",
            "ReduceLROnPlateau wants a measured loss at each step, and the loop calls step() without.",
            "Choose a schedule that follows from the number of the step alone, such as a cosine.",
            schedule=lambda optimizer, total: lr_scheduler.ReduceLROnPlateau(optimizer),
        ),
    ),
)
