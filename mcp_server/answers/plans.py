"""A plan before it is agreed to, and what became of it: the answers of the tools that change."""

import shlex
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import AwareDatetime

from checks.evidence.base import Count, Evidence, Untrusted
from checks.settings.file import Settings
from validate_daily.repairs.plans.outcome import DocumentsOutcome, Fate
from validate_daily.repairs.plans.plan import Expected, MovingPlan, Plan
from validate_daily.repairs.words import command_of

MOST: Final = 10


class SubjectRow(Evidence):
    """One document of a plan, and the version that the plan is about."""

    path: Untrusted
    update_time: AwareDatetime


class UntouchedRow(Evidence):
    """Documents that the plan leaves alone, and why."""

    what: str
    count: Count
    why: str


class PlanAnswer(Evidence):
    """A plan. Nothing was changed, and nothing will be without a person's approval.

    Attributes:
        plan: the sealed plan, to hand on as it is.
        count, digest: how many documents, and what fixes each and its version.
        by_processor: how many of each, most first; ``omitted`` counts the processors left out.
        sample: some of the documents.
        untouched: what the plan leaves alone, and why.
        expires_at: until when it may be started.
        undo_until: how long it can be undone; null: without end.
        approval: where a person is asked: through the client, or in a terminal by ``command``.
    """

    plan: str
    repair: str
    practice: bool
    project: str
    collection: str
    trash: str
    read_time: AwareDatetime
    count: Count
    digest: str
    by_processor: Mapping[Untrusted, Count]
    omitted: Count
    sample: tuple[SubjectRow, ...]
    untouched: tuple[UntouchedRow, ...]
    reason: str
    expected: Expected
    expires_at: AwareDatetime
    undo_until: AwareDatetime | None
    approval: Literal["client", "terminal"]
    command: str


class SkippedRow(Evidence):
    """Documents that were not moved: their fate, how many, some of them, and why."""

    fate: Fate
    count: Count
    sample: tuple[Untrusted, ...]
    why: str


class OutcomeAnswer(Evidence):
    """What became of a plan.

    Attributes:
        applied: it was begun; false: nothing was changed, and ``why`` says what kept it from it.
        complete: every planned document is where the plan wanted it, or gone by itself.
        command: what a person runs in a terminal, where that is the way.
        plan: the id by which a cleanup is restored.
        moved: how many documents moved; ``skipped``: the others, by fate.
        remaining: what a look afterwards saw that the plan was about; null: it could not be seen.
        undo_until: how long it can be undone; null: without end.
        unseen: what could not be seen or written down.
    """

    applied: bool
    complete: bool = False
    why: str | None = None
    command: str | None = None
    plan: str
    planned: Count
    moved: Count = 0
    skipped: tuple[SkippedRow, ...] = ()
    remaining: Count | None = None
    undo_until: AwareDatetime | None = None
    unseen: tuple[str, ...] = ()


def plan_answer(plan: MovingPlan, token: str, settings: Settings) -> PlanAnswer:
    """A plan, as it is shown before anybody agrees."""
    return PlanAnswer(
        plan=token,
        repair=plan.repair,
        practice=plan.target.practice,
        project=plan.project,
        collection=plan.collection,
        trash=plan.trash,
        read_time=plan.read_time,
        count=plan.count,
        digest=plan.digest,
        by_processor=dict(list(plan.by_processor.items())[:MOST]),
        omitted=max(0, len(plan.by_processor) - MOST),
        sample=tuple(SubjectRow(path=each.path, update_time=each.update_time) for each in plan.sample),
        untouched=tuple(UntouchedRow(what=each.what, count=each.count, why=each.why) for each in plan.untouched),
        reason=plan.reason,
        expected=plan.expected,
        expires_at=plan.expires_at,
        undo_until=plan.undo_until,
        approval=settings.writes.approval,
        command=command(plan, settings),
    )


def command(plan: Plan, settings: Settings) -> str:
    """What a person runs in a terminal to plan this anew, see it, and agree."""
    return shlex.join(["validate-daily", *command_of(plan), "--apply", "--config", str(settings.path)])


def outcome_answer(plan: Plan, settings: Settings, outcome: DocumentsOutcome | str) -> OutcomeAnswer:
    """What was done, or why nothing was."""
    if isinstance(outcome, str):
        return OutcomeAnswer(
            applied=False, why=outcome, command=command(plan, settings), plan=plan.id, planned=plan.size
        )
    return OutcomeAnswer(
        applied=True,
        complete=outcome.complete and not outcome.unseen,
        plan=outcome.plan,
        planned=outcome.planned,
        moved=outcome.moved,
        skipped=tuple(
            SkippedRow(fate=each.fate, count=each.count, sample=each.sample[:MOST], why=each.why)
            for each in outcome.skipped
        ),
        remaining=outcome.recount.remaining if outcome.recount else None,
        undo_until=outcome.undo_until,
        unseen=outcome.unseen,
    )
