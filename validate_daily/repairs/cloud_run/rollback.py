"""Rollback: moves a service's traffic to revisions that are ready, and makes none.

Without a name it undoes the last redeploy that the audit knows of. With one it contains whatever somebody deployed: all
traffic goes to a revision that is known to be ready, also while a change of the service is in progress.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from checks.evidence.deployments import State
from checks.judge.deployed.proofs import Outcome
from checks.text.show import show
from validate_daily.repairs.cloud_run.images.bad_images import refuse_bad
from validate_daily.repairs.cloud_run.images.commit_label import relabel, sentence_of
from validate_daily.repairs.cloud_run.images.image_code import ImageCode, code_of
from validate_daily.repairs.cloud_run.plan_trace import PlanTrace
from validate_daily.repairs.cloud_run.service_state import (
    ServiceState,
    is_ready,
    read_state,
    refuse_changed,
    service_resource,
)
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.cloud_run.traffic import TrafficShift, shares
from validate_daily.repairs.cloud_run.update import format_traffic, hold_traffic
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit, Event
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import LATEST, Relabel, RollbackPlan, Serving, Traffic
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError
from validate_daily.repairs.plans.ownership import ownership_of
from validate_daily.repairs.plans.plan import place_of

_TRAFFIC = TypeAdapter(tuple[Traffic, ...])
_SERVING = TypeAdapter(tuple[Serving, ...])


async def plan_rollback(
    session: RunSession,
    service: str,
    *,
    audit: Audit | None = None,
    to: str | None = None,
    even_if_bad: bool = False,
    override_owner: bool = False,
) -> RollbackPlan:
    """Plan a shift of traffic from a reading of one's own. Changes nothing.

    Args:
        session: what is read, and for whom.
        service: one of the settings' services.
        audit: where the last redeploy is looked up.
        to: a person in a terminal wants all traffic at this revision.
        even_if_bad: somebody wants it although an image is known to be bad.
        override_owner: a person wants it although another tool deploys the service.

    Raises:
        NothingToDoError: the traffic is so already.
        RefusedError: the revision is not ready, or no redeploy is known.
        UnseenError: the service could not be read.
        AuditError: the audit could not be read.
    """
    resource = service_resource(session, service)
    place = place_of(session.target, resource)
    target = _Target.of_revision(to) if to else await _recorded_target(audit, service, place)
    state = await read_state(session, resource, *target.names)
    traffic = target.traffic(state)
    expected = shares((each.revision or state.service.ready, each.percent) for each in traffic)
    met = shares((each.revision, each.percent) for each in state.serving)
    if state.wanted == traffic and met == expected:
        raise NothingToDoError(
            f"traffic of {service} is so already: {format_traffic(traffic)}", "look with validate-daily check"
        )
    _refuse_not_ready(state, traffic)
    code = await _code(session, state, list(expected))
    contradicted = code.result is Outcome.CONTRADICTED
    change = _relabel(session, state, [] if contradicted else list(expected))
    plan = RollbackPlan(
        **session.plan_base(session.clock()),
        reason=target.reason,
        service=service,
        service_project=state.service.project,
        region=state.service.region,
        version=state.version,
        wanted=state.wanted,
        serving=state.serving,
        ready=state.service.ready,
        relabel=change,
        changes=(
            f"traffic: {format_traffic(state.wanted)} becomes {format_traffic(traffic)}",
            *([sentence_of(change)] if change else []),
        ),
        notes=(code.summary, *_notes(state, traffic, target)),
        bad=(code.summary,) if contradicted else (),
        owned=ownership_of(session.settings.pipeline, state.service),
        override_owner=override_owner,
        traffic=traffic,
        undoes=target.undone.event.plan if target.undone else None,
    )
    refuse_bad(session, plan, even_if_bad=even_if_bad, step="roll back to a revision with the fix: --to REVISION")
    return plan


async def _code(session: RunSession, state: ServiceState, names: list[str]) -> ImageCode:
    """What the images hold that the traffic goes to. Whether they start is known: their revisions are ready."""
    revisions = [each for name in names if (each := state.service.revision(name))]
    return await code_of(session, state.service.name, [each.image for each in revisions])


async def apply_rollback(
    session: RunSession, plan: RollbackPlan, approval: Approval, audit: Audit, *, token: str | None = None
) -> Rollout:
    """Shift the traffic if the service is still as the plan says. Arguments and errors as for ``apply_redeploy``."""
    resumed = await allow(session, plan, approval, audit, session.clock())
    state = await read_state(session, plan.resource)
    begun = resumed and state.wanted == plan.traffic
    if not begun:
        refuse_changed(state, plan)
    shift = TrafficShift(session, plan, state, begun=begun, resumed=resumed)
    return await audited(session, plan, approval, audit, lambda _head: shift.run(), token=token)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the traffic is to go.

    Attributes:
        reason: who asked for what.
        names: the revisions that it is about.
        undone: what a redeploy wrote down before it changed anything; None where a person named a revision.
    """

    reason: str
    names: tuple[str, ...]
    undone: "_Undone | None" = None

    @classmethod
    def of_revision(cls, name: str) -> "_Target":
        return cls(f"a person asked for the revision {show(name, limit=100)}", (name,))

    def traffic(self, state: ServiceState) -> tuple[Traffic, ...]:
        """The traffic that will be wanted."""
        if self.undone is None:
            tagged = (each for each in state.wanted if each.tag)
            return (
                Traffic(revision=self.names[0], percent=100),
                *(Traffic(revision=each.revision, percent=0, tag=each.tag) for each in tagged),
            )
        return self.undone.traffic(state)


