"""The files by which the course runs elsewhere: containers, Binder, Colab, JupyterHub, workflows."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from jsonschema import Draft202012Validator
from traitlets.config import Config, PyFileConfigLoader
from typer.testing import CliRunner

from helpers.cli import app
from helpers.course import LESSONS, Lesson

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "Dockerfile"
HUB = ROOT / "deploy" / "jupyterhub"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def run(*command: object, **settings: Any) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, check=False, **settings)


class TestDockerfile:
    def instructions(self) -> list[tuple[str, str]]:
        text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
        lines = text.replace("\\\n", " ").splitlines()
        return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines) if name]

    def test_style(self) -> None:
        tool = Path(sys.executable).parent / "hadolint"
        result = run(tool, "--failure-threshold", "info", DOCKERFILE)
        assert result.returncode == 0, result.stdout

    def test_what_it_copies_is_there(self) -> None:
        copies = [rest.split() for name, rest in self.instructions() if name == "COPY"]
        assert copies
        for words in copies:
            for source in [word for word in words[:-1] if not word.startswith("--")]:
                assert (ROOT / source).exists(), source

    def test_it_does_not_run_as_root(self) -> None:
        users = [rest for name, rest in self.instructions() if name == "USER"]
        assert users[-1] not in ("root", "0")

    def test_its_command_is_understood(self) -> None:
        (command,) = [json.loads(rest) for name, rest in self.instructions() if name == "CMD"]
        assert command[0] == "course"
        nowhere = CliRunner().invoke(app, [*command[1:], "--notebooks", "nowhere"])
        assert "nowhere/00_start_here/start_here.ipynb was not found" in nowhere.output

    def test_nothing_private_is_copied(self) -> None:
        ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
        assert {".git", ".venv", "gradebook.db", "submitted", "autograded"} <= set(ignored)


def python_of(pattern: str, file: str) -> str:
    found = re.search(pattern, (ROOT / file).read_text("utf-8"))
    assert found, f"{file} names no version of Python"
    return found[1]


def test_one_version_of_python_everywhere() -> None:
    """The one for which constraints.txt was written."""
    versions = {
        python_of(r"FROM python:([\d.]+)-slim", "Dockerfile"),
        python_of(r"devcontainers/python:([\d.]+)", ".devcontainer/devcontainer.json"),
        python_of(r"python=([\d.]+)", ".binder/environment.yml"),
        python_of(r'python-version: "([\d.]+)"', ".github/workflows/ci.yml"),
    }
    assert versions == {python_of(r'python_version = "([\d.]+)"', "pyproject.toml")}


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("$(VENV)", ".venv")
    return set(re.findall(r"^([\w./]+):(?!=)", makefile, re.MULTILINE))


def check_command(line: str, below: Path = ROOT) -> None:
    """Fail when a line of a script names a target or a file of the repository that is not there."""
    words = shlex.split(line)
    if words[0] == "make":
        wanted = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        assert wanted, line
        assert set(wanted) <= make_targets(), line
    for word in words:
        inside = not word.startswith(("-", "/", "~")) and "/" in word and "://" not in word
        if inside and re.fullmatch(r"[\w./-]+", word) and not word.startswith(".venv/"):
            assert (below / word).exists(), f"{word} in {line!r}"


def settings(**properties: Any) -> dict[str, Any]:
    """A schema of an object with these properties and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


TEXT = {"type": "string"}
SIZE = {"type": "string", "pattern": r"^\d+[kmgt]b$"}
PORT = {"type": "integer", "minimum": 0, "maximum": 65535}
FORWARDED = {
    "enum": ["notify", "openBrowser", "openBrowserOnce", "openPreview", "silent", "ignore"]
}
DEVCONTAINER = {
    **settings(
        name=TEXT,
        image=TEXT,
        postCreateCommand=TEXT,
        forwardPorts={"type": "array", "items": PORT},
        portsAttributes={
            "type": "object",
            "propertyNames": {"pattern": r"^\d+$"},
            "additionalProperties": settings(label=TEXT, onAutoForward=FORWARDED),
        },
        hostRequirements=settings(
            cpus={"type": "integer", "minimum": 1}, memory=SIZE, storage=SIZE
        ),
        customizations=settings(
            vscode=settings(
                extensions={"type": "array", "items": {**TEXT, "pattern": r"^[\w-]+\.[\w-]+$"}},
                settings={"type": "object"},
            )
        ),
    ),
    "required": ["image"],
}
"""What the specification (containers.dev) says of the settings that we use; a new one is added here.

The published schema is in no package that could be installed for a test, so this one is our own.
"""


