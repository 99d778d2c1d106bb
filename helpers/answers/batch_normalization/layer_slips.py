"""Slips of a batch-normalisation layer with any number of axes: parts of `HandBatchNorm`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import HandBatchNorm, deviation
from helpers.checking.recipe import family, slip

Tensor = torch.Tensor


def one_value(x: Tensor) -> bool:
    return x.numel() == x.shape[1]


def _refusing(error: type[Exception]) -> Callable[..., None]:
    def refuse(self: Any, x: Tensor) -> None:
        if self.training and one_value(x):
            raise error("one value per channel")

    return refuse


def refuse_always(self: Any, x: Tensor) -> None:
    if one_value(x):
        raise ValueError("one value per channel")


def _update_in_evaluation(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    kept = self.memory(0).clone(), self.memory(1).clone()
    if not one_value(x):
        mean = self.batch_mean(x)
        self.update(x, mean, self.batch_variance(x, mean))
    return kept


def _statistics(self: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    mean = self.batch_mean(x)
    return mean, self.used_variance(self.batch_variance(x, mean), self.values(x))


def _always(self: Any) -> bool:
    return True


def _own_eval(self: Any) -> Any:
    self.frozen = True
    return nn.Module.eval(self)


def _own_train(self: Any, mode: bool = True) -> Any:
    self.frozen = self.frozen and not mode
    return nn.Module.train(self, mode)


def _running_in_training(self: Any, i: int) -> Tensor:
    return self.memory(i).clone()  # type: ignore[no-any-return]


def _one_pass(self: Any, x: Tensor, mean: Tensor) -> Tensor:
    return (x * x).mean(self.axes) - mean * mean


def _all_entries(name: str) -> Any:
    def of_all(self: Any, x: Tensor, *mean: Tensor) -> Tensor:
        one = x.mean() if name == "mean" else x.var(correction=0)
        return one * torch.ones_like(self.memory(0))

    return of_all


def _plain_average(self: Any, old: Tensor, new: Tensor) -> Tensor:
    return old + (new - old) / (self.num_batches_tracked + 1)


def _first_replaces(self: Any, old: Tensor, new: Tensor) -> Tensor:
    if self.num_batches_tracked == 0:
        return new
    return (1 - self.momentum) * old + self.momentum * new


def _zero_is_default(self: Any, old: Tensor, new: Tensor) -> Tensor:
    m = self.momentum or 0.1
    return (1 - m) * old + m * new


def _centred_in_place(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
    x.sub_(x - c)
    return x / s


def _divided_in_place(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
    return x.sub_(x - c).div_(s)


def _through_data(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
    n = c / s
    x.data.copy_(c.detach())
    return n


def _with_graph(self: Any, i: int, value: Tensor) -> None:
    setattr(self, self.running[i], value)


def _as_parameter(self: Any, name: str, value: Tensor) -> None:
    self.register_parameter(name, nn.Parameter(value))


def _as_attribute(self: Any, name: str, value: Tensor) -> None:
    setattr(self, name, value)


def _not_persistent(self: Any, name: str, value: Tensor) -> None:
    self.register_buffer(name, value, persistent=False)


def _as_buffer(self: Any, name: str, value: Tensor) -> None:
    self.register_buffer(name, value.requires_grad_())


def _counter(value: Any) -> Any:
    return lambda self: self.register_buffer("num_batches_tracked", value.clone())


def _number_as_counter(self: Any) -> None:
    self.num_batches_tracked = 0


def _nothing(self: Any, *given: Any) -> None:
    return None


def _detached(self: Any, statistic: Tensor, *n: float) -> Tensor:
    return statistic.detach()


def _under_no_grad(self: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return HandBatchNorm.forward(self, x)


def _first(name: str, value: Callable[..., Tensor]) -> Any:
    return {f"first_{name}": lambda self, shape: value(shape)}


def _mix(formula: Callable[[Any, Tensor, Tensor], Tensor]) -> Any:
    return {"mixed": lambda self, old, new: formula(self.momentum, old, new)}


def _to_dtype(dtype: torch.dtype) -> Any:
    return {"forward": lambda self, x: HandBatchNorm.forward(self, x).to(dtype)}


OUTPUTS = (
    slip(
        "eval-batch-statistics",
        "In evaluation mode your layer still normalises with the statistics of the batch.",
        "In evaluation mode use running_mean and running_var.",
        in_evaluation=_statistics,
    ),
    slip(
        "ignores-mode",
        "Your layer does the same in training and in evaluation mode.",
        "Ask self.training, which train() and eval() of a parent set.",
        in_training=_always,
    ),
    slip(
        "mode-reversed",
        "Your layer does in training what belongs to evaluation mode, and the other way round.",
        "self.training is True in training: there the batch's own statistics are meant.",
        in_training=lambda self: not self.training,
    ),
    slip(
        "own-eval-method",
        "Your layer notices evaluation mode only when its own eval() is called; a parent sets "
        "the mode by train(False).",
        "Do not write your own flag: ask self.training.",
        frozen=False,
        in_training=lambda self: not self.frozen,
        eval=_own_eval,
        train=_own_train,
    ),
    slip(
        "grad-mode-as-flag",
        "Your layer takes grad mode for training mode; the two are independent.",
        "Ask self.training, not torch.is_grad_enabled().",
        in_training=lambda self: torch.is_grad_enabled(),
    ),
    slip(
        "always-running",
        "Your layer normalises with the running statistics in training too.",
        "In training use the mean and the variance of the batch itself.",
        used_mean=lambda self, mean: _running_in_training(self, 0),
        used_variance=lambda self, var, n: _running_in_training(self, 1),
    ),
    slip(
        "ignores-weight",
        "weight does nothing in your output.",
        "Multiply the normalised values by weight.",
        scale=lambda self: 1,
    ),
    slip(
        "ignores-bias",
        "bias does nothing in your output.",
        "Add bias after multiplying by weight.",
        shift=lambda self: 0,
    ),
    slip(
        "ignores-weight-and-bias",
        "weight and bias do nothing in your output.",
        "Return weight times the normalised values, plus bias.",
        scale=lambda self: 1,
        shift=lambda self: 0,
    ),
    slip(
        "affine-only-in-training",
        "In evaluation mode your layer leaves weight and bias out.",
        "Scale and shift in both modes; only the statistics differ.",
        affine=lambda self, n: self.scale() * n + self.shift() if self.training else n,
    ),
    slip(
        "shift-before-scale",
        "Your layer multiplies bias by weight too.",
        "First multiply by weight, then add bias.",
        affine=lambda self, n: self.scale() * (n + self.shift()),
    ),
    slip(
        "weight-and-bias-swapped",
        "Your layer multiplies by bias and adds weight.",
        "weight is the factor, bias is the shift.",
        affine=lambda self, n: self.shift() * n + self.scale(),
    ),
    slip(
        "unbiased-normalises",
        "Your layer normalises with the unbiased variance; the biased one is meant there.",
        "Normalise with correction=0; only the stored variance is unbiased.",
        used_variance=lambda self, var, n: var * n / (n - 1),
    ),
    slip(
        "variances-swapped",
        "Your layer normalises with the unbiased variance and stores the biased one; it is the "
        "other way round.",
        "Normalise with correction=0 and store the variance with correction=1.",
        used_variance=lambda self, var, n: var * n / (n - 1),
        unbiased=lambda self, var, n: var,
    ),
    slip(
        "unbiased-std-plus-eps",
        "Your layer normalises with x.std(), which divides by n − 1, and eps stands outside the "
        "root.",
        "Take the variance with correction=0, add eps, and only then the root.",
        used_variance=lambda self, var, n: var * n / (n - 1),
        bottom=lambda self, var: deviation(var) + self.eps,
    ),
    slip(
        "eps-outside-root",
        "Your layer adds eps to the standard deviation; it belongs under the root.",
        "Write sqrt(var + eps).",
        {"bottom": lambda self, var: torch.sqrt(var) + self.eps},
        {"bottom": lambda self, var: deviation(var) + self.eps},
    ),
    slip(
        "no-eps",
        "Your layer leaves eps out, so a constant channel divides by zero.",
        "Write sqrt(var + eps).",
        bottom=lambda self, var: torch.sqrt(var),
    ),
    family(
        "fixed-eps",
        "Your layer adds the number {constant} to the variance and ignores the argument eps.",
        "Keep eps in the constructor and use self.eps.",
        (1e-5, 1e-8, 1e-6, 1e-3),
        lambda c: {"bottom": lambda self, var: torch.sqrt(var + c)},
    ),
    family(
        "other-default-eps",
        "Your default for eps is {constant}, and 1e-5 is meant.",
        "Keep the signature of the skeleton.",
        (1e-8, 1e-6, 1e-12),
        lambda c: {"default_eps": c},
    ),
    slip(
        "eps-only-in-training",
        "In evaluation mode your layer leaves eps out.",
        "Write sqrt(var + eps) in both modes.",
        bottom=lambda self, var: torch.sqrt(var + self.eps * self.training),
    ),
    slip(
        "divides-by-variance",
        "Your layer divides by the variance; the standard deviation is its root.",
        "Write sqrt(var + eps).",
        bottom=lambda self, var: var + self.eps,
    ),
    slip(
        "not-centred",
        "Your layer does not subtract the mean.",
        "Normalise x − mean.",
        divided=lambda self, x, c, s: x / s,
    ),
    slip(
        "only-centred",
        "Your layer subtracts the mean and does not divide by the spread.",
        "Divide by sqrt(var + eps).",
        divided=lambda self, x, c, s: c,
    ),
    slip(
        "one-pass-variance",
        "Your layer computes the variance as mean(x²) − mean(x)², which loses nearly all digits "
        "when the mean is large.",
        "Use x.var(..., correction=0), or subtract the mean before squaring.",
        {"batch_variance": _one_pass},
        {"batch_variance": lambda self, x, mean: _one_pass(self, x, mean).clamp(min=0)},
    ),
    slip(
        "statistics-detached",
        "Your batch statistics are cut off from the graph, so the gradient of x misses two paths.",
        "Detach only what goes into the running statistics.",
        used_mean=_detached,
        used_variance=_detached,
    ),
    slip(
        "mean-detached",
        "Your batch mean is cut off from the graph.",
        "Detach only what goes into the running statistics.",
        used_mean=_detached,
    ),
    slip(
        "variance-detached",
        "Your batch variance is cut off from the graph.",
        "Detach only what goes into the running statistics.",
        used_variance=_detached,
    ),
    slip(
        "no-grad-everywhere",
        "Your whole forward runs without autograd, so nothing can be learned through it.",
        "Only the update of the running statistics belongs under torch.no_grad().",
        forward=_under_no_grad,
    ),
    slip(
        "in-place",
        "Your layer changes its input in place, for example with x -= mean.",
        "Write x - mean instead of x -= mean.",
        {"divided": _centred_in_place},
        {"divided": _divided_in_place},
    ),
    slip(
        "in-place-data",
        "Your layer changes its input through x.data, behind autograd's back.",
        "Make a new tensor.",
        divided=_through_data,
    ),
    slip(
        "one-mean-for-all",
        "Your layer takes the mean or the variance over all entries.",
        "Every channel has its own mean and variance.",
        {"batch_mean": _all_entries("mean"), "batch_variance": _all_entries("variance")},
        {"batch_variance": _all_entries("variance")},
    ),
    slip(
        "always-float32",
        "Your output is float32 whatever the input is.",
        "Keep the dtype of x.",
        _to_dtype(torch.float32),
    ),
    slip(
        "never-refuses",
        "Your layer accepts one value per channel in training, where no spread exists.",
        "Raise ValueError when the batch has one value per channel and self.training is set.",
        refuse=_nothing,
    ),
    slip(
        "wrong-error",
        "Your layer refuses one value per channel with another exception than ValueError.",
        "Write raise ValueError(...) with a sentence that helps.",
        *({"refuse": _refusing(e)} for e in (AssertionError, ZeroDivisionError, RuntimeError)),
    ),
    slip(
        "refuses-in-eval",
        "Your layer refuses one value per channel in evaluation mode too.",
        "The running statistics are enough there: raise only when self.training is set.",
        refuse=refuse_always,
    ),
)
"""Slips whose outputs or gradients are wrong."""

MEMORY = (
    slip(
        "variance-never-updated",
        "running_var stays at its first value.",
        "Update running_var in training as you update running_mean.",
        store_variance=_nothing,
    ),
    slip(
        "mean-never-updated",
        "running_mean stays at its first value.",
        "Update running_mean in training as you update running_var.",
        store_mean=_nothing,
    ),
    slip(
        "never-updated",
        "The running statistics stay at their first values.",
        "Update both in training: (1 − momentum) · old + momentum · batch.",
        store_mean=_nothing,
        store_variance=_nothing,
    ),
    slip(
        "nothing-remembered",
        "Nothing is remembered in training: the running statistics and the counter stay as they "
        "were.",
        "In training, update both statistics and add 1 to num_batches_tracked.",
        update=_nothing,
        in_training=HandBatchNorm.in_training,  # without a memory other modes would not show
    ),
    slip(
        "biased-stored",
        "Your running_var collects the biased variance; PyTorch stores the unbiased one.",
        "Multiply the batch variance by n / (n − 1) before you store it.",
        unbiased=lambda self, var, n: var,
    ),
    slip(
        "factor-upside-down",
        "Your running_var collects the biased variance times (n − 1)/n.",
        "The unbiased variance is the larger one: n / (n − 1).",
        unbiased=lambda self, var, n: var * (n - 1) / n,
    ),
    slip(
        "momentum-reversed",
        "Your momentum is the weight of the old value; PyTorch's is the weight of the new one.",
        "running = (1 − momentum) · running + momentum · batch.",
        _mix(lambda m, old, new: m * old + (1 - m) * new),
    ),
    slip(
        "zero-momentum-is-default",
        "Your layer takes a momentum of 0 for a missing one.",
        "0 is false in `momentum or 0.1`: use the number as it is.",
        mixed=_zero_is_default,
    ),
    family(
        "fixed-momentum",
        "Your layer mixes in the new value with the weight {constant} and ignores the argument "
        "momentum.",
        "Keep momentum in the constructor and use self.momentum.",
        (0.1, 0.9, 0.01),
        lambda c: _mix(lambda m, old, new: (1 - c) * old + c * new),
    ),
    family(
        "other-default-momentum",
        "Your default for momentum is {constant}, and 0.1 is meant.",
        "Keep the signature of the skeleton.",
        (0.9, 0.01, 0.99),
        lambda c: {"default_momentum": c},
    ),
    slip(
        "last-batch-only",
        "Your running statistics are those of the last batch alone.",
        "Mix old and new: (1 − momentum) · old + momentum · batch.",
        _mix(lambda m, old, new: new),
    ),
    slip(
        "added-up",
        "Your running statistics only grow: the old value is not multiplied by 1 − momentum.",
        "running = (1 − momentum) · running + momentum · batch.",
        _mix(lambda m, old, new: old + m * new),
    ),
    slip(
        "old-forgotten",
        "Your running statistics lose the old value: they are momentum times the last batch's.",
        "running = (1 − momentum) · running + momentum · batch.",
        _mix(lambda m, old, new: m * new),
    ),
    slip(
        "plain-average",
        "Your running statistics are a plain average over the batches and ignore momentum.",
        "running = (1 − momentum) · running + momentum · batch.",
        mixed=_plain_average,
    ),
    slip(
        "first-batch-replaces",
        "Your first batch replaces the running statistics; it is mixed in like every other one.",
        "Use the same formula for the first batch.",
        mixed=_first_replaces,
    ),
    slip(
        "stores-deviation",
        "Your running_var collects standard deviations.",
        "Store the variance, without the root.",
        store_variance=lambda self, var: HandBatchNorm.store_variance(self, var.sqrt()),
    ),
    slip(
        "stores-variance-with-eps",
        "Your running_var contains eps.",
        "Add eps only where you divide, not to what you store.",
        store_variance=lambda self, var: HandBatchNorm.store_variance(self, var + self.eps),
    ),
    slip(
        "updated-in-eval",
        "Your layer updates its running statistics in evaluation mode too.",
        "Update them only when self.training is set.",
        in_evaluation=_update_in_evaluation,
    ),
    slip(
        "counted-in-eval",
        "num_batches_tracked counts batches in evaluation mode too.",
        "Count only when self.training is set.",
        in_evaluation=lambda self, x: (self.count(x), self.memory(0), self.memory(1))[1:],
    ),
    slip(
        "never-counted",
        "num_batches_tracked stays 0.",
        "Add 1 for each batch in training.",
        count=_nothing,
    ),
    slip(
        "counts-samples",
        "num_batches_tracked counts samples.",
        "Add 1 for each batch in training.",
        count=lambda self, x: self.num_batches_tracked.add_(len(x)),
    ),
    slip(
        "graph-kept",
        "Your running statistics carry the graph of all batches so far, which fills the memory.",
        "Update them under torch.no_grad(), or with detached statistics.",
        store=_with_graph,
    ),
)
"""Slips in what the layer remembers."""

CONSTRUCTOR = (
    slip(
        "buffers-as-parameters",
        "Your running statistics are parameters; they are buffers.",
        "Use self.register_buffer(name, tensor): no optimiser must train them.",
        make_buffer=_as_parameter,
        store=lambda self, i, value: self.memory(i).data.copy_(value.detach()),
    ),
    slip(
        "plain-attributes",
        "Your running statistics are plain attributes: they are not saved and do not move with "
        "the layer.",
        "Use self.register_buffer(name, tensor).",
        make_buffer=_as_attribute,
    ),
    slip(
        "not-persistent",
        "Your running statistics and your counter are not saved: the state_dict has weight and "
        "bias alone.",
        "Make all three with self.register_buffer(name, tensor), without persistent=False.",
        make_buffer=_not_persistent,
        make_counter=_number_as_counter,
    ),
    slip(
        "no-counter",
        "num_batches_tracked is no buffer of your layer.",
        "Register a third buffer, an integer tensor that starts at 0: torch.tensor(0).",
        {"make_counter": _nothing, "count": _nothing},
        {"make_counter": _number_as_counter},
    ),
    slip(
        "counter-is-float",
        "num_batches_tracked is a float tensor.",
        "Write torch.tensor(0), which is an integer.",
        make_counter=_counter(torch.tensor(0.0)),
    ),
    slip(
        "counter-is-vector",
        "num_batches_tracked has the shape (1,).",
        "Write torch.tensor(0), which has no axes.",
        make_counter=_counter(torch.zeros(1, dtype=torch.int64)),
    ),
    slip(
        "counter-starts-at-one",
        "num_batches_tracked starts at 1.",
        "It counts the batches seen in training: start at 0.",
        make_counter=_counter(torch.tensor(1)),
    ),
    slip(
        "other-names",
        "Your parameters or your running statistics have other names than PyTorch's.",
        "Call them weight, bias, running_mean, running_var and num_batches_tracked.",
        {"names": ("gamma", "beta")},
        {"names": ("gamma", "beta"), "running": ("moving_mean", "moving_var")},
        {"running": ("moving_mean", "moving_var")},
        {"names": ("mults", "adds"), "running": ("means", "vars")},
    ),
    slip(
        "weights-are-buffers",
        "weight and bias are no parameters, so no optimiser would find them.",
        "Wrap them in nn.Parameter.",
        make_parameter=_as_buffer,
    ),
    slip(
        "weights-are-plain",
        "weight and bias are plain tensors: no optimiser would find them, and they are not saved.",
        "Wrap them in nn.Parameter.",
        make_parameter=_as_attribute,
    ),
    slip(
        "weight-starts-at-zero",
        "Your weight starts at 0.",
        "Start with weight 1 and bias 0: a new layer only normalises.",
        _first("weight", torch.zeros),
    ),
    slip(
        "weight-starts-random",
        "Your weight starts at random numbers.",
        "Start with weight 1 and bias 0: a new layer only normalises.",
        _first("weight", torch.randn),
        _first("weight", torch.rand),
    ),
    slip(
        "bias-starts-at-one",
        "Your bias starts at 1.",
        "Start with weight 1 and bias 0: a new layer only normalises.",
        _first("bias", torch.ones),
    ),
    slip(
        "mean-starts-at-one",
        "Your running_mean starts at 1.",
        "It starts at 0, so that a new layer changes next to nothing in evaluation mode.",
        _first("mean", torch.ones),
    ),
    slip(
        "variance-starts-at-zero",
        "Your running_var starts at 0.",
        "It starts at 1, so that a new layer changes next to nothing in evaluation mode.",
        _first("var", torch.zeros),
    ),
)
"""Slips in what the constructor makes."""

SLIPS = (*CONSTRUCTOR, *OUTPUTS, *MEMORY)


def over(*axes: int) -> dict[str, Any]:
    """Normalises over these axes in training; what is remembered is right."""

    def own(self: Any, x: Tensor, c: Tensor, s: Tensor) -> Tensor:
        if not self.training:
            return c / s
        mean = x.mean(axes, keepdim=True)
        var = ((x - mean) ** 2).mean(axes, keepdim=True)
        used = self.used_variance(var, x.numel() / max(var.numel(), 1))
        return (x - self.used_mean(mean)) / self.bottom(used)

    return {"divided": own}
