"""One Python file, and what it imports."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

IMPORT_ERRORS: Final = frozenset({"ImportError", "ModuleNotFoundError"})
BROADER: Final = frozenset({"Exception", "BaseException"})
_TESTS: Final = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True)
class Import:
    """One import, as it is written.

    Attributes:
        module: the dotted name, without leading dots; empty for ``from . import name``.
        level: how many dots lead it.
        names: what ``from`` takes out of it; each may be a module too.
        line: counted from 1.
        column: counted from 1, in bytes as ``ast`` has it.
        guarded: whether a ``try`` around it catches its failure.
        late: whether it runs when a function is called, not when its module is imported.
    """

    module: str
    level: int
    names: tuple[str, ...]
    line: int
    column: int
    guarded: bool
    late: bool


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file that parses: its text, and the imports that run (not those for type checkers)."""

    path: str
    text: str
    imports: tuple[Import, ...]

    def parse(self) -> ast.Module:
        """Its syntax tree. It is made anew each time: the trees of a large project do not fit into memory."""
        return parse(self.text)

    @property
    def is_test(self) -> bool:
        """Whether it looks like part of a test suite, which nobody deploys."""
        return is_test(self.path)


def read_module(path: str, text: str) -> Module:
    """Parse a file once, for its imports.

    Raises:
        SyntaxError: it is not Python of the version that runs this.
        ValueError: it holds what no source can, such as a null character.
        RecursionError: it nests too deep.
        MemoryError: the same, as the parser says it.
    """
    return Module(path=path, text=text, imports=tuple(sorted(_imports(parse(text)), key=lambda each: each.line)))


def parse(text: str) -> ast.Module:
    """Parse, without what Python warns of: odd escapes are not ours to judge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def is_test(path: str) -> bool:
    """Whether a path looks like part of a test suite."""
    *folders, name = path.split("/")
    return (
        not _TESTS.isdisjoint(folders) or name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    )


def catches_import_error(handler: ast.ExceptHandler) -> bool:
    """Whether an ``except`` catches the failure of an import: by its name, or because it catches nearly everything."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(last_name(kind) in IMPORT_ERRORS | BROADER for kind in kinds)


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name: ``run_id`` of ``self.run_id``; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _imports(tree: ast.Module) -> Iterator[Import]:
    pending: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while pending:
        node, guarded, late = pending.pop()
        match node:
            case ast.Import(names=aliases):
                at = (node.lineno, node.col_offset + 1)
                yield from (Import(alias.name, 0, (), *at, guarded, late) for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                names = tuple(alias.name for alias in aliases if alias.name != "*")
                yield Import(module or "", level, names, node.lineno, node.col_offset + 1, guarded, late)
            case ast.If(test=test, orelse=orelse) if last_name(test) == "TYPE_CHECKING":
                pending += [(each, guarded, late) for each in orelse]
            case ast.Try(body=body):
                caught = guarded or any(catches_import_error(handler) for handler in node.handlers)
                pending += [(each, caught, late) for each in body]
                pending += [(each, guarded, late) for each in [*node.handlers, *node.orelse, *node.finalbody]]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                pending += [(each, guarded, True) for each in ast.iter_child_nodes(node)]
            case _:
                pending += [(each, guarded, late) for each in ast.iter_child_nodes(node)]
