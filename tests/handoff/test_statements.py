"""Free sentences: what fixed patterns map, what they leave alone, and what they never turn into its opposite."""

import pytest

from checks.settings.errors import UsageError
from validate_daily.handoff.claim import ALL_JOBS, ALL_PROCESSORS, ALL_SERVICES
from validate_daily.handoff.document import MOST_BYTES, read_document

from support.handoffs import asked, claims_of, example_pipeline

THREE, FOUR = "nba-phase3-analytics-processors", "nba-phase4-precompute-processors"
COLLECTION = "processor_heartbeats"


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Phase 3 and 4 deployed with the fix.", {("serves", THREE, "matched"), ("serves", FOUR, "matched")}),
        ("Deployed to Phase 3", {("serves", THREE, "matched")}),
        ("All services running correct code.", {("serves", ALL_SERVICES, "matched")}),
        ("Phase 3 was never deployed.", {("serves", THREE, "contradicted")}),
        ("Found 20+ backfill jobs with old code", {("serves", ALL_JOBS, ">= 20")}),
        ("0 bad documents", {("malformed", COLLECTION, "0")}),
        ("Bad format documents: 1,053", {("malformed", COLLECTION, "1053")}),
        ("Firestore stable at 28 documents", {("documents", COLLECTION, "28")}),
        ("No new bad documents since the deploy", {("growth", COLLECTION, "0")}),
        ("Heartbeats are not being written: they stopped", {("heartbeat", ALL_PROCESSORS, "silent")}),
        ("Heartbeats resumed", {("heartbeat", ALL_PROCESSORS, "fresh")}),
        ("The pipeline is healthy", {("verdict", "nba-props-platform", "healthy")}),
        (
            f"{THREE} serves {THREE}-00170-abc, deployed today",
            {("serves", THREE, "matched"), ("revision", THREE, "00170-abc")},
        ),
    ],
)
def test_a_known_sentence_becomes_a_check(text: str, asks: set[tuple[str, str | None, str | None]]) -> None:
    assert asked(text) == asks


@pytest.mark.parametrize(
    "text",
    [
        "Phase 3 should be deployed tomorrow.",
        "Was Phase 3 deployed?",
        "Phase 3 must be deployed first.",
        "If Phase 3 is deployed, run the cleanup.",
        "Session 61 claimed that Phase 3 was deployed.",
        "Phase 3 is only partially deployed.",
        "The pipeline is not healthy.",
        "The pipeline is no longer healthy.",
        "Phase 3 was deployed and rolled back.",
    ],
)
def test_a_hedge_or_a_doubt_is_mapped_to_nothing_good(text: str) -> None:
    assert not {each for each in asked(text) if each[2] in {"matched", "healthy", "fresh"}}


@pytest.mark.parametrize("text", ["- [ ] Phase 3 deployed", "## Next steps\n\nPhase 3 deployed"])
def test_what_is_to_be_done_claims_nothing(text: str) -> None:
    assert claims_of(text) == ()


def test_a_claim_that_nothing_measures_is_listed_and_not_dropped() -> None:
    claims = claims_of("The retry was tested by hand.\n\nCommitted the fix to base.py.")

    assert [(each.check, each.git) for each in claims] == [(None, False), (None, True)]


@pytest.mark.parametrize(
    "text",
    [
        "evil-service-1 deployed with the fix.",
        "gcr.io/evil/image@sha256:abc deployed with the fix.",
        "https://evil.example/phase3 deployed with the fix.",
        "`.*` deployed with the fix.",
        "../../etc/passwd deployed with the fix.",
    ],
)
def test_a_name_that_the_settings_do_not_know_is_no_subject(text: str) -> None:
    assert {each.subject for each in claims_of(text)} == {None}


def test_what_is_cut_off_may_have_said_the_opposite() -> None:
    assert asked(f"Phase 3 deployed {'and ' * 100} then it was rolled back") == set()


@pytest.mark.parametrize(
    ("raw", "what"),
    [(b"\xff\xfe deployed", "not UTF-8"), (b"x" * (MOST_BYTES + 1), "larger than 1,048,576 bytes")],
)
def test_what_is_no_document_is_refused_by_name(raw: bytes, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_document(raw, example_pipeline(), "handoff.md")


def test_a_question_that_is_asked_twice_is_one_claim() -> None:
    assert len(claims_of("Phase 3 deployed.\n\nWe have deployed to Phase 3.")) == 1
