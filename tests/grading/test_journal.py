"""The journal survives what can happen to a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.grading.exam import Finding, Findings
from helpers.grading.journal import Journal, grader_version, key_of, write_whole

FOUND = Findings(findings=(Finding("g", "check_relu", "passed", 1.0),), flags=("A flag.",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".grading" / "lesson"


def states(journal: Journal) -> dict[str, tuple[str, str]]:
    return {name: (one.key, one.state) for name, one in journal.entries.items()}


def test_what_was_written_is_there_in_the_next_run(folder: Path) -> None:
    journal = Journal(folder)
    journal.examined("ada", "k1", FOUND)
    journal.examined("bob", "k2", FOUND)
    journal.recorded("ada", "k1", {"g": 1.0, "q": None})
    again = Journal(folder)
    assert states(again) == {"ada": ("k1", "recorded"), "bob": ("k2", "examined")}
    assert again.entries["ada"].scores == {"g": 1.0, "q": None}
    assert again.result("k1") == again.result("k2") == FOUND
    assert again.result("k3") is None
    assert again.messages == []


def test_the_last_word_about_a_student_counts(folder: Path) -> None:
    journal = Journal(folder)
    journal.recorded("ada", "old", {})
    journal.examined("ada", "new", FOUND)
    assert states(Journal(folder)) == {"ada": ("new", "examined")}


def test_the_seed_is_kept_until_the_run_is_finished(folder: Path) -> None:
    first = Journal(folder)
    second = Journal(folder)
    assert (first.resumed, second.resumed) == (False, True)
    assert (first.seed, first.run) == (second.seed, second.run)
    second.finish()
    third = Journal(folder)
    assert not third.resumed
    assert third.seed != first.seed
    assert third.run != first.run


def test_starting_again_forgets_what_was_only_examined(folder: Path) -> None:
    first = Journal(folder)
    first.examined("ada", "k1", FOUND)
    first.examined("bob", "k2", FOUND)
    first.recorded("bob", "k2", {})
    second = Journal(folder)
    second.start_again()
    assert states(second) == {"bob": ("k2", "recorded")}
    assert second.seed != first.seed


def test_only_the_owner_reads_seeds_and_results(folder: Path) -> None:
    journal = Journal(folder)
    journal.examined("ada", "k1", FOUND)
    for file in (folder / "seed", folder / "results" / "k1.json", folder / "journal.jsonl"):
        assert file.stat().st_mode & 0o777 == 0o600
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    assert str(journal.seed) not in (folder / "journal.jsonl").read_text()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_half_line_loses_only_itself(folder: Path, cut: int) -> None:
    journal = Journal(folder)
    for student in ("ada", "bob"):
        journal.examined(student, student, FOUND)
    file = folder / "journal.jsonl"
    file.write_bytes(file.read_bytes()[:-cut])
    again = Journal(folder)
    assert states(again).keys() == ({"ada", "bob"} if cut == 1 else {"ada"})
    again.examined("eve", "eve", FOUND)
    last = Journal(folder)
    assert states(last)["eve"] == ("eve", "examined")
    assert "ada" in last.entries


def test_damaged_lines_are_passed_over_and_named(folder: Path) -> None:
    Journal(folder).examined("ada", "k1", FOUND)
    file = folder / "journal.jsonl"
    damaged = [b"\xff\x00", b"[]", b'{"student": 1}', b'{"a": 1}', b"null"]
    wrong = json.dumps({"student": "x", "key": "k", "state": "lost", "run": "r"}).encode()
    file.write_bytes(b"\n".join([*damaged, wrong, file.read_bytes()]))
    journal = Journal(folder)
    assert states(journal) == {"ada": ("k1", "examined")}
    assert len(journal.messages) == 6
    assert journal.messages[0].startswith(f"Line 1 of {file} is damaged and was passed over")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"findings": [{"x": 1}]}', b"\xff"])
def test_damaged_results_are_examined_again(folder: Path, content: bytes) -> None:
    journal = Journal(folder)
    journal.examined("ada", "k1", FOUND)
    (folder / "results" / "k1.json").write_bytes(content)
    assert journal.result("k1") is None
    assert "is damaged" in journal.messages[0]


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_whole(target, b"one")
    (tmp_path / ".file.new").write_bytes(b"left by a killed run")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_keys_differ_with_every_part() -> None:
    assert len({key_of("a", "b"), key_of("b", "a"), key_of("ab"), key_of("a", "b", "c")}) == 4
    assert grader_version() == grader_version()
