"""A commit label is what somebody wrote on a deploy; revision, tag and the heartbeats themselves can contradict it.

In short: a commit label that revision, tag or the heartbeats contradict: P2

Severity: P2: a label deploys nothing, but whoever believes it is wrong. What the running process writes (the commit in
its heartbeats) outranks the label of the revision, and that the label of the service. A tag of digits is a run number
or a date, and contradicts no commit.
"""

import re
from collections.abc import Iterator
from typing import Final

from checks.evidence.deployments import Service
from checks.evidence.own_containers import OwnContainers, own_of_service
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.settings.pipeline import Pipeline
from checks.text.commits import commit_of_tag, same_commit

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


def commit_label_contradicted(context: Context) -> Iterator[Finding]:
    """At most one finding per service."""
    if context.snapshot.deployments is None:
        return
    for service in context.snapshot.deployments.services:
        label = service.commit
        if label is None or not _COMMIT.fullmatch(label) or service.in_progress:
            continue
        runtime = [each for each in _runtime(context.snapshot, service) if not same_commit(label, each[1])]
        written = [each for each in _written(context.snapshot.pipeline, service) if not same_commit(label, each[1])]
        if contradicting := (*runtime, *written):
            yield Finding(
                rule="commit-label-contradicted",
                severity=Severity.P2,
                subject=service.name,
                region=service.region,
                fault=(label, *sorted({commit for _, commit in contradicting})),
                summary=f"its label claims commit {label}, and that is contradicted",
                evidence=tuple(fact for fact, _ in contradicting),
                level=Level.RUNTIME if runtime else Level.LABEL,
                next_step=f"believe no label of {service.name}: compare digests, and label the next deploy right",
            )


def _written(pipeline: Pipeline, service: Service) -> Iterator[tuple[Fact, str]]:
    for share, revision in service.serving:
        if revision is None:
            continue
        if revision.commit:
            detail = f"is what {revision.name} says, which serves {share.percent} %"
            yield Fact(subject=revision.commit, detail=detail), revision.commit
        yield from _tagged(own_of_service(pipeline, service, revision.every), f"is what {revision.name} runs")
    yield from _tagged(own_of_service(pipeline, service, service.every), "is what was deployed")


def _tagged(own: OwnContainers, detail: str) -> Iterator[tuple[Fact, str]]:
    """The commits that the tags of own images claim; none where somebody else's image may be among them."""
    for each in own.containers if own.unclear is None else ():
        if commit := commit_of_tag(each.image.tag):
            yield Fact(subject=each.image.reference, detail=detail), commit


def _runtime(snapshot: Snapshot, service: Service) -> Iterator[tuple[Fact, str]]:
    """One fact per commit that heartbeats of a serving revision bear."""
    serving = {share.revision for share in service.shares}
    written: dict[tuple[str, str], list[str]] = {}
    for family in snapshot.census.families if snapshot.census else ():
        beat = family.newest
        if beat and beat.commit and beat.revision in serving and _COMMIT.fullmatch(beat.commit):
            written.setdefault((beat.revision, beat.commit), []).append(beat.doc)
    for (revision, commit), docs in written.items():
        more = f" (and {len(docs) - 1} more)" if len(docs) > 1 else ""
        yield Fact(subject=docs[0], detail=f"{more} was written by {revision} at commit {commit}".strip()), commit


RULE = Rule(commit_label_contradicted, needs=("cloud-run",), fault="the commits that contradict each other")
