"""Ways out of the sandbox: network, programs, processes, kernel interfaces, files outside."""

from __future__ import annotations

import platform
from typing import Any

import pytest

from tests.grading.hostile.submission import (
    Submission,
    assert_as_expected,
    assert_shown,
    attack,
    examine_together,
)

seccomp = pytest.importorskip("pyseccomp", exc_type=ImportError)


def call(name: str, *arguments: Any, prepare: str = "", system_call: str = "") -> Submission:
    """A system call by its number, past the C library. It must be refused, and not just fail."""
    number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, system_call or name)
    assert number != -1, f"There is no system call {system_call or name}."
    given = ", ".join(map(str, arguments))
    code = f"""
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        text = ctypes.c_char_p(b"/tmp")
        buffer = ctypes.create_string_buffer(4096)
        {prepare or "pass"}
        result = libc.syscall({", ".join([str(number), *([given] if given else [])])})
        if result >= 0 or ctypes.get_errno() != 1:
            print("LEAKED", result, ctypes.get_errno())
        raise PermissionError("refused")
    """
    return attack(f"system call {name}", code)


NETWORK = [
    attack(
        f"a socket of the family {family}",
        f"import socket\nprint('LEAKED', socket.socket({number}, {kind}))",
    )
    for family, number, kind in (
        ("unix", 1, 1),
        ("unix, datagrams", 1, 2),
        ("IPv4", 2, 1),
        ("IPv4, datagrams", 2, 2),
        ("IPv4, raw", 2, 3),
        ("IPv6", 10, 1),
        ("netlink", 16, 3),
        ("packets", 17, 3),
        ("bluetooth", 31, 5),
        ("kernel cryptography", 38, 5),
        ("vsock", 40, 1),
        ("XDP", 44, 3),
    )
]
NETWORK += [
    attack(
        "opens a page",
        "import urllib.request\nprint('LEAKED', urllib.request.urlopen('http://127.0.0.1:80', timeout=2))",
    ),
    attack(
        "asks for a name", "import socket\nprint('LEAKED', socket.getaddrinfo('localhost', 80))"
    ),
    attack(
        "listens",
        "import socket\nprint('LEAKED', socket.create_server(('127.0.0.1', 0)))",
    ),
    attack(
        "sends to an address through a pair",
        """
        import socket
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        print("LEAKED", one.sendto(b"hello", "/dev/log"))
        """,
    ),
    attack(
        "passes a file through a pair",
        """
        import os, socket
        one, other = socket.socketpair()
        print("LEAKED", socket.send_fds(one, [b"x"], [0]))
        """,
    ),
    attack(
        "downloads a dataset",
        "import torchvision\ntorchvision.datasets.MNIST('.', download=True)\nprint('LEAKED')",
    ),
]

PROGRAMS = [
    attack("subprocess", "import subprocess\nprint('LEAKED', subprocess.run(['/bin/true']))"),
    attack(
        "os.system",
        "import os\nif os.system('/bin/true') == 0:\n    print('LEAKED')\nraise PermissionError('refused')",
    ),
    attack("popen", "import os\nprint('LEAKED', os.popen('/bin/echo x').read())"),
    attack("fork", "import os\nprint('LEAKED', os.fork())"),
    attack("a terminal", "import os\nprint('LEAKED', os.forkpty())"),
    attack("spawn", "import os\nprint('LEAKED', os.posix_spawn('/bin/true', ['true'], {}))"),
    attack("exec", "import os\nprint('LEAKED', os.execv('/bin/echo', ['echo', 'LEAKED']))"),
    attack(
        "exec of its own file",
        "import os\nopen('x', 'w').write('#!/bin/sh\\necho LEAKED')\nos.chmod('x', 0o755)\nos.execv('./x', ['x'])",
    ),
    attack(
        "multiprocessing",
        "import multiprocessing as m\nfor way in ('fork',):\n"
        "    p = m.get_context(way).Process(target=print)\n    p.start()\n    print('LEAKED')",
    ),
    attack(
        "workers of a data loader",
        "from torch.utils.data import DataLoader\n"
        "print('LEAKED', next(iter(DataLoader(range(9), num_workers=1))))",
    ),
    attack(
        "compiles C",
        "from torch.utils.cpp_extension import load_inline\n"
        "print('LEAKED', load_inline('x', 'int f() { return 1; }', functions=['f']))",
    ),
]

