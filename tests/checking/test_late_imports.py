"""What PyTorch imports when it is first used takes nothing of the student's time."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from importlib import import_module
from helpers.checking import observing
from helpers.checking.judging import answers_to, judge, observer

(check,) = [c for c in import_module("helpers.checks.{lesson}").CHECKS if c.name == "{check}"]
right = next(iter(answers_to(check).variants.values()))
assert "torch._dynamo" not in sys.modules, "the course itself has imported it: nothing is shown"
look, late = observer(check, right), []

def watched(case):
    before = set(sys.modules)
    seen = look(case)
    late.extend(name for name in set(sys.modules) - before if name.startswith("torch."))
    return seen

assert judge(check, watched).outcome == "passed"
assert "torch._dynamo" in sys.modules, "this check does not need it: nothing is shown"
assert not late, late
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lesson", "check"),
    [("activation_functions", "check_relu"), ("weight_decay", "check_parameter_groups")],
)
def test_late_imports_are_not_the_students_time(lesson: str, check: str) -> None:
    """The first needs PyTorch's compiler for a tensor on another device, the second for an
    optimiser: a second of work, and many on a busy machine, of the five that code may take.
    """
    subprocess.run([sys.executable, "-c", CODE.format(lesson=lesson, check=check)], check=True)
