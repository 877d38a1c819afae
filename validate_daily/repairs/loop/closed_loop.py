"""The closed loop: fix the writer, prove that the fix serves, see good heartbeats, clean up, prove that growth stopped.

Where the loop stands is read from the world each time, never remembered: it can be broken off and gone on with at any
point, by anybody, and stops at the first step that does not hold.
"""

from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Mapping
from datetime import datetime
from typing import Final

from checks.judge.deployed.proofs import Outcome
from checks.settings.file import Settings
from checks.settings.pipeline import Pipeline
from checks.sources.errors import SourceError
from checks.sources.image_references import parse_image
from checks.text.show import show
from validate_daily.repairs.cloud_run.images.image_code import ImageCode, code_of
from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.cloud_run.redeploy import apply_redeploy, plan_redeploy
from validate_daily.repairs.cloud_run.service_state import read_state, service_resource
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.collection import date_back, list_heartbeats
from validate_daily.repairs.documents.selection import HOUR, malformed_since, select
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.loop.remedies import NO_WORK, FoundWork
from validate_daily.repairs.loop.right_since import RightSince, read_right_since
from validate_daily.repairs.loop.state import BEATS, CLEAN, JOBS, WRITER, LoopState, Step
from validate_daily.repairs.loop.writers import GrowthNow, blame
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit, new_event
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan, RedeployPlan
from validate_daily.repairs.plans.errors import NothingToDoError, RepairError, UnseenError
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import CleanupPlan, Plan, Principal
from validate_daily.repairs.stores.documents import Documents
from validate_daily.repairs.stores.listing import CollectionListing
from validate_daily.repairs.stores.timestamps import moment, nanos_of

_NAMED: Final = 5


async def read_loop(
    documents: DocumentSession,
    run: RunSession,
    audit: Audit,
    work: FoundWork = NO_WORK,
    given_up: Collection[tuple[str, str]] = (),
) -> LoopState:
    """Read where the loop stands. Changes nothing.

    Args:
        documents: the way to Firestore.
        run: the way to Cloud Run.
        audit: where the tags of earlier redeploys are looked up.
        work: what a check found, of services whose processors have no run-scoped documents too.
        given_up: steps the plans of which were tried, and failed.

    Raises:
        UnseenError: the heartbeats could not be listed.
    """
    state = LoopState()
    pipeline = documents.settings.pipeline
    listing = await list_heartbeats(documents)
    writers = _writers(pipeline, listing)
    for service in writers:
        step, plan, proved = await _writer(run, service, audit)
        if not state.add(step, plan):
            return state
        if not state.add(*await _jobs(run, service)):
            return state
        state.fixed[service] = await _right_since(run, service, proved=proved)
    for service in (each for each in work.all if each not in writers):
        if not await _aside(state, run, service, audit, work, given_up):
            return state
    if writers and _grown(pipeline, listing, writers, state.fixed):
        listing = await date_back(documents, listing, nanos_of(listing.read_time) - HOUR)
    for service in writers:
        if not state.add(await _beats(documents, pipeline, listing, service, state.fixed[service])):
            return state
    state.add(*await _clean(documents, {name: each.settled for name, each in state.fixed.items()}))
    return state


async def _aside(
    state: LoopState,
    run: RunSession,
    service: str,
    audit: Audit,
    work: FoundWork,
    given_up: Collection[tuple[str, str]],
) -> bool:
    """Note the steps of a service whose processors have no run-scoped documents; whether to go on without a plan."""
    if service in work.services:
        step, plan, _ = await _writer(run, service, audit)
        if not state.add(step, None if step.key in given_up else plan, aside=True):
            return False
        if not step.holds:  # its jobs are to run what it serves when it is fixed
            return True
    step, plan = await _jobs(run, service)
    return state.add(step, None if step.key in given_up else plan, aside=True)


