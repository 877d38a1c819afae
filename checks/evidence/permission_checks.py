"""What the doctor finds out: which reads are permitted, tried one by one, and what mends each that is not."""

from enum import StrEnum
from typing import Final, Literal

from checks.evidence.base import Evidence

MOST_SKEW: Final = 60.0
"""Seconds that this machine's clock may differ from Firestore's."""

SIGN_IN: Final = "gcloud auth application-default login"


class PermissionResult(StrEnum):
    """What came of a permission check: only OK is good, and only UNKNOWN leaves open whether it would be."""

    OK = "ok"
    DENIED = "denied"
    DISABLED = "disabled"
    UNKNOWN = "unknown"
    FAILED = "failed"


class Permission(Evidence):
    """A read that a check needs, and what permits it.

    Attributes:
        source: which source needs it.
        what: the read, in words.
        permission: the one that it takes.
        role: the smallest role that holds it.
        api: the API that must be enabled.
        project: where role and API belong.
        elsewhere: what to do where the thing that was asked for is not there.
    """

    source: str
    what: str
    permission: str
    role: str
    api: str
    project: str
    elsewhere: str = "check project, region and names in the settings"


class PermissionCheck(Evidence):
    """One thing that was tried. ``reason`` says why it is not ok, ``mend`` how it will be: a command where one does."""

    source: str
    what: str
    permission: str | None = None
    role: str | None = None
    result: PermissionResult
    reason: str | None = None
    mend: str | None = None

    @classmethod
    def of(
        cls, want: Permission, result: PermissionResult, reason: str | None = None, mend: str | None = None
    ) -> "PermissionCheck":
        """What came of a wanted read."""
        return cls(
            source=want.source,
            what=want.what,
            permission=want.permission,
            role=want.role,
            result=result,
            reason=reason,
            mend=mend,
        )


class Caller(Evidence):
    """Who asks Google.

    Attributes:
        kind: practice needs nobody, none is nobody where somebody is needed, unknown could not be told.
        name: the e-mail address, where the credentials tell it.
    """

    kind: Literal["service-account", "user", "practice", "none", "unknown"]
    name: str | None = None

    @property
    def member(self) -> str:
        """The same in the grammar of IAM; ``MEMBER`` where it is not known."""
        prefix = {"service-account": "serviceAccount", "user": "user"}.get(self.kind)
        return f"{prefix}:{self.name}" if prefix and self.name else "MEMBER"
