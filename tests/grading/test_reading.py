"""What students hand in is opened with tongs."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from helpers.grading import reading
from helpers.grading.layout import Place
from helpers.grading.reading import Submission, read_submission
from helpers.grading.trouble import CannotGrade


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "submitted" / "ada" / "lesson"
    folder.mkdir(parents=True)
    (folder / "work.ipynb").write_bytes(b"{}")
    return folder


def read(folder: Path, student: str = "ada", ignore: tuple[str, ...] = ()) -> Submission:
    root = folder.parent.parent
    return read_submission(student, Place(root, folder.relative_to(root).parts), "work", ignore)


def refusal(folder: Path) -> str:
    with pytest.raises(CannotGrade) as caught:
        read(folder)
    return str(caught.value)


def test_an_honest_submission(folder: Path) -> None:
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    (folder / "mine.py").write_text("x = 1")
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_text("1,2")
    found = read(folder)
    assert found.notebook == b"{}"
    assert found.files == {"data/a.csv": b"1,2", "mine.py": b"x = 1"}
    assert found.timestamp == datetime(2026, 3, 1, 12)
    assert found.flags == ()


@pytest.mark.parametrize(
    ("kind", "word"),
    [("link", "symbolic link"), ("pipe", "named pipe"), ("folder", "a folder"), ("big", "larger")],
)
def test_a_notebook_that_is_no_plain_file(
    folder: Path, kind: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = folder / "work.ipynb"
    notebook.unlink()
    if kind == "link":
        secret = folder.parent.parent / "secret"
        secret.write_text("{}")
        notebook.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(notebook)
    elif kind == "folder":
        notebook.mkdir()
    else:
        monkeypatch.setattr(reading, "MOST_NOTEBOOK", 10)
        notebook.write_bytes(b"x" * 11)
    assert word in refusal(folder)


@pytest.mark.parametrize("level", ["lesson", "ada"])
def test_a_folder_that_is_a_link_is_not_followed(folder: Path, level: str) -> None:
    linked = folder if level == "lesson" else folder.parent
    moved = linked.rename(linked.with_name("elsewhere"))
    linked.symlink_to(moved)
    assert "a symbolic link, not a folder" in refusal(folder)


def test_files_that_are_left_out_are_flagged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_FILE", 100)
    (folder / "passwords").symlink_to("/etc/passwd")
    (folder / "inner").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "large").write_bytes(b"x" * 101)
    (folder / "bell\x07").write_text("x")
    (folder / "start_here.py").write_text("x")
    (folder / ".hidden").write_text("x")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "work-checkpoint.ipynb").write_text("x")
    (folder / "other.ipynb").write_text("x")
    found = read(folder, ignore=("start_here.py", ".ipynb_checkpoints"))
    assert found.files == {}
    assert set(found.flags) == {
        "The file passwords was left out because it is a symbolic link.",
        "The file inner was left out because it is a symbolic link.",
        "The file pipe was left out because it is a named pipe.",
        "The file large was left out because it is larger than 9.54e-05 MB.",
        r"The file 'bell\x07' was left out because of its name.",
        "The file start_here.py was left out: nbgrader_config.py ignores files of this name.",
        "Beside work.ipynb, which counts, there is other.ipynb.",
    }


def test_the_files_together_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_FILES", 150)
    for name in ("a", "b"):
        (folder / name).write_bytes(b"x" * 100)
    assert list(read(folder).files) == ["a"]


def test_too_many_and_too_deep(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder
    for _ in range(9):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    found = read(folder)
    assert found.files == {}
    assert "lies too deep" in found.flags[0]
    monkeypatch.setattr(reading, "MOST_ENTRIES", 5)
    assert "more than 5 files" in refusal(folder)


@pytest.mark.parametrize("stamp", [b"yesterday", b"\xff\xfe\x00", b"9" * 500, b"2026-99-99", b"[]"])
def test_a_timestamp_that_is_none(folder: Path, stamp: bytes) -> None:
    (folder / "timestamp.txt").write_bytes(stamp)
    found = read(folder)
    assert found.timestamp is None
    assert found.stamp == b""
    assert found.flags == (
        "timestamp.txt holds no date that can be read; the submission counts as in time.",
    )


def test_the_only_notebook_may_have_another_name(folder: Path) -> None:
    (folder / "work.ipynb").rename(folder / "work (1).ipynb")
    found = read(folder)
    assert found.name == "work (1).ipynb"
    assert found.flags == ("The notebook is called work (1).ipynb and not work.ipynb.",)
    (folder / "work (2).ipynb").write_text("{}")
    assert "several other notebooks" in refusal(folder)


@pytest.mark.parametrize("name", ["work.ipynb.txt", "work.ipynb.json", "work.IPYNB"])
def test_a_browser_may_have_added_an_ending(folder: Path, name: str) -> None:
    (folder / "work.ipynb").rename(folder / name)
    found = read(folder)
    assert (found.name, found.notebook) == (name, b"{}")
    assert found.flags == (f"The notebook is called {name} and not work.ipynb.",)


@pytest.mark.parametrize(
    ("there", "sentence"),
    [
        ("", "No notebook was handed in. Ask the student for work.ipynb."),
        ("timestamp.txt", "No notebook was handed in. Ask the student for work.ipynb."),
        ("a.pdf", "No notebook was handed in, only a.pdf. Ask the student for work.ipynb."),
        ("work.zip", "work.ipynb is missing. Unpack work.zip and grade again."),
        ("in/w.ipynb", "there is in/w.ipynb in a folder. Move the right notebook out"),
    ],
)
def test_what_there_is_instead_of_a_notebook(folder: Path, there: str, sentence: str) -> None:
    (folder / "work.ipynb").unlink()
    if there:
        (folder / there).parent.mkdir(exist_ok=True)
        (folder / there).write_text("x")
    assert sentence in refusal(folder)


def test_the_remedy_for_too_large_a_notebook(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_NOTEBOOK", 1)
    assert "choose Edit → Clear Outputs of All Cells, save it and grade again." in refusal(folder)


def test_the_digest_knows_student_time_and_every_file(folder: Path) -> None:
    digests = {read(folder).digest, read(folder, student="bob").digest}
    (folder / "mine.py").write_text("x = 1")
    digests.add(read(folder).digest)
    (folder / "mine.py").rename(folder / "yours.py")
    digests.add(read(folder).digest)
    (folder / "timestamp.txt").write_text("2026-03-01 12:00:00 UTC")
    digests.add(read(folder).digest)
    assert len(digests) == 5
    assert read(folder).digest in digests
