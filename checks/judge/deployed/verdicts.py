"""Services and jobs one by one, each with a verdict of its own: what the rules found, and what they could not see."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from checks.evidence.deployments import Deployments, Job, Service
from checks.evidence.snapshot import Snapshot
from checks.judge.deployed.job_images import difference, lacking
from checks.judge.deployed.levels import ladder
from checks.judge.finding import Finding, Severity
from checks.judge.report import Report
from checks.judge.verdict import Verdict

DeploymentKind = Literal["service", "job", "missing"]

_ORDER: Final = (Verdict.P0, Verdict.P1, Verdict.UNKNOWN, Verdict.P2, Verdict.HEALTHY)
_GROUPED: Final = frozenset({"job-image-differs", "job-image-stale", "image-drift"})
_KINDS: Final[tuple[DeploymentKind, ...]] = ("missing", "service", "job")


@dataclass(frozen=True, slots=True)
class DeploymentVerdict:
    """One service or job, or one that the settings name and Cloud Run does not have.

    Attributes:
        findings: what the rules found about it, worst first.
        unseen: what of it could not be compared, and why; None where nothing was left.
        told: what nothing compares it with, by the settings.
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


def subjects(snapshot: Snapshot, report: Report) -> list[DeploymentVerdict]:
    """Every service and job of a snapshot, worst first; nothing where Cloud Run gave no answer."""
    deployments = snapshot.deployments
    if deployments is None:
        return []
    told = [*_services(snapshot, deployments, report), *_jobs(snapshot, deployments, report)]
    known = {each.name for each in told}
    absent = (f for f in report.findings if f.rule == "missing-deployments" and f.subject not in known)
    told += [DeploymentVerdict("missing", finding.subject, None, (finding,)) for finding in absent]
    return sorted(told, key=lambda each: (_ORDER.index(each.verdict), _KINDS.index(each.kind), each.name))


def _services(snapshot: Snapshot, deployments: Deployments, report: Report) -> Iterator[DeploymentVerdict]:
    for service in deployments.services:
        image = service.image.tagged(snapshot.pipeline.tag_of(service.name))
        unread = [share.revision for share, revision in service.serving if revision is None]
        unseen = f"serving revisions that could not be read: {', '.join(unread)}" if unread else None
        told = None
        if image.tag is None:
            told = "deployed by digest, and the settings name no tag that it should serve"
        elif deployments.tag(image) is None:
            unseen = unseen or f"where the tag {image.tag} points could not be read"
        grouped = _drifts(snapshot, service)
        yield DeploymentVerdict(
            "service", service.name, service, _about(report, service.name, None, grouped), unseen, told
        )


def _jobs(snapshot: Snapshot, deployments: Deployments, report: Report) -> Iterator[DeploymentVerdict]:
    follows = {job.name: job.follows for job in snapshot.pipeline.jobs}
    services = {service.name: service for service in deployments.services}
    for job in deployments.jobs:
        leader = follows.get(job.name)
        unseen = _uncompared(deployments, job, services.get(leader), leader) if leader else None
        told = None if leader else "the settings name no service that it follows, so its image is compared with nothing"
        grouped = _drifts(snapshot, job)
        if _differs(deployments, job, services.get(leader or "")):
            grouped.add("job-image-differs")
        if lacking(snapshot, deployments, job):
            grouped.add("job-image-stale")
        yield DeploymentVerdict("job", job.name, job, _about(report, job.name, leader, grouped), unseen, told)


def _uncompared(deployments: Deployments, job: Job, service: Service | None, name: str) -> str | None:
    if service is None:
        return f"{name}, which it follows, could not be read"
    if not any(revision and revision.image.digest for _, revision in service.serving):
        return f"what {name} serves could not be read"
    if (
        job.image.digest is None
        and deployments.tag(job.image) is None
        and job.image.repository == service.image.repository
    ):
        return f"where the tag {job.image.tag} points could not be read"
    return None


def _about(report: Report, name: str, leader: str | None, grouped: Collection[str]) -> tuple[Finding, ...]:
    """The findings about one. Those about several jobs at once bear the name of the service that these follow.

    Args:
        report: what the rules found.
        name: whose findings.
        leader: the service that it follows.
        grouped: the rules of such findings that this one itself gives cause for.
    """
    return tuple(
        finding
        for finding in report.findings
        if (finding.subject in {name, leader} and finding.rule in grouped)
        or (finding.subject == name and finding.rule not in _GROUPED)
    )


def _drifts(snapshot: Snapshot, one: Service | Job) -> set[str]:
    return {"image-drift"} if ladder(snapshot, one).contradictions else set()


def _differs(deployments: Deployments, job: Job, service: Service | None) -> bool:
    """Asks the rule itself: its finding names a bounded number of jobs, and counts the others."""
    return service is not None and difference(deployments, job, service) is not None
