"""Claims measured again: on practice clouds, over the real wire."""

import re
from datetime import timedelta

import pytest

from checks.evidence.snapshot import Level
from validate_daily.handoff.claim import Claim
from validate_daily.handoff.table import claim_of, header, row
from validate_daily.handoff.verification import MOST_CLAIMS, Answer, HandoffReport
from validate_daily.handoff.writer import Notes, WrittenHandoff, write_handoff
from validate_daily.sandbox import Sandbox

from conftest import Serve
from support.handoffs import claims_of, example_settings, verified

STRONG = {Level.DIGEST, Level.BYTES, Level.RUNTIME}
COLLECTION = "processor_heartbeats"
FORMER = "Phase 3 and 4 deployed with the fix"


async def written(cloud: Sandbox, notes: str = "") -> WrittenHandoff:
    return await write_handoff(example_settings(), Notes(notes.encode()), environment=cloud.environment())


def answers(report: HandoffReport) -> list[Answer]:
    return [each.verdict for each in report.claims]


async def test_deployed_is_contradicted_by_what_runs_at_three_levels(serve: Serve) -> None:
    report = await verified(await serve("fix-pushed"), FORMER)

    assert answers(report) == [Answer.CONTRADICTED, Answer.CONTRADICTED]
    for claim in report.claims:
        assert {rung.level for rung in claim.levels} == STRONG
    assert report.exit_code == 1


async def test_the_same_words_are_confirmed_once_it_is_so(serve: Serve) -> None:
    report = await verified(await serve("repaired"), FORMER)

    assert answers(report) == [Answer.CONFIRMED, Answer.CONFIRMED]


@pytest.mark.parametrize(
    "scenario", ["healthy", "repaired", "proliferation", "silent-stop", "hostile-ids", "recovered"]
)
async def test_what_is_written_is_confirmed_at_once_and_expired_an_hour_later(scenario: str, serve: Serve) -> None:
    cloud = await serve(scenario)
    text = (await written(cloud)).text

    report = await verified(cloud, text)
    assert report.claims
    assert set(answers(report)) == {Answer.CONFIRMED}
    assert report.unmentioned == ()
    assert report.exit_code == (3 if report.gaps else 0)

    cloud.world.advance(timedelta(hours=1))
    later = await verified(cloud, text)
    assert Answer.CONFIRMED not in answers(later)
    assert Answer.EXPIRED in answers(later)
    assert later.exit_code != 0


@pytest.mark.parametrize(
    ("scenario", "source"), [("denied", "firestore"), ("denied-run", "cloud-run"), ("denied-registry", "registry")]
)
async def test_what_cannot_be_read_confirms_nothing(scenario: str, source: str, serve: Serve) -> None:
    cloud = await serve("repaired")
    text = (await written(cloud)).text
    assert (await verified(cloud, text)).exit_code == 0

    report = await verified(await serve(scenario), text)
    assert any(gap.source == source for gap in report.gaps)
    assert Answer.UNVERIFIABLE in answers(report)
    assert report.exit_code in {1, 3}


async def test_a_silent_document_about_a_sick_pipeline_never_exits_0(serve: Serve) -> None:
    cloud = await serve("fix-pushed")
    report = await verified(cloud, "Firestore documents: 1,053")

    assert answers(report) == [Answer.CONFIRMED]
    assert report.unmentioned
    assert report.exit_code == 1


async def test_a_document_that_claims_nothing_is_not_verified(serve: Serve) -> None:
    assert (await verified(await serve("healthy"), "It was a good day.")).exit_code == 3


