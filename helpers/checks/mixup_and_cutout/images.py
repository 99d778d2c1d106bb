"""Checks of what changes images in training: mixup and cutout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checking.devices import device_of


def _gradient(result: torch.Tensor, leaf: torch.Tensor) -> torch.Tensor:
    """The gradient of a sum in which every entry of the result has another weight."""
    weights = torch.arange(1.0, result.numel() + 1, dtype=result.dtype).view(result.shape)
    (gradient,) = torch.autograd.grad((result * weights).sum(), leaf)
    return gradient


def _mixup_cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        x: torch.Tensor,
        y: list[int],
        permutation: list[int],
        lam: Any = 0.3,
        num_classes: int = 3,
    ) -> Case:
        return Case(
            name,
            x=x,
            y=torch.tensor(y),
            lam=lam,
            permutation=torch.tensor(permutation),
            num_classes=num_classes,
        )

    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.randn(shape, generator=rng, dtype=dtype)

    circle = [2, 0, 3, 1]  # its inverse is [1, 3, 0, 2]
    yield case("two numbers", torch.tensor([1.0, 3.0]), [0, 1], [1, 0], 0.25, 2)
    yield case("three in a circle", torch.tensor([1.0, 2.0, 4.0]), [0, 1, 2], [1, 2, 0])
    yield case("weights that are not in binary", torch.tensor([1.0, 2.0]), [0, 1], [1, 0], 0.7, 2)
    yield case("two images of the same class", torch.tensor([1.0, 3.0]), [1, 1], [1, 0])
    yield case("an image that is its own partner", draw(3, 2), [2, 0, 1], [0, 2, 1])
    yield case("a class that does not occur", draw(4, 2), [0, 2, 1, 1], circle, 0.4, 5)
    yield case("as many features as images", draw(4, 4), [0, 2, 1, 3], circle, 0.4, 4)
    yield case("float64", draw(4, 3, dtype=torch.float64), [3, 1, 2, 0], circle, 0.6, 4)
    yield case("far from zero", 1e3 + draw(4, 2), [0, 1, 2, 0], circle, 0.85)
    yield case("images", draw(5, 2, 3, 4), [4, 0, 3, 1, 2], [1, 2, 3, 4, 0], 0.15, 6)
    yield case("lam = 1", draw(4, 2), [0, 1, 2, 0], circle, 1.0)
    yield case("lam = 0", draw(4, 2), [0, 1, 2, 0], circle, 0.0)
    yield case("lam = 1, an int", draw(4, 2), [0, 1, 2, 0], circle, 1).beyond()
    yield case("lam from NumPy", draw(4, 2), [0, 1, 2, 0], circle, np.float64(0.85)).beyond()
    yield case("one image", draw(1, 3), [1], [0]).beyond()
    yield case("a transposed matrix", draw(2, 4).t(), [0, 1, 2, 0], circle).beyond()
    yield case("an expanded matrix", draw(1, 3).expand(4, 3), [0, 1, 2, 0], circle).beyond()
    meta = case("tensors on another device", draw(4, 2), [0, 1, 2, 0], circle)
    meta.data.update({k: meta.data[k].to("meta") for k in ("x", "y", "permutation")})
    yield meta.beyond()


def _observe_mixup(mixup: Any, case: Case) -> Iterator[tuple[str, Any]]:
    y, lam, permutation, num_classes = case.y, case.lam, case.permutation, case.num_classes
    if case.x.device.type == "meta":
        yield "device", device_of(lambda: mixup(case.x, y, lam, permutation, num_classes))
        return
    leaf = case.fresh().x.requires_grad_()
    result = mixup(case.x, y, lam, permutation, num_classes)
    yield "results", len(result) if isinstance(result, (tuple, list)) else result
    x_mix, y_mix = result
    yield "x_mix", x_mix
    yield "y_mix", y_mix
    yield "x afterwards", case.x
    yield "y afterwards", y
    yield "permutation afterwards", permutation
    mixed = mixup(leaf * 1, y, lam, permutation, num_classes)[0]
    yield "connected", bool(mixed.requires_grad)
    yield "gradient", _gradient(mixed, leaf)


_MIXUP = "mixup({x}, {y}, {lam}, {permutation}, {num_classes})"

MIXUP = Check(
    name="check_mixup",
    lesson="mixup_and_cutout",
    topic="mixup",
    takes=(Argument("mixup"),),
    cases=_mixup_cases,
    observe=_observe_mixup,
    aspects={
        "results": Aspect(_MIXUP, "Two results are expected, x_mix and y_mix."),
        "x_mix": Aspect(f"x_mix, y_mix = {_MIXUP}, and then x_mix", "x_mix is wrong."),
        "y_mix": Aspect(f"x_mix, y_mix = {_MIXUP}, and then y_mix", "y_mix is wrong."),
        "x afterwards": Aspect(
            "mixup(x, {y}, {lam}, {permutation}, {num_classes}), and then x", "Your code changed x."
        ),
        "y afterwards": Aspect(
            "mixup(x, y, {lam}, {permutation}, {num_classes}), and then y", "Your code changed y."
        ),
        "permutation afterwards": Aspect(
            "mixup(x, {y}, {lam}, permutation, {num_classes}), and then permutation",
            "Your code changed the permutation.",
        ),
        "connected": Aspect(
            "x_mix.requires_grad, for an x that asks for gradients",
            "Autograd cannot see through your function: x_mix is cut off from x.",
        ),
        "gradient": Aspect(
            "the gradient of a weighted sum of x_mix with respect to x",
            "The gradient of x_mix with respect to x is wrong.",
        ),
        "device": Aspect(
            _MIXUP, "A tensor that your code makes is not on the device of x.", secret=True
        ),
    },
    praise="images and labels are mixed with the same weights and the same partners.",
    reread="Mix two images, and their labels alike",
)


def check_mixup(mixup: Callable[..., tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Check `mixup(x, y, lam, permutation, num_classes) -> (x_mix, y_mix)`.

    `x` is (N, ...), float32 or float64; `y` (N,) holds class indices; `lam` in [0, 1] weighs
    `x[i]` and 1 − lam weighs `x[permutation[i]]`. `y_mix` is (N, num_classes), of the dtype of
    `x`, and its rows sum to 1. The arguments are left unchanged. What happens on another device,
    for a batch of one, and for a transposed or an expanded `x` is only noted. Source: Zhang,
    Cisse, Dauphin and Lopez-Paz, "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> import torch.nn.functional as F
    >>> def mixup(x, y, lam, permutation, num_classes):
    ...     one_hot = F.one_hot(y, num_classes).to(x.dtype)
    ...     mix = lambda t: lam * t + (1 - lam) * t[permutation]
    ...     return mix(x), mix(one_hot)
    >>> check_mixup(mixup)
    ✓ mixup — images and labels are mixed with the same weights and the same partners.
    """
    run_check(MIXUP, mixup)


