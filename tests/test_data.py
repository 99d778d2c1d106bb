"""Loading data: shapes, splits, and what is said when a dataset is missing."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.transforms.functional import to_pil_image

from helpers import DataNotFound, accuracy, get_device, load, train

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def test_digits_are_split_and_scaled() -> None:
    data = load("digits", "cpu")
    assert [len(part) for part in (data.x_train, data.x_val, data.x_test)] == [1100, 300, 397]
    assert data.x_train.dtype == torch.float32
    assert data.y_train.dtype == torch.int64
    assert data.x_train.mean().item() == pytest.approx(0, abs=1e-5)
    assert data.x_train.std().item() == pytest.approx(1, abs=1e-5)
    assert data.num_classes == 10
    assert data.flat().x_test.shape == (397, 64)
    assert data.num_features == 64


def test_no_image_is_in_two_parts() -> None:
    data = load("digits", "cpu").flat()
    parts = [{tuple(x.tolist()) for x in p} for p in (data.x_train, data.x_val, data.x_test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_loading_twice_gives_the_same() -> None:
    assert torch.equal(load("digits", "cpu").x_train, load("digits", "cpu").x_train)


def test_label_noise_touches_training_labels_only() -> None:
    clean = load("digits", "cpu")
    noisy = clean.with_label_noise(0.3, seed=1)
    changed = (noisy.y_train != clean.y_train).float().mean().item()
    assert changed == pytest.approx(0.3 * 0.9, abs=0.03)
    assert torch.equal(noisy.y_test, clean.y_test)
    assert torch.equal(noisy.y_train, clean.with_label_noise(0.3, seed=1).y_train)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_missing_dataset_says_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataNotFound) as caught:
        load(name, "cpu", root=tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{name} is not in {tmp_path}.")
    assert "download=True" in text
    assert "COURSE_DATA" in text
    assert "load('digits')" in text
    assert not list(tmp_path.iterdir())


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataNotFound, match=r"The download of mnist failed .* load\('digits'\)"):
        load("mnist", "cpu", root=tmp_path, download=True)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="digits, mnist, fashion_mnist, cifar10"):
        load("minst", "cpu")


def make_folder(folder: Path, size: int = 4) -> Path:
    for part, count in (("train", 10), ("test", 3)):
        for label, name in enumerate(("cat", "dog")):
            place = folder / part / name
            place.mkdir(parents=True)
            for i in range(count):
                image = torch.full((3, size, size), 100 * label + i, dtype=torch.uint8)
                to_pil_image(image).save(place / f"{i}.png")
    return folder


def test_a_folder_of_images(tmp_path: Path) -> None:
    data = load(make_folder(tmp_path), "cpu")
    assert data.classes == ("cat", "dog")
    assert data.x_train.shape == (18, 3, 4, 4)
    assert data.x_test.shape == (6, 3, 4, 4)
    raw = data.x_test * data.std + data.mean
    assert ((raw.mean((1, 2, 3)) > 50).long() == data.y_test).all()
    assert len(load(tmp_path, "cpu", limit=6).x_test) == 6


def test_a_folder_that_is_not_complete(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match="has no subfolder 'train'"):
        load(tmp_path, "cpu")


def test_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert get_device().type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="COURSE_DEVICE=cpu"):
            get_device("cuda")


@pytest.mark.skipif(
    not (SHARED / "mnist-10k.tar.xz").is_file(),
    reason="the sample of MNIST is not beside this copy of the project",
)
def test_real_mnist_through_torchvision(tmp_path: Path) -> None:
    with tarfile.open(SHARED / "mnist-10k.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = {file.parent.parent.parent for file in tmp_path.rglob("train-images*")}
    data = load("mnist", "cpu", root=root).flat()
    assert data.x_train.shape == (7200, 784)
    assert data.x_test.shape == (2000, 784)
    torch.manual_seed(0)
    model = nn.Linear(784, 10)
    train(model, data, epochs=2, lr=0.05, evaluate=False)
    assert accuracy(model, data.x_test, data.y_test) > 0.85


@pytest.mark.skipif(
    not (SHARED / "mnist-10k.tar.xz").is_file(),
    reason="the sample of MNIST is not beside this copy of the project",
)
def test_an_experiment_of_lesson_01_on_mnist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.experiments.activation_functions import accuracy_after_training, even_or_odd

    with tarfile.open(SHARED / "mnist-10k.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = {file.parent.parent.parent for file in tmp_path.rglob("train-images*")}
    monkeypatch.setitem(os.environ, "COURSE_DATA", str(root))
    data = even_or_odd("mnist")
    linear = accuracy_after_training(data, None, 1, seed=0, epochs=2)
    bent = accuracy_after_training(data, nn.ReLU, 3, seed=0, epochs=2)
    assert bent > linear + 0.04
