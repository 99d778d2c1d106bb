"""Reads what a student handed in, and trusts none of it.

Links are never followed, nothing but regular files is opened, and sizes and numbers are bounded.
What is left out is said in a flag; what makes grading impossible is said in one sentence.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatch

from nbgrader.utils import parse_utc

from helpers.grading.layout import Place
from helpers.grading.trouble import CannotGrade

MOST_NOTEBOOK = 32 * 2**20
"""Bytes of a notebook, with its outputs."""
MOST_FILE = 16 * 2**20
"""Bytes of one file beside it."""
MOST_FILES = 32 * 2**20
"""Bytes of all files beside it."""
MOST_ENTRIES = 500
"""Names in a submission, in all its folders."""
MOST_DEPTH = 6
_NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
"""What notebooks are called; some browsers and mail programs add an ending of their own."""
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz")
_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True)
class Submission:
    """The bytes that a student handed in."""

    student: str
    name: str
    """The notebook's file name, as the student called it."""
    notebook: bytes
    files: dict[str, bytes] = field(default_factory=dict)
    """Other files, by name relative to the submission's folder."""
    timestamp: datetime | None = None
    """When it was handed in, in UTC."""
    stamp: bytes = b""
    """The bytes of timestamp.txt, if nbgrader can read it."""
    flags: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Changes with every byte that was handed in, and differs between students."""
        whole = hashlib.sha256()
        parts = [("student", self.student.encode()), ("stamp", self.stamp)]
        parts += [(self.name, self.notebook), *sorted(self.files.items())]
        for name, content in parts:
            for part in (name.encode("utf-8", "replace"), content):
                whole.update(len(part).to_bytes(8, "big") + part)
        return whole.hexdigest()


def read_submission(
    student: str, place: Place, notebook: str, ignore: Sequence[str] = ()
) -> Submission:
    """The submission in a folder.

    `ignore` are nbgrader's patterns of file names that are left out.
    """
    reader = _Reader(ignore)
    with _folder(place) as folder:
        reader.look(folder, "")
        name = reader.the_notebook(f"{notebook}.ipynb")
        content = reader.read(folder, name)
        files = reader.support_files(folder)
    stamp = files.pop("timestamp.txt", b"")
    timestamp = reader.timestamp(stamp)
    return Submission(
        student=student,
        name=name,
        notebook=content,
        files=files,
        timestamp=timestamp,
        stamp=stamp if timestamp else b"",
        flags=tuple(reader.flags),
    )


@contextmanager
def _folder(place: Place) -> Iterator[int]:
    """The folder, opened without following a link below the trusted part."""
    opened: list[int] = []
    try:
        opened.append(os.open(place.trusted, os.O_RDONLY | os.O_DIRECTORY))
        for name in place.below:
            opened.append(_open_folder(opened[-1], name))
        yield opened[-1]
    except _NotPlain as error:
        raise CannotGrade(
            f"{place.path} is {error}, not a folder of its own. Put the files themselves there."
        ) from error
    except OSError as error:
        raise CannotGrade(
            f"{place.path} cannot be read: {error.strerror}. Put that right and grade again."
        ) from error
    finally:
        for descriptor in opened:
            os.close(descriptor)


class _NotPlain(Exception):
    """What stands where a folder or a file was meant."""


class _TooLarge(_NotPlain):
    """A file beyond the limit."""


def _some(names: Iterable[str]) -> str:
    """The first of some names.

    >>> _some(["b.py", "a.py"])
    'a.py, b.py'
    """
    first, rest = sorted(names)[:3], sorted(names)[3:]
    return ", ".join(first) + (f" and {len(rest)} more" if rest else "")


def _open_folder(parent: int, name: str) -> int:
    try:
        kind = os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISDIR(kind):
            raise _NotPlain(_kind(kind))
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | _LINK, dir_fd=parent)
    except OSError as error:
        raise _NotPlain(f"unreadable ({error.strerror})") from error


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a file",
    }
    return kinds.get(stat.S_IFMT(mode), "a device")


class _Reader:
    """Reads one submission, and notes what it leaves out."""

    def __init__(self, ignore: Sequence[str]) -> None:
        self.ignore = ignore
        self.flags: list[str] = []
        self.notebooks: dict[str, int] = {}
        """Mode by name, of everything at the top that is called like a notebook."""
        self.deeper: list[str] = []
        """Notebooks in folders; nobody looks at them."""
        self.others: list[str] = []
        self.entries = 0

    def look(self, folder: int, prefix: str) -> None:
        """Lists the files of a folder and of those below, without opening any."""
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            self.entries += 1
            if self.entries > MOST_ENTRIES:
                raise CannotGrade(
                    f"The submission has more than {MOST_ENTRIES} files. "
                    "Remove what does not belong to it."
                )
            self._sort(folder, entry, prefix)

    def _sort(self, folder: int, entry: os.DirEntry[str], prefix: str) -> None:
        name, shown = prefix + entry.name, ascii(prefix + entry.name)
        if entry.name.startswith("."):
            return
        if not entry.name.isprintable() or "\\" in name or len(os.fsencode(entry.name)) > 200:
            self.flags.append(f"The file {shown} was left out because of its name.")
            return
        if any(fnmatch(entry.name, pattern) for pattern in self.ignore):
            if entry.name not in ("__pycache__", "feedback"):
                self.flags.append(
                    f"The file {name} was left out: nbgrader_config.py ignores files of this name."
                )
            return
        mode = entry.stat(follow_symlinks=False).st_mode
        if not prefix and _NOTEBOOK.search(name):
            self.notebooks[name] = mode
        elif stat.S_ISREG(mode):
            (self.deeper if name.endswith(".ipynb") else self.others).append(name)
        elif stat.S_ISDIR(mode):
            self._descend(folder, entry.name, name)
        else:
            self.flags.append(f"The file {name} was left out because it is {_kind(mode)}.")

    def _descend(self, folder: int, name: str, path: str) -> None:
        if path.count("/") >= MOST_DEPTH:
            self.flags.append(f"The folder {path} was left out because it lies too deep.")
            return
        try:
            inner = _open_folder(folder, name)
        except _NotPlain as error:
            self.flags.append(f"The folder {path} was left out because it is {error}.")
            return
        try:
            self.look(inner, f"{path}/")
        finally:
            os.close(inner)

    def the_notebook(self, wanted: str) -> str:
        """The notebook of the right name, or the only one."""
        if not self.notebooks:
            raise CannotGrade(self._none(wanted))
        if wanted not in self.notebooks and len(self.notebooks) > 1:
            raise CannotGrade(
                f"{wanted} is missing, and there are several other notebooks "
                f"({_some(self.notebooks)}). Give the right one the name {wanted}."
            )
        if wanted in self.notebooks:
            others = [name for name in self.notebooks if name != wanted]
            if others:
                self.flags.append(f"Beside {wanted}, which counts, there is {_some(others)}.")
            return wanted
        (name,) = self.notebooks
        self.flags.append(f"The notebook is called {name} and not {wanted}.")
        return name

    def _none(self, wanted: str) -> str:
        """What there is instead of a notebook, and what to do."""
        if self.deeper:
            return (
                f"{wanted} is missing; there is {_some(self.deeper)} in a folder. Move the right "
                "notebook out of the folder."
            )
        there = [name for name in self.others if name != "timestamp.txt"]
        archives = [name for name in there if name.endswith(_ARCHIVES)]
        if archives:
            return f"{wanted} is missing. Unpack {_some(archives)} and grade again."
        instead = f", only {_some(there)}" if there else ""
        return f"No notebook was handed in{instead}. Ask the student for {wanted}."

    def read(self, folder: int, name: str) -> bytes:
        """The bytes of the notebook."""
        try:
            return _read(folder, name, MOST_NOTEBOOK)
        except _TooLarge as error:
            raise CannotGrade(
                f"{name} is {error}, nearly all of which must be outputs. Open it in JupyterLab, "
                "choose Edit → Clear Outputs of All Cells, save it and grade again."
            ) from error
        except _NotPlain as error:
            raise CannotGrade(f"{name} is {error}. Ask the student for the file itself.") from error

    def support_files(self, folder: int) -> dict[str, bytes]:
        """All other files, as long as they are not too large."""
        files: dict[str, bytes] = {}
        left = MOST_FILES
        for name in self.others:
            try:
                files[name] = _read(folder, name, min(MOST_FILE, left))
            except _NotPlain as error:
                self.flags.append(f"The file {name} was left out because it is {error}.")
            else:
                left -= len(files[name])
        return files

    def timestamp(self, stamp: bytes) -> datetime | None:
        """When the work was handed in, or None."""
        if not stamp.strip():
            return None
        try:
            if len(stamp) > 200:
                raise ValueError("too long")
            when: datetime = parse_utc(stamp.decode().strip())
        except Exception:  # the parser of dates raises errors of many kinds
            self.flags.append(
                "timestamp.txt holds no date that can be read; the submission counts as in time."
            )
            return None
        return when


def _read(folder: int, name: str, most: int) -> bytes:
    """The bytes of a regular file, whose folders are opened one by one."""
    *folders, last = name.split("/")
    opened: list[int] = []
    try:
        for part in folders:
            opened.append(_open_folder(opened[-1] if opened else folder, part))
        within = opened[-1] if opened else folder
        mode = os.stat(last, dir_fd=within, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode):
            raise _NotPlain(_kind(mode))
        descriptor = os.open(last, os.O_RDONLY | _LINK, dir_fd=within)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _NotPlain("changing while it is read")
            content = file.read(most + 1)
    except OSError as error:
        raise _NotPlain(f"unreadable ({error.strerror})") from error
    finally:
        for one in opened:
            os.close(one)
    if len(content) > most:
        raise _TooLarge(f"larger than {most / 2**20:.3g} MB")
    return content
