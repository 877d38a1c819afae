"""What a report found is sorted into what the loop can repair, and what is left has a command only where one works."""

import pytest

from checks.judge.finding import Fact, Finding, Severity
from checks.judge.report import Report
from validate_daily.repairs.loop.remedies import command_for, leaders_of, work_of

from support.deployed import settings
from support.snapshots import judged

PIPELINE = settings(
    services=[{"name": "phase2"}, {"name": "phase3"}],
    jobs=[{"name": "one", "follows": "phase2"}, {"name": "alone"}],
)

WITHOUT = "--remove-env-vars=ENABLE_HEARTBEATS --project demo-nba --region us-west2"


def finding(rule: str, subject: str, *facts: str, fault: tuple[str, ...] = ()) -> Finding:
    evidence = tuple(Fact(subject=each, detail="differs") for each in facts)
    return Finding(
        rule=rule, severity=Severity.P1, subject=subject, region="us-west2", fault=fault, summary="", next_step="",
        evidence=evidence,
    )  # fmt: skip


def report(*findings: Finding) -> Report:
    return judged([]).model_copy(update={"findings": findings})


def test_services_and_jobs_that_the_settings_name_are_work() -> None:
    found = work_of(
        report(
            finding("serving-digest-not-tag", "phase3"),
            finding("fix-not-deployed", "a-stranger"),
            finding("job-image-differs", "phase2", "one"),
            finding("job-image-stale", "alone", "alone"),
            finding("stuck-operation", "phase2"),
        ),
        PIPELINE,
    )

    assert (found.services, found.leaders, found.all) == ({"phase3"}, {"phase2"}, ["phase2", "phase3"])
    assert leaders_of(PIPELINE, ["one", "alone", "nobody"]) == {"phase2"}


@pytest.mark.parametrize(
    ("one", "command"),
    [
        (finding("serving-digest-not-tag", "phase3"), "validate-daily redeploy phase3 --apply"),
        (finding("serving-digest-not-tag", "a-stranger"), None),
        (finding("job-image-differs", "one"), "validate-daily jobs --update phase2 --apply"),
        (finding("job-image-differs", "alone"), None),
        (finding("fix-not-deployed", "phase3"), None),
        (finding("malformed-ids", "processor_heartbeats"), None),
        (
            finding("heartbeats-switched-off", "phase3", fault=("ENABLE_HEARTBEATS", "phase3-00001-abc")),
            f"gcloud run services update phase3 {WITHOUT}",
        ),
        (
            finding("heartbeats-switched-off", "one"),
            f"gcloud run jobs update one {WITHOUT}",
        ),
    ],
    ids=lambda value: value.rule + " " + value.subject if isinstance(value, Finding) else "",
)
def test_a_command_is_told_only_where_it_repairs(one: Finding, command: str | None) -> None:
    assert command_for(one, report(one), PIPELINE) == command


def test_jobs_are_not_updated_to_an_image_that_lacks_the_fix() -> None:
    stale = finding("job-image-stale", "one")

    assert command_for(stale, report(stale, finding("fix-not-deployed", "phase2")), PIPELINE) is None
