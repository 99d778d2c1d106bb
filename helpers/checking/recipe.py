"""Right answers made of named parts, and slips: single parts that are wrong, with a name.

A mistake is not a whole wrong program but one wrong part of a right one, so two mistakes can be
put together and recognised together, without anybody having written down the pair.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

AROUND = "around"
"""The part of every recipe that takes the finished answer and returns what is handed in."""

WHOLE = "whole"
"""The part of every recipe that stands for all of it: an answer that shares nothing with it."""


class Recipe:
    """A right answer made of named parts, each of which can be exchanged.

    From a function, whose keyword arguments are the parts and which returns the answer:

    >>> def mean(total=sum, divide=lambda total, xs: total / len(xs)):
    ...     return lambda xs: divide(total(xs), xs)
    >>> recipe = Recipe(mean)
    >>> recipe.made()([1, 2, 3])
    2.0
    >>> recipe.made(divide=lambda total, xs: total)([1, 2, 3])
    6

    Or from a class, whose methods and other attributes are the parts:

    >>> class Doubler:
    ...     factor = 2
    ...     def __call__(self, x):
    ...         return self.factor * x
    >>> Recipe(Doubler).made(factor=3)()(10)
    30

    Every recipe has two more parts: `around`, a function of the finished answer, and `whole`,
    which takes the place of the answer altogether.
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self.build = build
        self._is_class = isinstance(build, type)
        self.parts = frozenset(
            dir(build) if self._is_class else inspect.signature(build).parameters
        )

    def made(self, **wrong: Any) -> Any:
        """The answer, with the given parts in the place of the right ones.

        Raises:
            TypeError: the recipe has no such part.
        """
        if WHOLE in wrong:
            return wrong[WHOLE]
        around = wrong.pop(AROUND, None)
        unknown = sorted(set(wrong) - self.parts)
        if unknown:
            name = getattr(self.build, "__name__", "the recipe")
            raise TypeError(f"{name} has no part {unknown[0]!r}.")
        if not self._is_class:
            answer = self.build(**wrong)
        elif wrong:
            answer = type(self.build.__name__, (self.build,), dict(wrong))  # type: ignore[arg-type]
        else:
            answer = self.build
        return answer if around is None else around(answer)


@dataclass(frozen=True)
class Slip:
    """One wrong part of a right answer, with what to tell the student. Made by `slip`.

    The same mistake may be written in several ways (`forms`), each of them the wrong part or, for
    parts that go together like a value and its slope, the wrong parts by name.
    """

    id: str
    """Two or three words with hyphens; they name the mistake in data, not to students."""
    diagnosis: str
    """One or two sentences: what the code does, and what is meant."""
    hint: str
    """One sentence: what to look at or try next."""
    forms: tuple[Mapping[str, Any], ...]
    constants: tuple[str, ...] = ()
    """For a family: the constant of each form, which stands in the diagnosis for {constant}."""


def slip(id: str, diagnosis: str, hint: str, *forms: Mapping[str, Any], **parts: Any) -> Slip:
    """A slip by the wrong part, or by several forms of it.

    >>> slip("no-division", "You return the sum.", "Divide.", divide=lambda t, xs: t).id
    'no-division'
    >>> two = slip("off", "You divide by n ± 1.", "Divide by n.",
    ...            {"divide": lambda t, xs: t / (len(xs) + 1)},
    ...            {"divide": lambda t, xs: t / (len(xs) - 1)})
    >>> len(two.forms)
    2
    """
    all_forms = (*forms, parts) if parts else forms
    if not all_forms:
        raise TypeError(f"The slip {id!r} names no wrong part.")
    return Slip(id, diagnosis, hint, tuple(all_forms))


def family(
    id: str,
    diagnosis: str,
    hint: str,
    constants: Iterable[Any],
    form: Callable[[Any], Mapping[str, Any]],
) -> Slip:
    """A slip that hangs on a constant: one form for each, named in the diagnosis.

    >>> fixed = family("fixed-eps", "You add {constant} instead of eps.", "Use eps.",
    ...                (1e-5, 1e-8), lambda c: {"eps": lambda eps: c})
    >>> [Named(fixed, i).diagnosis for i in range(2)]
    ['You add 1e-05 instead of eps.', 'You add 1e-08 instead of eps.']
    """
    given = tuple(constants)
    written = tuple(f"{c:g}" if isinstance(c, float) else str(c) for c in given)
    return Slip(id, diagnosis, hint, tuple(form(c) for c in given), written)


@dataclass(frozen=True)
class Named:
    """A slip in one of its forms."""

    slip: Slip
    form: int

    @property
    def id(self) -> str:
        return self.slip.id

    @property
    def parts(self) -> Mapping[str, Any]:
        return self.slip.forms[self.form]

    @property
    def hint(self) -> str:
        return self.slip.hint

    @property
    def diagnosis(self) -> str:
        if not self.slip.constants:
            return self.slip.diagnosis
        return self.slip.diagnosis.format(constant=self.slip.constants[self.form])


@dataclass(frozen=True)
class Answers:
    """All that is known about the answers to one check."""

    recipe: Recipe
    slips: tuple[Slip, ...]
    variants: Mapping[str, Any] = field(default_factory=dict)
    """Right answers written differently, by name; they must all be accepted."""
    reference: Any = None
    """What answers are compared with: PyTorch's own where it has one, else the recipe's."""

    @property
    def right(self) -> Any:
        """The answer that others are compared with."""
        return self.recipe.made() if self.reference is None else self.reference

    def named(self) -> tuple[Named, ...]:
        """Every slip in every form, in order."""
        return tuple(Named(slip, i) for slip in self.slips for i in range(len(slip.forms)))

    def called(self, names: str) -> tuple[Named, ...]:
        """The slips that `name_of` names."""
        known = {name_of((named,)): named for named in self.named()}
        return tuple(known[name] for name in names.split("+"))

    def with_slips(self, *named: Named) -> Any:
        """The recipe's answer with these wrong parts."""
        return self.recipe.made(**dict(chain.from_iterable(n.parts.items() for n in named)))


def name_of(slips: Iterable[Named]) -> str:
    """Slips with their forms in one word, such as ``fixed-eps/1+no-root/0``."""
    return "+".join(f"{named.id}/{named.form}" for named in slips)


def can_be_joined(one: Named, other: Named) -> bool:
    """Whether two slips are of different parts, so that code can have both."""
    parts = {*one.parts, *other.parts}
    return one.id != other.id and not set(one.parts) & set(other.parts) and WHOLE not in parts
