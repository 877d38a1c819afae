from datetime import datetime, timedelta
from typing import Any

import pytest

from checks import Report, Verdict
from checks.settings.errors import SettingsError
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline

from support.snapshots import NOW, document, judged, told

DAY = timedelta(days=1)
STALE = 5 * DAY


def pipeline(**more: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "nba", "project": "demo-nba"},
            "heartbeats": {"processors": ["Season", "Other", "Third", "Fourth"]},
        }
        | more
    )


def quiet(since: datetime, until: datetime) -> dict[str, object]:
    return {"processors": ["Season"], "from": since, "until": until, "reason": "off-season"}


def looked(settings: Pipeline, *docs: str, season: timedelta | None = STALE) -> Report:
    documents = [document(name) for name in ("Other", "Third", "Fourth", *docs)]
    return judged([*documents, *([document("Season", season)] if season is not None else [])], settings)


@pytest.mark.parametrize("season", [STALE, None], ids=["stale", "missing"])
def test_a_quiet_window_lists_silence_with_its_end_and_keeps_it_out_of_the_verdict(season: timedelta | None) -> None:
    report = looked(pipeline(quiet=[quiet(NOW - DAY, NOW + DAY)]), season=season)

    assert (report.verdict, report.score) == (Verdict.HEALTHY, 100)
    assert [(each.finding.subject, each.until) for each in report.quiet] == [("Season", NOW + DAY)]


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        (NOW, NOW + DAY, True),
        (NOW + timedelta(seconds=1), NOW + DAY, False),
        (NOW - DAY, NOW, False),
        (NOW - DAY, NOW + timedelta(microseconds=1), True),
    ],
)
def test_a_quiet_window_holds_from_its_first_moment_to_before_its_last(
    since: datetime, until: datetime, *, holds: bool
) -> None:
    assert bool(looked(pipeline(quiet=[quiet(since, until)])).quiet) == holds


def test_quiet_never_hides_malformed_ids_or_growth() -> None:
    report = judged(
        [
            document("Season_None_00c0ffee", STALE, created=timedelta(minutes=1)),
            *(document(name) for name in ("Other", "Third", "Fourth")),
        ],
        pipeline(quiet=[quiet(NOW - DAY, NOW + DAY)]),
    )

    assert {rule for rule, _, _ in told(report)} == {"regrowth", "malformed-ids"}


def accepted(**more: object) -> dict[str, object]:
    return {
        "rule": "stale-heartbeats",
        "subject": "Season",
        "reason": "known, ticket 12",
        "by": "ana",
        "until": NOW + 30 * DAY,
        "severity": "P1",
    } | more


def test_accepted_debt_leaves_the_exit_code_and_stays_printed() -> None:
    report = looked(pipeline(accepted=[accepted()]))

    assert (report.verdict, report.exit_code) == (Verdict.HEALTHY, 0)
    assert [(each.finding.subject, each.by) for each in report.accepted] == [("Season", "ana")]


RETURNS = {
    "expired": ({"until": NOW}, "that has passed"),
    "too long": ({"until": NOW + 91 * DAY}, "longer than 90 days"),
    "worse than accepted": ({"severity": "P2"}, "it has become P1"),
}


@pytest.mark.parametrize(("change", "why"), RETURNS.values(), ids=RETURNS)
def test_accepted_debt_returns_when_it_expires_or_worsens_and_says_why(change: dict[str, object], why: str) -> None:
    report = looked(pipeline(accepted=[accepted(**change)]))

    assert told(report) == [("stale-heartbeats", "P1", "Season")]
    assert why in report.findings[0].evidence[-1].detail


def test_accepted_debt_for_another_subject_excuses_nothing() -> None:
    assert looked(pipeline(accepted=[accepted(subject="Other")])).verdict is Verdict.P1


def test_p0_cannot_be_accepted() -> None:
    entry = accepted(rule="heartbeat-proliferation", subject="processor_heartbeats")
    documents = [document(f"P{number}") for number in range(501)]

    report = judged(documents, pipeline(accepted=[entry]))

    assert report.verdict is Verdict.P0
    assert "P0 cannot be accepted" in report.findings[0].evidence[-1].detail


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[quiet]]\nprocessors=['A']\nfrom=2026-07-01\nuntil=2026-06-01\nreason='off-season'\n", "must come before"),
        ("[[quiet]]\nprocessors=['A']\nfrom=2026-07-01T00:00:00\nuntil=2026-08-01\nreason='off'\n", "timezone"),
        ("[[quiet]]\nprocessors=[]\nfrom=2026-07-01\nuntil=2026-08-01\nreason='off-season'\n", "at least 1"),
        ("[[accepted]]\nrule='a'\nsubject='b'\nreason='known'\nuntil=2026-08-01\n", "by: field required"),
        ("[[jobs]]\nname='j'\nfollows='nobody'\n", "follows 'nobody', which is not among"),
    ],
)
def test_wrong_excuses_are_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_settings('[pipeline]\nname = "nba"\nproject = "demo"\n' + text, origin="F")


@pytest.mark.parametrize("order", [1, -1], ids=["the valid one first", "the valid one last"])
def test_any_entry_that_holds_accepts_whatever_stands_beside_it(order: int) -> None:
    entries = [accepted(until=NOW + DAY), accepted(until=NOW - DAY)]

    report = looked(pipeline(accepted=entries[::order]))

    assert (report.verdict, [each.until for each in report.accepted]) == (Verdict.HEALTHY, [NOW + DAY])
