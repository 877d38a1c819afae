"""One look at everything that claims are measured by, and what is told of one claim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.levels import Ladder, Rung
from checks.judge.report import Report, judge
from checks.judge.rules import context_of

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of one claim.

    Attributes:
        holds: whether it is as expected; None where that could not be told.
        observed: what was seen.
        level: what that rests on.
        reason: why it does not hold, or could not be told.
        rungs: the levels of evidence that decide, where there are several.
        weak: it is as expected, and so would something be that the rules call wrong.
    """

    holds: bool | None
    observed: str
    level: Level | None = Level.RUNTIME
    reason: str | None = None
    rungs: tuple[Rung, ...] = ()
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Measurements:
    """Everything that was seen, judged.

    Attributes:
        context: what was seen, joined.
        report: what the rules say of it.
        ladders: the levels of evidence of every service and job, by its name.
    """

    context: Context
    report: Report
    ladders: Mapping[str, Ladder]

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Measurements":
        """A snapshot, judged by all rules."""
        context = context_of(snapshot)
        return cls(context, judge(context), {one.name: told for one, told in context.deployed})

    @property
    def snapshot(self) -> Snapshot:
        """What was seen."""
        return self.context.snapshot

    def finds(self, rules: Iterable[str]) -> str | None:
        """The worst finding of some rules, in words."""
        found = next((each for each in self.report.findings if each.rule in rules), None)
        return f"{found.severity} {found.rule}: {found.summary}" if found else None


def unmeasured(reason: str | None, observed: str = "", rungs: tuple[Rung, ...] = ()) -> Measurement:
    """That it could not be told, and why."""
    return Measurement(None, observed, None, reason, rungs)


def measured(
    observed: str, level: Level | None = Level.RUNTIME, *, holds: bool, reason: str | None = None
) -> Measurement:
    """That it is as expected, or is not, and why."""
    return Measurement(holds, observed, level, None if holds else reason)


def if_sure(sure: bool, measurement: Measurement) -> Measurement:  # noqa: FBT001 - a condition, and what follows from it
    """What was told if it is sure; else that some could not be told."""
    return measurement if sure else unmeasured("of some no level of evidence decides", measurement.observed)


def first_names(names: Sequence[str]) -> str:
    """The first few of several names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
