"""Changes of a statement: it is forgotten, or what it wraps stands alone."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

Change = tuple[list[ast.stmt], str]
"""The statements that take the place of one, and a word for it where they are not of one line."""


def changes_of(node: ast.stmt) -> Iterator[Change]:
    """What could stand in the place of a statement."""
    if not isinstance(node, ast.Pass):
        yield [ast.Pass()], "(forgotten)"
    if isinstance(node, ast.If):
        if not isinstance(node.test, (ast.Compare, ast.UnaryOp)):  # those are changed themselves
            yield [ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)], ""
        yield node.body, "(always)"
        if node.orelse:
            yield node.orelse, "(the else alone)"
    elif isinstance(node, ast.With):
        yield node.body, "(without it)"
    elif isinstance(node, ast.For):
        yield [_for(node)], "(one round)"
    elif isinstance(node, ast.Try) and node.finalbody:
        yield [*node.body, *node.finalbody], "(the finally last)"
        yield node.body, "(no finally)"
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        target = copy.copy(node.target)
        target.ctx = ast.Load()
        value = ast.BinOp(target, node.op, node.value)
        yield [ast.Assign([node.target], value, lineno=node.lineno)], ""
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield (
            [ast.Raise(ast.Call(ast.Name("RuntimeError", ast.Load()), node.exc.args, []), None)],
            "",
        )
    elif isinstance(node, ast.Continue):
        yield [ast.Break()], ""
    elif isinstance(node, ast.Break):
        yield [ast.Continue()], ""


def line_of(node: ast.stmt) -> str:
    """A statement as one line of Python; of a compound one, its first.

    >>> line_of(ast.parse("for x in xs:\\n    print(x)").body[0])
    'for x in xs:'
    """
    shown = copy.copy(node)
    for name in ("orelse", "handlers", "finalbody", "decorator_list"):
        if hasattr(shown, name):
            setattr(shown, name, [])
    if hasattr(shown, "body"):
        shown.body = [ast.Pass()]
    return ast.unparse(ast.fix_missing_locations(shown)).splitlines()[0]


def _for(node: ast.For) -> ast.For:
    other = copy.copy(node)
    other.body = [*node.body, ast.Break()]
    return other
