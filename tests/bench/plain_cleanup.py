"""The baseline of a cleanup: every document into a list, and then deletes, batch after batch, without a copy."""

import sys
from typing import Any, Final

from google.cloud import firestore

from bench.measure import measured

BATCH: Final = 500


def cleanup(project: str, collection: str) -> dict[str, int]:
    """Delete what is malformed; nothing is kept, checked or counted again."""
    client = firestore.Client(project=project)
    malformed = [
        each.reference for each in client.collection(collection).stream() if "_None_" in each.id or "_202" in each.id
    ]
    for start in range(0, len(malformed), BATCH):
        batch: Any = client.batch()
        for reference in malformed[start : start + BATCH]:
            batch.delete(reference)
        batch.commit()
    return {"gone": len(malformed)}


if __name__ == "__main__":
    measured(lambda: cleanup(*sys.argv[1:3]))
