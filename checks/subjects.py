"""Services and jobs one by one, each with a verdict of its own: what the rules found, and what they could not see."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from checks.deployments import Deployments, Job, Service
from checks.evidence import Snapshot
from checks.finding import Finding, Severity
from checks.report import Report, Verdict
from checks.rules.job_image_differs import difference

Kind = Literal["service", "job", "missing"]

_ORDER: Final = (Verdict.P0, Verdict.P1, Verdict.UNKNOWN, Verdict.P2, Verdict.HEALTHY)
_KINDS: Final[tuple[Kind, ...]] = ("missing", "service", "job")


@dataclass(frozen=True, slots=True)
class Subject:
    """One service or job, or one that the settings name and Cloud Run does not have.

    Attributes:
        findings: what the rules found about it, worst first.
        unseen: what of it could not be compared, and why; None where nothing was left.
        told: what nothing compares it with, by the settings.
    """

    kind: Kind
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


def subjects(snapshot: Snapshot, report: Report) -> list[Subject]:
    """Every service and job of a snapshot, worst first; nothing where Cloud Run gave no answer."""
    deployments = snapshot.deployments
    if deployments is None:
        return []
    told = [*_services(snapshot, deployments, report), *_jobs(snapshot, deployments, report)]
    known = {each.name for each in told}
    absent = (f for f in report.findings if f.rule == "missing-deployments" and f.subject not in known)
    told += [Subject("missing", finding.subject, None, (finding,)) for finding in absent]
    return sorted(told, key=lambda each: (_ORDER.index(each.verdict), _KINDS.index(each.kind), each.name))


def _services(snapshot: Snapshot, deployments: Deployments, report: Report) -> Iterator[Subject]:
    for service in deployments.services:
        image = service.image.tagged(snapshot.pipeline.tag_of(service.name))
        unread = [share.revision for share, revision in service.serving if revision is None]
        unseen = f"serving revisions that could not be read: {', '.join(unread)}" if unread else None
        told = None
        if image.tag is None:
            told = "deployed by digest, and the settings name no tag that it should serve"
        elif deployments.tag(image) is None:
            unseen = unseen or f"where the tag {image.tag} points could not be read"
        yield Subject("service", service.name, service, _about(report, service.name), unseen, told)


def _jobs(snapshot: Snapshot, deployments: Deployments, report: Report) -> Iterator[Subject]:
    follows = {job.name: job.follows for job in snapshot.pipeline.jobs}
    services = {service.name: service for service in deployments.services}
    for job in deployments.jobs:
        leader = follows.get(job.name)
        unseen = _uncompared(deployments, job, services.get(leader), leader) if leader else None
        told = None if leader else "the settings name no service that it follows, so its image is compared with nothing"
        image = {job.name, leader} if leader and _differs(deployments, job, services.get(leader)) else ()
        yield Subject("job", job.name, job, _about(report, job.name, image), unseen, told)


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


def _about(report: Report, name: str, image: Collection[str] = ()) -> tuple[Finding, ...]:
    """The findings about one; those about images of jobs bear the name of a job or of the service that it follows."""
    return tuple(
        finding for finding in report.findings if finding.subject in (image if _of_images(finding) else {name})
    )


def _of_images(finding: Finding) -> bool:
    return finding.rule == "job-image-differs"


def _differs(deployments: Deployments, job: Job, service: Service | None) -> bool:
    """Asks the rule itself: its finding names a bounded number of jobs, and counts the others."""
    return service is not None and difference(deployments, job, service) is not None
