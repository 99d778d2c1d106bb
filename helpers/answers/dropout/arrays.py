"""NumpyDropouts that are right or wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np


def draw(shape: tuple[int, ...]) -> Any:
    return np.random.random(shape)


class Reference:
    """Slow and obvious: factor holds what each entry was multiplied by."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob

    def forward(self, X: np.ndarray, training: bool = True) -> np.ndarray:
        self.factor = np.ones_like(X)
        if training:
            keep = 1 - self.drop_prob
            kept = np.asarray(draw(X.shape) < keep)
            self.factor = np.where(kept, 1 / keep if keep else 0, 0).astype(X.dtype)
        return np.asarray(X * self.factor)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return np.asarray(dout * self.factor)


class ByHand:
    """With a mask of booleans, or None after an evaluation."""

    def __init__(self, drop_prob: float) -> None:
        self.drop_prob = drop_prob
        self.mask: Any = None

    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        if self.drop_prob == 1:
            return np.zeros_like(values)
        return values * self.mask / (1 - self.drop_prob)

    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) >= self.drop_prob if training else None
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout)


class WithGenerator(ByHand):
    """A generator of its own, and the results of an evaluation are the arguments themselves."""

    def __init__(self, drop_prob: float) -> None:
        super().__init__(drop_prob)
        self.rng = np.random.default_rng(5)

    def forward(self, X: Any, training: bool = True) -> Any:
        self.training = training
        if not training:
            return X
        self.mask = self.rng.binomial(1, 1 - self.drop_prob, size=X.shape).astype(X.dtype)
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout) if self.training else dout


class InFloat64(ByHand):
    def _masked(self, values: Any) -> Any:
        wide = np.asarray(values, dtype=np.float64)
        return np.asarray(super()._masked(wide)).astype(values.dtype)


class OnOwnCopy(ByHand):
    def _masked(self, values: Any) -> Any:
        result = values.copy()
        if self.mask is not None:
            result[~self.mask] = 0
            result /= max(1 - self.drop_prob, 1e-12)
        return result

    def forward(self, X: Any, training: bool = True) -> Any:
        numbers = [random.random() >= self.drop_prob for _ in range(X.size)]
        self.mask = np.array(numbers, dtype=bool).reshape(X.shape) if training else None
        return self._masked(X)


class Swapped(ByHand):
    """Keeps with the probability of dropping."""

    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) < self.drop_prob if training else None
        return self._masked(X)

    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        return values * self.mask / (1 - self.drop_prob if self.drop_prob < 1 else 1)


def with_factor(value: Callable[[float], float], slope: Callable[[float], float]) -> type:
    """Scales the kept entries and their gradients by these functions of the probability."""

    class Made(ByHand):
        def forward(self, X: Any, training: bool = True) -> Any:
            self.mask = draw(X.shape) >= self.drop_prob if training else None
            return X.copy() if self.mask is None else X * self.mask * value(self.drop_prob)

        def backward(self, dout: Any) -> Any:
            return dout if self.mask is None else dout * self.mask * slope(self.drop_prob)

    return Made


def inverted(p: float) -> float:
    return 1 / (1 - p) if p < 1 else 0.0


class ScalesInEvaluation(ByHand):
    """The first dropout of 2012: nothing is scaled in training, all is scaled at test time."""

    def forward(self, X: Any, training: bool = True) -> Any:
        self.factor = draw(X.shape) >= self.drop_prob if training else 1 - self.drop_prob
        return X * self.factor

    def backward(self, dout: Any) -> Any:
        return dout * self.factor


class BackwardPassesAll(ByHand):
    def backward(self, dout: Any) -> Any:
        return dout.copy()


class BackwardDrawsAnew(ByHand):
    def backward(self, dout: Any) -> Any:
        if self.mask is not None:
            self.mask = draw(dout.shape) >= self.drop_prob
        return self._masked(dout)


class BackwardTimesOutput(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.out = super().forward(X, training)
        return self.out.copy()

    def backward(self, dout: Any) -> Any:
        return dout.copy() if self.mask is None else dout * self.out


class KeepsOldMask(ByHand):
    """An evaluation does not touch the mask, and backward uses it."""

    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, True) if training else X.copy()


