"""Real image data as whole tensors on the chosen device.

`digits` is part of scikit-learn and always there. The others are read by torchvision's own
classes; nothing is downloaded unless it is asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

IMAGE_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


class DataNotFound(RuntimeError):
    """A dataset is not on this computer; the message says how to get it."""


def get_device(device: str | torch.device | None = None) -> torch.device:
    """The device to compute on: the argument, else `COURSE_DEVICE`, else CUDA where there is one.

    Raises:
        RuntimeError: CUDA was asked for, and PyTorch sees none.

    >>> get_device("cpu")
    device(type='cpu')
    """
    name = device or os.environ.get("COURSE_DEVICE") or "auto"
    if str(name) == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    chosen = torch.device(name)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise RuntimeError(
            f"The device {str(chosen)!r} was asked for, and PyTorch sees no CUDA device here. "
            "Set COURSE_DEVICE=cpu, or leave it unset."
        )
    return chosen


@dataclass(frozen=True)
class Dataset:
    """Images and classes, split into training, validation and test, as whole tensors.

    `x_*` are float32 of shape (N, C, H, W), scaled to mean 0 and standard deviation 1 over the
    training images; `y_*` are int64 class indices of shape (N,).
    """

    name: str
    x_train: torch.Tensor
    y_train: torch.Tensor
    x_val: torch.Tensor
    y_val: torch.Tensor
    x_test: torch.Tensor
    y_test: torch.Tensor
    classes: tuple[str, ...]
    mean: float
    std: float

    @property
    def num_features(self) -> int:
        """Numbers in one image, for networks that take flat vectors."""
        return self.x_train[0].numel()

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    def flat(self) -> Dataset:
        """The same data with every image as a vector: (N, C, H, W) becomes (N, C·H·W).

        >>> load("digits", "cpu").flat().x_train.shape
        torch.Size([1100, 64])
        """
        return replace(
            self,
            x_train=self.x_train.flatten(1),
            x_val=self.x_val.flatten(1),
            x_test=self.x_test.flatten(1),
        )

    def with_label_noise(self, share: float, seed: int = 0) -> Dataset:
        """The same data with this share of the training labels drawn anew at random.

        A drawn label may be the right one by chance. Validation and test labels stay clean.

        >>> digits = load("digits", "cpu")
        >>> noisy = digits.with_label_noise(0.3)
        >>> 0.6 < (noisy.y_train == digits.y_train).float().mean().item() < 0.8
        True
        """
        generator = torch.Generator().manual_seed(seed)
        y = self.y_train.cpu().clone()
        chosen = torch.randperm(len(y), generator=generator)[: round(share * len(y))]
        y[chosen] = torch.randint(self.num_classes, (len(chosen),), generator=generator)
        return replace(self, y_train=y.to(self.y_train.device))

    def first(self, count: int) -> Dataset:
        """The same data with only the first `count` training images.

        >>> len(load("digits", "cpu").first(50).y_train)
        50
        """
        return replace(self, x_train=self.x_train[:count], y_train=self.y_train[:count])


def load(
    name: str | Path = "digits",
    device: str | torch.device | None = None,
    *,
    root: str | Path | None = None,
    download: bool = False,
    limit: int | None = None,
) -> Dataset:
    """Load a dataset as whole tensors on a device.

    Args:
        name: `"digits"`, `"mnist"`, `"fashion_mnist"`, `"cifar10"`, or a folder with the
            subfolders `train/<class>/` and `test/<class>/` of images of one size.
        device: see `get_device`.
        root: where torchvision's files lie; by default `COURSE_DATA`, else `~/.cache/course-data`.
        download: whether torchvision may download what is missing.
        limit: at most this many images each for training (with validation) and test.

    Raises:
        DataNotFound: the files are not there, or a download failed.
        ValueError: the name is neither known nor a folder.

    >>> digits = load("digits", "cpu")
    >>> digits.x_train.shape, digits.x_val.shape, digits.x_test.shape
    (torch.Size([1100, 1, 8, 8]), torch.Size([300, 1, 8, 8]), torch.Size([397, 1, 8, 8]))
    """
    target = get_device(device)
    if name == "digits":
        return _digits(target, limit)
    if name in _TORCHVISION:
        return _from_torchvision(str(name), target, _root(root), download, limit)
    if Path(name).is_dir():
        return _from_folder(Path(name), target, limit)
    known = ", ".join(["digits", *_TORCHVISION])
    raise ValueError(
        f"There is no dataset {str(name)!r}. Choose one of {known}, or give a folder with the "
        "subfolders train/<class>/ and test/<class>/."
    )


def _root(root: str | Path | None) -> Path:
    chosen = root or os.environ.get("COURSE_DATA") or Path.home() / ".cache" / "course-data"
    return Path(chosen).expanduser()


def _digits(device: torch.device, limit: int | None) -> Dataset:
    """Handwritten digits of scikit-learn: 1,797 images of 8×8 (Alpaydin and Kaynak 1998)."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    order = torch.randperm(len(raw.target), generator=torch.Generator().manual_seed(0))
    x = torch.tensor(raw.images, dtype=torch.float32).unsqueeze(1)[order]  # (1797, 1, 8, 8)
    y = torch.tensor(raw.target, dtype=torch.int64)[order]
    classes = tuple(str(digit) for digit in range(10))
    return _split("digits", x[:1400], y[:1400], x[1400:], y[1400:], classes, 300, device, limit)


