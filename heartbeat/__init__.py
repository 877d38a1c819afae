"""What a pipeline's processors import to say that they are alive. Needs nothing but the standard library to import."""

from heartbeat.document_id import canonical_id, table_id
from heartbeat.operation import HeartbeatLogger
from heartbeat.processor import AsyncProcessorHeartbeat, ProcessorHeartbeat
from heartbeat.store import AsyncFirestoreStore, AsyncHeartbeatStore, FirestoreStore, HeartbeatStore

__all__ = [
    "AsyncFirestoreStore",
    "AsyncHeartbeatStore",
    "AsyncProcessorHeartbeat",
    "FirestoreStore",
    "HeartbeatLogger",
    "HeartbeatStore",
    "ProcessorHeartbeat",
    "canonical_id",
    "table_id",
]
