"""A deploy that exited 0 and does not serve: the newest revision failed, or no traffic reaches it.

In short: newest revision or service failed, or the newest gets no traffic: P1; a share of an old one, or scaled to 0 by
hand: P2; in progress: unknown

Severity: P1 when the newest revision serves nothing, because old code goes on while everybody believes in the new, and
where Cloud Run says that the service, or a revision that serves, has failed; P2 when a part of the traffic still goes
to an old one, or somebody scaled the service to 0. A change in progress, and a status of an older generation, is
unknown: it is not over. RETIRED is no error. A revision that a traffic tag shows at 0 percent is a preview, and no
fault unless it alone holds what the settings' tag points at. Created, ready and serving are read from Cloud Run's own
status, never from an exit code.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Final

from checks.evidence.deployments import Deployments, Revision, Service, State
from checks.evidence.logs import Trouble
from checks.evidence.pushed_images import pushed_of
from checks.evidence.snapshot import Snapshot
from checks.judge.context import Context
from checks.judge.deployed.reasons import step_of
from checks.judge.deployed.undeployed import is_meant, not_deployed, serving_of
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import commit_label_contradicted, fix_not_deployed, image_drift
from checks.text.plural import counted

_RULE: Final = "revision-not-serving"
_STARTS: Final = timedelta(minutes=30)
"""After this nobody waits any more for a revision that Cloud Run does not call ready."""
_BY_MESSAGE: Final = (
    "do what Cloud Run says; where a traffic tag names a revision that is gone, take that tag off {name}, and look "
    "again"
)


def revision_not_serving(context: Context) -> Iterator[Finding]:
    """At most one finding per service about what serves, and one where it is scaled to 0."""
    if context.snapshot.deployments is None:
        return
    for service in context.snapshot.deployments.services:
        if found := _judge(context.snapshot, context.snapshot.deployments, service):
            yield found
        if service.instances == 0 and not service.in_progress:
            yield _stopped(service)


def _judge(snapshot: Snapshot, deployments: Deployments, service: Service) -> Finding | None:
    if service.in_progress:
        return _in_progress(service)
    return (
        _failed(snapshot, deployments, service)
        or _unfinished(snapshot, service)
        or _misdirected(snapshot, deployments, service)
    )


def _failed(snapshot: Snapshot, deployments: Deployments, service: Service) -> Finding | None:
    """What Cloud Run says has failed: the newest revision, the service, or a revision that serves."""
    newest = service.revision(service.created)
    broken = [each for _, each in service.serving if each and each.ready is State.FAILED]
    failed = service.state is State.FAILED
    if service.created != service.ready and (failed or (newest and newest.ready is State.FAILED)):
        aside = service.preview is not None and not broken and is_meant(snapshot.pipeline, deployments, service)
        return _newest_failed(snapshot, service, newest, Severity.P2 if aside else Severity.P1)
    return _service_failed(snapshot, service, broken) if failed or broken else None


def _misdirected(snapshot: Snapshot, deployments: Deployments, service: Service) -> Finding | None:
    """Traffic that does not go where it should."""
    serving = {share.revision for share in service.shares}
    if not service.shares:
        return _no_traffic(service)
    if service.created not in serving:
        return _passed_over(service) if service.preview is None else _preview(snapshot, deployments, service)
    return _split(service) if len(serving) > 1 else None


def _in_progress(service: Service) -> Finding:
    summary, step = "a change is in progress", "look again when it is over"
    if not service.reconciling:
        summary = "what Cloud Run tells of it is the state before its last change"
    return not_deployed(_RULE, service, Severity.UNKNOWN, summary, (), step, fault=("in progress", service.created))


def _unfinished(snapshot: Snapshot, service: Service) -> Finding | None:
    """Nothing is in progress, and Cloud Run does not say that the newest revision, or one that serves, is ready."""
    newest = service.revision(service.created)
    pending = [each for _, each in service.serving if each and each.ready is State.PENDING]
    waits = service.created != service.ready and (newest is None or newest.ready is not State.SUCCEEDED)
    if not (service.state is State.PENDING or pending or (waits and newest is not None)):
        return None
    named = newest if waits or not pending else pending[0]
    name = named.name if named else service.created
    over = snapshot.taken_at - (newest.created_at if newest else service.updated_at) > _STARTS
    message = (named and named.message) or service.message
    return not_deployed(
        _RULE,
        service,
        Severity.P1 if waits and over else Severity.UNKNOWN,
        f"Cloud Run does not say that {name} is ready; {serving_of(service)} serves",
        _said(message, service.created),
        f"look at the conditions of {name} in Cloud Run, and deploy {service.name} again if they stay so",
        fault=("unfinished", service.created, *_revisions(service)),
    )


def _no_traffic(service: Service) -> Finding:
    summary, step = "no revision gets traffic", f"send traffic to {service.ready}"
    if not service.ready:
        step = f"deploy {service.name}: it has no revision that is ready"
    return not_deployed(_RULE, service, Severity.P1, summary, (), step, fault=("no traffic", service.created))


def _newest_failed(snapshot: Snapshot, service: Service, newest: Revision | None, severity: Severity) -> Finding:
    reason = (newest and newest.reason) or service.reason
    message = (newest and newest.message) or service.message
    lines = _lines(snapshot, service, {service.created})
    step = step_of(service, newest, [*(fact.subject for fact in lines), message], reason)
    return not_deployed(
        _RULE,
        service,
        severity,
        f"{service.created} never became ready ({reason or 'no reason given'}); {serving_of(service)} still serves",
        (*_said(message, service.created), *lines),
        f"NOT DEPLOYED: {step}",
        fault=("failed", service.created, *_revisions(service)),
    )


def _service_failed(snapshot: Snapshot, service: Service, broken: list[Revision]) -> Finding:
    first = broken[0] if broken else None
    reason = (first and first.reason) or service.reason
    messages = {each: None for each in (service.message, *(one.message for one in broken)) if each}
    lines = _lines(snapshot, service, {each.name for each in broken})
    facts = [fact for each in messages for fact in _said(each, service.name)]
    facts += _traffic(service) if service.unmet else []
    if broken:
        summary = f"{', '.join(dict.fromkeys(each.name for each in broken))} serves and is not ready any more"
        step = step_of(service, first, [*messages, *(fact.subject for fact in lines)], reason)
    elif service.unmet:
        summary = "Cloud Run could not send the traffic where it was asked to"
        step = f"read why, mend that, and send the traffic of {service.name} again"
    else:
        summary = f"Cloud Run says that its last change failed; {serving_of(service)} serves"
        step = step_of(service, None, messages, reason) if reason else _BY_MESSAGE.format(name=service.name)
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{summary} ({reason or 'no reason given'})",
        (*facts, *lines),
        step,
        fault=("service failed", service.created, reason or "", *_revisions(service)),
    )


def _passed_over(service: Service) -> Finding:
    where = serving_of(service)
    why = f"traffic is pinned to {where}" if service.pinned else f"traffic does not follow it to {where}"
    step = f"if {service.created} is right, send the traffic of {service.name} to its latest revision"
    if service.unmet:
        why = f"the traffic that was asked for is not met, and {where} serves"
        step = f"read why in the conditions of {service.name}, and send its traffic again"
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{service.created} gets no traffic: {why}",
        tuple(_traffic(service)),
        f"NOT DEPLOYED: {step}",
        fault=("passed over", service.created, *_revisions(service)),
    )


def _preview(snapshot: Snapshot, deployments: Deployments, service: Service) -> Finding | None:
    """A preview is a fault only where it alone is what the settings want to serve."""
    tag = snapshot.pipeline.tag_of(service.name)
    pushed = pushed_of(snapshot.pipeline, deployments, service) if tag else []
    wanted = [each.tag for each in pushed if each.tag and each.tag.digest]
    newest = [image.digest for each in pushed for image in each.newest if image.digest]
    if is_meant(snapshot.pipeline, deployments, service) or not wanted:
        return None
    if not any(deployments.meets(each, digest) for each in wanted for digest in newest):
        return None  # the tag moved beyond the preview too, and serving-digest-not-tag says so
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{service.created} runs what the tag {tag} points at, and is a preview at 0 %; {serving_of(service)} serves",
        tuple(_traffic(service)),
        f"NOT DEPLOYED: deploy {service.name} by its own pipeline, with traffic, when the preview is good",
        fault=("preview", service.created, *_revisions(service)),
    )


def _stopped(service: Service) -> Finding:
    return not_deployed(
        _RULE,
        service,
        Severity.P2,
        "scaled to 0 by hand: it has no instance, and serves nothing",
        (),
        f"if {service.name} should run: gcloud run services update {service.name} --region {service.region} "
        f"--project {service.project} --scaling auto",
        fault=("scaled to 0",),
    )


def _split(service: Service) -> Finding:
    old = [share for share in service.shares if share.revision != service.created]
    percent = sum(share.percent for share in old)
    return not_deployed(
        _RULE,
        service,
        Severity.P2,
        f"{percent} % of the traffic still goes to an old revision",
        tuple(_traffic(service)),
        f"finish the rollout of {service.name}, or take it back",
        fault=("split", service.created, *_revisions(service)),
        percent=percent,
    )


def _revisions(service: Service) -> list[str]:
    return sorted({share.revision for share in service.shares})


def _traffic(service: Service) -> list[Fact]:
    facts = [Fact(subject=share.revision, detail=f"serves {share.percent} %") for share in service.shares]
    asked = service.wanted if service.unmet else ()
    return facts + [Fact(subject=share.revision, detail=f"was to serve {share.percent} %") for share in asked]


def _said(message: str | None, name: str) -> tuple[Fact, ...]:
    return (Fact(subject=message, detail=f"is what Cloud Run says of {name}"),) if message else ()


def _lines(snapshot: Snapshot, service: Service, revisions: Collection[str]) -> tuple[Fact, ...]:
    """What the logs of a revision say of its start."""
    return tuple(
        Fact(subject=burst.sample, detail=f"{counted(burst.lines, 'such line')} in its logs")
        for burst in (snapshot.logs.bursts if snapshot.logs else ())
        if (burst.trouble, burst.source) == (Trouble.STARTUP, service.name) and burst.revision in revisions
    )


RULE = Rule(
    revision_not_serving,
    needs=("cloud-run",),
    fault="what is wrong (failed, service failed and why, unfinished, no traffic, passed over, preview, split, scaled "
    "to 0), the newest revision, and those that serve",
    counts="percent of the traffic that an old revision gets",
    explains=(commit_label_contradicted.RULE, fix_not_deployed.RULE, image_drift.RULE),
)
