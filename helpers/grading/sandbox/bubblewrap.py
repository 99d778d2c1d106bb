"""The outer wall: the command line that starts a program in a world of few, read-only files."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import helpers

UNPRIVILEGED = 65534
"""The user and group `nobody`, whose rights the sandbox has when root starts it."""

HIDDEN = ("answers",)
"""Folders of the helpers that hold reference solutions and misconceptions."""

SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin")
NOT_SYSTEM = ("/usr/local/share/nbgrader", "/usr/local/src", "/usr/src")
"""Folders below these in which no library lies, but nbgrader's exchange and people's projects."""
SINGLE_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/fonts",
    "/sys/devices/system/cpu",
)


def command(program: Iterable[str], environment: dict[str, str]) -> list[str]:
    """How to start `program` behind the wall.

    Raises:
        FileNotFoundError: bubblewrap is not installed.
    """
    wrapper = shutil.which("bwrap")
    if wrapper is None:
        raise FileNotFoundError("bubblewrap (the program bwrap) is not installed.")
    return [
        wrapper,
        *("--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"),
        *("--unshare-cgroup-try", "--cap-drop", "ALL"),
        *_rights(),
        *_files(),
        *(part for name, value in environment.items() for part in ("--setenv", name, value)),
        *("--chdir", scratch(), "--"),
        *_as_nobody(),
        *program,
    ]


def scratch() -> str:
    """The one folder in which a child may write: /tmp, unless Python or the course lies there.

    Each child covers it with a folder of its own, and must not cover what it has to read.
    """
    needed = [*_python_folders(), _home()]
    return "/scratch" if any(path.is_relative_to("/tmp") for path in needed) else "/tmp"


def _home() -> Path:
    return Path(helpers.__file__).resolve().parent


def _rights() -> list[str]:
    """Without root a user namespace is needed; with it, the right to become someone else."""
    if os.geteuid() == 0:
        return ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    return ["--unshare-user"]


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise FileNotFoundError("setpriv (of the package util-linux) is not installed.")
    who = [f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}", "--clear-groups"]
    return [setpriv, *who, "--inh-caps=-all", "--no-new-privs"]


def _files() -> list[str]:
    parts: list[str] = []
    made = {Path("/")}
    for folder in SYSTEM:
        parts += _system_folder(Path(folder))
    masks = [folder for folder in NOT_SYSTEM if Path(folder).is_dir()]
    for folder in masks:
        parts += ["--perms", "0755", "--tmpfs", folder]
    parts += ["--perms", "1777", "--tmpfs", scratch()]
    made.add(Path(scratch()))
    for path in _python_folders():
        parts += _with_parents(path, made)
    for path in map(Path, SINGLE_FILES):
        if path.exists():
            parts += _with_parents(path, made)
    home = _home()
    parts += _with_parents(home, made)
    for name in HIDDEN:
        parts += ["--perms", "0000", "--tmpfs", str(home / name)]
        parts += ["--remount-ro", str(home / name)]
    parts += ["--proc", "/proc", "--dev", "/dev"]
    closed = (part for place in [*masks, "/dev", "/"] for part in ("--remount-ro", place))
    return [*parts, *closed]


def _system_folder(path: Path) -> list[str]:
    if path.is_symlink():
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def _python_folders() -> list[Path]:
    """The folders of this Python and of its packages, the outermost of each."""
    paths = sysconfig.get_paths()
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent}
    wanted |= {Path(paths[key]) for key in ("purelib", "platlib", "stdlib")}
    wanted |= {path.resolve() for path in list(wanted)}
    seen = [path for path in sorted(wanted) if path.is_dir() and not _in_system(path)]
    return [p for p in seen if not any(q in p.parents for q in seen)]


def _in_system(path: Path) -> bool:
    inside = any(path.is_relative_to(folder) for folder in SYSTEM)
    masked = any(path.is_relative_to(folder) for folder in NOT_SYSTEM)
    return path == Path("/") or (inside and not masked)


def _with_parents(path: Path, made: set[Path]) -> list[str]:
    """Bind a path read-only, below parents that everyone may enter."""
    parts: list[str] = []
    for parent in reversed(path.parents):
        if parent not in made and not _in_system(parent):
            parts += ["--dir", str(parent)]
            made.add(parent)
    return [*parts, "--ro-bind", str(path), str(path)]