def _cutout_cases(rng: torch.Generator) -> Iterator[Case]:
    def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        return torch.rand(shape, generator=rng, dtype=dtype) + 0.5  # no pixel is 0 before

    def case(name: str, images: torch.Tensor, size: int, *centers: tuple[int, int]) -> Case:
        return Case(name, images=images, size=size, centers=list(centers))

    yield case("an odd size", draw(1, 1, 5, 6), 3, (2, 3))
    yield case("an even size", draw(1, 1, 5, 6), 2, (2, 3))
    yield case("one pixel", torch.arange(1.0, 7.0).view(1, 1, 2, 3), 1, (0, 1))
    yield case("a size of 5", draw(1, 1, 9, 8), 5, (4, 3))
    yield case("a centre in the first row and column", draw(1, 1, 6, 6), 3, (0, 0))
    yield case("a centre in the last row and column", draw(1, 1, 6, 6), 3, (5, 5))
    yield case("an even size at the upper border", draw(1, 1, 6, 8), 4, (1, 4))
    yield case("an even size at the lower border", draw(1, 1, 6, 8), 4, (4, 4))
    yield case("an even size at the right border", draw(1, 1, 7, 7), 4, (3, 6))
    yield case("a high image", draw(1, 1, 7, 3), 4, (5, 1))
    yield case("a wide image", draw(1, 1, 3, 7), 3, (1, 5))
    yield case("three channels", draw(1, 3, 5, 6), 3, (3, 2))
    yield case("a centre for each image", draw(3, 2, 6, 7), 3, (0, 5), (3, 1), (5, 3))
    many = case("float64", draw(4, 1, 8, 8, dtype=torch.float64), 5, (7, 0), (4, 4), (0, 7), (2, 5))
    yield many

    def with_centers(name: str, dtype: torch.dtype) -> Case:
        data = {**many.data, "centers": torch.tensor(many.centers, dtype=dtype)}
        return Case(name, **data)

    yield with_centers("centres in a tensor", torch.int64)
    yield with_centers("centres of the dtype uint8", torch.uint8).beyond()
    yield case("a size of 0", draw(1, 1, 2, 3), 0, (1, 1)).beyond()
    yield case("a size that is larger than the image", draw(1, 1, 4, 5), 20, (1, 3)).beyond()
    expanded = draw(1, 1, 4, 5).expand(3, 2, 4, 5)
    yield case("expanded images", expanded, 2, (1, 1), (2, 4), (3, 0)).beyond()
    transposed = draw(2, 2, 5, 4).transpose(2, 3)
    yield case("transposed images", transposed, 2, (1, 4), (3, 2)).beyond()
    yield case("half precision", draw(1, 2, 4, 5, dtype=torch.float16), 3, (1, 3)).beyond()
    meta = torch.zeros(2, 1, 4, 5, device="meta")
    yield case("images on another device", meta, 2, (1, 1), (2, 4)).beyond()


