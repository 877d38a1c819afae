"""Whether an image holds what its code probes look for: judged by what was read of their files, nothing else."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

from checks.evidence.base import Evidence, Untrusted
from checks.evidence.images import File, Inspected, Presence, ProbedFile
from checks.evidence.running_images import RunningImage, by_share
from checks.text.show import show

_SHOWN: Final = 200


class Outcome(StrEnum):
    """What evidence says of a claim."""

    MATCHED = "matched"
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


WORST_FIRST: Final = (Outcome.CONTRADICTED, Outcome.UNKNOWN, Outcome.MATCHED)


def worst(results: Iterable[Outcome]) -> Outcome:
    """Contradicted before unknown, and matched only where everything is; nothing at all is unknown."""
    told = set(results)
    return next((outcome for outcome in WORST_FIRST if outcome in told), Outcome.UNKNOWN)


class Proof(Evidence):
    """What one probe found in one image.

    Attributes:
        probe: its name.
        result: matched or contradicted by the file's bytes, or by its proved absence; unknown is neither.
        reason: why, in a sentence of ours.
        next_step: what to do where it is unknown.
        file: what was found at its path.
    """

    probe: str
    result: Outcome
    reason: Untrusted
    next_step: str | None = None
    file: File


def proof_of(probed: ProbedFile) -> Proof:
    """Judge the file of one probe."""
    probe, file = probed.probe, probed.file
    if probed.holds is None:
        reason = f"{probe.path} could not be read: {file.reason}"
        return Proof(
            probe=probe.name, result=Outcome.UNKNOWN, reason=reason, next_step=file.next_step or "try again", file=file
        )
    if file.presence is not Presence.PRESENT:
        reason = f"{probe.path} is not there: {file.reason}"
        return Proof(probe=probe.name, result=Outcome.CONTRADICTED, reason=reason, file=file)
    return Proof(
        probe=probe.name,
        result=Outcome.MATCHED if probed.holds else Outcome.CONTRADICTED,
        reason=show(f"{probe.path} {probe.told(holds=probed.holds)}", limit=_SHOWN + len(probe.path)),
        file=file,
    )


def proofs_of(inspected: Inspected | None) -> tuple[Proof, ...]:
    """What every probe found in an image; nothing where it was not looked into."""
    return tuple(map(proof_of, inspected.probed)) if inspected else ()


def proofs_in(parts: Sequence[RunningImage], probe: str) -> list[tuple[RunningImage, Proof | None]]:
    """What one probe found in each image that runs; None where it did not look there.

    Where it cannot be told which container of a share is ours, all of them speak with one voice: what holds for each
    of them holds for ours, and all else is unknown.
    """
    found: list[tuple[RunningImage, Proof | None]] = []
    for group in by_share(parts):
        told = [(part, proof_in(part, probe)) for part in group]
        found += told if len({proof and proof.result for _, proof in told}) == 1 else _undecided(told)
    return found


def _undecided(told: list[tuple[RunningImage, Proof | None]]) -> list[tuple[RunningImage, Proof | None]]:
    part, own = told[0][0], told[0][0].own
    first = next((proof for _, proof in told if proof), None)
    if own is None or own.unclear is None or first is None:
        return told
    reason = f"its containers differ, and {own.unclear}"
    unknown = Proof(probe=first.probe, result=Outcome.UNKNOWN, reason=reason, next_step=own.next_step, file=first.file)
    return [(part, unknown)]


def proof_in(image: RunningImage, probe: str) -> Proof | None:
    """What one probe found in an image that runs, if it looked there."""
    return next((proof for proof in proofs_of(image.inspected) if proof.probe == probe), None)
