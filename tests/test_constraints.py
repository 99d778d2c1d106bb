"""constraints.txt holds versions, no addresses, and each of them serves on every Python."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.write_constraints import SUPPORTED, course_needs, pythons, refusals

ROOT = Path(__file__).resolve().parent.parent
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINS = [line for line in LINES if not line.startswith("#")]


def test_versions_and_no_addresses() -> None:
    assert all(re.fullmatch(r"[\w.-]+==[\w.+!-]+", line) for line in PINS)
    names = {canonicalize_name(line.split("==")[0]) for line in PINS}
    assert {canonicalize_name(Requirement(text).name) for text in course_needs()} <= names


def test_every_supported_python_takes_every_pin() -> None:
    """And with them all that the pins need on that Python, which its markers say."""
    assert refusals(PINS, pythons(), course_needs()) == []


def install(site: Path, name: str, version: str, *lines: str) -> None:
    """What an installation leaves for others to read."""
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir(parents=True)
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    (folder / "METADATA").write_text("\n".join([*head, *lines]) + "\n")
    (folder / "INSTALLER").write_text("pip\n")


class TestRefusals:
    @pytest.fixture(autouse=True)
    def installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        install(tmp_path, "fussy", "4.1.1", "Requires-Python: >=3.11.5")
        install(tmp_path, "old", "1.0", "Requires-Python: >=3.8,<3.13")
        install(tmp_path, "easy", "1.0", 'Requires-Dist: dep>=2; python_version >= "3.13"')
        install(tmp_path, "odd", "1.0", 'Requires-Dist: dep>=2; python_full_version == "3.11.2"')
        install(tmp_path, "dep", "1.5+local")
        install(
            tmp_path, "rich-one", "1.0", "Provides-Extra: x", 'Requires-Dist: dep; extra == "x"'
        )

    def test_names_the_package_and_the_pythons(self) -> None:
        (why,) = refusals(["fussy==4.1.1"], SUPPORTED, ["fussy"])
        assert why.startswith("fussy==4.1.1 needs Python >=3.11.5; Python 3.11.0, 3.11.2 cannot")
        assert why.endswith("pip install 'fussy<4.1.1'")
        (why,) = refusals(["old==1.0"], SUPPORTED, [])
        assert "Python 3.13.0 cannot take it" in why

    def test_accepts(self) -> None:
        assert refusals(["fussy==4.1.1"], ["3.11.5", "3.12.0"], ["fussy"]) == []
        assert refusals(["Easy==1.0", "dep==1.5"], ["3.11.0"], ["easy", "setuptools"]) == []

    def test_what_one_python_alone_needs(self) -> None:
        (why,) = refusals(["easy==1.0", "dep==1.5"], SUPPORTED, ["easy"])
        assert why.startswith("On Python 3.13.0 easy needs 'dep>=2")
        assert why.endswith("dep==1.5 is pinned.")
        (why,) = refusals(["odd==1.0", "dep==1.5"], SUPPORTED, ["odd"])
        assert why.startswith("On Python 3.11.2 odd needs 'dep>=2")
        (why,) = refusals(["easy==1.0"], SUPPORTED, ["easy"])
        assert why.endswith("it is not pinned.")

    def test_what_an_extra_needs(self) -> None:
        assert refusals(["rich-one==1.0"], SUPPORTED, ["rich-one"]) == []
        whys = refusals(["rich-one==1.0"], SUPPORTED, ["rich-one[x]"])
        assert len(whys) == len(SUPPORTED)
        assert refusals(["rich_one==1.0", "dep==1.5"], SUPPORTED, ["rich-one[x]"]) == []

    def test_what_is_not_installed(self) -> None:
        """Nothing says who can take it; so nothing here may need it."""
        needs = f'absent; python_full_version != "{platform.python_version()}"'
        assert refusals(["absent==1.0"], SUPPORTED, [needs]) == []
        (why,) = refusals(["absent==1.0"], SUPPORTED, ["absent"])
        assert why.startswith("absent==1.0 is not what is installed")
        (why,) = refusals(["easy==0.9"], ["3.11.0"], [])
        assert why.startswith("easy==0.9 is not what is installed")


def write_constraints(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the tool in a folder of its own."""
    (folder / "tools").mkdir()
    for name in ("tools/write_constraints.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(
        [sys.executable, folder / "tools" / "write_constraints.py"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tool_writes_what_is_installed(tmp_path: Path) -> None:
    result = write_constraints(tmp_path, ONLY_THIS_PYTHON="1")
    assert result.returncode == 0, result.stderr
    written = (tmp_path / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert written[0] == LINES[0]
    assert {line for line in PINS if line.startswith("torch==")} <= {
        line.split("+")[0] for line in written
    }


def test_the_tool_refuses_to_write(tmp_path: Path) -> None:
    install(tmp_path / "site", "fussy", "4.1.1", "Requires-Python: >=3.11.5")
    result = write_constraints(tmp_path, PYTHONPATH=str(tmp_path / "site"), ONLY_THIS_PYTHON="")
    assert result.returncode == 1
    assert "fussy==4.1.1 needs Python >=3.11.5; Python 3.11.0, 3.11.2 cannot" in result.stderr
    assert not (tmp_path / "constraints.txt").exists()


def test_the_canary_installs_for_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """And once a week asks the index for every pin."""
    canary = yaml.safe_load((ROOT / ".github/workflows/canary.yml").read_text("utf-8"))
    (name,) = canary["jobs"]["newest"]["env"]
    monkeypatch.delenv(name, raising=False)
    assert pythons() == SUPPORTED
    monkeypatch.setenv(name, "1")
    assert pythons() == (platform.python_version(),)
    assert canary["jobs"]["pins"]["strategy"]["matrix"]["python-version"] == list(SUPPORTED)
