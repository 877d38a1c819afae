from checks.judge.report import judge
from checks.judge.verdict import Verdict

from support.snapshots import A_GAP, pipeline, told, unseen


def test_nothing_seen_is_unknown_without_score() -> None:
    report = judge(unseen(pipeline(["Active"])))

    assert (report.verdict, report.score, report.exit_code) == (Verdict.UNKNOWN, None, 3)
    assert told(report) == [("unreadable-evidence", "unknown", "firestore")]
    assert report.findings[0].next_step == A_GAP.next_step
