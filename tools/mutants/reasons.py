"""The list of mutants that may pass, `tests/checks/mutants.toml`, each with its reason.

    [check_relu]
    "MyReLU.forward: x > 0 → x >= 0" = "equivalent: at 0 both give 0"

    [skipped]
    check_capstone = "each mutant trains a network: name it with --check to run it all the same"

A reason begins with `equivalent:`, for a mutant that is right as well, or `noted:`, for one that
passes with a note.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from .trial import Results

KINDS = ("equivalent: ", "noted: ")
SKIPPED = "skipped"

Listed = Mapping[str, Mapping[str, str]]


def read(file: Path) -> Listed:
    """The reasons by check and change; exits with a sentence when one is no reason."""
    listed: Listed = tomllib.loads(file.read_text(encoding="utf-8"))
    for check, entries in listed.items():
        for change, reason in entries.items():
            if not reason.strip():
                raise SystemExit(f"{file.name}: {change!r} of {check} has no reason.")
            if check != SKIPPED and not reason.startswith(KINDS):
                kinds = " or ".join(repr(kind) for kind in KINDS)
                raise SystemExit(
                    f"{file.name}: the reason for {change!r} of {check} begins with neither {kinds}."
                )
    return listed


def faults(results: Results, listed: Listed) -> list[str]:
    """What is wrong, one sentence each: a survivor without a reason, a reason without a survivor."""
    reasons = listed.get(results.check, {})
    fates = {one.change: one for one in results.mutants}
    found = []
    for one in results.of("survived"):
        reason = reasons.get(one.change)
        if reason is None:
            found.append(
                f"survives  {one.id}  {one.change}\n"
                f"    Add a case to {results.check} that shows it, or, if it is right as well, "
                f"list it below [{results.check}]:\n"
                f"    {entry(one.change, 'equivalent: ...')}"
            )
        elif reason.startswith("noted: "):
            found.append(
                f"no note   {one.id}  {one.change}\n"
                f"    It is listed as noted, and passes without a note. Add the note, or say why "
                "it is equivalent."
            )
    for one in results.of("broke"):
        found.append(
            f"breaks    {one.id}  {one.change}\n"
            f"    The check ends with {one.why}\n    It should give a verdict on any code."
        )
    for change in reasons:
        if change not in fates:
            found.append(
                f"stale     {change}\n    There is no such mutant any more. Take it off the list."
            )
        elif fates[change].fate == "killed":
            found.append(
                f"stale     {fates[change].id}  {change}\n"
                "    It is killed now. Take it off the list."
            )
    return found


def unknown(listed: Listed, checks: set[str]) -> list[str]:
    """Checks in the list that the course does not have."""
    named = {*listed, *listed.get(SKIPPED, {})} - {SKIPPED}
    return [
        f"stale     [{name}]\n    There is no such check. Take it off the list."
        for name in sorted(named - checks)
    ]


def entry(change: str, reason: str) -> str:
    """A line of the list."""
    return f"{_text(change)} = {_text(reason)}"


def _text(text: str) -> str:
    """A string of TOML, which has the same escapes as JSON."""
    return json.dumps(text, ensure_ascii=False)
