"""What rules look at: a tree, its packages, its Dockerfiles, and what its requirements declare."""

import posixpath
from dataclasses import dataclass
from functools import cached_property

from validate_daily.source_code.container.builds import Build, builds_of
from validate_daily.source_code.python.packages import Packages
from validate_daily.source_code.requirements import Requirements, packages_of, project_requirements, requirements_of
from validate_daily.source_code.tree import Tree


@dataclass(frozen=True)
class Project:
    """One tree, and what follows from it."""

    tree: Tree
    packages: Packages

    @cached_property
    def builds(self) -> tuple[Build, ...]:
        """Its Dockerfiles."""
        return tuple(builds_of(self.tree, self.packages))

    @cached_property
    def declared(self) -> frozenset[str]:
        """What any requirements in the tree name, so that it is not optional."""
        found = Requirements()
        for path, text in self.tree.texts.items():
            if path.endswith("pyproject.toml"):
                found |= project_requirements(text)
            elif path.endswith((".txt", ".in")) and not _is_for_developers(path):
                found |= requirements_of(path, self.tree.texts)
        return found.names

    def declares(self, module: str) -> bool:
        """Whether the requirements name what brings a module, as ``google-cloud-firestore`` brings its own."""
        return any(name in self.declared for name in packages_of(module))


def _is_for_developers(path: str) -> bool:
    name = posixpath.basename(path)
    return any(word in name for word in ("dev", "test", "lint", "docs", "optional", "extra"))
