"""Services and jobs one by one, each with a verdict of its own: what the rules found, and what they could not see."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from checks.evidence.deployments import Deployments, Job, Service, State
from checks.evidence.own_containers import own_of_job, repositories_of
from checks.evidence.pushed_images import pushed_of
from checks.evidence.snapshot import Snapshot
from checks.judge.context import Context
from checks.judge.deployed.job_images import leader_of, served_digests
from checks.judge.finding import Finding, Severity
from checks.judge.report import Report
from checks.judge.rules import RULES, missing_deployments
from checks.judge.verdict import Verdict

DeploymentKind = Literal["service", "job", "missing"]

_ORDER: Final = (Verdict.P0, Verdict.P1, Verdict.UNKNOWN, Verdict.P2, Verdict.HEALTHY)
_CONCERNS: Final = {rule.name: rule.concerns for rule in RULES if rule.concerns}
_KINDS: Final[tuple[DeploymentKind, ...]] = ("missing", "service", "job")


@dataclass(frozen=True, slots=True)
class DeploymentVerdict:
    """One service or job, or one that the settings name and Cloud Run does not have.

    Attributes:
        findings: what the rules found about it, worst first.
        unseen: what of it could not be compared, and why; None where nothing was left.
        told: what the verdict leaves out: that nothing compares it, by the settings; how a job's last execution ended.
    """

    kind: DeploymentKind
    name: str
    one: Service | Job | None
    findings: tuple[Finding, ...]
    unseen: str | None = None
    told: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst that is known of it; unknown where something could not be seen and nothing worse is known."""
        severities = [finding.severity for finding in self.findings]
        severities += [Severity.UNKNOWN] if self.unseen else []
        worst = min(severities, key=lambda severity: severity.rank, default=None)
        return Verdict(worst.value) if worst else Verdict.HEALTHY


def subjects(context: Context, report: Report) -> list[DeploymentVerdict]:
    """Every service and job of a snapshot, worst first; nothing where Cloud Run gave no answer."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return []
    told = [*_services(context, deployments, report), *_jobs(context, deployments, report)]
    known = {each.name for each in told}
    absent = (f for f in report.findings if f.rule == missing_deployments.RULE.name and f.subject not in known)
    told += [DeploymentVerdict("missing", finding.subject, None, (finding,)) for finding in absent]
    return sorted(told, key=lambda each: (_ORDER.index(each.verdict), _KINDS.index(each.kind), each.name))


def _services(context: Context, deployments: Deployments, report: Report) -> Iterator[DeploymentVerdict]:
    for service in deployments.services:
        pushed = pushed_of(context.snapshot.pipeline, deployments, service)
        tagged = [each for each in pushed if each.image.by_tag]
        lost = ", ".join(each.image.tag or "" for each in tagged if each.tag is None)
        unread = [share.revision for share, revision in service.serving if revision is None]
        unseen = f"serving revisions that could not be read: {', '.join(unread)}" if unread else None
        told = None
        if not tagged:
            told = "deployed by digest, and the settings name no tag that it should serve"
        elif lost:
            unseen = unseen or f"where the tag {lost} points could not be read"
        findings = _about(context, report, service, None)
        yield DeploymentVerdict("service", service.name, service, findings, unseen, told)


def _jobs(context: Context, deployments: Deployments, report: Report) -> Iterator[DeploymentVerdict]:
    for job in deployments.jobs:
        leader = context.snapshot.pipeline.follows(job.name)
        unseen = _uncompared(context.snapshot, deployments, job, leader) if leader else None
        told = None if leader else "the settings name no service that it follows, so its image is compared with nothing"
        told = "; ".join(filter(None, (told, _ended(job)))) or None
        yield DeploymentVerdict("job", job.name, job, _about(context, report, job, leader), unseen, told)


def _ended(job: Job) -> str | None:
    """That a job's last execution failed: its image may be right nevertheless."""
    if not job.executions or job.last_state is not State.FAILED:
        return None
    how = "was cancelled" if job.cancelled else "failed"
    return f"the last execution of {job.name}{f', {job.last_execution},' if job.last_execution else ''} {how}"


def _uncompared(snapshot: Snapshot, deployments: Deployments, job: Job, name: str) -> str | None:
    service = leader_of(snapshot, job)
    if service is None:
        return f"{name}, which it follows, could not be read"
    if not served_digests(snapshot.pipeline, deployments, service):
        return f"what {name} serves could not be read"
    homes = repositories_of(snapshot.pipeline, service)
    for container in own_of_job(snapshot.pipeline, job, service).containers:
        image = container.image
        if image.by_tag and deployments.tag(image) is None and image.repository in homes:
            return f"where the tag {image.tag} points could not be read"
    return None


def _about(context: Context, report: Report, one: Service | Job, leader: str | None) -> tuple[Finding, ...]:
    """The findings about a service or job; those about several jobs bear the name of the service that these follow."""
    return tuple(
        finding
        for finding in report.findings
        if ((concerns := _CONCERNS.get(finding.rule)) is None and finding.subject == one.name)
        or (concerns is not None and finding.subject in {one.name, leader} and concerns(context, one))
    )
