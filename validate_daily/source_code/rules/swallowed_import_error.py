"""An ``except`` that turns a failed import of one's own code into None or False switches a feature off silently.

Severity: P1 where the name says that it watches something (heartbeats, alerts, metrics): its silence looks like peace;
P2 for the rest. What is really optional is left alone: packages that no requirements name, other implementations, names
that are bound otherwise, and a flag that somebody reads in order to raise or to warn. Tests are left alone.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

from validate_daily.source_code.finding import CodeFinding, CodeSeverity
from validate_daily.source_code.module import Module, catches_import_error, last_name
from validate_daily.source_code.needs import Needed
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.silence import binds, is_answered, is_silent

_WATCHES: Final = re.compile(
    r"heartbeat|monitor|alert|notif|metric|telemetr|sentry|audit|health|observab", re.IGNORECASE
)

Imported = ast.Import | ast.ImportFrom


def swallowed_import_error(project: Project) -> Iterator[CodeFinding]:
    """One finding for each ``except`` that swallows, at its own line."""
    needed = Needed(project)
    for module in project.tree.modules.values():
        if not module.is_test and any(each.guarded for each in module.imports):
            yield from _in_module(needed, module)


def _in_module(needed: Needed, module: Module) -> Iterator[CodeFinding]:
    tree = module.parse()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        imports = [each for each in node.body if isinstance(each, Imported)]
        handler = next((each for each in node.handlers if catches_import_error(each)), None)
        if not imports or handler is None or not is_silent(handler) or not _is_about_importing(node, handler):
            continue
        names = {alias.asname or alias.name.split(".")[0] for each in imports for alias in each.names}
        watches = _says_that_it_watches(imports, handler)
        target = needed.first(imports, module, even_optional=watches)
        if target and not is_answered(tree, node, names | set(binds(handler.body))):
            yield _finding(module, handler, target, watches=watches)


def _is_about_importing(node: ast.Try, handler: ast.ExceptHandler) -> bool:
    """One that catches more than import errors is about more than imports, unless nothing else stands in it."""
    kinds = [] if handler.type is None else getattr(handler.type, "elts", [handler.type])
    if kinds and not any(last_name(kind) in {"Exception", "BaseException"} for kind in kinds):
        return True
    return all(
        isinstance(each, Imported) or (isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant | ast.Name))
        for each in node.body
    )


def _says_that_it_watches(imports: list[Imported], handler: ast.ExceptHandler) -> bool:
    names = [alias.name for each in imports for alias in each.names]
    modules = [each.module or "" for each in imports if isinstance(each, ast.ImportFrom)]
    return any(_WATCHES.search(name) for name in [*names, *modules, *binds(handler.body)])


def _finding(module: Module, handler: ast.ExceptHandler, target: str, *, watches: bool) -> CodeFinding:
    bound = sorted(binds(handler.body))
    consequence = f"only sets {', '.join(bound)}" if bound else "says nothing"
    return CodeFinding(
        rule="swallowed-import-error",
        path=module.path,
        line=handler.lineno,
        column=handler.col_offset + 1,
        severity=CodeSeverity.P1 if watches else CodeSeverity.P2,
        reason=f"when the import of {target} fails, this {consequence}: what depends on it is switched off silently",
        fix="let it fail: this project cannot do without it; or log the error at warning or above",
    )