def _observe_cutout(cutout: Any, case: Case) -> Iterator[tuple[str, Any]]:
    if case.images.device.type == "meta":
        yield "device", device_of(lambda: cutout(case.images, case.size, case.centers))
        return
    leaf = case.fresh().images.requires_grad_()
    yield "images", cutout(case.images, case.size, case.centers)
    yield "images afterwards", case.images
    yield "centers afterwards", torch.as_tensor(case.centers)
    covered = _with_graph(cutout, leaf, case)
    yield "connected", bool(covered.requires_grad)
    yield "gradient", _gradient(covered, leaf)


def _with_graph(cutout: Any, leaf: torch.Tensor, case: Case) -> torch.Tensor:
    """The covered images with a graph. Autograd refuses code that loops over a batch and writes
    into each image. That code is right for training, so its graph is taken from its mask.
    """
    try:
        covered: torch.Tensor = cutout(leaf * 1, case.size, case.centers)
    except RuntimeError as error:
        if "view" not in str(error):
            raise
        with torch.no_grad():
            kept = cutout(torch.ones_like(leaf), case.size, case.centers)
        covered = leaf * kept
    return covered


CUTOUT = Check(
    name="check_cutout",
    lesson="mixup_and_cutout",
    topic="cutout",
    takes=(Argument("cutout"),),
    cases=_cutout_cases,
    observe=_observe_cutout,
    aspects={
        "images": Aspect(
            "cutout({images}, size={size}, centers={centers})",
            "Some of the pixels are wrong.",
            rtol=1e-9,  # pixels are copied, and not computed
            atol=0.0,
            input="images",
        ),
        "images afterwards": Aspect(
            "cutout(images, size={size}, centers={centers}), and then images",
            "Your code changed the images that it was given.",
        ),
        "centers afterwards": Aspect(
            "cutout({images}, size={size}, centers=centers), and then centers",
            "Your code changed the centres.",
        ),
        "connected": Aspect(
            "cutout(images, {size}, {centers}).requires_grad, for images that ask for gradients",
            "Autograd cannot see through your function: the result is cut off from the images.",
        ),
        "gradient": Aspect(
            "the gradient of a weighted sum of cutout(images, {size}, {centers})",
            "The gradient with respect to the images is wrong.",
        ),
        "device": Aspect(
            "cutout({images}, {size}, {centers})",
            "A tensor that your code makes is not on the device of the images.",
            secret=True,
        ),
    },
    praise="one square for each image, cut at the border and not wrapped around it.",
    reread="Cover a square",
)


def check_cutout(cutout: Callable[..., torch.Tensor]) -> None:
    """Check `cutout(images, size, centers) -> images`: a square of zeros in each image.

    `images` is (N, C, H, W); `centers` holds one (row, column) inside the image for each image,
    as a tensor (N, 2) or a list of pairs. The rows `row - size // 2` and following, `size` of
    them, are zeroed in the columns that are counted in the same way, in all channels, as far as
    they lie inside. The arguments are left unchanged. What happens on another device, in half
    precision, for a size of 0 or one beyond the image, for transposed or expanded images and for
    unsigned centres is only noted. Source: DeVries and Taylor, "Improved Regularization of
    Convolutional Neural Networks with Cutout", 2017.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> def cutout(images, size, centers):
    ...     result = images.clone()
    ...     for image, (row, column) in zip(result, centers):
    ...         top, left = int(row) - size // 2, int(column) - size // 2
    ...         image[:, max(top, 0) : top + size, max(left, 0) : left + size] = 0
    ...     return result
    >>> check_cutout(cutout)
    ✓ cutout — one square for each image, cut at the border and not wrapped around it.
    """
    run_check(CUTOUT, cutout)
