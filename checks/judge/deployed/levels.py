"""What every level of evidence says of one service or job, and the one verdict that follows.

The claim is that it runs what was pushed, with every fix that a code probe looks for. Words and labels never decide: a
verdict rests on a digest at least. What any of the upper levels contradicts is contradicted, at the strongest of them;
what code probes could not read is unknown, whatever the effect: it proves nothing about a file that nobody read.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import AwareDatetime

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.containers import Image
from checks.evidence.deployments import Deployments, Job, Service, State
from checks.evidence.images import Inspected
from checks.evidence.pushed_images import PushedImage, pushed_of
from checks.evidence.running_images import RunningImage, parts_of
from checks.evidence.snapshot import Level, Snapshot
from checks.judge.deployed.effects import Effect, effect_of
from checks.judge.deployed.job_images import difference, leader_of
from checks.judge.deployed.proofs import WORST_FIRST, Outcome, Proof, proof_in, proofs_in, worst
from checks.judge.processors import ProcessorStanding
from checks.settings.pipeline import Pipeline
from checks.text.commits import same_commit
from checks.text.plural import counted

_DECIDING: Final = (Level.RUNTIME, Level.BYTES, Level.DIGEST)


class Rung(Evidence):
    """What one level says. ``result`` is None where it says nothing of the claim."""

    level: Level
    says: Untrusted
    result: Outcome | None = None


class Ladder(Evidence):
    """All levels of one service or job, strongest first.

    Attributes:
        name, kind: which one.
        verdict: matched, contradicted or unknown.
        level: what the verdict rests on; None where nothing decides.
        rungs: what every level says.
        contradictions: where two levels cannot both be right.
        measured_at: when all of it was read.
    """

    name: str
    kind: str
    verdict: Outcome
    level: Level | None
    rungs: tuple[Rung, ...]
    contradictions: tuple[Untrusted, ...] = ()
    measured_at: AwareDatetime


def ladder(snapshot: Snapshot, standings: Iterable[ProcessorStanding], one: Service | Job) -> Ladder:
    """The ladder of one service or job.

    Args:
        snapshot: what was seen; levels that were not read say so.
        standings: how its processors stand.
        one: of the same snapshot.
    """
    deployments = snapshot.deployments or Deployments()
    parts = parts_of(snapshot.pipeline, deployments, one)
    effect, held = effect_of(snapshot, standings, one), _bytes(snapshot.pipeline, one.name, parts)
    rungs = (
        Rung(level=Level.RUNTIME, says=effect.says, result=effect.result),
        held,
        _digest(snapshot, deployments, one, parts),
        _tag(snapshot.pipeline, deployments, one),
        _label(one, parts),
        _exit_code(one),
        _text(snapshot.pipeline, one.name),
    )
    verdict, level = _verdict(rungs)
    return Ladder(
        name=one.name,
        kind="service" if isinstance(one, Service) else "job",
        verdict=verdict,
        level=level,
        rungs=rungs,
        contradictions=tuple(_contradictions(snapshot.pipeline, one, parts, effect, held)),
        measured_at=snapshot.taken_at,
    )


def _verdict(rungs: Iterable[Rung]) -> tuple[Outcome, Level | None]:
    """The worst that a deciding level says, at the strongest level that says it: effects prove no unread file."""
    results = {rung.level: rung.result for rung in rungs}
    for wanted in WORST_FIRST:
        for level in _DECIDING:
            if results[level] is wanted:
                return wanted, level
    return Outcome.UNKNOWN, None


def _bytes(pipeline: Pipeline, name: str, parts: list[RunningImage]) -> Rung:
    probes = pipeline.probes_of(name)
    if not probes:
        return Rung(level=Level.BYTES, says="the settings name no code probe for it")
    results: list[Outcome] = []
    told: list[str] = []
    hold = f"{len(probes)} of {counted(len(probes), 'code probe holds', 'code probes hold')}"
    found: dict[str, list[Proof | None]] = {}
    for probe in probes:
        for image, proof in proofs_in(parts, probe.name):
            found.setdefault(image.name, []).append(proof)
    for part, proofs in found.items():
        results += [proof.result if proof else Outcome.UNKNOWN for proof in proofs]
        against = [proof.reason for proof in proofs if proof and proof.result is not Outcome.MATCHED]
        if not all(proofs):
            against.append("its image was not read")
        told.append(f"{part}: {', '.join(against) or hold}")
    return Rung(level=Level.BYTES, says="; ".join(told) or "nothing serves", result=worst(results))


def _digest(snapshot: Snapshot, deployments: Deployments, one: Service | Job, parts: list[RunningImage]) -> Rung:
    told = [f"{part.name}: {_short(part.digest)}" for part in parts]
    says = "; ".join(told) or "nothing serves"
    return Rung(level=Level.DIGEST, says=says, result=_pushed(snapshot, deployments, one))


def _pushed(snapshot: Snapshot, deployments: Deployments, one: Service | Job) -> Outcome | None:
    """Whether every share runs what the tag points at, and a job what its service serves."""
    if isinstance(one, Job):
        leader = leader_of(snapshot, one)
        if leader is None or not any(revision and revision.image.digest for _, revision in leader.serving):
            return None
        if difference(snapshot.pipeline, deployments, one, leader):
            return Outcome.CONTRADICTED
        known = [part.digest for part in parts_of(snapshot.pipeline, deployments, one)]
        return Outcome.MATCHED if known and all(known) else None
    preview = one.preview is not None and snapshot.pipeline.tag_of(one.name) is None
    compared = [] if one.in_progress or preview else pushed_of(snapshot.pipeline, deployments, one)
    told = [_compared(deployments, each) for each in compared]
    return Outcome.CONTRADICTED if Outcome.CONTRADICTED in told else None if None in told or not told else told[0]


def _compared(deployments: Deployments, pushed: PushedImage) -> Outcome | None:
    """Whether every share of the traffic runs what the tag of a container points at."""
    tag = pushed.tag
    if tag is None or tag.digest is None:
        return None
    digests = [image.digest if image else None for _, _, image in pushed.serving]
    if any(digest and not deployments.meets(tag, digest) for digest in digests):
        return Outcome.CONTRADICTED
    return Outcome.MATCHED if digests and all(digests) else None


def _tag(pipeline: Pipeline, deployments: Deployments, one: Service | Job) -> Rung:
    if isinstance(one, Service):
        images = [each.image for each in pushed_of(pipeline, deployments, one)]
    else:
        images = [part.image for part in parts_of(pipeline, deployments, one) if part.image]
    told = [_points(deployments, image) for image in images if image.by_tag]
    return Rung(level=Level.TAG, says="; ".join(told) or "deployed by digest, and the settings name no tag")


def _points(deployments: Deployments, image: Image) -> str:
    tag = deployments.tag(image)
    points = "was not read" if tag is None else _short(tag.digest) if tag.digest else "does not exist"
    return f"{image.tag} in {image.repository}: {points}"


def _label(one: Service | Job, parts: list[RunningImage]) -> Rung:
    told = [f"{one.name} claims commit {one.commit}"] if one.commit else []
    for part in parts:
        own = part.inspected.contents.commit if part.inspected else None
        claims = (("", part.commit), ("the image of ", own))
        told += [f"{whose}{part.name} claims {commit}" for whose, commit in claims if commit and commit != one.commit]
    return Rung(level=Level.LABEL, says="; ".join(told) or "no label claims a commit")


def _exit_code(one: Service | Job) -> Rung:
    if isinstance(one, Job):
        return Rung(level=Level.EXIT_CODE, says=f"its last execution of {one.executions} ended as {one.last_state}")
    state = "is in progress" if one.in_progress else f"ended as {one.state}"
    reason = f" ({one.reason})" if one.reason and one.state is not State.SUCCEEDED else ""
    stopped = "; it is scaled to 0 by hand" if one.instances == 0 else ""
    made = one.created or "no revision"
    return Rung(level=Level.EXIT_CODE, says=f"its last change {state}{reason}, made {made}{stopped}")


def _text(pipeline: Pipeline, name: str) -> Rung:
    wanted = [
        f"{probe.name}{f' of commit {probe.commit}' if probe.commit else ''}" for probe in pipeline.probes_of(name)
    ]
    return Rung(level=Level.TEXT, says=f"the settings want {', '.join(wanted)}" if wanted else "nothing is claimed")


def _contradictions(
    pipeline: Pipeline, one: Service | Job, parts: list[RunningImage], effect: Effect, held: Rung
) -> Iterator[str]:
    for part in parts:
        if part.inspected is not None:
            yield from _of_labels(pipeline, one, part, part.inspected)
    if effect.documents and held.result is Outcome.MATCHED:
        yield "its bytes hold every fix, and what its processors write says otherwise"


def _of_labels(pipeline: Pipeline, one: Service | Job, part: RunningImage, seen: Inspected) -> Iterator[str]:
    claims = [claim for claim in (part.commit or one.commit, seen.contents.commit) if claim]
    # A job is labelled once, and its image changes by its tag or by an update of the image alone.
    if len(claims) > 1 and isinstance(one, Service) and not same_commit(*claims):
        yield f"the label of {part.name} says {claims[0]}, its image's own says {claims[1]}"
    for probe in pipeline.probes_of(one.name):
        proof = proof_in(part, probe.name)
        claim = next((claim for claim in claims if probe.commit and same_commit(claim, probe.commit)), None)
        if claim and proof and proof.result is Outcome.CONTRADICTED:
            yield f"the label of {part.name} says {claim}, which is {probe.name}; its bytes lack that: {proof.reason}"


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "no digest is known"
