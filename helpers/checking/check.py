"""What a check is made of: cases, an observation, and what to say about each thing observed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from helpers.checking.case import Case

Observe = Callable[[Any, Case], Iterator[tuple[str, Any]]]
"""Uses an implementation on one case and yields (key, value) pairs in a fixed order."""

Cases = Callable[[torch.Generator], Iterable[Case]]
"""Makes the inputs, small ones first, from a generator of random numbers."""


@dataclass(frozen=True)
class Aspect:
    """How to speak about one observed thing.

    `call` is the call as the student would write it, with the case's data in braces; `wrong` is
    the complete sentence that heads the message when the values differ.
    """

    call: str
    wrong: str
    rtol: float | None = None
    """Relative tolerance; by default 1e-3 for float32 and 1e-6 for float64."""
    atol: float | None = None
    """Absolute tolerance; by default 1e-6 for float32 and 1e-9 for float64."""
    of_largest: bool = False
    """Whether the tolerance is relative to the largest entry and not to each entry by itself, as
    for gradients in which large terms cancel."""
    beyond: bool = False
    """Whether a difference is only noted. Such keys are yielded last, since code that stops at one
    of them is looked at no further."""
    secret: bool = False
    """Whether the expected value is itself the answer and is therefore not shown."""
    input: str | None = None
    """For element-wise results, the name of the tensor in the case that has the same shape: the
    message then names the entry of the input at which the result first differs."""
    measure: Callable[[Any, Case], Any] | None = None
    """What is compared, computed from what was observed, on the judging side: such as an accuracy
    from predicted classes. It must take whatever a student's code can return."""
    at_least: float | None = None
    """For a number of which more is better: this much is enough, whatever the reference shows."""


@dataclass(frozen=True)
class Grade:
    """What a right answer earns where a check has tiers, and what to say about it."""

    share: float
    """The part of the points, above 0 and up to 1."""
    praise: str


@dataclass(frozen=True)
class Argument:
    """One thing that the check takes from the student."""

    name: str
    kind: Literal["class", "function", "factory"] = "function"
    """A factory is whatever makes the object when it is called: a function or a class."""
    methods: tuple[str, ...] = ()
    """Methods that an instance of the class must have, apart from being callable."""


@dataclass(frozen=True)
class Check:
    """One graded question: which inputs, what is looked at, and how to speak about it.

    The right answer and its slips live in ``helpers/answers/<lesson>/<check>.py``, apart from
    this, so that a grader can keep them from the code that it judges.
    """

    name: str
    lesson: str
    topic: str
    takes: tuple[Argument, ...]
    cases: Cases
    observe: Observe
    aspects: Mapping[str, Aspect]
    praise: str
    """One complete sentence for a right answer, with something to notice."""
    reread: str
    """The heading of the section to reread after a failure without a diagnosis."""
    forbidden: frozenset[str] = frozenset()
    """Names of PyTorch's own functions that the exercise asks to do without."""
    seconds: float = 5.0
    """The time that all calls of the student's code may take together."""
    picture: Callable[[Any], Any] | None = None
    """Draws the implementation beside the expected one; returns a figure and its alt text."""
    grade: Callable[[Mapping[str, Any]], Grade] | None = None
    """For a check with tiers: from what was seen in the last case (after `measure`) to a grade."""
    each_case_alone: bool = False
    """A mistake is recognised by the case in which it shows, since the others take long."""
