from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence.logs import Trouble
from checks.judge.finding import Finding
from checks.judge.report import judge
from checks.judge.verdict import Verdict

from support.deployed import burst, logs, run, seen, service
from support.snapshots import NOW, document, found, judged, micros, pipeline, run_document, snapshot, told, walked

MICRO = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
STALE, DEAD = 5 * MINUTE, 15 * MINUTE
SHOWN = timedelta(seconds=90)
LONG = timedelta(minutes=100)

AGES = [
    (STALE - MICRO, None),
    (STALE, None),
    (STALE + MICRO, "P2"),
    (DEAD, "P2"),
    (DEAD + MICRO, "P1"),
    (LONG, "P1"),
]


def dead(*documents: object, settings: object = None) -> list[Finding]:
    return found(snapshot(documents, settings or pipeline(["Loader"])), "dead-run")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("silent", "severity"), AGES, ids=str)
@pytest.mark.parametrize("registered", [True, False], ids=["registered", "nobody registered"])
def test_a_run_is_stale_then_dead_exactly_after_its_limits(
    silent: timedelta, severity: str | None, *, registered: bool
) -> None:
    settings = pipeline(["Loader"] if registered else [])

    assert [each.severity for each in dead(run_document("Loader", silent=silent), settings=settings)] == (
        [severity] if severity else []
    )


@pytest.mark.parametrize(
    ("lasted", "promised"),
    [
        (-timedelta(hours=1), False),
        (timedelta(), False),
        (SHOWN, False),
        (SHOWN + MICRO, True),
        (None, False),
    ],
    ids=["beat before its start", "at its start", "90 s after", "a moment later", "no start"],
)
def test_a_promise_is_shown_by_a_beat_more_than_ninety_seconds_after_the_start(
    lasted: timedelta | None, *, promised: bool
) -> None:
    assert bool(dead(run_document("Loader", silent=LONG, lasted=lasted))) is promised


def test_a_start_in_the_future_shows_no_promise() -> None:
    assert dead(run_document("Loader", silent=LONG, lasted=-timedelta(days=2))) == []


def test_a_document_promises_by_its_interval_even_where_it_beat_once() -> None:
    assert dead(run_document("Loader", silent=LONG, lasted=timedelta(), beats_every=60))


def test_a_document_of_an_earlier_version_of_the_library_promises_nothing() -> None:
    """It names its build and no interval, and beat whenever the program told it to."""
    assert dead(run_document("Loader", silent=LONG, names_its_build=True)) == []
    assert dead(run_document("Loader", silent=LONG, names_its_build=True, beats_every=60))


INTERVALS = [(60, STALE, DEAD), (100, STALE, DEAD), (120, 6 * MINUTE, DEAD), (600, 30 * MINUTE, 50 * MINUTE)]


@pytest.mark.parametrize(("seconds", "stale", "deadly"), INTERVALS, ids=str)
def test_longer_intervals_stretch_the_limits(seconds: int, stale: timedelta, deadly: timedelta) -> None:
    """Three missed beats are stale and five are dead, and never less than the limits say."""

    def severities(silent: timedelta) -> list[str]:
        return [each.severity for each in dead(run_document("Loader", silent=silent, beats_every=seconds))]

    assert severities(stale) == []
    assert severities(stale + MICRO) == ["P2"]
    assert severities(deadly) == ["P2"]
    assert severities(deadly + MICRO) == ["P1"]


@given(
    every=st.floats(0.001, 31 * 86_400),
    stale=st.integers(1, 10_000),
    more=st.integers(0, 10_000),
    own=st.booleans(),
    part=st.floats(0, 1),
)
def test_no_run_is_silent_before_its_next_beat_is_due(
    every: float, stale: int, more: int, part: float, *, own: bool
) -> None:
    limits = {"stale_after": f"{stale}s", "dead_after": f"{stale + more}s"}
    settings = pipeline([{"name": "Loader", **limits}]) if own else pipeline(["Loader"], **limits)

    assert (
        dead(run_document("Loader", silent=timedelta(seconds=every * part), beats_every=every), settings=settings) == []
    )


def test_a_processor_has_limits_of_its_own() -> None:
    settings = pipeline([{"name": "Loader", "stale_after": "12m", "dead_after": "20m"}])

    def severities(silent: timedelta) -> list[str]:
        return [
            each.severity for each in dead(run_document("Loader", silent=silent, beats_every=600), settings=settings)
        ]

    assert severities(12 * MINUTE) == []
    assert severities(12 * MINUTE + MICRO) == ["P2"]
    assert severities(20 * MINUTE + MICRO) == ["P1"]


@pytest.mark.parametrize(
    ("own", "general", "promised"),
    [
        ("60s", None, True),
        (None, "60s", True),
        ("off", "60s", False),
        (None, "off", False),
        ("60s", "off", True),
        (None, None, False),
    ],
)
def test_the_settings_may_promise_for_a_processor_or_watch_none_of_its_runs(
    own: str | None, general: str | None, *, promised: bool
) -> None:
    settings = pipeline([{"name": "Loader", "beats_every": own}], beats_every=general)

    assert bool(dead(run_document("Loader", silent=LONG, lasted=None), settings=settings)) is promised