@pytest.mark.parametrize(
    ("check", "subject", "expected", "answer"),
    [
        ("documents", COLLECTION, "1,053", Answer.CONFIRMED),
        ("documents", COLLECTION, "1052", Answer.CONTRADICTED),
        ("documents", COLLECTION, "<= 5000", Answer.CONTRADICTED),
        ("documents", COLLECTION, ">= 1", Answer.CONTRADICTED),
        ("malformed", COLLECTION, "<= 2000", Answer.CONTRADICTED),
        ("malformed", "another_collection", "0", Answer.UNVERIFIABLE),
        ("malformed", COLLECTION, "about nothing", Answer.UNVERIFIABLE),
        ("growth", COLLECTION, "0", Answer.CONTRADICTED),
        ("verdict", "nba-props-platform", "healthy", Answer.CONTRADICTED),
        ("verdict", "nba-props-platform", "P0", Answer.CONFIRMED),
        ("verdict", "another", "P0", Answer.UNVERIFIABLE),
        ("heartbeat", "all processors", "silent", Answer.CONTRADICTED),
        ("serves", "another-service", "matched", Answer.UNVERIFIABLE),
        ("serves", "all services", "matched", Answer.CONTRADICTED),
        ("serves", "all jobs", "likely", Answer.UNVERIFIABLE),
        ("revision", "another-service", "x-00001-abc", Answer.UNVERIFIABLE),
        ("commit", "nba-phase3-analytics-processors", "0123abcd", Answer.UNVERIFIABLE),
        ("finding", "no-such-rule: x", "open P0", Answer.UNVERIFIABLE),
        ("finding", "image-drift: x", "closed", Answer.UNVERIFIABLE),
        ("finding", "missing-deployments: x", "open", Answer.CONTRADICTED),
    ],
)
async def test_each_check_answers_at_its_edges(
    check: str, subject: str, expected: str, answer: Answer, serve: Serve
) -> None:
    cloud = await serve("fix-pushed")
    report = await verified(cloud, "\n".join([*header(), row(_claim(cloud, check, subject, expected))]))

    assert answers(report) == [answer], report.claims


async def test_nobody_can_write_that_a_claim_holds_for_years_or_was_measured_tomorrow(serve: Serve) -> None:
    cloud = await serve("repaired")
    text = (await written(cloud)).text
    year = cloud.world.clock.now().year
    forever = re.sub(rf"\b{year}(-\d\d-\d\d \d\d:\d\d:\d\d) \|$", rf"{year + 5}\1 |", text, flags=re.MULTILINE)
    assert forever != text

    cloud.world.advance(timedelta(hours=25))
    assert Answer.CONFIRMED not in answers(await verified(cloud, forever))

    ahead = text.replace(f"{year}-", f"{year + 5}-")
    assert Answer.CONFIRMED not in answers(await verified(cloud, ahead))


async def test_no_more_than_a_hundred_are_measured_and_the_others_are_counted(serve: Serve) -> None:
    lines = "\n\n".join(f"Bad format documents: {number}" for number in range(MOST_CLAIMS + 7))
    report = await verified(await serve("healthy"), lines)

    assert len(report.claims) == MOST_CLAIMS
    assert report.beyond == 7
    assert report.counts[Answer.UNVERIFIABLE] >= 7


async def test_claims_that_only_git_can_check_are_grouped_and_never_confirmed(serve: Serve) -> None:
    text = "\n\n".join(f"Committed the fix {number} to base.py." for number in range(30))
    report = await verified(await serve("healthy"), text)

    assert report.claims == ()
    assert report.git_only.count == 30
    assert report.exit_code == 3


@pytest.mark.parametrize("expected", ["<= 50", ">= 1"])
async def test_a_claim_that_would_hold_of_a_sick_pipeline_too_is_not_confirmed(expected: str, serve: Serve) -> None:
    cloud = await serve("healthy")
    report = await verified(cloud, "\n".join([*header(), row(_claim(cloud, "documents", COLLECTION, expected))]))

    strong = expected == "<= 50"  # the limit of the rule itself
    assert answers(report) == [Answer.CONFIRMED if strong else Answer.UNVERIFIABLE]


async def test_what_could_not_be_read_is_unknown_in_what_is_written(serve: Serve) -> None:
    text = (await written(await serve("denied-run"))).text

    assert "cloud-run: " in text.partition("## Not known")[2]
    assert "| serves |" not in text


def test_a_row_reads_back_as_it_was_written() -> None:
    told = Claim.model_validate(
        {
            "statement": "a | b `c` <i>\\ _d_ [e](f)",
            "line": 3,
            "check": "documents",
            "subject": COLLECTION,
            "expected": "<= 30",
            "observed": "28 *",
            "level": "runtime",
            "measured_at": "2026-02-01T22:00:00Z",
            "expires_at": "2026-02-01T23:00:00Z",
        }
    )
    read = claims_of("\n".join([*header(), row(told)]))

    assert [each.asks for each in read] == [told.asks]
    assert read[0].statement == told.statement
    assert (read[0].measured_at, read[0].expires_at) == (told.measured_at, told.expires_at)
    assert claim_of(("a", "b"), 1) is None


def _claim(cloud: Sandbox, check: str, subject: str, expected: str) -> Claim:
    """A claim that was measured just now."""
    at = cloud.world.clock.now().replace(microsecond=0)
    return Claim.model_validate(
        {
            "statement": "as claimed",
            "line": 0,
            "check": check,
            "subject": subject,
            "expected": expected,
            "measured_at": at,
            "expires_at": at + timedelta(hours=1),
        }
    )
