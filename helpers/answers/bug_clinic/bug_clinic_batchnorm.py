"""Program 11, BatchNorm with batch statistics: real repairs and half repairs."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.check import Answers, Misconception


def fit_with(predict, before_epoch=lambda model: model.train(), at_the_end=lambda m: m.train()):
    """The program with what happens before each epoch, at the prediction and at the end."""

    def fit(model, batches, images, epochs, lr):
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        predictions = []
        for _ in range(epochs):
            before_epoch(model)
            for x, y in batches:
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            predictions.append(predict(model, images))
        at_the_end(model)
        return predictions

    return fit


def nothing(model):
    pass


def quietly(model, images):
    model.eval()
    with torch.no_grad():
        return model(images)


def eval_once(model, batches, images, epochs, lr):
    model.eval()
    with_graph = fit_with(lambda m, x: m(x).detach(), nothing, nothing)
    return with_graph(model, batches, images, epochs, lr)


def on_a_copy(model, images):
    with torch.inference_mode():
        return copy.deepcopy(model).eval()(images)


def one_by_one(model, images):
    model.eval()
    rows = torch.cat([model(image.unsqueeze(0)) for image in images]).detach()
    model.train()
    return rows


def switched_by_hand(model, images):
    for module in model.modules():
        module.training = False
    result = model(images).detach()
    for module in model.modules():
        module.training = True
    return result


@torch.no_grad()
def in_training_mode(model, images):
    return model(images)


@torch.no_grad()
def alone_in_training_mode(model, images):
    return torch.cat([model(image.unsqueeze(0)) for image in images])


@torch.no_grad()
def doubled(model, images):
    return model(torch.cat([images, images]))[: len(images)]


@torch.no_grad()
def copy_in_training_mode(model, images):
    return copy.deepcopy(model)(images)


@torch.no_grad()
def only_batchnorm(model, images):
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
    for norm in norms:
        norm.eval()
    result = model(images)
    for norm in norms:
        norm.train()
    return result


@torch.no_grad()
def only_dropout(model, images):
    drops = [m for m in model.modules() if isinstance(m, nn.Dropout)]
    for drop in drops:
        drop.eval()
    result = model(images)
    for drop in drops:
        drop.train()
    return result


def without_statistics(model, batches, images, epochs, lr):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.track_running_stats = False
            module.running_mean = module.running_var = None
    return fit_with(quietly)(model, batches, images, epochs, lr)


def frozen_statistics(model):
    model.train()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eval()


def with_graph(model, images):
    model.eval()
    return model(images)


ANSWERS = Answers(
    reference=fit_with(quietly),
    variants={
        "on a copy": fit_with(on_a_copy),
        "image by image": fit_with(one_by_one, nothing, nothing),
        "switched by hand": fit_with(switched_by_hand, nothing, nothing),
        "train(False)": fit_with(lambda m, x: m.train(False)(x).detach()),
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            fit_with(lambda model, images: model(images), nothing, nothing),
            "As in the broken program, the model predicts in training mode, so BatchNorm uses "
            "mean and variance of the images it happens to see together, and learns from them.",
            "Switch to evaluation mode before predicting, and back before training goes on.",
        ),
        Misconception(
            "no-grad-instead",
            fit_with(in_training_mode, nothing, nothing),
            "The model predicts without gradients, but still in training mode, so that BatchNorm uses "
            "the statistics of the batch. torch.no_grad() does not change the mode, and neither does "
            "model.training = False for the layers inside.",
            "Call model.eval() before you predict; you need both.",
        ),
        Misconception(
            "eval-once",
            eval_once,
            "The model is in evaluation mode from the start, also while it trains: the running "
            "statistics are never learned.",
            "Train in training mode; switch only for the prediction.",
        ),
        Misconception(
            "never-undone",
            fit_with(quietly, nothing, nothing),
            "After the first prediction the model stays in evaluation mode, and the later epochs "
            "train with frozen statistics.",
            "Call model.train() at the start of each epoch, and once at the end.",
        ),
        Misconception(
            "undone-at-the-end",
            fit_with(quietly, nothing),
            "You go back to training mode at the very end only; from the second epoch on the model "
            "trains in evaluation mode.",
            "Call model.train() at the start of each epoch as well.",
        ),
        Misconception(
            "left-in-evaluation",
            fit_with(quietly, at_the_end=nothing),
            "Every number is right, but the model is left in evaluation mode, and whoever trains "
            "it further will not notice.",
            "End with model.train().",
        ),
        Misconception(
            "one-by-one",
            fit_with(alone_in_training_mode, nothing, nothing),
            "Each image is a batch of its own, in training mode: one value has no variance, and "
            "BatchNorm refuses it.",
            "Use evaluation mode; then a batch of one is fine.",
        ),
        Misconception(
            "doubled-batch",
            fit_with(doubled, nothing, nothing),
            "The images are doubled so that BatchNorm accepts them; it still uses the statistics "
            "of the batch.",
            "Use evaluation mode; then a batch of one is fine.",
        ),
        Misconception(
            "copy-in-training-mode",
            fit_with(copy_in_training_mode, nothing, nothing),
            "The copy protects the running statistics, but it predicts in training mode.",
            "Switch the copy to evaluation mode: .eval().",
        ),
        Misconception(
            "dropout-left-on",
            fit_with(only_batchnorm, nothing, nothing),
            "Only BatchNorm is switched to evaluation; dropout goes on dropping.",
            "model.eval() switches every module.",
        ),
        Misconception(
            "batchnorm-left-on",
            fit_with(only_dropout, nothing, nothing),
            "Only dropout is switched to evaluation; BatchNorm still uses the batch.",
            "model.eval() switches every module.",
        ),
        Misconception(
            "statistics-thrown-away",
            without_statistics,
            "Without running statistics BatchNorm uses the batch in evaluation as well.",
            "Leave the layers alone, and switch the mode.",
        ),
        Misconception(
            "statistics-frozen",
            fit_with(quietly, frozen_statistics),
            "BatchNorm is in evaluation mode while the model trains: its statistics are never "
            "learned.",
            "Train in training mode, with every module.",
        ),
        Misconception(
            "keeps-graph",
            fit_with(with_graph),
            "Every number is right, but each tensor of logits keeps the whole graph in memory.",
            "Predict inside torch.no_grad().",
        ),
        Misconception(
            "probabilities",
            fit_with(lambda model, images: quietly(model, images).softmax(1)),
            "Mode and statistics are right, but you return probabilities; logits are meant.",
            "Return what the model gives, without a softmax.",
        ),
        Misconception(
            "last-epoch-only",
            lambda *given: fit_with(quietly)(*given)[-1:],
            "Only the logits of the last epoch are returned.",
            "Append to the list after each epoch.",
        ),
    ),
)