def test_off_silences_a_promise_that_the_document_shows() -> None:
    settings = pipeline([{"name": "Loader", "beats_every": "off"}])

    assert dead(run_document("Loader", silent=LONG, beats_every=60), settings=settings) == []


@pytest.mark.parametrize("status", ["completed", "success", "failed", "paused", "skipped", "", None, "running!"])
def test_only_running_promises_a_beat(status: str | None) -> None:
    assert dead(run_document("Loader", status, LONG, beats_every=60)) == []


@pytest.mark.parametrize("status", ["RUNNING", " Running "])
def test_running_counts_in_any_case(status: str) -> None:
    assert dead(run_document("Loader", status, LONG))


def test_a_pipeline_has_words_of_its_own() -> None:
    settings = pipeline(["Loader"], status={"running": ["busy"]})

    assert dead(run_document("Loader", "BUSY", LONG), settings=settings)
    assert dead(run_document("Loader", "running", LONG), settings=settings) == []


@pytest.mark.parametrize("newer", ["completed", "failed", "running", None, "paused"])
@pytest.mark.parametrize("doc", ["Loader", "Loader_2026-01-31_ab12cd34", "OldLoader"])
def test_only_the_newest_document_of_a_processor_speaks(doc: str, newer: str | None) -> None:
    settings = pipeline([{"name": "Loader", "former_names": ["OldLoader"]}])
    other = "Loader" if doc != "Loader" else "OldLoader"
    documents = [run_document(doc, silent=LONG), run_document(other, newer, 3 * MINUTE)]

    assert dead(*documents, settings=settings) == []


def test_of_two_documents_with_the_same_beat_the_one_that_was_stored_last_speaks() -> None:
    running = run_document("Loader", silent=LONG)
    ended = run_document("Loader_None_ab12cd34", "completed", LONG)

    assert dead(running, ended._replace(updated=ended.updated + 1)) == []
    assert dead(running._replace(updated=running.updated + 1), ended)


@pytest.mark.parametrize("order", [1, -1])
def test_two_documents_that_are_equal_but_for_their_id_are_read_alike_in_any_order(order: int) -> None:
    documents = [run_document("Loader", silent=LONG), run_document("Loader_None_ab12cd34", "completed", LONG)][::order]

    assert dead(*documents) == []


def test_a_run_scoped_document_speaks_for_its_processor() -> None:
    (finding,) = dead(run_document("Loader_2026-01-31_ab12cd34", silent=LONG))

    assert finding.subject == "Loader"
    assert finding.evidence[0].subject == "Loader_2026-01-31_ab12cd34"


def test_a_document_that_was_counted_and_not_read_might_be_newer() -> None:
    first = run_document("Loader_None_00000001", silent=LONG)

    assert found(walked([(first, 9, 8)], [first], pipeline(["Loader"]), reach=timedelta(minutes=50)), "dead-run") == []
    assert found(walked([(first, 9, 8)], [first], pipeline(["Loader"]), reach=timedelta(hours=2)), "dead-run")
    assert found(walked([(first, 9, 8)], [first], pipeline(["Loader"])), "dead-run")


def test_a_listing_that_was_cut_short_says_nothing_of_runs() -> None:
    taken = snapshot([run_document("Loader", silent=LONG)], pipeline(["Loader"]), listed=False)

    assert found(taken, "dead-run") == []


@pytest.mark.parametrize("excuse", [{"retired": True}, {"expected": False}])
def test_who_need_not_beat_has_no_dead_run(excuse: Mapping[str, object]) -> None:
    documents = [run_document("Loader", silent=timedelta(hours=10))]

    assert judged(documents, pipeline([{"name": "Loader", **excuse}])).verdict is Verdict.HEALTHY


def test_runs_of_processors_that_are_not_registered_are_one_p2() -> None:
    strangers = [run_document(f"Stranger{n}", silent=LONG) for n in range(12)]
    report = judged([document("Loader"), *strangers], pipeline(["Loader"]))

    assert told(report) == [("dead-run", "P2", "processor_heartbeats")]
    (finding,) = report.findings
    assert finding.count == 12
    assert finding.evidence[0].subject == "Stranger0"


def test_it_names_the_run_the_day_how_far_it_was_and_since_when() -> None:
    (finding,) = dead(
        run_document(
            "Loader", silent=LONG, beats_every=60, run_id="r1", data_date="2026-01-31", progress=120, total=450
        )
    )

    assert finding.summary == "its run died: running since 2026-02-01 19:20:00 UTC, and no beat for 1h 40m, above 15m"
    assert [(fact.subject, fact.detail) for fact in finding.evidence] == [
        ("Loader", "last beat 2026-02-01 20:20:00 UTC, 1h 40m ago; promised every 1m by the document"),
        ("r1", "is its run id"),
        ("2026-01-31", "is the day whose data it works on"),
        ("120", "is how far it was, of 450"),
    ]