_TORCHVISION = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": "CIFAR10"}


def _from_torchvision(
    name: str, device: torch.device, root: Path, download: bool, limit: int | None
) -> Dataset:
    import torchvision.datasets

    make = getattr(torchvision.datasets, _TORCHVISION[name])
    try:
        train = make(root, train=True, download=download)
        test = make(root, train=False, download=download)
    except (RuntimeError, OSError) as error:
        if download:
            what = f"The download of {name} failed ({' '.join(str(error).split())})."
            step = "Connect to the network and try again, or use the digits: load('digits')."
        else:
            what = f"{name} is not in {root}."
            step = (
                f"Download it once with load({name!r}, download=True), set COURSE_DATA to the "
                "folder that has it, or use the digits, which are always there: load('digits')."
            )
        raise DataNotFound(f"{what} {step}") from error
    x_train, x_test = _images(train.data), _images(test.data)
    y_train, y_test = torch.as_tensor(train.targets), torch.as_tensor(test.targets)
    held_out = len(x_train) // 10
    classes = tuple(train.classes)
    return _split(name, x_train, y_train, x_test, y_test, classes, held_out, device, limit)


def _images(raw: Any) -> torch.Tensor:
    """Bytes (N, H, W) or (N, H, W, C) as float32 (N, C, H, W)."""
    images = torch.as_tensor(raw)
    images = images.unsqueeze(1) if images.dim() == 3 else images.permute(0, 3, 1, 2)
    return images.contiguous().float()


def _from_folder(folder: Path, device: torch.device, limit: int | None) -> Dataset:
    for part in ("train", "test"):
        if not (folder / part).is_dir():
            raise DataNotFound(
                f"The folder {folder} has no subfolder {part!r}. A folder of images needs "
                "train/<class>/ and test/<class>/."
            )
    classes = tuple(sorted(p.name for p in (folder / "train").iterdir() if p.is_dir()))
    x_train, y_train = _read_images(folder / "train", classes, limit)
    x_test, y_test = _read_images(folder / "test", classes, limit)
    held_out = len(x_train) // 10
    return _split(folder.name, x_train, y_train, x_test, y_test, classes, held_out, device, limit)


def _read_images(
    folder: Path, classes: tuple[str, ...], limit: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """All images below a folder, in a fixed random order, so that `limit` takes of each class."""
    from PIL import Image
    from torchvision.transforms.functional import pil_to_tensor

    files = [
        (file, label)
        for label, name in enumerate(classes)
        for file in sorted((folder / name).glob("*"))
        if file.suffix.lower() in IMAGE_ENDINGS
    ]
    if not files:
        raise DataNotFound(f"No image was found below {folder}; it needs <class>/<image>.png.")
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    chosen = [files[i] for i in order[:limit]]
    images = [pil_to_tensor(Image.open(file).convert("RGB")) for file, _ in chosen]
    if len({image.shape for image in images}) > 1:
        raise DataNotFound(f"The images below {folder} differ in size; bring them to one size.")
    return torch.stack(images).float(), torch.tensor([label for _, label in chosen])


def _split(
    name: str,
    x_train: torch.Tensor,
    y_train: torch.Tensor,
    x_test: torch.Tensor,
    y_test: torch.Tensor,
    classes: tuple[str, ...],
    held_out: int,
    device: torch.device,
    limit: int | None,
) -> Dataset:
    """Cut the validation images off the end of the training images, and scale all alike."""
    if limit is not None:
        x_train, y_train = x_train[:limit], y_train[:limit]
        x_test, y_test = x_test[:limit], y_test[:limit]
        held_out = min(held_out, max(1, len(x_train) // 5))
    kept = len(x_train) - held_out
    mean, std = x_train[:kept].mean().item(), x_train[:kept].std().item()

    def ready(x: torch.Tensor) -> torch.Tensor:
        return ((x - mean) / std).to(device)

    return Dataset(
        name=name,
        x_train=ready(x_train[:kept]),
        y_train=y_train[:kept].to(device),
        x_val=ready(x_train[kept:]),
        y_val=y_train[kept:].to(device),
        x_test=ready(x_test),
        y_test=y_test.to(device),
        classes=classes,
        mean=mean,
        std=std,
    )
