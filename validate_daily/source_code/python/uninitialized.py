"""Directories that are imported as packages and have no ``__init__.py``, as a tree shows them.

A namespace package (PEP 420) is left out: pyproject.toml, setup.cfg or setup.py say that it is one, or nothing above it
has an ``__init__.py`` either. So is a directory that only tests import.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from validate_daily.source_code.module import Import, Module, is_test
from validate_daily.source_code.python.packages import INIT, Packages, ancestors, join, parent
from validate_daily.source_code.tree import Tree

_GENERATED = ("_pb2.py", "_pb2_grpc.py")
_NAMESPACES = ("namespaces = true", "namespaces=true", "find_namespace:", "find_namespace_packages")


@dataclass(frozen=True, slots=True)
class Uninitialized:
    """One such directory, the first import that leads through it, and how many more do."""

    folder: str
    importer: Module
    first: Import
    more: int


def uninitialized(tree: Tree, packages: Packages) -> Iterator[Uninitialized]:
    """Every such directory, by name."""
    importers: dict[str, list[tuple[Module, Import, str]]] = {}
    for module in tree.modules.values():
        for imported in () if module.is_test else module.imports:
            if found := packages.find(imported, module.path):
                for folder in set(found.folders) - packages.regular:
                    importers.setdefault(folder, []).append((module, imported, found.base))
    for folder, where in sorted(importers.items()):
        if any(_is_fault(tree, packages, folder, base) for base in {base for _, _, base in where}):
            module, imported, _ = min(where, key=lambda each: (each[0].path, each[1].line))
            yield Uninitialized(folder, module, imported, len(where) - 1)


def _is_fault(tree: Tree, packages: Packages, folder: str, base: str) -> bool:
    if is_test(join(folder, INIT)) or _is_declared(tree, folder):
        return False
    inside = any(above in packages.regular for above in ancestors(parent(folder)) if len(above) > len(base))
    return inside or _beside_packages(packages, folder)


def _beside_packages(packages: Packages, folder: str) -> bool:
    """Whether it holds modules of its own, and only its neighbours have ``__init__.py``."""
    own = [path for path in packages.files if parent(path) == folder]
    if not own or all(path.endswith(_GENERATED) for path in own):
        return False
    if any(regular.startswith(f"{folder}/") for regular in packages.regular):
        return False
    return any(
        parent(other) == parent(folder) and other and not is_test(join(other, INIT)) for other in packages.regular
    )


def _is_declared(tree: Tree, folder: str) -> bool:
    return any(
        word in tree.texts.get(join(above, name), "")
        for above in ancestors(folder)
        for name in ("pyproject.toml", "setup.cfg", "setup.py")
        for word in _NAMESPACES
    )
