"""Whether an ``except`` says nothing, and whether something else in its file speaks for it."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from validate_daily.source_code.module import last_name

_QUIET: Final = frozenset({"debug", "info"})
_LOUD: Final = frozenset({
    "warning", "warn", "error", "exception", "critical", "fatal", "print", "exit", "_exit", "abort", "skip", "fail",
})  # fmt: skip
_EMPTY: Final = (None, False, "", 0, b"")


def is_silent(handler: ast.ExceptHandler) -> bool:
    """Whether all that it does is nothing: it passes, returns or binds an empty value, or logs below a warning."""
    return all(_is_nothing(statement) for statement in handler.body)


def binds(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The names that these statements assign to, at their own level."""
    for statement in body:
        match statement:
            case ast.Assign(targets=targets):
                yield from (name for target in targets for name in _names(target))
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from _names(target)
            case _:
                pass


def is_answered(tree: ast.Module, swallowing: ast.Try, names: set[str]) -> bool:
    """Whether the file raises, warns or binds another value where these names are tested, or had bound them before."""
    own = set(map(id, ast.walk(swallowing)))
    bodies = _scope_of(tree, swallowing)
    if any(set(_bound_by(statement)) & names for statement in bodies if statement is not swallowing):
        return True
    return any(_answers(node, names) for node in ast.walk(tree) if id(node) not in own)


def _answers(node: ast.AST, names: set[str]) -> bool:
    match node:
        case ast.If(test=test, body=body, orelse=orelse) if _mentions(test, names):
            return any(_speaks(each) or set(_bound_by_any(each)) & names for part in (body, orelse) for each in part)
        case ast.Assert(test=test):
            return _mentions(test, names)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _mentions(test, names) and not (_is_empty(body) or _is_empty(orelse))
        case _:
            return False


def _speaks(statement: ast.stmt) -> bool:
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and last_name(node.func) in _LOUD)
        for node in ast.walk(statement)
    )


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(each, ast.Name | ast.Attribute) and last_name(each) in names for each in ast.walk(node))


def _scope_of(tree: ast.Module, node: ast.stmt) -> list[ast.stmt]:
    """The statements among which one stands."""
    for holder in ast.walk(tree):
        for _, value in ast.iter_fields(holder):
            if isinstance(value, list) and any(each is node for each in value):  # pyright: ignore[reportUnknownVariableType] - ast does not say what its lists hold
                return [each for each in value if isinstance(each, ast.stmt)]  # pyright: ignore[reportUnknownVariableType]
    return []


def _bound_by(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.split(".")[0] for alias in aliases)
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) if not _is_empty(value):
            yield from binds([statement])
        case _:
            pass


def _bound_by_any(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.stmt):
            yield from _bound_by(node)


def _names(target: ast.expr) -> Iterator[str]:
    elements = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    yield from (name for each in elements if (name := last_name(each)))


def _is_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Continue() | ast.Break() | ast.Delete() | ast.Return(value=None):
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=attribute))):
            return attribute in _QUIET
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value) | ast.Return(value=ast.expr() as value):
            return _is_empty(value)
        case _:
            return False


def _is_empty(value: ast.expr) -> bool:
    match value:
        case ast.Constant(value=constant):
            return any(constant is empty or (constant == empty and type(constant) is type(empty)) for empty in _EMPTY)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            return all(map(_is_empty, elements))
        case ast.Dict(keys=keys):
            return not keys
        case _:
            return False
