"""A processor's own heartbeat within one instance: the real writer, whose lines go into the practice log."""

import io
import json
from datetime import datetime, timedelta
from typing import Any, Final

from heartbeat.processor import ProcessorHeartbeat
from heartbeat.store import HeartbeatStore
from validate_daily.sandbox.logging.store import Severity
from validate_daily.sandbox.processors.stage import Instance, Stage

LASTED: Final = timedelta(minutes=2)
"""How long a short run takes."""

RECORDS: Final = 450
"""How many records it works on."""


class Voice:
    """Runs with the code that fixed images hold."""

    def __init__(self, stage: Stage, name: str, instance: Instance, store: HeartbeatStore) -> None:
        self._stage = stage
        self._instance = instance
        self._now = stage.clock.now()
        self._said = io.StringIO()
        self._heartbeat = ProcessorHeartbeat(
            name, store=store, clock=lambda: self._now, stream=self._said, environment=instance.environment
        )

    def run(self, run_id: str, at: datetime) -> bool:
        """Write all of a short run that ends now, and log what the writer says of it. Whether its end was written."""
        self._now = at - LASTED
        self._heartbeat.start(run_id=run_id, data_date=at.date(), total=RECORDS)
        self._now = at
        self._heartbeat.beat(progress=RECORDS)
        written = self._heartbeat.stop()
        for line in self._said.getvalue().splitlines():
            payload: dict[str, Any] = json.loads(line)
            severity: Severity = payload.pop("severity")
            self._stage.say(self._instance, payload, severity=severity, at=at, log="stderr")
        self._said.seek(0)
        self._said.truncate()
        return written
