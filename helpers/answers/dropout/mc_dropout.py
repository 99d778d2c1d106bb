"""Monte-Carlo dropout: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.dropout.predicting import (
    back_to_own_flag,
    children_only,
    detached_later,
    freezes,
    frozen_norms_only,
    leaves_only,
    logits_only,
    mc_dropout_predict,
    name_begins,
    no_eval_first,
    of_mean_logits,
    on_a_copy,
    one_pass,
    only_torch_dropout,
    predict,
    right_samples,
    running_sums,
    softmax_by_hand,
    swallows,
    torch_dropouts,
    train_reaches_all,
    under_inference_mode,
)
from helpers.checking.check import Answers, Misconception

RESTORE_HINT = "Keep (module, module.training) of every module in model.modules(), and set it back."

ANSWERS = Answers(
    reference=mc_dropout_predict,
    variants={
        "running mean and squares": running_sums,
        "inference mode, a list of results": under_inference_mode,
        "detached later, float64 inside": detached_later,
        "on a deep copy": on_a_copy,
    },
    misconceptions=(
        Misconception(
            "dropout-stays-off",
            predict(switch=lambda model: model.eval()),
            "Your code puts the whole model in evaluation mode, so all samples are equal.",
            "After model.eval(), set training = True for the dropout layers.",
        ),
        Misconception(
            "all-in-training-mode",
            predict(switch=lambda model: model.train()),
            "Your code puts the whole model in training mode, so that layers such as BatchNorm "
            "use and change batch statistics.",
            "First model.eval(), then training = True for the dropout layers alone.",
        ),
        Misconception(
            "dropouts-with-parts",
            predict(switch=leaves_only),
            "Your code leaves a dropout module off when it has modules inside.",
            "Ask for the class name alone, and set training = True for each such module.",
        ),
        Misconception(
            "rest-as-it-was",
            predict(switch=no_eval_first),
            "Your code switches the dropout layers on and leaves everything else in the mode in "
            "which it is, which may be training.",
            "First model.eval(), then training = True for the dropout layers.",
        ),
        Misconception(
            "only-batchnorm-off",
            predict(switch=frozen_norms_only),
            "Your code leaves everything in training mode apart from BatchNorm.",
            "It is the dropout layers that are the exception: first model.eval(), then those on.",
        ),
        Misconception(
            "only-nn-dropout",
            predict(switch=only_torch_dropout),
            "Your code switches on nn.Dropout alone, and no other class whose name contains "
            "Dropout, such as Dropout2d.",
            "Ask for the class's name: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "only-torch-dropouts",
            predict(switch=torch_dropouts),
            "Your code switches on PyTorch's dropout layers, and not those that others wrote.",
            "Ask for the class's name: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "name-begins",
            predict(switch=name_begins),
            "Your code switches on the classes whose name begins with Dropout, and misses those "
            "that have it further back, such as AlphaDropout.",
            "Ask whether the name contains it: 'Dropout' in type(module).__name__.",
        ),
        Misconception(
            "children-only",
            predict(switch=children_only),
            "Your code looks at the direct children of the model, and not at what lies deeper.",
            "model.modules() walks through everything, at any depth.",
        ),
        Misconception(
            "train-reaches-all",
            predict(switch=train_reaches_all),
            "Your code calls train() on a module named Dropout, which also puts everything "
            "inside that module in training mode.",
            "Set the flag of that one module: module.training = True.",
        ),
        Misconception(
            "left-in-training",
            predict(remember=lambda model: lambda: model.train()),
            "Your code leaves the whole model in training mode.",
            RESTORE_HINT,
        ),
        Misconception(
            "left-in-evaluation",
            predict(remember=lambda model: lambda: model.eval()),
            "Your code leaves the whole model in evaluation mode.",
            RESTORE_HINT,
        ),
        Misconception(
            "not-put-back",
            predict(remember=lambda model: lambda: None),
            "Your code leaves the dropout layers on and the rest off.",
            RESTORE_HINT,
        ),
        Misconception(
            "one-mode-for-all",
            predict(remember=back_to_own_flag),
            "Your code puts every module into the mode that the model itself had; they may differ.",
            RESTORE_HINT,
        ),
        Misconception(
            "not-put-back-after-error",
            predict(always=False),
            "When the model raises, your code does not put the modes back.",
            "Put them back in a finally: block around the forward passes.",
        ),
        Misconception(
            "swallows-error",
            swallows,
            "Your code catches the error of the model and goes on as if nothing had been.",
            "Use try and finally without except: the error then reaches the caller.",
        ),
        Misconception(
            "keeps-graph",
            predict(graph=True),
            "Your results carry a graph, so every forward pass is kept in memory.",
            "Run the forward passes inside with torch.no_grad():.",
        ),
        Misconception(
            "divides-by-n",
            predict(summary=lambda s: (s.mean(0), s.std(0, correction=0))),
            "Your standard deviation divides by n where n - 1 is meant.",
            "tensor.std(dim=0) divides by n - 1.",
        ),
        Misconception(
            "variance",
            predict(summary=lambda s: (s.mean(0), s.var(0))),
            "Your second result is the variance.",
            "The standard deviation is its square root.",
        ),
        Misconception(
            "standard-error",
            predict(summary=lambda s: (s.mean(0), s.std(0) / len(s) ** 0.5)),
            "Your second result is the error of the mean: a deviation divided by √n.",
            "Return the standard deviation of the samples themselves.",
        ),
        Misconception(
            "softmax-of-mean-logits",
            predict(samples=logits_only, summary=of_mean_logits),
            "Your mean is the softmax of the mean logits, not the mean of the probabilities.",
            "Apply softmax to each sample first, then take the mean.",
        ),
        Misconception(
            "no-softmax",
            predict(samples=logits_only),
            "Your code averages logits where class probabilities are meant.",
            "Apply torch.softmax(logits, dim=1) to each sample.",
        ),
        Misconception(
            "log-probabilities",
            predict(samples=lambda m, x, n: right_samples(m, x, n).log()),
            "Your code averages logarithms of probabilities.",
            "Use softmax, not log_softmax.",
        ),
        Misconception(
            "softmax-over-the-batch",
            predict(samples=lambda m, x, n: torch.stack([m(x).softmax(dim=0) for _ in range(n)])),
            "Your softmax runs over the batch, so the columns sum to 1 and the rows do not.",
            "The classes are axis 1: softmax(dim=1).",
        ),
        Misconception(
            "softmax-overflows",
            predict(samples=softmax_by_hand),
            "Your softmax takes exp of large logits, which is infinity, and infinity / infinity "
            "is NaN.",
            "torch.softmax subtracts the largest logit first.",
        ),
        Misconception(
            "one-sample-repeated",
            predict(samples=one_pass),
            "Your code runs the model once and repeats the result.",
            "Run the model n_samples times: each pass draws new masks.",
        ),
        Misconception(
            "one-too-many",
            predict(samples=lambda m, x, n: right_samples(m, x, n + 1)),
            "Your code takes one sample more than n_samples.",
            "range(n_samples) has n_samples entries.",
        ),
        Misconception(
            "one-too-few",
            predict(samples=lambda m, x, n: right_samples(m, x, n - 1)),
            "Your code takes one sample less than n_samples.",
            "range(n_samples) has n_samples entries, from 0 to n_samples - 1.",
        ),
        Misconception(
            "mean-over-batch",
            predict(summary=lambda s: (s.mean(1), s.std(1))),
            "Your code averages over the images where the samples are meant.",
            "Stack the samples along a new first axis, and average over dim=0.",
        ),
        Misconception(
            "freezes-model",
            freezes,
            "Your code sets requires_grad of the parameters to False and leaves it so.",
            "Use torch.no_grad(): it needs no change of the model.",
        ),
    ),
)
