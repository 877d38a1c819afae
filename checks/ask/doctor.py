"""Examines what a check depends on, all at the same time: credentials, addresses, permissions, APIs, the clock."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.evidence.deployments import Image
from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked, Snapshot, Target
from checks.judge.examination import Examination, SettingsFile
from checks.settings.errors import UsageError
from checks.settings.file import Settings
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName
from checks.sources import SOURCES, source_named
from checks.sources.errors import SourceError
from checks.sources.progress import Progress, quiet
from checks.sources.source import PermissionRequest, Permissions, Source

if TYPE_CHECKING:
    from checks.sources.credentials import Login
    from checks.sources.permission_checks.attempts import PermissionChecker

DEFAULT_TIMEOUT: Final = 20.0
_PRACTICE: Final = Caller(kind="practice")


async def examine(
    settings: Settings,
    *,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a time for each read, not a cancellation
    progress: Progress = quiet,
    assistant: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> Examination:
    """Try everything that a check of this pipeline would need.

    Args:
        settings: the pipeline, and where it is described.
        timeout: seconds that each read may take.
        progress: told how many reads are done.
        assistant: whether these are an assistant's credentials, which must not be able to change anything.
        environment: where other addresses are looked up.
    """
    # Google's packages take seconds to load: not before the settings have proved right.
    from checks.sources.credentials import Login  # noqa: PLC0415
    from checks.sources.permission_checks.attempts import PermissionChecker  # noqa: PLC0415
    from checks.sources.permission_checks.identity import identify  # noqa: PLC0415

    pipeline = settings.pipeline
    targets, checks = _addresses(pipeline, environment)
    caller, login = _PRACTICE, Login()
    if any(source.signs_in and source.name in targets and not targets[source.name].practice for source in SOURCES):
        caller, identity = await identify(login, timeout)
        checks.append(identity)
    usable = caller is _PRACTICE or checks[-1].result is PermissionResult.OK
    visit = _Visit(pipeline, targets, PermissionChecker(caller, login, timeout, progress), usable=usable)
    found = await visit.permissions()
    practice = bool(targets) and all(target.practice for target in targets.values())
    checks += [] if practice or not usable else await _writing(settings, login, timeout, assistant=assistant)
    unasked = [NotChecked(what=what, reason=why) for what, why in pipeline.unasked.items()]
    return Examination(
        pipeline=pipeline.pipeline.name,
        settings=SettingsFile(path=str(settings.path), named=settings.named),
        identity=caller,
        targets=tuple(targets.values()),
        probes=(*checks, *(check for each in found for check in each.checks)),
        not_checked=(*unasked, *(nothing for each in found for nothing in each.not_checked)),
        clock_skew_seconds=next((each.skew for each in found if each.skew is not None), None),
    )


async def _writing(settings: Settings, login: "Login", seconds: float, *, assistant: bool) -> list[PermissionCheck]:
    """Whether these credentials can change things, where the settings let anybody do so."""
    if settings.no_writes is not None:
        return []
    account = settings.writes.impersonate
    if account is None:
        if not assistant:
            return []
        reason = "writes have no account of their own: the assistant's credentials are those that change things"
        return [
            _failed(
                "writes", "be kept from changing things", PermissionResult.FAILED, reason, "set [writes] impersonate"
            )
        ]
    from checks.sources.permission_checks.impersonation import try_acting  # noqa: PLC0415 - Google's packages load when used

    return [await try_acting(login, account, seconds, assistant=assistant)]


def _addresses(
    pipeline: Pipeline, environment: Mapping[str, str]
) -> tuple[dict[SourceName, Target], list[PermissionCheck]]:
    """Where each source that is asked is, and a failure for each address that is refused."""
    targets, refused = dict[SourceName, Target](), list[PermissionCheck]()
    for source in SOURCES:
        if source.name in pipeline.unasked:
            continue
        try:
            targets[source.name] = source.target(pipeline, environment)
        except UsageError as error:
            mend = f"unset {source.variable}"
            refused.append(_failed(source.name, "use the address", PermissionResult.FAILED, str(error), mend))
    return targets, refused


@dataclass(frozen=True, slots=True)
class _Visit:
    """One round of all sources.

    Attributes:
        pipeline: what is to be looked at.
        targets: the addresses by source.
        checker: tries the reads.
        usable: there are credentials for what is not practice.
    """

    pipeline: Pipeline
    targets: Mapping[SourceName, Target]
    checker: "PermissionChecker"
    usable: bool

    async def permissions(self) -> list[Permissions]:
        """What came of every source, all at the same time, in the order of the sources."""
        rounds = await asyncio.gather(*(self._round(sources) for sources in Snapshot.SOURCES.values()))
        found = {source: permissions for each in rounds for source, permissions in each.items()}
        return [found[source] for source in self.targets]

    async def _round(self, names: Sequence[SourceName]) -> dict[SourceName, Permissions]:
        """The sources of one field, in turn: what the first names, the others are asked of."""
        images, found = (), dict[SourceName, Permissions]()
        for name in names:
            if name in self.targets:
                found[name] = await self._try(source_named(name), self.targets[name], images)
                images = found[name].images
        return found

    async def _try(self, source: Source, target: Target, images: tuple[Image, ...]) -> Permissions:
        if not (self.usable or target.practice) and source.signs_in:
            reason, mend = "not tried: there is no access token", "see what is said of identity"
            unknown = _failed(source.name, "read anything", PermissionResult.UNKNOWN, reason, mend)
            return Permissions(checks=(unknown,))
        request = PermissionRequest(pipeline=self.pipeline, target=target, checker=self.checker, images=images)
        try:
            return await source.permissions(request)
        except SourceError as error:
            unknown = _failed(source.name, "open a connection", PermissionResult.UNKNOWN, str(error), error.next_step)
            return Permissions(checks=(unknown,))


def _failed(source: str, what: str, result: PermissionResult, reason: str, mend: str) -> PermissionCheck:
    return PermissionCheck(source=source, what=what, result=result, reason=reason, mend=mend)
