"""An acceptance is of one fault: every rule's findings stay accepted as they are, and are open as another fault."""

from datetime import timedelta
from typing import Any

import pytest

from checks.evidence.logs import Operation
from checks.evidence.snapshot import Snapshot
from checks.judge.finding import Finding, Severity
from checks.judge.report import Report, judge
from checks.judge.rule import Rule
from checks.judge.rules import RULES
from checks.settings.excuses import Accepted
from checks.settings.file import parse_settings

from support.deployed import job, logs, operation, revision, seen, service, settings
from support.faulty_worlds import FAULTS, world_of
from support.snapshots import NOW, document, judged, pipeline

DAY = timedelta(days=1)


def entry(finding: Finding, **more: Any) -> Accepted:
    """The entry that somebody writes for a finding of the JSON report."""
    told = {"rule": finding.rule, "subject": finding.subject, "fingerprint": finding.fingerprint}
    known = {"severity": "P1", "reason": "known, ticket 12", "by": "ana", "until": NOW + DAY}
    return Accepted.model_validate(told | known | more)


def accepting(taken: Snapshot, *entries: Accepted) -> Snapshot:
    """The same, with these entries in the settings."""
    return taken.model_copy(update={"pipeline": taken.pipeline.model_copy(update={"accepted": entries})})


def with_fault(finding: Finding, rule: Rule, **more: Any) -> tuple[Rule, ...]:
    """A table of one rule that finds this."""

    def judge_alone(_: object) -> Any:
        return iter([Finding.model_validate(finding.model_dump() | {"cause": None, "explains": ()} | more)])

    judge_alone.__name__ = rule.judge.__name__
    return (Rule(judge_alone, phase=rule.phase),)


def a_finding_of(rule: Rule) -> Finding:
    """Any that it finds in a world with one fault."""
    for fault in FAULTS:
        report = judge(world_of(frozenset({fault})).snapshot())
        for finding in report.findings:
            if finding.rule == rule.name and finding.severity in {Severity.P1, Severity.P2}:
                return finding
    return Finding(rule=rule.name, severity=Severity.P2, subject="anything", summary="found", next_step="look")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_s_finding_is_accepted_as_it_is_and_open_as_another_fault(rule: Rule) -> None:
    finding = a_finding_of(rule)
    taken = accepting(world_of(frozenset()).snapshot(), entry(finding, severity=finding.severity))

    def verdict(**more: Any) -> str:
        return judge(taken, with_fault(finding, rule, **more)).verdict.value

    same = {"fault": finding.fault, "fingerprint": finding.fingerprint}
    assert verdict(**same, summary="it goes on", count=finding.count and finding.count + 7) == "healthy"
    for other in ({"fault": ("another",)}, {"region": "europe-west1"}, {"subject": "another"}):
        changed = {"fault": finding.fault, "region": finding.region} | other
        told = Finding.model_validate(finding.model_dump(exclude={"fingerprint"}) | changed)
        assert verdict(**changed, fingerprint=told.fingerprint) == finding.severity
    assert verdict(**same, severity=Severity.P0) == "P0"
    if finding.severity is Severity.P2:
        assert verdict(**same, severity=Severity.P1) == "P1"


@pytest.mark.parametrize("rule", [each for each in RULES if each.counts], ids=lambda rule: rule.name)
def test_a_finding_that_grows_beyond_its_count_is_open(rule: Rule) -> None:
    finding = a_finding_of(rule)
    taken = accepting(world_of(frozenset()).snapshot(), entry(finding, severity=finding.severity, count=5))
    same = {"fault": finding.fault, "fingerprint": finding.fingerprint}

    fits = judge(taken, with_fault(finding, rule, **same, count=5))
    grown = judge(taken, with_fault(finding, rule, **same, count=6))

    assert (fits.verdict, grown.verdict) == ("healthy", finding.severity)
    assert "it has grown from 5 to 6" in grown.findings[0].evidence[-1].detail


def test_what_a_rule_says_that_it_counts_its_findings_count() -> None:
    counts: dict[str, set[bool]] = {rule.name: set() for rule in RULES}
    for fault in FAULTS:
        for finding in judge(world_of(frozenset({fault})).snapshot()).findings:
            counts[finding.rule].add(finding.count is not None)

    # These name one processor alone, and count where they are about several.
    alone = {"stale-heartbeats", "wrong-clock", "unreadable-evidence", "dead-run", "failed-run"}
    assert {rule.name for rule in RULES if rule.counts and counts[rule.name] == {False}} <= alone
    assert {rule.name for rule in RULES if not rule.counts and True in counts[rule.name]} == set()


