"""Starts the zygote behind the wall, and gets twins of it.

PyTorch is not imported here, so that a process can start the sandbox first and import PyTorch, or
other things, while the zygote does the same.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import helpers
from helpers.grading.sandbox import bubblewrap, orders

START_SECONDS = 120.0
"""The first start on a slow disk reads a gigabyte of libraries."""

ENVIRONMENT = {
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "PATH": "/nowhere",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "COURSE_PROGRESS": "off",
    "NBGRADER_EXECUTION": "autograde",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONSAFEPATH": "1",
}
"""All that a child sees of the environment, beside its folders."""
FOLDERS = {"HOME": "", "TMPDIR": "", "MPLCONFIGDIR": "matplotlib", "IPYTHONDIR": "ipython"}
"""Below the one folder in which a child may write."""


WHAT_TO_DO = "Run `course sandbox` to see what is missing and how to get it."


class SandboxError(Exception):
    """The sandbox could not be started, or does not hold; the message says what is missing."""

    hopeless = False
    """Whether another try would fail as this one has."""


class Sandbox:
    """The zygote behind the wall. It starts at once; nothing here waits for it."""

    def __init__(self, confined: bool = True) -> None:
        self._control, theirs = socket.socketpair()
        self._processors = itertools.count(random.randrange(1_000))
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._folder = None if confined else tempfile.TemporaryDirectory(prefix="course-")
        try:
            with theirs:
                self._process = self._start(theirs, confined)
        except BaseException:
            self._forget()
            raise

    def _start(self, theirs: socket.socket, confined: bool) -> subprocess.Popen[bytes]:
        numbers = (str(theirs.fileno()), str(int(confined)))
        program = [sys.executable, "-m", "helpers.grading.sandbox.zygote", *numbers]
        home = Path(bubblewrap.scratch() if self._folder is None else self._folder.name)
        folders = {name: str(home / folder) for name, folder in FOLDERS.items()}
        course = str(Path(helpers.__file__).resolve().parent.parent)
        environment = {**ENVIRONMENT, **folders, "PYTHONPATH": course}
        if confined:
            try:
                program = bubblewrap.command(program, environment)
            except FileNotFoundError as missing:
                error = SandboxError(f"{missing} {WHAT_TO_DO}")
                error.hopeless = True
                raise error from None
        return subprocess.Popen(
            program,
            env=environment,
            cwd=None if self._folder is None else self._folder.name,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def twin(self) -> socket.socket:
        """The control socket of a twin that will serve one judge, perhaps in another process.

        Raises:
            SandboxError: the zygote is gone.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                orders.give(self._control, "twin", (next(self._processors),), theirs.fileno())
            except OSError:
                ours.close()
                raise SandboxError(self.why()) from None
        return ours

    def why(self) -> str:
        """What the zygote or the wall said before it went."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # it may still be saying why
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 2_000))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        why = lines[-1] if lines else "The sandbox ended without a word."
        return f"{why} {WHAT_TO_DO}"

    def close(self) -> None:
        """End the zygote and everything in it."""
        self._process.kill()
        self._process.wait()
        self._forget()

    def _forget(self) -> None:
        """Close and remove what this process holds for the zygote."""
        self._control.close()
        self._errors.close()
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None
