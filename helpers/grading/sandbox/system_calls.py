"""The list of system calls that a student's code may make; the kernel refuses all others.

Files in the scratch folder, memory, threads, clocks and pipes are allowed. New processes, other
programs, sockets, namespaces, signals to others, kernel keys and anonymous files are not.
"""

from __future__ import annotations

import errno
from typing import Any

MEMORY = "brk mmap mremap munmap mprotect madvise msync mincore membarrier mlock munlock"
THREADS = (
    "futex futex_wait futex_wake futex_waitv set_robust_list get_robust_list rseq set_tid_address "
    "arch_prctl gettid getpid getppid sched_yield sched_getaffinity sched_getparam "
    "sched_getscheduler sched_get_priority_max sched_get_priority_min getcpu tgkill exit exit_group"
)
SIGNALS = (
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigpending "
    "sigaltstack restart_syscall pause alarm setitimer getitimer"
)
CLOCKS = (
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times "
    "timerfd_create timerfd_settime timerfd_gettime"
)
FILES = (
    "open openat creat close close_range read write readv writev pread64 pwrite64 preadv pwritev "
    "preadv2 pwritev2 lseek stat lstat fstat newfstatat fstatat64 statx statfs fstatfs access "
    "faccessat faccessat2 getdents getdents64 readlink readlinkat getcwd chdir fchdir mkdir "
    "mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat "
    "truncate ftruncate fallocate fsync fdatasync sync_file_range flock fcntl fadvise64 umask "
    "chmod fchmod fchmodat utime utimes utimensat futimesat dup dup2 dup3 sendfile copy_file_range "
    "getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr"
)
PIPES = (
    "pipe pipe2 poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait "
    "epoll_pwait epoll_pwait2 eventfd eventfd2 recvfrom shutdown "
    "getsockopt setsockopt getsockname getpeername"
)
ABOUT_ITSELF = (
    "getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid getrlimit "
    "getrusage getpriority sysinfo uname getrandom wait4 waitid capget"
)
ALLOWED = " ".join((MEMORY, THREADS, SIGNALS, CLOCKS, FILES, PIPES, ABOUT_ITSELF)).split()

CLONE_THREAD = 0x00010000
CLONE_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEWTIME, -NS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET."""
AF_UNIX = 1
HARMLESS_PRCTL = (15, 16, 0x53564D41)  # set and get a thread's name; name a piece of memory
HARMLESS_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Is it a terminal, how wide, how much can be read, non-blocking, close on exec and not."""


def filter_for_students() -> Any:
    """The filter, made once before a child is forked; `load()` puts it on a process for good.

    Raises:
        ImportError: pyseccomp or libseccomp is missing.
        OSError: libseccomp refuses.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError) as error:
        raise ImportError(f"libseccomp cannot be used: {error}.") from None

    calls = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    for name in ALLOWED:
        _allow(calls, name)
    kinds = CLONE_THREAD | CLONE_NEW_NAMESPACES
    _allow(calls, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, kinds, CLONE_THREAD))
    # To the other end of a pair, and not to an address: it could be a socket in the file system.
    _allow(calls, "sendto", seccomp.Arg(4, seccomp.EQ, 0))
    _allow(calls, "socketpair", seccomp.Arg(0, seccomp.EQ, AF_UNIX))
    _allow(calls, "prlimit64", seccomp.Arg(0, seccomp.EQ, 0), seccomp.Arg(2, seccomp.EQ, 0))
    for option in HARMLESS_PRCTL:
        _allow(calls, "prctl", seccomp.Arg(0, seccomp.EQ, option))
    for request in HARMLESS_IOCTL:
        _allow(calls, "ioctl", seccomp.Arg(1, seccomp.EQ, request))
    # "Not implemented" makes the C library fall back to clone, whose flags the filter can read.
    calls.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    return calls


def _allow(calls: Any, name: str, *arguments: Any) -> None:
    import pyseccomp as seccomp

    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
    if isinstance(number, int) and number >= 0:  # else this processor has no call of that name
        calls.add_rule(seccomp.ALLOW, name, *arguments)
