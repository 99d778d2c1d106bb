"""Finds out what this machine can isolate, by really starting the sandbox and attacking it."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from helpers.grading.exam import Limits
from helpers.grading.sandbox.remedies import CONTAINERS, remedy_for
from helpers.grading.sandbox.start import Sandbox, SandboxError
from helpers.grading.sandbox.station import Child, ChildEnded, Station

MEMORY, SCRATCH = 2**30, 2**22
LIMITS = Limits(notebook_seconds=60.0, memory=MEMORY, scratch=SCRATCH)
CELL_SECONDS = 30.0

WALLS = {
    "network": (
        "import socket\nsocket.socket()",
        "Code in the sandbox cannot open a socket.",
    ),
    "other programs": (
        "import os\nos.posix_spawn('/bin/sh', ['sh'], {})",
        "Code in the sandbox cannot start a program or a process.",
    ),
    "files": (
        "import helpers.answers.start_here.count_parameters",
        "Code in the sandbox cannot read the solutions.",
    ),
    "writing": (
        "import helpers\nopen(helpers.__file__, 'a')",
        "Code in the sandbox can write to its own small folder only.",
    ),
    "scratch space": (
        f"with open('large', 'wb') as file:\n    file.write(bytes({4 * SCRATCH}))",
        "The kernel keeps the limit on files.",
    ),
    "other processes": (
        "import os\nos.kill(os.getppid() or 2, 0)",
        "Code in the sandbox neither sees nor signals a process outside.",
    ),
    "rights": (
        "import os\nif os.getuid() == 0:\n    raise SystemExit\nos.setuid(0)",
        "Code in the sandbox is not root, and cannot become it.",
    ),
    "new namespaces": (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.unshare(0x10000000) != 0:\n    raise OSError(ctypes.get_errno(), 'refused')",
        "Code in the sandbox cannot make a new user namespace.",
    ),
    "memory": (
        f"block = bytearray({3 * MEMORY})",
        "The kernel keeps the limit on memory.",
    ),
    "threads": (
        "import threading\nwait = threading.Event().wait\nfor _ in range(5000):\n"
        "    threading.Thread(target=wait, daemon=True).start()",
        "The kernel keeps the limit on threads.",
    ),
}
"""What is tried in a child of its own, and what to say when an exception stops it."""


@dataclass(frozen=True)
class Wall:
    """One thing that must hold before students' code may run.

    >>> Wall("network", True, "Code in the sandbox cannot open a socket.").holds
    True
    """

    what: str
    holds: bool
    detail: str
    remedy: str = ""


def probe() -> list[Wall]:
    """What holds on this machine, and what does not; the last are missing where nothing starts."""
    if not sys.platform.startswith("linux"):
        detail = f"The sandbox needs Linux, and this is {sys.platform}."
        return [Wall("Linux", False, detail, CONTAINERS)]
    return [*_ingredients(), *_walls()]


def _ingredients() -> list[Wall]:
    programs = ["bwrap"] if os.geteuid() != 0 else ["bwrap", "setpriv"]
    found = [_program(name) for name in programs]
    try:
        importlib.import_module("pyseccomp")
        found.append(Wall("libseccomp", True, "libseccomp and pyseccomp are installed."))
    except (ImportError, RuntimeError) as error:
        found.append(Wall("libseccomp", False, f"{error}.", remedy_for(str(error))))
    return [*found, _namespaces()]


def _program(name: str) -> Wall:
    place = shutil.which(name)
    if place is None:
        detail = f"The program {name} is not installed."
        return Wall(name, False, detail, remedy_for(detail))
    return Wall(name, True, f"The program {name} is {place}.")


def _namespaces() -> Wall:
    """What the kernel's settings say; whether they suffice is tried afterwards."""
    closed = [
        f"{name} is {value}"
        for name, value in (
            ("user.max_user_namespaces", "0"),
            ("kernel.unprivileged_userns_clone", "0"),
            ("kernel.apparmor_restrict_unprivileged_userns", "1"),
        )
        if _setting(name) == value
    ]
    if closed:
        detail = f"The kernel's setting {' and '.join(closed)}."
        return Wall("user namespaces", False, detail, remedy_for("namespace"))
    return Wall("user namespaces", True, "No setting of the kernel forbids them.")


def _setting(name: str) -> str:
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return ""


def _walls() -> list[Wall]:
    try:
        sandbox = Sandbox()
    except SandboxError as error:
        return [Wall("sandbox", False, str(error), remedy_for(str(error)))]
    try:
        station = Station(sandbox.twin(), sandbox)
        found = [Wall("sandbox", True, "It starts.")]
        for what, (code, meaning) in WALLS.items():
            with station.child(LIMITS) as child:
                found.append(_tried(child, what, code, meaning))
        with station.child(LIMITS) as child:
            found.append(_time(child))
        return found
    except SandboxError as error:
        return [Wall("sandbox", False, str(error), remedy_for(str(error)))]
    finally:
        sandbox.close()


def _tried(child: Child, what: str, code: str, meaning: str) -> Wall:
    body = "".join(f"    {line}\n" for line in code.splitlines())
    expected = "(ImportError, OSError, MemoryError, RuntimeError)"
    guarded = f"try:\n{body}except {expected}:\n    print('stopped')\nelse:\n    print('open')"
    try:
        answer = child.ask({"ask": "cell", "code": guarded, "output": 500}, CELL_SECONDS)
        shown = "".join(str(item.get("text")) for item in answer["outputs"])
    except ChildEnded as ended:
        shown = ended.how
    if shown == "stopped\n":
        return Wall(what, True, meaning)
    detail = f"The attempt was not stopped: it ended with {shown.strip()[:200]!r}."
    return Wall(what, False, detail, remedy_for("the wall"))


def _time(child: Child) -> Wall:
    try:
        child.ask({"ask": "cell", "code": "while True: pass", "output": 500}, 0.5)
    except ChildEnded as ended:
        if ended.how == "time":
            return Wall("time", True, "A loop without end is ended from outside.")
    return Wall("time", False, "A loop without end was not ended.", remedy_for("the wall"))
