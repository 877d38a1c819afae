"""What a look at what really runs found, subject by subject: evidence put together, nothing read."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from checks.evidence.base import Count, Evidence, Untrusted
from checks.evidence.deployments import Deployments, Image, Job, Service
from checks.evidence.images import Inspected, Starting
from checks.evidence.running_images import RunningImage, parts_of
from checks.evidence.snapshot import Gap, Level, Target
from checks.judge.context import Context
from checks.judge.deployed.levels import Ladder
from checks.judge.deployed.proofs import Outcome, Proof, proofs_of, worst
from checks.judge.verdict import ExitCode

SCHEMA: Final = "validate-daily/probe/1"
_EXIT: Final = {
    Outcome.MATCHED: ExitCode.HEALTHY,
    Outcome.CONTRADICTED: ExitCode.P0_OR_P1,
    Outcome.UNKNOWN: ExitCode.UNKNOWN,
}


class ShareProbed(Evidence):
    """One image behind a share of traffic, or of a job, or that was named itself.

    Attributes:
        revision, percent: the share; None for a job and for an image.
        image: as it was deployed.
        digest: what was looked into; None where no digest is known.
        commit: what the image's own label claims.
        proofs: what each code probe found.
        starting: what it lacks to start, where every layer was asked for.
        layers, layers_read, bytes_read: how much of the image that took, newest layer first.
    """

    revision: str | None = None
    percent: Count | None = None
    image: Untrusted
    digest: str | None
    commit: Untrusted | None = None
    proofs: tuple[Proof, ...] = ()
    starting: Starting | None = None
    layers: Count = 0
    layers_read: Count = 0
    bytes_read: Count = 0


class SubjectProbed(Evidence):
    """One service, job or image.

    Attributes:
        result: matched, contradicted or unknown; ``level`` is what it rests on, ``reason`` says why.
        digest: the one that decides: of the share that contradicts, else of the largest.
        bytes_read: of all its images.
        shares: every image that it runs.
        ladder: what every level of evidence says; None for an image, and where a file was asked for by hand.
    """

    subject: Untrusted
    kind: str
    result: Outcome
    level: Level | None
    digest: str | None
    bytes_read: Count
    reason: Untrusted
    next_step: str | None = None
    shares: tuple[ShareProbed, ...] = ()
    ladder: Ladder | None = None


class ProbeReport(Evidence):
    """What was asked of which subjects, and the worst of the answers."""

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    pipeline: str
    measured_at: AwareDatetime
    practice: bool
    result: Outcome
    subjects: tuple[SubjectProbed, ...]
    gaps: tuple[Gap, ...] = ()
    targets: tuple[Target, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """0 only where everything is matched, and nothing is lacking that an image needs to start."""
        lacks = any(share.starting and share.starting.lacks for each in self.subjects for share in each.shares)
        return ExitCode.P0_OR_P1 if lacks else _EXIT[self.result]


def report_of(
    pipeline: str,
    measured_at: datetime,
    subjects: Sequence[SubjectProbed],
    gaps: Iterable[Gap],
    targets: Iterable[Target],
    *,
    complete: bool = True,
) -> ProbeReport:
    """All of it, with the worst of the answers; unknown at best where there may be more that was not listed."""
    asked = tuple(targets)
    return ProbeReport(
        pipeline=pipeline,
        measured_at=measured_at,
        practice=any(target.practice for target in asked),
        result=worst([*(each.result for each in subjects), *(() if complete else (Outcome.UNKNOWN,))]),
        subjects=tuple(subjects),
        gaps=tuple(gaps),
        targets=asked,
    )


def of_subject(context: Context, one: Service | Job, *, by_hand: bool) -> SubjectProbed:
    """What is known of one service or job; ``by_hand`` lets the bytes alone decide, of a file that a person named."""
    parts = parts_of(context.snapshot.pipeline, context.snapshot.deployments or Deployments(), one)
    shares = tuple(map(_share, parts))
    rungs = context.ladder_of(one)
    says = {rung.level: rung for rung in rungs.rungs}
    result, level = rungs.verdict, rungs.level
    if by_hand:
        result, level = says[Level.BYTES].result or Outcome.UNKNOWN, Level.BYTES
    reason = says[level].says if level else "no level of evidence decides"
    return _subject(one.name, rungs.kind, result, level, reason, shares, ladder=None if by_hand else rungs)


def _share(part: RunningImage) -> ShareProbed:
    contents = part.inspected.contents if part.inspected else None
    return ShareProbed(
        revision=part.share.revision if part.share else None,
        percent=part.share.percent if part.share else None,
        image=part.image.reference if part.image else "",
        digest=part.digest,
        commit=contents.commit if contents else None,
        proofs=proofs_of(part.inspected),
        starting=part.inspected.starting if part.inspected else None,
        layers=contents.layers if contents else 0,
        layers_read=contents.layers_read if contents else 0,
        bytes_read=contents.bytes_read if contents else 0,
    )


def missing(name: str) -> SubjectProbed:
    """One that a code probe is about, and that was not among what Cloud Run told of."""
    reason, step = (
        "Cloud Run has no such service or job there, or it could not be listed",
        "look at it with validate-daily check",
    )
    return _subject(name, "missing", Outcome.UNKNOWN, None, reason, next_step=step)


def of_image(image: Image, digest: str | None, seen: Inspected | None, gaps: Sequence[Gap]) -> SubjectProbed:
    """What is known of an image that a person named."""
    share = _share(RunningImage(image.reference, None, None, image, digest, None, seen))
    reason, step = "; ".join(proof.reason for proof in share.proofs), None
    if seen is None:
        reason = gaps[0].reason if gaps else "the registry has no such tag"
        step = gaps[0].next_step if gaps else "name a tag or digest that exists"
    result = worst(proof.result for proof in share.proofs)
    return _subject(image.reference, "image", result, Level.BYTES, reason, (share,), next_step=step)


def _subject(
    name: str,
    kind: str,
    result: Outcome,
    level: Level | None,
    reason: str,
    shares: tuple[ShareProbed, ...] = (),
    *,
    next_step: str | None = None,
    ladder: Ladder | None = None,
) -> SubjectProbed:
    steps = (proof.next_step for share in shares for proof in share.proofs)
    return SubjectProbed(
        subject=name,
        kind=kind,
        result=result,
        level=level,
        digest=_deciding(shares),
        bytes_read=sum({each.digest: each.bytes_read for each in shares}.values()),
        reason=reason,
        next_step=next_step or next(filter(None, steps), None),
        shares=shares,
        ladder=ladder,
    )


def _deciding(shares: Sequence[ShareProbed]) -> str | None:
    for each in shares:
        if any(proof.result is Outcome.CONTRADICTED for proof in each.proofs):
            return each.digest
    largest = max(shares, key=lambda each: each.percent or 0, default=None)
    return largest.digest if largest else None