SIGNALS = [
    attack("kills its parent", "import os\nos.kill(os.getppid(), 9)\nprint('LEAKED')"),
    attack("kills its group", "import os\nos.kill(0, 9)\nprint('LEAKED')"),
    attack("kills all", "import os\nos.kill(-1, 9)\nprint('LEAKED')"),
    attack("kills the first", "import os\nos.kill(1, 9)\nprint('LEAKED')"),
    attack("kills the group of the first", "import os\nos.killpg(1, 9)\nprint('LEAKED')"),
    attack(
        "signals through a file",
        """
        import fcntl, os
        reader, writer = os.pipe()
        for number in range(2, 99):
            try:
                fcntl.fcntl(reader, fcntl.F_SETOWN, number)
                print("LEAKED", number)
            except OSError:
                pass
        raise ProcessLookupError("no one is there")
        """,
    ),
    attack("opens a process", "import os\nprint('LEAKED', os.pidfd_open(1))"),
    attack("a session of its own", "import os\nos.setsid()\nprint('LEAKED')"),
    attack(
        "ignores every signal",
        """
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        raise PermissionError("it ends all the same")
        """,
    ),
]

FILES = [
    attack(
        f"writes to {place}",
        f"with open({place!r} + '/written-by-a-student', 'w') as file:\n    print('LEAKED', file.write('x'))",
    )
    for place in (
        "",
        "/usr",
        "/usr/local/bin",
        "/etc",
        "/dev",
        "/dev/shm",
        "/proc",
        "/sys",
        "/var/tmp",
        "/tmp/..",
    )
]
FILES += [
    attack(
        "writes into the helpers",
        "import helpers, os\nplace = os.path.dirname(helpers.__file__)\n"
        "print('LEAKED', open(place + '/written-by-a-student.py', 'w'))",
    ),
    attack("changes the helpers", "import helpers\nprint('LEAKED', open(helpers.__file__, 'a'))"),
    attack(
        "removes the helpers", "import helpers, os\nos.remove(helpers.__file__)\nprint('LEAKED')"
    ),
    attack("changes the libraries", "print('LEAKED', open(torch.__file__, 'a'))"),
    attack("changes their rights", "import os\nos.chmod(torch.__file__, 0o777)\nprint('LEAKED')"),
    attack("changes their times", "import os\nos.utime(torch.__file__)\nprint('LEAKED')"),
    attack(
        "a hard link",
        "import os\nos.link(torch.__file__, 'link')\nopen('link', 'a')\nprint('LEAKED')",
    ),
    attack(
        "a link to outside",
        "import os\nos.symlink('/usr/written-by-a-student', 'out')\nprint('LEAKED', open('out', 'w'))",
    ),
    attack("a device", "import os\nos.mknod('disk', 0o60666, os.makedev(254, 0))\nprint('LEAKED')"),
    attack("a file without a name", "import os\nprint('LEAKED', os.memfd_create('x'))"),
    attack(
        "shared memory",
        "from multiprocessing.shared_memory import SharedMemory\n"
        "print('LEAKED', SharedMemory('x', True, 10))",
    ),
    attack("the root", "import os\nos.chroot('/tmp')\nprint('LEAKED')"),
]

