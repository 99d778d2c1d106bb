"""The sandbox holds, for root and for others, or the grader refuses and runs no student's code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.grading.exam import Limits
from helpers.grading.sandbox import confine
from helpers.grading.sandbox.probe import WALLS, probe
from helpers.grading.sandbox.remedies import remedy_for
from helpers.grading.sandbox.station import station_for
from tests.grading.hostile.processes import living, soon, status
from tests.grading.hostile.submission import ROOT, Submission, assert_as_expected

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make such a world")
EXAMINE = """
    from helpers.grading.sandbox.start import SandboxError
    from helpers.grading.sandbox.station import close_sandbox
    from tests.grading.hostile.submission import Submission
    try:
        found = Submission("x", above={above!r}).examine({sandbox})
        print(found.outputs["own-above"], [finding.share for finding in found.findings])
    except SandboxError as error:
        print("REFUSED", error)
    close_sandbox()
"""


def examine_in(
    *world: str,
    sandbox: bool = True,
    above: str = "import os\nprint('RAN', os.getuid())",
    cwd: str | Path = ROOT,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """An examination in a process of its own, in a changed world."""
    code = textwrap.dedent(EXAMINE.format(sandbox=sandbox, above=above))
    given = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [*world, sys.executable, "-c", code]
    return subprocess.run(
        command, env=given, cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )


NO_MORE_NAMESPACES = """
import ctypes, os, sys
reader, writer = os.pipe()
ours = os.getpid()
if os.fork() == 0:
    os.read(reader, 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{ours}/{name}", "w") as table:
            table.write("0 0 65536")
    os._exit(0)
assert ctypes.CDLL(None).unshare(0x10000000) == 0
os.write(writer, b"!")
os.wait()
with open("/proc/sys/user/max_user_namespaces", "w") as limit:
    limit.write("0")
os.execv(sys.argv[1], sys.argv[1:])
"""
"""A world like this one, in which no user namespace can be made any more."""


def changed_mounts(*commands: str) -> list[str]:
    """A world in which these commands were run; they change nothing outside."""
    return ["unshare", "--mount", "sh", "-ec", "\n".join([*commands, 'exec "$@"']), "sh"]


def assert_refused(done: subprocess.CompletedProcess[str], why: str) -> None:
    """One line says what is missing and what to do; nothing ran."""
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    assert lines[0].startswith("REFUSED")
    assert why in lines[0]
    assert lines[0].endswith("Run `course sandbox` to see what is missing and how to get it.")


@pytest.fixture(scope="module")
def without_bubblewrap(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the programs that are needed otherwise."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("sh", "setpriv"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def test_without_bubblewrap_nothing_runs(without_bubblewrap: str) -> None:
    assert_refused(examine_in(PATH=without_bubblewrap), "bubblewrap")


def test_without_bubblewrap_code_runs_only_on_demand(without_bubblewrap: str) -> None:
    done = examine_in(PATH=without_bubblewrap, sandbox=False)
    assert "RAN" in done.stdout
    assert "[1.0, 1.0]" in done.stdout


def test_a_wrapper_that_fails_is_a_refusal(tmp_path: Path) -> None:
    """As on a machine that forbids user namespaces to everybody."""
    said = "bwrap: Creating new namespace failed: Operation not permitted"
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    done = examine_in(PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert_refused(done, said)
    assert "user.max_user_namespaces" in remedy_for(said)


@as_root
def test_without_libseccomp_nothing_runs(tmp_path: Path) -> None:
    pyseccomp = pytest.importorskip("pyseccomp", exc_type=ImportError)
    broken = tmp_path / "broken.py"
    broken.write_text('raise RuntimeError("Unable to find libseccomp")')
    broken.chmod(0o644)
    world = changed_mounts(f"mount --bind {broken} {pyseccomp.__file__}")
    assert_refused(examine_in(*world), "libseccomp")


@as_root
@pytest.mark.slow
def test_without_user_namespaces_nothing_runs() -> None:
    assert_refused(examine_in(sys.executable, "-c", NO_MORE_NAMESPACES), "namespace")


@as_root
@pytest.mark.slow
def test_an_ordinary_user_needs_no_more(tmp_path: Path) -> None:
    """With a home of his own, and Python where he may read it."""
    number = 23_456
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, number, number)
    user = [
        "setpriv",
        f"--reuid={number}",
        f"--regid={number}",
        "--clear-groups",
        "--inh-caps=-all",
    ]
    world = changed_mounts(*_readable(Path(sys.base_prefix), tmp_path), *_readable(home, tmp_path))
    done = examine_in(*world, *user, HOME=str(home), TMPDIR=str(home))
    assert f"RAN {number}" in done.stdout, done.stdout + done.stderr
    assert "[1.0, 1.0]" in done.stdout


@pytest.mark.slow
def test_a_course_in_the_folder_of_temporary_files() -> None:
    """Children write elsewhere then, and still read the course."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        copy = Path(folder)
        copy.chmod(0o755)
        for name in ("helpers", "solutions", "tests/grading/hostile"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        code = "import os\nopen('x', 'w').close()\nprint('RAN in', os.getcwd())"
        done = examine_in(above=code, PYTHONPATH=folder, cwd=folder)
    assert "RAN in /scratch/work" in done.stdout, done.stdout + done.stderr
    assert "[1.0, 1.0]" in done.stdout


@as_root
@pytest.mark.skipif(not Path("/usr/src").is_dir(), reason="there is no such folder")
def test_what_people_keep_below_system_folders_is_hidden() -> None:
    """Such as a course in /usr/src, or nbgrader's exchange with the work of others."""
    secret = "mount -t tmpfs none /usr/src; echo secret > /usr/src/note"
    code = "import os\nprint(os.listdir('/usr/src'))\nopen('/usr/src/x', 'w')"
    done = examine_in(*changed_mounts(secret), above=code)
    assert "'text': '[]" in done.stdout, done.stdout + done.stderr
    assert "Read-only file system" in done.stdout


def _readable(folder: Path, spare: Path) -> list[str]:
    """Commands that let everybody reach a folder below one that is closed to them."""
    closed = [p for p in reversed(folder.resolve().parents) if not p.stat().st_mode & 0o001]
    if not closed:
        return []
    aside = spare / f"aside-{folder.name}"
    aside.mkdir()
    return [
        f"mount --bind {folder.resolve()} {aside}",
        f"mount -t tmpfs -o mode=755 none /mnt && mkdir /mnt/kept && mount --move {aside} /mnt/kept",
        f"mount -t tmpfs -o mode=755 none {closed[0]}",
        f"mkdir -p {folder.resolve()} && mount --move /mnt/kept {folder.resolve()}",
    ]


def _sandboxed(depth: int) -> list[psutil.Process]:
    """The living processes of this one's sandbox that lie so many process namespaces below it, the
    oldest first: 1 for the zygote, 2 for its twin, 3 for the children.
    """
    here = _namespaces(psutil.Process())

    def wanted(process: psutil.Process) -> bool:
        command = process.cmdline()
        return (
            "helpers.grading.sandbox.zygote" in command
            and "python" in Path(command[0]).name
            and _namespaces(process) - here == depth
        )

    return living(wanted)


def _namespaces(process: psutil.Process) -> int:
    """In how many process namespaces it has a number."""
    return len(status(process)["NSpid"].split())


def test_what_the_kernel_says_of_a_child() -> None:
    """Seen from outside: whose it is, what it may do, how much it may take."""
    assert_as_expected(Submission("starts the station"), Submission("starts it").examine())
    station = station_for(confined=True)
    with station.child(Limits()):
        pass
    assert soon(lambda: len(_sandboxed(2)) == len(_sandboxed(3)) == 1), "the next child is left"
    (twin,), (process,) = _sandboxed(2), _sandboxed(3)
    with station.child(Limits()) as child:
        child.ask({"ask": "cell", "code": "x = 1", "output": 10}, 60)
        assert soon(lambda: len(_sandboxed(3)) == 2), "the next child is on its way"
        first, spare = _sandboxed(3)
        assert first == process
        assert soon(lambda: status(spare)["Seccomp"] == "2")
        for one in (process, spare):
            said = status(one)
            assert set(said["Uid"].split()) == {str(os.getuid() or 65534)}
            assert set(said["Gid"].split()) == {str(os.getgid() or 65534)}
            capabilities = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
            assert {said[name] for name in capabilities} == {"0" * 16}
            assert (said["NoNewPrivs"], said["Seccomp"], said["Threads"]) == ("1", "2", "1")
            assert len(one.cpu_affinity()) == 1
            assert _limits(one.pid)["Max processes"] == str(confine.MOST_THREADS)
            assert _limits(one.pid)["Max open files"] == str(confine.MOST_FILES_OPEN)
            assert _limits(one.pid)["Max core file size"] == "0"
            assert int(_limits(one.pid)["Max address space"]) < 32 * 2**30
        mine, the_twins, its, the_spares = (
            {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in ("mnt", "net", "pid", "user")}
            for pid in ("self", twin.pid, process.pid, spare.pid)
        )
        assert not its.items() & (mine.items() | the_twins.items() | the_spares.items())
        assert set(twin.cpu_affinity()) == os.sched_getaffinity(0)
    assert soon(lambda: _sandboxed(3) == [spare])


def _limits(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}


def test_the_probe_finds_every_wall() -> None:
    walls = {wall.what: wall for wall in probe()}
    assert WALLS.keys() < walls.keys()
    assert all(wall.holds and not wall.remedy for wall in walls.values()), walls
    assert all(wall.detail.endswith(".") for wall in walls.values())


def test_the_command_fails_where_something_is_missing(
    without_bubblewrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", without_bubblewrap)
    result = CliRunner().invoke(app, ["sandbox"])
    assert result.exit_code == 1
    assert "✗ bwrap: The program bwrap is not installed." in result.output
    assert "sudo apt install bubblewrap" in result.output
    assert "sudo dnf install bubblewrap" in result.output


def test_the_command_succeeds_where_all_holds() -> None:
    result = CliRunner().invoke(app, ["sandbox"])
    assert result.exit_code == 0, result.output
    assert "Everything holds" in result.output
    assert "✗" not in result.output
