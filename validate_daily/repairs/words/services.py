"""The words for plans that change a service, and for what became of them."""

from datetime import datetime

from checks.evidence.base import inert
from checks.text.show import show
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan, ServicePlan, Serving
from validate_daily.repairs.words.shared import (
    command_of,
    owner_lines,
    plan_lines,
    practice,
    question,
    result_lines,
    unseen,
    when,
)

_LINE = 600


@plan_lines.register
def _(plan: ServicePlan) -> list[str]:
    lines = [
        f"{practice(plan)}{plan.repair} of {plan.service} in {plan.service_project}, {plan.region}",
        *when(plan),
        f"plan      {plan.id}, generation {plan.version.generation}",
        *(f"serves    {each}" for each in _serving(plan.serving)),
        *(f"owner     {each}" for each in owner_lines([plan.owned] if plan.owned else [])),
        *(f"BAD       {show(each, limit=_LINE)}" for each in plan.bad),
    ]
    if isinstance(plan, RedeployPlan):
        lines += [f"image     {each}" for each in _ages(plan)]
    lines += [f"change    {show(each, limit=_LINE)}" for each in plan.changes]
    lines += [f"note      {show(each, limit=_LINE)}" for each in plan.notes]
    lines.append("not       everything else of the service: what Cloud Run would change beyond this is refused")
    return lines


@question.register
def _(plan: ServicePlan) -> str:
    lines = [
        f"{practice(plan)}{plan.repair.capitalize()} {plan.service} of project {plan.service_project}, {plan.region}?",
        f"As read at {plan.read_time:%Y-%m-%d %H:%M:%S} UTC, generation {plan.version.generation}: later is refused.",
        *(f"Owner: {inert(each, _LINE)}" for each in owner_lines([plan.owned] if plan.owned else [])),
        *(f"KNOWN TO BE BAD: {inert(each, _LINE)}" for each in plan.bad),
        *(inert(each, _LINE) for each in plan.changes),
        *(_ages(plan) if isinstance(plan, RedeployPlan) else ()),
        *(f"Note: {inert(each, _LINE)}" for each in plan.notes),
        f"Why: {inert(plan.reason, _LINE)}",
        f"To agree, type: {plan.words}",
    ]
    return "\n".join(lines)


@command_of.register
def _(plan: ServicePlan) -> tuple[str, ...]:
    return plan.arguments


@result_lines.register
def _(result: Rollout) -> list[str]:
    lines = [_verdict(result)]
    lines += [f"step      {show(each, limit=_LINE)}" for each in result.steps]
    lines += [f"serves    {each}" for each in _serving(result.serving)]
    if result.done is not True:
        lines.append(f"newest    {result.created}; newest ready {result.ready}")
    lines += [f"log       {show(each, limit=_LINE)}" for each in result.lines]
    lines += [f"effect    {show(each, limit=_LINE)}" for each in result.effect]
    lines += unseen(result)
    if result.next_step:
        lines.append(f"next      {result.next_step}")
    elif result.repair == "redeploy":
        lines.append(f"undo      validate-daily rollback {result.service}")
    return lines


def _verdict(result: Rollout) -> str:
    about = f"{result.repair} {result.plan} of {result.service}"
    if result.done is None:
        return f"UNKNOWN: {about}: {show(result.reason or 'no reason', limit=_LINE)}"
    if result.done:
        return f"DONE: {about}: {f'it serves {result.digest[:19]}' if result.digest else 'its traffic is as planned'}"
    not_done = "NOT DEPLOYED" if result.repair == "redeploy" else "NOT DONE"
    return f"{not_done}: {about}: {show(result.reason or 'no reason', limit=_LINE)}"


def _serving(serving: tuple[Serving, ...]) -> list[str]:
    return [f"{each.percent} % by {each.revision}, {each.digest or 'whose digest is not lines'}" for each in serving]


def _ages(plan: RedeployPlan) -> list[str]:
    return [
        f"the new one was uploaded {_at(plan.uploaded_at)}, the one that serves {_at(plan.serving_uploaded_at)}"
        + ("; the new one is OLDER" if plan.older else ""),
        *([f"its own label claims commit {inert(plan.commit, 100)}"] if plan.commit else []),
    ]


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M UTC}" if moment else "at a time that is not known"
