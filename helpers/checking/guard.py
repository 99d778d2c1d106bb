"""Runs a student's code so that whatever it does ends, and leaves nothing behind.

The code runs in a thread of its own: a thread can be given up when it never ends, and grad mode,
inference mode and autocast belong to a thread, so they are always as PyTorch starts them.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import io
import random
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch

STACK_BYTES = 64 * 1024 * 1024
"""Deep recursion of modules must end in RecursionError, not in a crash of the kernel."""

MOST_PRINTED = 2_000
"""This many characters of what the student's code prints are kept for the message."""


class TimeLimit(BaseException):
    """The student's code did not end in time. Not an Exception, so that `except` lets it pass."""


class Printed(io.TextIOBase):
    """A stand-in for stdout that keeps the first characters and counts no further."""

    def __init__(self) -> None:
        self.text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.text) < MOST_PRINTED:
            self.text += text[: MOST_PRINTED - len(self.text)]
        return len(text)


def run_guarded(body: Callable[[], None], seconds: float) -> tuple[BaseException | None, str]:
    """Run `body` in a thread for at most `seconds`; return what it raised and what it printed.

    >>> run_guarded(lambda: print("hello"), seconds=1)
    (None, 'hello\\n')
    >>> error, _ = run_guarded(lambda: exit(), seconds=1)
    >>> type(error).__name__
    'SystemExit'
    """
    raised: list[BaseException] = []
    context = contextvars.copy_context()

    def work() -> None:
        with contextlib.suppress(TimeLimit):  # a second one, while the first is handled
            try:
                context.run(body)
            except BaseException as error:
                raised.append(error)

    printed = Printed()
    with (
        unchanged_state(),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        thread = _start(work)
        try:
            thread.join(seconds)
        finally:  # also when the student presses 'interrupt'
            ended = _end(thread)
    if not ended or (raised and isinstance(raised[0], TimeLimit)):
        return TimeLimit(), printed.text
    return (raised[0] if raised else None), printed.text


def _start(work: Callable[[], None]) -> threading.Thread:
    before = threading.stack_size(STACK_BYTES)
    try:
        thread = threading.Thread(target=work, name="your code", daemon=True)
        thread.start()
    finally:
        threading.stack_size(before)
    return thread


def _end(thread: threading.Thread, patience: float = 1.0) -> bool:
    """Stop a thread that still runs. Code that catches the exception gets it again."""
    give_up = time.monotonic() + patience
    stopped = not thread.is_alive()
    while thread.is_alive() and time.monotonic() < give_up:
        _raise_in(thread, TimeLimit)
        thread.join(0.02)
    if thread.is_alive():
        _withdraw(thread)
    return stopped


def _raise_in(thread: threading.Thread, error: type[BaseException] | None) -> None:
    """Raise an exception in a thread at its next Python instruction; None takes it back."""
    raised = ctypes.c_void_p(None) if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), raised)


def _withdraw(thread: threading.Thread) -> None:
    """Take back an exception that a thread never came to see, since it waits outside of Python.

    CPython 3.11 keeps a mark for such an exception that makes every other thread look for it again
    and again, under a profile function for ever. The mark goes away when any thread receives one.
    """
    _raise_in(thread, None)
    ready = threading.Event()

    def receive() -> None:
        with contextlib.suppress(TimeLimit):
            ready.set()
            while True:
                time.sleep(0.001)

    receiver = threading.Thread(target=receive, daemon=True)
    receiver.start()
    ready.wait(1)
    _raise_in(receiver, TimeLimit)
    receiver.join(1)


@contextlib.contextmanager
def unchanged_state() -> Iterator[None]:
    """Put back every global setting that numerical code may change: random-number states, the
    default dtype, threads, determinism, printing, warnings, NumPy's error handling.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()
    numpy_errors = np.geterr()
    torch_state = torch.get_rng_state()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    dtype = torch.get_default_dtype()
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    deterministic_warns = torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly = torch.is_anomaly_enabled()
    anomaly_nan = torch.is_anomaly_check_nan_enabled()
    printing = dict(vars(torch._tensor_str.PRINT_OPTS))
    denormal = torch.tensor([1e-40]).mul(1.0).item() == 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
            np.seterr(**numpy_errors)  # type: ignore[arg-type]
            torch.set_rng_state(torch_state)
            if cuda_states:
                torch.cuda.set_rng_state_all(cuda_states)
            torch.set_default_dtype(dtype)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
            if torch.are_deterministic_algorithms_enabled() != deterministic or (
                torch.is_deterministic_algorithms_warn_only_enabled() != deterministic_warns
            ):  # the call imports PyTorch's compiler, which takes a second
                torch.use_deterministic_algorithms(deterministic, warn_only=deterministic_warns)
            if torch.is_anomaly_enabled() != anomaly:
                torch.autograd.set_detect_anomaly(anomaly, anomaly_nan)
            vars(torch._tensor_str.PRINT_OPTS).update(printing)
            torch.set_flush_denormal(denormal)
