"""Monte-Carlo dropout: the recipe, its slips, and right answers written differently."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, slip

Tensor = torch.Tensor


def is_dropout(module: nn.Module) -> bool:
    return "Dropout" in type(module).__name__


def switched_on(module: nn.Module) -> None:
    module.training = True


def each_its_own(model: nn.Module) -> Callable[[], Any]:
    """Puts every module back into the mode in which it is now."""
    modes = [(module, module.training) for module in model.modules()]

    def restore() -> None:
        for module, training in modes:
            module.training = training

    return restore


def one_by_one(model: nn.Module, x: Tensor, n: int) -> Tensor:
    return torch.stack([model(x) for _ in range(n)])


def predicting(
    remember: Any = each_its_own,
    others: Any = lambda model: model.eval(),
    reached: Any = lambda model: model.modules(),
    chosen: Any = is_dropout,
    switch: Any = switched_on,
    on_error: Any = lambda restore: restore(),
    graph: bool = False,
    passes: Any = one_by_one,
    probabilities: Any = lambda logits: torch.softmax(logits, dim=2),
    average: Any = lambda logits, q: q.mean(dim=0),
    deviation: Any = lambda logits, q: q.std(dim=0),
    result: Any = lambda mean, std: (mean, std),
) -> Any:
    """Monte-Carlo dropout (Gal and Ghahramani 2016) from its parts."""

    def mc_dropout_predict(model: nn.Module, x: Tensor, n_samples: int) -> Any:
        restore = remember(model)
        others(model)
        for module in reached(model):
            if chosen(module):
                switch(module)
        try:
            with torch.set_grad_enabled(graph):
                logits = passes(model, x, n_samples)
                q = probabilities(logits)
        except Exception:
            on_error(restore)
            raise
        restore()
        return result(average(logits, q), deviation(logits, q))

    return mc_dropout_predict


mc_dropout_predict = predicting()


def running_sums(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """Mean and squared differences kept up to date, as Welford (1962) does."""
    restore = each_its_own(model)
    try:
        for module in model.modules():
            module.training = is_dropout(module)
        with torch.no_grad():
            mean = squares = torch.zeros(())
            for k in range(1, n_samples + 1):
                new = torch.softmax(model(x), dim=-1)
                step = new - mean
                mean = mean + step / k
                squares = squares + step * (new - mean)
    finally:
        restore()
    return mean, (squares / (n_samples - 1)).sqrt()


@torch.inference_mode()
def under_inference_mode(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """Softmax by way of its logarithm; the results as a list."""
    modes = {name: module.training for name, module in model.named_modules()}
    model.eval()
    for module in model.modules():
        if (
            isinstance(module, nn.modules.dropout._DropoutNd)
            or "dropout" in repr(type(module)).split(".")[-1].lower()
        ):
            module.training = True
    try:
        logits = torch.stack([model(x) for _ in range(n_samples)])
        probabilities = torch.log_softmax(logits, dim=-1).exp()
        return [probabilities.mean(0), probabilities.var(0, correction=1).sqrt()]
    finally:
        for name, module in model.named_modules():
            module.training = modes[name]


def detached_later(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """With a graph inside, and results without one; the deviation in float64."""
    restore = each_its_own(model)
    try:
        for module in model.modules():
            module.training = is_dropout(module)
        drawn = [model(x).softmax(1).detach() for _ in range(n_samples)]
    finally:
        restore()
    wide = torch.stack(drawn).double()
    return wide.mean(0).to(x.dtype), wide.std(0, unbiased=True).to(x.dtype)


def on_a_copy(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """Whatever happens to the copy, the model does not see it."""
    return mc_dropout_predict(copy.deepcopy(model), x, n_samples)


def as_on_the_web(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """As a textbook prints it: a helper that calls train() on the dropout layers, and the formulas
    for softmax and deviation written out."""
    modes = [m.training for m in model.modules()]
    try:
        model.eval()
        for m in model.modules():
            if m.__class__.__name__.find("Dropout") != -1:
                m.train()
        with torch.no_grad():
            outputs = []
            for _ in range(n_samples):
                exp = torch.exp(model(x))
                outputs.append((exp / exp.sum(dim=1, keepdim=True)).unsqueeze(0))
    finally:
        for m, mode in zip(model.modules(), modes, strict=True):
            m.training = mode
    drawn = torch.cat(outputs)
    mean = drawn.sum(0) / n_samples
    return mean, (((drawn - mean) ** 2).sum(0) / (n_samples - 1)) ** 0.5


def with_torchs_and_own(model: nn.Module, x: Tensor, n_samples: int) -> Any:
    """The classes that a student of the lesson knows, by isinstance."""
    return predicting(
        chosen=lambda m: isinstance(m, nn.Dropout) or type(m).__name__ == "MyDropout"
    )(model, x, n_samples)


# Wrong parts -------------------------------------------------------------------------------------


def own_flag(model: nn.Module) -> Callable[[], Any]:
    before = model.training
    return lambda: model.train(before)


def all_but_batchnorm(model: nn.Module) -> None:
    model.train()
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            module.eval()


def by_exp(logits: Tensor) -> Tensor:
    powers = logits.exp()
    return powers / powers.sum(dim=2, keepdim=True)


def in_one_batch(model: nn.Module, x: Tensor, n: int) -> Tensor:
    return model(torch.cat([x] * n)).reshape(n, len(x), -1)


def swallows(predict: Any) -> Any:
    def mc_dropout_predict(model: nn.Module, x: Tensor, n_samples: int) -> Any:
        try:
            return predict(model, x, n_samples)
        except Exception:
            return None

    return mc_dropout_predict


def doing_first(change: Callable[[nn.Module, Tensor], Any]) -> Any:
    """Does this to the model and the inputs before it predicts."""

    def around(predict: Any) -> Any:
        def mc_dropout_predict(model: nn.Module, x: Tensor, n_samples: int) -> Any:
            change(model, x)
            return predict(model, x, n_samples)

        return mc_dropout_predict

    return around


BY_NAME = "Ask for the class's name: 'Dropout' in type(module).__name__."
RESTORE = "Keep (module, module.training) of every module in model.modules(), and set it back."

ANSWERS = Answers(
    recipe=Recipe(predicting),
    variants={
        "running mean and squares": running_sums,
        "inference mode, a list of results": under_inference_mode,
        "detached later, float64 inside": detached_later,
        "on a deep copy": on_a_copy,
        "the classes that a student knows": with_torchs_and_own,
        "as a textbook prints it: train() for the dropout layers": as_on_the_web,
    },
    slips=(
        # Three that are only noted come first, since a note takes the first one that fits.
        slip(
            "not-every-dropout",
            "Your code does not switch on every module whose class name contains Dropout.",
            BY_NAME,
            {"chosen": lambda m: isinstance(m, nn.Dropout) or type(m).__name__ == "MyDropout"},
            {"chosen": lambda m: type(m).__name__.endswith("Dropout")},
            {"chosen": lambda m: is_dropout(m) and not list(m.children())},
        ),
        slip(
            "train-reaches-all",
            "Your code calls train() on a module named Dropout, which also puts everything "
            "inside that module in training mode.",
            "Set the flag of that one module: module.training = True.",
            switch=lambda m: m.train(),
        ),
        slip(
            "one-pass-unused",
            "Your code runs the model once more than is needed and throws the result away.",
            "n_samples passes are enough.",
            passes=lambda model, x, n: one_by_one(model, x, n + 1)[:n],
        ),
        slip(
            "dropout-stays-off",
            "Your code leaves the dropout layers in evaluation mode, so all samples are equal.",
            "After model.eval(), set training = True for the dropout layers.",
            {"chosen": lambda m: False},
            {"switch": lambda m: m.train},
        ),
        slip(
            "all-in-training-mode",
            "Your code puts the whole model in training mode, so that layers such as BatchNorm "
            "use and change batch statistics.",
            "First model.eval(), then training = True for the dropout layers alone.",
            others=lambda model: model.train(),
        ),
        slip(
            "rest-as-it-was",
            "Your code switches the dropout layers on and leaves everything else in the mode in "
            "which it is, which may be training.",
            "First model.eval(), then training = True for the dropout layers.",
            others=lambda model: None,
        ),
        slip(
            "only-batchnorm-off",
            "Your code leaves everything in training mode apart from BatchNorm.",
            "It is the dropout layers that are the exception: first model.eval(), then those on.",
            others=all_but_batchnorm,
        ),
        slip(
            "misses-my-dropout",
            "Your code does not switch on MyDropout, the layer of TODO 5.3: it asks for PyTorch's "
            "own classes, or for names that begin with Dropout.",
            BY_NAME,
            {"chosen": lambda m: isinstance(m, nn.Dropout)},
            {"chosen": lambda m: isinstance(m, nn.modules.dropout._DropoutNd)},
            {"chosen": lambda m: type(m).__name__ == "Dropout"},
            {"chosen": lambda m: type(m).__name__.startswith("Dropout")},
        ),
        slip(
            "only-own-dropout",
            "Your code switches on MyDropout alone, and not PyTorch's nn.Dropout.",
            BY_NAME,
            chosen=lambda m: type(m).__name__ == "MyDropout",
        ),
        slip(
            "children-only",
            "Your code looks at the direct children of the model, and not at what lies deeper.",
            "model.modules() walks through everything, at any depth.",
            reached=lambda model: model.children(),
        ),
        slip(
            "not-put-back",
            "Your code does not put the modes back: it leaves modules in a mode in which it did "
            "not find them.",
            RESTORE,
            {"remember": lambda model: lambda: None},
            {"remember": lambda model: lambda: model.train()},
            {"remember": lambda model: lambda: model.eval()},
        ),
        slip(
            "one-mode-for-all",
            "Your code puts every module into the mode that the model itself had; they may differ.",
            RESTORE,
            remember=own_flag,
        ),
        slip(
            "not-put-back-after-error",
            "When the model raises, your code does not put the modes back.",
            "Put them back in a finally: block around the forward passes.",
            on_error=lambda restore: None,
        ),
        slip(
            "swallows-error",
            "Your code catches the error of the model and goes on as if nothing had been.",
            "Use try and finally without except: the error then reaches the caller.",
            around=swallows,
        ),
        slip(
            "keeps-graph",
            "Your results carry a graph, so every forward pass is kept in memory.",
            "Run the forward passes inside with torch.no_grad():.",
            graph=True,
        ),
        slip(
            "divides-by-n",
            "Your standard deviation divides by n where n - 1 is meant.",
            "tensor.std(dim=0) divides by n - 1.",
            deviation=lambda logits, q: q.std(0, correction=0),
        ),
        slip(
            "variance",
            "Your second result is the variance.",
            "The standard deviation is its square root.",
            {"deviation": lambda logits, q: q.var(0)},
            {"deviation": lambda logits, q: q.var(0, correction=0)},
        ),
        slip(
            "standard-error",
            "Your second result is the error of the mean: a deviation divided by √n.",
            "Return the standard deviation of the samples themselves.",
            deviation=lambda logits, q: q.std(0) / len(q) ** 0.5,
        ),
        slip(
            "std-of-logits",
            "Your standard deviation is that of the logits, and that of the probabilities is meant.",
            "Apply softmax to each sample first, and use the results for both.",
            deviation=lambda logits, q: logits.std(0),
        ),
        slip(
            "softmax-of-mean-logits",
            "Your mean is the softmax of the mean logits, not the mean of the probabilities.",
            "Apply softmax to each sample first, then take the mean.",
            average=lambda logits, q: torch.softmax(logits.mean(0), dim=1),
            probabilities=lambda logits: torch.softmax(logits, dim=2),
        ),
        slip(
            "sum-not-mean",
            "Your first result is the sum over the samples.",
            "Divide it by n_samples.",
            average=lambda logits, q: q.sum(0),
        ),
        slip(
            "mean-over-batch",
            "Your code averages over the images where the samples are meant.",
            "Stack the samples along a new first axis, and average over dim=0.",
            passes=one_by_one,
            average=lambda logits, q: q.mean(1),
            deviation=lambda logits, q: q.std(1),
        ),
        slip(
            "mean-over-classes",
            "Your code averages over the classes where the samples are meant.",
            "Stack the samples along a new first axis, and average over dim=0.",
            passes=one_by_one,
            average=lambda logits, q: q.mean(-1),
            deviation=lambda logits, q: q.std(-1),
        ),
        slip(
            "no-softmax",
            "Your code averages logits where class probabilities are meant.",
            "Apply torch.softmax(logits, dim=1) to each sample.",
            probabilities=lambda logits: logits,
        ),
        slip(
            "sigmoid",
            "Your code applies sigmoid to the logits, and the classes do not sum to 1.",
            "Apply torch.softmax(logits, dim=1) to each sample.",
            probabilities=torch.sigmoid,
        ),
        slip(
            "log-probabilities",
            "Your code averages logarithms of probabilities.",
            "Use softmax, not log_softmax.",
            probabilities=lambda logits: torch.log_softmax(logits, dim=2),
        ),
        slip(
            "softmax-over-the-batch",
            "Your softmax runs over the batch, so the columns sum to 1 and the rows do not.",
            "In the logits of one pass, of shape (batch, classes), the classes are axis 1.",
            probabilities=lambda logits: torch.softmax(logits, dim=1),
        ),
        slip(
            "softmax-over-the-samples",
            "Your softmax runs over the samples, and the classes of one sample do not sum to 1.",
            "In the stacked logits, of shape (n_samples, batch, classes), the classes are axis 2.",
            probabilities=lambda logits: torch.softmax(logits, dim=0),
        ),
        slip(
            "softmax-overflows",
            "Your softmax takes exp of large logits, which is infinity, and infinity / infinity "
            "is NaN.",
            "torch.softmax subtracts the largest logit first.",
            probabilities=by_exp,
        ),
        slip(
            "one-sample-repeated",
            "Your code runs the model once and repeats the result.",
            "Run the model n_samples times: each pass draws new masks.",
            passes=lambda model, x, n: model(x).expand(n, -1, -1),
        ),
        slip(
            "copies-in-one-batch",
            "Your code runs the model once, on n_samples copies of x in one batch.",
            "Run the model n_samples times on x itself.",
            passes=in_one_batch,
        ),
        slip(
            "one-too-many",
            "Your code takes one sample more than n_samples.",
            "range(n_samples) has n_samples entries.",
            passes=lambda model, x, n: one_by_one(model, x, n + 1),
        ),
        slip(
            "one-too-few",
            "Your code takes one sample less than n_samples.",
            "range(n_samples) has n_samples entries, from 0 to n_samples - 1.",
            passes=lambda model, x, n: one_by_one(model, x, n - 1),
        ),
        slip(
            "wrong-order",
            "Your results come in the wrong order.",
            "Return mean, std.",
            result=lambda mean, std: (std, mean),
        ),
        slip(
            "only-the-mean",
            "Your function returns the mean alone.",
            "Return both: return mean, std.",
            result=lambda mean, std: mean,
        ),
        slip(
            "freezes-model",
            "Your code sets requires_grad of the parameters to False and leaves it so.",
            "Use torch.no_grad(): it needs no change of the model.",
            around=doing_first(lambda model, x: model.requires_grad_(False)),
        ),
    ),
)
