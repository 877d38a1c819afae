"""Examines what a check depends on, all at the same time: credentials, addresses, permissions, APIs, the clock."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from checks.evidence.deployments import Image
from checks.evidence.permission_checks import Caller, PermissionCheck, PermissionResult
from checks.evidence.snapshot import NotChecked, Target
from checks.judge.examination import Examination, SettingsFile
from checks.settings.errors import UsageError
from checks.settings.file import Settings
from checks.settings.pipeline import Pipeline
from checks.sources.addresses import (
    LOGGING_VARIABLE,
    REGISTRY_VARIABLE,
    RUN_VARIABLE,
    logging_target,
    registry_target,
    run_target,
)
from checks.sources.errors import SourceError
from checks.sources.firestore.channel import EMULATOR_VARIABLE, firestore_target
from checks.sources.progress import Progress, quiet

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

    targets, probes = _addresses(settings.pipeline, environment)
    caller, login = _PRACTICE, Login()
    if not all(target.practice for target in targets.values()):
        caller, proof = await identify(login, timeout)
        probes.append(proof)
    usable = caller is _PRACTICE or probes[-1].result is PermissionResult.OK
    visit = _Visit(settings.pipeline, targets, PermissionChecker(caller, login, timeout, progress), usable=usable)
    await visit.go()
    practice = bool(targets) and all(target.practice for target in targets.values())
    probes += [] if practice or not usable else await _writing(settings, login, timeout, assistant=assistant)
    return Examination(
        pipeline=settings.pipeline.pipeline.name,
        settings=SettingsFile(path=str(settings.path), named=settings.named),
        identity=caller,
        targets=tuple(targets.values()),
        probes=(*probes, *visit.probes),
        not_checked=tuple(visit.not_checked),
        clock_skew_seconds=visit.skew,
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
            _probe(
                "writes", "be kept from changing things", PermissionResult.FAILED, reason, "set [writes] impersonate"
            )
        ]
    from checks.sources.permission_checks.impersonation import try_acting  # noqa: PLC0415 - Google's packages load when used

    return [await try_acting(login, account, seconds, assistant=assistant)]


def _addresses(pipeline: Pipeline, environment: Mapping[str, str]) -> tuple[dict[str, Target], list[PermissionCheck]]:
    """Where each source that is asked is, and a failure for each address that is refused."""
    database = f"projects/{pipeline.heartbeat_project}/databases/{pipeline.heartbeats.database}"
    finders: dict[str, tuple[str, Callable[[], Target]]] = {
        "firestore": (EMULATOR_VARIABLE, lambda: firestore_target(database, environment)),
        "cloud-run": (RUN_VARIABLE, lambda: run_target(pipeline, environment)),
        "logging": (LOGGING_VARIABLE, lambda: logging_target(pipeline, environment)),
        "registry": (REGISTRY_VARIABLE, lambda: registry_target(pipeline, environment)),
    }
    targets, refused = dict[str, Target](), list[PermissionCheck]()
    for source, (variable, find) in finders.items():
        if source in pipeline.unasked:
            continue
        try:
            targets[source] = find()
        except UsageError as error:
            refused.append(_probe(source, "use the address", PermissionResult.FAILED, str(error), f"unset {variable}"))
    return targets, refused


@dataclass(slots=True)
class _Visit:
    """One round of all sources.

    Attributes:
        pipeline: what is to be looked at.
        targets: the addresses by source.
        examiner: tries the reads.
        usable: there are credentials for what is not practice.
        probes, not_checked, skew: what came of it, in the order of the sources.
    """

    pipeline: Pipeline
    targets: Mapping[str, Target]
    examiner: "PermissionChecker"
    usable: bool
    not_checked: list[NotChecked] = field(default_factory=list[NotChecked])
    skew: float | None = None
    _images: tuple[Image, ...] = ()
    _found: dict[str, tuple[PermissionCheck, ...]] = field(default_factory=dict[str, tuple[PermissionCheck, ...]])

    @property
    def probes(self) -> tuple[PermissionCheck, ...]:
        """All probes, source by source."""
        return tuple(probe for source in self.targets for probe in self._found.get(source, ()))

    async def go(self) -> None:
        """Ask every source at the same time; the registry once Cloud Run has named images."""
        self.not_checked += [NotChecked(what=what, reason=why) for what, why in self.pipeline.unasked.items()]
        await asyncio.gather(
            self._round("firestore", self._firestore),
            self._deployments(),
            self._round("logging", self._logging),
        )

    async def _deployments(self) -> None:
        await self._round("cloud-run", self._cloud_run)
        await self._round("registry", self._registry)

    async def _round(self, source: str, ask: Callable[[Target], Awaitable[None]]) -> None:
        target = self.targets.get(source)
        if target is None:
            return
        if not (self.usable or target.practice):
            reason, mend = "not tried: there is no access token", "see what is said of identity"
            self._found[source] = (_probe(source, "read anything", PermissionResult.UNKNOWN, reason, mend),)
            return
        try:
            await ask(target)
        except SourceError as error:
            self._found[source] = (
                _probe(source, "open a connection", PermissionResult.UNKNOWN, str(error), error.next_step),
            )

    async def _firestore(self, target: Target) -> None:
        from checks.sources.permission_checks.firestore import probe_firestore  # noqa: PLC0415

        self._found["firestore"], self.skew = await probe_firestore(self.pipeline, target, self.examiner)

    async def _cloud_run(self, target: Target) -> None:
        from checks.sources.permission_checks.cloud_run import probe_cloud_run  # noqa: PLC0415

        found = await probe_cloud_run(self.pipeline, target, self.examiner)
        self._found["cloud-run"] = found.probes
        self.not_checked += found.not_checked
        self._images = found.images

    async def _registry(self, target: Target) -> None:
        from checks.sources.permission_checks.registry import probe_registry  # noqa: PLC0415

        found = await probe_registry(self.pipeline, target, self._images, self.examiner)
        if isinstance(found, NotChecked):
            self.not_checked.append(found)
        else:
            self._found["registry"] = (found,)

    async def _logging(self, target: Target) -> None:
        from checks.sources.permission_checks.logging import probe_logging  # noqa: PLC0415

        self._found["logging"] = await probe_logging(self.pipeline, target, self.examiner)


def _probe(source: str, what: str, result: PermissionResult, reason: str, mend: str) -> PermissionCheck:
    return PermissionCheck(source=source, what=what, result=result, reason=reason, mend=mend)