KERNEL = [
    call("mount", "text", "text", "text", 4096, 0),
    call("umount2", "text", 2),
    call("pivot_root", "text", "text"),
    call("unshare", "0x10000000"),
    call("setns", 0, 0),
    call("ptrace", 0, 0, 0, 0),
    call("ptrace of process 1", 16, 1, 0, 0, system_call="ptrace"),
    call("process_vm_writev", 1, "buffer", 1, "buffer", 1, 0),
    call("kcmp", 1, 1, 0, 0, 0),
    call("setuid", 0),
    call("setgid", 0),
    call("setresuid", 0, 0, 0),
    call("setgroups", 0, 0),
    call("setfsuid", 0),
    call("capset", "buffer", "buffer"),
    call("prctl dumpable", 4, 1, 0, 0, 0, system_call="prctl"),
    call("prctl seccomp", 22, 2, "buffer", 0, 0, system_call="prctl"),
    call("prctl parent's death", 1, 0, 0, 0, 0, system_call="prctl"),
    call("prctl subreaper", 36, 1, 0, 0, 0, system_call="prctl"),
    call("seccomp", 1, 0, "buffer"),
    call("personality", "0x0040000"),
    call("io_uring_setup", 8, "buffer"),
    call("bpf", 0, "buffer", 72),
    call("perf_event_open", "buffer", 0, -1, -1, 0),
    call("userfaultfd", 0),
    call("keyctl", 0, -3, 0),
    call("add_key", "text", "text", "text", 1, -3),
    call("request_key", "text", "text", 0, 0),
    call("sched_setaffinity", 0, 128, "buffer"),
    call("sched_setscheduler", 0, 3, "buffer"),
    call("sched_setattr", 0, "buffer", 0),
    call("setpriority", 0, 0, -5),
    call("ioprio_set", 1, 0, 0),
    call("setrlimit", 0, "buffer"),
    call("prlimit64 that sets", 0, 6, "buffer", 0, system_call="prlimit64"),
    call("prlimit64 of another", 1, 6, 0, "buffer", system_call="prlimit64"),
    call("name_to_handle_at", -100, "text", "buffer", "buffer", 0),
    call("open_by_handle_at", 3, "buffer", 0),
    call("fanotify_init", 0, 0),
    call("inotify_init1", 0),
    call("memfd_secret", 0),
    call("shmget", 0, 4096, 0o1600),
    call("semget", 0, 1, 0o1600),
    call("msgget", 0, 0o1600),
    call("mq_open", "text", 66, 0o600, 0),
    call("fsopen", "text", 0),
    call("open_tree", -100, "text", 1),
    call("move_mount", -100, "text", -100, "text", 0),
    call("init_module", "buffer", 10, "text"),
    call("kexec_load", 0, 0, 0, 0),
    call("reboot", "0xfee1dead", 672274793, 0, 0),
    call("swapon", "text", 0),
    call("syslog", 3, "buffer", 4096),
    call("acct", "text"),
    call("quotactl", 0, "text", 0, "buffer"),
    call("sethostname", "text", 3),
    call("settimeofday", "buffer", 0),
    call("clock_settime", 0, "buffer"),
    call("vhangup"),
    call("timer_create", 0, "buffer", "buffer"),
    call("pidfd_send_signal", 0, 9, 0, 0),
    call("pidfd_getfd", 0, 0, 0),
    call("fork by clone", 17, 0, 0, 0, 0, system_call="clone"),
    call("thread with a namespace", "0x10010900", 0, 0, 0, 0, system_call="clone"),
    call("typing into a terminal", 0, "0x5412", "buffer", system_call="ioctl"),
    call("a terminal of its own", 0, "0x540E", 0, system_call="ioctl"),
    call("sendmsg", 0, "buffer", 0),
    call("connect", 0, "buffer", 16),
    call("accept4", 0, 0, 0, 0),
    call("landlock_create_ruleset", 0, 0, 1),
    call("mbind", 0, 4096, 0, 0, 0, 0),
    call("move_pages", 1, 0, 0, 0, 0, 0),
    call("lookup_dcookie", 0, "buffer", 10),
]

_MACHINE_CODE = """
    import ctypes, mmap
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex({code!r}))
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    print("LEAKED", ctypes.CFUNCTYPE(ctypes.c_long)(place)())
"""
LEFT_OUT = ("ended the whole process",)
OTHER_NUMBERS = [
    Submission(
        "32-bit system calls, by int 0x80",
        _MACHINE_CODE.format(code="b814000000cd80c3"),  # mov eax, 20 (getpid); int 0x80; ret
        flags=LEFT_OUT,
    ),
    Submission(
        "x32 system calls",
        "import ctypes\nprint('LEAKED', ctypes.CDLL(None).syscall(0x40000000 + 39))",
        flags=LEFT_OUT,
    ),
]

SUBMISSIONS = [*NETWORK, *PROGRAMS, *SIGNALS, *FILES, *KERNEL]


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return examine_together(SUBMISSIONS)


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=str)
def test_there_is_no_way_out(shown: dict[str, str], submission: Submission) -> None:
    assert_shown(submission, shown[submission.name])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these numbers exist on x86-64 only")
@pytest.mark.parametrize("submission", OTHER_NUMBERS, ids=str)
def test_other_tables_of_system_calls_end_the_process(submission: Submission) -> None:
    assert_as_expected(submission, submission.examine())
