"""One service or job with all that is known of it: the answer of ``describe_service``."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.deployments import Job, Revision, Service, State
from checks.evidence.pushed_images import pushed_of
from checks.evidence.snapshot import Gap, Snapshot
from checks.judge.deployed.verdicts import DeploymentKind, DeploymentVerdict
from checks.judge.finding import Finding
from checks.judge.verdict import Verdict
from checks.text.show import show
from mcp_server.answers.answer import Searched, ToolAnswer
from mcp_server.answers.deployments import ShareRow, leader, shares

MOST: Final = 10
_FACTS: Final = 5


class RevisionRow(Evidence):
    """One revision. ``ready`` is its own condition; ``message`` is Cloud Run's or the container's own word."""

    name: str
    image: Untrusted
    created_at: AwareDatetime
    ready: State
    reason: str | None
    message: Untrusted | None
    commit_label: Untrusted | None
    flags: dict[str, Untrusted]


class TagRow(Evidence):
    """Where the tag that a service should serve points now; ``digest`` is null where the registry has no such tag."""

    tag: str
    digest: str | None
    serves: bool


class JobRow(Evidence):
    """A job that follows the service."""

    name: str
    verdict: Verdict
    image: Untrusted


class ServiceAnswer(ToolAnswer):
    """All that is known of one service or job.

    Attributes:
        kind, name, verdict: as ``list_deployments`` has them.
        findings: what the rules found about it.
        image: what its template names: what the next revision or execution would run.
        reconciling: a change is in progress, and the rest is passing.
        created, ready, serving: a service's newest revision, its newest ready one, and every share of its traffic.
        pinned: no part of a service's traffic follows its latest revision.
        commit_label: what a label claims. Labels go stale; a digest does not.
        revisions: those that serve, the newest, and the newest ready.
        tag: of a service: null where it has none or that could not be read.
        jobs: those that follow a service; ``jobs_omitted`` counts the others.
        last_run, last_state: of a job.
        processors: those that the settings say it runs; ``processors_omitted`` counts the others.
    """

    kind: DeploymentKind
    name: Untrusted
    verdict: Verdict
    unseen: str | None
    findings: tuple[Finding, ...]
    image: Untrusted
    reconciling: bool = False
    created: str | None = None
    ready: str | None = None
    serving: tuple[ShareRow, ...] = ()
    pinned: bool = False
    commit_label: Untrusted | None = None
    revisions: tuple[RevisionRow, ...] = ()
    tag: TagRow | None = None
    jobs: tuple[JobRow, ...] = ()
    jobs_omitted: Count = 0
    last_run: AwareDatetime | None = None
    last_state: State | None = None
    flags: Mapping[str, Untrusted] = Field(default_factory=dict[str, Untrusted])
    processors: tuple[str, ...] = ()
    processors_omitted: Count = 0


def service_answer(
    snapshot: Snapshot, verdicts: Sequence[DeploymentVerdict], gaps: tuple[Gap, ...], searched: Searched, name: str
) -> ServiceAnswer:
    """All of one service or job.

    Args:
        snapshot: what was seen.
        verdicts: of all services and jobs.
        gaps: what could not be seen.
        searched: where was looked.
        name: which one.

    Raises:
        ToolError: there is none of this name, or that could not be seen.
    """
    subject = _subject(snapshot, verdicts, gaps, name)
    one = subject.one
    run = tuple(each.name for each in snapshot.pipeline.heartbeats.processors_of(name))
    known: dict[str, object] = {
        "practice": snapshot.practice,
        "searched": searched,
        "complete": not gaps,
        "gaps": gaps,
        "note": subject.told,
        "kind": subject.kind,
        "name": subject.name,
        "verdict": subject.verdict,
        "unseen": subject.unseen,
        "findings": tuple(_brief(finding) for finding in subject.findings),
        "processors": run[:MOST],
        "processors_omitted": max(0, len(run) - MOST),
    }
    known |= _of_service(snapshot, verdicts, one) if isinstance(one, Service) else _of_job(one) if one else {}
    return ServiceAnswer.model_validate(known)


def _subject(
    snapshot: Snapshot, verdicts: Sequence[DeploymentVerdict], gaps: Sequence[Gap], name: str
) -> DeploymentVerdict:
    found = next((each for each in verdicts if each.name == name and each.one is not None), None)
    if found:
        return found
    if snapshot.deployments is None or not snapshot.deployments.complete:
        why = "; ".join(f"{gap.reason}: {gap.next_step}" for gap in gaps) or "Cloud Run was not read"
        raise ToolError(f"service: whether there is a {name!r} could not be seen: {why}")
    close = difflib.get_close_matches(name, [each.name for each in verdicts if each.one is not None], n=3)
    guess = f"; did you mean {', '.join(show(each) for each in close)}?" if close else ""
    raise ToolError(f"service: Cloud Run has no service or job {name!r} there{guess}; list_deployments names all")


def _of_service(snapshot: Snapshot, verdicts: Sequence[DeploymentVerdict], service: Service) -> dict[str, object]:
    following = [each for each in verdicts if isinstance(each.one, Job) and leader(snapshot, each.name) == service.name]
    return {
        "image": service.image.reference,
        "reconciling": service.reconciling,
        "created": service.created or None,
        "ready": service.ready or None,
        "serving": shares(service),
        "pinned": service.pinned,
        "commit_label": service.commit,
        "revisions": tuple(_revision(each) for each in service.revisions),
        "tag": _tag(snapshot, service),
        "jobs": tuple(_job(each) for each in following[:MOST]),
        "jobs_omitted": max(0, len(following) - MOST),
    }


def _of_job(job: Job) -> dict[str, object]:
    return {
        "image": job.image.reference,
        "commit_label": job.commit,
        "last_run": job.last_run,
        "last_state": job.last_state if job.executions else None,
        "flags": job.flags,
    }


def _revision(each: Revision) -> RevisionRow:
    return RevisionRow(
        name=each.name,
        image=each.image.reference,
        created_at=each.created_at,
        ready=each.ready,
        reason=each.reason,
        message=each.message,
        commit_label=each.commit,
        flags=each.flags,
    )


def _tag(snapshot: Snapshot, service: Service) -> TagRow | None:
    """The tag of its program; of several containers that may be it, one that does not serve before others."""
    found = snapshot.deployments
    if found is None:
        return None
    rows: list[TagRow] = []
    for pushed in pushed_of(snapshot.pipeline, found, service):
        if tag := pushed.tag:
            digests = [image.digest for _, _, image in pushed.serving if image and image.digest]
            serves = bool(digests) and all(found.meets(tag, digest) for digest in digests)
            rows.append(TagRow(tag=tag.tag, digest=tag.digest, serves=serves))
    return min(rows, key=lambda row: row.serves, default=None)


def _job(subject: DeploymentVerdict) -> JobRow:
    reference = subject.one.image.reference if subject.one else ""
    return JobRow(name=subject.name, verdict=subject.verdict, image=reference)


def _brief(finding: Finding) -> Finding:
    """With as many facts as a reader needs; ``check_heartbeats`` has all of them."""
    return finding.model_copy(update={"evidence": finding.evidence[:_FACTS]})
