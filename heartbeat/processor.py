"""How a processor says that it is alive: one Firestore document per processor, written often, and never in silence.

    heartbeat = ProcessorHeartbeat("PlayerGameSummaryProcessor")
    heartbeat.beat(run_id=run_id, progress={"games": 12})
    heartbeat.beat("success", run_id=run_id)

A beat that cannot be written says so on standard error and returns False. It never raises: a heartbeat tells about a
processor, and must not be what stops it.
"""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Generic, TextIO, TypedDict, TypeVar

from heartbeat.alarm import Alarm
from heartbeat.diagnosis import Failure, Reason, diagnose, is_transient
from heartbeat.document_id import canonical_id
from heartbeat.fields import ProgressValue, heartbeat_fields, optional_text
from heartbeat.store import AsyncFirestoreStore, AsyncHeartbeatStore, FirestoreStore, HeartbeatStore

_OFF: Final = frozenset({"false", "0", "no", "off"})
_ATTEMPTS_PER_BUDGET: Final = 2
_SHORTEST_ATTEMPT: Final = 0.001
_LONGEST_PAUSE: Final = 4.0

_Store = TypeVar("_Store")


class _Patience(TypedDict):
    """What both of Google's retries are told; times in seconds."""

    predicate: Callable[[BaseException], bool]
    initial: float
    maximum: float
    timeout: float


class _Writer(ABC, Generic[_Store]):
    """What the synchronous and the asynchronous heartbeat share: everything but the call to the store."""

    def __init__(
        self,
        processor_name: str,
        *,
        registered: bool = False,
        store: _Store | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        commit: str | None = None,
        budget: float = 10.0,
        first_pause: float = 0.25,
        stream: TextIO | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Never fails: what is wrong is told on ``stream``, and every beat then returns False.

        Args:
            processor_name: the processor's plain name, which becomes the id of its one document. A run-scoped name is
                refused: nothing is ever written under it.
            registered: the pipeline's settings list this very name, so it is right although it looks run-scoped.
            store: where heartbeats go; Firestore unless given.
            clock: tells the time, with a timezone.
            commit: what the processor was built from; else ``COMMIT_SHA`` of the environment.
            budget: seconds that one beat may take, retries included. To find credentials may take longer.
            first_pause: most seconds to wait before the first retry. Pauses double and are jittered.
            stream: where the lines about failures go; standard error unless given.
            environment: the environment variables of what runs the processor; this process's own unless given.
        """
        environment = os.environ if environment is None else environment
        self.processor_name = processor_name
        self.document_id, refusal = _admitted(processor_name, environment, registered=registered)
        self._target = self.document_id if refusal is None else None
        self._store = self._default_store() if store is None else store
        self._clock = clock
        self._commit = optional_text(commit or environment.get("COMMIT_SHA"))
        self._revision = optional_text(environment.get("K_REVISION") or environment.get("CLOUD_RUN_EXECUTION"))
        self._budget = budget
        self._first_pause = first_pause
        self._alarm = Alarm(
            processor_name=processor_name, document=self.document_id, revision=self._revision, stream=stream
        )
        if refusal is not None:
            self._alarm.failed(refusal)

    @abstractmethod
    def _default_store(self) -> _Store:
        """Where heartbeats go unless the one who makes this says otherwise."""

    def _fields(self, status: str, run_id: str | None, progress: ProgressValue) -> dict[str, object]:
        return heartbeat_fields(
            processor_name=self.processor_name,
            at=self._clock(),
            status=status,
            run_id=run_id,
            progress=progress,
            commit=self._commit,
            revision=self._revision,
        )

    def _patience(self) -> _Patience:
        return _Patience(
            predicate=is_transient, initial=self._first_pause, maximum=_LONGEST_PAUSE, timeout=self._budget
        )

    def _attempt_timeout(self, deadline: float) -> float:
        """Seconds for one attempt: what is left, but never so much that a stalled first one precludes a second."""
        return max(min(deadline - time.monotonic(), self._budget / _ATTEMPTS_PER_BUDGET), _SHORTEST_ATTEMPT)


class ProcessorHeartbeat(_Writer[HeartbeatStore]):
    """One processor's heartbeat. All threads of the processor may share it."""

    def beat(self, status: str = "running", *, run_id: str | None = None, progress: ProgressValue = None) -> bool:
        """Write "alive, as of now" to the processor's document, replacing what it said.

        Args:
            status: one word such as ``running``, ``success`` or ``failed``.
            run_id: the run that this belongs to.
            progress: how far it is: a number, a text, or a flat mapping of such.

        Returns:
            Whether it was written. Where it was not, standard error has said why, once.
        """
        if self._target is None:
            return False
        try:
            self._send(self._target, self._fields(status, run_id, progress))
        except Exception as error:  # noqa: BLE001 - whatever breaks a heartbeat is told aloud and never stops a processor
            return self._alarm.raised(error)
        return self._alarm.worked()

    def _send(self, document_id: str, fields: dict[str, object]) -> None:
        from google.api_core.retry import Retry  # noqa: PLC0415 - loaded by the first write: see heartbeat.store

        deadline = time.monotonic() + self._budget

        def attempt() -> None:
            self._store.write(document_id, fields, timeout=self._attempt_timeout(deadline))

        Retry(**self._patience())(attempt)()

    def _default_store(self) -> HeartbeatStore:
        return FirestoreStore()


class AsyncProcessorHeartbeat(_Writer[AsyncHeartbeatStore]):
    """The same for asyncio: awaiting a beat leaves the event loop free."""

    async def beat(self, status: str = "running", *, run_id: str | None = None, progress: ProgressValue = None) -> bool:
        """As ``ProcessorHeartbeat.beat``. Cancelling it cancels it: that is no failure and is not told."""
        if self._target is None:
            return False
        try:
            await self._send(self._target, self._fields(status, run_id, progress))
        except Exception as error:  # noqa: BLE001 - whatever breaks a heartbeat is told aloud and never stops a processor
            return self._alarm.raised(error)
        return self._alarm.worked()

    async def _send(self, document_id: str, fields: dict[str, object]) -> None:
        from google.api_core.retry import AsyncRetry  # noqa: PLC0415 - loaded by the first write: see heartbeat.store

        deadline = time.monotonic() + self._budget

        async def attempt() -> None:
            await self._store.write(document_id, fields, timeout=self._attempt_timeout(deadline))

        await AsyncRetry(**self._patience())(attempt)()  # pyright: ignore[reportCallIssue] - Google forgot to link the parameters

    def _default_store(self) -> AsyncHeartbeatStore:
        return AsyncFirestoreStore()


def _admitted(
    processor_name: str, environment: Mapping[str, str], *, registered: bool
) -> tuple[str | None, Failure | None]:
    """The document's id, and why it must not be written."""
    try:
        document_id = canonical_id(processor_name, registered=registered)
    except (AttributeError, TypeError, ValueError) as error:
        return None, Failure(Reason.WRONG_NAME, type(error).__name__, diagnose(error).detail)
    if (switch := environment.get("ENABLE_HEARTBEATS", "")).strip().lower() in _OFF:
        return document_id, Failure(Reason.DISABLED, "ENABLE_HEARTBEATS", f"ENABLE_HEARTBEATS={switch.strip()}")
    return document_id, None
