"""Which imports a project cannot do without: its own modules, and packages that its requirements name."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from validate_daily.source_code.module import Import, Module
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.packages import FoundPackage

_NOT_EVERYWHERE: Final = frozenset({
    "_winapi", "_winreg", "bz2", "crypt", "ctypes", "curses", "dbm", "fcntl", "grp", "lzma", "msvcrt",
    "multiprocessing", "nt", "nis", "ossaudiodev", "posix", "pwd", "readline", "resource", "spwd", "sqlite3", "ssl",
    "syslog", "termios", "tkinter", "tty", "winreg", "winsound", "zlib",
})  # fmt: skip
"""Modules of the standard library that some systems or builds lack."""

_MOST = 500


@dataclass(frozen=True, slots=True)
class Needed:
    """Answers for one project."""

    project: Project

    def first(self, imports: list[ast.Import | ast.ImportFrom], module: Module, *, even_optional: bool) -> str | None:
        """What these statements import that the project needs; None if it may well do without.

        Args:
            imports: statements of the module.
            module: the file that they stand in.
            even_optional: count a module of the project's own, even if it imports what no requirements name.
        """
        for imported in _facts(imports):
            found = self.project.packages.find(imported, module.path)
            if found and found.files:
                if even_optional or not self._leads_out(found):
                    return _told(imported)
            elif not found and imported.level == 0 and self._declares(imported):
                return _told(imported)
        return None

    def _leads_out(self, found: FoundPackage) -> bool:
        """Whether importing these modules imports a package that no requirements name."""
        pending, seen = list(found.files), set[str]()
        while pending and len(seen) < _MOST:
            path = pending.pop()
            module = self.project.tree.modules.get(path)
            if path in seen or module is None:
                continue
            seen.add(path)
            for imported in module.imports:
                if imported.guarded or imported.late:
                    continue
                below = self.project.packages.find(imported, module.path)
                if below:
                    pending += below.files
                elif self._is_optional(imported):
                    return True
        return False

    def _is_optional(self, imported: Import) -> bool:
        first = imported.module.split(".")[0]
        if imported.level or first in _NOT_EVERYWHERE:
            return True
        return first not in sys.stdlib_module_names and not self._declares(imported)

    def _declares(self, imported: Import) -> bool:
        if imported.module.split(".")[0] in sys.stdlib_module_names:
            return False
        names = [f"{imported.module}.{name}" for name in imported.names] or [imported.module]
        return any(map(self.project.declares, names))


def _facts(imports: list[ast.Import | ast.ImportFrom]) -> Iterator[Import]:
    for node in imports:
        at = (node.lineno, node.col_offset + 1)
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, 0, (), *at, guarded=True, late=False) for alias in node.names)
        else:
            names = tuple(alias.name for alias in node.names)
            yield Import(node.module or "", node.level, names, *at, guarded=True, late=False)


def _told(imported: Import) -> str:
    return "." * imported.level + ".".join(filter(None, [imported.module, *imported.names[:1]]))
