"""Changes of an expression: what a student could have written in its place.

Each function takes a node and its scope and yields nodes. The given node is never changed: a new
one may share its parts.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .scope import SELF, Scope

OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
NOT_COMMUTATIVE = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)
COMMUTATIVE = ("max", "min")

SISTERS = [
    ("sum", "mean"),
    ("min", "max"),
    ("argmin", "argmax"),
    ("any", "all"),
    ("std", "var"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("rand", "randn"),
    ("rand_like", "randn_like"),
    ("train", "eval"),
    ("floor", "ceil"),
    ("sigmoid", "tanh"),
    ("softmax", "log_softmax"),
    ("parameters", "buffers"),
    ("modules", "children"),
    ("named_modules", "named_children"),
]
"""Functions and methods that are taken for one another. Names of arguments too: `min=`, `max=`."""

IN_PLACE = ("abs", "add", "clamp", "copy", "div", "exp", "mul", "neg", "sqrt", "square", "sub")
"""Methods that have a twin with a trailing underscore, which changes the tensor itself."""


def operators(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """`+` for `-`, `<=` for `<`, `or` for `and`. In a tree, an operator is a node of its own."""
    for other in OPERATORS.get(type(node), ()):
        yield other()


def constants(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another number, text or truth value."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    others: list[bool | int | float | str] = []
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, int):
        others = [value + 1, value - 1]
    elif isinstance(value, float):
        others = [2 * value, 0.0] if value else [1.0]
    elif isinstance(value, str):
        others = [f"{value}_", ""] if value else []
    yield from (ast.Constant(other) for other in others)


def terms(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """An operand is lost, or two change places."""
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
        if isinstance(node.op, NOT_COMMUTATIVE):
            yield ast.BinOp(node.right, node.op, node.left)
    elif isinstance(node, ast.BoolOp):
        yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Compare) and len(node.ops) > 1:  # 0 <= p <= 1
        yield _with(
            node, ops=node.ops[1:], comparators=node.comparators[1:], left=node.comparators[0]
        )
        yield _with(node, ops=node.ops[:-1], comparators=node.comparators[:-1])


def conditions(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """The other branch, one branch always, no condition in a comprehension."""
    if isinstance(node, ast.IfExp):
        if not isinstance(node.test, ast.Compare):
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.comprehension):
        for i, test in enumerate(node.ifs):
            yield _with(node, ifs=_without(node.ifs, i))
            if not isinstance(test, ast.Compare):
                negated: ast.expr = ast.UnaryOp(ast.Not(), test)
                yield _with(node, ifs=[*node.ifs[:i], negated, *node.ifs[i + 1 :]])


def names(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """Another variable of the same scope, another attribute of the same object."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from (ast.Name(other, ast.Load()) for other in scope.instead_of(node))
    elif (
        isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id in SELF
        and node.attr in scope.attributes
    ):
        yield from (_with(node, attr=o) for o in scope.attributes if o != node.attr)


def wrappers(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """`x` for `x.detach()`, for `abs(x)`, for `x.T` and for `x[0]`; `x` and `y` for `max(x, y)`."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and scope.is_local(node.func):
            yield node.func.value
        if _calls_constructor(node) and len(node.args) != 1:
            return
        yield from (one for one in node.args if not isinstance(one, ast.Starred))
    elif isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Load):
        of_self = isinstance(node.value, ast.Name) and node.value.id in SELF
        if isinstance(node, ast.Subscript) or (scope.is_local(node) and not of_self):
            yield node.value


def arguments(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """An argument is lost, or two change places."""
    if not isinstance(node, ast.Call):
        return
    for i in range(len(node.keywords)):
        yield _with(node, keywords=_without(node.keywords, i))
    if node.args and (len(node.args) > 1 or isinstance(node.func, ast.Attribute)):
        yield _with(node, args=node.args[:-1])
    if getattr(node.func, "id", "") not in COMMUTATIVE:
        yield from (_with(node, args=swapped) for swapped in _swaps(node.args))


def sisters(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """`mean` for `sum`, `max=` for `min=`, `mul` for `mul_`."""
    pairs = {**dict(SISTERS), **{b: a for a, b in SISTERS}}
    if isinstance(node, ast.keyword) and node.arg in ("min", "max"):
        yield _with(node, arg=pairs[node.arg])
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        others = [pairs[name]] if name in pairs else []
        if scope.is_local(node.func) and name.removesuffix("_") in IN_PLACE:
            others.append(name.removesuffix("_") if name.endswith("_") else f"{name}_")
        for other in others:
            yield _with(node, func=_with(node.func, attr=other))
    elif isinstance(node.func, ast.Name) and node.func.id in pairs:
        yield _with(node, func=ast.Name(pairs[node.func.id], ast.Load()))


def parts(node: ast.AST, scope: Scope) -> Iterator[ast.AST]:
    """An entry of a tuple, list or dictionary is lost, or two change places; a slice has no end."""
    if isinstance(node, (ast.Tuple, ast.List)):
        if not all(isinstance(one, ast.Constant) for one in node.elts):  # (2, 3) are mostly axes
            yield from (_with(node, elts=swapped) for swapped in _swaps(node.elts))
        if isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
            for i in range(len(node.elts)):
                yield _with(node, elts=_without(node.elts, i))
    elif isinstance(node, ast.Dict):
        for i in range(len(node.keys)):
            yield _with(node, keys=_without(node.keys, i), values=_without(node.values, i))
    elif isinstance(node, ast.Slice):
        for end in ("lower", "upper"):
            if getattr(node, end) is not None:
                yield _with(node, **{end: None})


CHANGES: tuple[Callable[[ast.AST, Scope], Iterator[ast.AST]], ...] = (
    operators,
    constants,
    terms,
    conditions,
    names,
    wrappers,
    arguments,
    sisters,
    parts,
)


def _with(node: Any, **fields: Any) -> Any:
    """A copy of a node with other fields; the parts are shared."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def _without(items: Sequence[Any], position: int) -> list[Any]:
    return [*items[:position], *items[position + 1 :]]


def _swaps(items: Sequence[Any]) -> Iterator[list[Any]]:
    """The list with two neighbours exchanged, for each pair of neighbours."""
    for i in range(len(items) - 1):
        yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _calls_constructor(call: ast.Call) -> bool:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    return name[:1].isupper()
