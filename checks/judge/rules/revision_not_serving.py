"""A deploy that exited 0 and does not serve: the newest revision failed, or no traffic reaches it.

In short: newest revision failed, or gets no traffic: P1; a share of an old one: P2; in progress: unknown

Severity: P1 when the newest revision serves nothing, because old code goes on while everybody believes in the new; P2
when a part of the traffic still goes to an old one. A change in progress is unknown: it is not over. RETIRED is no
error. Created, ready and serving are read from Cloud Run's own status, never from an exit code.
"""

from collections.abc import Iterator
from typing import Final

from checks.evidence.deployments import Service, State
from checks.evidence.logs import Trouble
from checks.evidence.snapshot import Snapshot
from checks.judge.context import Context
from checks.judge.deployed.undeployed import not_deployed
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import commit_label_contradicted, fix_not_deployed, image_drift
from checks.text.plural import counted

_RULE: Final = "revision-not-serving"


def revision_not_serving(context: Context) -> Iterator[Finding]:
    """At most one finding per service."""
    if context.snapshot.deployments is None:
        return
    for service in context.snapshot.deployments.services:
        if service.reconciling:
            yield _in_progress(service)
        elif service.state is State.FAILED and service.created != service.ready:
            yield _failed(context.snapshot, service)
        elif not service.shares:
            yield _no_traffic(service)
        elif service.created not in {share.revision for share in service.shares}:
            yield _passed_over(service)
        elif len({share.revision for share in service.shares}) > 1:
            yield _split(service)


def _in_progress(service: Service) -> Finding:
    summary, step = "a change is in progress", "look again when it is over"
    return not_deployed(_RULE, service, Severity.UNKNOWN, summary, (), step, fault=("in progress", service.created))


def _no_traffic(service: Service) -> Finding:
    summary, step = "no revision gets traffic", f"send traffic to {service.ready}"
    return not_deployed(_RULE, service, Severity.P1, summary, (), step, fault=("no traffic", service.created))


def _failed(snapshot: Snapshot, service: Service) -> Finding:
    newest = service.revision(service.created)
    reason = (newest and newest.reason) or service.reason or "no reason given"
    message = (newest and newest.message) or service.message
    facts = [Fact(subject=message, detail=f"is what Cloud Run says of {service.created}")] if message else []
    facts += [
        Fact(subject=burst.sample, detail=f"{counted(burst.lines, 'such line')} in its logs")
        for burst in (snapshot.logs.bursts if snapshot.logs else ())
        if (burst.trouble, burst.source, burst.revision) == (Trouble.STARTUP, service.name, service.created)
    ]
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{service.created} never became ready ({reason}); {_serving(service)} still serves",
        tuple(facts),
        f"NOT DEPLOYED: read these lines, mend the image of {service.name} (does it listen on port 8080? does it hold "
        "what its command needs?), and deploy again",
        fault=("failed", service.created, *_revisions(service)),
    )


def _passed_over(service: Service) -> Finding:
    why = "traffic is pinned" if service.pinned else "traffic does not follow it"
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{service.created} gets no traffic: {why} to {_serving(service)}",
        tuple(Fact(subject=share.revision, detail=f"serves {share.percent} %") for share in service.shares),
        f"NOT DEPLOYED: if {service.created} is right, send the traffic of {service.name} to its latest revision",
        fault=("passed over", service.created, *_revisions(service)),
    )


def _split(service: Service) -> Finding:
    old = [share for share in service.shares if share.revision != service.created]
    percent = sum(share.percent for share in old)
    return not_deployed(
        _RULE,
        service,
        Severity.P2,
        f"{percent} % of the traffic still goes to an old revision",
        tuple(Fact(subject=share.revision, detail=f"serves {share.percent} %") for share in service.shares),
        f"finish the rollout of {service.name}, or take it back",
        fault=("split", service.created, *_revisions(service)),
        percent=percent,
    )


def _revisions(service: Service) -> list[str]:
    return sorted({share.revision for share in service.shares})


def _serving(service: Service) -> str:
    return ", ".join(share.revision for share in service.shares) or "nothing"


RULE = Rule(
    revision_not_serving,
    needs=("cloud-run",),
    fault="what is wrong (failed, no traffic, passed over, split), the newest revision, and those that serve",
    counts="percent of the traffic that an old revision gets",
    explains=(commit_label_contradicted.RULE, fix_not_deployed.RULE, image_drift.RULE),
)
