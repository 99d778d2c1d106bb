"""Checks of the two modules, MyBatchNorm1d and MyBatchNorm2d: one set of cases and one look."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Case, Check, outcome_of, run_check
from helpers.checks.batch_normalization.by_hand import (
    DOUBLE,
    NORMALISERS,
)
from helpers.checks.batch_normalization.layer_aspects import STATE, layer_aspects


class _Inputs:
    """Draws batches of one kind: (N, C), or (N, C, H, W) with `image` = (H, W)."""

    def __init__(self, rng: torch.Generator, image: tuple[int, ...] = ()) -> None:
        self.rng, self.image = rng, image

    def draw(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.rng, dtype=DOUBLE)

    def batch(self, n: int, c: int, image: tuple[int, ...] | None = None) -> torch.Tensor:
        """A batch in which every channel has a mean and a spread of its own."""
        shape = self.image if image is None else image
        across = (1, c) + (1,) * len(shape)
        spread = torch.rand(across, generator=self.rng, dtype=DOUBLE) * 2 + 0.5
        return self.draw(n, c, *shape) * spread + self.draw(*across) * 2

    def hardly_varying(self) -> torch.Tensor:
        x = self.batch(5, 2)
        x[:, 1] *= 1e-3
        return x

    def case(self, name: str, batches: list[torch.Tensor], **more: Any) -> Case:
        """`settings` go to the constructor; `weight` and `bias` are drawn unless `plain`."""
        settings, plain = more.pop("settings", {}), more.pop("plain", False)
        channels, dtype = batches[0].shape[1], batches[0].dtype
        evaluate = more.pop("evaluate", None)
        if evaluate is None:
            evaluate = self.batch(2, channels).to(batches[0])
        return Case(
            name,
            x=batches[0],
            shape=tuple(batches[0].shape),
            channels=channels,
            more="".join(f", {key}={value}" for key, value in settings.items()),
            settings=settings,
            batches=batches,
            upstream=[self.draw(*b.shape).to(dtype) for b in batches],
            weight=None if plain else (self.draw(channels) + 1.5).to(dtype),
            bias=None if plain else (self.draw(channels) * 2).to(dtype),
            evaluate=evaluate,
            upstream_evaluate=self.draw(*evaluate.shape).to(dtype),
            **{"kind": "steps", "grad": True, "eval_first": False, **more},
        )


def _shared_cases(inputs: _Inputs) -> Iterator[Case]:
    case, batch = inputs.case, inputs.batch
    yield case("three samples of two channels", [batch(3, 2) * 0.1])
    yield case("three batches", [batch(n, 3) * 20 for n in (4, 6, 5)])
    yield case("a channel that hardly varies", [inputs.hardly_varying()])
    settings = {"eps": 0.5, "momentum": 0.3}
    yield case("a large eps, another momentum", [batch(4, 2), batch(2, 2)], settings=settings)
    zeros = torch.zeros_like(batch(3, 2))
    yield case("a batch of zeros", [zeros], evaluate=zeros)
    yield case("as many samples as channels", [batch(4, 4) * 20], eval_first=True)
    yield case(
        "trained under torch.no_grad(), evaluated with one sample",
        [batch(4, 3)],
        grad=False,
        evaluate=batch(1, 3),
    )
    far = inputs.draw(16, 8, *inputs.image) + 1e3
    yield case("mean 1000 and standard deviation 1", [far.float()])
    yield case("torch's state_dict", [batch(4, 3)], kind="load")


def _beyond(inputs: _Inputs) -> Iterator[Case]:
    case, batch = inputs.case, inputs.batch
    for momentum in (0.0, 1.0):
        settings = {"momentum": momentum}
        yield case(f"momentum {momentum:.0f}", [batch(4, 2), batch(4, 2)], settings=settings)
    fine = inputs.draw(8, 3, *inputs.image) * 1e-3 + 1e3
    yield case("mean 1000 and standard deviation 0.001", [fine])
    turned = batch(4, 3).transpose(0, 1).contiguous().transpose(0, 1)
    yield case("another order in memory", [turned])
    yield case("a layer on another device", [batch(4, 2).to("meta")], kind="device", plain=True)


def _cases_1d(rng: torch.Generator) -> Iterator[Case]:
    inputs = _Inputs(rng)
    yield from _shared_cases(inputs)
    yield inputs.case("one value per channel", [inputs.batch(1, 3)], kind="one value")
    for case in _beyond(inputs):
        yield case.beyond()


def _cases_2d(rng: torch.Generator) -> Iterator[Case]:
    inputs = _Inputs(rng, (2, 3))
    yield from _shared_cases(inputs)
    yield inputs.case("as many columns as channels", [inputs.batch(3, 3, (3, 3))])
    yield inputs.case("one image", [inputs.batch(1, 3)], kind="one image")
    yield inputs.case("one value per channel", [inputs.batch(1, 3, (1, 1))], kind="one value")
    yield inputs.case("images of one pixel", [inputs.batch(4, 3, (1, 1))]).beyond()
    last = inputs.batch(4, 3).to(memory_format=torch.channels_last)
    yield inputs.case("channels_last", [last]).beyond()
    for case in _beyond(inputs):
        yield case.beyond()


def _made(make: Any, case: Case) -> tuple[nn.Module, Any]:
    """A student's layer and a parent through which modes are set."""
    layer = make(case.channels, **case.settings)
    parent = nn.Sequential(layer)
    parent.to(device=case.x.device, dtype=case.x.dtype)
    return parent, layer


