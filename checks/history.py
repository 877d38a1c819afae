"""Which commits of a checkout a file's bytes can come from, and whether a fix is among their ancestors. Asks git."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from checks.errors import UsageError
from checks.frozen import Count, Evidence, Untrusted
from checks.text import show

_SECONDS: Final = 20
_SHOWN: Final = 5
_MOST_COMMITS: Final = 5_000
_LINE: Final = re.compile(r"^([0-9a-f]{40}) (\S+) (.*)$")


class Commit(Evidence):
    """A commit: its hash, its day (ISO 8601), and the first line of its message."""

    sha: str
    day: str
    subject: Untrusted


class Provenance(Evidence):
    """Where the bytes of one file can come from.

    Attributes:
        source: the file's path in the repository.
        blob: what git calls its bytes.
        commits: the commits that left the file with these bytes, newest first; none if none has.
        searched: how many commits that touched the file were looked at, on all branches.
        complete: whether those are all.
        fix: the commit of the fix that was asked about.
        contains_fix: whether each of ``commits`` has it as an ancestor: then the bytes are of after the fix. None where
            that cannot be told.
    """

    source: Untrusted
    blob: str
    commits: tuple[Commit, ...] = ()
    searched: Count = 0
    complete: bool = True
    fix: str | None = None
    contains_fix: bool | None = None


def provenance(checkout: Path, source: str, blob: str, fix: str | None) -> Provenance:
    """Look a file's bytes up in the history of a checkout, which is not changed.

    Args:
        checkout: a directory of it.
        source: the file's path in the repository.
        blob: what git calls the bytes that were found.
        fix: the commit that must be among their ancestors; None asks for none.

    Raises:
        UsageError: there is no git, no repository, or git does not answer.
    """
    told = _git(checkout, "log", "--all", f"--max-count={_MOST_COMMITS + 1}", "--format=%H %cs %s", "--", source)
    touching = [match for line in told.splitlines() if (match := _LINE.match(line))]
    found = [
        Commit(sha=each[1], day=each[2], subject=show(each[3], limit=200))
        for each, held in zip(touching, _blobs(checkout, source, [each[1] for each in touching]), strict=True)
        if held == blob
    ]
    return Provenance(
        source=source,
        blob=blob,
        commits=tuple(found[:_SHOWN]),
        searched=min(len(touching), _MOST_COMMITS),
        complete=len(touching) <= _MOST_COMMITS and _is_whole(checkout),
        fix=fix,
        contains_fix=_has_fix(checkout, fix, found) if fix and found else None,
    )


def _blobs(checkout: Path, source: str, commits: list[str]) -> Iterator[str | None]:
    """What git calls the file at each commit; None where it is not there."""
    asked = "".join(f"{commit}:{source}\n" for commit in commits)
    for line in _git(checkout, "cat-file", "--batch-check=%(objectname)", told=asked).splitlines():
        yield line if re.fullmatch("[0-9a-f]{40}", line) else None


def _has_fix(checkout: Path, fix: str, commits: list[Commit]) -> bool | None:
    """Whether the fix is an ancestor of all of these commits; None where it is one of some, or is not known here."""
    if not re.fullmatch("[0-9a-f]{4,40}", fix):
        return None
    answers = {_is_ancestor(checkout, fix, each.sha) for each in commits}
    return answers.pop() if len(answers) == 1 else None


def _is_ancestor(checkout: Path, fix: str, commit: str) -> bool | None:
    code = _run(checkout, "merge-base", "--is-ancestor", fix, commit).returncode
    return {0: True, 1: False}.get(code)


def _is_whole(checkout: Path) -> bool:
    return _git(checkout, "rev-parse", "--is-shallow-repository").strip() == "false"


def _git(checkout: Path, *arguments: str, told: str = "") -> str:
    done = _run(checkout, *arguments, told=told)
    if done.returncode:
        said = show(done.stderr.strip(), limit=200)
        raise UsageError(f"{show(str(checkout))}: git does not answer: {said}; name a checkout with --repository")
    return done.stdout


def _run(checkout: Path, *arguments: str, told: str = "") -> "subprocess.CompletedProcess[str]":
    # A checkout may be a stranger's: nothing that its configuration names is run, and nothing is fetched.
    command = [
        "git",
        "--no-optional-locks",
        "--no-pager",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(checkout),
        *arguments,
    ]
    try:
        return subprocess.run(  # noqa: S603 - no shell; what comes from outside stands behind -- or is hexadecimal
            command,
            input=told,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise UsageError("there is no git on PATH: install it, or leave --repository out") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{show(str(checkout))}: git did not answer within {_SECONDS} s") from None
