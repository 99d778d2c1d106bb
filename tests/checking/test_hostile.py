"""Any object given to any check ends in one clear message, and the next check is as usual."""

from __future__ import annotations

import _thread
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from helpers import check_count_parameters, check_relu
from helpers.answers.activation_functions.formulas import HandReLU
from helpers.checking import CheckFailed, running
from helpers.checking.check import Check
from helpers.checking.judging import Known, Observer, Verdict, judge
from helpers.course import LESSONS, todo_of

CHECKS = [
    check for lesson in LESSONS for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS
]


def face(check: Check) -> Any:
    home, todo = import_module(f"helpers.checks.{check.lesson}"), todo_of(check.name)
    if todo.face:
        return partial(getattr(home, todo.face), check.name.removeprefix(f"{todo.face}_"))
    return getattr(home, check.name)


def returns(value: Any) -> Any:
    return lambda *args, **kwargs: value


def raises(error: type[BaseException]) -> Any:
    def body(*args: Any, **kwargs: Any) -> Any:
        raise error("on purpose")

    return body


def prints_10_mb(*args: Any, **kwargs: Any) -> Any:
    print("x" * 10_000_000)


def sets_everything(*args: Any, **kwargs: Any) -> Any:
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.manual_seed(0)
    np.seterr(all="raise")
    sys.stdout = None  # type: ignore[assignment]
    return args[0] if args else None


def calls_itself(*args: Any, **kwargs: Any) -> Any:
    return calls_itself(*args, **kwargs)


class RaisesInInit:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no")


class Odd:
    """Answers every question about itself with an exception."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not look")

    def __repr__(self) -> str:
        raise RuntimeError("do not print")


class CannotBePrinted(Exception):
    def __str__(self) -> str:
        raise RuntimeError


BEHAVIOURS = {
    "None": None,
    "a number": 3,
    "a string": "relu",
    "a list": [1, 2],
    "a tensor": torch.zeros(2),
    "a module": nn.Linear(2, 2),
    "an odd object": Odd(),
    "the class object": object,
    "int": int,
    "a class that raises in __init__": RaisesInInit,
    "a bare module class": nn.Module,
    "a built-in": print,
    "returns None": returns(None),
    "returns a string": returns("x"),
    "returns NaN": returns(float("nan")),
    "returns a NaN tensor": returns(torch.full((3,), float("nan"))),
    "returns a list": returns([1.0]),
    "returns a huge expanded tensor": returns(torch.zeros(1).expand(10**13)),
    "returns a sparse tensor": returns(torch.zeros(3).to_sparse()),
    "returns a complex tensor": returns(torch.zeros(3, dtype=torch.complex64)),
    "returns an object array": returns(np.array([None])),
    "returns a class": returns(HandReLU),
    "returns its argument": lambda x=None, *args, **kwargs: x,
    "allocates too much": lambda *a, **k: torch.zeros(10**15),
    "prints 10 MB": prints_10_mb,
    "changes everything": sets_everything,
    "calls itself": calls_itself,
    "exits": raises(SystemExit),
    "interrupts": raises(KeyboardInterrupt),
    "kills its thread": lambda *a, **k: _thread.exit(),
    "raises StopIteration": raises(StopIteration),
    "raises GeneratorExit": raises(GeneratorExit),
    "raises an error that cannot be printed": raises(CannotBePrinted),
    "raises BaseException": raises(BaseException),
}


SOON = 120.0
"""Seconds within which a check must end. It gives code five and takes less than ten for itself, on
a machine that has nothing else to do."""


def global_state() -> list[Any]:
    return [
        torch.get_rng_state().tolist(),
        random.getstate(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        np.geterr(),
        sys.stdout,
    ]


def assert_ends_in_one_clear_message(check: Check, *things: Any) -> None:
    before = global_state()
    start = time.perf_counter()
    with pytest.raises(AssertionError) as caught:
        face(check)(*things)
    assert time.perf_counter() - start < SOON
    assert isinstance(caught.value, CheckFailed)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith((f"✗ {check.topic} — ", f"○ {check.topic} — "))
    assert lines[0].endswith(".")
    assert any(line.startswith("  Next step") for line in lines)
    assert max(map(len, lines)) < 2000
    assert global_state() == before
    check_relu(HandReLU)


@pytest.fixture
def knows_its_answers(
    check: Check, known: Callable[[Check, int], Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the course's own answers show is the same for every object: look at it once a check."""

    def judge_knowing(one: Check, theirs: Observer, seed: int = 0) -> Verdict:
        return judge(one, theirs, seed, known(one, seed) if one is check else None)

    monkeypatch.setattr(running, "judge", judge_knowing)


@pytest.mark.usefixtures("knows_its_answers")
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_any_object(check: Check, behaviour: str) -> None:
    assert_ends_in_one_clear_message(check, *[BEHAVIOURS[behaviour]] * len(check.takes))


class Made:
    """An object whose every method does the same."""

    def __init__(self, do: Any) -> None:
        self.do = do

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.do(*args, **kwargs)

    forward = backward = derivative = __call__


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    check=st.sampled_from(CHECKS),
    value=st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=5),
            st.sampled_from([torch.float32, torch.zeros(3), np.zeros(2), nn.ReLU()]),
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner, inner)),
        max_leaves=4,
    ),
    how=st.sampled_from(["the value", "a function", "a factory of objects", *BEHAVIOURS]),
    position=st.integers(0, 2),
)
def test_fuzzed_objects(check: Check, value: Any, how: str, position: int) -> None:
    thing = {
        "the value": value,
        "a function": returns(value),
        "a factory of objects": returns(Made(returns(value))),
        **BEHAVIOURS,
    }[how]
    things: list[Any] = [returns(None)] * len(check.takes)
    things[position % len(things)] = thing
    assert_ends_in_one_clear_message(check, *things)


def endless(*args: Any, **kwargs: Any) -> Any:
    while True:
        pass


def sleeps(*args: Any, **kwargs: Any) -> Any:
    time.sleep(1000)


@pytest.mark.slow
@pytest.mark.parametrize("do", [endless, sleeps])
def test_code_that_never_ends(do: Any) -> None:
    start = time.perf_counter()
    with pytest.raises(CheckFailed) as caught:
        check_count_parameters(do)
    assert time.perf_counter() - start < SOON
    assert str(caught.value).splitlines()[0] == (
        "✗ number of parameters — Your code did not end within 5 seconds."
    )
    check_relu(HandReLU)
