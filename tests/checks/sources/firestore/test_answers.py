"""A Firestore that answers what was not asked: whatever it falsifies is a gap, and nobody crashes over it."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks import Verdict, check
from checks.ask.questions import recent_malformed
from checks.judge.rules import HEARTBEATS, rules_of
from checks.settings.pipeline import Pipeline
from checks.sources.credentials import Login
from checks.sources.firestore.id_walk import Terms
from checks.sources.times import micros, moment
from validate_daily.sandbox import Sandbox, running
from validate_daily.sandbox.firestore import encode

from support.collections import Heap, Held, fill_sandbox
from support.falsifier import GARBAGE, METHODS, Answers, Lie, documents, falsified, garbage, renamed, twice

MINUTE = 60_000_000
NAMES = [f"Unit{number:02}Processor" for number in range(10)]
RULES = rules_of(HEARTBEATS)


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    with running("healthy") as cloud:
        yield cloud


def world(cloud: Sandbox, *, runs: int = 0, other: str = "") -> Heap:
    """Ten registered processors that beat freshly, and as many documents of runs as are told."""
    now = micros(datetime.now(UTC))
    scoped = [
        Held(f"Old{each % 3}_2026-01-{each % 28 + 1:02}_{each:08x}", now - 9_000 * MINUTE, now - (each + 6) * MINUTE)
        for each in range(runs)
    ]
    heap, at = fill_sandbox(cloud, scoped), now - 5 * MINUTE
    with cloud.world.firestore.lock:
        collection = cloud.world.firestore.database(heap.database).collection(heap.collection)
        for name in (*NAMES, *filter(None, [other])):
            collection.put(name, at, encode.fields({"last_heartbeat": moment(at)}), created=now - 9_000 * MINUTE)
    return heap


def on_documents(change: Any, *methods: str) -> Lie:
    """Change every document of these methods' answers, or of all."""

    def lie(method: str, answers: Answers) -> Answers:
        if not methods or method in methods:
            for document in documents(answers):
                change(document)
        return answers

    return lie


def later(*names: str) -> Lie:
    """These times of every document are two days after its reading."""

    def change(document: Any) -> None:
        for name in names:
            getattr(document, name).seconds += 2 * 86_400 + 9_000 * 60

    return on_documents(change)


def reordered(method: str, answers: Answers) -> Answers:
    """The documents come in the opposite order."""
    held = [each for each in answers if documents([each])]
    rest = [each for each in answers if not documents([each])]
    return [*reversed(held), *rest] if len(held) > 1 else answers


def moved(days: int, *methods: str) -> Lie:
    """These answers say that they are of another day than was asked for."""

    def lie(method: str, answers: Answers) -> Answers:
        for answer in answers:
            if method in methods:
                answer.read_time.seconds += days * 86_400
        return answers

    return lie


def nested(document: Any) -> None:
    document.name += "/runs/A"


def nameless(document: Any) -> None:
    document.name = ""


def unborn(document: Any) -> None:
    document.ClearField("create_time")


def total(number: int | str) -> Lie:
    """The count is something else."""

    def lie(method: str, answers: Answers) -> Answers:
        for answer in answers if method == "RunAggregationQuery" else []:
            value = answer.result.aggregate_fields["total"]
            if isinstance(number, int):
                value.integer_value = number
            else:
                value.string_value = number
        return answers

    return lie


def answered_by_another(method: str, answers: Answers) -> Answers:
    """The answer to a question by name is another's document."""
    if method == "BatchGetDocuments":
        for document in documents(answers):
            document.name = document.name.rpartition("/")[0] + "/SomebodyElse"
    return answers


def repeated(method: str, answers: Answers) -> Answers:
    """The first document comes again at the end, and nobody counts it."""
    held = [each for each in answers if documents([each])]
    return [*answers, held[0]] if held and method == "RunQuery" else answers


LIES: dict[str, Lie] = {
    "another project": renamed("projects/census/", "projects/other/"),
    "another database": renamed("/(default)/", "/other/"),
    "another collection": renamed("/documents/", "/documents/other"),
    "a collection below": on_documents(nested),
    "no name": on_documents(nameless),
    "each twice, counted twice": twice,
    "one twice": repeated,
    "out of order": reordered,
    "created later": later("create_time", "update_time"),
    "updated later": later("update_time"),
    "never created": on_documents(unborn),
    "of five days ago, as to documents": moved(-5, "RunQuery"),
    "of five days ahead, as to documents": moved(5, "RunQuery"),
    "a total below zero": total(-1),
    "a total in words": total("ten"),
    "a total that is too high": total(3_000),
    "garbage for the listing": garbage("RunQuery"),
    "garbage for the count": garbage("RunAggregationQuery"),
    "garbage for all": garbage(*METHODS),
}


