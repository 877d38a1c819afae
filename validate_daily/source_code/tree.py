"""A directory of source code, read once: bounded, never beyond itself, and silent about nothing that it cannot read."""

import io
import os
import stat
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from validate_daily.source_code.finding import UnreadFile
from validate_daily.source_code.module import Module, read_module

SKIPPED: Final = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__", "__pypackages__"})
"""Folders that hold nobody's own code; those whose name begins with a dot are skipped too. A named one is read."""

_PLAIN: Final = ("requirements", "constraints")
_NAMES: Final = frozenset({"pyproject.toml", "setup.cfg", "setup.py", "Procfile", ".dockerignore", "Pipfile"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLimits:
    """How much is read: files and directories looked at, bytes of one file, bytes in all, folders in each other."""

    entries: int = 200_000
    file: int = 2_000_000
    total: int = 400_000_000
    depth: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What was read below one directory. Paths are relative to it and have forward slashes.

    Attributes:
        name: of the directory itself: what others would import it as.
        modules: the Python files that parse, by path.
        texts: Dockerfiles, requirements and what else rules read, by path.
        files: all files that were seen, whether read or not.
        unread: what could not be read, and why.
    """

    name: str
    modules: dict[str, Module]
    texts: dict[str, str]
    files: frozenset[str]
    unread: tuple[UnreadFile, ...] = ()

    @property
    def lines(self) -> int:
        """Lines of Python that were read."""
        return sum(module.text.count("\n") for module in self.modules.values())


def is_dockerfile(path: str) -> bool:
    """``Dockerfile``, ``Dockerfile.worker`` or ``worker.Dockerfile``; its ``.dockerignore`` is none."""
    name = path.rsplit("/", 1)[-1]
    return (name.split(".")[0] == "Dockerfile" or name.endswith(".Dockerfile")) and not name.endswith(".dockerignore")


def is_cloud_build(path: str) -> bool:
    """A configuration of Cloud Build, as it is usually called."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith("cloudbuild") and name.endswith((".yaml", ".yml"))


def read_tree(root: Path, limits: TreeLimits | None = None) -> Tree:
    """Read a directory. What a file system does ends as an ``UnreadFile``, never as an exception."""
    reader = _TreeReader(root=root, limits=limits or TreeLimits())
    reader.walk()
    return Tree(
        name=root.resolve().name,
        modules=reader.modules,
        texts=reader.texts,
        files=frozenset(reader.files),
        unread=tuple(reader.unread),
    )


@dataclass(slots=True, kw_only=True)
class _TreeReader:
    root: Path
    limits: TreeLimits
    modules: dict[str, Module] = field(default_factory=dict[str, Module])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    files: list[str] = field(default_factory=list[str])
    unread: list[UnreadFile] = field(default_factory=list[UnreadFile])
    entries: int = 0
    total: int = 0

    def walk(self) -> None:
        pending = [("", 0)]
        while pending:
            folder, depth = pending.pop()
            below: list[tuple[str, int]] = []
            for entry in self._list(folder):
                self.entries += 1
                if self.entries > self.limits.entries:
                    self._miss(folder or ".", f"more than {self.limits.entries:,} files; name the folders that matter")
                    return
                path = f"{folder}/{entry.name}" if folder else entry.name
                if self._is_folder(entry, path):
                    below.append((path, depth + 1))
            if depth >= self.limits.depth and below:
                self._miss(folder, f"more than {self.limits.depth} folders in each other")
            else:
                pending += reversed(below)

    def _list(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._miss(folder or ".", f"cannot be listed: {error.strerror}")
            return []

    def _is_folder(self, entry: os.DirEntry[str], path: str) -> bool:
        """Take note of a file; say whether a folder is to be looked into."""
        try:
            if entry.is_symlink() and not self._inside(path):
                if entry.is_dir() or _is_wanted(path):
                    self._miss(path, "a symbolic link that leads out of what is read, or nowhere")
                return False
            if entry.is_dir(follow_symlinks=False):
                return not (_is_skipped(entry.name) or self._is_made(entry.name, self.root / path))
            if not entry.is_dir():
                self.files.append(path)
                if _is_wanted(path):
                    self._read(path)
        except OSError as error:
            self._miss(path, f"cannot be looked at: {error.strerror}")
        return False

    @staticmethod
    def _is_made(name: str, folder: Path) -> bool:
        """A virtual environment, or what setuptools builds."""
        return (folder / "pyvenv.cfg").exists() or (name == "build" and not (folder / "__init__.py").exists())

    def _inside(self, path: str) -> bool:
        target = (self.root / path).resolve()
        return target.exists() and target.is_relative_to(self.root.resolve())

    def _read(self, path: str) -> None:
        try:
            raw = self._bytes(path)
            if path.endswith(".py"):
                self.modules[path] = read_module(path, _decode(raw))
            else:
                self.texts[path] = raw.decode("utf-8-sig")
        except OSError as error:
            self._miss(path, f"cannot be read: {error.strerror or error}")
        except SyntaxError as error:
            self._miss(path, f"line {error.lineno or 1} is no syntax of this Python: {error.msg}")
        except (LookupError, ValueError) as error:
            self._miss(path, f"is no text: {error}")
        except (RecursionError, MemoryError):
            self._miss(path, "nests too deep")

    def _bytes(self, path: str) -> bytes:
        full = self.root / path
        status = full.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is no regular file")
        with full.open("rb") as file:
            raw = file.read(self.limits.file + 1)
        self.total += len(raw)
        if len(raw) > self.limits.file:
            raise OSError(f"it is larger than {self.limits.file:,} bytes")
        if self.total > self.limits.total:
            raise OSError(f"more than {self.limits.total:,} bytes in all; name the folders that matter")
        return raw

    def _miss(self, path: str, reason: str) -> None:
        self.unread.append(UnreadFile(path=path, reason=reason))


def _decode(raw: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    return io.TextIOWrapper(io.BytesIO(raw), encoding, newline=None).read()


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name in SKIPPED or name.endswith(".egg-info")


def _is_wanted(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return (
        name.endswith((".py", ".dockerignore"))
        or name in _NAMES
        or is_dockerfile(path)
        or is_cloud_build(path)
        or (name.startswith(_PLAIN) and name.endswith((".txt", ".in")))
        or (path.split("/")[-2:-1] == ["requirements"] and name.endswith((".txt", ".in")))
    )
