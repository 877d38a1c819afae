"""Which containers of a service, revision or job are the pipeline's own, and not a proxy or collector beside them.

How a container gets from Cloud Run's message to a verdict and a repair: ``sources`` reads every container into evidence
(``Container``); ``own_containers`` says which of them are ours, and each caller asks it: ``parts_of`` makes a
``RunningImage`` of each, by which rules, levels, code probes and gates judge; ``with_program`` puts what the program
runs into ``image``, for whoever asks about one; a repair looks for the one container whose repository is that of the
image that it would write, and changes nothing where that is not exactly one.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from checks.evidence.containers import Container, Image
from checks.evidence.deployments import Job, Revision, Service
from checks.settings.deployments import JobSettings, ServiceSettings
from checks.settings.pipeline import Pipeline
from checks.text.plural import counted
from checks.text.show import show

_GOOGLE: Final = re.compile(r"(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev")
_PUBLISHERS: Final = frozenset(
    {
        *("cloud-sql-connectors", "cloudsql-docker", "cloud-ops-agents-artifacts", "google.com", "google-containers"),
        *("cloud-builders", "google-samples", "distroless", "cloud-marketplace", "alloydb-connectors", "cloudrun"),
    }
)
"""Projects whose images on Google's registries are made for everybody."""

_NAMED: Final = 5
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class OwnContainers:
    """The containers that are the pipeline's own.

    Attributes:
        containers: those that are; where that cannot be told, all that may be.
        unclear: why it cannot be told, in words; None where it can.
        line: what to add to the settings then.
    """

    containers: tuple[Container, ...]
    unclear: str | None = None
    line: str | None = None

    @property
    def next_step(self) -> str:
        """What to do where it cannot be told."""
        return f"name the container in the settings: {self.line}"


def own_of_service(pipeline: Pipeline, service: Service, containers: Sequence[Container]) -> OwnContainers:
    """Which containers of a service's template, or of one of its revisions, are the pipeline's own.

    Args:
        pipeline: the settings: ``container`` of the service decides, else its ``repository``.
        service: which one.
        containers: all of the template or revision.
    """
    entry = settings_of(pipeline.services, pipeline, service)
    repositories = {entry.repository} if entry and entry.repository else set[str]()
    return _choose(pipeline, service, containers, entry and entry.container, repositories)


def own_of_job(pipeline: Pipeline, job: Job, leader: Service | None) -> OwnContainers:
    """Which containers of a job are the pipeline's own.

    Args:
        pipeline: the settings: ``container`` of the job decides, else the repositories of the service that it follows.
        job: which one.
        leader: that service; None where it follows none, or that could not be read.
    """
    entry = settings_of(pipeline.jobs, pipeline, job)
    repositories = repositories_of(pipeline, leader) if leader else set[str]()
    return _choose(pipeline, job, job.every, entry and entry.container, repositories)


def repositories_of(pipeline: Pipeline, service: Service) -> set[str]:
    """The repositories of what a service runs and would run, as far as they may be the pipeline's own."""
    entry = settings_of(pipeline.services, pipeline, service)
    named = {entry.repository} if entry and entry.repository else set[str]()
    own = (own_of_service(pipeline, service, whole).containers for whole in wholes_of(service))
    return named | {each.image.repository for containers in own for each in containers if each.image.repository}


def wholes_of(service: Service) -> tuple[tuple[Container, ...], ...]:
    """All containers of a service's template, and those of each revision that serves."""
    return (service.every, *(revision.every for _, revision in service.serving if revision))


def followed(pipeline: Pipeline, job: Job, services: Iterable[Service]) -> Service | None:
    """The service that a job follows, if it is among these; that of the job's own region before others."""
    name = pipeline.follows(job.name)
    found = [each for each in services if each.name == name]
    return min(found, key=lambda each: each.region != job.region, default=None)


def image_wanted(pipeline: Pipeline, service: Service, container: Container, own: OwnContainers) -> Image:
    """What a container of a service's template should run: by the settings' tag, else as the template names it.

    Where it cannot be told which container is the program, a tag of the settings is no other container's.
    """
    tag = pipeline.tag_of(service.name)
    if own.unclear and container.image.by_tag:
        return container.image
    return container.image.tagged(tag)


def counterparts(container: Container, among: Sequence[Container]) -> tuple[Container, ...]:
    """The containers of a revision that a container of the template became, or follows: by name, else by repository."""
    if len(among) == 1:
        return tuple(among)
    named = tuple(each for each in among if each.name and each.name == container.name)
    return named or tuple(each for each in among if each.image.repository == container.image.repository)


