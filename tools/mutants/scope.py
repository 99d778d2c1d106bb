"""Which names a change may put in the place of another: those of the same scope, bound before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
BINDING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.withitem)
SELF = ("self", "cls")


@dataclass(frozen=True)
class Scope:
    """Where a piece of code stands."""

    path: tuple[str, ...] = ()
    """The classes and functions around it, such as `("MyReLU", "forward")`."""
    names: tuple[tuple[str, tuple[int, int]], ...] = ()
    """Local names, with the place (line, column) from which they are bound."""
    attributes: tuple[str, ...] = ()
    """What the class around it keeps on `self`."""

    def within(self, node: ast.AST) -> Scope:
        """The scope inside a class, a function or a comprehension; the same for any other node."""
        if isinstance(node, ast.ClassDef):
            return Scope((*self.path, node.name), (), tuple(_attributes(node)))
        if isinstance(node, Function):
            names = dict(_bound(node))
            return replace(
                self,
                path=(*self.path, node.name),
                names=tuple({**dict(self.names), **names}.items()),
            )
        if isinstance(node, Comprehension):
            targets = (name for part in node.generators for name in ast.walk(part.target))
            own = {name.id: (0, 0) for name in targets if isinstance(name, ast.Name)}
            return replace(self, names=tuple({**dict(self.names), **own}.items()))
        return self

    def instead_of(self, name: ast.Name) -> list[str]:
        """The other local names that could be meant here; none for a name that is not local."""
        here = (name.lineno, name.col_offset)
        if name.id in SELF or not self.is_local(name):
            return []
        return [
            other for other, place in self.names if other not in (*SELF, name.id) and place < here
        ]

    def is_local(self, node: ast.expr) -> bool:
        """Whether an expression begins with a local name or a value, not with a module or class.

        >>> call = lambda text: ast.parse(text, mode="eval").body
        >>> scope = Scope(names=(("x", (0, 0)),))
        >>> scope.is_local(call("x.T")), scope.is_local(call("torch.pi"))
        (True, False)
        """
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        return not isinstance(node, ast.Name) or node.id in (*SELF, *dict(self.names))


def _bound(function: Function) -> Iterator[tuple[str, tuple[int, int]]]:
    """The parameters of a function and the names that it binds, each with its first place."""
    arguments = function.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        yield one.arg, (0, 0)
    found: dict[str, tuple[int, int]] = {}
    for statement in _own_nodes(function):
        for node in ast.iter_child_nodes(statement):
            for name in ast.walk(node) if isinstance(statement, BINDING) else ():
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    found.setdefault(name.id, _end(statement))
    yield from found.items()


def _end(statement: ast.AST) -> tuple[int, int]:
    """The place from which the names that a statement binds can be used."""
    part = statement
    if isinstance(statement, ast.For):
        part = statement.iter
    elif isinstance(statement, ast.withitem):
        part = statement.context_expr
    return (getattr(part, "end_lineno", 0), getattr(part, "end_col_offset", 0))


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a function itself, not in a function, class or comprehension inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*Function.__args__, *Comprehension.__args__, ast.Lambda)):
            yield child
            yield from _own_nodes(child)


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    """The names of what methods store on `self`, also by `register_buffer`, without repetition."""
    found: dict[str, None] = {}
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Attribute)
            and isinstance(part.ctx, ast.Store)
            and isinstance(part.value, ast.Name)
            and part.value.id in SELF
        ):
            found[part.attr] = None
        elif (
            isinstance(part, ast.Call)
            and isinstance(part.func, ast.Attribute)
            and part.func.attr.startswith("register_")
            and part.args
            and isinstance(part.args[0], ast.Constant)
        ):
            found[str(part.args[0].value)] = None
    yield from found
