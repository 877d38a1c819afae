"""A stranger's repository, asked without obeying it: git reads its objects, and its configuration is not looked at.

A list of keys to switch off would never be complete: git runs programs for signatures, filters, file watchers and
transports, and each release adds some. So git is run in a directory of our own, whose configuration is ours, and is
lent only what holds history: the objects, the references, and where a shallow history ends. No remote is configured
there, so git has nowhere to fetch a missing object from; the repository's hooks, attributes, replacements and includes
are not in that directory either. A git library in Python would need none of this, and would be one more dependency to
trust.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from checks.settings.errors import UsageError
from checks.text.show import show

_SECONDS: Final = 20
_POINTER: Final = 4_096
"""The most bytes that a file holds which only leads elsewhere."""

_CONFIG: Final = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n\tcommitGraph = false\n"
"""The objects tell history, and no summary of it that lies beside them."""

_HEAD: Final = re.compile(r"ref: refs/[^\x00-\x1f\x7f]+|[0-9a-f]{40}")
_NOWHERE: Final = "ref: refs/heads/none"
_NAME_ANOTHER: Final = "name a checkout with --repository"

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository that git can be asked about.

    Attributes:
        checkout: what the user named.
        view: the directory of our own that stands for it.
        objects: where its objects are.
        git: the program.
    """

    checkout: Path
    view: Path
    objects: Path
    git: str

    def ask(self, *arguments: str, stdin: str = "") -> Done:
        """Ask a plumbing command, and leave the judgement of its exit code to the caller.

        Raises:
            UsageError: git does not answer in time, or cannot be started.
        """
        try:
            return subprocess.run(  # noqa: S603 - no shell; what comes from outside stands behind -- or is hexadecimal
                (self.git, *arguments),
                cwd=self.view,
                env=self._environment(),
                input=stdin,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=_SECONDS,
            )
        except OSError as error:
            raise UsageError(f"{show(self.git)}: cannot be started: {show(str(error.strerror))}") from None
        except subprocess.TimeoutExpired:
            raise UsageError(f"{show(str(self.checkout))}: git did not answer within {_SECONDS} s") from None

    def _environment(self) -> dict[str, str]:
        """All that git is told; nothing of the caller's environment is handed on."""
        view = str(self.view)
        return {
            "GIT_DIR": view,
            "GIT_OBJECT_DIRECTORY": str(self.objects),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "HOME": view,
            "XDG_CONFIG_HOME": view,
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "LC_ALL": "C",
        }


@contextmanager
def opened(checkout: Path) -> Generator[GitRepository]:
    """A directory of a checkout, or a bare repository, for as long as it is asked. It is not changed.

    Raises:
        UsageError: there is no git or no repository, or it is of a kind that cannot be read so.
    """
    own, common, root = _found(checkout)
    program = _git(root)
    with tempfile.TemporaryDirectory(prefix="validate-daily-git-") as folder:
        view = Path(folder)
        (view / "config").write_text(_CONFIG, "utf-8")
        (view / "HEAD").write_text(_head(own) + "\n", "utf-8")
        (view / "objects").mkdir()
        (view / "refs").symlink_to(common / "refs")
        for name in ("packed-refs", "shallow"):
            if (common / name).is_file():
                (view / name).symlink_to(common / name)
        repository = GitRepository(checkout, view, common / "objects", program)
        _refuse_other_kinds(repository, common)
        yield repository


def _found(checkout: Path) -> tuple[Path, Path, Path]:
    """The repository around a directory: what is its own in a worktree, what all worktrees share, and its top."""
    with suppress(OSError, RuntimeError):
        start = checkout.resolve(strict=True)
        for folder in (start, *start.parents):
            for own in (_led_to(folder / ".git", "gitdir: "), folder):
                if own is None or not (own / "HEAD").exists():
                    continue
                common = _led_to(own / "commondir", "") or own
                if (common / "objects").is_dir() and (common / "refs").is_dir():
                    return own, common, folder
    raise UsageError(f"{show(str(checkout))}: there is no git repository: {_NAME_ANOTHER}")


def _led_to(pointer: Path, begins: str) -> Path | None:
    """The directory at a place, or the one that a file there leads to."""
    if pointer.is_dir():
        return pointer
    target = _first_line(pointer)
    if not target.startswith(begins) or not target.removeprefix(begins):
        return None
    return Path(os.path.realpath(pointer.parent / target.removeprefix(begins)))


def _first_line(file: Path) -> str:
    """What a small file says; nothing where there is none."""
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return os.fsdecode(stream.read(_POINTER)).partition("\n")[0].rstrip("\r")


def _head(own: Path) -> str:
    """What HEAD says; of one that git would not understand, nothing."""
    head = own / "HEAD"
    said = f"ref: {head.readlink()}" if head.is_symlink() else _first_line(head)
    return said if _HEAD.fullmatch(said) else _NOWHERE


def _refuse_other_kinds(repository: GitRepository, common: Path) -> None:
    """Say so where references or objects are kept in a way that this view does not show.

    Raises:
        UsageError: they are.
    """
    where = show(str(repository.checkout))
    if (common / "reftable").exists():
        raise UsageError(f"{where}: its references are kept as a reftable, which is not read here: name a plain clone")
    asked = ("config", "--no-includes", "--file", str(common / "config"), "--get", "extensions.objectformat")
    kind = repository.ask(*asked).stdout.strip().lower() or "sha1"
    if kind != "sha1":
        raise UsageError(f"{where}: it names its objects by {show(kind)}, and images are looked up by SHA-1")


def _git(root: Path) -> str:
    """The program, of the absolute folders of PATH that are neither the open directory nor the checkout.

    Raises:
        UsageError: there is none.
    """
    theirs = {os.path.realpath(os.curdir), os.path.realpath(root)}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    ours = [each for each in folders if Path(each).is_absolute() and os.path.realpath(each) not in theirs]
    found = shutil.which("git", path=os.pathsep.join(ours)) if ours else None
    if found is None:
        raise UsageError("there is no git on PATH: install it, or leave --repository out")
    return found
