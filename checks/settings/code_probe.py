"""A file in the images by which a fix is recognised, as the settings name it."""

import re
from typing import Annotated, Literal, Self

from pydantic import StringConstraints, field_validator, model_validator

from checks.settings.section import Name, Section

ImagePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]{1,500}$")]
ProbedText = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
CommitHash = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-f]{7,40}$")]
GitBlob = Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-f]{40}$")]


class CodeProbe(Section):
    """One entry of ``[[code_probes]]``: what a file must hold in every image that serves or will run.

    Exactly one of ``contains``, ``matches``, ``blob`` and ``exists`` says what.

    Attributes:
        name: what findings call it.
        path: the file, from the image's root.
        contains: a text that it holds.
        matches: a regular expression that one of its lines matches.
        blob: what git calls it at the commit of the fix: ``git rev-parse COMMIT:path/in/the/repository``.
        exists: whatever it holds, it is there.
        commit: the commit that brought the fix.
        source: the file's path in the repository, where its history is asked for.
        subjects: the services and jobs that must have it; none named means all that the settings name, and where they
            name none, all that there are.
    """

    name: Name
    path: ImagePath
    contains: ProbedText | None = None
    matches: ProbedText | None = None
    blob: GitBlob | None = None
    exists: Literal[True] | None = None
    commit: CommitHash | None = None
    source: Annotated[str, StringConstraints(pattern=r"^[^/\x00-\x1f\x7f-][^\x00-\x1f\x7f]{0,500}$")] | None = None
    subjects: tuple[Name, ...] = ()

    @field_validator("matches")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if sum(each is not None for each in (self.contains, self.matches, self.blob, self.exists)) != 1:
            raise ValueError(f"code probe {self.name!r}: give exactly one of contains, matches, blob and exists")
        return self

    def told(self, *, holds: bool) -> str:
        """What the file holds, or does not, in words."""
        if self.contains is not None:
            return f"{'contains' if holds else 'does not contain'} {self.contains!r}"
        if self.matches is not None:
            return f"has {'a' if holds else 'no'} line that matches {self.matches!r}"
        if self.exists:
            return "is there" if holds else "is not there"
        return f"is {'' if holds else 'not '}git's blob {self.blob}"