def test_a_dead_run_is_the_same_fault_tomorrow_and_another_run_is_another() -> None:
    (today,) = dead(run_document("Loader", silent=LONG, run_id="r1"))
    (later,) = dead(run_document("Loader", silent=LONG, run_id="r1", progress=3))
    (other,) = dead(run_document("Loader", silent=LONG, run_id="r2"))

    assert today.fingerprint == later.fingerprint != other.fingerprint


def test_a_dead_run_carries_the_silence_that_comes_of_it() -> None:
    """One order, not two."""
    report = judged([run_document("Loader", silent=timedelta(hours=3))], pipeline(["Loader"]))

    assert [(each.rule, each.cause) for each in report.findings] == [
        ("dead-run", None),
        ("stale-heartbeats", "dead-run: Loader"),
    ]


def test_what_explains_a_silence_explains_a_dead_run() -> None:
    taken = seen(
        service(),
        documents=[run_document("Active", silent=LONG)],
        told=logs(run(), bursts=[burst(Trouble.PERMISSION_DENIED, lines=3)]),
    )
    (finding,) = found(taken, "dead-run")

    assert finding.cause == "heartbeat-write-errors: phase2"
    assert judge(taken).verdict is Verdict.P1


@given(silent=st.integers(0, 100_000), more=st.integers(0, 100_000))
def test_a_silent_run_never_gets_healthier(silent: int, more: int) -> None:
    ranks = [
        min([each.severity.rank for each in dead(run_document("Loader", silent=timedelta(seconds=each)))], default=9)
        for each in (silent, silent + more)
    ]

    assert ranks[1] <= ranks[0]


@pytest.mark.parametrize("hours", [1, 8])
def test_a_writer_by_a_wrong_clock_that_firestore_heard_just_now_is_alive(hours: int) -> None:
    lately = run_document("Loader", silent=timedelta(hours=hours, minutes=1))
    lately = lately._replace(updated=micros(NOW - MINUTE))

    assert dead(lately) == []


def test_a_run_by_a_clock_that_is_ahead_died_when_firestore_heard_it_last() -> None:
    ahead = run_document("Loader", silent=2 * MINUTE)._replace(updated=micros(NOW - 40 * MINUTE))

    assert dead(ahead)


@pytest.mark.parametrize(("ahead", "died"), [(1, True), (8_760, False)], ids=["an hour ahead", "a year ahead"])
def test_a_run_whose_heartbeat_is_from_the_future_died_when_firestore_heard_it_last(ahead: int, *, died: bool) -> None:
    """A time that is a year ahead is no clock's, and shows no promise."""
    ahead_of_now = run_document("Loader", silent=40 * MINUTE - timedelta(hours=ahead), run_id="r1")
    told = dead(ahead_of_now._replace(updated=micros(NOW - 40 * MINUTE)))

    assert [each.severity for each in told] == (["P1"] if died else [])
    assert all(
        "40m ago" in each.evidence[0].detail and "Firestore stored it" in each.evidence[0].detail for each in told
    )
    assert all("since" not in each.summary for each in told)


def test_a_run_without_a_time_that_can_be_read_is_judged_by_its_interval() -> None:
    unread = run_document("Loader", beats_every=60)._replace(beat=None, unparsable="is no timestamp but a string")

    assert [each.severity for each in dead(unread._replace(updated=micros(NOW - 40 * MINUTE)))] == ["P1"]
    assert dead(unread) == []


def test_three_runs_that_died_among_ten_are_three_findings() -> None:
    names = [f"P{n}" for n in range(10)]
    documents = [run_document(each, silent=LONG) if each in names[:3] else document(each) for each in names]

    assert told(judged(documents, pipeline(names))) == [("dead-run", "P1", each) for each in names[:3]]


def test_half_of_all_runs_that_died_together_have_one_root_and_are_all_named() -> None:
    names = [f"P{n}" for n in range(10)]
    documents = [run_document(each, silent=LONG) if each in names[:5] else document(each) for each in names]
    report = judged(documents, pipeline(names))

    (root,) = [each for each in report.findings if each.cause is None]
    assert (root.rule, root.severity) == ("heartbeat-channel-down", "P1")
    assert "5 died while running" in root.summary
    assert {each.subject for each in report.findings if each.rule == "dead-run"} == set(names[:5])


def test_runs_that_are_only_stale_are_no_broken_channel() -> None:
    names = [f"P{n}" for n in range(4)]
    report = judged([run_document(each, silent=10 * MINUTE) for each in names], pipeline(names))

    assert told(report) == [("dead-run", "P2", each) for each in names]


def test_a_dead_run_among_late_processors_keeps_its_severity() -> None:
    names = [f"P{n}" for n in range(4)]
    late = [document(each, timedelta(hours=3)) for each in names[1:]]
    report = judged([run_document("P0", silent=timedelta(hours=3)), *late], pipeline(names))

    assert report.verdict is Verdict.P1
    assert [(each.rule, each.cause) for each in report.findings] == [
        ("heartbeat-channel-down", None),
        ("dead-run", "heartbeat-channel-down: processor_heartbeats"),
    ]