class KeepsFirstMask(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        if not training:
            self.used = False
            return X.copy()
        self.used = True
        if self.mask is None:
            self.mask = draw(X.shape) >= self.drop_prob
        return self._masked(X)

    def backward(self, dout: Any) -> Any:
        return self._masked(dout) if self.used else dout.copy()


class OneMaskForTheBatch(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape[1:]) >= self.drop_prob if training else None
        return self._masked(X)


class WholeRows(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        shape = [*X.shape[:1], *[1] * (X.ndim - 1)]
        self.mask = draw(tuple(shape)) >= self.drop_prob if training else None
        return self._masked(X)


class WideMask(ByHand):
    """The mask is divided by 1 - p, and becomes float64."""

    def forward(self, X: Any, training: bool = True) -> Any:
        scale = inverted(self.drop_prob)
        self.factor = (draw(X.shape) >= self.drop_prob) * scale if training else np.ones(X.shape)
        return X * self.factor

    def backward(self, dout: Any) -> Any:
        return dout * self.factor


class InPlace(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = draw(X.shape) >= self.drop_prob if training else None
        if training:
            X *= self.mask
            X *= inverted(self.drop_prob)
        return X


class BackwardInPlace(ByHand):
    def backward(self, dout: Any) -> Any:
        if self.mask is not None:
            dout *= self.mask
            dout *= inverted(self.drop_prob)
        return dout


class AlwaysDrops(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, True)


class FlagReversed(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        return super().forward(X, not training)


class ZeroOverZero(ByHand):
    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values.copy()
        return values * self.mask / values.dtype.type(1 - self.drop_prob)


class NormalNumbers(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        drawn = np.random.standard_normal(X.shape) if 0 < self.drop_prob < 1 else draw(X.shape)
        self.mask = drawn >= self.drop_prob if training else None
        return self._masked(X)


class SeedsItself(ByHand):
    def forward(self, X: Any, training: bool = True) -> Any:
        drawn = np.random.default_rng(0).random(X.shape)
        self.mask = drawn >= self.drop_prob if training else None
        return self._masked(X)


class BackwardUsesUp(ByHand):
    """backward forgets the mask, and a second backward finds none."""

    def backward(self, dout: Any) -> Any:
        result = self._masked(dout)
        self.mask = None
        return result


class OnClass(ByHand):
    """The probability is kept on the class, so all layers share the last one."""

    p = 0.5

    def __init__(self, drop_prob: float) -> None:
        OnClass.p = drop_prob
        self.mask = None

    @property
    def drop_prob(self) -> float:  # type: ignore[override]
        return OnClass.p


class MaskFromOutput(ByHand):
    """Takes every zero of the output for a dropped entry."""

    def forward(self, X: Any, training: bool = True) -> Any:
        out = super().forward(X, training)
        if self.mask is not None:
            self.mask = out != 0
        return out


class MaskOnClass(ByHand):
    """All layers share the mask of the last forward."""

    shared: Any = None

    def forward(self, X: Any, training: bool = True) -> Any:
        out = super().forward(X, training)
        MaskOnClass.shared = self.mask
        return out

    def backward(self, dout: Any) -> Any:
        self.mask = MaskOnClass.shared
        return self._masked(dout)


class SeedsInConstructor(ByHand):
    def __init__(self, drop_prob: float) -> None:
        super().__init__(drop_prob)
        np.random.seed(0)


class UnpacksShape(ByHand):
    """rand(*()) is a plain number, and comparing it gives a plain bool."""

    def forward(self, X: Any, training: bool = True) -> Any:
        self.mask = None
        if training:
            self.mask = (np.random.rand(*X.shape) >= self.drop_prob).astype(X.dtype)
        return self._masked(X)


class ScaledMaskInOneLine(ByHand):
    """As a well-known assignment writes it: the mask is float64, the result is turned back."""

    def forward(self, X: Any, training: bool = True) -> Any:
        keep = 1 - self.drop_prob
        self.mask = (np.random.rand(*X.shape) < keep) / max(keep, 1e-12) if training else None
        return self._masked(X)

    def _masked(self, values: Any) -> Any:
        if self.mask is None:
            return values
        return (values * self.mask).astype(values.dtype, copy=False)