def pipeline(heap: Heap, *names: str) -> Pipeline:
    return Pipeline.model_validate(
        {
            "pipeline": {"name": "census", "project": "census"},
            "heartbeats": {"collection": heap.collection, "processors": list(names or NAMES)},
        }
    )


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_no_lie_makes_a_collection_healthy(
    lie: Lie, practice: Sandbox, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    heap = world(practice)
    caplog.set_level(logging.DEBUG)
    async with falsified(practice.firestore_address, lie) as address:
        report = await check(pipeline(heap), rules=RULES, environment={"FIRESTORE_EMULATOR_HOST": address})

    assert report.verdict is Verdict.UNKNOWN
    assert report.exit_code == 3
    assert all(gap.next_step for gap in report.gaps)
    assert "Traceback" not in capfd.readouterr().err + caplog.text


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_no_lie_passes_a_walk(lie: Lie, practice: Sandbox) -> None:
    heap = world(practice, runs=60)
    async with falsified(practice.firestore_address, lie) as address:
        reading = await Heap(address, collection=heap.collection).census(NAMES)

    assert reading.gaps


async def test_a_registered_name_that_is_answered_with_anothers_document_is_a_gap(practice: Sandbox) -> None:
    """It lies in a range, so it is asked for by its name."""
    registered = "nightly_2026_totals"
    heap = world(practice, runs=60, other=registered)
    async with falsified(practice.firestore_address, answered_by_another) as address:
        reading = await Heap(address, collection=heap.collection).census([*NAMES, registered])

    assert any("SomebodyElse" in gap.reason for gap in reading.gaps), reading.gaps


@pytest.mark.parametrize("name", [name for name in LIES if "total" not in name and "count" not in name])
async def test_no_lie_passes_the_question_for_recent_heartbeats(name: str, practice: Sandbox) -> None:
    heap = world(practice, runs=20)
    async with falsified(practice.firestore_address, LIES[name]) as address:
        recent, gaps = await _recent(heap, address)

    assert gaps
    assert recent is None or "five days" in name


async def test_more_documents_than_were_asked_for_are_a_gap(practice: Sandbox) -> None:
    heap = world(practice, runs=40)
    everything: list[Any] = []

    def keep(method: str, answers: Answers) -> Answers:
        everything.extend(answers)
        return answers

    async with falsified(practice.firestore_address, keep) as address:
        assert not (await _recent(heap, address, most=100))[1]
    async with falsified(practice.firestore_address, lambda _method, _answers: everything) as address:
        recent, gaps = await _recent(heap, address, most=10)

    assert recent is None
    assert "asked for" in gaps[0].reason


async def _recent(heap: Heap, address: str, most: int = 100) -> Any:
    environment = {"FIRESTORE_EMULATOR_HOST": address}
    return await recent_malformed(
        pipeline(heap), window=timedelta(hours=2), most=most, session=Login(), timeout=20.0, environment=environment
    )


@pytest.mark.parametrize("minutes", [-7_200, -61, -59, 59, 61, 7_200])
async def test_an_answer_that_is_more_than_an_hour_off_is_not_of_now(minutes: int, practice: Sandbox) -> None:
    heap = world(practice)
    async with falsified(practice.firestore_address, shift=timedelta(minutes=minutes)) as address:
        reading = await Heap(address, collection=heap.collection).census(NAMES, terms=Terms())

    assert reading.read_time is not None
    assert any("as of" in gap.reason for gap in reading.gaps) is (abs(minutes) > 60)


def drop(answer: Any) -> Answers:
    return []


def again(answer: Any) -> Answers:
    return [answer, answer]


def garble(answer: Any) -> Answers:
    return [GARBAGE]


def misdate(answer: Any) -> Answers:
    answer.read_time.seconds -= 10**6
    return [answer]


def rename(answer: Any) -> Answers:
    document = answer.document
    document.name = document.name.replace("Processor", "Procesor")
    return [answer]


def foresee(answer: Any) -> Answers:
    answer.document.update_time.seconds += 10**6
    return [answer]


CHANGES = [drop, again, garble, misdate]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    change=st.tuples(st.just("RunAggregationQuery"), st.sampled_from(CHANGES), st.just(0))
    | st.tuples(st.just("RunQuery"), st.sampled_from([*CHANGES, rename, foresee]), st.integers(0, 9))
)
def test_one_changed_message_is_never_healthy(change: tuple[str, Any, int], practice: Sandbox) -> None:
    told, lie, place = change
    heap = world(practice)

    def one(method: str, answers: Answers) -> Answers:
        return [*answers[:place], *lie(answers[place]), *answers[place + 1 :]] if method == told else answers

    async def look() -> Verdict:
        async with falsified(practice.firestore_address, one) as address:
            environment = {"FIRESTORE_EMULATOR_HOST": address}
            return (await check(pipeline(heap), rules=RULES, environment=environment)).verdict

    assert asyncio.run(look()) is not Verdict.HEALTHY


async def test_a_slow_first_step_counts_a_registered_name_as_a_fast_one_does(practice: Sandbox) -> None:
    """It is of the family whose ids the first step finds, and is canonical all the same."""
    registered, now = "p2_nba_raw.season_2024_totals", micros(datetime.now(UTC))
    ids = [registered, *(f"p2_nba_raw.season_2024-01-{each:02}_{each:08x}" for each in range(1, 29))]
    heap = fill_sandbox(practice, [Held(each, now - 9_000 * MINUTE, now - 5 * MINUTE) for each in ids])
    families = list[dict[str, tuple[int, int]]]()
    for linger in (0.0, 0.4):
        async with falsified(practice.firestore_address, linger=linger) as address:
            terms = Terms(small=0, patience=0.2)
            reading = await Heap(address, collection=heap.collection).census([registered], terms=terms)
        assert reading.gaps == ()
        assert reading.census is not None
        families.append({each.processor: (each.canonical, each.malformed) for each in reading.census.families})

    assert families[0] == families[1]
    assert families[0][registered] == (1, 0)


async def test_fewer_documents_than_were_counted_prove_nobody_missing(practice: Sandbox) -> None:
    heap = world(practice)

    def less(method: str, answers: Answers) -> Answers:
        return [each for each in answers if not documents([each]) or not each.document.name.endswith(NAMES[3])]

    async with falsified(practice.firestore_address, less) as address:
        report = await check(pipeline(heap), rules=RULES, environment={"FIRESTORE_EMULATOR_HOST": address})

    assert report.verdict is Verdict.UNKNOWN
    assert "missing-heartbeats" not in {each.rule for each in report.findings}
    assert any("9 documents were listed where 10 were counted" in gap.reason for gap in report.gaps)
