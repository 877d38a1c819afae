import string
from datetime import date

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from heartbeat.document_id import MAX_ID_BYTES, Kind, canonical_id, has_malformed_mark, parse, shared_prefix, table_id

CANONICAL = {
    "a class": "PlayerGameSummaryProcessor",
    "a phase 2 table with its dataset": "p2_nba_raw.nbac_team_boxscore",
    "a phase 2 table": "p2_nbac_player_boxscores",
    "a dash": "prediction-worker",
    "one letter": "P",
    "letters beyond ASCII": "SpielprüferČ",
    "a None that is part of a word": "p2_NoneSuch_games",
    "another century": "p2_season_1999",
    "a season of the last decade": "p2_season_2015_totals",
    "the longest id": "P" * MAX_ID_BYTES,
}
RUN_SCOPED = {
    "no date": ("NbacTeamBoxscoreProcessor_None_097ffc9c", "NbacTeamBoxscoreProcessor", "097ffc9c"),
    "a date": ("NbacScheduleProcessor_2026-01-31_run7", "NbacScheduleProcessor", "run7"),
    "a month": ("BettingPropsProcessor_202601_a1", "BettingPropsProcessor", "a1"),
    "a compact date": ("BettingPropsProcessor_20260131_a1", "BettingPropsProcessor", "a1"),
    "a compact time": ("BettingPropsProcessor_20260131093000_a1", "BettingPropsProcessor", "a1"),
    "a phase 2 table": ("p2_nba_raw.nbac_schedule_None_5b", "p2_nba_raw.nbac_schedule", "5b"),
    "a run id in parts": ("MockProcessor_None_0b-1c_2d", "MockProcessor", "0b-1c_2d"),
    "a date of the next decade": ("NbacScheduleProcessor_2031-01-31_a1", "NbacScheduleProcessor", "a1"),
    "a month of the next decade": ("NbacScheduleProcessor_203101_a1", "NbacScheduleProcessor", "a1"),
    "a date of the last decade": ("NbacScheduleProcessor_2019-10-22_a1", "NbacScheduleProcessor", "a1"),
    "a date of the last century": ("NbacScheduleProcessor_1999-12-31_a1", "NbacScheduleProcessor", "a1"),
    "a past date before another mark": ("A_2019-10-22_None_x", "A", "None_x"),
    "two marks, of which the left decides": ("A_None_2026-01-31_x", "A", "2026-01-31_x"),
}
NEITHER = {
    "nothing": "",
    "a space": "report 2026",
    "a date without a run": "report-2026-01-31",
    "a year": "p2_nba_raw.season_2024_totals",
    "no run id": "NbacScheduleProcessor_None_",
    "no processor": "_None_097ffc9c",
    "a date without a run id": "NbacScheduleProcessor_2026-01-31",
    "month 13": "NbacScheduleProcessor_202613_a1",
    "a year before 2020 that is no date": "2015-12-31_season",
    "a line break in the run id": "NbacScheduleProcessor_None_a\n",
    "an emoji": "Processor\N{GRINNING FACE}",
    "a control character": "Processor\x00",
    "a line break": "Processor\n",
    "a lone surrogate": "Processor\ud800",
    "a slash": "a/b",
    "a reserved id": "__id7__",
    "a byte too many": "P" * (MAX_ID_BYTES + 1),
    "1,500 characters of two bytes": "Č" * MAX_ID_BYTES,
    "a name that would hide where its run begins": "NbacScheduleProcessor_None",
}

anything = st.text() | st.text(st.characters(categories=None)) | st.text("_None2026-.", max_size=30)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,30}", fullmatch=True) | st.text(min_size=1)
processors = names.filter(lambda name: parse(name).kind is Kind.CANONICAL)
run_ids = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
dates = st.dates(min_value=date(2020, 1, 1), max_value=date(2099, 12, 31))
scopes = st.just("None") | dates.map(date.isoformat) | dates.map(lambda day: day.strftime("%Y%m"))


@pytest.mark.parametrize("text", CANONICAL.values(), ids=CANONICAL)
def test_a_processors_name_is_canonical_and_its_own_family(text: str) -> None:
    found = parse(text)

    assert (found.text, found.kind, found.family, found.run_id) == (text, Kind.CANONICAL, text, None)


