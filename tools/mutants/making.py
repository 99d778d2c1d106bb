"""Makes all mutants of a TODO's cell: its solution changed in one place at a time."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .expressions import CHANGES
from .scope import Function, Scope
from .statements import changes_of, line_of

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


@dataclass(frozen=True)
class Mutant:
    """A cell with one change."""

    id: str
    """The TODO and a number, such as `4.2-017`: the same as long as the solution is."""
    change: str
    """Where and what, such as `sgd_step: return x + 1 → return x - 1`: by it the mutant is listed."""
    source: str
    """The whole cell, as Python writes its tree: without comments."""


def mutants_of(cell: str, number: str) -> list[Mutant]:
    """All mutants of the cell of TODO `number`, in the order of the text.

    >>> cell = "def f(x):\\n    ### BEGIN SOLUTION\\n    return x + 1\\n    ### END SOLUTION"
    >>> [mutant.change for mutant in mutants_of(cell, "0.1")][:3]
    ['f: return x + 1 → (forgotten)', 'f: return x + 1 → return x - 1', 'f: return x + 1 → return x']
    """
    seen, counted = {ast.unparse(ast.parse(cell))}, Counter[str]()
    made: list[Mutant] = []
    for change, source in _changes(ast.parse(cell), _solution_lines(cell)):
        if source in seen:
            continue
        seen.add(source)
        counted[change] += 1
        if counted[change] > 1:  # the same line twice in one function
            change += f" ({counted[change]})"
        made.append(Mutant(f"{number}-{len(made) + 1:03d}", change, source))
    return made


def _solution_lines(cell: str) -> set[int]:
    inside, lines = False, set()
    for i, line in enumerate(cell.splitlines(), start=1):
        inside = (inside or BEGIN in line) and END not in line
        if inside:
            lines.add(i)
    return lines


@dataclass(frozen=True)
class _Slot:
    """A place in a tree that holds a node."""

    parent: ast.AST
    field: str
    index: int | None

    def fill(self, new: Any) -> Any:
        """Put a node there, or a list of statements in the place of one; return what was there."""
        if self.index is None:
            old = getattr(self.parent, self.field)
            setattr(self.parent, self.field, new)
            return old
        old = getattr(self.parent, self.field)
        holder = list(old)
        holder[self.index : self.index + 1] = new if isinstance(new, list) else [new]
        setattr(self.parent, self.field, holder)
        return old

    def restore(self, old: Any) -> None:
        setattr(self.parent, self.field, old)


def _changes(tree: ast.Module, lines: set[int]) -> Iterator[tuple[str, str]]:
    """The text of each change, and the cell with it."""
    for place in _places(tree, lines):
        for new, word in _instead(place):
            before = line_of(place.statement)
            old = place.slot.fill(new)
            if word or not isinstance(new, list):
                after = word or line_of(place.statement)
            else:
                after = line_of(new[0])
            source = ast.unparse(tree)
            place.slot.restore(old)
            where = ".".join(place.scope.path)
            yield f"{where}: {before} → {after}" if where else f"{before} → {after}", source


@dataclass(frozen=True)
class _Place:
    """A node that may change, with its surroundings."""

    node: ast.AST
    slot: _Slot
    scope: Scope
    statement: ast.stmt


def _instead(place: _Place) -> Iterator[tuple[Any, str]]:
    if isinstance(place.node, ast.stmt):
        if isinstance(place.node, Function):
            for decorator in place.node.decorator_list:
                other = copy.copy(place.node)
                other.decorator_list = [d for d in other.decorator_list if d is not decorator]
                yield [other], f"without @{ast.unparse(decorator)}"
        yield from changes_of(place.node)
        return
    for change in CHANGES:
        yield from ((new, "") for new in change(place.node, place.scope))


def _places(tree: ast.Module, lines: set[int]) -> Iterator[_Place]:
    def walk(node: ast.AST, scope: Scope, statement: ast.stmt | None) -> Iterator[_Place]:
        inner = scope.within(node)
        for name, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or isinstance(child, ast.expr_context):
                    continue
                own = child if isinstance(child, ast.stmt) else statement
                at = _where(node, name, scope, inner)
                if own is not None and _may_change(node, child, own, lines):
                    yield _Place(child, _Slot(node, name, index), at, own)
                if not _is_text(child):
                    yield from walk(child, at, own)

    yield from walk(tree, Scope(), None)


def _where(node: ast.AST, field: str, outer: Scope, inner: Scope) -> Scope:
    """Default values and decorators belong to the outer scope, and are named by the function."""
    if isinstance(node, Function) and field != "body":
        return replace(outer, path=inner.path)
    return inner


def _may_change(parent: ast.AST, child: ast.AST, statement: ast.stmt, lines: set[int]) -> bool:
    if isinstance(parent, ast.arguments):
        return isinstance(child, ast.expr)  # default values, of the skeleton too
    if isinstance(statement, Function) and statement.lineno not in lines:
        return _in_default(child, statement)
    if isinstance(parent, ast.Call) and child is parent.func and isinstance(child, ast.Name):
        return False  # no other variable is a function
    return statement.lineno in lines and not _is_text(child)


def _in_default(child: ast.AST, function: ast.stmt) -> bool:
    arguments = getattr(function, "args", None)
    defaults = [*arguments.defaults, *arguments.kw_defaults] if arguments else []
    return any(child is node for one in defaults if one for node in ast.walk(one))


def _is_text(node: ast.AST) -> bool:
    """A docstring or a message: an exception's words are free."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )
