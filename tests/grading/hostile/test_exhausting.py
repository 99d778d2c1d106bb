"""Code that takes time, memory, threads, files or output without end costs its own question."""

from __future__ import annotations

import pytest

from helpers.grading import examiner
from tests.grading.hostile.submission import Submission, assert_as_expected, attack


@pytest.fixture(autouse=True)
def less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that never ends need not be waited for as long as in a real class."""
    monkeypatch.setattr(examiner, "ANSWER_SECONDS", 6.0)
    monkeypatch.setattr(examiner, "PATIENCE", 0.6)


TOO_LONG = ("ran longer than 1 seconds and was left out",)
DIED = ("ended the whole process",)


def endless(name: str, code: str) -> Submission:
    """A cell that is ended from outside; the rest of the notebook counts."""
    return Submission(name, code, flags=TOO_LONG, seconds=1)


def harmless(name: str, code: str) -> Submission:
    """A cell that meets a limit, and goes on or ends by itself."""
    return Submission(name, code)


CELLS = [
    endless("a loop", "while True:\n    pass"),
    endless(
        "a loop that catches all",
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
    ),
    endless("sleep", "import time\ntime.sleep(10**6)"),
    endless(
        "a loop in a constructor",
        "class Slow:\n    def __init__(self):\n        while True:\n            pass\nSlow()",
    ),
    endless("a loop in C", "sum(range(10**12))"),
    endless("a large product", "m = torch.ones(9000, 9000)\nwhile True:\n    m @ m"),
    endless("a regular expression", "import re\nre.match('(a+)+$', 'a' * 40 + 'b')"),
    endless(
        "a number to be written",
        "import sys\nsys.set_int_max_str_digits(0)\nx = len(str(3 ** (2 * 10**7)))",
    ),
    endless(
        "a text about an object",
        "class Talks:\n    def __repr__(self):\n        while True:\n            pass\nTalks()",
    ),
    endless(
        "a slow goodbye",
        "class Stays:\n    def __del__(self):\n        while True:\n            pass\nx = Stays()\ndel x",
    ),
    endless(
        "waiting for a lock",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    ),
    endless("top-level await", "import asyncio\nawait asyncio.sleep(10**6)"),
    endless(
        "signals that are not heard",
        "import signal, time\n"
        "for number in (1, 2, 3, 14, 15, 24):\n    signal.signal(number, signal.SIG_IGN)\n"
        "while True:\n    time.sleep(1)",
    ),
    endless(
        "threads that count",
        "import threading\n"
        "def count():\n    while True:\n        pass\n"
        "for _ in range(20):\n    threading.Thread(target=count, daemon=True).start()\n"
        "count()",
    ),
    endless(
        "a pipe that no one reads",
        "import os\n_, end = os.pipe()\nwhile True:\n    os.write(end, b'x' * 4096)",
    ),
    endless("a generator", "max(iter(int, 1))"),
    endless(
        "a slow import",
        "import sys\nclass Slow:\n    def find_spec(self, *a):\n        while True:\n"
        "            pass\nsys.meta_path.insert(0, Slow())\nimport some_module",
    ),
]

MEMORY = [
    attack(
        "one large piece", "x = bytearray(8 << 30)\nprint('LEAKED')", shows=("STOPPED MemoryError",)
    ),
    attack(
        "a large tensor",
        "x = torch.zeros(8 << 30)\nprint('LEAKED')",
        shows=("STOPPED RuntimeError",),
    ),
    attack("a large file in memory", "import mmap\nx = mmap.mmap(-1, 8 << 30)\nprint('LEAKED')"),
    attack(
        "growth",
        "def grow():\n    x = []\n    while True:\n        x.append(bytearray(2**26))\ngrow()",
        shows=("STOPPED MemoryError",),
    ),
    attack("a text", "x = 'a' * (8 << 30)\nprint('LEAKED')", shows=("STOPPED MemoryError",)),
    attack(
        "a compressed bomb",
        "import zlib\nbomb = zlib.compress(bytes(2**27)) * 1\n"
        "while True:\n    bomb = zlib.decompress(zlib.compress(bytes(2**27))) * 16",
        shows=("STOPPED MemoryError",),
    ),
    attack(
        "threads",
        """
        import threading
        event, started = threading.Event(), []
        try:
            for number in range(5_000):
                thread = threading.Thread(target=event.wait, daemon=True)
                thread.start()
                started.append(thread)
            print("LEAKED")
        finally:
            event.set()
            for thread in started:
                thread.join()
        """,
        shows=("STOPPED RuntimeError",),
    ),
    attack(
        "large stacks",
        "import threading\nthreading.stack_size(2**30)\nevent = threading.Event()\n"
        "for number in range(9):\n    threading.Thread(target=event.wait, daemon=True).start()\n"
        "print('LEAKED')",
        shows=("STOPPED RuntimeError",),
    ),
    attack(
        "processes", "import os\nwhile True:\n    os.fork()", shows=("STOPPED PermissionError",)
    ),
]

FILES = [
    attack(
        "a large file",
        "with open('x', 'wb') as file:\n    while True:\n        file.write(bytes(2**20))",
        shows=("STOPPED OSError",),
    ),
    attack(
        "a file with holes",
        "with open('x', 'wb') as file:\n    file.truncate(2**40)\nprint('LEAKED')",
        shows=("STOPPED OSError",),
    ),
    attack(
        "much in many files",
        "for number in range(10**6):\n    with open(f'x{number}', 'wb') as file:\n"
        "        file.write(bytes(2**19))",
        shows=("STOPPED OSError",),
    ),
    attack(
        "many empty files",
        "for number in range(10**6):\n    open(f'x{number}', 'w').close()",
        shows=("STOPPED OSError",),
    ),
    attack(
        "many folders",
        "import os\nwhile True:\n    os.mkdir('x')\n    os.chdir('x')",
        shows=("STOPPED OSError",),
    ),
    attack(
        "many open files",
        "x = []\nwhile True:\n    x.append(open('x', 'w'))",
        shows=("STOPPED OSError",),
    ),
    attack("many pipes", "import os\nwhile True:\n    os.pipe()", shows=("STOPPED OSError",)),
    attack(
        "waiting connections",
        "import socket\nx = []\nwhile True:\n    x.append(socket.socketpair())",
        shows=("STOPPED OSError",),
    ),
]

OUTPUT = [
    harmless("a long line", "print('x' * 10**8)"),
    endless("lines without end", "while True:\n    print('x' * 1000)"),
    harmless(
        "many outputs",
        "from IPython.display import display\nfor i in range(10_000):\n    display(i)",
    ),
    harmless("a long value", "'x' * 10**8"),
    harmless("a long error", "raise ValueError('x' * 10**8)"),
    harmless(
        "a chain of errors",
        "def fail(n):\n    try:\n        if n:\n            fail(n - 1)\n        raise ValueError(n)\n"
        "    except ValueError as e:\n        raise KeyError(n) from e\nfail(150)",
    ),
    harmless("recursion", "def f():\n    return f()\nf()"),
    harmless("a picture of 100 million points", "'\\x1b[' * 10**6"),
    harmless("an error that cannot be shown", "raise type('E', (Exception,), {'__str__': 3})"),
    harmless("warnings", "import warnings\nfor i in range(10_000):\n    warnings.warn(f'w{i}')"),
    Submission(
        "recursion in C",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x):\n    return max(x, key=f)\n"
        "x = []\nfor _ in range(10**6):\n    x = [x]\nrepr(x)",
        flags=DIED,
    ),
    Submission("reads nowhere", "import ctypes\nctypes.string_at(0)", flags=DIED),
    Submission("aborts", "import os\nos.abort()", flags=DIED),
    Submission("exits", "import os\nos._exit(0)", flags=DIED),
    Submission("a signal to itself", "import signal\nsignal.raise_signal(9)"),
]

PARSERS = [
    harmless("ten thousand parentheses", "(" * 10_000),
    harmless("a hundred thousand signs", "-" * 100_000 + "1"),
    harmless("many commands", "!ls\n" * 200),
    Submission("a deep tree", "y = " + "x." * 3_000 + "x", flags=DIED),
    Submission("a long sum", "1 + " * 20_000 + "1", flags=DIED),
    harmless("a large literal", "x = '''" + "y" * 2_000_000 + "'''"),
]


def in_check(name: str, body: str, flag: str = "") -> Submission:
    """One of the two functions of lesson 00 does it; the other has its points."""
    code = "def count_parameters(model):\n" + "\n".join(f"    {x}" for x in body.splitlines())
    return Submission(
        name,
        cells={"todo-0-2": code},
        scores={"check_count_parameters": 0.0},
        flags=(flag,) if flag else (),
    )


CHECKS = [
    in_check("exit in a check", "import os\nos._exit(0)", "ended the whole process"),
    in_check("a crash in a check", "import ctypes\nctypes.string_at(0)", "ended the whole process"),
    in_check("memory in a check", "x = []\nwhile True:\n    x.append(bytearray(2**26))"),
    in_check("printing in a check", "for _ in range(1000):\n    print('x' * 10**6)"),
    in_check("a long list from a check", "return [0] * 10**7"),
    in_check("a large tensor from a check", "return torch.zeros(5 * 10**7, dtype=torch.uint8)"),
    in_check("recursion in a check", "return count_parameters(model)"),
    in_check(
        "threads in a check",
        "import threading\nwhile True:\n"
        "    threading.Thread(target=threading.Event().wait, daemon=True).start()",
    ),
    in_check("a text in a check", "return 'x' * 10**8"),
]
SLOW = [
    in_check(
        "a loop that catches all, in a check",
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
    ),
    in_check("a loop in C, in a check", "return sum(range(10**12))", "did not end in time"),
    in_check(
        "answers as late as it can",
        "import time\nfrom helpers.grading import wire\nreal = wire.send\n"
        "def late(*a):\n    time.sleep(60)\n    return real(*a)\nwire.send = late\n"
        "return sum(p.numel() for p in model.parameters() if p.requires_grad)",
        "did not end in time",
    ),
]

SUBMISSIONS = [*CELLS, *MEMORY, *FILES, *OUTPUT, *PARSERS, *CHECKS]


@pytest.mark.slow
@pytest.mark.parametrize("submission", SUBMISSIONS, ids=str)
def test_it_costs_its_own_question(submission: Submission) -> None:
    found = submission.examine()
    assert_as_expected(submission, found)
    assert len(found.to_bytes()) < 10**6


@pytest.mark.slow
@pytest.mark.parametrize("submission", SLOW, ids=str)
def test_what_does_not_end_is_ended(submission: Submission) -> None:
    found = submission.examine()
    assert_as_expected(submission, found)
    assert found.seconds["checks"] < 50, "it was not waited for"


@pytest.mark.slow
def test_cells_that_die_one_after_the_other() -> None:
    """The notebook is run again without what killed it, a bounded number of times."""
    dies = "import os\nos._exit(1)"
    some = Submission("two", above=dies, below=dies, flags=DIED * 2)
    assert_as_expected(some, some.examine())
