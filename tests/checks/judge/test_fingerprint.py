"""A fingerprint names one fault: the same tomorrow, and another for another fault under the same rule and subject."""

from checks.judge.finding import Finding, Severity


def finding(**more: object) -> Finding:
    known = {
        "rule": "stuck-operation",
        "severity": Severity.P1,
        "subject": "loader",
        "fault": ("Loading games", "2026-02-01T20:00:00+00:00"),
        "summary": "it hangs",
        "next_step": "read its logs",
    }
    return Finding.model_validate(known | more)


def test_what_moves_does_not_change_a_fingerprint() -> None:
    moved = finding(summary="it hangs still", severity=Severity.P2, count=7, next_step="look", explains=("a: b",))

    assert moved.fingerprint == finding().fingerprint


def test_another_rule_subject_region_or_fault_is_another_fingerprint() -> None:
    others = [
        finding(rule="job-image-stale"),
        finding(subject="loader2"),
        finding(region="us-west2"),
        finding(fault=("Loading games", "2026-02-01T21:00:00+00:00")),
        finding(fault=("Loading games,2026-02-01T20:00:00+00:00",)),
        finding(fault=()),
    ]

    assert len({each.fingerprint for each in (finding(), *others)}) == 1 + len(others)


def test_a_fingerprint_survives_json_though_the_fault_stays_behind() -> None:
    told = finding().model_dump(mode="json")

    assert "fault" not in told
    assert Finding.model_validate(told).fingerprint == finding().fingerprint
