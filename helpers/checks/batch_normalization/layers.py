"""Checks of the two modules, MyBatchNorm1d and MyBatchNorm2d: one set of cases and one look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Case, Check, outcome_of, run_check
from helpers.checks.batch_normalization.by_hand import (
    DOUBLE,
    NORMALISERS,
    of_dtype,
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
    yield case("a new layer", [batch(3, 2).float()], plain=True)
    yield case("weights that are not 1 and 0", [batch(5, 2)])
    yield case("three batches", [batch(n, 3) for n in (4, 6, 5)])
    yield case("a large eps", [batch(4, 2)], settings={"eps": 0.5})
    yield case("another momentum", [batch(4, 2) for _ in range(3)], settings={"momentum": 0.3})
    yield case("momentum 0", [batch(4, 2) for _ in range(2)], settings={"momentum": 0.0})
    yield case("momentum 1", [batch(4, 2) for _ in range(2)], settings={"momentum": 1.0})
    yield case("as many samples as channels", [batch(4, 4)])
    constant = batch(4, 2)
    constant[:, 0] = 3.0
    yield case("a channel that is constant", [constant])
    yield case("two samples", [batch(2, 3) for _ in range(2)])
    yield case("training under torch.no_grad()", [batch(4, 2), batch(4, 2)], grad=False)
    yield case("evaluation before training", [batch(4, 3)], eval_first=True)
    yield case("one sample in evaluation mode", [batch(4, 3)], evaluate=batch(1, 3))
    far = inputs.draw(16, 8, *inputs.image) + 1e3
    yield case("mean 1000 and standard deviation 1", [far.float()])
    fine = inputs.draw(8, 3, *inputs.image) * 1e-3 + 1e3
    yield case("mean 1000 and standard deviation 0.001", [fine])
    yield case(
        "another order in memory", [batch(4, 3).transpose(0, 1).contiguous().transpose(0, 1)]
    )
    yield case("two layers at once", [batch(4, 2).float()], kind="two layers")
    yield case("torch's state_dict", [batch(4, 3)], kind="load")
    yield case("a layer on another device", [batch(4, 2).to("meta")], kind="device", plain=True)


def _cases_1d(rng: torch.Generator) -> Iterator[Case]:
    inputs = _Inputs(rng)
    yield from _shared_cases(inputs)
    yield inputs.case("one value per channel", [inputs.batch(1, 3)], kind="one value")


def _cases_2d(rng: torch.Generator) -> Iterator[Case]:
    inputs = _Inputs(rng, (3, 2))
    yield from _shared_cases(inputs)
    yield inputs.case("as many rows as channels", [inputs.batch(3, 3, (3, 3))])
    yield inputs.case("one image", [inputs.batch(1, 3)])
    yield inputs.case("images of one pixel", [inputs.batch(4, 3, (1, 1))])
    last = inputs.batch(4, 3).to(memory_format=torch.channels_last)
    yield inputs.case("channels_last", [last])
    yield inputs.case("one value per channel", [inputs.batch(1, 3, (1, 1))], kind="one value")


def _made(make: Any, case: Case) -> tuple[nn.Module, Any]:
    """A student's layer with the case's weights, and a parent through which modes are set."""
    layer = make(case.channels, **case.settings)
    parent = nn.Sequential(layer)
    parent.to(device=case.x.device, dtype=case.x.dtype)
    if case.weight is not None:
        with torch.no_grad():
            layer.weight.copy_(case.weight)
            layer.bias.copy_(case.bias)
    return parent, layer


def _shapes(layer: Any) -> str:
    """Name, shape and dtype of everything in the state_dict, as text."""
    return "; ".join(
        f"{name} {tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
        for name, value in sorted(layer.state_dict().items())
    )


def _kind(value: Any) -> str:
    return "a tensor" if isinstance(value, torch.Tensor) else f"of type {type(value).__name__}"


def _observe(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    looks = {
        "steps": _observe_steps,
        "one value": _observe_one_value,
        "two layers": _observe_two_layers,
        "load": _observe_load,
        "device": _observe_device,
    }
    yield from looks[case.kind](make, case)


def _observe_steps(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    parent, layer = _made(make, case)
    new = {key: value.clone() for key, value in layer.state_dict().items()}
    if case.eval_first:
        layer.eval()
        yield of_dtype("y of a new layer in eval mode", case.x), layer(case.evaluate)
        parent.train()
    for i, (x, upstream) in enumerate(zip(case.batches, case.upstream, strict=True), start=1):
        yield from _one_batch(parent, layer, x, upstream, f"batch {i}", case.grad)
        if i == 1:
            yield (
                "parameters",
                ", ".join(sorted(name for name, _ in layer.named_parameters())) or "none",
            )
            yield "state_dict", ", ".join(sorted(new)) or "nothing"
            yield "counter", _kind(getattr(layer, "num_batches_tracked", None))
            yield "shapes", _shapes(layer)
            for key in STATE:
                yield f"new {key}", new[key]
        for key in STATE[2:]:
            yield of_dtype(f"{key} after batch {i}", x), layer.state_dict()[key]
        if i == 1:
            running = [getattr(layer, key, None) for key in STATE[2:4]]
            yield "graph", any(getattr(buffer, "requires_grad", False) for buffer in running)
    yield "x afterwards", case.batches[0]
    parent.eval()
    x, upstream = case.evaluate, case.upstream_evaluate
    yield from _one_batch(parent, layer, x, upstream, "eval mode", True)
    for key in STATE[2:]:
        yield of_dtype(f"{key} after eval mode", x), layer.state_dict()[key]
    parent.train()
    yield of_dtype("y after train()", case.x), parent(case.x)


def _one_batch(
    parent: Any, layer: Any, x: torch.Tensor, upstream: torch.Tensor, when: str, grad: bool
) -> Iterator[tuple[str, Any]]:
    """The output, and the gradients of x, weight and bias through it."""
    if not grad:
        with torch.no_grad():
            y = parent(x)
        yield of_dtype(f"y in {when}", x), y
        return
    leaf = x.detach().requires_grad_()
    y = parent(leaf)
    yield of_dtype(f"y in {when}", x), y
    yield "connected", bool(y.requires_grad)
    wanted = [leaf, layer.weight, layer.bias]
    gradients = torch.autograd.grad(y, wanted, upstream, materialize_grads=True)
    for name, gradient in zip(("x", "weight", "bias"), gradients, strict=True):
        yield of_dtype(f"gradient of {name} in {when}", x), gradient


def _observe_one_value(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """PyTorch refuses a batch in training from which no spread can be computed."""
    parent, _ = _made(make, case)
    parent.eval()
    yield "y of one value in eval mode", parent(case.x)
    parent.train()
    yield "one value in training", outcome_of(lambda: parent(case.x))


def _observe_two_layers(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    _, layer = _made(make, case)
    _, other = _made(make, case)
    layer(case.x)
    for key in STATE[2:]:
        yield f"{key} of the other layer", other.state_dict()[key]


def _observe_load(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """A state_dict from PyTorch's layer into the student's, and the other way."""
    theirs = (nn.BatchNorm1d if case.x.dim() == 2 else nn.BatchNorm2d)(case.channels).double()
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            value.copy_(torch.arange(1, 1 + value.numel()).view(value.shape) + len(key))
    parent, layer = _made(make, case)
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


def _observe_device(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    parent, layer = _made(make, case)
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

    Looked at: outputs and the gradients of x, weight and bias in training and evaluation mode
    (set through a parent), both running statistics and `num_batches_tracked` after several
    batches, several momenta and eps, the five names, shapes and dtypes of the `state_dict`,
    loading it from and into PyTorch's layer, and ValueError for one value per channel in
    training. Source: Ioffe and Szegedy 2015.

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
    all that `check_batchnorm1d` looks at; statistics go over the batch and all pixels.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.batch_normalization.hand import HandBatchNorm2d
    >>> check_batchnorm2d(HandBatchNorm2d)
    ✓ MyBatchNorm2d — each channel is normalised over the batch and all pixels.
    """
    run_check(BATCHNORM2D, MyBatchNorm2d)
