"""The tool behind `make mutants`, on a check that is made up here and on lesson 00."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helpers.course import LESSONS, Lesson, lesson
from tools.mutants import reasons
from tools.mutants.__main__ import main
from tools.mutants.exercises import Exercise, concerns, exercises_of
from tools.mutants.making import mutants_of
from tools.mutants.trial import Results, SolutionFails, in_a_fork, try_all

ROOT = Path(__file__).resolve().parent.parent
CHECK = "check_count_parameters"

CELL = '''
def clipped(values, top=3):
    """Each value, but at most top."""
    ### BEGIN SOLUTION
    return [abs(min(value, top)) for value in values]
    ### END SOLUTION
'''
SETUP = """
def check_clipped(clipped):
    try:
        few, many, default = clipped([1], 5), clipped([1, 9], 5), clipped([9])
    except Exception:
        raise AssertionError("raised")
    assert few == [1] and many == [1, 5], "wrong"
    assert default in ([3], [4]), "wrong default"
    print("✓ clipped", "◦ a note" if default == [4] else "", sep="\\n")
"""
LINE = "clipped: return [abs(min(value, top)) for value in values]"
LOST = f"{LINE} → return [min(value, top) for value in values]"
KILLED = f"{LINE} → return [abs(max(value, top)) for value in values]"
NOTED = "clipped: def clipped(values, top=3): → def clipped(values, top=4):"


def made_up(cell: str = CELL) -> Exercise:
    return Exercise("check_clipped", "0.1", 2.0, (SETUP,), cell, "check_clipped(clipped)")


@pytest.fixture(scope="module")
def results() -> Results:
    return try_all(made_up())


class TestMaking:
    def test_every_kind_of_change(self) -> None:
        cell = """
def f(self, x, y=0.5, *, flag=True):
    ### BEGIN SOLUTION
    with torch.no_grad():
        if x > 0 and not flag:
            x -= 2 * y
    return max(x.detach(), y).sum(0, keepdim=True)
    ### END SOLUTION
