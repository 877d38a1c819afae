"""Waits until every share of a service's traffic runs the image that was meant, or the time is up: a gate for CI."""

import asyncio
import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from checks.ask.snapshot import target_of
from checks.evidence.containers import Image
from checks.evidence.deployments import Deployments, Service, Tag
from checks.evidence.own_containers import OwnContainers, own_of_service, settings_of
from checks.evidence.snapshot import Gap
from checks.judge.deployed.gate import Gate, WantedImage, judge_deploy, unseen
from checks.settings.deployments import ServiceSettings
from checks.settings.errors import UsageError
from checks.settings.pipeline import Pipeline
from checks.sources.progress import Progress, quiet
from checks.sources.shared_connections import SharedLogin
from checks.text.commits import same_commit
from checks.text.plural import form

if TYPE_CHECKING:
    from checks.sources.budget import Budget

LOOK: Final = 60.0
"""Seconds that one look may take."""

_PAUSE: Final = 5.0
_FIRST: Final = 0.25
_COMMIT: Final = 40
_SHORT: Final = (12, 10, 8, 7)


@dataclass(frozen=True, slots=True)
class Asked:
    """What should serve: a digest, a commit, or, with neither, what the service's tag points at."""

    service: str
    digest: str | None = None
    commit: str | None = None


