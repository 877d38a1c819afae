"""What a pipeline's processors import to say that they are alive. Needs nothing but the standard library to import."""

from heartbeat.document_id import canonical_id, table_id
from heartbeat.operation import HeartbeatLogger
from heartbeat.processor import AsyncProcessorHeartbeat, ProcessorHeartbeat
from heartbeat.run import AsyncProcessorRun, ProcessorRun
from heartbeat.shutdown import end_runs_on_sigterm
from heartbeat.store import AsyncFirestoreStore, AsyncHeartbeatStore, FirestoreStore, HeartbeatStore

__all__ = [
    "AsyncFirestoreStore",
    "AsyncHeartbeatStore",
    "AsyncProcessorHeartbeat",
    "AsyncProcessorRun",
    "FirestoreStore",
    "HeartbeatLogger",
    "HeartbeatStore",
    "ProcessorHeartbeat",
    "ProcessorRun",
    "canonical_id",
    "end_runs_on_sigterm",
    "table_id",
]
