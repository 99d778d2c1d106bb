"""Looks at what a student gave to a check, before any of it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.checking import texts
from helpers.checking.case import describe, show, snapshot
from helpers.checking.check import Argument, Check
from helpers.checking.guard import run_guarded
from helpers.checking.report import Report, failed
from helpers.course import todo_of


@dataclass(frozen=True)
class Facts:
    """What kind of thing an argument is, as plain data."""

    is_class: bool = False
    is_callable: bool = False
    is_instance: bool = False
    """Whether it is an object of the class and not the class or a factory of it."""
    missing_method: str = ""
    written: str = ""
    """The thing as it reads in a message."""


def describe_argument(argument: Argument, value: Any) -> Facts:
    """The facts about what a student gave, found without trusting any of its methods.

    >>> describe_argument(Argument("f"), len).is_callable
    True
    """
    found: list[Facts] = []
    error, _ = run_guarded(lambda: found.append(_look(argument, value)), seconds=2)
    if error is not None or not found:
        return Facts(written=type(value).__name__)
    return found[0]


def _look(argument: Argument, value: Any) -> Facts:
    is_class = isinstance(value, type)
    plain = snapshot(value)
    missing = [m for m in argument.methods if is_class and not hasattr(value, m)]
    return Facts(
        is_class=is_class,
        is_callable=callable(value),
        is_instance=not is_class
        and (hasattr(value, "_modules") or any(hasattr(value, m) for m in argument.methods)),
        missing_method=missing[0] if missing else "",
        written=f"{show(plain, 'a tensor')}    {describe(plain)}",
    )


def refusal(check: Check, given: list[Facts]) -> Report | None:
    """The message when an argument cannot be what the check takes, such as a number."""
    for argument, facts in zip(check.takes, given, strict=True):
        wrong = (
            facts.is_class or not facts.is_callable
            if argument.kind == "function"
            else not facts.is_callable or facts.is_instance
        )
        if wrong:
            return _wrong_kind(check, argument, facts.written)
        if argument.kind == "class" and facts.missing_method:
            what = texts.MISSING_METHOD.format(name=argument.name, method=facts.missing_method)
            step = texts.NEXT_METHOD.format(method=facts.missing_method)
            return failed(check, what, [(texts.NEXT, step)])
    return None


def _wrong_kind(check: Check, argument: Argument, gave: str) -> Report:
    is_class = argument.kind == "class"
    what = texts.WRONG_KIND_CLASS if is_class else texts.WRONG_KIND_FUNCTION
    step = texts.NEXT_CLASS if is_class else texts.NEXT_FUNCTION
    names = ", ".join(a.name for a in check.takes)
    rows = [
        (texts.GAVE, gave),
        (texts.NEXT, step.format(call=f"{todo_of(check.name).call}{names})")),
    ]
    return failed(check, what.format(name=argument.name), rows)
