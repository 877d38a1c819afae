"""What many rules ask of a snapshot, joined once for one judgement."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Final

from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.levels import Ladder, ladder
from checks.judge.finding import Fact, Finding, Severity, affected, bounded, key
from checks.judge.processors import ProcessorStanding, channel_down, missing, recovered, standings
from checks.judge.run_status import SilentRun, silent_runs
from checks.judge.runs_and_beats import Witnesses, witnesses
from checks.settings.heartbeats import Processor
from checks.settings.sources import SourceName

_MOST: Final = 10


class Silent(StrEnum):
    """What is silent: single processors, or the whole collection."""

    PROCESSOR = "processor"
    COLLECTION = "collection"


@dataclass(frozen=True)
class Context:
    """A snapshot, and what follows from it for several rules.

    Attributes:
        snapshot: what was seen.
        silence: the names of the rules whose findings the silence of a processor, or of the collection, may make.
        needs: the sources that each rule cannot do without.
    """

    snapshot: Snapshot
    silence: Mapping[Silent, tuple[str, ...]]
    needs: Mapping[str, tuple[SourceName, ...]]

    @cached_property
    def standings(self) -> list[ProcessorStanding]:
        """How the newest heartbeat of every judged processor stands; empty where not all were listed."""
        return standings(self.snapshot)

    @cached_property
    def missing(self) -> list[Processor]:
        """The expected processors that have no document."""
        return missing(self.snapshot)

    @cached_property
    def channel_down(self) -> list[ProcessorStanding]:
        """The silent processors, if so many are silent that the heartbeat channel is the likely cause; else empty."""
        return channel_down(self.snapshot, self.standings, self.died)

    @cached_property
    def silent_runs(self) -> list[SilentRun]:
        """The runs that promised another beat and did not keep it."""
        return silent_runs(self.snapshot, self.standings)

    @cached_property
    def died(self) -> frozenset[str]:
        """The processors whose run counts as dead."""
        return frozenset(each.standing.name for each in self.silent_runs if each.dead)

    @cached_property
    def witnesses(self) -> list[Witnesses]:
        """Heartbeats and runs of every judged processor, where both could be seen."""
        return witnesses(self.snapshot, self.standings, self.missing)

    @cached_property
    def deployed(self) -> list[tuple[Service | Job, Ladder]]:
        """Every service, then every job, with what each level of evidence says of it."""
        found = self.snapshot.deployments
        ones = (*found.services, *found.jobs) if found else ()
        return [(one, ladder(self.snapshot, self.standings, one)) for one in ones]

    def ladder_of(self, one: Service | Job) -> Ladder:
        """What each level of evidence says of a service or job of this snapshot."""
        return next(ladder for each, ladder in self.deployed if each is one)

    def recovered(self, source: str, since: datetime) -> bool:
        """Whether all processors of a service or job have beaten since a moment."""
        return recovered(self.snapshot, self.standings, source, since)

    def silence_of(self, source: str) -> tuple[str, ...]:
        """The keys of findings about silent processors of a service or job; empty where none is silent."""
        own = {each.name for each in self.snapshot.pipeline.heartbeats.processors_of(source)}
        silent = own & {
            *(each.name for each in self.standings if each.stale),
            *(each.name for each in self.missing),
            *(each.standing.name for each in self.silent_runs),
        }
        return self.keys_of_silence(silent) if silent else ()

    def keys_of_silence(self, processors: Iterable[str]) -> tuple[str, ...]:
        """The keys of every finding that the silence of these processors may have made."""
        alone, together = self.silence[Silent.PROCESSOR], self.silence[Silent.COLLECTION]
        collection = self.snapshot.pipeline.heartbeats.collection
        return (
            *(key(rule, name) for name in sorted(processors) for rule in alone),
            *(key(rule, collection) for rule in together),
        )

    def is_stranger(self, standing: ProcessorStanding) -> bool:
        """Whether nobody registered a processor, where others are registered."""
        return standing.processor is None and bool(self.snapshot.pipeline.heartbeats.processors)

    def of_strangers(self, rule: str, told: Mapping[str, Fact], summary: str, others: str) -> Iterator[Finding]:
        """What a rule says of all unregistered processors at once; nothing where there are none.

        Args:
            rule: its name.
            told: the evidence of each of them, by its name.
            summary: what is wrong with them.
            others: what the evidence says of those that it does not show.
        """
        if told:
            yield Finding(
                rule=rule,
                severity=Severity.P2,
                subject=self.snapshot.pipeline.heartbeats.collection,
                fault=tuple(sorted(told)),
                count=len(told),
                affects=affected(told),
                summary=summary,
                evidence=bounded(list(told.values()), _MOST, others),
                next_step="register each: as a processor, as the former name of one, or with retired = true",
            )