async def verify_deploy(
    pipeline: Pipeline,
    asked: Asked,
    *,
    wait: float = 0.0,
    look: float = LOOK,
    pause: float = _PAUSE,
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> Gate:
    """Look at a service until every share of its traffic serves what was asked for. Changes nothing.

    Args:
        pipeline: where the service is, and which code probes are about it.
        asked: the service, and what it should serve.
        wait: seconds to go on looking; 0 looks once.
        look: seconds that one look may take.
        pause: seconds at most between two looks.
        progress: told how often it was looked.
        environment: where addresses are looked up.

    Raises:
        UsageError: the settings leave Cloud Run or the registry out, or say not where the service is.
    """
    place = _place(pipeline, asked.service)
    await asyncio.to_thread(_load)
    loop = asyncio.get_running_loop()
    until, looks, wanted = loop.time() + wait, 0, None
    async with SharedLogin() as session:
        reads = _DeployReads(pipeline, asked, place, session, environment)
        while True:
            looks += 1
            progress(f"looking at {asked.service}", looks, None)
            gate = await reads.gate(min(look, max(1.0, until - loop.time())) if wait else look, wanted)
            wanted = gate.wanted
            rest = until - loop.time()
            if gate.deployed or gate.final or rest <= 0:
                practice = target_of(pipeline, "cloud-run", environment).practice
                return gate.model_copy(update={"looks": looks, "practice": practice, "measured_at": datetime.now(UTC)})
            await asyncio.sleep(min(rest, pause, _FIRST * 2**looks))


@dataclass(frozen=True, slots=True)
class _DeployReads:
    pipeline: Pipeline
    asked: Asked
    place: tuple[str, str]
    session: SharedLogin
    environment: Mapping[str, str]

    async def gate(self, seconds: float, wanted: WantedImage | None) -> Gate:
        from checks.sources.budget import Budget  # noqa: PLC0415 - the same
        from checks.sources.cloud_run.deployments import read_deployed  # noqa: PLC0415 - Google's packages load when used

        budget, name = Budget(seconds), self.asked.service
        target = target_of(self.pipeline, "cloud-run", self.environment)
        service, gaps = await read_deployed(self.place, name, self.pipeline, target, budget, self.session)
        if service is None:
            return unseen(name, gaps, wanted)
        if wanted is None:
            wanted, missing = await self._wanted(service, budget)
            if wanted is None:
                return unseen(name, missing)
        indexes, unread = await self._indexes(service, wanted, budget)
        gaps = (*gaps, *unread)
        gate = judge_deploy(service, wanted, (), gaps, indexes)
        if gate.deployed or (wanted.digest is None and not service.in_progress):
            return await self._with_files(service, wanted, budget, gaps, indexes)
        return gate

    async def _indexes(
        self, service: Service, wanted: WantedImage, budget: "Budget"
    ) -> tuple[tuple[Tag, ...], tuple[Gap, ...]]:
        """What the registry says of digests that serve and are not the wanted one: each may be an index of it."""
        from checks.sources.registry.images import by_digest  # noqa: PLC0415 - Google's packages load when used
        from checks.sources.registry.tags import read_tags  # noqa: PLC0415 - the same

        if wanted.digest is None or service.in_progress:
            return (), ()
        images = [image for each in service.revisions for image in wanted.images_in(each)]
        others = [image for image in images if not wanted.is_met_by(image.digest)]
        target = target_of(self.pipeline, "registry", self.environment)
        return await read_tags(by_digest(others), target, budget, login=self.session)

    async def _wanted(self, service: Service, budget: "Budget") -> tuple[WantedImage | None, tuple[Gap, ...]]:
        """What the names that were given stand for now; it stays so for the whole wait."""
        entry = settings_of(self.pipeline.services, self.pipeline, service)
        own = own_of_service(self.pipeline, service, service.every)
        homes = _homes(entry, service, own)
        if len(homes) > 1 and not (self.asked.digest or self.asked.commit):
            return None, (_which(own),)
        tags_of = {each.image.repository: each.image.by_tag for each in own.containers}
        tag = self.pipeline.tag_of(service.name) or tags_of.get(homes[0], service.image.by_tag)
        names = _names(self.asked, tag)
        if not names:
            gap = Gap(
                source="registry",
                reason=f"{service.name} was deployed by digest, and the settings name no tag",
                next_step="give --digest or --commit, or set tag at the service in the settings",
            )
            return None, (gap,)
        found, gaps = await self._found(homes, names, own, budget)
        if found is None and (told := _told(self.pipeline, service, self.asked.digest)):
            return told, ()
        return found, gaps

    async def _found(
        self, homes: list[str], names: list[str], own: OwnContainers, budget: "Budget"
    ) -> tuple[WantedImage | None, tuple[Gap, ...]]:
        """The image of the first of these names, from the one of these repositories that has it."""
        from checks.sources.registry.tags import read_tags  # noqa: PLC0415 - Google's packages load when used

        images = [Image(reference=f"{home}:{name}", repository=home, tag=name) for home in homes for name in names]
        target = target_of(self.pipeline, "registry", self.environment)
        tags, gaps = await read_tags(images, target, budget, login=self.session)
        found = {(each.repository, each.tag): each for each in tags if each.digest}
        first = [next((found[home, name] for name in names if (home, name) in found), None) for home in homes]
        there = [each for each in first if each is not None]
        if len(there) > 1:
            return None, (_which(own),)
        if there and (len(homes) == 1 or not gaps):
            return self._named(there[0]), gaps
        if not gaps and self.asked.commit:
            home = homes[0] if len(homes) == 1 else None
            return WantedImage(digest=None, named=self.asked.commit, repository=home), ()
        missing = Gap(
            source="registry",
            reason=f"{' and '.join(homes)} {form(len(homes), 'has', 'have')} no image {names[0]}",
            next_step="push it, or name one that exists",
        )
        return None, gaps or (missing,)

    def _named(self, tag: Tag) -> WantedImage:
        entry = next((each for each in self.pipeline.services if each.name == self.asked.service), None)
        named = tag.digest if tag.tag == tag.digest else f"the tag {tag.tag} of {tag.repository}"
        return WantedImage(
            digest=tag.digest,
            children=tag.children,
            named=named or "",
            repository=tag.repository,
            container=entry.container if entry else None,
        )

    async def _with_files(
        self,
        service: Service,
        wanted: WantedImage,
        budget: "Budget",
        gaps: tuple[Gap, ...],
        indexes: tuple[Tag, ...],
    ) -> Gate:
        from checks.sources.registry.inspection import inspect_images  # noqa: PLC0415 - Google's packages load when used

        probes = self.pipeline.probes_of(service.name)
        if wanted.digest is None:
            probes = tuple(each for each in probes if each.commit and same_commit(each.commit, wanted.named))
        narrowed = self.pipeline.model_copy(
            update={
                "code_probes": tuple(each.model_copy(update={"subjects": (service.name,)}) for each in probes),
                "services": _narrowed(self.pipeline, service, wanted),
            }
        )
        target = target_of(self.pipeline, "registry", self.environment)
        inspected, missing = await inspect_images(
            narrowed, Deployments(services=(service,)), target, budget, login=self.session
        )
        return judge_deploy(service, wanted, inspected, (*gaps, *missing), indexes)


def _which(own: OwnContainers) -> Gap:
    return Gap(source="cloud-run", reason=own.unclear or "its containers are not known", next_step=own.next_step)


def _told(pipeline: Pipeline, service: Service, digest: str | None) -> WantedImage | None:
    """The image of a digest that Cloud Run says it runs, for where the registry has it no more, or does not answer."""
    if digest is None:
        return None
    own = (own_of_service(pipeline, service, each.every) for each in service.revisions)
    runs = (container.image for each in own for container in each.containers)
    image = next((each for each in runs if each.digest == digest), None)
    if image is None:
        return None
    named = f"{digest}, which Cloud Run has and the registry does not show"
    return WantedImage(digest=digest, named=named, repository=image.repository)


def _homes(entry: ServiceSettings | None, service: Service, own: OwnContainers) -> list[str]:
    """The repositories that the wanted image may be in: several where it cannot be told which container is ours."""
    if entry is not None and entry.repository:
        return [entry.repository]
    if len(service.every) == 1:
        return [service.image.repository]
    return list(dict.fromkeys(each.image.repository for each in own.containers))


def _narrowed(pipeline: Pipeline, service: Service, wanted: WantedImage) -> tuple[ServiceSettings, ...]:
    """The settings of services, in which this one's image comes from the repository that is wanted."""
    if wanted.repository is None or len(service.every) == 1:
        return pipeline.services
    entry = settings_of(pipeline.services, pipeline, service) or ServiceSettings(name=service.name)
    others = tuple(each for each in pipeline.services if each is not entry)
    return (*others, entry.model_copy(update={"repository": wanted.repository}))


def _names(asked: Asked, tag: str | None) -> list[str]:
    if asked.digest:
        return [asked.digest]
    if asked.commit:
        shorter = [asked.commit[:length] for length in _SHORT] if len(asked.commit) == _COMMIT else []
        return [asked.commit, *shorter]
    return [tag] if tag else []


def _place(pipeline: Pipeline, service: str) -> tuple[str, str]:
    for source in ("cloud-run", "registry"):
        if why := pipeline.unasked.get(source):
            raise UsageError(f"{source} is not looked at: {why}")
    project, region = pipeline.place_of(service)
    if region is None:
        raise UsageError(f"the settings name no region for {service}: set region under [pipeline] or at the service")
    return project, region


def _load() -> None:
    """Load what takes seconds, which are not the budget's."""
    for module in ("checks.sources.cloud_run.deployments", "checks.sources.registry.inspection"):
        importlib.import_module(module)
