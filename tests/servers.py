"""Jupyter servers for tests, each at whatever port it gets."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS = 240
"""To start and to stop; a busy machine takes half a minute."""


@contextmanager
def jupyter_server(
    command: list[str], folder: Path, environment: dict[str, str], token: str
) -> Iterator[str]:
    """The address of a server that `command` has started in `folder`, as soon as it answers.

    The command must become the server, or start none of another process number, and leave the
    port to Jupyter: a port that a test finds free can be taken before the server listens.
    """
    runtime = folder / ".runtime"
    runtime.mkdir()
    log = runtime / "server.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, "JUPYTER_TOKEN": token, "JUPYTER_RUNTIME_DIR": str(runtime)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(server, runtime / f"jpserver-{server.pid}.json", token, log)
    finally:
        server.terminate()
        try:
            server.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _address(server: subprocess.Popen[bytes], info: Path, token: str, log: Path) -> str:
    end = time.monotonic() + SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            address = f"http://127.0.0.1:{json.loads(info.read_text(encoding='utf-8'))['port']}"
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=SECONDS).close()
            return address
        except (OSError, ValueError):  # no file yet, half a file, or nobody who listens
            time.sleep(0.1)
    raise AssertionError(f"The server did not start:\n{log.read_text(errors='replace')}")
