"""More wrong optimisers and schedules, and a right one that rises for a tenth of the steps."""

from __future__ import annotations

from torch import nn
from torch.optim import lr_scheduler

from helpers.answers.capstone.settings import (
    DECAYED,
    configure_training,
    decayed_weights,
    groups,
    sgd,
    with_groups,
    with_schedule,
)
from helpers.checking.check import Misconception


def slow_start(model, total_steps):
    optimizer = sgd(groups(model))
    return optimizer, lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps, pct_start=0.1)


def _layer_by_layer(model):
    """Goes through the layers; a weight that two of them share is met twice."""
    layers = [m for m in model.modules() if isinstance(m, DECAYED)]
    weights = [m.weight for m in layers if m.weight.requires_grad]
    inside = {id(p) for p in weights}
    trained = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": weights, "weight_decay": 5e-4},
        {"params": [p for p in trained if id(p) not in inside]},
    ]


def _known_layers(model):
    """Takes weights and biases of layers, and forgets what lies in the model itself."""
    layers = [m for m in model.modules() if hasattr(m, "weight")]
    inside = {id(p) for m in layers for p in m.parameters(False)}
    return [
        {**group, "params": [p for p in group["params"] if id(p) in inside]}
        for group in groups(model)
    ]


def _chosen(kinds):
    def choose(model):
        weights = {id(m.weight) for m in model.modules() if isinstance(m, kinds)}
        trained = [p for p in model.parameters() if p.requires_grad]
        return [
            {"params": [p for p in trained if id(p) in weights], "weight_decay": 5e-4},
            {"params": [p for p in trained if id(p) not in weights]},
        ]

    return choose


def _by_the_name_of_the_norm(model):
    """Decays what has several axes and whose name does not speak of a normalisation."""
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]

    def decays(name, p):
        return p.dim() > 1 and name.endswith("weight") and "norm" not in name and "bn" not in name

    return [
        {"params": [p for n, p in named if decays(n, p)], "weight_decay": 5e-4},
        {"params": [p for n, p in named if not decays(n, p)]},
    ]


def _named_weight(model):
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for n, p in named if "weight" in n], "weight_decay": 5e-4},
        {"params": [p for n, p in named if "weight" not in n]},
    ]


def _compares_entries(model, total_steps):
    weights = list(decayed_weights(model).values())
    others = [p for p in model.parameters() if p not in weights]
    chosen = [{"params": weights, "weight_decay": 5e-4}, {"params": others}]
    return sgd(chosen), None


def _in_evaluation(model, total_steps):
    model.eval()
    return configure_training(model, total_steps)


def _one_group_falls(optimizer, total):
    return lr_scheduler.LambdaLR(optimizer, [lambda t: 1 - t / total, lambda t: 1.0])


SLIPS = (
    Misconception(
        "shared-twice",
        with_groups(_layer_by_layer),
        "Your code collects weights layer by layer, so that a weight that two layers share is held "
        "twice, and PyTorch would take two steps with it.",
        "Go through model.parameters(), which names each parameter once.",
    ),
    Misconception(
        "known-layers-only",
        with_groups(_known_layers),
        "Your code collects the parameters of layers and forgets those that lie elsewhere, such as "
        "a scale that belongs to the model itself.",
        "Start from model.parameters(), and let the second group be all that is not in the first.",
    ),
    Misconception(
        "decays-convolutions-only",
        with_groups(_chosen(DECAYED[1:])),
        "Your code decays the weights of convolutions and forgets the linear layers.",
        "Linear layers count too.",
    ),
    Misconception(
        "knows-conv2d-only",
        with_groups(_chosen((nn.Linear, nn.Conv2d))),
        "Of the convolutions your code knows nn.Conv2d alone.",
        "Convolutions of one and three axes, and the three transposed ones, count too.",
    ),
    Misconception(
        "decays-by-name",
        with_groups(_by_the_name_of_the_norm),
        "Your code tells normalisation layers by their names. Nobody has to call them norm or bn.",
        "Ask for the kind of the layer, with isinstance.",
    ),
    Misconception(
        "decays-named-weight",
        with_groups(_named_weight),
        "Your code decays everything that is called a weight, also the weight of a BatchNorm.",
        "Ask for the kind of the layer that a weight belongs to.",
    ),
    Misconception(
        "compares-entries",
        _compares_entries,
        "`p in list` compares the entries of tensors, and stops where their shapes do not fit.",
        "Compare identities: keep id(m.weight) in a set, and ask for id(p).",
    ),
    Misconception(
        "mode-changed",
        _in_evaluation,
        "Your code puts the model into evaluation mode. The model is to be left unchanged.",
        "Leave the mode to the loop that trains.",
    ),
    Misconception(
        "needs-a-measurement",
        with_schedule(lambda optimizer, total: lr_scheduler.ReduceLROnPlateau(optimizer)),
        "ReduceLROnPlateau wants a measured loss at each step, and the loop calls step() without.",
        "Choose a schedule that follows from the number of the step alone, such as a cosine.",
    ),
    Misconception(
        "one-group-falls",
        with_schedule(_one_group_falls),
        "The learning rate of one group comes down, and that of the other does not.",
        "Give the schedule to all groups.",
    ),
    Misconception(
        "length-of-the-capstone",
        with_schedule(lambda optimizer, total: lr_scheduler.CosineAnnealingLR(optimizer, 330)),
        "Your schedule always takes the 330 steps of the capstone. It must fit any total_steps.",
        "Give total_steps to the schedule.",
    ),
    Misconception(
        "length-in-epochs",
        with_schedule(lambda optimizer, total: lr_scheduler.CosineAnnealingLR(optimizer, 30)),
        "Your cosine takes 30 steps, as many as the capstone has epochs. The scheduler is stepped "
        "after every batch.",
        "Its T_max is total_steps.",
    ),
    Misconception(
        "falls-below-zero",
        with_schedule(
            lambda optimizer, total: lr_scheduler.LambdaLR(optimizer, lambda t: 1 - 2 * t / total)
        ),
        "Your learning rate becomes negative: the steps then go uphill.",
        "Let it end at 0 or above, for example with max(0, ...).",
    ),
)
