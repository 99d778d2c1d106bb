"""What a student's code must not see: solutions, answers, the grader, the machine, other students."""

from __future__ import annotations

import pytest

from tests.grading.hostile.submission import (
    Submission,
    assert_as_expected,
    assert_shown,
    attack,
    examine_together,
)

PATHS = {
    "the password file": "/etc/passwd",
    "the shadow file": "/etc/shadow",
    "the host's name": "/etc/hostname",
    "the network's settings": "/etc/resolv.conf",
    "the memory of this process": "/proc/self/mem",
    "the environment": "/proc/self/environ",
    "the environment of the first process": "/proc/1/environ",
    "the command line": "/proc/1/cmdline",
    "the map of the memory": "/proc/self/maps",
    "the file descriptors": "/proc/self/fd/3",
    "the kernel's symbols": "/proc/kallsyms",
    "the machine's memory": "/dev/mem",
    "the kernel's log": "/dev/kmsg",
    "the first disk": "/dev/vda",
    "the other first disk": "/dev/sda",
    "the fuse device": "/dev/fuse",
    "the virtual machines": "/dev/kvm",
    "the terminal": "/dev/tty",
    "the kernel's secrets": "/sys/kernel/security/lsm",
    "the control groups": "/sys/fs/cgroup/cgroup.procs",
    "the system's socket": "/run/systemd/private",
}
FILES = [
    attack(name, f"with open({path!r}, 'rb') as file:\n    print('LEAKED', file.read(1))")
    for name, path in PATHS.items()
]

FOLDERS = [
    attack(f"lists {path}", f"import os\nprint('LEAKED', os.listdir({path!r}))")
    for path in ("/var", "/run", "/mnt", "/srv", "/boot", "/proc/1", "/sys/class", "/sys/fs")
]
FOLDERS += [
    attack(
        f"finds files in {path}",
        f"""
        import os
        for folder, folders, files in os.walk({path!r}):
            if files and "lib" not in folder.split("/"):
                print("LEAKED", folder, files[:3])
            folders[:] = [name for name in folders if name not in ("bin", "share", "include")]
        raise LookupError("nothing")
        """,
    )
    for path in ("/root", "/home", "/opt")
]

COURSE = [
    attack(
        f"reads {name} beside the helpers",
        f"""
        import helpers, pathlib
        root = pathlib.Path(helpers.__file__).parent.parent
        found = [str(file) for file in root.glob({pattern!r})]
        if found:
            print("LEAKED", found[:3])
        raise FileNotFoundError("nothing")
        """,
    )
    for name, pattern in (
        ("solutions", "solutions/*"),
        ("released notebooks", "notebooks/*"),
        ("submissions", "submitted/*"),
        ("graded work", "autograded/*"),
        ("the gradebook", "*.db"),
        ("the history", ".git/*"),
        ("tests", "tests/*"),
        ("settings", "*.toml"),
        ("answers", "helpers/answers/*"),
        ("compiled answers", "helpers/answers/**/*.pyc"),
        ("answers elsewhere", "helpers/**/*numerical_gradient*"),
    )
]

