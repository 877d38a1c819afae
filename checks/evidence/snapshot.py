"""What was seen, where, when, and how completely. Evidence has no opinion: rules have.

Everything here is frozen, refuses unknown fields and speaks of times in UTC.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import AwareDatetime, model_validator

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.command import Command
from checks.evidence.deployments import Deployments
from checks.evidence.logs import Logs
from checks.settings.pipeline import Pipeline
from checks.settings.sources import SourceName


class Level(StrEnum):
    """The rungs of proof for what really runs, weakest first."""

    TEXT = "text"
    EXIT_CODE = "exit-code"
    LABEL = "label"
    TAG = "tag"
    DIGEST = "digest"
    BYTES = "bytes"
    RUNTIME = "runtime"


class Target(Evidence):
    """An address that a source spoke to. ``practice`` is true for an emulator or a sandbox."""

    source: str
    address: str
    resource: str
    practice: bool


class Gap(Evidence):
    """Something that could not be seen: the source, what was asked of it, why there is no answer, and what to do.

    ``command`` does that, where one command can.
    """

    source: str
    reason: str
    next_step: str
    command: Command | None = None


class NotChecked(Evidence):
    """A source or rule that was not looked at, by choice or because the settings do not allow it: never silently."""

    what: str
    reason: str
    rules: tuple[str, ...] = ()


class Heartbeat(Evidence):
    """One heartbeat document as Firestore returned it.

    Attributes:
        doc: the document's id, character for character.
        last_heartbeat: the time that it bears, or None where that is absent or no timestamp (see ``unparsable``).
        unparsable: why ``last_heartbeat`` could not be read, else None.
        created_at: Firestore's own create time; of a document that a restore moved back, the one that it had before.
        updated_at: Firestore's own update time: the version that a repair is bound to.
        revision, commit: the Cloud Run revision or execution and the commit that the writer says it is; None where it
            says nothing that could be one.
        name: what the document calls its writer.
        status: the writer's own word for how its run stands.
        started_at: when that run started.
        run_id, data_date: which run it is, and the day whose data it works on.
        progress, total: how far it is, and what ``progress`` counts towards.
        beats_every: the time from one beat to the next that the document promises.
        names_its_build: it has both a revision and a commit, be they empty, as documents of our own library have.
    """

    doc: Untrusted
    last_heartbeat: AwareDatetime | None
    unparsable: str | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    revision: Untrusted | None = None
    commit: Untrusted | None = None
    name: Untrusted | None = None
    status: Untrusted | None = None
    started_at: AwareDatetime | None = None
    run_id: Untrusted | None = None
    data_date: Untrusted | None = None
    progress: int | float | Untrusted | None = None
    total: int | float | None = None
    beats_every: timedelta | None = None
    names_its_build: bool = False

    @property
    def beat_at(self) -> datetime | None:
        """When it beat, and never after Firestore stored it; None where it is unparsable."""
        return None if self.last_heartbeat is None else min(self.last_heartbeat, self.updated_at)


class Family(Evidence):
    """All documents of one processor, counted.

    Where the server counted a range of ids, the documents in it were not read one by one: what only their own times and
    ids can tell is then None, and ``future`` and ``unparsable`` hold as far as documents were read.

    Attributes:
        processor: the text that its ids share, or the registered name.
        canonical: documents under a canonical or registered id.
        malformed: all other documents, ``run_scoped`` of which parse as run-scoped.
        created_last_hour, created_last_day: documents that Firestore created in that time before ``taken_at``; what a
            restore moved back counts by the time when it was created before.
        malformed_last_hour, malformed_last_day: the malformed ones among them.
        malformed_growth: malformed documents now, less those of 55 minutes ago; told where ranges were counted.
        newest: the document with the newest heartbeat that is not from the future, whatever its id looks like.
        older_than: where it is told, some heartbeats were not read, none of them newer than this.
        newest_malformed: the malformed document that was created last, of those that were read.
        future: how many documents bear a heartbeat from the future; ``future_sample`` is the furthest.
        unparsable: how many documents have no readable ``last_heartbeat``; ``unparsable_sample`` is one of them.
        written: when Firestore last stored any of them, whatever it says; ``written_at_once`` of them at that very
            moment. None where not all were read.
    """

    processor: Untrusted
    canonical: Count = 0
    malformed: Count = 0
    run_scoped: Count | None = 0
    created_last_hour: Count | None = 0
    created_last_day: Count | None = 0
    malformed_last_hour: Count | None = 0
    malformed_last_day: Count | None = 0
    malformed_growth: int | None = None
    newest: Heartbeat | None = None
    older_than: AwareDatetime | None = None
    newest_malformed: Heartbeat | None = None
    future: Count = 0
    future_sample: Heartbeat | None = None
    unparsable: Count = 0
    unparsable_sample: Heartbeat | None = None
    written: AwareDatetime | None = None
    written_at_once: Count = 0

    @property
    def total(self) -> int:
        """Documents of this processor, in documents."""
        return self.canonical + self.malformed

    def malformed_lately(self, taken_at: datetime) -> int:
        """Malformed documents created in the hour before ``taken_at``; where not all were read, at least so many."""
        if self.malformed_last_hour is not None:
            return self.malformed_last_hour
        sample = self.newest_malformed
        seen = sample is not None and taken_at - sample.created_at <= timedelta(hours=1)
        return max(self.malformed_growth or 0, int(seen))


class Method(StrEnum):
    """How a census came by its families."""

    LISTING = "listing"
    """Every document was read."""

    RANGES = "ranges"
    """One document of each processor was read, and the server counted the ids that begin as its id does."""

    MIXED = "ranges, then listing"
    """That, until it proved dearer than reading the rest."""


class Census(Evidence):
    """The heartbeat collection at one read time.

    Attributes:
        collection: its full resource name.
        total: documents in the collection; at least this many where ``counted`` and ``listed`` are both false.
        counted: the server counted the collection.
        listed: every document was read, or counted in a range of ids, so the families are complete.
        method: how.
        families: one entry per processor that has a document, most documents first.
        billed_reads: document reads that production bills for this census.
    """

    collection: str
    total: Count
    counted: bool
    listed: bool
    method: Method = Method.LISTING
    families: tuple[Family, ...] = ()
    billed_reads: Count = 0

    @property
    def canonical(self) -> int:
        """Documents under canonical or registered ids, as far as they were listed."""
        return sum(family.canonical for family in self.families)

    @property
    def malformed(self) -> int:
        """Documents under all other ids, as far as they were listed."""
        return sum(family.malformed for family in self.families)

    @property
    def writers(self) -> list[Family]:
        """The families with malformed documents, those with the most first."""
        return sorted((each for each in self.families if each.malformed), key=lambda family: -family.malformed)

    @property
    def empty(self) -> bool:
        """Whether it is certain that the collection holds nothing, or does not exist."""
        return self.total == 0 and (self.counted or self.listed)

    @property
    def complete(self) -> bool:
        """Whether nothing of the collection was left unseen."""
        return self.counted and self.listed


class Snapshot(Evidence):
    """All evidence of one check, as of one moment.

    ``taken_at`` is Firestore's read time. Where Firestore could not be read it is the local clock, and a gap says so.
    ``pipeline`` is what the evidence was collected for: who is expected, and the limits that hold.
    ``census`` is None when not one document or count could be read, or nobody asked; so are ``deployments`` and
    ``logs``.
    """

    pipeline: Pipeline

    taken_at: AwareDatetime
    census: Census | None
    deployments: Deployments | None = None
    logs: Logs | None = None
    gaps: tuple[Gap, ...] = ()
    targets: tuple[Target, ...] = ()

    SOURCES: ClassVar[Mapping[str, tuple[SourceName, ...]]] = {
        "census": ("firestore",),
        "deployments": ("cloud-run", "registry"),
        "logs": ("logging",),
    }
    """Which sources make which evidence: the first reads it, the others then add to it."""

    @model_validator(mode="after")
    def _unseen_is_said(self) -> Self:
        evidence = [getattr(self, field) for field in self.SOURCES]
        whole = self.census is not None and all(getattr(each, "complete", True) for each in evidence)
        if not self.gaps and not whole:
            raise ValueError("evidence that is not complete needs a gap that says why")
        return self

    @property
    def accounted_for(self) -> frozenset[str]:
        """The sources that were read, that a gap names, or that the settings leave out.

        Where there is no answer from the first source of some evidence, the others could not be asked.
        """
        known = {gap.source for gap in self.gaps} | self.pipeline.unasked.keys()
        for field, sources in self.SOURCES.items():
            if sources[0] in known or getattr(self, field) is not None:
                known |= {*sources}
        return frozenset(known)

    @property
    def practice(self) -> bool:
        """Whether any source was an emulator or a sandbox."""
        return any(target.practice for target in self.targets)
