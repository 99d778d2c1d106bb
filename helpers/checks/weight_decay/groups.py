"""Check of the two optimiser groups, decayed and not decayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking import Argument, Aspect, Case, Check, outcome_of, run_check
from helpers.checks.weight_decay.models import MODELS, UNUSUAL


def _cases(rng: torch.Generator) -> Iterator[Case]:
    drawn = round(0.01 + 0.09 * torch.rand((), generator=rng, dtype=torch.float64).item(), 4)
    for i, name in enumerate((*MODELS, *UNUSUAL)):
        case = Case(name, model=name, weight_decay=0.1 if i % 2 == 0 else drawn)
        yield case if name in MODELS else case.beyond()
    yield Case("no weight decay at all", model=next(iter(MODELS)), weight_decay=0.0).beyond()


def _observe(parameter_groups: Any, case: Case) -> Iterator[tuple[str, Any]]:
    model, open_names = (MODELS | UNUSUAL)[case.model]()
    before = [(name, p, p.requires_grad) for name, p in model.named_parameters()]
    result = parameter_groups(model, case.weight_decay)
    yield "kind", _kind(result)
    groups = [dict(group) for group in result]
    yield (
        "keys",
        " and ".join(sorted(set.intersection({"params", "weight_decay"}, *map(set, groups)))),
    )
    has_sets = any(isinstance(group["params"], (set, frozenset)) for group in groups)
    for group in groups:
        group["params"] = [_parameter(entry) for entry in group["params"]]
    yield "how often", _how_often(before, groups)
    if _strange(before, groups):
        return
    if case.weight_decay != 0:
        decayed = [g for g in groups if float(g["weight_decay"]) == case.weight_decay]
        spared = [g for g in groups if float(g["weight_decay"]) == 0]
        yield "decayed", _names(before, decayed, open_names)
        yield "not decayed", _names(before, spared, open_names)
    groups = [group for group in groups if group["params"]]
    if len(before) > 1 and case.weight_decay != 0 and not open_names:
        yield "groups", " | ".join(sorted(_names(before, [group], open_names) for group in groups))
    values = sorted({float(group["weight_decay"]) for group in groups})
    yield "optimiser", _taken(groups, has_sets)
    yield "weight decays", ", ".join(f"{value:g}" for value in values)
    yield "frozen afterwards", ", ".join(n for n, p, _ in before if not p.requires_grad) or "none"
    yield "names afterwards", ", ".join(name for name, _ in model.named_parameters())


def _kind(result: Any) -> str | None:
    """What kind of thing was returned; tuples and other sequences of dicts are as good."""
    if isinstance(result, (list, tuple)):
        kinds = sorted({type(group).__name__ for group in result if not isinstance(group, dict)})
        return f"a list that holds {' and '.join(kinds)}" if kinds else "a list of dicts"
    if isinstance(result, (dict, torch.optim.Optimizer)):
        return f"a {type(result).__name__}"
    return None if result is None else "a list of dicts"


def _taken(groups: list[dict[str, Any]], has_sets: bool) -> str:
    """What happens when an optimiser is made from the groups."""
    if not groups:
        return "no error"
    if has_sets:
        groups = [{**group, "params": set(group["params"])} for group in groups]
    return outcome_of(lambda: torch.optim.SGD(groups, lr=0.1))


def _parameter(entry: Any) -> Any:
    """An entry of a group: a parameter, or a pair (name, parameter), which optimisers also take."""
    return entry[1] if isinstance(entry, tuple) else entry


Known = list[tuple[str, nn.Parameter, bool]]


def _how_often(known: Known, groups: list[dict[str, Any]]) -> str:
    """How often each parameter stands in the groups."""
    entries = [entry for group in groups for entry in group["params"]]
    counts = [f"{name} {sum(entry is p for entry in entries)}×" for name, p, _ in known]
    strange = _strange(known, groups)
    return ", ".join(
        [*counts, *([f"and {len(strange)} other things ({strange[0]})"] if strange else [])]
    )


def _strange(known: Known, groups: list[dict[str, Any]]) -> list[str]:
    """The types of what stands in the groups and is no parameter of the model."""
    entries = [entry for group in groups for entry in group["params"]]
    return [type(e).__name__ for e in entries if all(e is not p for _, p, _ in known)]


def _names(known: Known, groups: list[dict[str, Any]], open_names: frozenset[str]) -> str:
    entries = [entry for group in groups for entry in group["params"]]
    found = [
        name
        for name, p, _ in known
        if name not in open_names and any(entry is p for entry in entries)
    ]
    return ", ".join(found) or "none"


CALL = "parameter_groups(model, weight_decay={weight_decay})"

PARAMETER_GROUPS = Check(
    name="check_parameter_groups",
    lesson="weight_decay",
    topic="parameter groups",
    takes=(Argument("parameter_groups"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "kind": Aspect(CALL, "A list of two dicts is expected."),
        "keys": Aspect(
            f"{CALL}, and then the keys that all groups have",
            "Every group needs the keys 'params' and 'weight_decay'.",
        ),
        "how often": Aspect(
            f"{CALL}, and then how often each parameter stands in the groups",
            "Every trainable parameter must stand in the groups once, and a frozen one not at all.",
        ),
        "decayed": Aspect(
            f"{CALL}, and then the group with this weight decay",
            "The wrong parameters are decayed.",
        ),
        "not decayed": Aspect(
            f"{CALL}, and then the group without weight decay",
            "The wrong parameters are spared from weight decay.",
        ),
        "groups": Aspect(
            f"{CALL}, and then which parameters stand together",
            "Two groups are expected: what is decayed, and what is not.",
        ),
        "optimiser": Aspect(
            f"torch.optim.SGD({CALL}, lr=0.1)", "PyTorch's optimisers do not take these groups."
        ),
        "weight decays": Aspect(
            f"{CALL}, and then the weight decay of each group",
            "A group has the wrong weight decay.",
        ),
        "frozen afterwards": Aspect(
            f"{CALL}, and then the frozen parameters",
            "Your code changed which parameters are trained.",
        ),
        "names afterwards": Aspect(
            f"{CALL}, and then the names of the model's parameters", "Your code changed the model."
        ),
    },
    praise="weights decay, biases and normalisation layers do not, and each stands there once.",
    reread="What should not decay",
)


def check_parameter_groups(parameter_groups: Callable[..., list[dict[str, Any]]]) -> None:
    """Check `parameter_groups(model, weight_decay) -> list[dict]`: two groups for an optimiser.

    Each group has the keys `params` and `weight_decay`; more keys, and the order of groups and
    parameters, are free. Biases (their own name contains `bias`, as in `bias_ih_l0`) and the
    parameters of torch's normalisation layers, of any number of axes, are not decayed; every
    other weight is. Frozen parameters are left out, and a group without parameters may be left
    out or empty.

    Noted, not counted: embeddings, names that mislead, parameters that a module of one's own
    holds, such as a bias of shape (1, 4), and models without parameters. A parameter with fewer
    than two axes that is neither, such as the slope of `nn.PReLU`, may stand in either group.

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest model for which the groups are wrong.

    >>> from helpers.answers.weight_decay.parameter_groups import parameter_groups
    >>> check_parameter_groups(parameter_groups)
    ✓ parameter groups — weights decay, biases and normalisation layers do not, and each stands there once.
    """
    run_check(PARAMETER_GROUPS, parameter_groups)
