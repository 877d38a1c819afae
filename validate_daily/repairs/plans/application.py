"""What applying any plan has in common: is it allowed, is it in time, and is it written down before and after."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar

from checks.text.show import show
from validate_daily.repairs.plans.approval import Approval, check_approval
from validate_daily.repairs.plans.audit_event import Audit, AuditError, Event, new_event
from validate_daily.repairs.plans.errors import RefusedError, RepairError
from validate_daily.repairs.plans.outcome import RepairResult
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.plans.seal import Binding
from validate_daily.repairs.plans.session import RepairSession

R = TypeVar("R", bound=RepairResult)
S_contra = TypeVar("S_contra", bound=RepairSession, contravariant=True)
P_contra = TypeVar("P_contra", bound=Plan, contravariant=True)
R_co = TypeVar("R_co", bound=RepairResult, covariant=True)
Change = Callable[[str], Awaitable[R]]
"""Makes a change, given the head of the audit's chain."""


class Apply(Protocol[S_contra, P_contra, R_co]):
    """Does what a plan says: ``apply_cleanup`` and its like."""

    async def __call__(
        self, session: S_contra, plan: P_contra, approval: Approval, audit: Audit, /, *, token: str | None = None
    ) -> R_co:
        """Apply a plan.

        Args:
            session: one that is writing.
            plan: made by the same repair.
            approval: somebody's agreement to this plan.
            audit: where it is written down, before and after.
            token: the sealed plan, kept in the audit for resuming.

        Raises:
            RepairError: it may not be applied; nothing was changed.
        """
        ...


async def allow(session: RepairSession, plan: Plan, approval: Approval, audit: Audit, now: datetime) -> bool:
    """Refuse what may not be applied, before anything is written down.

    Args:
        session: by whom, and under which settings.
        plan: what is about to be applied.
        approval: who agreed to it.
        audit: where a start of it would have been written down.
        now: Firestore's own time.

    Returns:
        Whether the plan is resumed: it had been started before.

    Raises:
        RepairError: it is not allowed, too late, or has ended: a plan that has ended never starts again.
        AuditError: the audit cannot be read, so nobody knows whether it has ended.
    """
    _check_session(session, plan)
    check_approval(approval, plan, session.settings.writes)
    if plan.refusal is not None:
        raise plan.refusal
    start = await audit.started(plan.id)
    if start is not None:
        _refuse_ended(plan, await audit.ended(start))
    plan.check_time(now, started=start is not None)
    return start is not None


async def audited(
    session: RepairSession, plan: Plan, approval: Approval, audit: Audit, change: Change[R], *, token: str | None
) -> R:
    """Write the line before a change, make it, and write a line after it whatever happens.

    The line ``after`` ends the plan. A change that is still under way, or of which parts are left, is ``interrupted``.

    Args:
        session: by whom.
        plan: what is applied.
        approval: who agreed to it.
        audit: where it is written down.
        change: makes the change; it is handed the head of the audit's chain with the line before it.
        token: the sealed plan, kept for resuming.

    Returns:
        What became of it, with the audit's new head, or with the reason why it has none.

    Raises:
        AuditError: the line before cannot be written; nothing was changed.
    """
    about: dict[str, Any] = {
        "repair": plan.repair,
        "plan": plan.id,
        "subject": plan.subject,
        "pipeline": session.settings.pipeline.pipeline.name,
        "project": plan.project,
        "target": plan.target,
        "place": plan.place,
        "principal": session.principal,
        "identity": session.principal.identity,
        "approval": approval,
        "evidence": _evidence(plan),
    }
    head = await audit.append(new_event("before", token=token, **about))
    try:
        outcome = await change(head)
    except BaseException:
        await asyncio.shield(_record_interruption(audit, new_event("interrupted", **about)))
        raise
    try:
        moment = "interrupted" if outcome.resumable else "after"
        head = await audit.append(new_event(moment, outcome=_record_of(outcome), **about))
    except AuditError as error:
        return outcome.model_copy(update={"unseen": (*outcome.unseen, f"the line after the change: {error}")})
    return outcome.model_copy(update={"audit": head})


def _record_of(outcome: RepairResult) -> dict[str, Any]:
    return {"summary": outcome.summary, **outcome.model_dump(mode="json")}


async def _record_interruption(audit: Audit, event: Event) -> None:
    try:
        await audit.append(event)
    except AuditError as error:
        # What interrupts is told; that it is not written down is seen by the missing line.
        del error


def _refuse_ended(plan: Plan, end: Event | None) -> None:
    if end is None:
        return
    when = f"{end.at:%Y-%m-%d %H:%M:%S UTC}"
    if end.plan != plan.id:
        how = f"another plan for {show(plan.subject, limit=200)} was started at {when}: the {end.repair} {end.plan}"
    else:
        summary = "" if end.outcome is None else show(str(end.outcome.get("summary")), limit=300)
        how = f"it ended at {when}: {summary or 'how is not known'}"
    raise RefusedError(f"the plan {plan.id} is over and cannot start again: {how}", "plan again; nothing was changed")


def _check_session(session: RepairSession, plan: Plan) -> None:
    if not session.writing:
        raise RepairError("this session only reads", "open one that is writing")
    if session.settings.no_writes is not None:
        raise RepairError("writes are off", session.settings.no_writes)
    ours = Binding.of(session.settings, session.principal)
    if ours != Binding(plan.project, plan.database, plan.collection, plan.principal):
        raise RefusedError("the plan is for something or somebody else", "plan again")
    if plan.target != session.target:
        raise RefusedError(f"the plan was made at {plan.target.address}", "plan again where it is to be applied")


def _evidence(plan: Plan) -> dict[str, Any]:
    fields = plan.model_dump(mode="json")
    return {name: fields[name] for name in fields.keys() - {"principal", "id"}}
