"""What was examined and what stands in the gradebook, in a file that only grows.

Each submission goes through two states, each a line of ``journal.jsonl``: *examined*, when its
findings are safely in ``results/``, and *recorded*, when the gradebook has them. A run that is
killed at any moment loses nothing but the examination that was under way.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from helpers.grading.exam import Findings

State = Literal["examined", "recorded"]


@dataclass(frozen=True)
class Entry:
    """The last thing that the journal says about a student."""

    student: str
    key: str
    state: State
    run: str
    scores: dict[str, float | None] = field(default_factory=dict)
    """What the gradebook was given, by grade id."""


class Journal:
    """The journal of one assignment, in its folder below ``.grading``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.messages: list[str] = []
        self.entries: dict[str, Entry] = {}
        self.failures = read_failures(folder)
        """Whose last submission could not be graded, and why."""
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.results.mkdir(mode=0o700, exist_ok=True)
        self.seed, self.resumed = self._begin()
        self.run = hashlib.sha256(str(self.seed).encode()).hexdigest()[:16]
        self._read()

    @property
    def file(self) -> Path:
        return self.folder / "journal.jsonl"

    def result(self, key: str) -> Findings | None:
        """The findings of an examined submission, or None if they cannot be read."""
        file = self.results / f"{key}.json"
        try:
            return Findings.from_bytes(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            self.messages.append(f"{file} is damaged ({error}); the submission is graded again.")
            return None

    def examined(self, student: str, key: str, findings: Findings) -> None:
        """Keeps the findings, and only then says so."""
        write_whole(self.results / f"{key}.json", findings.to_bytes())
        self._note(Entry(student, key, "examined", self.run))

    def recorded(self, student: str, key: str, scores: dict[str, float | None]) -> None:
        """Says that the gradebook has the findings, and with which scores."""
        self._note(Entry(student, key, "recorded", self.run, scores))

    def write_failures(self) -> None:
        """Keeps the failures for the class report."""
        if self.failures != read_failures(self.folder):
            write_whole(self.folder / "failures.json", json.dumps(self.failures).encode())

    def finish(self) -> None:
        """Ends the run: the next one draws a new seed."""
        self._seed_file.unlink(missing_ok=True)

    def start_again(self) -> None:
        """Leaves an unfinished run behind: nothing that it examined is taken over."""
        self.finish()
        self.seed, self.resumed = self._begin()
        self.run = hashlib.sha256(str(self.seed).encode()).hexdigest()[:16]
        for student, entry in list(self.entries.items()):
            if entry.state == "examined":
                del self.entries[student]

    @property
    def _seed_file(self) -> Path:
        return self.folder / "seed"

    def _begin(self) -> tuple[int, bool]:
        """The secret of the run that was interrupted, or a new one."""
        try:
            return int(self._seed_file.read_text()), True
        except (FileNotFoundError, ValueError):
            seed = secrets.randbits(62)
            write_whole(self._seed_file, str(seed).encode())
            return seed, False

    def _read(self) -> None:
        self.entries, messages = read_entries(self.file)
        self.messages += messages
        if self.file.exists():
            content = self.file.read_bytes()
            if content and not content.endswith(b"\n"):  # a run was killed while it wrote a line
                self._append(b"\n")

    def _note(self, entry: Entry) -> None:
        self._append(json.dumps(asdict(entry)).encode() + b"\n")
        self.entries[entry.student] = entry

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.file))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_entries(file: Path) -> tuple[dict[str, Entry], list[str]]:
    """The last entry of each student in a journal, and what could not be read."""
    entries: dict[str, Entry] = {}
    messages: list[str] = []
    content = file.read_bytes() if file.exists() else b""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = Entry(**json.loads(line))
            if entry.state not in ("examined", "recorded") or not entry.student:
                raise ValueError(line)
        except (ValueError, KeyError, TypeError):
            messages.append(
                f"Line {number} of {file} is damaged and was passed over; "
                "what it said is found out again."
            )
            continue
        entries[entry.student] = entry
    return entries, messages


def read_failures(folder: Path) -> dict[str, str]:
    """Why submissions could not be graded, by student; nothing where that cannot be read."""
    try:
        found = json.loads((folder / "failures.json").read_bytes())
        return {str(student): str(why) for student, why in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, such that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)


def grader_version() -> str:
    """Changes with the code of `helpers` and with the version of PyTorch."""
    whole = hashlib.sha256(version("torch").encode())
    root = Path(__file__).parent.parent
    for file in sorted(root.rglob("*.py")):
        whole.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return whole.hexdigest()


def key_of(*parts: str) -> str:
    """The name under which findings are kept: a hash of all that they depend on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
