"""What the registry knows of the image that a plan is about: when it was uploaded, and which commit it claims."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from checks.evidence.deployments import Tag
from checks.sources.errors import SourceError
from checks.sources.registry.image.files import read_commit
from checks.sources.registry.uploads import Upload, read_uploads
from checks.text.commits import commit_of_tag, same_commit
from validate_daily.repairs.cloud_run.session import RunSession


@dataclass(frozen=True, slots=True)
class RegistryFacts:
    """What the registry knows.

    Attributes:
        uploads: when each digest of the repository was uploaded, and its tags.
        commit: what the image claims in a label of its own.
        tagged: the commit that its tags name, where they name one.
        unknown: what is not known, in sentences.
    """

    uploads: dict[str, Upload]
    commit: str | None
    tagged: str | None
    unknown: tuple[str, ...]

    def uploaded(self, digest: str | None) -> datetime | None:
        """When a digest was uploaded, as far as that is known."""
        upload = self.uploads.get(digest or "")
        return upload and upload.at


async def read_registry(session: RunSession, wanted: Tag) -> RegistryFacts:
    """Ask the registry. Never raises for what it does: what could not be read is said in the answer.

    Args:
        session: the way there.
        wanted: the image, and the tag that it was looked up by.
    """
    asked = wanted.repository, session.registry, session.budget, session.reader
    uploads, commit = await asyncio.gather(
        read_uploads(*asked),
        read_commit(wanted.repository, wanted.digest or "", *asked[1:]),
        return_exceptions=True,
    )
    unknown = list[str]()
    if isinstance(commit, BaseException):
        unknown.append(f"which commit the image claims could not be read: {_failure(commit)}")
    elif commit is None:
        unknown.append("the image claims no commit: it bears no label org.opencontainers.image.revision")
    if isinstance(uploads, BaseException):
        unknown.append(f"when the images were uploaded could not be read: {_failure(uploads)}")
    elif not uploads:
        unknown.append("when the images were uploaded is not known: the registry does not tell")
    listed = {} if isinstance(uploads, BaseException) else uploads
    return RegistryFacts(
        listed,
        None if isinstance(commit, BaseException) else commit,
        _tagged(wanted, listed.get(wanted.digest or "")),
        tuple(unknown),
    )


def _tagged(wanted: Tag, upload: Upload | None) -> str | None:
    """The commit that the image's tags name; None where they name none, or several."""
    named = [each for tag in (wanted.tag, *(upload.tags if upload else ())) if (each := commit_of_tag(tag))]
    longest = max(named, key=len, default=None)
    return longest if longest and all(same_commit(each, longest) for each in named) else None


def _failure(error: BaseException) -> SourceError:
    """A failed read; anything else goes on its way."""
    if isinstance(error, SourceError):
        return error
    raise error
