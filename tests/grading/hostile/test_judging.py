"""Whatever well-formed data a sandbox sends, the judge ends with a verdict and a message."""

from __future__ import annotations

import contextlib
import json
import math
import socket
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers.checking.arguments import Facts, refusal
from helpers.checking.case import Case, Foreign
from helpers.checking.check import Check
from helpers.checking.judging import Known, judge
from helpers.checking.observing import Observation
from helpers.checking.report import report_on
from helpers.course import LESSONS
from helpers.grading import wire
from helpers.grading.values import DTYPES

SLOW = (
    *("check_capstone", "check_configure_training", "check_spectral_norm_linear"),
    *("check_batchnorm1d", "check_batchnorm2d"),
)
"""What they expect takes seconds to find out; what they measure is tried apart."""
CHECKS = [
    check
    for lesson in LESSONS
    for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS
    if check.name not in SLOW
]
PHASES = (Phase.explicit, Phase.generate)
"""Without shrinking: each example runs many checks' references."""
KNOWN: dict[str, Known] = {}

dtypes = st.sampled_from(list(DTYPES.values()))
shapes = st.lists(st.integers(0, 4), max_size=4)


@st.composite
def tensors(draw: Any) -> torch.Tensor:
    device = draw(st.sampled_from(["cpu", "cpu", "meta"]))
    tensor = torch.zeros(draw(shapes), dtype=draw(dtypes), device=device)
    fill = draw(st.sampled_from([0, 1, -1, math.nan, math.inf, 1e30]))
    if device == "cpu" and (tensor.is_floating_point() or tensor.is_complex()):
        tensor += fill
    return tensor


@st.composite
def arrays(draw: Any) -> Any:
    dtype = draw(
        st.sampled_from(["float64", "float32", "float16", "int64", "uint8", "uint64", "bool"])
    )
    array = np.zeros(draw(shapes), dtype=dtype)
    return array[()] if array.ndim == 0 else array


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([torch.float32, "no error", "ValueError", "meta", "torch.float32", 10**400]),
    st.builds(Foreign, st.text(max_size=9), st.text(max_size=9)),
    tensors(),
    arrays(),
)


def through_the_wire(what: dict[str, Any]) -> dict[str, Any]:
    """In one thread neither side would read while the other writes more than a socket holds."""
    ours, theirs = socket.socketpair()
    with ours, theirs, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(wire.send, theirs, what)
        received = wire.receive(ours, 20, trusted=False)
        sending.result()
        return received


def like(draw: Any, value: Any) -> Any:
    """A value that agrees with the expected one in some respects, so that later steps are reached."""
    if not isinstance(value, torch.Tensor) or value.device.type == "meta":
        return draw(st.one_of(values, st.just(value)))
    how = draw(st.sampled_from(["same", "value", "dtype", "shape", "NaN", "meta", "other"]))
    return {
        "same": lambda: value,
        "value": lambda: value + 1 if value.dtype != torch.bool else ~value,
        "dtype": lambda: value.to(draw(dtypes)),
        "shape": lambda: value.unsqueeze(0),
        "NaN": lambda: value * math.nan,
        "meta": lambda: value.to("meta"),
        "other": lambda: draw(values),
    }[how]()


troubles = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["raised", "not attempted", "time limit"]),
            "type": st.sampled_from(["", "E" * 99, "RuntimeError", "NotImplementedError", "{x}"]),
            "message": st.sampled_from(
                ["", "meta item()", "{}", "\n✓ right\n", "x" * 999, "\ud800"]
            ),
            "line": st.text(max_size=9),
            "where": st.text(max_size=9),
        }
    ),
)


