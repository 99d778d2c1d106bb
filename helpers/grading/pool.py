"""Workers that examine submissions: processes of this computer, or a Dask cluster.

Both take exams as bytes and hand back findings as they come, in any order. A worker that dies is
replaced, and its submission is tried again on another.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from helpers.grading.exam import Findings
from helpers.grading.sandbox.start import SandboxError
from helpers.grading.sandbox.station import (
    close_sandbox,
    sandbox_of_this_process,
    station_for,
    use_station,
)
from helpers.grading.trouble import CannotStart

TRIES = 3
"""How often a submission is tried when its worker dies."""


@dataclass(frozen=True)
class Task:
    """One exam under a name."""

    name: str
    exam: bytes


@dataclass(frozen=True)
class Answer:
    """What came of a task: findings, or one sentence that says why there are none."""

    name: str
    findings: Findings | None
    error: str = ""


def prepare(sandbox: bool = True) -> None:
    """Start the process from which workers are forked, and the sandbox that they share: each
    imports PyTorch once for all of them.

    Called early, they do so while this process imports other things.
    """
    with suppress(SandboxError):  # the first worker will ask again, and say it
        sandbox_of_this_process(sandbox)
    _workers()


def _workers() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["helpers.grading.preloaded"])
    forkserver.ensure_running()
    return context


class LocalPool:
    """Processes of this computer, one submission each at a time.

    They die with this process, even if it is killed.
    """

    def __init__(self, workers: int, sandbox: bool = True, patience: float = 900.0) -> None:
        self.workers = workers
        self.sandbox = sandbox
        self.patience = patience
        """Seconds after which a worker that has not answered is taken for dead."""

    def examine(self, tasks: Iterable[Task]) -> Generator[Answer, None, None]:
        """The answers to all tasks, as they come; tasks are taken only when a worker is free."""
        source = iter(tasks)
        again: list[_Tried] = []
        team: list[_Worker] = []

        def following() -> _Tried | None:
            if again:
                return again.pop()
            task = next(source, None)
            return _Tried(task) if task else None

        try:
            while True:
                while len(team) < self.workers and (tried := following()):
                    team.append(_Worker(self.sandbox))
                    team[-1].give(tried)
                busy = [worker for worker in team if worker.task]
                if not busy:
                    return
                for worker in _ready(busy, self.patience):
                    tried = worker.task
                    assert tried is not None
                    answer = worker.answer()
                    if answer is None:
                        team.remove(worker)
                        tried.deaths += 1
                        if tried.deaths < TRIES:
                            again.append(tried)
                            continue
                        answer = Answer(tried.task.name, None, _DIED.format(TRIES))
                    elif following_task := following():
                        worker.give(following_task)
                    else:
                        team.remove(worker)
                        worker.stop()
                    yield answer
        finally:
            for worker in team:
                worker.stop()


_DIED = (
    "The process that examined this submission died {} times, probably for lack of memory. "
    "Grade it alone, with --student and --workers 1."
)


@dataclass
class _Tried:
    task: Task
    deaths: int = 0


class _Worker:
    """A process and the pipe to it."""

    def __init__(self, sandbox: bool) -> None:
        context = _workers()
        try:
            control = sandbox_of_this_process(sandbox).twin()
        except SandboxError as error:
            raise CannotStart(str(error)) from None
        self.pipe, theirs = context.Pipe()
        with control, theirs:
            self.process: BaseProcess = context.Process(
                target=_work, args=(theirs, control, sandbox), name="course grade worker"
            )
            self.process.start()
        self.task: _Tried | None = None
        self.since = 0.0

    def give(self, tried: _Tried) -> None:
        self.task, self.since = tried, time.monotonic()
        with suppress(OSError):  # it died; `answer` finds the pipe closed
            self.pipe.send_bytes(tried.task.exam)

    def answer(self) -> Answer | None:
        """The answer to the task that was given, or None if the worker died over it."""
        tried, self.task = self.task, None
        assert tried is not None
        try:
            if not self.pipe.poll():
                raise EOFError
            kind, content = self.pipe.recv_bytes(), self.pipe.recv_bytes()
        except (EOFError, OSError):
            self.stop(patience=0)
            return None
        return answer_of(tried.task.name, kind, content)

    def stop(self, patience: float = 2.0) -> None:
        """Ends the worker, which has some seconds to clean up after itself."""
        self.pipe.close()
        if not self.task:
            self.process.join(patience)
        self.process.kill()
        self.process.join()


def _ready(busy: list[_Worker], patience: float) -> Iterator[_Worker]:
    """Those workers that have answered, died, or let us wait too long."""
    latest = min(worker.since for worker in busy) + patience
    pipes = {worker.pipe: worker for worker in busy}
    for pipe in wait(list(pipes), timeout=max(0.0, latest - time.monotonic())):
        assert isinstance(pipe, Connection)
        yield pipes.pop(pipe)
    for worker in pipes.values():
        if time.monotonic() > worker.since + patience:
            yield worker


def _work(pipe: Connection, control: socket.socket, sandbox: bool) -> None:
    """What a worker does: it examines what comes through the pipe until that is closed."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's business
    use_station(control, sandbox)
    while True:
        try:
            exam = pipe.recv_bytes()
        except EOFError:
            return
        kind, content = attempt(exam, sandbox)
        pipe.send_bytes(kind)
        pipe.send_bytes(content)


def attempt(exam: bytes, sandbox: bool) -> tuple[bytes, bytes]:
    """The findings, or what kept the examiner from having any, as text.

    The first of the two says which: ``b"findings"``, ``b"refused"`` if this computer cannot
    isolate a student's code, or ``b"error"``.
    """
    try:
        with suppress(SandboxError):  # it starts while PyTorch is imported here
            station_for(sandbox)
        from helpers.grading.examiner import examine_bytes

        for left in reversed(range(TRIES)):
            try:
                return b"findings", examine_bytes(exam, sandbox)
            except SandboxError as error:  # an earlier student's code may have broken it
                close_sandbox()
                if not left or error.hopeless:
                    return b"refused", str(error).encode()
        raise AssertionError("unreachable")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{os.path.basename(where.filename)}, line {where.lineno}"
        return b"error", f"{error} ({type(error).__name__} in {place})".encode()


def answer_of(name: str, kind: bytes, content: bytes) -> Answer:
    """What `attempt` said, as the answer to a task.

    Raises:
        CannotStart: a worker cannot isolate students' code.
    """
    if kind == b"refused":
        raise CannotStart(content.decode())
    if kind == b"findings":
        return Answer(name, Findings.from_bytes(content))
    return Answer(name, None, content.decode())


def die_with_parent() -> None:
    """Asks Linux to kill this process when the one that forked it ends, however it ends. That one
    ends when the process that grades does, since a pipe between them then closes.
    """
    if sys.platform != "linux":
        return
    set_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL)
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():  # it ended before
        os._exit(1)