def test_no_fingerprint_holds_a_number_that_moves() -> None:
    for fault in FAULTS:
        taken = world_of(frozenset({fault})).snapshot()
        later = taken.model_copy(update={"taken_at": taken.taken_at + timedelta(minutes=1)})
        before, after = ({each.key: each.fingerprint for each in judge(one).findings} for one in (taken, later))

        assert {key: after[key] for key in before if key in after} == {
            key: before[key] for key in after if key in before
        }


def test_one_hang_is_accepted_and_another_of_the_same_service_is_not() -> None:
    first = operation(timedelta(minutes=50))
    other = operation(timedelta(minutes=45)).model_copy(update={"name": "Training the model"})
    taken = seen(service(), told=logs(operations=[first]))
    accepted = entry(*judge(taken).findings)

    still = judge(accepting(taken, accepted))
    now = judge(accepting(seen(service(), told=logs(operations=[other])), accepted))
    both = judge(accepting(seen(service(), told=logs(operations=[first, other])), accepted))

    assert (still.exit_code, len(still.accepted)) == (0, 1)
    assert (now.exit_code, now.findings[0].evidence[0].subject) == (1, "Training the model")
    assert (both.exit_code, len(both.findings), len(both.accepted)) == (1, 1, 1)


def test_a_pinned_service_is_accepted_and_a_newest_revision_that_failed_is_not() -> None:
    pinned = seen(service((1, 100), pinned=True))
    accepted = entry(next(each for each in judge(pinned).findings if each.cause is None))
    failed = service((1, 100), pinned=True, created=3, ready=2, state="failed", revisions=[revision(1), revision(3)])

    assert judge(accepting(pinned, accepted)).exit_code == 0
    report = judge(accepting(seen(failed), accepted))
    assert (report.exit_code, report.findings[0].subject) == (1, "phase2")


def by_run(count: int, writer: str = "Writer") -> list[Any]:
    return [document("Active"), *(document(f"{writer}_None_{n:08x}", timedelta(minutes=6)) for n in range(count))]


def test_more_malformed_ids_than_were_accepted_are_open() -> None:
    finding = next(each for each in judged(by_run(5)).findings if each.rule == "malformed-ids")
    known = pipeline().model_copy(update={"accepted": (entry(finding, count=5),)})

    same, grown, other = (judged(docs, known) for docs in (by_run(5), by_run(45), by_run(4, "Else")))

    assert (same.exit_code, grown.exit_code, other.exit_code) == (0, 2, 2)
    assert "it has grown from 5 to 45" in grown.findings[0].evidence[-1].detail
    assert "another fault" in other.findings[0].evidence[-1].detail


def test_an_entry_without_fingerprint_excuses_the_only_fault_and_says_the_line_to_add() -> None:
    first = operation(timedelta(minutes=50))
    one = seen(service(), told=logs(operations=[first]))
    (finding,) = judge(one).findings

    report = judge(accepting(one, entry(finding, fingerprint=None)))

    assert report.exit_code == 0
    assert report.accepted[0].line_to_add == f'fingerprint = "{finding.fingerprint}"'
    assert judge(accepting(one, entry(finding))).accepted[0].line_to_add is None


def hangs(*names: str) -> list[Operation]:
    """Operations of one service that began some minutes apart, and hang."""
    began = (operation(timedelta(minutes=45 + 20 * number)) for number, _ in enumerate(names))
    return [each.model_copy(update={"name": name}) for each, name in zip(began, names, strict=True)]


def test_a_second_hang_of_the_same_operation_is_not_accepted_with_the_first() -> None:
    first, later = hangs("Loading", "Loading")
    accepted = entry(*judge(seen(service(), told=logs(operations=[first]))).findings)

    report = judge(accepting(seen(service(), told=logs(operations=[first, later])), accepted))

    assert report.exit_code == 1


@pytest.mark.parametrize("count", [None, 1])
def test_an_entry_without_fingerprint_excuses_none_of_several(count: int | None) -> None:
    both = seen(service(), told=logs(operations=hangs("Loading", "Training")))
    bare = entry(judge(both).findings[0], fingerprint=None, count=count)

    report = judge(accepting(both, bare))

    assert (report.exit_code, len(report.findings), report.accepted) == (1, 2, ())
    assert f'add fingerprint = "{report.findings[0].fingerprint}"' in report.findings[0].evidence[-1].detail


