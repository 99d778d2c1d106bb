"""Batch-normalisation layers whose memory is wrong: running statistics, counter, state_dict."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from helpers.answers.batch_normalization.hand import HandBatchNorm, mixed
from helpers.checking.check import Misconception

Tensor = torch.Tensor


class VarianceNeverUpdated(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        super().remember(mean, self.running_var.clone())


class MeanNeverUpdated(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        super().remember(self.running_mean.clone(), unbiased)


class NeverUpdated(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        pass


class NothingRemembered(HandBatchNorm):
    """Neither the statistics nor the counter."""

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        pass


class BiasedStored(HandBatchNorm):
    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        n = x.numel() / x.shape[1]
        super().update(x, mean, var * (n - 1) / n)


class MomentumReversed(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        m = self.momentum
        self.running_mean.copy_(m * self.running_mean + (1 - m) * mean)
        self.running_var.copy_(m * self.running_var + (1 - m) * unbiased)


class FixedMomentum(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        self.running_mean.copy_(0.9 * self.running_mean + 0.1 * mean)
        self.running_var.copy_(0.9 * self.running_var + 0.1 * unbiased)


class ZeroMomentumIsDefault(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        m = self.momentum or 0.1
        self.running_mean.copy_((1 - m) * self.running_mean + m * mean)
        self.running_var.copy_((1 - m) * self.running_var + m * unbiased)


class LastBatchOnly(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        self.running_mean.copy_(mean)
        self.running_var.copy_(unbiased)


class Added(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        self.running_mean.add_(self.momentum * mean)
        self.running_var.add_(self.momentum * unbiased)


class PlainAverage(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        k = self.num_batches_tracked + 1
        self.running_mean += (mean - self.running_mean) / k
        self.running_var += (unbiased - self.running_var) / k


class FirstBatchReplaces(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        if bool(self.num_batches_tracked == 0):
            self.running_mean.copy_(mean)
            self.running_var.copy_(unbiased)
        else:
            super().remember(mean, unbiased)


class StoresDeviation(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        super().remember(mean, unbiased.sqrt())


class StoresVarianceWithEps(HandBatchNorm):
    def remember(self, mean: Tensor, unbiased: Tensor) -> None:
        super().remember(mean, unbiased + self.eps)


class UpdatedInEval(HandBatchNorm):
    def in_evaluation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        kept = self.running_mean.clone(), self.running_var.clone()
        if x.numel() > x.shape[1]:
            self.update(x, *self.statistics(x))
        return kept


class CountedInEval(HandBatchNorm):
    def in_evaluation(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.count()
        return super().in_evaluation(x)


class NeverCounted(HandBatchNorm):
    def count(self) -> None:
        pass


class CountsSamples(HandBatchNorm):
    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().update(x, mean, var)
        self.num_batches_tracked += len(x) - 1


class GraphKept(HandBatchNorm):
    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        n, m = x.numel() / x.shape[1], self.momentum
        self.running_mean = (1 - m) * self.running_mean + m * mean
        self.running_var = (1 - m) * self.running_var + m * var * n / (n - 1)
        self.count()


class BuffersAsParameters(HandBatchNorm):
    def make_buffers(self, c: int) -> None:
        self.running_mean = nn.Parameter(torch.zeros(c))
        self.running_var = nn.Parameter(torch.ones(c))
        self.make_counter()


class FrozenParameters(HandBatchNorm):
    def make_buffers(self, c: int) -> None:
        self.running_mean = nn.Parameter(torch.zeros(c), requires_grad=False)
        self.running_var = nn.Parameter(torch.ones(c), requires_grad=False)
        self.make_counter()


class PlainAttributes(HandBatchNorm):
    def make_buffers(self, c: int) -> None:
        self.running_mean, self.running_var = torch.zeros(c), torch.ones(c)
        self.make_counter()


class NotPersistent(HandBatchNorm):
    def make_buffers(self, c: int) -> None:
        self.register_buffer("running_mean", torch.zeros(c), persistent=False)
        self.register_buffer("running_var", torch.ones(c), persistent=False)
        self.register_buffer("num_batches_tracked", torch.tensor(0), persistent=False)


class NoCounter(HandBatchNorm):
    def make_counter(self) -> None:
        pass

    def count(self) -> None:
        pass


class CounterIsNumber(HandBatchNorm):
    def make_counter(self) -> None:
        self.num_batches_tracked = 0  # type: ignore[assignment]


class CounterIsFloat(HandBatchNorm):
    def make_counter(self) -> None:
        self.register_buffer("num_batches_tracked", torch.tensor(0.0))


class CounterIsVector(HandBatchNorm):
    def make_counter(self) -> None:
        self.register_buffer("num_batches_tracked", torch.zeros(1, dtype=torch.int64))


class OtherNames(HandBatchNorm):
    """As a well-known book writes it."""

    def make_buffers(self, c: int) -> None:
        self.register_buffer("moving_mean", torch.zeros(c))
        self.register_buffer("moving_var", torch.ones(c))
        self.make_counter()

    def make_parameters(self, c: int) -> None:
        self.gamma = nn.Parameter(torch.ones(c))
        self.beta = nn.Parameter(torch.zeros(c))

    def __getattr__(self, name: str) -> Any:
        other = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
                 "running_var": "moving_var"}.get(name, name)  # fmt: skip
        return super().__getattr__(other)


class WeightsAreBuffers(HandBatchNorm):
    weight: Any
    bias: Any

    def make_parameters(self, c: int) -> None:
        self.register_buffer("weight", torch.ones(c).requires_grad_())
        self.register_buffer("bias", torch.zeros(c).requires_grad_())


class WeightStartsAtZero(HandBatchNorm):
    def make_parameters(self, c: int) -> None:
        super().make_parameters(c)
        self.weight.data.zero_()


class WeightStartsRandom(HandBatchNorm):
    def make_parameters(self, c: int) -> None:
        super().make_parameters(c)
        self.weight.data.normal_()


class VarianceStartsAtZero(HandBatchNorm):
    def make_buffers(self, c: int) -> None:
        super().make_buffers(c)
        self.running_var.zero_()


def wrong_state(base: type[HandBatchNorm]) -> tuple[Misconception, ...]:
    table: list[tuple[str, type, str, str]] = [
        ("variance-never-updated", VarianceNeverUpdated,
         "running_var stays at its first value.",
         "Update running_var in training as you update running_mean."),
        ("mean-never-updated", MeanNeverUpdated,
         "running_mean stays at its first value.",
         "Update running_mean in training as you update running_var."),
        ("never-updated", NeverUpdated,
         "The running statistics stay at their first values.",
         "Update both in training: (1 − momentum) · old + momentum · batch."),
        ("nothing-remembered", NothingRemembered,
         "Nothing is remembered in training: the running statistics and the counter stay as they "
         "were.",
         "In training, update both statistics and add 1 to num_batches_tracked."),
        ("biased-stored", BiasedStored,
         "Your running_var collects the biased variance; PyTorch stores the unbiased one.",
         "Multiply the batch variance by n / (n − 1) before you store it."),
        ("momentum-reversed", MomentumReversed,
         "Your momentum is the weight of the old value; PyTorch's is the weight of the new one.",
         "running = (1 − momentum) · running + momentum · batch."),
        ("fixed-momentum", FixedMomentum,
         "Your layer uses 0.1 and ignores the argument momentum.",
         "Keep momentum in the constructor and use self.momentum."),
        ("zero-momentum-is-default", ZeroMomentumIsDefault,
         "Your layer takes a momentum of 0 for a missing one.",
         "0 is false in `momentum or 0.1`: use the number as it is."),
        ("last-batch-only", LastBatchOnly,
         "Your running statistics are those of the last batch alone.",
         "Mix old and new: (1 − momentum) · old + momentum · batch."),
        ("added-up", Added,
         "Your running statistics only grow: the old value is not multiplied by 1 − momentum.",
         "running = (1 − momentum) · running + momentum · batch."),
        ("plain-average", PlainAverage,
         "Your running statistics are a plain average over the batches and ignore momentum.",
         "running = (1 − momentum) · running + momentum · batch."),
        ("first-batch-replaces", FirstBatchReplaces,
         "Your first batch replaces the running statistics; it is mixed in like every other one.",
         "Use the same formula for the first batch."),
        ("stores-deviation", StoresDeviation,
         "Your running_var collects standard deviations.",
         "Store the variance, without the root."),
        ("stores-variance-with-eps", StoresVarianceWithEps,
         "Your running_var contains eps.",
         "Add eps only where you divide, not to what you store."),
        ("updated-in-eval", UpdatedInEval,
         "Your layer updates its running statistics in evaluation mode too.",
         "Update them only when self.training is set."),
        ("counted-in-eval", CountedInEval,
         "num_batches_tracked counts batches in evaluation mode too.",
         "Count only when self.training is set."),
        ("never-counted", NeverCounted,
         "num_batches_tracked stays 0.",
         "Add 1 for each batch in training."),
        ("counts-samples", CountsSamples,
         "num_batches_tracked counts samples.",
         "Add 1 for each batch in training."),
        ("graph-kept", GraphKept,
         "Your running statistics carry the graph of all batches so far, which fills the memory.",
         "Update them under torch.no_grad(), or with detached statistics."),
        ("buffers-as-parameters", BuffersAsParameters,
         "Your running statistics are parameters, so an optimiser would train them.",
         "Use self.register_buffer(name, tensor)."),
        ("frozen-parameters", FrozenParameters,
         "Your running statistics are frozen parameters; they are buffers.",
         "Use self.register_buffer(name, tensor)."),
        ("plain-attributes", PlainAttributes,
         "Your running statistics are plain attributes: they are not saved and do not move with "
         "the layer.",
         "Use self.register_buffer(name, tensor)."),
        ("not-persistent", NotPersistent,
         "Your buffers are registered with persistent=False, so they are not saved.",
         "Leave persistent out."),
        ("no-counter", NoCounter,
         "num_batches_tracked is missing.",
         "Register a third buffer, an integer tensor that starts at 0."),
        ("counter-is-number", CounterIsNumber,
         "num_batches_tracked is a Python number, so it is not in the state_dict.",
         "Register it as a buffer: torch.tensor(0)."),
        ("counter-is-float", CounterIsFloat,
         "num_batches_tracked is a float tensor.",
         "Write torch.tensor(0), which is an integer."),
        ("counter-is-vector", CounterIsVector,
         "num_batches_tracked has the shape (1,).",
         "Write torch.tensor(0), which has no axes."),
        ("other-names", OtherNames,
         "Your parameters and buffers have other names than PyTorch's.",
         "Call them weight, bias, running_mean, running_var and num_batches_tracked."),
        ("weights-are-buffers", WeightsAreBuffers,
         "weight and bias are no parameters, so no optimiser would find them.",
         "Wrap them in nn.Parameter."),
        ("weight-starts-at-zero", WeightStartsAtZero,
         "Your weight starts at 0.",
         "Start with weight 1 and bias 0: a new layer only normalises."),
        ("weight-starts-random", WeightStartsRandom,
         "Your weight starts at random numbers.",
         "Start with weight 1 and bias 0: a new layer only normalises."),
        ("variance-starts-at-zero", VarianceStartsAtZero,
         "Your running_var starts at 0.",
         "It starts at 1, so that a new layer changes next to nothing in evaluation mode."),
    ]  # fmt: skip
    return tuple(
        Misconception(key, mixed(base, change), diagnosis, hint)
        for key, change, diagnosis, hint in table
    )
