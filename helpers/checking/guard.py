"""Runs a student's code so that whatever it does ends, and leaves nothing behind.

The code runs in a thread of its own: a thread can be given up when it never ends, and grad mode,
inference mode and autocast belong to a thread, so they are always as PyTorch starts them. A thread
in which all of them are still as they were serves again, since PyTorch takes longer to set up a
thread than to compute a small case.
"""

from __future__ import annotations

import contextlib
import contextvars
import ctypes
import io
import os
import random
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

import numpy as np
import torch

from helpers.checking.stopwatch import Stopwatch

STACK_BYTES = 64 * 1024 * 1024
"""Deep recursion of modules must end in RecursionError, not in a crash of the kernel."""

MOST_PRINTED = 2_000
"""This many characters of what the student's code prints are kept for the message."""


SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.2
"""Seconds between two looks at the time that running code has had."""


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


def run_guarded(
    body: Callable[[], None], seconds: float, watch: Stopwatch | None = None
) -> tuple[BaseException | None, str]:
    """Run `body` in a thread for at most `seconds`; return what it raised and what it printed.

    The seconds are those of a `Stopwatch`: longer on the clock if the computer is busy. It can be
    given, for the caller to read afterwards what the body has had.

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
        runner = _idle.pop() if _idle else _Runner()
        runner.begin(work)
        ended = False
        try:
            ended = runner.wait(seconds, watch or Stopwatch())
        finally:  # also when the student presses 'interrupt'
            if not ended:
                runner.interrupt()
    if not ended:
        return TimeLimit(), printed.text
    if runner.is_as_new:
        _idle.append(runner)
    else:
        runner.dismiss()
    return (raised[0] if raised else None), printed.text


class _Runner:
    """A thread that runs one piece of work after the other."""

    def __init__(self) -> None:
        self.is_as_new = False
        """Whether the last piece of work has left the thread as it was."""
        self._todo: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._done: SimpleQueue[None] = SimpleQueue()
        before = threading.stack_size(STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._serve, name="your code", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(before)

    def _serve(self) -> None:
        with contextlib.suppress(TimeLimit):  # one that comes late, while nothing is to be done
            modes, numerics = _modes(), _numerics()
            while work := self._todo.get():
                self.is_as_new = False
                work()
                del work  # and with it what the student's code has made
                try:
                    self.is_as_new = _modes() == modes and _numerics() == numerics
                except Exception:  # the code may have replaced what is asked here
                    self.is_as_new = False
                self._done.put(None)

    def begin(self, work: Callable[[], None]) -> None:
        self._todo.put(work)

    def wait(self, seconds: float, watch: Stopwatch) -> bool:
        """Whether the work ends in time."""
        while (left := seconds - watch.read()) > 0:
            with contextlib.suppress(Empty):
                self._done.get(timeout=min(max(left, SHORTEST_LOOK), LONGEST_LOOK))
                watch.read()  # as long as there is a thread to ask how long it waited
                return True
        return False

    def interrupt(self, patience: float = 1.0) -> None:
        """Stop the work and the thread. Code that catches the exception gets it again."""
        give_up = time.monotonic() + patience
        self.dismiss()
        while self._thread.is_alive() and time.monotonic() < give_up:
            _raise_in(self._thread, TimeLimit)
            self._thread.join(0.02)
        if self._thread.is_alive():
            _withdraw(self._thread)

    def dismiss(self) -> None:
        """Let the thread end when it has nothing to do."""
        self._todo.put(None)


_idle: list[_Runner] = []
"""Threads that can serve again; more than one only if a check was called within a check."""
if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_idle.clear)


def _modes() -> tuple[object, ...]:
    """What code may have begun in this thread and not ended."""
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch._C._is_any_autocast_enabled(),
        torch._C._len_torch_function_stack(),
        torch._C._len_torch_dispatch_stack(),
        torch._C._autograd._top_saved_tensors_default_hooks(True),
        torch.autograd.forward_ad._current_level,
        sys.getprofile(),
        sys.gettrace(),
    )


def _numerics() -> tuple[object, ...]:
    """How this thread computes. Under a mode that is left on, this may raise anything."""
    return torch.get_num_threads(), _flushes_denormals()


def _flushes_denormals() -> bool:
    return torch.tensor([1e-40]).mul(1.0).item() == 0.0


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
    denormal = _flushes_denormals()
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
