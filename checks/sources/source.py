"""What every source has: a name, an address, a reader and a permission check; and what these are asked and answer.

Light: readers and permission checks load on first use, because Google's packages take seconds.
"""

import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from checks.evidence.base import Evidence
from checks.evidence.deployments import Image
from checks.evidence.permission_checks import PermissionCheck
from checks.evidence.snapshot import Gap, NotChecked, Target
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources.credentials import Login
from checks.sources.progress import Progress

if TYPE_CHECKING:
    from checks.sources.budget import Budget
    from checks.sources.permission_checks.attempts import PermissionChecker


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRequest:
    """What a source is asked, where, and within which limits.

    Attributes:
        pipeline: whose evidence.
        target: where the source is.
        budget: what all reads together may take.
        progress: told how far the long reads are.
        login: the way to Google.
        until: where a window of time ends.
        as_of: an earlier read time of Firestore's; None is now.
        count_only: count, and ask for no more.
        whole_images: read every layer of an image.
        evidence: what the sources before this one made, where this one adds to it.
    """

    pipeline: Pipeline
    target: Target
    budget: "Budget"
    progress: Progress
    login: Login
    until: datetime
    as_of: datetime | None = None
    count_only: bool = False
    whole_images: bool = False
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What a source said; no evidence where nothing could be read, and a gap for each thing that could not.

    ``read_time`` is the server's, where it gave one.
    """

    evidence: Evidence | None = None
    gaps: tuple[Gap, ...] = ()
    read_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionRequest:
    """Whose reads are tried, where, and by whom; ``images`` are those that the sources before this one named."""

    pipeline: Pipeline
    target: Target
    checker: "PermissionChecker"
    images: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """What came of the reads that were tried.

    Attributes:
        checks: what was tried.
        not_checked: what there was nothing to try on.
        images: those that were named on the way.
        skew: seconds that this machine's clock is ahead of the server's, where it told.
    """

    checks: tuple[PermissionCheck, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    images: tuple[Image, ...] = ()
    skew: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place that evidence comes from. Its switch is the key of the same name under ``[sources]``, if there is one.

    Attributes:
        name: what settings, rules and reports call it; ``Snapshot.SOURCES`` says which evidence it makes.
        target: where it would be read, without going there. It raises UsageError for an address that is refused.
        variable: the environment variable that sets another address.
        reader: ``module:function`` from a request to its answer, which never raises for what a server does.
        permission_check: the same, from a request to permissions; it raises SourceError where nothing opens.
        windowed: reads a window of time that ends at the request's ``until``.
        signs_in: takes Google's credentials, unless it is practice.
    """

    name: SourceName
    target: Callable[[Pipeline, Mapping[str, str]], Target]
    variable: str | None = None
    reader: str
    permission_check: str | None = None
    windowed: bool = False
    signs_in: bool = True

    def load(self) -> None:
        """Load what the reader needs."""
        pkgutil.resolve_name(self.reader)

    async def read(self, request: ReadRequest) -> SourceAnswer:
        """Read it. Never raises for what a server does."""
        reader: Callable[[ReadRequest], Awaitable[SourceAnswer]] = pkgutil.resolve_name(self.reader)
        return await reader(request)

    async def permissions(self, request: PermissionRequest) -> Permissions:
        """Try its reads one by one.

        Raises:
            SourceError: the way there could not be opened.
        """
        if self.permission_check is None:
            return Permissions()
        check: Callable[[PermissionRequest], Awaitable[Permissions]] = pkgutil.resolve_name(self.permission_check)
        return await check(request)
