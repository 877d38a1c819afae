"""A deploy that exited 0, a label and a tag can all claim a fix that the image's files do not hold.

In short: a share of the traffic meets an image whose files lack what a code probe looks for: P1

Severity: P1: what serves does what the fix was to end, and everybody believes that it is over. The bytes of the file
outrank every label. What could not be read is a gap, never a proof.
"""

from collections.abc import Iterator

from checks.evidence.deployments import Deployments, Service
from checks.evidence.running_images import RunningImage, parts_of
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.context import Context
from checks.judge.deployed.proofs import Outcome, Proof, proofs_in
from checks.judge.finding import Fact, Finding, Severity
from checks.judge.rule import Rule
from checks.judge.rules import commit_label_contradicted, image_drift, regrowth


def fix_not_deployed(context: Context) -> Iterator[Finding]:
    """At most one finding per service, with every share of its traffic that lacks a fix."""
    deployments = context.snapshot.deployments
    if deployments is None:
        return
    for service in deployments.services:
        lacking = list(_lacking(context.snapshot, deployments, service))
        if lacking:
            yield _finding(service, lacking, _effects(context, service))


def _lacking(snapshot: Snapshot, deployments: Deployments, service: Service) -> Iterator[tuple[RunningImage, Proof]]:
    parts = parts_of(snapshot.pipeline, deployments, service)
    found = [each for probe in snapshot.pipeline.probes_of(service.name) for each in proofs_in(parts, probe.name)]
    for part, proof in sorted(found, key=lambda each: parts.index(each[0])):
        if proof and proof.result is Outcome.CONTRADICTED:
            yield part, proof


def _effects(context: Context, service: Service) -> tuple[str, ...]:
    """The keys of what code without the fix does: silence of its processors, and malformed ids that grow."""
    snapshot, heartbeats = context.snapshot, context.snapshot.pipeline.heartbeats
    families = snapshot.census.families if snapshot.census else ()
    own = (each for each in families if heartbeats.services.get(each.processor) == service.name)
    grows = any(each.malformed_lately(snapshot.taken_at) for each in own)
    growth = (regrowth.RULE.key(heartbeats.collection),) if grows else ()
    return (*context.silence_of(service.name), *growth)


def _finding(service: Service, lacking: list[tuple[RunningImage, Proof]], effects: tuple[str, ...]) -> Finding:
    percent = sum(
        {(part.share.revision, part.share.latest): part.share.percent for part, _ in lacking if part.share}.values()
    )
    probes = ", ".join(dict.fromkeys(proof.probe for _, proof in lacking))
    return Finding(
        rule="fix-not-deployed",
        severity=Severity.P1,
        subject=service.name,
        region=service.region,
        fault=tuple(sorted({f"{proof.probe} {part.digest}" for part, proof in lacking})),
        summary=f"{percent} % of its traffic meets code without {probes}",
        evidence=tuple(
            Fact(subject=proof.reason, detail=f"in {part.name}, {_where(part, proof)}") for part, proof in lacking
        ),
        level=Level.BYTES,
        next_step=f"NOT DEPLOYED: build {service.name} without a cache from a commit that has {probes}, redeploy it by "
        f"digest, and look again with validate-daily probe {service.name}",
        count=percent,
        explains=effects,
    )


def _where(part: RunningImage, proof: Proof) -> str:
    digest = (part.digest or "")[:19]
    return f"image {digest}, layer {proof.file.layer[:19]}" if proof.file.layer else f"image {digest}"


RULE = Rule(
    fix_not_deployed,
    needs=("cloud-run", "registry"),
    wants="code probes",
    fault="the code probes that fail, and the image digests that serve without them",
    counts="percent of the traffic",
    explains=(image_drift.RULE, commit_label_contradicted.RULE),
)