ANSWERS = [
    attack(
        "imports answers",
        "import helpers.answers.start_here.count_parameters as a\nprint('LEAKED', a)",
    ),
    attack(
        "imports answers by their file",
        """
        import helpers, importlib.util, pathlib
        place = pathlib.Path(helpers.__file__).parent / "answers/start_here/count_parameters.py"
        spec = importlib.util.spec_from_file_location("stolen", place)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        print("LEAKED", module)
        """,
    ),
    attack(
        "finds answers by pkgutil",
        """
        import helpers, pkgutil
        for found in pkgutil.walk_packages(helpers.__path__, "helpers.", onerror=lambda name: None):
            if found.name.startswith("helpers.answers."):
                print("LEAKED", found.name)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "finds answers in the loader's cache",
        """
        import importlib.util, os, helpers
        for folder, _, files in os.walk(os.path.dirname(helpers.__file__)):
            for name in files:
                if "answers" in folder or "answers" in name and name != "__init__.py":
                    print("LEAKED", folder, name)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "finds answers among the modules",
        """
        import sys
        found = [n for n in sys.modules if n.startswith(("helpers.answers.", "helpers.grading.examiner"))]
        if found:
            print("LEAKED", found)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "unhides the answers",
        """
        import helpers, os
        place = os.path.join(os.path.dirname(helpers.__file__), "answers")
        os.chmod(place, 0o755)
        print("LEAKED", os.listdir(place))
        """,
    ),
    attack(
        "walks the disk for notebooks",
        """
        import os
        for top in ("/", "/tmp", "/dev", "/usr/local", "/usr/share", "/usr/src"):
            for folder, folders, files in os.walk(top):
                if folder.count("/") > 5:
                    folders.clear()
                if any(n.endswith((".ipynb", "gradebook.db")) and "site-packages" not in folder for n in files):
                    print("LEAKED", folder, files[:9])
        raise LookupError("nothing")
        """,
    ),
    attack(
        "reads through a link",
        """
        import os
        os.symlink("/etc/shadow", "link")
        with open("link") as file:
            print("LEAKED", file.read(3))
        """,
    ),
    attack(
        "reads below its scratch folder",
        """
        import os
        others = set(os.listdir(os.environ["TMPDIR"])) - {"work", "matplotlib", "ipython"}
        if others:
            print("LEAKED", others)
        raise LookupError("nothing")
        """,
    ),
]

PROCESS = [
    attack(
        "reads secrets of the environment",
        """
        import os
        for name, value in os.environ.items():
            if "SECRET" in name or value == "LEAKED":
                print("LEAKED", name)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "reads secrets of the first environment",
        """
        import ctypes
        environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
        number = 0
        while environ[number]:
            if b"SECRET" in environ[number]:
                print("LEAKED", environ[number])
            number += 1
        raise LookupError("nothing")
        """,
    ),
    attack(
        "sees other processes",
        """
        import os
        if os.getpid() != 1 or os.getppid() != 0:
            print("LEAKED", os.getpid(), os.getppid())
        for number in range(2, 400):
            try:
                os.getpgid(number)
                print("LEAKED", number)
            except ProcessLookupError:
                pass
        raise LookupError("nothing")
        """,
    ),
    attack(
        "uses files left open",
        """
        import os, stat
        for number in range(256):
            try:
                kind = os.fstat(number)
            except OSError:
                continue
            harmless = stat.S_ISCHR(kind.st_mode) and kind.st_rdev == os.makedev(1, 3)
            if not harmless and not stat.S_ISSOCK(kind.st_mode):
                print("LEAKED", number, kind)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "reads the zygote's control socket",
        """
        import gc, os, socket
        open_ones = []
        for thing in gc.get_objects():
            if isinstance(thing, socket.socket) and thing.fileno() >= 0:
                try:
                    os.fstat(thing.fileno())
                    open_ones.append(thing.fileno())
                except OSError:
                    pass
        if len(set(open_ones)) > 1:
            print("LEAKED", open_ones)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "reads memory that is not its own",
        """
        import ctypes
        place = (ctypes.c_char * 8)()
        local = (ctypes.c_size_t * 2)(ctypes.addressof(place), 8)
        remote = (ctypes.c_size_t * 2)(id(ctypes), 8)
        for number in (1, 2, 3):
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.process_vm_readv(number, local, 1, remote, 1, 0) >= 0:
                print("LEAKED", number)
            elif ctypes.get_errno() != 1:
                print("LEAKED errno", ctypes.get_errno())
        raise PermissionError("nothing")
        """,
    ),
    attack(
        "asks who it is on the machine",
        """
        import getpass, os, socket
        if os.getuid() == 0 or os.getgroups() not in ([], [65534], [os.getgid()]):
            print("LEAKED", os.getuid(), os.getgroups())
        if socket.gethostname() != "sandbox":
            print("LEAKED", socket.gethostname())
        raise LookupError("nothing")
        """,
    ),
]

LEFT_BEHIND = [
    attack(
        "reads what another student left",
        """
        import os
        os.makedirs("../shared", exist_ok=False)
        with open("../shared/note", "x") as file:
            file.write("hello")
        raise LookupError("there was nothing")
        """,
    ),
    attack(
        "reads it again",
        """
        with open("../shared/note") as file:
            print("LEAKED", file.read())
        """,
    ),
]

SUBMISSIONS = [*FILES, *FOLDERS, *COURSE, *ANSWERS, *PROCESS]


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return examine_together(SUBMISSIONS)


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=str)
def test_nothing_is_read(shown: dict[str, str], submission: Submission) -> None:
    assert_shown(submission, shown[submission.name])


def test_nothing_is_left_for_the_next_student() -> None:
    for submission in LEFT_BEHIND:
        assert_as_expected(submission, submission.examine())
