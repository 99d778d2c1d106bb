"""Finds which of the given cells a student's graded work needs, so that the others need not run.

A lesson's experiments take most of its time, and no score depends on them. A given cell runs when
it binds or changes a name that the student's cells, the checks, or another cell that runs, use.
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

EVERYTHING = "*"
"""Stands for the names of `from module import *`, which cannot be known."""


@dataclass(frozen=True)
class Names:
    """What a cell does to the notebook's names."""

    uses: frozenset[str]
    provides: frozenset[str]
    """Names that it binds, or whose object it changes by an assignment to a part of it."""


def names_of(code: str) -> Names:
    """The names that a cell uses from other cells, and those that it provides.

    >>> names = names_of("def f(x):\\n    return scale * x\\nf.name = 'f'")
    >>> sorted(names.uses), sorted(names.provides)
    (['f', 'scale'], ['f'])

    Code that is no Python uses and provides nothing.
    """
    try:
        python = TransformerManager().transform_cell(code)
        tree = ast.parse(python)
        table = symtable.symtable(python, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Names(frozenset(), frozenset())
    uses, provides = set(_globals_used(table)), set(_bound(table)) | set(_changed(tree))
    for inner in _code_in_magics(tree):
        names = names_of(inner)
        uses |= names.uses
        provides |= names.provides
    return Names(frozenset(uses), frozenset(provides))


def _globals_used(table: symtable.SymbolTable) -> Iterable[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _globals_used(inner)


def _bound(table: symtable.SymbolTable) -> Iterable[str]:
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if (symbol.is_assigned() or symbol.is_imported()) and (top or symbol.is_declared_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _bound(inner)


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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("run_line_magic", "run_cell_magic"):
                for argument in node.args[1:]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield argument.value


def needed(given: Mapping[str, str], work: Iterable[str], names: Iterable[str]) -> set[str]:
    """The ids of the given cells that must run.

    Args:
        given: code of the given cells, by id.
        work: code of the cells that run in any case.
        names: further names that are used, such as the arguments of checks.

    >>> given = {"a": "import torch", "b": "data = load(torch)", "c": "plot(data)"}
    >>> sorted(needed(given, ["def f(x): return torch.relu(x)"], ["f"]))
    ['a']
    """
    wanted = set(names)
    for code in work:
        wanted |= names_of(code).uses
    waiting = {key: names_of(code) for key, code in given.items()}
    chosen: set[str] = set()
    while True:
        more = [
            key
            for key, cell in waiting.items()
            if EVERYTHING in cell.provides or cell.provides & wanted
        ]
        if not more:
            return chosen
        for key in more:
            chosen.add(key)
            wanted |= waiting.pop(key).uses
