"""What rules look at: a tree, its packages, and what its requirements declare."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from checks.code.packages import Packages
from checks.code.requirements import Requirements, normal, project_requirements, requirements_of
from checks.code.tree import Tree

_OTHER_NAMES: Final = {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "MySQLdb": "mysqlclient",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slack": "slackclient",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Modules that are called otherwise than the packages that bring them."""


@dataclass(frozen=True)
class Project:
    """One tree, and what follows from it."""

    tree: Tree
    packages: Packages

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


def packages_of(module: str) -> Iterator[str]:
    """Names that a package which brings this module may have, the likeliest first."""
    first = module.split(".", maxsplit=1)[0]
    if first in _OTHER_NAMES:
        yield _OTHER_NAMES[first]
    dashed = normal(module)
    while dashed:
        yield dashed
        dashed = dashed.rpartition("-")[0]


def _is_for_developers(path: str) -> bool:
    name = posixpath.basename(path)
    return any(word in name for word in ("dev", "test", "lint", "docs", "optional", "extra"))
