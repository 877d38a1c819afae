"""More trouble never gives a better verdict, and less evidence never a healthier one."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from checks.evidence.snapshot import Gap, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Finding, Severity
from checks.judge.report import Report, judge
from checks.judge.rule import Rule
from checks.judge.rules import RULES
from checks.judge.rules import heartbeat_channel_down as channel
from checks.judge.rules import unreadable_evidence as unreadable
from checks.judge.verdict import Verdict

from support.faulty_worlds import EXAMPLES, FAULTS, MOST_FAULTS, SILENCES, fired, world_of

WORST_FIRST: Final = [*(Verdict(each.value) for each in Severity), Verdict.HEALTHY]
LAW: Final = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
SILENCE: Final = st.sampled_from(sorted(SILENCES))
FAULT: Final = st.one_of(st.sampled_from(sorted(FAULTS)), SILENCE)
WORLDS: Final = st.one_of(
    st.frozensets(st.sampled_from(sorted(FAULTS)), max_size=MOST_FAULTS), st.frozensets(SILENCE, max_size=MOST_FAULTS)
)

Rules = tuple[Rule, ...]


def rank(verdict: Verdict) -> int:
    """0 is worst."""
    return WORST_FIRST.index(verdict)


def never_better(rules: Rules) -> None:
    """Adding a fault never lowers the rank of the verdict, and no verdict is at odds with its score."""

    @LAW
    @given(faults=WORLDS, one_more=FAULT, quiet=st.booleans(), heard=st.booleans())
    def law(faults: frozenset[str], one_more: str, *, quiet: bool, heard: bool) -> None:
        before = judge(world_of(faults, quiet=quiet, heard=heard).snapshot(), rules)
        after = judge(world_of(faults | {one_more}, quiet=quiet, heard=heard).snapshot(), rules)

        assert rank(after.verdict) <= rank(before.verdict), one_more
        for report in (before, after):
            agrees(report)

    law()


def agrees(report: Report) -> None:
    """A report says one thing: roots, findings, verdict, score and exit code."""
    assert [(root.rule, root.subject) for root in report.roots] == [
        (each.rule, each.subject) for each in report.findings if each.cause is None
    ]
    worst = min((root.severity for root in report.roots), key=lambda severity: severity.rank, default=None)
    assert report.verdict == (worst or Verdict.HEALTHY)
    assert [root.severity.rank for root in report.roots] == sorted(root.severity.rank for root in report.roots)
    assert (report.score == 100) == (report.verdict is Verdict.HEALTHY)


Removal = Callable[[Snapshot], Snapshot]


def _gap(taken: Snapshot, source: str) -> dict[str, object]:
    return {"gaps": (*taken.gaps, Gap(source=source, reason=f"{source}: DEADLINE_EXCEEDED", next_step="try again"))}


def _no_heartbeats(taken: Snapshot) -> Snapshot:
    return taken.model_copy(update={"census": None} | _gap(taken, "firestore"))


def _half_of_the_heartbeats(taken: Snapshot) -> Snapshot:
    assert taken.census is not None
    cut = taken.census.model_copy(update={"families": taken.census.families[::2], "listed": False})
    return taken.model_copy(update={"census": cut} | _gap(taken, "firestore"))


def _no_deployments(taken: Snapshot) -> Snapshot:
    return taken.model_copy(update={"deployments": None} | _gap(taken, "cloud-run"))


def _half_of_the_deployments(taken: Snapshot) -> Snapshot:
    assert taken.deployments is not None
    found = taken.deployments
    cut = found.model_copy(update={"services": found.services[::2], "jobs": found.jobs[::2], "complete": False})
    return taken.model_copy(update={"deployments": cut} | _gap(taken, "cloud-run"))


def _no_images(taken: Snapshot) -> Snapshot:
    assert taken.deployments is not None
    cut = taken.deployments.model_copy(update={"tags": (), "inspected": ()})
    return taken.model_copy(update={"deployments": cut} | _gap(taken, "registry"))


def _no_logs(taken: Snapshot) -> Snapshot:
    return taken.model_copy(update={"logs": None} | _gap(taken, "logging"))


def _half_of_the_logs(taken: Snapshot) -> Snapshot:
    assert taken.logs is not None
    logs = taken.logs
    cut = {"runs": logs.runs[::2], "bursts": logs.bursts[::2], "operations": logs.operations[::2], "complete": False}
    return taken.model_copy(update={"logs": logs.model_copy(update=cut)} | _gap(taken, "logging"))


REMOVALS: Final[dict[str, tuple[Removal, str]]] = {
    "no heartbeats": (_no_heartbeats, "firestore"),
    "half of the heartbeats": (_half_of_the_heartbeats, "firestore"),
    "no deployments": (_no_deployments, "cloud-run"),
    "half of the deployments": (_half_of_the_deployments, "cloud-run"),
    "no images": (_no_images, "registry"),
    "no logs": (_no_logs, "logging"),
    "half of the logs": (_half_of_the_logs, "logging"),
}


def never_healthier(rules: Rules) -> None:
    """Removing evidence never makes a verdict healthier: what rested on other evidence stands, the rest is unknown."""

    @LAW
    @given(faults=WORLDS, removed=st.sampled_from(sorted(REMOVALS)), quiet=st.booleans(), heard=st.booleans())
    def law(faults: frozenset[str], removed: str, *, quiet: bool, heard: bool) -> None:
        remove, source = REMOVALS[removed]
        taken = world_of(faults, quiet=quiet, heard=heard).snapshot()
        needs = {rule.name: rule.needs for rule in RULES}
        standing = [each for each in judge(taken, rules).findings if source not in needs[each.rule]]
        stands = min((each.severity.rank for each in standing), default=Severity.P2.rank)

        after = judge(remove(taken), rules)

        assert rank(after.verdict) <= min(rank(Verdict.UNKNOWN), stands), removed
        assert after.score is None

    law()


def _mildest_channel(context: Context) -> Iterator[Finding]:
    late = any(each.beat == "late" for each in context.channel_down)
    for finding in channel.heartbeat_channel_down(context):
        yield finding.model_copy(update={"severity": Severity.P2}) if late else finding


def _dropped_gap(context: Context) -> Iterator[Finding]:
    kept = context.snapshot.gaps[1:]
    names = {gap.reason for gap in context.snapshot.gaps} - {gap.reason for gap in kept}
    return (each for each in unreadable.unreadable_evidence(context) if each.summary not in names)


def mutant(rule: Rule, judged: Callable[[Context], Iterator[Finding]]) -> Rules:
    """The table with one rule that judges otherwise, under its own name."""
    judged.__name__ = rule.judge.__name__
    return tuple(Rule(judged, needs=rule.needs, phase=rule.phase) if each is rule else each for each in RULES)


def test_a_world_without_faults_is_healthy() -> None:
    assert judge(world_of(frozenset()).snapshot()).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_told(fault: str) -> None:
    assert judge(world_of(frozenset({fault})).snapshot()).verdict is not Verdict.HEALTHY or fault in HARMLESS


HARMLESS: Final = frozenset({"loader denied"})
"""Its processors have beaten since: the trouble is over."""


@pytest.mark.long
def test_more_trouble_never_gives_a_better_verdict() -> None:
    never_better(RULES)


@pytest.mark.long
def test_less_evidence_never_gives_a_healthier_verdict() -> None:
    never_healthier(RULES)


def test_a_channel_that_takes_the_mildest_of_its_processors_breaks_the_law() -> None:
    with pytest.raises(AssertionError, match=r"late|down"):
        never_better(mutant(channel.RULE, _mildest_channel))


def test_a_gap_that_is_dropped_breaks_the_law() -> None:
    with pytest.raises(AssertionError):
        never_healthier(mutant(unreadable.RULE, _dropped_gap))


@pytest.mark.long
def test_every_rule_fires_in_one_of_a_hundred_worlds_or_more() -> None:
    counts: Counter[str] = fired()

    assert {rule.name: counts[rule.name] for rule in RULES if counts[rule.name] * 100 < EXAMPLES} == {}