@settings(max_examples=120, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(data=st.data(), check=st.sampled_from(CHECKS))
def test_any_observation_is_judged(data: Any, check: Check) -> None:
    """Here nothing catches an exception: neither comparing, measuring nor telling may raise one."""
    known = KNOWN.setdefault(check.name, Known(check, seed=5))
    right_until = data.draw(st.integers(0, len(known.cases)))
    broken = data.draw(st.sampled_from(["all", "one", "none"]))

    def look(case: Case) -> Observation:
        position = known.cases.index(case)
        expected = known.expected(position).seen
        if position < right_until:
            seen = dict(expected)
        else:
            wrong = data.draw(st.sampled_from(list(expected)))
            seen = {
                key: like(data.draw, value) if broken == "all" or key == wrong else value
                for key, value in expected.items()
                if broken != "none"
            }
            if data.draw(st.booleans()):
                seen |= data.draw(st.dictionaries(st.text(max_size=5), values, max_size=3))
        sent = {
            "seen": seen,
            "trouble": data.draw(troubles),
            "printed": data.draw(st.text(max_size=30)),
            "builtins": data.draw(st.lists(st.text(max_size=9), max_size=2)),
            "builtins_after": data.draw(st.integers(-2, 9)),
        }
        (one,) = wire.observations_received(through_the_wire({"observations": [sent]}), 1)
        return one

    verdict = judge(check, look, known=known)
    text = report_on(check, verdict).text()
    assert text.splitlines()[0].startswith(("✗", "○", "✓"))
    assert len(text) < 20_000


MEASURES = [
    (check, key, aspect)
    for lesson in LESSONS
    for check in import_module(f"helpers.checks.{lesson.slug}").CHECKS
    for key, aspect in check.aspects.items()
    if aspect.measure is not None
]


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Case]]:
    return {
        check.name: list(check.cases(torch.Generator().manual_seed(3))) for check, _, _ in MEASURES
    }


@settings(max_examples=200, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(data=st.data(), which=st.sampled_from(MEASURES))
def test_any_value_is_measured(cases: dict[str, list[Case]], data: Any, which: Any) -> None:
    check, _, aspect = which
    value = through_the_wire({"value": data.draw(values)})["value"]
    aspect.measure(value, data.draw(st.sampled_from(cases[check.name])))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "$",
                    "items",
                    "dtype",
                    "shape",
                    "stride",
                    "device",
                    "start",
                    "bytes",
                    "offset",
                    "order",
                    "grad",
                    "text",
                    "kind",
                    "name",
                ]
            ),
            st.one_of(
                inner,
                st.sampled_from(
                    [
                        "tensor",
                        "array",
                        "scalar",
                        "dict",
                        "list",
                        "float",
                        "size",
                        "foreign",
                        "dtype",
                        "float32",
                        "cpu",
                        "meta",
                    ]
                ),
                st.lists(st.integers(-1, 2**42), max_size=3),
            ),
            max_size=9,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None, phases=PHASES)
@given(what=JSON, numbers=st.binary(max_size=32))
def test_any_message_is_a_value_or_a_wire_error(what: Any, numbers: bytes) -> None:
    text = json.dumps({"value": what, "observations": what}).encode()
    ours, theirs = socket.socketpair()
    with ours, theirs, contextlib.suppress(wire.WireError):
        theirs.sendall(
            len(text).to_bytes(8, "big") + len(numbers).to_bytes(8, "big") + text + numbers
        )
        answer = wire.receive(ours, 5, trusted=False)
        with contextlib.suppress(wire.WireError):
            wire.observations_received(answer, 9)
        wire.facts_received(answer["value"])


@settings(max_examples=100, deadline=None, phases=PHASES)
@given(data=st.data(), check=st.sampled_from(CHECKS))
def test_any_fact_about_an_argument_is_answered(data: Any, check: Check) -> None:
    facts = [
        Facts(*data.draw(st.tuples(*[st.booleans()] * 3, st.text(max_size=9), st.text(max_size=9))))
        for _ in check.takes
    ]
    report = refusal(check, facts)
    assert report is None or report.text().startswith("✗")
