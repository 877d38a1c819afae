"""What a repair will do, before anybody agrees: made from the server's own reading, never from what a caller lists."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypedDict

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence
from checks.evidence.snapshot import Target
from validate_daily.repairs.plans.errors import RefusedError, TokenError

STARTS_WITHIN: Final = timedelta(minutes=10)
"""How long after its reading a plan may be started."""

RESUMES_WITHIN: Final = timedelta(hours=1)
"""How long after its reading a started plan may be resumed: for as long Firestore can list again as of then."""

SAMPLE: Final = 10
_CLOCKS_DIFFER: Final = timedelta(minutes=1)
_CLOCKS: Final = "set the clocks of both machines right, and plan again"

PlanId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Principal(Evidence):
    """Who plans and applies. ``verified`` is true only for whom a server has authenticated."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    verified: bool = False

    @property
    def identity(self) -> str:
        """How far the name can be believed, in words."""
        return "verified" if self.verified else "local user, unverified"


class PlannedDocument(Evidence):
    """One document, and the version of it that a plan is about: its path below the root, its update time."""

    path: str
    update_time: AwareDatetime


class Untouched(Evidence):
    """Documents that a plan leaves alone: what they are, how many, and why."""

    what: str
    count: Count
    why: str


class Expected(Evidence):
    """What applying will be billed for, at least."""

    reads: Count
    writes: Count
    deletes: Count


class PlanBase(TypedDict):
    """The fields of every plan that do not depend on what it changes; ``RepairSession.plan_base`` fills them in."""

    id: PlanId
    project: str
    database: str
    collection: str
    target: Target
    principal: Principal
    read_time: datetime


class Plan(Evidence, ABC):
    """What every plan says.

    Attributes:
        id: random; what a plan makes carries it.
        project, database, collection: the pipeline that it is for, by where its heartbeats are.
        target: what was read, and will be changed.
        principal: who planned; nobody else may apply.
        read_time: of the reading, T: Firestore's own time where documents are moved, else this machine's.
        reason: the rule and its finding, or who asked for what.
    """

    id: PlanId
    project: str
    database: str
    collection: str
    target: Target
    principal: Principal
    read_time: AwareDatetime
    reason: str

    @property
    @abstractmethod
    def subject(self) -> str:
        """What it is about: a collection, a service."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many things it changes."""

    @property
    @abstractmethod
    def resource(self) -> str:
        """The full name of what it changes, as Google names it."""

    @property
    def place(self) -> str:
        """The full name of what it changes, and in which cloud: two plans at one place are about the same thing."""
        return place_of(self.target, self.resource)

    @property
    def words(self) -> str:
        """What a person types to agree: the subject and how many."""
        return f"{self.subject} {self.size}"

    @property
    def expires_at(self) -> datetime:
        """Until when it may be started."""
        return self.read_time + STARTS_WITHIN

    @property
    def resumable_until(self) -> datetime:
        """Until when it may be resumed, once it was started."""
        return self.read_time + RESUMES_WITHIN

    @property
    def repair(self) -> str:
        """The name of the repair, which is the command's."""
        return str(type(self).model_fields["kind"].default)

    @property
    def needs_terminal(self) -> bool:
        """Whether only a person in a terminal may agree to it."""
        return False

    @property
    def refusal(self) -> RefusedError | None:
        """Why nobody may start it although it can be shown; None where somebody may agree to it."""
        return None

    def check_time(self, now: datetime, *, started: bool) -> None:
        """Refuse a plan that is too old, or of a time that has not come.

        Args:
            now: by the clock of ``read_time``.
            started: the audit knows an approved start of it.

        Raises:
            TokenError: it has expired, or two machines' clocks differ.
        """
        if now < self.read_time - _CLOCKS_DIFFER:
            raise TokenError(f"the plan {self.id} was made at {self.read_time:%H:%M:%S UTC}, later than now", _CLOCKS)
        until = self.resumable_until if started else self.expires_at
        if now >= until:
            what = "can no longer be resumed" if started else "has expired"
            raise TokenError(f"the plan {self.id} {what} since {until:%Y-%m-%d %H:%M:%S UTC}", "plan again")


class MovingPlan(Plan):
    """What every plan that moves documents says.

    Attributes:
        read_time: Applying lists again as of then.
        count, digest: how many documents, and what fixes each and its version.
        sample: some of them.
        untouched: what would not be touched, and why.
        max_documents: the limit that held.
        default_max: that of the settings.
        undo_until: how long the repair can be undone; None means without end.
    """

    trash: str
    count: Annotated[int, Field(ge=1)]
    digest: str
    by_processor: dict[str, Count]
    sample: tuple[PlannedDocument, ...]
    untouched: tuple[Untouched, ...]
    max_documents: Count
    default_max: Count
    expected: Expected
    undo_until: AwareDatetime | None

    @property
    def subject(self) -> str:
        """The collection."""
        return self.collection

    @property
    def resource(self) -> str:
        """The collection's full name."""
        return f"projects/{self.project}/databases/{self.database}/documents/{self.collection}"

    @property
    def size(self) -> int:
        """Documents."""
        return self.count

    @property
    def needs_terminal(self) -> bool:
        """It goes beyond the settings' limit."""
        return self.count > self.default_max

    def check_versions(self, versions: Sequence[tuple[str, int]]) -> None:
        """Refuse a plan whose documents are not what was listed again as of its reading.

        Args:
            versions: the path and the version of each document.

        Raises:
            RefusedError: they are not.
        """
        if len(versions) != self.count or digest(versions) != self.digest:
            raise RefusedError(
                f"listed again as of {self.read_time:%H:%M:%S UTC}, the documents are not those of the plan",
                "plan again; were processors registered in the settings since?",
            )


class CleanupPlan(MovingPlan):
    """Moves run-scoped documents that are not registered into the trash collection.

    Attributes:
        total_before: how many documents the collection held.
        growing: how many malformed documents were created in the hour before.
        even_if_growing: a person at a terminal said that this is no obstacle.
    """

    kind: Literal["cleanup"] = "cleanup"
    total_before: Count
    growing: Count
    even_if_growing: bool

    @property
    def needs_terminal(self) -> bool:
        """Beyond the settings' limit, or against growth."""
        return self.even_if_growing or super().needs_terminal


class RestorePlan(MovingPlan):
    """Moves documents of one cleanup back from the trash, never over a document.

    Attributes:
        cleanup: the id of the cleanup that is undone.
        processors: the only processors whose documents move back; none named means all.
    """

    kind: Literal["restore"] = "restore"
    cleanup: PlanId
    processors: tuple[str, ...]


def place_of(target: Target, resource: str) -> str:
    """A resource and its cloud: the address of a practice cloud, or ``production`` whatever its address is.

    Args:
        target: what was read, and will be changed.
        resource: the full name of what is changed.
    """
    return f"{target.address if target.practice else 'production'} {resource}"


def digest(subjects: Iterable[tuple[str, int]]) -> str:
    """What fixes a set of documents and their versions.

    Args:
        subjects: each one's path and update time, in nanoseconds since 1970, in any order.
    """
    hashed = hashlib.sha256()
    for path, version in sorted(subjects):
        hashed.update(json.dumps([path, version]).encode() + b"\n")
    return f"sha256:{hashed.hexdigest()}"
