"""A plan to seal and to agree to."""

from datetime import UTC, datetime

from checks.evidence.snapshot import Target
from validate_daily.repairs.plans.plan import CleanupPlan, Expected, Principal

ANA = Principal(name="ana")
T = datetime(2026, 3, 1, 12, 0, 0, 123_456, UTC)
PLAN = CleanupPlan(
    id="0123456789abcdef",
    project="p",
    database="(default)",
    collection="c",
    trash="c_trash",
    target=Target(source="firestore", address="127.0.0.1:1", resource="projects/p/databases/(default)", practice=True),
    principal=ANA,
    read_time=T,
    count=3,
    digest="sha256:00",
    by_processor={"A": 3},
    sample=(),
    untouched=(),
    reason="malformed-ids",
    max_documents=2_000,
    default_max=2_000,
    expected=Expected(reads=9, writes=3, deletes=3),
    undo_until=None,
    total_before=4,
    growing=0,
    even_if_growing=False,
)
