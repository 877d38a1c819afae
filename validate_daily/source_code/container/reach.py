"""Everything that is imported from a container's first modules on: what was copied, and what was left out."""

import posixpath
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from validate_daily.source_code.container.command import EntryPoint
from validate_daily.source_code.container.copies import CopiedImage
from validate_daily.source_code.module import Import, is_test
from validate_daily.source_code.python.packages import INIT, FoundPackage, Packages, join
from validate_daily.source_code.requirements import packages_of


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is imported and was not copied, and the first place that imports it; line 0 is the command."""

    what: str
    importer: str
    line: int
    ignored: bool


@dataclass(slots=True, kw_only=True)
class Reach:
    """A walk through one image.

    Attributes:
        installed: packages that come from elsewhere, whatever they are called in the tree.
        begun: whether any first module was found.
    """

    packages: Packages
    image: CopiedImage
    installed: frozenset[str]
    begun: bool = False
    roots: list[str] = field(default_factory=list[str])
    pending: list[str] = field(default_factory=list[str])
    left_out: dict[str, LeftOut] = field(default_factory=dict[str, LeftOut])

    def walk(self, entry_points: Iterable[EntryPoint]) -> list[LeftOut]:
        """Follow every import from these modules on; what is missing, once each."""
        self.roots = [self.image.workdir, *self.image.path]
        for each in entry_points:
            self._begin(each)
        seen = set[str]()
        while self.pending:
            path = self.pending.pop(0)
            module = self.image.tree.modules.get(path)
            if path in seen or module is None:
                continue
            seen.add(path)
            for imported in module.imports:
                self._follow(imported, path)
        return list(self.left_out.values())

    def _begin(self, each: EntryPoint) -> None:
        if each.script:
            target = posixpath.normpath(posixpath.join(self.image.workdir, each.script))
            self.roots.append(posixpath.dirname(target))
            source = self.image.source_of(target)
            if source:
                self._take([source])
            return
        if each.folder:
            self.roots.append(posixpath.normpath(posixpath.join(self.image.workdir, each.folder)))
        imported = Import(each.module, 0, ("__main__",), 1, 1, guarded=False, late=False)
        if (found := self._in_image(imported)) is not None:
            self._take(found)
        else:
            self._in_tree(imported, join(self.image.context, "Dockerfile"), line=0)

    def _take(self, sources: Iterable[str]) -> None:
        self.begun = True
        self.pending += sources

    def _follow(self, imported: Import, importer: str) -> None:
        if not imported.level and imported.module.split(".")[0] in sys.stdlib_module_names:
            return
        found = None if imported.level else self._in_image(imported)
        self.pending += found or ()
        if found is None or self._may_miss(imported, found):
            self._in_tree(imported, importer, imported.line)

    def _in_image(self, imported: Import) -> list[str] | None:
        """The files that Python would find in the image; None if it does not find the module."""
        for root in self.roots:
            where, found = root, list[str]()
            for part in imported.module.split("."):
                where = posixpath.join(where, part)
                source = self._module_at(where)
                if source is None and not self.image.has_folder(where):
                    break
                found += [source] if source else []
            else:
                return found + [each for name in imported.names if (each := self._module_at(f"{where}/{name}"))]
        return None

    def _may_miss(self, imported: Import, found: list[str]) -> bool:
        """Whether a name that is taken out of a module may be a module itself, which only the tree has."""
        names = {path.removesuffix(f"/{INIT}").rsplit("/", 1)[-1].removesuffix(".py") for path in found}
        return any(name in self.packages.names for name in imported.names if name not in names)

    def _module_at(self, target: str) -> str | None:
        return self.image.source_of(f"{target}/{INIT}") or self.image.source_of(f"{target}.py")

    def _in_tree(self, imported: Import, importer: str, line: int) -> None:
        found = self.packages.find(imported, importer)
        if found is None or (not imported.level and self._comes_from_elsewhere(imported)):
            return
        held = [path for path in found.files if self.image.holds(path)]
        if held and line == 0:
            self.begun = True
        self.pending += held
        for what in self._missing(found):
            self.left_out.setdefault(what, LeftOut(what, importer, line, self._is_ignored(what)))

    def _comes_from_elsewhere(self, imported: Import) -> bool:
        return any(name in self.installed for name in packages_of(imported.module.split(".")[0]))

    def _missing(self, found: FoundPackage) -> Iterator[str]:
        """The outermost package that was not copied, or else the module."""
        below_context = f"{self.image.context}/" if self.image.context else ""
        for folder in found.folders:
            inside = [path for path in self.packages.files if path.startswith(f"{folder}/")]
            if folder.startswith(below_context) and not is_test(inside[0]) and not any(map(self.image.holds, inside)):
                yield f"{folder}/"
                return
        for path in found.files:
            if path.startswith(below_context) and not is_test(path) and not self.image.holds(path):
                yield path
                return

    def _is_ignored(self, what: str) -> bool:
        paths = [path for path in self.packages.files if path == what or path.startswith(what)]
        return bool(paths) and all(map(self.image.is_ignored, paths))
