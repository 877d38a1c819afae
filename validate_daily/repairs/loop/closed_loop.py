"""The closed loop: fix the writer, prove that the fix serves, see good heartbeats, clean up, prove that growth stopped.

Where the loop stands is read from the world each time, never remembered: it can be broken off and gone on with at any
point, by anybody, and stops at the first step that does not hold.
"""

from collections import Counter
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from checks.evidence.base import Evidence, Untrusted
from checks.judge.deployed.proofs import Outcome
from checks.settings.file import Settings
from checks.settings.pipeline import Pipeline
from checks.sources.errors import SourceError
from checks.sources.image_references import parse_image
from checks.text.show import show
from validate_daily.repairs.cloud_run.image_code import ImageCode, code_of
from validate_daily.repairs.cloud_run.jobs import apply_job_update, plan_job_update
from validate_daily.repairs.cloud_run.redeploy import apply_redeploy, plan_redeploy
from validate_daily.repairs.cloud_run.service_state import read_state, service_resource
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.documents.cleanup import apply_cleanup, plan_cleanup
from validate_daily.repairs.documents.collection import list_heartbeats
from validate_daily.repairs.documents.selection import malformed_since, select
from validate_daily.repairs.documents.session import DocumentSession
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit, new_event
from validate_daily.repairs.plans.cloud_run_plans import JobsPlan, RedeployPlan
from validate_daily.repairs.plans.errors import NothingToDoError, RepairError, UnseenError
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import CleanupPlan, Plan, Principal
from validate_daily.repairs.stores.documents import Documents
from validate_daily.repairs.stores.listing import CollectionListing
from validate_daily.repairs.stores.timestamps import moment, nanos_of

WRITER: Final = "the writer is fixed"
JOBS: Final = "the jobs that follow it run the same"
BEATS: Final = "its processors beat well"
CLEAN: Final = "the left-overs are gone"
_NAMED: Final = 5


class Step(Evidence):
    """One step of the loop.

    Attributes:
        name, subject: what should hold, and of what.
        holds: whether it does; None: that is not known.
        told: what was seen.
        next_step: what to do where it does not hold; None where it does, or where a plan is at hand.
    """

    name: str
    subject: str
    holds: bool | None
    told: Untrusted
    next_step: str | None = None


@dataclass(slots=True)
class LoopState:
    """Where the loop stands.

    Attributes:
        steps: in their order, up to the first that does not hold.
        plan: what would make that one hold, if a plan can.
        fixed: since when the fix of each service serves.
    """

    steps: list[Step] = field(default_factory=list[Step])
    plan: Plan | None = None
    fixed: dict[str, datetime] = field(default_factory=dict[str, datetime])

    @property
    def holds(self) -> bool | None:
        """Whether every step holds; None where one is not known."""
        return self.steps[-1].holds if self.steps else True

    def add(self, step: Step, plan: Plan | None = None) -> bool:
        """Note a step, and say whether the next may be looked at."""
        self.steps.append(step)
        self.plan = plan
        return step.holds is True


async def read_loop(documents: DocumentSession, run: RunSession, audit: Audit) -> LoopState:
    """Read where the loop stands. Changes nothing.

    Args:
        documents: the way to Firestore.
        run: the way to Cloud Run.
        audit: where the tags of earlier redeploys are looked up.

    Raises:
        UnseenError: the heartbeats could not be listed.
    """
    state = LoopState()
    pipeline = documents.settings.pipeline
    listing = await list_heartbeats(documents)
    writers = _writers(pipeline, listing)
    for service in writers:
        if not state.add(*await _writer(run, service, audit, state.fixed)):
            return state
        if not state.add(*await _jobs(run, service)):
            return state
    for service in writers:
        if not state.add(await _beats(documents, pipeline, listing, service, state.fixed[service])):
            return state
    state.add(*await _clean(documents, state.fixed))
    return state


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


async def _writer(run: RunSession, service: str, audit: Audit, fixed: dict[str, datetime]) -> tuple[Step, Plan | None]:
    """Whether all traffic of a service meets its tag's digest, with the fix inside; and the plan that makes it so.

    An image that is proved to lack the fix is no plan: it would be deployed in vain.
    """
    step, plan = await _planned(WRITER, service, plan_redeploy(run, service, audit=audit))
    if isinstance(plan, RedeployPlan):
        inside = await code_of(run, service, [parse_image(plan.image)])
        return (step, plan) if inside.result is not Outcome.CONTRADICTED else (_inside(step, inside), None)
    if step.holds:
        seen = await read_state(run, service_resource(run, service))
        fixed[service] = seen.service.updated_at
        inside = await code_of(run, service, [each.image for _, each in seen.service.serving if each])
        if inside.result in {Outcome.CONTRADICTED, Outcome.UNKNOWN}:
            return _inside(step, inside), None
        step = step.model_copy(update={"told": f"{step.told}; {inside.summary}"})
    return step, plan


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
    return Step(name=name, subject=subject, holds=False, told=plan.reason), plan


async def _beats(
    documents: DocumentSession, pipeline: Pipeline, listing: CollectionListing, service: str, since: datetime
) -> Step:
    """Whether each processor of a service has written well since the fix serves, and none the old way."""
    still = _written_since(pipeline, listing, service, since)
    if still:
        top = ", ".join(f"{show(name, limit=200)} ({count:,})" for name, count in still.most_common(_NAMED))
        return Step(
            name=BEATS,
            subject=service,
            holds=False,
            told=f"the old format is still written since {since:%Y-%m-%d %H:%M:%S UTC}, by {top}",
            next_step=f"what {service} serves is not the fix, whatever its tag says: build it anew without a cache",
        )
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


def _written_since(pipeline: Pipeline, listing: CollectionListing, service: str, since: datetime) -> Counter[str]:
    known = pipeline.heartbeats.services
    new = malformed_since(listing.rows, pipeline.heartbeats.registered, nanos_of(since))
    return Counter(family for _, family in new if known.get(family) == service)


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
