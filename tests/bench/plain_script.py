"""The baseline: what one writes without a tool, every document through the high-level client into a list."""

import sys
from datetime import UTC, datetime, timedelta

from google.cloud import firestore

from bench.measure import measured


def census(project: str, collection: str) -> dict[str, int]:
    """Total, malformed, and malformed in the last hour, from whole documents."""
    documents = list(firestore.Client(project=project).collection(collection).stream())
    malformed = [each for each in documents if "_None_" in each.id or "_202" in each.id]
    cutoff = datetime.now(UTC) - timedelta(hours=1)
    recent = [each for each in malformed if (each.to_dict() or {})["last_heartbeat"] > cutoff]
    writers = {each.id.split("_None_")[0].split("_202")[0] for each in malformed}
    return {
        "total": len(documents),
        "malformed": len(malformed),
        "recent": len(recent),
        "writers": len(writers),
        "billed_reads": len(documents),
    }


if __name__ == "__main__":
    measured(lambda: census(*sys.argv[1:3]))
