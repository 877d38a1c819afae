from datetime import timedelta

import pytest

from support.snapshots import document, judged, pipeline, told

HOUR, MICRO = timedelta(hours=1), timedelta(microseconds=1)


@pytest.mark.parametrize(("created", "grows"), [(HOUR, True), (HOUR + MICRO, False)], ids=["an hour", "longer ago"])
def test_a_malformed_document_created_within_the_hour_is_regrowth(created: timedelta, *, grows: bool) -> None:
    rules = [rule for rule, _, _ in told(judged([document("Active_None_00c0ffee", created=created)]))]

    assert rules == (["regrowth", "malformed-ids"] if grows else ["malformed-ids"])


def test_a_canonical_document_created_just_now_is_no_regrowth() -> None:
    assert told(judged([document("New", created=MICRO)])) == []


def test_regrowth_names_the_service_to_redeploy_and_the_pace() -> None:
    settings = pipeline([{"name": "Active", "service": "phase2"}])
    documents = [document(f"Active_None_{n:08x}", created=n * timedelta(minutes=7)) for n in range(20)]

    report = judged([document("Active"), *documents], settings)

    assert report.findings[0].rule == "regrowth"
    assert "9 malformed documents created in the last hour, 20 in the last day" in report.findings[0].summary
    assert report.findings[0].next_step.endswith("redeploy phase2")
    assert report.growth is not None
    assert (report.growth.malformed_last_hour, report.growth.malformed_last_day) == (9, 20)


@pytest.mark.parametrize(("new", "grows"), [(9, False), (10, True)])
def test_ten_new_names_that_nobody_registered_are_growth(new: int, *, grows: bool) -> None:
    documents = [document(f"Stranger{n}", created=HOUR) for n in range(new)]

    report = judged([document("Active"), *documents], pipeline(["Active"]))

    assert told(report) == ([("regrowth", "P2", "processor_heartbeats")] if grows else [])


def test_old_names_that_nobody_registered_are_no_growth_nor_new_ones_where_nobody_is() -> None:
    old = [document(f"Stranger{n}", created=HOUR + MICRO) for n in range(20)]
    new = [document(f"Stranger{n}", created=MICRO) for n in range(20)]

    assert told(judged([document("Active"), *old], pipeline(["Active"]))) == []
    assert told(judged(new)) == []


def test_growth_without_a_mark_names_its_writer_and_no_cleanup() -> None:
    settings = pipeline([{"name": "Loader", "service": "phase2"}])
    runs = [document(f"Loader_null_{n:08x}", name="Loader", created=MICRO) for n in range(3)]

    finding = judged([document("Loader"), *runs], settings).findings[0]

    assert (finding.rule, finding.evidence[0].subject) == ("regrowth", "Loader")
    assert finding.next_step == "fix what writes them: redeploy phase2"
