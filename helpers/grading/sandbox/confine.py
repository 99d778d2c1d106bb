"""What a child gives up, for good, before it runs the first line of a student's code."""

from __future__ import annotations

import ctypes
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
PR_CAPBSET_DROP = 24
SIGKILL = 9
MOST_FILES_OPEN = 256
MOST_THREADS = 64

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def prctl(option: int, value: int = 0) -> None:
    _call("prctl", option, value, 0, 0, 0)


@dataclass(frozen=True)
class Allowance:
    """What a child may take."""

    memory: int
    """Bytes beyond what is mapped when it starts."""
    scratch: int
    """Bytes of files."""
    cpu_seconds: int


def own_processes() -> None:
    """Give this process a user namespace of its own, in which it may make process namespaces; its
    next child is process 1 in the first of them.

    Raises:
        OSError: the kernel does not allow it.
    """
    _unshare(CLONE_NEWUSER | CLONE_NEWPID)


def own_everything_else() -> None:
    """Give this process users, files, network and names of its own. Its rights end there.

    Raises:
        OSError: the kernel does not allow it.
    """
    _unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)


def _unshare(what: int) -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", what)
    if what & CLONE_NEWUSER:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


class Processes:
    """Forks children of which each is alone in a process namespace: it sees no other process, and
    takes all that it started with it when it ends.
    """

    def __init__(self) -> None:
        self._ours = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork_first_of_its_own(self) -> int:
        """The same as `os.fork`; the child is process 1 of a new namespace.

        Raises:
            OSError: the kernel does not allow it.
        """
        _unshare(CLONE_NEWPID)
        child = -1
        try:
            child = os.fork()
            return child
        finally:
            if child != 0:
                _call("setns", self._ours, CLONE_NEWPID)


def own_files(allowance: Allowance, scratch: str) -> None:
    """A new, empty, small scratch folder in memory, the only one to write in, which ends with this
    process; and nothing to see in /proc."""
    settings = f"size={allowance.scratch},nr_inodes=4096,mode=0700"
    flags = MS_NOSUID | MS_NODEV
    _call("mount", b"scratch", scratch.encode(), b"tmpfs", flags, settings.encode())
    hidden = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY
    _call("mount", b"nothing", b"/proc", b"tmpfs", hidden, b"size=4k,mode=0555")


def limits(allowance: Allowance) -> None:
    """Limits that the kernel keeps on memory, threads, files and time."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if _has_proc() else 0
    mapped = pages * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, allowance.scratch),
        (resource.RLIMIT_NOFILE, MOST_FILES_OPEN),
        (resource.RLIMIT_CPU, allowance.cpu_seconds),
        *([(resource.RLIMIT_AS, mapped + allowance.memory)] if mapped else []),
    ):
        _lower(what, most)


def few_threads() -> None:
    """A limit on threads. It counts all processes of a user, so it needs a user namespace."""
    _lower(resource.RLIMIT_NPROC, MOST_THREADS)


def one_processor(place: int) -> None:
    """Stay on one processor, so that many threads take the time of one neighbour at most. The
    system-call filter forbids to change it.

    Args:
        place: judges with neighbouring numbers have different processors, where there are enough.
    """
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[place % len(processors)]})


def _lower(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _has_proc() -> bool:
    return Path("/proc/self/statm").exists()


def first_to_go() -> None:
    """If the machine runs out of memory, the kernel ends this process and not the grader."""
    Path("/proc/self/oom_score_adj").write_text("1000")


def no_way_back() -> None:
    """Give up every capability, and the means to get one."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # beyond the last one
    # struct __user_cap_header_struct {version 3, this process}, and two empty sets
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
