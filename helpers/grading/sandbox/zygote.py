"""The process from which children are forked: it has imported everything, and knows no secret.

It runs none of a student's code. It takes three orders over its control socket: `fork`, which
comes with the child's end of a channel, `end`, which kills the child and waits until it is gone, and
`load`, which imports a library of a fixed list for the children to come.

    python -m helpers.grading.sandbox.zygote CONTROL_FD CONFINED(0 or 1) MEMORY SCRATCH CPU_SECONDS
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

from helpers.grading import wire
from helpers.grading.sandbox import confine


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    confined = sys.argv[2] == "1"
    allowance = confine.Allowance(*map(int, sys.argv[3:6]))
    world = _World(confined, allowance)
    _settle()
    control.sendall(b"ready   ")
    child = 0
    while True:
        order, files, _, _ = socket.recv_fds(control, 8, 1)
        if not order:
            _end(child)
            return
        if order == b"fork    ":
            child = world.fork(files[0], control)
            control.sendall(b"forked  " if child else b"refused ")
        elif order == b"end     ":
            control.sendall(_end(child).to_bytes(8, "big"))
            child = 0
        elif order.startswith(b"load"):
            from helpers.grading.sandbox.imports import import_library

            import_library(int(order[4:]))
            _settle()
            control.sendall(b"loaded  ")


def _settle() -> None:
    """Keep a child's garbage collector from copying every page of the imports."""
    gc.collect()
    gc.freeze()


def _end(child: int) -> int:
    """Kill the child, wait until it is gone, and tell by which signal it had ended, if by any."""
    if not child:
        return 0
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class _World:
    """What every child starts with."""

    def __init__(self, confined: bool, allowance: confine.Allowance) -> None:
        from helpers.grading.sandbox.imports import import_everything
        from helpers.grading.sandbox.shell import make_shell

        self.confined = confined
        self.allowance = allowance
        self.filter: Any = None
        if confined:  # before the imports take their seconds, in case it is missing
            from helpers.grading.sandbox.system_calls import filter_for_students

            self.filter = filter_for_students()
            confine.prctl(confine.PR_SET_CHILD_SUBREAPER, 1)
            confine.prctl(confine.PR_SET_DUMPABLE, 0)
        self.checks = import_everything()
        self.shell = make_shell()

    def fork(self, channel: int, control: socket.socket) -> int:
        """A child that serves `channel`; its number, or 0 if it could not be confined."""
        if not self.confined:
            child = os.fork()
            if child == 0:
                self._child(channel)
            os.close(channel)
            return child
        return self._fork_confined(channel)

    def _fork_confined(self, channel: int) -> int:
        """Through a process that takes new namespaces and leaves at once: the child then is the
        first process of its own process namespace, and this process becomes its parent.
        """
        reader, writer = os.pipe()
        adopted, adopts = os.pipe()
        between = os.fork()
        if between == 0:
            try:
                os.setsid()
                confine.prctl(confine.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root
                confine.first_to_go()
                confine.new_namespaces()
                child = os.fork()
                if child == 0:
                    os.close(adopts)
                    if os.read(adopted, 1):  # from here on its parent is the zygote
                        self._child(channel)
                    os._exit(1)
                os.write(writer, child.to_bytes(8, "big"))
            except OSError as error:
                print(f"New namespaces are not allowed: {error}", file=sys.stderr, flush=True)
            finally:
                os._exit(0)
        os.close(writer)
        os.close(channel)
        os.waitpid(between, 0)
        told = os.read(reader, 8)
        os.write(adopts, b"!")
        for number in (reader, adopted, adopts):
            os.close(number)
        return int.from_bytes(told, "big") if len(told) == 8 else 0

    def _child(self, channel: int) -> None:
        """Never returns."""
        status = 1
        try:
            from helpers.grading.sandbox import child

            talk = socket.socket(fileno=channel)
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                child.only_these_open(channel)
                self._confine()
            except BaseException as error:
                wire.send(talk, {"refused": f"{type(error).__name__}: {error}"})
                raise
            sys.path.insert(0, "")  # as in a kernel: a student's own .py files can be imported
            wire.send(talk, {"ready": True})
            child.serve(talk, self.shell, self.checks)
            status = 0
        finally:
            os._exit(status)

    def _confine(self) -> None:
        confine.prctl(confine.PR_SET_PDEATHSIG, confine.SIGKILL)
        confine.limits(self.allowance)
        if not self.confined:
            os.setsid()
            os.chdir(tempfile.mkdtemp(prefix="work-"))  # in the station's folder
            return
        confine.few_threads()
        confine.one_processor()
        scratch = os.environ["TMPDIR"]
        confine.own_files(self.allowance, scratch)
        work = Path(scratch, "work")
        work.mkdir()
        os.chdir(work)
        confine.no_way_back()
        self.filter.load()


if __name__ == "__main__":
    try:
        main()
    except (ImportError, OSError) as error:
        sys.exit(f"The sandbox cannot be set up: {error}")
