"""Check of the residual block of He et al. (2015)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from helpers.checking import Argument, Aspect, Case, Check, run_check

NAMES = ("conv1", "bn1", "conv2", "bn2", "shortcut")


def _block_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        channels: tuple[int, int],
        stride: int | None = None,
        size: tuple[int, int, int] = (3, 4, 4),
        dtype: torch.dtype = torch.float32,
        mean: float = 0.0,
    ) -> Case:
        n, h, w = size
        return Case(
            name,
            channels=channels,
            stride=stride,
            arguments=", ".join(map(str, [*channels, *([] if stride is None else [stride])])),
            x=torch.randn(n, channels[0], h, w, generator=rng, dtype=dtype) + mean,
            seed=int(torch.randint(1000, (1,), generator=rng)),
        )

    yield case("the same shape", (3, 3))
    yield case("the same shape, with the stride given", (2, 2), 1)
    yield case("more channels", (2, 4))
    yield case("fewer channels", (4, 2), 1)
    yield case("a stride of 2", (3, 3), 2)
    yield case("more channels and a stride of 2", (2, 4), 2)
    yield case("an odd and not square image", (2, 3), 2, (2, 7, 5))
    yield case("float64, a mean of 1000", (2, 4), 2, dtype=torch.float64, mean=1000.0)
    yield case("one channel", (1, 1), None, (4, 3, 3))


def fill(block: nn.Module, seed: int) -> None:
    """Give every weight and running statistic a value by its role, not by its order."""
    generator = torch.Generator().manual_seed(seed)

    def new(tensor: torch.Tensor) -> torch.Tensor:
        return torch.randn(tensor.shape, generator=generator, dtype=torch.float64).to(tensor)

    with torch.no_grad():
        for name in NAMES:
            part = getattr(block, name)
            if not isinstance(part, nn.Module):
                continue
            for weight in sorted(part.parameters(), key=lambda p: -p.dim()):
                weight.copy_(new(weight) * 0.4 + (1.0 if weight.dim() == 1 else 0.0))
            for key, state in part.named_buffers():
                if key.endswith("running_mean"):
                    state.copy_(new(state) * 0.3)
                elif key.endswith("running_var"):
                    state.copy_(new(state).abs() + 0.5)


def _sizes(block: nn.Module) -> str:
    return ", ".join(f"{name} {_size(getattr(block, name))}" for name in ("conv1", "conv2"))


def _size(part: Any) -> str:
    weight = getattr(part, "weight", None)
    if isinstance(weight, torch.Tensor):
        return str(tuple(weight.shape))
    return f"is a {type(part).__name__} and has no weight of its own"


def _made(make: Any, case: Case) -> nn.Module:
    """The block; layers that find their sizes at the first image have found them."""
    stride = () if case.stride is None else (case.stride,)
    block: nn.Module = make(*case.channels, *stride).to(case.x.dtype)
    if any(is_lazy(p) for p in block.parameters()):
        with torch.no_grad():
            block.eval()(case.x.clone())
    return block.train()


def _attributes(block: nn.Module) -> str:
    """Which of the five there are and, where one is missing, which others there are."""
    found = [name for name in NAMES if hasattr(block, name)]
    if len(found) == len(NAMES):
        return ", ".join(found)
    made = {**vars(block), **dict(block.named_children())}
    others = [
        name
        for name, value in made.items()
        if (value is None or isinstance(value, nn.Module))
        and not (isinstance(value, nn.ReLU) or name.startswith("_") or name in NAMES)
    ]
    return f"{', '.join(found) or 'none'}; others: {', '.join(sorted(others)) or 'none'}"


def _running_means(block: Any) -> Any:
    means = [getattr(bn, "running_mean", None) for bn in (block.bn1, block.bn2)]
    tensors = [mean for mean in means if isinstance(mean, torch.Tensor)]
    return torch.stack(tensors) if len(tensors) == 2 else "none"


def _observe_block(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    block: Any = _made(make, case)
    yield "attributes", _attributes(block)
    if not all(hasattr(block, name) for name in NAMES):
        return
    yield "weights", _sizes(block)
    yield "parameters", sum(p.numel() for p in block.parameters())
    shortcut = block.shortcut
    inside = list(shortcut.parameters()) if isinstance(shortcut, nn.Module) else []
    yield "shortcut", sum(p.numel() for p in inside)
    fill(block, case.seed)
    block.eval()
    yield "value in eval", block(case.x.clone())
    block.train()
    x = case.x.clone().requires_grad_()
    moved = x * 1  # not a leaf, so that a change in place is seen and not refused
    before = moved.detach().clone()
    out = block(moved)
    yield "value", out
    yield "x changed by", (moved.detach() - before).abs().max()
    upstream = torch.randn(out.shape, generator=torch.Generator().manual_seed(case.seed)).to(out)
    out.backward(upstream)
    yield "gradient of x", x.grad
    yield "gradient of conv1", block.conv1.weight.grad
    yield "gradient of bn2", getattr(block.bn2.weight, "grad", None)
    yield "running means", _running_means(block)
    block.eval()
    yield "value afterwards", block(case.x.clone())


BASIC_BLOCK = Check(
    name="check_basic_block",
    lesson="capstone",
    topic="BasicBlock",
    takes=(Argument("BasicBlock", "class"),),
    cases=_block_cases,
    observe=_observe_block,
    aspects={
        "attributes": Aspect(
            "BasicBlock({arguments}), which of the five attributes it has",
            "An attribute is missing, or has another name.",
        ),
        "weights": Aspect(
            "BasicBlock({arguments})", "A convolution has a weight of the wrong shape."
        ),
        "parameters": Aspect(
            "BasicBlock({arguments}), its number of parameters",
            "The block has the wrong number of parameters.",
        ),
        "shortcut": Aspect(
            "BasicBlock({arguments}).shortcut, its number of parameters",
            "The shortcut has the wrong number of parameters.",
        ),
        "value in eval": Aspect(
            "BasicBlock({arguments}).eval()(x)",
            "The output in evaluation mode is wrong.",
            of_largest=True,
        ),
        "value": Aspect("BasicBlock({arguments})(x)", "The output is wrong.", of_largest=True),
        "x changed by": Aspect("BasicBlock({arguments})(x), and then x", "Your block changed x."),
        "gradient of x": Aspect(
            "BasicBlock({arguments})(x).backward(g)",
            "The gradient of x is wrong.",
            of_largest=True,
        ),
        "gradient of conv1": Aspect(
            "BasicBlock({arguments})(x).backward(g)",
            "The gradient of conv1.weight is wrong.",
            of_largest=True,
        ),
        "gradient of bn2": Aspect(
            "BasicBlock({arguments})(x).backward(g)",
            "The gradient of bn2.weight is wrong.",
            of_largest=True,
        ),
        "running means": Aspect(
            "BasicBlock({arguments})(x), and then the running means of bn1 and bn2",
            "The running means after one step of training are wrong.",
            of_largest=True,
        ),
        "value afterwards": Aspect(
            "block = BasicBlock({arguments}); block(x); block.eval()(x)",
            "The output in evaluation mode is wrong after a step of training.",
            of_largest=True,
        ),
    },
    praise="two convolutions, a shortcut around them, and a ReLU after the sum.",
    reread="The block",
)


def check_basic_block(BasicBlock: Any) -> None:
    """Check `BasicBlock(in_channels, out_channels, stride=1)`, the block of He et al. (2015):
    conv 3×3 with the stride – BatchNorm – ReLU – conv 3×3 – BatchNorm, plus the shortcut, then
    ReLU. No convolution has a bias. The shortcut is the identity where the shape stays, else a
    conv 1×1 with the stride and a BatchNorm. Attributes: `conv1`, `bn1`, `conv2`, `bn2`,
    `shortcut`.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.capstone.blocks import BasicBlock
    >>> check_basic_block(BasicBlock)
    ✓ BasicBlock — two convolutions, a shortcut around them, and a ReLU after the sum.
    """
    run_check(BASIC_BLOCK, BasicBlock)
