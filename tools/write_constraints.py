"""Writes the installed versions to constraints.txt; `make constraints` runs this.

Only names and versions: where they are downloaded from is the business of each computer. A version
that one of the supported Pythons does not take is refused, and nothing is written: the one who
installs the course there would be told that it does not exist.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from itertools import chain
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# The exact versions that the course is tested with; `make constraints` writes them.\n"

SUPPORTED = ("3.11.0", "3.11.2", "3.12.0", "3.13.0")
"""The first release of each Python, which the fewest versions take, and the one of Debian 12."""

NOT_PINNED = ("pip", "setuptools", "wheel")
"""What `pip freeze` leaves out."""


def pythons() -> tuple[str, ...]:
    """The Pythons that must take every pin. For the canary, which installs the newest that its own
    Python takes and throws it away, only that one."""
    return (platform.python_version(),) if os.environ.get("ONLY_THIS_PYTHON") else SUPPORTED


def course_needs() -> list[str]:
    """What pyproject.toml names, with all extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    return [text for text in wanted if not text.startswith(project["name"])]


def refusals(pins: Iterable[str], pythons: Iterable[str], needs: Iterable[str]) -> list[str]:
    """Why these pins, such as 'numpy==2.4.6', do not serve on each of the Pythons.

    What is installed says it. A pin that is not installed is passed over only if nothing needs it
    on this computer, as CUDA's libraries on a Mac.

    Args:
        needs: the requirements that the pins are for.
    """
    versions = {canonicalize_name(name): v for name, v in (pin.split("==") for pin in pins)}
    needs = list(needs)
    here = {canonicalize_name(one.name) for _, one in _needed(platform.python_version(), needs)}
    found = []
    for name, version in versions.items():
        about = _installed(name)
        if about is None or about.version not in SpecifierSet(f"=={version}"):
            if about is not None or name in here:
                found.append(
                    f"{name}=={version} is not what is installed, so nothing says who takes it."
                )
            continue
        asked = about.metadata.get_all("Requires-Python") or [""]  # a missing key may raise
        takes = SpecifierSet(asked[0])
        cannot = [python for python in pythons if not takes.contains(python, prereleases=True)]
        if cannot:
            found.append(
                f"{name}=={version} needs Python {takes}; Python {', '.join(cannot)} cannot take "
                f"it. Install an older version: .venv/bin/pip install '{name}<{version}'"
            )
    for python in pythons:
        for who, one in _needed(python, needs):
            pin = versions.get(canonicalize_name(one.name))
            if one.name in NOT_PINNED or (pin and one.specifier.contains(pin, prereleases=True)):
                continue
            has = f"{one.name}=={pin} is pinned" if pin else "it is not pinned"
            found.append(f"On Python {python} {who} needs '{one}'; {has}.")
    return found


def _needed(python: str, needs: list[str]) -> Iterator[tuple[str, Requirement]]:
    """All that is needed on a Python, what is needed for that, and so on; and who needs it."""
    environment = {
        **{key: str(value) for key, value in default_environment().items()},
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_version": python,
    }
    todo = [("the course", "", text) for text in needs]
    seen = set()
    while todo:
        who, extra, text = todo.pop()
        one = Requirement(text)
        if one.marker is not None and not one.marker.evaluate({**environment, "extra": extra}):
            continue
        yield who, one
        for its in ("", *one.extras):
            if (one.name, its) not in seen:
                seen.add((one.name, its))
                about = _installed(one.name)
                requires = (about.requires if about is not None else None) or []
                todo += [(one.name, its, requirement) for requirement in requires]


def _installed(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def main() -> None:
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    plain = [line for line in frozen if re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)]
    plain.sort(key=str.lower)  # versions of pip differ in the order
    refused = refusals(plain, pythons(), course_needs())
    if refused:
        sys.exit("\n".join(["constraints.txt is left as it was:", *refused]))
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(plain) + "\n", encoding="utf-8")
    print(f"wrote constraints.txt with {len(plain)} versions")


if __name__ == "__main__":
    main()
