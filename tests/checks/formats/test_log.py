import json
from datetime import timedelta

import pytest

from checks.formats.log import render_log

from support.snapshots import document, judged, pipeline

STALE = timedelta(days=5)
REGISTERED = pipeline(["Active", "Other", "Third", "Fourth"])
FRESH = [document(name) for name in ("Other", "Third", "Fourth")]


@pytest.mark.parametrize(
    ("age", "listed", "severity"),
    [
        (timedelta(minutes=1), True, "INFO"),
        (timedelta(hours=3), True, "WARNING"),
        (STALE, True, "ERROR"),
        (STALE, False, "ERROR"),
    ],
)
def test_a_log_entry_is_one_line_whose_severity_is_the_verdicts(age: timedelta, *, listed: bool, severity: str) -> None:
    line = render_log(judged([document("Active", age), *FRESH], REGISTERED, listed=listed))

    entry = json.loads(line)
    assert line.count("\n") == 1
    assert entry["severity"] == severity
    assert entry["message"].startswith("PRACTICE validate-daily nba: ")
    assert entry["validate_daily"]["schema"] == "validate-daily/report/2"


def test_a_log_entry_stays_small_whatever_the_collection_holds() -> None:
    documents = [document(f"{n:04}" + "x" * 1_400, STALE) for n in range(300)]

    assert len(render_log(judged(documents))) < 128 * 1024
