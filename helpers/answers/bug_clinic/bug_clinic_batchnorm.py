"""Program 11, BatchNorm with batch statistics: the recipe, its slips, and right answers."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checking.recipe import Answers, Recipe, slip


def nothing(*_):
    pass


def fitting(
    begin=lambda model: model,
    optimizer=lambda model, lr: torch.optim.SGD(model.parameters(), lr=lr),
    before_epoch=lambda model: model.train(),
    clear=lambda optimizer: optimizer.zero_grad(),
    loss=F.cross_entropy,
    before_predicting=lambda model: model.eval(),
    context=torch.no_grad,
    predict=lambda model, images: model(images),
    at_the_end=lambda model: model.train(),
    count=lambda epochs: epochs,
    result=lambda predictions: predictions,
):
    """The program from its parts: what happens before, in and after each epoch."""

    def repaired_fit(model, batches, images, epochs, lr):
        model = begin(model)
        steps = optimizer(model, lr)
        predictions = []
        for _ in range(count(epochs)):
            before_epoch(model)
            for x, y in batches:
                clear(steps)
                loss(model(x), y).backward()
                steps.step()
            before_predicting(model)
            with context():
                predictions.append(predict(model, images))
        at_the_end(model)
        return result(predictions)

    return repaired_fit


def on_a_copy(model, images):
    with torch.inference_mode():
        return copy.deepcopy(model).eval()(images)


def image_by_image(model, images):
    return torch.cat([model(image.unsqueeze(0)) for image in images])


def there_and_back(model, images):
    model.eval()
    rows = image_by_image(model, images).detach()
    model.train()
    return rows


def switched_by_hand(model, images):
    for module in model.modules():
        module.training = False
    result = model(images).detach()
    for module in model.modules():
        module.training = True
    return result


def remembered(model, images):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(images)
    model.train(was_training)
    return logits


def copied_in_training_mode(model, images):
    return copy.deepcopy(model)(images)


def doubled(model, images):
    return model(torch.cat([images, images]))[: len(images)]


def switch(*classes):
    """Evaluation mode for the modules of these classes alone."""

    def off(model):
        for module in model.modules():
            if isinstance(module, classes):
                module.eval()

    return off


def training_with_frozen_statistics(model):
    model.train()
    switch(nn.BatchNorm1d)(model)


def eval_and_reset(model):
    model.eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()


def without_statistics(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.track_running_stats = False
            module.running_mean = module.running_var = None
    return model


def from_evaluation_mode(model):
    return model.eval()


ALWAYS = {"before_epoch": nothing, "before_predicting": nothing, "at_the_end": nothing}
ANSWERS = Answers(
    recipe=Recipe(fitting),
    variants={
        "on a copy": fitting(predict=on_a_copy, before_predicting=nothing, context=nullcontext),
        "there and back, image by image": fitting(
            **ALWAYS, predict=there_and_back, context=nullcontext
        ),
        "switched by hand": fitting(**ALWAYS, predict=switched_by_hand, context=nullcontext),
        "train(False)": fitting(before_predicting=lambda model: model.train(False)),
        "detached": fitting(
            predict=lambda model, images: model(images).detach(), context=nullcontext
        ),
        "the mode remembered": fitting(**ALWAYS, predict=remembered, context=nullcontext),
        "inference_mode": fitting(context=torch.inference_mode),
        "nn.CrossEntropyLoss": fitting(loss=nn.CrossEntropyLoss()),
    },
    slips=(
        slip(
            "no-grad-instead",
            "The model predicts without gradients, but still in training mode, so that BatchNorm "
            "uses the statistics of the batch. torch.no_grad() does not change the mode, and "
            "neither does model.training = False for the layers inside.",
            "Call model.eval() before you predict; you need both.",
            before_predicting=nothing,
        ),
        slip(
            "keeps-graph",
            "The logits keep the whole graph in memory.",
            "Predict inside torch.no_grad().",
            context=nullcontext,
        ),
        slip(
            "undone-at-the-end",
            "You go back to training mode at the very end only; from the second epoch on the model "
            "trains in evaluation mode.",
            "Call model.train() at the start of each epoch as well.",
            before_epoch=nothing,
        ),
        slip(
            "left-in-evaluation",
            "The model is left in evaluation mode, and whoever trains it further will not notice.",
            "End with model.train().",
            at_the_end=nothing,
        ),
        slip(
            "dropout-left-on",
            "Only BatchNorm is switched to evaluation; dropout goes on dropping.",
            "model.eval() switches every module.",
            before_predicting=switch(nn.BatchNorm1d),
        ),
        slip(
            "batchnorm-left-on",
            "Only dropout is switched to evaluation; BatchNorm still uses the batch.",
            "model.eval() switches every module.",
            before_predicting=switch(nn.Dropout),
        ),
        slip(
            "statistics-thrown-away",
            "Without running statistics BatchNorm uses the batch in evaluation as well.",
            "Leave the layers alone, and switch the mode.",
            begin=without_statistics,
            before_predicting=lambda model: model.eval(),
        ),
        slip(
            "statistics-reset",
            "The running statistics are reset before the prediction, so that BatchNorm normalises "
            "with mean 0 and variance 1.",
            "Leave the statistics alone, and switch the mode.",
            before_predicting=eval_and_reset,
        ),
        slip(
            "statistics-frozen",
            "BatchNorm is in evaluation mode while the model trains: its statistics are never "
            "learned.",
            "Train in training mode, with every module.",
            before_epoch=training_with_frozen_statistics,
            before_predicting=lambda model: model.eval(),
        ),
        slip(
            "trains-a-copy",
            "You train a copy, and the model that was given learns nothing.",
            "Train the model itself.",
            begin=copy.deepcopy,
            before_predicting=lambda model: model.eval(),
        ),
        slip(
            "probabilities",
            "You return probabilities or their logarithms; logits are meant.",
            "Return what the model gives, without a softmax.",
            {"predict": lambda model, images: model(images).softmax(1)},
            {"predict": lambda model, images: model(images).log_softmax(1)},
        ),
        slip(
            "classes",
            "You return the predicted classes; logits are meant.",
            "Return what the model gives, without an argmax.",
            predict=lambda model, images: model(images).argmax(1),
            context=torch.no_grad,
        ),
        slip(
            "as-numpy",
            "You return NumPy arrays; tensors are meant.",
            "Return what the model gives.",
            predict=lambda model, images: model(images).numpy(),
            context=torch.no_grad,
        ),
        slip(
            "gradients-add-up",
            "The gradients of all steps add up.",
            "Keep optimizer.zero_grad() before each step.",
            clear=nothing,
        ),
        slip(
            "other-optimizer",
            "You changed the optimizer; only the mode was wrong.",
            "Leave torch.optim.SGD(model.parameters(), lr=lr) as it was.",
            {"optimizer": lambda model, lr: torch.optim.Adam(model.parameters(), lr=lr)},
            {"optimizer": lambda model, lr: torch.optim.SGD(model.parameters(), lr, 0.9)},
        ),
        slip(
            "softmax-before-the-loss",
            "cross_entropy takes logits, and you give it probabilities.",
            "Leave the loss as it was.",
            loss=lambda output, y: F.cross_entropy(output.softmax(1), y),
        ),
        slip(
            "loss-summed",
            "The loss is summed over the batch; it is a mean.",
            "Leave the loss as it was.",
            loss=lambda output, y: F.cross_entropy(output, y, reduction="sum"),
        ),
        slip(
            "one-epoch-only",
            "You stop after the first epoch.",
            "Keep the return after the loop.",
            count=lambda epochs: min(epochs, 1),
        ),
        slip(
            "last-epoch-only",
            "Only the logits of the last epoch are returned.",
            "Append to the list after each epoch.",
            result=lambda predictions: predictions[-1:],
        ),
        slip(
            "last-logits-alone",
            "You return one tensor, and a list of them is meant, one for each epoch.",
            "Append to a list after each epoch, and return it.",
            result=lambda predictions: predictions[-1],
        ),
        slip(
            "eval-once",
            "The model is in evaluation mode from the start, also while it trains: the running "
            "statistics are never learned.",
            "Train in training mode; switch only for the prediction.",
            {"begin": from_evaluation_mode, "before_epoch": nothing, "at_the_end": nothing},
            {"begin": from_evaluation_mode, "before_epoch": nothing},
        ),
        slip(
            "never-undone",
            "After the first prediction the model stays in evaluation mode, and the later epochs "
            "train with frozen statistics.",
            "Call model.train() at the start of each epoch, and once at the end.",
            before_epoch=nothing,
            at_the_end=nothing,
        ),
        slip(
            "modes-exchanged",
            "The model trains in evaluation mode and predicts in training mode.",
            "model.train() belongs before the training, model.eval() before the prediction.",
            before_epoch=lambda model: model.eval(),
            before_predicting=lambda model: model.train(),
        ),
        slip(
            "one-by-one",
            "Each image is a batch of its own, in training mode: one value has no variance, and "
            "BatchNorm refuses it.",
            "Use evaluation mode; then a batch of one is fine.",
            before_predicting=nothing,
            predict=image_by_image,
        ),
        slip(
            "doubled-batch",
            "The images are doubled so that BatchNorm accepts them; it still uses the statistics "
            "of the batch.",
            "Use evaluation mode; then a batch of one is fine.",
            before_predicting=nothing,
            predict=doubled,
        ),
        slip(
            "copy-in-training-mode",
            "The copy protects the running statistics, but it predicts in training mode.",
            "Switch the copy to evaluation mode: .eval().",
            before_predicting=nothing,
            predict=copied_in_training_mode,
        ),
        slip(
            "unrepaired",
            "As in the broken program, the model predicts in training mode, so BatchNorm uses "
            "mean and variance of the images it happens to see together, and learns from them.",
            "Switch to evaluation mode before predicting, and back before training goes on.",
            before_predicting=nothing,
            context=nullcontext,
        ),
    ),
)
