"""The alert policies that the README shows, held against what a scheduled check prints."""

import json
import re
import tomllib
from datetime import timedelta

import pytest

from checks.formats.log import render_log
from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.logging.filter import read_filter
from validate_daily.sandbox.logging.store import LogStore

from support.paths import ROOT
from support.snapshots import NOW, document, judged, pipeline

BAD = json.loads((ROOT / "docs" / "schedule" / "alert-bad-verdict.json").read_text())
ABSENT = json.loads((ROOT / "docs" / "schedule" / "alert-no-report.json").read_text())
README = (ROOT / "README.md").read_text("utf-8")

VERDICTS = [
    (timedelta(minutes=1), True, False),
    (timedelta(hours=3), True, False),
    (timedelta(days=5), True, True),
    (timedelta(minutes=1), False, True),
]


@pytest.mark.parametrize(("age", "listed", "wakes"), VERDICTS, ids=["healthy", "P2", "P1", "unknown"])
def test_the_alert_on_bad_verdicts_wakes_for_p0_p1_and_unknown_only(
    age: timedelta, *, listed: bool, wakes: bool
) -> None:
    report = judged([document("Active", age), document("Other")], pipeline(["Active"]), listed=listed)
    store = LogStore(Clock(NOW))
    entry = store.job_line(
        job="validate-daily",
        execution="validate-daily-x1",
        location="us-west2",
        project="demo-nba",
        payload={key: value for key, value in json.loads(render_log(report)).items() if key != "severity"},
    )

    policy = BAD["conditions"][0]["conditionMatchedLog"]["filter"]
    counted = re.search(r"--log-filter '([^']+)'", README)

    assert read_filter(policy)(entry) == wakes
    assert counted is not None
    assert read_filter(counted[1])(entry)


def test_no_report_is_missed_after_two_periods_and_within_what_an_absence_may_last() -> None:
    hours = re.search(r"--schedule '0 \*/(\d+) \* \* \*'", README)

    assert hours is not None
    seconds = int(ABSENT["conditions"][0]["conditionAbsent"]["duration"].removesuffix("s"))
    assert seconds == 2 * int(hours[1]) * 3_600 < 23.5 * 3_600


def test_the_image_holds_every_package_that_the_wheel_is_made_of() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "docs" / "schedule" / "Dockerfile").read_text(), re.MULTILINE)

    assert sorted(copied) == sorted(packages)
