"""Which files of an image are the application itself, and not Python, its packages or the system."""

import posixpath
from dataclasses import dataclass
from typing import Final

from checks.sources.registry.image.tar import inside
from validate_daily.source_code.tree import SKIPPED

_SYSTEM: Final = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "tmp", "usr", "var"}
)
_DECLARES: Final = frozenset({"pyproject.toml", "setup.cfg", "setup.py"})


@dataclass(frozen=True, slots=True)
class Application:
    """What lies below the working directory; where that is the root, whatever is not the system's."""

    working_directory: str | None

    @property
    def folder(self) -> str:
        """From the image's root, without a leading slash; empty for the root itself."""
        return inside(self.working_directory or "").strip(".")

    def owns(self, path: str) -> bool:
        """Whether a path is a Python file of the application's own, or says how it is packaged."""
        name = posixpath.basename(path)
        if not (name.endswith(".py") or name in _DECLARES):
            return False
        if self.folder:
            return path.startswith(f"{self.folder}/") and SKIPPED.isdisjoint(path.split("/"))
        return path.split("/", 1)[0] not in _SYSTEM and SKIPPED.isdisjoint(path.split("/"))
