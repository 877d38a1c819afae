"""Which commits of a checkout a file's bytes can come from, and whether a fix is among their ancestors. Asks git."""

import re
from pathlib import Path
from typing import Final

from checks.evidence.base import Count, Evidence, Untrusted
from checks.sources.git_repository import GitRepository, opened
from checks.text.show import show

_SHOWN: Final = 5
_MOST_COMMITS: Final = 5_000
_SAID: Final = 300
_AFTER: Final = 3
"""Which word of a raw line of diff-tree has the new name."""

_WHOLE: Final = "nothing is fetched here: name a whole clone with --repository (git clone, without --filter)"
_LINE: Final = re.compile(r"^([0-9a-f]{40}) (\S+) (.*)$")


class GitCommit(Evidence):
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
        reason: why it is unknown which commits they are; then there are none here.
        next_step: what would tell.
        fix: the commit of the fix that was asked about.
        contains_fix: whether each of ``commits`` has it as an ancestor: then the bytes are of after the fix. None where
            that cannot be told, as where the history is cut.
    """

    source: Untrusted
    blob: str
    commits: tuple[GitCommit, ...] = ()
    searched: Count = 0
    complete: bool = True
    reason: Untrusted | None = None
    next_step: str | None = None
    fix: str | None = None
    contains_fix: bool | None = None


def provenance(checkout: Path, source: str, blob: str, fix: str | None) -> Provenance:
    """Look a file's bytes up in the history of a checkout, which is neither changed nor obeyed.

    Args:
        checkout: a directory of it.
        source: the file's path in the repository.
        blob: what git calls the bytes that were found.
        fix: the commit that must be among their ancestors; None asks for none.

    Raises:
        UsageError: there is no git, no repository, or git does not answer in time.
    """
    with opened(checkout) as repository:
        try:
            return _looked_up(repository, source, blob, fix)
        except _IncompleteError as error:
            return Provenance(
                source=source,
                blob=blob,
                complete=False,
                reason=show(f"git cannot read its history: {error}", limit=_SAID),
                next_step=_WHOLE,
                fix=fix,
            )


class _IncompleteError(Exception):
    """Git cannot read what is asked for: objects are missing, which are never fetched, or broken."""


def _looked_up(repository: GitRepository, source: str, blob: str, fix: str | None) -> Provenance:
    listed = ("rev-list", "--all", f"--max-count={_MOST_COMMITS + 1}", "--format=%H %cs %s", "--", source)
    touching = [match for line in _output(repository, *listed).splitlines() if (match := _LINE.match(line))]
    left = _left(repository, source, [each[1] for each in touching])
    found = [
        GitCommit(sha=each[1], day=each[2], subject=show(each[3], limit=200))
        for each in touching
        if left.get(each[1]) == blob
    ]
    whole = _output(repository, "rev-parse", "--is-shallow-repository").strip() == "false"
    return Provenance(
        source=source,
        blob=blob,
        commits=tuple(found[:_SHOWN]),
        searched=min(len(touching), _MOST_COMMITS),
        complete=len(touching) <= _MOST_COMMITS and whole,
        fix=fix,
        contains_fix=_has_fix(repository, fix, found, whole=whole) if fix and found else None,
    )


def _left(repository: GitRepository, source: str, commits: list[str]) -> dict[str, str]:
    """What git calls the file as each of these commits left it. Trees tell: contents need not be there."""
    asked = ("diff-tree", "--stdin", "-r", "-m", "--root", "--raw", "--no-renames", "--no-abbrev", "-z", "--", source)
    words = iter(_output(repository, *asked, stdin="".join(f"{each}\n" for each in commits)).split("\0"))
    found: dict[str, str] = {}
    commit = ""
    for word in words:
        if not word.startswith(":"):
            commit = word
        elif next(words, None) == source:
            found[commit] = word.split()[_AFTER]
    return found


def _has_fix(repository: GitRepository, fix: str, commits: list[GitCommit], *, whole: bool) -> bool | None:
    """Whether the fix is an ancestor of all of these commits; None where it is one of some, or is not known here."""
    if not re.fullmatch("[0-9a-f]{4,40}", fix):
        return None
    answers = {_is_ancestor(repository, fix, each.sha) for each in commits}
    answer = answers.pop() if len(answers) == 1 else None
    return answer if answer or whole else None


def _is_ancestor(repository: GitRepository, fix: str, commit: str) -> bool | None:
    code = repository.ask("merge-base", "--is-ancestor", fix, commit).returncode
    return {0: True, 1: False}.get(code)


def _output(repository: GitRepository, *arguments: str, stdin: str = "") -> str:
    done = repository.ask(*arguments, stdin=stdin)
    if done.returncode:
        raise _IncompleteError(done.stderr.strip() or f"it ended with {done.returncode}")
    return done.stdout
