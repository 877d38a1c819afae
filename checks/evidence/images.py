"""What an image holds, as a registry gave it out: files that were looked for, and what the image says of itself."""

from enum import StrEnum
from typing import Final

from checks.evidence.base import Count, Evidence, Untrusted
from checks.settings.code_probe import CodeProbe

REVISION: Final = "org.opencontainers.image.revision"
"""The label by which an image claims the commit that it was built from."""


class Presence(StrEnum):
    """Whether a file is in an image."""

    PRESENT = "present"
    ABSENT = "absent"
    INCONCLUSIVE = "inconclusive"


class File(Evidence):
    """One file that was looked for.

    Attributes:
        path: what was looked for, from the image's root, with a leading slash.
        presence: absent is proved: every layer that could hold it was read to its end, and its digest verified.
        reason: what absent rests on, or why it is inconclusive.
        next_step: what to do where it is inconclusive.
        size: in bytes.
        sha256, git_blob: what its bytes hash to, as hex; the latter as git names a file with these bytes.
        layer: the digest of the layer that it comes from, or that hides it.
        created_by: what that layer's history says it was made by.
    """

    path: Untrusted
    presence: Presence
    reason: str | None = None
    next_step: str | None = None
    size: Count | None = None
    sha256: str | None = None
    git_blob: str | None = None
    layer: str | None = None
    created_by: Untrusted | None = None


class Contents(Evidence):
    """One look into one image.

    Attributes:
        repository: registry, path and name.
        digest: what was asked for: an index or a manifest.
        manifest: the manifest that was read: the digest itself, or an index's child for linux/amd64.
        commit: the commit that its label claims.
        command: its entry point and command.
        working_directory: where that runs.
        files: in the order in which they were asked for.
        layers, layers_read: how many it has, and how many of them were read, newest first.
        bytes_read: bytes of everything that the registry sent.
        requests: how many calls that took.
    """

    repository: str
    digest: str
    manifest: str
    commit: Untrusted | None = None
    command: tuple[Untrusted, ...] = ()
    working_directory: Untrusted | None = None
    files: tuple[File, ...] = ()
    layers: Count = 0
    layers_read: Count = 0
    bytes_read: Count = 0
    requests: Count = 0


class Lack(Evidence):
    """Something that an image needs and does not hold: ``what``, and ``why`` it is needed."""

    what: Untrusted
    why: Untrusted


class Starting(Evidence):
    """Whether an image's code can be imported, and its command run.

    Attributes:
        lacks: packages without an ``__init__.py`` that something imports from, and packages that the command needs.
        complete: every layer and file was read, so that nothing else of this kind is lacking.
        note: what was not read.
    """

    lacks: tuple[Lack, ...] = ()
    complete: bool
    note: Untrusted | None = None


class ProbedFile(Evidence):
    """The file of one code probe in one image. ``holds``: it is as the probe wants it; None: it could not be read."""

    probe: CodeProbe
    file: File
    holds: bool | None


class Inspected(Evidence):
    """One image that was looked into: the files of its probes, and what it lacks, where that was asked."""

    contents: Contents
    probed: tuple[ProbedFile, ...] = ()
    starting: Starting | None = None
