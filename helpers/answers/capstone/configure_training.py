"""The optimiser and its schedule: right and wrong answers."""

from __future__ import annotations

import copy
import math

from torch import nn
from torch.optim import lr_scheduler

from helpers.answers.capstone.settings import (
    DECAYED,
    adamw_training,
    configure_training,
    decayed_weights,
    groups,
    one_cycle,
    sgd,
    with_groups,
    with_schedule,
)
from helpers.answers.capstone.settings_slips import SLIPS, slow_start
from helpers.checking.check import Answers, Misconception


def _linear_by_hand(model, total_steps):
    optimizer = sgd(groups(model))
    return [optimizer, lr_scheduler.LambdaLR(optimizer, lambda t: max(0.0, 1 - t / total_steps))]


class _OwnSchedule:
    """No class of torch: it only has a method `step`."""

    def __init__(self, optimizer, total):
        self.optimizer, self.total, self.t = optimizer, total, 0

    def step(self):
        self.t += 1
        for group in self.optimizer.param_groups:
            group["lr"] = 0.1 * 0.5 * (1 + math.cos(math.pi * min(1, self.t / self.total)))


def _two_steps_down(optimizer, total):
    return lr_scheduler.MultiStepLR(optimizer, [total // 2, 3 * total // 4], gamma=0.1)


def _three_groups(model):
    """One group a kind of layer, and other parameters; the generator form."""
    weights = decayed_weights(model)
    trained = [p for p in model.parameters() if p.requires_grad]
    small = [p for p in trained if id(p) not in weights]
    return (
        group
        for group in (
            *({"params": [p], "weight_decay": 1e-3} for p in trained if id(p) in weights),
            {"params": [p for p in small if p.dim() == 1]},
            {"params": [p for p in small if p.dim() != 1]},
        )
    )


def _by_axes(model):
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.dim() > 1], "weight_decay": 5e-4},
        {"params": [p for p in trained if p.dim() <= 1]},
    ]


def _by_name(model):
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for n, p in named if not n.endswith("bias")], "weight_decay": 5e-4},
        {"params": [p for n, p in named if n.endswith("bias")]},
    ]


def _everything(model):
    return [{"params": [p for p in model.parameters() if p.requires_grad], "weight_decay": 5e-4}]


def _layers_whole(model):
    """Weights and biases of convolutions and linear layers are decayed."""
    inside = {id(p) for m in model.modules() if isinstance(m, DECAYED) for p in m.parameters(False)}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if id(p) in inside], "weight_decay": 5e-4},
        {"params": [p for p in trained if id(p) not in inside]},
    ]


def _swapped(model):
    weights, others = groups(model)
    return [{**weights, "weight_decay": 0.0}, {**others, "weight_decay": 5e-4}]


def _with_frozen(model):
    weights = decayed_weights(model)
    return [
        {"params": [p for p in model.parameters() if id(p) in weights], "weight_decay": 5e-4},
        {"params": [p for p in model.parameters() if id(p) not in weights]},
    ]


def _only_linear(model):
    linear = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if id(p) in linear], "weight_decay": 5e-4},
        {"params": [p for p in trained if id(p) not in linear]},
    ]


def _top_level(model):
    """Only layers that lie directly in the model are asked."""
    weights = {id(m.weight) for m in [model, *model.children()] if isinstance(m, DECAYED)}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if id(p) in weights], "weight_decay": 5e-4},
        {"params": [p for p in trained if id(p) not in weights]},
    ]


def _rates_of_another(model, total_steps):
    optimizer = sgd(groups(model))
    return optimizer, one_cycle(sgd(groups(model)), total_steps)


def _on_a_copy(model, total_steps):
    return configure_training(copy.deepcopy(model), total_steps)


def _scheduler_first(model, total_steps):
    return configure_training(model, total_steps)[::-1]


def _optimizer_only(model, total_steps):
    return configure_training(model, total_steps)[0]


def _unfreezes(model, total_steps):
    model.requires_grad_(True)
    return configure_training(model, total_steps)


def _reinitialises(model, total_steps):
    for m in model.modules():
        if isinstance(m, DECAYED):
            m.reset_parameters()
    return configure_training(model, total_steps)


