"""Which services and jobs of a project and region are the pipeline's, where its settings name some of them.

Settings without ``[[services]]`` and ``[[jobs]]`` say nothing of whose anything is: then all of it is the pipeline's.
Settings that name some leave the others to somebody else, unless these run an image of the pipeline's own, or write, or
by the settings should write, the heartbeat of a registered processor: a job that everybody forgot runs old code too.

The source of Cloud Run sorts by settings and images (``sorted_out``). Who writes heartbeats is known once those were
read (``with_writers``). What is left in ``Deployments.other_services`` and ``other_jobs`` makes no finding and no gap.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from checks.evidence.deployments import Deployments, Job, Service, is_execution_of
from checks.evidence.logs import Logs
from checks.evidence.own_containers import own_of_job, repositories_of, wholes_of
from checks.evidence.snapshot import Census, Family
from checks.settings.pipeline import Pipeline

_REVISION: Final = re.compile(r"-[0-9]{5}-[a-z0-9]{3}")


def claims(pipeline: Pipeline, project: str, region: str, name: str) -> bool:
    """Whether the settings leave no doubt, by its name alone, that something is the pipeline's."""
    entries = (*pipeline.services, *pipeline.jobs)
    if not entries or pipeline.heartbeats.processors_of(name):
        return True
    own = pipeline.pipeline
    return any(
        (each.name, each.project or own.project, each.region or own.region) == (name, project, region)
        for each in entries
    )


def sorted_out(pipeline: Pipeline, found: Deployments) -> Deployments:
    """The same, in which the services and jobs are the pipeline's own, and all others are told apart."""
    return _divided(pipeline, found, lambda _: False)


def with_writers(pipeline: Pipeline, found: Deployments, census: Census | None, logs: Logs | None) -> Deployments:
    """The same, in which whoever writes a registered processor's heartbeat, or its runs, is the pipeline's too."""
    revisions = set(_writers(pipeline, census))
    sources = {run.source for run in logs.runs} if logs else set[str]()
    return _divided(pipeline, found, lambda one: one.name in sources or any(_wrote(one, each) for each in revisions))


def _divided(pipeline: Pipeline, found: Deployments, writes: Callable[[Service | Job], bool]) -> Deployments:
    services, jobs = (*found.services, *found.other_services), (*found.jobs, *found.other_jobs)
    named = [each for each in (*services, *jobs) if claims(pipeline, each.project, each.region, each.name)]
    if len(named) == len(services) + len(jobs):
        return found
    homes = _repositories(pipeline, named)
    own = {id(each) for each in named}
    own |= {id(each) for each in (*services, *jobs) if _runs(each, homes) or writes(each)}
    return found.model_copy(
        update={
            "services": tuple(each for each in services if id(each) in own),
            "jobs": tuple(each for each in jobs if id(each) in own),
            "other_services": tuple(each for each in services if id(each) not in own),
            "other_jobs": tuple(each for each in jobs if id(each) not in own),
        }
    )


def _repositories(pipeline: Pipeline, named: Iterable[Service | Job]) -> set[str]:
    """The repositories of the pipeline's own images, as the settings or what they name tell them."""
    homes = {each.repository for each in pipeline.services if each.repository}
    for one in named:
        if isinstance(one, Service):
            homes |= repositories_of(pipeline, one)
        else:
            homes |= {each.image.repository for each in own_of_job(pipeline, one, None).containers}
    return homes - {""}


def _runs(one: Service | Job, homes: set[str]) -> bool:
    wholes = (one.every, *wholes_of(one)) if isinstance(one, Service) else (one.every,)
    return any(container.image.repository in homes for whole in wholes for container in whole)


def _writers(pipeline: Pipeline, census: Census | None) -> Iterator[str]:
    """The revisions and executions that wrote heartbeats of registered processors, as far as these were read."""
    registered = pipeline.heartbeats.registered
    for family in census.families if census else ():
        if not registered or family.processor in registered:
            yield from _revisions(family)


def _revisions(family: Family) -> Iterator[str]:
    read = (family.newest, family.newest_malformed, family.future_sample, family.unparsable_sample)
    yield from (each.revision for each in read if each and each.revision)


def _wrote(one: Service | Job, revision: str) -> bool:
    """Whether a revision, or an execution, that a document names is of this service or job."""
    if isinstance(one, Job):
        return revision == one.last_execution or is_execution_of(revision, one.name)
    known = {one.created, one.ready, *(each.name for each in one.revisions), *(each.revision for each in one.shares)}
    own = revision.startswith(one.name) and _REVISION.fullmatch(revision.removeprefix(one.name)) is not None
    return revision in known or own
