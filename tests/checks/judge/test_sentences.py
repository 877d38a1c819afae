"""What a report says of one thing, it says in the singular."""

import re
from datetime import timedelta

import pytest

from checks.evidence.logs import Trouble
from checks.evidence.snapshot import Snapshot
from checks.formats.terminal import render_terminal
from checks.judge.report import judge
from checks.judge.rules import context_of

from support.deployed import FOLLOWS, NEW, OLD, PROBED, burst, image, inspected, job, logs, run, seen, service, tag
from support.snapshots import FRESH, document, pipeline, snapshot, walked

STALE = timedelta(days=3)
AGREE = {"is", "was", "has", "does", "runs", "says", "this"}
"""Words in s that rightly follow a 1."""

ONE_OF_EACH = {
    "malformed": snapshot([document("Active_None_00c0ffee", created=FRESH)], listed=False),
    "not run-scoped": snapshot([document("p2_nba_raw.season_2024_totals")]),
    "future": snapshot([document("Eager", -timedelta(hours=1))]),
    "unparsable": snapshot([document("Mute", None)]),
    "stranger": snapshot([document("Stranger", STALE)]),
    "out of reach": walked(
        [(document("Old_None_00c0ffee"), 9, 8)], [document("Active")], pipeline(["Active", "Old"]), reach=FRESH
    ),
    "telemetry": seen(service(), documents=[document("Active", STALE)], told=logs(run())),
    "write error": seen(
        service(), documents=[document("Active", STALE)],
        told=logs(run(), bursts=[burst(Trouble.PERMISSION_DENIED, lines=1)]),
    ),
    "not ready": seen(
        service((2, 100), created=3, state="failed"),
        told=logs(run(), bursts=[burst(Trouble.STARTUP, of="phase2-00003-abc", lines=1)]),
    ),
    "job": seen(service(), jobs=[job("one", image(OLD))], tags=[tag()], pipeline=FOLLOWS),
    "job that ran": seen(service(), jobs=[job("one", image(OLD), ran=FRESH)], tags=[tag()], pipeline=FOLLOWS),
    "stale job": seen(
        service(), jobs=[job("one", image(OLD))], tags=[tag()], pipeline=FOLLOWS,
        inspected=[inspected(), inspected(OLD, b"bad")],
    ),
    "probed": seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(NEW)]),
}  # fmt: skip


def said(taken: Snapshot) -> str:
    """All that is said of a snapshot: the report, how a terminal shows it, and what its levels of evidence say."""
    report = judge(taken)
    levels = [rung.says for _, ladder in context_of(taken).deployed for rung in ladder.rungs]
    return "\n".join([report.model_dump_json(), render_terminal(report), *levels])


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_one_thing_is_said_in_the_singular(name: str) -> None:
    text = said(ONE_OF_EACH[name])

    assert " 1 " in text
    plurals = re.findall(r"\b1 (?:malformed |billed |such |log |code )?([a-z-]+s)\b", text)
    assert [word for word in plurals if word not in AGREE] == []
    assert not re.findall(r"\b1 (?:(?!would )[a-z]+ ){1,3}(?:are|were|have|do|run|say|hold)\b", text)