async def apply_plan(
    documents: DocumentSession, run: RunSession, plan: Plan, approval: Approval, audit: Audit, *, token: str
) -> RepairResult:
    """Apply a plan that the loop stands before. Errors as for applying it by itself."""
    match plan:
        case RedeployPlan():
            return await apply_redeploy(run, plan, approval, audit, token=token)
        case JobsPlan():
            return await apply_job_update(run, plan, approval, audit, token=token)
        case CleanupPlan():
            return await apply_cleanup(documents, plan, approval, audit, token=token)
        case _:
            raise TypeError(f"the loop makes no plan of the type {type(plan).__name__}")


async def record_step(audit: Audit, settings: Settings, principal: Principal, step: Step) -> None:
    """Write down that a step holds: a fact, which changes nothing.

    Raises:
        AuditError: it cannot be written.
    """
    fact = {"repair": "repair", "plan": None, "subject": step.subject, "evidence": step.model_dump(mode="json")}
    outcome = {"summary": f"{step.name}: {step.told}"}
    whose = {"pipeline": settings.pipeline.pipeline.name, "project": settings.pipeline.heartbeat_project}
    who = {"principal": principal, "identity": principal.identity}
    await audit.append(new_event("fact", outcome=outcome, **whose, **who, **fact))


def _writers(pipeline: Pipeline, listing: CollectionListing) -> list[str]:
    """The services whose processors have run-scoped documents."""
    found = select(listing.rows, pipeline.heartbeats.registered, nanos_of(listing.read_time))
    known = pipeline.heartbeats.services
    return sorted({known[name] for name in found.families if name in known})


async def _writer(run: RunSession, service: str, audit: Audit) -> tuple[Step, Plan | None, bool]:
    """Whether all traffic of a service meets its tag's digest, with the fix inside; and the plan that makes it so.

    An image that is proved to lack the fix is no plan: it would be deployed in vain. The third says whether code probes
    found the fix in the files of what serves.
    """
    step, plan = await _planned(WRITER, service, plan_redeploy(run, service, audit=audit))
    if isinstance(plan, RedeployPlan):
        inside = await code_of(run, service, [parse_image(plan.image)])
        return (
            (step, plan, False) if inside.result is not Outcome.CONTRADICTED else (_inside(step, inside), None, False)
        )
    if step.holds:
        seen = await read_state(run, service_resource(run, service))
        inside = await code_of(run, service, [each.image for _, each in seen.service.serving if each])
        if inside.result in {Outcome.CONTRADICTED, Outcome.UNKNOWN}:
            return _inside(step, inside), None, False
        step = step.model_copy(update={"told": f"{step.told}; {inside.summary}"})
        return step, plan, inside.result is Outcome.MATCHED
    return step, plan, False


async def _right_since(run: RunSession, service: str, *, proved: bool) -> RightSince:
    return await read_right_since(run, await read_state(run, service_resource(run, service)), proved=proved)


def _inside(step: Step, code: ImageCode) -> Step:
    """The step, as the files of the image have it."""
    holds = False if code.result is Outcome.CONTRADICTED else None
    seen = f"{step.told}; {code.summary}"
    return step.model_copy(update={"holds": holds, "told": seen, "next_step": code.next_step})


async def _jobs(run: RunSession, service: str) -> tuple[Step, Plan | None]:
    """Whether the jobs that follow a service run what it serves; and the plan that makes it so."""
    if not any(each.follows == service for each in run.settings.pipeline.jobs):
        return Step(name=JOBS, subject=service, holds=True, told="no job follows it"), None
    return await _planned(JOBS, service, plan_job_update(run, service))


async def _planned(name: str, subject: str, planning: Awaitable[Plan]) -> tuple[Step, Plan | None]:
    """A step that holds where a repair finds nothing to do; else the plan that makes it hold, if one can be made."""
    try:
        plan = await planning
    except NothingToDoError as nothing:
        return Step(name=name, subject=subject, holds=True, told=nothing.reason), None
    except RepairError as error:
        holds = None if isinstance(error, UnseenError) else False
        return Step(name=name, subject=subject, holds=holds, told=error.reason, next_step=error.next_step), None
    if (refusal := plan.refusal) is not None:
        told = f"{plan.reason}; {refusal.reason}"
        return Step(name=name, subject=subject, holds=False, told=told, next_step=refusal.next_step), None
    return Step(name=name, subject=subject, holds=False, told=plan.reason), plan


