"""Whatever a student's code does, it ends, and everything is as it was."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import subprocess
import sys
import threading
import time
import warnings
import weakref

import numpy as np
import pytest
import torch

from helpers.checking.guard import MOST_PRINTED, TimeLimit, run_guarded, unchanged_state

AMPLE = 60.0
"""Seconds for code that ends by itself, and for what must end at all, on a busy machine too."""


def test_returns_what_was_raised_and_printed() -> None:
    def body() -> None:
        print("before")
        print("problem", file=sys.stderr)
        raise ValueError("wrong")

    error, printed = run_guarded(body, AMPLE)
    assert isinstance(error, ValueError)
    assert printed == "before\nproblem\n"


@pytest.mark.parametrize("leave", [exit, sys.exit, threading.main_thread().join])
def test_code_that_ends_its_thread_or_waits(leave: object) -> None:
    start = time.perf_counter()
    error, _ = run_guarded(leave, 0.2)  # type: ignore[arg-type]
    assert isinstance(error, (SystemExit, TimeLimit))
    assert time.perf_counter() - start < AMPLE


def endless() -> None:
    while True:
        pass


def swallows_errors() -> None:
    while True:
        with contextlib.suppress(Exception):
            time.sleep(0.001)


def swallows_once() -> None:
    try:
        endless()
    except BaseException:
        endless()


@pytest.mark.parametrize("body", [endless, swallows_errors, swallows_once])
def test_an_endless_loop_is_stopped(body: object) -> None:
    before = set(threading.enumerate())
    start = time.perf_counter()
    error, _ = run_guarded(body, 0.2)  # type: ignore[arg-type]
    assert isinstance(error, TimeLimit)
    assert time.perf_counter() - start < AMPLE
    assert set(threading.enumerate()) <= before


def test_a_loop_that_swallows_everything_is_given_up() -> None:
    """In a process of its own, since such a thread can only be left behind."""
    code = """
import time
from helpers.checking.guard import TimeLimit, run_guarded
def stubborn():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            pass
error, _ = run_guarded(stubborn, 0.2)
assert isinstance(error, TimeLimit)
assert run_guarded(lambda: print("next"), 60) == (None, "next\\n")
"""
    subprocess.run([sys.executable, "-c", code], timeout=240, check=True)


def test_much_output_is_cut() -> None:
    _, printed = run_guarded(lambda: print("x" * 10_000_000), AMPLE)
    assert printed == "x" * MOST_PRINTED


def test_deep_recursion_is_an_error_and_no_crash() -> None:
    class Deep(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self(x)  # type: ignore[no-any-return]

    error, _ = run_guarded(lambda: Deep()(torch.zeros(1)), AMPLE)
    assert isinstance(error, RecursionError)


def change_everything() -> None:
    torch.manual_seed(99)
    np.random.seed(99)
    random.seed(99)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(torch.get_num_threads() + 1)
    torch.autograd.set_detect_anomaly(True)
    torch.set_printoptions(precision=1, sci_mode=True)
    np.seterr(all="raise")
    warnings.simplefilter("error")
    sys.stdout = sys.stderr = None  # type: ignore[assignment]


def state() -> list[object]:
    return [
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # type: ignore[index]
        random.getstate(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
        torch.is_anomaly_enabled(),
        repr(torch.tensor([1.23456])),
        np.geterr(),
        list(warnings.filters),
        sys.stdout,
        sys.stderr,
    ]


def test_global_state_is_put_back() -> None:
    before = state()
    error, _ = run_guarded(change_everything, AMPLE)
    assert error is None
    assert state() == before


def test_global_state_is_put_back_after_an_exception() -> None:
    before = state()[:-2]

    def body() -> None:
        with unchanged_state():
            torch.manual_seed(99)
            torch.set_default_dtype(torch.float64)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    assert state()[:-2] == before


def test_the_callers_grad_mode_does_not_reach_the_code() -> None:
    seen: list[bool] = []
    with torch.no_grad():
        run_guarded(lambda: seen.append(torch.is_grad_enabled()), AMPLE)
    assert seen == [True]


def thread_of_next_call() -> threading.Thread:
    """The thread itself: the system may give the number of one that has ended to another."""
    seen: list[threading.Thread] = []
    run_guarded(lambda: seen.append(threading.current_thread()), AMPLE)
    return seen[0]


def test_a_thread_that_is_as_new_serves_again() -> None:
    assert thread_of_next_call() == thread_of_next_call()
    run_guarded(lambda: torch.zeros(3, requires_grad=True).sum().backward(), AMPLE)
    assert thread_of_next_call() == thread_of_next_call()


def enter(context: contextlib.AbstractContextManager[object]) -> None:
    """Begin a block that never ends, as a student may in a notebook."""
    context.__enter__()
    unfinished.append(context)


unfinished: list[object] = []


class Other(torch.overrides.TorchFunctionMode):
    pass


LEAKS = {
    "grad mode": lambda: torch.set_grad_enabled(False),
    "inference mode": lambda: enter(torch.inference_mode()),
    "autocast": lambda: enter(torch.autocast("cpu", dtype=torch.bfloat16)),
    "function mode": lambda: enter(Other()),
    "default device": lambda: enter(torch.device("meta")),
    "saved tensors": lambda: enter(torch.autograd.graph.save_on_cpu()),
    "forward AD": lambda: enter(torch.autograd.forward_ad.dual_level()),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "denormal numbers": lambda: torch.set_flush_denormal(True),
    "profile function": lambda: sys.setprofile(lambda *_: None),
    "time limit": lambda: endless(),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_thread_that_was_changed_does_not_serve_again(leak: str) -> None:
    def body() -> None:
        threads.append(threading.current_thread())
        LEAKS[leak]()

    threads: list[threading.Thread] = []
    ends = leak != "time limit"
    try:
        error, _ = run_guarded(body, AMPLE if ends else 0.2)
        assert ends == (error is None), error
        assert thread_of_next_call() != threads[0]
    finally:
        torch.set_flush_denormal(False)


def test_replaced_parts_of_pytorch_are_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def body() -> None:
        monkeypatch.setattr(torch, "is_inference_mode_enabled", None)

    error, _ = run_guarded(body, AMPLE)
    monkeypatch.undo()
    assert error is None
    assert run_guarded(lambda: None, AMPLE) == (None, "")


def test_what_a_body_used_is_freed() -> None:
    class Large:
        pass

    large = Large()
    seen = weakref.ref(large)
    body = functools.partial(id, large)
    run_guarded(body, AMPLE)  # type: ignore[arg-type]
    del body, large
    assert seen() is None


def test_a_forked_process_has_a_thread_of_its_own() -> None:
    run_guarded(lambda: None, AMPLE)
    child = os.fork()
    if child == 0:
        works = False
        try:
            works = run_guarded(lambda: print("here"), AMPLE) == (None, "here\n")
        finally:  # or the child would run the rest of the tests too
            os._exit(0 if works else 1)
    assert os.waitpid(child, 0)[1] == 0
