"""What is deployed, worst first: the answer of ``list_deployments``."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.deployments import Job, Service
from checks.evidence.snapshot import Gap, Snapshot
from checks.judge.deployed.verdicts import DeploymentKind, DeploymentVerdict
from checks.judge.verdict import Verdict
from mcp_server.answers.answer import Searched, ToolAnswer, notes
from mcp_server.answers.page import page
from mcp_server.cursor import asked

ROOM: Final = 8_500
"""Characters that the subjects of one page may take."""


class ShareRow(Evidence):
    """A part of a service's traffic. ``digest`` is what its revision runs; null where that could not be read."""

    revision: str
    percent: Count
    digest: str | None


class Deployment(Evidence):
    """One service or job.

    Attributes:
        kind: "missing" is named by the settings, and Cloud Run does not have it.
        verdict: of the rules about this one alone.
        why: each finding about it, in a sentence; what could not be seen; what it is compared with by nobody.
        created, ready: of a service: its newest revision, and the newest that became ready.
        serving: of a service: every share of its traffic.
        image: of a job: what its next execution runs; a tag is resolved only then.
        follows: of a job: the service whose image it should run.
        last_run: of a job: when it was last executed; null: never.
    """

    kind: DeploymentKind
    name: Untrusted
    verdict: Verdict
    why: tuple[str, ...] = ()
    created: str | None = None
    ready: str | None = None
    serving: tuple[ShareRow, ...] = ()
    image: Untrusted | None = None
    follows: str | None = None
    last_run: AwareDatetime | None = None


class DeploymentsAnswer(ToolAnswer):
    """Services and jobs, worst first.

    Attributes:
        verdicts: how many services and jobs have each verdict, on all pages together; empty where nothing was read.
        deployments: those of this page.
        omitted: how many follow on later pages.
    """

    verdicts: Mapping[Verdict, Count] = Field(default_factory=dict[Verdict, Count])
    deployments: tuple[Deployment, ...] = ()
    omitted: Count = 0


def deployments_answer(
    snapshot: Snapshot,
    verdicts: Sequence[DeploymentVerdict],
    gaps: tuple[Gap, ...],
    searched: Searched,
    limit: int,
    cursor: str | None,
) -> DeploymentsAnswer:
    """A page of services and jobs.

    Args:
        snapshot: what was seen.
        verdicts: of all services and jobs, in order.
        gaps: what could not be seen.
        searched: where was looked.
        limit: how many a page names, if they fit.
        cursor: ``next_cursor`` of the page before.

    Raises:
        ToolError: the cursor is none of this tool's, or what it names is gone.
    """
    shown = page(
        verdicts,
        cursor,
        asked=asked(limit),
        name=lambda each: each.name,
        row=partial(_row, snapshot),
        room=ROOM,
        most=limit,
    )
    found = snapshot.deployments
    return DeploymentsAnswer(
        practice=snapshot.practice,
        searched=searched,
        complete=found is not None and found.complete and not gaps,
        gaps=gaps,
        note=notes(_empty(snapshot, verdicts)),
        truncated=shown.next_cursor is not None,
        next_cursor=shown.next_cursor,
        verdicts=dict(Counter(each.verdict for each in verdicts)),
        deployments=shown.rows,
        omitted=shown.omitted,
    )


def _empty(snapshot: Snapshot, verdicts: Sequence[DeploymentVerdict]) -> str | None:
    if snapshot.deployments is None or verdicts:
        return None
    return "Cloud Run has no service and no job there: are project and region in the settings right?"


def _row(snapshot: Snapshot, subject: DeploymentVerdict) -> Deployment:
    why = [finding.summary for finding in subject.findings]
    why += [each for each in (subject.unseen, subject.told) if each]
    known = {"kind": subject.kind, "name": subject.name, "verdict": subject.verdict, "why": tuple(why)}
    one = subject.one
    if isinstance(one, Service):
        known |= {"created": one.created or None, "ready": one.ready or None, "serving": shares(one)}
    elif isinstance(one, Job):
        known |= {"image": one.image.reference, "follows": leader(snapshot, one.name), "last_run": one.last_run}
    return Deployment.model_validate(known)


def shares(service: Service) -> tuple[ShareRow, ...]:
    """Every share of a service's traffic, with the digest that it is served by."""
    return tuple(
        ShareRow(revision=share.revision, percent=share.percent, digest=revision.image.digest if revision else None)
        for share, revision in service.serving
    )


def leader(snapshot: Snapshot, job: str) -> str | None:
    """The service that a job follows, by the settings."""
    return next((each.follows for each in snapshot.pipeline.jobs if each.name == job), None)
