"""A revision pins a digest: moving a tag deploys nothing, and what serves is then not what was pushed.

In short: a tag moved and was not deployed: P1; the tag is gone: P2

Severity: P1: somebody pushed an image and believes that it runs; P2 where the tag no longer exists. A tag may point at
an index of which Cloud Run records one platform's manifest, and the other way round: both are right. An image without
a tag was deployed by `latest`; one with a tag and a digest was deployed by the digest. Where the newest revision holds
what the tag points at, it *was* deployed, and whether it serves is revision-not-serving's to say.
"""

from collections.abc import Iterator
from typing import Final

from checks.evidence.deployments import Deployments, Image, Service
from checks.judge.context import Context
from checks.judge.deployed.undeployed import not_deployed
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import commit_label_contradicted, fix_not_deployed, image_drift

_RULE: Final = "serving-digest-not-tag"


def serving_digest_not_tag(context: Context) -> Iterator[Finding]:
    """At most one finding per service whose tag could be read."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return
    for service in deployments.services:
        image = service.image.tagged(context.snapshot.pipeline.tag_of(service.name))
        if image.by_tag is not None and not service.reconciling:
            yield from _judge(deployments, service, image)


def _judge(deployments: Deployments, service: Service, image: Image) -> Iterator[Finding]:
    tag = deployments.tag(image)
    if tag is None:
        return
    name = f"{image.repository}:{image.tag}"
    if tag.digest is None:
        summary = f"the tag that it should serve does not exist: {name}"
        yield not_deployed(_RULE, service, Severity.P2, summary, (), "push it again", fault=(name,))
        return
    newest = service.revision(service.created)
    if newest and newest.image.digest and deployments.meets(tag, newest.image.digest):
        return
    old = [
        (share, revision)
        for share, revision in service.serving
        if revision and revision.image.digest and not deployments.meets(tag, revision.image.digest)
    ]
    if not old:
        return
    facts = [Fact(subject=tag.digest, detail=f"is what {name} points at now")]
    facts += [
        Fact(subject=revision.image.digest or "", detail=f"is what {revision.name} serves ({share.percent} %)")
        for share, revision in old
    ]
    yield not_deployed(
        _RULE,
        service,
        Severity.P1,
        f"the tag {image.tag} moved and was not deployed: what serves is another digest",
        tuple(facts),
        f"NOT DEPLOYED: deploy {service.name} by the digest that {image.tag} points at, and look again",
        fault=(name, tag.digest, *sorted({revision.image.digest or "" for _, revision in old})),
        percent=sum(share.percent for share, _ in old),
    )


RULE = Rule(
    serving_digest_not_tag,
    needs=("cloud-run", "registry"),
    fault="the tag, the digest that it points at, and the other digests that serve",
    counts="percent of the traffic",
    explains=(commit_label_contradicted.RULE, fix_not_deployed.RULE, image_drift.RULE),
)
