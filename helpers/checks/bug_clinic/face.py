"""The one public face of the twelve checks."""

from __future__ import annotations

from typing import Any

from helpers.checking import Check, run_check
from helpers.checks.bug_clinic.activations import RELU, SIGMOID, TANH
from helpers.checks.bug_clinic.census import BATCHNORM, DEATHS
from helpers.checks.bug_clinic.choice import CHOICE
from helpers.checks.bug_clinic.descent import DECAY, OUTPUTS
from helpers.checks.bug_clinic.dropout import DROPOUT, MASK
from helpers.checks.bug_clinic.penalties import LOSSES, NORMS
from helpers.checks.bug_clinic.program import PREFIX

CHECKS: tuple[Check, ...] = (
    TANH,
    SIGMOID,
    RELU,
    DROPOUT,
    MASK,
    NORMS,
    DECAY,
    OUTPUTS,
    LOSSES,
    DEATHS,
    BATCHNORM,
    CHOICE,
)


def check_bug_clinic(name: str, repaired: Any) -> None:
    """Check the repair of one of the twelve programs of the bug clinic.

    Args:
        name: one of `"tanh"`, `"sigmoid"`, `"relu"`, `"dropout"`, `"mask"`, `"norms"`, `"decay"`,
            `"outputs"`, `"losses"`, `"deaths"`, `"batchnorm"`, `"choice"`.
        repaired: the function or class that the program's TODO asks for; its docstring there is
            the contract. A repair that only hides the symptom is refused by its name.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the half repair where it is known.
        ValueError: there is no program of this name.

    >>> import torch
    >>> check_bug_clinic("tanh", torch.tanh)
    ✓ program 1, tanh — right from −10,000 to 10,000, in the value and in the gradient.
    """
    by_name = {check.name.removeprefix(PREFIX): check for check in CHECKS}
    if name not in by_name:
        raise ValueError(f"There is no program {name!r}. The programs are: {', '.join(by_name)}.")
    run_check(by_name[name], repaired)
