"""Words that nothing proves are refused: "deployed" and "fixed" need a claim at digest level or better."""

import pytest

from validate_daily.handoff.claim import Claim
from validate_daily.handoff.lint import lint
from validate_daily.handoff.table import header, row

from support.handoffs import example_pipeline

THREE = "nba-phase3-analytics-processors"


def proof(level: str, subject: str = THREE, expected: str = "matched") -> str:
    """A document whose table has one claim about what runs."""
    told = Claim.model_validate(
        {
            "statement": "runs what was pushed",
            "line": 0,
            "check": "serves",
            "subject": subject,
            "expected": expected,
            "observed": expected,
            "level": level,
            "measured_at": "2026-02-01T22:00:00Z",
            "expires_at": "2026-02-01T23:00:00Z",
        }
    )
    return "\n".join([*header(), row(told), "", ""])


def refused(text: str) -> list[str]:
    return [each.statement for each in lint(text.encode(), example_pipeline(), "notes")]


@pytest.mark.parametrize(
    "said", ["Phase 3 is deployed.", "Fixed phase 3.", "Redeployed phase 3.", "It is fixed.", "All services deployed."]
)
def test_a_word_that_no_claim_proves_is_refused(said: str) -> None:
    assert refused(said) == [said]


@pytest.mark.parametrize("level", ["digest", "bytes", "runtime"])
def test_a_claim_at_digest_level_or_better_proves_it(level: str) -> None:
    assert refused(proof(level) + "Phase 3 is deployed.") == []


@pytest.mark.parametrize("level", ["text", "exit-code", "label", "tag"])
def test_a_weaker_level_proves_nothing(level: str) -> None:
    assert refused(proof(level) + "Phase 3 is deployed.") == ["Phase 3 is deployed."]


def test_a_claim_that_it_is_not_so_proves_nothing_good() -> None:
    assert refused(proof("bytes", expected="contradicted") + "Phase 3 is deployed.") == ["Phase 3 is deployed."]


def test_one_service_proves_nothing_of_another() -> None:
    assert refused(proof("bytes") + "Phase 3 and 4 are deployed.") == ["Phase 3 and 4 are deployed."]
    assert refused(proof("bytes", "all services") + "Phase 3 and 4 are deployed.") == []


@pytest.mark.parametrize("said", ["Phase 3 was never deployed.", "Nothing is fixed.", "```\nit is deployed\n```"])
def test_what_says_that_it_is_not_so_passes(said: str) -> None:
    assert refused(said) == []
