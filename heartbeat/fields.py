"""What stands in one heartbeat document. Every value is bounded: no heartbeat comes near Firestore's 1 MiB."""

import operator
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Final, SupportsFloat, SupportsIndex, cast

from heartbeat.text import one_line

MAX_TEXT: Final = 500
"""Characters of one text value."""

MAX_ENTRIES: Final = 30
"""Entries of a progress mapping."""

_MAX_KEY: Final = 100
_INT64: Final = range(-(2**63), 2**63)

ProgressValue = float | str | Mapping[str, object] | None
"""How far a processor is: a number, a text, or a flat mapping of such."""


def heartbeat_fields(
    *,
    processor_name: str,
    at: datetime,
    status: str,
    run_id: str | None = None,
    progress: ProgressValue = None,
    commit: str | None = None,
    revision: str | None = None,
) -> dict[str, object]:
    """The fields of one heartbeat, ready for Firestore.

    All but ``at`` are taken gently: what Firestore could not store, or what is too long, is stored as bounded text.

    Args:
        processor_name: the processor that is alive.
        at: when it was; written in UTC.
        status: one word such as ``running`` or ``success``.
        run_id: the run that this heartbeat belongs to.
        progress: how far that run is.
        commit: the commit that the processor was built from.
        revision: the Cloud Run revision or job execution that it runs in.

    Raises:
        ValueError: ``at`` has no timezone, so it names no moment.
    """
    if at.tzinfo is None:
        raise ValueError(f"the clock says {at.isoformat()} without a timezone: let it return datetime.now(UTC)")
    return {
        "processor_name": processor_name,
        "last_heartbeat": at.astimezone(UTC),
        "status": one_line(status, MAX_TEXT),
        "run_id": optional_text(run_id),
        "progress": _progress(progress),
        "commit": optional_text(commit),
        "revision": optional_text(revision),
    }


def run_fields(
    *,
    at: datetime,
    data_date: object,
    total: object,
    status_message: object,
    started_at: datetime,
    completed_at: datetime | None,
    beats_every: float | None,
) -> dict[str, object]:
    """The fields that a run adds to a heartbeat. A field that does not apply is left out.

    Args:
        at: when the heartbeat was; with a timezone, like all times here.
        data_date: the day whose data the run works on.
        total: what ``progress`` counts towards.
        status_message: what the run is doing, or why it failed.
        started_at: when the run started.
        completed_at: when it ended, whatever way.
        beats_every: seconds from one beat to the next that the run promises while it lasts; None promises nothing.
    """
    ended: dict[str, object] = {}
    if completed_at is not None:
        seconds = max((completed_at - started_at).total_seconds(), 0.0)
        ended = {"completed_at": completed_at.astimezone(UTC), "duration_seconds": seconds}
    return {
        "data_date": optional_text(data_date),
        "updated_at": at.astimezone(UTC),
        "started_at": started_at.astimezone(UTC),
        "total": _progress(total),
        "status_message": optional_text(status_message),
        **({} if beats_every is None else {"beats_every": beats_every}),
        **ended,
    }


def optional_text(value: object) -> str | None:
    """A bounded text, or None for nothing and for an empty text."""
    return None if value is None or value == "" else one_line(value, MAX_TEXT)


def _progress(value: object) -> object:
    try:
        return _mapping(cast("Mapping[object, object]", value)) if isinstance(value, Mapping) else _scalar(value)
    except Exception as error:  # noqa: BLE001 - whatever a pipeline passes as progress, its heartbeat is still written
        return one_line(f"unreadable: {type(error).__name__}", MAX_TEXT)


def _mapping(entries: Mapping[object, object]) -> dict[str, object]:
    kept = {_key(key): _scalar(value) for key, value in islice(entries.items(), MAX_ENTRIES)}
    if len(entries) > MAX_ENTRIES:
        kept["not_kept"] = len(entries) - MAX_ENTRIES
    return kept


def _key(key: object) -> str:
    """A field name: Firestore refuses the empty one, and keeps ``__name__`` and its like to itself."""
    text = one_line(key, _MAX_KEY)
    return f"({text})" if not text or (text.startswith("__") and text.endswith("__")) else text


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, SupportsIndex):
        number = operator.index(value)
        return number if number in _INT64 else one_line(number, MAX_TEXT)
    if isinstance(value, SupportsFloat):
        return float(value)
    return one_line(value, MAX_TEXT)
