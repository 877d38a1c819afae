"""The words for plans that update jobs, and for what became of them."""

from collections import Counter

from checks.evidence.base import inert
from checks.text.plural import counted, form
from checks.text.show import show
from validate_daily.repairs.plans.cloud_run_outcomes import JobFate, JobsUpdate
from validate_daily.repairs.plans.cloud_run_plans import JobChange, JobsPlan
from validate_daily.repairs.words.shared import (
    SHOWN,
    command_of,
    owner_lines,
    plan_lines,
    practice,
    question,
    result_lines,
    unseen,
    when,
)

_IMAGE = 300
_LISTED = 40


@plan_lines.register
def _(plan: JobsPlan) -> list[str]:
    follow = form(plan.size, "follows", "follow")
    lines = [
        f"{practice(plan)}jobs: update {plan.size} that {follow} {plan.service} in {plan.project}",
        *when(plan),
        f"plan      {plan.id}",
        f"image     {plan.jobs[0].after}",
        *(f"job       {_job(each)}" for each in plan.jobs[:_LISTED]),
    ]
    if len(plan.jobs) > _LISTED:
        lines.append(f"job       and {len(plan.jobs) - _LISTED} more")
    lines += [f"owner     {each}" for each in owner_lines(each.owned for each in plan.jobs if each.owned)]
    lines += [f"label     {show(each, limit=_IMAGE)}" for each in _relabels(plan)]
    lines += [f"not       {each.count:,} {each.what}: {each.why}" for each in plan.untouched]
    lines += [f"note      {show(each, limit=_IMAGE)}" for each in plan.notes]
    return lines


@question.register
def _(plan: JobsPlan) -> str:
    names = ", ".join(each.name for each in plan.jobs[:SHOWN])
    more = f" and {plan.size - SHOWN} more" if plan.size > SHOWN else ""
    jobs = counted(plan.size, "job that follows", "jobs that follow")
    relabels = _relabels(plan)
    but = " but its label of a commit" if relabels else ""
    lines = [
        f"{practice(plan)}Update {jobs} {plan.service} of project {plan.project}?",
        f"{form(plan.size, 'Job', 'Jobs')}: {names}{more}",
        f"{form(plan.size, 'It', 'Each')} would name {plan.jobs[0].after}, and nothing else of it would change{but}.",
        *(f"{inert(each, _IMAGE)}." for each in relabels),
        *(f"Owner: {inert(each, _IMAGE)}" for each in owner_lines(each.owned for each in plan.jobs if each.owned)),
        *(f"Note: {inert(each, _IMAGE)}" for each in plan.notes),
        f"Why: {inert(plan.reason, _IMAGE)}",
        f"To agree, type: {plan.words}",
    ]
    return "\n".join(lines)


@command_of.register
def _(plan: JobsPlan) -> tuple[str, ...]:
    return plan.arguments


@result_lines.register
def _(result: JobsUpdate) -> list[str]:
    updated = sum(each.fate is JobFate.UPDATED for each in result.jobs)
    lines = [f"jobs {result.plan}: {updated} of {result.planned} name {result.digest[:19]} now; none was started"]
    others = (each for each in result.jobs if each.fate is not JobFate.UPDATED)
    lines += [f"{each.fate:<10}{each.name}: {show(each.why or '', limit=_IMAGE)}" for each in others]
    lines += [f"{'filled':<10}{each.name}: {show(each.filled, limit=_IMAGE)}" for each in result.jobs if each.filled]
    return lines + unseen(result)


def _relabels(plan: JobsPlan) -> list[str]:
    """What becomes of labels that claim a commit, once for all jobs of which the same becomes."""
    same = Counter((each.relabel.label, each.relabel.after) for each in plan.jobs if each.relabel)
    return [
        f"the label {label} of {counted(count, 'job')} " + (f"becomes {after}" if after else "is removed")
        for (label, after), count in same.items()
    ]


def _ran(change: JobChange) -> str:
    return f"last ran {change.last_run:%Y-%m-%d}" if change.last_run else "never ran"


def _job(change: JobChange) -> str:
    stay = f"{counted(change.beside, 'container')} beside it {form(change.beside, 'stays', 'stay')} as now"
    beside = f"; {stay}" if change.beside else ""
    return f"{change.name}: {show(change.before, limit=_IMAGE)}{beside}; {_ran(change)}"
