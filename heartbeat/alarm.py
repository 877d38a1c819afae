"""Says aloud, once per change of state, that heartbeats are not written, and that they are again.

One line of JSON on standard error is one structured entry in Cloud Logging.
"""

import json
import sys
import threading
from typing import Final, TextIO

from heartbeat.diagnosis import Failure, Reason, diagnose
from heartbeat.fork import renew_after_fork
from heartbeat.text import one_line

_MAX_NAME: Final = 200


class Alarm:
    """The state of one processor's heartbeat: working until it fails, and failing until it works. Thread-safe.

    Args:
        processor_name: whose heartbeat.
        document: the id of its document, or None where the name was refused.
        revision: the Cloud Run revision or execution that it runs in, or None.
        stream: where lines go; None is standard error as it is when a line is written.
    """

    def __init__(
        self, *, processor_name: object, document: str | None, revision: str | None, stream: TextIO | None
    ) -> None:
        self._who = {
            "processor": one_line(processor_name, _MAX_NAME),
            "document": None if document is None else one_line(document, _MAX_NAME),
            "revision": revision,
        }
        self._stream = stream
        self._lock = threading.RLock()  # a signal handler may beat while its own thread is here
        self._reason: Reason | None = None
        self._missed = 0
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Another thread of the parent may have held the lock."""
        self._lock = threading.RLock()

    def failed(self, failure: Failure) -> None:
        """A heartbeat was not written."""
        with self._lock:
            self._missed += 1
            if failure.reason is not self._reason:
                self._reason = failure.reason
                self._say_failing(failure)

    def raised(self, error: BaseException) -> bool:
        """A heartbeat was not written because of this exception. False, for the caller to return."""
        self.failed(diagnose(error))
        return False

    def worked(self) -> bool:
        """A heartbeat was written. True, for the caller to return."""
        with self._lock:
            if self._reason is not None:
                self._say_recovered(self._reason, self._missed)
            self._reason, self._missed = None, 0
        return True

    def _say_failing(self, failure: Failure) -> None:
        self._say(
            "WARNING" if failure.reason is Reason.DISABLED else "ERROR",
            f"heartbeats of {self._who['processor']} are NOT written: {failure.reason}. Next: {failure.next_step}",
            state="failing",
            reason=failure.reason,
            status_code=failure.status_code,
            detail=failure.detail,
            next_step=failure.next_step,
        )

    def _say_recovered(self, reason: Reason, missed: int) -> None:
        message = f"heartbeats of {self._who['processor']} are written again, {missed} were missed: {reason}"
        self._say("NOTICE", message, state="working", reason=reason, missed=missed)

    def _say(self, severity: str, message: str, **facts: object) -> None:
        try:
            stream = self._stream or sys.stderr
            stream.write(json.dumps({"severity": severity, "message": message, "heartbeat": self._who | facts}) + "\n")
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - the last voice is gone, and a processor does not end for want of it
            pass
