"""The code for CIFAR-10 on a few real images, on the CPU: for correctness, not for a figure.

Set COURSE_CIFAR10 to a folder with `train/<class>/` and `test/<class>/` of 32×32 images.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from helpers.answers.capstone.blocks import BasicBlock
from helpers.answers.capstone.settings import adamw_training
from helpers.data import Dataset, load
from helpers.experiments.capstone import InBfloat16, crop_and_flip, stages, train_on_images

FOLDER = os.environ.get("COURSE_CIFAR10", "")


def test_a_crop_shows_a_part_of_the_padded_image() -> None:
    """Every crop is found among the 81 places of its padded image, mirrored or not."""
    torch.manual_seed(0)
    x = torch.randn(6, 3, 8, 8)
    crops, _ = crop_and_flip(x, torch.zeros(6))
    padded = torch.nn.functional.pad(x, (4,) * 4, mode="reflect")
    for image, crop in zip(padded, crops, strict=True):
        found = [
            torch.equal(view, crop) or torch.equal(view.flip(2), crop)
            for r in range(9)
            for c in range(9)
            for view in [image[:, r : r + 8, c : c + 8]]
        ]
        assert any(found)


def test_crops_differ_and_half_are_mirrored() -> None:
    torch.manual_seed(0)
    x = torch.arange(8.0).expand(2000, 1, 8, 8).clone()  # columns rise from left to right
    crops, _ = crop_and_flip(x, torch.zeros(2000), padding=0)
    mirrored = (crops[:, 0, 0, 0] > crops[:, 0, 0, -1]).float().mean().item()
    assert 0.44 < mirrored < 0.56  # 5.5 standard deviations
    assert crops.is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_gives_nearly_the_same_logits_as_float32() -> None:
    torch.manual_seed(0)
    network = stages(BasicBlock, 3, (8, 16), 10).eval()
    x = torch.randn(4, 3, 16, 16)
    short = InBfloat16(network)(x)
    assert short.dtype == torch.float32
    torch.testing.assert_close(short, network(x), rtol=0.05, atol=0.02)
    assert not torch.equal(short, network(x))


@pytest.fixture(scope="module")
def photographs() -> Dataset:
    if not (FOLDER and Path(FOLDER).is_dir()):
        pytest.skip("COURSE_CIFAR10 names no folder of images.")
    return load(FOLDER, "cpu", limit=300)


def test_a_small_part_of_real_photographs_is_learnt(photographs: Dataset) -> None:
    assert photographs.x_train.shape[1:] == (3, 32, 32)
    assert photographs.num_classes == 10
    result = train_on_images(
        BasicBlock, adamw_training, photographs, epochs=12, batch_size=32, widths=(8, 16, 32)
    )
    assert result.history["loss"][-1] < result.history["loss"][0] - 0.2
    assert result.train_accuracy > 0.3
    assert result.test_accuracy > 0.15
    assert result.seconds > 0
