from datetime import timedelta
from typing import Any

import pytest

from checks.evidence.snapshot import Snapshot
from checks.judge.report import judge
from checks.settings.errors import SettingsError
from checks.settings.file import parse_settings

from support.deployed import job, logs, operation, seen, service, settings
from support.snapshots import NOW, document, found, snapshot, unseen

DAY = timedelta(days=1)


def quiet(*processors: str) -> dict[str, Any]:
    return {
        "quiet": [{"processors": list(processors), "from": NOW - DAY, "until": NOW + DAY, "reason": "off-season"}],
        "sources": {"cloud_run": "off", "registry": "off", "logging": "off"},
    }


def accepted(rule: str, subject: str, **more: object) -> dict[str, Any]:
    entry = {"rule": rule, "subject": subject, "reason": "known", "by": "ana", "until": NOW + DAY, "severity": "P1"}
    return {"accepted": [entry | more]}


def gone(taken: Snapshot) -> list[tuple[str, str]]:
    return [(each.subject, each.severity) for each in found(taken, "stale-setting")]


def test_a_quiet_window_of_a_processor_that_is_neither_registered_nor_seen_is_told() -> None:
    everybody = settings(["Active", {"name": "New", "former_names": ["Old"]}], **quiet("Active", "Old", "Seen", "Gone"))

    taken = snapshot([document("Active"), document("New"), document("Seen")], everybody)

    assert gone(taken) == [("Gone", "P2")]
    assert judge(taken).exit_code == 2


def test_nothing_is_gone_where_the_collection_was_not_read_whole() -> None:
    everybody = settings(["Active"], **quiet("Gone"))

    assert gone(snapshot([document("Active")], everybody, listed=False)) == []
    assert gone(unseen(everybody)) == []


@pytest.mark.parametrize(
    ("rule", "subject", "told"),
    [
        ("stale-heartbeats", "Active", False),
        ("stale-heartbeats", "processor_heartbeats", False),
        ("stale-heartbeats", "Gone", True),
        ("revision-not-serving", "phase2", False),
        ("revision-not-serving", "phase9", True),
        ("job-image-differs", "backfill", False),
        ("job-image-differs", "backfill9", True),
        ("stuck-operation", "coordinator", False),
        ("stuck-operation", "loader9", True),
        ("unreadable-evidence", "firestore", False),
        ("mixed-practice", "anything", False),
        ("stale-setting", "anything", False),
    ],
)
def test_an_acceptance_is_stale_where_its_subject_is_nowhere(rule: str, subject: str, *, told: bool) -> None:
    taken = seen(
        service(),
        jobs=[job()],
        told=logs(operations=[operation(timedelta(minutes=5))]),
        pipeline=settings(**accepted(rule, subject)),
    )

    assert gone(taken) == ([(subject, "P2")] if told else [])


def test_an_acceptance_about_cloud_run_is_left_alone_where_that_is_off_or_was_not_read_whole() -> None:
    entry = accepted("revision-not-serving", "phase9")
    whole = seen(service(), pipeline=settings(**entry))
    assert whole.deployments is not None
    cut = whole.model_copy(update={"deployments": whole.deployments.model_copy(update={"complete": False})})
    off = settings(**entry, sources={"cloud_run": "off", "registry": "off", "logging": "off"})

    assert (gone(whole), gone(cut)) == ([("phase9", "P2")], [])
    assert gone(snapshot([document("Active")], off)) == []


@pytest.mark.parametrize(
    ("runs", "services", "jobs", "told"),
    [
        ("phase2", ["phase2"], [], False),
        ("phase9", ["phase2"], [], True),
        ("backfill", ["phase2"], ["backfill"], False),
        ("phase9", [], ["backfill"], True),
        ("phase9", [], [], False),
    ],
)
def test_what_runs_a_processor_is_looked_for_only_where_services_or_jobs_are_named(
    runs: str, services: list[str], jobs: list[str], *, told: bool
) -> None:
    everything = settings(
        [{"name": "Active", "service": runs}, {"name": "Other", "service": runs}],
        services=[{"name": each} for each in services],
        jobs=[{"name": each} for each in jobs],
        sources={"cloud_run": "off", "registry": "off", "logging": "off"},
    )

    taken = snapshot([document("Active"), document("Other")], everything)

    assert gone(taken) == ([("phase9", "P2")] if told else [])


def test_what_cloud_run_has_is_there_though_the_settings_do_not_name_it() -> None:
    everything = settings([{"name": "Active", "service": "backfill"}])

    assert gone(seen(service(), jobs=[job("backfill")], pipeline=everything)) == []
    assert gone(seen(service(), pipeline=everything)) == [("backfill", "P2")]


def test_a_rule_that_never_was_is_an_error_that_names_the_entry() -> None:
    text = """
    [pipeline]
    name = "nba"
    project = "demo"
    [[accepted]]
    rule = "malformed-id"
    subject = "processor_heartbeats"
    reason = "known"
    by = "ana"
    until = 2026-12-01
    """

    with pytest.raises(SettingsError, match=r"accepted\[0\]\.rule: there is no such rule \(did you mean malformed-ids"):
        parse_settings(text, origin="F")


def test_a_count_is_refused_for_a_rule_whose_findings_cannot_grow() -> None:
    text = """
    [pipeline]
    name = "nba"
    project = "demo"
    [[accepted]]
    rule = "missing-heartbeats"
    subject = "Active"
    reason = "known"
    by = "ana"
    until = 2026-12-01
    count = 1
    """

    with pytest.raises(SettingsError, match=r"accepted\[0\]: a finding of missing-heartbeats is about one thing"):
        parse_settings(text, origin="F")
