"""A look at one service before, between and after changes: its raw message, and what it tells as evidence."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from checks.evidence.deployments import Revision, Service, State
from checks.evidence.own_containers import settings_of, with_programs
from checks.settings.pipeline import Pipeline
from checks.sources.cloud_run.client import Message
from checks.sources.cloud_run.messages import read_revision, read_service
from checks.sources.errors import SourceError
from checks.text.show import show
from validate_daily.repairs.cloud_run.containers import ambiguity, update_command
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.plans.cloud_run_plans import LATEST, ServicePlan, Serving, Traffic, Version
from validate_daily.repairs.plans.errors import RefusedError, RepairError, UnseenError
from validate_daily.repairs.stores.desired_state import NONCE, traffic, version

_LOOK: Final = "look at it with validate-daily check, and run again"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service at one moment.

    Attributes:
        message: as Cloud Run tells it.
        service: the same as evidence, with the revisions that matter.
        revisions: the messages of these revisions, by their names.
    """

    message: Message
    service: Service
    revisions: Mapping[str, Message]

    @property
    def version(self) -> Version:
        """Which state this is."""
        return version(self.message)

    @property
    def wanted(self) -> tuple[Traffic, ...]:
        """The traffic that is wanted."""
        return traffic(self.message)

    @property
    def serving(self) -> tuple[Serving, ...]:
        """The traffic that is observed, and the digests that it meets."""
        return tuple(
            Serving(revision=share.revision, percent=share.percent, digest=revision.image.digest if revision else None)
            for share, revision in self.service.serving
        )

    @property
    def settled(self) -> bool:
        """Nothing is in progress: what is told is what is. After a failure Cloud Run keeps the older generation."""
        over = self.service.settled or self.service.state is State.FAILED
        return over and not self.service.reconciling

    @property
    def nonce(self) -> str | None:
        """The plan that the template was last changed for."""
        return self.message.template.labels.get(NONCE)

    @property
    def nonces(self) -> dict[str, str]:
        """Which plan each revision was made for, by its name; absent where it was none."""
        return {name: nonce for name, each in self.revisions.items() if (nonce := each.labels.get(NONCE))}

    @property
    def image(self) -> str:
        """The image that the template names, as somebody typed it."""
        return self.service.image.reference

    def serves(self, runs_it: Callable[[str | None], bool]) -> bool:
        """Whether every share of the traffic meets a revision of such a digest."""
        return bool(self.serving) and all(runs_it(each.digest) for each in self.serving)

    @property
    def pinned(self) -> tuple[Traffic, ...]:
        """Traffic that a new revision would not get."""
        return tuple(each for each in self.wanted if each.percent > 0 and each.revision != LATEST)

    def is_as_planned(self, plan: ServicePlan) -> bool:
        """Whether it is still what a plan was made of."""
        now = self.version
        return (now.generation, now.spec) == (plan.version.generation, plan.version.spec)


async def read_state(session: RunSession, resource: str, *also: str) -> ServiceState:
    """See a service, its serving revisions, its newest one and its newest ready one, and others by their names.

    Args:
        session: the way there.
        resource: the service's full name.
        also: short names of further revisions.

    Raises:
        UnseenError: the service or one of these revisions cannot be read.
    """
    place = resource.split("/")[1], resource.split("/")[3]
    short = resource.rpartition("/")[2]
    try:
        message = await session.store.service(resource)
        pipeline = session.settings.pipeline
        service = read_service(message, place, pipeline.sources)
        _refuse_other(service.name, short)
        found = await _revisions(session, resource, service, also)
        whole = service.model_copy(update={"revisions": tuple(revision for revision, _ in found)})
    except SourceError as error:
        raise UnseenError.of(f"service {short}", error) from error
    except ValueError as error:
        raise UnseenError(f"service {short} cannot be read: {show(str(error), limit=200)}", _LOOK) from error
    return ServiceState(
        message,
        with_programs(pipeline, whole),
        {revision.name: message for revision, message in found},
    )


def service_resource(session: RunSession, name: str) -> str:
    """The full name of a service that the settings name.

    Raises:
        RepairError: they do not, or they do not say where it is.
    """
    pipeline = session.settings.pipeline
    if name not in {each.name for each in pipeline.services}:
        names = ", ".join(each.name for each in pipeline.services) or "none"
        raise RepairError(
            f"{show(name, limit=100)} is not among [[services]] of the settings (they name {names})",
            "name it there: only services that the settings name are changed",
        )
    project, region = pipeline.place_of(name)
    if region is None:
        raise RepairError(f"the settings name no region for {name}", "set region under [pipeline] or at the service")
    return f"projects/{project}/locations/{region}/services/{name}"


def refuse_unsettled(state: ServiceState) -> None:
    """Refuse to plan on what is passing.

    Raises:
        RefusedError: somebody's change is in progress, or nothing serves.
    """
    name = state.service.name
    if not state.settled:
        raise RefusedError(
            f"a change of {name} is in progress, so what it serves is passing",
            "wait until it is over, and plan again",
        )
    if not state.service.shares:
        raise RefusedError(f"{name} serves nothing: there is no state to go back to", "deploy it by its own pipeline")


def refuse_ambiguous(session: RunSession, state: ServiceState, repository: str) -> None:
    """Refuse to write an image where it is not exactly one container that it would replace.

    Raises:
        RefusedError: no container of the template runs an image of the repository, or several do.
    """
    service = state.service
    what = f"the template of the service {service.name}"
    named = container_named(session.settings.pipeline, service)
    if reason := ambiguity(what, state.message.template.containers, repository, named):
        raise RefusedError(reason, f"deploy it the way it was deployed, for example with: {command_of(service)}")


def container_named(pipeline: Pipeline, service: Service) -> str | None:
    """The container that the settings call a service's program, if they name one."""
    entry = settings_of(pipeline.services, pipeline, service)
    return entry.container if entry else None


def command_of(service: Service) -> str:
    """The command that writes an image into a container of a service that a person names."""
    return update_command(f"projects/{service.project}/locations/{service.region}/services/{service.name}")


def refuse_changed(state: ServiceState, plan: ServicePlan) -> None:
    """Refuse a plan of another state.

    Raises:
        RefusedError: somebody changed the service since.
    """
    if not state.is_as_planned(plan):
        was, now = plan.version.generation, state.version.generation
        raise RefusedError(
            f"somebody changed {plan.service} since the plan (generation {was} then, {now} now)",
            "find out who and why, and plan again",
        )


def is_ready(revision: Revision | None) -> bool:
    """Whether a revision can serve."""
    return revision is not None and revision.ready is State.SUCCEEDED


async def _revisions(
    session: RunSession, resource: str, service: Service, also: Iterable[str]
) -> list[tuple[Revision, Message]]:
    names = (*(share.revision for share in service.shares), service.created, service.ready, *also)
    wanted = list(dict.fromkeys(filter(None, names)))
    return await asyncio.gather(*(_revision(session, resource, service, name) for name in wanted))


async def _revision(session: RunSession, resource: str, service: Service, name: str) -> tuple[Revision, Message]:
    message = await session.store.revision(f"{resource}/revisions/{name}")
    revision = read_revision(message, service, session.settings.pipeline.sources)
    _refuse_other(revision.name, name)
    return revision, message


def _refuse_other(name: str, asked: str) -> None:
    if name != asked:
        raise SourceError(f"the answer is about {show(name, limit=100)}, not {asked}", _LOOK)
