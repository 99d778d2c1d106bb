"""A fork of the zygote that serves one judge: it forks a child for each notebook, and ends it.

It takes three orders: `fork`, which comes with the child's end of a channel and with what the
child may take, `end`, which kills the oldest child, and `load`, which imports a library of a fixed
list for the children to come.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.checking.check import Check
from helpers.grading import wire
from helpers.grading.quick_imports import quick_imports
from helpers.grading.sandbox import confine
from helpers.grading.sandbox.orders import FORKED, LOADED, READY, next_order
from helpers.grading.sandbox.shell import GradingShell


@dataclass(frozen=True)
class World:
    """What every child starts with."""

    confined: bool
    filter: Any
    """The filter of system calls, if confined."""
    checks: dict[str, Check]
    shell: GradingShell


class Twin:
    """The loop that takes a judge's orders."""

    def __init__(self, world: World, judge: socket.socket, processor: int) -> None:
        self.world = world
        self.judge = judge
        self.processor = processor
        self.children: deque[int] = deque()
        self.ended: list[int] = []
        self.processes = confine.Processes() if world.confined else None
        if world.confined:
            confine.prctl(confine.PR_SET_DUMPABLE, 0)

    def serve(self) -> None:
        """Takes orders until the judge hangs up."""
        self.judge.sendall(READY)
        while order := next_order(self.judge):
            if order.kind == "fork":
                self._fork(order.file, confine.Allowance(*order.numbers))
                self.judge.sendall(FORKED)
                self._wait_for_ended()
            elif order.kind == "end" and self.children:
                self._end()
            elif order.kind == "load":
                self._load(order.numbers[0])
                self.judge.sendall(LOADED)
        while self.children:
            self._end()
        self._wait_for_ended()

    def _fork(self, channel: int, allowance: confine.Allowance) -> None:
        child = os.fork() if self.processes is None else self.processes.fork_first_of_its_own()
        if child == 0:
            self._child(channel, allowance)
        os.close(channel)
        self.children.append(child)

    def _end(self) -> None:
        child = self.children.popleft()
        os.kill(child, signal.SIGKILL)
        self.ended.append(child)

    def _wait_for_ended(self) -> None:
        """The kernel takes some milliseconds to clear a process away, in which the next starts."""
        while self.ended:
            os.waitpid(self.ended.pop(), 0)

    def _load(self, place: int) -> None:
        from helpers.grading.sandbox.imports import import_library

        with quick_imports(for_good=True):
            import_library(place)

    def _child(self, channel: int, allowance: confine.Allowance) -> None:
        """Never returns."""
        status = 1
        try:
            from helpers.grading.sandbox import child

            talk = socket.socket(fileno=channel)
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                child.only_these_open(channel)
                self._confine(allowance)
            except BaseException as error:
                wire.send(talk, {"refused": f"{type(error).__name__}: {error}"})
                raise
            sys.path.insert(0, "")  # as in a kernel: a student's own .py files can be imported
            wire.send(talk, {"ready": True})
            child.serve(talk, self.world.shell, self.world.checks)
            status = 0
        finally:
            os._exit(status)

    def _confine(self, allowance: confine.Allowance) -> None:
        os.setsid()
        if not self.world.confined:
            confine.prctl(confine.PR_SET_PDEATHSIG, confine.SIGKILL)
            confine.limits(allowance)
            os.chdir(tempfile.mkdtemp(prefix="work-"))  # in the sandbox's folder
            return
        confine.prctl(confine.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root
        confine.first_to_go()
        confine.own_everything_else()
        confine.prctl(confine.PR_SET_PDEATHSIG, confine.SIGKILL)
        confine.limits(allowance)
        confine.few_threads()
        confine.one_processor(self.processor)
        scratch = os.environ["TMPDIR"]
        confine.own_files(allowance, scratch)
        work = Path(scratch, "work")
        work.mkdir()
        os.chdir(work)
        confine.no_way_back()
        self.world.filter.load()
