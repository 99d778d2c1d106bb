"""Batch-normalisation layers whose outputs or gradients are wrong, for any number of axes."""

from __future__ import annotations

from typing import Any

import torch

from helpers.answers.batch_normalization.hand import HandBatchNorm, mixed
from helpers.checking.check import Misconception

Tensor = torch.Tensor
Pair = tuple[Tensor, Tensor]


class EvalBatchStatistics(HandBatchNorm):
    def in_evaluation(self, x: Tensor) -> Pair:
        return self.statistics(x)


class AlwaysTraining(HandBatchNorm):
    def in_training(self) -> bool:
        return True

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        if x.numel() > x.shape[1]:
            super().update(x, mean, var)


class OwnEvalMethod(AlwaysTraining):
    frozen = False

    def in_training(self) -> bool:
        return not self.frozen

    def eval(self) -> Any:
        self.frozen = True
        return super().eval()

    def train(self, mode: bool = True) -> Any:
        self.frozen = self.frozen and not mode
        return super().train(mode)


class GradModeAsFlag(AlwaysTraining):
    def in_training(self) -> bool:
        return torch.is_grad_enabled()


class AlwaysRunning(HandBatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        self.refuse(x)
        if self.training:
            self.update(x, *self.statistics(x))
        mean, var = self.running_mean.clone(), self.running_var.clone()
        return self.affine(self.normalise(x, self.wide(mean), self.wide(var)))


class IgnoresWeight(HandBatchNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n + self.wide(self.bias)


class IgnoresBias(HandBatchNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n * self.wide(self.weight)


class IgnoresBoth(HandBatchNorm):
    def affine(self, n: Tensor) -> Tensor:
        return n


class AffineOnlyInTraining(HandBatchNorm):
    def affine(self, n: Tensor) -> Tensor:
        return super().affine(n) if self.training else n


class ScaleOfWholeSum(HandBatchNorm):
    def affine(self, n: Tensor) -> Tensor:
        return self.wide(self.weight) * (n + self.wide(self.bias))


class UnbiasedNormalises(HandBatchNorm):
    def statistics(self, x: Tensor) -> Pair:
        return x.mean(self.axes), x.var(self.axes)

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        super().update(x, mean, x.var(self.axes, correction=0))


class UnbiasedNormalisesBiasedStored(UnbiasedNormalises):
    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        n = x.numel() / x.shape[1]
        super(UnbiasedNormalises, self).update(x, mean, var * ((n - 1) / n) ** 2)


class UnbiasedStdPlusEps(UnbiasedNormalises):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (torch.sqrt(var) + self.eps)


class EpsOutsideRoot(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (torch.sqrt(var) + self.eps)


class NoEps(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var)


class FixedEps(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var + 1e-5)


class EpsOnlyInTraining(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / torch.sqrt(var + self.eps * self.training)


class DividesByVariance(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return (x - mean) / (var + self.eps)


class NotCentred(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return x / torch.sqrt(var + self.eps)


class OnlyCentred(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return x - mean


class OnePassVariance(HandBatchNorm):
    def statistics(self, x: Tensor) -> Pair:
        mean = x.mean(self.axes)
        return mean, ((x * x).mean(self.axes) - mean * mean).clamp(min=0)


class DetachedStatistics(HandBatchNorm):
    def statistics(self, x: Tensor) -> Pair:
        mean, var = super().statistics(x)
        return mean.detach(), var.detach()


class DetachedMean(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return super().normalise(x, mean.detach(), var)


class DetachedVariance(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        return super().normalise(x, mean, var.detach())


class NoGradEverywhere(HandBatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(x)


class InPlace(HandBatchNorm):
    def normalise(self, x: Tensor, mean: Tensor, var: Tensor) -> Tensor:
        x -= mean
        return x / torch.sqrt(var + self.eps)


class DataInPlace(HandBatchNorm):
    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x * 1)
        x.data -= self.wide(x.detach().mean(self.axes))
        return y


class AllEntries(HandBatchNorm):
    def statistics(self, x: Tensor) -> Pair:
        ones = torch.ones_like(self.running_mean)
        return x.mean() * ones, x.var(correction=0) * ones


class NeverRefuses(HandBatchNorm):
    def refuse(self, x: Tensor) -> None:
        pass

    def update(self, x: Tensor, mean: Tensor, var: Tensor) -> None:
        if x.numel() > x.shape[1]:
            super().update(x, mean, var)


class WrongError(HandBatchNorm):
    def refuse(self, x: Tensor) -> None:
        if self.training:
            assert x.numel() > x.shape[1], "one value per channel"


class RefusesAlways(HandBatchNorm):
    def refuse(self, x: Tensor) -> None:
        if x.numel() == x.shape[1]:
            raise ValueError("one value per channel")


def wrong_outputs(base: type[HandBatchNorm]) -> tuple[Misconception, ...]:
    table: list[tuple[str, type, str, str]] = [
        ("eval-batch-statistics", EvalBatchStatistics,
         "In evaluation mode your layer still normalises with the statistics of the batch.",
         "In evaluation mode use running_mean and running_var."),
        ("ignores-mode", AlwaysTraining,
         "Your layer does the same in training and in evaluation mode.",
         "Ask self.training, which train() and eval() of a parent set."),
        ("own-eval-method", OwnEvalMethod,
         "Your layer notices evaluation mode only when its own eval() is called; a parent sets "
         "the mode by train(False).",
         "Do not write your own flag: ask self.training."),
        ("grad-mode-as-flag", GradModeAsFlag,
         "Your layer takes grad mode for training mode; the two are independent.",
         "Ask self.training, not torch.is_grad_enabled()."),
        ("always-running", AlwaysRunning,
         "Your layer normalises with the running statistics in training too.",
         "In training use the mean and the variance of the batch itself."),
        ("ignores-weight", IgnoresWeight,
         "weight does nothing in your output.",
         "Multiply the normalised values by weight."),
        ("ignores-bias", IgnoresBias,
         "bias does nothing in your output.",
         "Add bias after multiplying by weight."),
        ("ignores-weight-and-bias", IgnoresBoth,
         "weight and bias do nothing in your output.",
         "Return weight times the normalised values, plus bias."),
        ("affine-only-in-training", AffineOnlyInTraining,
         "In evaluation mode your layer leaves weight and bias out.",
         "Scale and shift in both modes; only the statistics differ."),
        ("shift-before-scale", ScaleOfWholeSum,
         "Your layer multiplies bias by weight too.",
         "First multiply by weight, then add bias."),
        ("unbiased-normalises", UnbiasedNormalises,
         "Your layer normalises with the unbiased variance; the biased one is meant there.",
         "Normalise with correction=0; only the stored variance is unbiased."),
        ("variances-swapped", UnbiasedNormalisesBiasedStored,
         "Your layer normalises with the unbiased variance and stores the biased one; it is the "
         "other way round.",
         "Normalise with correction=0 and store the variance with correction=1."),
        ("unbiased-std-plus-eps", UnbiasedStdPlusEps,
         "x.std() divides by n − 1, and eps stands outside the root.",
         "Take the variance with correction=0, add eps, and only then the root."),
        ("eps-outside-root", EpsOutsideRoot,
         "Your layer adds eps to the standard deviation; it belongs under the root.",
         "Write sqrt(var + eps)."),
        ("no-eps", NoEps,
         "Your layer leaves eps out, so a constant channel divides by zero.",
         "Write sqrt(var + eps)."),
        ("fixed-eps", FixedEps,
         "Your layer uses 1e-5 and ignores the argument eps.",
         "Keep eps in the constructor and use self.eps."),
        ("eps-only-in-training", EpsOnlyInTraining,
         "In evaluation mode your layer leaves eps out.",
         "Write sqrt(var + eps) in both modes."),
        ("divides-by-variance", DividesByVariance,
         "Your layer divides by the variance; the standard deviation is its root.",
         "Write sqrt(var + eps)."),
        ("not-centred", NotCentred,
         "Your layer does not subtract the mean.",
         "Normalise x − mean."),
        ("only-centred", OnlyCentred,
         "Your layer subtracts the mean and does not divide by the spread.",
         "Divide by sqrt(var + eps)."),
        ("one-pass-variance", OnePassVariance,
         "Your layer computes the variance as mean(x²) − mean(x)², which loses nearly all digits "
         "when the mean is large.",
         "Use x.var(..., correction=0), or subtract the mean before squaring."),
        ("statistics-detached", DetachedStatistics,
         "Your batch statistics are cut off from the graph, so the gradient of x misses two paths.",
         "Detach only what goes into the running statistics."),
        ("mean-detached", DetachedMean,
         "Your batch mean is cut off from the graph.",
         "Detach only what goes into the running statistics."),
        ("variance-detached", DetachedVariance,
         "Your batch variance is cut off from the graph.",
         "Detach only what goes into the running statistics."),
        ("no-grad-everywhere", NoGradEverywhere,
         "Your whole forward runs under torch.no_grad(), so nothing can be learned through it.",
         "Only the update of the running statistics belongs under torch.no_grad()."),
        ("in-place", InPlace,
         "Your layer subtracts the mean from its input in place.",
         "Write x - mean instead of x -= mean."),
        ("in-place-data", DataInPlace,
         "Your layer changes its input through x.data, behind autograd's back.",
         "Make a new tensor."),
        ("one-mean-for-all", AllEntries,
         "Your layer takes one mean and one variance over all entries.",
         "Every channel has its own mean and variance."),
        ("never-refuses", NeverRefuses,
         "Your layer accepts one value per channel in training, where no spread exists.",
         "Raise ValueError when the batch has one value per channel and self.training is set."),
        ("wrong-error", WrongError,
         "Your layer refuses one value per channel with another exception than ValueError.",
         "Write raise ValueError(...) with a sentence that helps."),
        ("refuses-in-eval", RefusesAlways,
         "Your layer refuses one value per channel in evaluation mode too.",
         "The running statistics are enough there: raise only when self.training is set."),
    ]  # fmt: skip
    return tuple(
        Misconception(key, mixed(base, change), diagnosis, hint)
        for key, change, diagnosis, hint in table
    )
