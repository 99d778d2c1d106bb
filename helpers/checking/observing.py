"""Uses an implementation on one case and brings back plain data, whatever the code does."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from helpers.checking.builtins_seen import NoticeBuiltins
from helpers.checking.case import Case, is_too_large, snapshot
from helpers.checking.check import Check
from helpers.checking.devices import has_meta, load_meta
from helpers.checking.guard import TimeLimit, run_guarded
from helpers.checking.stopwatch import Stopwatch

SEED = 20_150_211
"""Every observation starts from this random-number state, so that two can be compared."""


@dataclass(frozen=True)
class Trouble:
    """How an observation ended early."""

    kind: Literal["not attempted", "time limit", "raised"]
    type: str = ""
    message: str = ""
    line: str = ""
    """The student's own line at which it happened."""
    where: str = ""
    """The function in which that line stands."""
    exception: BaseException | None = field(default=None, compare=False)


@dataclass
class Observation:
    """What one use of an implementation showed."""

    seen: dict[str, Any] = field(default_factory=dict)
    trouble: Trouble | None = None
    printed: str = ""
    builtins: list[str] = field(default_factory=list)
    """PyTorch's own versions that were used although they are not allowed."""
    builtins_after: int = 0
    """How many things had been seen before the first of them was used."""


def observe(
    check: Check, implementation: Any, case: Case, seconds: float, watch: Stopwatch | None = None
) -> Observation:
    """What `check` sees of an implementation on one case, in at most `seconds` of the watch."""
    result = Observation()
    if has_meta(list(case.data.values())):
        load_meta()
    case = case.fresh()

    def body() -> None:
        seed_everything()
        with NoticeBuiltins(check.forbidden) as noticed:
            result.builtins = noticed.names
            for key, value in check.observe(implementation, case):
                result.seen[key] = snapshot(value)
                if not noticed.names:
                    result.builtins_after = len(result.seen)
                if is_too_large(value):  # what follows would compute with it, perhaps for hours
                    break
        result.seen.update(_global_state())

    error, result.printed = run_guarded(body, seconds, watch)
    if isinstance(error, TimeLimit):
        result.trouble = Trouble("time limit")
    elif error is not None:
        result.trouble = trouble_from(error)
    return result


def seed_everything() -> None:
    """Seed every random-number generator. `torch.manual_seed` would also write a stack trace for
    each kind of accelerator that is not in use, which takes longer than most checks.
    """
    if torch.cuda.is_initialized() or torch.backends.mps.is_available():
        torch.manual_seed(SEED)
    else:
        torch.default_generator.manual_seed(SEED)
    np.random.seed(SEED)
    random.seed(SEED)
    torch.set_default_dtype(torch.float32)


def _global_state() -> dict[str, Any]:
    """What a student's function must leave as it was. Drawing leaves `initial_seed` alone."""
    return {
        "grad mode": torch.is_grad_enabled() and not torch.is_inference_mode_enabled(),
        "default dtype": str(torch.get_default_dtype()),
        "random seed": torch.initial_seed(),
    }


def trouble_from(error: BaseException) -> Trouble:
    """An exception as data: its type, its message and the student's line that raised it."""
    frame = _students_frame(error)
    stub = isinstance(error, NotImplementedError) and _raised_by_student(error)
    return Trouble(
        kind="not attempted" if stub else "raised",
        type=type(error).__name__,
        message=_first_line(error),
        line=(frame.line or "").strip() if frame else "",
        where=frame.name if frame else "",
        exception=error,
    )


def _first_line(error: BaseException) -> str:
    try:
        lines = str(error).strip().splitlines()
    except Exception:
        return ""
    return lines[0][:300] if lines else ""


LIBRARIES = (
    "site-packages",
    "dist-packages",
    "lib/python",
    "lib\\python",
    "/helpers/",
    "\\helpers\\",
    "<frozen",
)


def _is_students(filename: str) -> bool:
    return "/helpers/answers/" in filename or not any(part in filename for part in LIBRARIES)


def _students_frame(error: BaseException) -> traceback.FrameSummary | None:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_students(frame.filename)]
    return own[-1] if own else None


def _raised_by_student(error: BaseException) -> bool:
    """Whether a `raise` in the student's code raised it, and not PyTorch, which raises the same
    for a missing method and for an operation that a device does not have.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or not _is_students(frames[-1].filename):
        return False
    line = (frames[-1].line or "").strip()
    return line.startswith("raise ") if line else not error.args


def outcome_of(call: Callable[[], Any]) -> str:
    """The name of the exception that a call raises, or 'no error'; for cases that must raise.

    >>> outcome_of(lambda: int("x"))
    'ValueError'
    """
    try:
        call()
    except NotImplementedError:
        raise
    except Exception as error:
        return type(error).__name__
    return "no error"
