"""What fixed code wrote about a run: that it completed, failed, or was killed on the way."""

from datetime import datetime
from typing import Final

from heartbeat.fields import heartbeat_fields, run_fields
from validate_daily.sandbox.processors.stage import Instance
from validate_daily.sandbox.processors.voice import LASTED, RECORDS
from validate_daily.sandbox.scenario import LastRun

_BEATS_EVERY: Final = 60.0
"""Seconds from one beat of a run to the next, as the library promises them."""


def run_document(
    name: str, at: datetime, run_id: str, instance: Instance | None, last: LastRun | None = None
) -> dict[str, object]:
    """The fields of a processor's document as a run left it.

    Args:
        name: the processor.
        at: when it was written.
        run_id: which run.
        instance: where it ran.
        last: how the run stood; completed unless given.
    """
    ended = last is None or last.status == "failed"
    fields = heartbeat_fields(
        processor_name=name,
        at=at,
        status=last.status if last else "completed",
        run_id=run_id,
        progress=last.records if last else RECORDS,
        commit=instance.build.commit if instance else None,
        revision=instance.name if instance else None,
    )
    return fields | run_fields(
        at=at,
        data_date=at.date(),
        total=RECORDS,
        status_message=None,
        started_at=at - (last.lasted if last else LASTED),
        completed_at=at if ended else None,
        beats_every=_BEATS_EVERY,
    )