def _give_weights(layer: Any, case: Case) -> None:
    if case.weight is not None:
        with torch.no_grad():
            layer.weight.copy_(case.weight)
            layer.bias.copy_(case.bias)


def _written(layer: Any) -> dict[str, str]:
    """The names of parameters and state_dict, and the shapes and dtypes of the latter, as text."""
    state = sorted(layer.state_dict().items())
    shapes = (f"{key} {tuple(v.shape)} {str(v.dtype).removeprefix('torch.')}" for key, v in state)
    return {
        "parameters": ", ".join(sorted(name for name, _ in layer.named_parameters())) or "none",
        "state_dict": ", ".join(key for key, _ in state) or "nothing",
        "shapes": "; ".join(shapes),
    }


@lru_cache(maxsize=16)
def _as_torch(channels: int, dtype: torch.dtype) -> dict[str, str]:
    return _written(nn.BatchNorm1d(channels).to(dtype))


def _observe(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """What the constructor makes; and, where it has PyTorch's names and shapes, how it is used."""
    parent, layer = _made(make, case)
    written = _written(layer)
    yield from written.items()
    if written != _as_torch(case.channels, case.x.dtype):
        return
    looks = {
        "steps": _observe_steps,
        "one value": _observe_one_value,
        "one image": _observe_one_image,
        "load": _observe_load,
        "device": _observe_device,
    }
    yield from looks[case.kind](parent, layer, case)


def _observe_steps(parent: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    for key, value in layer.state_dict().items():
        yield f"new {key}", value.clone()
    _give_weights(layer, case)
    if case.eval_first:
        layer.eval()
        yield "y of a new layer in eval mode", layer(case.evaluate)
        parent.train()
    for i, (x, upstream) in enumerate(zip(case.batches, case.upstream, strict=True), start=1):
        yield from _one_batch(parent, layer, x, upstream, f"batch {i}", case.grad)
        state = layer.state_dict()
        for key in STATE[2:]:
            yield f"{key} after batch {i}", state[key]
    running = [getattr(layer, key, None) for key in STATE[2:4]]
    yield "graph", any(getattr(buffer, "requires_grad", False) for buffer in running)
    yield "x afterwards", case.batches[0]
    parent.eval()
    x, upstream = case.evaluate, case.upstream_evaluate
    yield from _one_batch(parent, layer, x, upstream, "eval mode", True)
    state = layer.state_dict()
    for key in STATE[2:]:
        yield f"{key} after eval mode", state[key]
    parent.train()
    yield "y after train()", parent(case.x)


def _one_batch(
    parent: Any, layer: Any, x: torch.Tensor, upstream: torch.Tensor, when: str, grad: bool
) -> Iterator[tuple[str, Any]]:
    """The output, and the gradients of x, weight and bias through it."""
    if not grad:
        with torch.no_grad():
            y = parent(x)
        yield f"y in {when}", y
        return
    leaf = x.detach().requires_grad_()
    y = parent(leaf)
    yield f"y in {when}", y
    yield "connected", bool(y.requires_grad)
    wanted = [leaf, layer.weight, layer.bias]
    gradients = torch.autograd.grad(y, wanted, upstream, materialize_grads=True)
    for name, gradient in zip(("x", "weight", "bias"), gradients, strict=True):
        yield f"gradient of {name} in {when}", gradient


def _observe_one_value(parent: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """PyTorch refuses a batch in training from which no spread can be computed."""
    parent.train()
    yield "one value in training", outcome_of(lambda: parent(case.x))
    parent.eval()
    yield "one value in eval mode", outcome_of(lambda: parent(case.x))


def _observe_one_image(parent: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    yield "one image in training", outcome_of(lambda: parent(case.x))
    yield from _observe_steps(parent, layer, case)


def _observe_load(parent: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """A state_dict from PyTorch's layer into the student's, and the other way."""
    theirs = (nn.BatchNorm1d if case.x.dim() == 2 else nn.BatchNorm2d)(case.channels).double()
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            value.copy_(torch.arange(1, 1 + value.numel()).view(value.shape) + len(key))
    yield "loading from torch", outcome_of(lambda: layer.load_state_dict(theirs.state_dict()))
    parent.eval()
    yield "y with torch's state", parent(case.evaluate)
    parent.train()
    parent(case.x)
    for key in STATE[2:]:
        yield f"{key} after torch's state", layer.state_dict()[key]
    yield "loading into torch", outcome_of(lambda: theirs.load_state_dict(layer.state_dict()))
    for key in STATE:
        yield f"torch's {key}", theirs.state_dict()[key]


def _observe_device(parent: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    yield "y on another device", parent(case.x)
    yield "running_mean on another device", layer.running_mean
    parent.eval()
    yield "y in eval mode on another device", parent(case.x)


def _check(cls: str, cases: Any, praise: str) -> Check:
    return Check(
        name=f"check_{cls.removeprefix('My').lower()}",
        lesson="batch_normalization",
        topic=cls,
        takes=(Argument(cls, "class"),),
        cases=cases,
        observe=_observe,
        aspects=layer_aspects(cls),
        praise=praise,
        reread="A layer with a memory",
        forbidden=NORMALISERS,
    )


BATCHNORM1D = _check(
    "MyBatchNorm1d",
    _cases_1d,
    "it trains, evaluates and saves as PyTorch's layer does.",
)
BATCHNORM2D = _check(
    "MyBatchNorm2d",
    _cases_2d,
    "each channel is normalised over the batch and all pixels.",
)


def check_batchnorm1d(MyBatchNorm1d: Any) -> None:
    """Check `MyBatchNorm1d(num_features, eps=1e-5, momentum=0.1)` for inputs (N, C).

    What counts: the five names, shapes and dtypes of the `state_dict`, loading it from and into
    PyTorch's layer, outputs and the gradients of x, weight and bias in training and evaluation
    mode (set through a parent), both running statistics and `num_batches_tracked` after several
    batches, eps and momentum, a mean of 1,000, and ValueError for one value per channel in
    training. Noted only: a momentum of 0 or 1, a spread of 0.001 around 1,000, other orders in
    memory, another device. Source: Ioffe and Szegedy 2015.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.hand import HandBatchNorm1d
    >>> check_batchnorm1d(HandBatchNorm1d)
    ✓ MyBatchNorm1d — it trains, evaluates and saves as PyTorch's layer does.
    """
    run_check(BATCHNORM1D, MyBatchNorm1d)


def check_batchnorm2d(MyBatchNorm2d: Any) -> None:
    """Check `MyBatchNorm2d(num_features, eps=1e-5, momentum=0.1)` for inputs (N, C, H, W), in
    all that `check_batchnorm1d` looks at; statistics go over the batch and all pixels, and one
    image is a batch like any other. Noted only, besides: images of one pixel, `channels_last`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.hand import HandBatchNorm2d
    >>> check_batchnorm2d(HandBatchNorm2d)
    ✓ MyBatchNorm2d — each channel is normalised over the batch and all pixels.
    """
    run_check(BATCHNORM2D, MyBatchNorm2d)