def test_an_entry_without_fingerprint_excuses_what_is_left_beside_one_with() -> None:
    both = seen(service(), told=logs(operations=hangs("Loading", "Training")))
    first = judge(both).findings[0]

    report = judge(accepting(both, entry(first), entry(first, fingerprint=None)))

    assert (report.exit_code, len(report.accepted)) == (0, 2)


def test_any_of_several_entries_that_holds_is_enough() -> None:
    taken = seen(service(), told=logs(operations=[operation(timedelta(minutes=50))]))
    (finding,) = judge(taken).findings
    entries = [entry(finding, until=NOW + 30 * DAY), entry(finding, until=NOW + 400 * DAY), entry(finding, until=NOW)]

    assert judge(accepting(taken, *entries)).exit_code == 0
    assert judge(accepting(taken, *entries[1:])).exit_code == 1


def job_world(*accepted: Accepted, quiet: bool = False) -> Report:
    """A job whose environment switches heartbeats off (P2), and its processor that is silent for three days (P1)."""
    window = {"processors": ["Backfill"], "from": NOW - DAY, "until": NOW + DAY, "reason": "off-season"}
    known = settings(
        ["Active", {"name": "Backfill", "service": "backfill"}],
        jobs=[{"name": "backfill"}],
        sources={"logging": "off"},
        quiet=[window] if quiet else [],
    )
    silent = job("backfill", flags={"ENABLE_HEARTBEATS": "false"})
    documents = [document("Active"), document("Backfill", 3 * DAY)]
    taken = seen(service(), jobs=[silent], pipeline=known, documents=documents)
    return judge(accepting(taken.model_copy(update={"logs": None}), *accepted))


def test_an_excused_finding_does_not_raise_the_one_that_would_carry_it() -> None:
    report = job_world(quiet=True)

    assert (report.verdict, report.exit_code, report.score) == ("P2", 2, 90)
    assert [(root.subject, root.severity) for root in report.roots] == [("backfill", "P2")]


def test_an_open_finding_counts_and_costs_what_it_is_though_a_milder_one_carries_it() -> None:
    report = job_world()

    assert (report.verdict, report.exit_code, report.score) == ("P1", 1, 65)
    assert [(each.subject, each.severity) for each in report.findings] == [("backfill", "P2"), ("Backfill", "P1")]
    assert [(root.subject, root.severity) for root in report.roots] == [("backfill", "P1")]


def test_an_accepted_root_leaves_what_is_worse_open() -> None:
    root = job_world().findings[0]

    left, none = job_world(entry(root, severity="P2")), job_world(entry(root, severity="P1"))

    assert (left.exit_code, [each.subject for each in left.findings], left.score) == (1, ["Backfill"], 65)
    assert "it has become P1" in left.findings[0].evidence[-1].detail
    assert (none.exit_code, len(none.accepted)) == (0, 2)


def test_what_an_accepted_root_carries_is_not_measured_by_the_count_of_the_root() -> None:
    taken = world_of(frozenset({"half down"})).snapshot()
    root, *carried = judge(taken).findings
    assert carried

    report = judge(accepting(taken, entry(root, count=root.count)))

    assert report.exit_code == 0
    assert len(report.accepted) == 1 + len(carried)


def test_a_former_name_of_a_processor_counts_in_a_quiet_window() -> None:
    window = {"processors": ["Old"], "from": NOW - DAY, "until": NOW + DAY, "reason": "off-season"}
    known = pipeline([{"name": "New", "former_names": ["Old"]}, "Active"]).model_copy(
        update={"quiet": settings(quiet=[window]).quiet}
    )

    report = judged([document("New", 4 * DAY), document("Active")], known)

    assert (report.exit_code, [each.finding.subject for each in report.quiet]) == (0, ["New"])


def test_settings_take_the_fingerprint_of_a_report() -> None:
    text = """
    [pipeline]
    name = "nba"
    project = "demo"
    [[accepted]]
    rule = "stuck-operation"
    subject = "loader"
    fingerprint = "0123456789abcdef"
    reason = "known"
    by = "ana"
    until = 2026-12-01
    count = 1
    """

    assert parse_settings(text, origin="F").accepted[0].fingerprint == "0123456789abcdef"
