from datetime import timedelta

import pytest

from checks import Verdict, judge
from checks.evidence.snapshot import Level
from checks.judge.deployed.proofs import Outcome

from support.deployed import NEW, OLD, PROBE, PROBED, inspected, ladder, revision, seen, service, settings, tag
from support.snapshots import document, found

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def test_bytes_that_hold_the_fix_are_healthy() -> None:
    whole = seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected()])

    assert judge(whole).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("text", [b"bad", None, b""])
def test_bytes_that_lack_the_fix_are_p1_whatever_label_and_tag_say(text: bytes | None) -> None:
    labelled = service(commit="ce269d67", revisions=[revision(2, NEW, commit="ce269d67")])

    (finding,) = found(
        seen(labelled, tags=[tag()], pipeline=PROBED, inspected=[inspected(text=text, commit="ce269d67")]),
        "fix-not-deployed",
    )

    assert (finding.severity, finding.subject, finding.level) == ("P1", "phase2", Level.BYTES)
    assert finding.summary == "100 % of its traffic meets code without fix"
    assert finding.next_step.startswith("NOT DEPLOYED: build phase2 without a cache from a commit that has fix")


def test_of_split_traffic_the_share_that_lacks_the_fix_is_named() -> None:
    split = service((1, 30), (2, 70))
    snapshot = seen(split, tags=[tag()], pipeline=PROBED, inspected=[inspected(OLD, b"bad"), inspected()])

    (finding,) = found(snapshot, "fix-not-deployed")

    assert finding.summary == "30 % of its traffic meets code without fix"
    assert [fact.detail for fact in finding.evidence] == [
        f"in phase2-00001-abc (30 %), image {OLD[:19]}, layer sha256:ffffffffffff"
    ]


def test_what_could_not_be_read_is_no_finding_about_the_fix() -> None:
    snapshot = seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(unread="no answer")], documents=[])

    assert found(snapshot, "fix-not-deployed") == []
    assert ladder(snapshot, service()).verdict is Outcome.UNKNOWN


def test_a_probe_about_another_service_accuses_nobody() -> None:
    others = settings(services=[{"name": "phase2"}, {"name": "phase3"}], code_probes=[PROBE | {"subjects": ["phase3"]}])

    assert (
        found(seen(service(), tags=[tag()], pipeline=others, inspected=[inspected(text=b"bad")]), "fix-not-deployed")
        == []
    )


def test_silence_and_growth_follow_from_code_without_the_fix() -> None:
    grows = [document("Active", age=2 * DAY), document("Active_None_1", age=2 * DAY, created=MINUTE)]
    findings = judge(
        seen(service(), tags=[tag()], pipeline=PROBED, inspected=[inspected(text=b"bad")], documents=grows)
    ).findings

    causes = {each.rule: each.cause for each in findings}
    assert causes["fix-not-deployed"] is None
    assert causes["regrowth"] == causes["two-witnesses"] == "fix-not-deployed: phase2"


def test_a_tag_that_moved_explains_that_the_fix_does_not_serve() -> None:
    snapshot = seen(service(), tags=[tag("sha256:" + "2" * 64)], pipeline=PROBED, inspected=[inspected(text=b"bad")])

    (finding,) = found(snapshot, "fix-not-deployed")

    assert finding.cause == "serving-digest-not-tag: phase2"


def test_without_code_probes_the_report_says_that_nobody_looked_inside() -> None:
    report = judge(seen(service(), tags=[tag()]))

    assert [each.what for each in report.not_checked] == ["code probes"]
    assert report.not_checked[0].rules == ("fix-not-deployed", "job-image-stale")
