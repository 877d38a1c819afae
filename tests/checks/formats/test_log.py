import json
from datetime import timedelta

import pytest

from checks.evidence.snapshot import Gap, NotChecked
from checks.formats.log import MOST_BYTES, render_log
from checks.judge.comparison import Since
from checks.judge.excuses import Excused
from checks.judge.finding import Fact
from checks.judge.report import Report
from checks.settings.pipeline import Pipeline

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


def test_seven_hundred_quiet_processors_fit_into_one_entry_and_the_rest_is_counted() -> None:
    names = [f"Unit{number:03}Processor" for number in range(700)]
    quiet = {
        "processors": names,
        "reason": "the season is over",
        "from": "2026-01-01T00:00:00Z",
        "until": "2026-03-01T00:00:00Z",
    }
    base = pipeline(names).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    settings = Pipeline.model_validate(base | {"quiet": [quiet], "thresholds": {"notice": 800, "p1": 900, "p0": 1_000}})
    report = judged([document(name, timedelta(days=2)) for name in names], settings)

    line = render_log(report)
    entry = json.loads(line)

    assert (report.exit_code, len(report.quiet)) == (0, 700)
    assert entry["severity"] == "INFO"
    assert len(line.encode()) < MOST_BYTES
    assert len(entry["validate_daily"]["quiet"]) + entry["left_out"]["quiet"] == 700


def test_no_list_of_a_report_outgrows_an_entry_whatever_strangers_write() -> None:
    """Everything is as long, and as often, as it can be."""
    word = "\U0001f480" * 375
    report = judged([document(f"{number:04}{word}", STALE) for number in range(300)])
    finding = report.findings[0].model_copy(
        update={"subject": word, "summary": word * 20, "evidence": (Fact(subject=word, detail=word),) * 10}
    )
    excused = Excused(finding=finding, reason=word, by=word, until=report.taken_at)
    gap = Gap(source="firestore", reason=word, next_step=word)
    since = Since(taken_at=report.taken_at, verdict="P1", new=(word,) * 2_000, gone=(word,) * 2_000)
    huge = report.model_copy(
        update={
            "findings": (finding,) * 2_000,
            "quiet": (excused,) * 2_000,
            "accepted": (excused,) * 2_000,
            "gaps": (gap,) * 2_000,
            "not_checked": (NotChecked(what=word, reason=word),) * 2_000,
            "roots": report.roots * 20,
        }
    )

    line = render_log(huge, since)
    entry = json.loads(line)

    assert len(line.encode()) < MOST_BYTES
    assert entry["severity"] == render_severity(report)
    assert entry["validate_daily"]["truncated"]
    for key in ("findings", "quiet", "accepted", "gaps", "not_checked"):
        assert len(entry["validate_daily"][key]) + entry["left_out"][key] == 2_000
    assert len(entry["since"]["new"]) + entry["left_out"]["since.new"] == 2_000


def render_severity(report: Report) -> str:
    return str(json.loads(render_log(report))["severity"])


def test_an_entry_that_leaves_nothing_out_says_nothing_of_it() -> None:
    assert "left_out" not in json.loads(render_log(judged([document("Active"), *FRESH], REGISTERED)))
