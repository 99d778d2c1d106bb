"""The programs that stand in lesson 10 fail their checks, and are recognised."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import CheckFailed, NotAttempted, check_bug_clinic
from helpers.checking.judging import answers_to, judge, observer
from helpers.checks.bug_clinic import CHECKS
from helpers.checks.bug_clinic.face import PREFIX
from helpers.course import lesson

SOURCE = Path(__file__).resolve().parents[2] / "solutions/10_bug_clinic/bug_clinic.py"
PROGRAMS = {
    "tanh": "squash",
    "sigmoid": "sure",
    "relu": "rectify",
    "dropout": "Classifier",
    "mask": "mask_out",
    "norms": "penalty",
    "decay": "descend",
    "outputs": "Regressor",
    "losses": "total_loss",
    "deaths": "Census",
    "batchnorm": "fit",
    "choice": "choose",
}


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """Every function and class of the lesson's source, by name."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names: dict[str, Any] = {"torch": torch, "F": F, "nn": nn}
    exec(compile(ast.Module(wanted, []), str(SOURCE), "exec"), names)
    return names


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_broken_program_is_recognised(name: str, written: dict[str, Any]) -> None:
    with pytest.raises(CheckFailed) as caught:
        check_bug_clinic(name, written[PROGRAMS[name]])
    assert not isinstance(caught.value, NotAttempted)
    assert caught.value.misconception in ("unrepaired", "half-at-zero")


def test_there_is_one_check_for_each_program() -> None:
    assert [check.name.removeprefix(PREFIX) for check in CHECKS] == list(PROGRAMS)
    assert [todo.check for todo in lesson("bug_clinic").todos] == [check.name for check in CHECKS]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", ["dropout", "mask"])
def test_chance_fails_no_right_repair(name: str, seed: int) -> None:
    """Random programs are compared with draws of their own."""
    (check,) = [check for check in CHECKS if check.name == PREFIX + name]
    right = list(answers_to(check).variants.values())[seed % 4]

    class Drawn(right if isinstance(right, type) else object):  # type: ignore[misc]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.rand(seed)
            return super().forward(x)  # type: ignore[misc, no-any-return]

    def drawn(x: torch.Tensor, p: float) -> torch.Tensor:
        torch.rand(seed)
        return right(x, p)

    made = Drawn if name == "dropout" else drawn
    assert judge(check, observer(check, made)).outcome == "passed"


def test_an_unknown_program_is_named() -> None:
    with pytest.raises(ValueError, match=r"no program 'softplus'\. The programs are: tanh,"):
        check_bug_clinic("softplus", torch.relu)


def test_a_called_function_is_refused_with_the_right_call() -> None:
    with pytest.raises(CheckFailed, match=r'Write `check_bug_clinic\("tanh", repaired_tanh\)`'):
        check_bug_clinic("tanh", torch.zeros(2))


def test_a_stub_is_not_attempted() -> None:
    class Stub(nn.Module):
        def __init__(self, inputs: int, hidden: int, outputs: int, p: float) -> None:
            super().__init__()
            self.hidden = nn.Linear(inputs, hidden)
            self.output = nn.Linear(hidden, outputs)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError()

    with pytest.raises(NotAttempted, match=r"TODO 10\.4 "):
        check_bug_clinic("dropout", Stub)


def test_what_pytorch_loads_is_no_time_of_the_student() -> None:
    """In a fresh process the first computation with a meta tensor loads hundreds of modules."""
    program = """
import sys
import torch.nn.functional as F
from helpers import check_bug_clinic

loaded = []

def repaired_mask(x, p):
    before = len(sys.modules)
    result = F.dropout(x, p)
    loaded.append(len(sys.modules) - before)
    return result

check_bug_clinic("mask", repaired_mask)
assert max(loaded) < 50, loaded
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
