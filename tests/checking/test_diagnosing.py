"""One slip, two slips, a guess, notes and strictness, on a small check of the tests' own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch

from helpers.checking import Answers, Argument, Aspect, Case, Check, Recipe, family, slip
from helpers.checking.judging import Verdict, judge, known_for, observer
from helpers.checking.known import Known
from helpers.checking.recipe import Named, can_be_joined, name_of
from helpers.checking.report import report_on


def standard(
    centre: Any = lambda x: x - x.mean(0),
    size: Any = lambda c: (c**2).mean(0),
    eps: float = 1e-5,
    divide: Any = lambda c, v, eps: c / (v + eps).sqrt(),
) -> Any:
    def standardise(x: torch.Tensor) -> Any:
        c = centre(x)
        return divide(c, size(c), eps)

    return standardise


def changing(f: Any) -> Any:
    def standardise(x: torch.Tensor) -> Any:
        result = f(x)
        x.zero_()
        return result

    return standardise


ANSWERS = Answers(
    recipe=Recipe(standard),
    slips=(
        slip("not-centred", "You do not subtract the mean.", "Subtract it.", centre=lambda x: x),
        slip(
            "mean-of-all",
            "You subtract one mean of all.",
            "Take the mean over axis 0.",
            centre=lambda x: x - x.mean(),
        ),
        slip(
            "unbiased",
            "You divide by n − 1.",
            "Divide by n.",
            size=lambda c: (c**2).sum(0) / (len(c) - 1),
        ),
        family(
            "other-eps",
            "You add {constant}.",
            "Add 1e-5.",
            (1e-3, 1e-1),
            lambda c: {"eps": c},
        ),
        slip(
            "eps-outside",
            "You add eps to the root.",
            "Add it inside.",
            divide=lambda c, v, eps: c / (v.sqrt() + eps),
        ),
        slip("changes-x", "You change x.", "Leave it.", around=changing),
        slip(
            "fails-on-nothing",
            "You fail on an empty batch.",
            "Return it.",
            size=lambda c: (c**2).mean(0) if len(c) else 1 / 0,
        ),
        slip("zero", "You return zeros.", "Do not.", whole=torch.zeros_like),
    ),
)


def _cases(rng: torch.Generator) -> Iterator[Case]:
    yield Case("no rows", x=torch.zeros(0, 3)).beyond()
    yield Case("two rows", x=torch.tensor([[0.0, 1.0], [2.0, 5.0]]))
    yield Case("small differences", x=1e-3 * torch.randn(5, 3, generator=rng))


def _observe(f: Any, case: Case) -> Iterator[tuple[str, Any]]:
    result = f(case.x)
    yield "result", result
    yield "x afterwards", case.x
    yield "a number", float(result.abs().max()) if result.numel() else 0.0


CHECK = Check(
    name="check_relu",  # any that the table of lessons knows
    lesson="a_test",
    topic="standardising",
    takes=(Argument("standardise"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "result": Aspect("standardise({x})", "The result is wrong."),
        "x afterwards": Aspect("standardise({x}), and then x", "Your code changed x."),
        "a number": Aspect("the largest entry", "The largest entry is wrong."),
    },
    praise="every column has mean 0 and variance 1.",
    reread="Standardising",
)


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = ModuleType("helpers.answers.a_test.relu")
    module.ANSWERS = ANSWERS  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "helpers.answers.a_test.relu", module)


def named(*ids: str) -> tuple[Named, ...]:
    return tuple(next(n for n in ANSWERS.named() if n.id == id) for id in ids)


def judged(f: Callable[..., Any], **how: Any) -> Verdict:
    return judge(CHECK, observer(CHECK, f), known=Known(CHECK), **how)


def with_slips(*ids: str) -> Any:
    return ANSWERS.with_slips(*named(*ids))


@pytest.mark.parametrize(
    "id", ["not-centred", "mean-of-all", "unbiased", "eps-outside", "changes-x", "zero"]
)
def test_one_slip(id: str) -> None:
    verdict = judged(with_slips(id))
    assert verdict.misconception == id
    assert verdict.relation is None and not verdict.perhaps


@pytest.mark.parametrize(
    "ids",
    [
        ("not-centred", "unbiased"),  # both are seen at once
        ("mean-of-all", "changes-x"),  # one is seen in the key after the other
        ("unbiased", "other-eps"),  # the second shows in a later case alone
        ("eps-outside", "changes-x"),
    ],
)
def test_two_slips(ids: tuple[str, str]) -> None:
    verdict = judged(with_slips(*ids), patience=60.0)
    assert set(str(verdict.misconception).split("+")) == set(ids)
    text = report_on(CHECK, verdict).text()
    first, second = verdict.slips
    assert f"  Two causes    1. {first.diagnosis}\n                2. {second.diagnosis}" in text
    assert f"1. {first.hint}" in text and f"2. {second.hint}" in text


def test_the_constant_of_a_family_is_told() -> None:
    for constant in (1e-3, 1e-1):
        verdict = judged(standard(eps=constant))
        assert verdict.slips[0].diagnosis == f"You add {constant:g}."


def test_a_guess_explains_what_failed_and_not_everything() -> None:
    def guessed(x: torch.Tensor) -> torch.Tensor:
        return x - x.mean() if len(x) == 5 else with_slips("mean-of-all")(x)

    verdict = judged(guessed)
    assert not verdict.slips
    assert verdict.guess == "mean-of-all"
    assert "\n  Perhaps       You subtract one mean of all.\n" in report_on(CHECK, verdict).text()


def test_a_relation_stands_in_where_no_slip_matches() -> None:
    verdict = judged(lambda x: 3 * standard()(x))
    assert verdict.misconception is None and verdict.guess is None
    assert verdict.relation is not None and verdict.relation.id == "the-same-factor"
    text = report_on(CHECK, verdict).text()
    assert "\n  Notice        Every entry of yours is 3 times the expected one.\n" in text


class TestNotes:
    def test_what_goes_beyond_is_judged_last_and_noted(self) -> None:
        assert [case.name for case in Known(CHECK).cases][-1] == "no rows"
        verdict = judged(with_slips("fails-on-nothing"))
        assert verdict.outcome == "passed"
        (note,) = verdict.notes
        assert note.id == "fails-on-nothing"
        assert report_on(CHECK, verdict).text() == (
            "✓ standardising — every column has mean 0 and variance 1.\n"
            "◦ One thing more: You fail on an empty batch. The case: no rows. No points are lost."
        )

    def test_without_a_slip_the_exception_is_told(self) -> None:
        def fails(x: torch.Tensor) -> torch.Tensor:
            return standard()(x) if len(x) else x[0]

        text = report_on(CHECK, judged(fails)).text()
        assert text.endswith("◦ One thing more: Your code raises IndexError. The case: no rows. "
                             "No points are lost.")  # fmt: skip

    def test_strict_lets_it_count(self) -> None:
        verdict = judged(with_slips("fails-on-nothing"), strict=True)
        assert verdict.outcome == "failed" and verdict.case is not None
        assert verdict.case.name == "no rows"

    def test_it_does_not_silence_a_diagnosis(self) -> None:
        def both(x: torch.Tensor) -> torch.Tensor:
            return with_slips("not-centred")(x) if len(x) else x[0]

        assert judged(both).misconception == "not-centred"

    def test_a_tensor_for_a_number_is_noted(self) -> None:
        check = replace(CHECK, observe=lambda f, case: iter([("a number", f(case.x))]))
        known = Known(check)
        known.answers = replace(ANSWERS, recipe=Recipe(lambda: lambda x: 0.5), slips=())
        known.named = ()
        verdict = judge(check, observer(check, lambda x: torch.tensor(0.5)), known=known)
        assert verdict.outcome == "passed"
        assert (
            report_on(check, verdict)
            .text()
            .endswith(
                "◦ One thing more: a plain number is meant where you return shape (), float32. "
                "No points are lost."
            )
        )


class TestRecipes:
    def test_an_unknown_part_is_refused(self) -> None:
        with pytest.raises(TypeError, match="standard has no part 'sise'"):
            Recipe(standard).made(sise=len)

    def test_a_slip_needs_a_part(self) -> None:
        with pytest.raises(TypeError, match="names no wrong part"):
            slip("nothing", "You do nothing.", "Do something.")

    def test_slips_of_one_part_are_not_joined(self) -> None:
        assert can_be_joined(*named("not-centred", "unbiased"))
        assert not can_be_joined(*named("not-centred", "mean-of-all"))
        assert not can_be_joined(*named("not-centred", "zero"))
        assert not can_be_joined(*[n for n in ANSWERS.named() if n.id == "other-eps"])

    def test_a_class_with_methods_as_parts(self) -> None:
        class Layer:
            def scale(self) -> int:
                return 2

            def __call__(self, x: int) -> int:
                return self.scale() * x

        made = Recipe(Layer).made(scale=lambda self: 3, around=lambda cls: lambda: cls())
        assert made()(1) == 3

    def test_names_lead_back(self) -> None:
        pair = named("not-centred", "unbiased")
        assert name_of(pair) == "not-centred/0+unbiased/0"
        assert ANSWERS.called(name_of(pair)) == pair


def test_what_is_known_is_kept() -> None:
    assert known_for(CHECK, 3) is known_for(CHECK, 3)
    assert known_for(CHECK, 3) is not known_for(CHECK, 4)
