"""Commits as people, labels and tags name them: in full, or by how they begin."""

import re
from typing import Final

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")
_WHOLE: Final = 40
_DATE: Final = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")


def same_commit(one: str, other: str) -> bool:
    """Whether two commits agree as far as the shorter goes."""
    return one.startswith(other) or other.startswith(one)


def commit_of_tag(tag: str | None) -> str | None:
    """The commit that an image's tag claims; None where it claims none.

    Digits alone are a run number or a date, and what begins with a date is a date with something behind it. A whole
    hash is a commit whatever it is made of.
    """
    if tag is None or not _COMMIT.fullmatch(tag):
        return None
    return tag if len(tag) == _WHOLE or not (tag.isdigit() or _DATE.match(tag)) else None