"""
        changes = {mutant.change for mutant in mutants_of(cell, "1.1")}
        head = "def f(self, x, y=0.5, *, flag=True):"
        last = "return max(x.detach(), y).sum(0, keepdim=True)"
        for old, new in (
            (head, "def f(self, x, y=1.0, *, flag=True):"),
            (head, "def f(self, x, y=0.5, *, flag=False):"),
            ("with torch.no_grad():", "(without it)"),
            ("with torch.no_grad():", "(forgotten)"),
            ("if x > 0 and (not flag):", "if x >= 0 and (not flag):"),
            ("if x > 0 and (not flag):", "if x > 1 and (not flag):"),
            ("if x > 0 and (not flag):", "if x > 0 or not flag:"),
            ("if x > 0 and (not flag):", "if x > 0 and flag:"),
            ("if x > 0 and (not flag):", "if y > 0 and (not flag):"),
            ("if x > 0 and (not flag):", "if x > 0:"),
            ("if x > 0 and (not flag):", "(always)"),
            ("x -= 2 * y", "(forgotten)"),
            ("x -= 2 * y", "x = x - 2 * y"),
            ("x -= 2 * y", "x += 2 * y"),
            ("x -= 2 * y", "x -= y"),
            (last, "return max(x, y).sum(0, keepdim=True)"),
            (last, "return x.detach().sum(0, keepdim=True)"),
            (last, "return max(x.detach(), y).sum(keepdim=True)"),
            (last, "return max(x.detach(), y).sum(0)"),
            (last, "return min(x.detach(), y).sum(0, keepdim=True)"),
            (last, "return max(x.detach(), y).mean(0, keepdim=True)"),
        ):
            assert f"f: {old} → {new}" in changes

    def test_one_change_each_and_nothing_twice(self) -> None:
        mutants = mutants_of(CELL, "0.1")
        assert len({mutant.source for mutant in mutants}) == len(mutants)
        assert len({mutant.change for mutant in mutants}) == len(mutants)
        assert all("at most top" in mutant.source for mutant in mutants)  # no docstring is changed

    def test_the_same_each_time(self) -> None:
        """No set decides about an order: it would change with the seed of Python's hashes."""
        code = (
            "import sys\nfrom tools.mutants.making import mutants_of\n"
            "print(*mutants_of(sys.argv[1], '0.1'), sep='\\n')"
        )
        printed = {
            subprocess.run(
                [sys.executable, "-c", code, CELL],
                cwd=ROOT,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(printed) == 1

    @pytest.mark.parametrize("one", LESSONS, ids=lambda one: one.folder)
    def test_every_todo_can_be_changed(self, one: Lesson) -> None:
        exercises = exercises_of(one)
        assert [e.check for e in exercises] == [todo.check for todo in one.todos]
        assert all(exercise.mutants for exercise in exercises)

    def test_experiments_do_not_run_before_a_todo(self) -> None:
        last = exercises_of(lesson("weight_decay"))[-1]
        assert "import torch" in last.setup[0]
        assert not any("uses_your_code():" in cell for cell in last.setup)


class TestTrial:
    def fate(self, results: Results, change: str) -> str:
        (found,) = [one for one in results.mutants if one.change == change]
        return found.fate

    def test_killed(self, results: Results) -> None:
        assert self.fate(results, KILLED) == "killed"

    def test_noted(self, results: Results) -> None:
        assert self.fate(results, NOTED) == "noted"

    def test_survived(self, results: Results) -> None:
        assert self.fate(results, LOST) == "survived"
        assert [one.change for one in results.of("survived")] == [LOST]

    def test_a_process_that_ends_is_killed(self) -> None:
        assert in_a_fork(lambda: os._exit(3), seconds=60) == ("killed", "the process ended")

    def test_what_never_ends_is_killed(self) -> None:
        def judge() -> Any:
            while True:
                pass

        assert in_a_fork(judge, seconds=0.2) == ("killed", "no end in 0 seconds")

    def test_a_part_of_the_points_is_killed(self) -> None:
        tiers = "def check_clipped(f):\n    return 2.0 if f([-9]) == [9] else 1.0"
        part = Exercise("check_clipped", "0.1", 2.0, (tiers,), CELL, "check_clipped(clipped)")
        assert {one.why for one in try_all(part).of("killed")} >= {"1 of 2 points"}

    def test_a_check_that_gives_no_verdict_is_a_fault(self) -> None:
        breaks = "def check_clipped(f):\n    f([2])[0]"
        broken = Exercise("check_clipped", "0.1", 2.0, (breaks,), CELL, "check_clipped(clipped)")
        results = try_all(broken)
        assert results.of("broke")
        assert any("It should give a verdict" in fault for fault in reasons.faults(results, {}))

    def test_the_solution_itself_must_pass(self) -> None:
        with pytest.raises(SolutionFails, match="check_clipped does not pass the solution"):
            try_all(made_up(CELL.replace("min", "max")))


class TestReasons:
    def test_a_survivor_without_a_reason(self, results: Results) -> None:
        (fault,) = reasons.faults(results, {})
        assert fault.startswith("survives  0.1-")
        assert LOST in fault
        assert "Add a case to check_clipped" in fault
        assert reasons.entry(LOST, "equivalent: ...") in fault

    def test_a_survivor_with_a_reason(self, results: Results) -> None:
        assert reasons.faults(results, {"check_clipped": {LOST: "equivalent: made up"}}) == []

    def test_stale_entries(self, results: Results) -> None:
        for change, why in ((KILLED, "It is killed now"), ("f: 1 → 2", "There is no such mutant")):
            entries = {LOST: "equivalent: made up", change: "equivalent: made up"}
            (fault,) = reasons.faults(results, {"check_clipped": entries})
            assert fault.startswith("stale ")
            assert change in fault and why in fault

    def test_a_noted_one_may_be_listed_but_needs_its_note(self, results: Results) -> None:
        entries = {LOST: "equivalent: made up", NOTED: "noted: made up"}
        assert reasons.faults(results, {"check_clipped": entries}) == []
        (fault,) = reasons.faults(results, {"check_clipped": {LOST: "noted: made up"}})
        assert fault.startswith("no note ")

    def test_an_entry_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        change = """f: print('"a\\n"', "ü") → print("")"""
        file = tmp_path / "mutants.toml"
        file.write_text(f"[check_f]\n{reasons.entry(change, 'equivalent: x')}\n", "utf-8")
        assert reasons.read(file) == {"check_f": {change: "equivalent: x"}}

    @pytest.mark.parametrize(("reason", "word"), [("", "no reason"), ("so what", "begins with")])
    def test_a_reason_says_of_which_kind_it_is(
        self, tmp_path: Path, reason: str, word: str
    ) -> None:
        file = tmp_path / "mutants.toml"
        file.write_text(f'[check_f]\n"f: 1 → 2" = "{reason}"\n', "utf-8")
        with pytest.raises(SystemExit, match=word):
            reasons.read(file)

    def test_the_list_names_existing_checks_and_mutants(self) -> None:
        """Whether they still survive takes minutes: `make mutants`."""
        listed = reasons.read(ROOT / "tests" / "checks" / "mutants.toml")
        exercises = {e.check: e for one in LESSONS for e in exercises_of(one)}
        assert reasons.unknown(listed, set(exercises)) == []
        for check in set(listed) - {reasons.SKIPPED}:
            changes = {mutant.change for mutant in exercises[check].mutants}
            assert set(listed[check]) <= changes, f"{check}: take what is gone off the list"


class TestCommand:
    def test_it_judges_a_lesson(self, tmp_path: Path) -> None:
        (tmp_path / "none.toml").touch()
        result = subprocess.run(
            [
                *(sys.executable, "-m", "tools.mutants", "--lesson", "start_here"),
                *("--check", CHECK, "--survivors", str(tmp_path / "none.toml")),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        (line,) = [x for x in result.stdout.splitlines() if x.startswith(CHECK)]
        _, all_of_them, killed, noted, survived, _ = line.split()
        assert int(all_of_them) == int(killed) > 5
        assert noted == survived == "0"
        assert "Every mutant is killed, noted, or listed" in result.stdout

    @pytest.mark.parametrize(
        ("entries", "status", "word"),
        [
            ({LOST: "equivalent: made up"}, 0, "Every mutant is killed"),
            ({}, 1, "Add a case to check_clipped"),
            ({LOST: "equivalent: made up", KILLED: "equivalent: no"}, 1, "It is killed now"),
        ],
    )
    def test_its_exit_status(
        self,
        entries: dict[str, str],
        status: int,
        word: str,
        results: Results,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("tools.mutants.__main__._run", lambda *_: iter([results]))
        monkeypatch.setattr("tools.mutants.reasons.unknown", lambda *_: [])
        file = tmp_path / "mutants.toml"
        lines = [reasons.entry(change, reason) for change, reason in entries.items()]
        file.write_text("\n".join(["[check_clipped]", *lines]), "utf-8")
        assert main(["--survivors", str(file), "--lesson", "0"]) == status
        assert word in capsys.readouterr().out

    def test_list(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "none.toml").touch()
        words = ["--survivors", str(tmp_path / "none.toml"), "--lesson", "0", "--list"]
        assert main(words) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == sum(len(e.mutants) for e in exercises_of(lesson(0)))
        assert lines[0].startswith("0.1-001  check_numerical_gradient  ")

    def test_an_unknown_check_is_named(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "none.toml").touch()
        words = ["--survivors", str(tmp_path / "none.toml"), "--check", "check_nothing"]
        assert main(words) == 2
        assert "check_nothing" in capsys.readouterr().err


def test_which_files_concern_a_lesson() -> None:
    dropout = lesson("dropout")
    for file in (
        "solutions/05_dropout/dropout.py",
        "helpers/checks/dropout/layer.py",
        "helpers/answers/dropout/dropout_layer.py",
    ):
        assert concerns([file], dropout)
    assert concerns(["helpers/checks/start_here.py"], lesson("start_here"))
    assert not concerns(["helpers/checks/__init__.py", "README.md"], dropout)
