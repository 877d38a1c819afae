"""Jobs: makes those that follow a service run the digest that it serves. Starts no execution.

Deploying a service touches no job: each keeps its image until somebody updates it. The image is pinned by digest,
because a tag would be resolved anew at each execution.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from checks.evidence.deployments import Deployments, Image, Job, State, Tag
from checks.evidence.own_containers import job_with_program, namesake, own_of_service
from checks.evidence.running_images import parts_of
from checks.judge.deployed.job_images import difference
from checks.judge.rules import job_image_differs
from checks.settings.pipeline import Pipeline
from checks.sources.cloud_run.client import Message
from checks.sources.cloud_run.messages import read_job
from checks.sources.errors import SourceError
from checks.sources.registry.images import unlike_job
from checks.sources.registry.tags import read_tags
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.cloud_run.containers import ambiguity, unclear, update_command
from validate_daily.repairs.cloud_run.images.commit_label import Labels, commit_of, relabel
from validate_daily.repairs.cloud_run.images.image_code import code_of
from validate_daily.repairs.cloud_run.images.registry_facts import read_registry
from validate_daily.repairs.cloud_run.job_update import update_jobs
from validate_daily.repairs.cloud_run.service_state import (
    ServiceState,
    read_state,
    refuse_unsettled,
    service_resource,
)
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.cloud_run_outcomes import JobsUpdate
from validate_daily.repairs.plans.cloud_run_plans import JobChange, JobsPlan, Relabel
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError, UnseenError
from validate_daily.repairs.plans.ownership import ownership_of
from validate_daily.repairs.plans.plan import Untouched
from validate_daily.repairs.stores.desired_state import version

_AT_ONCE: Final = 8
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class _JobState:
    """A job as it was read: its message, and the same as evidence."""

    message: Message
    job: Job

    def following(self, pipeline: Pipeline, leader: ServiceState) -> "_JobState":
        """The same, in which the job's image is that of its program, beside the service that it follows."""
        return replace(self, job=job_with_program(pipeline, self.job, leader.service))


async def plan_job_update(
    session: RunSession, service: str, *, jobs: Collection[str] = (), override_owner: bool = False
) -> JobsPlan:
    """Plan an update of jobs from a reading of one's own. Changes nothing.

    Args:
        session: what is read, and for whom.
        service: one of the settings' services.
        jobs: only these of those that follow it; none named means all.
        override_owner: a person wants jobs changed although another tool deploys them.

    Raises:
        NothingToDoError: each of them would run what the service serves.
        RefusedError: which container of the service is its program cannot be told, a job has not exactly one container
            of that repository, the service serves more than one digest, or a change of it is in progress.
        RepairError: the settings name no such job.
        UnseenError: the service, a job or the registry could not be read.
    """
    names = _names(session, service, jobs)
    state, read = await asyncio.gather(read_state(session, service_resource(session, service)), _read(session, names))
    refuse_unsettled(state)
    image = _served(session, state)
    found = [each.following(session.settings.pipeline, state) for each in read]
    differing = await _compare(session, state, found)
    _refuse_ambiguous(session, service, image.repository, {names[each.job.name]: each.message for each in differing})
    same, label = len(found) - len(differing), session.settings.pipeline.sources.commit_label
    if not differing:
        follow = form(len(found), f"follows {service}, and", f"follow {service}, and each")
        raise NothingToDoError(f"{counted(len(found), 'job')} {follow} would run what it serves", "nothing is due")
    run = form(same, "it runs", "they run")
    alike = Untouched(what=form(same, "job", "jobs"), count=same, why=f"{run} what {service} serves")
    labelled = any(label in labels for each in differing for labels in _labels(each.message))
    commit = await _commit(session, service, image) if labelled else None
    return JobsPlan(
        **session.plan_base(session.clock()),
        reason=f"{job_image_differs.RULE.name}: {counted(len(differing), 'job')} would not run what {service} serves",
        service=service,
        service_project=state.service.project,
        region=state.service.region,
        digest=image.digest or "",
        jobs=tuple(_change(session, each, image, relabel(label, commit, *_labels(each.message))) for each in differing),
        only=tuple(jobs),
        untouched=(alike,) if same else (),
        notes=tuple(_notes(differing)),
        override_owner=override_owner,
    )