@dataclass(frozen=True, slots=True)
class _Undone:
    """What a redeploy found.

    Attributes:
        event: its line in the audit.
        wanted, serving: the traffic that was wanted, and what was observed.
        ready: what the latest was; None where an earlier version did not write it down.
    """

    event: Event
    wanted: tuple[Traffic, ...]
    serving: tuple[Serving, ...]
    ready: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """The revisions that served."""
        return tuple(dict.fromkeys(each.revision for each in self.serving))

    def traffic(self, state: ServiceState) -> tuple[Traffic, ...]:
        """The same traffic, to the latest again only where that is, and stays, what it was then."""
        if all(each.revision != LATEST for each in self.wanted if each.percent):
            return self.wanted
        newest = state.service.revision(state.service.created)
        if self.ready == state.service.ready and (state.settled or (newest and newest.ready is State.FAILED)):
            return self.wanted
        if self.ready:
            return hold_traffic(self.wanted, self.ready)
        met = (Traffic(revision=each.revision, percent=each.percent) for each in self.serving)
        tagged = (each.model_copy(update={"percent": 0}) for each in self.wanted if each.tag)
        return (*hold_traffic(met, ""), *tagged)


async def _recorded_target(audit: Audit | None, service: str, place: str) -> _Target:
    last = await audit.last("redeploy", place) if audit else None
    if last is None:
        raise RefusedError(
            f"the audit knows of no redeploy of {service} there ({place})",
            "name a revision: validate-daily rollback SERVICE --to REVISION",
        )
    try:
        wanted = _TRAFFIC.validate_python(last.evidence.get("wanted"))
        serving = _SERVING.validate_python(last.evidence.get("serving"))
    except ValidationError as error:
        raise RepairError(
            f"the audit's line of {last.plan} does not tell what served", "name a revision with --to"
        ) from error
    ready = last.evidence.get("ready")
    undone = _Undone(last, wanted, serving, ready if isinstance(ready, str) and ready else None)
    names = (*undone.names, *([undone.ready] if undone.ready else []))
    return _Target(
        f"undoes the redeploy {last.plan} of {last.at:%Y-%m-%d %H:%M UTC}", tuple(dict.fromkeys(names)), undone
    )


def _relabel(session: RunSession, state: ServiceState, names: list[str]) -> Relabel | None:
    """The service's own label claims what the revisions claim that will serve; none where they do not agree."""
    label = session.settings.pipeline.sources.commit_label
    claims = {state.revisions[name].labels.get(label) for name in names if name in state.revisions}
    return relabel(label, claims.pop() if len(claims) == 1 else None, state.message.labels)


def _refuse_not_ready(state: ServiceState, traffic: tuple[Traffic, ...]) -> None:
    for each in traffic:
        revision = state.service.revision(each.revision) if each.percent and each.revision != LATEST else None
        if revision is not None and not is_ready(revision):
            raise RefusedError(
                f"{revision.name} is not ready ({revision.reason or revision.ready}): it cannot serve",
                "name a revision that is: gcloud run revisions list shows them",
            )


def _notes(state: ServiceState, traffic: tuple[Traffic, ...], target: _Target) -> list[str]:
    notes: list[str] = []
    if not state.settled:
        notes.append("a change of the service is in progress: it goes on, and gets no traffic")
    if target.undone is not None:
        notes += _changed_since(target.undone.event, state)
    if all(each.revision != LATEST for each in traffic if each.percent):
        notes.append("PINNED: later deploys get no traffic until somebody lets it follow the latest again")
    notes.append("the template keeps its image: the next deploy starts from it")
    return notes


def _changed_since(event: Event, state: ServiceState) -> list[str]:
    """That somebody deployed or changed a service after a redeploy, whose label a later deploy inherits."""
    trace = PlanTrace.of_event(event)
    if (trace is None and state.nonce != event.plan) or (trace is not None and not trace.is_template_of(state)):
        return [f"somebody deployed the service again since the redeploy {event.plan}"]
    if trace is None or trace.is_untouched(state):
        return []
    now = state.version.generation
    return [f"somebody changed the service since the redeploy {event.plan}: it is at generation {now} now"]