async def _beats(
    documents: DocumentSession, pipeline: Pipeline, listing: CollectionListing, service: str, right: RightSince
) -> Step:
    """Whether each processor of a service has written well since the fix serves, and none the old way by now."""
    since, still = right.traffic, _growth(pipeline, listing, service, right)
    if still.ids:
        blamed = await blame(documents, service, right, still)
        told = f"the old format is still written since {right.all:%Y-%m-%d %H:%M:%S UTC}, by {still.told}; {blamed.who}"
        return Step(name=BEATS, subject=service, holds=False, told=told, next_step=blamed.next_step)
    if right.running:
        named = ", ".join(show(each, limit=100) for each in right.running[:_NAMED])
        told = f"still running with the image from before its job was updated: {named}"
        return Step(name=BEATS, subject=service, holds=False, told=told, next_step="run again when that is over")
    late = await _not_yet(documents, pipeline, service, since)
    if late is None:
        return Step(
            name=BEATS, subject=service, holds=None, told="its heartbeats could not be read", next_step="run again"
        )
    if late:
        return Step(
            name=BEATS,
            subject=service,
            holds=False,
            told=f"no heartbeat yet since {since:%Y-%m-%d %H:%M:%S UTC} of {', '.join(late[:_NAMED])}"
            + (f" and {len(late) - _NAMED} more" if len(late) > _NAMED else ""),
            next_step="run again when they have run",
        )
    must = [each.name for each in pipeline.heartbeats.processors_of(service) if each.must_beat]
    seen = f"each of {len(must)} that must beat did" if must else "no processor of it must beat: nothing was looked for"
    return Step(name=BEATS, subject=service, holds=True, told=f"{seen}, since {since:%Y-%m-%d %H:%M:%S UTC}")


def _grown(
    pipeline: Pipeline, listing: CollectionListing, services: Iterable[str], fixed: Mapping[str, RightSince]
) -> bool:
    return any(_growth(pipeline, listing, service, fixed[service]).ids for service in services)


def _growth(pipeline: Pipeline, listing: CollectionListing, service: str, right: RightSince) -> GrowthNow:
    """What the processors of a service wrote in the old format in the last hour, since all is right and drained."""
    known = pipeline.heartbeats.services
    since = max(nanos_of(listing.read_time) - HOUR, nanos_of(right.settled))
    new = malformed_since(listing.rows, pipeline.heartbeats.registered, since)
    own = {name: family for name, family in new if known.get(family) == service}
    newest = sorted((row for row in listing.rows if row.id in own), key=lambda row: -row.created)
    return GrowthNow(tuple(row.id for row in newest), Counter(own.values()))


async def _not_yet(documents: DocumentSession, pipeline: Pipeline, service: str, since: datetime) -> list[str] | None:
    """The processors of a service that must beat and have not, since a moment; None where that could not be read."""
    names = [each.name for each in pipeline.heartbeats.processors_of(service) if each.must_beat]
    prefix = f"{documents.root}/{pipeline.heartbeats.collection}/"
    store = Documents(documents.connection, documents.budget, documents.bill)
    try:
        found = await store.read(prefix + name for name in names)
    except SourceError:
        return None
    return [name for name in names if (stored := found.get(prefix + name)) is None or moment(stored.version) < since]


async def _clean(documents: DocumentSession, fixed: Mapping[str, datetime]) -> tuple[Step, Plan | None]:
    collection = documents.settings.pipeline.heartbeats.collection
    return await _planned(CLEAN, collection, plan_cleanup(documents, fixed=fixed))
