"""Writes a handoff: one look at everything, what the audit tells, and notes that say nothing which is not proved."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from checks.ask.snapshot import DEFAULT_TIMEOUT, collect
from checks.judge.report import Report
from checks.settings.file import Settings
from checks.sources.credentials import Login
from checks.sources.progress import Progress, quiet
from validate_daily.handoff.lint import UnprovedSentence, lint
from validate_daily.handoff.measurements import Measurements
from validate_daily.handoff.repair_history import repairs_since
from validate_daily.handoff.text import write

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Notes:
    """What a person or an assistant adds: text, and what errors call it."""

    raw: bytes = b""
    origin: str = "the notes"


@dataclass(frozen=True, slots=True)
class WrittenHandoff:
    """A handoff: its text and the report that it stands on; where notes were refused, no text, and why."""

    text: str
    report: Report
    refused: tuple[UnprovedSentence, ...] = ()


async def write_handoff(
    settings: Settings,
    notes: Notes = Notes(),
    *,
    since: timedelta = DAY,
    session: Login | None = None,
    timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - a budget that sources share, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> WrittenHandoff:
    """Measure everything and write it down.

    Args:
        settings: the pipeline, and where its audit is.
        notes: added, and set apart as not measured.
        since: how long ago repairs may have been made, to be named.
        session: the way to Google; one for this look unless given.
        timeout: seconds that looking may take; what is not seen by then is written down as unknown.
        progress: told how far the long reads are.
        environment: where addresses are looked up.

    Raises:
        UsageError: the notes are too large or no text, or an address is refused.
    """
    lint(notes.raw, settings.pipeline, notes.origin)  # notes that cannot be read are refused before anything is asked
    snapshot = await collect(
        settings.pipeline, session=session, timeout=timeout, progress=progress, environment=environment
    )
    seen = Measurements.of(snapshot)
    repairs = repairs_since(settings, snapshot.taken_at - since, snapshot.targets)
    text = write(seen, repairs, notes.raw.decode("utf-8-sig"))
    refused = lint(notes.raw, settings.pipeline, notes.origin, proved_by=text.encode())
    return WrittenHandoff("" if refused else text, seen.report, tuple(refused))
