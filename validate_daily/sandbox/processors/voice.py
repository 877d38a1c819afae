"""A processor's own heartbeat within one instance: the real writer, whose lines go into the practice log."""

import io
import json
from datetime import datetime
from typing import Any

from heartbeat.processor import ProcessorHeartbeat
from heartbeat.store import HeartbeatStore
from validate_daily.sandbox.logging.store import Severity
from validate_daily.sandbox.processors.stage import Instance, Stage


class Voice:
    """Beats with the code that fixed images hold."""

    def __init__(self, stage: Stage, name: str, instance: Instance, store: HeartbeatStore) -> None:
        self._stage = stage
        self._instance = instance
        self._now = stage.clock.now()
        self._said = io.StringIO()
        self._heartbeat = ProcessorHeartbeat(
            name, store=store, clock=lambda: self._now, stream=self._said, environment=instance.environment
        )

    def beat(self, run_id: str, at: datetime) -> bool:
        """Beat once, and log what the writer says of it."""
        self._now = at
        written = self._heartbeat.beat(run_id=run_id)
        for line in self._said.getvalue().splitlines():
            payload: dict[str, Any] = json.loads(line)
            severity: Severity = payload.pop("severity")
            self._stage.say(self._instance, payload, severity=severity, at=at, log="stderr")
        self._said.seek(0)
        self._said.truncate()
        return written
