"""Finds which of the given cells a student's graded work needs, so that the others need not run.

A lesson's experiments take most of its time, and no score depends on them. A given cell runs when
it binds or changes a name that the student's cells, the checks, or another cell that runs, use.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import CodeType

from IPython.core.inputtransformer2 import TransformerManager

EVERYTHING = "*"
"""Stands for the names of `from module import *`, which cannot be known."""


BINDS = frozenset({"STORE_NAME", "STORE_GLOBAL"})
READS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_CLASSDEREF"})


@dataclass(frozen=True)
class Names:
    """What a cell does to the notebook's names."""

    uses: frozenset[str]
    provides: frozenset[str]
    """Names that it binds, or whose object it changes by an assignment to a part of it."""

    def as_data(self) -> dict[str, list[str]]:
        """The same as plain data."""
        return {"uses": sorted(self.uses), "provides": sorted(self.provides)}

    @classmethod
    def from_data(cls, data: Mapping[str, list[str]]) -> Names:
        """What `as_data` made."""
        return cls(frozenset(data["uses"]), frozenset(data["provides"]))


def names_of(code: str) -> Names:
    """The names that a cell uses from other cells, and those that it provides.

    >>> names = names_of("def f(x):\\n    return scale * x\\nf.name = 'f'\\nx = 1\\nprint(x)")
    >>> sorted(names.uses), sorted(names.provides)
    (['print', 'scale'], ['f', 'x'])

    Code that is no Python uses and provides nothing.
    """
    try:
        tree = ast.parse(TransformerManager().transform_cell(code))
        top = compile(tree, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RuntimeError, MemoryError):
        return Names(frozenset(), frozenset())
    uses, provides = _of_code(top)
    provides |= set(_changed(tree))
    for inner in _code_in_magics(tree):
        names = names_of(inner)
        uses |= names.uses
        provides |= names.provides
    return Names(frozenset(uses), frozenset(provides))


def _of_code(top: CodeType) -> tuple[set[str], set[str]]:
    """The names that a cell reads before it has bound them, and all that it binds.

    Functions run later than the cell, so what they read counts if the cell never binds it.
    """
    uses: set[str] = set()
    provides: set[str] = set()
    for step in dis.get_instructions(top):
        name = str(step.argval)
        if step.opname in BINDS:
            provides.add(name)
        elif step.opname in READS and name not in provides:
            uses.add(name)
    for inner in _codes_in(top):
        for step in dis.get_instructions(inner):
            if step.opname == "STORE_GLOBAL":
                provides.add(step.argval)
    for inner in _codes_in(top):
        uses |= {
            step.argval
            for step in dis.get_instructions(inner)
            if step.opname in READS and step.argval not in provides
        }
    return uses, provides


def _codes_in(code: CodeType) -> Iterable[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes_in(constant)


def _changed(tree: ast.AST) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            name = _base(node)
            if name:
                yield name
        elif isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            yield EVERYTHING
        elif isinstance(node, ast.Call) and _base(node.func) in ("setattr", "delattr"):
            yield from (_base(argument) for argument in node.args[:1])


def _base(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _code_in_magics(tree: ast.AST) -> Iterable[str]:
    """The texts that `%time f(x)` and `%%time` give to IPython."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in ("run_line_magic", "run_cell_magic"):
            constants = [a.value for a in node.args[1:] if isinstance(a, ast.Constant)]
            yield from (value for value in constants if isinstance(value, str))


def needed(
    given: Mapping[str, str | Mapping[str, list[str]]],
    work: Iterable[str],
    names: Iterable[str],
    lost: Mapping[str, str | Mapping[str, list[str]]] | None = None,
) -> set[str]:
    """The ids of the given cells that must run.

    Args:
        given: the given cells by id, in the order of the notebook: their code, or the names in it
            as `Names.as_data` has them.
        work: code of the cells that run in any case.
        names: further names that are used, such as the arguments of checks.
        lost: given cells that are no longer there. They are needed for what no other cell provides.

    >>> given = {"a": "import torch", "b": "data = load(torch)", "c": "plot(data)"}
    >>> sorted(needed(given, ["def f(x): return torch.relu(x)"], ["f"]))
    ['a']
    >>> sorted(needed({}, ["def f(x): return torch.relu(x)"], ["f"], lost=given))
    ['a']

    Students' cells may call a function long after they defined it, so for them a given cell at any
    place counts; for a given cell only those above it do.
    """
    cells = {key: _names(cell) for key, cell in given.items()}
    own = [names_of(code) for code in work]
    wanted = set(names).union(*(cell.uses for cell in own))
    chosen = _providers(cells, wanted)
    there = frozenset().union(*(cell.provides for cell in (*cells.values(), *own)))
    if lost and EVERYTHING not in there:
        gone = {key: _names(cell) for key, cell in lost.items()}
        chosen |= _providers(gone, wanted - there)
    return chosen


def _names(cell: str | Mapping[str, list[str]]) -> Names:
    return names_of(cell) if isinstance(cell, str) else Names.from_data(cell)


def _providers(cells: Mapping[str, Names], wanted: set[str]) -> set[str]:
    """Those cells that provide a wanted name, for which `wanted` grows by what they use."""
    chosen = set()
    for key, cell in reversed(list(cells.items())):
        if EVERYTHING in cell.provides or cell.provides & wanted:
            chosen.add(key)
            wanted |= cell.uses
    return chosen