async def apply_job_update(
    session: RunSession, plan: JobsPlan, approval: Approval, audit: Audit, *, token: str | None = None
) -> JobsUpdate:
    """Update the jobs that are still as the plan says. Arguments and errors as for ``apply_redeploy``."""
    resumed = await allow(session, plan, approval, audit, session.clock())
    state = await read_state(session, service_resource(session, plan.service))
    image = _served(session, state)
    if image.digest != plan.digest:
        raise RefusedError(f"{plan.service} no longer serves {plan.digest[:19]}", "plan again")
    _refuse_ambiguous(session, plan.service, image.repository, await _read_again(session, plan))
    return await audited(
        session, plan, approval, audit, lambda _head: update_jobs(session, plan, resumed=resumed), token=token
    )


def _names(session: RunSession, service: str, jobs: Collection[str]) -> dict[str, str]:
    """The full names of the jobs that are meant, by their short ones."""
    own = session.settings.pipeline
    following = {each.name: each for each in own.jobs if each.follows == service}
    unknown = sorted(set(jobs) - following.keys())
    if unknown or not following:
        which = f"job {show(unknown[0], limit=100)}" if unknown else "job"
        raise RepairError(
            f"the settings name no {which} that follows {show(service, limit=100)}",
            "name it under [[jobs]], with follows: only jobs that the settings name are changed",
        )
    names: dict[str, str] = {}
    for each in following.values():
        if jobs and each.name not in jobs:
            continue
        project, region = each.project or own.pipeline.project, each.region or own.pipeline.region
        if region is None:
            raise RepairError(
                f"the settings name no region for {each.name}", "set region under [pipeline] or at the job"
            )
        names[each.name] = f"projects/{project}/locations/{region}/jobs/{each.name}"
    return names


async def _read(session: RunSession, names: dict[str, str]) -> list[_JobState]:
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def read(name: str, resource: str) -> _JobState:
        place = resource.split("/")[1], resource.split("/")[3]
        try:
            async with at_once:
                message = await session.store.job(resource)
            return _JobState(message, read_job(message, place, session.settings.pipeline.sources))
        except SourceError as error:
            raise UnseenError.of(f"job {name}", error) from error
        except ValueError as error:
            raise UnseenError(f"job {name} cannot be read: {show(str(error), limit=200)}", "run again") from error

    return await asyncio.gather(*(read(name, resource) for name, resource in names.items()))


def _served(session: RunSession, state: ServiceState) -> Image:
    """The one image that all of the traffic meets.

    Raises:
        RefusedError: there are several, or which container of a revision is the program cannot be told.
    """
    pipeline, service = session.settings.pipeline, state.service
    images: dict[str | None, Image] = {}
    for _, revision in service.serving:
        if revision is None:
            continue
        own = own_of_service(pipeline, service, revision.every)
        sole = own.unclear and namesake(service.name, own.containers)
        candidates = (sole,) if sole else own.containers
        if own.unclear and not sole and len({(each.image.repository, each.image.digest) for each in candidates}) > 1:
            what, containers = f"the revision {revision.name}", state.revisions[revision.name].containers
            raise RefusedError(unclear(f"{what} of the service {service.name}", containers, own), own.next_step)
        images |= {each.image.digest: each.image for each in candidates}
    if len(images) != 1 or None in images:
        raise RefusedError(
            f"{service.name} serves {counted(len(images), 'digest')}: which of them jobs should run is not clear",
            "redeploy the service first, so that all of its traffic meets one",
        )
    return next(iter(images.values()))


async def _read_again(session: RunSession, plan: JobsPlan) -> dict[str, Message]:
    """The jobs of a plan before any is changed, by full name; without those that cannot be read, whose fate says it."""
    at_once = asyncio.Semaphore(_AT_ONCE)
    found: dict[str, Message] = {}

    async def read(change: JobChange) -> None:
        async with at_once:
            with suppress(SourceError):
                found[change.resource] = await session.store.job(change.resource)

    await asyncio.gather(*(read(each) for each in plan.jobs))
    return found


