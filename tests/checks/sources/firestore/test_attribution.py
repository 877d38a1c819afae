"""Whose a document is, by its id and by its own word, and when several of one writer are malformed."""

import random
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.snapshot import Family
from checks.sources.firestore.attribution import Nature, attribute
from checks.sources.firestore.tally import DAY, HOUR, HeartbeatDocument, Tally
from heartbeat.document_id import unmarked_writer

NOW = 1_800_000_000_000_000
OLD = 30 * DAY
REGISTERED = frozenset({"Unit00Processor", "Unit03Processor"})
SOURCE = random.Random(18)  # noqa: S311 - ids for tests

UNMARKED = {
    "a UUID": "Unit03Processor_c1c48812-4942-1773-49ef-145fa82a8c67",
    "a UUID without dashes": "Unit03Processor-c1c488124942177349ef145fa82a8c67",
    "seconds and a run": "Unit03Processor_1706600000_f2f467ad",
    "seconds": "Unit03Processor_1706600000",
    "milliseconds": "Unit03Processor_1706600000123_a",
    "seconds with a fraction": "Unit03Processor_1706600000.25",
    "null": "Unit03Processor_null_097ffc9c",
    "undefined": "Unit03Processor_undefined_run7",
    "nan": "Unit03Processor_nan_097ffc9c",
    "NaT": "Unit03Processor_NaT_097ffc9c",
    "none in small letters": "Unit03Processor_none_097ffc9c",
    "nothing": "Unit03Processor__097ffc9c",
    "a run alone": "Unit03Processor_f2f467ad",
    "an id of Firestore": "Unit03Processor_sngeqqXY5QodyzYHWfrX",
    "a ULID": "Unit03Processor.01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "a compact time": "Unit03Processor.20260131T093000",
}
NAMES = [
    "PlayerGameSummaryProcessor", "p2_nba_raw.nbac_team_boxscore", "prediction-worker", "p2_deadbeef", "p2_null_values",
    "NbacTeamBoxProcessor", "p2_season_2015_totals", "shard_01", "loader-7", "p2_bdl_v2", "Unit03Processor_12",
]  # fmt: skip


def document(
    doc: str, name: str | None = None, *, created: int = HOUR // 20, updated: int = HOUR // 20
) -> HeartbeatDocument:
    return HeartbeatDocument(doc, NOW - updated, None, NOW - created, NOW - updated, name=name)


def counted(documents: list[HeartbeatDocument], registered: frozenset[str] = REGISTERED) -> dict[str, Family]:
    tally = Tally(NOW, registered)
    for each in documents:
        tally.add(each)
    return {family.processor: family for family in tally.families()}


def made_up() -> str:
    return "".join(SOURCE.choice(string.ascii_letters + string.digits) for _ in range(20))


@pytest.mark.parametrize("doc", UNMARKED.values(), ids=UNMARKED)
def test_an_id_without_a_mark_tells_its_writer(doc: str) -> None:
    assert unmarked_writer(doc) == "Unit03Processor"


@pytest.mark.parametrize("doc", NAMES)
def test_a_processors_name_tells_of_no_run(doc: str) -> None:
    assert unmarked_writer(doc) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    writer = unmarked_writer(text)

    assert writer is None or text.startswith(writer)


@pytest.mark.parametrize("doc", UNMARKED.values(), ids=UNMARKED)
@pytest.mark.parametrize("name", [None, "Unit03Processor"], ids=["without a name", "with a name"])
def test_documents_of_one_writer_without_a_mark_are_malformed_and_named_by_it(doc: str, name: str | None) -> None:
    found = counted([document("Unit03Processor", "Unit03Processor"), document(doc, name)])

    assert (found["Unit03Processor"].canonical, found["Unit03Processor"].malformed) == (1, 1)
    assert len(found) == 1


@pytest.mark.parametrize("doc", UNMARKED.values(), ids=UNMARKED)
def test_the_only_document_of_a_writer_is_canonical_under_its_own_id(doc: str) -> None:
    found = counted([document(doc, "Unit03Processor")])

    assert (found[doc].canonical, found[doc].malformed, found[doc].malformed_last_hour) == (1, 0, 0)
    assert found[doc].newest_malformed is None