class TestDevelopmentContainer:
    @pytest.fixture
    def written(self) -> Any:
        return json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))

    def test_its_settings_are_those_of_the_specification(self, written: Any) -> None:
        Draft202012Validator.check_schema(DEVCONTAINER)
        Draft202012Validator(DEVCONTAINER).validate(written)

    @pytest.mark.parametrize(
        "slip",
        [
            {"image": None},
            {"postCreatecommand": "make .venv/.developer"},
            {"forwardPorts": ["8888"]},
            {"portsAttributes": {"8888": {"onAutoForward": "open"}}},
            {"hostRequirements": {"memory": "8 GB"}},
            {"hostRequirements": {"cpus": "2"}},
            {"customizations": {"vscode": {"extensions": ["python"]}}},
        ],
        ids=str,
    )
    def test_a_slip_is_found(self, written: Any, slip: dict[str, Any]) -> None:
        assert not Draft202012Validator(DEVCONTAINER).is_valid({**written, **slip})

    def test_its_command_exists(self, written: Any) -> None:
        check_command(written["postCreateCommand"])
        assert [str(port) for port in written["forwardPorts"]] == list(written["portsAttributes"])


class TestBinder:
    def test_the_course_is_installed_after_it_is_copied(self) -> None:
        """Binder copies the environment alone before it installs it: no `--editable .` in it."""
        environment = yaml.safe_load((ROOT / ".binder" / "environment.yml").read_text("utf-8"))
        assert all(isinstance(entry, str) for entry in environment["dependencies"])
        script = ROOT / ".binder" / "postBuild"
        assert os.access(script, os.X_OK)
        assert run("bash", "-n", script).returncode == 0
        install = script.read_text("utf-8").splitlines()[-1]
        assert "pip install" in install
        assert install.endswith("--constraint constraints.txt --editable .")

    def test_the_address_opens_a_lesson(self) -> None:
        text = (ROOT / "docs" / "anywhere.md").read_text("utf-8")
        pages = set(re.findall(r"urlpath=lab/tree/([\w/.]+\.ipynb)", text))
        assert pages
        assert all((ROOT / page).is_file() for page in pages)


IN_COLAB = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')\n"
FOUND = "\nimport importlib.util; print(importlib.util.find_spec('helpers') is not None)"
READY = "\nfrom helpers.course import LESSONS; print(len(LESSONS))"


def copied(folder: Path, *names: str) -> None:
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, folder)