ANSWERS = Answers(
    reference=configure_training,
    variants={
        "AdamW and a cosine": adamw_training,
        "a straight line, in a list": _linear_by_hand,
        "a schedule of one's own": with_schedule(_OwnSchedule),
        "two steps down": with_schedule(_two_steps_down),
        "many groups": with_groups(_three_groups),
        "a tenth of the steps to rise": slow_start,
    },
    misconceptions=(
        Misconception(
            "decays-everything",
            with_groups(_everything),
            "Your optimiser decays every parameter, also biases and those of normalisation layers.",
            "Write weight_decay=0.0 into the group of all others: AdamW decays by 0.01 where nothing "
            "is said.",
        ),
        Misconception(
            "decays-nothing",
            with_groups(lambda model: [p for p in model.parameters() if p.requires_grad]),
            "Your optimiser decays nothing.",
            "Give the group with the weights of convolutions and linear layers a weight_decay.",
        ),
        Misconception(
            "decays-by-axes",
            with_groups(_by_axes),
            "Your code decays what has two or more axes. A LayerNorm or a scale can have them too.",
            "Ask for the kind of the layer that a weight belongs to.",
        ),
        Misconception(
            "decays-all-but-biases",
            with_groups(_by_name),
            "Your code decays everything that is not called a bias, also the weight of a BatchNorm.",
            "Ask for the kind of the layer that a weight belongs to.",
        ),
        Misconception(
            "decays-biases-of-layers",
            with_groups(_layers_whole),
            "Your code decays the biases of convolutions and linear layers too.",
            "Of each such layer take the weight alone.",
        ),
        Misconception(
            "decays-the-wrong-group",
            with_groups(_swapped),
            "Your two groups are swapped: the weights are not decayed and everything else is.",
            "Give weight_decay to the group of the weights.",
        ),
        Misconception(
            "decays-linear-only",
            with_groups(_only_linear),
            "Your code decays the weights of linear layers and forgets the convolutions.",
            "Convolutions of every kind count too.",
        ),
        Misconception(
            "looks-at-the-top-only",
            with_groups(_top_level),
            "Your code looks only at layers that lie directly in the model.",
            "model.modules() also walks through layers inside layers.",
        ),
        Misconception(
            "holds-frozen",
            with_groups(_with_frozen),
            "Your optimiser also holds frozen parameters.",
            "Take only parameters with requires_grad.",
        ),
        Misconception(
            "unfreezes",
            _unfreezes,
            "Your code makes frozen parameters trainable.",
            "Leave requires_grad as it is.",
        ),
        Misconception(
            "leaves-some-out",
            with_groups(lambda model: groups(model)[:1]),
            "Your optimiser holds the decayed weights alone, so that the rest never learns.",
            "The second group belongs to the optimiser too.",
        ),
        Misconception(
            "optimises-a-copy",
            _on_a_copy,
            "Your optimiser holds the parameters of a copy of the model.",
            "Use the model that you were given.",
        ),
        Misconception(
            "draws-weights-again",
            _reinitialises,
            "Your code draws the model's weights anew.",
            "Initialise in build_model; this function only makes an optimiser and a scheduler.",
        ),
        Misconception(
            "scheduler-first",
            _scheduler_first,
            "You return the scheduler first.",
            "Return optimizer, scheduler, in this order.",
        ),
        Misconception(
            "no-scheduler",
            _optimizer_only,
            "You return only an optimiser.",
            "Return optimizer, scheduler.",
        ),
        Misconception(
            "constant-rate",
            with_schedule(lambda optimizer, total: lr_scheduler.ConstantLR(optimizer, 1.0)),
            "Your learning rate never changes.",
            "Choose a schedule that comes down, such as a cosine or OneCycleLR.",
        ),
        Misconception(
            "steps-counted-in-epochs",
            with_schedule(lambda optimizer, total: lr_scheduler.StepLR(optimizer, 30)),
            "Your schedule waits a fixed number of steps before it comes down, such as 30, whatever "
            "total_steps is. The scheduler is stepped after every batch, not after every epoch.",
            "Compute the schedule from total_steps.",
        ),
        Misconception(
            "fixed-length",
            with_schedule(lambda optimizer, total: lr_scheduler.CosineAnnealingLR(optimizer, 100)),
            "Your schedule has a fixed length, such as 100 steps, whatever total_steps says.",
            "Give total_steps to the schedule.",
        ),
        Misconception(
            "half-the-steps",
            with_schedule(
                lambda optimizer, total: lr_scheduler.CosineAnnealingLR(optimizer, total // 2)
            ),
            "Your cosine reaches its lowest point after half of the steps and rises again.",
            "Its T_max is the number of all steps.",
        ),
        Misconception(
            "only-warms-up",
            with_schedule(
                lambda optimizer, total: lr_scheduler.LinearLR(optimizer, 0.01, 1.0, total)
            ),
            "Your learning rate only rises.",
            "After a short rise the rate has to come down.",
        ),
        Misconception(
            "schedules-another-optimiser",
            _rates_of_another,
            "Your scheduler changes the learning rate of another optimiser than the one returned.",
            "Make one optimiser, and give that very object to the scheduler.",
        ),
        *SLIPS,
    ),
)
