"""Without the sandbox the attacks work, so that a slip in one does not look like a wall."""

from __future__ import annotations

from tests.grading.hostile import test_escaping, test_honest, test_reading
from tests.grading.hostile.submission import assert_as_expected

WORKS_OUTSIDE = (
    "the password file",
    "the environment",
    "the map of the memory",
    "lists /var",
    "reads solutions beside the helpers",
    "imports answers",
    "imports answers by their file",
    "finds answers by pkgutil",
    "finds answers in the loader's cache",
    "sees other processes",
    "asks who it is on the machine",
    "a socket of the family unix",
    "a socket of the family IPv4",
    "listens",
    "passes a file through a pair",
    "subprocess",
    "os.system",
    "popen",
    "exec of its own file",
    "opens a process",
    "a file without a name",
    "system call inotify_init1",
    "system call prctl dumpable",
    "system call timer_create",
)


def test_the_attacks_are_real() -> None:
    attacks = [*test_reading.SUBMISSIONS, *test_escaping.SUBMISSIONS]
    together = [attack for attack in attacks if attack.name in WORKS_OUTSIDE]
    assert len(together) == len(WORKS_OUTSIDE)
    for attack in together:
        found = attack.examine(sandbox=False)
        replaced = any("ended the whole process" in flag for flag in found.flags)  # by exec
        assert replaced or "LEAKED" in str(found.outputs["own-above"]), attack.name


def test_honest_work_has_its_points() -> None:
    for submission in test_honest.IN_FUNCTIONS:
        if not submission.flags:
            assert_as_expected(submission, submission.examine(sandbox=False))
