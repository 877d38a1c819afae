"""A heartbeat whose document id holds the run or the date is a new document for every run, and nobody's last word.

Severity: P1: the collection grows without end, and whoever looks for a processor's one document does not find it. An id
is a heartbeat's where it goes to ``.document(...)`` of a collection of heartbeats, or where its name, its function, its
class or its file says so.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.finding import CodeFinding, CodeSeverity
from validate_daily.source_code.module import Module, last_name
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.text_parts import is_built, run_part

_HEARTBEAT: Final = "heartbeat"
_IDS: Final = ("doc_id", "document_id", "doc_name", "document_name", "heartbeat_id", "heartbeat_key", "docid")
_FIX: Final = "use the processor's name alone as the id, and write run and date into fields of the document"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def run_scoped_heartbeat_id(project: Project) -> Iterator[CodeFinding]:
    """One finding for each place where such an id is put together, or left to chance."""
    for module in project.tree.modules.values():
        if _HEARTBEAT in module.path.lower() or _HEARTBEAT in module.text.lower():
            yield from _HeartbeatIds(module, _texts_of(module.parse())).findings()


@dataclass(frozen=True, slots=True)
class _HeartbeatIds:
    """One file. ``texts`` are names that it gives to constant texts, as ``COLLECTION = "heartbeats"``."""

    module: Module
    texts: dict[str, str]

    def findings(self) -> Iterator[CodeFinding]:
        told = set[tuple[int, int]]()
        pending: list[tuple[ast.AST, Function | None, bool]] = [
            (self.module.parse(), None, _HEARTBEAT in self.module.path.lower())
        ]
        while pending:
            node, function, ours = pending.pop()
            if isinstance(node, Function):
                function = node
            if isinstance(node, Function | ast.ClassDef):
                ours = ours or _HEARTBEAT in node.name.lower()
            for built, part in self._ids(node, function, ours=ours):
                if (place := (built.lineno, built.col_offset)) not in told:
                    told.add(place)
                    yield self._finding(built, part)
            pending += [(below, function, ours) for below in ast.iter_child_nodes(node)]

    def _ids(self, node: ast.AST, function: Function | None, *, ours: bool) -> Iterator[tuple[ast.expr, str]]:
        match node:
            case ast.Call(func=ast.Attribute(attr="document", value=holder), args=[given, *_]) if self._beats(holder):
                yield from _run_scoped(_value_of(given, function))
            case ast.Call(func=ast.Attribute(attr="document" | "add" as how, value=holder)) if self._is_collection(
                holder
            ):
                if how == "add" or not node.keywords:
                    yield node, f".{how}()"
            case ast.Assign(targets=[target], value=value) if _names_an_id(last_name(target), ours=ours):
                yield from _run_scoped(value)
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _names_an_id(last_name(target), ours=ours):
                yield from _run_scoped(value)
            case ast.keyword(arg=str(name), value=value) if _names_an_id(name, ours=ours):
                yield from _run_scoped(value)
            case ast.Return(value=ast.expr() as value) if function and _names_an_id(function.name, ours=ours):
                yield from _run_scoped(value)
            case _:
                pass

    def _beats(self, holder: ast.expr) -> bool:
        """Whether an expression speaks of heartbeats, in a name or in a text."""
        for each in ast.walk(holder):
            if isinstance(each, ast.Name | ast.Attribute):
                name = last_name(each)
                if _HEARTBEAT in name.lower() or _HEARTBEAT in self.texts.get(name, "").lower():
                    return True
            elif isinstance(each, ast.Constant) and isinstance(each.value, str) and _HEARTBEAT in each.value.lower():
                return True
        return False

    def _is_collection(self, holder: ast.expr) -> bool:
        """Whether it is ``….collection(heartbeats)`` itself."""
        match holder:
            case ast.Call(func=ast.Attribute(attr="collection"), args=[given, *_]):
                return self._beats(given)
            case _:
                return False

    def _finding(self, built: ast.expr, part: str) -> CodeFinding:
        chance = part.startswith(".")
        how = f"{part} without an id makes one up" if chance else f"{part} is part of it"
        return CodeFinding(
            rule="run-scoped-heartbeat-id",
            path=self.module.path,
            line=built.lineno,
            column=built.col_offset + 1,
            severity=CodeSeverity.P1,
            reason=f"this id of a heartbeat is another one for each run ({how}): one document for every run piles up",
            fix=_FIX,
        )


def _names_an_id(name: str, *, ours: bool) -> bool:
    lowered = name.lower().strip("_")
    named = any(lowered == each or lowered.endswith(f"_{each}") for each in _IDS)
    return named and (ours or _HEARTBEAT in lowered)


def _run_scoped(value: ast.expr) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(value, ast.IfExp):
        yield from _run_scoped(value.body)
        yield from _run_scoped(value.orelse)
    elif (is_built(value) or isinstance(value, ast.Call)) and (part := run_part(value)):
        yield value, part


def _value_of(given: ast.expr, function: Function | None) -> ast.expr:
    """What a local name was last given in its function; anything else is itself."""
    if not isinstance(given, ast.Name) or function is None:
        return given
    for node in reversed(list(ast.walk(function))):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == given.id:
                return value
            case _:
                pass
    return given


def _texts_of(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=ast.Constant(value=str(text))):
                found[last_name(target)] = text
            case ast.AnnAssign(target=target, value=ast.Constant(value=str(text))):
                found[last_name(target)] = text
            case _:
                pass
    found.pop("", None)
    return found
