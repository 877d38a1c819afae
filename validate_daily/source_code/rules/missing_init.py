"""A directory that is imported as a package and has no ``__init__.py`` is left out by what looks for packages.

Severity: P1: setuptools' find_packages, zipped deploys and many tools pass such a directory by without a word, and its
import then fails only where it was deployed to. What is meant as a namespace package (PEP 420) is left alone: said to
be one in pyproject.toml, setup.cfg or setup.py, or consistently without ``__init__.py`` from the top. So
is what only tests import.
"""

from collections.abc import Iterator

from checks.judge.finding import Severity
from validate_daily.source_code.finding import CodeFinding
from validate_daily.source_code.project import Project
from validate_daily.source_code.python.module import Import, Module, is_test
from validate_daily.source_code.python.packages import INIT, ancestors, join, parent

_GENERATED = ("_pb2.py", "_pb2_grpc.py")
_NAMESPACES = ("namespaces = true", "namespaces=true", "find_namespace:", "find_namespace_packages")


def missing_init(project: Project) -> Iterator[CodeFinding]:
    """One finding for each directory, at the first import that leads through it."""
    importers: dict[str, list[tuple[Module, Import, str]]] = {}
    for module in project.tree.modules.values():
        for imported in () if module.is_test else module.imports:
            if found := project.packages.find(imported, module.path):
                for folder in set(found.folders) - project.packages.regular:
                    importers.setdefault(folder, []).append((module, imported, found.base))
    for folder, where in sorted(importers.items()):
        if any(_is_fault(project, folder, base) for base in {base for _, _, base in where}):
            module, imported, _ = min(where, key=lambda each: (each[0].path, each[1].line))
            yield _finding(folder, module, imported, len(where) - 1)


def _finding(folder: str, module: Module, imported: Import, more: int) -> CodeFinding:
    others = f" ({more} more imports lead through it)" if more else ""
    return CodeFinding(
        rule="missing-init",
        path=module.path,
        line=imported.line,
        column=imported.column,
        severity=Severity.P1,
        reason=f"{folder}/ is imported here as a package and has no {INIT}{others}: "
        "what collects packages leaves it out, and the import fails where it is deployed",
        fix=f"add {join(folder, INIT)}; if it is meant as a namespace package, say so where the project is declared",
    )


def _is_fault(project: Project, folder: str, base: str) -> bool:
    if is_test(join(folder, INIT)) or _is_declared(project, folder):
        return False
    inside = any(above in project.packages.regular for above in ancestors(parent(folder)) if len(above) > len(base))
    return inside or _beside_packages(project, folder)


def _beside_packages(project: Project, folder: str) -> bool:
    """Whether it holds modules of its own, and only its neighbours have ``__init__.py``."""
    packages = project.packages
    own = [path for path in packages.files if parent(path) == folder]
    if not own or all(path.endswith(_GENERATED) for path in own):
        return False
    if any(regular.startswith(f"{folder}/") for regular in packages.regular):
        return False
    return any(
        parent(other) == parent(folder) and other and not is_test(join(other, INIT)) for other in packages.regular
    )


def _is_declared(project: Project, folder: str) -> bool:
    texts = project.tree.texts
    return any(
        word in texts.get(join(above, name), "")
        for above in ancestors(folder)
        for name in ("pyproject.toml", "setup.cfg", "setup.py")
        for word in _NAMESPACES
    )
