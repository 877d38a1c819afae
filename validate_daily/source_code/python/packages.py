"""Which directories and files of a tree an import leads to, as Python would look for them."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from validate_daily.source_code.module import Import
from validate_daily.source_code.tree import Tree, is_dockerfile

INIT = "__init__.py"


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """Where an import leads.

    Attributes:
        base: the directory that Python would find it from.
        folders: the directories that act as packages on the way, outermost first.
        files: the modules themselves; ``__init__.py`` of packages that have one.
    """

    base: str
    folders: tuple[str, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packages:
    """A tree, seen as Python sees it.

    Attributes:
        folders: directories that hold Python files, themselves or further down.
        regular: those with an ``__init__.py``.
        bases: where top-level names may be found from.
        names: what any module or package is called, without its place.
    """

    name: str
    files: frozenset[str]
    folders: frozenset[str]
    regular: frozenset[str]
    bases: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """Find the packages of a tree."""
        sources = frozenset(path for path in tree.files if path.endswith(".py"))
        folders = {above for path in sources for above in ancestors(parent(path))}
        regular = {parent(path) for path in sources if path.rsplit("/", 1)[-1] == INIT}
        tops = {parent(folder) for folder in regular if folder and parent(folder) not in regular}
        builds = {parent(path) for path in tree.texts if is_dockerfile(path)}
        bases = ["", *sorted((tops | builds | ({"src"} & folders)) - {""})]
        bases = [base for base in bases if base not in regular]
        names = {path.rsplit("/", 1)[-1].removesuffix(".py") for path in [*sources, *folders]}
        return cls(tree.name, sources, frozenset(folders), frozenset(regular), tuple(bases), frozenset(names))

    def find(self, imported: Import, importer: str) -> FoundPackage | None:
        """Where an import in a file of the tree leads within it; None if it leads out of it, or nowhere."""
        parts = imported.module.split(".") if imported.module else []
        for base, below in self._starts(imported, importer, parts):
            if found := self._walk(base, below, imported):
                return found
        return None

    def _starts(self, imported: Import, importer: str, parts: list[str]) -> Iterator[tuple[str, list[str]]]:
        here = parent(importer)
        if imported.level:
            *_, base = [here, *above(here, imported.level - 1)]
            yield base, parts
            return
        if parts[0] in sys.stdlib_module_names:
            return
        if "" in self.regular and parts[0] == self.name:
            yield "", parts[1:]
        if here not in self.regular and here not in self.bases:
            yield here, parts
        around = [base for base in ancestors(here) if base in self.bases]
        yield from ((base, parts) for base in [*around, *(base for base in self.bases if base not in around)])

    def _walk(self, base: str, parts: list[str], imported: Import) -> FoundPackage | None:
        folders = [base] if imported.level and base else []
        files: list[str] = []
        where = base
        for index, part in enumerate(parts):
            where = join(where, part)
            kind = self._kind(where)
            if kind is None or (kind == "module" and index < len(parts) - 1):
                return None
            if kind == "module":
                return FoundPackage(base, tuple(folders), (*files, f"{where}.py"))
            folders.append(where)
            files += [join(where, INIT)] if where in self.regular else []
        for name in imported.names:
            below = join(where, name)
            match self._kind(below):
                case "module":
                    files.append(f"{below}.py")
                case "folder":
                    folders.append(below)
                    files += [join(below, INIT)] if below in self.regular else []
                case _:
                    pass
        if not files and imported.names and where not in self.regular:
            return None  # nothing can be taken out of a directory that holds none of these names
        return FoundPackage(base, tuple(folders), tuple(files))

    def _kind(self, path: str) -> str | None:
        """A regular package goes before a module, and a module before a directory without ``__init__.py``."""
        if path in self.regular:
            return "folder"
        if f"{path}.py" in self.files:
            return "module"
        return "folder" if path in self.folders else None


def parent(path: str) -> str:
    """The directory that holds it; empty for what lies at the top."""
    return path.rpartition("/")[0]


def join(folder: str, name: str) -> str:
    """A name in a directory; the top is empty."""
    return f"{folder}/{name}" if folder else name


def above(folder: str, steps: int) -> list[str]:
    """The directories above one, nearest first, at most so many; what would lead out stays at the top."""
    found: list[str] = []
    for _ in range(min(steps, folder.count("/") + 1)):
        folder = parent(folder)
        found.append(folder)
    return found


def ancestors(folder: str) -> Iterator[str]:
    """A directory and all that hold it, the top last."""
    yield folder
    while folder:
        folder = parent(folder)
        yield folder