def test_ids_that_firestore_makes_up_are_of_who_says_so() -> None:
    found = counted([document("Unit03Processor"), *(document(made_up(), "Unit03Processor") for _ in range(35))])

    assert {name: (each.canonical, each.malformed) for name, each in found.items()} == {"Unit03Processor": (1, 35)}


def test_a_hundred_thousand_ids_that_firestore_makes_up_are_one_family() -> None:
    found = counted([document(made_up(), "Unit03Processor") for _ in range(100_000)])

    assert [(each.processor, each.total) for each in found.values()] == [("Unit03Processor", 100_000)]


def test_where_nobody_is_registered_ids_made_up_are_of_who_says_so() -> None:
    ids = ["sngeqqXY5QodyzYHWfrX", "HJb6XhaAmABFjxuPgO02", "yRaixCYYvgrjZUK5CvG7"]

    found = counted([document(each, "Somebody") for each in ids], frozenset())

    assert found["Somebody"].malformed == 3


def test_a_registered_id_is_canonical_whatever_it_says() -> None:
    names = frozenset({"sngeqqXY5QodyzYHWfrX", "Unit03Processor_1706600000", "Unit03Processor"})

    found = counted([document(name, "nba-service") for name in names], names)

    assert {name: each.canonical for name, each in found.items()} == dict.fromkeys(names, 1)


def test_a_name_that_all_share_makes_no_name_malformed() -> None:
    ids = ["p2_nba_raw.schedule", "p2_nba_raw.boxscore", "PlayerGameSummaryProcessor"]

    found = counted([document(each, "nba", created=OLD) for each in ids], frozenset())

    assert {name: each.canonical for name, each in found.items()} == dict.fromkeys(ids, 1)


def test_one_document_with_another_spelling_of_its_writer_is_no_proliferation() -> None:
    found = counted([document("p2_nba_raw.boxscore", "NbacTeamBoxscoreProcessor", created=OLD)], frozenset())

    assert (found["p2_nba_raw.boxscore"].canonical, found["p2_nba_raw.boxscore"].malformed) == (1, 0)


@pytest.mark.parametrize(("updated", "malformed"), [(DAY, 1), (DAY + 1, 0)], ids=["live", "left behind"])
def test_another_live_document_of_a_registered_writer_is_malformed(updated: int, malformed: int) -> None:
    found = counted([document("Unit03Processor"), document("Old", "Unit03Processor", created=OLD, updated=updated)])

    assert sum(each.malformed for each in found.values()) == malformed
    assert ("Old" in found) is not bool(malformed)


@pytest.mark.parametrize(("created", "malformed"), [(DAY, 2), (DAY + 1, 0)], ids=["new", "long there"])
def test_names_that_hold_their_writers_are_malformed_only_where_they_are_new(created: int, malformed: int) -> None:
    ids = ["Loader_worker", "Loader-other"]

    found = counted([document(each, "Loader", created=created) for each in ids], frozenset())

    assert sum(each.malformed for each in found.values()) == malformed


def test_a_name_that_is_named_by_run_itself_is_its_processor() -> None:
    told = attribute("x1", "Unit03Processor_None_00c0ffee", REGISTERED, live=True, new=True)

    assert (told.writer, told.nature) == ("Unit03Processor", Nature.UNMARKED)


def test_a_date_without_a_run_is_of_who_says_so() -> None:
    told = attribute("report-2026-01-31", "Unit03Processor", REGISTERED, live=True, new=True)

    assert (told.writer, told.nature) == ("Unit03Processor", Nature.NEITHER)


def test_an_id_with_a_mark_is_of_whom_the_mark_says() -> None:
    told = attribute(f"A_None_{uuid.UUID(int=7)}", "Unit03Processor", REGISTERED, live=True, new=True)

    assert (told.writer, told.nature) == ("A", Nature.RUN_SCOPED)


def test_a_writers_name_is_no_reason_to_lose_a_document() -> None:
    documents = [document(f"d{n}", f"x{n % 3}") for n in range(9)]

    assert sum(each.total for each in counted(documents).values()) == 9
