"""Rollback: moves a service's traffic to revisions that are ready, and makes none.

Without a name it undoes the last redeploy that the audit knows of. With one it contains whatever somebody deployed: all
traffic goes to a revision that is known to be ready, also while a change of the service is in progress.
"""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from checks.text.show import show
from validate_daily.repairs.cloud_run.service_state import (
    ServiceState,
    is_ready,
    read_state,
    refuse_changed,
    service_resource,
)
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.cloud_run.traffic import TrafficShift
from validate_daily.repairs.cloud_run.update import format_traffic, hold_traffic
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import LATEST, RollbackPlan, Serving, Traffic
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, RepairError
from validate_daily.repairs.plans.plan import place_of

_TRAFFIC = TypeAdapter(tuple[Traffic, ...])
_SERVING = TypeAdapter(tuple[Serving, ...])


async def plan_rollback(
    session: RunSession, service: str, *, audit: Audit | None = None, to: str | None = None
) -> RollbackPlan:
    """Plan a shift of traffic from a reading of one's own. Changes nothing.

    Args:
        session: what is read, and for whom.
        service: one of the settings' services.
        audit: where the last redeploy is looked up.
        to: a person in a terminal wants all traffic at this revision.

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
    if state.wanted == traffic and not target.differs(state):
        raise NothingToDoError(
            f"traffic of {service} is so already: {format_traffic(traffic)}", "look with validate-daily check"
        )
    _refuse_not_ready(state, traffic)
    return RollbackPlan(
        **session.plan_base(session.clock()),
        reason=target.reason,
        service=service,
        service_project=state.service.project,
        region=state.service.region,
        version=state.version,
        wanted=state.wanted,
        serving=state.serving,
        changes=(f"traffic: {format_traffic(state.wanted)} becomes {format_traffic(traffic)}",),
        notes=tuple(_notes(state, traffic, target)),
        traffic=traffic,
        undoes=target.undoes,
    )


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
        recorded: the traffic that was wanted before a redeploy; None where a person named a revision.
        undoes: that redeploy's plan.
    """

    reason: str
    names: tuple[str, ...]
    recorded: tuple[Traffic, ...] | None = None
    undoes: str | None = None

    @classmethod
    def of_revision(cls, name: str) -> "_Target":
        return cls(f"a person asked for the revision {show(name, limit=100)}", (name,))

    def traffic(self, state: ServiceState) -> tuple[Traffic, ...]:
        """The traffic that will be wanted."""
        if self.recorded is None:
            tagged = (each for each in state.wanted if each.tag)
            return (
                Traffic(revision=self.names[0], percent=100),
                *(Traffic(revision=each.revision, percent=0, tag=each.tag) for each in tagged),
            )
        named = {each.revision for each in self.recorded}
        latest_then = next((name for name in self.names if name not in named), state.service.ready)
        return self.recorded if latest_then == state.service.ready else hold_traffic(self.recorded, latest_then)

    def differs(self, state: ServiceState) -> bool:
        """Whether other revisions serve than those that should."""
        return self.recorded is not None and {each.revision for each in state.serving} != set(self.names)


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
    names = tuple(dict.fromkeys(each.revision for each in serving))
    return _Target(f"undoes the redeploy {last.plan} of {last.at:%Y-%m-%d %H:%M UTC}", names, wanted, last.plan)


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
    if target.undoes and state.nonce != target.undoes:
        notes.append(f"somebody deployed the service again since the redeploy {target.undoes}")
    if all(each.revision != LATEST for each in traffic if each.percent):
        notes.append("PINNED: later deploys get no traffic until somebody lets it follow the latest again")
    notes.append("the template keeps its image: the next deploy starts from it")
    return notes
