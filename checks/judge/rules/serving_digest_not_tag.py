"""A revision pins a digest: moving a tag deploys nothing, and what serves is then not what was pushed.

In short: a tag moved and was not deployed: P1; the tag is gone: P2

Severity: P1: somebody pushed an image and believes that it runs; P2 where the tag no longer exists. A tag may point at
an index of which Cloud Run records one platform's manifest, and the other way round: both are right. An image without
a tag was deployed by `latest`; one with a tag and a digest was deployed by the digest. Where the newest revision holds
what the tag points at, it *was* deployed, and whether it serves is revision-not-serving's to say.
"""

from collections.abc import Iterator
from typing import Final

from checks.evidence.deployments import Deployments, Revision, Service, Share
from checks.evidence.pushed_images import PushedImage, pushed_of
from checks.judge.context import Context
from checks.judge.deployed.undeployed import not_deployed
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import commit_label_contradicted, fix_not_deployed, image_drift
from checks.text.plural import form

_RULE: Final = "serving-digest-not-tag"


def serving_digest_not_tag(context: Context) -> Iterator[Finding]:
    """At most one finding per service whose tag could be read."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return
    for service in deployments.services:
        preview = service.preview is not None and context.snapshot.pipeline.tag_of(service.name) is None
        if not service.in_progress and not preview:
            pushed = pushed_of(context.snapshot.pipeline, deployments, service)
            yield from _judge(deployments, service, [each for each in pushed if each.tag is not None])


def _judge(deployments: Deployments, service: Service, pushed: list[PushedImage]) -> Iterator[Finding]:
    moved = [(each, old) for each in pushed if (old := _old(deployments, each))]
    gone = [_name(each) for each in pushed if each.tag and each.tag.digest is None]
    if moved:
        yield _moved(service, moved, alone=len(pushed) == 1)
    elif gone:
        told = form(len(gone), "the tag that it should serve does", "tags that it should serve do")
        summary = f"{told} not exist: {', '.join(gone)}"
        yield not_deployed(_RULE, service, Severity.P2, summary, (), "push it again", fault=gone)


_Old = list[tuple[Share, Revision, str]]
"""Shares of the traffic, the revisions that serve them, and the digests that one container runs there."""


def _moved(service: Service, moved: list[tuple[PushedImage, _Old]], *, alone: bool) -> Finding:
    tags = ", ".join((each.image.tag or "") if alone else _name(each) for each, _ in moved)
    several = len(moved)
    facts: list[Fact] = []
    for each, old in moved:
        facts.append(Fact(subject=_points_at(each), detail=f"is what {_name(each)} points at now"))
        facts += [
            Fact(subject=digest, detail=f"is what {revision.name} serves ({share.percent} %)")
            for share, revision, digest in old
        ]
    shares = {(share.revision, share.percent, share.latest) for _, old in moved for share, _, _ in old}
    told = form(several, f"the tag {tags} moved and was", f"the tags {tags} moved and were")
    point = form(several, "points", "point")
    return not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"{told} not deployed: what serves is another digest",
        tuple(facts),
        f"NOT DEPLOYED: deploy {service.name} by the digest that {tags} {point} at, and look again",
        fault=[
            part
            for each, old in moved
            for part in (_name(each), _points_at(each), *sorted({digest for _, _, digest in old}))
        ],
        percent=sum(percent for _, percent, _ in shares),
    )


def _old(deployments: Deployments, pushed: PushedImage) -> _Old:
    """The shares that serve something else; none where the newest revision holds what the tag means."""
    tag = pushed.tag
    if tag is None or tag.digest is None:
        return []
    if any(image.digest and deployments.meets(tag, image.digest) for image in pushed.newest):
        return []
    return [
        (share, revision, image.digest)
        for share, revision, image in pushed.serving
        if revision and image and image.digest and not deployments.meets(tag, image.digest)
    ]


def _points_at(pushed: PushedImage) -> str:
    return (pushed.tag and pushed.tag.digest) or ""


def _name(pushed: PushedImage) -> str:
    return f"{pushed.image.repository}:{pushed.image.tag}"


RULE = Rule(
    serving_digest_not_tag,
    needs=("cloud-run", "registry"),
    fault="the tag, the digest that it points at, and the other digests that serve",
    counts="percent of the traffic",
    explains=(commit_label_contradicted.RULE, fix_not_deployed.RULE, image_drift.RULE),
)