@pytest.mark.parametrize(("text", "family", "run_id"), RUN_SCOPED.values(), ids=RUN_SCOPED)
def test_a_run_scoped_id_names_its_processor_and_its_run(text: str, family: str, run_id: str) -> None:
    found = parse(text)

    assert (found.text, found.kind, found.family, found.run_id) == (text, Kind.RUN_SCOPED, family, run_id)


@pytest.mark.parametrize("text", NEITHER.values(), ids=NEITHER)
def test_what_fits_no_pattern_is_neither_and_cannot_be_written(text: str) -> None:
    assert parse(text).kind is Kind.NEITHER
    with pytest.raises(ValueError, match=r"."):
        canonical_id(text)


@pytest.mark.parametrize("text", [text for text, _, _ in RUN_SCOPED.values()], ids=RUN_SCOPED)
def test_a_run_scoped_name_cannot_be_written(text: str) -> None:
    with pytest.raises(ValueError, match="is run-scoped: a heartbeat has one document per processor"):
        canonical_id(text)


@pytest.mark.parametrize("text", ["p2_nba_raw.season_2024_totals", "MockProcessor_None_1"])
def test_a_registered_name_is_canonical_however_it_looks(text: str) -> None:
    assert canonical_id(text, registered=True) == text


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a/b", "__id7__", "P\ud800", "P" * (MAX_ID_BYTES + 1)], ids=lambda text: ascii(text)[:12]
)
def test_registering_a_name_does_not_make_firestore_accept_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_id(text, registered=True)


def test_a_phase_2_table_is_written_under_its_prefix() -> None:
    assert table_id("nba_raw.nbac_schedule") == "p2_nba_raw.nbac_schedule"


@settings(deadline=None)
@given(anything)
def test_any_text_can_be_read_and_run_scoped_ones_are_flagged(text: str) -> None:
    found = parse(text)

    assert found.text == text
    assert text.startswith(found.family)
    assert (found.run_id is not None) == (found.kind is Kind.RUN_SCOPED)
    if found.kind is Kind.RUN_SCOPED:
        assert has_malformed_mark(text)


@settings(deadline=None)
@given(anything)
def test_what_may_be_written_is_canonical_and_unchanged(text: str) -> None:
    try:
        written = canonical_id(text)
    except ValueError:
        assert parse(text).kind is not Kind.CANONICAL
        return
    assert written == text
    assert parse(written).kind is Kind.CANONICAL
    assert not has_malformed_mark(written)


@settings(deadline=None)
@given(processors, scopes, run_ids)
@example("A_None", "None", "1")
@example("A_", "None", "1")
@example("A_20", "2026-01-31", "1")
def test_every_id_of_the_incident_is_run_scoped_and_belongs_to_its_processor(
    processor: str, scope: str, run_id: str
) -> None:
    assume(parse(processor).kind is Kind.CANONICAL)

    found = parse(f"{processor}_{scope}_{run_id}")

    assert (found.kind, found.family, found.run_id) == (Kind.RUN_SCOPED, processor, run_id)
    assert has_malformed_mark(found.text)


@settings(deadline=None)
@given(anything, st.sampled_from(["_None_", "_202", "_203", "2026-01-31", "1999-12-31"]), anything)
def test_an_id_with_a_mark_of_the_incident_is_flagged_and_never_canonical(before: str, mark: str, after: str) -> None:
    text = before + mark + after

    assert has_malformed_mark(text)
    assert parse(text).kind is not Kind.CANONICAL


@settings(deadline=None)
@given(anything, st.sampled_from(["_None_", "_202", "_209", "_1999-12-31_None_"]), anything, anything)
def test_ids_that_share_a_prefix_share_their_family_and_none_is_canonical(
    processor: str, mark: str, one: str, other: str
) -> None:
    prefix = shared_prefix(f"{processor}{mark}{one}")
    assume(prefix is not None)
    assert prefix is not None

    found = parse(prefix + other)

    assert shared_prefix(prefix + other) == prefix
    assert found.family == parse(f"{processor}{mark}{one}").family
    assert found.kind is not Kind.CANONICAL


@pytest.mark.parametrize("text", ["", "A", "A_None", "A_20", "_None_1", "_2024", "2026-01-31"])
def test_an_id_without_a_mark_or_without_a_processor_shares_no_prefix(text: str) -> None:
    assert shared_prefix(text) is None
