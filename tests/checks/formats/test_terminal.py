from datetime import timedelta

from checks.formats.terminal import render_terminal
from checks.judge.comparison import compare

from support.snapshots import A_GAP, document, judged, pipeline

REGISTERED = pipeline(["Active", "Other", "Third", "Fourth"])
FRESH = [document(name) for name in ("Other", "Third", "Fourth")]


def test_the_practice_line_the_verdict_and_the_next_step_come_first() -> None:
    report = judged([document("Active", timedelta(days=5)), *FRESH], REGISTERED)

    practice, verdict, finding, step, *_ = render_terminal(report).splitlines()

    assert practice == "PRACTICE: asked 127.0.0.1:1, not Google: this says nothing about production"
    assert verdict.startswith(" P1  nba · score 65/100 · 2026-02-01 22:00:00 UTC")
    assert report.root is not None
    assert finding == f"  Active: {report.root.summary}"
    assert step == f"  Next: {report.root.next_step}"


def test_a_real_collection_bears_no_practice_line() -> None:
    report = judged([document("Active")]).model_copy(update={"practice": False})

    assert render_terminal(report).startswith(" healthy  nba · score 100/100")


def test_what_was_not_seen_is_named_with_its_next_step() -> None:
    text = render_terminal(judged([document("Active"), *FRESH], REGISTERED, listed=False))

    assert f"Not seen\n    {A_GAP.source}: {A_GAP.reason}\n    next: {A_GAP.next_step}\n" in text


def test_what_changed_comes_last() -> None:
    before, now = judged(FRESH, REGISTERED), judged([document("Active"), *FRESH], REGISTERED)

    text = render_terminal(now, compare(before, now))

    assert text.endswith(
        "Since 2026-02-01 22:00 UTC, when it was P1\n"
        "    gone: missing-heartbeats: Active\n"
        "    documents: 3 → 4\n"
        "    canonical: 3 → 4\n"
        "    score: 65 → 100\n"
    )
    assert render_terminal(now, compare(now, now)).endswith("when it was healthy\n    nothing changed\n")


def test_a_long_id_is_never_broken() -> None:
    longest = "x" * 1_400

    assert longest in render_terminal(judged([document(longest, None)]))
