"""Plans of services and jobs before they are agreed to, and what became of them."""

from typing import Literal

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.settings.file import Settings
from checks.text.plural import counted
from mcp_server.answers.plans import command
from validate_daily.repairs.plans.cloud_run_outcomes import JobFate, JobsUpdate, Rollout
from validate_daily.repairs.plans.cloud_run_plans import JobChange, JobsPlan, RedeployPlan, ServicePlan, Serving
from validate_daily.repairs.plans.plan import Plan
from validate_daily.repairs.words.shared import owner_lines

_JOBS = 40


class RolloutPlanAnswer(Evidence):
    """A plan. Nothing was changed, and nothing will be without a person's approval.

    Attributes:
        plan: the sealed plan, to hand on as it is.
        subject, size: the service, and how many services or jobs change.
        digest: what will run; null where only traffic moves.
        commit: what the image's own label claims; null: none, or not known.
        older: the image was uploaded before the one that serves; null: not known.
        serving: the observed traffic.
        changes, notes: everything that will change; what the person must know before.
        approval: where a person is asked: through the client, or in a terminal by ``command``.
    """

    plan: str
    repair: str
    practice: bool
    subject: str
    size: Count
    digest: str | None = None
    uploaded_at: AwareDatetime | None = None
    commit: Untrusted | None = None
    older: bool | None = None
    serving: tuple[Serving, ...] = ()
    changes: tuple[Untrusted, ...]
    notes: tuple[Untrusted, ...]
    reason: Untrusted
    expires_at: AwareDatetime
    approval: Literal["client", "terminal"]
    command: str


class JobFateRow(Evidence):
    """One job that is not as planned, and why."""

    name: str
    fate: JobFate
    why: Untrusted | None


class RolloutAnswer(Evidence):
    """What became of a plan.

    Attributes:
        applied: it was begun; false: nothing was changed, and ``why`` says what kept it from it.
        done: all is as planned, by a look afterwards; false: NOT DEPLOYED, ``why`` says it; null: not known.
        command: what a person runs in a terminal, where that is the way.
        serving: the observed traffic afterwards.
        steps, lines, effect: what was done; what a revision that failed said; what was seen of it at work.
        jobs: those that are not as planned.
        unseen: what could not be seen or written down.
    """

    applied: bool
    done: bool | None = False
    why: Untrusted | None = None
    command: str | None = None
    plan: str
    serving: tuple[Serving, ...] = ()
    steps: tuple[Untrusted, ...] = ()
    lines: tuple[Untrusted, ...] = ()
    effect: tuple[Untrusted, ...] = ()
    jobs: tuple[JobFateRow, ...] = ()
    next_step: str | None = None
    unseen: tuple[str, ...] = ()


def rollout_plan(plan: ServicePlan | JobsPlan, token: str, settings: Settings) -> RolloutPlanAnswer:
    """A plan, as it is shown before anybody agrees."""
    return RolloutPlanAnswer.model_validate(
        {
            "plan": token,
            "repair": plan.repair,
            "practice": plan.target.practice,
            "subject": plan.subject,
            "size": plan.size,
            "changes": _changes(plan),
            "notes": (*(f"KNOWN TO BE BAD: {each}" for each in _bad(plan)), *_owners(plan), *plan.notes),
            "reason": plan.reason,
            "expires_at": plan.expires_at,
            "approval": "terminal" if plan.refusal else settings.writes.approval,
            "command": plan.refusal.next_step if plan.refusal else command(plan, settings),
        }
        | _about(plan)
    )


def rollout_answer(plan: Plan, settings: Settings, result: Rollout | JobsUpdate | str) -> RolloutAnswer:
    """What was done, or why nothing was."""
    if isinstance(result, str):
        onward = plan.refusal.next_step if plan.refusal else command(plan, settings)
        return RolloutAnswer(applied=False, why=result, command=onward, plan=plan.id)
    if isinstance(result, JobsUpdate):
        left = tuple(
            JobFateRow(name=each.name, fate=each.fate, why=each.why)
            for each in result.jobs
            if each.fate is not JobFate.UPDATED
        )
        unknown = any(each.fate is JobFate.UNKNOWN for each in left)
        done = None if unknown else result.complete
        return RolloutAnswer(
            applied=True, done=done, why=result.summary, plan=result.plan, jobs=left, unseen=result.unseen
        )
    return RolloutAnswer(
        applied=True,
        done=None if result.unseen else result.done,
        why=result.reason,
        plan=result.plan,
        serving=result.serving,
        steps=result.steps,
        lines=result.lines,
        effect=result.effect,
        next_step=result.next_step,
        unseen=result.unseen,
    )


def _bad(plan: ServicePlan | JobsPlan) -> tuple[str, ...]:
    return plan.bad if isinstance(plan, ServicePlan) else ()


def _owners(plan: ServicePlan | JobsPlan) -> tuple[str, ...]:
    owned = [plan.owned] if isinstance(plan, ServicePlan) else [each.owned for each in plan.jobs]
    return tuple(owner_lines(each for each in owned if each))


def _changes(plan: ServicePlan | JobsPlan) -> tuple[str, ...]:
    if isinstance(plan, ServicePlan):
        return plan.changes
    rows = [f"{each.name}: {each.before} becomes {each.after}{_relabel(each)}" for each in plan.jobs[:_JOBS]]
    return (*rows, *([f"and {counted(plan.size - _JOBS, 'more job')} alike"] if plan.size > _JOBS else []))


def _relabel(change: JobChange) -> str:
    if change.relabel is None:
        return ""
    after = change.relabel.after
    return f"; its label {change.relabel.label} " + (f"becomes {after}" if after else "is removed")


def _about(plan: ServicePlan | JobsPlan) -> dict[str, object]:
    if isinstance(plan, JobsPlan):
        return {"digest": plan.digest}
    if isinstance(plan, RedeployPlan):
        more = {"digest": plan.digest, "uploaded_at": plan.uploaded_at, "commit": plan.commit, "older": plan.older}
        return {"serving": plan.serving, **more}
    return {"serving": plan.serving}
