"""The words for plans that move documents, and for what became of them."""

from checks.evidence.base import inert
from checks.text.plural import counted
from checks.text.show import show
from validate_daily.repairs.plans.outcome import DocumentsOutcome
from validate_daily.repairs.plans.plan import CleanupPlan, MovingPlan, RestorePlan
from validate_daily.repairs.plans.regrowth import WatchResult
from validate_daily.repairs.words.shared import (
    NAME,
    SHOWN,
    command_of,
    plan_lines,
    practice,
    question,
    result_lines,
    unseen,
    when,
)

_NAMED = 5
_SHORT = 80


@plan_lines.register
def _(plan: MovingPlan) -> list[str]:
    undo = f"until {plan.undo_until:%Y-%m-%d %H:%M UTC}" if plan.undo_until else "without end: nothing expires"
    cost, documents = plan.expected, counted(plan.count, "document")
    lines = [
        f"{practice(plan)}{plan.repair} of {documents} of {show(plan.collection)} in {show(plan.project)}",
        *when(plan),
        f"trash     {show(plan.trash)}; undo {undo}",
        f"plan      {plan.id}, {plan.digest}",
        f"costs     at least {_billed(cost.reads, cost.writes, cost.deletes)}",
    ]
    lines += [
        f"          {count:,} of {show(name, limit=NAME)}" for name, count in list(plan.by_processor.items())[:SHOWN]
    ]
    if len(plan.by_processor) > SHOWN:
        lines.append(f"          and of {counted(len(plan.by_processor) - SHOWN, 'more processor')}")
    lines += [
        f"sample    {show(each.path, limit=NAME)} of {each.update_time:%Y-%m-%d %H:%M:%S UTC}" for each in plan.sample
    ]
    lines += [f"not       {each.count:,} {each.what}: {each.why}" for each in plan.untouched]
    return lines


@question.register
def _(plan: MovingPlan) -> str:
    where = f"{plan.collection} of project {plan.project}, database {plan.database}"
    documents = counted(plan.count, "document")
    does = (
        f"Move {documents} from {plan.trash} back to {where}"
        if isinstance(plan, RestorePlan)
        else f"Move {documents} of {where} to {plan.trash}"
    )
    top = ", ".join(f"{inert(name, _SHORT)} {count:,}" for name, count in list(plan.by_processor.items())[:_NAMED])
    undo = "without end" if plan.undo_until is None else f"until {plan.undo_until:%Y-%m-%d %H:%M} UTC"
    return (
        f"{practice(plan)}{does}?\nAs read at {plan.read_time:%Y-%m-%d %H:%M:%S.%f} UTC; only documents whose version "
        f"is still that one move. {plan.digest}\nMost of: {top}\nWhy: {plan.reason}\nCan be undone {undo}.\n"
        f"To agree, type: {plan.words}"
    )


@command_of.register
def _(plan: CleanupPlan) -> tuple[str, ...]:
    growing = ("--even-if-growing",) if plan.even_if_growing else ()
    return (plan.repair, *growing, *_limit(plan))


@command_of.register
def _(plan: RestorePlan) -> tuple[str, ...]:
    only = (part for name in plan.processors for part in ("--processor", name))
    return (plan.repair, plan.cleanup, *only, *_limit(plan))


def _billed(reads: int, writes: int, deletes: int) -> str:
    return f"{counted(reads, 'read')}, {counted(writes, 'write')}, {counted(deletes, 'delete')}"


def _limit(plan: MovingPlan) -> tuple[str, ...]:
    return () if plan.max_documents == plan.default_max else ("--max", str(plan.max_documents))


@result_lines.register
def _(result: DocumentsOutcome) -> list[str]:
    lines = [f"{result.repair} {result.plan}: {result.summary}"]
    for each in result.skipped:
        lines.append(f"{each.fate:<10}{each.count:,}: {show(each.why, limit=300)}")
        lines += [f"          {show(path, limit=NAME)}" for path in each.sample[:SHOWN]]
    lines.append(f"cost      {_billed(result.reads, result.writes, result.deletes)}")
    if result.recount:
        after = result.recount
        total = counted(after.total, "document")
        lines.append(f"now       {total}, {after.remaining:,} left, {after.arrived:,} of them new")
    if result.watched:
        lines += watch_lines(result.watched)
    lines += unseen(result)
    if result.repair == "cleanup" and result.moved:
        lines.append(f"undo      validate-daily restore {result.plan}")
    return lines


def watch_lines(watched: WatchResult) -> list[str]:
    """What a watch saw, in lines for a terminal."""
    span = f"from {watched.since:%H:%M:%S} to {watched.until:%H:%M:%S UTC}, {counted(watched.looks, 'look')}"
    if not watched.grown:
        lines = [f"watched   {span}: nothing grew back"]
    else:
        lines = [f"REGREW    {span}: {counted(sum(each.count for each in watched.grown), 'document')}"]
        lines += [
            f"          {each.count:,} of {show(each.processor, limit=NAME)}, "
            + (f"which {each.service} runs" if each.service else "which no service of the settings runs")
            for each in watched.grown[:SHOWN]
        ]
        lines += [f"          {show(each, limit=NAME)}" for each in watched.sample]
    return [*lines, *([f"unseen    {show(watched.unseen, limit=500)}"] if watched.unseen else [])]