@pytest.mark.slow
class TestColab:
    """The first cell of a student's notebook, in a virtual environment that holds nothing but pip.

    The packages that the course needs are not installed: only the course's own is looked for.
    """

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        """The course as a repository of git, from which it can be installed."""
        folder = tmp_path / "repository"
        folder.mkdir()
        copied(folder, "helpers", "pyproject.toml", "LICENSE")
        author = ("-c", "user.name=ada", "-c", "user.email=ada@localhost")
        for command in (("init", "--quiet"), ("add", "."), (*author, "commit", "-qm", "course")):
            assert run("git", *command, cwd=folder).returncode == 0
        return folder

    @pytest.fixture
    def cell(self, tmp_path: Path, repository: Path) -> str:
        """From a notebook that was made after the address was written into pyproject.toml."""
        folder = tmp_path / "fork"
        folder.mkdir()
        copied(folder, "helpers", "tools", "solutions", "nbgrader_config.py", "pyproject.toml")
        settings = folder / "pyproject.toml"
        text, count = re.subn(
            r'^# Repository = ".*"$',
            f'Repository = "{repository.as_uri()}"',
            settings.read_text("utf-8"),
            flags=re.MULTILINE,
        )
        assert count == 1
        settings.write_text(text, "utf-8")
        made = run(sys.executable, "tools/build_notebooks.py", "start_here", cwd=folder)
        assert made.returncode == 0, made.stderr
        return first_code(folder / "notebooks" / "00_start_here" / "start_here.ipynb")

    @pytest.fixture
    def execute(self, tmp_path: Path) -> Callable[[str], str]:
        """Runs code in a new virtual environment; answers with all that it writes."""
        assert run(sys.executable, "-m", "venv", tmp_path / "venv").returncode == 0
        (python,) = tmp_path.glob("venv/*/python" + (".exe" if os.name == "nt" else ""))
        here = {**os.environ, "PIP_NO_DEPS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        here.pop("PYTHONPATH", None)

        def execute(code: str) -> str:
            result = run(python, "-c", code, env=here, cwd=tmp_path)
            assert result.returncode == 0, result.stderr
            return result.stdout + result.stderr

        return execute

    def test_it_installs_once_and_only_in_colab(
        self, cell: str, repository: Path, execute: Callable[[str], str]
    ) -> None:
        assert execute(cell) == ""
        assert execute(cell + FOUND) == "False\n"
        first = execute(IN_COLAB + cell + READY)
        assert "The course is installed.\n" in first
        assert "The course is not installed" not in first
        assert int(first.splitlines()[-1]) > 10
        repository.rename(repository.with_name("gone"))  # a second installation would fail
        assert int(execute(IN_COLAB + cell + READY)) > 10
        assert execute(cell) == ""

    def test_it_says_what_to_do_where_it_cannot_install(
        self, tmp_path: Path, execute: Callable[[str], str]
    ) -> None:
        notebook = ROOT / "notebooks" / "00_start_here" / "start_here.ipynb"
        cell = re.sub(r'^COURSE = ".*?"', 'COURSE = ""', first_code(notebook), flags=re.M)
        advice = "The course is not installed: write the address of its repository"
        unset = execute(IN_COLAB + cell)
        assert unset.startswith(advice) and unset.count("\n") == 1
        wrong = (tmp_path / "nowhere").as_uri()
        failed = execute(IN_COLAB + cell.replace('COURSE = ""', f'COURSE = "{wrong}"'))
        assert "nowhere" in failed  # pip's own message
        assert advice in failed.splitlines()[-1]
        assert "The course is installed." not in failed


def first_code(notebook: Path) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    return str(next(cell.source for cell in cells if cell.cell_type == "code"))


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
def test_every_lesson_begins_with_the_cell_for_colab(folder: str, lesson: Lesson) -> None:
    """Its code is folded away in Colab and in JupyterLab, and no score depends on it."""
    notebook = nbformat.read(ROOT / folder / lesson.folder / f"{lesson.slug}.ipynb", 4)
    header, cell = notebook.cells[:2]
    assert header.source.startswith(f"# {lesson.number:02d} · {lesson.title}\n")
    assert cell.source.startswith("# @title In Google Colab, run this cell first.")
    assert cell.metadata.cellView == "form"
    assert cell.metadata.jupyter.source_hidden
    assert "nbgrader" not in cell.metadata


def hub_settings(name: str) -> Config:
    return PyFileConfigLoader(name, path=str(HUB)).load_config()


class TestJupyterHub:
    def test_names_agree(self) -> None:
        hub = hub_settings("jupyterhub_config.py")
        everywhere = hub_settings("nbgrader_config.py")
        course = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
        name = course.CourseDirectory.course_id
        (service,) = hub.JupyterHub.services
        assert everywhere.CourseDirectory.course_id == service["name"] == name
        assert list(hub.JupyterHub.load_groups) == [f"formgrade-{name}"]
        role = hub.JupyterHub.load_roles[0]
        assert role["groups"] == [f"formgrade-{name}"]
        assert f"access:services!service={name}" in role["scopes"]
        script = (HUB / "setup.sh").read_text("utf-8")
        assert f"course={name}\ngrader=grader-$course\n" in script
        assert service["user"] == f"grader-{name}"
        assert service["cwd"] == f"/home/{service['user']}/{name}"
        assert f"--mode=0777 {everywhere.Exchange.root}\n" in script

    def test_the_hub_accepts_its_settings(self) -> None:
        """Every setting is one that JupyterHub has, and every scope too."""
        pytest.importorskip(
            "jupyterhub", reason="JupyterHub is not installed (pip install jupyterhub)"
        )
        from jupyterhub.app import JupyterHub
        from jupyterhub.scopes import _check_scopes_exist

        hub = JupyterHub()
        hub.load_config_file(str(HUB / "jupyterhub_config.py"))
        classes = {cls.__name__: cls for cls in hub._classes_inc_parents()}
        for section, settings in hub_settings("jupyterhub_config.py").items():
            for setting in settings:
                assert setting in classes[section].class_traits(config=True), setting
        for role in hub.load_roles:
            _check_scopes_exist(role["scopes"], who_for=role["name"])

    def test_the_script(self) -> None:
        script = HUB / "setup.sh"
        assert os.access(script, os.X_OK)
        assert run("bash", "-n", script).returncode == 0
        copied = re.findall(r"deploy/jupyterhub/\w+\.py", script.read_text("utf-8"))
        assert len(copied) == 2
        assert all((ROOT / file).is_file() for file in copied)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflows:
    def test_its_commands_exist(self, workflow: Path) -> None:
        steps = [
            step
            for job in yaml.safe_load(workflow.read_text("utf-8"))["jobs"].values()
            for step in job["steps"]
        ]
        commands = [line for step in steps for line in step.get("run", "").splitlines()]
        assert commands
        for line in commands:
            check_command(line)
        assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", s["uses"]) for s in steps if "uses" in s)


def test_the_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["canary", "ci", "weekly"]
    canary, ci, weekly = (yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS)
    for timed in (canary, weekly):
        assert {"schedule", "workflow_dispatch"} == set(timed[True])  # YAML reads `on` as true
    assert "push" in ci[True]


def test_the_canary_lets_every_version_go(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "environment.yml", "constraints.txt", "tools/loosen.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    assert "torch==" in (tmp_path / "pyproject.toml").read_text("utf-8")
    assert run(sys.executable, tmp_path / "tools" / "loosen.py").returncode == 0
    for name in ("pyproject.toml", "environment.yml", "constraints.txt"):
        assert not re.search(r"==\s*\d", (tmp_path / name).read_text("utf-8")), name
    assert "torchvision" in (tmp_path / "pyproject.toml").read_text("utf-8")