def with_programs(pipeline: Pipeline, service: Service) -> Service:
    """The same service, in which ``image`` is what its program runs, and so in each of its revisions."""
    revisions = tuple(revision_with_program(pipeline, service, each) for each in service.revisions)
    program = _program(service.name, own_of_service(pipeline, service, service.every))
    return service.model_copy(
        update={"image": program.image, "commit": service.commit or program.commit, "revisions": revisions}
    )


def revision_with_program(pipeline: Pipeline, service: Service, revision: Revision) -> Revision:
    """The same revision, in which ``image``, ``flags`` and ``commit`` are those of its program."""
    program = _program(service.name, own_of_service(pipeline, service, revision.every))
    commit = revision.commit or program.commit or service.commit
    return revision.model_copy(update={"image": program.image, "flags": program.flags, "commit": commit})


def job_with_program(pipeline: Pipeline, job: Job, leader: Service | None) -> Job:
    """The same job, in which ``image``, ``flags`` and ``commit`` are those of its program."""
    program = _program(leader.name if leader else job.name, own_of_job(pipeline, job, leader))
    commit = job.commit or program.commit
    return job.model_copy(update={"image": program.image, "flags": program.flags, "commit": commit})


def namesake(name: str, containers: Iterable[Container]) -> Container | None:
    """The only container whose repository bears the name of its service; None where there is no such, or several."""
    found = [each for each in containers if each.image.repository.rpartition("/")[2] == name]
    return found[0] if len(found) == 1 else None


Entry = TypeVar("Entry", ServiceSettings, JobSettings)


def settings_of(entries: Iterable[Entry], pipeline: Pipeline, one: Service | Job) -> Entry | None:
    """What the settings say of a service or job: the entry of its name, that of its region before others."""
    found = [each for each in entries if each.name == one.name]
    own = pipeline.pipeline.region
    return min(found, key=lambda each: (each.region or own) != one.region, default=None)


def _program(name: str, own: OwnContainers) -> Container:
    first = own.containers[0] if own.containers else Container(image=Image(reference="", repository=""))
    return (namesake(name, own.containers) or first) if own.unclear else first


def _choose(
    pipeline: Pipeline,
    one: Service | Job,
    containers: Sequence[Container],
    named: str | None,
    repositories: Collection[str],
) -> OwnContainers:
    everything = tuple(containers)
    if len(everything) == 1:
        return OwnContainers(everything)
    by_name = tuple(each for each in everything if named and each.name == named)
    by_repository = tuple(each for each in everything if each.image.repository in repositories)
    if by_name or (by_repository and not named):
        return OwnContainers(by_name or by_repository)
    may_be = _not_foreign(pipeline, one, everything)
    if len(may_be) == 1 and not named:
        return OwnContainers(may_be)
    return _unclear(one, everything, may_be, named)


def _unclear(
    one: Service | Job, containers: Sequence[Container], may_be: tuple[Container, ...], named: str | None
) -> OwnContainers:
    kind = "service" if isinstance(one, Service) else "job"
    told = names_of(containers)
    why = f"which of the {counted(len(containers), 'container')} of the {kind} {one.name} ({told}) is its program"
    if named:
        why = f"the settings name a container {named!r} of the {kind} {one.name}, and it has {told}"
    line = f'container = "NAME" under [[{kind}s]] name = "{one.name}"'
    return OwnContainers(may_be, why if named else f"{why} cannot be told", line)


def names_of(containers: Sequence[Container]) -> str:
    """The containers by their names, or their images where they have none; a few of many."""
    shown = [show(each.name or each.image.reference, limit=_LONGEST) for each in containers[:_NAMED]]
    more = f", and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
    return ", ".join(shown) + more


def _not_foreign(pipeline: Pipeline, one: Service | Job, containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """The containers that are not provably somebody else's.

    Images that Google publishes for everybody are; so are those of registries that are not Google's, beside an image
    from a registry of one of the pipeline's own projects. An image that bears the service's name may always be ours.
    """
    projects = {pipeline.pipeline.project, one.project, *(each.project for each in pipeline.services if each.project)}
    homes = [(each, *_home(each.image)) for each in containers]
    at_home = any(google and project in projects for _, google, project in homes)
    kept = tuple(
        each
        for each, google, project in homes
        if each.image.repository.rpartition("/")[2] == one.name
        or project in projects
        or (project not in _PUBLISHERS if google else not at_home)
    )
    return kept or containers


def _home(image: Image) -> tuple[bool, str]:
    """Whether an image is on a registry of Google's, and in which project there."""
    host, _, path = image.repository.partition("/")
    google = _GOOGLE.fullmatch(host) is not None
    return google, path.partition("/")[0] if google else ""
