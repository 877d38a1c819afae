"""One line of the audit, and what it takes to write and read lines: by whom, where and when something was changed.

A change whose line "before" cannot be written does not happen. Each line carries the hash of the one before it.
"""

import json
from collections.abc import Iterable
from typing import Any, Final, Literal, Protocol, Self

from pydantic import AwareDatetime, model_validator

from checks.evidence.base import Evidence
from checks.evidence.snapshot import Target
from checks.settings.pipeline import Pipeline
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.clock import machine_time
from validate_daily.repairs.plans.errors import RepairError
from validate_daily.repairs.plans.plan import PlanId, Principal, place_of

FIRST: Final = "0" * 64
"""What the first line of a chain carries as the hash of the one before."""

AuditMoment = Literal["before", "after", "interrupted", "fact"]


class Event(Evidence):
    """One line of the audit.

    Attributes:
        at: the clock of the machine that writes.
        moment: before the change; after it, which ends the plan; when it was broken off and may be resumed; or a fact
            that was seen, which changes nothing.
        repair: what is done, as in ``cleanup``.
        plan: the plan's id; None of a fact.
        subject: what it is about: a collection, a service.
        pipeline, project, target: whose it is, and where it was changed; None in lines of earlier versions.
        place: the plan's, by which lines about the same thing are found.
        principal, identity: who, and whether that was verified.
        approval: who agreed, and how.
        evidence: what the plan says: target, digest, count, reason.
        outcome: what became of it, after it.
        token: the sealed plan, so that it can be resumed under this approval.
    """

    at: AwareDatetime
    moment: AuditMoment
    repair: str
    plan: PlanId | None
    subject: str = ""
    pipeline: str | None = None
    project: str | None = None
    target: Target | None = None
    place: str | None = None
    principal: Principal
    identity: str
    approval: Approval | None = None
    evidence: dict[str, Any]
    outcome: dict[str, Any] | None = None
    token: str | None = None

    @model_validator(mode="after")
    def _of_an_earlier_version(self) -> Self:
        """Lines of earlier versions say where something was changed in their evidence alone."""
        if self.place is not None or self.target is not None or "target" not in self.evidence:
            return self
        target = Target.model_validate(self.evidence["target"])
        return self.model_copy(update={"target": target, "project": str(self.evidence.get("project"))})

    def is_of(self, pipeline: Pipeline, targets: Iterable[Target]) -> bool:
        """Whether this was done to a pipeline in one of these clouds.

        Args:
            pipeline: the settings; lines of earlier versions name the project alone.
            targets: what a look at that pipeline speaks to.
        """
        if self.target is None or self.project != pipeline.heartbeat_project:
            return False
        ours = {place_of(each, each.source) for each in targets}
        return self.pipeline in {None, pipeline.pipeline.name} and place_of(self.target, self.target.source) in ours


class AuditError(RepairError):
    """A line cannot be written, or the audit not be read."""


class Audit(Protocol):
    """Where changes are written down."""

    async def append(self, event: Event) -> str:
        """Write a line, for good, and return the new head of the chain.

        Raises:
            AuditError: it is not written.
        """
        ...

    async def started(self, plan: PlanId) -> Event | None:
        """The line before the first change of a plan, if it was ever started.

        Raises:
            AuditError: the audit cannot be read.
        """
        ...

    async def ended(self, start: Event) -> Event | None:
        """The line that ended a plan: its own line after the change, or the start of another plan at the same place.

        Args:
            start: the line before the plan's first change.

        Raises:
            AuditError: the audit cannot be read.
        """
        ...

    async def last(self, repair: str, place: str) -> Event | None:
        """The line before the newest change of this kind at a place.

        Raises:
            AuditError: the audit cannot be read.
        """
        ...


def ends(event: Event, start: Event) -> bool:
    """Whether a line that was written after the start of a plan ends that plan.

    Args:
        event: the later line.
        start: the line before the plan's first change.
    """
    if event.moment == "after":
        return event.plan == start.plan
    return event.moment == "before" and event.plan != start.plan and event.place == start.place is not None


def new_event(moment: AuditMoment, **fields: Any) -> Event:  # noqa: ANN401 - checked by Event
    """An event of now."""
    return Event(at=machine_time(), moment=moment, **fields)


def json_line(event: Event, previous: str) -> str:
    """An event as one line of JSON, ASCII throughout, with the hash of the line before."""
    return json.dumps({"previous": previous, **event.model_dump(mode="json")}, ensure_ascii=True)
