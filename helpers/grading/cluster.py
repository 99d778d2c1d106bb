"""Submissions examined by the workers of a Dask cluster.

A submission travels as bytes, and so do its findings: no folder needs to be shared. Dask gives a
submission whose worker died to another.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterable
from itertools import islice
from typing import Any

from helpers.grading.journal import grader_version
from helpers.grading.pool import TRIES, Answer, Task, answer_of, attempt
from helpers.grading.trouble import CannotStart, Stopped

_one_at_a_time = threading.Lock()
_here: list[str] = []


class ClusterPool:
    """The workers behind a scheduler's address, such as ``tcp://10.0.0.1:8786``."""

    def __init__(self, address: str, sandbox: bool = True) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise CannotStart(
                "Grading on a cluster needs Dask. Install it with "
                "`pip install -c constraints.txt -e '.[cluster]'`."
            ) from error
        self.address = address
        self.sandbox = sandbox
        for name in list(logging.root.manager.loggerDict):
            if name.split(".")[0] == "distributed":  # what matters is said here
                logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            self.client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CannotStart(
                f"No Dask scheduler answers at {address}. Start one with `dask scheduler`, and "
                "workers with `dask worker ADDRESS --nthreads 1`, or look for a slip in --scheduler."
            ) from error

    def examine(self, tasks: Iterable[Task]) -> Generator[Answer, None, None]:
        """The answers to all tasks, as they come; a few tasks for each worker are under way."""
        from distributed import CancelledError, as_completed

        source = iter(tasks)
        version = grader_version()

        def submit(task: Task) -> Any:
            return self.client.submit(
                *(examine_here, task.exam, self.sandbox, version),
                pure=False,
                retries=TRIES - 1,
                key=f"examine-{task.name}-{id(task)}",
            )

        names: dict[str, str] = {}
        try:
            under_way = as_completed(loop=self.client.loop)
            for task in islice(source, self._width()):
                self._add(under_way, submit(task), task, names)
            for future in under_way:
                answer = self._answer(future, names.pop(future.key))
                task_or_none = next(source, None)
                if task_or_none:
                    self._add(under_way, submit(task_or_none), task_or_none, names)
                yield answer
        except (OSError, CancelledError) as error:
            raise Stopped(
                f"The Dask cluster at {self.address} is gone. Start it again, then run the same "
                "command again; what was examined is kept."
            ) from error
        finally:
            self.client.close()

    def _width(self) -> int:
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        threads = sum(int(worker["nthreads"]) for worker in workers.values())
        return 2 * max(1, threads)

    def _add(self, under_way: Any, future: Any, task: Task, names: dict[str, str]) -> None:
        names[future.key] = task.name
        under_way.add(future)

    def _answer(self, future: Any, name: str) -> Answer:
        from distributed import KilledWorker

        error = future.exception()
        if error is None:
            return answer_of(name, *future.result())
        if isinstance(error, KilledWorker):
            return Answer(
                name,
                None,
                "The workers that examined this submission died, probably for lack of memory. "
                "Grade it alone, with --student, on this computer.",
            )
        if isinstance(error, (OSError, RuntimeError)) or future.cancelled():
            raise OSError(str(error)) from error
        return Answer(name, None, f"{error} ({type(error).__name__} on a worker)")


def examine_here(exam: bytes, sandbox: bool, version: str) -> tuple[bytes, bytes]:
    """What a worker of the cluster does with one exam."""
    with _one_at_a_time:
        if not _here:
            _here.append(grader_version())
        if _here[0] != version:
            return b"error", (
                b"A worker of the cluster has other code of the course, or another PyTorch, than "
                b"this computer. Install the same version on both and start the worker again."
            )
        return attempt(exam, sandbox)