def _refuse_ambiguous(session: RunSession, service: str, repository: str, found: Mapping[str, Message]) -> None:
    """Refuse all of an update where a job has not exactly one container that the image would replace.

    Args:
        session: whose settings may name a job's container.
        service: what they follow.
        repository: of the image.
        found: the jobs, by full name.

    Raises:
        RefusedError: no container of a job runs an image of the repository, or several do. It says how the others are
            updated.
    """
    reasons = {
        resource: reason
        for resource, each in found.items()
        if (
            reason := ambiguity(
                f"the template of the job {_short(resource)}",
                each.template.template.containers,
                repository,
                _container_of(session, _short(resource)),
            )
        )
    }
    if not reasons:
        return
    shown, alike = list(reasons)[:_SHOWN], list(reasons)[_SHOWN:]
    same = f"; the same goes for {', '.join(map(_short, alike))}" if alike else ""
    others = " ".join(f"--job {_short(each)}" for each in found if each not in reasons)
    onward = f"; update the others with: validate-daily jobs --update {service} {others}" if others else ""
    raise RefusedError(
        f"{'; '.join(reasons[each] for each in shown)}{same}",
        f"update it the way it was deployed, for example with: {'; '.join(map(update_command, shown))}{onward}",
    )


def _short(resource: str) -> str:
    return resource.rpartition("/")[2]


def _container_of(session: RunSession, job: str) -> str | None:
    """The container that the settings call a job's program, if they name one."""
    return next((each.container for each in session.settings.pipeline.jobs if each.name == job), None)


async def _compare(session: RunSession, state: ServiceState, found: list[_JobState]) -> list[_JobState]:
    """The jobs that would run something else."""
    pipeline = session.settings.pipeline
    listed = Deployments(services=(state.service,), jobs=tuple(each.job for each in found))
    parts = [part for each in found for part in parts_of(pipeline, listed, each.job)]
    tags = await _tags(session, (part.image for part in parts if part.image and part.image.by_tag))
    listed = listed.model_copy(update={"tags": tags})
    unlike = [image for each in found for image in unlike_job(pipeline, listed, each.job, state.service)]
    listed = listed.model_copy(update={"tags": (*tags, *await _tags(session, unlike))})
    return [each for each in found if difference(pipeline, listed, each.job, state.service)]


async def _tags(session: RunSession, images: Iterable[Image]) -> tuple[Tag, ...]:
    tags, gaps = await read_tags(images, session.registry, session.budget, login=session.reader)
    if gaps:
        raise UnseenError(f"registry: {gaps[0].reason}", gaps[0].next_step)
    return tags


async def _commit(session: RunSession, service: str, image: Image) -> str | None:
    """The commit that jobs may be labelled with which run an image."""
    wanted = Tag(repository=image.repository, tag=image.digest or "", digest=image.digest)
    code, registry = await asyncio.gather(code_of(session, service, [image]), read_registry(session, wanted))
    return commit_of(registry, code)


def _labels(message: Message) -> tuple[Labels, Labels]:
    return message.labels, message.template.labels


def _change(session: RunSession, found: _JobState, image: Image, label: Relabel | None) -> JobChange:
    job = found.job
    return JobChange(
        name=job.name,
        project=job.project,
        region=job.region,
        version=version(found.message),
        container=_container_of(session, job.name),
        beside=max(0, len(job.containers) - 1),
        before=job.image.reference,
        after=f"{image.repository}@{image.digest}",
        relabel=label,
        owned=ownership_of(session.settings.pipeline, job),
        last_run=job.last_run,
        executions=job.executions,
    )


def _notes(differing: list[_JobState]) -> list[str]:
    running = [each.job.name for each in differing if each.job.last_state is State.PENDING]
    notes = ["no execution is started: each job runs the new image when it runs next"]
    if running:
        notes.append(f"RUNNING: the executions of {', '.join(running)} go on with the old image")
    return notes
