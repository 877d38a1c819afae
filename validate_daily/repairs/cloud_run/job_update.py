"""Updates the images of jobs, one by one under its etag, and reads each of them again."""

import asyncio
from typing import Final

from checks.sources.cloud_run.client import Message
from checks.sources.errors import SourceError
from checks.text.show import show
from validate_daily.repairs.cloud_run.containers import ambiguity, place_of
from validate_daily.repairs.cloud_run.images.commit_label import write_label
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.plans.cloud_run_outcomes import JobFate, JobResult, JobsUpdate
from validate_daily.repairs.plans.cloud_run_plans import JobChange, JobsPlan
from validate_daily.repairs.stores.cloud_run import ChangeError
from validate_daily.repairs.stores.desired_state import changed_copy, version
from validate_daily.repairs.stores.rehearsal import JOB_PARTS, read_rehearsal

_AT_ONCE: Final = 4


async def update_jobs(session: RunSession, plan: JobsPlan, *, resumed: bool) -> JobsUpdate:
    """Update every job of a plan; what happens to one does not keep the others from it."""
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def update(change: JobChange) -> JobResult:
        async with at_once:
            return await _update(session, change)

    ended = await asyncio.gather(*(update(each) for each in plan.jobs), return_exceptions=True)
    jobs = (_told(change, each) for change, each in zip(plan.jobs, ended, strict=True))
    return JobsUpdate(
        plan=plan.id,
        repair=plan.repair,
        resumed=resumed,
        service=plan.service,
        digest=plan.digest,
        planned=len(plan.jobs),
        jobs=tuple(jobs),
    )


def _told(change: JobChange, ended: JobResult | BaseException) -> JobResult:
    """What became of a job, also where something failed that nobody expected: it keeps the others from nothing."""
    if isinstance(ended, JobResult):
        return ended
    if not isinstance(ended, Exception):
        raise ended
    error = f"an error that was not expected: {type(ended).__name__}: {show(str(ended), limit=200)}"
    return _result(change, JobFate.UNKNOWN, None, f"{error}; look at it with validate-daily jobs")


async def _update(session: RunSession, change: JobChange) -> JobResult:
    try:
        before = await session.store.job(change.resource)
    except SourceError as error:
        return _result(change, JobFate.UNKNOWN, None, f"it could not be read: {error}; {error.next_step}")
    if _image(change, before) == change.after:
        return _result(change, JobFate.UPDATED, before)
    now = version(before)
    if (now.generation, now.spec) != (change.version.generation, change.version.spec):
        return _result(change, JobFate.CHANGED, before, "somebody changed it since the plan: left alone")
    return await _change(session, change, before)


async def _change(session: RunSession, change: JobChange, before: Message) -> JobResult:
    containers = before.template.template.containers
    place = place_of(containers, change.repository, change.container)
    if place is None:
        reason = ambiguity("its template", containers, change.repository, change.container)
        return _result(change, JobFate.REFUSED, before, reason)

    def name_image(message: Message) -> None:
        message.template.template.containers[place].image = change.after
        write_label(change.relabel, message.labels)
        write_label(change.relabel, message.template.labels)
        for token in ("start_execution_token", "run_execution_token"):
            message.ClearField(token)

    wanted, filled = changed_copy(before, name_image), None
    try:
        rehearsed = await session.store.update_job(wanted, rehearse=True)
        answer = read_rehearsal(before, wanted, rehearsed, JOB_PARTS)
        if answer.beyond:
            why = f"Cloud Run would also change {show(', '.join(answer.beyond), limit=300)}"
            return _result(change, JobFate.REFUSED, before, why)
        filled = answer.told
        await session.store.update_job(wanted, rehearse=False)
    except ChangeError as error:
        if error.refused:
            return _result(change, JobFate.CHANGED if error.conflict else JobFate.REFUSED, before, str(error))
    return (await _verify(session, change)).model_copy(update={"filled": filled})


async def _verify(session: RunSession, change: JobChange) -> JobResult:
    """A look afterwards, whether the change was acknowledged or not."""
    try:
        after = await session.store.job(change.resource)
    except SourceError as error:
        return _result(change, JobFate.UNKNOWN, None, f"it could not be read again: {error}; {error.next_step}")
    if _image(change, after) == change.after:
        return _result(change, JobFate.UPDATED, after)
    return _result(change, JobFate.UNKNOWN, after, "the change was not acknowledged, and does not show: plan again")


def _image(change: JobChange, message: Message) -> str | None:
    """The image of the container that is replaced; None where that is not exactly one."""
    containers = message.template.template.containers
    place = place_of(containers, change.repository, change.container)
    return None if place is None else str(containers[place].image)


def _result(change: JobChange, fate: JobFate, message: Message | None, why: str | None = None) -> JobResult:
    return JobResult(name=change.name, fate=fate, image=None if message is None else _image(change, message), why=why)
