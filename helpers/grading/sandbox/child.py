"""The life of one child: it runs the cells of one student's notebook, and shows what it is asked.

Everything that it sends may be forged by the student's code, since both are one process. So it
sends raw data only, and knows neither references nor points.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any

from helpers.checking.arguments import describe_argument
from helpers.checking.check import Check
from helpers.checking.observing import observe
from helpers.grading import wire
from helpers.grading.needs import needed
from helpers.grading.sandbox.imports import imported
from helpers.grading.sandbox.shell import GradingShell


def serve(channel: socket.socket, shell: GradingShell, checks: dict[str, Check]) -> None:
    """Answer the judge's questions until it hangs up."""
    answers = {
        "needed": _needed,
        "files": _files,
        "cell": _cell,
        "arguments": _arguments,
        "observe": _observe,
        "imported": _imported,
    }
    while True:
        try:
            asked = wire.receive(channel)
        except EOFError:
            return
        try:
            answer = wire.message(answers[asked["ask"]](asked, shell, checks))
        except Exception as error:
            answer = wire.message({"failed": f"{type(error).__name__}: {error}"[:500]})
        wire.send(channel, answer)


def _imported(
    asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]
) -> dict[str, Any]:
    """Which libraries this notebook has used, for the next child to have them at once."""
    return {"imported": imported()}


def _needed(asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]) -> dict[str, Any]:
    """Which given cells must run; asked before any code of the student has."""
    names = ("given", "work", "names", "lost")
    return {"needed": sorted(needed(**{name: asked[name] for name in names}))}


def _files(asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]) -> dict[str, Any]:
    """Lay what the student handed in beside the notebook into the working folder."""
    for name, content in asked["files"].items():
        place = Path(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.tobytes())
    return {}


def _cell(asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]) -> dict[str, Any]:
    ended, outputs = shell.run(asked["code"], asked["output"])
    return {"ended": ended, "outputs": outputs}


def _given(names: list[str], shell: GradingShell) -> list[Any]:
    return [shell.user_ns[name] for name in names]


def _arguments(
    asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]
) -> dict[str, Any]:
    """Which of the names exist, and what kind of thing each is."""
    missing = [name for name in asked["names"] if name not in shell.user_ns]
    if missing:
        return {"missing": missing[0]}
    takes = checks[asked["check"]].takes
    given = _given(asked["names"], shell)
    facts = [describe_argument(a, value) for a, value in zip(takes, given, strict=True)]
    return {"facts": [vars(fact) for fact in facts]}


def _observe(
    asked: dict[str, Any], shell: GradingShell, checks: dict[str, Check]
) -> dict[str, Any]:
    """What a check sees in several cases, or in the first of them: the judge asks again for those
    that are missing after trouble, or since there is much to send.
    """
    given = _given(asked["names"], shell)
    implementation = given[0] if len(given) == 1 else tuple(given)
    end = time.monotonic() + asked["seconds"]
    observations, numbers = [], 0
    for case in asked["cases"]:
        left = max(end - time.monotonic(), 0.01)
        try:
            seen = observe(checks[asked["check"]], implementation, wire.case_received(case), left)
            observations.append(wire.observation_sent(seen))
            numbers += sum(getattr(value, "nbytes", 0) for value in seen.seen.values())
        except Exception:
            if not observations:
                raise
            break
        if numbers > wire.MOST_NUMBERS_TOGETHER:
            break
        if seen.trouble is not None and seen.trouble.kind != "raised":
            break
    return {"observations": observations}


def only_these_open(*keep: int) -> None:
    """Close every file that the parent had open; standard input and output become nothing."""
    kept = set(keep)
    for number in range(3, os.sysconf("SC_OPEN_MAX") if not Path("/proc/self/fd").is_dir() else 3):
        if number not in kept:
            _close(number)
    if Path("/proc/self/fd").is_dir():
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) not in kept:
                _close(int(name))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    if nothing > 2:
        os.close(nothing)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError:
        return
