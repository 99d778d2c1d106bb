"""Says what this computer runs: versions, and the device that experiments use."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "torchvision", "jupyterlab", "ipywidgets", "matplotlib", "nbgrader")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that the course uses."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def show_versions() -> None:
    """Print the versions and the device."""
    import torch

    from helpers.data import get_device

    for name, number in versions().items():
        print(f"{name:<12} {number}")
    device = get_device()
    print(f"{'device':<12} {device}")
    if device.type == "cuda":
        print(f"{'GPU':<12} {torch.cuda.get_device_name(device)}")
